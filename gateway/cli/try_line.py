"""The bench's commands that take a line into their own hands: `line detect`, `line send`."""

from typing import Annotated

import typer

from gateway.cli.bench import line_app
from gateway.cli.shared import JsonOption, print_json, say, talk

__all__ = ["line_app"]  # with the commands of this file


@line_app.command("detect")
def line_detect(
    device: Annotated[str, typer.Argument(help="The serial port, as /dev/ttyUSB0.")],
    seconds: Annotated[float, typer.Option(min=0.1, help="Seconds for each speed in turn.")] = 4.0,
    total: Annotated[float, typer.Option("--for", min=0.1, help="Seconds in all.")] = 120.0,
    as_json: JsonOption = False,
) -> None:
    """Find out speed, format and check bytes of a serial line by listening only; exit 0: found."""
    from gateway.line import LineFailed
    from gateway.tools import detect

    try:
        verdict = detect.detect(device, per_speed_s=seconds, total_s=total, tell=talk)
    except LineFailed as error:
        talk(str(error))
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        raise typer.Exit(1) from None
    if as_json:
        print_json(detect.as_json(verdict, device))
    else:
        for text in detect.as_text(verdict, device):
            say(text)
    raise typer.Exit(0 if verdict.is_found else 1)
