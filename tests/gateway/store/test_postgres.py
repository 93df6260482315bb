"""PostgreSQL as the engine: what it refuses, what it survives, and that nothing is guessed."""

import signal
import subprocess
import tempfile
import threading
from pathlib import Path

import psycopg
import pytest

from gateway.store import Batch, Heard, Refused, StorageCorrupt, StorageFailed, Store
from gateway.store.postgres import PostgresStore, address_of
from gateway.store.postgres_schema import statements
from gateway.store.schema import CREATE, CREATE_BACK, VERSION
from tests.gateway.store.rows import batch, heard
from tests.postgres import Cluster


@pytest.fixture
def store(cluster, schema):
    store = Store(PostgresStore(cluster.url, schema))
    yield store
    store.close()


def again(store):
    return Store(PostgresStore(store.engine.url, store.engine.schema))


def test_the_schema_of_sqlite_is_read_as_its_own():
    words = " ".join((*statements(CREATE), *statements(CREATE_BACK)))
    for foreign in ("STRICT", "WITHOUT ROWID", "AUTOINCREMENT", "BLOB", "REAL", "--"):
        assert foreign not in words
    assert "number BIGINT PRIMARY KEY" in " ".join(words.split())  # not a counter


def test_many_sites_share_a_database(cluster, schema):
    one, other = (Store(PostgresStore(cluster.url, f"{schema}_{each}")) for each in "ab")
    one.put(batch("101"))
    assert set(one.load().rooms) == {"101"}
    assert other.load().rooms == {}
    for each in (one, other):
        each.close()


def test_two_that_make_the_schema_at_once_find_one(cluster, schema):
    failures = []

    def make():
        try:
            Store(PostgresStore(cluster.url, schema)).close()
        except StorageFailed as error:
            failures.append(error)

    threads = [threading.Thread(target=make) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_connection_that_an_administrator_ends_is_opened_anew(store, cluster):
    store.put(batch("101"))
    ended = cluster.sql(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = %s",
        f"pms-gateway {store.engine.schema}",
    )
    assert ended == [(1,)]
    with pytest.raises(StorageFailed) as failed:
        store.put(batch("102"))
    assert "no record is acknowledged" in failed.value.do
    assert store.writes() == 1
    store.put(batch("102"))
    assert set(store.load().rooms) == {"101", "102"}


def test_a_transaction_that_is_ended_in_the_middle_leaves_nothing(store, cluster):
    with pytest.raises(StorageFailed), store.transaction() as db:
        store.put(batch("101"))
        cluster.sql("SELECT pg_terminate_backend(%s)", db.raw.info.backend_pid)
        store.put(batch("102"))
    assert (store.load().rooms, store.writes()) == ({}, 0)


def test_a_text_with_a_nul_is_kept_and_shown_to_have_one(store):
    store.put(Batch(rooms={"1": Heard(house="{}", cause=("GI|\x00|", 1.0, False))}))
    store.keep_refused([Refused(at=1.0, reason="grammar", body=b"\x00\xff", advice="a\x00b")])
    assert store.load().rooms["1"].record == "GI|\u2400|"
    assert store.refused()[0].body == b"\x00\xff"


def test_a_value_that_no_column_takes_is_our_own_fault(store):
    with pytest.raises(TypeError):
        store.put(Batch(rooms={"1": Heard(house=object())}))
    store.put(batch("101"))


def test_a_damaged_one_is_not_set_aside_as_the_lease_is_in_it(schema):
    """With its lease beginning again at nobody's, two gateways would hold the house."""
    own = Cluster()
    try:
        store = Store(PostgresStore(own.url, schema))
        store.put(batch("101"))
        (path,) = own.sql(f"SELECT pg_relation_filepath('{schema}.room')")[0]
        own.stop()
        with (own.data / path).open("r+b") as file:
            file.write(b"\xff" * 24)  # the header of its first page
        own.start()
        store.close()
        with pytest.raises(StorageFailed, match="is damaged") as failed:
            store.load()
        assert not isinstance(failed.value, StorageCorrupt)
        assert failed.value.do.startswith("restore the database")
        with pytest.raises(StorageFailed, match="is damaged"):
            store.engine.begin_anew()
        assert not store.engine.made_way()
        assert own.sql(f"SELECT epoch FROM {schema}.lease") == [(0,)]
        store.close()
    finally:
        own.remove()


def test_a_newer_schema_is_refused(store, cluster):
    cluster.sql(f'UPDATE "{store.engine.schema}".schema_version SET version = %s', VERSION + 1)
    with pytest.raises(StorageFailed, match="newer version"):
        again(store)


def test_who_only_reads_writes_nothing_and_makes_nothing(store, cluster):
    store.put(batch("101"))
    reader = Store(PostgresStore(cluster.url, store.engine.schema, read_only=True))
    assert set(reader.load().rooms) == {"101"}
    with pytest.raises(StorageFailed):
        reader.put(batch("102"))
    reader.close()
    with pytest.raises(StorageFailed, match="holds no house"):
        PostgresStore(cluster.url, f"{store.engine.schema}_none", read_only=True)


def test_a_guard_stops_a_transaction_before_it_begins(cluster, schema):
    def guard(db):
        raise StorageFailed("another gateway has taken the house over")

    store = Store(PostgresStore(cluster.url, schema, guard=guard))
    with pytest.raises(StorageFailed, match="taken the house over"):
        store.put(batch("101"))
    assert store.load().rooms == {}
    store.close()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://pmsgw:secret@db1,db2:5433/hotels", "postgresql://db1,db2/hotels"),
        ("host=/run/postgresql user=me", "postgresql:///run/postgresql/me"),
    ],
)
def test_an_address_is_shown_without_its_password(url, shown):
    assert address_of(url) == shown


@pytest.fixture
def strict():
    """A server with few connections and with users, one of whom may do little."""
    server = Cluster(["max_connections = 6", "superuser_reserved_connections = 3"])
    server.sql("CREATE USER low PASSWORD 'x'")
    server.sql("REVOKE CREATE ON DATABASE postgres FROM PUBLIC")
    yield server
    server.remove()


def let_in(server, *lines):
    (server.data / "pg_hba.conf").write_text("\n".join(("local all all trust", *lines, "")))
    server.reload()


def refusal(address):
    """What is said of it, and what to do."""
    with pytest.raises(StorageFailed) as failed:
        PostgresStore(address, "site")
    return str(failed.value), failed.value.do


def test_a_server_that_lets_nobody_in_says_what_to_do(strict):
    low = strict.url.replace("user=pmsgw", "user=low")
    assert "GRANT CREATE" in refusal(low)[1]
    assert "right user and password" in refusal(low.replace("user=low", "user=nobody"))[1]
    assert "createdb" in refusal(strict.url.replace("dbname=postgres", "dbname=none"))[1]
    held = [psycopg.connect(low) for _ in range(3)]
    assert "raise max_connections" in refusal(low)[1]
    for each in held:
        each.close()
    let_in(strict, "host all all 127.0.0.1/32 scram-sha-256")
    said, remedy = refusal(f"{low} password=secret-word")
    assert "right user and password" in remedy
    assert "secret-word" not in said
    let_in(strict)
    assert "let this machine's address in" in refusal(low)[1]
    assert "mend the name of the host" in refusal("host=no.such.invalid user=x dbname=y")[1]


def test_no_server_is_a_sentence_without_a_password():
    with pytest.raises(StorageFailed) as failed:
        PostgresStore("postgresql://pmsgw:secret@127.0.0.1:1/x", "site")
    assert "secret" not in str(failed.value)
    assert "does the server run" in failed.value.do


def test_a_servers_log_tells_of_a_failed_statement_without_the_guests_in_it(store, cluster):
    schema = store.engine.schema
    cluster.sql(f"ALTER TABLE {schema}.room ADD CONSTRAINT refused CHECK (room <> '101')")
    with pytest.raises(StorageFailed, match="refused") as failed:
        store.put(batch("101"))
    assert "Rossi" not in f"{failed.value} {failed.value.do}"
    log = (cluster.folder / "log").read_text().split("refused", 1)[1]
    assert "STATEMENT:  INSERT INTO room" in log
    assert "Rossi" not in log.split("STATEMENT:  INSERT INTO room")[1]


@pytest.fixture
def small_disk():
    """A file system of 160 MB; skipped where nobody may mount one."""
    with tempfile.TemporaryDirectory(prefix="pmsgw-disk-", dir="/tmp") as folder:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=160m,mode=755", "tmpfs", folder],
            capture_output=True, check=False,
        )  # fmt: skip
        if mounted.returncode != 0:
            pytest.skip("only root may mount a small file system")
        yield Path(folder)
        subprocess.run(["umount", folder], check=True)


def test_a_full_disk_of_the_server_costs_nothing_that_was_acknowledged(small_disk, schema):
    own = Cluster(inside=small_disk)
    try:
        store = Store(PostgresStore(own.url, schema))
        ballast = small_disk / "ballast"
        with ballast.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
            while True:
                file.write(bytes(65536))
        acknowledged = 0
        with pytest.raises(StorageFailed, match="No space left") as failed:
            for number in range(100_000):
                store.put(Batch(rooms={str(number): heard()}))
                acknowledged += 1
        assert failed.value.do.startswith("free the disk of the database server")
        ballast.unlink()
        store.put(Batch(rooms={"mended": heard()}))
        rooms = store.load().rooms
        assert {*map(str, range(acknowledged)), "mended"} <= rooms.keys()
        assert len(rooms) <= acknowledged + 2  # the last one may be in it
        store.close()
    finally:
        own.remove()


@pytest.mark.parametrize(
    "setting",
    ["fsync = off", "synchronous_commit = off", "synchronous_commit = local", "full_page_writes = off"],
)  # fmt: skip
def test_a_server_that_may_lose_what_it_has_acknowledged_is_refused(setting):
    weak = Cluster([setting])
    try:
        with pytest.raises(StorageFailed, match=setting) as refused:
            PostgresStore(weak.url, "site")
        assert refused.value.is_final
    finally:
        weak.remove()


def test_what_was_acknowledged_survives_the_servers_power_cut(schema):
    """kill -9 of all its processes in the middle of writing; a batch is in it whole or not at all."""
    own = Cluster()
    try:
        store = Store(PostgresStore(own.url, schema))
        acknowledged = 0
        for number in range(200):
            if number == 150:
                own.stop(signal.SIGKILL)
            try:
                store.put(Batch(rooms={str(number): heard(), f"{number}b": heard()}))
                acknowledged += 1
            except StorageFailed:
                break
        own.start()
        rooms = store.load().rooms
        assert acknowledged >= 150
        assert {str(number) for number in range(acknowledged)} <= rooms.keys()
        assert all(f"{room.rstrip('b')}b" in rooms for room in rooms)
        assert store.writes() in (acknowledged, acknowledged + 1)  # the last one may be in it
        store.close()
    finally:
        own.remove()
