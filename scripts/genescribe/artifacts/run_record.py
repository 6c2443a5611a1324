"""The run record: what was run, on what, with what, how long and how large."""

from __future__ import annotations

import contextlib
import datetime
import json
import platform
import resource
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

from genescribe.errors import FormatError, Remedy
from genescribe.files import atomic_path, check_readable, sha256_of
from genescribe.version import __version__

LIBRARIES = ("torch", "transformers", "tokenizers", "safetensors", "pysam", "numpy", "jinja2")
"""Libraries whose version can change a result."""

ModelFacts = Mapping[str, Any]


@dataclass(frozen=True)
class InputFile:
    """A file that was read, and what was in it."""

    path: str
    sha256: str


class Hashes:
    """The sha256 of files, each read once; for files that do not change meanwhile."""

    def __init__(self) -> None:
        self._known: dict[Path, str] = {}

    def __call__(self, path: Path) -> str:
        """Return the hex sha256 of a file's bytes."""
        if path not in self._known:
            self._known[path] = sha256_of(path)
        return self._known[path]

    def files(self, **paths: Path | None) -> dict[str, InputFile]:
        """Return, by name, each file that was given."""
        return {name: InputFile(str(p), self(p)) for name, p in paths.items() if p is not None}


@dataclass
class StageRecord:
    """What one stage did, filled while it runs; in JSON, fields that are None are left out.

    ``computed`` counts the genes that a model read, ``genes`` those of each status.
    """

    stage: str
    wall_seconds: float | None = None
    peak_memory_mb: float | None = None
    device: str | None = None
    computed: int | None = None
    inputs: dict[str, InputFile] | None = None
    settings: dict[str, Any] | None = None
    model: ModelFacts | list[ModelFacts] | None = None
    genes_found: int | None = None
    genes: dict[str, int] | None = None
    files: list[str] | None = None
    report: str | None = None
    command: str | None = None
    versions: dict[str, str] | None = None

    def measured(self) -> StageRecord:
        """Return what a run record says of a stage: where it ran, and what it took."""
        return StageRecord(
            self.stage, self.wall_seconds, self.peak_memory_mb, self.device, self.computed
        )


class Recording(StageRecord):
    """The record of a stage under way; without ``hashes`` nobody will read it, so none is taken."""

    def __init__(self, stage: str, hashes: Hashes | None = None) -> None:
        super().__init__(stage)
        self.hashes = hashes

    def note_inputs(self, **paths: Path | None) -> None:
        """Note path and sha256 of every input file that was given."""
        if self.hashes is not None:
            self.inputs = self.hashes.files(**paths)


@dataclass
class RunRecord:
    """What was done for one assembly, by all stages together.

    ``config`` joins the settings of the stages; ``settings`` are those that decide the results,
    which a run that is to go on must have in common with the one that was stopped.
    """

    genescribe_version: str = ""
    command: str = ""
    created: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    inputs: dict[str, InputFile] = field(default_factory=dict)
    model: ModelFacts | list[ModelFacts] | None = None
    device: str | None = None
    genes: dict[str, int] | None = None
    stages: list[StageRecord] = field(default_factory=list)
    settings: dict[str, Any] | None = None
    workflow: str | None = None


@contextlib.contextmanager
def stage_record(stage: str, hashes: Hashes | None = None) -> Iterator[Recording]:
    """Measure the block: ``wall_seconds`` and ``peak_memory_mb`` of the process meanwhile."""
    record = Recording(stage, hashes)
    reset_peak_memory()
    started = time.perf_counter()
    yield record
    record.wall_seconds = round(time.perf_counter() - started, 3)
    record.peak_memory_mb = round(peak_memory_mb(), 1)


def merge_records(stages: Sequence[StageRecord], command: str) -> RunRecord:
    """Return the run record of stages that belong to one assembly, in the order they ran."""
    created = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    run = RunRecord(__version__, command, created, versions())
    for stage in stages:
        run.versions |= stage.versions or {}  # stages may run in several environments
        run.config |= stage.settings or {}
        run.inputs |= stage.inputs or {}
        run.model = run.model if stage.model is None else stage.model
        run.device = run.device if stage.device is None else stage.device
        run.genes = run.genes if stage.genes is None else stage.genes
        run.stages.append(stage.measured())
    return run


Record = TypeVar("Record", StageRecord, RunRecord)


def to_json(record: Any) -> Any:
    """Return a record as JSON values, without its fields that are None."""
    if is_dataclass(record):
        values = {one.name: to_json(getattr(record, one.name)) for one in fields(record)}
        return {name: value for name, value in values.items() if value is not None}
    if isinstance(record, dict):
        return {name: to_json(value) for name, value in record.items()}
    return [to_json(one) for one in record] if isinstance(record, list) else record


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write a JSON object for people to read, in one go."""
    with atomic_path(path) as temporary:
        text = json.dumps(values, indent=2, default=str)
        temporary.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; raises FormatError where the file is none."""
    check_readable(path)
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise FormatError(path, None, f"not JSON ({error}); run the stage again") from error
    if not isinstance(values, dict):
        raise FormatError(path, None, "not a run record", Remedy.GIVE_RECORD)
    return values


def write_record(path: Path, record: StageRecord | RunRecord) -> None:
    """Write a record as JSON, in one go."""
    write_json(path, to_json(record))


def read_record(path: Path, kind: type[Record]) -> Record:
    """Read a record; raises FormatError where the file is none. Unknown keys are passed over."""
    from pydantic import TypeAdapter, ValidationError  # slow to load, and seldom needed

    try:
        return TypeAdapter(kind).validate_python(read_json(path), strict=False)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        problem = f"not a record of this version ({where}: {first['msg']})"
        raise FormatError(path, None, problem, Remedy.GIVE_RECORD) from error


def versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that can change a result."""
    from importlib import metadata  # slow to load, and needed only where a record is kept

    found = {"python": platform.python_version(), "platform": platform.platform()}
    for name in LIBRARIES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def reset_peak_memory() -> None:
    """Restart the kernel's high-water mark, so that a stage's peak is its own (proc(5))."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak_memory_mb() -> float:
    """Return the peak resident memory of this process in MB (10^6 bytes)."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    scale = 1 if platform.system() == "Darwin" else 1024  # getrusage(2): bytes on macOS
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale / 1e6
