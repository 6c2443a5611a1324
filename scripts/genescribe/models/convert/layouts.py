"""The layouts of the published checkpoints, as data: which name becomes which."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor
from transformers import PreTrainedConfig

from genescribe.models.convert import configs
from genescribe.models.convert.configs import Companions
from genescribe.models.convert.source import Source

Part = Literal["weight", "lora_A", "lora_B"]


@dataclass(frozen=True)
class Rule:
    """Tensors whose name matches ``pattern`` as a whole become ``target`` (groups as ``\\1``).

    ``part`` says whether it is the weight itself or a factor of its low-rank update;
    ``transform`` is applied to it, given the tensor and the configuration of the result.
    """

    pattern: str
    target: str
    part: Part = "weight"
    transform: Callable[[Tensor, Any], Tensor] | None = None


@dataclass(frozen=True)
class Layout:
    """A published layout: ``rules`` in order of precedence; ``unused``, why names that match a
    pattern are left out.

    ``config`` makes the configuration of the result; ``settings`` is the entry beside the weights
    that has the sizes; ``sequence_tokenizer`` the kind and the file of the tokenizer for
    nucleotides, None where it has no file.
    """

    name: str
    config: Callable[[Source, Companions], PreTrainedConfig]
    rules: tuple[Rule, ...]
    unused: Mapping[str, str]
    settings: str | None = None
    sequence_tokenizer: tuple[str, str] | None = None
    is_encoder: bool = False


def half_split(weight: Tensor, config: Any) -> Tensor:
    """Reorder the rows of a query or key projection, (heads * head_dim, inputs), for transformers.

    RoPE (Su et al. 2021, eq. 15) turns pairs of features. GenomicLLM's code, after Meta's Llama,
    pairs 2i with 2i + 1; transformers pairs i with i + head_dim / 2.
    """
    pairs = weight.view(-1, config.head_dim // 2, 2, weight.shape[1])  # (heads, D/2, 2, inputs)
    return pairs.transpose(1, 2).reshape(weight.shape)


def prefixed(rules: tuple[Rule, ...], source: str, target: str) -> tuple[Rule, ...]:
    """Return rules for the same tensors below another name."""
    return tuple(
        Rule(source + rule.pattern, target + rule.target, rule.part, rule.transform)
        for rule in rules
    )


DNABERT2_RULES = (
    Rule(r"(embeddings\.(?:word_embeddings|token_type_embeddings|LayerNorm)\.\w+)", r"\1"),
    Rule(r"(encoder\.layer\.\d+\.(?:attention|mlp)\..+)", r"\1"),
)
DNABERT2_BUFFERS = r"embeddings\.(?:position_ids|token_type_ids)"

LLAMA_RULES = (
    Rule(r"(.+)\.lora_A(?:\.\w+)?\.weight", r"\1.weight", "lora_A"),
    Rule(r"(.+)\.lora_B(?:\.\w+)?\.weight", r"\1.weight", "lora_B"),
    Rule(r"(.+)\.base_layer\.(\w+)", r"\1.\2"),
    Rule(r"(model\..+|lm_head\.weight)", r"\1"),
)
"""A language model as transformers names it, with the adapters of PEFT.

PEFT moved the adapted weight below ``base_layer`` in 0.6 and named the adapters in 0.3.
"""

LANGUAGE_MODEL = Layout(
    "language-model",
    configs.language_model,
    rules=LLAMA_RULES,
    unused={r"model\..+\.rotary_emb\.inv_freq": "frequencies of RoPE, computed"},
)
"""A language model of transformers in pickles, as Vicuna is published, or with adapters in it."""

BASE_PREFIX = "llama_model."
"""What GeneChat's checkpoint puts before the names of its language model."""

GENECHAT = Layout(
    "genechat",
    configs.genechat,
    rules=(
        *prefixed(DNABERT2_RULES, r"gene_encoder\.", "encoder."),
        Rule(r"hyena_llama_proj\.(weight|bias)", r"projector.\1"),
        *prefixed(LLAMA_RULES, r"llama_model\.(?:base_model\.model\.)?", "language_model."),
    ),
    unused={
        r"gene_encoder\.pooler\..+": "pooler of [CLS], which GeneChat does not use",
        r"gene_encoder\." + DNABERT2_BUFFERS: "positions, computed",
        r"llama_model\..+\.rotary_emb\.inv_freq": "frequencies of RoPE, computed",
    },
    sequence_tokenizer=("bpe", "tokenizer.json"),
)
"""fdkevin0/GeneChat at commit 922bdb9, genechat/models/genechat.py and runners/runner_iter.py."""

DNABERT2 = Layout(
    "dnabert2",
    configs.dnabert2,
    rules=prefixed(DNABERT2_RULES, r"bert\.", ""),
    unused={
        r"bert\.pooler\..+": "pooler of [CLS]",
        r"bert\." + DNABERT2_BUFFERS: "positions, computed",
        r"cls\..+": "head of masked-language-model training",
    },
    sequence_tokenizer=("bpe", "tokenizer.json"),
    is_encoder=True,
)
"""zhihan1996/DNABERT-2-117M, pytorch_model.bin."""

_RNAFM = r"(?:encoder\.)?(?:sentence_encoder\.)?"
_RNAFM_LAYER = _RNAFM + r"layers\.(\d+)\."
RNAFM = Layout(
    "rnafm",
    configs.rnafm,
    rules=(
        Rule(_RNAFM + r"embed_tokens\.weight", "embeddings.word_embeddings.weight"),
        Rule(_RNAFM + r"embed_positions\.weight", "embeddings.position_embeddings.weight"),
        Rule(_RNAFM + r"emb_layer_norm_before\.(\w+)", r"embeddings.layer_norm.\1"),
        Rule(_RNAFM + r"emb_layer_norm_after\.(\w+)", r"encoder.emb_layer_norm_after.\1"),
        *(
            Rule(_RNAFM_LAYER + theirs + r"\.(weight|bias)", rf"encoder.layer.\1.{ours}.\2")
            for theirs, ours in {
                r"self_attn\.q_proj": "attention.self.query",
                r"self_attn\.k_proj": "attention.self.key",
                r"self_attn\.v_proj": "attention.self.value",
                r"self_attn\.out_proj": "attention.output.dense",
                "self_attn_layer_norm": "attention.LayerNorm",
                "final_layer_norm": "LayerNorm",
                "fc1": "intermediate.dense",
                "fc2": "output.dense",
            }.items()
        ),
    ),
    unused={
        r"(?:encoder\.)?lm_head\..+": "head of masked-language-model training",
        r"(?:.+\.)?contact_head\..+": "head for contact maps",
    },
    settings="args",
    is_encoder=True,
)
"""ml4bio/RNA-FM, RNA-FM_pretrained.pth; the prefixes are those that fm/pretrained.py strips."""

_GENOMICLLM = r"(?:_orig_mod\.)?"  # torch.compile puts it before every name
_GENOMICLLM_LAYER = _GENOMICLLM + r"layers\.(\d+)\."
GENOMICLLM = Layout(
    "genomicllm",
    configs.genomicllm,
    rules=(
        Rule(_GENOMICLLM + r"tok_embeddings\.weight", "model.embed_tokens.weight"),
        Rule(_GENOMICLLM + r"norm\.weight", "model.norm.weight"),
        *(
            Rule(
                _GENOMICLLM_LAYER + theirs + r"\.weight",
                rf"model.layers.\1.{ours}.weight",
                transform=transform,
            )
            for theirs, ours, transform in (
                (r"attention\.wq", "self_attn.q_proj", half_split),
                (r"attention\.wk", "self_attn.k_proj", half_split),
                (r"attention\.wv", "self_attn.v_proj", None),
                (r"attention\.wo", "self_attn.o_proj", None),
                (r"feed_forward\.w1", "mlp.gate_proj", None),
                (r"feed_forward\.w2", "mlp.down_proj", None),
                (r"feed_forward\.w3", "mlp.up_proj", None),
                ("attention_norm", "input_layernorm", None),
                ("ffn_norm", "post_attention_layernorm", None),
            )
        ),
    ),
    unused={
        _GENOMICLLM + r"output\.weight": "the token embedding again (tied)",
        _GENOMICLLM_LAYER + r"attention\.mask": "causal mask, computed",
        _GENOMICLLM + r"freqs_(?:cos|sin|cis)": "frequencies of RoPE, computed",
    },
    settings="model_args",
)
"""Huatsing-Lau/GenomicLLM at commit 13185c7, model.py and train.py."""

NUCLEOTIDE_TRANSFORMER = Layout(
    "nucleotide-transformer",
    configs.nucleotide_transformer,
    rules=(
        # every layer has its copy of the frequencies; transformers keeps one for all of them
        Rule(r"esm\.encoder\.layer\.0\.attention\.self\.(rotary_embeddings\.inv_freq)", r"\1"),
        Rule(r"esm\.((?:embeddings|encoder)\.(?!.*(?:position_ids|inv_freq)).+)", r"\1"),
    ),
    unused={
        r"esm\.embeddings\.position_ids": "positions, computed",
        r"esm\.encoder\.layer\.[1-9]\d*\..+inv_freq": "the same as in the first layer",
        r"esm\.contact_head\..+": "head for contact maps",
        r"lm_head\..+": "head of masked-language-model training",
    },
    sequence_tokenizer=("six-mer", "vocab.txt"),
    is_encoder=True,
)
"""instadeepai's checkpoints in transformers' ESM layout, versions 1 and 2."""

LAYOUTS = {
    layout.name: layout
    for layout in (
        GENECHAT,
        DNABERT2,
        RNAFM,
        GENOMICLLM,
        NUCLEOTIDE_TRANSFORMER,
        LANGUAGE_MODEL,
    )
}
