"""The console's password as the configuration keeps it: scrypt, in one word."""

import base64
import binascii
import hashlib
import hmac
import secrets

_N, _R, _P = 1 << 14, 8, 1  # 16 MiB and 50 ms for each guess


def hash_password(password: str) -> str:
    """What goes into the configuration: one word, from which the password cannot be got back."""
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
