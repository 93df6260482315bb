"""A recorded conversation for others: notation for people, JSON lines for programs, pcapng for
Wireshark. Guests are masked unless `names` says otherwise.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, tzinfo
from typing import Final

from gateway.scope import json_lines, pcapng
from gateway.scope.profile import LineProfile, profile_of
from protocols.fias import known_charset
from protocols.transcript import Closed, Opened, Settings, Spoken, Step, show_step


def to_notation(
    steps: Iterable[Step],
    zone: tzinfo = UTC,
    profile: LineProfile | None = None,
    *,
    names: bool = False,
) -> str:
    """Text that `protocols.transcript.parse` reads; moments in `zone`, to the millisecond.

    profile     how the line is spoken, until a step says so
    """
    steps, profile = _prepared(steps, profile, names=names)
    lines, charset = [], profile.charset
    for step in steps:
        lines.append(show_step(step, zone, charset) + "\n")
        if isinstance(step, Settings):
            charset = charset_of(step, charset)
    return "".join(lines)


def to_json_lines(
    steps: Iterable[Step], profile: LineProfile | None = None, *, names: bool = False
) -> str:
    """Text that `json_lines.read` reads back to the same steps (to the masked ones)."""
    steps, profile = _prepared(steps, profile, names=names)
    return "".join(f"{line}\n" for line in json_lines.write(steps, profile.charset))


def to_pcapng(
    steps: Iterable[Step], profile: LineProfile | None = None, *, names: bool = False
) -> bytes:
    """A file that Wireshark opens; see `pcapng`, and `deploy/wireshark/` for the records in it."""
    steps, profile = _prepared(steps, profile, names=names)
    return pcapng.write(steps, profile)


FORMS: Final = ("line", "jsonl", "pcapng")


def as_file(
    form: str, steps: Iterable[Step], zone: tzinfo, profile: LineProfile, *, names: bool = False
) -> bytes:
    """A whole file in one of `FORMS`."""
    match form:
        case "pcapng":
            return to_pcapng(steps, profile, names=names)
        case "jsonl":
            return to_json_lines(steps, profile, names=names).encode()
    return to_notation(steps, zone, profile, names=names).encode("utf-8", "replace")


def _prepared(
    steps: Iterable[Step], profile: LineProfile | None, *, names: bool
) -> tuple[list[Step], LineProfile]:
    steps = list(steps)
    profile = profile or profile_of(steps) or LineProfile()
    profile = replace(profile, charset=known_charset(profile.charset) or "cp1252")
    return (steps if names else without_guests(steps, profile)), profile


def without_guests(steps: Iterable[Step], profile: LineProfile) -> list[Step]:
    """The same steps, each with as many bytes as before, without the guests in them.

    A record may come in many steps, and one step may hold many: what is masked is the stream of
    each direction as a whole.
    """
    told: list[Step] = []
    for stretch in _stretches(list(steps)):
        if isinstance(stretch[0], Settings):
            profile = LineProfile.of_step(stretch[0])
        ways = {
            from_pms: _masked([each.data for each in _said(stretch, from_pms)], profile)
            for from_pms in (True, False)
        }
        told += [
            replace(step, data=next(ways[step.from_pms])) if isinstance(step, Spoken) else step
            for step in stretch
        ]
    return told


def _said(stretch: list[Step], from_pms: bool) -> list[Spoken]:
    return [each for each in stretch if isinstance(each, Spoken) and each.from_pms is from_pms]


def _stretches(steps: list[Step]) -> Iterator[list[Step]]:
    """Cut where a stream begins anew: the line opened, was lost, or is spoken differently."""
    stretch: list[Step] = []
    for step in steps:
        if isinstance(step, Opened | Closed | Settings) and stretch:
            yield stretch
            stretch = []
        stretch.append(step)
    if stretch:
        yield stretch


def _masked(chunks: list[bytes], profile: LineProfile) -> Iterator[bytes]:
    """One direction, cut as it came."""
    cutter = profile.cutter()
    pieces = [piece for chunk in chunks for piece in cutter.feed(chunk)] + cutter.rest()
    stream, position = b"".join(map(profile.masked, pieces)), 0
    for chunk in chunks:
        yield stream[position : position + len(chunk)]
        position += len(chunk)


def charset_of(step: Settings, before: str) -> str:
    """The code page from this step on: the one it names, if we know it."""
    return known_charset(step.values.get("charset", "")) or before
