"""Gaussian-process regression for a handful of compositions (Rasmussen & Williams 2006, algorithm 2.1)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from eidothea.models._catalogue.space import Vector

# Candidate hyper-parameters: the share of the variance that moves contribute each on its own, and the length scale
# of their settings. The most likely pair is taken; a gradient search would overfit a dozen points.
_SHARES = (0.3, 0.6, 0.9)
_LENGTHS = (0.2, 0.4)
# Improvements below the root mean square gain do not count, which keeps the search exploring: of 0.3 to 3 the values
# from 1 on did equally well on the recorded prm-chain, and 0.3 worse (benchmarks/feedback.py).
_MARGIN = 1.0


class Process:
    """A posterior over gains, expected to be zero where nothing is known.

    `points` is (n, d), `values` is (n,) in the metric's units, `noise_sd` is in the same units. `blocks` are the
    columns of each move: first whether it is on, then its settings. The prior is a sum of one function of its settings
    per move that is on (Duvenaud et al., arXiv:1112.4394), and a smooth function of everything: the interactions.
    """

    def __init__(self, points: Vector, values: Vector, noise_sd: float, blocks: Sequence[slice]) -> None:
        self._points, self._blocks = points, blocks
        self._scale = max(float(np.sqrt(np.mean(values**2))), noise_sd, 1e-9)
        self._values: Vector = np.asarray(values / self._scale)
        jitter = max((noise_sd / self._scale) ** 2, 1e-3)
        fits = [self._fit(share, length, jitter) for share in _SHARES for length in _LENGTHS]
        _, self._share, self._length, self._factor, self._weights = max(fits, key=lambda fit: fit[0])
        self._goal = float(self._values.max()) + _MARGIN

    def _fit(self, share: float, length: float, jitter: float) -> tuple[float, float, float, Vector, Vector]:
        gram = self._kernel(self._points, share, length) + jitter * np.eye(len(self._points))
        factor = np.asarray(np.linalg.cholesky(gram), dtype=np.float64)
        weights = np.asarray(np.linalg.solve(factor.T, np.linalg.solve(factor, self._values)), dtype=np.float64)
        likelihood = -0.5 * float(self._values @ weights) - float(np.log(np.diag(factor)).sum())
        return likelihood, share, length, factor, weights

    def mean(self, points: Vector) -> Vector:
        """Expected gain at (m, d) points, in the metric's units."""
        return self.posterior(points)[0] * self._scale

    def expected_improvement(self, points: Vector) -> Vector:
        """Expected improvement (Jones et al. 1998) over the best result and a margin, in the metric's units."""
        from scipy.special import ndtr

        mean, sd = self.posterior(points)
        z = (mean - self._goal) / sd
        density = np.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
        improvement: Vector = ((mean - self._goal) * ndtr(z) + sd * density) * self._scale
        return improvement

    def posterior(self, points: Vector) -> tuple[Vector, Vector]:
        """Mean and standard deviation at (m, d) points, in units of the root mean square gain."""
        cross = self._kernel(points, self._share, self._length)
        own = self._share * sum(points[:, block.start] ** 2 for block in self._blocks) + (1 - self._share)
        reduced = np.linalg.solve(self._factor, cross.T)
        return cross @ self._weights, np.asarray(np.sqrt(np.maximum(own - (reduced**2).sum(axis=0), 1e-12)))

    def _kernel(self, points: Vector, share: float, length: float) -> Vector:
        """Covariance of (m, d) points with the n points of the results: (m, n)."""
        alone = np.zeros((len(points), len(self._points)))
        for block in self._blocks:
            a, b = points[:, block], self._points[:, block]
            alone += np.outer(a[:, 0], b[:, 0]) * np.exp(-_squares(a[:, 1:], b[:, 1:]) / (2 * length**2))
        return np.asarray(share * alone + (1 - share) * np.exp(-_squares(points, self._points) / 2))


def _squares(a: Vector, b: Vector) -> Vector:
    """Squared distances between the rows of (m, d) and (n, d)."""
    return np.asarray(((a[:, None, :] - b[None, :, :]) ** 2).sum(axis=2))
