"""Who may look at the console and who may change something."""

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from gateway.line.spec import is_loopback

SESSION_S: Final = 12 * 3600.0
MOST_SESSIONS: Final = 32
MOST_CLIENTS: Final = 256
FREE_GUESSES: Final = 5
GUESS_PAUSE_S: Final = 60.0


@dataclass(slots=True)
class Session:
    """One browser that knew the password. `names`: it asked to see guests; `said`: what came of
    what it did last, for the next page."""

    token: str
    csrf: str
    used_at: float
    names: bool = False
    said: str = ""


@dataclass(slots=True)
class Guard:
    """The console's door.

    password_hash   None: nobody can change anything from a browser
    open_to_all     the pages are bound to this machine alone, so whoever is on it may look
    now             monotonic seconds
    """

    password_hash: str | None
    open_to_all: bool
    now: Callable[[], float]
    _sessions: dict[str, Session] = field(default_factory=dict)
    _wrong: dict[str, tuple[int, float]] = field(default_factory=dict)

    def change_lock(self, password_hash: str | None) -> None:
        """Another password from now on; whoever knew only the old one is out."""
        if password_hash != self.password_hash:
            self.password_hash = password_hash
            self._sessions.clear()

    def session(self, token: str | None, *, uses: bool = True) -> Session | None:
        """The session of a cookie, if it is still good. `uses`: somebody did something with it; a
        page that is merely open does not keep it alive."""
        found = self._sessions.get(token or "")
        if found is None:
            return None
        if self.now() - found.used_at > SESSION_S:
            del self._sessions[found.token]
            return None
        if uses:
            found.used_at = self.now()
        return found

    def may_look(self, session: Session | None, *, host: str, client: str) -> bool:
        """Whether a request may see a page.

        host    as the browser says it: a page of somebody else that names our address by its own
                name (DNS rebinding) is not on this machine
        client  the address it comes from
        """
        if session is not None:
            return True
        name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
        return self.open_to_all and is_loopback(client) and is_loopback(name)

    def pause(self, client: str) -> float:
        """Seconds until the next guess from this address is listened to."""
        count, at = self._wrong.get(client, (0, 0.0))
        return max(0.0, at + GUESS_PAUSE_S - self.now()) if count >= FREE_GUESSES else 0.0

    def judge(self, client: str, *, right: bool) -> Session | None:
        """A guess was made. The new session, if it was right."""
        count, _ = self._wrong.pop(client, (0, 0.0))
        if not right:
            if len(self._wrong) >= MOST_CLIENTS:
                del self._wrong[next(iter(self._wrong))]  # the one that has not tried for longest
            self._wrong[client] = (count + 1, self.now())
            return None
        if len(self._sessions) >= MOST_SESSIONS:
            del self._sessions[min(self._sessions.values(), key=lambda each: each.used_at).token]
        session = Session(secrets.token_urlsafe(32), secrets.token_urlsafe(32), self.now())
        self._sessions[session.token] = session
        return session

    def end(self, session: Session) -> None:
        """He has left."""
        self._sessions.pop(session.token, None)


def is_own_form(session: Session, csrf: str) -> bool:
    """Whether a form came from a page of ours."""
    return hmac.compare_digest(session.csrf.encode(), csrf.encode("utf-8", "replace"))
