"""The bench's commands that take a line into their own hands: `line detect`, `line send`."""

import asyncio
import sys
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.bench import line_app
from gateway.cli.shared import JsonOption, print_json, say, talk

if TYPE_CHECKING:
    from gateway.line import LineSpec

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


class Role(Enum):
    """Who we are on the line."""

    PMS = "pms"
    PBX = "pbx"


@line_app.command("send")
def line_send(
    line: Annotated[str, typer.Argument(help="serial:…, tcp:HOST:PORT or listen:HOST:PORT.")],
    records: Annotated[
        list[str] | None,
        typer.Argument(help="Records (GI|RN101|) or bytes (<ENQ>); none: a menu, from stdin."),
    ] = None,
    role: Annotated[Role | None, typer.Option("--as", help="Who we are.")] = None,
    script: Annotated[Path | None, typer.Option(help="Records to say, one a line.")] = None,
    lrc: Annotated[bool | None, typer.Option("--lrc/--no-lrc", help="Check bytes.")] = None,
    ack: Annotated[bool | None, typer.Option("--ack/--no-ack", help="Answers.")] = None,
    encoding: Annotated[str, typer.Option(help="The code page of the line.")] = "cp1252",
    raw: Annotated[bool, typer.Option("--raw", help="Without starting a link.")] = False,
    names: Annotated[bool, typer.Option("--names", help="Show guests' names.")] = False,
    within: Annotated[float, typer.Option(min=0.1, help="Seconds to wait for each.")] = 60.0,
    live: Annotated[
        bool, typer.Option("--live", help="Another machine: yes, the hotel may feel it.")
    ] = False,
    loopback: Annotated[bool, typer.Option("--loopback", help="Try a port with a plug.")] = False,
    bert: Annotated[float, typer.Option(min=0, help="Seconds of counting bit errors.")] = 0.0,
) -> None:
    """Be the PMS or the PBX on a line that the service does not use, or try the port itself."""
    from gateway.line import LineFailed, SerialSpec
    from gateway.tools import send

    spec = _spec(line)
    try:
        if loopback or bert:
            if not isinstance(spec, SerialSpec):
                raise _wrong("--loopback tries a serial port: serial:DEVICE,BAUD,MODE")
            from gateway.tools.loopback import loopback as try_port

            raise typer.Exit(0 if try_port(spec, bert_s=bert, say=say) else 1)
        if role is None:
            raise _wrong("say who we are: --as pms or --as pbx")
        if send.is_elsewhere(spec) and not live:
            raise _wrong(f"{spec} leaves this machine: a hotel may be at work there. --live: go on")
        serial = isinstance(spec, SerialSpec)
        part = send.Part(
            spec=spec,
            as_pms=role is Role.PMS,
            raw=raw,
            lrc=serial if lrc is None else lrc,
            ack=serial if ack is None else ack,
            charset=_charset(encoding),
            names=names,
            within_s=within,
        )
        texts = _texts(records, script)
        if texts is None:
            ok = asyncio.run(send.by_menu(part, say, talk, sys.stdin))
        else:
            send.check(part, texts)
            ok = asyncio.run(send.send(part, texts, say))
    except (LineFailed, ValueError) as error:
        raise _wrong(str(error)) from None
    except KeyboardInterrupt:
        raise typer.Exit(1) from None
    raise typer.Exit(0 if ok else 1)


def _wrong(sentence: str) -> typer.Exit:
    talk(sentence)
    return typer.Exit(2)


def _spec(line: str) -> "LineSpec":
    from gateway.line import parse_line

    try:
        return parse_line(line)
    except ValueError as error:
        raise _wrong(str(error)) from None


def _charset(encoding: str) -> str:
    from protocols.fias import CHARSETS, known_charset

    charset = known_charset(encoding)
    if charset is None:
        raise _wrong(f"--encoding = {encoding!r}: expected one of {', '.join(CHARSETS)}")
    return charset


def _texts(records: list[str] | None, script: Path | None) -> list[str] | None:
    """What is to be said; None: what will be typed."""
    if script is None:
        return records or None
    try:
        lines = script.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeError) as error:
        raise _wrong(f"{script}: {error}") from None
    return [each for each in lines if each.strip() and not each.startswith("#")]
