"""`line explain`, `line replay`: what a capture shows, and what it would do."""

import asyncio
import contextlib
import os
import sys
import tempfile
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.bench import line_app
from gateway.cli.shared import (
    DEFAULT_PATH,
    ConfigOption,
    FoundLrcOption,
    JsonOption,
    bytes_of,
    charset_of,
    declinable,
    ended,
    load_config,
    print_json,
    say,
    talk,
)

if TYPE_CHECKING:
    from gateway.config import Config
    from gateway.line import LineSpec
    from gateway.scope.sources import Capture
    from protocols.transcript import Step

EncodingOption = Annotated[str, typer.Option(help="The code page, if the file does not say it.")]


@line_app.command("explain")
def line_explain(
    file: Annotated[
        str | None,
        typer.Argument(
            help="A capture, dump or log; '-': stdin; none: the service's last hour; charges:"
            " the hour of its line of the charges."
        ),
    ] = None,
    config: ConfigOption = DEFAULT_PATH,
    encoding: EncodingOption = "cp1252",
    lrc: FoundLrcOption = None,
    as_json: JsonOption = False,
) -> None:
    """What is wrong with a line, in words: the lowest layer first, with evidence and next step.

    Exit 0: nothing looks wrong; 1: something does.
    """
    from gateway.metrics import CHARGES, GUESTS
    from gateway.scope.explain import WITHIN_S, explain, not_open
    from gateway.service.parts import profile as profile_of
    from gateway.tools import watch

    now = []
    if file in (None, GUESTS, CHARGES):
        loaded, name = load_config(config), file or GUESTS
        with declinable():
            profile = profile_of(watch.line_of(loaded, name))
            steps = list(watch.kept(loaded, WITHIN_S, name))
            if closed := watch.closed_line(loaded, name):
                now.append(not_open(closed))
        if not steps and not now:
            why = "nothing was kept of the last hour: does the service run, with capture.keep_mb?"
            raise ended(why, 1)
    else:
        capture = _read(file, encoding, lrc)
        steps, profile = capture.steps, capture.profile
    findings = [*now, *(explain(steps, profile) if steps else [])]
    if as_json:
        print_json([finding.as_json() for finding in findings])
    for finding in [] if as_json else findings:
        often = "once" if finding.count == 1 else f"{finding.count} times"
        say(f"{finding.layer.name.lower()}, {finding.confidence.value}, {often}:")
        say(f"  {finding.words}")
        say(f"  Do: {finding.do}")
        for evidence in finding.evidence:
            say(f"      {_moment(evidence.at)}{evidence.text}")
    if not findings:
        talk("nothing looks wrong")
    raise typer.Exit(1 if findings else 0)


def _moment(at: float | None) -> str:
    """When it was, and how long ago where that is of use."""
    if at is None:
        return ""
    from gateway.clock import Clock, local_zone

    zone = local_zone()
    ago = Clock(zone).epoch() - at
    since = f" ({ago / 60:.0f} min ago)" if 0 <= ago < 7200 else ""
    return f"{datetime.fromtimestamp(at, zone):%Y-%m-%d %H:%M:%S}{since}  "


@line_app.command("replay")
def line_replay(
    file: Annotated[str, typer.Argument(help="A capture, dump or log; '-': stdin.")],
    to: Annotated[
        str,
        typer.Option(
            help="decoder; gateway (what would have happened, against a simulated UCM);"
            " pty; or serial:…, tcp:…, listen:… to play the PMS there."
        ),
    ] = "decoder",
    speed: Annotated[
        float, typer.Option(min=0, max=1e6, help="As a PMS: 2 is twice as fast, 0 without pauses.")
    ] = 1.0,
    listen_s: Annotated[
        float, typer.Option("--listen", help="As a PMS: seconds to wait for the last answers.")
    ] = 2.0,
    live: Annotated[
        bool, typer.Option("--live", help="There is a real gateway or PBX at the other end.")
    ] = False,
    config: Annotated[
        Path | None,
        typer.Option(envvar="PMSGW_CONFIG", help="Whose maps the gateway uses; none: defaults."),
    ] = None,
    names: Annotated[bool, typer.Option("--names", help="Show guests.")] = False,
    encoding: EncodingOption = "cp1252",
    lrc: FoundLrcOption = None,
    as_json: JsonOption = False,
) -> None:
    """Play a capture again: to the decoder, through a whole gateway, or as a PMS on a line."""
    capture = _read(file, encoding, lrc)
    match to:
        case "decoder":
            _to_decoder(capture, names=names, as_json=as_json)
        case "gateway":
            settings = load_config(config) if config else None
            _to_gateway(capture, settings, names=names, as_json=as_json)
        case _:
            _as_pms(capture, to, speed=speed, listen_s=listen_s, live=live, names=names)


def _read(file: str, encoding: str, lrc: bool | None) -> "Capture":
    from gateway.scope.sources import UnreadableSource, read

    charset = charset_of(encoding)
    try:
        capture = read(bytes_of(file), charset, lrc=lrc)
    except UnreadableSource as error:
        raise ended(f"{file}: {error}", 1) from None
    for sentence in capture.left_out:
        talk(f"{file}: {sentence}")
    return capture


def _to_decoder(capture: "Capture", *, names: bool, as_json: bool) -> None:
    from gateway.clock import local_zone
    from gateway.scope.rows import rows_of
    from gateway.tools.tell import Teller

    rows = list(rows_of(capture.steps, capture.profile, names=names))
    charset = capture.profile.charset
    if as_json:
        print_json([row.as_json(charset) for row in rows])
    else:
        teller = Teller(local_zone(), charset, colour=sys.stdout.isatty(), hexa=False)
        for row in rows:
            for text in teller.tell(row):
                say(text)
    raise typer.Exit(0 if rows else 1)


def _to_gateway(capture: "Capture", config: "Config | None", *, names: bool, as_json: bool) -> None:
    from gateway import logs
    from gateway.tools.replay import Outcome, through_gateway

    logs.set_up(quiet=True)
    outcomes: list[Outcome] = []

    async def play(folder: Path) -> None:
        async for outcome in through_gateway(
            capture.steps, capture.profile, folder, config=config, names=names
        ):
            outcomes.append(outcome)
            if not as_json:
                say(outcome.record)
                for call in outcome.calls or ("nothing: remembered, or without effect",):
                    say(f"    {call}")
                if outcome.left:
                    say(f"    parked or waiting: {outcome.left}")

    with tempfile.TemporaryDirectory(prefix="pms-gateway-") as folder:
        asyncio.run(play(Path(folder)))
    if as_json:
        print_json([asdict(outcome) for outcome in outcomes])
    talk(f"{len(outcomes)} records, {sum(len(each.calls) for each in outcomes)} calls")
    raise typer.Exit(0 if outcomes and not outcomes[-1].left else 1)


def _as_pms(
    capture: "Capture", to: str, *, speed: float, listen_s: float, live: bool, names: bool
) -> None:
    from gateway.clock import local_zone
    from gateway.line import Opener, opener_for, parse_line
    from gateway.simulators.cable import PtyOpener
    from gateway.tools.replay import as_pms
    from protocols.transcript import Spoken, show_step

    opener: Opener
    if to == "pty":
        opener = PtyOpener()
        talk(f"the gateway's line: serial:{opener.describe()},9600,8n1; Enter begins")
        sys.stdin.readline()
    else:
        try:
            spec = parse_line(to)
        except ValueError as error:
            sentence = f"--to {to!r}: expected decoder, gateway, pty, or a line: {error}"
            raise ended(sentence) from None
        if not live and not _is_lab(spec):
            sentence = "whatever is at the other end will believe it; say --live if it shall"
            raise ended(f"{to}: {sentence}")
        opener = opener_for(spec)
    zone, profile = local_zone(), capture.profile

    def show(step: "Step") -> None:
        if isinstance(step, Spoken) and not names:
            data = profile.masked(step.data)
            step = Spoken(step.from_pms, data, at=step.at)
        say(show_step(step, zone, profile.charset, short=True))

    playing = as_pms(
        capture.steps, profile, opener, speed=speed, listen_s=listen_s, zone=zone, show=show
    )
    with declinable(), contextlib.suppress(KeyboardInterrupt):  # the usual way to stop it
        asyncio.run(playing)


def _is_lab(spec: "LineSpec") -> bool:
    """A pseudo-terminal, or this machine: nobody lives there who was not asked."""
    from gateway.line import SerialSpec, is_loopback

    if isinstance(spec, SerialSpec):
        return os.path.realpath(spec.path).startswith("/dev/pts/")
    return is_loopback(spec.host)
