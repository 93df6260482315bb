"""What is fuzzed of a line: frames, records, sessions. See `fuzz_targets`."""

import re
from collections.abc import Hashable, Iterator
from datetime import datetime
from functools import reduce
from itertools import pairwise
from operator import xor

from protocols.errors import RecordError
from protocols.fias import FiasProfile, FiasSession
from protocols.fias.charset import CHARSETS
from protocols.fias.codec import decode, encode, fields_of
from protocols.fias.controls import MAX_BODY_BYTES
from protocols.fias.framing import STARTS
from protocols.fias.normalize import normalize
from protocols.fias.records import GuestIn
from protocols.framing import FrameReader
from protocols.session import (
    DataReceived,
    Direction,
    FrameRefused,
    Handshake,
    LinkDown,
    LinkRecord,
    LinkUp,
    RecordRefused,
    Signal,
)
from protocols.stream import EVIDENCE_BYTES, NOISE_BYTES, Frame, Refusal


def dealt(data: bytes) -> tuple[int, int, bytes]:
    """(how, number, rest)."""
    how, number, *_ = (*data[:2], 0, 0)
    return how, number, data[2:]


# --- Framing --------------------------------------------------------------------------------


def framing(data: bytes) -> Hashable:
    """Cutting changes nothing; frames are what the grammar calls frames; the buffer is bounded."""
    how, number, stream = dealt(data)
    lrc, handshake = bool(how & 1), bool(how & 2)
    limit = 16 if how & 4 else MAX_BODY_BYTES

    def read(pieces: list[bytes]) -> tuple[list, FrameReader]:
        reader, items = FrameReader(lrc=lrc, handshake=handshake, longest=limit, starts=STARTS), []
        for piece in pieces:
            items += reader.receive(piece)
            assert len(reader._body) <= limit, "the body outgrows its limit"
            assert len(reader._noise) < NOISE_BYTES, "noise outgrows its limit"
        return items, reader

    whole, reader = read([stream])
    cuts = sorted({(number * (n + 7) * 31) % (len(stream) + 1) for n in range(number % 9)})
    pieces = [stream[a:b] for a, b in pairwise([0, *cuts, len(stream)])]
    assert read(pieces)[0] == whole, "cutting the stream changes what is found"
    bodies = [item.body for item in whole if isinstance(item, Frame)]
    assert bodies == list(_frames_by_grammar(stream, lrc, handshake, limit)), "not these frames"
    kept = [item.data for item in whole if isinstance(item, Refusal)]
    assert all(len(evidence) <= EVIDENCE_BYTES for evidence in kept), "too much evidence"
    after = reader.gap()
    assert reader.is_between_frames, "a gap leaves something half read"
    assert reader.receive(b"\x02LS|\x03" + b"\x60" * lrc) == [Frame(b"LS|")], "out of step"
    return tuple(sorted({_word(item) for item in (*whole, *after)})), min(len(whole), 6)


_TEXT = bytes([*range(0x20, 0x7F), *range(0x80, 0x100)])
_HIDE_BARS = ("cp932", "cp950", "gb18030")


def _frames_by_grammar(stream: bytes, lrc: bool, handshake: bool, limit: int) -> Iterator[bytes]:
    """The bodies of all good frames, found the slow and obvious way."""
    ends = rb"\x02\x03\x05" if handshake else rb"\x02\x03"
    record = rb"(?:[A-Z]{2}|\$[^%b])[|\x03]" % ends  # only what can be one ends a begun frame
    inside = rb"(?:[^%b]|\x02(?!%b))*" % (ends, record)
    begun = re.compile(rb"\x02(%b)" % inside, re.DOTALL)
    ended = re.compile(rb"\x03%b" % (b"(.)" if lrc else b""), re.DOTALL)
    position = 0
    while (start := stream.find(b"\x02", position)) >= 0:
        found = begun.match(stream, start)
        assert found is not None  # an STX alone is begun
        body, position = found[1], found.end()
        end = ended.match(stream, position)
        if end is None:
            continue
        position = end.end()
        good = not lrc or reduce(xor, body, 3) == end[1][0]
        if good and len(body) <= limit:
            yield body
        elif lrc and end[1] == b"\x02" and len(body) <= limit:
            position -= 1  # no check byte at all: the next frame


def _word(item: object) -> str:
    return item.reason.value if isinstance(item, Refusal) else type(item).__name__


# --- Codec ----------------------------------------------------------------------------------


def codec(data: bytes) -> Hashable:
    """A body is a record or is refused, its fields are what stands between the bars, and what is
    written keeps to its frame and reads back."""
    _, number, rest = dealt(data)
    charset = CHARSETS[number % len(CHARSETS)]
    _is_written_safely(rest.decode("latin-1"), charset)
    body = rest.translate(None, b"\x02\x03")  # a frame's body has neither
    try:
        record = decode(body, charset)
    except RecordError as error:
        assert error.reason in ("empty", "grammar"), error.reason
        assert error.body == body, "the evidence is not what came"
        return error.reason
    pairs = fields_of(body, charset)
    head = body.strip(b"\r\n")[:2]
    is_plain = charset not in _HIDE_BARS and not body.translate(None, _TEXT)
    if is_plain and head.isascii() and b"|" not in head and all(key.isascii() for key, _ in pairs):
        # Else control bytes are dropped, and a bar may be half a character: see `charset`.
        parts = body.decode(charset, "replace").split("|")[1:]
        assert [a + b for a, b in pairs] == [part for part in parts if part], "not these fields"
        again = decode(encode(record, charset), charset)
        assert type(again) is type(record), "another record comes back"
        if not (record.extra or record.odd) and all(value for _, value in pairs):
            assert decode(encode(again, charset), charset) == again, "it changes each time"
            assert again == record or not _is_sayable(pairs, charset), "what was clean is changed"
    assert len(record.extra) + len(record.odd) <= len(pairs), "fields out of nothing"
    try:
        facts = [type(fact).__name__ for fact in normalize(record)]
    except RecordError as error:
        assert error.reason in ("no_room", "no_time", "overlong_field"), error.reason
        facts = [error.reason]
    return type(record).__name__, tuple(facts), bool(record.extra), bool(record.odd)


def _is_written_safely(text: str, charset: str) -> None:
    """Whatever a value holds, it stays one field of one frame."""
    said = encode(GuestIn(room="1", name=text, extra=(("A9", text),)), charset)
    assert not [byte for byte in said if byte < 0x20], "a control byte in a body"
    assert [field_id for field_id, _ in fields_of(said, charset)] == ["RN", "GN", "A9"]


def _is_sayable(pairs: list[tuple[str, str]], charset: str) -> bool:
    """No value has what the wire must replace: a bar, a control, what the code page lacks."""
    text = "".join(value for _, value in pairs)
    if any(char in "|\x7f\ufffd" or char < " " for char in text):
        return False
    return text.encode(charset, "replace").decode(charset, "replace") == text


# --- Sessions -------------------------------------------------------------------------------

_BODIES = (
    b"LS|DA260105|TI081500|", b"LA|DA260105|TI081503|", b"LE|", b"LC|A060;10|",
    b"GI|RN101|G#4711|GNBerger|GSN|", b"GO|RN101|G#4711|GSN|", b"GC|RN205|RO101|G#4711|",
    b"DS|", b"DE|", b"DR|", b"PS|RN1|", b"ZZ|x|", b"", b"\xff", b"RE|RN109|MLN|", b"WR|RN101|",
)  # fmt: skip
_STEPS_S = (0.0, 0.001, 0.5, 1.4, 1.5, 2.9, 3.0, 3.1, 6.0, 9.5, 10.0, 30.0, 31.0, 60.0, 300.0, 1e6)
STAMP = datetime(2026, 1, 5, 8, 15, 1)
_CONTROL_BYTES = b"\x05\x06\x15"


def session_serial(data: bytes) -> Hashable:
    """A line that answers, with or without check bytes. See `_Conversation`."""
    return _Conversation(data, ack=True).run()


def session_tcp(data: bytes) -> Hashable:
    """A line that never answers, with or without check bytes. See `_Conversation`."""
    return _Conversation(data, ack=False).run()


class _Conversation:
    """An input as a conversation: the line, its clock, and an owner who answers when he likes.

    After the two bytes of every input (`how` 1: a check byte, 2: no pacing; the number
    chooses the code page) each byte is an order: its low three bits say what happens, its
    high five how much of it.
    """

    def __init__(self, data: bytes, *, ack: bool) -> None:
        how, number, self.script = dealt(data)
        self.profile = FiasProfile(
            lrc=bool(how & 1),
            ack=ack,
            charset=CHARSETS[number % len(CHARSETS)],
            pacing_s=0.0 if how & 2 else 0.5,
        )
        self.session = FiasSession(self.profile, lambda: STAMP)
        self.now = 100.0
        self.unanswered = self.frames_in = self.accepted = self.asked = 0
        self.refused_frames = self.acks = self.naks = 0
        self.up = self.stormed = False
        self.seen: set[str] = set()

    def run(self) -> Hashable:
        """Play it all, then lose the line and look for what is left."""
        self.session.opened(self.now)
        position = 0
        while position < len(self.script):
            order = self.script[position]
            position += 1
            position += self._do(order & 7, order >> 3, self.script[position : position + 32])
            self._look()
        self.session.lost(self.now)
        self._look()
        assert not self.session.is_up, "up without a line"
        assert self.session.deadline is None, "a closed line still has a deadline"
        return tuple(sorted(self.seen))

    def _do(self, what: int, much: int, ahead: bytes) -> int:
        """One order; returns how many of the bytes ahead it used up."""
        session = self.session
        if session.state == "closed":
            self.now += 1
            session.opened(self.now)
            self.unanswered = 0
        match what:
            case 0:  # some bytes as they are
                session.receive_data(ahead[: much + 1], self.now)
                return min(much + 1, len(ahead))
            case 1:  # a good frame around the bytes ahead
                body = ahead[:much].translate(None, b"\x02\x03\x05")
                session.receive_data(_framed(body, self.profile.lrc), self.now)
                return min(much, len(ahead))
            case 2:  # a good frame of a body that a PMS would send; once a storm of the last one
                frame = _framed(_BODIES[much % len(_BODIES)], self.profile.lrc)
                is_storm = much == 31 and not self.stormed
                self.stormed |= is_storm
                session.receive_data(frame * (100 if is_storm else 1), self.now)
            case 3:  # a control byte; sometimes a frame with a wrong end
                if much < 24:
                    session.receive_data(_CONTROL_BYTES[much % 3 :][:1], self.now)
                else:
                    session.receive_data(b"\x02LA|\x03\xee", self.now)
            case 4:  # time passes; whoever waits is woken late
                self.now += _STEPS_S[much % len(_STEPS_S)]
                self._wake()
            case 5:  # time passes up to the deadline
                if session.deadline is not None:
                    self.now = max(self.now, session.deadline)
                    self._wake()
            case 6:  # the owner answers some of what he was given
                for _ in range(min(self.unanswered, 1 + much // 2)):
                    self.unanswered -= 1
                    self.accepted += 1 - much % 2
                    (session.refuse if much % 2 else session.accept)(self.now)
                    self._look()
            case _ if much < 8:
                session.lost(self.now)
            case _ if much < 12:
                session.leave(self.now)
            case _ if session.is_up:
                session.ask_for_resync(self.now)
        return 0

    def _wake(self) -> None:
        self.session.handle_timeout(self.now)
        deadline = self.session.deadline
        assert deadline is None or deadline > self.now, "the deadline has passed: it would spin"

    def _look(self) -> None:
        """Take what the session has to say, and hold it against the laws."""
        while (event := self.session.next_event()) is not None:
            self.seen.add(type(event).__name__)
            match event:
                case DataReceived() | RecordRefused():
                    self.unanswered += 1
                    self.frames_in += 1
                case LinkRecord(direction=Direction.IN):
                    self.frames_in += 1
                    self.accepted += 1  # answered by the session itself
                case FrameRefused():
                    self.refused_frames += 1
                case Handshake(Signal.ENQ, Direction.IN):
                    self.asked += 1
                case LinkUp():
                    assert not self.up, "up twice"
                    self.up = True
                case LinkDown():
                    assert self.up, "down twice"
                    self.up = False
        assert self.up == self.session.is_up, "up is not what was told"
        self.seen.add(self.session.state)
        self._hear(self.session.bytes_to_send())
        if self.session.state == "closed":
            self.unanswered = 0
        # Commit, then acknowledge; and one answer for one frame.
        assert self.acks <= self.accepted + self.asked, "an ACK for what nobody accepted"
        answers = self.acks + self.naks
        assert answers <= self.frames_in + self.refused_frames + self.asked, "answered twice"

    def _hear(self, output: bytes) -> None:
        """Whole frames and controls, and nothing else."""
        position = 0
        while position < len(output):
            byte = output[position]
            position += 1
            if byte == 2:
                end = output.index(b"\x03", position)
                body, position = output[position:end], end + 1
                assert b"\x02" not in body, "a frame in a frame"
                assert body[:2] in (b"LS", b"LD", b"LR", b"LA", b"LE", b"DR"), "not ours to say"
                if self.profile.lrc:
                    assert output[position] == reduce(xor, body, 3), "a wrong check byte"
                    position += 1
            else:
                assert self.profile.ack, "a control byte on a line without answers"
                assert byte in _CONTROL_BYTES, "neither a frame nor a control"
                self.acks += byte == 6
                self.naks += byte == 0x15


def _framed(body: bytes, lrc: bool) -> bytes:
    frame = b"\x02" + body + b"\x03"
    return frame + bytes([reduce(xor, body, 3)]) if lrc else frame
