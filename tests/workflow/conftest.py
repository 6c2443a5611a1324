"""A project that is ready to run, and one that has run."""

from __future__ import annotations

from pathlib import Path

import pytest

from workflow.project import call_snakemake, copy_code, write_assembly, write_config, write_sheet


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the assembly, its sheet and the configuration; nothing has run yet."""
    write_assembly(tmp_path / "data")
    write_config(tmp_path)
    write_sheet(tmp_path, {"toy": ("data/genome.fa", "data/genes.gff3")})
    return tmp_path


@pytest.fixture
def described(project: Path) -> Path:
    """The project with a product on each CDS of its assembly, and a sheet that names it."""
    gff = project / "data" / "genes.gff3"
    lines = gff.read_text().splitlines()
    for at, line in enumerate(lines):
        if "\tCDS\t" in line:
            lines[at] += f";product=enzyme number {at} of the toy pathway"
    gff.write_text("\n".join(lines) + "\n")
    (project / "config" / "sources.tsv").write_text(
        "source\tinput\tgenome\torganism\ntoy\tdata/genes.gff3\tdata/genome.fa\tToy toy\n"
    )
    write_config(project, corpus={"mmseqs": False, "validation": 2, "test": 3})
    return project


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A project that has run (GFF3 and GTF of one assembly, 3 shards), and its copy of the code.

    Tests that change anything work on a copy: ``shutil.copytree(..., symlinks=True)``.
    """
    place = tmp_path_factory.mktemp("finished")
    project, code = place / "project", copy_code(place / "code")
    write_assembly(project / "data")
    write_config(project, describe={"shards": 3})
    genome = "data/genome.fa"
    write_sheet(
        project, {"toy": (genome, "data/genes.gff3"), "toy_gtf": (genome, "data/genes.gtf")}
    )
    done = call_snakemake(project, "--cores", "2", code=code)
    assert done.returncode == 0, done.stderr
    return project, code
