"""How large a model is, and how many genes fit beside it into a device's memory.

Parameters are counted on the meta device, so this needs neither weights nor memory. What a gene
takes is an estimate from above, with the formulas below; L, H, I, V are layers, hidden size,
feed-forward size and vocabulary of the language model, k and d its key-value heads and their
size, b the bytes of a number, B the beams.

- tokens T: the gene at the spec's ``max_length``, the prompt's text, and ``max_new_tokens`` N
- keys and values: 2 L k d T B b (Vaswani et al. 2017; k as in Ainslie et al. 2023)
- activations of a layer, those before it freed: (4 H + 3 I) T B b, and T^2 B b for its mask
- reading the text again: N V (b + 8), logits and, in float32, their logarithms
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedConfig, PreTrainedModel

from genescribe.errors import InputError
from genescribe.models.assembly import configuration_of, empty_model
from genescribe.models.configuration import SequenceChatConfig
from genescribe.models.encoders import make_reader
from genescribe.models.encoders.reader import NOTHING_STORED, Stored
from genescribe.specs.spec import ModelSpec

BYTES = {"float32": 4.0, "bfloat16": 2.0, "float16": 2.0, "8bit": 1.0, "4bit": 4.5 / 8}
"""Bytes of a parameter. Only linear layers of the language model are held in 8 or 4 bit, all else
in 16. 4.5 bits: a float32 scale for each block of 64 (Dettmers et al. 2023, QLoRA, section 3)."""

DTYPES = ("float32", "bfloat16", "8bit", "4bit")
"""What ``genescribe models show`` tells about; float16 is like bfloat16."""

CHARACTERS_PER_TOKEN = 3
"""Of a prompt's text: English has four, so that this errs on the safe side."""

USABLE = 0.9
"""Share of the free memory that is planned with; the rest goes to kernels and fragmentation."""

GB = 1e9


@dataclass(frozen=True, slots=True)
class Parameters:
    """How many parameters the parts of a model have; pooling counts as the projector's."""

    encoder: int
    projector: int
    language_model: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.encoder + self.projector + self.language_model


@dataclass(frozen=True, slots=True)
class Needs:
    """The size of a model, and what describing one gene of the spec's ``max_length`` takes.

    ``loaded`` are the parameters that are held in memory; ``published`` counts, as papers do,
    also the masked-language-model head of the encoder, which is not loaded. ``quantised`` of the
    language model's are in linear layers. ``prompt_tokens`` are the gene's and its prompt's.
    ``stored`` comes with the weights; ``encoder_numbers`` are held while the encoder reads.
    """

    loaded: Parameters
    published: Parameters
    quantised: int
    config: PreTrainedConfig
    prompt_tokens: int
    new_tokens: int
    beams: int
    stored: Stored = NOTHING_STORED
    encoder_numbers: int = 0

    def weights(self, dtype: str) -> int:
        """Return the bytes of the weights, stored genes included."""
        if dtype not in ("8bit", "4bit"):
            return int(self.loaded.total * BYTES[dtype]) + self.stored.bytes
        rest = self.loaded.total - self.quantised
        return int(self.quantised * BYTES[dtype] + rest * BYTES["bfloat16"]) + self.stored.bytes

    def gene(self, dtype: str) -> int:
        """Return the bytes that one gene takes at most, by the formulas of this module."""
        text = self.config.get_text_config()
        number = _activation_bytes(dtype)
        tokens = self.prompt_tokens + self.new_tokens
        heads = text.num_attention_heads
        head_size = getattr(text, "head_dim", None) or text.hidden_size // heads
        key_value = head_size * (getattr(text, "num_key_value_heads", None) or heads)
        inner = getattr(text, "intermediate_size", None) or 4 * text.hidden_size
        per_token = 2 * text.num_hidden_layers * key_value + 4 * text.hidden_size + 3 * inner
        written = (per_token + tokens) * tokens * self.beams * number
        read_again = self.new_tokens * text.vocab_size * (number + 8)
        return int(written + read_again)

    def encoding(self, dtype: str) -> int:
        """Return the bytes that the encoder takes while it reads, however many genes there are."""
        return int(self.encoder_numbers * _activation_bytes(dtype))

    def genes(self, free: int, dtype: str) -> int:
        """Return how many genes of the greatest length fit at once into ``free`` bytes."""
        left = USABLE * free - self.weights(dtype) - self.encoding(dtype)
        return max(0, int(left // self.gene(dtype)))


def needs_of(spec: ModelSpec) -> Needs:
    """Count a spec's model, tied weights once; raises as ``configuration_of`` does."""
    config = configuration_of(spec)
    model: Any = empty_model(config)
    new_tokens = spec.generation["max_new_tokens"]
    texts = (spec.prompt.template, spec.prompt.system, spec.question)
    text_tokens = sum(len(text) for text in texts if text) // CHARACTERS_PER_TOKEN
    beams = spec.generation.get("num_beams", 1)
    if not isinstance(config, SequenceChatConfig):
        # the gene is text: a token per nucleotide at most, as many as the context holds
        room = config.max_position_embeddings - new_tokens
        tokens = min(text_tokens + spec.max_length, room)
        loaded = Parameters(0, 0, model.num_parameters())
        return Needs(loaded, loaded, _linear_size(model), config, tokens, new_tokens, beams)
    reader = make_reader(config)
    encoder, language_model = model.encoder.num_parameters(), model.language_model.num_parameters()
    loaded = Parameters(encoder, model.num_parameters() - encoder - language_model, language_model)
    return Needs(
        loaded,
        replace(loaded, encoder=encoder + reader.head_parameters),
        _linear_size(model.language_model),
        config,
        text_tokens + config.num_placeholders(reader.expected_vectors(spec.max_length)),
        new_tokens,
        beams,
        reader.stored,
        reader.working_numbers,
    )


def check_fit(spec: ModelSpec, device: torch.device, dtype: torch.dtype) -> None:
    """Raise InputError, with the numbers, where weights and one gene do not fit."""
    needs, free = needs_of(spec), free_memory(device.type)
    name = precision(spec, dtype)
    needed = needs.weights(name) + needs.encoding(name) + needs.gene(name)
    if needed <= free:
        return
    smaller = [other for other in DTYPES if needs.weights(other) < needs.weights(name)]
    ways = ", ".join(f"{other} {needs.weights(other) / GB:.1f} GB" for other in smaller)
    raise InputError(
        f"model {spec.name} takes {needs.weights(name) / GB:.1f} GB for its weights in {name} and "
        f"{(needed - needs.weights(name)) / GB:.1f} GB for a gene, but {device.type} has "
        f"{free / GB:.1f} GB free; use a device with more memory, or set dtype or quantisation "
        f"in the spec ({ways or 'already the smallest'})"
    )


def precision(spec: ModelSpec, dtype: torch.dtype) -> str:
    """Return how the weights are held: the spec's quantisation, else the dtype's name."""
    return spec.quantisation if spec.quantisation != "none" else str(dtype).removeprefix("torch.")


def free_memory(device: str) -> int:
    """Return the bytes that a new process may take on ``cpu`` or ``cuda``.

    On the CPU what Linux says is available, less where a control group (a batch system's job, a
    container) allows less; elsewhere all of the memory.
    """
    if device == "cuda":
        return int(torch.cuda.mem_get_info()[0])
    meminfo = Path("/proc/meminfo")
    if not meminfo.is_file():
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    fields = dict(line.split(":", 1) for line in meminfo.read_text().splitlines())
    available = int(fields["MemAvailable"].split()[0]) * 1024  # given in KiB
    return min(available, *_group_limits())


def _group_limits() -> list[int]:
    """Return the limits of this process's control groups, version 2, from the inside out."""
    limits = [1 << 62]
    group = Path("/proc/self/cgroup").read_text().strip().rpartition("::")[2].lstrip("/")
    folder = Path("/sys/fs/cgroup") / group
    for limit in (above / "memory.max" for above in (folder, *folder.parents)):
        if limit.is_file() and (text := limit.read_text().strip()).isdigit():
            limits.append(int(text))
    return limits


def _activation_bytes(dtype: str) -> float:
    return BYTES["bfloat16" if dtype in ("8bit", "4bit") else dtype]


def _linear_size(model: PreTrainedModel) -> int:
    """Return the parameters in linear layers but the last, which stays in 16 bit."""
    head = model.get_output_embeddings()
    layers = (module for module in model.modules() if isinstance(module, nn.Linear))
    return sum(layer.weight.numel() for layer in layers if layer is not head)
