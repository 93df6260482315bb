"""What one writes in an afternoon with the same packages: python -m bench.glue PORT_OF_THE_LINE PORT_OF_THE_UCM FILE

pyserial-asyncio reads, construct parses and checks, SQLite stores in a thread with `synchronous = FULL`,
the ACK is written, httpx tells the UCM. It has no link, no house, no order, no second try, no log, no
metric and no capture; it shows what these packages take by themselves.
"""

import asyncio
import ssl
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import apsw
import httpx
import serial_asyncio

from protocols.fias.wire import BODY, ENVELOPE_WITH_LRC

GUEST: Final = (
    "<account>4711</account><datein>2026/11/21 10:15</datein><dateout>2026/11/25 12:00</dateout>"
    "<first_name></first_name><last_name>Berger</last_name>"
)


async def main(line: str, ucm: int, file: str) -> None:
    """Carry records until killed."""
    reader, writer = await serial_asyncio.open_serial_connection(url=line, baudrate=9600)
    disk = ThreadPoolExecutor(1)
    loop = asyncio.get_running_loop()
    db = await loop.run_in_executor(disk, _open, file)
    client = httpx.AsyncClient(verify=_trusting(), base_url=f"https://127.0.0.1:{ucm}")
    while True:
        frame = await reader.readuntil(b"\x03") + await reader.readexactly(1)
        body = ENVELOPE_WITH_LRC.parse(frame).checked.value.body
        record = BODY.parse(body)
        fields = {id_.decode(): text.decode("cp1252") for id_, text in record.fields}
        room = fields["RN"]
        row = (room, record.id.decode(), body)
        await loop.run_in_executor(disk, db.execute, "INSERT INTO waiting VALUES (?, ?, ?)", row)
        writer.write(b"\x06")
        action, guest = ("checkin", GUEST) if record.id == b"GI" else ("checkout", "")
        data = f"<pms_data_request><{action}><address>{room}</address>{guest}</{action}></pms_data_request>"
        said: dict[str, Any] = {"action": "pmsapi", "cookie": "sid1", "token": "0" * 32}
        said |= {"format": "xml", "data": data}
        reply = await client.post("/api", json={"request": said})
        if reply.json()["status"] != 0:
            return
        await loop.run_in_executor(
            disk, db.execute, "DELETE FROM waiting WHERE rowid = ?", (db.last_insert_rowid(),)
        )


def _open(file: str) -> apsw.Connection:
    db = apsw.Connection(str(Path(file)))
    db.pragma("journal_mode", "WAL")
    db.pragma("synchronous", "FULL")
    db.execute("CREATE TABLE waiting (room TEXT, record TEXT, body BLOB) STRICT")
    return db


def _trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
