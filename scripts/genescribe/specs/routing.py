"""Routing: which model describes the genes of which biotype.

Importing this module loads neither torch nor transformers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from genescribe.errors import InputError
from genescribe.records import ModelChoice, biotype_matches
from genescribe.specs.spec import ModelSpec, load_spec

ANYTHING = "*"
SKIP = "skip"
"""Stands where a model's name stands, for biotypes that no model is to describe."""


class Route(NamedTuple):
    """A biotype, or a shell pattern of biotypes, and its model; None: its genes are skipped."""

    pattern: str
    spec: ModelSpec | None


@dataclass(frozen=True)
class Routes:
    """Biotype patterns with their models; the first one that matches decides."""

    routes: tuple[Route, ...]

    @property
    def specs(self) -> list[ModelSpec]:
        """The models, each once, in the order of their first routes."""
        specs: list[ModelSpec] = []
        for _, spec in self.routes:
            if spec is not None and spec not in specs:
                specs.append(spec)
        return specs

    def route_of(self, biotype: str) -> Route | None:
        """Return the route of a biotype, None where no pattern matches."""
        matching = (route for route in self.routes if biotype_matches(biotype, route.pattern))
        return next(matching, None)

    def spec_of(self, biotype: str) -> ModelSpec | None:
        """Return the model that describes genes of this biotype; None: they are skipped."""
        route = self.route_of(biotype)
        return route.spec if route else None

    def patterns_of(self, spec: ModelSpec) -> list[str]:
        """Return the patterns that lead to a model."""
        return [pattern for pattern, other in self.routes if other == spec]


def load_routes(
    model: ModelChoice,
    *,
    prompt: str | None = None,
    question: str | None = None,
    settings: Mapping[str, float] | None = None,
) -> Routes:
    """Read the specs of a choice of models; what else is given holds for all of them.

    Raises UnknownModelError, and InputError for a table that cannot be meant: a pattern that
    never decides, two specs of one name, no model at all, or a prompt, question or setting
    (``ModelSpec.with_settings``) that one of the models does not take.
    """
    table = {ANYTHING: model} if isinstance(model, str) else dict(model)
    specs: dict[str, ModelSpec | None] = {SKIP: None}
    for name in table.values():
        if name not in specs:
            specs[name] = _with_choices(load_spec(name), prompt, question, settings)
    routes = Routes(tuple(Route(pattern, specs[name]) for pattern, name in table.items()))
    _check(routes)
    return routes


def one_model(spec: ModelSpec) -> Routes:
    """Return the routes that lead all genes to one model."""
    return Routes((Route(ANYTHING, spec),))


def _with_choices(
    spec: ModelSpec,
    prompt: str | None,
    question: str | None,
    settings: Mapping[str, float] | None,
) -> ModelSpec:
    if prompt is not None:
        spec = spec.with_prompt(prompt)
    if question is not None:
        spec = spec.with_question(question)
    return spec.with_settings(settings) if settings else spec


def _check(routes: Routes) -> None:
    patterns = [pattern for pattern, _ in routes.routes]
    for place, pattern in enumerate(patterns):
        if not pattern.strip():
            raise InputError("route: a pattern is empty; give a biotype, or * for all others")
        earlier = next((other for other in patterns[:place] if _covers(other, pattern)), None)
        if earlier is not None:
            raise InputError(
                f"route {pattern}: is never used, since {earlier} before it matches the same; "
                "put the narrower pattern first"
            )
    if not routes.specs:
        raise InputError("no route leads to a model; name one for at least one biotype")
    names = [spec.name for spec in routes.specs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise InputError(
            f"two model specs are named {twice}; the name stands beside every text, so give one "
            "of them another"
        )


def _covers(earlier: str, later: str) -> bool:
    """Tell whether ``later`` surely matches nothing that ``earlier`` does not match."""
    is_name = not set(later) & set("*?[")
    return (
        earlier == ANYTHING
        or earlier.lower() == later.lower()
        or (is_name and biotype_matches(later, earlier))
    )
