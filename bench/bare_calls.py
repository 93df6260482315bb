"""The same calls from a bare loop: no outbox, no order, no line. python -m bench.bare_calls PORT COUNT"""

import asyncio
import sys
from datetime import date, datetime

from bench.peers import room
from gateway.drivers.calls import CheckIn
from gateway.drivers.https import MAX_REPLY_BYTES, HttpsPeer, TlsSettings, Trust
from gateway.drivers.ucm_api import as_json
from gateway.drivers.ucm_wire import Words, guest_tags, request_of, to_xml
from gateway.house import Guest


async def main(port: int, count: int) -> None:
    """Say who is in each room, one call after the other, with the client that the gateway has."""
    peer = HttpsPeer(
        f"https://127.0.0.1:{port}/api", tls=TlsSettings(trust=Trust.INSECURE), timeout_s=15
    )
    guest = Guest(
        key="4711", name="Berger", came=datetime(2026, 11, 21), departure=date(2026, 11, 25)
    )
    words = Words()
    for number in range(count):
        said = request_of(CheckIn(room=room(number), tags=guest_tags(guest, None, words)), words)
        assert said is not None  # every check-in has its request
        request = {
            "action": "pmsapi",
            "cookie": "sid1",
            "token": "0" * 32,
            "format": "xml",
            "data": to_xml(said),
        }
        await peer.post(as_json({"request": request}), MAX_REPLY_BYTES)
    await peer.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
