"""The code page of a site: which ones may be chosen, and where the fields of a body are in them."""

import codecs
import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from protocols.fias.fields import FIELDS

CHARSETS: Final = (
    "cp1252", "cp850", "cp437", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256",
    "cp1257", "cp1258", "cp737", "cp775", "cp852", "cp855", "cp857", "cp858", "cp860", "cp862",
    "cp863", "cp865", "cp866", "cp874", "koi8-r", "iso-8859-1", "iso-8859-2", "iso-8859-5",
    "iso-8859-6", "iso-8859-7", "iso-8859-8", "iso-8859-9", "iso-8859-13", "iso-8859-15", "ascii",
    "utf-8", "gb18030", "cp950", "cp932", "cp949", "euc-jp",
)  # fmt: skip
"""Code pages that sites have; FIAS only says "the code page in use". See `known_charset`."""

_SUPERSETS: Final = {
    "shift_jis": "cp932", "big5": "cp950", "euc_kr": "cp949", "gb2312": "gb18030", "gbk": "gb18030",
    "tis-620": "cp874", "utf-8-sig": "utf-8",
}  # fmt: skip
"""National code pages by Python's name, and what Windows really writes where they are meant."""

_ASCII: Final = bytes(range(0x20, 0x7F))
_SHIFTS: Final = (b"\x1b$B", b"\x1b$)C\x0e", b"~{", b"+", b"\x0e")
"""With these a code page that has several sets begins another one, in which ASCII is not ASCII."""

_BAR: Final = 0x7C
_CONTROLS: Final = bytes([*range(0x01, 0x20), 0x7F])


def known_charset(name: str) -> str | None:
    """The code page that this name means, by one spelling; None for one that cannot be used: Python
    does not read it, or ASCII is not always ASCII in it.
    """
    try:
        found = codecs.lookup(name).name
        found = _SUPERSETS.get(found, found)
        has_ascii = all(bytes([byte]).decode(found) == chr(byte) for byte in _ASCII)
        shifts = any((each + b"A|").decode(found, "replace")[-2:] != "A|" for each in _SHIFTS)
    except (LookupError, ValueError, TypeError, AssertionError):
        return None
    if not has_ascii or shifts:
        return None
    return next((each for each in CHARSETS if codecs.lookup(each).name == found), found)


def readable(body: bytes, charset: str) -> tuple[bytes, str]:
    """A body in a code page in which 0x7C is always a bar, and that code page; without what means
    nothing in a value: control bytes, and whatever stands behind a NUL.

    Where 0x7C may be the second half of a character, it is a bar all the same when a known field id
    follows: a name that was cut in the middle of a character must not swallow the next field. Sites
    with cp932 and gbk showed it.
    """
    if not _may_hide_a_bar(charset):
        return b"|".join(map(_without_controls, body.split(b"|"))), charset
    texts = [_without_controls(part).decode(charset, "replace") for part in _parts(body, charset)]
    return b"|".join(text.replace("|", " ").encode() for text in texts), "utf-8"


def _without_controls(part: bytes) -> bytes:
    return part.partition(b"\0")[0].translate(None, _CONTROLS)


def _parts(body: bytes, charset: str) -> Iterator[bytes]:
    start = 0
    for at in re.finditer(rb"\|", body):
        bar = at.start()
        is_bar = body[bar + 1 : bar + 3].decode("latin-1") in FIELDS or bar == len(body) - 1
        if is_bar or not _is_half(body[start:bar], charset):
            yield body[start:bar]
            start = bar + 1
    yield body[start:]


def _is_half(text: bytes, charset: str) -> bool:
    """Whether a 0x7C behind this text would be the second half of its last character."""
    decoder = codecs.getincrementaldecoder(charset)("replace")
    decoder.decode(text)
    begun = decoder.getstate()[0]
    return bool(begun) and _is_one(begun + b"|", charset)


@cache
def _may_hide_a_bar(charset: str) -> bool:
    return any(_is_one(bytes([lead, _BAR]), charset) for lead in range(0x80, 0x100))


def _is_one(pair: bytes, charset: str) -> bool:
    try:
        return len(pair.decode(charset)) == 1
    except UnicodeDecodeError:
        return False
