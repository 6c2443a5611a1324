"""Sequences in chunks, and chunks in buckets of similar length. Needs neither torch nor NumPy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

PADDING = 1.125
"""A bucket's longest member over its shortest, at most: bounds what padding can cost."""


def chunks(sequence: str, length: int | None, overlap: int = 0) -> list[str]:
    """Cut a sequence as GeneChat does: a chunk begins every ``length`` nt, none is empty.

    All but the first also take in the ``overlap`` nt before them, so they are up to ``length +
    overlap`` nt long. Without ``length`` the sequence stays in one piece.
    """
    if length is None:
        return [sequence]
    starts = range(0, len(sequence), length)
    return [sequence[max(0, start - overlap) : start + length] for start in starts]


def length_buckets(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Yield the positions of ``lengths`` in groups to be padded and computed together.

    From short to long; a bucket has at most ``budget`` tokens with its padding (or one member),
    and no member is much shorter than another.
    """
    bucket: list[int] = []
    for position in sorted(range(len(lengths)), key=lambda i: (lengths[i], i)):
        length = lengths[position]
        if bucket and (
            length * (len(bucket) + 1) > budget or length > PADDING * lengths[bucket[0]]
        ):
            yield bucket
            bucket = []
        bucket.append(position)
    if bucket:
        yield bucket
