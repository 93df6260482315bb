"""How much of the product the fast tests hold: small mistakes are put in, and they must notice.

    python -m tests.torture mutants --scale 0.1              a seeded tenth of all mutants
    python -m tests.torture.mutants --area house --name x    only these, each with its outcome

A mutant costs a fork: the parent has loaded pytest and all libraries but nothing of the product,
the child loads the product with one mistake in it and runs until one test fails: those first that
pass through the changed statement, the quick ones first. Hypothesis draws the same examples each
time.
A child that does not end is killed, and so is its mutant.
"""

import argparse
import contextlib
import importlib
import importlib.machinery
import importlib.util
import json
import math
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

import coverage
import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.torture.figures import Figure, counted
from tests.torture.mutations import Mutant, enums_in, mutants_of

ROOT = Path(__file__).resolve().parents[2]

SURVIVORS = Path(__file__).with_name("survivors.txt")
"""Mutants that nobody can notice, each with a word why: counted as survivors, but not told again."""

AREAS = {
    "protocols": ("protocols", ["tests/protocols"]),
    "house": (
        "gateway/house",
        ["tests/gateway/house", "tests/gateway/pipeline/test_intake.py"],
    ),
    "pipeline": ("gateway/pipeline", ["tests/gateway/pipeline"]),
    "store": ("gateway/store", ["tests/gateway/store", "tests/gateway/pipeline/test_kept.py"]),
}  # fmt: skip
"""The product's folder, and the tests that answer for it."""

KILLED = 0.85
"""What is promised of each area."""

PATIENCE_S = 20.0
"""For a child beyond ten times what its tests take without a mistake."""

MEMORY = 3 << 30
"""Address space of a child: a mutant that eats memory is told so."""

_ARGUMENTS = (
    "-q", "-x", "--import-mode=importlib", "-o", "addopts=", "-p", "no:randomly",
    "-p", "no:cacheprovider", "-p", "no:rerunfailures", "-p", "no:xdist",
    "-W", "ignore::pytest.PytestAssertRewriteWarning",
)  # fmt: skip


@dataclass(slots=True)
class Suite:
    """The tests of an area: what each takes, and the lines (file, line) it passes."""

    seconds: dict[str, float] = field(default_factory=dict)
    passes: dict[tuple[str, int], set[str]] = field(default_factory=dict)

    def near(self, mutant: Mutant) -> list[str]:
        """The tests that pass through the changed statement, the quickest first."""
        tests = set(self.seconds)
        if mutant.inside:
            file = str(mutant.path)
            lines = range(mutant.first, mutant.last + 1)
            tests = set().union(*(self.passes.get((file, line), ()) for line in lines))
        return sorted(tests, key=lambda test: (self.seconds[test], test))


class _Plugin:
    """Runs the wanted tests in their order, with examples that repeat and without shrinking."""

    def __init__(self, tests: list[str] | None) -> None:
        self.rank = None if tests is None else {test: rank for rank, test in enumerate(tests)}
        self.seconds: dict[str, float] = {}
        self.traced: coverage.Coverage | None = None

    def pytest_configure(self) -> None:
        settings.register_profile(
            "mutants",
            settings.get_profile("dev"),
            derandomize=True,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.explicit, Phase.generate),
        )
        settings.load_profile("mutants")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if (rank := self.rank) is not None:
            items[:] = sorted(
                (item for item in items if item.nodeid in rank), key=lambda item: rank[item.nodeid]
            )

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        if self.traced:
            self.traced.switch_context(item.nodeid)
        started = perf_counter()
        yield
        self.seconds[item.nodeid] = perf_counter() - started


class _Mutated(importlib.machinery.SourceFileLoader):
    """Loads one module from its tree instead of its file; finds no other."""

    def __init__(self, mutant: Mutant) -> None:
        name = ".".join(mutant.path.relative_to(ROOT).with_suffix("").parts)
        super().__init__(name.removesuffix(".__init__"), str(mutant.path))
        self.code = compile(mutant.code(), str(mutant.path), "exec")

    def find_spec(self, name: str, path: object = None, target: object = None) -> Any:
        if name != self.name:
            return None
        return importlib.util.spec_from_file_location(name, self.path, loader=self)

    def get_code(self, fullname: str) -> Any:
        return self.code


def _pytest(files: list[str], plugin: _Plugin) -> int:
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        return pytest.main(
            [*_ARGUMENTS, f"--basetemp={folder}/t", f"--rootdir={ROOT}", *files], plugins=[plugin]
        )


def _in_a_child(job: Callable[[], object], patience_s: float) -> object:
    """What `job` returns in a forked child; None: it did not end in time."""
    with tempfile.NamedTemporaryFile(prefix="mutant-") as answer:
        child = os.fork()
        if child == 0:
            os.setpgid(0, 0)
            with Path(os.devnull).open("r+b") as nothing:
                for number in (0, 1, 2):
                    os.dup2(nothing.fileno(), number)
            sys.dont_write_bytecode = True
            try:
                Path(answer.name).write_text(json.dumps(job()), encoding="utf-8")
            except BaseException as error:  # noqa: BLE001  # told by the parent
                Path(answer.name).write_text(json.dumps(repr(error)), encoding="utf-8")
            finally:
                os._exit(0)
        until = perf_counter() + patience_s
        while os.waitpid(child, os.WNOHANG) == (0, 0):
            if perf_counter() > until:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child, signal.SIGKILL)
                os.waitpid(child, 0)
                return None
            sleep(0.005)
        return json.loads(Path(answer.name).read_text(encoding="utf-8") or "0.5")


def _learn(area: str) -> tuple[Suite, list[str]]:
    """Run the area's tests as they are. Returns what they pass, and the libraries they load."""
    folder, files = AREAS[area]

    def job() -> object:
        plugin = _Plugin(None)
        traced = coverage.Coverage(data_file=None, source=[str(ROOT / folder)], config_file=False)
        traced.start()
        plugin.traced = traced
        failed = _pytest(files, plugin)
        traced.stop()
        data = traced.get_data()
        passes = [
            (file, line, [test for test in tests if test])
            for file in data.measured_files()
            for line, tests in data.contexts_by_lineno(file).items()
        ]
        foreign = [
            name
            for name in sys.modules
            if name.split(".")[0] not in ("protocols", "gateway", "tests", "conftest")
        ]
        return int(failed), plugin.seconds, passes, foreign

    answer = _in_a_child(job, 600.0)
    if not isinstance(answer, list) or answer[0] != 0:
        raise SystemExit(f"{area}: the tests must pass before they can be tested: {answer!r:.200}")
    _, seconds, passes, foreign = answer
    return Suite(seconds, {(file, line): set(tests) for file, line, tests in passes}), foreign


def outcome(mutant: Mutant, suite: Suite) -> str:
    """`killed`, `timeout` or `survived`."""
    near = suite.near(mutant)
    # What a process does once was seen in one test only, and may be done in any.
    for tests in (near, sorted(set(suite.seconds) - set(near))):
        code = _in_a_child(
            partial(_with, mutant, tests),
            PATIENCE_S + 10 * sum(suite.seconds[test] for test in tests),
        )
        if code is None:
            return "timeout"
        if code != 0:
            return "killed"
    return "survived"


def _with(mutant: Mutant, tests: list[str]) -> int:
    if not tests:
        return 0
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    warnings.simplefilter("ignore")
    sys.meta_path.insert(0, _Mutated(mutant))
    return _pytest(sorted({test.split("::")[0] for test in tests}), _Plugin(tests))


def all_mutants(area: str) -> list[Mutant]:
    """Every mutant of an area, in the order of its files."""
    enums = enums_in([*sorted((ROOT / "protocols").rglob("*.py")),
                      *sorted((ROOT / "gateway").rglob("*.py"))])  # fmt: skip
    paths = sorted((ROOT / AREAS[area][0]).rglob("*.py"))
    return [mutant for path in paths for mutant in mutants_of(path, ROOT, enums)]


def _sample(mutants: list[Mutant], scale: float, seed: int) -> list[Mutant]:
    """As many of them as `scale` says; a larger sample begins with the smaller one."""
    random.Random(seed).shuffle(mutants)
    return mutants[: math.ceil(len(mutants) * scale)]


def run(area: str, mutants: list[Mutant], until: float = math.inf) -> Iterator[tuple[Mutant, str]]:
    """Each mutant with its outcome."""
    suite, foreign = _learn(area)
    for name in foreign:
        with contextlib.suppress(Exception):  # what cannot be loaded ahead is loaded each time
            importlib.import_module(name)
    for mutant in mutants:
        if perf_counter() > until:
            return
        yield mutant, outcome(mutant, suite)


def torture(scale: float, seed: int) -> list[Figure]:
    """All areas, a seeded sample of their mutants. See `figures.Torture`."""
    figures: list[Figure] = []
    known = {line.split("  # ")[0] for line in SURVIVORS.read_text(encoding="utf-8").splitlines()}
    for area in AREAS:
        # A process of its own: the product must not have been imported by another torture.
        command = [sys.executable, "-m", "tests.torture.mutants", "--area", area,
                   "--scale", str(scale), "--seed", str(seed)]  # fmt: skip
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
        outcomes = done.stdout.splitlines()
        survived = [each for each in outcomes if each.startswith("survived")]
        sys.stdout.writelines(
            f"  {each}\n" for each in survived if each.split(maxsplit=1)[1] not in known
        )
        results = Counter(each.split()[0] for each in outcomes)
        share = 1 - results["survived"] / len(outcomes)
        figures += [
            counted(f"{area}: mutants tried", len(outcomes)),
            counted(f"{area}: of these killed by the clock", results["timeout"]),
            Figure(f"{area}: killed", f"{share:.1%}", f"at least {KILLED:.0%}", share >= KILLED),
        ]
    return figures


def main() -> None:
    """Some mutants, each with its outcome."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--area", choices=AREAS, default="protocols")
    parser.add_argument("--name", default="", help="only mutants whose name has this in it")
    parser.add_argument("--names", type=argparse.FileType(), help="only these, one a line")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--skip", type=int, default=0, help="how many of these are known")
    parser.add_argument("--minutes", type=float, default=math.inf)
    given = parser.parse_args()
    mutants = [each for each in all_mutants(given.area) if given.name in each.name]
    if given.names:
        wanted = set(given.names.read().splitlines())
        mutants = [each for each in mutants if each.name in wanted]
    sample = _sample(mutants, given.scale, given.seed)[given.skip :]
    for mutant, result in run(given.area, sample, perf_counter() + given.minutes * 60):
        sys.stdout.write(f"{result:<8} {mutant.name}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
