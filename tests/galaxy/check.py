#!/usr/bin/env python3
"""Check the tool on the server that ``server.sh up`` started, and write what was found as JSON.

``check.py URL ADMIN_KEY LAB TOOL_ENV RESULT.json``, run by the Python of Galaxy's environment.
Exit code 1 where anything is not as it should be.
"""

from __future__ import annotations

import datetime
import gzip
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from bioblend import ConnectionError as Refused
from bioblend.galaxy import GalaxyInstance
from client import Client, hda, linked
from galaxy.tool_util.loader import load_tool

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / "galaxy_tool"
DATA = TOOL / "test-data"
SLOTS = 2
WORKERS = 2
REPEATS = 3


class Lab:
    """Where things are: the server, its folder, and the environment of the tool."""

    def __init__(self, url: str, admin_key: str, lab: str, tool_env: str) -> None:
        self.url, self.admin_key = url, admin_key
        self.folder, self.tool_env = Path(lab), Path(tool_env)
        self.out = self.folder / "out"
        self.out.mkdir(exist_ok=True)
        self.key = user_key(GalaxyInstance(url, key=admin_key))

    def command_line(self, genome: Path, annotation: Path, out: str, *options: str) -> Path:
        """Run ``genescribe run`` as a job does; return the output folder."""
        folder = self.out / out
        subprocess.run(
            [
                self.tool_env / "bin" / "genescribe", "run", "--genome", genome,
                "--annotation", annotation, "--out", folder, "--force", "--quiet",
                "--threads", str(SLOTS), *options,
            ],
            check=True,
        )  # fmt: skip
        return folder


def user_key(admin: GalaxyInstance) -> str:
    """Return the key of the administrator's own account, made where it is not there yet."""
    known = admin.users.get_users()
    user = (
        known[0] if known else admin.users.create_local_user("admin", "admin@example.org", "x" * 9)
    )
    return str(admin.users.get_or_create_user_apikey(user["id"]))


# ------------------------------------------------------------------ the tests inside the tool


def lint(lab: Lab) -> dict[str, Any]:
    """Neither planemo nor the workflow's linter warns of anything."""
    planemo = lab.folder / "vp" / "bin" / "planemo"
    asked = {
        "lint": ["--fail_level", "warn", TOOL / "genescribe.xml"],
        "workflow_lint": ["--fail_level", "error", TOOL / "workflow"],
    }
    for command, arguments in asked.items():
        done = subprocess.run(
            [planemo, command, *arguments], capture_output=True, text=True, check=False
        )
        must(done.returncode == 0, done.stdout + done.stderr)
    said = subprocess.run([planemo, "--version"], capture_output=True, text=True, check=True)
    return {"planemo": said.stdout.split()[-1], "clean": [*asked]}


def tool_tests(lab: Lab, tool: str) -> dict[str, Any]:
    """Run the tests of a tool on the server; return totals and what became of each."""
    report = lab.out / f"{tool}.json"
    report.unlink(missing_ok=True)
    # Without --with-reference-data, tests with data tables are skipped and counted as passed.
    command = [
        Path(sys.executable).parent / "galaxy-tool-test", "-u", lab.url, "-a", lab.admin_key,
        "-k", lab.key, "-t", tool, "-o", lab.out, "-j", report, "--test-data", DATA,
        "--with-reference-data", "--no-history-reuse", "--no-history-cleanup",
        "--parallel-tests", str(WORKERS),
    ]  # fmt: skip
    with (lab.out / f"{tool}.log").open("w") as log:
        subprocess.run(command, stdout=log, stderr=log, check=False)
    found = json.loads(report.read_text())
    tests = sorted((test["data"] for test in found["tests"]), key=lambda test: test["test_index"])
    shown = [
        {"status": test["status"], "seconds": round(test["time_seconds"], 1)} for test in tests
    ]
    return found["results"] | {"tests": shown}


def positive(lab: Lab) -> dict[str, Any]:
    """Every test of the tool runs and passes."""
    found = tool_tests(lab, "genescribe")
    expected = len(load_tool(str(TOOL / "genescribe.xml")).findall("./tests/test"))
    totals = {key: found[key] for key in ("total", "errors", "failures", "skips")}
    must(totals == {"total": expected, "errors": 0, "failures": 0, "skips": 0}, found)
    return found


def negative(lab: Lab) -> dict[str, Any]:
    """Every test of the tool that must fail fails."""
    found = tool_tests(lab, "negative")
    expected = len(load_tool(str(lab.folder / "server/tools/negative.xml")).findall("./tests/test"))
    must(found["total"] == found["failures"] == expected and not found["skips"], found)
    return found


# ------------------------------------------------------------------ the same as the command line


def same_bytes(lab: Lab) -> dict[str, Any]:
    """GFF3, GTF, table and sorted copy are those of the command line; the job adds little time."""
    client = Client(lab.url, lab.key, "genescribe: same bytes")
    genome, gff3, gtf = (DATA / f"example.{ending}" for ending in ("fa", "gff3", "gtf"))
    given = client.upload({genome: "fasta", gff3: "gff3", gtf: "gtf"})
    inputs = {"genome_source|genome": hda(given["example.fa"]), "more_outputs": ["sorted"]}
    compared: set[str] = set()
    times: dict[str, list[float]] = {"job": [], "command_line": []}
    for repeat in range(REPEATS):
        annotation = gtf if repeat == 0 else gff3
        started = time.monotonic()
        folder = lab.command_line(genome, annotation, f"cli_{repeat}", "--device", "auto")
        times["command_line"].append(time.monotonic() - started)
        begun = client.run("genescribe", inputs | {"annotation": hda(given[annotation.name])})
        made = client.outputs(begun)
        expected = {
            "gff3": "example.gff3",
            "table": "descriptions.tsv",
            "sorted_gff3": "example.sorted.gff3.gz",
            "sorted_index": "example.sorted.gff3.gz.tbi",
        } | ({"gtf": "example.gtf"} if repeat == 0 else {})
        for output, name in expected.items():
            must(client.content(made[output]) == (folder / name).read_bytes(), (output, name))
            compared.add(f"{output} from {annotation.suffix[1:]}")
        times["job"].append(job_seconds(lab))
    overhead = statistics.median(
        job - command for job, command in zip(times["job"], times["command_line"], strict=True)
    )
    must(overhead < 5, times)
    return {
        "compared": sorted(compared),
        "seconds": {key: [round(value, 2) for value in values] for key, values in times.items()},
        "median_overhead_seconds": round(overhead, 2),
    }


def job_seconds(lab: Lab) -> float:
    """Return how long the last job's own command took: what Galaxy does before and after is not it.

    From the first thing that the command makes, the link to the annotation, to its last word.
    """
    jobs = (lab.folder / "server/data/jobs_directory").glob("*/*/working/results/run.json")
    job = max(jobs, key=lambda path: path.stat().st_mtime).parents[2]
    first, last = job / "working" / "annotation", job / "outputs" / "tool_stdout"
    return last.stat().st_mtime - first.stat().st_mtime


# ------------------------------------------------------------------ several assemblies, a workflow


def collection(lab: Lab) -> dict[str, Any]:
    """Two assemblies in two lists: the tool runs on each, and each output is its own."""
    client = Client(lab.url, lab.key, "genescribe: several assemblies")
    genomes = {"whole": DATA / "example.fa", "plasmid": DATA / "plasmid.fa"}
    annotations = {"whole": DATA / "example.gff3", "plasmid": DATA / "plasmid.gff3"}
    given = [
        client.upload_list("genomes", genomes, "fasta"),
        client.upload_list("annotations", annotations, "gff3"),
    ]
    genome, annotation = linked(given)
    begun = client.run("genescribe", {"genome_source|genome": genome, "annotation": annotation})
    for made in begun["outputs"]:
        must(client.wait(made)["state"] == "ok", made)
    lists = {made["output_name"]: made for made in begun["implicit_collections"]}
    found = client.galaxy.histories.show_dataset_collection(client.history, lists["gff3"]["id"])
    for element in found["elements"]:
        name = element["element_identifier"]
        folder = lab.command_line(genomes[name], annotations[name], f"cli_{name}")
        expected = (folder / annotations[name].name).read_bytes()
        must(client.content(element["object"]) == expected, name)
    return {"elements": len(found["elements"]), "outputs": sorted(lists), "same_bytes": True}


def workflow(lab: Lab) -> dict[str, Any]:
    """The workflow in galaxy_tool/ runs, and its outputs are what their names say."""
    client = Client(lab.url, lab.key, "genescribe: workflow")
    given = client.upload({DATA / "example.fa": "fasta", DATA / "example.gff3": "gff3"})
    galaxy = client.galaxy
    text = (TOOL / "workflow" / "describe_genes.gxwf.yml").read_text(encoding="utf-8")
    imported = galaxy.workflows.import_workflow_dict(
        {"class": "GalaxyWorkflow", "yaml_content": text}
    )
    by_label = {
        value["label"]: place
        for place, value in galaxy.workflows.show_workflow(imported["id"])["inputs"].items()
    }
    begun = galaxy.workflows.invoke_workflow(
        imported["id"],
        history_id=client.history,
        inputs={
            by_label["Genome"]: hda(given["example.fa"]),
            by_label["Annotation"]: hda(given["example.gff3"]),
        },
    )
    galaxy.invocations.wait_for_invocation(begun["id"], maxwait=600)
    made = galaxy.invocations.show_invocation(begun["id"])["outputs"]
    states = {label: client.wait(dataset)["state"] for label, dataset in made.items()}
    must(set(states.values()) == {"ok"}, states)
    folder = lab.command_line(DATA / "example.fa", DATA / "example.gff3", "cli_workflow")
    content = {label: client.content(dataset) for label, dataset in made.items()}
    must(content["Annotation with descriptions"] == (folder / "example.gff3").read_bytes(), "GFF3")
    track = gzip.decompress(content["Track for genome browsers"]).decode()
    must(track.count("genescribe_status=") == 53, "track")
    described = content["Described genes"].decode().splitlines()
    must(len(described) > 2 and all("\tdescribed\t" in row for row in described[1:]), described)
    return {"outputs": states, "described_genes": len(described) - 1}


# ------------------------------------------------------------------ what a person sees of bad input


def bad_input(lab: Lab) -> dict[str, Any]:
    """Each failed history item says in one line what is wrong; return what it says."""
    client = Client(lab.url, lab.key, "genescribe: bad input")
    files = ["plasmid.fa", "plasmid.gff3", "other_names.gff3", "no_genes.gff3"]
    given = client.upload(
        {DATA / name: Path(name).suffix[1:].replace("fa", "fasta") for name in files}
    )
    plasmid = {
        "genome_source|genome": hda(given["plasmid.fa"]),
        "annotation": hda(given["plasmid.gff3"]),
    }
    gone = {"model_source|source": "installed", "model_source|model": "gone@000000000000"}
    cases: dict[str, dict[str, Any]] = {
        "mismatched names": plasmid | {"annotation": hda(given["other_names.gff3"])},
        "no gene": plasmid | {"annotation": hda(given["no_genes.gff3"])},
        "swapped, datatypes changed by hand": plasmid | {"annotation": hda(given["plasmid.fa"])},
        "model missing from disk": plasmid | gone,
    }
    said = {name: failed(client, client.run("genescribe", case)) for name, case in cases.items()}
    for name, message in said.items():
        must(message["stderr"].startswith("genescribe: error: "), (name, message))
    return said


def killed(lab: Lab) -> dict[str, Any]:
    """A job killed for memory says so; run again, it takes what was finished from the cache."""
    client = Client(lab.url, lab.key, "genescribe: killed")
    given = client.upload({DATA / "example.fa": "fasta", DATA / "example.gff3": "gff3"})
    inputs = {
        "genome_source|genome": hda(given["example.fa"]),
        "annotation": hda(given["example.gff3"]),
    }
    cache = Path(tempfile.mkdtemp(prefix="cache.", dir=lab.out))
    job_environment = lab.folder / "server" / "job_environment.sh"
    job_environment.write_text(f"export GENESCRIBE_CACHE='{cache}'\n", encoding="utf-8")
    try:
        begun = client.run("genescribe", inputs)
        kill(lab, begun, lambda: any(path.stat().st_size for path in cache.rglob("*.jsonl")))
        said = failed(client, begun)
        must("more memory" in said["stderr"], said)
        again = client.run("genescribe", inputs)
        made = client.outputs(again)
    finally:
        job_environment.write_text("", encoding="utf-8")
    must({dataset["state"] for dataset in made.values()} == {"ok"}, made)
    reused = re.search(
        r"(\d+) of (\d+) texts come from the cache", client.job(again)["tool_stdout"]
    )
    must(reused is not None, "the second job used nothing of the first")
    return {"first job": said, "second job": reused and reused[0]}


def failed(client: Client, begun: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the history item of a failed job says: one line, and no traceback."""
    states = {made["state"] for made in client.outputs(begun).values()}
    job = client.job(begun)
    must(states == {"error"}, states)
    must(job["tool_stderr"].count("\n") == 1 and "Traceback" not in job["tool_stderr"], job)
    return {
        "exit_code": job["exit_code"],
        "stderr": job["tool_stderr"].strip().replace(f"{ROOT}/", ""),
        "messages": [message["desc"] for message in job["job_messages"]],
    }


def kill(lab: Lab, begun: Mapping[str, Any], now: Callable[[], bool]) -> None:
    """Kill a job's genescribe as the kernel does where memory runs out, as soon as it is time."""
    jobs = lab.folder / "server/data/jobs_directory"
    for _ in range(1200):
        for process in Path("/proc").glob("[0-9]*"):
            try:
                is_ours = (process / "cwd").readlink().is_relative_to(jobs)
                words = (process / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue  # gone meanwhile
            if (
                now()
                and is_ours
                and b"run" in words
                and any(word.endswith(b"/genescribe") for word in words)
            ):
                os.kill(int(process.name), signal.SIGKILL)
                return
        time.sleep(0.1)
    raise TimeoutError(f"no process of job {begun['jobs'][0]['id']}")


# ------------------------------------------------------------------ all of it


def must(condition: bool, found: object) -> None:
    """Stop the check with what was found where ``condition`` does not hold."""
    if not condition:
        raise AssertionError(f"{found}"[:2000])


CHECKS: dict[str, Callable[[Lab], dict[str, Any]]] = {
    "lint": lint,
    "tests": positive,
    "tests that must fail": negative,
    "same bytes as the command line": same_bytes,
    "collection": collection,
    "workflow": workflow,
    "bad input": bad_input,
    "killed for memory": killed,
}


def versions(lab: Lab) -> dict[str, str]:
    """Return what the results depend on."""
    command = [lab.tool_env / "bin" / "genescribe", "--version"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return {
        "genescribe": said.split()[1],
        "galaxy": metadata.version("galaxy-app"),
        "python": sys.version.split()[0],
    }


def main() -> int:
    """Run the checks, or those named behind the other arguments, and write the result.

    What the file says of other checks stays, unless it was found with other versions.
    """
    *where, result = sys.argv[1:6]
    lab = Lab(*where)
    found: dict[str, Any] = {"versions": versions(lab)}
    earlier = json.loads(Path(result).read_text()) if Path(result).exists() else {}
    if earlier.get("versions") == found["versions"]:
        found = earlier
    failures = 0
    for name in sys.argv[6:] or CHECKS:
        started = time.monotonic()
        date = datetime.datetime.now(datetime.UTC).isoformat(timespec="minutes")
        try:
            outcome = {"passed": True, "date": date} | CHECKS[name](lab)
        except (AssertionError, Refused, TimeoutError, subprocess.CalledProcessError) as error:
            outcome = {"passed": False, "date": date, "found": str(error)}
            failures += 1
        found[name] = outcome | {"check_seconds": round(time.monotonic() - started, 1)}
        print(name, "passed" if outcome["passed"] else f"FAILED: {outcome['found']}", flush=True)
        Path(result).write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return min(failures, 1)


if __name__ == "__main__":
    sys.exit(main())
