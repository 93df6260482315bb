"""The UCM's minibars: what can be taken (`listMiniBarGoods`), and what was taken in a room
(`getPMSRoomGoods`). Pure.

Source: UCM HTTPS API; the guide prints the list of goods under `goods_name`, the UCM's own pages
read `minibar_goods`. What a room has taken is a state without numbers or moments, by name.
"""

from typing import Any, Final

from gateway.drivers.legs import Taken
from gateway.drivers.ucm.replies import Reply, text_of

GOODS: Final = "listMiniBarGoods"
TAKEN: Final = "getPMSRoomGoods"
PRICE: Final = "amount"


def pages_of(reply: Reply) -> int:
    """How many pages there are."""
    pages = text_of(reply.response.get("total_page"))
    return int(pages) if pages.isdecimal() and len(pages) <= 3 else 1


def has_list(reply: Reply) -> bool:
    """Whether it is a list at all: without one nothing is known, and not that nothing was taken."""
    return any(isinstance(reply.response.get(name), list) for name in _LISTS)


_LISTS: Final = ("minibar_goods", "goods_name")


def goods_of(reply: Reply) -> dict[str, str]:
    """The code of each article, by its name."""
    return {
        name: text_of(row.get("extension"))
        for row in _rows(reply, "goods_name", "minibar_goods")
        if (name := _text(row, "goods_name"))
    }


def taken_of(reply: Reply) -> list[Taken]:
    """What was taken, a row an article; the same article may stand in several."""
    return [
        Taken(name=name, count=_count(row), price=text_of(row.get(PRICE)))
        for row in _rows(reply, "minibar_goods", "goods_name")
        if (name := _text(row, "goods_name"))
    ]


def _rows(reply: Reply, *names: str) -> list[dict[str, Any]]:
    found: Any = next((rows for name in names if (rows := reply.response.get(name))), [])
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def _text(row: dict[str, Any], name: str) -> str:
    return text_of(row.get(name)).encode(errors="replace").decode()


def _count(row: dict[str, Any]) -> int:
    text = text_of(row.get("count")).split(".")[0]
    return int(text) if text.isdecimal() and len(text) <= 4 else 0
