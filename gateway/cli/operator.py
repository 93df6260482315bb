"""The operator's commands: what waits and what is parked, who is in which room, a resync."""

import contextlib
import sys
from typing import Annotated, Any

import typer

from gateway.cli.shared import (
    DEFAULT_PATH,
    ConfigOption,
    JsonOption,
    declinable,
    ended,
    group,
    load_config,
    painted,
    print_json,
    say,
    talk,
)
from gateway.logs import printable

outbox_app = group("The rooms that the UCM still has to be told of, and those that it refused.")

RoomArgument = Annotated[list[str], typer.Argument(help="Numbers of rooms.", metavar="ROOM...")]


@outbox_app.command("list")
def outbox_list(
    config: ConfigOption = DEFAULT_PATH,
    state: Annotated[
        str, typer.Option(help="waiting, parked, dropped, told; several with commas; or all.")
    ] = "waiting,parked",
    room: Annotated[str | None, typer.Option(help="This room only.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="So many at the most.")] = 1000,
    as_json: JsonOption = False,
) -> None:
    """The rooms that the UCM still has to be told of, and those that it refused and why."""
    from gateway.pipeline.step import PARKED, STATES
    from gateway.tools import operate

    loaded = load_config(config)
    states = list(STATES) if state == "all" else [each.strip() for each in state.split(",")]
    if wrong := [each for each in states if each not in STATES]:
        raise ended(f"--state = {wrong[0]!r}: expected {', '.join(STATES)} or all")
    with declinable():
        found = operate.outbox(loaded, states, room, limit)
    if as_json:
        print_json(found)
        return
    wide = max(8, *(len(each["room"]) for each in found)) if found else 8
    if found:
        say(
            f"{'ROOM':<{wide}}  {'STATE':<8}  {'SINCE':<19}  {'TRIES':>5}  "
            f"{'NEXT CALL':<25}  REASON"
        )
    for each in found:
        since = (each["since"] or "")[:19].replace("T", " ")
        state_ = f"{each['state']:<8}"
        room_ = printable(f"{each['room']:<{wide}}")
        rest = f"{since:<19}  {each['tries']:>5}  {each['next_call'] or '':<25}  {each['reason']}"
        say(
            f"{room_}  {painted(state_, good=False) if each['state'] == PARKED else state_}  "
            + printable(rest).rstrip()
        )
    phones = sum(each["room"].startswith("phone ") for each in found)
    also = f" and {_counted(phones, 'phone')}, of which `phones list` tells" if phones else ""
    rooms_ = _counted(len(found) - phones, "room")
    talk(f"{rooms_}{also}; `outbox show ROOM` tells everything of a room")


@outbox_app.command("show")
def outbox_show(
    room: RoomArgument, config: ConfigOption = DEFAULT_PATH, as_json: JsonOption = False
) -> None:
    """What a room should show beside what it shows, its last calls, and what to do."""
    from gateway.tools import operate

    loaded = load_config(config)
    with declinable():
        found = [operate.show(loaded, each) for each in room]
    if as_json:
        print_json(found)
        return
    for each in found:
        _print_room(each)


def _print_room(told: dict[str, Any]) -> None:
    want, have = told["desired"], told["actual"] or {}
    tags = have.get("tags") or {}
    say(printable(f"room {told['room']}: {told['state']}"))
    for name, text in (
        ("since", told["since"]),
        ("tries", told["tries"] or None),
        ("tried again at", told["due_at"]),
        ("next call", told["next_call"]),
        ("reason", told["reason"] or None),
        ("do", told["do"] or None),
        ("record", told["record"] or None),
    ):
        if text is not None:
            say(printable(f"  {name:<15} {text}"))
    shown = tags.get("lastname") if have.get("stay") is not None else None
    say(f"  {'':<15} {'SHOULD SHOW':<24} SHOWS")
    for name, should, does in (
        ("stay", want["stay"], have.get("stay", "not known")),
        ("guest", want["guest"], shown),
        ("reservation", want["reservation"], tags.get("account") if shown is not None else None),
        ("wake-up", next(iter(want["wake_ups"]), None), have.get("wake_up")),
        ("do not disturb", _on(want["do_not_disturb"]), _on(have.get("do_not_disturb"))),
    ):
        say(printable(f"  {name:<15} {_none(should):<24} {_none(does)}"))
    if told["journal"]:
        say("  last calls, the newest last:")
    for line in told["journal"]:
        rooms_ = f"{line['from_room']}>{line['room']}" if line["from_room"] else line["room"]
        took = f", after {line['took_s']:.2f} s" if line["took_s"] else ""
        at = line["at"][:19].replace("T", " ")
        say(printable(f"    {at}  {rooms_:<10} {line['outcome']}{took}"))
        if line["record"]:
            say(printable(f"    {'':<31}{line['record']}"))
    say("")


def _none(value: object) -> str:
    return "-" if value is None else str(value)


def _on(value: object) -> object:
    return {True: "on", False: "off"}.get(value, value) if isinstance(value, bool) else value


@outbox_app.command("retry")
def outbox_retry(room: RoomArgument, config: ConfigOption = DEFAULT_PATH) -> None:
    """Tell the UCM again of rooms that it refused, from what they should show now; exit 1 if it
    refuses one again."""
    from gateway.pipeline.step import PARKED
    from gateway.tools import operate

    loaded = load_config(config)
    refused = False
    for each in room:
        with declinable():
            told = operate.retry(loaded, each)
        why = f": {told['reason']}" if told["reason"] and told["state"] != "told" else ""
        say(printable(f"{each} is told again; now it is {told['state']}{why}"))
        refused = refused or told["state"] == PARKED
    if refused:
        raise typer.Exit(1)


@outbox_app.command("drop")
def outbox_drop(
    room: RoomArgument,
    config: ConfigOption = DEFAULT_PATH,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
) -> None:
    """Leave rooms as they are on the UCM until the PMS says something new of them."""
    from gateway.tools import operate

    loaded = load_config(config)
    if sys.stdin.isatty() and not yes:
        typer.confirm(f"Leave {', '.join(room)} as it is on the UCM?", abort=True, err=True)
    for each in room:
        with declinable():
            operate.change(loaded, each, "drop")
        say(f"{each} is left as it is until the PMS says something new of it")


def rooms(
    config: ConfigOption = DEFAULT_PATH,
    diff: Annotated[
        bool, typer.Option("--diff", help="Only rooms in which the UCM differs; exit 1 if any.")
    ] = False,
    heal: Annotated[
        bool,
        typer.Option("--heal", help="Make the UCM show the PMS's word, however much differs."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Who is in which room by the PMS's word; with --diff: where the UCM shows it differently."""
    from gateway.tools import operate

    if heal and diff:
        raise ended("--diff only looks, --heal changes the UCM: give one of them")
    loaded = load_config(config)
    if heal:
        with declinable():
            held_up = operate.heal(loaded)
        say(held_up or "asked; `rooms --diff` shows what still differs")
        return
    with declinable():
        found = operate.drifts(loaded) if diff else operate.rooms(loaded)
    if as_json:
        print_json(found)
    elif diff:
        for drift in found:
            tags = f" ({', '.join(drift['tags'])})" if drift["tags"] else ""
            say(printable(f"{drift['room']:<8} {drift['kind']:<9} {drift['means']}{tags}"))
        differ = "differs" if len(found) == 1 else "differ"
        talk(f"{_counted(len(found), 'room')} {differ}" if found else "no room differs")
        with declinable():
            still = operate.outbox(loaded, ["waiting", "parked"], None, 1000)
        if still:
            talk(f"besides, {_counted(len(still), 'room')} still to be told: `outbox list`")
    else:
        if found:
            say(f"{'ROOM':<8} {'STATE':<8} GUESTS")
        for room in found:
            guests = ", ".join(
                f"{guest['reservation'] or '-'} {guest['name']}".strip() for guest in room["guests"]
            )
            wake_up = f"  wake-up {room['wake_ups'][0]}" if room["wake_ups"] else ""
            say(printable(f"{room['room']:<8} {room['state']:<8} {guests}{wake_up}".rstrip()))
        talk(_counted(len(found), "room"))
    if diff and found:
        raise typer.Exit(1)


def resync(
    config: ConfigOption = DEFAULT_PATH,
    wait: Annotated[
        bool, typer.Option("--wait", help="Until it is over; always so on a terminal.")
    ] = False,
) -> None:
    """Ask the PMS of the running service to tell every room."""
    from gateway.tools import operate

    loaded = load_config(config)
    with declinable():
        known = operate.rooms(loaded)
        asked = operate.resync(loaded)
        say("asked; the rooms come as the PMS tells them, `rooms --diff` compares")
        if wait or sys.stdout.isatty():
            talk("waiting for its end; Ctrl-C leaves it running")
            with contextlib.suppress(KeyboardInterrupt):
                is_over = operate.wait_for_resync(loaded, asked)
                if is_over:
                    changed = operate.changed_rooms(known, operate.rooms(loaded))
                    where = _counted(changed, "room") if changed else "no room"
                    say(f"the PMS has told every room; other guests than before in {where}")
                else:
                    say("the PMS has not ended it yet")


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
