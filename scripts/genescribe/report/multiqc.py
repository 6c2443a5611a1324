"""The one-line table that MultiQC shows in its general statistics.

Format: https://docs.seqera.io/multiqc/custom_content (``*_mqc.tsv`` with a commented header).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from genescribe.files import atomic_path
from genescribe.records import Description, GeneRow
from genescribe.report.entries import count_statuses, medians, pair, score_name

HEADER = """\
# id: 'genescribe'
# plot_type: 'generalstats'
# headers:
#   genes:
#     title: 'Genes'
#     description: 'Genes in the annotation'
#     format: '{:,d}'
#   described:
#     title: 'Described'
#     description: 'Genes with a predicted description in the annotation'
#     format: '{:,d}'
#   uncertain:
#     title: 'Uncertain'
#     description: 'Genes whose predicted text its sequence does not support'
#     format: '{:,d}'
#   skipped:
#     title: 'Skipped'
#     description: 'Genes that were not given to the model'
#     format: '{:,d}'
#   failed:
#     title: 'Failed'
#     description: 'Genes that the model could not process'
#     format: '{:,d}'
#   median_score:
#     title: 'Score'
#     description: 'Median {score}, 0 to 1, of the genes that have a text'
#     min: 0
#     max: 1
#     format: '{:.2f}'
#   median_lift:
#     title: 'Lift'
#     description: 'Median lift, nats per token, of the genes that have a text'
#     format: '{:.2f}'
"""


def write_multiqc(
    rows: Sequence[GeneRow],
    descriptions: Mapping[str, Description],
    sample: str,
    out: Path,
) -> None:
    """Write the assembly's counts and medians for MultiQC; ``sample`` names its row.

    Raises InputError as ``pair`` does and OutputError where ``out`` cannot be written.
    """
    entries = pair(rows, descriptions)
    cells = {
        "Sample": " ".join(sample.split()),
        "genes": str(len(entries)),
        **{status.value: str(count) for status, count in count_statuses(entries).items()},
        **{
            f"median_{name}": "" if value is None else f"{value:.4f}"
            for name, value in medians(entries).items()
        },
    }
    header = HEADER.replace("{score}", score_name(entries))
    with atomic_path(out) as temporary:
        temporary.write_text(
            header + "\t".join(cells) + "\n" + "\t".join(cells.values()) + "\n", encoding="utf-8"
        )
