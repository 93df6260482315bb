"""`line decode`: bytes or text from anywhere to records with their fields named."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from gateway.scope.decode import CONTROLS, Decoded, decode_body
from protocols.fias.framing import Blank, Control, Frame, FrameReader, Refusal
from protocols.transcript import parse_bytes, show_bytes

_PREFIX: Final = re.compile(r"^\s*+(?:(?=\S*\d)\S++\s++)?(pms>|gw >)\s?")
_NAMED: Final = re.compile(r"<(?:STX|ETX|ACK|NAK|ENQ|[0-9A-Fa-f]{2})>")


def decode_input(data: bytes, charset: str, *, lrc: bool | None = None) -> list[Decoded]:
    """Everything in a file, a paste or an argument.

    data    raw bytes of a line; text with control names, with or without `pms>`; or plain
            records, one a line
    lrc     whether a check byte follows ETX; None: found out from the bytes
    """
    if b"\x02" in data:
        return list(_frames(data, charset, lrc))
    found: list[Decoded] = []
    text = data.decode(charset, "replace")
    for line in text.splitlines():
        bare = _PREFIX.sub("", line).strip("\r\n")
        if not bare.strip() or bare.lstrip().startswith("#"):
            continue
        if bare.strip() in ("open", "close") or bare.startswith("now+"):
            continue
        if _NAMED.search(bare):
            try:
                found += _frames(parse_bytes(bare.strip(), charset), charset, lrc)
            except ValueError as error:
                found.append(Decoded("refused", "notation", str(error), raw=bare))
        else:
            found.append(decode_body(bare.strip().encode(charset, "replace"), charset))
    return found


def _frames(data: bytes, charset: str, lrc: bool | None) -> Iterator[Decoded]:
    if lrc is None:
        lrc = _has_lrc(data)
    reader = FrameReader(lrc=lrc, handshake=lrc)
    for item in (*reader.receive(data), *reader.gap()):
        match item:
            case Frame(body):
                yield decode_body(body, charset)
            case Control(signal):
                yield Decoded("control", signal.value.upper(), CONTROLS[signal.value])
            case Refusal(reason, evidence):
                yield Decoded(
                    "refused",
                    reason.value,
                    "bytes that are no good frame",
                    raw=show_bytes(evidence, charset),
                )
            case Blank():
                pass  # line ends between frames say nothing


def _has_lrc(data: bytes) -> bool:
    """Whichever reading refuses less is the right one."""

    def refused(lrc: bool) -> int:  # the question itself
        reader = FrameReader(lrc=lrc, handshake=lrc)
        items = (*reader.receive(data), *reader.gap())
        return sum(isinstance(item, Refusal) for item in items)

    return refused(True) < refused(False)


def as_text(found: Iterable[Decoded]) -> Iterator[str]:
    """For a terminal: one line a record, one line a field."""
    for each in found:
        yield f"{each.name:<8} {each.meaning}" + (f"  {each.raw}" if each.kind == "refused" else "")
        for field_id, meaning, value in each.fields:
            yield f"    {field_id}  {value:<24} {meaning}"
