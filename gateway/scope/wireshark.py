"""The tables of `deploy/wireshark/fias.lua`, made from the records and fields that we know.

python -m gateway.scope.wireshark deploy/wireshark/fias.lua
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from protocols import mitel
from protocols.fias.fields import FIELDS
from protocols.fias.records import RECORDS

BEGIN: Final = "-- tables: begin\n"
END: Final = "-- tables: end\n"


def renewed(script: str) -> str:
    """The script with its tables as they are today. Raises ValueError if it lacks the two marks."""
    head, begin, rest = script.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"expected the lines {BEGIN.strip()!r} and {END.strip()!r}")
    return f"{head}{BEGIN}{''.join(_tables())}{END}{tail}"


def _tables() -> Iterator[str]:
    yield from _table("RECORDS", {each: _words(cls.__name__) for each, cls in RECORDS.items()})
    yield "\n"
    yield from _table("MESSAGES", mitel.NAMES)
    yield "\n"
    yield from _table("FIELDS", {each: field.meaning for each, field in FIELDS.items()})


def _table(name: str, rows: dict[str, str]) -> Iterator[str]:
    yield f"local {name} = {{\n"
    for key, meaning in sorted(rows.items()):
        yield f"  [{_quoted(key)}] = {_quoted(meaning)},\n"
    yield "}\n"


def _words(name: str) -> str:
    """GuestIn: guest in."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", name).lower()


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m gateway.scope.wireshark deploy/wireshark/fias.lua")
    script = Path(sys.argv[1])
    script.write_text(renewed(script.read_text(encoding="utf-8")), encoding="utf-8")
