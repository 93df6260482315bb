"""`line listen`, `line capture`, `line remark`: a line as it is spoken."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.bench import line_app
from gateway.cli.shared import DEFAULT_PATH, ConfigOption, JsonOption, load_config, say, talk

if TYPE_CHECKING:
    from gateway.tools.watch import Source
    from protocols.transcript import Step

LineArgument = Annotated[
    str | None,
    typer.Argument(
        help="serial:…, tcp:… or listen:… to open and only hear; none: the running service's line.",
        metavar="[LINE]",
    ),
]
TapOption = Annotated[
    tuple[str, str] | None,
    typer.Option(help="Two ports in somebody else's cable: what the PMS says, what the PBX says."),
]
NamesOption = Annotated[bool, typer.Option("--names", help="Show guests; else they are masked.")]
ForOption = Annotated[float | None, typer.Option("--for", min=0, help="Seconds, then stop.")]
LrcOption = Annotated[bool | None, typer.Option("--lrc/--no-lrc", help="Check bytes.")]
AckOption = Annotated[bool | None, typer.Option("--ack/--no-ack", help="Answers.")]
EncodingOption = Annotated[str, typer.Option(help="The code page of the line.")]


@line_app.command("listen")
def line_listen(
    line: LineArgument = None,
    tap: TapOption = None,
    config: ConfigOption = DEFAULT_PATH,
    history: Annotated[float, typer.Option(min=0, help="Begin so many seconds ago.")] = 60.0,
    seconds: ForOption = None,
    hexa: Annotated[bool, typer.Option("--hex", help="The bytes below each row.")] = False,
    names: NamesOption = False,
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

    source = _source(line, tap, config, lrc=lrc, ack=ack, encoding=encoding)
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
    lrc: LrcOption = None,
    ack: AckOption = None,
    encoding: EncodingOption = "cp1252",
) -> None:
    """A file that shows what was said: of what the service kept, or from now on.

    What you type becomes a comment in it. Guests are masked unless you ask for them.
    """
    from gateway.scope.triggers import Gate, condition
    from gateway.tools.capture_file import CaptureFile

    try:
        start, stop = (condition(each) if each else None for each in (start_on, stop_on))
        form = _format(form, output)
    except ValueError as error:
        talk(str(error))
        raise typer.Exit(2) from None
    source = _source(line, tap, config, lrc=lrc, ack=ack, encoding=encoding)
    goes_on = live or seconds is not None or bool(line or tap)
    if goes_on and not source.is_live:
        talk("no service runs, so nothing will come: start it, or leave --live and --for out")
        raise typer.Exit(1)
    file = CaptureFile(output, form, source.profile, source.zone, names=names)
    try:
        file.open()
    except OSError as error:
        talk(f"{output}: {error.strerror}")
        raise typer.Exit(2) from None
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
    from gateway.control import Declined
    from gateway.tools import watch

    try:
        asyncio.run(watch.remark(load_config(config), " ".join(words)))
    except Declined as declined:
        talk(str(declined))
        raise typer.Exit(1) from None


def _source(
    line: str | None,
    tap: tuple[str, str] | None,
    config: Path,
    *,
    lrc: bool | None,
    ack: bool | None,
    encoding: str,
) -> "Source":
    """What the arguments name, or a sentence and exit code 2."""
    from gateway.clock import local_zone
    from gateway.line import SerialSpec, parse_line
    from gateway.scope.profile import LineProfile
    from gateway.tools.watch import Source
    from protocols.fias import CHARSETS, known_charset

    if line and tap:
        talk("either a line or --tap: a tap names its two ports itself")
        raise typer.Exit(2)
    if not (line or tap):
        return Source.of_config(load_config(config))
    charset = known_charset(encoding)
    try:
        names = [each if ":" in each else f"serial:{each}" for each in tap or (line or "",)]
        specs = [parse_line(each) for each in names]
        if charset is None:
            raise ValueError(f"--encoding = {encoding!r}: expected one of {', '.join(CHARSETS)}")
    except ValueError as error:
        talk(str(error))
        raise typer.Exit(2) from None
    serial = isinstance(specs[0], SerialSpec)
    profile = LineProfile(
        " and ".join(map(str, specs)),
        lrc=serial if lrc is None else lrc,
        ack=serial if ack is None else ack,
        charset=charset,
    )
    return Source.of_lines(profile, local_zone(), specs)


def _run(
    source: "Source",
    take: "Callable[[Step], None]",
    *,
    is_live: bool,
    history: float,
    seconds: float | None = None,
    each_second: Callable[[], None] = lambda: None,
) -> None:
    """Look at what comes until it is over, or at what was kept. Ctrl-C is the usual end, a failure
    is a sentence and exit code 1."""
    from gateway.control import Declined
    from gateway.line import LineFailed

    for each in (signal.SIGTERM, signal.SIGHUP):  # a closed window ends it as Ctrl-C does
        signal.signal(each, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
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
    except (Declined, LineFailed) as error:
        talk(str(error))
        raise typer.Exit(1) from None
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python would complain once more at the exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        pass  # the usual way to stop looking


def _format(form: str, output: Path | None) -> str:
    """The format that is named, or that the file's name has. Raises ValueError."""
    form = form or (output.suffix.removeprefix(".") if output else "") or "line"
    if form not in ("line", "jsonl", "pcapng"):
        raise ValueError(f"--format {form!r}: expected line, jsonl or pcapng")
    return form
