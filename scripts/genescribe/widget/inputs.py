"""The inputs panel: which assembly, which model, and where the results go."""

from __future__ import annotations

import os
from pathlib import Path

import ipywidgets

from genescribe.api import full_path
from genescribe.errors import InputError, OutputError
from genescribe.files import open_binary
from genescribe.genome.annotation.read import sniff_dialect
from genescribe.genome.fasta import check_begins_as_fasta
from genescribe.inference.settings import DescribeSettings
from genescribe.pipeline.run import WORK_FOLDER, RunOptions
from genescribe.settings import choices
from genescribe.specs.spec import load_spec
from genescribe.widget.controls import WIDE, Field, PathField, heading, labelled, model_choice
from genescribe.widget.session import Session

FASTA_ENDINGS = (".fa", ".fna", ".fasta", ".fa.gz", ".fna.gz", ".fasta.gz", ".bgz")
ANNOTATION_ENDINGS = (".gff3", ".gff", ".gtf", ".gff3.gz", ".gff.gz", ".gtf.gz", ".bgz")
DEVICES = choices(DescribeSettings.model_fields["device"])


class InputsPanel:
    """Fields that are checked as one types; ``options`` is what they add up to."""

    def __init__(
        self,
        session: Session,
        *,
        genome: str,
        annotation: str,
        model: str,
        organism: str,
        out: str,
        device: str,
    ) -> None:
        self.genome = PathField(session, "Genome", genome, check_genome, FASTA_ENDINGS)
        self.annotation = PathField(
            session, "Annotation", annotation, check_annotation, ANNOTATION_ENDINGS
        )
        self.model = Field(session, model_choice("Model", model), check_model)
        self.organism = labelled(
            ipywidgets.Text,
            "Organism",
            value=organism,
            placeholder="told to models whose prompt mentions it; may stay empty",
        )
        self.out = PathField(session, "Output folder", out, check_out)
        self.device = ipywidgets.Dropdown(
            options=DEVICES, value=device, description="Device", style=WIDE
        )
        self.box = ipywidgets.VBox(
            [
                heading("Inputs"),
                self.genome.box,
                self.annotation.box,
                self.model.box,
                self.organism,
                self.out.box,
                self.device,
            ]
        )

    @property
    def folder(self) -> Path:
        """The output folder."""
        return full_path(self.out.value)

    def options(self) -> RunOptions:
        """Return what to run; raises InputError with the first problem."""
        for field in (self.genome, self.annotation, self.model, self.out):
            field.validate()  # files come and go
            if field.problem:
                raise InputError(f"{field.widget.description}: {field.problem}")
        return RunOptions(
            genome=full_path(self.genome.value) if self.genome.value else None,
            annotation=full_path(self.annotation.value),
            out=self.folder,
            describe=DescribeSettings(
                model=self.model.value,
                organism=self.organism.value.strip() or None,
                device=self.device.value,
            ),
        )


def check_genome(value: str) -> str:
    """Say what a genome is; may be left out where the annotation has its sequences."""
    if not value:
        return "FASTA, plain or compressed; may stay empty if the annotation ends in ##FASTA"
    path = Path(value).expanduser()
    check_begins_as_fasta(path)
    return f"FASTA, {megabytes(path)}"


def check_annotation(value: str) -> str:
    """Say which format an annotation has."""
    if not value:
        raise InputError("choose the gene models, GFF3 or GTF")
    path = Path(value).expanduser()
    with open_binary(path) as handle:
        dialect = sniff_dialect(handle)
    return f"{dialect.upper()}, {megabytes(path)}"


def check_model(value: str) -> str:
    """Say what a model is; CheckpointError says how to get one that is not installed."""
    if not value:
        raise InputError("choose a model")
    spec = load_spec(value)
    return f"{spec.identity}: {spec.summary}"


def check_out(value: str) -> str:
    """Say what is in the output folder."""
    if not value:
        raise InputError("choose a folder for the results")
    folder = Path(value).expanduser().absolute()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not there.is_dir():
        raise OutputError(f"{there}: is a file; choose another output folder")
    if not os.access(there, os.W_OK):
        raise OutputError(f"{there}: cannot be written by you; choose another output folder")
    if (folder / "run.json").exists():
        return "holds a finished run"
    if (folder / WORK_FOLDER).exists():
        return "holds a stopped run, which Run goes on with"
    return "" if folder.exists() else "will be made"


def megabytes(path: Path) -> str:
    """Return the size of a file for people."""
    return f"{path.stat().st_size / 1e6:,.2f} MB"
