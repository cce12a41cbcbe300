"""LOND with a sequence made for few claims; apart from `fdr`, because online-fdr takes most of a second to import."""

from __future__ import annotations

from online_fdr.core.utils.sequence import DefaultLondGammaSequence, DefaultSaffronGammaSequence
from online_fdr.p_values.investing.lond.lond import Lond


class PowerLaw(DefaultLondGammaSequence):
    """alpha * gamma_j with gamma_j proportional to j^-1.6 and summing to one (SAFFRON's, arXiv:1802.09098)."""

    def __init__(self) -> None:
        super().__init__(c=0.4374901658)
        self._gamma = DefaultSaffronGammaSequence(gamma_exp=1.6, c=0.4374901658)

    def calc_gamma(self, j: int, **kwargs: object) -> float:
        alpha = kwargs["alpha"]
        assert isinstance(alpha, float)
        return alpha * self._gamma.calc_gamma(j)


def lond(alpha: float) -> Lond:
    test = Lond(alpha=alpha)
    test.seq = PowerLaw()
    return test
