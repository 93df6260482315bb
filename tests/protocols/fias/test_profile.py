"""What a site can choose of its line, and what the PMS is asked to send."""

from protocols.fias import FiasProfile
from protocols.fias.codec import encode
from protocols.fias.profile import WANTED


def test_the_description_lists_every_mandatory_field():
    wanted = {each.wanted: set(each.fields) for each in WANTED}
    assert {"GI", "GO", "GC", "RE", "WR", "WC", "NS", "NE"} == set(wanted)
    for record_id in ("GI", "GO", "GC"):
        assert {"RN", "G#", "GS"} <= wanted[record_id]
    assert "RO" in wanted["GC"]
    assert {"RN", "DA", "TI"} == wanted["WR"] == wanted["WC"]


def test_the_description_asks_for_these_fields():
    assert [encode(each) for each in WANTED] == [
        b"LR|RIGI|FLRNG#GNGFGLGVGAGDGSSFCS|", b"LR|RIGO|FLRNG#GSSF|",
        b"LR|RIGC|FLRNG#GNGFGLGVGAGDGSCSRO|", b"LR|RIRE|FLRNCSDNRS|", b"LR|RIWR|FLRNDATI|",
        b"LR|RIWC|FLRNDATI|", b"LR|RINS|FLDATI|", b"LR|RINE|FLDATI|",
    ]  # fmt: skip


def test_a_site_without_a_word_of_its_own_speaks_like_most():
    serial_line, tcp = FiasProfile(), FiasProfile.for_tcp()
    assert (serial_line.charset, serial_line.lrc, serial_line.ack) == ("cp1252", True, True)
    assert (serial_line.pacing_s, serial_line.driver_version) == (0.5, "1.0")
    assert (tcp.lrc, tcp.ack, tcp.gap_s > serial_line.gap_s) == (False, False, True)
