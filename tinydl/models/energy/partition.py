"""How probable data are under a restricted Boltzmann machine: log Z exactly, and estimated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ... import ops
from ...doors import checked
from ...errors import ConfigError
from ...function import no_grad
from ...random import Generator
from ...tensor import Tensor
from .rbm import RBM, drawn

MOST_UNITS = 16


@checked
def all_states(units: int) -> np.ndarray:
    """Every row of `units` bits, (2^units, units) float64, counting up; ConfigError beyond 16."""
    if not 0 <= units <= MOST_UNITS:
        raise ConfigError(f"all_states: 0 to {MOST_UNITS} units can be written out, got {units}")
    numbers = np.arange(2**units)[:, None]
    return (numbers >> np.arange(units)[::-1] & 1).astype(np.float64)


def exact_log_partition(rbm: RBM) -> Tensor:
    """log Z = log sum_h sum_v e^-E(v, h), one number that can be differentiated.

    All 2^H states of at most 16 hidden units are written out; v is summed out for each. ConfigError
    for more.
    """
    states = all_states(len(rbm.hidden_bias)).astype(rbm.dtype)
    return ops.logsumexp(rbm.log_sum_visible(Tensor(states, backend=rbm.backend)))


@dataclass(frozen=True, slots=True)
class Annealed:
    """An estimate of log Z and its standard error, to first order that of Z divided by Z; where it
    is not well below 1, few chains carry the mean and both numbers say little."""

    log_z: float
    error: float


def annealed_log_partition(
    rbm: RBM,
    rng: Generator,
    runs: int = 100,
    temperatures: int = 1000,
    base_bias: np.ndarray | None = None,
) -> Annealed:
    """log Z of an `RBM` of bits by annealed importance sampling.

    From the machine without weights, whose Z is known, to the whole one in `temperatures` steps
    0 = t_0 < ... < t_K = 1: log p_t(v) = (1 - t) v.a0 + t v.a + sum_j softplus(t (b + v W)_j). A
    chain starts with a draw from p_0, gathers log p_(k+1)(v) - log p_k(v), and moves by one Gibbs
    step of p_(k+1). Z is Z_0 times the mean of e^gathered over `runs` chains: unbiased for Z, so
    that log Z comes out too small rather than too large, and a likelihood too large.

    base_bias a0 (V,): zeros, or log(m / (1 - m)) for the data's means m, which needs fewer steps.
    ConfigError for other machines, runs < 2 or temperatures < 1. Salakhutdinov and Murray 2008
    (ICML), section 4.
    """
    if type(rbm) is not RBM or runs < 2 or temperatures < 1:
        raise ConfigError(
            f"annealed_log_partition: needs an RBM of bits, runs >= 2 and temperatures >= 1, got "
            f"{type(rbm).__name__}, {runs} and {temperatures}"
        )
    visible, hidden = rbm.weight.shape
    bias = np.zeros(visible) if base_bias is None else np.asarray(base_bias, np.float64)
    base = Tensor(bias.astype(rbm.dtype), backend=rbm.backend)
    gathered = np.zeros(runs)
    with no_grad():
        a, v = rbm.visible_bias, drawn(ops.broadcast_to(ops.sigmoid(base), (runs, visible)), rng)
        for k in range(temperatures):
            now, then = k / temperatures, (k + 1) / temperatures
            x = rbm.inputs(v)
            rise = (ops.softplus(x * then) - ops.softplus(x * now)).sum(axis=1)
            gathered += (rise + (v @ (a - base)) * (then - now)).numpy()
            h = drawn(ops.sigmoid(x * then), rng)
            v = drawn(ops.sigmoid(rbm.outputs(h) * then + base * (1 - then)), rng)
    log_z0 = hidden * np.log(2) + np.logaddexp(0, bias).sum()
    top = gathered.max()
    weights = np.exp(gathered - top)
    error = weights.std(ddof=1) / np.sqrt(runs) / weights.mean()
    return Annealed(float(log_z0 + top + np.log(weights.mean())), float(error))
