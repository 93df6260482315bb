"""What a gateway is plugged into: a TCP relay that notes when it spoke, and that can be cut."""

import asyncio
import contextlib
import time


class Wire:
    """Between one gateway and one port that it dials.

    name    whose wire it is
    spoken  gets (monotonic, name, bytes) of whatever the gateway says, before it is passed on
    """

    def __init__(self, name, target, spoken=None):
        self.name, self.target = name, target
        self.spoken = spoken if spoken is not None else []
        self.port = 0
        self._whole = asyncio.Event()
        self._whole.set()
        self._writers = set()

    async def lay(self):
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def take_up(self):
        self._server.close()
        self._abort()

    def cut(self):
        """Nothing passes, and nobody is told."""
        self._whole.clear()

    def mend(self):
        """The connections of before are gone, as after a firewall has started again."""
        self._abort()
        self._whole.set()

    def _abort(self):
        for writer in tuple(self._writers):
            writer.transport.abort()

    async def _connect(self, reader, writer):
        self._writers.add(writer)
        far = None
        try:
            await self._whole.wait()
            far_reader, far = await asyncio.open_connection("127.0.0.1", self.target)
            self._writers.add(far)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._carry(reader, far, self._note))
                group.create_task(self._carry(far_reader, writer, lambda _: None))
        except* (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            for each in (writer, far):
                if each is not None:
                    self._writers.discard(each)
                    each.transport.abort()

    def _note(self, data):
        self.spoken.append((time.monotonic(), self.name, data))

    async def _carry(self, reader, writer, note):
        while data := await reader.read(65536):
            await self._whole.wait()
            note(data)
            writer.write(data)
            await writer.drain()
        with contextlib.suppress(OSError):
            writer.write_eof()
        raise ConnectionResetError  # either end closes both
