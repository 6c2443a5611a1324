"""Calibration: the curve that made the data is found, and thresholds promise what they should."""

from __future__ import annotations

import numpy as np
import pytest
import yaml

from genescribe.errors import InputError
from genescribe.evaluation.calibration import (
    BOUND_LEVEL,
    Fit,
    choose_min_lift,
    choose_min_score,
    curve,
    fit,
    quality,
    reliability,
    share,
)
from genescribe.evaluation.figures import CalibrationFigures, CorpusData
from genescribe.evaluation.intervals import wilson

NO_LIFT = np.zeros(100)


def made_up(genes: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean log p, lift, and whether texts are right, by a known logistic curve."""
    rng = np.random.default_rng(seed)
    log_probs, lifts = rng.normal(size=(2, genes))
    logits = 1 + 2 * log_probs - 0.5 * lifts
    return log_probs, lifts, rng.random(genes) < 1 / (1 + np.exp(-logits))


@pytest.fixture(scope="module")
def fitted() -> Fit:
    return fit(*made_up(20000, 0), NO_LIFT, [None] * 20000, target=0.7)


def test_the_fit_finds_the_curve_that_made_the_data(fitted: Fit) -> None:
    assert fitted.calibration.intercept == pytest.approx(1, abs=0.1)
    assert fitted.calibration.log_prob == pytest.approx(2, abs=0.1)
    assert fitted.calibration.lift == pytest.approx(-0.5, abs=0.1)


def test_cross_fitted_probabilities_are_those_of_the_fit(fitted: Fit) -> None:
    log_probs, lifts, right = made_up(20000, 0)
    own = [fitted.calibration.probability(*pair) for pair in zip(log_probs, lifts, strict=True)]
    assert np.abs(fitted.probabilities - own).max() < 0.02
    assert quality(fitted.probabilities, right).expected_calibration_error < 0.02


def test_thresholds_hold_on_other_genes(fitted: Fit) -> None:
    log_probs, lifts, right = made_up(20000, 1)
    scores = np.array(
        [fitted.calibration.probability(*pair) for pair in zip(log_probs, lifts, strict=True)]
    )
    kept = (scores >= fitted.thresholds.min_score) & (lifts >= fitted.thresholds.min_lift)
    assert right[kept].mean() >= 0.69
    assert kept.mean() == pytest.approx(fitted.thresholds.coverage, abs=0.02)


def test_a_gene_without_text_is_not_right_and_does_not_disturb_the_fit() -> None:
    log_probs, lifts, right = made_up(500, 2)
    expected = fit(log_probs, lifts, right, NO_LIFT, range(500), 0.7).calibration
    missing = np.append(log_probs, np.nan), np.append(lifts, np.nan), np.append(right, False)
    found = fit(*missing, NO_LIFT, range(501), 0.7)
    assert found.calibration == expected
    assert found.probabilities[-1] == 0


@pytest.mark.parametrize("share", [0.0, 1.0, 0.01])
def test_texts_of_one_kind_only_cannot_be_calibrated(share: float) -> None:
    log_probs, lifts, _ = made_up(200, 3)
    right = np.arange(200) < share * 200
    with pytest.raises(InputError, match=r"^calibration: \d+ texts are right and \d+ wrong"):
        fit(log_probs, lifts, right, NO_LIFT, range(200), 0.7)


def test_a_few_families_cannot_be_calibrated() -> None:
    with pytest.raises(InputError, match="the genes are of 4 families, but it needs 5"):
        fit(*made_up(200, 3), NO_LIFT, [i % 4 for i in range(200)], 0.7)


def test_a_lift_that_tells_nothing_has_no_slope() -> None:
    log_probs, _, right = made_up(2000, 4)
    noise = np.random.default_rng(5).normal(size=2000)
    found = fit(log_probs, noise, right, NO_LIFT, range(2000), 0.7).calibration
    assert found.lift == 0
    assert found.log_prob > 1


def test_what_holds_in_one_large_family_is_not_believed_of_others() -> None:
    log_probs, _, right = made_up(1000, 6)
    members = np.arange(1000) < 100
    right[members] = False
    lifts = np.random.default_rng(7).normal(size=1000)
    lifts[members] = 4.0  # so lift foretells "wrong", but only in this family
    alone = fit(log_probs, lifts, right, NO_LIFT, range(1000), 0.7)
    together = fit(log_probs, lifts, right, NO_LIFT, [max(i, 99) for i in range(1000)], 0.7)
    assert alone.calibration.lift < 0
    assert together.calibration.lift == 0


def test_min_score_is_the_smallest_whose_bound_reaches_the_target() -> None:
    scores = np.repeat([0.1, 0.3, 0.5, 0.8], 100)
    right = np.concatenate([np.arange(100) < n for n in (5, 40, 72, 95)])
    everything = np.ones(400, dtype=bool)
    # from 0.31 on 167 of 200 are right: 0.835, and its bound is above 0.7; from 0.11 on 0.69
    found = choose_min_score(scores, right, everything, 0.0, 0.7)
    assert (found.min_score, found.coverage, found.precision) == (0.31, 0.5, 0.835)
    assert found.lower_bound == pytest.approx(wilson(167, 200, BOUND_LEVEL)[0], abs=1e-4)
    # of those from 0.51 on, 0.95 are right, but the bound of 100 genes is below 0.93
    assert not choose_min_score(scores, right, everything, 0.0, 0.93).reached
    assert choose_min_score(scores, right, everything, 0.0, 0.9).min_score == 0.51


def test_texts_without_lift_are_not_described() -> None:
    scores, right = np.full(200, 0.9), np.arange(200) < 100
    found = choose_min_score(scores, right, right, 0.2, 0.7)  # the right half has the lift
    assert (found.min_score, found.coverage, found.precision) == (0, 0.5, 1)


def test_no_promise_describes_nothing() -> None:
    found = choose_min_score(np.zeros(50), np.zeros(50, bool), np.ones(50, bool), 0.1, 0.7)
    assert not found.reached
    assert (found.min_score, found.coverage, found.precision) == (1, 0, None)


def test_min_lift_is_above_what_other_genes_support() -> None:
    assert choose_min_lift(np.linspace(-1, 1, 201)) == 0.9
    assert choose_min_lift(np.append(np.linspace(-1, 1, 201), np.nan)) == 0.9
    assert choose_min_lift(np.full(10, -3.0)) == 0


def test_wilson_is_that_of_the_formula() -> None:
    for right, genes, z, level in ((0, 10, 1.959964, 0.95), (7, 10, 1.281552, 0.8)):
        p, scale = right / genes, 1 + z * z / genes
        half = z * np.sqrt(p * (1 - p) / genes + (z / (2 * genes)) ** 2)
        centre = p + z * z / (2 * genes)
        expected = ((centre - half) / scale, (centre + half) / scale)
        assert wilson(right, genes, level) == pytest.approx(expected, abs=1e-6)
    assert wilson(0, 0) == (0, 1)


def test_reliability_groups_hold_every_gene_once() -> None:
    rng = np.random.default_rng(0)
    scores = np.round(rng.random(333), 2)
    right = rng.random(333) < scores
    groups = reliability(scores, right)
    assert sum(group.genes for group in groups) == 333
    assert [g.score for g in groups] == sorted(g.score for g in groups)
    assert sum(g.correct * g.genes for g in groups) == pytest.approx(right.sum(), abs=0.1)
    assert len(reliability(np.zeros(20), np.zeros(20, bool))) == 1


def test_quality_of_a_perfect_and_of_a_useless_score() -> None:
    right = np.arange(100) < 30
    perfect = quality(right.astype(float), right)
    assert (perfect.expected_calibration_error, perfect.brier, perfect.auc) == (0, 0, 1)
    useless = quality(np.full(100, 0.5), right)
    assert (useless.expected_calibration_error, useless.auc) == (0.2, 0.5)
    assert quality(np.full(5, 0.5), np.ones(5, bool)).auc is None


def test_curve_and_shares() -> None:
    scores, right = np.array([0.1, 0.4, 0.6, 0.9]), np.array([False, False, True, True])
    rows = {row.threshold: row for row in curve(scores, right, np.ones(4, bool))}
    assert (rows[0.5].coverage, rows[0.5].precision) == (0.5, 1)
    assert (rows[0.0].coverage, rows[0.0].precision) == (1, 0.5)
    assert max(rows) == 0.9
    found = share(right, [False, True, True, True])
    assert (found.genes, found.coverage, found.correct) == (3, 0.75, 0.6667)
    assert share(right, [False] * 4).correct is None


def test_spec_lines_are_those_of_a_spec(fitted: Fit) -> None:
    _, lifts, right = made_up(20000, 0)
    figures = CalibrationFigures(
        data=CorpusData("corpus", "splits", ("test",), ("product name",), None, {}, 0),
        model="toy",
        genes=20000,
        correct="ROUGE-L F of at least 0.5",
        share_correct=0.5,
        calibration=fitted.calibration,
        target_precision=0.7,
        thresholds=fitted.thresholds,
        quality=quality(fitted.probabilities, right),
        reliability=reliability(fitted.probabilities, right),
        curve=curve(fitted.probabilities, right, lifts > 0),
    )
    lines = yaml.safe_load(figures.spec_lines())
    assert set(lines) == {"calibration", "min_lift", "min_score"}
    assert set(lines["calibration"]) == {"intercept", "log_prob", "lift"}
    assert figures.as_json()["thresholds"]["min_score"] == lines["min_score"]
    assert figures.as_json()["sides"] == ["test"]
