"""Two gateways, one house: only one speaks, and the other one takes over what was acknowledged."""

import asyncio
import signal
import subprocess
import sys

import pytest

from gateway import logs
from gateway.store.lease import LET_GO_AFTER
from tests.story.pair import House

logs.set_up(quiet=True)


@pytest.fixture
def house(cluster, schema, tmp_path):
    return House(tmp_path, cluster.address, schema)


async def ready(house):
    """Both run, one of them is at work, and the PMS's link is up."""
    house.left.start()
    holder = await house.holder()
    assert holder is house.left
    house.right.start()
    async with asyncio.timeout(20):
        while await house.right.role() != "standby" or not await house.right.sees():
            await asyncio.sleep(0.05)
    await house.pms.link_up()
    return holder, house.right


async def command(name, gateway):
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "gateway", name, "--config", str(gateway.config)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.asyncio
async def test_one_works_and_the_other_shows_that_it_stands_by(house):
    async with house:
        holder, standby = await ready(house)
        links = house.pms.links
        answer = await standby.get("/readyz")
        assert (answer.status_code, answer.json()["role"]) == (503, "standby")
        assert (await standby.get("/healthz")).status_code == 200
        assert 'pmsgw_pair_role{role="standby"} 1.0' in (await standby.get("/metrics")).text
        assert "left" in (await standby.get("/")).text
        page = (await holder.get("/metrics")).text
        assert 'pmsgw_pair_role{role="holder"} 1.0' in page
        for _ in range(100):
            if "pmsgw_pair_standbys 1.0" in page:
                break
            await asyncio.sleep(0.1)
            page = (await holder.get("/metrics")).text
        assert "pmsgw_pair_standbys 1.0" in page
        house.pms.say(*house.hotel.check_in("101"))
        await house.agreed()
        assert house.pms.links == links == 1  # the standby has not dialled
        tried = await command("doctor", standby)
        assert "gateway left of this house" in tried.stdout
        assert house.pms.links == 1  # a second connection would have thrown the first one out
        told = await command("pair", standby)
        assert told.returncode == 0, told.stderr
        assert "left" in told.stdout
        assert "standby" in told.stdout


@pytest.mark.asyncio
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_the_other_one_takes_over_all_that_was_acknowledged(house, how):
    async with house:
        holder, standby = await ready(house)
        for room in ("101", "102"):
            house.pms.say(*house.hotel.check_in(room))
        await house.agreed()
        house.ucm.fail("drop", times=1000)  # what is accepted now, the UCM does not hear of
        house.pms.say(*house.hotel.check_in("103"))
        await house.pms.all_said()
        await asyncio.sleep(0.5)
        holder.signal(how)
        await asyncio.to_thread(holder.process.wait, 15)
        house.ucm.faults.clear()
        assert await house.holder() is standby
        await house.pms.link_up()
        house.pms.say(*house.hotel.check_out("101"))
        await house.agreed()
        holder.start()  # it comes back, and stands by
        async with asyncio.timeout(20):
            while await holder.role() != "standby":
                await asyncio.sleep(0.05)


@pytest.mark.asyncio
async def test_one_that_was_frozen_and_thaws_says_nothing_any_more(house):
    async with house:
        holder, standby = await ready(house)
        house.pms.say(*house.hotel.check_in("101"))
        await house.agreed()
        links = house.pms.links
        holder.signal(signal.SIGSTOP)
        assert await house.holder() is standby
        # The frozen one still has the PMS's line: the other one takes it when it has said LS.
        await house.until(lambda: house.pms.links > links)
        await house.pms.link_up()
        links, pid = house.pms.links, holder.process.pid
        house.pms.say(*house.hotel.check_in("102"))
        await house.agreed()
        holder.signal(signal.SIGCONT)
        async with asyncio.timeout(20):
            while await holder.role() != "standby":
                await asyncio.sleep(0.05)
        assert (holder.process.poll(), holder.process.pid) == (None, pid)  # the same, begun anew
        assert house.pms.links == links  # it has not dialled
        assert house.pms.complaints == []
        assert "lease_lost" in holder.log.read_text()


@pytest.mark.asyncio
async def test_without_the_database_nothing_is_acknowledged_and_it_goes_on(house, cluster):
    async with house:
        holder, _ = await ready(house)
        house.pms.say(*house.hotel.check_in("101"))
        await house.agreed()
        cluster.freeze()
        try:
            await asyncio.sleep(2.5 * house.lease_s)
            page = await holder.get("/")
            assert (page.status_code, "lease not renewed" in page.text) == (200, True)
            house.pms.say(*house.hotel.check_in("102"))
            await asyncio.sleep(1.0)
            assert not house.ucm.rooms.rooms["102"].is_in
        finally:
            cluster.thaw()
        await house.agreed()
        assert (await house.holder()) in (house.left, house.right)


@pytest.mark.asyncio
async def test_one_that_is_cut_off_from_the_database_for_long_lets_go_of_line_and_port(
    house, cluster
):
    """The PMS dials, or a device server takes one client: the other one could not come in."""
    async with house:
        holder, standby = await ready(house)
        house.pms.say(*house.hotel.check_in("101"))
        await house.agreed()
        cluster.freeze()
        try:
            async with asyncio.timeout((LET_GO_AFTER + 10) * house.lease_s):
                while await holder.role() != "standby":
                    await asyncio.sleep(0.05)
            assert "The database does not answer" in (await holder.get("/")).text
            assert not house.pms.is_up
        finally:
            cluster.thaw()
        house.pms.say(*house.hotel.check_in("102"))
        await house.agreed()
        assert (await house.holder()) in (holder, standby)
