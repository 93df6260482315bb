"""The dissector, as a real tshark runs it, on captures as we export them."""

import json
import os
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from gateway.scope import export, pcapng, wireshark
from gateway.scope.profile import LineProfile
from protocols.fias.fields import FIELDS
from protocols.fias.framing import write_frame
from protocols.fias.records import RECORDS
from protocols.transcript import Closed, Counted, Modem, Opened, Remarked, Spoken

SCRIPT = Path(__file__, "../../../../deploy/wireshark/fias.lua").resolve()
SERIAL = LineProfile("serial:/dev/ttyUSB0,9600,8n1")
TCP = LineProfile("tcp:10.0.0.5:5010", lrc=False, ack=False)
AT = 1_773_479_700.125
FRAME = write_frame(b"GI|RN101|G#4711|GNRossi|GSN|ZZ1|", lrc=True)
DAMAGED = FRAME[:-1] + bytes([FRAME[-1] ^ 1])

STEPS = [
    SERIAL.as_step(AT),
    Opened("serial:/dev/ttyUSB0", at=AT),
    Modem({"CTS": True, "DSR": False, "DCD": True, "RTS": True}, at=AT + 0.1),
    Spoken(True, FRAME[:7], at=AT + 1),
    Spoken(True, FRAME[7:-1], at=AT + 1.001),
    Spoken(True, FRAME[-1:] + b"\x05", at=AT + 1.000_001),
    Spoken(False, b"\x06" + write_frame(b"LA|DA260314|TI101500|", lrc=True), at=AT + 1.25),
    Remarked("pulled the plug", at=AT + 2),
    Modem({"CTS": False, "DSR": True}, at=AT + 2.1),
    Counted({"framing": 2}, at=AT + 2.2),
    Spoken(True, DAMAGED + b"\xf8\xf9", at=AT + 3),
    Spoken(True, b"\x02GI|" + write_frame(b"LS|", lrc=True), at=AT + 3.5),
    Closed("lost", at=AT + 4),
]


@pytest.fixture(scope="module")
def run_tshark(tmp_path_factory):
    program = shutil.which("tshark")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("CI needs tshark: apt-get install tshark")
        pytest.skip("tshark is not installed; CI has it")
    folder = tmp_path_factory.mktemp("wireshark")

    def run(capture, *options):
        file = folder / "capture"
        file.write_bytes(capture)
        command = [program, "-r", str(file), "-X", f"lua_script:{SCRIPT}", *options]
        # Its own folder: what the user of this machine has installed is not ours to test.
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=100, check=False,
            env={**os.environ, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "TZ": "UTC"},
        )  # fmt: skip
        said = [line for line in done.stderr.splitlines() if "Running as user" not in line]
        assert (done.returncode, said) == (0, [])
        return done.stdout

    return run


def columns(run_tshark, capture, *names, options=()):
    fields = [word for name in names for word in ("-e", name)]
    told = run_tshark(capture, "-T", "fields", "-E", "separator=/t", *fields, *options)
    return [tuple(line.split("\t")) for line in told.splitlines()]


def test_records_rooms_answers_and_check_bytes_are_named(run_tshark):
    rows = columns(
        run_tshark, export.to_pcapng(STEPS), "fias.sender", "fias.record", "fias.record.name",
        "fias.room", "fias.field.G_number", "fias.field.GN", "fias.field.unknown", "fias.control",
        "fias.lrc.status",
    )  # fmt: skip
    assert [row for row in rows if any(row)] == [
        ("pms", "", "", "", "", "", "", "", ""),
        ("pms", "", "", "", "", "", "", "", ""),
        ("pms", "GI", "guest in", "101", "4711", "Xxxxx", "ZZ9", "ENQ", "1"),
        ("gw", "LA", "link alive", "", "", "", "", "ACK", "1"),
        ("pms", "GI", "guest in", "101", "4711", "xxxxx", "ZZ1", "", "0"),
        ("pms", "LS", "link start", "", "", "", "", "", "1"),
    ]
    rows = columns(run_tshark, export.to_pcapng(STEPS, names=True), "fias.field.GN")
    assert [row[0] for row in rows if row[0]] == ["Rossi", "Rossi"]


def test_moments_handshake_lines_events_and_comments_are_there(run_tshark):
    rows = columns(
        run_tshark, export.to_pcapng(STEPS), "frame.time_epoch", "rtacser.timestamp",
        "rtacser.eventtype", "rtacser.cts", "rtacser.dsr", "rtacser.rts", "frame.comment",
    )  # fmt: skip
    rows = [(*row, *[""] * (7 - len(row))) for row in rows]
    assert [row[0] for row in rows] == [f"{step.at:.6f}000" for step in STEPS]
    assert all(row[0] == row[1] for row in rows)
    assert [int(row[2], 16) for row in rows] == [0, 0, 0, 2, 2, 2, 1, 0, 0, 7, 2, 2, 0]
    assert [row[3] for row in rows] == ["0"] * 2 + ["1"] * 6 + ["0"] * 5
    assert [row[4] for row in rows] == ["0"] * 8 + ["1"] * 5
    assert [row[5] for row in rows] == ["0"] * 2 + ["1"] * 6 + ["0"] * 5
    assert [row[6] for row in rows if row[6]] == [
        "line serial:/dev/ttyUSB0,9600,8n1 lrc=on ack=on charset=cp1252",
        "open serial:/dev/ttyUSB0", "modem CTS+ DSR- DCD+ RTS+", "# pulled the plug",
        "modem CTS- DSR+", "errors framing+2", "close lost",
    ]  # fmt: skip


def test_damage_is_found_by_filters_and_the_packet_list_speaks(run_tshark):
    capture = export.to_pcapng(STEPS)
    told = run_tshark(capture, "-Y", "fias.lrc.status == 0 or fias.unfinished")
    assert [line.split("pms> ")[1] for line in told.splitlines()] == [
        "GI 101 [check byte does not fit], [stray bytes]", "[unfinished], LS"
    ]  # fmt: skip
    told = run_tshark(capture, "-2", "-T", "json", "-Y", "fias.room == 101")
    layers = [packet["_source"]["layers"] for packet in json.loads(told)]
    assert [each["fias"]["fias"]["fias.field.GN"] for each in layers] == [
        "Xxxxx",
        "xxxxx",
    ]
    assert layers[0]["frame"]["frame.interface_id_tree"]["frame.interface_description"] == (
        "lrc=on ack=on charset=cp1252"
    )


def test_a_capture_of_a_line_without_check_bytes_says_so_itself(run_tshark):
    frames = write_frame(b"GI|RN101|", lrc=False) + write_frame(b"GO|RN102|", lrc=False)
    capture = export.to_pcapng([Spoken(True, frames)], TCP)
    assert columns(run_tshark, capture, "fias.record", "fias.room", "fias.lrc") == [
        ("GI,GO", "101,102", "")
    ]


def test_the_serial_reading_can_be_switched_off(run_tshark):
    capture = export.to_pcapng(STEPS)
    told = run_tshark(capture, "-o", "fias.serial:FALSE", "-T", "fields", "-e", "data.len")
    assert str(len(FRAME) - 8) in told.split()
    assert "5" in run_tshark(capture, "-o", "fias.charset:UTF-8", "-c", "5")


def tcp_capture(*segments):
    """A pcap of raw IP packets (link type 101) from 10.0.0.5:5010."""
    written, sequence = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 101), 1
    for number, data in enumerate(segments):
        tcp = struct.pack(">HHIIBBHHH", 5010, 40_000, sequence, 1, 0x50, 0x18, 8192, 0, 0) + data
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), number, 0, 64, 6, 0,
                         bytes([10, 0, 0, 5]), bytes([10, 0, 0, 6]))  # fmt: skip
        packet = ip + tcp
        written += (
            struct.pack("<IIII", 1_773_479_700 + number, 0, len(packet), len(packet)) + packet
        )
        sequence += len(data)
    return written


@pytest.mark.parametrize("lrc", [False, True])
def test_fias_over_tcp_by_decode_as_over_segments(run_tshark, lrc):
    frame = write_frame(b"GI|RN101|GNRossi|", lrc=lrc)
    capture = tcp_capture(frame + frame[:9], frame[9:])
    rows = columns(
        run_tshark, capture, "fias.record", "fias.room",
        options=["-d", "tcp.port==5010,fias", "-o", f"fias.tcp_lrc:{str(lrc).upper()}"],
    )  # fmt: skip
    assert rows == [("GI", "101"), ("GI", "101")]


def test_the_tables_of_the_script_are_current():
    script = SCRIPT.read_text(encoding="utf-8")
    assert wireshark.renewed(script) == script, "python -m gateway.scope.wireshark " + str(SCRIPT)
    tables = script.partition(wireshark.BEGIN)[2].partition(wireshark.END)[0]
    assert all(f'["{each}"]' in tables for each in (*RECORDS, *FIELDS))


def test_wireshark_knows_a_filter_for_every_field(run_tshark):
    words = {"#": "_number", "+": "_plus", "$": "_track"}
    names = ["".join(words.get(letter, letter) for letter in each).lstrip("_") for each in FIELDS]
    assert {"G_number", "G_plus", "plus0", "track1"} <= set(names)
    either = " or ".join(f"fias.field.{name}" for name in names)
    told = run_tshark(export.to_pcapng(STEPS), "-Y", either, "-T", "fields", "-e", "frame.number")
    assert told.split() == ["6", "7", "11"]


def test_a_script_without_marks_is_not_touched():
    with pytest.raises(ValueError, match="tables: begin"):
        wireshark.renewed("-- nothing\n")


def test_what_tshark_reads_we_read_too():
    assert pcapng.read(export.to_pcapng(STEPS, names=True)) == (STEPS, SERIAL)


def test_messages_of_a_mitel_line_are_named_with_their_rooms(run_tshark):
    profile = LineProfile("serial:/dev/ttyUSB0,9600,8n1", lrc=False, protocol="mitel")
    steps = [
        profile.as_step(AT),
        Spoken(True, b"\x05", at=AT + 1),
        Spoken(True, b"\x02CHK1   101\x03", at=AT + 1.1),
        Spoken(True, b"\x02NAM1 ROSSI,ANNA             101\x03", at=AT + 1.2),
        Spoken(False, b"\x06", at=AT + 1.3),
        Spoken(False, b"\x02STS3 101  \x03", at=AT + 2),
        Spoken(True, b"\x02GRS       \x03", at=AT + 3),
        Spoken(True, b"\x02AREYUTHERE\x03\x02MW 1 2129\x03", at=AT + 4),
    ]
    rows = columns(
        run_tshark, export.to_pcapng(steps), "fias.record", "fias.record.name", "fias.room",
        "fias.control",
    )  # fmt: skip
    assert [(*row, "", "", "")[:4] for row in rows if any(row)] == [
        ("", "", "", "ENQ"),
        ("CHK1", "check in", "101", ""),
        ("NAM", "name", "101", ""),
        ("", "", "", "ACK"),
        ("STS", "maid status", "101", ""),
        ("GRS", "resync begins", "", ""),
        ("AREYUTHERE,MW", "are you there?,message lamp", "2129", ""),
    ]
