"""Libraries without what they would bring along for a screen that a service does not have."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType


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


@contextmanager
def instead(name: str, *names: str) -> Iterator[None]:
    """Import inside with an empty module in the place of this one, which has only these names.
    uvicorn's front imports its command line, and with it click, multiprocessing and a supervisor.
    """
    if name in sys.modules:
        yield
        return
    sys.modules[name] = ModuleType(name)
    vars(sys.modules[name]).update(dict.fromkeys(names))
    try:
        yield
    finally:
        del sys.modules[name]
