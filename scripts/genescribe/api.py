"""What ``import genescribe`` offers for whole assemblies: paths in, a DataFrame or a file out."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from genescribe.doors import PYTHON
from genescribe.errors import Cancelled, GenescribeError, Remedy
from genescribe.files import atomic_path, refuse_existing
from genescribe.genome.decoration.strip import strip as strip_to
from genescribe.genome.settings import DecorateSettings, ExtractSettings
from genescribe.inference.settings import SHIPPED_MODEL, DescribeSettings
from genescribe.pipeline.results import Results
from genescribe.pipeline.run import RunOptions, run
from genescribe.records import ModelChoice

if TYPE_CHECKING:
    import pandas as pd

    from genescribe.records import Progress

DEFAULT_OUT = "genescribe_results"
COMMAND = "genescribe.annotate"
"""What the run record says was run."""


def annotate(
    genome: str | Path | None,
    annotation: str | Path,
    model: ModelChoice = SHIPPED_MODEL,
    *,
    out: str | Path = DEFAULT_OUT,
    name: str | None = None,
    organism: str | None = None,
    extract: ExtractSettings | None = None,
    decorate: DecorateSettings | None = None,
    describe: DescribeSettings | None = None,
    force: bool = False,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> pd.DataFrame:
    """Describe one assembly into the folder ``out``; return a row per gene, in the input's order.

    The columns are those of ``descriptions.tsv``, coordinates 1-based and closed. Results are
    those of ``genescribe run``. A finished run of the same inputs and settings is read, a stopped
    one goes on; ``force`` starts anew. ``genome`` None: the annotation ends in ##FASTA.
    ``describe`` replaces ``model`` and ``organism`` by all that can be chosen about inference.
    ``progress(done, total)`` is called after each batch; Cancelled is raised between two of them
    once ``cancel`` is set, or where the kernel is interrupted. Raises GenescribeError.

    >>> import genescribe
    >>> genes = genescribe.annotate("examples/example.fa", "examples/example.gff3", out="results")
    >>> len(genes)
    53
    >>> genes.loc[0, ["gene_id", "text", "status"]].tolist()
    ['exg_00010', 'Histone H3', 'described']
    """
    options = RunOptions(
        genome=full_path(genome) if genome else None,
        annotation=full_path(annotation),
        out=full_path(out),
        name=name,
        extract=extract or ExtractSettings(),
        describe=describe or DescribeSettings(model=model, organism=organism),
        decorate=decorate or DecorateSettings(),
    )
    with one_line_errors(options.out):
        run(
            options,
            command=COMMAND,
            resume=not force,
            force=force,
            progress=progress,
            cancel=cancel,
        )
        return Results.read(options.out).frame()


def open_results(out: str | Path) -> pd.DataFrame:
    """Return the DataFrame of a finished run, from its folder; raises InputError without one.

    >>> import genescribe
    >>> genes = genescribe.open_results("results")
    >>> genes[genes.status == "skipped"].reason.value_counts().to_dict()
    {'biotype_excluded': 1}
    """
    folder = full_path(out)
    with one_line_errors(folder):
        return Results.read(folder).frame()


def strip(decorated: str | Path, out: str | Path, *, force: bool = False) -> None:
    """Write to ``out`` the bytes that an annotation had before it was decorated.

    Raises AnnotationError where a decorated line was changed by hand so that the text cannot be
    found, and OutputExistsError where ``out`` is there, unless ``force``.

    >>> import genescribe
    >>> genescribe.strip("results/example.gff3", "stripped.gff3")
    >>> Path("stripped.gff3").read_bytes() == Path("examples/example.gff3").read_bytes()
    True
    """
    target = full_path(out)
    with one_line_errors(target):
        refuse_existing([target], force)
        with atomic_path(target) as temporary, temporary.open("wb") as handle:
            strip_to(full_path(decorated), handle)


def full_path(path: str | Path) -> Path:
    """Return a path that means the same after a notebook has changed its folder."""
    return Path(path).expanduser().absolute()


@contextlib.contextmanager
def one_line_errors(out: Path) -> Iterator[None]:
    """Let IPython show our errors as their one line, and an interrupted kernel as one of them."""
    try:
        try:
            yield
        except KeyboardInterrupt:
            raise Cancelled(f"{out}: stopped; what was finished is kept", Remedy.RESUME) from None
    except GenescribeError as error:
        error.words = PYTHON
        line = [f"{type(error).__name__}: {error}"]
        # what IPython shows instead of a traceback, where an error has it
        error._render_traceback_ = lambda: line  # type: ignore[attr-defined]
        raise
