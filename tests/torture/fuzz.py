"""Hostile bytes: ten million inputs, no uncaught exception, no slow one, no growing memory.

    python -m tests.torture fuzz                             all targets, a process each
    python -m tests.torture.fuzz TARGET --runs 10000         one target, its outcome as JSON
    python -m tests.torture.fuzz TARGET --replay FILE        what an input does, with its traceback

Two engines. `atheris` is guided by coverage and is used when it can be imported; it is not in the
lock files (`python -m pip install atheris`, or the dependency group `torture`; Linux and macOS
only). Without it, `own` mutates with a seed and keeps what has a new shape. Every figure says
which one it was. Inputs that broke something are kept below `build/fuzz/` and named in the output.
"""

import argparse
import gc
import hashlib
import importlib
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
import traceback
from collections.abc import Callable, Hashable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import thread_time
from types import ModuleType

from tests.torture.figures import Figure, at_most, counted, none_of

ROOT = Path(__file__).resolve().parents[2]
CORPUS = Path(__file__).with_name("corpus")
KEPT = ROOT / "build" / "fuzz"

INPUTS = {
    "framing": 1_500_000,
    "codec": 1_100_000,
    "session_serial": 75_000,
    "session_tcp": 75_000,
    "transcript": 2_400_000,
    "config": 50_000,
    "reply": 4_600_000,
    "source": 200_000,
}
"""Inputs for each target at scale 1.0: ten million in all, shared out by what an input costs (a
whole conversation or a whole file is one input)."""

SLOWEST_MS = 100.0
"""Of CPU time, so that a busy machine is not blamed on an input; with all that a target checks."""

WORTH_KEEPING_MS = 10.0
GROWTH_MIB = 16.0
"""Resident memory from the end of the warm-up (a tenth of the inputs) to the end of the run. Some
of it is the engine's own: the inputs that it keeps. A leak of 20 bytes an input would not fit where
there are a million of them, one of 300 nowhere."""

STRETCH_EVERY = 1000
"""Every so many inputs one is fed as `fuzz_targets.stretched` makes it: for limits and for time."""

MAX_INPUT_BYTES = {
    "framing": 96,
    "codec": 192,
    "session_serial": 96,
    "session_tcp": 96,
    "transcript": 160,
    "config": 1024,
    "reply": 256,
    "source": 512,
}
"""Short enough to be fast, long enough for every rule of the language."""
HANG_S = 20
"""An input that takes this long on the wall clock is ended and counted as an exception."""

_INSTRUMENTED = ["protocols", "gateway.config", "gateway.drivers.ucm", "gateway.line.spec",
                 "tomllib"]  # fmt: skip
_MAX_KEPT = 20

Target = Callable[[bytes], Hashable]


@dataclass(slots=True)
class Outcome:
    """What one process saw; printed by it as JSON.

    slowest_ms      CPU time; an engine's own instrumentation is in it until `_again`
    growth_mib      of resident memory, after the warm-up
    failures        what was raised, by kind and place, with the file of its first input
    """

    target: str
    engine: str
    inputs: int = 0
    slowest_ms: float = 0.0
    slowest_file: str = ""
    growth_mib: float = 0.0
    failures: dict[str, str] = field(default_factory=dict)
    failed: int = 0


class Watch:
    """Runs a target on inputs, and keeps the time, the memory and what went wrong."""

    def __init__(self, name: str, targets: ModuleType, engine: str, runs: int) -> None:
        self.outcome = Outcome(name, engine)
        self._target: Target = targets.TARGETS[name]
        self._stretched, self._runs = targets.stretched, runs
        self._warm_at = max(1, runs // 10)
        self._warm_mib = 0.0

    def run(self, data: bytes) -> Hashable:
        """One input; its shape, or what it raised. Nothing is raised here."""
        outcome = self.outcome
        outcome.inputs += 1
        if outcome.inputs % STRETCH_EVERY == 0:
            data = self._stretched(outcome.target, data)
        started = thread_time()
        try:
            shape = self._target(data)
        except Exception as error:  # noqa: BLE001  # whatever it is: that is the finding
            shape = self._failed(data, error)
        spent_ms = (thread_time() - started) * 1000
        if spent_ms > outcome.slowest_ms:
            self._slow(data, spent_ms)
        if outcome.inputs == self._warm_at:
            self._warm_mib = _resident_mib()
        elif outcome.inputs == self._runs:
            outcome.growth_mib = max(0.0, _resident_mib() - self._warm_mib)
        return shape

    def _failed(self, data: bytes, error: Exception) -> str:
        self.outcome.failed += 1
        place = next(
            (
                f"{Path(frame.filename).name}:{frame.lineno}"
                for frame in reversed(traceback.extract_tb(error.__traceback__))
            ),
            "",
        )
        kind = f"{type(error).__name__} at {place}"
        if isinstance(error, AssertionError):
            kind += f": {str(error).partition(chr(10))[0][:80]}"
        if kind not in self.outcome.failures and len(self.outcome.failures) < _MAX_KEPT:
            self.outcome.failures[kind] = self._keep("failed", data)
        return kind

    def _slow(self, data: bytes, spent_ms: float) -> None:
        """A new slowest one; what the first time paid for (imports, a collection) is not its own."""
        if WORTH_KEEPING_MS < spent_ms < 1000:  # beyond, it is slow without a doubt, or hangs
            spent_ms = min(spent_ms, cpu_ms(self._target, data))
        if spent_ms > self.outcome.slowest_ms:
            self.outcome.slowest_ms = spent_ms
            if spent_ms > WORTH_KEEPING_MS:
                self.outcome.slowest_file = self._keep("slow", data)

    def _keep(self, why: str, data: bytes) -> str:
        folder = KEPT / self.outcome.target
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{why}-{hashlib.sha256(data).hexdigest()[:12]}"
        path.write_bytes(data)
        return str(path.relative_to(ROOT))


def cpu_ms(target: Target, data: bytes) -> float:
    """What one input costs at best, whatever else the machine does."""
    best = math.inf
    for _ in range(3):
        started = thread_time()
        try:
            target(data)
        except Exception:  # noqa: BLE001  # whatever it raises
            pass  # counted the first time; here it is only timed
        best = min(best, (thread_time() - started) * 1000)
    return best


def _resident_mib() -> float:
    gc.collect()
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * resource.getpagesize() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10  # only ever grows


# --- The engine without coverage -------------------------------------------------------------


def corpus_of(name: str) -> list[bytes]:
    """The inputs that the repository keeps for a target, in the order of their names."""
    return [path.read_bytes() for path in sorted((CORPUS / name).iterdir())]


def feed_stretched(watch: Watch, name: str, targets: ModuleType, runs: int) -> None:
    """Every kept input as long as it can be: what grows by the square shows itself first."""
    for data in corpus_of(name)[: runs - watch.outcome.inputs]:
        watch.run(targets.stretched(name, data))


def mutate(
    chance: random.Random, known: list[bytes], tokens: Iterable[bytes], longest: int
) -> bytes:
    """One to four changes to a known input: the wire's faults, and pieces of its language."""
    data = bytearray(chance.choice(known))
    for _ in range(chance.randint(1, 4)):
        at, length = chance.randint(0, len(data)), chance.choice((1, 1, 2, 4, 16, 64))
        match chance.randrange(8):
            case 0:
                data[at:at] = chance.randbytes(length)
            case 1:
                del data[at : at + length]
            case 2:
                data[at:at] = data[at : at + length]
            case 3:
                data[at : at + 1] = bytes([chance.randrange(256)])
            case 4 if data:
                data[at % len(data)] ^= 1 << chance.randrange(8)
            case 5:
                data[at:] = chance.choice(known)[at:]
            case 6:
                data[: min(2, len(data))] = chance.randbytes(2)  # used in another way
            case _:
                data[at:at] = chance.choice(tuple(tokens))
    return bytes(data[:longest])


def run_own(watch: Watch, name: str, tokens: Iterable[bytes], runs: int, seed: int) -> None:
    """`runs` inputs, the corpus first; the same seed gives the same inputs."""
    chance = random.Random(f"{name} {seed}")
    known = corpus_of(name) or [b""]
    seen = {watch.run(data) for data in known[: runs - watch.outcome.inputs]}
    while watch.outcome.inputs < runs:
        data = mutate(chance, known, tokens, MAX_INPUT_BYTES[name])
        shape = watch.run(data)
        if shape not in seen and len(known) < 5000:
            seen.add(shape)
            known.append(data)


# --- One target in this process --------------------------------------------------------------


def _load_targets(engine: str) -> ModuleType:
    module = "tests.torture.fuzz_targets"
    if engine == "own":
        return importlib.import_module(module)
    import atheris

    with atheris.instrument_imports(include=_INSTRUMENTED, enable_loader_override=False):
        return importlib.import_module(module)


def _run_atheris(watch: Watch, name: str, tokens: Iterable[bytes], runs: int, seed: int) -> None:
    """Never returns: the engine owns the process, which ends after `runs` inputs."""
    import atheris

    folder = Path(tempfile.mkdtemp(prefix="fuzz-corpus-"))
    words = folder.with_suffix(".dict")
    words.write_text(
        "".join('"' + "".join(f"\\x{byte:02x}" for byte in token) + '"\n' for token in tokens)
    )
    (KEPT / name).mkdir(parents=True, exist_ok=True)

    def one(data: bytes) -> None:
        watch.run(data)
        if watch.outcome.inputs == runs:
            _say(watch.outcome)
            for path in (*folder.iterdir(), words):
                path.unlink()
            folder.rmdir()
            os._exit(0)

    atheris.Setup(
        [
            "fuzz", f"-seed={seed}", f"-max_len={MAX_INPUT_BYTES[name]}", f"-dict={words}",
            f"-timeout={HANG_S}", f"-artifact_prefix={KEPT / name}/", "-detect_leaks=0",
            "-rss_limit_mb=2048", "-verbosity=0", "-len_control=20",
            str(folder), str(CORPUS / name),
        ],
        one,
    )  # fmt: skip
    atheris.Fuzz()


def _say(outcome: Outcome) -> None:
    sys.stdout.write(json.dumps(asdict(outcome)) + "\n")
    sys.stdout.flush()


def _end_when_one_hangs(watch: Watch) -> None:
    """Each input sets the alarm again; the first one that hears it is the last one of the run."""
    once = watch.run

    def hangs(*_: object) -> None:
        raise TimeoutError(f"an input takes longer than {HANG_S} s")

    def run(data: bytes) -> Hashable:
        signal.alarm(HANG_S)
        shape = once(data)
        if isinstance(shape, str) and shape.startswith("TimeoutError"):
            _say(watch.outcome)
            sys.exit(0)
        return shape

    signal.signal(signal.SIGALRM, hangs)
    watch.run = run


def main() -> None:
    """One target; its outcome is the last line on standard output."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("target", choices=INPUTS)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--engine", choices=("atheris", "own"), default=available_engine())
    parser.add_argument("--replay", type=Path, metavar="FILE")
    given = parser.parse_args()
    targets = _load_targets("own" if given.replay else given.engine)
    if given.replay:
        data, target = given.replay.read_bytes(), targets.TARGETS[given.target]
        sys.stdout.write(f"{target(data)}\n{cpu_ms(target, data):.3f}\n")
        return
    watch = Watch(given.target, targets, given.engine, given.runs)
    tokens = targets.TOKENS[given.target]
    if given.engine == "own":
        _end_when_one_hangs(watch)
    feed_stretched(watch, given.target, targets, given.runs // 2)
    if given.engine == "atheris":
        _run_atheris(watch, given.target, tokens, given.runs, given.seed)
    run_own(watch, given.target, tokens, given.runs, given.seed)
    signal.alarm(0)
    _say(watch.outcome)


# --- All targets -----------------------------------------------------------------------------


def available_engine() -> str:
    """`atheris` where it is installed, else `own`."""
    return "atheris" if importlib.util.find_spec("atheris") else "own"


def torture(scale: float, seed: int) -> list[Figure]:
    """All targets, one process after the other. See `figures.Torture`."""
    figures: list[Figure] = []
    total = 0
    for name, share in INPUTS.items():
        runs = max(100, round(share * scale))
        outcome = _again(_in_a_process(name, runs, seed))
        total += outcome.inputs
        sys.stdout.write(f"  {json.dumps(asdict(outcome))}\n")
        sys.stdout.flush()
        figures += [
            Figure(f"{name}: inputs ({outcome.engine})", outcome.inputs, f"{runs:,}",
                   outcome.inputs == runs),
            none_of(f"{name}: uncaught exceptions and broken laws", outcome.failed),
            at_most(f"{name}: slowest input, CPU ms", outcome.slowest_ms, SLOWEST_MS),
            at_most(f"{name}: memory growth after warm-up, MiB", outcome.growth_mib, GROWTH_MIB),
        ]  # fmt: skip
        for kind, file in outcome.failures.items():
            sys.stdout.write(f"  {name}: {kind}\n    {file}\n")
        if outcome.slowest_ms > SLOWEST_MS:
            sys.stdout.write(f"  {name}: slow\n    {outcome.slowest_file}\n")
        sys.stdout.flush()
    return [counted("inputs in all", total), *figures]


def _again(outcome: Outcome) -> Outcome:
    """The slowest input timed without the coverage's instrumentation."""
    if outcome.engine == "own" or not outcome.slowest_file:
        return outcome
    done = subprocess.run(
        [sys.executable, "-m", "tests.torture.fuzz", outcome.target, "--replay",
         ROOT / outcome.slowest_file],
        cwd=ROOT, capture_output=True, check=False,
    )  # fmt: skip
    if done.returncode == 0:
        outcome.slowest_ms = float(done.stdout.decode().splitlines()[-1])
    return outcome


def _in_a_process(name: str, runs: int, seed: int) -> Outcome:
    """A process of its own: an engine may take it over, and an input may kill it."""
    command = [sys.executable, "-m", "tests.torture.fuzz", name, "--runs", str(runs),
               "--seed", str(seed)]  # fmt: skip
    (KEPT / name).mkdir(parents=True, exist_ok=True)
    log = KEPT / name / "log"
    with log.open("wb") as errors:
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, check=False)
    lines = done.stdout.decode().splitlines()
    if done.returncode == 0 and lines and lines[-1].startswith("{"):
        return Outcome(**json.loads(lines[-1]))
    kind = f"the process ended with {done.returncode}"
    outcome = Outcome(name, available_engine(), failed=1)
    outcome.failures[kind] = str(log.relative_to(ROOT))
    return outcome


if __name__ == "__main__":
    main()
