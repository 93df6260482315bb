"""The table of faults. A fault is one function below `faults/` and two transcripts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gateway.scope.explain.sight import Sight, Told
from gateway.scope.explain.values import Finding, Layer

Rule = Callable[[Sight], Told | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One row of the table.

    code    its name, kebab-case
    looks   what it looks like on the line, one sentence
    rule    says whether it is there; never raises, changes nothing
    blocks  nothing above its layer can work while it is there: findings there are consequences
    hides   faults of its own layer or below that it explains
    """

    code: str
    layer: Layer
    looks: str
    rule: Rule
    blocks: bool = False
    hides: frozenset[str] = frozenset()

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
    code: str, layer: Layer, looks: str, *, blocks: bool = False, hides: tuple[str, ...] = ()
) -> Callable[[Rule], Rule]:
    """Put a rule into the table."""

    def register(rule: Rule) -> Rule:
        FAULTS[code] = Fault(
            code=code, layer=layer, looks=looks, rule=rule, blocks=blocks, hides=frozenset(hides)
        )
        return rule

    return register


def look_all(sight: Sight) -> list[Finding]:
    """What is wrong, lowest layer first, without what is a mere consequence of something else."""
    found = {code: each for code, row in FAULTS.items() if (each := row.look(sight)) is not None}
    roots = [FAULTS[code] for code in found]
    hidden = {code for root in roots for code in root.hides}
    floor = min((root.layer for root in roots if root.blocks), default=Layer.UCM)
    kept = (each for code, each in found.items() if code not in hidden and each.layer <= floor)
    return sorted(kept, key=lambda each: each.layer)
