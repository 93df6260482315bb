"""What all commands share: the ways to speak, and the configuration."""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from gateway.config import Config
    from gateway.line import LineSpec
    from gateway.scope.profile import LineProfile

DEFAULT_PATH = Path("/etc/pms-gateway/gateway.toml")

ConfigOption = Annotated[
    Path,
    typer.Option("--config", envvar="PMSGW_CONFIG", help="The configuration file.", metavar="FILE"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
EncodingOption = Annotated[str, typer.Option(help="The code page of the line.")]
ProtocolOption = Annotated[str, typer.Option(help="What is spoken: fias, mitel, ...")]
LrcOption = Annotated[bool | None, typer.Option("--lrc/--no-lrc", help="Check bytes.")]
AckOption = Annotated[bool | None, typer.Option("--ack/--no-ack", help="Answers.")]
FoundLrcOption = Annotated[
    bool | None, typer.Option("--lrc/--no-lrc", help="Check bytes; default: found out.")
]


def group(text: str) -> typer.Typer:
    """A noun with verbs behind it."""
    return typer.Typer(
        help=text,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def say(text: str) -> None:
    """Data, to stdout. Raises BrokenPipeError when its reader has closed it."""
    try:
        typer.echo(text)
    except BrokenPipeError:
        # Python would complain once more at the exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


def painted(text: str, *, good: bool) -> str:
    """Green or red on a terminal; what is no terminal gets no colours from `say`."""
    return typer.style(text, fg="green" if good else "red", bold=not good)


def talk(text: str) -> None:
    """Anything else, to stderr."""
    typer.echo(text, err=True)


def print_json(value: Any) -> None:
    """One JSON document."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def ended(sentence: str, code: int = 2) -> typer.Exit:
    """The end of a command that cannot go on, to be raised; the sentence is told."""
    talk(sentence)
    return typer.Exit(code)


@contextmanager
def declinable() -> Iterator[None]:
    """What the service declines, or a line that fails, is a sentence and exit code 1."""
    from gateway.line import LineFailed
    from gateway.web.control import Declined

    try:
        yield
    except (Declined, LineFailed) as error:
        raise ended(str(error), 1) from None


def charset_of(encoding: str) -> str:
    """The code page that --encoding names, or a sentence and exit code 2."""
    from protocols.fias import CHARSETS, known_charset

    charset = known_charset(encoding)
    if charset is None:
        raise ended(f"--encoding = {encoding!r}: expected one of {', '.join(CHARSETS)}")
    return charset


def profile_of(
    specs: "Sequence[LineSpec]",
    *,
    protocol: str,
    lrc: bool | None,
    ack: bool | None,
    encoding: str,
) -> "LineProfile":
    """How a line is spoken, where nothing is said as a site would have it. Or a sentence and exit
    code 2.
    """
    from gateway.line import SerialSpec
    from gateway.scope.profile import LineProfile
    from protocols.dialects import DIALECTS, settled

    if protocol not in DIALECTS:
        raise ended(f"--protocol = {protocol!r}: expected one of {', '.join(DIALECTS)}")
    is_serial = isinstance(specs[0], SerialSpec)
    has_lrc, is_answered = settled(DIALECTS[protocol], lrc=lrc, ack=ack, is_serial=is_serial)
    return LineProfile(
        " and ".join(map(str, specs)), has_lrc, is_answered, charset_of(encoding), protocol
    )


def bytes_of(file: str) -> bytes:
    """A file, or '-': stdin; not much more than `sources.read` takes. Or a sentence and exit
    code 2."""
    from gateway.scope.sources import MAX_BYTES

    try:
        if file == "-":
            return sys.stdin.buffer.read(MAX_BYTES + 1)
        with Path(file).open("rb") as opened:
            return opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise ended(f"{file}: {error.strerror}") from None


def records_of(script: Path) -> list[str]:
    """The records of a script, one a line. Raises OSError or ValueError."""
    lines = script.read_text(encoding="utf-8").splitlines()
    return [each for each in lines if each.strip() and not each.startswith("#")]


def load_config(path: Path, *, needs_pin: bool = True) -> "Config":
    """The configuration, or all its mistakes and exit code 2. `needs_pin`: see `load`."""
    from gateway.config import ConfigError, load

    try:
        return load(path, needs_pin=needs_pin)
    except ConfigError as error:
        raise ended("\n".join(error.sentences)) from None
