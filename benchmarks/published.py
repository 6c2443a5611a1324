"""Genes per second of a GeneChat-shaped model with random weights, against a plain loop.

    python benchmarks/published.py                       # a tenth of the size, on the CPU
    python benchmarks/published.py --full --device cuda  # full size in bfloat16: 27 GB of weights

The peer is how the published code goes about it: one gene at a time, the encoder called once per
chunk. It has the same weights, prompts, greedy search and number of new tokens, and runs in the
same process, after ours. Random weights write nonsense, at the speed of trained ones. Gene
lengths are drawn from a log-normal distribution with the median of human protein-coding genes,
introns included (27 kb), and cut at GeneChat's 160 kb.
"""
# ruff: noqa: E402  (the library lies beside this folder)

from __future__ import annotations

import argparse
import random
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

import torch
from tokenizers import Tokenizer, models, processors, trainers
from torch import Tensor
from transformers import LlamaConfig

from genescribe.inference.batching import BATCH_TOKENS, PROMPT_TOKENS
from genescribe.inference.scheduling import TokenBudget
from genescribe.models.configuration import SequenceChatConfig
from genescribe.models.convert.configs import VICUNA_13B
from genescribe.models.encoders.dnabert2 import Dnabert2Config
from genescribe.models.encoders.tokens import chunks
from genescribe.models.modeling import SequenceChatModel
from genescribe.models.processing import SequenceChatProcessor
from genescribe.records import SequenceRecord, View, sequence_sha256
from genescribe.specs.prompts import PromptVariant
from genescribe.training.model import train_tokenizer

MEDIAN_LENGTH, SIGMA, LONGEST = 27_000, 1.4, 160_000
QUESTION = "Please provide a detailed description of the gene."
PROMPT = PromptVariant(
    id="benchmark", template="###Human: <gene>{sequence}</gene> {question} ###Assistant:"
)  # fmt: skip
TENTH_ENCODER = {"hidden_size": 256, "intermediate_size": 1024, "num_attention_heads": 8}
TENTH_TEXT = {
    "hidden_size": 2048, "intermediate_size": 5504, "num_hidden_layers": 22,
    "num_attention_heads": 16, "num_key_value_heads": 16,
}  # fmt: skip


def genes(count: int) -> list[SequenceRecord]:
    """Random genes of realistic lengths, longest first as the Describer takes them."""
    rng = random.Random(0)
    lengths = [round(MEDIAN_LENGTH * rng.lognormvariate(0, SIGMA)) for _ in range(count)]
    records = []
    for length in sorted((min(LONGEST, max(200, n)) for n in lengths), reverse=True):
        sequence = "".join(rng.choices("ACGT", k=length))
        identity = sequence_sha256(sequence)
        records.append(SequenceRecord("g", View.GENE, "protein_coding", sequence, identity))
    return records


def write_byte_pairs(folder: Path) -> None:
    """Learn as many byte pairs as DNABERT-2 has from random DNA: some 5 nt a token, too."""
    rng = random.Random(1)
    special = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]
    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]"))
    trainer = trainers.BpeTrainer(vocab_size=4096, special_tokens=special, show_progress=False)
    pieces = ["".join(rng.choices("ACGT", k=300)) for _ in range(3000)]
    tokenizer.train_from_iterator(pieces, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))


def build(full: bool, device: str) -> tuple[SequenceChatModel, SequenceChatProcessor]:
    """Build GeneChat with random weights, whole in bfloat16 or a tenth of it in float32."""
    config = SequenceChatConfig(
        encoder_config=Dnabert2Config(**({} if full else TENTH_ENCODER)),
        text_config=LlamaConfig(**{**VICUNA_13B, **({} if full else TENTH_TEXT)}),
        pooling="chunk-mean",
        pool_special_tokens=True,
        sequence_tokenizer="bpe",
        chunk_length=512,
        chunk_overlap=10,
        projector_type="linear",
        sequence_token_id=-200,
        null_slots=0,
    )
    torch.manual_seed(0)
    torch.set_default_dtype(torch.bfloat16 if full else torch.float32)
    with torch.device(device):
        model = SequenceChatModel(config).eval()
    torch.set_default_dtype(torch.float32)
    # no text ends early, so that both sides write the same number of tokens
    model.language_model.generation_config.eos_token_id = None
    with tempfile.TemporaryDirectory() as folder:
        write_byte_pairs(Path(folder))
        words = train_tokenizer([QUESTION, PROMPT.template] * 8, 400)
        processor = SequenceChatProcessor(words, config, PROMPT)
        processor.reader.load(Path(folder), model.encoder)
    return model, processor


class Clock:
    """Seconds since it was made, the device's work included."""

    def __init__(self, device: str) -> None:
        self.device = device
        self.started = self._now()

    def seconds(self) -> float:
        return self._now() - self.started

    def _now(self) -> float:
        if self.device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()


@torch.inference_mode()
def ours(
    model: Any, processor: Any, records: Sequence[SequenceRecord], settings: dict[str, int]
) -> tuple[list[list[int]], dict[str, float]]:
    """Describe in the Describer's batches; return token ids and the seconds of each part."""
    device, written = model.device.type, []
    seconds = {"encoder": 0.0, "writing": 0.0, "reading again for the score": 0.0}

    def width(length: int) -> int:
        gene: int = processor.expected_tokens(length)
        return PROMPT_TOKENS + settings["max_new_tokens"] + gene

    def cost(length: int) -> int:
        return settings["num_beams"] * width(length)

    for batch in TokenBudget(records, BATCH_TOKENS[device], cost, width):
        clock = Clock(device)
        inputs = processor(batch, question=QUESTION).to(device)
        inputs = model.with_features(inputs)
        seconds["encoder"] += clock.seconds()
        clock = Clock(device)
        ids = model.generate(**inputs, **settings)  # (batch, new tokens)
        written += ids.tolist()
        seconds["writing"] += clock.seconds()
        clock = Clock(device)
        model.text_log_probs(inputs, ids)
        seconds["reading again for the score"] += clock.seconds()
    return written, seconds


@torch.inference_mode()
def plain_loop(
    model: Any, processor: Any, records: Sequence[SequenceRecord], settings: Any
) -> tuple[list[list[int]], dict[str, float]]:
    """Describe one gene at a time and encode one chunk at a time, as the published code does."""
    device, written = model.device.type, []
    seconds = {"encoder": 0.0, "writing": 0.0}
    embed = model.language_model.get_input_embeddings()

    def embedded(text: str) -> Tensor:
        ids = processor.tokenizer.encode(text, add_special_tokens=False)
        return embed(torch.tensor([ids], device=device))  # (1, tokens, hidden)

    start = embed(torch.tensor([[processor.tokenizer.bos_token_id]], device=device))
    before, after = processor.segments("", None, QUESTION)
    for record in records:
        clock = Clock(device)
        vectors = []
        for chunk in chunks(record.sequence, 512, 10):
            ids = torch.tensor([processor.reader.tokenizer.encode(chunk)], device=device)
            vectors.append(model.encoder(ids).last_hidden_state.mean(1))  # (1, dim)
        gene = model.projector(torch.stack(vectors, dim=1))  # (1, chunks, hidden)
        seconds["encoder"] += clock.seconds()
        clock = Clock(device)
        prompt = torch.cat([start, embedded(before), gene, embedded(after)], dim=1)
        mask = torch.ones(prompt.shape[:2], dtype=torch.long, device=device)
        ids = model.language_model.generate(
            inputs_embeds=prompt, attention_mask=mask, do_sample=False, pad_token_id=0, **settings
        )
        written += ids.tolist()
        seconds["writing"] += clock.seconds()
    return written, seconds


def report(name: str, seconds: dict[str, float], count: int, tokens: int) -> float:
    """Print one side; return its seconds per gene, without reading the texts again."""
    total = seconds["encoder"] + seconds["writing"]
    parts = ", ".join(f"{part} {value:.1f} s" for part, value in seconds.items())
    print(
        f"{name:10} {count / total:8.3f} genes/s {count * tokens / total:9.1f} tokens/s, "
        f"encoder {seconds['encoder'] / total:.0%} of it ({parts})"
    )
    return total / count


def peak_memory(device: str) -> float:
    """Return the most GB that were in use: the device's, or this process's."""
    if device == "cuda":
        return torch.cuda.max_memory_allocated() / 1e9
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="all 13 billion parameters, bfloat16")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--genes", type=int, default=64)
    parser.add_argument("--new-tokens", type=int, default=64)
    parser.add_argument("--beams", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model, processor = build(options.full, options.device)
    records = genes(options.genes)
    settings = {"max_new_tokens": options.new_tokens, "num_beams": options.beams}
    size = sum(parameter.numel() for parameter in model.parameters())
    total = sum(len(record.sequence) for record in records)
    print(f"{size / 1e9:.2f} billion parameters, {model.dtype}, {options.device}; "
          f"{len(records)} genes, {total / len(records) / 1000:.1f} kb on average, "
          f"{options.new_tokens} new tokens each, {options.beams} beams")  # fmt: skip
    ours(model, processor, records[-1:], settings)  # kernels load, memory is claimed
    written, seconds = ours(model, processor, records, settings)
    peak = peak_memory(options.device)
    fast = report("genescribe", seconds, len(records), options.new_tokens)
    expected, seconds = plain_loop(model, processor, records, settings)
    slow = report("plain loop", seconds, len(records), options.new_tokens)
    same = sum(one == other for one, other in zip(written, expected, strict=True))
    print(f"ratio {slow / fast:.1f}; peak memory {peak:.1f} GB; same texts {same}/{len(records)}")


if __name__ == "__main__":
    main()
