"""Frozen dataclasses as JSON text and back: how rooms are kept in the store."""

import dataclasses
import json
import types
import typing
from collections.abc import Callable, Mapping
from datetime import date, datetime
from operator import methodcaller
from typing import Any, TypeVar

T = TypeVar("T")

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_BY_ITSELF = (str, int, float, bool, types.NoneType)


def to_json(value: Any) -> str:
    """A dataclass as one line of JSON. Fields that have their default are left out."""
    return _encode(_plainer(type(value))(value))


def from_json(cls: type[T], text: str) -> T:
    """The dataclass that `to_json` wrote. Unknown keys are ignored, missing ones get defaults.

    Raises ValueError, KeyError or TypeError for text that another hand wrote.
    """
    value: T = _builder_of(cls)(json.loads(text))
    return value


_PLAINERS: dict[Any, Callable[[Any], Any]] = {}


def _plainer(cls: Any) -> Callable[[Any], Any]:
    """What makes a type's values such that JSON can say them, made once."""
    if cls not in _PLAINERS:
        _PLAINERS[cls] = _make_plainer(cls)
    return _PLAINERS[cls]


def _make_plainer(cls: Any) -> Callable[[Any], Any]:
    if cls in _BY_ITSELF:
        return _same
    if isinstance(cls, type) and issubclass(cls, date):  # a datetime is one too
        return methodcaller("isoformat")
    arguments = typing.get_args(cls)
    if typing.get_origin(cls) is Mapping:  # of texts
        return dict
    if typing.get_origin(cls) is tuple:
        each = _plainer(arguments[0])
        return list if each is _same else lambda value: [each(item) for item in value]
    if typing.get_origin(cls) is types.UnionType:  # T | None
        inner = _plainer(_not_none(arguments))
        return inner if inner is _same else lambda value: None if value is None else inner(value)
    hints = typing.get_type_hints(cls)
    fields = [
        (each.name, each.default, _plainer(hints[each.name])) for each in dataclasses.fields(cls)
    ]

    def all_fields(value: Any) -> dict[str, Any]:
        return {
            name: plain(kept)
            for name, default, plain in fields
            if (kept := getattr(value, name)) != default
        }

    return all_fields


def _same(value: Any) -> Any:
    return value


def _not_none(types_: tuple[Any, ...]) -> Any:
    return next(each for each in types_ if each is not types.NoneType)


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
    if origin is types.UnionType:
        inner = _builder_of(_not_none(arguments))
        return lambda raw: None if raw is None else inner(raw)
    return _same
