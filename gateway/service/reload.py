"""What of a changed configuration can be taken over while the service runs, and what cannot."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.config import Config
from gateway.config.model import File

TABLES: Final = ("class_of_service", "language", "room_status", "maid")
"""Taken over whole; so is a tariff."""
LIVE: Final[Mapping[str, tuple[str, ...]]] = {
    "site": ("checkout_time",),
    "ucm": ("name_bytes", "retries", "retry_interval_s", "reconcile", "reconcile_interval_s"),
    "http": ("password_hash",),
}
"""Keys that the next call, comparison or login reads anew. Everything else is built into an open
line, connection, port or file: a restart takes two seconds, and nothing is lost by it."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a new file means for the running service.

    config      what runs from now on: the old with everything that can be taken over
    taken       keys that were taken over
    restart     keys that differ and wait for a restart
    """

    config: Config
    taken: tuple[str, ...]
    restart: tuple[str, ...]


def change(old: Config, new: Config) -> Change:
    """Compare two configurations. Pure."""
    sections: dict[str, Any] = {
        name: getattr(old, name).model_copy(
            update={key: getattr(getattr(new, name), key) for key in keys}
        )
        for name, keys in LIVE.items()
    }
    tables = {name: getattr(new, name) for name in TABLES}
    merged = old.model_copy(update=sections | tables | {"rates": new.rates})
    return Change(merged, _differences(old, merged), _differences(merged, new))


def _differences(one: Config, other: Config) -> tuple[str, ...]:
    left, right = _flat(one), _flat(other)
    return tuple(key for key, value in left.items() if right[key] != value)


def _flat(config: Config) -> dict[str, Any]:
    """Every key with its value; a secret counts, not the file it came from. Never printed."""
    flat: dict[str, Any] = {name: getattr(config, name) for name in (*TABLES, "rates")}
    for name in File.model_fields.keys() - TABLES:
        flat |= {f"{name}.{key}": value for key, value in getattr(config, name)}
    return {key: value for key, value in flat.items() if not key.endswith("password_file")}
