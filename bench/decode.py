"""Bytes in, typed records out, beside a loop that splits and checks nothing."""

from collections.abc import Callable, Iterator
from functools import partial
from time import perf_counter
from typing import Final

from bench.figure import Figure
from protocols.fias.codec import decode, decode_by_grammar
from protocols.fias.framing import Frame, FrameReader, write_frame
from protocols.fias.wire import ENVELOPE_WITH_LRC

MIX: Final = (
    "GI|RN101|G#4711|GNBerger|GFAnna|GTMs|GLEN|GV1|GGTOUR|GA261120|GD261125|GSN|CS1|",
    "GC|RO101|GSN|RN205|GSY|G#4712|GNBerger|",
    "RE|RN101|CS2|DNN|RS3|",
    "WR|RN101|DA261121|TI063000|",
    "PS|RN101|PTC|P#17|TA350|DD00123456|DU000312|MP12|SO1|DA261120|TI101500|",
)
TINY: Final = ("LS|", "RE|RN1|")
HUGE: Final = (f"GI|RN101|G#4711|GN{'Müller-Lüdenscheidt ' * 8}|GF{'x' * 60}|GG{'g' * 60}|"
               + "".join(f"A{number}{'u' * 60}|" for number in range(10)),)  # fmt: skip
ROUNDS: Final = 7


def measure(scale: float) -> Iterator[Figure]:
    """Microseconds a record, the best of some rounds, as shares of the bare loop's speed."""
    for name, records, goal in (("a realistic mix", MIX, 0.35), ("tiny records", TINY, None),
                                ("huge records", HUGE, None)):  # fmt: skip
        bodies = [text.encode("cp1252") for text in records] * max(1, round(400 * scale))
        stream = b"".join(write_frame(body, lrc=True) for body in bodies)
        frames = [write_frame(body, lrc=True) for body in bodies]
        taken = {
            "split": _best(partial(_split, stream)),
            "bytes": _best(partial(_bytes_alone, stream)),
            "typed": _best(partial(_typed, stream)),
            "construct": _best(partial(_construct, frames)),
        }
        taken = {each: seconds / len(bodies) * 1e6 for each, seconds in taken.items()}
        note = (f"{taken['typed']:.2f} beside {taken['split']:.2f} µs; pairs of bytes without"
                f" text: {taken['bytes']:.2f} µs")  # fmt: skip
        yield Figure(f"decode, {name}", taken["split"] / taken["typed"], "of split", goal,
                     least=True, note=note)  # fmt: skip
        yield Figure(f"decode, {name}: faster than construct", taken["construct"] / taken["typed"],
                     "times", note=f"{taken['construct']:.2f} µs by envelope and grammar")  # fmt: skip


def _split(stream: bytes) -> None:
    """The least that gives fields: no check byte, no types, no limits, half a stream is lost."""
    for frame in stream.split(b"\x03"):
        [(part[:2], part[2:]) for part in frame.decode("cp1252").split("|")]


def _bytes_alone(stream: bytes) -> None:
    for frame in stream.split(b"\x03"):
        [(part[:2], part[2:]) for part in frame.split(b"|")]


def _typed(stream: bytes) -> None:
    """Frames found and checked, and each a record of its class."""
    for item in FrameReader(lrc=True, handshake=True).receive(stream):
        assert isinstance(item, Frame)
        decode(item.body)


def _construct(frames: list[bytes]) -> None:
    """The same by the grammar: envelope with its check byte, body, record."""
    for frame in frames:
        decode_by_grammar(ENVELOPE_WITH_LRC.parse(frame).checked.value.body)


def _best(work: Callable[[], None]) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        began = perf_counter()
        work()
        best = min(best, perf_counter() - began)
    return best
