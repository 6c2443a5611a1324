"""What can be checked of the Galaxy tool without Galaxy; ``make test-galaxy`` does the rest."""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import yaml

from galaxy.make_test_data import MODEL, TEST_DATA, identity, make_files
from genescribe.cli.commands import run
from genescribe.specs.spec import load_spec, verify
from genescribe.version import __version__

TOOL = TEST_DATA.parent


@pytest.fixture(scope="module")
def tool() -> ET.Element:
    return ET.parse(TOOL / "genescribe.xml").getroot()


def test_versions_agree(tool: ET.Element) -> None:
    tokens = {
        token.get("name"): token.text for token in ET.parse(TOOL / "macros.xml").iter("token")
    }
    assert tokens["@TOOL_VERSION@"] == __version__
    version = f"{__version__}+galaxy{tokens['@VERSION_SUFFIX@']}"
    workflow = yaml.safe_load((TOOL / "workflow" / "describe_genes.gxwf.yml").read_text())
    assert workflow["steps"]["describe"]["tool_version"] == version
    assert f"genescribe` {__version__}" in (TOOL / "README.md").read_text()


def test_test_data_is_what_the_script_makes() -> None:
    files = make_files()
    for name, expected in files.items():
        found = (TEST_DATA / name).read_bytes()
        assert (gzip.decompress(found) if name.endswith(".gz") else found) == expected, name
    model = {f"{MODEL}.yaml", MODEL}
    assert {path.name for path in TEST_DATA.iterdir()} == set(files) | model
    size = sum(path.stat().st_size for path in TEST_DATA.rglob("*") if path.is_file())
    assert size < 1e6


def test_the_data_table_names_the_model_by_its_weights(tool: ET.Element) -> None:
    spec = load_spec(TEST_DATA / f"{MODEL}.yaml")
    verify(spec)
    assert spec.identity == identity()
    assert (TEST_DATA / "genescribe_models.loc").read_text().startswith(f"{spec.identity}\t")
    chosen = {param.get("value") for param in tool.iterfind(".//test//param[@name='model']")}
    assert spec.identity in chosen


def test_the_command_knows_every_option(tool: ET.Element) -> None:
    command = tool.findtext("command") or ""
    given = set(re.findall(r"--[a-z-]+", command))
    given |= {param.get("argument", "") for param in tool.iterfind("./inputs//param[@argument]")}
    assert given <= {flag for option in run.params for flag in option.opts}


def test_the_negative_tool_is_the_tool_with_other_tests(tool: ET.Element, tmp_path: Path) -> None:
    script = Path(__file__).with_name("negative.py")
    subprocess.run([sys.executable, script, TOOL / "genescribe.xml", tmp_path], check=True)
    negative = ET.parse(tmp_path / "negative.xml").getroot()
    assert negative.get("id") == "negative"
    assert negative.findtext("command") == tool.findtext("command")
    expected = ET.parse(script.with_name("negative_tests.xml")).getroot()
    assert ET.tostring(negative.find("tests")).strip() == ET.tostring(expected).strip()


def test_the_documented_command_makes_the_line_of_the_data_table(genescribe) -> None:
    readme = (TOOL / "README.md").read_text("utf-8")
    (program,) = re.findall(r"python3 -c '(.+)'", readme)
    shown = genescribe("models", "show", TEST_DATA / f"{MODEL}.yaml", "--json")
    done = subprocess.run(
        [sys.executable, "-c", program], input=shown.stdout, capture_output=True, text=True
    )
    assert done.stdout == f"{identity()}\t{MODEL}\tgenechat-13b\n", shown.stderr
