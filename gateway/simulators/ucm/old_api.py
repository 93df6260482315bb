"""The old API of a simulated UCM: XML in the query of GET /pmsapi, behind HTTP digest."""

import re
import secrets
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

import h11

from gateway.simulators.pbx import Refusal
from gateway.simulators.ucm.module import LISTS, PmsModule, Result, md5, peek
from gateway.simulators.ucm.replies import Reply, old_reply

NONCE_S: Final = 60.0


@dataclass(slots=True)
class OldApi:
    """The only nonce that is good, and since when."""

    module: PmsModule
    _nonce: str = ""
    _given_at: float = float("-inf")

    async def answer(self, request: h11.Request, query: str) -> Reply:
        """The reply to one request. Raises Dropped and Hanging."""
        if not self.module.settings.permitted:
            return Reply(403, b"Forbidden")
        if not self.module.settings.api_enabled:
            return Reply(404, b"Not Found")
        method = request.method.decode()
        digest = dict(request.headers).get(b"authorization", b"").decode()
        if not self._is_right(method, digest):
            return self._ask_for_digest(is_stale="nonce=" in digest)
        if method != "GET":
            return Reply(405)
        values = dict(parse_qsl(query, keep_blank_values=True))
        asked = peek(values)

        def do() -> Result:
            if asked.action in LISTS:
                raise Refusal(13)  # the list came with the new API
            return self.module.do(values)

        async with self.module.lock:
            fault = await self.module.fault(asked)
            if fault is not None and fault.kind == "cookie":
                fault = None  # there is none here
            return self.module.answer(asked, fault, do, _write)

    def _ask_for_digest(self, *, is_stale: bool) -> Reply:
        self._nonce, self._given_at = secrets.token_hex(8), self.module.now()
        challenge = f'Digest realm="asterisk", nonce="{self._nonce}", algorithm=MD5, qop="auth"'
        return Reply(401, headers={"WWW-Authenticate": challenge + ", stale=true" * is_stale})

    def _is_right(self, method: str, digest: str) -> bool:
        pairs = re.findall(r'(\w+)=(?:"([^"]*)"|([^",\s]+))', digest)
        given = {key: quoted or bare for key, quoted, bare in pairs}
        if given.get("nonce") != self._nonce or self.module.now() - self._given_at > NONCE_S:
            return False
        settings = self.module.settings
        secret = md5(f"{settings.username}:asterisk:{settings.password}")
        request = md5(f"{method}:{given.get('uri')}")
        proof = f"{given['nonce']}:{given.get('nc')}:{given.get('cnonce')}:auth:{request}"
        return given.get("response") == md5(f"{secret}:{proof}")


def _write(result: Result) -> Reply:
    return old_reply(result if isinstance(result, int) else 0)
