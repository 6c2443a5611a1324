"""genescribe: natural-language descriptions for the genes of an annotation you already have.

    import genescribe

    genes = genescribe.annotate("genome.fa.gz", "genes.gff3", out="results")  # a DataFrame

What this module names is loaded when it is first used: the import itself costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from genescribe.lazy import loader
from genescribe.version import __version__

if TYPE_CHECKING:
    from genescribe.api import annotate, open_results, strip
    from genescribe.genome.annotation import read_annotation
    from genescribe.inference.describer import Describer

__all__ = [
    "Describer",
    "__version__",
    "annotate",
    "open_results",
    "read_annotation",
    "strip",
]

_HOMES = {
    "Describer": "genescribe.inference.describer",
    "annotate": "genescribe.api",
    "open_results": "genescribe.api",
    "read_annotation": "genescribe.genome.annotation",
    "strip": "genescribe.api",
}
"""The modules of the names that are not here yet."""

if not TYPE_CHECKING:  # which sees the imports above, and every other name as the mistake it is
    __getattr__ = loader(__name__, _HOMES)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
