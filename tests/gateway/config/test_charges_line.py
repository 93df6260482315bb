"""[charges_line]: what goes over it, how it is spoken, and each mistake about it."""

from pathlib import Path

import pytest

from tests.gateway.config.test_config import MINIMAL, config_of, mistakes

EXAMPLE = Path(__file__, "../../../../deploy/tariff.toml").resolve().read_text(encoding="utf-8")
PORT = 'line = "serial:/dev/ttyUSB1,9600,8n1"\n'


def charged(folder, text):
    """Mitel for the guests, and this for the charges."""
    (folder / "tariff.toml").write_text(EXAMPLE)
    return MINIMAL.replace("[pms]", '[pms]\nprotocol = "mitel"') + text


@pytest.mark.parametrize(
    ("protocol", "how", "settled"),
    [
        ("fias", "priced", (True, True, {"charge"})),
        ("fias", "timed", (True, True, {"charge"})),
        ("holidex", "priced", (True, True, {"charge"})),
        ("hobic", "priced", (False, False, {"charge"})),
        ("smdr", "timed", (False, False, {"charge"})),
    ],
)
def test_charges_go_over_a_line_of_their_own_where_there_is_one(tmp_path, protocol, how, settled):
    text = f'[back]\ncharges = "{how}"\n[charges_line]\nprotocol = "{protocol}"\n{PORT}'
    config = config_of(tmp_path, charged(tmp_path, text))
    line = config.charges
    assert (line.lrc, line.ack, line.says) == settled
    assert (line.kinds, config.guests.kinds) == ({"call"}, frozenset())


def test_what_the_charges_line_has_no_word_for_stays_with_the_guests(tmp_path):
    text = (
        f'[back]\ncharges = "timed"\nminibar = "articles"\nvoicemail = true\n'
        f'[charges_line]\nprotocol = "%s"\n{PORT}'
    )
    fias = config_of(tmp_path, MINIMAL + text % "fias")
    assert (fias.charges.kinds, fias.guests.kinds) == ({"call", "minibar"}, {"voicemail"})
    smdr = config_of(tmp_path, MINIMAL + text % "smdr")
    assert (smdr.charges.kinds, smdr.guests.kinds) == ({"call"}, {"minibar", "voicemail"})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (f"[charges_line]\n{PORT}", 'charges_line: nothing goes over it; say back.charges = "priced" or "timed"'),
        (f'[back]\ncharges = "timed"\n[charges_line]\nprotocol = "holidex"\n{PORT}',
         'back.charges: holidex takes calls with a price; say "priced"'),
        (f'[back]\ncharges = "priced"\n[charges_line]\nprotocol = "smdr"\n{PORT}',
         'back.charges: smdr takes calls without a price; say "timed"'),
        (f'[back]\ncharges = "timed"\n[charges_line]\nprotocol = "mitel"\n{PORT}',
         "charges_line.protocol = 'mitel': expected one of fias, holidex, hobic, smdr"),
        ('[back]\ncharges = "timed"\n[charges_line]\nprotocol = "smdr"\n', "charges_line.line: missing"),
        ('[back]\ncharges = "timed"\n[charges_line]\nline = "tcp:10.0.0.5:5010"\n',
         "charges_line.line: is that of the guests too; it needs one of its own"),
        (f'[back]\ncharges = "timed"\nminibar = "total"\n[charges_line]\nprotocol = "smdr"\n{PORT}',
         "back.minibar: a PMS that speaks mitel cannot be told of it; switch it off"),
        (f'[back]\ncharges = "timed"\n[charges_line]\nproperty = "HOTEL"\n{PORT}', "charges_line.property = 'HOTEL'"),
    ],
)  # fmt: skip
def test_a_mistake_about_the_charges_line_has_its_sentence(tmp_path, text, sentence):
    found = mistakes(tmp_path, charged(tmp_path, text))
    assert any(each.startswith(sentence) for each in found), found


def test_a_charge_port_is_no_line_of_guests(tmp_path):
    text = MINIMAL.replace("[pms]", '[pms]\nprotocol = "hobic"')
    assert mistakes(tmp_path, text) == ["pms.protocol = 'hobic': expected one of fias, mitel"]


def test_a_tariff_without_two_decimals_does_not_fit_into_a_costed_record(tmp_path):
    text = f'[back]\ncharges = "priced"\n[charges_line]\nprotocol = "hobic"\n{PORT}'
    text = charged(tmp_path, text)
    house = '[house]\ncountry = "JP"\narea = "3"\ncurrency = "JPY"\ndecimals = 0\n'
    (tmp_path / "tariff.toml").write_text(
        house + '[[rate]]\nname = "all"\nstep_s = 60\nstep = "9"\n'
    )
    (found,) = mistakes(tmp_path, text)
    assert found == "tariff.file: hobic has two decimals, and this tariff 0"
