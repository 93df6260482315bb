"""What is fuzzed of files and replies: transcripts, a configuration, a UCM, any capture.

See `fuzz_targets`.
"""

import json
import math
import re
import tempfile
from collections.abc import Callable, Hashable
from dataclasses import replace
from datetime import time
from pathlib import Path

from gateway.config import ConfigError, load
from gateway.drivers.ucm.listing import is_ours, rooms_in, shown_tags
from gateway.drivers.ucm.replies import _UNKNOWN, VERDICTS, NotAReply, Verdict, parse_reply
from gateway.drivers.ucm.requests import Words, guest_tags
from gateway.house import Guest
from gateway.scope import export, json_lines, pcapng
from gateway.scope.sources import UnreadableSource
from gateway.scope.sources import read as read_source
from gateway.tools.decode import decode_input
from protocols.fias.charset import CHARSETS
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
from tests.torture.fuzz_line import STAMP, dealt

# --- Transcripts ----------------------------------------------------------------------------


def transcript(data: bytes) -> Hashable:
    """A text is steps or names its bad line; what is shown of any bytes reads back to them."""
    how, number, rest = dealt(data)
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


# --- Configuration --------------------------------------------------------------------------

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
    how, number, rest = dealt(data)
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
    assert len(loaded.ucm.pin) in (0, 32), "no fingerprint"
    assert str(loaded.pms.line).partition(":")[0] in ("serial", "tcp", "listen"), "no line"
    assert loaded.ucm.password.get_secret_value(), "no password"
    assert loaded.ucm.pms_password.get_secret_value(), "no PMS password"
    return "loaded", type(loaded.pms.line).__name__, how


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


# --- Replies of a UCM -----------------------------------------------------------------------

_GUEST = Guest(key="4711", name="Berger", first_name="Anna", came=STAMP)
_TAGS = guest_tags(_GUEST, 1, Words())
_ADVICE = {words for _, words in VERDICTS.values()} | {_UNKNOWN}


def reply(data: bytes) -> Hashable:
    """Bytes are a reply or none; a reply's parts are usable, and its advice is ours alone."""
    how, number, rest = dealt(data)
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


# --- Anything a technician has --------------------------------------------------------------


def source(data: bytes) -> Hashable:
    """Whatever it is, it is steps that can be shown and written, or is refused with a sentence."""
    how, number, rest = dealt(data)
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
