"""The mutants themselves: each is another program, and the machine that judges them can tell."""

import ast
import subprocess
import sys
from collections import Counter

import pytest

from tests.torture.mutants import AREAS, ROOT, all_mutants
from tests.torture.mutations import mutants_of


@pytest.mark.parametrize("area", AREAS)
def test_every_mutant_is_another_program_with_a_name_of_its_own(area):
    mutants = all_mutants(area)
    assert len({mutant.name for mutant in mutants}) == len(mutants)
    for mutant in mutants[::40]:
        whole = ast.parse(mutant.path.read_text(encoding="utf-8"))
        assert ast.dump(mutant.code()) != ast.dump(whole), mutant.name
        compile(mutant.code(), mutant.path, "exec")


def test_what_is_for_readers_is_left_alone(tmp_path):
    source = tmp_path / "source.py"
    source.write_text(
        '"""Words 1."""\n'
        "from dataclasses import dataclass\n"
        "__all__ = ['x']\n"
        "x: int | None = _field('RN', 'a room', TEXT, 8)\n"
        "@dataclass(frozen=True)\n"
        "class C:\n"
        "    def f(self, a: 'int'):\n"
        "        raise ValueError(f'no such thing as {a}')\n"
    )
    names = [mutant.name.partition(": ")[2] for mutant in mutants_of(source, tmp_path, {})]
    assert names == ["'RN' -> 'RNX'", "raise ValueError(f'no such thing as {a}') -> pass"]


@pytest.mark.timeout(120)
def test_mistakes_in_the_check_byte_are_noticed():
    done = subprocess.run(
        [sys.executable, "-m", "tests.torture.mutants", "--name", "protocols/checksums.py"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    outcomes = [line.split()[0] for line in done.stdout.splitlines()]
    # One is no mistake: folded once more, nothing is left to fold.
    assert Counter(outcomes) == {"killed": 13, "survived": 1}
