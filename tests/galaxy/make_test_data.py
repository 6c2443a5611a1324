#!/usr/bin/env python3
"""Make galaxy_tool/test-data/ from examples/, and the toy model in it with ``--model``.

Everything but the model is made anew at each call; a test compares it with what is committed.
"""

from __future__ import annotations

import argparse
import gzip
import shutil
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
TEST_DATA = ROOT / "galaxy_tool" / "test-data"
MODEL = "toy"
PLASMID = "plasmid_1"
NO_GENES = "##gff-version 3\n##sequence-region plasmid_1 1 8581\n"


def make_files() -> dict[str, bytes]:
    """Return the content of every file but the model's, by name; .gz ones not yet compressed."""
    fasta, gff3, gtf = (
        (EXAMPLES / f"example{ending}").read_text(encoding="utf-8")
        for ending in (".fa", ".gff3", ".gtf")
    )
    plasmid_fasta = next(f">{record}" for record in fasta.split(">") if record.startswith(PLASMID))
    plasmid_gff3 = "".join(
        line
        for line in gff3.splitlines(keepends=True)
        if line.startswith(("##gff-version", f"##sequence-region {PLASMID}", PLASMID))
    )
    files = {
        "example.fa": fasta,
        "example.gff3": gff3,
        "example.gtf": gtf,
        "example.fa.gz": fasta,
        "example.gff3.gz": gff3,
        "plasmid.fa": plasmid_fasta,
        "plasmid.gff3": plasmid_gff3,
        "plasmid_with_sequence.gff3": f"{plasmid_gff3}##FASTA\n{plasmid_fasta}",
        "other_names.gff3": plasmid_gff3.replace(PLASMID, "chrP"),
        "no_genes.gff3": NO_GENES,
        "genescribe_models.loc": f"{identity()}\tToy (random weights)\t${{__HERE__}}/{MODEL}.yaml\n"
        f"gone@000000000000\tGone (not on the disk)\t${{__HERE__}}/gone.yaml\n",
        "all_fasta.loc": "plasmid\tplasmid\tPlasmid of the example\t${__HERE__}/plasmid.fa\n",
    }
    return {name: text.encode() for name, text in files.items()}


def identity() -> str:
    """Return what the results call the toy model: the first column of its data table line."""
    spec = yaml.safe_load((TEST_DATA / f"{MODEL}.yaml").read_text(encoding="utf-8"))
    return f"{MODEL}@{spec['weights']['sha256']['model.safetensors'][:12]}"


def make_model() -> None:
    """Write an untrained model of 35 thousand parameters and its spec, which writes every text."""
    import torch

    from genescribe.files import sha256_of
    from support.toy_model import TOKENS, untrained

    torch.manual_seed(1)
    model, processor = untrained(TOKENS)
    folder = TEST_DATA / MODEL
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder)
    processor.tokenizer.save_pretrained(folder)
    spec = yaml.safe_load((ROOT / "config" / "models" / "tiny.yaml").read_text(encoding="utf-8"))
    spec |= {
        "name": MODEL,
        "summary": "Random weights, for tests: every text is nonsense.",
        "trained_on": "Nothing.",
        "source": "tests/galaxy/make_test_data.py",
        "weights": {
            "folder": f"./{MODEL}",
            "sha256": {path.name: sha256_of(path) for path in sorted(folder.iterdir())},
        },
        "generation": {"max_new_tokens": 8},
        "min_lift": -100.0,
        "min_score": 0.0,
    }
    text = yaml.safe_dump(spec, sort_keys=False, width=100)
    (TEST_DATA / f"{MODEL}.yaml").write_text(text, encoding="utf-8")


def main() -> int:
    """Write the files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", action="store_true", help="make the toy model, too")
    if parser.parse_args().model:
        sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests")]
        make_model()
    for name, content in make_files().items():
        packed = gzip.compress(content, mtime=0) if name.endswith(".gz") else content
        (TEST_DATA / name).write_bytes(packed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
