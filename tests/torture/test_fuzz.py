"""Hostile bytes, in short: every kept input and some thousand mutated ones; and the watch itself."""

from types import SimpleNamespace

import pytest

from tests.torture import fuzz, fuzz_targets

NAMES = tuple(fuzz.INPUTS)
MUTATED = {"session_serial": 2000, "session_tcp": 2000, "config": 2000}


@pytest.fixture(autouse=True)
def kept(tmp_path, monkeypatch):
    """What broke is kept here."""
    monkeypatch.setattr(fuzz, "ROOT", tmp_path)
    monkeypatch.setattr(fuzz, "KEPT", tmp_path)
    return tmp_path


def test_every_target_has_its_share_its_tokens_and_its_corpus():
    folders = {path.name for path in fuzz.CORPUS.iterdir()}
    assert set(NAMES) == set(fuzz_targets.TARGETS) == set(fuzz_targets.TOKENS) == folders
    assert set(NAMES) == set(fuzz_targets.LONGEST) == set(fuzz.MAX_INPUT_BYTES)
    assert sum(fuzz.INPUTS.values()) == 10_000_000


@pytest.mark.parametrize("name", NAMES)
def test_every_kept_input_is_borne_as_it_is(name):
    kept = fuzz.corpus_of(name)
    assert kept, "no corpus: this would try nothing"
    for data in kept:  # a target raises where one of its laws is broken
        fuzz_targets.TARGETS[name](data)


@pytest.mark.parametrize("name", NAMES)
def test_stretched_and_mutated_inputs_are_borne(name):
    runs = MUTATED.get(name, 3000)
    watch = fuzz.Watch(name, fuzz_targets, "own", runs)
    fuzz.feed_stretched(watch, name, fuzz_targets, runs)
    fuzz.run_own(watch, name, fuzz_targets.TOKENS[name], runs, seed=1)
    assert watch.outcome.failures == {}
    assert watch.outcome.inputs == runs


# --- The watch itself: what it must not overlook ---


def watch_of(target, runs=20):
    targets = SimpleNamespace(TARGETS={"codec": target}, stretched=fuzz_targets.stretched)
    watch = fuzz.Watch("codec", targets, "own", runs)
    fuzz.run_own(watch, "codec", (b"|",), runs, seed=1)
    return watch.outcome


def test_whatever_is_raised_is_counted_once_a_kind_and_its_input_kept(kept):
    def broken(data):
        if len(data) % 2:
            raise KeyError(data)
        return

    outcome = watch_of(broken, runs=200)
    assert outcome.failed > 20
    ((kind, file),) = outcome.failures.items()
    assert kind.startswith("KeyError at test_fuzz.py:")
    assert len((kept / file).read_bytes()) % 2 == 1


def test_a_slow_input_is_measured_and_kept(kept):
    def slow(data):
        sum(range(3_000_000 if data.endswith(b"GNx") else 3))

    fuzz_inputs = [b"\x00\x00GNx", b"\x00\x00"]
    watch = fuzz.Watch("codec", SimpleNamespace(TARGETS={"codec": slow}, stretched=None), "own", 2)
    for data in fuzz_inputs:
        watch.run(data)
    assert (kept / watch.outcome.slowest_file).read_bytes() == fuzz_inputs[0]


def test_a_leak_is_measured():
    hoard = []
    outcome = watch_of(lambda _: hoard.append(bytearray(b"x" * 2**20)), runs=50)
    assert outcome.growth_mib > fuzz.GROWTH_MIB


def test_the_same_seed_gives_the_same_inputs():
    def inputs(seed):
        fed = []
        targets = SimpleNamespace(TARGETS={"codec": fed.append}, stretched=fuzz_targets.stretched)
        fuzz.run_own(fuzz.Watch("codec", targets, "own", 60), "codec", (b"|",), 60, seed)
        return fed

    assert inputs(1) == inputs(1) != inputs(2)


def test_a_process_that_dies_is_a_broken_promise(kept, monkeypatch):
    monkeypatch.setattr(fuzz.sys, "executable", "/bin/false")
    outcome = fuzz._in_a_process("codec", 10, 1)
    assert outcome.failed == 1
    assert "the process ended with" in next(iter(outcome.failures))
