"""The notebook door: ``AnnotationWidget``, panels to click.

Needs ``pip install 'genescribe[notebook]'``.
"""

from __future__ import annotations

try:
    from genescribe.widget.app import AnnotationWidget
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"genescribe.widget needs {error.name}: pip install 'genescribe[notebook]'",
        name=error.name,
    ) from error

__all__ = ["AnnotationWidget"]
