"""The service and what belongs to it: demo, run, check-config, doctor, version, manual."""

import asyncio
import sys
import tempfile
from collections.abc import Callable, Coroutine
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway import __version__
from gateway.cli import pages
from gateway.cli.shared import (
    DEFAULT_PATH,
    ConfigOption,
    JsonOption,
    ended,
    load_config,
    painted,
    print_json,
    say,
    talk,
)

if TYPE_CHECKING:
    from gateway.config import Config


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="One day, a summary, and exit 0 only if all agree.")
    ] = False,
    serial: Annotated[
        bool, typer.Option("--serial", help="A pseudo-terminal instead of TCP for the PMS.")
    ] = False,
    protocol: Annotated[str, typer.Option(help="What the PMS speaks: fias or mitel.")] = "fias",
    phones: Annotated[
        int, typer.Option(min=0, max=30, help="So many rooms have a phone with an address book.")
    ] = 0,
    verbose: Annotated[bool, typer.Option("--verbose", help="The gateway's own log too.")] = False,
) -> None:
    """A simulated PMS, a simulated UCM and the gateway between them play a hotel day."""
    from gateway import logs
    from gateway.demo import play, play_lodge
    from gateway.service.app import StartFailed

    plays: dict[str, Callable[..., Coroutine[Any, Any, bool]]]
    plays = {"fias": partial(play, phones=phones), "mitel": play_lodge}
    if protocol not in plays:
        raise ended(f"--protocol = {protocol!r}: expected {' or '.join(plays)}")
    if phones and protocol != "fias":
        raise ended("--phones: the demo has them with --protocol fias")
    logs.set_up(site="demo-hotel", quiet=not verbose)
    with tempfile.TemporaryDirectory(prefix="pms-gateway-demo-") as folder:
        try:
            ok = asyncio.run(plays[protocol](say, Path(folder), once=once, serial=serial))
        except StartFailed as error:
            raise ended(str(error), 1) from None
        except KeyboardInterrupt:
            raise typer.Exit(0) from None
    raise typer.Exit(0 if ok else 1)


def run(
    config: ConfigOption = DEFAULT_PATH,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log at debug level.")] = False,
) -> None:
    """The service. SIGTERM stops it in order, SIGHUP reads the file again; no peer ends it."""
    from gateway.service.serve import serve

    raise typer.Exit(serve(config, verbose=verbose))


def check_config(
    file: Annotated[
        Path | None, typer.Argument(help="The configuration file.", metavar="[FILE]")
    ] = None,
    config: ConfigOption = DEFAULT_PATH,
    as_json: JsonOption = False,
    *,
    context: typer.Context,
) -> None:
    """All mistakes of a configuration at once, one sentence each."""
    from gateway.config import ConfigError, load

    if file is not None and _was_typed(context, "config"):
        raise ended("FILE and --config FILE are the same: give one of them")
    file = file or config
    lacks: tuple[str, ...] = ()
    try:
        loaded = load(file)
        lacks = tuple(
            f"{line.protocol}: {each}" for line in loaded.lines for each in line.dialect.lacks
        )
        sentences, remarks = _of_database(loaded)
        lacks = (*lacks, *remarks)
    except ConfigError as error:
        sentences = error.sentences
    if as_json:
        told = {"file": str(file), "ok": not sentences, "mistakes": sentences}
        print_json({**told, "lacks": list(lacks)})
    else:
        for sentence in sentences or [f"{file}: ok", *lacks]:
            say(sentence)
    raise typer.Exit(2 if sentences else 0)


def _of_database(config: "Config") -> tuple[list[str], list[str]]:
    """What is wrong with the site's database, and what is only not known now."""
    from gateway.service.stores import is_file

    if is_file(config):
        return [], []
    from gateway.tools.stores import database_fits

    fits, why = database_fits(config)
    if fits is None:
        return [], [f"store.url: not tried to the end: {why}"]
    return ([] if fits else [f"{config.path}: store.url: {why}"]), []


def _was_typed(context: typer.Context, option: str) -> bool:
    source = context.get_parameter_source(option)
    return source is not None and source.name == "COMMANDLINE"


def doctor(config: ConfigOption = DEFAULT_PATH, as_json: JsonOption = False) -> None:
    """Try every part of the site for real, without changing it."""
    from gateway import logs
    from gateway.tools.doctor import Finding, examine

    logs.set_up(quiet=True)
    loaded = load_config(config, needs_pin=False)

    async def collect() -> list[Finding]:
        findings = []
        async for finding in examine(loaded):
            findings.append(finding)
            if not as_json:
                word = painted("ok    " if finding.ok else "FAILED", good=finding.ok)
                say(f"{word}  {finding.part:<12} {finding.words}")
        return findings

    findings = asyncio.run(collect())
    if as_json:
        print_json([{"part": f.part, "ok": f.ok, "words": f.words} for f in findings])
    raise typer.Exit(0 if all(finding.ok for finding in findings) else 1)


def console_password() -> None:
    """Ask for the console's password and print the line for the configuration."""
    import getpass

    from gateway.config.password_hash import hash_password

    if sys.stdin.isatty():
        first = getpass.getpass("Password for the console: ")
        if first != getpass.getpass("Again: "):
            raise ended("These are two passwords.", 1)
    else:
        first = sys.stdin.readline().rstrip("\r\n")
    if len(first) < 8:
        raise ended("A password has at least 8 characters.", 1)
    talk("Put this under [http], then `systemctl reload pms-gateway`:")
    say(f'password_hash = "{hash_password(first)}"')


def version() -> None:
    """The version of this program."""
    say(f"pms-gateway {__version__}")


def completion(context: typer.Context) -> None:
    """The completion for bash: `eval "$(pms-gateway completion)"`, there or in ~/.bashrc."""
    say(pages.completion(context.find_root().command).rstrip())


def man(context: typer.Context) -> None:
    """The manual page: `pms-gateway man | man -l -`."""
    say(pages.manual(context.find_root().command).rstrip())


def main_options(
    context: typer.Context,
    show_version: Annotated[
        bool, typer.Option("--version", help="The version of this program.")
    ] = False,
) -> None:
    """FIAS hotel systems (RS-232 or TCP) to the PMS API of a Grandstream UCM."""
    if show_version:
        version()
        raise typer.Exit(0)
    if context.invoked_subcommand is None:
        with redirect_stdout(sys.stderr):  # it is not what was asked for
            context.get_help()
        raise typer.Exit(2)
