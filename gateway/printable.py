"""Texts of others as they may be shown: an escape sequence in a name must not rule a terminal."""


def printable(text: str) -> str:
    """One line without control characters: each is written as its number."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else f"\\x{ord(char):02X}" for char in text)
