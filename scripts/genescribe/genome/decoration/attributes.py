"""What each gene's lines get: its description made fit for an annotation."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, replace

from genescribe.errors import InputError
from genescribe.genome.decoration.column9 import (
    ATTRIBUTE_KEY,
    GFF3,
    GTF,
    OWN_PREFIX,
    STATUS_KEY,
    Addition,
    Column9,
    gtf_value,
)
from genescribe.genome.decoration.plain_text import flatten, fold_to_ascii
from genescribe.records import Description, Reason, Status

log = logging.getLogger(__name__)

# GFF3 specification, "Column 9": keys that begin in upper case are reserved, and only Note among
# them is free text. The lower-case ones here carry meaning for readers of GTF or for submission
# (NCBI and ENA refuse sentences in ``product``).
_FREE_ATTRIBUTE = re.compile(r"Note|[a-z][A-Za-z0-9_.-]*")
_TAKEN_ATTRIBUTES = frozenset({"product", "gene_id", "transcript_id", "locus_tag", "protein_id"})


@dataclass(frozen=True)
class DecorateSettings:
    """How descriptions are written.

    ``attribute`` takes the text; ``ascii_only`` folds it to ASCII; ``write_uncertain`` writes
    the texts of uncertain genes too; ``sorted_copy`` adds the indexed copy for genome browsers.
    Raises InputError for an attribute that must not hold a sentence.
    """

    attribute: str = "Note"
    ascii_only: bool = False
    write_uncertain: bool = False
    sorted_copy: bool = True

    def __post_init__(self) -> None:
        if (
            not _FREE_ATTRIBUTE.fullmatch(self.attribute)
            or self.attribute in _TAKEN_ATTRIBUTES
            or self.attribute.startswith(OWN_PREFIX)
        ):
            raise InputError(
                f"attribute {self.attribute!r} cannot take descriptions; "
                "choose Note or a name of your own in lower case, such as description"
            )


def fit_text(description: Description, settings: DecorateSettings) -> Description:
    """Return ``description`` with its text on one line, in ASCII if asked for; changes are logged.

    A ``described`` gene of whose text nothing is left becomes ``failed: empty_text``.
    """
    text = flatten(description.text)
    if settings.ascii_only:
        text = fold_to_ascii(text)
    if text != description.text:
        log.info("gene %s: text %r -> %r", description.gene_id, description.text, text)
    if not text and description.status == Status.DESCRIBED:
        log.warning("gene %s: its text is empty; written as failed", description.gene_id)
        return replace(description, text="", status=Status.FAILED, reason=Reason.EMPTY_TEXT)
    return replace(description, text=text)


def addition_of(description: Description, settings: DecorateSettings, dialect: Column9) -> Addition:
    """Return what the lines of the described gene get in ``dialect``; the text has to be fitted.

    Characters that GTF cannot hold are replaced, logged old -> new. Percent-encoding is no
    change: readers of GFF3 undo it.
    """
    status = description.status
    generated = status in (Status.DESCRIBED, Status.UNCERTAIN)
    written = status == Status.DESCRIBED or (generated and settings.write_uncertain)
    text = description.text if written else ""
    if dialect is GTF and text != gtf_value(text):
        log.info("gene %s: GTF text %r -> %r", description.gene_id, text, gtf_value(text))
    attribute = settings.attribute
    if attribute == GFF3.default_attribute:
        attribute = dialect.default_attribute
    keys = [(STATUS_KEY, str(status))]
    if description.reason:
        keys.append(("genescribe_reason", str(description.reason)))
    if description.score is not None:
        keys.append(("genescribe_score", f"{description.score:.3f}"))
        if not description.calibrated:
            keys.append(("genescribe_calibrated", "no"))
    if description.lift is not None:
        keys.append(("genescribe_lift", f"{description.lift:.3f}"))
    if description.model and generated:
        keys.append(("genescribe_model", description.model))
    if description.truncated:
        keys.append(("genescribe_truncated", str(description.truncated)))
    if text and (status != Status.DESCRIBED or attribute != dialect.default_attribute):
        keys.append((ATTRIBUTE_KEY, attribute))
    return Addition(attribute, text, keys)
