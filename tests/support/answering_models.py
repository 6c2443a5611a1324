"""Models that answer questions, made in the published layouts at small size, each with its spec.

Random weights answer nonsense. Where a test needs answers that make sense, ``memorise`` trains
them for seconds to repeat given answers to given prompts, no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import yaml
from transformers import AutoModelForCausalLM, AutoTokenizer

from genescribe.models.convert import Companions, convert
from genescribe.models.convert.folder import write_sums
from support import published_layouts as layouts

SPECS = Path(__file__).resolve().parents[2] / "config" / "models"


def write_spec(path: Path, name: str, weights: Path, **changes: Any) -> Path:
    """Write the spec ``name`` that comes with genescribe, for other weights."""
    spec = yaml.safe_load((SPECS / f"{name}.yaml").read_text(encoding="utf-8"))
    del spec["config"]  # full size
    spec |= {"name": path.stem, "weights": {"folder": str(weights)}, **changes}
    path.write_text(yaml.safe_dump(spec), encoding="utf-8")
    return path


def genechat_like(folder: Path) -> Path:
    """Write a GeneChat of random weights; return its spec."""
    published = layouts.genechat(folder / "published")
    companions = Companions(published.tokenizer, published.encoder_tokenizer)
    convert("genechat", published.path, folder / "weights", companions)
    return write_spec(
        folder / "small-genechat.yaml",
        "genechat-13b",
        folder / "weights",
        generation={"max_new_tokens": 12},
    )


def genomicllm_like(folder: Path) -> Path:
    """Write a GenomicLLM of random weights; return its spec."""
    published = layouts.genomicllm(folder / "published")
    companions = Companions(published.tokenizer)
    convert("genomicllm", published.path, folder / "weights", companions)
    return write_spec(folder / "small-genomicllm.yaml", "genomicllm-92m", folder / "weights")


def memorise(weights: Path, answers: Mapping[str, str], steps: int = 80) -> None:
    """Train a causal language model on ``answers`` (prompt -> answer) until it repeats them."""
    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(str(weights))
    model = AutoModelForCausalLM.from_pretrained(str(weights), dtype=torch.float32)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2)
    rows = []
    for prompt, answer in answers.items():
        asked = tokenizer.encode(prompt, add_special_tokens=False)
        said = [*tokenizer.encode(answer, add_special_tokens=False), tokenizer.eos_token_id]
        rows.append((asked + said, [-100] * len(asked) + said))
    width = max(len(ids) for ids, _ in rows)
    ids = torch.tensor([ids + [0] * (width - len(ids)) for ids, _ in rows])  # (B, T)
    labels = torch.tensor([said + [-100] * (width - len(said)) for _, said in rows])  # (B, T)
    for _ in range(steps):
        loss = model(input_ids=ids, labels=labels).loss
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    (weights / "SHA256SUMS").unlink()
    model.save_pretrained(str(weights))
    write_sums(weights)
