"""The whole way over real sockets, files and certificates: one story per promise."""

import asyncio
import json
import ssl
import urllib.error
import urllib.request

import pytest

from gateway import logs
from gateway.demo import stage

logs.set_up(quiet=True)
ROOMS = ("101", "102", "103", "104", "105", "106")


def fetch(on, path):
    """A page of the gateway: its status and body."""
    url = f"http://127.0.0.1:{on.service.pages[0].port}{path}"
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


async def page(on, path):
    return await asyncio.to_thread(fetch, on, path)


async def until(condition, within_s=10.0):
    """Wait for something that another task brings about."""
    async with asyncio.timeout(within_s):
        while not await condition():
            await asyncio.sleep(0.02)


@pytest.mark.asyncio
@pytest.mark.parametrize("serial", [False, True], ids=["tcp", "serial"])
@pytest.mark.parametrize("old_api", [False, True], ids=["new", "old"])
async def test_random_days_end_with_every_room_as_the_pms_meant_it(tmp_path, serial, old_api):
    async with stage(tmp_path, serial=serial, old_api=old_api, rooms=ROOMS, seed=5) as on:
        for _ in range(40):
            on.pms.say(*on.hotel.random_deed())
        assert await on.settle() == []
        for _ in range(6):
            on.hotel.silent_deed()
        on.pms.say(*on.hotel.resync())
        assert await on.settle() == []
        assert on.pms.complaints == []


@pytest.mark.asyncio
async def test_a_pms_without_moves_keeps_the_mailbox_when_the_site_says_so(tmp_path):
    extra = "infer_moves_s = 5\n"
    async with stage(tmp_path, rooms=ROOMS, extra=extra) as on:
        on.pms.say("GI|RN101|G#1|GNRossi|GSN|")
        await on.pms.all_said()
        await until(lambda: asyncio.sleep(0, on.ucm.rooms.rooms["101"].is_in))
        on.ucm.rooms.leave_message("101")
        on.pms.say("GO|RN101|G#1|GSN|", "GI|RN102|G#1|GNRossi|GSN|")
        await until(lambda: asyncio.sleep(0, on.ucm.rooms.rooms["102"].is_in))
        assert on.ucm.rooms.rooms["102"].messages == 1
        assert not on.ucm.rooms.rooms["101"].is_in


@pytest.mark.asyncio
async def test_a_cut_cable_and_a_rebooting_ucm_cost_nothing(tmp_path):
    async with stage(tmp_path, serial=False, rooms=ROOMS, seed=9) as on:
        for turn in range(8):
            on.pms.say(*on.hotel.random_deed(), *on.hotel.random_deed())
            await on.pms.all_said()  # TCP without ACK may lose what dies in a socket
            await asyncio.sleep(0.05)
            if turn % 2:
                on.pms.cut()
            else:
                on.ucm.reboot()
                on.ucm.fail("drop", times=2)
        assert await on.settle() == []
        assert on.pms.links >= 3


@pytest.mark.asyncio
async def test_a_changed_certificate_stops_the_calls_and_nothing_is_lost(tmp_path):
    from gateway.simulators.certificate import write_certificate

    async with stage(tmp_path, rooms=ROOMS) as on:
        port = int(on.ucm_url.split(":")[2].split("/")[0])
        await until(lambda: asyncio.sleep(0, on.ucm.logins > 0))
        await on.ucm.stop()
        calls = len(on.ucm.journal)
        await on.ucm.start(write_certificate(tmp_path, name="THIEF"), port=port)
        on.pms.say("GI|RN101|G#1|GNRossi|GSN|")
        await on.pms.all_said()

        async def certificate_refused(value):
            return f"pmsgw_ucm_certificate_refused {value}" in (await page(on, "/metrics"))[1]

        # A UCM that was away for a moment is told first: what is waited for is the refusal.
        await until(lambda: certificate_refused("1.0"))
        assert len(on.ucm.journal) == calls  # not one request byte
        assert not on.service.reach.is_up
        assert (await page(on, "/readyz"))[0] == 503
        await on.ucm.stop()
        own = next(path for path in tmp_path.glob("ucm6304-*.pem"))
        await on.ucm.start(own, port=port)
        await until(lambda: asyncio.sleep(0, on.ucm.rooms.rooms["101"].is_in))
        assert await certificate_refused("0.0")


@pytest.mark.asyncio
async def test_health_and_metrics_tell_which_part_is_well(tmp_path):
    async with stage(tmp_path, rooms=ROOMS) as on:
        await on.pms.link_up()

        async def ready():
            return (await page(on, "/readyz"))[0] == 200

        await until(ready)
        on.pms.say("GI|RN101|G#1|GNRossi|GSN|", "ZZ|RN1|", "GI|GNVerdi|")
        await until(lambda: asyncio.sleep(0, on.ucm.rooms.rooms["101"].is_in))
        status, body = await page(on, "/healthz")
        assert (status, json.loads(body)["outbox"]["ok"]) == (200, True)
        _, metrics = await page(on, "/metrics")
        for line in (
            'pmsgw_build_info{site="demo-hotel",version="0.1.0"} 1.0',
            "pmsgw_link_up 1.0",
            "pmsgw_ucm_up 1.0",
            'pmsgw_records_total{direction="in",record="GI"} 1.0',
            'pmsgw_records_refused_total{reason="no_room"} 1.0',
            'pmsgw_guest_events_total{event="check_in"} 1.0',
            'pmsgw_rooms{state="occupied"} 1.0',
            'pmsgw_outbox_entries{lane="to_ucm",state="waiting"} 0.0',
            'pmsgw_ucm_logins_total{result="ok"} 1.0',
        ):
            assert line in metrics, line
        for name in ("pmsgw_line_bytes_total", "pmsgw_link_transitions_total", "pmsgw_ucm_request_seconds",
                     "pmsgw_outbox_commit_seconds", "pmsgw_delivery_seconds", "pmsgw_last_record_timestamp_seconds",
                     "pmsgw_ucm_certificate_expiry_timestamp_seconds", "pmsgw_outbox_oldest_waiting_seconds"):  # fmt: skip
            assert name in metrics, name
        for secret in ("Rossi", "Verdi", on.ucm.settings.password, on.ucm.settings.pms_password):
            assert secret not in metrics + body
        on.pms.cut()

        async def down():
            return (await page(on, "/readyz"))[0] == 503

        await until(down)


@pytest.mark.asyncio
async def test_a_room_the_ucm_does_not_know_is_parked_and_the_others_go_on(tmp_path):
    async with stage(tmp_path, rooms=ROOMS) as on:
        on.pms.say("GI|RN999|G#9|GNRossi|GSN|", "GI|RN101|G#1|GNMeyer|GSN|")
        await until(lambda: asyncio.sleep(0, on.ucm.rooms.rooms["101"].is_in))

        async def all_told():
            outbox = (await on.service.status())["outbox"]
            return (outbox["waiting"], outbox["parked"]) == (0, 1)

        await until(all_told)
        assert [view.room for view in on.service.outbox.views(["parked"])] == ["999"]


@pytest.mark.asyncio
async def test_a_start_of_the_pms_in_the_middle_of_the_day_is_no_outage(tmp_path):
    async with stage(tmp_path, rooms=ROOMS) as on:
        await on.pms.link_up()
        on.pms.start_again()
        await asyncio.sleep(0.05)
        assert on.service.pump.session.is_up
        await on.pms.link_up()
        on.pms.say("GI|RN101|G#1|GNRossi|GSN|")
        await until(lambda: asyncio.sleep(0, on.ucm.rooms.rooms["101"].is_in))


def test_the_simulated_ucm_speaks_real_tls(tmp_path):
    from gateway.simulators.certificate import fingerprint_of, write_certificate

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(write_certificate(tmp_path))
    assert fingerprint_of(next(iter(tmp_path.glob("*.pem")))).startswith("sha256:")


@pytest.mark.asyncio
async def test_a_full_disk_is_told_and_nothing_is_lost_when_there_is_space_again(tmp_path):
    async with stage(tmp_path, rooms=ROOMS) as on:
        await on.pms.link_up()
        await until(lambda: asyncio.sleep(0, on.service.reach.is_up))
        database = on.service.store.store.engine._db
        database.pragma("max_page_count", database.pragma("page_count"))
        on.pms.say(f"GI|RN101|G#1|GN{'x' * 7000}|GSN|", "GI|RN102|G#2|GNMeyer|GSN|")

        async def ill():
            return (await page(on, "/healthz"))[0] == 503

        await until(ill)
        assert not on.ucm.rooms.rooms["101"].is_in
        database.pragma("max_page_count", 100_000)
        await until(lambda: asyncio.sleep(0, on.ucm.rooms.rooms["102"].is_in))
        assert on.ucm.rooms.rooms["101"].is_in

        async def well():
            return (await page(on, "/healthz"))[0] == 200

        await until(well)
