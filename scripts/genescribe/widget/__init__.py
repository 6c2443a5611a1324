"""The notebook door: ``AnnotationWidget``, panels to click, beside ``annotate`` of the API.

Needs ``pip install 'genescribe[notebook]'``.
"""

from __future__ import annotations

from genescribe.api import annotate, open_results

try:
    from genescribe.widget.app import AnnotationWidget
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"genescribe.widget needs {error.name}: pip install 'genescribe[notebook]'",
        name=error.name,
    ) from error

__all__ = ["AnnotationWidget", "annotate", "open_results"]
