"""From the tensors of a checkpoint to those of our model, or one line that says why not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor
from transformers import PreTrainedConfig

from genescribe.errors import ConversionError, Remedy
from genescribe.models.convert.layouts import LAYOUTS, Layout, Part, Rule
from genescribe.models.convert.source import Source

PUBLISHED_RANK, PUBLISHED_ALPHA = 8, 16
"""LoRA's r and alpha in GeneChat's code, which does not save alpha with the weights."""


class Use(NamedTuple):
    """One tensor of the checkpoint that becomes one of ours, or part of it."""

    name: str
    rule: Rule


@dataclass(frozen=True)
class Plan:
    """What becomes of every tensor: the ``parts`` of each of ours, and the rest.

    ``unused`` gives the reason by name, ``unknown`` are names that no rule explains, ``missing``
    those of ours that nothing fills.
    """

    parts: Mapping[str, Mapping[Part, Use]]
    unused: Mapping[str, str]
    unknown: tuple[str, ...]
    missing: tuple[str, ...] = ()

    def report(self) -> list[str]:
        """Say what became of each tensor, in one line for those that differ by layer only."""
        rows = [
            ("used", use.name, f" -> {target}" + (", merged" if len(parts) > 1 else ""))
            for target, parts in self.parts.items()
            for use in parts.values()
        ]
        rows += [("unused", name, f" ({reason})") for name, reason in self.unused.items()]
        rows += [("unknown", name, "") for name in self.unknown]
        rows += [("missing", name, "") for name in self.missing]
        return _collapsed(rows)


def _collapsed(rows: list[tuple[str, str, str]]) -> list[str]:
    keys = [tuple(re.sub(r"\.\d+\.", ".*.", text) for text in row) for row in rows]
    counts = Counter(keys)
    lines: dict[str, None] = {}
    for row, key in zip(rows, keys, strict=True):
        many = counts[key] > 1
        kind, name, note = key if many else row
        lines[f"{kind:<8}{name}{f' [{counts[key]}]' if many else ''}{note}"] = None
    return list(lines)


def match(layout: Layout, names: Iterable[str]) -> Plan:
    """Apply the rules of a layout to the names of a checkpoint."""
    parts: dict[str, dict[Part, Use]] = {}
    unused: dict[str, str] = {}
    unknown: list[str] = []
    for name in names:
        reasons = (why for pattern, why in layout.unused.items() if re.fullmatch(pattern, name))
        hits = ((rule, re.fullmatch(rule.pattern, name)) for rule in layout.rules)
        named = ((hit.expand(rule.target), rule) for rule, hit in hits if hit)
        target, rule = next(named, ("", None))  # the first rule decides
        if reason := next(reasons, None):
            unused[name] = reason
        elif rule is not None and rule.part not in parts.get(target, {}):
            parts.setdefault(target, {})[rule.part] = Use(name, rule)
        else:  # a second tensor for the same place, such as another adapter, is unknown as well
            unknown.append(name)
    return Plan(parts, unused, tuple(unknown))


def check_layout(source: Source, layout: Layout) -> None:
    """Raise ConversionError if the names fit another layout better than this one."""
    fitting = {name: len(match(other, source.tensors).parts) for name, other in LAYOUTS.items()}
    best = max(fitting, key=lambda name: (fitting[name], name == layout.name))
    if fitting[layout.name] == fitting[best] > 0:
        return
    advice = f"layout {best}" if fitting[best] else "no layout that is known"
    raise ConversionError(
        f"{source.path}: not of layout {layout.name}; names like {next(iter(source.tensors))} look "
        f"like {advice}",
        *[Remedy.CHOOSE_LAYOUT] * bool(fitting[best]),
        value=best,
        report=match(layout, source.tensors).report(),
    )


def complete(source: Source, layout: Layout, expected: Mapping[str, Tensor]) -> Plan:
    """Return the plan for all tensors of our model, in the order of ``expected``.

    ``expected`` has their names and shapes. Raises ConversionError for a partial
    match: tensors that are missing, or that neither a rule nor the model knows.
    """
    plan = match(layout, source.tensors)
    foreign = [parts for target, parts in plan.parts.items() if target not in expected]
    whole = {
        target: parts
        for target, parts in plan.parts.items()
        if "weight" in parts and ("lora_A" in parts) == ("lora_B" in parts)
    }
    plan = replace(
        plan,
        parts={name: whole[name] for name in expected if name in whole},
        unknown=(*plan.unknown, *(use.name for parts in foreign for use in parts.values())),
        missing=tuple(n for n, tensor in expected.items() if n not in whole and tensor.numel()),
    )
    if plan.missing or plan.unknown:
        raise ConversionError(
            f"{source.path}: a partial match is refused: {_some('missing', plan.missing)}, "
            f"{_some('unknown', plan.unknown)}; give a whole checkpoint",
            Remedy.GIVE_COMPANIONS,
            report=plan.report(),
        )
    return plan


def _some(kind: str, names: tuple[str, ...]) -> str:
    first = f" ({', '.join(names[:2])}{', ...' if len(names) > 2 else ''})" if names else ""
    return f"{len(names)} {kind}{first}"


@dataclass(frozen=True)
class Builder:
    """Builds the tensors of a model, whose shapes ``expected`` gives, by a complete plan.

    ``config`` is the model's; ``lora_alpha`` None means the published one; ``dtype`` is the type
    of the result, None to keep that of each tensor.
    """

    source: Source
    plan: Plan
    expected: Mapping[str, Tensor]
    config: PreTrainedConfig
    lora_alpha: float | None
    dtype: torch.dtype | None

    def check(self) -> None:
        """Raise ConversionError for the first tensor that cannot be built as it should be.

        A shape that does not fit is named with the shape that would; LoRA's alpha must be known.
        """
        for name, parts in self.plan.parts.items():
            wanted = tuple(self.expected[name].shape)
            self._check_shape(parts["weight"].name, wanted, f"{name} needs")
            if "lora_A" in parts:
                rank = len(self.source.tensors[parts["lora_A"].name])
                self._check_shape(parts["lora_A"].name, (rank, wanted[1]), f"{name} needs")
                self._check_shape(
                    parts["lora_B"].name, (wanted[0], rank), f"{name} and its lora_A need"
                )
                if self.lora_alpha is None and rank != PUBLISHED_RANK:
                    raise self._refused(
                        f"LoRA has rank {rank}, the published one {PUBLISHED_RANK}",
                        Remedy.GIVE_LORA_ALPHA,
                    )

    def _check_shape(self, name: str, wanted: tuple[int, ...], who: str) -> None:
        shape = tuple(self.source.tensors[name].shape)
        if shape != wanted:
            raise self._refused(
                f"{name} has shape {shape}, but {who} {wanted} by the configuration; give the "
                "folder of the config.json that belongs to it"
            )

    def _refused(self, message: str, *remedies: Remedy) -> ConversionError:
        report = self.plan.report()
        return ConversionError(f"{self.source.path}: {message}", *remedies, report=report)

    def shapes(self) -> dict[str, Tensor]:
        """Return tensors on the meta device of the shapes and types that will be built."""
        return {name: tensor.to(self._dtype(name)) for name, tensor in self.expected.items()}

    def _dtype(self, name: str) -> torch.dtype:
        if name not in self.plan.parts:
            return self.dtype or self.expected[name].dtype
        own = self.source.tensors[self.plan.parts[name]["weight"].name].dtype
        return self.dtype if self.dtype is not None and own.is_floating_point else own

    def build(self, name: str) -> Tensor:
        """Return the tensor of that name: transformed, and with its low-rank update merged."""
        if name not in self.plan.parts:  # without elements, or the plan would not be complete
            return torch.empty(self.expected[name].shape, dtype=self._dtype(name))
        parts = self.plan.parts[name]
        tensor = self.source.tensors[parts["weight"].name]
        transform = parts["weight"].rule.transform
        if transform is not None:
            tensor = transform(tensor, self.config)
        if "lora_A" in parts:
            a, b = (self.source.tensors[parts[part].name].float() for part in ("lora_A", "lora_B"))
            alpha = PUBLISHED_ALPHA if self.lora_alpha is None else self.lora_alpha
            # W + alpha / r * B A (Hu et al. 2022, section 4.1), rounded once
            tensor = torch.addmm(tensor.float(), b, a, alpha=alpha / len(a))
        return tensor.to(self._dtype(name)).contiguous()
