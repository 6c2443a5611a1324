"""The file of descriptions while a run lasts: append-only, resumable after a kill.

The rows stand in ``.NAME.part`` beside the output ``NAME``, and the settings that decide them in
``.NAME.settings.json``; a finished run moves the rows to ``NAME``.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self, TextIO

from genescribe.artifacts.descriptions import DESCRIPTIONS, read_descriptions
from genescribe.errors import OutputExistsError, Remedy, SettingsChangedError
from genescribe.files import atomic_path, output_error
from genescribe.records import Description

log = logging.getLogger(__name__)


class DescriptionLog:
    """An output file of descriptions that survives being killed at any moment.

    Usage: ``with DescriptionLog(...) as out: out.append(batch)``; leaving the block without an
    error moves the rows to their final name. ``done`` maps the gene ids of an earlier, stopped
    run to their descriptions.

    Raises OutputExistsError if the output or a stopped run is there and neither ``resume`` nor
    ``force`` was given, SettingsChangedError if ``resume`` meets other settings.
    """

    def __init__(
        self, path: Path, settings: Mapping[str, Any], *, resume: bool, force: bool
    ) -> None:
        self.path = path
        self.part = path.with_name(f".{path.name}.part")
        self.done: dict[str, Description] = {}
        existing = path if path.exists() else self.part if self.part.exists() else None
        if existing and not (resume or force):
            if existing == self.part:
                raise OutputExistsError(
                    f"{existing}: a stopped run is here", Remedy.RESUME_OR_START_ANEW
                )
            raise OutputExistsError(f"{existing}: already exists", Remedy.OVERWRITE)
        keep_settings(
            path.with_name(f".{path.name}.settings.json"),
            settings,
            compare=resume and existing is not None and not force,
        )
        if resume and existing and not force:
            if existing == self.part:
                repair_tail(self.part)
            self.done = {row.gene_id: row for row in read_descriptions(existing)}
            log.info("%d genes were finished before", len(self.done))
        else:
            self.part.unlink(missing_ok=True)
        self.complete = existing == path and bool(self.done)
        self._handle: TextIO | None = None

    def __enter__(self) -> Self:
        if not self.complete:
            try:
                self._handle = self.part.open("a", encoding="utf-8")
            except OSError as error:
                raise output_error(self.part, error) from error
        return self

    def append(self, descriptions: Iterable[Description]) -> None:
        """Write a batch and hand it to the operating system before going on."""
        assert self._handle is not None, "a complete log takes no more rows"
        try:
            self._handle.writelines(DESCRIPTIONS.line(row) + "\n" for row in descriptions)
            self._handle.flush()
        except OSError as error:
            raise output_error(self.part, error) from error

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._handle is not None:
            self._handle.close()
            if kind is None:
                self.part.replace(self.path)


def keep_settings(path: Path, settings: Mapping[str, Any], *, compare: bool) -> None:
    """Write ``settings`` to ``path``; with ``compare``, refuse if other ones stand there."""
    if compare and path.exists():
        compare_settings(json.loads(path.read_text(encoding="utf-8")), settings)
    with atomic_path(path) as temporary:
        text = json.dumps(settings, indent=1, sort_keys=True)
        temporary.write_text(text + "\n", encoding="utf-8")


def compare_settings(old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Raise SettingsChangedError naming every setting that differs, old -> new."""
    changed = [
        f"{key}: {old.get(key)} -> {new.get(key)}"
        for key in sorted({*old, *new})
        if old.get(key) != new.get(key)
    ]
    if changed:
        raise SettingsChangedError(
            f"the stopped run had other settings ({'; '.join(changed)}); give the same ones",
            Remedy.START_ANEW,
        )


def repair_tail(path: Path) -> None:
    """Cut off a last line that a killed writer left unfinished."""
    with path.open("rb+") as handle:
        data = handle.read()
        end = data.rfind(b"\n") + 1
        if end < len(data):
            log.warning("%s: removed %d bytes of an unfinished last line", path, len(data) - end)
            handle.truncate(end)
