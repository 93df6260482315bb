"""Every known fault is found in its transcript, and not in the near miss beside it."""

import gc
import tracemalloc
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.scope.explain import FAULTS, Fault
from gateway.scope.explain.examiner import WITHIN_S, Examiner, explain
from gateway.scope.explain.marks import BUCKETS, Mark, Tally
from gateway.scope.explain.notes.frames import note_frames
from gateway.scope.explain.notes.line import note_line
from gateway.scope.explain.notes.link import CLOCK_OFF_S, note_late, note_link
from gateway.scope.explain.notes.records import note_record
from gateway.scope.explain.sight import Clock, Sight
from gateway.scope.explain.table import look_all
from gateway.scope.explain.values import Confidence, Evidence, Finding, Layer
from gateway.scope.profile import LineProfile, profile_of
from gateway.scope.rows import rows_of
from protocols.fias import FiasProfile, decode
from protocols.fias.framing import Frame, FrameReader, write_frame
from protocols.session import DataReceived, LinkUp, RecordRefused
from protocols.transcript import (
    Closed,
    Counted,
    Modem,
    Opened,
    Remarked,
    Settings,
    Spoken,
    Waited,
    parse,
    show_bytes,
)
from tests.transcript_play import session_of

DATA = Path(__file__, "../../../data").resolve()
SERIAL_LINE = "line serial:/dev/ttyUSB0,9600,8n1 lrc=on ack=on charset=cp1252"
SERIAL = LineProfile("serial:/dev/ttyUSB0,9600,8n1")
TCP = LineProfile("tcp:10.0.0.5:5010", lrc=False, ack=False)

GUESTS = (
    *("Rossi", "Berger", "Müller", "Dvořák", "Ångström", "Åkesson", "Hara", "Zoë", "Jäger"),
    *("Köhler", "Angelo", "Núñez", "Åéüö", "Öäü"),
)
"""The invented names in the transcripts."""

HEALTHY = {
    "serial-dead-peer.line": ["pms-silent"],
    "serial-nak-four-times.line": ["every-frame-refused"],
    "tcp-alive-check.line": ["alive-check-unanswered"],
    "tcp-loop.line": ["wrong-role"],
    "tcp-silent-pms.line": ["pms-silent"],
}
"""The transcripts of the session that show a fault; all others show none."""


NEVER_YET = {
    "guest-without-number",  # a walk-in beside guests with numbers is no fault
}
"""What can only be said where it was never otherwise within the hour."""


def steps_of(name):
    return parse((DATA / "faults" / name).read_text(encoding="utf-8"))


def codes(findings):
    return [each.fault for each in findings]


@pytest.mark.parametrize("code", FAULTS)
def test_a_fault_is_found_and_told_first(code):
    found = explain(steps_of(f"{code}.line"))
    assert codes(found)[:1] == [code]
    assert found[0].layer is FAULTS[code].layer
    assert 1 <= len(found[0].evidence) <= 3
    assert found[0].count >= 1


@pytest.mark.parametrize("code", FAULTS)
def test_a_near_miss_is_not_taken_for_it(code):
    assert code not in codes(explain(steps_of(f"{code}.not.line")))


@pytest.mark.parametrize("code", FAULTS)
def test_a_fault_that_was_cured_an_hour_ago_is_gone(code):
    steps = steps_of(f"{code}.line")
    profile = profile_of(steps)
    examiner = Examiner(profile)
    for step in [*steps, *good_hour(profile)]:
        examiner.take(step)
    assert codes(examiner.findings()) == []


@pytest.mark.parametrize("code", sorted(set(FAULTS) - NEVER_YET))
def test_a_fault_that_begins_after_a_good_hour_is_found_at_once(code):
    steps = steps_of(f"{code}.line")
    profile = profile_of(steps)
    examiner = Examiner(profile)
    for step in [*good_hour(profile), *steps]:
        examiner.take(step)
    examiner.end()
    assert code in codes(examiner.findings())


def test_every_file_is_of_a_fault_and_says_that_it_is_invented():
    names = {f"{code}{end}" for code in FAULTS for end in (".line", ".not.line")}
    files = {path.name: path for path in (DATA / "faults").glob("*.line")}
    assert set(files) == names
    for path in files.values():
        first, second, *_ = path.read_text(encoding="utf-8").splitlines()
        assert first.startswith("# invented: ")
        assert second.startswith("line ")


@pytest.mark.parametrize("path", sorted((DATA / "lines").glob("*.line")), ids=lambda p: p.name)
def test_what_the_session_plays_shows_only_the_faults_it_is_about(path):
    profile = SERIAL if path.name.startswith("serial") else TCP
    found = explain(parse(path.read_text(encoding="utf-8")), profile)
    assert codes(found) == HEALTHY.get(path.name, [])


@pytest.mark.parametrize("path", sorted(DATA.glob("*/*.line")), ids=lambda p: p.name)
def test_no_evidence_names_a_guest(path):
    text = path.read_text(encoding="utf-8")
    steps = [replace(each, at=None) for each in parse(text)]
    charset = (profile_of(steps) or TCP).charset
    for finding in explain(steps):
        for each in finding.evidence:
            assert not [name for name in spellings(charset) if name in each.text]
            assert len(parse(each.text, charset)) == 1  # it is in the notation


def spellings(charset):
    for name in GUESTS:
        for page in ("cp1252", "cp850", "utf-8"):
            yield show_bytes(name.encode(page, "replace"), charset)


@pytest.mark.parametrize(
    ("module", "layer"),
    [
        ("gateway.scope.explain.faults.cable", Layer.CABLE),
        ("gateway.scope.explain.faults.wiring", Layer.CABLE),
        ("gateway.scope.explain.faults.settings", Layer.SETTINGS),
        ("gateway.scope.explain.faults.frames", Layer.FRAMES),
        ("gateway.scope.explain.faults.answers", Layer.ANSWERS),
        ("gateway.scope.explain.faults.link", Layer.LINK),
        ("gateway.scope.explain.faults.records", Layer.RECORDS),
        ("gateway.scope.explain.faults.ours", Layer.GATEWAY),
    ],
)
def test_each_file_of_rules_is_of_one_layer(module, layer):
    rules = [row for row in FAULTS.values() if row.rule.__module__ == module]
    assert rules
    assert {row.layer for row in rules} == {layer}


def test_the_table_is_one_that_a_page_can_show():
    assert len(FAULTS) >= 28
    assert [row.layer for row in FAULTS.values()] == sorted(row.layer for row in FAULTS.values())
    for code, row in FAULTS.items():
        assert code == row.code
        assert row.looks.endswith(".")
        assert row.looks.count(". ") == 0
        assert row.hides <= set(FAULTS), f"{code} hides what is no fault"
        assert not [each for each in row.hides if FAULTS[each].layer < row.layer and row.blocks]


def test_a_cause_hides_its_consequences_and_lower_layers_come_first():
    # Half the speed, and so no link; then a clean line on which two layers are wrong.
    assert codes(explain(steps_of("speed-half.line"))) == ["speed-half"]
    text = "line tcp:h:1 lrc=off ack=off charset=cp1252\nopen\n"
    for room in range(101, 105):
        text += f"pms> {frame(f'GI|RN{room}|G#1|GNRossi|GSN|ZZ1|', TCP)}\n"
        text += f"pms> {frame(f'MW|RN{room}|', TCP)}\n<ACK>\n".replace("<ACK>", "pms> <ACK>")
        text += f"pms> {frame(f'WR|RN{room}|DA1|TI2|', TCP)}\n"
    found = explain(parse(text))
    assert [each.layer for each in found] == sorted(each.layer for each in found)
    assert codes(found)[:2] == ["unwanted-answers", "early-data"]
    assert {"unknown-records", "unreadable-dates"} <= set(codes(found))


def test_the_speed_to_try_is_written_as_in_the_configuration():
    (found,) = explain(steps_of("speed-quarter.line"))
    assert 'pms.line = "serial:/dev/ttyUSB0,2400,8n1"' in found.do
    slow = [replace(SERIAL, line="serial:/dev/ttyS0,300,8n1").as_step()]
    (found,) = explain([*slow, *steps_of("speed-quarter.line")[1:]])
    assert "the baud in pms.line to that of the PMS" in found.do
    (found,) = explain(steps_of("seven-even.line"))
    assert 'pms.line = "serial:/dev/ttyUSB0,9600,7e1"' in found.do
    (found,) = explain(steps_of("no-check-byte.line"))
    assert "lrc = false" in found.do
    assert found.confidence is Confidence.CERTAIN


def test_evidence_has_the_moments_of_the_capture():
    bare = steps_of("no-check-byte.line")[2:]
    at, steps = 1_773_480_000.0, [SERIAL.as_step()]
    for step in bare:
        at += step.seconds if isinstance(step, Waited) else 0.0
        if not isinstance(step, Waited):
            steps.append(replace(step, at=at))
    (found,) = explain(steps)
    assert found.fault == "no-check-byte"
    assert [each.at for each in found.evidence] == sorted(each.at for each in found.evidence)
    assert 1_773_480_000.0 <= found.evidence[0].at <= at


def test_a_clock_that_jumps_back_does_not_keep_a_fault_for_ever():
    examiner = Examiner(SERIAL)
    for step in steps_of("overruns.line"):
        examiner.take(step)
    assert codes(examiner.findings(50_000.0)) == ["overruns"]
    assert codes(examiner.findings(1_000.0)) == ["overruns"]
    assert codes(examiner.findings(5_000.0)) == []


def test_another_profile_in_the_stream_begins_anew():
    examiner = Examiner(SERIAL)
    for step in [*steps_of("no-check-byte.line"), replace(SERIAL, lrc=False).as_step()]:
        examiner.take(step)
    assert examiner.findings() == []
    for step in [*steps_of("no-check-byte.line"), SERIAL.as_step()]:  # it said so before
        examiner.take(step)
    assert codes(examiner.findings()) == ["no-check-byte"]


def test_a_capture_of_an_unknown_code_page_is_read_all_the_same():
    text = (
        "line x lrc=off ack=off charset=klingon\npms> <STX>MW|x|<ETX><STX>MW|x|<ETX><STX>MW|<ETX>"
    )
    assert "unknown-records" in codes(explain(parse(text)))


def test_an_empty_conversation_has_no_findings():
    assert explain([]) == []
    assert Examiner(TCP).findings(1.0) == []


def frame(body, profile):
    return show_bytes(write_frame(body.encode(), lrc=profile.lrc))


def good_hour(profile):
    """The link comes up and an hour and ten minutes of quiet work pass."""
    yield Opened()
    talk = [
        (True, "LS|DA260314|TI101500|"), (False, "LD|DA260314|TI101500|V#1.0|IFPB|"),
        (False, "LR|RIGI|FLRNG#|"), (False, "LA|DA260314|TI101500|"),
        (True, "LA|DA260314|TI101501|"),
    ]  # fmt: skip
    for number in range(14):
        talk += [(True, f"GI|RN{101 + number}|G#{8000 + number}|GNRossi|GSN|"), None]
    for said in talk:
        if said is None:
            yield Waited(300)
            continue
        from_pms, body = said
        yield Spoken(from_pms, write_frame(body.encode(), lrc=profile.lrc))
        if profile.ack:
            yield Spoken(not from_pms, b"\x06")


class Hotel:
    """A PMS that does everything right, our session, and all they say, in virtual time."""

    def __init__(self, profile, fias):
        self.profile, self.now, self.session = profile, 1_773_480_000.0, session_of(fias)
        self.reader = FrameReader(lrc=profile.lrc, handshake=profile.ack)
        self.owed = []  # frames that wait for our ACK
        self.is_free, self.ups = True, 0
        self.steps = [profile.as_step(self.now), Opened(at=self.now)]
        self.session.opened(self.now)
        self.say("LS|DA260314|TI101500|")

    def say(self, body):
        self.owed.append(write_frame(body.encode("cp1252"), lrc=self.profile.lrc))

    def speak(self, data):
        self.now += 0.05
        self.steps.append(Spoken(True, data, at=self.now))
        self.session.receive_data(data, self.now)

    def settle(self):
        """Until both have said everything."""
        for _ in range(400):
            while (event := self.session.next_event()) is not None:
                self.ups += isinstance(event, LinkUp)
                if isinstance(event, DataReceived | RecordRefused):
                    self.session.accept(self.now)
            data = self.session.bytes_to_send()
            if data:
                self.now += 0.05
                self.steps.append(Spoken(False, data, at=self.now))
                for item in self.reader.receive(data):
                    self.hear(item)
            elif self.owed and self.is_free:
                self.is_free = not self.profile.ack
                self.speak(self.owed.pop(0))
            else:
                return

    def hear(self, item):
        if not isinstance(item, Frame):
            self.is_free = True
            return
        if self.profile.ack:
            self.speak(b"\x06")
        if item.body[:2] in (b"LS", b"LA"):
            self.say("LA|DA260314|TI101501|")

    def wait(self, seconds):
        until = self.now + seconds
        while (due := self.session.deadline) is not None and due <= until:
            self.now = max(self.now, due)
            self.session.handle_timeout(self.now)
            self.settle()
        self.now = max(self.now, until)


@pytest.mark.parametrize(
    ("profile", "fias"), [(SERIAL, FiasProfile()), (TCP, FiasProfile.for_tcp())]
)
def test_a_day_in_a_well_hotel_shows_nothing_at_any_time(profile, fias):
    hotel = Hotel(profile, fias)
    examiner = Examiner(profile)
    for number in range(200):
        hotel.wait(7 * 60)
        hotel.say(f"GI|RN{101 + number}|G#{4711 + number}|GNMüller|GSN|GA260314|")
        if number % 3 == 0:
            hotel.say(f"GO|RN{101 + number}|G#{4711 + number}|GSN|")
            hotel.say(f"WR|RN{101 + number}|DA260315|TI063000|")
        if number % 50 == 49:
            hotel.say("LE|DA260314|TI235959|")
            hotel.settle()
            hotel.wait(20)
            hotel.say("LS|DA260314|TI101500|")
        hotel.settle()
        said, hotel.steps = hotel.steps, []
        for step in said:
            examiner.take(step)
        assert codes(examiner.findings(hotel.now)) == []
    assert hotel.ups == 4  # at the start and after each LE but the last


# --- Whatever comes -------------------------------------------------------------------------

_MOMENTS = st.none() | st.floats(allow_nan=True, allow_infinity=True)
_PIECES = st.binary(max_size=40) | st.sampled_from(
    [b"\x02", b"\x03", b"\x05", b"\x06", b"\x15", b"\x11\x13"]
    + [
        write_frame(body, lrc=lrc)
        for lrc in (True, False)
        for body in (
            b"LS|DA260314|TI101500|", b"LA|", b"LE|", b"LD|DA260314|TI101500|", b"LR|RIGI|FLRN|",
            b"GI|RN1|G#1|GN\xfc\x81\xc3\xbc|", b"DS|", b"DE|", b"DR|", b"", b"?", b"WR|DA1|TI2|",
        )
    ]
)  # fmt: skip
_STEPS = st.one_of(
    st.builds(Spoken, st.booleans(), _PIECES, at=_MOMENTS),
    st.builds(Opened, st.text(max_size=5), at=_MOMENTS),
    st.builds(Closed, st.text(max_size=5), at=_MOMENTS),
    st.builds(Waited, st.floats(min_value=0, allow_infinity=True)),
    st.builds(Modem, st.dictionaries(st.text(max_size=3), st.booleans()), at=_MOMENTS),
    st.builds(Modem, st.just({"CTS": False, "DSR": False}), at=_MOMENTS),
    st.builds(
        Counted,
        st.dictionaries(st.sampled_from(["framing", "parity", "x"]), st.integers()),
        at=_MOMENTS,
    ),
    st.builds(Remarked, st.text(max_size=5), at=_MOMENTS),
    st.builds(
        Settings,
        st.text(max_size=5),
        st.dictionaries(st.sampled_from(["lrc", "ack", "charset"]), st.sampled_from(["off", "on"])),
        at=_MOMENTS,
    ),
)


@given(st.lists(_STEPS, max_size=40), st.sampled_from([SERIAL, TCP]), _MOMENTS)
@settings(deadline=None)
def test_nothing_that_comes_raises(steps, profile, now):
    examiner = Examiner(profile)
    for step in steps:
        examiner.take(step)
    for found in (examiner.findings(now), explain(steps, profile)):
        assert all(isinstance(each, Finding) for each in found)
        assert all(isinstance(line, Evidence) for each in found for line in each.evidence)


@given(st.binary(max_size=12), st.integers(0, 40), st.sampled_from([SERIAL, TCP]))
@settings(deadline=None)
def test_a_name_in_a_damaged_frame_is_never_shown(damage, position, profile):
    whole = write_frame(b"GI|RN101|G#4711|GNMontgomery|GFOttoline|GSN|", lrc=profile.lrc)
    data = whole[:position] + damage + whole[position + len(damage) :]
    for findings in (explain([Spoken(True, data)] * 5, profile), seen_all(data, profile)):
        shown = " ".join(line.text for each in findings for line in each.evidence)
        assert "ontgom" not in shown
        assert "ttoli" not in shown


def seen_all(data, profile):
    """With the counters that make every byte rule look."""
    noisy = Counted({"framing": 9, "parity": 9, "overrun": 9, "break": 9})
    return explain([noisy, *[Spoken(True, data), Waited(2), Spoken(False, b"\x15")] * 5], profile)


@pytest.mark.parametrize("profile", [SERIAL, TCP])
@pytest.mark.parametrize("piece", [b"A" * 997, bytes(range(256)), b"\x02GI|RN1|\x03", b"\x06"])
def test_months_of_anything_take_no_more_memory_than_an_hour(profile, piece):
    examiner = Examiner(profile)
    examiner.take(Spoken(True, b"\x02"))

    def run(count):
        for number in range(count):
            examiner.take(Spoken(number % 7 != 0, piece))
            examiner.take(Waited(20))

    tracemalloc.start()
    try:
        run(400)  # more than the hour that counts
        gc.collect()
        after_hours, _ = tracemalloc.get_traced_memory()
        run(800)
        gc.collect()
        after_days, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after_days - after_hours < 50_000


# --- The small parts ------------------------------------------------------------------------


def test_a_tally_forgets_in_steps_and_keeps_the_latest_lines():
    tally = Tally(120.0)
    for second in range(0, 240, 10):
        tally.add(Mark.ECHO, second, show=partial(Evidence, second, str(second)))
    assert tally[Mark.ECHO] == BUCKETS
    assert [each.at for each in tally.evidence([Mark.ECHO])] == [210, 220, 230]
    tally.move(400.0)
    assert tally[Mark.ECHO] == 0
    assert tally.evidence([Mark.ECHO]) == ()
    tally.add(Mark.ECHO, 400.0, -3)
    assert tally[Mark.ECHO] == 0


def test_a_clock_goes_by_moments_and_by_pauses_and_never_back():
    clock = Clock()
    assert clock.moment(0.0) is None
    clock.wait(3)
    assert clock.to(1000.0) == 3
    assert clock.to(1001.5) == 4.5
    assert clock.to(1001.0) == 4.5  # told in another order
    assert clock.to(1002.0) == 5
    assert clock.to(10.0) == 5  # set back
    assert clock.to(11.0) == 6
    assert clock.to(float("nan")) == 6
    assert clock.moment(5.0) == 10.0


def sight_of(text, profile=SERIAL, note=None):
    """The sight after these lines, with one floor of notes only."""
    sight = Sight(profile, Tally(WITHIN_S))
    for step in parse(text):
        note_line(sight, step)
    for row in rows_of(parse(text), profile, names=True):
        if row.from_pms is not None and note is not None:
            note(sight, row)
    return sight


def with_record(note):
    def call(sight, row):
        note(sight, row, decode(row.data[1 : -1 - sight.profile.lrc], sight.profile.charset))

    return call


def test_notes_on_the_line_count_bytes_by_their_shape():
    sight = sight_of("pms> <FE>A<82><NUL>f")
    assert [sight[mark] for mark in (Mark.BYTES, Mark.HIGH_BYTES, Mark.TEXT_BYTES)] == [5, 2, 2]
    assert [sight[mark] for mark in (Mark.SKIPPED_BYTES, Mark.NUL_BYTES)] == [1, 1]
    assert sight[Mark.PAIRED_BYTES] == 3  # FE, 00 and 66


@pytest.mark.parametrize(
    ("turned", "mark"),
    [
        (0x03, Mark.CHECK_WITHOUT_ETX), (0x02, Mark.CHECK_WITH_STX), (0x01, Mark.CHECK_SHIFTED),
        (0xFF, Mark.CHECK_INVERTED), (0x40, Mark.CHECK_WRONG),
    ],
)  # fmt: skip
def test_notes_on_frames_say_how_a_check_byte_is_wrong(turned, mark):
    data = bytearray(write_frame(b"GI|RN101|", lrc=True))
    data[-1] ^= turned
    sight = sight_of(f"pms> {show_bytes(bytes(data))}\nclose", note=note_frames)
    assert (sight[mark], sight[Mark.BAD_CHECK], sight[Mark.GOOD]) == (1, 1, 0)


def test_a_good_frame_clears_what_spoke_against_the_settings():
    sight = sight_of(f"pms> <FE><FE>{frame('LA|', SERIAL)}\nclose", note=note_frames)
    assert (sight[Mark.BYTES], sight[Mark.SKIPPED_BYTES], sight[Mark.GOOD]) == (0, 0, 1)


def test_notes_on_the_link_compare_clocks_and_lose_patience():
    ours, theirs = frame("LS|DA260314|TI101500|", TCP), frame("LS|DA260314|TI131500|", TCP)
    sight = sight_of(f"gw > {ours}\npms> {theirs}", TCP, with_record(note_link))
    assert sight.link.clock_off_s == 3 * 3600 > CLOCK_OFF_S
    (found,) = [each for each in look_all(sight) if each.fault == "pms-clock-off"]
    assert "3 h ahead of ours" in found.words
    sight.link.resync_at = sight.now
    sight.clock.wait(10_000)
    note_late(sight)
    assert sight[Mark.RESYNC_UNENDED] == 1


def test_notes_on_records_guess_the_code_page_of_names():
    body = b"GI|RN1|G#1|GN%b|"
    for name, mark in ((b"M\xc3\xbcller", Mark.NAME_UTF8), (b"M\x81ller", Mark.NAME_DOS)):
        text = f"pms> {show_bytes(write_frame(body % name, lrc=False))}"
        assert sight_of(text, TCP, with_record(note_record))[mark] == 1
    text = f"pms> {show_bytes(write_frame(body % 'Müller'.encode('cp1252'), lrc=False))}"
    for charset, marks in (("cp1252", 0), ("utf-8", 1), ("cp850", 1), ("shift_jis", 0)):
        sight = sight_of(text, replace(TCP, charset=charset), with_record(note_record))
        assert sight[Mark.NAME_WINDOWS] == marks


def test_a_fault_is_one_row():
    assert all(isinstance(row, Fault) and row.rule.__name__ for row in FAULTS.values())


# --- A wrong speed, bit by bit --------------------------------------------------------------


def misread(sent, slower_by):
    """What a UART makes of bytes that come `slower_by` times slower than it reads: 8N1, sampled
    in the middle of each bit, a start bit is one that is still there in its middle."""
    bits = [bit for byte in sent for bit in (0, *(byte >> place & 1 for place in range(8)), 1)]
    length = 2 * slower_by  # of a sent bit, in half bits of the reader

    def level(at):
        return bits[int(at // length)] if at < len(bits) * length else 1

    read, at = bytearray(), 0
    while at < len(bits) * length:
        if level(at) or level(at + 1):
            at += 1
            continue
        read.append(sum(level(at + 3 + 2 * place) << place for place in range(8)))
        at += 19
        while not level(at):
            at += 1  # a framing error: the line must rest before the next start
    return bytes(read)


_SAYINGS = st.lists(
    st.integers(0, 235959).map(lambda at: f"LS|DA260314|TI{at:06}|".encode()),
    min_size=2,
    max_size=4,
)


@pytest.mark.parametrize(
    ("slower_by", "code"), [(2, "speed-half"), (4, "speed-quarter"), (0.5, "speed-double")]
)
@given(sayings=_SAYINGS)
@settings(deadline=None, max_examples=50)
def test_a_wrong_speed_is_known_by_what_a_uart_makes_of_it(slower_by, code, sayings):
    steps = [SERIAL.as_step(), Opened()]
    for body in sayings:
        for sent in (write_frame(body, lrc=True), b"\x05", b"\x05", b"\x05"):
            steps += [Spoken(True, misread(sent, slower_by)), Waited(3)]
    assert codes(explain(steps)) == [code]


def test_a_capture_that_begins_in_the_middle_of_a_well_link_shows_nothing():
    """What a service keeps of the last hour of a link that came up yesterday."""
    frame = show_bytes(write_frame(b"GI|RN101|G#1|GNRossi|GSN|", lrc=True))
    lines = [SERIAL_LINE]
    for minute in range(40):
        lines += [f"10:{minute:02}:00 pms> {frame}", f"10:{minute:02}:00.1 gw > <ACK>"]
        frame = show_bytes(write_frame(b"GI|RN101|G#%d|GNRossi|GSN|" % minute, lrc=True))
    assert explain(parse("\n".join(lines))) == []


def test_both_sides_that_call_in_the_same_second_are_no_plug():
    start = b"LS|DA260314|TI1015%02d|"
    lines = [SERIAL_LINE, "open"]
    for second in (0, 20):
        call = show_bytes(write_frame(start % second, lrc=True))
        lines += [
            f"10:15:{second:02} gw > {call}", f"10:15:{second:02}.1 pms> {call}",
            f"10:15:{second:02}.2 gw > <ACK>", f"10:15:{second:02}.2 pms> <ACK>",
            f"10:15:{second + 1:02} gw > {show_bytes(write_frame(b'LD|IFPB|', lrc=True))}",
            f"10:15:{second + 1:02}.1 pms> <ACK>",
        ]  # fmt: skip
        for record in (b"LR|RIGI|FLRN|", b"LR|RIGO|FLRN|"):
            lines += [f"10:15:{second + 2:02} gw > {show_bytes(write_frame(record, lrc=True))}",
                      f"10:15:{second + 2:02}.1 pms> <ACK>"]  # fmt: skip
    assert "loopback" not in [finding.fault for finding in explain(parse("\n".join(lines)))]


def test_a_pms_without_check_bytes_that_calls_when_we_do_is_no_plug():
    lines = [SERIAL_LINE, "open"]
    for second in range(0, 50, 10):
        body = b"LS|DA260314|TI1015%02d|" % second
        lines.append(f"10:15:{second:02} gw > {show_bytes(write_frame(body, lrc=True))}")
        lines.append(f"10:15:{second:02}.1 pms> {show_bytes(write_frame(body, lrc=False))}")
        lines.append(f"10:15:{second + 2:02} gw > <NAK>")
    first = explain(parse("\n".join(lines)))[0]
    assert first.fault == "no-check-byte"


def test_a_clock_that_is_an_hour_off_is_so_after_the_line_has_closed():
    lines = [
        SERIAL_LINE, "open",
        f"10:15:00 gw > {show_bytes(write_frame(b'LS|DA260314|TI101500|', lrc=True))}",
        "10:15:00.1 pms> <ACK>",
        f"10:15:01 pms> {show_bytes(write_frame(b'LS|DA260314|TI091501|', lrc=True))}",
        "10:15:01.1 gw > <ACK>", "10:15:02 close",
    ]  # fmt: skip
    (clock,) = [each for each in explain(parse("\n".join(lines))) if each.fault == "pms-clock-off"]
    assert "1 h behind" in clock.words
