"""What is fuzzed: each target takes any bytes, and says what is always true of what it fed.

A target raises nothing for any input; whatever it raises is a finding. It returns the outcome's
shape, small and hashable, so that an engine without coverage knows news when it sees it.

The first byte of an input says how the rest is used, and the second one is a number for it.
"""

import json
import math
import re
import tempfile
from collections.abc import Callable, Hashable, Iterator
from dataclasses import replace
from datetime import datetime, time
from functools import reduce
from itertools import pairwise
from operator import xor
from pathlib import Path

from gateway.config import ConfigError, load
from gateway.drivers.ucm_wire import (
    _UNKNOWN,
    VERDICTS,
    NotAReply,
    Verdict,
    Words,
    guest_tags,
    is_ours,
    parse_reply,
    rooms_in,
    shown_tags,
)
from gateway.house import Guest
from gateway.scope import export, json_lines, pcapng
from gateway.scope.sources import UnreadableSource
from gateway.scope.sources import read as read_source
from gateway.tools.decode import decode_input
from protocols.errors import RecordError
from protocols.fias.codec import CHARSETS, decode, encode, fields_of
from protocols.fias.controls import MAX_BODY_BYTES
from protocols.fias.framing import (
    EVIDENCE_BYTES,
    GARBAGE_RUN_BYTES,
    Frame,
    FrameReader,
    Refusal,
)
from protocols.fias.normalize import normalize
from protocols.fias.records import GuestIn
from protocols.fias.session import FiasProfile, FiasSession
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
from protocols.transcript import (
    Counted,
    Modem,
    Remarked,
    Spoken,
    Step,
    TranscriptError,
    Waited,
    parse,
    show_bytes,
    show_step,
)

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


def _dealt(data: bytes) -> tuple[int, int, bytes]:
    """(how, number, rest)."""
    how, number, *_ = (*data[:2], 0, 0)
    return how, number, data[2:]


# --- Framing ---------------------------------------------------------------------------------


def framing(data: bytes) -> Hashable:
    """Cutting changes nothing; frames are what the grammar calls frames; the buffer is bounded."""
    how, number, stream = _dealt(data)
    lrc, handshake = bool(how & 1), bool(how & 2)
    limit = 16 if how & 4 else MAX_BODY_BYTES

    def read(pieces: list[bytes]) -> tuple[list, FrameReader]:
        reader, items = FrameReader(lrc=lrc, handshake=handshake, max_body_bytes=limit), []
        for piece in pieces:
            items += reader.receive(piece)
            assert len(reader._body) <= limit, "the body outgrows its limit"
            assert len(reader._noise) < GARBAGE_RUN_BYTES, "noise outgrows its limit"
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


def _frames_by_grammar(stream: bytes, lrc: bool, handshake: bool, limit: int) -> Iterator[bytes]:
    """The bodies of all good frames, found the slow and obvious way."""
    inside = rb"[^\x02\x03\x05]*" if handshake else rb"[^\x02\x03]*"
    grammar = re.compile(rb"\x02(%b)\x03%b" % (inside, b"(.)" if lrc else b""), re.DOTALL)
    position = 0
    while found := grammar.search(stream, position):
        body, position = found[1], found.end()
        good = not lrc or reduce(xor, body, 3) == found[2][0]
        if good and len(body) <= limit:
            yield body
        elif lrc and found[2] == b"\x02" and len(body) <= limit:
            position -= 1  # no check byte at all: the next frame


def _word(item: object) -> str:
    return item.reason.value if isinstance(item, Refusal) else type(item).__name__


# --- Codec -----------------------------------------------------------------------------------


def codec(data: bytes) -> Hashable:
    """A body is a record or is refused, its fields are what stands between the bars, and what is
    written keeps to its frame and reads back."""
    _, number, rest = _dealt(data)
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
    if head.isascii() and b"|" not in head and all(field_id.isascii() for field_id, _ in pairs):
        # Else an id is half a character or has a bar in it, and what follows is no text.
        parts = body.strip(b"\r\n").decode(charset, "replace").split("|")[1:]
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


# --- Sessions --------------------------------------------------------------------------------

_BODIES = (
    b"LS|DA260105|TI081500|", b"LA|DA260105|TI081503|", b"LE|", b"LC|A060;10|",
    b"GI|RN101|G#4711|GNBerger|GSN|", b"GO|RN101|G#4711|GSN|", b"GC|RN205|RO101|G#4711|",
    b"DS|", b"DE|", b"DR|", b"PS|RN1|", b"ZZ|x|", b"", b"\xff", b"RE|RN109|MLN|", b"WR|RN101|",
)  # fmt: skip
_STEPS_S = (0.0, 0.001, 0.5, 1.4, 1.5, 2.9, 3.0, 3.1, 6.0, 9.5, 10.0, 30.0, 31.0, 60.0, 300.0, 1e6)
_STAMP = datetime(2026, 1, 5, 8, 15, 1)
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
        how, number, self.script = _dealt(data)
        self.profile = FiasProfile(
            lrc=bool(how & 1),
            ack=ack,
            charset=CHARSETS[number % len(CHARSETS)],
            pacing_s=0.0 if how & 2 else 0.5,
        )
        self.session = FiasSession(self.profile, lambda: _STAMP)
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


# --- Transcripts -----------------------------------------------------------------------------


def transcript(data: bytes) -> Hashable:
    """A text is steps or names its bad line; what is shown of any bytes reads back to them."""
    how, number, rest = _dealt(data)
    charset = CHARSETS[number % len(CHARSETS)]
    if how & 1:
        steps = parse(f"12:00:01 pms> {show_bytes(rest, charset)}\n", charset)
        assert steps == [Spoken(True, rest, at=43_201)], "shown bytes do not read back"
        return "shown", len(rest) > 0
    text = rest.decode("utf-8", "replace")
    try:
        steps = parse(text, charset)
    except TranscriptError as error:
        assert 1 <= error.line_number <= len(text.splitlines()), "no such line"
        return re.sub(r"<.*>|line \d+", "", str(error))[:40]
    numbers = [step.line_number for step in steps]
    assert numbers == sorted(set(numbers)), "steps out of order"
    for step in steps:
        if isinstance(step, Waited):
            assert 0 <= step.seconds < math.inf, "time that cannot pass"
    written = "".join(_written(step, charset) for step in steps)
    assert [_bare(step) for step in parse(written, charset)] == [_bare(step) for step in steps]
    return tuple(sorted({type(step).__name__ for step in steps})), min(len(steps), 4)


def _written(step: Step, charset: str) -> str:
    if isinstance(step, Waited):
        return f"now+ {step.seconds!r}\n"
    # Moments may be of any calendar; without one, a remark is a comment for the reader alone.
    moment = "12:00 " if isinstance(step, Remarked) else ""
    return f"{moment}{show_step(replace(step, at=None), charset=charset)}\n"


def _bare(step: Step) -> tuple[object, ...]:
    """What must not be lost of a step: of words only that there were some."""
    match step:
        case Spoken(from_pms=from_pms, data=data):
            return from_pms, data
        case Waited(seconds=seconds):
            return (seconds,)
        case Modem(lines=lines):
            return (dict(lines),)
        case Counted(errors=errors):
            return (dict(errors),)
    return (type(step),)


# --- Configuration ---------------------------------------------------------------------------

_SECRET = "p-invented"
_MINIMAL = f"""
[pms]
line = "tcp:10.0.0.5:5010"
[ucm]
url = "https://10.0.0.9:8089/api"
username = "u"
password = "{_SECRET}"
pms_username = "h"
pms_password = "{_SECRET}"
tls = "insecure"
"""
_KEYS = (
    "pms.line", "pms.protocol", "ucm.url", "ucm.api", "ucm.username", "ucm.tls",
    "ucm.fingerprint", "ucm.ca_file", "ucm.timeout_s", "ucm.retries", "ucm.name_bytes",
    "ucm.token_case", "ucm.password_file", "ucm.pms_password_file", "site.name",
    "site.timezone", "site.data_dir", "site.checkout_time", "fias.encoding", "fias.lrc",
    "fias.record_pacing_ms", "fias.resync", "fias.infer_moves_s", "rooms.map",
    "rooms.strip_leading_zeros", "class_of_service.5", "language.GE", "room_status.9",
    "http.listen", "ucm", "pms", "rooms", "language", "site",
)  # fmt: skip
_FOLDER = tempfile.TemporaryDirectory(prefix="fuzz-config-")
_FILE = Path(_FOLDER.name, "gateway.toml")
"""One file, written again for each input: `load` takes a path."""


def config(data: bytes) -> Hashable:
    """A file is a usable configuration or all its mistakes, a line each, without a secret."""
    how, number, rest = _dealt(data)
    content = _config_text(how, number, rest)
    _FILE.write_bytes(content)
    try:
        loaded = load(_FILE)
    except ConfigError as error:
        assert error.sentences, "refused without a word"
        # A secret is one only where it stands as a password.
        is_secret = content.count(_SECRET.encode()) == len(_AS_PASSWORD.findall(content))
        for sentence in error.sentences:
            assert sentence.isprintable(), "a sentence is one line that a terminal can show"
            assert not (is_secret and _SECRET in sentence), "a secret in a sentence"
        return _shape_of_sentence(error.sentences[0]), min(len(error.sentences), 4)
    assert isinstance(loaded.checkout_time, time), "no time of day"
    assert loaded.zone.key == loaded.site.timezone, "no zone"
    assert len(loaded.fingerprint) in (0, 32), "no fingerprint"
    assert str(loaded.line).partition(":")[0] in ("serial", "tcp", "listen"), "no line"
    assert loaded.password.get_secret_value(), "no password"
    assert loaded.pms_password.get_secret_value(), "no PMS password"
    return "loaded", type(loaded.line).__name__, how


_AS_PASSWORD = re.compile(rb'password = "%b"' % _SECRET.encode())


def _config_text(how: int, number: int, rest: bytes) -> bytes:
    """The rest alone, after a good file, or as the value of one key in a good file."""
    if how & 3 == 0:
        return rest
    if how & 3 == 1:
        return _MINIMAL.encode() + rest
    section, _, key = _KEYS[number % len(_KEYS)].rpartition(".")
    value = rest
    if how & 3 == 3:  # as a string, whatever it holds
        value = json.dumps(rest.decode("utf-8", "replace")).encode()
    if not section:
        kept = re.sub(rf"\[{key}\]\n([^\[]*)", "", _MINIMAL)
        return key.encode() + b" = " + value + b"\n" + kept.encode()
    head = f"[{section}]\n".encode()
    kept = re.sub(rf"^{re.sub('_file$', '', key)} = .*\n", "", _MINIMAL, flags=re.MULTILINE)
    line = key.encode() + b" = " + value + b"\n"
    if head in kept.encode():
        return kept.encode().replace(head, head + line)
    return kept.encode() + head + line


def _shape_of_sentence(sentence: str) -> str:
    return re.sub(r"[^a-z ]+", "", sentence.removeprefix(f"{_FILE}: ").rpartition(": ")[2])[:30]


# --- Replies of a UCM ------------------------------------------------------------------------

_GUEST = Guest(key="4711", name="Berger", first_name="Anna", came=_STAMP)
_TAGS = guest_tags(_GUEST, 1, Words())
_ADVICE = {words for _, words in VERDICTS.values()} | {_UNKNOWN}


def reply(data: bytes) -> Hashable:
    """Bytes are a reply or none; a reply's parts are usable, and its advice is ours alone."""
    how, number, rest = _dealt(data)
    try:
        said = parse_reply(_reply_body(how & 7, number, rest))
    except NotAReply as error:
        return str(error)
    assert type(said.code) is int, "a code that is no number"
    assert isinstance(said.verdict, Verdict)
    number_, _, words = said.advice.partition(": ")
    assert number_ == str(said.code), "advice about another code"
    assert len(number_) <= 8, "advice as long as the peer likes"
    assert words in _ADVICE, "advice in the peer's own words"
    # Replies are read at another depth of the stack than they are parsed at.
    rooms, banned = _deeper(how, lambda: (rooms_in(said), said.seconds_banned()))
    assert 1.0 <= banned <= 86400.0, "banned for ever, or not at all"
    for room in rooms:
        texts = (room.address, room.account, room.last_name, room.first_name)
        assert all(isinstance(text, str) for text in texts), "a name that is no text"
        is_ours(room, _TAGS)
        is_ours(room, _TAGS, was_told=True)
        shown = shown_tags(room, _TAGS)
        assert shown.keys() == _TAGS.keys(), "the list made up a tag, or lost one"
        assert all(isinstance(text, str) for text in shown.values()), "a tag that is no text"
    return said.verdict.value, said.exact, min(len(rooms), 2), bool(said.response)


def _reply_body(how: int, number: int, rest: bytes) -> bytes:
    """The rest alone, or where a firmware would put it."""
    match how:
        case 1:
            return b'{"status": %b}' % rest
        case 2:
            return b'{"status": 0, "response": %b}' % rest
        case 3:
            return b'{"status": 0, "response": {"pms_room": [%b]}}' % rest
        case 4:
            return (
                b'{"status": -9, "response": {"error": %b}}'
                % json.dumps(rest.decode("utf-8", "replace")).encode()
            )
        case 5:
            return b"<result>[ %d ] %b</result>" % (number, rest)
        case 6:  # nesting near the interpreter's limit
            depth = 700 + number * 2
            deep = b"[" * depth + b"]" * depth
            room = b'{"address": "1", "account": %b}' % deep
            return b'{"status": 0, "response": {"remain_time": 1, "pms_room": [%b]}}' % room
        case _:
            return rest


def _deeper(levels: int, action: Callable[[], tuple]) -> tuple:
    return _deeper(levels - 1, action) if levels else action()


# --- Anything a technician has ---------------------------------------------------------------


def source(data: bytes) -> Hashable:
    """Whatever it is, it is steps that can be shown and written, or is refused with a sentence."""
    how, number, rest = _dealt(data)
    charset = CHARSETS[number % len(CHARSETS)]
    try:
        capture = read_source(rest, charset, lrc=(None, True, False, None)[how % 4])
    except UnreadableSource as error:
        return re.sub(r"line \d+|'.*'", "", str(error))[:40]
    assert capture.profile.charset in CHARSETS, "no code page of ours"
    written = export.to_json_lines(capture.steps, capture.profile, names=True)
    assert list(json_lines.read(written)) == capture.steps, "the steps do not read back"
    export.to_notation(capture.steps, profile=capture.profile)
    packets, _ = pcapng.read(export.to_pcapng(capture.steps, capture.profile, names=True))
    assert _said(packets) == _said(capture.steps), "Wireshark is told something else"
    decode_input(rest, charset)
    return capture.format, capture.has_directions, bool(capture.left_out), min(len(packets), 4)


def _said(steps: list[Step]) -> list[tuple[bool, bytes]]:
    return [(each.from_pms, each.data) for each in steps if isinstance(each, Spoken)]


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
