"""What is measured: one row per cell, as data; and the inputs, equal in every worker.

Images are (N, H, W, C), convolution weights (KH, KW, C, F), Linear weights (in, out). A cell's
`flops` counts 2 per multiply-add, forward plus the two gradients where it has a backward pass;
0 where memory, not arithmetic, is the limit. `traffic` counts the bytes that such a cell must read
and write at least: every array once, however often the kernel comes back to it.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from ..geometry import conv2d_geometry

GROUPS = (
    "gemm", "conv", "conv_backward", "pool", "elementwise", "adam", "rnn", "engine", "step",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One cell: `kind` names the function which every peer builds from `sizes`."""

    name: str
    group: str
    kind: str
    sizes: dict[str, int] = field(default_factory=dict)
    flops: int = 0
    quick: bool = False
    traffic: int = 0


# M, N, K of [M x K] @ [K x N]; the last column marks --quick.
GEMMS = (
    (64, 64, 64, 1), (128, 128, 128, 0), (256, 256, 256, 1), (512, 512, 512, 1),
    (1024, 1024, 1024, 0), (2048, 2048, 2048, 0), (64, 256, 784, 1), (128, 256, 784, 0),
    (128, 256, 256, 0), (128, 10, 256, 1), (64, 18432, 288, 0), (64, 3136, 576, 0),
    (128, 196, 1152, 0), (128, 64, 1152, 0), (32, 21632, 9, 0), (784, 256, 128, 0),
    (100, 3200, 800, 0), (256, 1024, 64, 0), (1, 256, 784, 1),
)  # fmt: skip

# N, C, H (= W), K (= KH = KW), F, stride, padding, quick
CONVS = (
    (32, 1, 28, 3, 32, 1, 0, 1), (32, 32, 26, 3, 64, 1, 0, 1), (32, 64, 56, 3, 64, 1, 1, 0),
    (32, 3, 32, 3, 32, 1, 1, 0), (32, 128, 14, 3, 128, 1, 1, 0), (32, 64, 56, 3, 128, 2, 1, 0),
    (32, 256, 14, 1, 256, 1, 0, 0), (32, 3, 32, 3, 16, 1, 1, 1), (32, 16, 32, 3, 16, 1, 1, 1),
    (32, 32, 32, 3, 32, 1, 1, 0), (32, 64, 32, 3, 64, 1, 1, 0), (32, 160, 32, 3, 12, 1, 1, 0),
    (8, 3, 224, 7, 64, 2, 3, 0), (32, 1, 28, 5, 20, 1, 0, 0),
)  # fmt: skip

# op, window, stride, N, H (= W), C, quick
POOLS = (
    ("max_pool", 2, 2, 32, 26, 32, 1), ("avg_pool", 2, 2, 32, 26, 32, 1),
    ("max_pool", 2, 2, 32, 56, 64, 0), ("avg_pool", 2, 2, 32, 56, 64, 0),
    ("max_pool", 3, 2, 32, 56, 64, 0), ("avg_pool", 3, 2, 32, 56, 64, 0),
)  # fmt: skip

LENGTHS = (16384, 1 << 20, 1 << 24)
ELEMENTWISE = ("relu", "add", "sum", "exp", "tanh", "sigmoid")
BIASES = ((128, 1000), (4096, 1024))
CLASSES = ((128, 10), (128, 1000), (1600, 80))
ADAMS = (1_000_000, 10_000_000)
RNNS = ((32, 128), (32, 512), (128, 128), (128, 512))  # N, H with T = 100, D = 128


def _gemm() -> Iterator[Case]:
    for M, N, K, quick in GEMMS:
        sizes = {"M": M, "N": N, "K": K}
        yield Case(f"gemm {M}x{N}x{K}", "gemm", "matmul", sizes, 2 * M * N * K, bool(quick))


def _conv() -> Iterator[Case]:
    for N, C, H, K, F, stride, padding, quick in CONVS:
        sizes = {"N": N, "C": C, "H": H, "K": K, "F": F, "stride": stride, "padding": padding}
        OH = conv2d_geometry((N, H, H, C), (K, K, C, F), stride, padding, 1, 1, "conv2d").OH
        flops = 2 * N * OH * OH * K * K * C * F
        name = f"N{N} {C}x{H}x{H} k{K} c{F} s{stride} p{padding}"
        yield Case(f"conv {name}", "conv", "conv", sizes, flops, bool(quick))
        yield Case(
            f"conv+bwd {name}", "conv_backward", "conv_backward", sizes, 3 * flops, bool(quick)
        )


def _pool() -> Iterator[Case]:
    for op, K, stride, N, H, C, quick in POOLS:
        sizes = {"N": N, "H": H, "C": C, "K": K, "stride": stride}
        name = f"N{N} {C}x{H}x{H}"
        yield Case(f"{op}{K}s{stride} {name}", "pool", op, sizes, 0, bool(quick))
        yield Case(f"{op}{K}s{stride}+bwd {name}", "pool", f"{op}_backward", sizes, 0, bool(quick))


def _elementwise() -> Iterator[Case]:
    for n in LENGTHS:
        for op in ELEMENTWISE:
            yield Case(f"{op} {n}", "elementwise", op, {"n": n}, 0, n == 1 << 20)
    yield Case("sum axis0 1024x1024", "elementwise", "sum_rows", {"N": 1024, "C": 1024})
    yield Case("sum axis1 1024x1024", "elementwise", "sum_columns", {"N": 1024, "C": 1024})
    for N, C in BIASES:
        yield Case(f"bias {N}x{C}", "elementwise", "bias", {"N": N, "C": C}, 0, N == 128)
    for N, C in CLASSES:
        sizes, quick = {"N": N, "C": C}, C == 10
        yield Case(f"softmax-CE {N}x{C}", "elementwise", "softmax_ce", sizes, 0, quick)
        yield Case(f"softmax-CE+bwd {N}x{C}", "elementwise", "softmax_ce_backward", sizes, 0, quick)


def _rnn() -> Iterator[Case]:
    for N, H in RNNS:
        T, D = 100, 128
        sizes, flops = {"N": N, "T": T, "D": D, "H": H}, 2 * N * T * (D + H) * H
        name, quick = f"N{N} T{T} D{D} H{H}", (N, H) == (32, 128)
        yield Case(f"rnn {name}", "rnn", "rnn", sizes, flops, quick)
        yield Case(f"rnn+bwd {name}", "rnn", "rnn_backward", sizes, 3 * flops, quick)


def _whole() -> Iterator[Case]:
    """Adam, the engine's own cost, and training steps."""
    for n in ADAMS:
        yield Case(f"adam {n}", "adam", "adam", {"n": n}, 0, n == ADAMS[0])
    yield Case("chain of 20 ops on 8-vectors", "engine", "chain", {"n": 8}, 0, True)
    mlp = 2 * (784 * 256 + 256 * 256 + 256 * 10)
    lenet = 2 * (676 * 9 * 32 + 121 * 288 * 64 + 1600 * 128 + 1280)
    yield Case("mlp inference N1", "engine", "mlp_inference", {"N": 1}, mlp, True)
    yield Case("lenet inference N1", "engine", "lenet_inference", {"N": 1}, lenet)
    yield Case("mlp step N128", "step", "mlp_step", {"N": 128}, 3 * 128 * mlp, True)
    yield Case("lenet step N128", "step", "lenet_step", {"N": 128}, 3 * 128 * lenet, True)


CASES = (*_gemm(), *_conv(), *_pool(), *_elementwise(), *_rnn(), *_whole())


# -- inputs ----------------------------------------------------------------------------------------


def inputs(case: Case) -> dict[str, np.ndarray]:
    """float32 arrays (labels int64) from a seed made of the name: the same in every worker."""
    rng = np.random.default_rng(zlib.crc32(case.name.encode()))

    def normal(*shape: int, scale: float = 1.0) -> np.ndarray:
        return (scale * rng.standard_normal(shape, dtype=np.float32)).astype(np.float32)

    return _arrays(case, normal, rng)


def _arrays(case: Case, normal: Any, rng: np.random.Generator) -> dict[str, np.ndarray]:
    s, kind = case.sizes, case.kind
    if kind == "matmul":
        return {"a": normal(s["M"], s["K"]), "b": normal(s["K"], s["N"])}
    if kind.startswith("conv"):
        N, C, H, K, F = (s[k] for k in "NCHKF")
        g = conv2d_geometry((N, H, H, C), (K, K, C, F), s["stride"], s["padding"], 1, 1, "conv2d")
        dy = normal(N, g.OH, g.OW, F)
        return {"x": normal(N, H, H, C), "weight": normal(K, K, C, F, scale=0.1), "dy": dy}
    if "pool" in kind:
        OH = (s["H"] - s["K"]) // s["stride"] + 1
        return {"x": normal(s["N"], s["H"], s["H"], s["C"]), "dy": normal(s["N"], OH, OH, s["C"])}
    if kind.startswith("rnn"):
        N, T, D, H = (s[k] for k in "NTDH")
        return {
            "x": normal(N, T, D), "h0": np.zeros((N, H), np.float32), "dy": normal(N, T, H),
            "weight_x": normal(D, H, scale=0.05), "weight_h": normal(H, H, scale=0.03),
            "bias": normal(H, scale=0.1),
        }  # fmt: skip
    if kind.startswith("mlp"):
        return {"x": normal(s["N"], 784), **_labels(s["N"], 10, rng), **_mlp(normal)}
    if kind.startswith("lenet"):
        return {"x": normal(s["N"], 28, 28, 1), **_labels(s["N"], 10, rng), **_lenet(normal)}
    if kind in ("adam", "chain"):
        return {"x": normal(s["n"]), "y": normal(s["n"], scale=0.1)}
    if "n" in s:
        return {"x": normal(s["n"]), "y": normal(s["n"])}
    x = {"x": normal(s["N"], s["C"]), "bias": normal(s["C"])}
    return {**x, **_labels(s["N"], s["C"], rng)} if kind.startswith("softmax") else x


def _labels(N: int, C: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    return {"labels": rng.integers(0, C, N)}


def _mlp(normal: Any) -> dict[str, np.ndarray]:
    sizes = (784, 256, 256, 10)
    found: dict[str, np.ndarray] = {}
    for i, (D, H) in enumerate(pairwise(sizes)):
        found |= {f"w{i}": normal(D, H, scale=D**-0.5), f"b{i}": normal(H, scale=0.1)}
    return found


def _lenet(normal: Any) -> dict[str, np.ndarray]:
    shapes = ((3, 3, 1, 32), (3, 3, 32, 64), (1600, 128), (128, 10))
    found: dict[str, np.ndarray] = {}
    for i, shape in enumerate(shapes):
        fan_in = int(np.prod(shape[:-1]))
        found |= {f"w{i}": normal(*shape, scale=fan_in**-0.5)}
        found |= {f"b{i}": normal(shape[-1], scale=0.1)}
    return found
