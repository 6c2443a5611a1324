"""The folder of a finished run, read back: as entries, and as a DataFrame."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genescribe.artifacts.descriptions import DESCRIPTION_COLUMNS, read_descriptions
from genescribe.artifacts.genes import read_genes_tsv
from genescribe.artifacts.run_record import RunRecord, read_record
from genescribe.errors import FormatError, InputError
from genescribe.genome.settings import DecorateSettings
from genescribe.pipeline.run import WORK_FOLDER
from genescribe.report.entries import Entry, pair

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Results:
    """What a finished run wrote; ``record`` is its run.json."""

    folder: Path
    entries: list[Entry]
    record: RunRecord

    @classmethod
    def read(cls, folder: Path) -> Results:
        """Read a folder; raises InputError where there is no finished run."""
        if not (folder / "run.json").exists():
            stopped = (folder / WORK_FOLDER).exists()
            hint = "holds a stopped run; run it to go on" if stopped else "holds no finished run"
            raise InputError(f"{folder}: {hint}")
        rows = read_genes_tsv(folder / "genes.tsv")
        described = {row.gene_id: row for row in read_descriptions(folder / "descriptions.jsonl")}
        return cls(folder, pair(rows, described), read_record(folder / "run.json", RunRecord))

    @property
    def name(self) -> str:
        """The name of the result files."""
        return str(self._setting("name"))

    @property
    def annotation(self) -> Path:
        """The annotation that was described."""
        return Path(self.record.inputs["annotation"].path)

    @property
    def genome(self) -> Path | None:
        """The genome, None where the annotation carries it."""
        genome = self.record.inputs.get("genome")
        return Path(genome.path) if genome else None

    @property
    def organism(self) -> str | None:
        """What the model was told of the organism."""
        organism: str | None = self._setting("organism")
        return organism

    @property
    def decorate(self) -> DecorateSettings:
        """How the run wrote the annotation."""
        names = DecorateSettings.model_fields
        return DecorateSettings(**{name: self._setting(name) for name in names})

    def _setting(self, name: str) -> Any:
        settings = self.record.settings or {}
        if name not in settings:
            path = self.folder / "run.json"
            raise FormatError(path, None, f"says no {name}: written by another version; run anew")
        return settings[name]

    def frame(self) -> pd.DataFrame:
        """Return a row per gene with the columns of ``descriptions.tsv``."""
        import pandas as pd  # takes half a second; the panels do without

        rows = [
            {name: getattr(found, name) for name in _DESCRIBED}
            | {name: getattr(row, name) for name in _OF_GENE}
            for row, found in self.entries
        ]
        frame = pd.DataFrame(rows, columns=list(DESCRIPTION_COLUMNS))
        frame["start"] += 1  # people count from 1
        frame[["status", "reason"]] = frame[["status", "reason"]].map(str)
        frame[["score", "lift"]] = frame[["score", "lift"]].astype(float)
        frame.attrs["folder"] = str(self.folder)
        return frame


_OF_GENE = ("gene_id", "seqid", "start", "end", "strand", "biotype", "name", "product")
_DESCRIBED = tuple(name for name in DESCRIPTION_COLUMNS if name not in _OF_GENE)
