"""What all commands share: the ways to speak, and the configuration."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from gateway.config import Config

DEFAULT_PATH = Path("/etc/pms-gateway/gateway.toml")

ConfigOption = Annotated[
    Path,
    typer.Option("--config", envvar="PMSGW_CONFIG", help="The configuration file.", metavar="FILE"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


def group(text: str) -> typer.Typer:
    """A noun with verbs behind it."""
    return typer.Typer(
        help=text,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def say(text: str) -> None:
    """Data, to stdout."""
    typer.echo(text)


def talk(text: str) -> None:
    """Anything else, to stderr."""
    typer.echo(text, err=True)


def print_json(value: Any) -> None:
    """One JSON document."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def load_config(path: Path) -> "Config":
    """The configuration, or all its mistakes and exit code 2."""
    from gateway.config import ConfigError, load

    try:
        return load(path)
    except ConfigError as error:
        for sentence in error.sentences:
            talk(sentence)
        raise typer.Exit(2) from None
