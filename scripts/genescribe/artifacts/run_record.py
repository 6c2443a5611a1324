"""The run record: what was run, on what, with what, how long and how large."""

from __future__ import annotations

import contextlib
import datetime
import json
import platform
import resource
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from genescribe.errors import FormatError, Remedy
from genescribe.files import atomic_path, check_readable, sha256_of
from genescribe.version import __version__

LIBRARIES = ("torch", "transformers", "tokenizers", "safetensors", "pysam", "numpy", "jinja2")
"""Libraries whose version can change a result."""


class StageRecord:
    """What one stage did; filled while it runs, written as JSON afterwards.

    ``wanted`` False: nobody will read it, so that hashing the inputs is spared.
    """

    def __init__(self, stage: str, *, wanted: bool = True) -> None:
        self.values: dict[str, Any] = {"stage": stage}
        self.wanted = wanted

    def inputs(self, **paths: Path | None) -> None:
        """Note the path and sha256 of every input file that was given."""
        noted = self.values.setdefault("inputs", {})
        for name, path in paths.items():
            if self.wanted and path is not None:
                noted[name] = {"path": str(path), "sha256": sha256_of(path)}

    def note(self, **values: Any) -> None:
        """Note anything else: settings, device, model, counts."""
        self.values.update(values)


@contextlib.contextmanager
def stage_record(stage: str, *, wanted: bool = True) -> Iterator[StageRecord]:
    """Measure the block: ``wall_seconds`` and ``peak_memory_mb`` of the process meanwhile."""
    record = StageRecord(stage, wanted=wanted)
    reset_peak_memory()
    started = time.perf_counter()
    yield record
    record.note(
        wall_seconds=round(time.perf_counter() - started, 3),
        peak_memory_mb=round(peak_memory_mb(), 1),
    )


def merge_records(stages: Sequence[Mapping[str, Any]], command: str) -> dict[str, Any]:
    """Return the run record of stages that belong to one assembly, in the order they ran."""
    run: dict[str, Any] = {
        "genescribe_version": __version__,
        "command": command,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "versions": versions(),
        "config": {},
        "inputs": {},
    }
    for stage in stages:
        run["versions"].update(stage.get("versions", {}))  # stages may run in several environments
        run["config"].update(stage.get("settings", {}))
        run["inputs"].update(stage.get("inputs", {}))
        run.update({key: stage[key] for key in ("model", "device", "genes") if key in stage})
    measured = ("stage", "wall_seconds", "peak_memory_mb", "device", "computed")
    run["stages"] = [{key: s[key] for key in measured if key in s} for s in stages]
    return run


def write_record(path: Path, values: Mapping[str, Any]) -> None:
    """Write a record as JSON, in one go."""
    with atomic_path(path) as temporary:
        text = json.dumps(values, indent=2, default=str)
        temporary.write_text(text + "\n", encoding="utf-8")


def read_record(path: Path) -> dict[str, Any]:
    """Read a record; raises FormatError where the file is no JSON object."""
    check_readable(path)
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FormatError(path, None, f"not JSON ({error}); run the stage again") from error
    if not isinstance(values, dict):
        raise FormatError(path, None, "not a run record", Remedy.GIVE_RECORD)
    return values


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
