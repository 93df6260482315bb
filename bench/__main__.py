"""python -m bench [NAME ...] [--scale 0.2] [--json FILE]: the table, or a part of it."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from rich.console import Console

from bench import cost, database, houses, outage, phones, postings, scale, whole_way
from bench.figure import Bench, Figure, as_markdown, show

BENCHES: Final[dict[str, Bench]] = {
    "whole_way": whole_way.measure,
    "outage": outage.measure,
    "scale": scale.measure,
    "cost": cost.measure,
    "postings": postings.measure,
    "database": database.measure,
    "houses": houses.measure,
    "phones": phones.measure,
}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Measure the gateway.")
    parser.add_argument("names", nargs="*", choices=[*BENCHES, []], help="default: all")
    parser.add_argument("--scale", type=float, default=1.0, help="size of each; 1 is the table's")
    parser.add_argument("--markdown", type=Path, help="write the table to a file as well")
    parser.add_argument("--json", type=Path, help="write the figures to a file as well")
    given = parser.parse_args()
    console = Console()
    figures: list[Figure] = []
    for name in given.names or BENCHES:
        console.print(f"[dim]{name} …[/]")
        for figure in BENCHES[name](given.scale):
            figures.append(figure)
            _keep(figures, given.markdown, given.json)  # one that breaks takes no other along
    show(figures, console)


def _keep(figures: Sequence[Figure], markdown: Path | None, as_json: Path | None) -> None:
    if markdown:
        markdown.write_text(as_markdown(figures))
    if as_json:
        as_json.write_text(json.dumps([asdict(each) for each in figures], indent=1) + "\n")


if __name__ == "__main__":
    main()
