"""`store copy` and `pair`, as an operator types them."""

import json

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.cli.stores import store_app
from gateway.config import load
from gateway.store import Store
from gateway.store.lease import STANDBY, Seat
from gateway.store.postgres import PostgresStore
from gateway.tools.stores import store_at
from tests.gateway.store.rows import batch

UCM = (
    '[pms]\nline = "tcp:127.0.0.1:1"\n[ucm]\nurl = "https://127.0.0.1:1/api"\nusername = "u"\n'
    'password = "p"\npms_username = "u"\npms_password = "p"\n'
    f'fingerprint = "sha256:{":".join(["00"] * 32)}"\n'
)


assert store_app  # it is called by its name


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def file(tmp_path):
    store = Store(tmp_path / "outbox.db")
    store.put(batch("101"))
    store.close()
    return tmp_path / "outbox.db"


@pytest.fixture
def pair(tmp_path, cluster, schema):
    """The configuration of the left one, and the seats of both."""
    path = tmp_path / "gateway.toml"
    path.write_text(
        f'[site]\nname = "{schema}"\n[store]\nurl = "{cluster.address}"\n[pair]\nname = "left"\n'
        f"lease_s = 1\n{UCM}"
    )
    house = load(path).house_schema
    Store(PostgresStore(cluster.url, house)).close()
    seats = [Seat(cluster.url, house, name, 1.0, "0.1") for name in ("left", "right")]
    yield path, *seats
    for seat in seats:
        seat.close()


def test_copy_counts_and_says_what_to_do_next(file, cluster, schema):
    words = ["store", "copy", file, cluster.address, "--schema", schema]
    done = run(*words)
    assert done.exit_code == 0, done.output
    assert "room                     1" in done.output
    assert "[store] url" in done.output
    again = run(*words)
    assert (again.exit_code, "already" in again.output) == (1, True)
    copied = store_at(cluster.address, schema, read_only=True)
    assert copied.load().rooms
    copied.close()


def test_copy_wants_something_to_copy_and_a_folder(file, cluster, schema):
    missing = run("store", "copy", file.parent / "no.db", cluster.address, "--schema", schema)
    assert (missing.exit_code, "is not there" in missing.output) == (1, True)
    nowhere = run("store", "copy", file, file.parent / "no" / "outbox.db")
    assert (nowhere.exit_code, "is no folder" in nowhere.output) == (2, True)


def test_copy_touches_no_house_in_which_a_gateway_works(file, cluster, pair):
    path, left, _ = pair
    left.take(left.look(STANDBY)[0])
    done = run("store", "copy", file, cluster.address, "--schema", load(path).house_schema)
    assert (done.exit_code, "is in use by left" in done.output) == (1, True)


def test_pair_shows_both_and_says_what_is_missing(pair):
    path, left, right = pair
    nobody = run("pair", "--config", path)
    assert (nobody.exit_code, "nobody holds the house" in nobody.output) == (1, True)
    left.take(left.look(STANDBY)[0])
    alone = run("pair", "--config", path)
    assert (alone.exit_code, "no other gateway" in alone.output) == (1, True)
    right.look(STANDBY)
    both = run("pair", "--config", path, "--json")
    assert both.exit_code == 0, both.output
    found = json.loads(both.output)
    assert [(each["name"], each["role"]) for each in found["members"]] == [
        ("left", "holder"), ("right", "standby"),
    ]  # fmt: skip


def test_one_without_a_partner_is_told_where_to_read(pair):
    path, *_ = pair
    path.write_text(path.read_text().replace('[pair]\nname = "left"\nlease_s = 1\n', ""))
    done = run("pair", "--config", path)
    assert (done.exit_code, "no partner" in done.output) == (1, True)
