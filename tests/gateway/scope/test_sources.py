"""Anything a technician has, as steps."""

import subprocess

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.scope import dumps, export, pastes
from gateway.scope.profile import LineProfile
from gateway.scope.rows import rows_of
from gateway.scope.sources import MAX_BYTES, UnreadableSource, has_check_bytes, read
from protocols.checksums import lrc
from protocols.fias.framing import write_frame
from protocols.transcript import Opened, Settings, Spoken

BODY = b"GI|RN101|G#4711|GNM\xfcller|GSN|"
CHECKED = write_frame(BODY, lrc=True)
PLAIN = write_frame(BODY, lrc=False)
AT = 1_773_479_700.125


def said(capture):
    return b"".join(step.data for step in capture.steps if isinstance(step, Spoken))


def tool(*command, data=CHECKED):
    return subprocess.run(command, input=data, capture_output=True, check=True).stdout


# --- Captures of ours ---


STEPS = [
    LineProfile("serial:/dev/ttyS0,9600,8n1", ack=False, charset="cp1250").as_step(AT),
    Opened("serial:/dev/ttyS0", at=AT),
    Spoken(True, CHECKED, at=AT + 1),
    Spoken(False, b"\x06", at=AT + 1.25),
]


@pytest.mark.parametrize(
    ("how", "written"),
    [
        ("notation", export.to_notation(STEPS, names=True).encode()),
        ("json", export.to_json_lines(STEPS, names=True).encode()),
        ("pcapng", export.to_pcapng(STEPS, names=True)),
    ],
)
def test_what_is_exported_is_read_with_its_profile(how, written):
    capture = read(written)
    assert (capture.format, capture.steps) == (how, STEPS)
    assert capture.profile == LineProfile(
        "serial:/dev/ttyS0,9600,8n1", lrc=True, ack=False, charset="cp1250"
    )
    assert capture.has_directions


def test_check_bytes_by_option_win_over_the_source():
    capture = read(export.to_json_lines(STEPS).encode(), lrc=False)
    assert capture.profile.lrc is False
    assert capture.steps[0].values["lrc"] == "off"


def test_notation_without_speakers_with_moments_records_and_a_bad_line():
    text = "# paste\n10:15:00 <STX>LS|<ETX>\nGI|RN1|\nhello\n<XYZ><STX>\npms> <ABC>\n<ACK>\n"
    capture = read(text.encode())
    assert (capture.format, capture.has_directions) == ("notation", False)
    assert said(capture) == b"\x02LS|\x03\x02GI|RN1|\x03\x06"
    assert capture.steps[0].at == 36_900
    assert [sentence.split(":")[0] for sentence in capture.left_out] == [
        "line 4",
        "line 5",
        "line 6",
    ]


def test_an_unknown_code_page_of_a_file_is_ours():
    capture = read(b"line tcp:1.2.3.4:5 charset=klingon lrc=off ack=on\npms> <STX>LS|<ETX>\n")
    assert capture.profile == LineProfile("tcp:1.2.3.4:5", lrc=False)
    assert capture.steps[0].values["charset"] == "cp1252"


def test_what_a_file_does_not_say_of_its_line_its_bytes_say():
    capture = read(b"line tcp:1.2.3.4:5\npms> <STX>LS|<ETX>\n", "cp850")
    assert capture.profile == LineProfile("tcp:1.2.3.4:5", lrc=False, ack=False, charset="cp850")
    assert capture.steps[0] == Settings(
        "tcp:1.2.3.4:5", {"lrc": "off", "ack": "off", "charset": "cp850"}
    )
    capture = read(b"line x ack=off\npms> <STX>GI|<ETX><71>\n")
    assert (capture.profile.lrc, capture.profile.ack) == (True, False)


# --- Bytes and dumps ---


def test_raw_bytes_and_what_they_show_of_the_line():
    capture = read(CHECKED * 2)
    assert (capture.format, capture.has_directions) == ("bytes", False)
    assert (capture.profile.lrc, capture.profile.ack) == (True, True)
    capture = read(PLAIN * 2)
    assert (capture.profile.lrc, capture.profile.ack) == (False, False)
    assert read(PLAIN + b"\x06").profile.ack
    assert has_check_bytes([CHECKED, b"\x06"])


def test_a_line_read_with_the_wrong_parity_is_bytes_too():
    assert read(bytes.fromhex("82 C7 C9 FC D2 4E B1 30 B1 FC 03")).format == "bytes"
    assert read(b"\x06\x15").format == "bytes"


@pytest.mark.parametrize(
    "dump",
    [
        tool("xxd"),
        tool("xxd", "-u", "-g1"),
        tool("hexdump", "-C"),
        CHECKED.hex(" ").encode(),
        CHECKED.hex(" ").upper().encode(),
        CHECKED.hex().encode(),
        ",".join(f"0x{byte:02X}" for byte in CHECKED).encode(),
        ", ".join(f"0x{byte:02x}" for byte in CHECKED).encode() + b",\n",
        "".join(f"\\x{byte:02x}" for byte in CHECKED).encode(),
        CHECKED[:16].hex("-").encode() + b"\r\n" + CHECKED[16:].hex("-").encode(),
    ],
)
def test_every_dump_gives_its_bytes(dump):
    capture = read(dump)
    assert (capture.format, said(capture), capture.has_directions) == ("dump", CHECKED, False)
    assert capture.profile.lrc


def test_a_dump_with_labels_has_directions_and_the_records_say_which():
    lines = f"TX: {CHECKED[:9].hex(' ')}\nTX: {CHECKED[9:].hex(' ')}\nRX: 06\n"
    capture = read(lines.encode())
    assert capture.steps == [Spoken(True, CHECKED), Spoken(False, b"\x06")]


def test_a_dump_that_leaves_rows_out_says_so():
    capture = read(tool("hexdump", "-C", data=PLAIN + b"\0" * 64 + PLAIN))
    assert capture.left_out[0].startswith("line 4: '*' stands for")


SOCAT = """\
< 2026/03/14 10:15:00.125000  length=11 from=0 to=10
 02 47 49 7c 52 4e 31 30 31 7c 03                 .GI|RN101|.
--
> 2026/03/14 10:15:00.250000  length=1 from=0 to=0
 06                                               .
--
< 2026/03/14 10:15:01 length=2 from=0 to=0
"""


def test_socat_tells_moments_and_directions_and_the_records_say_who_is_the_pms():
    capture = read(SOCAT.encode())
    assert capture.format == "socat"
    assert capture.steps == [
        Spoken(True, b"\x02GI|RN101|\x03", at=1_773_483_300.125),
        Spoken(False, b"\x06", at=1_773_483_300.25),
    ]
    assert capture.left_out == ("line 7: 2 bytes are told and 0 found: run socat with -x",)
    assert (capture.profile.lrc, capture.profile.ack) == (False, True)


# --- Terminals and pastes ---

HEADER = "=~=~=~=~=~=~=~=~=~=~=~= PuTTY log 2026.03.14 10:15:00 =~=~=~=~=~=~=~=~=~=~=~=\r\n"


@pytest.mark.parametrize(
    "shown",
    [
        "^BGI|RN101|^C^F^E",
        "␂GI|RN101|␃␆␅",
        "☻GI|RN101|♥♠♣",
        "[STX]GI|RN101|[ETX][ACK][05]",
        r"\x02GI|RN101|\x03\x06\x05",
    ],
)
def test_control_bytes_as_terminals_show_them(shown):
    capture = read(f"{HEADER}{shown[:8]}\r\n\x1b[32m{shown[8:]}\r\n".encode())
    assert (capture.format, said(capture)) == ("terminal", b"\x02GI|RN101|\x03\x06\x05")
    assert capture.steps[0] == Opened("a log of PuTTY", at=1_773_483_300.0)


def test_a_paste_of_little_but_faces_is_text():
    assert said(read("☻LS|♥".encode())) == b"\x02LS|\x03"


def test_a_log_with_its_control_bytes_is_bytes_without_the_header():
    assert said(read(HEADER.encode() + CHECKED)) == CHECKED


def test_records_whose_control_bytes_are_lost_many_on_a_line():
    text = f"{HEADER}GI|RN101|GNNESS|7GO|RN102|GC|RN103|RNS|x\r\n10:15:00 RE|RN1|\r\nLS\r\nhm\r\n"
    capture = read(text.encode())
    assert capture.format == "records"
    assert [step.data[1:-1] for step in capture.steps[1:]] == [
        b"GI|RN101|GNNESS|", b"GO|RN102|", b"GC|RN103|RNS|", b"RE|RN1|", b"LS"
    ]  # fmt: skip
    assert capture.steps[4].at == 36_900
    assert capture.left_out == ("line 5: no record (a record has bars, as GI|RN101|)",)
    assert not read(b"GI|RN101|\n", lrc=True).profile.lrc


def test_code_pages_of_files():
    assert said(read("GI|GNMüller|".encode())) == b"\x02GI|GNM\xfcller|\x03"
    assert said(read("GI|GNMüller|".encode("utf-16"))) == b"\x02GI|GNM\xfcller|\x03"
    assert said(read(b"GI|GNM\x81ller|", "cp850")) == b"\x02GI|GNM\x81ller|\x03"


# --- Refusals and bounds ---


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "nothing of a line"),
        (b"good morning\n", "nothing of a line"),
        (b"x" * (MAX_BYTES + 1), "at once"),
        (b"\xd4\xc3\xb2\xa1....", "save it in Wireshark as pcapng"),
        (b"\x1f\x8b\x08", "unpack"),
        (b"{\n", "line 1: no JSON"),
        (b'{"step": "spoken", "from": "us"}', "line 1: no step"),
        (b'{"step": "spoken", "from": "pms", "hex": "zz"}', "line 1: "),
        (b'{"a":' + b"[" * 100_000, "line 1: "),
        (b'{"step": "open", "words": 1}', "line 1: 'words' is missing"),
        (b'{"step": "open", "words": "", "at": 1e999}', "line 1: 'at'"),
        (b'{"step": "modem", "lines": {"CTS\\n": true}}', "line 1: 'lines'"),
        (b'{"step": "modem", "lines": {"CTS": 1}}', "line 1: 'lines'"),
        (b"\x0a\x0d\x0d\x0a", "no interface of the type RTAC Serial"),
    ],
)
def test_what_is_refused_is_refused_with_a_sentence(data, words):
    with pytest.raises(UnreadableSource, match=words):
        read(data)


LINES = ["pms> ", "gw > ", "<STX>", "GI|RN1|", "02 4", "0x02,", "00000000: 0247", "^B", "{", "\x02",
         "> 2026/03/14 10:15:00 length=3 from=0", "\n", " ", "|", "*", "10:15:00 ", "9999-12-31T23:59 ",
         "=~=~=~", "\\x02", "now+ 1", "line x charset=utf-7 ", "modem CTS+", "☻", "é", "\x1b[", "#"]  # fmt: skip


@given(
    st.one_of(
        st.binary(max_size=200), st.lists(st.sampled_from(LINES)).map(lambda x: "".join(x).encode())
    )
)
@example(export.to_pcapng(STEPS)[:-7])
@example(b"0001-01-01T00:00:00+23:59 pms> <ACK>")
@example(b"9999-12-31T23:59:59-23:59 pms> <ACK>")
@example("²|\n".encode())
def test_any_bytes_are_steps_that_can_be_shown_or_are_refused(data):
    try:
        capture = read(data)
    except UnreadableSource:
        return
    export.to_notation(capture.steps, profile=capture.profile)
    export.to_json_lines(capture.steps)
    export.to_pcapng(capture.steps)


@given(st.data())
def test_a_damaged_pcapng_is_read_or_refused(data):
    written = bytearray(export.to_pcapng(STEPS))
    for at in data.draw(st.lists(st.integers(0, len(written) - 1), max_size=4)):
        written[at] = data.draw(st.integers(0, 255))
    try:
        read(bytes(written))
    except UnreadableSource:
        pass


@pytest.mark.parametrize(
    "unit",
    ["1", " ", "\n", "|", "|GI", "GI|", "02 ", "0x", "02\n", "^B", "<", "pms> ", "10:15:00 ", "=~",
     "[", "\\x02", "\x1b[", "-", ",", "*\n", "<STX>", "00000000: ", "{", "\x02", "\x03", "a\x02",
     "é", "> 2026/03/14 10:15:00 length=3 from=0\n"],
)  # fmt: skip
def test_the_work_grows_with_the_length(unit):
    """Were it to grow with its square, the suite's patience with a test would not be enough."""
    for tail in ("", "\nGI|RN1|", "x"):
        try:
            read((unit * (60_000 // len(unit)) + tail).encode())
        except UnreadableSource:
            pass


def test_the_readers_take_only_what_is_theirs():
    for text in ("GI|RN1|", "hello", ""):
        assert dumps.read_dump(text, "cp1252") is None
        assert dumps.read_socat(text, "cp1252") is None
        assert pastes.read_terminal(text, "cp1252") is None
        assert pastes.read_notation(text, "cp1252") is None


@pytest.mark.parametrize(
    "pasted",
    [
        "[2026-11-26 10:00:00] [app] raw message: WR|RN0330|DA261127|",
        "Jul  9 11:55:00 pbx fias[812]: RX WR|RN0330|DA261127|",
        "<Buffer 02 57 52 7c 52 4e 30 33 33 30 7c 44 41 32 36 31 31 32 37 7c 03>",
        "[02]WR|RN0330|DA261127|[03]",
        '{"level":"info","msg":"\\u0002WR|RN0330|DA261127|\\u0003"}',
        "<- <STX>WR|RN0330|DA261127|<ETX>",
    ],
)
def test_what_programs_print_of_a_line_is_read(pasted):
    (step,) = read(pasted.encode()).steps
    assert step.data == b"\x02WR|RN0330|DA261127|\x03"


COSTED = "0001 HTL 03/01  7110 10:54 0002 $003.47 805-688-1000 L"
RAW = " 08/02 14:12  00:00:24 402   9   14155550187                 T074               "


@pytest.mark.parametrize(
    ("data", "protocol"),
    [
        (f"{COSTED}\n{COSTED}\n".encode(), "hobic"),
        (f"\r\n{RAW}\r\n".encode(), "smdr"),
        (f"\n{COSTED}\r\n\x06".encode(), "hobic"),
        (b"\x05\x02" + COSTED.encode() + b"\x03" + bytes([lrc(COSTED.encode() + b"\x03")]), "holidex"),
        (b"\x05\x02CHK1   101\x03\x06", "mitel"),
    ],
)  # fmt: skip
def test_another_dialect_is_known_by_its_records(data, protocol):
    capture = read(data)
    assert capture.profile.protocol == protocol
    spoken = [row for row in rows_of(capture.steps, capture.profile) if row.kind == "record"]
    assert spoken


def test_lines_that_are_not_all_call_records_are_no_line():
    with pytest.raises(UnreadableSource):
        read(f"{COSTED}\nhello\n".encode())
