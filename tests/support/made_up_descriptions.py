"""Made-up descriptions of the genes of any annotation, for the tests of decoration."""

from __future__ import annotations

from genescribe.genome.annotation import Annotation
from genescribe.records import Description, Reason, Status

PLAIN = "Thioredoxin; keeps proteins reduced, with NADPH"
HOSTILE_TEXTS = [
    PLAIN,
    'a;b=c&d,e%3Bf\tg\nh\x00i <b>"quoted"</b> genescribe_status=x;ID=y \N{GREEK SMALL LETTER BETA}',
    "x" * 10_000,
    "=HYPERLINK('a')\r\n\u2028next",
    "\N{CJK UNIFIED IDEOGRAPH-86CB} 100 % \N{BULLET}",
]
STATUSES = [
    (Status.DESCRIBED, Reason.NONE),
    (Status.UNCERTAIN, Reason.LOW_LIFT),
    (Status.DESCRIBED, Reason.NONE),
    (Status.SKIPPED, Reason.TOO_SHORT),
    (Status.FAILED, Reason.OUT_OF_MEMORY),
]


def description(gene_id: str, number: int = 0) -> Description:
    """Return the description of one gene; ``number`` chooses text and status."""
    status, reason = STATUSES[number % len(STATUSES)]
    known = status in (Status.DESCRIBED, Status.UNCERTAIN)
    return Description(
        gene_id=gene_id,
        text=HOSTILE_TEXTS[number // 2 % len(HOSTILE_TEXTS)] if known else "",
        status=status,
        reason=reason,
        score=0.71 if known else None,
        lift=1.2399 if known else None,
        n_tokens=12,
        model="tiny@0123456789ab",
        prompt="p1",
    )


def describe_all(annotation: Annotation) -> dict[str, Description]:
    """Return descriptions of all genes, of every status, every third text a hostile one."""
    return {
        gene.gene_id: description(gene.gene_id, number)
        for number, gene in enumerate(annotation.genes)
    }
