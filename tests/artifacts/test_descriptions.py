"""The description file: what survives a kill, and what is refused."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest

from genescribe.artifacts.description_log import DescriptionLog, repair_tail
from genescribe.artifacts.descriptions import DESCRIPTIONS, read_descriptions
from genescribe.artifacts.resume import check_settings
from genescribe.errors import FormatError, OutputExistsError, SettingsChangedError
from genescribe.records import Description, Reason, Status

SETTINGS = {"model": "tiny@1", "organism": None}


def row(gene_id: str, text: str = "a kinase") -> Description:
    return Description(gene_id, text, Status.DESCRIBED, Reason.NONE, 0.5, 1.0, 3, "tiny@1", "p")


@pytest.mark.parametrize(
    "text", ["", "é\u2028\x85 ß", '"quoted"\t\n', "x" * 10_000, "latin \udce9"]
)
def test_json_lines_round_trip(text: str) -> None:
    line = DESCRIPTIONS.line(row("g 1", text))
    assert "\n" not in line
    line.encode("utf-8")  # raises where the file would not be UTF-8
    assert DESCRIPTIONS.parse(line) == row("g 1", text)


def test_rows_reach_their_name_only_when_the_run_ends(tmp_path: Path) -> None:
    out = tmp_path / "d.jsonl"
    with DescriptionLog(out, SETTINGS, resume=False, force=False) as log:
        log.append([row("a")])
        assert not out.exists()
        log.append([row("b")])
    assert [d.gene_id for d in read_descriptions(out)] == ["a", "b"]
    assert not log.part.exists()


def stopped_run(out: Path) -> None:
    with (
        contextlib.suppress(KeyboardInterrupt),
        DescriptionLog(out, SETTINGS, resume=False, force=False) as log,
    ):
        log.append([row("a"), row("b")])
        raise KeyboardInterrupt


def test_a_stopped_run_goes_on_after_a_torn_last_line(tmp_path: Path) -> None:
    out = tmp_path / "d.jsonl"
    stopped_run(out)
    part = tmp_path / ".d.jsonl.part"
    part.write_bytes(part.read_bytes()[:-7])  # kill -9 in the middle of a write
    with DescriptionLog(out, SETTINGS, resume=True, force=False) as log:
        assert set(log.done) == {"a"}
        log.append([row("b"), row("c")])
    assert [d.gene_id for d in read_descriptions(out)] == ["a", "b", "c"]


def test_a_stopped_run_is_not_overwritten_by_accident(tmp_path: Path) -> None:
    out = tmp_path / "d.jsonl"
    stopped_run(out)
    with pytest.raises(OutputExistsError, match="go on with it or start anew"):
        DescriptionLog(out, SETTINGS, resume=False, force=False)
    with DescriptionLog(out, SETTINGS, resume=False, force=True) as log:
        assert not log.done


def test_resume_refuses_other_settings_and_names_them(tmp_path: Path) -> None:
    out = tmp_path / "d.jsonl"
    stopped_run(out)
    with pytest.raises(SettingsChangedError, match="organism: None -> yeast"):
        DescriptionLog(out, {**SETTINGS, "organism": "yeast"}, resume=True, force=False)


def test_resume_of_a_finished_run_changes_nothing(tmp_path: Path) -> None:
    out = tmp_path / "d.jsonl"
    with DescriptionLog(out, SETTINGS, resume=False, force=False) as log:
        log.append([row("a")])
    before = out.read_bytes()
    with DescriptionLog(out, SETTINGS, resume=True, force=False) as log:
        assert set(log.done) == {"a"}
    assert out.read_bytes() == before
    with pytest.raises(OutputExistsError, match="already exists; overwrite it"):
        DescriptionLog(out, SETTINGS, resume=False, force=False)


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "d.jsonl"
    path.write_text(DESCRIPTIONS.line(row("a")) + '\n{"gene_id": 1}\n', encoding="utf-8")
    with pytest.raises(FormatError, match=r"d\.jsonl:2: not a description"):
        list(read_descriptions(path))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("gene_id", '["a"]'), ("gene_id", "1"), ("text", "null"), ("text", "true"),
        ("text", '"\\ud800"'), ("status", '"good"'), ("status", "null"), ("reason", "{}"),
        ("score", '"0.5"'), ("score", "NaN"), ("score", "Infinity"), ("score", "1.01"),
        ("score", "-0.1"), ("score", "true"), ("lift", "1e999"), ("lift", "[]"),
        ("n_tokens", "1.5"), ("n_tokens", "true"), ("n_tokens", "-1"), ("n_tokens", '"3"'),
        ("model", "7"), ("prompt", "null"), ("truncated", "null"), ("calibrated", "1"),
        ("text", "[" * 100_000),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_refused_with_its_line(
    tmp_path: Path, field: str, value: str
) -> None:
    path, good = tmp_path / "d.jsonl", DESCRIPTIONS.line(row("a"))
    old = json.dumps(getattr(row("b"), field))
    bad = DESCRIPTIONS.line(row("b")).replace(f'"{field}": {old}', f'"{field}": {value}')
    assert bad != DESCRIPTIONS.line(row("b"))
    path.write_text(f"{good}\n{bad}\n", encoding="utf-8")
    with pytest.raises(FormatError, match=r"d\.jsonl:2: not a description"):
        list(read_descriptions(path))


def test_repair_leaves_whole_lines_alone(tmp_path: Path) -> None:
    path = tmp_path / "d"
    path.write_bytes(b"one\ntwo\n")
    repair_tail(path)
    assert path.read_bytes() == b"one\ntwo\n"


def test_settings_of_an_earlier_version_are_known_by_their_names_of_then() -> None:
    check_settings({"ascii_only": False, "name": "a"}, {"ascii": False, "name": "a"})
    with pytest.raises(SettingsChangedError, match="ascii: True -> False"):
        check_settings({"ascii_only": True}, {"ascii": False})
