"""Libraries without what they would bring along for a screen that a service does not have."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without(*names: str) -> Iterator[None]:
    """Import inside as if these packages were not installed. structlog tries rich, for coloured
    tracebacks, and httpx pygments, for a command line; both do without. That is 5 MB, and a tenth
    of the start.
    """
    hidden = [name for name in names if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # Python's own word for "not there"
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
