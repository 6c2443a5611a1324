"""Conversations about one gene: history, room for it, and the command at a terminal and in a pipe.

The models of the command's tests have random weights in GeneChat's layout: what they answer is
nonsense, how they are asked is not.
"""

from __future__ import annotations

import io
import json
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from genescribe.cli import main
from genescribe.errors import InputError
from genescribe.inference import conversation as module
from genescribe.inference.context import Context
from genescribe.inference.conversation import Conversation, check_turns
from genescribe.inference.describer import Describer
from genescribe.inference.params import DescribeParams
from genescribe.records import Description, Reason, SequenceRecord, Status, View, sequence_sha256
from genescribe.specs.prompts import Prompts, PromptVariant, Turn
from genescribe.specs.spec import ModelSpec, load_spec
from support.answering_models import genechat_like

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = [
    "--genome", str(ROOT / "examples/example.fa"),
    "--annotation", str(ROOT / "examples/example.gff3"),
]  # fmt: skip
FACTS = {
    "gene_id", "question", "answer", "lift", "score", "n_tokens", "dropped_turns", "truncated",
    "reason", "calibrated", "model", "prompt", "prediction",
}  # fmt: skip


def record(length: int) -> SequenceRecord:
    sequence = ("ACGTTGCA" * length)[:length]
    return SequenceRecord("g1", View.GENE, "tRNA", sequence, sequence_sha256(sequence))


class FakeProcessor:
    """A word is a token, and so is a nucleotide."""

    def text_tokens(self, _biotype: str, question: str, history: Any, **_told: Any) -> int:
        words = " ".join([question, *(text for turn in history for text in turn)])
        return len(words.split())

    def expected_tokens(self, length: int) -> int:
        return length

    def prompt_tokens(self, gene: SequenceRecord, **told: Any) -> int:
        return len(gene.sequence) + self.text_tokens(gene.biotype, **told)


def context(size: int) -> Context:
    return Context(load_spec("genechat-13b"), FakeProcessor(), size)


class FakeDescriber:
    """Answers are numbered."""

    def __init__(self, room: int = 10**6, texts: Iterator[str] | None = None) -> None:
        self.spec = load_spec("genechat-13b")
        self.writer = SimpleNamespace(context=context(room))
        self.asked: list[DescribeParams] = []
        self.texts = texts or (f"answer {n}" for n in range(100))

    def describe(self, records: list[SequenceRecord], params: DescribeParams) -> Iterator[Any]:
        self.asked.append(params)
        for gene in records:
            yield Description(
                gene.gene_id, next(self.texts), Status.UNCERTAIN, Reason.LOW_LIFT, 0.3, 0.01, 2,
                "fake@0", "p", gene.truncated,
            )  # fmt: skip


def conversation(**options: Any) -> tuple[Conversation, FakeDescriber]:
    fake = FakeDescriber(**options)
    return Conversation(fake, record(10), "Homo sapiens"), fake  # type: ignore[arg-type]


def test_every_question_comes_with_the_turns_before_it() -> None:
    talk, fake = conversation()
    first, second = talk.ask("What  is\tit?"), talk.ask("Why?")
    assert (first.question, first.text, second.text) == ("What is it?", "answer 0", "answer 1")
    assert (first.lift, first.score, first.n_tokens, first.reason) == (0.01, 0.3, 2, "low_lift")
    assert fake.asked[0].history == ()
    assert fake.asked[1].history == (Turn("What is it?", "answer 0"),)
    assert fake.asked[1].question == "Why?"
    assert {params.organism for params in fake.asked} == {"Homo sapiens"}


def test_the_oldest_turns_are_dropped_and_counted() -> None:
    talk, fake = conversation(room=10 + 1 + 2 * 3)  # gene, question, two turns of three words
    dropped = [talk.ask("Why?").dropped_turns for _ in range(5)]
    assert dropped == [0, 0, 0, 1, 2]
    assert [turn.answer for turn in fake.asked[4].history] == ["answer 2", "answer 3"]
    assert len(talk.turns) == 5


def test_a_gene_that_fills_the_context_leaves_no_room_for_turns() -> None:
    talk, fake = conversation(room=5)
    talk.ask("Why?")
    assert talk.ask("Why?").dropped_turns == 1
    assert fake.asked[1].history == ()


def test_what_was_not_answered_is_not_remembered() -> None:
    talk, _ = conversation(texts=iter(["", "yes"]))
    assert talk.ask("Why?").text == ""
    assert talk.turns == []
    with pytest.raises(InputError, match="question is empty"):
        talk.ask(" \n")


@pytest.mark.parametrize("room", [3, 9, 50, 99])
def test_a_long_gene_is_cut_until_it_fits(room: int) -> None:
    params = DescribeParams(question="two words")
    fitting = context(room).fitting(record(100), params)
    assert fitting.sequence == record(100).sequence[: room - 2]
    assert fitting.truncated == 102 - room
    assert fitting.sha256 == sequence_sha256(fitting.sequence)


def test_cutting_counts_what_was_cut_before() -> None:
    params, gene = DescribeParams(question="two words"), replace(record(100), truncated=7)
    assert context(102).fitting(gene, params) is gene
    assert context(60).fitting(gene, params).truncated == 49
    with pytest.raises(InputError, match="question alone"):
        context(2).fitting(gene, params)


def test_a_model_without_questions_names_those_that_take_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GENESCRIBE_MODELS", str(tmp_path))
    prompt = PromptVariant(id="mute-1", template="{biotype} {sequence}")
    prompts = Prompts.model_validate(prompt)
    mute = load_spec("tiny").model_copy(update={"name": "mute", "prompts": prompts})
    with pytest.raises(InputError, match=r"model mute .* installed models that do: tiny$"):
        module.check_asks(mute)
    (tmp_path / "genechat-13b").mkdir()
    with pytest.raises(InputError, match=r"installed models that do: genechat-13b, tiny$"):
        module.check_asks(mute)
    module.check_asks(load_spec("tiny"))
    with pytest.raises(InputError, match=r"; it answers fixed tasks$"):
        module.check_asks(load_spec("genomicllm-92m"))


def test_a_prompt_without_turns_takes_one_question() -> None:
    spec: ModelSpec = load_spec("genechat-13b").with_prompt("paper")
    check_turns(spec, 1)
    with pytest.raises(InputError, match="takes one question and no further"):
        check_turns(spec, 2)


# ---- the command


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(genechat_like(tmp_path_factory.mktemp("genechat")))


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    code = main(["chat", *args])
    return code, *capsys.readouterr()


def test_one_json_object_for_each_question(spec: str, capsys: pytest.CaptureFixture[str]) -> None:
    questions = ["--question", "What is it?", "--question", "Where is it active?"]
    code, out, _ = run(
        capsys, *EXAMPLE, "--gene", "exg_00040", "--model", spec, "--json", *questions
    )
    assert code == 0
    first, second = map(json.loads, out.splitlines())
    assert set(first) == FACTS
    assert (first["gene_id"], first["prediction"]) == ("exg_00040", True)
    assert first["model"].startswith("small-genechat@")
    assert first["prompt"] == "genechat-inference"
    assert first["calibrated"] is False
    assert (first["question"], second["question"]) == ("What is it?", "Where is it active?")
    assert second["dropped_turns"] == 0

    alone = run(capsys, *EXAMPLE, "--gene", "exg_00040", "--model", spec, "--json", *questions[2:])
    assert json.loads(alone[1])["answer"] != second["answer"], "the first turn changes the answer"


def test_turns_are_dropped_where_the_real_context_ends(spec: str) -> None:
    describer = Describer(spec, device="cpu")
    describer.model.language_model.config.max_position_embeddings = 300
    talk = Conversation(describer, record(600))
    dropped = [talk.ask("Tell me about this gene, please?").dropped_turns for _ in range(9)]
    assert dropped[0] == 0
    assert dropped[-1] > 0
    assert dropped == sorted(dropped)


def test_questions_from_a_pipe(
    spec: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    piped = io.TextIOWrapper(io.BytesIO(b"What is it?\n\nWhy\xff?\n"), encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", piped)
    code, out, err = run(capsys, *EXAMPLE, "--gene", "exg_00040", "--model", spec)
    assert code == 0
    remarks = [line for line in out.splitlines() if line.startswith("[")]
    assert len(remarks) == 2
    assert all("prediction of small-genechat" in line for line in remarks)
    assert all("uncalibrated score" in line for line in remarks)
    assert "exg_00040, 72 nt (gene)" in err


def test_a_fasta_record_by_name_or_the_first(
    spec: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    fasta = tmp_path / "two.fa"
    fasta.write_text(">one\nACGTACGTACGT\n>two some words\nGGGTTTAAACCC\nGG\n", encoding="utf-8")
    for chosen, expected in (([], "one"), (["--gene", "two"], "two")):
        asked = [*chosen, "--model", spec, "--question", "What?", "--json"]
        code, out, _ = run(capsys, "--fasta", str(fasta), *asked)
        assert (code, json.loads(out)["gene_id"]) == (0, expected)


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ([*EXAMPLE, "--gene", "EXG_00040"], ("no gene 'EXG_00040'", "closest: exg_00040")),
        ([*EXAMPLE], ("which gene?", "--gene ID")),
        ([], ("--fasta",)),
        ([*EXAMPLE, "--fasta", "x.fa", "--gene", "exg_00040"], ("not both",)),
        (["--fasta", "-"], ("standard input", "--question")),
        (["--fasta", "absent.fa"], ("absent.fa", "no such file")),
        ([*EXAMPLE, "--gene", "exg_00040", "--question", " "], ("question is empty",)),
        ([*EXAMPLE, "--gene", "exg_00040", "--prompt", "x"], ("no prompt 'x'", "inference")),
        (
            [*EXAMPLE, "--gene", "exg_00040", "--prompt", "paper", *["--question", "a?"] * 2],
            ("takes one question",),
        ),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(
    spec: str, capsys: pytest.CaptureFixture[str], args: list[str], says: tuple[str, ...]
) -> None:
    code, out, err = run(capsys, "--model", spec, "-q", *args)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert all(part in err for part in says)


def test_a_gene_without_a_sequence(
    spec: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    fasta = tmp_path / "n.fa"
    fasta.write_text(f">gap\n{'N' * 200}\n", encoding="utf-8")
    for chosen in ([], ["--gene", "gap"]):
        code, _, err = run(
            capsys, "--fasta", str(fasta), "--model", spec, "--question", "?", *chosen
        )
        assert (code, err.count("\n")) == (2, 1)
        assert "no sequence to read (mostly_n)" in err


@pytest.mark.parametrize("ending", ["", "quit", " exit ", EOFError, KeyboardInterrupt])
def test_a_farewell_ends_the_conversation(
    spec: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, ending: Any
) -> None:
    lines = iter(["What is it?", "x" * 9000, ending])

    def typed(prompt: str) -> str:
        line = next(lines)
        if isinstance(line, str):
            return line
        raise line

    monkeypatch.setattr("builtins.input", typed)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    code, out, err = run(capsys, *EXAMPLE, "--gene", "exg_00040", "--model", spec)
    assert (code, out.count("[prediction of ")) == (0, 1)
    assert "genescribe: exg_00040" in err, "a question that does not fit is told, and no more"


def test_a_conversation_at_a_terminal(spec: str) -> None:
    command = [sys.executable, "-m", "genescribe", "chat", *EXAMPLE]
    command += ["--gene", "exg_00040", "--model", spec]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "scripts"), "TERM": "dumb"}
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
    )
    try:
        shown = ""
        for typed in ("What is it?\n", "Why?\n", "\x04"):  # the last is Ctrl-D
            shown += read_until(ours, "> ")
            os.write(ours, typed.encode())
        assert process.wait(timeout=120) == 0
    finally:
        process.kill()
        process.wait()
        os.close(theirs)
        os.close(ours)
    assert "answers are predictions of small-genechat" in shown
    assert "an empty line ends" in shown
    assert shown.count("[prediction of small-genechat") == 2


def read_until(terminal: int, prompt: str) -> str:
    """Read what a terminal shows up to a prompt at the end."""
    shown, until = "", time.monotonic() + 120
    while not shown.endswith(prompt):
        assert time.monotonic() < until, shown
        if select.select([terminal], [], [], 1)[0]:
            shown += os.read(terminal, 4096).decode(errors="replace")
    return shown
