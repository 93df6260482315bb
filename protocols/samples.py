"""What one side of a line says at a site: text to try it with."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """Records or bytes in the notation. Blanks stand for what is asked: `{room}`, `{to}` (another
    room), `{name}`, `{guest}` (a number), `{at}` (HHMMSS); `{day}` and `{time}` are now.
    """

    title: str
    texts: tuple[str, ...]


BYTES = (
    Sample("the byte ENQ", ("<ENQ>",)),
    Sample("the byte ACK", ("<ACK>",)),
    Sample("the byte NAK", ("<NAK>",)),
)
