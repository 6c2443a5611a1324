"""What each remedy is called at each door: a shell, Galaxy, the workflow, Python, a notebook.

An error says what to do in neutral words (``Remedy``); the door that shows it has words for where
one does it there. A new remedy gets its words here.
"""

from __future__ import annotations

import os

from genescribe.errors import PLAIN, Remedy, Words

DOOR = "GENESCRIBE_DOOR"
"""The environment variable by which Galaxy's tool and the workflow say that they run a command."""

SHELL: Words = PLAIN | {
    Remedy.OVERWRITE: "add --force to overwrite it",
    Remedy.RESUME: "repeat the command with --resume to go on",
    Remedy.RESUME_OR_START_ANEW: "add --resume to go on or --force to start anew",
    Remedy.START_ANEW: "or add --force to start anew",
    Remedy.OTHER_WORK_FOLDER: "or begin in another folder with --work",
    Remedy.REPORT: "add --debug and report the traceback",
    Remedy.GIVE_GENOME: "give the genome with --genome",
    Remedy.GIVE_NAME: "give a name without slashes with --name",
    Remedy.SKIP_MISSING_CONTIGS: "or add --allow-missing-contigs to skip these genes",
    Remedy.STRIP_FIRST: "run genescribe strip first",
    Remedy.EXTRACT_AGAIN: "write it again with genescribe extract",
    Remedy.EXTRACT_FOR_SAME_MODELS: "give describe the same --model or --route as extract, or "
    "extract again",
    Remedy.GIVE_RECORD: "give a file written by --record",
    Remedy.USE_CPU: "or use --device cpu",
    Remedy.CHOOSE_PROMPT: "choose one of its prompts that do: --prompt {value}",
    Remedy.ASK_TASKS: "this one answers fixed tasks (genescribe ask)",
    Remedy.GIVE_FACT: "add --{value} TEXT",
    Remedy.ASK_ONE_BY_ONE: "ask each question in a command of its own, with --question",
    Remedy.CONVERT_CHECKPOINT: "convert a published checkpoint with genescribe models convert",
    Remedy.CHOOSE_LAYOUT: "use --from {value}",
    Remedy.GIVE_TOKENIZER: "give the folder of the language model's own with --tokenizer",
    Remedy.GIVE_ENCODER_TOKENIZER: "give the encoder's folder with --encoder-tokenizer",
    Remedy.GIVE_COMPANIONS: "or what it belongs to with --base, --tokenizer and "
    "--encoder-tokenizer",
    Remedy.GIVE_LORA_ALPHA: "say with --lora-alpha what it was trained with",
    Remedy.BUILD_CORPUS: "write it with genescribe corpus",
    Remedy.SPLIT_CORPUS: "write it with genescribe splits",
    Remedy.HOLD_OUT: "name with --held-out whom to hold out",
    Remedy.SMALLER_SIDES: "ask for a smaller --validation and --test, or give a larger corpus",
    Remedy.WITHOUT_MMSEQS: "or add --no-mmseqs to find families by shared k-mers alone",
}

GALAXY: Words = PLAIN | {
    Remedy.MORE_MEMORY: "ask the administrator for more, or choose a smaller model",
    Remedy.REPORT: "please report it, with the job's log",
    Remedy.GIVE_GENOME: "choose a genome under “Where is the genome?”",
    Remedy.SKIP_MISSING_CONTIGS: "or choose “Skip genes on sequences that the genome lacks”",
    Remedy.STRIP_FIRST: "choose the annotation as it was before",
    Remedy.USE_CPU: "or ask the administrator to run the tool on a CPU",
    Remedy.CONVERT_CHECKPOINT: "ask the administrator to install the model again",
}

WORKFLOW: Words = PLAIN | {
    Remedy.OVERWRITE: "delete it, or choose another folder",
    Remedy.RESUME: "the same snakemake command goes on",
    Remedy.RESUME_OR_START_ANEW: "delete it, and snakemake writes it again",
    Remedy.START_ANEW: "or delete its results",
    Remedy.OTHER_WORK_FOLDER: "or delete results/training/work",
    Remedy.MORE_MEMORY: "raise the stage's mem_mb in config/config.yaml, or take a smaller model",
    Remedy.GIVE_GENOME: "name the genome in the column genome of the sample sheet",
    Remedy.SKIP_MISSING_CONTIGS: "or set extract: allow_missing_contigs: true in "
    "config/config.yaml to skip these genes",
    Remedy.STRIP_FIRST: "run genescribe strip first",
    Remedy.EXTRACT_AGAIN: "delete it, and snakemake writes it again",
    Remedy.EXTRACT_FOR_SAME_MODELS: "delete genes.tsv, and snakemake extracts them again",
    Remedy.USE_CPU: "or set describe: device: cpu in config/config.yaml",
    Remedy.CHOOSE_PROMPT: "set prompt: {value} in config/config.yaml, which does",
    Remedy.CONVERT_CHECKPOINT: "convert a published checkpoint with genescribe models convert",
    Remedy.BUILD_CORPUS: "delete it, and snakemake writes it again",
    Remedy.SPLIT_CORPUS: "delete it, and snakemake writes it again",
    Remedy.HOLD_OUT: "name whom to hold out under corpus: held_out in config/config.yaml",
    Remedy.SMALLER_SIDES: "set smaller corpus: validation and test in config/config.yaml, or give "
    "a larger corpus",
    Remedy.WITHOUT_MMSEQS: "or set corpus: mmseqs: false in config/config.yaml",
}

PYTHON: Words = PLAIN | {
    Remedy.OVERWRITE: "add force=True to overwrite it",
    Remedy.RESUME: "the same call goes on with it",
    Remedy.RESUME_OR_START_ANEW: "the same call goes on with it, force=True starts anew",
    Remedy.START_ANEW: "or add force=True to start anew",
    Remedy.GIVE_GENOME: "give the genome as genome=",
    Remedy.GIVE_NAME: "give a name without slashes as name=",
    Remedy.SKIP_MISSING_CONTIGS: "or skip these genes by "
    "extract=ExtractSettings(allow_missing_contigs=True)",
    Remedy.USE_CPU: 'or compute with device="cpu"',
    Remedy.CHOOSE_PROMPT: 'choose one of its prompts that do: prompt="{value}"',
}

NOTEBOOK: Words = PLAIN | {
    Remedy.OVERWRITE: "tick “Start anew” to overwrite it",
    Remedy.RESUME: "“Run” goes on with it",
    Remedy.RESUME_OR_START_ANEW: "“Run” goes on with it, or tick “Start anew”",
    Remedy.START_ANEW: "or tick “Start anew”",
    Remedy.MORE_MEMORY: "close other notebooks, or take a smaller model",
    Remedy.REPORT: "please report it",
    Remedy.GIVE_GENOME: "choose the genome under “Genome”",
    Remedy.USE_CPU: "or choose cpu under “Device”",
    Remedy.ASK_ONE_BY_ONE: "press “Forget” first",
}

STARTED_FROM = {"": SHELL, "galaxy": GALAXY, "workflow": WORKFLOW}


def command_words() -> Words:
    """Return the words of the door behind which this command was started."""
    return STARTED_FROM.get(os.environ.get(DOOR, ""), SHELL)
