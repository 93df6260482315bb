"""The listeners of the service: the console with the metrics, the commands, and the scraper."""

import errno
import os

from gateway.config import Config
from gateway.metrics import Metrics
from gateway.web import control, scrape
from gateway.web.console.app import Console
from gateway.web.gauges import Gauges
from gateway.web.http import HttpServer, Status, application, bind


def listen(
    config: Config, metrics: Metrics, gauges: Gauges, status: Status, console: Console
) -> tuple[HttpServer, ...]:
    """All of them, bound. Raises OSError with a sentence that names the key or the file."""
    refresh, data_dir = gauges.refresh, gauges.data_dir
    try:
        pages = application(metrics, refresh, status, console.routes())
        http = HttpServer(pages, bind(config.http.listen))
    except OSError as error:
        raise OSError(f"http.listen = {config.http.listen!r}: {_why(error)}") from error
    try:
        desk = HttpServer(control.application(console.control), control.listen(data_dir))
    except OSError as error:
        raise OSError(f"{data_dir / control.SOCKET_NAME}: {_why(error)}") from error
    if config.scraped is None:
        return http, desk
    try:
        return http, desk, scrape.listen(config.scraped, metrics, refresh, status)
    except OSError as error:
        address = config.scraped.address
        raise OSError(f"http.metrics_listen = {address!r}: {_why(error)}") from error


def _why(error: OSError) -> str:
    """Without the address that Python adds in its own notation."""
    if error.errno == errno.EADDRINUSE:
        return "another program listens there: is the service running already?"
    return os.strerror(error.errno) if error.errno else str(error)
