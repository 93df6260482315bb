"""`line listen`, `line capture`, `line remark`: a line as it is spoken."""

import asyncio
import json
import signal
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.bench import line_app
from gateway.cli.shared import (
    DEFAULT_PATH,
    AckOption,
    ConfigOption,
    EncodingOption,
    JsonOption,
    LrcOption,
    ProtocolOption,
    declinable,
    ended,
    load_config,
    profile_of,
    say,
    talk,
)

if TYPE_CHECKING:
    from gateway.tools.watch import Source
    from protocols.transcript import Step

LineArgument = Annotated[
    str | None,
    typer.Argument(
        help="serial:…, tcp:… or listen:… to open and only hear; none: the running service's line"
        " of the guests; charges: its line of the charges.",
        metavar="[LINE]",
    ),
]
TapOption = Annotated[
    tuple[str, str] | None,
    typer.Option(help="Two ports in somebody else's cable: what the PMS says, what the PBX says."),
]
NamesOption = Annotated[bool, typer.Option("--names", help="Show guests; else they are masked.")]
ForOption = Annotated[float | None, typer.Option("--for", min=0, help="Seconds, then stop.")]


@line_app.command("listen")
def line_listen(
    line: LineArgument = None,
    tap: TapOption = None,
    config: ConfigOption = DEFAULT_PATH,
    history: Annotated[float, typer.Option(min=0, help="Begin so many seconds ago.")] = 60.0,
    seconds: ForOption = None,
    hexa: Annotated[bool, typer.Option("--hex", help="The bytes below each row.")] = False,
    names: NamesOption = False,
    protocol: ProtocolOption = "fias",
    lrc: LrcOption = None,
    ack: AckOption = None,
    encoding: EncodingOption = "cp1252",
    as_json: JsonOption = False,
) -> None:
    """A line as it is spoken: a frame, its answer, how long that took, what it means.

    What you type becomes a comment in the capture. --json gives one document a row.
    """
    from gateway.scope.rows import Row, Watcher
    from gateway.tools.tell import Teller

    source = _source(line, tap, config, protocol=protocol, lrc=lrc, ack=ack, encoding=encoding)
    watcher = Watcher(source.profile, names=names)
    teller = Teller(
        source.zone, source.profile.charset, colour=sys.stdout.isatty() and not as_json, hexa=hexa
    )

    def show(rows: list[Row]) -> None:
        for row in rows:
            if as_json:
                say(json.dumps(row.as_json(source.profile.charset), ensure_ascii=False))
            else:
                for text in teller.tell(row):
                    say(text)

    def take(step: "Step") -> None:
        show(watcher.take(step))

    if not source.is_live:
        talk("no service runs: this is what it kept of its line")
    _run(source, take, is_live=source.is_live, history=history, seconds=seconds,
         each_second=lambda: show(watcher.late(source.now())))  # fmt: skip
    show(list(watcher.end()))


@line_app.command("capture")
def line_capture(
    line: LineArgument = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file; none: stdout.")
    ] = None,
    tap: TapOption = None,
    config: ConfigOption = DEFAULT_PATH,
    history: Annotated[
        float, typer.Option(min=0, help="Begin so many seconds ago; default: all that was kept.")
    ] = 10 * 365 * 86400.0,
    seconds: ForOption = None,
    live: Annotated[bool, typer.Option("--live", help="Go on until Ctrl-C or --stop-on.")] = False,
    start_on: Annotated[
        str | None, typer.Option(help="nak, timeout, lrc, noise, errors, close or text:WORDS.")
    ] = None,
    stop_on: Annotated[str | None, typer.Option(help="The same words.")] = None,
    before: Annotated[float, typer.Option(help="Seconds before the start that belong to it.")] = 30,
    after: Annotated[float, typer.Option(help="Seconds behind the stop that belong to it.")] = 5,
    names: NamesOption = False,
    form: Annotated[
        str, typer.Option("--format", help="line, jsonl or pcapng; default: by the file's name.")
    ] = "",
    protocol: ProtocolOption = "fias",
    lrc: LrcOption = None,
    ack: AckOption = None,
    encoding: EncodingOption = "cp1252",
) -> None:
    """A file that shows what was said: of what the service kept, or from now on.

    What you type becomes a comment in it. Guests are masked unless you ask for them.
    """
    from gateway.metrics import CHARGES, GUESTS
    from gateway.scope.triggers import Gate, condition
    from gateway.tools.capture_file import CaptureFile

    try:
        start, stop = (condition(each) if each else None for each in (start_on, stop_on))
        form = _format(form, output)
    except ValueError as error:
        raise ended(str(error)) from None
    source = _source(line, tap, config, protocol=protocol, lrc=lrc, ack=ack, encoding=encoding)
    is_ours = line in (None, GUESTS, CHARGES) and not tap  # what the service has kept has an end
    goes_on = live or seconds is not None or not is_ours
    if goes_on and not source.is_live:
        sentence = "no service runs, so nothing will come: start it, or leave --live and --for out"
        raise ended(sentence, 1)
    file = CaptureFile(output, form, source.profile, source.zone, names=names)
    try:
        file.open()
    except OSError as error:
        raise ended(f"{output}: {error.strerror}") from None
    gate = Gate(source.profile, start, stop, before_s=before, after_s=after)

    def take(steps: "Iterable[Step]") -> None:
        file.steps.extend(steps)
        if gate.is_over:
            source.enough.set()

    def look() -> None:
        take(gate.tick(source.now()))
        file.save_now_and_then()

    try:
        _run(source, lambda step: take(gate.take(step)), is_live=goes_on, history=history,
             seconds=seconds, each_second=look)  # fmt: skip
    finally:
        file.save()
        talk(f"{len(file.steps)} lines" + (f" in {output}" if output else ""))
    raise typer.Exit(0 if file.steps else 1)


@line_app.command("remark")
def line_remark(
    words: Annotated[list[str], typer.Argument(help="What is to be found in the capture.")],
    config: ConfigOption = DEFAULT_PATH,
) -> None:
    """Write a comment into the capture of the running service, at this moment."""
    from gateway.tools import watch

    with declinable():
        asyncio.run(watch.remark(load_config(config), " ".join(words)))


def _source(
    line: str | None,
    tap: tuple[str, str] | None,
    config: Path,
    *,
    protocol: str,
    lrc: bool | None,
    ack: bool | None,
    encoding: str,
) -> "Source":
    """What the arguments name, or a sentence and exit code 2."""
    from gateway.clock import local_zone
    from gateway.line import parse_line
    from gateway.metrics import CHARGES, GUESTS
    from gateway.tools.watch import Source

    if line and tap:
        raise ended("either a line or --tap: a tap names its two ports itself")
    if not tap and (line is None or line in (GUESTS, CHARGES)):
        with declinable():
            return Source.of_config(load_config(config), line or GUESTS)
    try:
        names = [each if ":" in each else f"serial:{each}" for each in tap or (line or "",)]
        specs = [parse_line(each) for each in names]
    except ValueError as error:
        raise ended(str(error)) from None
    profile = profile_of(specs, protocol=protocol, lrc=lrc, ack=ack, encoding=encoding)
    return Source.of_lines(profile, local_zone(), specs)


def _run(
    source: "Source",
    take: "Callable[[Step], None]",
    *,
    is_live: bool,
    history: float,
    seconds: float | None,
    each_second: Callable[[], None],
) -> None:
    """Look at what comes until it is over, or at what was kept. Ctrl-C is the usual end, a failure
    is a sentence and exit code 1."""
    # A job in the background inherits a SIGINT that is ignored, and a closed window sends SIGHUP:
    # all of them end it as Ctrl-C does.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for each in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        with declinable():
            if is_live:
                asyncio.run(
                    source.run(
                        take,
                        history_s=history,
                        seconds=seconds,
                        each_second=each_second,
                        tell=talk,
                    )
                )
            else:
                for step in source.kept(history):
                    take(step)
    except (KeyboardInterrupt, BrokenPipeError):
        pass  # the usual ways to stop looking


def _format(form: str, output: Path | None) -> str:
    """The format that is named, or that the file's name has. Raises ValueError."""
    from gateway.scope.export import FORMS

    form = form or (output.suffix.removeprefix(".") if output else "") or "line"
    if form not in FORMS:
        raise ValueError(f"--format {form!r}: expected line, jsonl or pcapng")
    return form
