"""Arguments and printing. No decisions. Data on stdout, talk on stderr.

Exit codes: 0 done, 1 failed, 2 wrong use or wrong configuration.
"""

import asyncio
import json
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway import __version__

if TYPE_CHECKING:
    from gateway.config import Config

DEFAULT_PATH = Path("/etc/pms-gateway/gateway.toml")

app = typer.Typer(
    name="pms-gateway",
    help="FIAS hotel systems (RS-232 or TCP) to the PMS API of a Grandstream UCM.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
line_app = typer.Typer(
    help="The technician's bench.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
simulate_app = typer.Typer(
    help="The two simulators on their own, for a site test or a lab.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(line_app, name="line")
app.add_typer(simulate_app, name="simulate")

ConfigOption = Annotated[
    Path,
    typer.Option("--config", envvar="PMSGW_CONFIG", help="The configuration file.", metavar="FILE"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


def main() -> None:
    """The console command."""
    app()


def _say(text: str) -> None:
    typer.echo(text)


def _talk(text: str) -> None:
    typer.echo(text, err=True)


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def _load(path: Path) -> "Config":
    from gateway.config import ConfigError, load

    try:
        return load(path)
    except ConfigError as error:
        for sentence in error.sentences:
            _talk(sentence)
        raise typer.Exit(2) from None


@app.command()
def demo(
    once: Annotated[
        bool, typer.Option("--once", help="One day, a summary, and exit 0 only if all agree.")
    ] = False,
    serial: Annotated[
        bool, typer.Option("--serial", help="A pseudo-terminal instead of TCP for the PMS.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="The gateway's own log too.")] = False,
) -> None:
    """A simulated PMS, a simulated UCM and the gateway between them play a hotel day."""
    from gateway import logs
    from gateway.demo import play

    logs.set_up(site="demo-hotel", quiet=not verbose)
    with tempfile.TemporaryDirectory(prefix="pms-gateway-demo-") as folder:
        try:
            ok = asyncio.run(play(_say, Path(folder), once=once, serial=serial))
        except KeyboardInterrupt:
            raise typer.Exit(0) from None
    raise typer.Exit(0 if ok else 1)


@app.command()
def run(
    config: ConfigOption = DEFAULT_PATH,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log at debug level.")] = False,
) -> None:
    """The service. SIGTERM stops it in order; an absent peer never does."""
    # Before anything is open there is nothing to close: a stop during the start is a stop.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    from gateway import logs
    from gateway.app import StartFailed
    from gateway.app import run as serve

    loaded = _load(config)
    logs.set_up(site=loaded.site.name, verbose=verbose)
    try:
        asyncio.run(serve(loaded))
    except StartFailed as error:
        _talk(str(error))
        raise typer.Exit(1) from None


@app.command("check-config")
def check_config(
    file: Annotated[Path, typer.Argument(help="The configuration file.", metavar="FILE")],
    as_json: JsonOption = False,
) -> None:
    """All mistakes of a configuration at once, one sentence each."""
    from gateway.config import ConfigError, load

    try:
        load(file)
        sentences: list[str] = []
    except ConfigError as error:
        sentences = error.sentences
    if as_json:
        _print_json({"file": str(file), "ok": not sentences, "mistakes": sentences})
    else:
        for sentence in sentences or [f"{file}: ok"]:
            _say(sentence)
    raise typer.Exit(2 if sentences else 0)


@app.command()
def doctor(config: ConfigOption = DEFAULT_PATH, as_json: JsonOption = False) -> None:
    """Try every part of the site for real, without changing it."""
    from gateway import logs
    from gateway.tools.doctor import Finding, examine

    logs.set_up(quiet=True)
    loaded = _load(config)

    async def collect() -> list[Finding]:
        findings = []
        async for finding in examine(loaded):
            findings.append(finding)
            if not as_json:
                _say(f"{'ok    ' if finding.ok else 'FAILED'}  {finding.part:<12} {finding.words}")
        return findings

    findings = asyncio.run(collect())
    if as_json:
        _print_json([{"part": f.part, "ok": f.ok, "words": f.words} for f in findings])
    raise typer.Exit(0 if all(finding.ok for finding in findings) else 1)


@app.command()
def version() -> None:
    """The version of this program."""
    _say(f"pms-gateway {__version__}")


@line_app.command("decode")
def line_decode(
    source: Annotated[
        list[str] | None,
        typer.Argument(help="Files, or records or bytes as text; none or '-': stdin."),
    ] = None,
    encoding: Annotated[str, typer.Option(help="The code page of the line.")] = "cp1252",
    lrc: Annotated[
        bool | None, typer.Option("--lrc/--no-lrc", help="Check bytes; default: found out.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Explain records field by field: a file, stdin, or text such as '<STX>LS|<ETX>'."""
    from gateway.tools.decode import Decoded, as_text, decode_input
    from protocols.fias import CHARSETS, known_charset

    charset = known_charset(encoding)
    if charset is None:
        _talk(f"--encoding = {encoding!r}: expected one of {', '.join(CHARSETS)}")
        raise typer.Exit(2)
    found: list[Decoded] = []
    for each in source or ["-"]:
        if each == "-":
            data = sys.stdin.buffer.read()
        elif _is_file(each):
            data = Path(each).read_bytes()
        elif "|" in each or "<" in each or each.isupper():
            data = each.encode(charset, "replace")
        else:
            _talk(f"{each}: no such file, and no record (a record has bars, as GI|RN101|)")
            raise typer.Exit(2)
        found += decode_input(data, charset, lrc=lrc)
    if as_json:
        _print_json([each.as_json() for each in found])
    else:
        for text in as_text(found):
            _say(text)
    raise typer.Exit(1 if not found or any(each.kind == "refused" for each in found) else 0)


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except (OSError, ValueError):  # a record may be too long, or hold what no path may
        return False


@simulate_app.command("pms")
def simulate_pms(
    line: Annotated[
        str | None,
        typer.Option(help="listen:HOST:PORT, tcp:HOST:PORT or serial:…; none: a new pty."),
    ] = None,
    script: Annotated[
        Path | None, typer.Option(help="Records to say, one a line; none: a random day.")
    ] = None,
    records: Annotated[int, typer.Option(help="Deeds of a random day; 0: without an end.")] = 50,
    seed: Annotated[int, typer.Option(help="Of the random day.")] = 1,
    rooms: Annotated[str, typer.Option(help="Rooms, as 101-110,201.")] = "101-110",
    every: Annotated[float, typer.Option(help="Seconds between records.")] = 0.5,
    encoding: Annotated[str, typer.Option(help="The code page of the line.")] = "cp1252",
    lrc: Annotated[bool | None, typer.Option("--lrc/--no-lrc", help="Check bytes.")] = None,
    ack: Annotated[bool | None, typer.Option("--ack/--no-ack", help="Answers.")] = None,
) -> None:
    """A PMS with a strict link: exit 0 only if the gateway broke none of its rules."""
    from gateway.line import parse_line
    from gateway.tools import simulate

    try:
        spec = parse_line(line) if line else None
        numbers = _rooms(rooms)
        said = script.read_text(encoding="utf-8").splitlines() if script else None
    except (ValueError, OSError) as error:
        _talk(str(error))
        raise typer.Exit(2) from None
    try:
        ok = asyncio.run(
            simulate.pms(
                _say,
                line=spec,
                lrc=lrc,
                ack=ack,
                charset=encoding,
                script=[each for each in said if each and not each.startswith("#")]
                if said is not None
                else None,
                rooms=numbers,
                seed=seed,
                records=records,
                every_s=every,
            )
        )
    except KeyboardInterrupt:
        raise typer.Exit(0) from None
    raise typer.Exit(0 if ok else 1)


@simulate_app.command("ucm")
def simulate_ucm(
    listen: Annotated[str, typer.Option(help="HOST:PORT of both APIs.")] = "127.0.0.1:8089",
    old_port: Annotated[int | None, typer.Option(help="A second port, as 8443.")] = None,
    rooms: Annotated[str, typer.Option(help="Rooms, as 101-110,201.")] = "101-110",
    username: Annotated[str, typer.Option(help="API user.")] = "pmsgw",
    password: Annotated[str, typer.Option(help="API password.")] = "api-secret",
    pms_username: Annotated[str, typer.Option(help="User of the PMS page.")] = "hotel",
    pms_password: Annotated[str, typer.Option(help="Password of the PMS page.")] = "pms-secret",
    folder: Annotated[Path, typer.Option(help="Where its certificate is kept.")] = Path(
        tempfile.gettempdir(), "pms-gateway-ucm"
    ),
    shape: Annotated[str, typer.Option(help="How failures look: A to F.")] = "A",
    latency: Annotated[float, typer.Option(help="Seconds before each reply.")] = 0.0,
    plain: Annotated[bool, typer.Option("--plain", help="HTTP without TLS.")] = False,
) -> None:
    """A UCM with both HTTPS APIs; it refuses what a real one would refuse."""
    from gateway.tools import simulate

    try:
        host, port = listen.rsplit(":", 1)
        numbers = _rooms(rooms)
        asyncio.run(
            simulate.ucm(
                _say,
                host=host,
                port=int(port),
                old_port=old_port,
                rooms=numbers,
                username=username,
                password=password,
                pms_username=pms_username,
                pms_password=pms_password,
                folder=folder,
                shape=shape,
                latency_s=latency,
                plain=plain,
            )
        )
    except ValueError as error:
        _talk(str(error))
        raise typer.Exit(2) from None
    except OSError as error:
        _talk(f"{listen}: {error.strerror or error}")
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def _rooms(text: str) -> tuple[str, ...]:
    """`101-110,201` as room numbers. Raises ValueError."""
    rooms: list[str] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        if not first.isdigit() or (last and not last.isdigit()):
            raise ValueError(f"--rooms: {part!r} is no room and no range (as 101-110,201)")
        width = len(first)
        rooms += [f"{number:0{width}}" for number in range(int(first), int(last or first) + 1)]
    return tuple(rooms)
