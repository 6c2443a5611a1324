"""What a person may choose about a stage: each setting told once, in a typed model.

A model of settings says of each its name, type, bounds, choices, default and meaning. The doors
make their forms from it (options of the command line, keys of the workflow's configuration), and
hand what was chosen back to it.
"""

from __future__ import annotations

from enum import Enum, EnumMeta
from typing import Annotated, Any, Literal, cast, get_args, get_origin

from pydantic import BeforeValidator, ConfigDict, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from genescribe.errors import InputError
from genescribe.keys import Keys, problem

AUTO = "auto"
"""The word for None where it means that the model spec, say, decides."""

Automatic = BeforeValidator(lambda value: None if value == AUTO else value)
"""Makes the word auto None, for a setting with choices."""


class Settings(Keys):
    """Settings of a stage; raises InputError for a value that is none.

    Not strict, for the words of a command line: "30" is 30.
    """

    model_config = ConfigDict(strict=False)

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            where, message = problem(error)
            raise InputError(f"{where}: {message}" if where else message) from error


def is_several(field: FieldInfo) -> bool:
    """Tell whether a setting is a tuple of any length."""
    return get_origin(field.annotation) is tuple and get_args(field.annotation)[-1] is Ellipsis


def type_of(field: FieldInfo) -> Any:
    """Return the type of a setting, or of one of its values, apart from None and bounds."""
    kind: Any = get_args(field.annotation)[0] if is_several(field) else field.annotation
    types = [one for one in get_args(kind) if one is not type(None)]
    if type(None) in get_args(kind) and len(types) == 1:
        kind = types[0]
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def choices(field: FieldInfo) -> tuple[str, ...]:
    """Return the words that a setting may be, () where it is not one of few."""
    kind = type_of(field)
    if get_origin(kind) is Literal:
        words = tuple(map(str, get_args(kind)))
    elif isinstance(kind, EnumMeta):
        words = tuple(str(member.value) for member in cast("type[Enum]", kind))
    else:
        return ()
    return (AUTO, *words) if type(None) in get_args(field.annotation) else words


def default(field: FieldInfo) -> Any:
    """Return the default as the doors write it."""
    value = field.get_default(call_default_factory=True)
    if value is None and choices(field):
        return AUTO
    return value.value if isinstance(value, Enum) else value


def parse(field: FieldInfo, text: str) -> Any:
    """Return the value that a word stands for; ValueError says what the setting takes."""
    kind: Any = field.annotation
    if is_several(field):
        kind = get_args(kind)[0]
    elif field.metadata:
        kind = Annotated[kind, *field.metadata]
    try:
        return TypeAdapter(kind).validate_python(text)
    except ValidationError as error:
        raise ValueError(problem(error)[1]) from error
