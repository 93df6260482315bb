"""Frozen dataclasses as JSON text and back: how values are kept in the store."""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")


_adapter: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)


def to_json(value: Any) -> str:
    """A dataclass as one line of JSON. Fields that have their default are left out."""
    return _adapter(type(value)).dump_json(value, exclude_defaults=True).decode()


def from_json(cls: type[T], text: str) -> T:
    """The dataclass that `to_json` wrote. Unknown keys are ignored, missing ones get defaults.

    Raises ValueError for text that another hand wrote; the error quotes it, so do not print it.
    """
    value: T = _adapter(cls).validate_json(text)
    return value
