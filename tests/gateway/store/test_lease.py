"""The lease of a pair: it is taken when it was not renewed, and nobody holds one that is not his."""

import threading
import time

import pytest

from gateway.store import StorageFailed, Store
from gateway.store.lease import STANDBY, Held, Lease, Seat, Watch
from gateway.store.postgres import PostgresStore


@pytest.fixture
def seats(cluster, schema):
    Store(PostgresStore(cluster.url, schema)).close()
    made = [Seat(cluster.url, schema, name, 1.0, "1") for name in ("left", "right")]
    yield made
    for seat in made:
        seat.close()


def test_a_lease_is_taken_when_it_was_not_renewed_for_its_time_by_our_own_clock():
    now = [100.0]
    watch = Watch(10.0, lambda: now[0])
    assert not watch.saw(Held("left", 1, 1))
    now[0] += 9.9
    assert not watch.saw(Held("left", 1, 1))
    now[0] += 0.2
    assert watch.saw(Held("left", 1, 1))
    assert not watch.saw(Held("left", 1, 2))  # it was renewed after all
    now[0] += 9.0
    assert not watch.saw(Held("left", 2))  # or taken anew


def test_one_that_nobody_holds_is_taken_at_once_and_a_fresh_watcher_waits_otherwise():
    assert Watch(10.0).saw(Held("", 3))
    assert not Watch(10.0).saw(Held("left", 3, 77))


def test_one_that_comes_back_alone_takes_its_own_lease_over_when_it_has_ended(seats):
    """After a power failure of both; its own signs of life are no renewal."""
    left, _ = seats
    left.take(left.look(STANDBY)[0])
    now = [100.0]
    watch = Watch(1.0, lambda: now[0])
    assert not watch.saw(left.look(STANDBY)[0])
    now[0] += 0.5
    assert not watch.saw(left.look(STANDBY)[0])
    now[0] += 0.6
    held, _ = left.look(STANDBY)
    assert watch.saw(held)
    assert left.take(held) == 2


def test_one_of_the_same_name_does_not_take_it_over_while_it_is_renewed(seats, cluster, schema):
    left, _ = seats
    twin = Seat(cluster.url, schema, "left", 1.0, "1")
    left.take(left.look(STANDBY)[0])
    now = [100.0]
    watch = Watch(1.0, lambda: now[0])
    for _ in range(5):
        left.renew(1)
        assert not watch.saw(twin.look(STANDBY)[0])
        now[0] += 5
    twin.close()


def test_one_of_two_that_take_it_at_once_has_it(seats):
    left, right = seats
    held, _ = left.look(STANDBY)
    assert held == Held("", 0)
    assert (left.take(held), right.take(held)) == (1, None)
    assert right.look(STANDBY)[0] == Held("left", 1)


def test_a_renewal_between_look_and_take_keeps_the_lease(seats):
    left, right = seats
    left.take(left.look(STANDBY)[0])
    held, _ = right.look(STANDBY)
    assert left.renew(1) is not None
    assert right.take(held) is None
    held, _ = right.look(STANDBY)
    assert right.take(held) == 2
    assert left.renew(1) is None  # it is not his any more


def test_who_hands_over_is_followed_at_once(seats):
    left, right = seats
    left.take(left.look(STANDBY)[0])
    left.release(1)
    held, _ = right.look(STANDBY)
    assert Watch(10.0).saw(held)
    assert right.take(held) == 2
    left.release(1)  # late, and without effect
    assert right.renew(2) is not None


def test_a_held_lease_is_renewed_and_says_until_when_something_may_be_begun(seats):
    left, _ = seats
    sent_at = time.monotonic()
    lease = Lease(left, left.take(left.look(STANDBY)[0]), lambda: None)
    lease.begin(sent_at)
    first = lease.until
    assert first == sent_at + 0.5
    deadline = time.monotonic() + 20
    while lease.until == first and time.monotonic() < deadline:
        time.sleep(0.02)
    assert lease.until > first
    lease.release()
    assert lease.until == 0.0


def test_who_has_lost_it_hears_of_it_and_his_transactions_are_refused(seats, cluster, schema):
    left, right = seats
    lost = threading.Event()
    lease = Lease(left, left.take(left.look(STANDBY)[0]), lost.set)
    store = Store(PostgresStore(cluster.url, schema, guard=lease.guard))
    store.try_write()
    right.take(right.look(STANDBY)[0])
    with pytest.raises(StorageFailed, match="taken the house over"):
        store.try_write()
    lease.begin(time.monotonic())
    assert lost.wait(20)
    assert lease.until == 0.0
    store.close()


def test_a_transaction_that_stands_still_does_not_hold_up_the_take_over(seats, cluster, schema):
    """A process that was frozen in the middle of one: the server ends it."""
    left, right = seats
    left.take(left.look(STANDBY)[0])
    frozen = PostgresStore(cluster.url, schema)
    with frozen.reading() as db:
        db.execute("BEGIN")
        db.execute("SELECT epoch FROM lease WHERE id = 1 FOR SHARE")
        held, _ = right.look(STANDBY)
        deadline = time.monotonic() + 30
        epoch = None
        while epoch is None and time.monotonic() < deadline:
            try:
                epoch = right.take(held)
            except StorageFailed:
                continue  # it waits for the lock, and for no longer than half a lease
        assert epoch == 2
    frozen.close()


def test_the_holder_sees_who_could_take_over(seats):
    left, right = seats
    lease = Lease(left, left.take(left.look(STANDBY)[0]), lambda: None)
    right.look(STANDBY)
    lease.saw(left.renew(1))
    assert lease.standbys() == ["right"]
    assert sorted(each.name for each in lease.members) == ["left", "right"]
    assert lease.trouble == "the database does not answer"  # it was never renewed
    lease.until = time.monotonic() + 60
    assert lease.trouble == ""
    deadline = time.monotonic() + 20
    while lease.standbys() and time.monotonic() < deadline:
        time.sleep(0.1)
        lease.saw(left.renew(1))
    assert lease.standbys() == []  # it gives no sign of life


def test_a_database_that_counts_its_epochs_again_has_one_holder_all_the_same(
    seats, cluster, schema
):
    """It was restored, or a replica was promoted that lacked the last commit."""
    left, right = seats
    epoch = left.take(left.look(STANDBY)[0])
    cluster.sql(f"UPDATE {schema}.lease SET holder = '', epoch = 0")
    assert right.take(right.look(STANDBY)[0]) == epoch
    assert left.renew(epoch) is None
    assert right.renew(epoch) is not None
    store = Store(PostgresStore(cluster.url, schema, guard=Lease(left, epoch, print).guard))
    with pytest.raises(StorageFailed, match="taken the house over"):
        store.try_write()
    store.close()
    left.release(epoch)  # it is not ours to give
    assert right.renew(epoch) is not None


def test_a_server_that_stands_still_is_a_failure_and_not_a_wait(seats, cluster):
    left, _ = seats
    left.look(STANDBY)
    cluster.freeze()
    try:
        with pytest.raises(StorageFailed):
            left.look(STANDBY)
    finally:
        cluster.thaw()
    left.look(STANDBY)


def test_a_lease_that_is_not_in_the_database_is_a_failure_and_no_end(seats, cluster, schema):
    left, _ = seats
    lease = Lease(left, left.take(left.look(STANDBY)[0]), print)
    cluster.sql(f"ALTER TABLE {schema}.lease RENAME TO away")
    cluster.sql(f"CREATE TABLE {schema}.lease (LIKE {schema}.away)")
    lease.begin(time.monotonic())
    until(lambda: "has lost its lease" in lease.trouble)
    cluster.sql(f"DROP TABLE {schema}.lease")
    cluster.sql(f"ALTER TABLE {schema}.away RENAME TO lease")
    until(lambda: not lease.trouble)
    lease.release()


def until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_one_that_is_told_to_stop_does_not_begin_anew(seats, cluster, schema):
    """It hears that it has lost the lease while it hands over."""
    _, right = seats
    lost = threading.Event()

    class Stopped(Seat):
        def renew(self, epoch):
            told = super().renew(epoch)
            lease._stop.set()
            return told

    left = Stopped(cluster.url, schema, "left", 1.0, "1")
    lease = Lease(left, left.take(left.look(STANDBY)[0]), lost.set)
    right.take(right.look(STANDBY)[0])
    lease.begin(time.monotonic())
    lease._thread.join(20)
    assert lease._stop.is_set()
    assert not lost.is_set()
    left.close()
