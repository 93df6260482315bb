"""The primary's machine is gone and its replica is promoted: the pair goes on with all that it has
acknowledged.
"""

import asyncio
import signal

import pytest

from gateway import logs
from tests.postgres import Cluster
from tests.story.pair import House

logs.set_up(quiet=True)


@pytest.fixture
def servers():
    """A primary, and a replica without whose word nothing is confirmed."""
    primary = Cluster()
    replica = Cluster(copy_of=primary)
    primary.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
    primary.sql("SELECT pg_reload_conf()")
    yield primary, replica
    replica.remove()
    primary.remove()


@pytest.mark.asyncio
@pytest.mark.timeout(120)
async def test_what_was_acknowledged_is_at_the_promoted_replica(servers, tmp_path):
    primary, replica = servers
    url = (
        f"postgresql://pmsgw@127.0.0.1:{primary.port},127.0.0.1:{replica.port}/postgres"
        "?target_session_attrs=read-write&connect_timeout=2"
    )
    house = House(tmp_path, url, "replicated", lease_s=2.0, ack=True)
    async with house:
        house.left.start()
        await house.holder()
        await house.pms.link_up()
        for room in ("101", "102"):
            house.pms.say(*house.hotel.check_in(room))
        await house.agreed()
        house.ucm.fail("drop", times=1000)  # it is acknowledged, and the UCM does not hear of it
        house.pms.say(*house.hotel.check_in("103"))
        await house.pms.all_said()
        primary.stop(signal.SIGKILL)
        house.pms.say(*house.hotel.check_out("101"))  # not acknowledged: it is said again
        await asyncio.sleep(1)
        replica.sql("ALTER SYSTEM SET synchronous_standby_names = ''")  # it is alone now
        await asyncio.to_thread(replica.promote)
        replica.sql("SELECT pg_reload_conf()")
        house.ucm.faults.clear()
        await house.agreed(40)
        assert (await house.holder()) is house.left
        assert house.pms.complaints == []
