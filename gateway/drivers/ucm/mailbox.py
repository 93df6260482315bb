"""The UCM's list of extensions (`listAccount`), for the messages in their mailboxes. Pure.

Source: UCM HTTPS API, listAccount: `newmsg`, `oldmsg`, `urgemsg`; the guide's table has `newms` and
`urgmsg` too, so both spellings are read.
"""

from typing import Any, Final

from gateway.drivers.legs import Mailbox
from gateway.drivers.ucm.replies import Reply, text_of

PAGE: Final = 200


def request(page: int) -> dict[str, str]:
    """The parameters for one page, which begin with 1."""
    return {
        "options": "extension,newmsg,oldmsg,urgemsg",
        "item_num": str(PAGE),
        "page": str(page),
        "sidx": "extension",
        "sord": "asc",
    }


def page_of(reply: Reply) -> tuple[list[Mailbox], int]:
    """The mailboxes of a page, and how many pages there are."""
    rows = reply.response.get("account")
    boxes = [
        Mailbox(
            extension=text_of(row.get("extension")).encode(errors="replace").decode(),
            unread=_count(row, "newmsg", "newms") + _count(row, "urgemsg", "urgmsg"),
            read=_count(row, "oldmsg"),
        )
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, dict) and row.get("extension")
    ]
    pages = text_of(reply.response.get("total_page"))
    return boxes, int(pages) if pages.isdecimal() and len(pages) <= 3 else 1


def _count(row: dict[str, Any], *names: str) -> int:
    text = next((text for name in names if (text := text_of(row.get(name)))), "")
    return int(text) if text.isdecimal() and len(text) <= 6 else 0
