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


_FIELDS: dict[type, tuple[tuple[str, Any], ...] | None] = {}


def _fields(cls: type) -> tuple[tuple[str, Any], ...] | None:
    """Name and default of each field; None: no dataclass. Asked of each type once."""
    if cls not in _FIELDS:
        _FIELDS[cls] = (
            tuple((field.name, field.default) for field in dataclasses.fields(cls))
            if dataclasses.is_dataclass(cls)
            else None
        )
    return _FIELDS[cls]


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, date):  # a datetime is one too
        return value.isoformat()
    fields = _fields(type(value))
    if fields is None:
        return value
    return {
        name: _plain(kept) for name, default in fields if (kept := getattr(value, name)) != default
    }


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

        def build_all(raw: Any) -> Any:
            if not isinstance(raw, dict):  # an empty list would pass for an empty room
                raise TypeError(f"{make.__name__}: expected an object, found {type(raw).__name__}")
            return make(**{name: build(raw[name]) for name, build in fields.items() if name in raw})

        return build_all
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
