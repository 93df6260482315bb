"""The operator's commands: what waits and what is parked, who is in which room, a resync."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.shared import (
    DEFAULT_PATH,
    ConfigOption,
    JsonOption,
    group,
    load_config,
    print_json,
    say,
    talk,
)
from gateway.printable import printable

if TYPE_CHECKING:
    from gateway.config import Config

outbox_app = group("What is waiting for the UCM and what is parked.")

RowArgument = Annotated[list[int], typer.Argument(help="Numbers of rows.", metavar="ROW...")]


@contextmanager
def _declinable() -> Iterator[None]:
    """What the service declines is a sentence and exit code 1."""
    from gateway.control import Declined

    try:
        yield
    except Declined as declined:
        talk(str(declined))
        raise typer.Exit(1) from None


@outbox_app.command("list")
def outbox_list(
    config: ConfigOption = DEFAULT_PATH,
    state: Annotated[
        str, typer.Option(help="waiting, parked, done, superseded; several with commas; or all.")
    ] = "waiting,parked",
    room: Annotated[str | None, typer.Option(help="Rows of this room only.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="The newest so many.")] = 1000,
    as_json: JsonOption = False,
) -> None:
    """The rows that are not delivered yet: what waits, and what is parked and why."""
    from gateway.outbox import STATES
    from gateway.tools import operate

    loaded = load_config(config)
    states = list(STATES) if state == "all" else [each.strip() for each in state.split(",")]
    if wrong := [each for each in states if each not in STATES]:
        talk(f"--state = {wrong[0]!r}: expected {', '.join(STATES)} or all")
        raise typer.Exit(2)
    with _declinable():
        rows = operate.rows(loaded, states, room, limit)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        rooms = row["room"] if row["from_room"] is None else f"{row['from_room']}>{row['room']}"
        rooms = printable(rooms)
        why = f"  {row['error']}" if row["error"] else ""
        say(
            f"{row['id']:>8}  {row['state']:<10}  {_at(loaded, row['received_at'])}"
            f"  {rooms:<12}  {row['event']:<14}{why}".rstrip()
        )
    talk(f"{_counted(len(rows), 'row')}; `outbox show ROW` tells everything of one")


@outbox_app.command("show")
def outbox_show(
    row: RowArgument, config: ConfigOption = DEFAULT_PATH, as_json: JsonOption = False
) -> None:
    """Everything of a row: the record it came from, the last error, and what to do."""
    from gateway.tools import operate

    loaded = load_config(config)
    with _declinable():
        found = [operate.row(loaded, each) for each in row]
    if as_json:
        print_json(found)
        return
    for each in found:
        for name, value in each.items():
            if value in (None, "") or (name == "due_at" and each["state"] != "waiting"):
                continue
            is_moment = name.endswith("_at")
            say(f"{name:<14} {_at(loaded, value) if is_moment else printable(str(value))}")
        say("")


@outbox_app.command("retry")
def outbox_retry(row: RowArgument, config: ConfigOption = DEFAULT_PATH) -> None:
    """Deliver parked rows again, in their old place."""
    _change(config, row, "retry", "waits again")


@outbox_app.command("drop")
def outbox_drop(row: RowArgument, config: ConfigOption = DEFAULT_PATH) -> None:
    """Give up parked or waiting rows: the UCM will not be told."""
    _change(config, row, "drop", "will not be delivered")


def _change(config: Any, rows: list[int], deed: str, done: str) -> None:
    from gateway.tools import operate

    loaded = load_config(config)
    for each in rows:
        with _declinable():
            operate.change(loaded, each, deed)
        say(f"{each} {done}")


def rooms(
    config: ConfigOption = DEFAULT_PATH,
    diff: Annotated[
        bool, typer.Option("--diff", help="Only rooms in which the UCM differs; exit 1 if any.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Who is in which room by the PMS's word; with --diff: where the UCM shows it differently."""
    from gateway.tools import operate

    loaded = load_config(config)
    with _declinable():
        found = operate.drifts(loaded) if diff else operate.rooms(loaded)
    if as_json:
        print_json(found)
    elif diff:
        for drift in found:
            tags = f" ({', '.join(drift['tags'])})" if drift["tags"] else ""
            say(printable(f"{drift['room']:<8} {drift['kind']:<9} {drift['means']}{tags}"))
        talk(f"in difference: {_counted(len(found), 'room')}" if found else "no room differs")
    else:
        for room in found:
            guests = ", ".join(
                f"{guest['reservation'] or '-'} {guest['name']}".strip() for guest in room["guests"]
            )
            wake_up = f"  wake-up {room['wake_ups'][0]}" if room["wake_ups"] else ""
            say(printable(f"{room['room']:<8} {room['state']:<8} {guests}{wake_up}".rstrip()))
        talk(_counted(len(found), "room"))
    if diff and found:
        raise typer.Exit(1)


def resync(config: ConfigOption = DEFAULT_PATH) -> None:
    """Ask the PMS of the running service to tell every room."""
    from gateway.tools import operate

    loaded = load_config(config)
    with _declinable():
        operate.resync(loaded)
    say("asked; the rooms come as the PMS tells them, `rooms --diff` compares")


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _at(config: "Config", moment: float) -> str:
    """A moment in hotel time."""
    return f"{datetime.fromtimestamp(moment, config.zone):%Y-%m-%d %H:%M:%S}"
