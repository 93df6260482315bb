"""Who may look at the console and who may change something."""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from gateway.line.spec import is_loopback

_N, _R, _P = 1 << 14, 8, 1  # 16 MiB and 50 ms for each guess
SESSION_S: Final = 12 * 3600.0
MOST_SESSIONS: Final = 32
MOST_CLIENTS: Final = 256
FREE_GUESSES: Final = 5
GUESS_PAUSE_S: Final = 60.0


def hash_password(password: str) -> str:
    """What goes into the configuration: one word, from which nobody gets the password back."""
    salt = secrets.token_bytes(16)
    return f"scrypt:{_N}:{_R}:{_P}:{_text(salt)}:{_text(_digest(password, salt, _N, _R, _P))}"


def is_hash(text: str) -> bool:
    """Whether this is a word of `hash_password`."""
    return _parts(text) is not None


def fits(password: str, hashed: str) -> bool:
    """Whether this is the password. Takes 50 ms and 16 MiB: not on the event loop."""
    parts = _parts(hashed)
    if parts is None:
        return False
    n, r, p, salt, digest = parts
    return hmac.compare_digest(_digest(password, salt, n, r, p), digest)


def _parts(text: str) -> tuple[int, int, int, bytes, bytes] | None:
    try:
        word, n, r, p, salt, digest = text.split(":")
        numbers = int(n), int(r), int(p)
        found = base64.b64decode(salt, validate=True), base64.b64decode(digest, validate=True)
    except (ValueError, binascii.Error):
        return None
    # What another hand wrote must not cost more memory than ours does.
    if word != "scrypt" or numbers != (_N, _R, _P) or len(found[1]) != 32:
        return None
    return (*numbers, *found)


def _digest(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, dklen=32)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


@dataclass(slots=True)
class Session:
    """One browser that knew the password. `names`: it asked to see guests."""

    token: str
    csrf: str
    used_at: float
    names: bool = False


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
