"""Charges over a line of their own: in each form, and when that line is dead."""

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from gateway import logs
from gateway.line import ListenSpec, opener_for
from gateway.simulators.cable import PtyOpener
from gateway.simulators.charge_port import NO_ANSWER, YES, ChargePort
from gateway.simulators.pms import PmsSimulator
from tests.story.test_way_back import hotel, later, until, until_async

logs.set_up(quiet=True)
TARIFF = Path(__file__, "../../../deploy/tariff.toml").resolve().read_text(encoding="utf-8")
CALL = "00447911123456"


@asynccontextmanager
async def port(tmp_path, protocol, *, serial=False, extra="", tariff=TARIFF):
    """A hotel whose charges go over a port, and who sits at its other end."""
    (tmp_path / "tariff.toml").write_text(tariff, encoding="utf-8")
    if serial:
        opener = PtyOpener()
        line = f"serial:{opener.path},9600,8n1"
    else:
        opener = opener_for(ListenSpec("127.0.0.1", 0))
        await opener.listen()
        line = f"tcp:127.0.0.1:{opener.port}"
    if protocol == "fias":
        other = PmsSimulator(opener=opener, lrc=serial, ack=serial)
    else:
        other = ChargePort(opener, protocol)
    charges = "timed" if protocol == "smdr" else "priced"
    section = f'[charges_line]\nprotocol = "{protocol}"\nline = "{line}"\n{extra}'
    async with hotel(tmp_path, charges=charges, extra=section) as on:
        playing = asyncio.create_task(other.run())
        try:
            charges = on.service.metrics.lines["charges"]
            await until(lambda: charges.link_up._value.get() == 1)  # before anything is said
            yield on, other
        finally:
            playing.cancel()
            await opener.close()


def rows(on):
    """All postings, by the state of each."""
    store = on.service.store
    return store(type(store.store).postings, ("booked", "unconfirmed", "unknown", "held",
                                              "refused", "waiting", "sent"), 100)  # fmt: skip


async def ended(on, state):
    async def is_so():
        return [row.state for row in await rows(on)] == [state]

    await until_async(is_so)


@pytest.mark.asyncio
@pytest.mark.parametrize("serial", [False, True], ids=["tcp", "serial"])
@pytest.mark.parametrize(
    ("protocol", "extra", "state"),
    [
        ("holidex", "", "booked"),
        ("hobic", "", "unconfirmed"),
        ("hobic", "ack = true\n", "booked"),
        ("smdr", "", "unconfirmed"),
    ],
)
async def test_a_call_is_a_record_on_the_port(tmp_path, protocol, extra, state, serial):
    async with port(tmp_path, protocol, extra=extra, serial=serial) as (on, other):
        on.ucm.phones.call("101", CALL, talk_s=125)
        later(on, 60)
        await ended(on, state)
        (record,) = other.heard
        assert b" 101 " in record
        assert CALL[:12].encode() in record
        if protocol != "smdr":
            assert b" 0003 $" in record
        assert other.complaints == []
        assert on.pms.cashier.heard == []  # nothing over the line of the guests
        page = on.service.metrics.expose().decode()
        assert 'pmsgw_link_up{line="charges"} 1.0' in page
        assert 'pmsgw_link_up{line="guests"} 1.0' in page
        assert 'pmsgw_records_total{direction="out",line="charges",record="CALL"} 1.0' in page
        counted = f'pmsgw_postings_total{{kind="call",result="{state}"}} 1.0'
        assert counted in page


@pytest.mark.asyncio
@pytest.mark.parametrize("serial", [False, True], ids=["tcp", "serial"])
async def test_a_second_link_of_fias_says_that_it_is_for_call_accounting(tmp_path, serial):
    async with port(tmp_path, "fias", serial=serial) as (on, other):
        on.ucm.phones.call("101", CALL, talk_s=125)
        later(on, 60)
        await ended(on, "booked")
        (booked,) = other.cashier.booked
        assert (booked.room, booked.posting_type, booked.total) == ("101", "C", 170)
        assert other.cashier.complaints == other.complaints == []
        assert on.pms.cashier.heard == []
        assert (other.interface, on.pms.interface) == ("CA", "PB")
        other.say("GI|RN102|G#9|GNStray|GSN|")  # not this link's business
        other.say("NS|DA260314|TI030000|")
        await until(lambda: on.service.house.ledger.night_audit)
        assert not on.ucm.rooms.rooms["102"].is_in


@pytest.mark.asyncio
async def test_a_dead_port_holds_back_nothing_else(tmp_path):
    async with port(tmp_path, "holidex") as (on, other):
        other.enquiry = NO_ANSWER
        on.ucm.phones.call("101", CALL, talk_s=61)
        later(on, 60)
        await until_async(lambda: has_state(on, "sent"))
        on.pms.say("GI|RN102|G#7|GNNext|GSN|")
        await until(lambda: on.ucm.rooms.rooms["102"].is_in)
        other.enquiry = YES
        await ended(on, "booked")
        assert len(other.heard) == 1


async def has_state(on, state):
    return state in [row.state for row in await rows(on)]


@pytest.mark.asyncio
async def test_a_record_without_an_answer_is_unknown_and_never_said_again(tmp_path):
    async with port(tmp_path, "hobic", extra="ack = true\n") as (on, other):
        other.answer = lambda _: NO_ANSWER
        on.ucm.phones.call("101", CALL, talk_s=61)
        later(on, 60)
        await ended(on, "unknown")
        other.cut()
        await until(lambda: other.links == 2 and on.service.pumps["charges"].session.is_up)
        other.answer = lambda _: YES
        on.ucm.phones.call("101", CALL, talk_s=61)
        later(on, 60)
        await until_async(lambda: has_state(on, "booked"))
        assert len(other.heard) == 2


@pytest.mark.asyncio
async def test_a_sum_that_is_wider_than_the_column_waits_for_a_human(tmp_path):
    dear = TARIFF.replace('"250.00"', '"9999.00"')
    async with port(tmp_path, "hobic", tariff=dear) as (on, other):
        later(on, 3600 * 12)
        on.ucm.phones.call("101", "0013125550111", talk_s=60 * 700)
        later(on, 60)
        await ended(on, "held")
        (row,) = await rows(on)
        assert row.reason == "too_dear: its price is above 999.99, which the column does not hold"
        assert other.heard == []


@pytest.mark.asyncio
async def test_the_console_shows_both_lines_and_which_is_down(tmp_path):
    async with port(tmp_path, "holidex") as (on, other):
        base = f"http://127.0.0.1:{on.service.pages[0].port}"

        async def page(path):
            return await asyncio.to_thread(lambda: httpx.get(base + path, trust_env=False).text)

        assert "Line of the charges" in await page("/")
        assert "holidex" in await page("/line?line=charges")
        await other.opener.close()
        other.cut()
        await until(lambda: not on.service.pumps["charges"].session.is_up)
        now = await page("/")
        assert "The line of the charges" in now
        assert "is not open" in now
        ready = await asyncio.to_thread(lambda: httpx.get(f"{base}/readyz", trust_env=False))
        assert (ready.status_code, ready.json()["line of the charges"]["ok"]) == (200, False)
        assert "none of guests, charges" in await page("/line?line=bar")
