"""Hex dumps: what xxd, hexdump, socat and serial monitors print of a line."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import Final

from gateway.scope.pastes import Found
from protocols.fias.records import RECORDS, Sender
from protocols.transcript import Spoken, Step

_Row = tuple[str, bytes]  # who said it, as the dump tells it ("": it does not); the bytes
_HEX: Final = r"(?:\\x|0x)?[0-9A-Fa-f]{2}"
_PAIRS: Final = re.compile(rf"{_HEX}(?:(?:[ ,;:\t-]{{1,3}}|(?=\\x)){_HEX})*+[ ,;]*")
_PAIR: Final = re.compile(r"(?:\\x|0x)?([0-9A-Fa-f]{2})")
_SOLID: Final = re.compile(r"(?:02|05|06|15)(?:[0-9A-Fa-f]{2})*+")
_LABEL: Final = re.compile(r"(RX|TX|IN|OUT|<+|>+|<-+|-+>)(?::[ \t]*|[ \t]+)", re.IGNORECASE)
_FROM_US: Final = ("T", "O", "<")  # until the records say otherwise: see `directed`
_BUFFER: Final = re.compile(r"<Buffer ([0-9a-f ]*)>")  # as Node.js prints bytes
_XXD: Final = re.compile(r"[0-9A-Fa-f]{6,16}: ")
_HEXDUMP: Final = re.compile(r"[0-9A-Fa-f]{7,16}(?:  |$)")
_SOCAT: Final = re.compile(
    r"(?P<way>[<>]) (?P<day>\d{4}/\d\d/\d\d) (?P<time>\d\d:\d\d:\d\d)(?P<fraction>\.\d{1,9})?"
    r" {1,2}length=(?P<length>\d{1,9}) from="
)
_SOCAT_BYTES: Final = re.compile(r"(?: [0-9A-Fa-f]{2})++(?=  |\s*$)")
_REPEATED: Final = "'*' stands for rows that this dump leaves out: dump again with all (hexdump -v)"


# --- xxd, hexdump, pairs of digits -----------------------------------------------------------


def read_dump(text: str, _charset: str) -> Found | None:
    """A dump of bytes; None if one of its lines is anything else."""
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1)]
    lines = [(number, line) for number, line in lines if line and line[0] != "#"]
    row_of = next((each for each in _ROWS if lines and each(lines[0][1]) is not None), None)
    if row_of is None:
        return None
    found, rows = Found([]), []
    for number, line in lines:
        row = row_of(line)
        if line == "*":
            found.left_out.append(f"line {number}: {_REPEATED}")
        elif row is None:
            return None
        else:
            rows.append(row)
    found.steps = list(_joined(rows))
    found.has_directions = any(speaker for speaker, _ in rows)
    return directed(found) if found.has_directions else found


def _joined(rows: list[_Row]) -> list[Step]:
    """What one side said in a row is one step: a frame goes over many rows."""
    return [
        Spoken(not from_us, b"".join(data for _, data in said))
        for from_us, said in groupby(rows, lambda row: row[0].startswith(_FROM_US))
    ]


def _xxd(line: str) -> _Row | None:
    """`00000000: 0247 497c 524e 3130 317c 03  .GI|RN101|.`"""
    start = _XXD.match(line)
    return _bytes(line[start.end() :].split("  ", 1)[0]) if start else None


def _hexdump(line: str) -> _Row | None:
    """`00000000  02 47 49 7c 52 4e 31 30  31 7c 03  |.GI|RN101|.|`; the last row is an offset."""
    start = _HEXDUMP.match(line)
    return _bytes(line[start.end() :].split("|", 1)[0]) if start else None


def _bytes(pairs: str) -> _Row | None:
    try:
        return "", bytes.fromhex(pairs)
    except ValueError:
        return None


def _pairs(line: str) -> _Row | None:
    """`02 47 49`, `0x02,0x47`, `\\x02\\x47`, `024749`; with `RX`, `TX` or an arrow before it."""
    label = _LABEL.match(line)
    speaker = label[1].upper().replace("-", "") if label else ""
    digits = _BUFFER.sub(r"\1", line[label.end() :] if label else line)
    if _SOLID.fullmatch(digits):
        return speaker, bytes.fromhex(digits)
    if _PAIRS.fullmatch(digits):
        return speaker, bytes.fromhex("".join(_PAIR.findall(digits)))
    return None


_ROWS: Final[tuple[Callable[[str], _Row | None], ...]] = (_xxd, _pairs, _hexdump)


# --- socat -x --------------------------------------------------------------------------------


def read_socat(text: str, _charset: str) -> Found | None:
    """`socat -x` or `-x -v`; None if it has no row of hex.

    Its moments are the local time of its machine, which it does not name: taken as they stand.
    """
    found = Found([], has_directions=True)
    heads: list[tuple[int, re.Match[str], bytearray]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if head := _SOCAT.match(line):
            heads.append((number, head, bytearray()))
        elif heads and (row := _SOCAT_BYTES.match(line)):
            heads[-1][2].extend(bytes.fromhex(row[0]))
    for number, head, data in heads:
        due = int(head["length"])
        if len(data) < due:
            found.left_out.append(
                f"line {number}: {due} bytes are told and {len(data)} found: run socat with -x"
            )
        if data:
            found.steps.append(Spoken(head["way"] == ">", bytes(data[:due]), at=_moment(head)))
    return directed(found) if found.steps else None


def _moment(head: re.Match[str]) -> float | None:
    day, fraction = head["day"].replace("/", "-"), float(head["fraction"] or 0)
    try:
        return datetime.fromisoformat(f"{day}T{head['time']}+00:00").timestamp() + fraction
    except ValueError:
        return None


# --- Who is who ------------------------------------------------------------------------------


def directed(found: Found) -> Found:
    """A tap knows its two sides and not which of them is the PMS: its records tell."""
    sides = {
        side: b"".join(
            each.data[:_TOLD_BYTES]
            for each in found.steps
            if isinstance(each, Spoken) and each.from_pms is side
        )
        for side in (True, False)
    }
    if _likeness(sides[False]) > _likeness(sides[True]):
        found.steps = [
            replace(each, from_pms=not each.from_pms) if isinstance(each, Spoken) else each
            for each in found.steps
        ]
    return found


_TOLD_BYTES: Final = 16
"""Enough for the begin of a record, where its name is."""


def _likeness(said: bytes) -> int:
    """Records that only a PMS says, less those that only its interface says."""
    senders = [RECORDS[each.decode()].sender for each in _RECORD.findall(said)]
    return senders.count(Sender.PMS) - senders.count(Sender.GATEWAY)


_RECORD: Final = re.compile(rb"\x02(%b)\|" % "|".join(RECORDS).encode())
