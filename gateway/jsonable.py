"""Frozen dataclasses as JSON text and back: how events and rooms are kept in the outbox file."""

import dataclasses
import json
import types
import typing
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, TypeVar

T = TypeVar("T")


def to_json(value: Any) -> str:
    """A dataclass as one line of JSON. Fields that have their default are left out."""
    return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"))


def from_json(cls: type[T], text: str) -> T:
    """The dataclass that `to_json` wrote. Unknown keys are ignored, missing ones get defaults.

    Raises ValueError, KeyError or TypeError for text that another hand wrote.
    """
    value: T = _builder_of(cls)(json.loads(text))
    return value


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {
            field.name: _plain(kept)
            for field in dataclasses.fields(value)
            if (kept := getattr(value, field.name)) != field.default
        }
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, date):  # a datetime is one too
        return value.isoformat()
    return value


_BUILDERS: dict[Any, Callable[[Any], Any]] = {}


def _builder_of(cls: Any) -> Callable[[Any], Any]:
    """The builder of a type, made once."""
    if cls not in _BUILDERS:
        _BUILDERS[cls] = _builder(cls)
    return _BUILDERS[cls]


def _builder(cls: Any) -> Callable[[Any], Any]:
    if isinstance(cls, type) and dataclasses.is_dataclass(cls):
        make: Callable[..., Any] = cls
        hints = typing.get_type_hints(cls)
        fields = {field.name: _builder_of(hints[field.name]) for field in dataclasses.fields(cls)}
        return lambda raw: make(
            **{name: build(raw[name]) for name, build in fields.items() if name in raw}
        )
    if cls is datetime or cls is date:
        parse: Callable[[Any], Any] = cls.fromisoformat
        return parse
    origin, arguments = typing.get_origin(cls), typing.get_args(cls)
    if origin is tuple:
        each = _builder_of(arguments[0])
        return lambda raw: tuple(each(item) for item in raw)
    if origin is types.UnionType:  # T | None
        inner = _builder_of(next(each for each in arguments if each is not types.NoneType))
        return lambda raw: None if raw is None else inner(raw)
    return lambda raw: raw
