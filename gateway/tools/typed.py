"""What somebody types while the program is busy with a line."""

import asyncio
import threading
from typing import TextIO


def typed_lines(source: TextIO) -> asyncio.Queue[str | None]:
    """Lines as they are typed, then None.

    A thread of its own reads them: a file cannot be waited for otherwise, and a pool's thread would
    hold up the end of the program until somebody presses a key.
    """
    typed: asyncio.Queue[str | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def read() -> None:
        try:
            for line in source:
                loop.call_soon_threadsafe(typed.put_nowait, line.strip())
            loop.call_soon_threadsafe(typed.put_nowait, None)
        except RuntimeError:
            pass  # the conversation is over, and its loop is closed

    threading.Thread(target=read, daemon=True).start()
    return typed
