#!/usr/bin/env python3
"""Make the example assembly in ``examples/``, or ``--check`` that it is what this makes.

Proteins and RNAs that textbooks print are back-translated, cut into exons and laid out on
made-up contigs; two relatives have them too, with exchanged residues and with descriptions. The
same code gives the same bytes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from example_assembly import formats, relatives
from example_assembly.genes import assemble

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


def make() -> dict[str, str]:
    """Return the text of every file, by name."""
    assembly = assemble()
    return {
        "example.fa": formats.fasta(assembly),
        "example.gff3": formats.gff3(assembly),
        "example.gtf": formats.gtf(assembly),
        "truth.tsv": formats.truth(assembly),
        **{f"relatives/{one.name}.gff3": relatives.gff3(one) for one in relatives.RELATIVES},
    }


def main(arguments: list[str] | None = None) -> int:
    """Write or check the files; exit code 1 if a check finds a difference."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--out", type=Path, default=EXAMPLES, help="folder (default: examples)")
    options = parser.parse_args(arguments)
    different = []
    for name, text in make().items():
        path = options.out / name
        if options.check:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                different.append(name)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
    if different:
        print(f"{', '.join(different)}: not what this script makes; run it without --check")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
