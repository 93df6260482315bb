"""The table of faults. A fault is one row or one rule below `faults/`, and two transcripts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gateway.scope.explain.marks import Mark
from gateway.scope.explain.sight import Sight, Told
from gateway.scope.explain.values import Confidence, Finding, Layer, Speech

Rule = Callable[[Sight], Told | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One row of the table.

    code    its name, kebab-case
    looks   what it looks like on the line, one sentence
    rule    says whether it is there; never raises, changes nothing
    blocks  nothing above its layer can work while it is there: findings there are consequences
    hides   faults of its own layer or below that it explains
    speech  on which lines it is looked for
    is_last whether it is told only when nothing else is: something is wrong, and too little was
            heard to say what
    """

    code: str
    layer: Layer
    looks: str
    rule: Rule
    speech: Speech
    blocks: bool = False
    hides: frozenset[str] = frozenset()
    is_last: bool = False

    def look(self, sight: Sight) -> Finding | None:
        """The finding, if this fault is there."""
        told = self.rule(sight)
        if told is None:
            return None
        return Finding(
            fault=self.code,
            layer=self.layer,
            confidence=told.confidence,
            words=told.words,
            do=told.do,
            evidence=sight.tally.evidence(told.marks),
            count=max(1, sight[told.marks[0]]),
        )


FAULTS: Final[dict[str, Fault]] = {}
"""All faults by their codes, lowest layer first, in the order in which they are told."""


def fault(
    code: str,
    layer: Layer,
    looks: str,
    *,
    speech: Speech | None = None,
    blocks: bool = False,
    hides: tuple[str, ...] = (),
    is_last: bool = False,
) -> Callable[[Rule], Rule]:
    """Put a rule into the table.

    speech  None: cable and settings are the same everywhere, all else is of FIELDS
    """
    usual = Speech.ANY if layer <= Layer.SETTINGS else Speech.FIELDS

    def register(rule: Rule) -> Rule:
        FAULTS[code] = Fault(
            code=code,
            layer=layer,
            looks=looks,
            rule=rule,
            speech=speech or usual,
            blocks=blocks,
            hides=frozenset(hides),
            is_last=is_last,
        )
        return rule

    return register


def row(
    code: str,
    layer: Layer,
    looks: str,
    mark: Mark,
    *,
    at_least: int = 0,
    words: str,
    do: str,
    when: Callable[[Sight], object] = lambda _: True,
    also: tuple[Mark, ...] = (),
    confidence: Confidence = Confidence.CERTAIN,
    speech: Speech | None = None,
    blocks: bool = False,
    hides: tuple[str, ...] = (),
    is_last: bool = False,
) -> None:
    """Put a fault into the table that is always told in the same words.

    mark, at_least  it is there once this was counted so often
    when            and while this holds
    also            marks whose evidence is shown too
    """
    told = Told(words, do, (mark, *also), confidence)
    fault(code, layer, looks, speech=speech, blocks=blocks, hides=hides, is_last=is_last)(
        lambda sight: told if sight[mark] >= at_least and when(sight) else None
    )


def look_all(sight: Sight) -> list[Finding]:
    """What is wrong, lowest layer first, without what is a mere consequence of something else."""
    spoken = {Speech.ANY, sight.speech}
    looked_for = {code: known for code, known in FAULTS.items() if known.speech in spoken}
    found = {
        code: each for code, known in looked_for.items() if (each := known.look(sight)) is not None
    }
    if any(not FAULTS[code].is_last for code in found):
        found = {code: each for code, each in found.items() if not FAULTS[code].is_last}
    roots = [FAULTS[code] for code in found]
    hidden = {code for root in roots for code in root.hides}
    floor = min((root.layer for root in roots if root.blocks), default=Layer.UCM)
    kept = (each for code, each in found.items() if code not in hidden and each.layer <= floor)
    return sorted(kept, key=lambda each: each.layer)
