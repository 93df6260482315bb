"""The desk at a line for charges: it tells no guests, and the night audit is the house's."""

import asyncio

import pytest

from gateway.pipeline.desk import ChargesDesk
from gateway.pipeline.reports import Ear, Reports
from protocols.fias import normalize
from tests.gateway.pipeline.test_intake import desk, said, value


@pytest.mark.asyncio
async def test_it_believes_the_night_audit_and_nothing_of_guests(tmp_path):
    async with desk(tmp_path) as intake:
        ear = Ear(
            normalize,
            Reports(intake.clock, intake.metrics, intake.metrics.guests),
            is_for_charges=True,
        )
        charges = ChargesDesk(intake, ear)
        guest = "GI|RN101|G#1|GNRossi|"
        await charges.take(said(guest, "GO|RN102|G#2|", "NS|DA260314|TI030000|"), ())
        await asyncio.sleep(0)  # what is counted is counted behind the answer
        assert not intake.house.rooms
        assert charges.ledger.night_audit
        assert value(intake, "pmsgw_remarks_total", remark="no_use") == 2
        assert await charges.void_resync() is False
        await intake.take(said(guest))  # the same bytes over the right line are no repeat
        assert intake.house.rooms["101"].guests
