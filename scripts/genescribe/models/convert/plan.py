"""From the names in a checkpoint to those of our model, or one line that says why not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from genescribe.errors import ConversionError, Remedy
from genescribe.models.convert.layouts import LAYOUTS, Layout, Part, Rule


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
        reasons = (left.reason for left in layout.unused if re.fullmatch(left.pattern, name))
        if reason := next(reasons, None):
            unused[name] = reason
        elif (found := _apply(layout, name)) and found[1].part not in parts.get(found[0], {}):
            target, rule = found
            parts.setdefault(target, {})[rule.part] = Use(name, rule)
        else:  # a second tensor for the same place, such as another adapter, is unknown as well
            unknown.append(name)
    return Plan(parts, unused, tuple(unknown))


def _apply(layout: Layout, name: str) -> tuple[str, Rule] | None:
    """Return our name for a tensor and the first rule that gives it one."""
    for rule in layout.rules:
        if hit := re.fullmatch(rule.pattern, name):
            return hit.expand(rule.target), rule
    return None


def check_layout(path: Path, layout: Layout, tensors: Mapping[str, Tensor]) -> None:
    """Raise ConversionError if the names fit another layout better than the one asked for."""
    fitting = {name: len(match(other, tensors).parts) for name, other in LAYOUTS.items()}
    best = max(fitting, key=lambda name: (fitting[name], name == layout.name))
    if fitting[layout.name] == fitting[best] > 0:
        return
    found = next(iter(tensors))
    advice = f"layout {best}" if fitting[best] else "no layout that is known"
    raise ConversionError(
        f"{path}: not of layout {layout.name}; names like {found} look like {advice}",
        *[Remedy.CHOOSE_LAYOUT] * bool(fitting[best]),
        value=best,
        report=match(layout, tensors).report(),
    )


def complete(path: Path, plan: Plan, expected: Mapping[str, Tensor]) -> Plan:
    """Return the plan with its tensors in the order of ``expected``, if they are all of it.

    ``expected`` has the names and shapes of our model. Raises ConversionError for a partial
    match: tensors that are missing, or that neither a rule nor the model knows.
    """
    foreign = [parts for target, parts in plan.parts.items() if target not in expected]
    whole = {target: parts for target, parts in plan.parts.items() if _is_whole(parts)}
    plan = replace(
        plan,
        parts={name: whole[name] for name in expected if name in whole},
        unknown=(*plan.unknown, *(use.name for parts in foreign for use in parts.values())),
        missing=tuple(n for n, tensor in expected.items() if n not in whole and tensor.numel()),
    )
    if plan.missing or plan.unknown:
        raise ConversionError(
            f"{path}: a partial match is refused: {_some('missing', plan.missing)}, "
            f"{_some('unknown', plan.unknown)}; give a whole checkpoint",
            Remedy.GIVE_COMPANIONS,
            report=plan.report(),
        )
    return plan


def _is_whole(parts: Mapping[Part, Use]) -> bool:
    return "weight" in parts and ("lora_A" in parts) == ("lora_B" in parts)


def _some(kind: str, names: tuple[str, ...]) -> str:
    first = f" ({', '.join(names[:2])}{', ...' if len(names) > 2 else ''})" if names else ""
    return f"{len(names)} {kind}{first}"
