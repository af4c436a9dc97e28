"""The squashing function, the length of a capsule, and routing by agreement."""

from __future__ import annotations

from ... import ops
from ...arguments import whole
from ...errors import ShapeError
from ...tensor import Tensor

TINY = 1e-9  # under roots, whose slope at a capsule of zeros would be infinite


def squash(s: Tensor) -> Tensor:
    """v = |s|^2 / (1 + |s|^2) * s / |s|: the direction of s, a length below 1.

    s (..., D) float -> the same shape; zeros stay zeros. Sabour, Frosst and Hinton 2017
    (arXiv:1710.09829), equation 1.
    """
    square = ops.sum(s * s, axis=-1, keepdims=True)
    return s * (ops.sqrt(square + TINY) / (1.0 + square))


def length(v: Tensor) -> Tensor:
    """|v|, in 0 ... 1 after `squash`: how sure a capsule is. (..., D) -> (...)."""
    return ops.sqrt(ops.sum(v * v, axis=-1) + TINY)


def route(votes: Tensor, rounds: int = 3) -> tuple[Tensor, Tensor]:
    """(capsules v (N, J, K), couplings c (N, I, J)) of votes (N, I, J, K): what each of I capsules
    says that each of J capsules above should be.

    b = 0; then `rounds` times  c_i = softmax_j(b_i),  s_j = sum_i c_ij votes_ij,  v_j = squash(s_j)
    and, before the next,  b_ij += votes_ij . v_j.  The couplings of a capsule sum to one: it sends
    its vote more and more to where others agree with it. They are computed anew for every picture
    and learnt by nobody; the gradient goes through all rounds. Raises ShapeError, ConfigError.
    Sabour, Frosst and Hinton 2017 (arXiv:1710.09829), procedure 1.
    """
    if votes.ndim != 4:
        raise ShapeError(f"route: votes must be (N, I, J, K), got {votes.shape}")
    rounds = whole("route", "rounds", rounds, 1)
    agreement = 0.0 * votes[:, :, :, 0]
    for left in reversed(range(rounds)):
        coupling = ops.softmax(agreement, axis=2)
        capsules = squash(ops.einsum("nij,nijk->njk", coupling, votes))
        if left:
            agreement = agreement + ops.einsum("nijk,njk->nij", votes, capsules)
    return capsules, coupling
