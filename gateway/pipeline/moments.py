"""When what happened last on the PMS side; shown to people; nothing is decided by it."""

from dataclasses import dataclass


@dataclass(slots=True)
class Moments:
    """Seconds since 1970; None: not since the service runs.

    started_at          the service began to use the line
    line_at, link_at    the line was opened or lost, the link came up or went down
    asked_at            we asked for a resync
    began_at, ended_at, broke_off_at    the last resync
    """

    started_at: float | None = None
    line_at: float | None = None
    link_at: float | None = None
    asked_at: float | None = None
    began_at: float | None = None
    ended_at: float | None = None
    broke_off_at: float | None = None
    _resync: int | None = None
    _was_running: bool = False

    def look(self, resync: int, *, is_running: bool, at: float) -> None:
        """The house's ledger as it is now: which resync is the last one, and whether it runs."""
        has_begun = self._resync is not None and resync != self._resync
        if has_begun or (is_running and not self._was_running):
            self.began_at = at
        if not is_running and (has_begun or self._was_running):
            self.ended_at = at
        self._resync, self._was_running = resync, is_running

    def broke_off(self, at: float) -> None:
        """The running resync will not come to its end."""
        self.broke_off_at, self._was_running = at, False
