"""The service as a process: signals, and what systemd is told."""

import asyncio
import os
import resource
import signal
from typing import Final

from gateway.app import Service
from gateway.config import Config, ConfigError, load
from gateway.logs import logger
from gateway.reload import change
from gateway.store import Store
from gateway.watchdog import STUCK_AFTER_S, Notifier, Task, Watchdog

REQUESTS_OF_A_TURN: Final = 12
"""Most requests one row can cost: asked, refused, logged in, listed, out, in, and each again."""


async def run(config: Config) -> None:
    """The service until SIGTERM or SIGINT; SIGHUP reads the file again. Raises StartFailed."""
    # A crash leaves no core file: it would hold the passwords and everybody in the house.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    service, notifier, stop = Service(config), Notifier(), asyncio.Event()

    def halt() -> None:
        notifier.tell("STOPPING=1", "STATUS=stopping")
        stop.set()

    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, halt)
    asked = asyncio.Event()
    loop.add_signal_handler(signal.SIGHUP, asked.set)
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


async def reload_when(asked: asyncio.Event, service: Service, notifier: Notifier) -> None:
    """Reload each time when asked; who asks meanwhile has changed the file once more."""
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
        logger().error("config_kept", do="mend the file and reload; the old one goes on")
    except Exception as error:  # noqa: BLE001  # half an update, no memory: no reason to end
        logger().error("config_refused", why=f"it could not be read ({type(error).__name__})")
        logger().error("config_kept", do="restart the service; until then the old one goes on")
    else:
        service.adopt(found.config)
        for key in found.restart:
            logger().warning("restart_needed", why=f"restart needed for {key}")
        logger().info("config_reloaded", taken=", ".join(found.taken) or "nothing")
    finally:
        notifier.tell("READY=1")


def watchdog(service: Service, notifier: Notifier) -> Watchdog:
    """Whoever looks whether the parts of a service still turn."""

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

    a_turn = STUCK_AFTER_S + REQUESTS_OF_A_TURN * service.config.ucm.timeout_s
    return Watchdog(
        notifier=notifier,
        clock=service.clock,
        tasks={
            "line": Task(lambda: service.pump.awake_by),
            "relay": Task(lambda: service.relay.awake_by, a_turn),
        },
        ask_disk=ask_disk,
        status=status,
    )
