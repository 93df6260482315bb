"""The way to the UCM and back: replies that are lost, certificates, no secret in an error."""

import pytest

from gateway.drivers.base import (
    Outcome,
    Rejected,
    Unreachable,
)
from gateway.drivers.calls import (
    CheckOut,
)
from gateway.drivers.ucm.api import pms_token
from gateway.drivers.ucm.https import TlsSettings, Trust
from gateway.simulators.certificate import write_certificate
from tests.gateway.drivers.ucm.bench import ANNA, BOTH, OTTO, bench, pinned

# --- The way there and back ---


@pytest.mark.asyncio
@BOTH
@pytest.mark.parametrize(
    ("fault", "kind", "done"),
    [("drop", "reset", True), ("reset", "reset", False), ("html", "http", False),
     ("empty", "body", False), ("half", "reset", True), ("hang", "timeout", False),
     ("drip", "timeout", True)],
)  # fmt: skip
async def test_a_lost_reply_is_an_outage_and_the_call_may_have_been_done(
    tmp_path, old, fault, kind, done
):
    async with bench(tmp_path, old=old, timeout_s=0.7) as on:
        await on.driver.probe()
        on.ucm.fail(fault, action="checkin")
        with pytest.raises(Unreachable) as lost:
            await on.check_in(ANNA)
        assert (lost.value.kind, lost.value.sent) == (kind, True)
        assert on.room().is_in is done
        answer = await on.check_in(ANNA)
        assert answer.outcome is (Outcome.ALREADY_IN if done else Outcome.DONE)
        assert on.room().lastname == "Rossi"


@pytest.mark.asyncio
async def test_garbage_behind_a_good_reply_is_forgiven(tmp_path):
    async with bench(tmp_path) as on:
        on.ucm.fail("garbage", action="checkin")
        await on.check_in(ANNA)
        assert on.room().is_in


@pytest.mark.asyncio
async def test_a_ucm_that_is_not_there_was_sent_nothing(tmp_path):
    async with bench(tmp_path) as on:
        await on.ucm.stop()
        with pytest.raises(Unreachable) as lost:
            await on.check_in(ANNA)
        assert (lost.value.kind, lost.value.sent) == ("reset", False)


@pytest.mark.asyncio
@pytest.mark.parametrize("shape", "ABCDEF")
async def test_failures_are_understood_in_every_shape(tmp_path, shape):
    async with bench(tmp_path, shape=shape) as on:
        await on.check_in(OTTO)
        assert (await on.check_in(ANNA)).outcome is Outcome.ALREADY_IN
        assert (await on.apply(CheckOut(room="102"))).outcome is Outcome.NOT_IN
        with pytest.raises(Rejected) as parked:
            await on.check_in(ANNA, "999")
        assert (on.room().account, parked.value.code) == ("4712", 18)


# --- Certificates ---


@pytest.mark.asyncio
async def test_a_changed_certificate_gets_no_request(tmp_path):
    async with bench(tmp_path, tls=pinned(write_certificate(tmp_path, name="OTHER"))) as on:
        with pytest.raises(Unreachable) as changed:
            await on.check_in(ANNA)
        assert (changed.value.kind, changed.value.sent) == ("tls", False)
        assert "sha256:" in str(changed.value)
        assert on.ucm.journal == []


@pytest.mark.asyncio
async def test_a_pin_works_on_an_expired_certificate_and_its_end_is_known(tmp_path):
    pem = write_certificate(tmp_path, days=-1)
    async with bench(tmp_path, pem=pem) as on:
        await on.check_in(ANNA)
        assert on.peer.certificate_ends is not None
        assert b"pmsgw_ucm_certificate_expiry_timestamp_seconds 1." in on.metrics.expose()


@pytest.mark.asyncio
async def test_an_authority_must_have_signed_it(tmp_path):
    async with bench(tmp_path, tls=TlsSettings(trust=Trust.CA)) as on:
        with pytest.raises(Unreachable) as unknown:
            await on.check_in(ANNA)
        assert unknown.value.kind == "tls"
        assert on.ucm.journal == []


@pytest.mark.asyncio
async def test_insecure_takes_any_certificate(tmp_path):
    async with bench(tmp_path, tls=TlsSettings(trust=Trust.INSECURE)) as on:
        await on.check_in(ANNA)
        assert on.room().is_in


@pytest.mark.asyncio
async def test_no_secret_and_no_name_is_in_an_error(tmp_path):
    async with bench(tmp_path, old=True, timeout_s=0.4) as on:
        texts = []
        for fault in ("hang", "reset", "html", "empty"):
            on.ucm.faults.clear()
            on.ucm.fail(fault, times=-1)
            with pytest.raises(Unreachable) as lost:
                await on.check_in(ANNA)
            texts.append(repr(lost.value) + str(lost.value))
        token = pms_token(on.ucm.settings.pms_username, on.ucm.settings.pms_password)
        for secret in ("Rossi", "Anna", token, on.ucm.settings.password):
            assert secret not in "".join(texts)
