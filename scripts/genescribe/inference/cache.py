"""What a model wrote, kept by what it read: a gene that did not change is never paid for twice.

The cache lies below the workflow rules. Each writer appends to a file of its own, so that
shards on several machines share a folder without locks (SQLite is unsafe on network file
systems); readers read every file.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import socket
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from genescribe.artifacts.codec import JsonLines, json_line
from genescribe.files import output_error

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Generation:
    """What the model gave for one sequence, before any threshold is applied.

    ``log_prob`` is the mean log-likelihood per token and ``lift`` the same minus that without
    the sequence, both in nats per token over the text and its end token.
    """

    text: str
    log_prob: float
    lift: float
    n_tokens: int


_GENERATIONS = JsonLines(Generation, "a generation")


class Cache(Protocol):
    """A mapping from keys to generations that may outlive the process."""

    def get(self, key: str) -> Generation | None:
        """Return what is known under ``key``, or None."""
        ...

    def put(self, generations: Mapping[str, Generation]) -> None:
        """Remember a batch of generations."""
        ...


class NoCache:
    """Remembers nothing."""

    def get(self, key: str) -> Generation | None:
        """Return None."""
        return None

    def put(self, generations: Mapping[str, Generation]) -> None:
        """Do nothing."""


class FolderCache:
    """A folder of append-only JSONL files, one per writing process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, Generation] = {}
        for path in sorted(folder.glob("*.jsonl")) if folder.is_dir() else []:
            self._known.update(_read(path))
        self._mine = folder / f"{socket.gethostname()}-{os.getpid()}-{os.urandom(4).hex()}.jsonl"

    def get(self, key: str) -> Generation | None:
        """Return what any earlier process wrote under ``key``, or None."""
        return self._known.get(key)

    def put(self, generations: Mapping[str, Generation]) -> None:
        """Append a batch and flush it; raises OutputError where the folder cannot be written."""
        self._known.update(generations)
        lines = [
            json_line({"key": key, **asdict(value)}) + "\n" for key, value in generations.items()
        ]
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._mine.open("a", encoding="utf-8") as handle:
                handle.writelines(lines)
        except OSError as error:
            raise output_error(self._mine, error) from error


def cache_key(parts: Mapping[str, Any]) -> str:
    """Return the sha256 of ``parts`` (sequence hash, weights, prompt, settings...)."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _read(path: Path) -> Iterable[tuple[str, Generation]]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            values = json.loads(line)
            yield values.pop("key"), _GENERATIONS.record(values)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            # a killed writer leaves half a line; it costs one gene, not the cache
            log.warning("%s:%d: not a cache entry, ignored", path, number)
