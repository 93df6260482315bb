"""`play`: a transcript against a session. Every `gw >` line is compared, in order and whole."""

from datetime import datetime

from protocols import transcript
from protocols.fias import FiasProfile, FiasSession, decode
from protocols.fias.records import Record
from protocols.session import DataReceived, RecordRefused, SessionEvent
from protocols.transcript import Closed, Opened, Spoken, Waited, show_bytes

STAMP = datetime(2026, 3, 14, 10, 15, 0)


def session_of(profile: FiasProfile) -> FiasSession:
    """A session whose hotel clock stands still."""
    return FiasSession(profile, lambda: STAMP)


def play(session: FiasSession, text: str, *, accept: bool = True) -> list[SessionEvent]:
    """Feed every `pms>` line, compare every `gw >` line, return all events.

    A record about the hotel in a `gw >` line that is not on its way is given to `send` first.

    accept      answer data at once, as a pump with a fast disk does
    """
    now, said, events = 100.0, bytearray(), []

    def settle() -> None:
        while (event := session.next_event()) is not None:
            events.append(event)
            if accept and isinstance(event, DataReceived | RecordRefused):
                session.accept(now)
        said.extend(session.bytes_to_send())

    for step in transcript.parse(text):
        match step:
            case Opened():
                session.opened(now)
            case Closed():
                session.lost(now)
            case Waited(seconds=seconds):
                until = now + seconds
                while (due := session.deadline) is not None and due <= until:
                    now = max(now, due)
                    session.handle_timeout(now)
                    settle()
                now = until
            case Spoken(from_pms=True, data=data):
                assert not said, f"line {step.line_number}: said before: {show_bytes(said)}"
                session.receive_data(data, now)
            case Spoken(line_number=number, data=expected):
                if not said and (record := _of_the_hotel(expected)) is not None:
                    session.send(record, now)
                    settle()
                got = bytes(said[: len(expected)])
                assert got == expected, (
                    f"line {number}: expected {show_bytes(expected)}, got {show_bytes(bytes(said))}"
                )
                del said[: len(expected)]
        settle()
    assert not said, f"said and not expected: {show_bytes(bytes(said))}"
    return events


def _of_the_hotel(frame: bytes) -> Record | None:
    body = frame[1 : frame.find(b"\x03")]
    return decode(body, "cp1252") if body[:2] in (b"PS", b"WA", b"RE", b"WR", b"WC") else None
