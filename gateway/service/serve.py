"""From a configuration file to the running service."""

import asyncio
import os
import signal
import sys
from pathlib import Path


def serve(path: Path, *, verbose: bool = False) -> int:
    """Run until told to stop. Returns the exit code when it cannot start; its reasons to stderr."""
    # Before anything is open there is nothing to close: a stop during the start is a stop.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the file is read soon anyway
    from gateway import logs
    from gateway.config import ConfigError, load
    from gateway.service.app import StartFailed
    from gateway.service.daemon import run

    try:
        config = load(path)
    except ConfigError as error:
        sys.stderr.write("".join(f"{sentence}\n" for sentence in error.sentences))
        return 2
    logs.set_up(site=config.site.name, verbose=verbose)
    try:
        asyncio.run(run(config))
    except StartFailed as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0
