"""What a stage trains: parts set free or frozen, a low-rank adapter, optimiser and schedule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import nn
from transformers import get_scheduler

from genescribe.errors import InputError
from genescribe.models.modeling import SequenceChatModel
from genescribe.training.config import Lora, Stage

BETAS = (0.9, 0.98)
"""Of AdamW, as RNA-GPT has them (Xiao et al. 2024)."""

PART_OF = {
    "encoder": "encoder",
    "pooling": "projector",
    "projector": "projector",
    "null_sequence": "projector",
    "language_model": "language_model",
}
"""The part (``config.PARTS``) that each child of a model belongs to."""


def parts(model: SequenceChatModel) -> dict[str, list[tuple[str, nn.Parameter]]]:
    """Return the parameters of each part, and those of an adapter as ``lora``, with their names."""
    named: dict[str, list[tuple[str, nn.Parameter]]] = {
        "encoder": [], "projector": [], "language_model": [], "lora": []
    }  # fmt: skip
    for name, parameter in model.named_parameters():
        part = "lora" if ".lora_" in name else PART_OF[name.split(".")[0]]
        named[part].append((name, parameter))
    return named


def set_free(model: SequenceChatModel, stage: Stage, *, recompute: bool) -> None:
    """Let the stage's parts learn, in 32 bits, and freeze all others.

    With ``recompute`` the language model keeps no activations (gradient checkpointing).
    """
    if stage.lora is not None and not isinstance(model.language_model, PeftModel):
        model.language_model = adapt(model.language_model, stage.lora)
    learning = {*stage.train, *(["lora"] if stage.lora else [])}
    for part, named in parts(model).items():
        for _, parameter in named:
            parameter.requires_grad_(part in learning)
            if part in learning:
                parameter.data = parameter.data.float()
    if recompute:
        model.language_model.gradient_checkpointing_enable({"use_reentrant": False})
    set_training(model, stage, recompute=recompute)


def set_training(model: SequenceChatModel, stage: Stage, *, recompute: bool) -> None:
    """Put the parts that learn into training mode and the others into evaluation mode.

    Dropout in a frozen part would be noise that nothing learns from. Only a language model that is
    to ``recompute`` its activations does so in training mode alone.
    """
    learning = {*stage.train, *(["language_model"] if stage.lora or recompute else [])}
    for name, child in model.named_children():
        child.train(PART_OF[name] in learning)


def adapt(language_model: Any, lora: Lora) -> Any:
    """Put a low-rank adapter on a language model; InputError for modules that it has not."""
    config = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,  # type: ignore[arg-type]  # scales by alpha / r, whole or not
        lora_dropout=lora.dropout,
        target_modules=list(lora.target_modules),
        task_type="CAUSAL_LM",
    )
    try:
        return get_peft_model(language_model, config)
    except ValueError as error:
        reason = str(error).split(".")[0]
        raise InputError(f"lora.target_modules: {reason}; name layers of the model") from error


def optimizer(model: SequenceChatModel, stage: Stage) -> torch.optim.Optimizer:
    """Return AdamW over what learns; biases, norms and single vectors do not decay."""
    groups: list[dict[str, Any]] = []
    rates: Mapping[Any, float] = stage.learning_rates
    for part, named in parts(model).items():
        rate = rates.get(part, stage.learning_rate)
        learning = [parameter for _, parameter in named if parameter.requires_grad]
        for decay, members in (
            (stage.weight_decay, [p for p in learning if p.ndim > 1]),
            (0.0, [p for p in learning if p.ndim <= 1]),
        ):
            if members:
                groups.append({"params": members, "lr": rate, "weight_decay": decay})
    return torch.optim.AdamW(groups, lr=stage.learning_rate, betas=BETAS)


def schedule(optimizer: torch.optim.Optimizer, stage: Stage, steps: int) -> Any:
    """Return the learning rate schedule over ``steps``, one of those of transformers."""
    try:
        return get_scheduler(
            stage.schedule,
            optimizer,
            num_warmup_steps=min(stage.warmup, steps),
            num_training_steps=steps,
            scheduler_specific_kwargs=dict(stage.schedule_settings),
        )
    except (TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"stage {stage.name}: schedule {stage.schedule!r}: {reason}") from error
