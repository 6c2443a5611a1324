"""The trained model as a folder that is taken as a model at once."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import yaml
from peft import PeftModel
from safetensors.torch import save_file

from genescribe.errors import InputError
from genescribe.models.checkpoint import (
    PROJECTOR_FILE,
    quiet_transformers,
    reader_folder,
)
from genescribe.models.convert.folder import write_sums
from genescribe.models.processing import SEQUENCE_TOKENIZER_FOLDER
from genescribe.specs.places import SPEC_FILE
from genescribe.specs.spec import ModelSpec
from genescribe.training.config import TrainConfig
from genescribe.training.examples import Example
from genescribe.training.model import Start
from genescribe.version import __version__

CARD_FILE = "README.md"
SHOWN_ORGANISMS = 12


@dataclass(frozen=True, slots=True)
class Facts:
    """What the card says of a training; ``loss`` is the last stage's best, in nats per token.

    ``settings`` is the configuration as it was written, ``usage`` how to run and evaluate the
    model.
    """

    corpus: str
    training: Sequence[Example]
    validation: Sequence[Example]
    loss: float
    settings: str
    usage: str

    @property
    def organisms(self) -> dict[str, int]:
        """Training genes by organism, the commonest first; those beyond a dozen as one."""
        genes = {example.record.sha256: example.organism for example in self.training}
        counts = Counter(name or "unnamed" for name in genes.values()).most_common()
        others = sum(count for _, count in counts[SHOWN_ORGANISMS:])
        return dict(counts[:SHOWN_ORGANISMS]) | ({"others": others} if others else {})


def check_export(spec: ModelSpec, config: TrainConfig) -> None:
    """Raise InputError where a model cannot be saved as the configuration asks."""
    if config.save == "parts" and (not spec.weights.parts or "adapter" in spec.weights.parts):
        raise InputError(
            f"save: parts needs a model whose weights are encoder, projector and language_model; "
            f"those of {spec.name} are not, say save: whole"
        )


def export(start: Start, model: Any, config: TrainConfig, folder: Path, facts: Facts) -> None:
    """Write weights, configuration, tokenizers, SHA256SUMS, spec and model card to ``folder``.

    With ``save: parts`` only what was trained is written, and the spec names the other parts
    where they lie.
    """
    dtype = getattr(torch, config.weights_dtype)
    content = _described(start.content, config, facts)
    with quiet_transformers():
        if config.save == "parts":
            content["weights"] = _save_parts(start, model.to(dtype), config, folder)
        else:
            content["weights"] = {"folder": "./"}
            content.pop("config", None)  # config.json says it
            _save_whole(start, model.to(dtype), folder)
    write_sums(folder)
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)
    (folder / SPEC_FILE).write_text(text, encoding="utf-8")
    (folder / CARD_FILE).write_text(card(content, facts), encoding="utf-8")


def card(content: Mapping[str, Any], facts: Facts) -> str:
    """Return the model card: what the model is, and what it was trained on."""
    answers = Counter(example.question for example in facts.training).most_common()
    questions = "".join(f"| {question} | {count:,} |\n" for question, count in answers)
    organisms = ", ".join(f"{name} ({count:,})" for name, count in facts.organisms.items())
    genes, validation_genes = _genes(facts.training), _genes(facts.validation)
    return f"""# {content["name"]}

{content["summary"]}

Its texts are predictions of a language model and no evidence of function. How often they are right
on genes that it never saw is to be evaluated; its scores are not calibrated yet.

{facts.usage}

## What it was trained on

{content["trained_on"]}

Corpus `{facts.corpus}`: {genes:,} genes to learn from and {validation_genes:,} that
only told when to stop (loss at the end: {facts.loss:.3f} nats per token). Genes by organism:
{organisms}.

| question | answers |
|---|---|
{questions}
## How

genescribe {__version__}, with this configuration:

```yaml
{facts.settings.strip()}
```
"""


def _described(content: Mapping[str, Any], config: TrainConfig, facts: Facts) -> dict[str, Any]:
    """Say in the spec of a fine-tuned model what it is, where the configuration does not."""
    if config.base is None:
        return dict(content)
    tuning = f"{_genes(facts.training):,} genes of {', '.join(facts.organisms)}"
    own = {
        "name": f"{content['name']}-tuned",
        "summary": f"{content['name']}, trained further on {tuning}.",
        "trained_on": f"{content['trained_on'].strip()} Then {tuning}.",
    }
    return {**content, **{key: text for key, text in own.items() if key not in config.spec}}


def _save_whole(start: Start, model: Any, folder: Path) -> None:
    if isinstance(model.language_model, PeftModel):
        model.language_model = model.language_model.merge_and_unload()
    model.save_pretrained(str(folder))
    start.processor.tokenizer.save_pretrained(folder)
    _save_reader_files(start, folder)


def _save_parts(start: Start, model: Any, config: TrainConfig, folder: Path) -> dict[str, str]:
    """Save each part that was trained in a folder of its own; return where all parts lie."""
    trained = config.new.union(*(stage.train for stage in config.stages))
    weights = {part: str(path) for part, path in start.spec.weights.parts.items()}
    if "projector" in trained:
        (folder / "projector").mkdir()
        save_file(model.projecting_tensors(), folder / "projector" / PROJECTOR_FILE)
    if "encoder" in trained:
        model.encoder.save_pretrained(str(folder / "encoder"))
        _save_reader_files(start, folder / "encoder")
    if isinstance(model.language_model, PeftModel):
        model.language_model.save_pretrained(str(folder / "adapter"))
    elif "language_model" in trained:
        model.language_model.save_pretrained(str(folder / "language_model"))
        start.processor.tokenizer.save_pretrained(folder / "language_model")
    for path in sorted(folder.iterdir()):
        write_sums(path)
        weights[path.name] = f"./{path.name}"
    return weights


def _save_reader_files(start: Start, folder: Path) -> None:
    names = start.processor.reader.files
    if not names:
        return
    source, target = reader_folder(start.spec), folder / SEQUENCE_TOKENIZER_FOLDER
    target.mkdir()
    for name in names:
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)


def _genes(examples: Sequence[Example]) -> int:
    return len({example.record.sha256 for example in examples})
