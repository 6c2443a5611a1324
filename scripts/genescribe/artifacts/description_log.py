"""The file of descriptions while a run lasts: append-only, resumable after a kill.

The rows stand in ``.NAME.part`` beside the output ``NAME``, and the settings that decide them in
``.NAME.settings.json``; a finished run moves the rows to ``NAME``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self, TextIO

from genescribe.artifacts.descriptions import DESCRIPTIONS, read_descriptions
from genescribe.artifacts.resume import Earlier, check_settings, earlier_attempt
from genescribe.artifacts.run_record import read_json, write_json
from genescribe.files import output_error
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
        kept = path.with_name(f".{path.name}.settings.json")
        earlier = earlier_attempt(path, path, self.part, resume=resume, force=force)
        if earlier is not Earlier.NOTHING and kept.exists():
            check_settings(read_json(kept), settings)
        write_json(kept, settings)  # makes the folder, too, or says why it cannot be written
        if earlier is Earlier.NOTHING:
            self.part.unlink(missing_ok=True)
        if earlier is Earlier.STOPPED:
            repair_tail(self.part)
        if earlier is not Earlier.NOTHING:
            found = path if earlier is Earlier.FINISHED else self.part
            self.done = {row.gene_id: row for row in read_descriptions(found)}
            log.info("%d genes were finished before", len(self.done))
        self.complete = earlier is Earlier.FINISHED and bool(self.done)
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
        if self._handle is None:
            return
        try:
            self._handle.close()
            if kind is None:
                self.part.replace(self.path)
        except OSError as error:
            if kind is None:  # else closing failed for the reason that is on its way already
                raise output_error(self.part, error) from error


def repair_tail(path: Path) -> None:
    """Cut off a last line that a killed writer left unfinished."""
    with path.open("rb+") as handle:
        data = handle.read()
        end = data.rfind(b"\n") + 1
        if end < len(data):
            log.warning("%s: removed %d bytes of an unfinished last line", path, len(data) - end)
            handle.truncate(end)
