"""The operator's commands about what goes back to the PMS."""

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

postings_app = group("What goes back to the PMS: the charges of calls, and what became of each.")

IdArgument = Annotated[list[int], typer.Argument(help="Numbers from `list`.", metavar="ID...")]


@postings_app.command("list")
def postings_list(
    config: ConfigOption = DEFAULT_PATH,
    state: Annotated[
        str,
        typer.Option(
            help="waiting, sent, refused, unknown, held, booked, dropped; several with commas;"
            " open (the first five), or all."
        ),
    ] = "open",
    limit: Annotated[int, typer.Option(min=1, help="So many at the most.")] = 1000,
    as_json: JsonOption = False,
) -> None:
    """What is not on a bill yet, and why."""
    from gateway.back.states import PARKED, State
    from gateway.tools import postings
    from gateway.web.postings import OPEN_STATES, STATES

    loaded = load_config(config)
    words = {"open": OPEN_STATES, "all": STATES}
    states = words.get(state) or [each.strip() for each in state.split(",")]
    if wrong := [each for each in states if each not in STATES]:
        raise ended(f"--state = {wrong[0]!r}: expected {', '.join(STATES)}, open or all")
    with declinable():
        found = postings.listed(loaded, states, limit)
    if as_json:
        print_json(found)
        return
    if found:
        say(f"{'ID':<6} {'ROOM':<8} {'STATE':<8} {'BEGAN':<19}  {'WHAT':<20} REASON")
    for each in found:
        state_ = f"{each['state']:<8}"
        is_parked = State(each["state"]) in PARKED
        began = (each["began"] or "").replace("T", " ")
        room = printable(f"{each['room']:<8}")
        rest = printable(f"{began:<19}  {each['what']:<20} {each['reason']}").rstrip()
        say(f"{each['id']:<6} {room} {painted(state_, good=False) if is_parked else state_} {rest}")
    talk(f"{len(found)} of them; `postings show ID` tells everything of one")


@postings_app.command("show")
def postings_show(
    id_: IdArgument, config: ConfigOption = DEFAULT_PATH, as_json: JsonOption = False
) -> None:
    """A posting, all that happened to it, and what to do."""
    from gateway.tools import postings

    loaded = load_config(config)
    with declinable():
        found = [postings.show(loaded, each) for each in id_]
    if as_json:
        print_json(found)
        return
    for each in found:
        _print(each)


def _print(told: dict[str, Any]) -> None:
    say(printable(f"posting {told['id']}: {told['state']}"))
    for name, text in (
        ("room", told["pms_room"] or told["room"]),
        ("began", (told["began"] or "").replace("T", " ")),
        ("what", told["what"] or None),
        ("seconds", told["duration_s"]),
        ("number", told["number"]),
        ("again at", told["due_at"]),
        ("reason", told["reason"] or None),
        ("do", told["do"] or None),
    ):
        if text is not None:
            say(printable(f"  {name:<8} {text}"))
    for each in told["history"]:
        at = each["at"][:19].replace("T", " ")
        say(printable(f"    {at}  {each['state']:<8} by {each['who']:<10} {each['why']}").rstrip())


@postings_app.command("booked")
def postings_booked(id_: IdArgument, config: ConfigOption = DEFAULT_PATH) -> None:
    """Close postings that the PMS did book: you have seen them on the bill."""
    _operate(config, id_, "booked", "")


@postings_app.command("again")
def postings_again(id_: IdArgument, config: ConfigOption = DEFAULT_PATH) -> None:
    """Send postings that the PMS did not book: you have looked at the bill."""
    _operate(config, id_, "again", "")


@postings_app.command("drop")
def postings_drop(
    id_: Annotated[int, typer.Argument(help="Number from `list`.", metavar="ID")],
    reason: Annotated[list[str], typer.Argument(help="Why; it is kept.", metavar="REASON...")],
    config: ConfigOption = DEFAULT_PATH,
) -> None:
    """Give a posting up: nobody will pay for it."""
    _operate(config, [id_], "drop", " ".join(reason))


@postings_app.command("trust-list")
def postings_trust_list(config: ConfigOption = DEFAULT_PATH) -> None:
    """Take the UCM's list of calls as it is, although the last known call is not in it."""
    from gateway.tools import postings

    loaded = load_config(config)
    with declinable():
        postings.trust_list(loaded)
    say("the list is read as it is from now on; calls since the last known one are charged")


def _operate(config: ConfigOption, ids: list[int], deed: str, why: str) -> None:
    from gateway.tools import postings

    loaded = load_config(config)
    for each in ids:
        with declinable():
            told = postings.operate(loaded, each, deed, why)
        say(printable(f"posting {each} is {told['state']} now"))
