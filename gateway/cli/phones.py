"""The operator's commands about the phones in the rooms."""

from typing import Annotated

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

phones_app = group("The phones in the rooms: their contacts go with the guest.")

RoomArgument = Annotated[str, typer.Argument(help="The UCM's number of the room.", metavar="ROOM")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@phones_app.command("list")
def phones_list(config: ConfigOption = DEFAULT_PATH, as_json: JsonOption = False) -> None:
    """Every phone: what it is, whether it is there, what is still to be done to it, and why."""
    from gateway.tools import phones
    from gateway.web.phones import OFF

    loaded = load_config(config)
    if not loaded.sets:
        raise ended(OFF, 1)
    with declinable():
        found = phones.listed(loaded)
    if as_json:
        print_json(found)
        return
    say(f"{'ROOM':<8} {'STATE':<12} {'PHONE':<22} {'ADDRESS':<24} TO DO")
    for each in found:
        state = each["state"]
        what = f"{each['model']} {each['firmware']}".strip()
        to_do = ": ".join(filter(None, (each["step"], each["trouble"])))
        text = printable(f"{each['room']:<8} {state:<12} {what:<22} {each['address']:<24} {to_do}")
        say(painted(text.rstrip(), good=state == "well") if state != "unknown" else text.rstrip())
    behind = sum(bool(each["step"]) for each in found)
    talk(f"{len(found)} phones, {behind} behind; `phones retry ROOM` tries one at once")


@phones_app.command("wipe")
def phones_wipe(
    room: RoomArgument, config: ConfigOption = DEFAULT_PATH, yes: YesOption = False
) -> None:
    """Delete the contacts of a phone now, whoever is in the room. The hotel's own come back."""
    from gateway.tools import phones

    loaded = load_config(config)
    if not yes:
        typer.confirm(f"Delete all contacts on the phone of room {room}?", abort=True)
    with declinable():
        told = phones.operate(loaded, room, "wipe")
    say(f"phone {room}: {told['contacts']} contacts deleted")


@phones_app.command("reboot")
def phones_reboot(
    room: RoomArgument, config: ConfigOption = DEFAULT_PATH, yes: YesOption = False
) -> None:
    """Restart a phone."""
    from gateway.tools import phones

    loaded = load_config(config)
    if not yes:
        typer.confirm(f"Restart the phone of room {room}?", abort=True)
    with declinable():
        phones.operate(loaded, room, "reboot")
    say(f"phone {room}: it restarts")


@phones_app.command("retry")
def phones_retry(room: RoomArgument, config: ConfigOption = DEFAULT_PATH) -> None:
    """Try a phone again at once, its login too: somebody has mended it."""
    from gateway.tools import phones

    with declinable():
        phones.operate(load_config(config), room, "retry")
    say(f"phone {room}: it is tried now; `phones list` says what came of it")
