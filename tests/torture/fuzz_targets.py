"""What is fuzzed: each target takes any bytes, and says what is always true of what it fed.

A target raises nothing for any input; whatever it raises is a finding. It returns the outcome's
shape, small and hashable, so that an engine without coverage knows news when it sees it.

The first byte of an input says how the rest is used, and the second one is a number for it.
"""

from collections.abc import Callable, Hashable

from protocols.fias.controls import MAX_BODY_BYTES
from tests.torture.fuzz_line import codec, framing, session_serial, session_tcp
from tests.torture.fuzz_texts import config, reply, source, transcript

LONGEST: dict[str, int] = {
    "framing": MAX_BODY_BYTES + 512,
    "codec": MAX_BODY_BYTES,
    "session_serial": 300,
    "session_tcp": 300,
    "transcript": 8_000,
    "config": 8_000,
    "reply": 16_000,
    "source": 8_000,
}
"""Bytes of a stretched input: long enough for the limits, and for what grows by the square."""


def stretched(name: str, data: bytes) -> bytes:
    """The input with its rest repeated until it is as long as LONGEST says."""
    longest, rest = LONGEST[name], data[2:]
    return data[:2] + (rest * (longest // len(rest) + 1))[:longest] if rest else data


TARGETS: dict[str, Callable[[bytes], Hashable]] = {
    "framing": framing,
    "codec": codec,
    "session_serial": session_serial,
    "session_tcp": session_tcp,
    "transcript": transcript,
    "config": config,
    "reply": reply,
    "source": source,
}
"""All targets by name; a corpus folder has the same name."""
TOKENS: dict[str, tuple[bytes, ...]] = {
    "framing": (b"\x02", b"\x03", b"\x05", b"\x06", b"\x15", b"\x02LS|\x03", b"\x60", b"\r\n"),
    "codec": (b"|", b"GI|", b"GC|", b"RN101|", b"RO102|", b"GSY|", b"GSN|", b"DA260105|", b"G#4711|",
              b"PL|", b"PA|", b"LR|", b"SF|", b"CS2|", b"TI0630|", b"\r\n", b"GN", b"ES1;1|", b"WR|"),
    "session_serial": (b"\x02", b"\x0a", b"\x12", b"\x22", b"\x06", b"\x0e", b"\x05", b"\x03\x0b",
                       b"\x01GO|RN1|", b"\x07", b"\x47", b"\x67"),
    "session_tcp": (b"\x02", b"\x0a", b"\x12", b"\x22", b"\x06", b"\x05", b"\x07", b"\x47", b"\x67"),
    "transcript": (b"open\n", b"close\n", b"now+ ", b"pms> ", b"gw > ", b"<STX>", b"<ETX>", b"<3C>",
                   b"1e9", b"nan", b"-1", b"12:00:01 ", b"# ", b"\xc2\xa0", b"\xe2\x80\xa8"),
    "config": (b"[ucm]\n", b"[[ucm]]\n", b" = ", b'"', b"'''", b"\\u0000", b"{", b"}", b"[", b"]",
               b"[rooms.map]\n", b"[language]\n", b"tcp:", b"serial:", b"listen:", b"1979-05-27",
               b"nan", b"inf", b"true", b"\xd9\xa3", b"\\n", b"0x", b"_", b"sha256:", b"Europe/Lisbon", b"12:00"),
    "reply": (b'{"status": ', b'"response"', b'"pms_room"', b'"error"', b"[0] SUCCESS !", b"[ 19 ]",
              b'"remain_time"', b"\\ud800", b"1e999", b"null", b"NaN", b"not checked in", b"<html>",
              b'"chki_status": "yes"', b'"address"', b'"last_name"', b"[", b"]", b"{", b"}", b"-7"),
    "source": (b"pms> ", b"gw > ", b"<STX>", b"<ETX>", b"GI|RN101|", b"02 47 ", b"0x02,", b"00000000: 0247",
               b"00000000  02 47  |.G|\n", b"^B", b"^C", b"\x02", b"\x03", b"[STX]", b"\\x02", b"*\n", b"RX: ",
               b"> 2026/03/14 10:15:00.5  length=3 from=0 to=2\n", b"10:15:00 ", b"=~=~=~ PuTTY log ",
               b'{"step": "spoken", ', b'"from": "pms", ', b'"hex": "02"}\n', b"line x lrc=on charset=",
               b"\x0a\x0d\x0d\x0a", b"\x1a\x2b\x3c\x4d", b"\xfa\x00", b"\xff\xfe", b"\xe2\x90\x82", b"\n"),
}  # fmt: skip
"""Pieces that a mutation would be slow to guess."""
