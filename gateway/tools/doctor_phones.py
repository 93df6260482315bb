"""What `doctor` tries of the phones in the rooms."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from gateway.config import Config
from gateway.drivers.gxv import PhoneFailed
from gateway.service.parts import phone
from gateway.tools.running import ask
from gateway.web.control import Declined


@dataclass(frozen=True, slots=True)
class Tried:
    """One phone that was tried. `words`: what it is, or what to do."""

    room: str
    ok: bool
    words: str


async def tried(config: Config, at_once: int = 4) -> AsyncIterator[Tried]:
    """Each phone of the site, asked what it is: nothing is changed. One that has refused the login
    of the service is not tried: it would lock itself.
    """
    slots = asyncio.Semaphore(at_once)
    try:
        known = await ask(config, "GET", "/phones")
    except Declined:  # no service runs, or it has other things to do
        known = []
    refused = {each["room"]: each["trouble"] for each in known if each["is_refused"]}

    async def one(site: Any) -> Tried:
        if site.room in refused:
            return Tried(site.room, False, f"{site.address}: not tried: {refused[site.room]}")
        async with slots:
            asked = phone(config, site)
            try:
                accounts = await asked.accounts()
                what = await asked.identity()
            except PhoneFailed as failed:
                return Tried(site.room, False, f"{site.address}: {failed}")
            finally:
                await asked.close()
        registered = any(each.is_registered for each in accounts)
        words = f"{site.address}: {what.model or 'a phone'} {what.firmware}".rstrip()
        return Tried(
            site.room, registered, words + (", registered" if registered else ", not registered")
        )

    for each in await asyncio.gather(*(one(site) for site in config.sets)):
        yield each
