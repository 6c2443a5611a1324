import csv
import shlex
import sys
from pathlib import Path

import jsonschema
import yaml
from snakemake import __version__ as snakemake_version
from snakemake.settings.types import DeploymentMethod
from snakemake.utils import validate

# where this file is, also when another workflow takes the rules in as a module
SCHEMAS = Path(str(workflow.current_basedir)).parent / "schemas"
REPOSITORY = SCHEMAS.parents[1]
SCRIPTS = REPOSITORY / "scripts"

sys.path[:0] = [str(SCRIPTS), str(workflow.current_basedir)]
from genescribe.doors import DOOR, WORKFLOW
from genescribe.errors import GenescribeError
from genescribe.specs.routing import SKIP, load_routes
from import_graph import source_hash


def refuse(message):
    """Stop before any job with one line on stderr; exit code 2 is bad input, as everywhere."""
    print(f"genescribe: error: {message}", file=sys.stderr)
    sys.exit(2)


def checked(values, schema, where):
    """Return `values` with the defaults of workflow/schemas/`schema` filled in."""
    schema = SCHEMAS / schema
    validator = jsonschema.Draft202012Validator(yaml.safe_load(schema.read_text()))
    problem = jsonschema.exceptions.best_match(validator.iter_errors(values))
    if problem:
        where = ": ".join([where, ".".join(map(str, problem.absolute_path))]).removesuffix(": ")
        refuse(f"{where}: {problem.message}; workflow/schemas/{schema.name} lists what is allowed")
    validate(values, str(schema))
    return values


def identities(model, where):
    """Name the models with their weights' hashes; refuse now what every job would refuse later."""
    asked = {key: config[key] or None for key in ("prompt", "question", "settings")}
    try:
        return [spec.identity for spec in load_routes(model, **asked).specs]
    except GenescribeError as error:
        refuse(f"{where}: model: {error.told(WORKFLOW)}")


def read_sheet(path):
    """Return the rows of the sample sheet by assembly; empty cells count as not given."""
    if not Path(path).is_file():
        refuse(f"config/config.yaml: assemblies: {path}: no such file; name your sample sheet")
    rows = {}
    with open(path, newline="", encoding="utf-8-sig") as sheet:
        lines = (line for line in sheet if line.strip() and not line.startswith("#"))
        for row in csv.DictReader(lines, delimiter="\t"):
            where = f"{path}: assembly {row.get('assembly') or '(no name)'}"
            if None in row:
                refuse(f"{where}: has more cells than the header has columns")
            given = {key: value for key, value in row.items() if value}
            checked(given, "assemblies.schema.yaml", where)
            if given["assembly"] in rows:
                refuse(f"{where}: is there twice; give each row a name of its own")
            for file in {"genome", "annotation", "references"} & given.keys():
                if not Path(given[file]).is_file():
                    refuse(f"{where}: {file}: {given[file]}: no such file; check the path")
            row = {"model": config["model"]} | given
            rows[given["assembly"]] = row | {"identities": identities(row["model"], where)}
    if not rows:
        refuse(f"{path}: names no assembly; add a line for each")
    return rows


def final_outputs():
    evaluated = [name for name, row in ASSEMBLIES.items() if "references" in row]
    pages = [f"results/{name}/evaluation/evaluation.html" for name in evaluated]
    return pages + [
        f"results/{assembly}/{name}"
        for assembly in ASSEMBLIES
        for name in (
            f"{assembly}.gff3",
            f"{assembly}.sorted.gff3.gz",
            "descriptions.tsv",
            "report.html",
            "genescribe_mqc.tsv",
            "run.json",
        )
    ]


def annotation(wildcards):
    return ASSEMBLIES[wildcards.assembly]["annotation"]


def references(wildcards):
    return ASSEMBLIES[wildcards.assembly]["references"]


def genome(wildcards):
    """No file where the annotation carries its own sequences (##FASTA)."""
    return ASSEMBLIES[wildcards.assembly].get("genome", [])


def model_specs(wildcards):
    """The YAML files that say how each model reads and writes."""
    model = ASSEMBLIES[wildcards.assembly]["model"]
    names = {model} if isinstance(model, str) else {*model.values()} - {SKIP}
    shipped = REPOSITORY / "config" / "models"
    return sorted(
        name if name.endswith((".yaml", ".yml")) else str(shipped / f"{name}.yaml")
        for name in names
    )


def model_identities(wildcards):
    """Weights may be pinned beside them and not in the spec: others have to run describe again."""
    return ASSEMBLIES[wildcards.assembly]["identities"]


def option(name, value):
    """One command line option, quoted for the shell; nothing where the value is off or empty."""
    if value is True:
        return name
    return f"{name} {shlex.quote(str(value))}" if value not in (None, False, "") else ""


def genome_option(wildcards, input):
    return option("--genome", str(input.genome))


def model_options(wildcards):
    model = ASSEMBLIES[wildcards.assembly]["model"]
    if isinstance(model, str):
        return option("--model", model)
    return " ".join(option("--route", f"{pattern}={name}") for pattern, name in model.items())


def organism_option(wildcards):
    return option("--organism", ASSEMBLIES[wildcards.assembly].get("organism"))


def corpus_sources(wildcards):
    """The files that the sheet of sources names, so that editing one builds the corpus again."""
    from genescribe.corpus.sources import read_sheet as read_sources

    try:
        sources = read_sources(Path(config["corpus"]["sources"]), Path())
    except GenescribeError as error:
        refuse(f"config/config.yaml: corpus.sources: {error.told(WORKFLOW)}")
    files = [str(path) for source in sources for path in (source.input, source.genome) if path]
    for file in files:
        if not Path(file).exists():
            refuse(f"{config['corpus']['sources']}: {file}: no such file; check the path")
    return files


def shard(wildcards):
    """Snakemake's "2-of-8" is genescribe's "2/8"."""
    return wildcards.scatteritem.replace("-of-", "/")


def memory(stage):
    """MB for a stage, more with every attempt, so that a retry can succeed."""

    def grown(wildcards, attempt):
        return config[stage]["mem_mb"] * attempt

    return grown


checked(config, "config.schema.yaml", "config/config.yaml")
ASSEMBLIES = read_sheet(config["assemblies"])

# Conda environments hold dependencies only; jobs in them start without PYTHONPATH, so it is set
# inside the command. Without them the Python that runs Snakemake runs the jobs. Not by
# shell.prefix, which would reach into the rules of a workflow that takes these in as a module.
own_python = (
    ""
    if DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method
    else f"PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH "
)
command = f"{own_python}PYTHONPATH={shlex.quote(str(SCRIPTS))} {DOOR}=workflow python -m genescribe"


def genescribe(wildcards, threads):
    """The command; where Python and this repository lie decides no result, and params that ask for
    threads are none that a job is run again for."""
    return command
