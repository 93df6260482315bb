"""The commands that open a line themselves, without the service: `line detect`, `line send`."""

import asyncio
import sys
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.bench import line_app
from gateway.cli.shared import (
    AckOption,
    EncodingOption,
    JsonOption,
    LrcOption,
    ProtocolOption,
    ended,
    print_json,
    profile_of,
    records_of,
    say,
    talk,
)

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
        raise ended(str(error)) from None
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
    protocol: ProtocolOption = "fias",
    lrc: LrcOption = None,
    ack: AckOption = None,
    encoding: EncodingOption = "cp1252",
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
    from gateway.line import LineFailed, SerialSpec, parse_line
    from gateway.tools import send

    try:
        spec = parse_line(line)
        if loopback or bert:
            if not isinstance(spec, SerialSpec):
                raise ended("--loopback tries a serial port: serial:DEVICE,BAUD,MODE")
            from gateway.tools.loopback import loopback as try_port

            raise typer.Exit(0 if try_port(spec, bert_s=bert, say=say) else 1)
        if role is None:
            raise ended("say who we are: --as pms or --as pbx")
        if send.is_elsewhere(spec) and not live:
            raise ended(f"{spec} leaves this machine: a hotel may be at work there. --live: go on")
        part = send.Part(
            spec=spec,
            profile=profile_of([spec], protocol=protocol, lrc=lrc, ack=ack, encoding=encoding),
            as_pms=role is Role.PMS,
            raw=raw,
            names=names,
            within_s=within,
        )
        try:
            texts = records_of(script) if script else records or []
        except (OSError, UnicodeError) as error:
            raise ended(f"{script}: {error}") from None
        if not (script or texts):
            ok = asyncio.run(send.by_menu(part, say, talk, sys.stdin))
        else:
            send.check(part, texts)
            ok = asyncio.run(send.send(part, texts, say))
    except (LineFailed, ValueError) as error:
        raise ended(str(error)) from None
    except KeyboardInterrupt:
        raise typer.Exit(1) from None
    raise typer.Exit(0 if ok else 1)
