"""`line decode`, and the simulators: `simulate pms`, `simulate ucm`."""

import asyncio
import re
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.shared import (
    AckOption,
    EncodingOption,
    FoundLrcOption,
    JsonOption,
    LrcOption,
    bytes_of,
    charset_of,
    ended,
    group,
    print_json,
    records_of,
    say,
    talk,
)

line_app = group("The line to the PMS: listen, explain, decode, capture, detect, send, replay.")
simulate_app = group("The two simulators on their own, for a site test or a lab.")


@line_app.command("decode")
def line_decode(
    source: Annotated[
        list[str] | None,
        typer.Argument(help="Files, or records, bytes or hex as text; none or '-': stdin."),
    ] = None,
    encoding: EncodingOption = "cp1252",
    lrc: FoundLrcOption = None,
    as_json: JsonOption = False,
) -> None:
    """Explain records field by field: a capture, a hex dump, the log of a terminal, text."""
    from gateway.tools.decode import Told, as_text, decode_input

    charset = charset_of(encoding)
    found: list[Told] = []
    for each in source or ["-"]:
        if each == "-" or _is_file(each):
            data = bytes_of(each)
        elif "|" in each or "<" in each or each.isupper() or _is_hex(each):
            data = each.encode("utf-8", "surrogateescape")
        else:
            raise ended(f"{each}: no such file, and no record (a record has bars, as GI|RN101|)")
        found += decode_input(data, charset, lrc=lrc)
    if not found:
        talk("nothing of a line in it: give a capture, bytes, hex, or records such as GI|RN101|")
    if as_json:
        print_json([each.as_json() for each in found])
    else:
        for text in as_text(found):
            say(text)
    raise typer.Exit(1 if not found or any(each.kind == "refused" for each in found) else 0)


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except (OSError, ValueError):  # a record may be too long, or hold what no path may
        return False


def _is_hex(text: str) -> bool:
    """`02 47 49`, `0x02,0x47`: two bytes or more."""
    return re.fullmatch(r"(?:(?:0x|\\x)?[0-9A-Fa-f]{2}[ ,]*){2,}+", text) is not None


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
    answer: Annotated[
        str, typer.Option(help="To every charge: OK, NG, RY, ...; none: no answer.")
    ] = "OK",
    protocol: Annotated[
        str,
        typer.Option(help="fias or mitel; holidex, hobic or smdr: it hears call records."),
    ] = "fias",
    encoding: EncodingOption = "cp1252",
    lrc: LrcOption = None,
    ack: AckOption = None,
) -> None:
    """A PMS with a strict link: exit 0 only if the gateway broke none of its rules."""
    from gateway.line import parse_line
    from gateway.tools import simulate
    from protocols.dialects import DIALECTS

    try:
        spec = parse_line(line) if line else None
        numbers = _rooms(rooms)
        if protocol not in DIALECTS:
            raise ValueError(f"--protocol = {protocol!r}: expected one of {', '.join(DIALECTS)}")
        said = None
        if script is not None:
            is_fias = protocol == "fias"
            said = records_of(script) if is_fias else script.read_text().splitlines()
        charset = charset_of(encoding)
    except (ValueError, OSError) as error:
        raise ended(str(error)) from None
    reply = "" if answer == "none" else answer
    try:
        if DIALECTS[protocol].normalize is None:
            ok = asyncio.run(simulate.charge_port(say, line=spec, protocol=protocol, answer=reply))
            raise typer.Exit(0 if ok else 1)
        ok = asyncio.run(
            simulate.mitel(
                say,
                line=spec,
                script=said,
                rooms=numbers,
                seed=seed,
                records=records,
                every_s=every,
            )
            if protocol == "mitel"
            else simulate.pms(
                say,
                line=spec,
                lrc=lrc,
                ack=ack,
                charset=charset,
                script=said,
                rooms=numbers,
                seed=seed,
                records=records,
                every_s=every,
                answer=reply,
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
    """A UCM with both HTTPS APIs and the WebSocket; it refuses what a real one would refuse.

    What happens in its rooms is asked for with POST and JSON below /_sim/:
    calls {"extension": "101", "digits": "0044...", "talk_s": 60};
    maids {"address": "101", "status": 5, "maid": "0017", "at": "202603141030"};
    messages {"address": "101"};
    wake_ups {"address": "101", "at": "202603150630"}, without "at" it is cleared;
    rings {"address": "101", "ending": "2"}: 1 answered, 2 no answer, 3 busy, 4 failed;
    minibars {"address": "101", "article": "beer"}.
    """
    from gateway.tools import simulate

    try:
        host, port = _host_and_port(listen)
        numbers = _rooms(rooms)
        asyncio.run(
            simulate.ucm(
                say,
                host=host,
                port=port,
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
        raise ended(str(error)) from None
    except OSError as error:
        raise ended(f"{listen}: {error.strerror or error}", 1) from None
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


def _host_and_port(listen: str) -> tuple[str, int]:
    """Raises ValueError."""
    host, colon, port = listen.rpartition(":")
    if not colon or not host or not port.isdigit():
        raise ValueError("expected HOST:PORT, as 127.0.0.1:8089")
    return host, int(port)


@simulate_app.command("phone")
def simulate_phone(
    listen: Annotated[str, typer.Option(help="HOST:PORT of its web API.")] = "127.0.0.1:8080",
    generation: Annotated[
        str, typer.Option(help="cgi-bin (GXV33xx) or manager (GXV3240, GXV3275).")
    ] = "cgi-bin",
    login: Annotated[
        str, typer.Option(help="challenge: MD5 of a random string; form: the password itself.")
    ] = "challenge",
    password: Annotated[str, typer.Option(help="Of gmiadmin.")] = "phone-secret",
    number: Annotated[str, typer.Option(help="Its SIP account.")] = "101",
    ignores: Annotated[
        str, typer.Option(help="Says success to these and does nothing: delete,save,put,group.")
    ] = "",
) -> None:
    """A phone with an address book; strict, and it locks itself after five wrong logins."""
    from gateway.simulators.phone import GENERATIONS, PhoneSimulator
    from gateway.tools import simulate

    if generation not in GENERATIONS or login not in ("challenge", "form"):
        raise ended("--generation is manager or cgi-bin, --login is challenge or form")
    simulator = PhoneSimulator(
        generation=generation, login=login, password=password, number=number,
        ignores={each for each in ignores.split(",") if each},
        model="GXV3275" if generation == "manager" else "GXV3370",
    )  # fmt: skip
    if wrong := simulator.ignores - {"delete", "save", "put", "group"}:
        raise ended(f"--ignores {min(wrong)!r}: expected delete, save, put or group")
    try:
        host, port = _host_and_port(listen)
        asyncio.run(simulate.phone(say, host, simulator, port))
    except (ValueError, OSError) as error:
        raise ended(f"--listen = {listen!r}: {error}") from None
    except KeyboardInterrupt:
        raise typer.Exit(0) from None
