"""The phones in the rooms, as an operator sees them, and what he does to one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Final

from starlette.requests import Request

from gateway.back.sending import NotPossible
from gateway.drivers.gxv import PhoneFailed
from gateway.logs import logger
from gateway.pipeline.phones import Phones, PhoneView
from gateway.pipeline.step import WAITING
from gateway.web.postings import Page

OFF: Final = "nobody looks after phones: [phones] file is not set"


def as_json(view: PhoneView, zone: tzinfo) -> dict[str, Any]:
    """One phone, for people."""
    return {
        "room": view.room,
        "address": view.address,
        "model": view.identity.model,
        "firmware": view.identity.firmware,
        "state": view.state,
        "is_there": view.is_there,
        "is_registered": view.is_registered,
        "is_refused": view.is_refused,
        "step": view.step,
        "trouble": view.trouble,
        "since": _since(view, zone),
    }


def _since(view: PhoneView, zone: tzinfo) -> str | None:
    if view.since is None:
        return None
    return datetime.fromtimestamp(view.since, zone).isoformat(timespec="seconds")


def in_outbox(
    phones: Sequence[dict[str, Any]], states: Sequence[str], room: str | None
) -> list[dict[str, Any]]:
    """Those that something is still to be done to, as lines of the outbox."""
    return [
        _line(told)
        for told in phones
        if told["step"] and room in (None, told["room"], f"phone {told['room']}")
        if WAITING in states
    ]


def _line(told: dict[str, Any]) -> dict[str, Any]:
    """A phone beside the rooms that wait for the UCM: see `views.view_as_json`."""
    return {
        "room": f"phone {told['room']}",
        "state": WAITING,
        "since": told["since"],
        "next_call": told["step"],
        "tries": 0,
        "due_at": None,
        "reason": told["trouble"],
        "guest": None,
        "reservation": None,
        "record": "",
        "do": f"it is tried for as long as it takes; at once: `phones retry {told['room']}`",
    }


@dataclass(frozen=True, slots=True)
class PhonesDesk:
    """The desk for phones inside the service. Methods raise NotPossible or StorageFailed.

    phones      None: this site has none
    """

    phones: Phones | None
    zone: tzinfo

    def views(self) -> list[PhoneView]:
        """All of them; none where the site has none."""
        return self.phones.views() if self.phones else []

    def in_outbox(self, states: Sequence[str], room: str | None) -> list[dict[str, Any]]:
        """Those that something is still to be done to, as lines of the outbox."""
        return in_outbox([as_json(view, self.zone) for view in self.views()], states, room)

    async def operate(self, room: str, deed: str, who: str) -> dict[str, Any]:
        """wipe, reboot or retry."""
        if self.phones is None:
            raise NotPossible(OFF)
        told: dict[str, Any] = {"room": room, "deed": deed}
        came_of = "failed"
        try:
            match deed:
                case "wipe":
                    told["contacts"] = await self.phones.wipe(room)
                case "reboot":
                    await self.phones.reboot(room)
                case "retry":
                    self.phones.retry(room)
                case _:
                    raise NotPossible(f"{deed!r} is none of wipe, reboot, retry")
            came_of = "done"
        except KeyError:
            raise NotPossible(f"room {room} has no phone in the file of [phones]") from None
        except PhoneFailed as failed:
            raise NotPossible(f"the phone of room {room}: {failed}") from None
        finally:
            logger().warning("phone_operated", room=room, deed=deed, by=who, came_of=came_of)
        return told


def pages(desk: PhonesDesk) -> list[Page]:
    """The desk over HTTP, for `gateway.web.control.application`."""

    async def listed(_: Request) -> Any:
        return [as_json(view, desk.zone) for view in desk.views()]

    async def operate(request: Request) -> Any:
        path = request.path_params
        who = request.query_params.get("who", "?")
        return await desk.operate(path["room"], path["deed"], who)

    return [("/phones", "GET", listed), ("/phones/{room:path}/{deed}", "POST", operate)]
