"""A small assembly, and Snakemake as a user would call it."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
GENES_PER_CONTIG = 4
GENE_LENGTH = 600
SPACING = 1000


def write_assembly(folder: Path, *, mutated: bool = False) -> None:
    """Write genome.fa, genes.gff3 and genes.gtf: 3 contigs, 12 genes; ``mutated`` alters one."""
    chance = random.Random(1)
    fasta, gff3, gtf = [], ["##gff-version 3"], []
    for contig in range(1, 4):
        bases = chance.choices("ACGT", k=SPACING * (GENES_PER_CONTIG + 1))
        if mutated and contig == 1:
            middle = SPACING + GENE_LENGTH // 2
            bases[middle : middle + 3] = "ACG" if bases[middle] != "A" else "CGT"
        fasta += [f">chr{contig}", "".join(bases)]
        for number in range(1, GENES_PER_CONTIG + 1):
            start, gene = number * SPACING + 1, f"g{contig}_{number}"
            place = [f"chr{contig}", "made", "", str(start), str(start + GENE_LENGTH - 1)]
            place += [".", "+-"[number % 2]]
            parents = {"gene": "", "mRNA": f"Parent={gene};", "exon": f"Parent={gene}.t;"}
            parents["CDS"] = parents["exon"]
            names = {"gene": gene, "mRNA": f"{gene}.t", "exon": f"{gene}.e", "CDS": f"{gene}.c"}
            for kind, parent in parents.items():
                place[2] = kind
                phase = "0" if kind == "CDS" else "."
                gff3.append("\t".join([*place, phase, f"ID={names[kind]};{parent}"]).rstrip(";"))
                if kind != "gene":
                    place[2] = kind.replace("mRNA", "transcript")
                    ids = f'gene_id "{gene}"; transcript_id "{gene}.t";'
                    gtf.append("\t".join([*place, phase, ids]))
    folder.mkdir(parents=True, exist_ok=True)
    for name, lines in {"genome.fa": fasta, "genes.gff3": gff3, "genes.gtf": gtf}.items():
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_sheet(project: Path, rows: dict[str, tuple[str, str]]) -> None:
    """Write the sample sheet: assembly -> (genome, annotation)."""
    lines = ["assembly\tgenome\tannotation\torganism\tmodel"]
    lines += [f"{name}\t{genome}\t{genes}\t\t" for name, (genome, genes) in rows.items()]
    (project / "config" / "assemblies.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_config(project: Path, **changes: object) -> None:
    """Write config/config.yaml as the project ships it, with sections changed."""
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))
    for key, value in changes.items():
        is_section = isinstance(config.get(key), dict)
        config[key] = config[key] | value if is_section else value
    (project / "config").mkdir(exist_ok=True)
    (project / "config" / "config.yaml").write_text(
        yaml.safe_dump(config, sort_keys=False), encoding="utf-8"
    )


def call_snakemake(
    project: Path,
    *args: str,
    code: Path = ROOT,
    snakefile: Path | None = None,
    program: str | None = None,
    **environment: str,
) -> subprocess.CompletedProcess[str]:
    """Run Snakemake in ``project`` with the workflow of ``code``, or another ``snakefile``."""
    snakemake = [program] if program else [sys.executable, "-m", "snakemake"]
    return subprocess.run(
        [*snakemake, "--snakefile", str(snakefile or code / "workflow" / "Snakefile"), *args],
        cwd=project,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def copy_code(target: Path) -> Path:
    """Copy what the workflow runs to where a test may edit it; the weights are linked."""
    for name in ("workflow", "scripts"):
        shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("config", "envs", "models"):
        (target / name).symlink_to(ROOT / name)
    return target
