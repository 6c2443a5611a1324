"""The notebook door: ``annotate`` gives a DataFrame, ``AnnotationWidget`` panels to click.

Needs ``pip install 'genescribe[notebook]'``.
"""

from __future__ import annotations

try:
    from genescribe.widget.api import annotate, open_results
    from genescribe.widget.app import AnnotationWidget
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"genescribe.widget needs {error.name}: pip install 'genescribe[notebook]'",
        name=error.name,
    ) from error

__all__ = ["AnnotationWidget", "annotate", "open_results"]
