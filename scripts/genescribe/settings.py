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


def without_none(field: FieldInfo) -> Any:
    """Return the type of a setting, apart from None and bounds."""
    types = [one for one in get_args(field.annotation) if one is not type(None)]
    is_optional = type(None) in get_args(field.annotation) and len(types) == 1
    kind = types[0] if is_optional else field.annotation
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def choices(field: FieldInfo) -> tuple[str, ...]:
    """Return the words that a setting may be, () where it is not one of few."""
    kind = without_none(field)
    if get_origin(kind) is Literal:
        words = tuple(map(str, get_args(kind)))
    elif isinstance(kind, EnumMeta):
        words = tuple(str(member.value) for member in cast("type[Enum]", kind))
    else:
        return ()
    return words if kind is field.annotation else (AUTO, *words)


def default(field: FieldInfo) -> Any:
    """Return the default as the doors write it."""
    value = field.get_default(call_default_factory=True)
    return AUTO if value is None and choices(field) else value


def parse(field: FieldInfo, text: str) -> Any:
    """Return the value that a word stands for; ValueError says what the setting takes."""
    try:
        kind: Any = field.annotation
        taken: Any = Annotated[kind, *field.metadata] if field.metadata else kind
        return TypeAdapter(taken).validate_python(text)
    except ValidationError as error:
        raise ValueError(problem(error)[1]) from error
