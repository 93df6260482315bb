"""python -m tests.torture [NAME ...] [--scale 1.0] [--seed 1]: the full figures, one table each."""

import argparse
import importlib
import sys
from time import perf_counter

NAMES = (
    "storage",
    "simulation",
    "crash",
    "postings",
    "sessions",
    "failovers",
    "database",
    "ucm",
    "clocks",
    "line",
    "fuzz",
    "mutants",
)
"""Each is a module of this package with `torture(scale, seed)`."""


def main() -> None:
    """Arguments, and the verdict as exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    broken = 0
    for name in given.names or NAMES:
        started = perf_counter()
        figures = importlib.import_module(f"tests.torture.{name}").torture(given.scale, given.seed)
        print(f"\n{name}, scale {given.scale:g}, {perf_counter() - started:,.0f} s")
        for figure in figures:
            print(f"  {figure}", flush=True)
        broken += sum(not figure.ok for figure in figures)
    print(f"\n{broken} promises broken." if broken else "\nEvery promise was kept.")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
