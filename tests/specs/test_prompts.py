"""Prompts: the published texts, letter by letter, and what a second question makes of them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from genescribe.errors import InputError
from genescribe.specs.prompts import (
    MARKER,
    Prompts,
    PromptVariant,
    Turn,
    check_template,
    check_turn,
    render,
)
from genescribe.specs.spec import ModelSpec, load_spec

MUTE = PromptVariant(id="mute-1", template="{biotype} {sequence}")
GENECHAT = "Please provide a detailed description of the gene."
INFERENCE = (
    "Give the following gene: <gene>geneContent</gene>. Please answer my questions.###Human: "
)


def prompt(spec: ModelSpec, history: tuple[Turn, ...] = (), **fields: str) -> str:
    """The rendered prompt of a spec, with [GENE] in the gene's place."""
    given = {"question": spec.question or "", "organism": "", "biotype": "", "context": ""}
    before, after = render(spec.prompt, {**given, **fields}, history)
    return f"{before}[GENE]{after}"


@pytest.mark.parametrize(
    ("model", "variant", "expected"),
    [
        (
            "genechat-13b",
            "inference",
            f"{INFERENCE}<gene>[GENE]</gene> {GENECHAT}###Assistant:",
        ),
        (
            "genechat-13b",
            "training",
            f"###Human: <gene>:wq[GENE]</gene> {GENECHAT} ###Assistant:",
        ),
        (
            "genechat-13b",
            "training-keyword",
            f"###Human: <gene>[GENE]</gene> {GENECHAT} ###Assistant:",
        ),
        ("genechat-13b", "paper", f"Human: <Gene> [GENE] </Gene>{GENECHAT} Assistant:"),
        ("rnagpt-8b", "stage-1", "Q: <RNA>[GENE]</RNA>  A:"),
        (
            "rnagpt-8b",
            "stage-2",
            "###Human: <RNA>[GENE]</RNA> What is known about this RNA? ###Assistant:",
        ),
        ("genomicllm-92m", "default", "[GENE], annotation:description="),
    ],
)
def test_published_prompts(model: str, variant: str, expected: str) -> None:
    assert prompt(load_spec(model).with_prompt(variant)) == expected


def test_begin_tokens_are_the_published_ones() -> None:
    bos = {
        name: variant.bos for name, variant in load_spec("genechat-13b").prompts.variants.items()
    }
    assert bos == {
        "inference": "one", "training": "segments", "training-keyword": "segments", "paper": "one",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("task", "expected"),
    [  # out/metrics/sample_table_20240118.csv and data_utils.py of GenomicLLM
        ("description", "[GENE], annotation:description="),
        ("biotype", "[GENE], gene biotype ="),
        ("direction", "[GENE], sequence direction="),
        ("gc_content", "[GENE], GC content="),
        ("orf", "[GENE], Open Reading Frame ="),
        ("splice_site", "[GENE], splice site ="),
        ("enhancer", "[GENE], enhancer ="),
        ("promoter", "[GENE], proximal promoter ="),
        ("core_tata_promoter", "[GENE], core tata promoter ="),
        ("tf_binding_site", "[GENE], transcription factor binding site ="),
        ("regulatory", "[GENE], annotation = ensembl, regulatory ="),
        ("ocr", "[GENE], annotation = ensembl, ocr ="),
        ("reverse", "[GENE], reverse sequence ="),
        ("complement", "[GENE], complementary sequence ="),
        ("reverse_complement", "[GENE], reverse complementary sequence ="),
        ("protein", "[GENE], protein sequence ="),
        (
            "reading_comprehension",
            "Dbxref:MIM=300586, [GENE], reading comprehension: Dbxref:MIM=",
        ),
    ],
)
def test_questions_of_genomicllm(task: str, expected: str) -> None:
    spec = load_spec("genomicllm-92m").for_task(task)
    assert prompt(spec, context="Dbxref:MIM=300586", question="Dbxref:MIM") == expected
    assert spec.prompt.bos == "none"


def test_questions_of_genechat() -> None:
    spec = load_spec("genechat-13b")
    assert prompt(spec.for_task("symbol")).endswith(
        "</gene> What is the official symbol of the gene? Limit your answer to one or two words."
        "###Assistant:"
    )
    assert spec.for_task("symbol").prompt_id == "genechat-symbol"
    assert spec.for_task("symbol").generation["max_new_tokens"] == 32
    with pytest.raises(InputError, match=r"no task 'colour'; it has: description, biotype, "):
        spec.for_task("colour")
    with pytest.raises(InputError, match="it has: none; ask with a question"):
        load_spec("tiny").for_task("biotype")


def test_further_questions_follow_the_published_conversation() -> None:
    history = (Turn("What is it?", "A kinase."), Turn("Where?", "In the nucleus."))
    assert prompt(load_spec("genechat-13b"), history, question="Sure?") == (
        f"{INFERENCE}<gene>[GENE]</gene> What is it?###Assistant: A kinase.###Human: Where?"
        "###Assistant: In the nucleus.###Human: Sure?###Assistant:"
    )
    spec = load_spec("rnagpt-8b")
    assert not spec.prompt.can_chat
    with pytest.raises(ValueError, match="rnagpt-stage-1 takes one question only"):
        prompt(spec, history)


def test_chat_templates_get_messages() -> None:
    spec = load_spec("template")
    seen: list[list[dict[str, str]]] = []

    def chat_template(messages: list[dict[str, str]]) -> str:
        seen.append(messages)
        return "".join(f"<{m['role']}>{m['content'].strip()}" for m in messages) + "<assistant>"

    fields = {"question": "Sure?", "organism": "yeast", "biotype": "tRNA", "context": ""}
    before, after = render(spec.prompt, fields, [Turn("What?", "A tRNA.")], chat_template)
    assert before == f"<system>{spec.prompt.system}<user><gene>"
    assert after == (
        "</gene> This is a tRNA gene of yeast. What?<assistant>A tRNA.<user>Sure?<assistant>"
    )
    assert [message["role"] for message in seen[0]] == ["system", "user", "assistant", "user"]
    with pytest.raises(ValueError, match="needs the tokenizer's chat template"):
        render(spec.prompt, fields)
    for broken in (lambda _: "no gene", lambda _: MARKER * 2):
        with pytest.raises(ValueError, match="has not one place for the gene"):
            render(spec.prompt, fields, (), broken)


def test_users_texts_stay_as_they_are() -> None:
    variant = PromptVariant(
        id="p", template="{question} {{literal}} {sequence}", turn=" {answer} {question}"
    )
    fields = {"question": f"{{sequence}}{MARKER} {{0}}"}
    assert render(variant, fields) == ("{sequence} {0} {literal} ", "")
    history = [Turn("one {x}", f"two {{y}}{MARKER}")]
    assert render(variant, {"question": "three"}, history) == (
        "one {x} {literal} ",
        " two {y} three",
    )


@pytest.mark.parametrize(
    ("template", "named"),
    [
        ("no gene", "needs {sequence} exactly once"),
        ("{sequence} {sequence}", "needs {sequence} exactly once"),
        ("{sequence} {colour}", r"unknown field {colour}; allowed are {biotype}, {context}"),
        ("{sequence.__class__}", "unknown field"),
        ("{sequence} {0}", "unknown field"),
        ("{sequence} {", "expected '}'|Single '{'"),
        ("{sequence} }", "Single '}'"),
    ],
)
def test_templates_that_cannot_be_filled(template: str, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        check_template(template)


@pytest.mark.parametrize("turn", ["", "{question}", "{answer}", "{answer}{question}{question}"])
def test_turns_that_cannot_be_filled(turn: str) -> None:
    check_turn("{answer} {question}")
    with pytest.raises(ValueError, match=r"{answer} and {question} once each"):
        check_turn(turn)


def test_another_question_has_another_id() -> None:
    spec = load_spec("genechat-13b")
    assert spec.with_question(GENECHAT) == spec
    asked = [spec.with_question(text) for text in ("Tell me about this gene.", "Why?")]
    assert len({spec.prompt_id, *(other.prompt_id for other in asked)}) == 3
    assert prompt(asked[1]).endswith("</gene> Why?###Assistant:")
    mute = spec.model_copy(update={"prompts": Prompts.model_validate(MUTE)})
    with pytest.raises(InputError, match="prompt mute-1 of model genechat-13b takes no question"):
        mute.with_question("Why?")
    with pytest.raises(InputError, match=r"no prompt 'casual'; it has: inference, training, "):
        spec.with_prompt("casual")


def test_prompts_load_without_torch() -> None:
    code = (
        "import sys; import genescribe.specs.prompts;"
        "assert not {'torch', 'transformers', 'jsonschema', 'yaml'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": sys.path[0]})
