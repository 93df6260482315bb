"""The examiner: steps in, findings out. Pure; it knows no clock but the one of the steps."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from gateway.scope.explain import faults as faults  # fills the table  # noqa: PLC0414
from gateway.scope.explain.marks import Mark, Tally
from gateway.scope.explain.notes.frames import note_frames
from gateway.scope.explain.notes.line import note_line
from gateway.scope.explain.notes.link import note_late, note_link, note_lost
from gateway.scope.explain.notes.postings import note_posting
from gateway.scope.explain.notes.records import note_record
from gateway.scope.explain.sight import Clock, Sight
from gateway.scope.explain.table import look_all
from gateway.scope.explain.values import Confidence, Finding, Layer
from gateway.scope.profile import LineProfile, profile_of
from gateway.scope.rows import Row, Watcher
from protocols.fias import known_charset
from protocols.transcript import Closed, Opened, Remarked, Settings, Step, Waited

WITHIN_S: Final = 3600.0
"""A fault that has not shown for so long is cured."""


class Examiner:
    """Watches one line for as long as it lives.

    within_s    what is older does not count

    Whatever comes, nothing raises, and memory stays within a few hundred kilobytes: marks are
    counted, not kept, and of each only the latest three lines are remembered.
    """

    def __init__(self, profile: LineProfile, *, within_s: float = WITHIN_S) -> None:
        self._within_s = within_s
        self._clock = Clock()
        self._use(profile)

    def _use(self, profile: LineProfile) -> None:
        profile = replace(profile, charset=known_charset(profile.charset) or "cp1252")
        self._watcher = Watcher(
            profile, names=True, is_brief=True
        )  # masked where evidence is made of it
        self._sight = Sight(profile, Tally(self._within_s), self._clock)

    def take(self, step: Step) -> None:
        """The next step of the line, in their order."""
        now = self._clock.to(step.at)
        match step:
            case Waited(seconds=seconds):
                self._clock.wait(seconds)
            case Remarked():
                return
            case Settings():
                profile = LineProfile.of_step(step)
                if profile != self._sight.profile:
                    self._use(profile)
                return
            case _:
                note_line(self._sight, step)
        self._pass_time()
        self._note(self._watcher.take(replace(step, at=now)))
        if isinstance(step, Opened | Closed):
            note_lost(self._sight)

    def findings(self, now: float | None = None) -> list[Finding]:
        """What is wrong, lowest layer first. `now`: the moment; None: that of the last step."""
        self._clock.to(now)
        self._pass_time()
        return look_all(self._sight)

    def end(self) -> None:
        """The capture is over: what is half there will not be completed."""
        rows = self._watcher.end()
        # Nobody has waited long enough to call this silence.
        self._note(replace(row, answer="") if row.answer == "silence" else row for row in rows)

    def too_little(self) -> list[Finding]:
        """A finding, when nothing was heard of which it could be said that all is well."""
        only_answers = self._sight.profile.dialect.normalize is None
        if self._sight[Mark.GOOD] or (only_answers and self._sight[Mark.SAID]):
            return []
        return [
            Finding(
                fault="too-little-heard",
                layer=Layer.LINK,
                confidence=Confidence.POSSIBLE,
                words="It holds no whole record of the PMS: too little to say that all is well.",
                do="Record for longer while the PMS runs: `pms-gateway line capture --live`.",
            )
        ]

    def _pass_time(self) -> None:
        self._sight.tally.move(self._clock.elapsed)
        self._note(self._watcher.late(self._clock.elapsed))
        note_late(self._sight)

    def _note(self, rows: Iterable[Row]) -> None:
        for row in rows:
            if row.from_pms is not None:
                self._note_row(row)

    def _note_row(self, row: Row) -> None:
        sight = self._sight
        note_frames(sight, row)
        if row.kind == "control" or row.decoded is None:
            return
        if row.decoded.name in ("empty", "grammar"):
            sight.note(Mark.NO_RECORD, row)
        record = row.decoded.record
        if record is None:
            return
        note_link(sight, row, record)
        note_posting(sight, row, record)
        if row.from_pms:
            note_record(sight, row, record)


def explain(steps: Iterable[Step], profile: LineProfile | None = None) -> list[Finding]:
    """What is wrong in a capture that is over, lowest layer first.

    profile     how the line was spoken, where the capture does not say so itself
    """
    steps = list(steps)
    examiner = Examiner(profile_of(steps) or profile or LineProfile())
    for step in steps:
        examiner.take(step)
    examiner.end()
    return examiner.findings() or examiner.too_little()
