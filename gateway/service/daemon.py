"""The service as a process: signals, and what systemd is told."""

import asyncio
import errno
import os
import resource
import signal
from typing import Any, Final

from gateway import __version__
from gateway.config import Config, ConfigError, load
from gateway.logs import logger
from gateway.metrics import GUESTS, StandbyMetrics
from gateway.service.app import Service, StartFailed
from gateway.service.pair import Standby
from gateway.service.reload import change
from gateway.service.stores import is_file
from gateway.service.watchdog import STUCK_AFTER_S, Notifier, Task, Watchdog
from gateway.store import StorageFailed, Store

KEPT: Final = "until then the old configuration stays in use"
TELL_AGAIN_S: Final = 60.0
REQUESTS_OF_A_TURN: Final = 12
"""Upper bound of HTTP requests in one turn of the relay: call, login, list, check-out, check-in,
each with a repeat, and two to spare.
"""


async def run(config: Config) -> None:
    """The service until SIGTERM or SIGINT; SIGHUP reads the file again. Raises StartFailed."""
    # A crash leaves no core file: it would hold the passwords and everybody in the house.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # A client that opens connections without end must not use up the files of line and store.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    notifier, stop = Notifier(), asyncio.Event()

    def halt() -> None:
        notifier.tell("STOPPING=1", "STATUS=stopping")
        stop.set()

    loop = asyncio.get_running_loop()
    loop.set_exception_handler(UnhandledErrors())
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, halt)
    asked = asyncio.Event()
    loop.add_signal_handler(signal.SIGHUP, asked.set)
    service = await _service(config, notifier, stop)
    if service is None:
        os._exit(0)
    async with asyncio.TaskGroup() as group:
        others = (
            group.create_task(watchdog(service, notifier).run()),
            group.create_task(reload_when(asked, service, notifier)),
        )
        await service.run(stop)  # its tasks exist when the watchdog gets its first turn
        for task in others:
            task.cancel()
    # Everything is closed. The interpreter's own end would wait for a name server that hangs in
    # some thread, longer than systemd waits for us.
    os._exit(0)


async def _service(config: Config, notifier: Notifier, stop: asyncio.Event) -> Service | None:
    """The service, once this gateway holds the house; None: told to stop. Raises StartFailed."""
    if is_file(config):
        return Service(config)
    notifier.tell("READY=1", "STATUS=waits for the house")
    alive = asyncio.ensure_future(_alive(notifier))
    try:
        metrics = StandbyMetrics(version=__version__, site=config.site.name)
        try:
            lease = await Standby(config, metrics).run(stop)
        except StorageFailed as failed:
            raise StartFailed(f"{failed}: {failed.do}") from failed
        except OSError as error:
            raise StartFailed(f"http.listen = {config.http.listen!r}: {error}") from error
        if lease is None:
            return None
        try:
            return Service(config, lease=lease)
        except BaseException:
            lease.release()
            raise
    finally:
        alive.cancel()


async def _alive(notifier: Notifier) -> None:
    """Signs of life of one that waits."""
    while True:
        notifier.tell("WATCHDOG=1")
        await asyncio.sleep(max(1.0, notifier.watchdog_s / 3))


class UnhandledErrors:
    """The event loop's handler of unhandled exceptions: one line of the log in the place of a
    traceback, at most once a minute for each kind.
    """

    def __init__(self) -> None:
        self._told_at: dict[str, float] = {}

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """As asyncio calls it."""
        error = context.get("exception")
        why = f"{context['message']} ({type(error).__name__})" if error else context["message"]
        if loop.time() - self._told_at.get(why, float("-inf")) < TELL_AGAIN_S:
            return
        self._told_at[why] = loop.time()
        if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
            do = "too many open connections: find the client with `ss -tnp` and block it"
            logger().error("too_many_connections", do=do)
        else:
            logger().error("unhandled_error", why=why, do="report it")
        logger().debug("unhandled_error", error=repr(error))


async def reload_when(asked: asyncio.Event, service: Service, notifier: Notifier) -> None:
    """Reload on each SIGHUP; one that comes during a reload causes another."""
    while True:
        await asked.wait()
        asked.clear()
        await reload(service, notifier)


async def reload(service: Service, notifier: Notifier) -> None:
    """Read the configuration again and take over what can be; what cannot is told."""
    notifier.reloading()
    try:
        path = service.config.path
        found = change(service.config, await asyncio.to_thread(load, path))
    except ConfigError as error:
        for sentence in error.sentences:
            logger().error("config_refused", why=sentence)
        logger().error("config_kept", do=f"correct the file and reload; {KEPT}")
    except Exception as error:  # noqa: BLE001  # half an update, no memory: keep running
        logger().error("config_refused", why=f"it could not be read ({type(error).__name__})")
        logger().error("config_kept", do=f"restart the service; {KEPT}")
    else:
        service.adopt(found.config)
        for key in found.restart:
            logger().warning("restart_needed", why=f"restart needed for {key}")
        logger().info("config_reloaded", taken=", ".join(found.taken) or "nothing")
    finally:
        notifier.tell("READY=1")


def watchdog(service: Service, notifier: Notifier) -> Watchdog:
    """The watchdog over the service's tasks."""

    async def ask_disk() -> None:
        await service.store(Store.writes)

    async def status() -> str:
        parts = await service.status()
        link, outbox, ucm = parts["link"], parts["outbox"], parts["ucm"]
        return (
            f"link {link['state']} on {link['line']}; "
            + (f"{outbox['waiting']} waiting, {outbox['parked']} parked; " if outbox["ok"] else "")
            + ("UCM answers" if ucm["ok"] else "UCM away")
            + ("" if outbox["ok"] else f"; {outbox['why']}")
        )

    a_turn = STUCK_AFTER_S + REQUESTS_OF_A_TURN * service.config.request_within_s
    return Watchdog(
        notifier=notifier,
        clock=service.clock,
        tasks={
            **_of_lines(service),
            "relay": Task(lambda: service.relay.awake_by, a_turn),
        },
        ask_disk=ask_disk,
        status=status,
    )


def _of_lines(service: Service) -> dict[str, Task]:
    """What turns for each line to the PMS."""
    back = service.back
    lanes = back.lanes.each if back is not None else ()
    pumping = {
        _of(name, "line"): Task(lambda pump=pump: pump.awake_by)  # type: ignore[misc]
        for name, pump in service.pumps.items()
    }
    posting = {
        _of(name, "postings"): Task(lambda lane=lane: lane.awake_by)  # type: ignore[misc]
        for name, lane in zip(service.pumps, lanes, strict=False)
    }
    return pumping | posting


def _of(name: str, part: str) -> str:
    return part if name == GUESTS else f"{part} of the {name}"
