"""Tables of keys: each key with its type, bounds, choices, default and meaning, told once.

A model of keys is a pydantic model (``Keys``) whose fields have a ``description``. Types are
strict: "3" is not 3, True is not 1, and no number is NaN or infinite.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from genescribe.errors import InputError

SHOWN = 60
"""Letters of a wrong value that a message shows."""


def wrong(message: str, *where: str) -> ValidationError:
    """Return the error for a validator to raise: what is wrong, and in which key below its own."""
    error = PydanticCustomError("wrong", message)
    return ValidationError.from_exception_data(
        "", [InitErrorDetails(type=error, loc=where, input=None)]
    )


def _number(value: object) -> int | float:
    """Return a number as it is, so that 1 stays 1 where it is hashed or shown."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PydanticCustomError("number", "Input should be a number")
    try:
        is_finite = math.isfinite(value)
    except OverflowError:  # an integer beyond all floats
        is_finite = False
    if not is_finite:
        raise PydanticCustomError("number", "Input should be a finite number")
    return value


Text = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=1)]
Natural = Annotated[int, Field(ge=0)]
Number = Annotated[float, PlainValidator(_number)]
Positive = Annotated[Number, Field(gt=0)]
NotNegative = Annotated[Number, Field(ge=0)]
Share = Annotated[Number, Field(ge=0, le=1)]


def key(meaning: str, default: Any = ..., **rules: Any) -> Any:
    """Return a field of ``Keys``: what the key says, and its value where it is left out.

    Without ``default`` the key is needed. ``rules`` are those of ``pydantic.Field``.
    """
    return Field(default, description=meaning, **rules)


class Keys(BaseModel):
    """A table of keys: what is unknown, missing or of another type is refused."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _check_keys(cls, content: Any) -> Any:
        if isinstance(content, cls):
            return content
        if not isinstance(content, Mapping):
            raise PydanticCustomError("table", "Input should be a table of keys")
        known = cls.keys()
        for key in content:
            if key not in known:
                raise wrong(f"unknown key {shown(key)}; allowed: {', '.join(sorted(known))}")
        return content

    @classmethod
    def keys(cls) -> dict[str, str]:
        """Return the keys as they are written, each with its meaning."""
        return {
            str(field.validation_alias or name): field.description or ""
            for name, field in cls.model_fields.items()
        }

    @classmethod
    def read(cls, content: object, path: Path, manual: str) -> Self:
        """Return the table that a file holds; InputError says which key is wrong.

        ``manual`` is where the keys are explained. Validators find ``path`` as ``file`` in their
        context.
        """
        try:
            return cls.model_validate(content, context={"file": path})
        except ValidationError as error:
            where, message = problem(error)
            raise InputError(
                f"{path}: in {where or 'the file'}: {message}; {manual} explains it"
            ) from error


def conforms(model: type[Keys]) -> AfterValidator:
    """Hold a table against a model and keep it as it is: for what another library is handed."""

    def check(value: Any) -> Any:
        model.model_validate(value)
        return value

    return AfterValidator(check)


def checked(check: Callable[[Any], None]) -> AfterValidator:
    """Make a validator of a function that raises ValueError for what it does not take."""

    def validate(value: Any) -> Any:
        check(value)
        return value

    return AfterValidator(validate)


def problem(error: ValidationError) -> tuple[str, str]:
    """Return where the first wrong key is, and what is wrong with it, in one line."""
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"] if part != "[key]")
    kind, message, value = first["type"], first["msg"], shown(first["input"])
    if kind == "wrong":
        return where, message
    if kind == "missing":
        return where, "missing; give it"
    if kind == "value_error":
        return where, f"{value}: {message.removeprefix('Value error, ')}"
    _, should, rule = message.replace("a valid dictionary", "a table of keys").partition(" should ")
    return where, f"{value}{should}{rule}" if should else f"{value}: {message}"


def shown(value: object) -> str:
    """Return a value as a message shows it: on one line, and not all of a long one."""
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."
