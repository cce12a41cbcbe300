"""The Gaussian process against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from eidothea.models._catalogue.process import Process

TWO, ONE = [slice(0, 1), slice(1, 2)], [slice(0, 1)]


def test_without_noise_it_passes_near_the_points() -> None:
    points = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    values = np.array([0.0, 0.2, -0.1, 0.15])
    assert Process(points, values, 0.0, TWO).mean(points) == pytest.approx(values, abs=2e-3)


def test_noise_pulls_the_mean_towards_zero() -> None:
    points, values = np.array([[1.0]]), np.array([0.2])
    calm, noisy = Process(points, values, 0.0, ONE), Process(points, values, 0.2, ONE)
    assert 0 < noisy.mean(points)[0] < calm.mean(points)[0] <= 0.2


def test_expected_improvement_equals_its_monte_carlo_estimate() -> None:
    rng = np.random.default_rng(0)
    points = rng.random((6, 3))
    process = Process(points, rng.normal(size=6), 0.1, [slice(0, 2), slice(2, 3)])
    there = rng.random((5, 3))
    mean, sd = process.posterior(there)
    draws = mean + sd * rng.normal(size=(200_000, 5))
    estimate = np.maximum(draws - process._goal, 0).mean(axis=0) * process._scale
    assert process.expected_improvement(there) == pytest.approx(estimate, rel=0.05, abs=1e-3)


def test_improvement_is_expected_where_nothing_is_known_not_where_all_is() -> None:
    points, values = np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([0.0, -0.3])
    there = np.array([[1.0, 0.0], [0.0, 1.0]])
    known, unknown = Process(points, values, 0.01, TWO).expected_improvement(there)
    assert unknown > 10 * known


def test_what_moves_do_alone_adds_up() -> None:
    points = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    process = Process(points, np.array([0.0, 0.2, 0.1]), 0.0, TWO)
    assert process.mean(np.array([[1.0, 1.0]]))[0] > 0.2
