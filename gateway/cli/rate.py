"""What a call costs by the site's tariff."""

from datetime import datetime
from typing import Annotated

import typer

from gateway.cli.shared import (
    DEFAULT_PATH,
    ConfigOption,
    JsonOption,
    ended,
    group,
    load_config,
    print_json,
    say,
)
from gateway.logs import printable

rate_app = group("The tariff of calls.")


@rate_app.command("try")
def rate_try(
    number: Annotated[str, typer.Argument(help="As a guest dials it.", metavar="NUMBER")],
    at: Annotated[
        datetime | None, typer.Option(help="When the call begins, in hotel time; default: now.")
    ] = None,
    seconds: Annotated[int, typer.Option("--for", min=0, help="How long they talk.")] = 60,
    trunk: Annotated[str, typer.Option(help="Over this trunk of the UCM.")] = "",
    config: ConfigOption = DEFAULT_PATH,
    as_json: JsonOption = False,
) -> None:
    """Which row of the tariff a call falls under, its units and the sum; exit 1 if none fits."""
    from gateway.tools.rate import NoTariff, tried

    loaded = load_config(config)
    try:
        told = tried(loaded, number, at, seconds, trunk)
    except NoTariff as error:
        raise ended(str(error)) from None
    if as_json:
        print_json(told)
    else:
        say(printable(f"number  {told['number']} ({told['kind']})"))
        say(printable(f"row     {told['row'] or '-'}"))
        say(f"units   {told['units']}")
        say(f"sum     {told['sum'] or 'none: the call would be parked as no_rate'}")
        say(printable(f"why     {told['why']}"))
    if told["amount"] is None:
        raise typer.Exit(1)
