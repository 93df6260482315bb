"""The commands: arguments and printing, no decisions. Data on stdout, talk on stderr.

Exit codes: 0 done, 1 failed (or different), 2 wrong use or wrong configuration.
"""

from gateway.cli import captures, operator, service, watch  # noqa: F401  # two add to `line`
from gateway.cli.bench import simulate_app
from gateway.cli.phones import phones_app
from gateway.cli.postings import postings_app
from gateway.cli.rate import rate_app
from gateway.cli.shared import group
from gateway.cli.stores import pair, store_app
from gateway.cli.try_line import line_app

app = group("FIAS hotel systems (RS-232 or TCP) to the PMS API of a Grandstream UCM.")
app.callback(invoke_without_command=True)(service.main_options)
app.command()(service.demo)
app.command()(service.run)
app.command("check-config")(service.check_config)
app.command()(service.doctor)
app.add_typer(line_app, name="line")
app.add_typer(operator.outbox_app, name="outbox")
app.add_typer(postings_app, name="postings")
app.add_typer(rate_app, name="rate")
app.add_typer(phones_app, name="phones")
app.command()(operator.rooms)
app.command()(operator.resync)
app.add_typer(store_app, name="store")
app.command()(pair)
app.add_typer(simulate_app, name="simulate")
app.command("console-password")(service.console_password)
app.command()(service.completion)
app.command()(service.man)
app.command()(service.version)


def main() -> None:
    """The console command."""
    try:
        app(prog_name="pms-gateway")
    except* BrokenPipeError:
        pass  # the reader of the output has closed it
