"""What of a changed configuration can be taken over while the service runs, and what cannot."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from gateway.config import Config

TABLES: Final = ("class_of_service", "language", "room_status")
LIVE: Final[Mapping[str, tuple[str, ...]]] = {
    "site": ("checkout_time",),
    "ucm": ("name_bytes", "retries", "retry_interval_s", "reconcile", "reconcile_interval_s"),
    "http": ("password_hash",),
}
"""Keys that the next call, comparison or login reads anew. Everything else is built into an open
line, connection, port or file: a restart takes two seconds, and nothing is lost by it."""

_SECTIONS: Final = ("site", "fias", "ucm", "rooms", "capture", "http")
_SETTLED: Final = {
    "line": "pms.line",
    "password": "ucm.password",
    "pms_password": "ucm.pms_password",
}
_THE_SECRETS: Final = {"password", "password_file", "pms_password", "pms_password_file"}


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
    sections = {
        name: replace(getattr(old, name), **{key: getattr(getattr(new, name), key) for key in keys})
        for name, keys in LIVE.items()
    }
    merged = replace(old, **sections, **{name: getattr(new, name) for name in TABLES})
    return Change(merged, _differences(old, merged), _differences(merged, new))


def _differences(one: Config, other: Config) -> tuple[str, ...]:
    left, right = _flat(one), _flat(other)
    return tuple(key for key, value in left.items() if right[key] != value)


def _flat(config: Config) -> dict[str, Any]:
    """Every key with its value; a secret counts, not the file it came from. Never printed."""
    flat = {key: getattr(config, name) for name, key in _SETTLED.items()}
    for name in _SECTIONS:
        section = getattr(config, name)
        keys = [each.name for each in fields(section) if each.name not in _THE_SECRETS]
        flat |= {f"{name}.{key}": getattr(section, key) for key in keys}
    return flat | {name: dict(getattr(config, name)) for name in TABLES}
