"""A reload takes over what the next call reads anew, and names the rest; it never names a secret."""

import asyncio
import re
import tomllib
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway import logs
from gateway.config import load
from gateway.config.password_hash import hash_password
from gateway.demo import stage
from gateway.service.daemon import reload, reload_when
from gateway.service.reload import LIVE, TABLES, change
from gateway.service.watchdog import Notifier
from gateway.web.console.guard import Guard

GOOD = Path(__file__, "../../../data/config/good.toml").resolve().read_text(encoding="utf-8")


def configs(tmp_path, *replacements, more=""):
    """The good configuration, and the same with something changed."""
    path = tmp_path / "gateway.toml"
    path.write_text(GOOD)
    old, text = load(path), GOOD
    for before, after in replacements:
        assert before in text
        text = text.replace(before, after)
    path.write_text(text + more)
    return old, load(path)


TAKEN = [
    ('"9" = 4', '"9" = 3', "class_of_service"),
    ('"ge" = "de-at"', '"ge" = "de"', "language"),
    ('"7" = 2', '"7" = 3', "room_status"),
    ('"11:30"', '"10:00"', "site.checkout_time"),
    ("name_bytes = 32", "name_bytes = 40", "ucm.name_bytes"),
    ("retries = 5", "retries = 6", "ucm.retries"),
    ("retry_interval_s = 30.5", "retry_interval_s = 31", "ucm.retry_interval_s"),
    ("retries = 5", 'retries = 5\nreconcile = "report"', "ucm.reconcile"),
    ("retries = 5", "retries = 5\nreconcile_interval_s = 60", "ucm.reconcile_interval_s"),
    ("[http]", '[maid]\n"1" = [5, 6]\n[http]', "maid"),
    ("[http]", f'[http]\npassword_hash = "{hash_password("one two three")}"', "http.password_hash"),
]
RESTART = [
    ("9600,8n1", "19200,8n1", "pms.line"),
    ("/tmp/pms-gateway-test", "/tmp/elsewhere", "site.data_dir"),
    ("192.168.100.91", "192.168.100.92", "ucm.url"),
    ("api-invented", "api-new", "ucm.password"),
    ("pms-invented", "pms-new", "ucm.pms_password"),
    ("Europe/Lisbon", "Europe/Paris", "site.timezone"),
    ('"2204"', '"2205"', "rooms.map"),
    ("CP850", "cp1252", "fias.encoding"),
    ("9843", "9844", "http.listen"),
    ("[http]", "[capture]\nkeep_mb = 1\n[http]", "capture.keep_mb"),
]


@pytest.mark.parametrize(("before", "after", "key"), TAKEN, ids=[row[2] for row in TAKEN])
def test_what_is_read_anew_is_taken(tmp_path, before, after, key):
    old, new = configs(tmp_path, (before, after))
    found = change(old, new)
    assert (found.taken, found.restart) == ((key,), ())
    assert found.config == new


def test_another_tariff_is_taken(tmp_path):
    example = Path(__file__, "../../../../deploy/tariff.toml").resolve().read_text()
    (tmp_path / "tariff.toml").write_text(example)
    priced = ("[http]", '[back]\ncharges = "priced"\n[http]')
    _, old = configs(tmp_path, priced)
    (tmp_path / "tariff.toml").write_text(example.replace('first = "0.60"', 'first = "0.70"'))
    _, new = configs(tmp_path, priced)
    found = change(old, new)
    assert (found.taken, found.restart) == (("rates",), ())
    assert found.config.rates == new.rates


def test_every_key_that_is_said_to_be_taken_is_tried_here():
    assert {row[2] for row in TAKEN} == {*TABLES} | {
        f"{name}.{key}" for name, keys in LIVE.items() for key in keys
    }


@pytest.mark.parametrize(("before", "after", "key"), RESTART, ids=[row[2] for row in RESTART])
def test_what_is_built_in_waits_for_a_restart(tmp_path, before, after, key):
    old, new = configs(tmp_path, (before, after))
    found = change(old, new)
    assert (found.taken, found.restart) == ((), (key,))
    assert change(found.config, new).restart == (key,)  # and is told again at the next reload


def test_both_at_once_are_told_apart(tmp_path):
    old, new = configs(tmp_path, ("retries = 5", "retries = 6"), ("9600,8n1", "19200,8n1"))
    found = change(old, new)
    assert (found.taken, found.restart) == (("ucm.retries",), ("pms.line",))
    assert (found.config.pms.line, found.config.ucm.retries) == (old.pms.line, 6)


@pytest.mark.asyncio
async def test_a_running_service_takes_over_what_it_can_and_keeps_the_rest(tmp_path):
    async with stage(tmp_path) as on:
        logs.set_up()
        path, service = tmp_path / "gateway.toml", on.service
        text = path.read_text()
        more = '\n[class_of_service]\n"7" = 4\n[room_status]\n"1" = 2\n'
        path.write_text(
            re.sub(r"listen = .*", 'listen = "127.0.0.1:1"', text).replace(
                "timeout_s = 3", 'timeout_s = 3\nretries = 9\nreconcile = "report"'
            )
            + more
        )
        with capture_logs() as said:
            await reload(service, Notifier({}))
        assert [each["why"] for each in said if each["event"] == "restart_needed"] == [
            "restart needed for http.listen"
        ]
        assert (service.relay.retries, service.comparison.heals) == (9, False)
        assert service._driver.words.class_of_service == {"7": 4}
        assert service.config.http.listen == "127.0.0.1:0"
        on.pms.say(f"GI|RN{on.hotel.rooms[0]}|G#1|GNRossi|CS7|GSN|")
        await on.pms.all_said()
        await on.delivered()
        await asyncio.sleep(0.1)
        assert on.ucm.rooms.rooms[on.hotel.rooms[0]].is_in  # nothing was interrupted


@pytest.mark.asyncio
async def test_a_broken_file_is_told_and_the_old_one_goes_on(tmp_path):
    async with stage(tmp_path) as on:
        logs.set_up()
        path, was = tmp_path / "gateway.toml", on.service.config
        path.write_text(path.read_text().replace("retry_interval_s = 0.5", "retry_interval_s = -1"))
        with capture_logs() as said:
            await reload(on.service, Notifier({}))
        told = [each for each in said if each["event"].startswith("config_")]
        assert [each["event"] for each in told] == ["config_refused", "config_kept"]
        assert "ucm.retry_interval_s = -1" in told[0]["why"]
        assert on.service.config is was
        path.unlink()
        with capture_logs() as said:
            await reload(on.service, Notifier({}))
        assert "no such file" in next(
            each["why"] for each in said if each["event"] == "config_refused"
        )


@pytest.mark.asyncio
async def test_a_reload_that_goes_wrong_ends_nothing(tmp_path, monkeypatch):
    def no_memory(text):
        raise MemoryError

    async with stage(tmp_path) as on:
        logs.set_up()
        with monkeypatch.context() as there:
            there.setattr(tomllib, "loads", no_memory)
            with capture_logs() as said:
                await reload(on.service, Notifier({}))
        told = [each["event"] for each in said if each["event"].startswith("config_")]
        assert told == ["config_refused", "config_kept"]


@pytest.mark.asyncio
async def test_who_asks_while_a_file_is_read_has_it_read_once_more(tmp_path):
    async with stage(tmp_path) as on:
        path, asked, told = tmp_path / "gateway.toml", asyncio.Event(), []
        notifier = Notifier({})
        notifier.tell = lambda *words: told.append(words)
        reloading = asyncio.create_task(reload_when(asked, on.service, notifier))
        asked.set()
        while asked.is_set():
            await asyncio.sleep(0)
        path.write_text(path.read_text().replace("timeout_s = 3", "timeout_s = 3\nretries = 9"))
        asked.set()
        while told.count(("READY=1",)) < 2:
            await asyncio.sleep(0.01)
        reloading.cancel()
        assert on.service.relay.retries == 9


def test_a_changed_secret_is_named_and_not_shown(tmp_path):
    found = change(*configs(tmp_path, ("api-invented", "api-invented-anew")))
    assert "invented" not in repr(found)
    assert found.restart == ("ucm.password",)


def test_another_password_ends_the_sessions_of_the_old_one():
    guard = Guard("old", open_to_all=False, now=lambda: 0.0)
    session = guard.judge("c", right=True)
    guard.change_lock("old")
    assert guard.session(session.token) is session
    guard.change_lock("new")
    assert (guard.session(session.token), guard.password_hash) == (None, "new")
