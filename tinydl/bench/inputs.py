"""The inputs of a cell, drawn from a seed made of its name: the same in every worker."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping

import numpy as np

from ..geometry import conv2d_geometry
from .cases import CELLS, PROMPT, Case
from .games import NOISE, network
from .networks import NETWORKS, parameters
from .rules import TENSORS

Arrays = dict[str, np.ndarray]
Normal = Callable[..., np.ndarray]


def inputs(case: Case) -> Arrays:
    """float32 arrays (labels and characters int64), images (N, H, W, C)."""
    rng = np.random.default_rng(zlib.crc32(case.name.encode()))

    def normal(*shape: int, scale: float = 1.0) -> np.ndarray:
        return (scale * rng.standard_normal(shape, dtype=np.float32)).astype(np.float32)

    return _arrays(case, normal, rng)


def _arrays(case: Case, normal: Normal, rng: np.random.Generator) -> Arrays:
    s, kind = case.sizes, case.kind
    if kind == "matmul":
        return {"a": normal(s["M"], s["K"]), "b": normal(s["K"], s["N"])}
    if kind.startswith(("conv", "depthwise")):
        return _convolution(case, normal)
    if "pool" in kind:
        OH = (s["H"] - s["K"]) // s["stride"] + 1
        return {"x": normal(s["N"], s["H"], s["H"], s["C"]), "dy": normal(s["N"], OH, OH, s["C"])}
    if "_norm" in kind:
        shape = (s["N"], s["H"], s["H"], s["C"]) if s["H"] else (s["N"], s["C"])
        vectors = {"scale": normal(s["C"]), "shift": normal(s["C"])}
        return {"x": normal(*shape), **vectors, "dy": normal(*shape)}
    if (cell := kind.removesuffix("_backward")) in CELLS:
        return _recurrent(CELLS[cell], s, normal)
    if kind.startswith("attention"):
        return {name: normal(1, s["T"], s["H"] * s["E"]) for name in ("q", "k", "v", "dy")}
    if kind == "ctc_backward":
        labels = rng.integers(1, s["C"], (s["N"], s["L"]))  # 0 is the blank
        return {"x": normal(s["N"], s["T"], s["C"]), "labels": labels}
    if kind.endswith("_imported"):
        return {"x": normal(*s.values())}
    if kind.endswith(("_step", "_inference", "_compiled")):
        return _network(kind.rpartition("_")[0], s["N"], normal, rng)
    if kind.endswith("_writing"):
        return {"x": np.arange(PROMPT)}
    if kind.endswith("_game"):
        return _game(kind.removesuffix("_game"), s, normal, rng)
    if kind.endswith("_rule"):
        shape = TENSORS, s["n"] // TENSORS
        return {"x": normal(*shape), "y": normal(*shape, scale=0.1)}
    if kind in ("adam", "chain"):
        return {"x": normal(s["n"]), "y": normal(s["n"], scale=0.1)}
    if "n" in s:
        return {"x": normal(s["n"]), "y": normal(s["n"])}
    x = {"x": normal(s["N"], s["C"]), "bias": normal(s["C"])}
    return x | ({"labels": rng.integers(0, s["C"], s["N"])} if kind.startswith("softmax") else {})


def _recurrent(gates: int, s: Mapping[str, int], normal: Normal) -> Arrays:
    N, T, D, H = (s[k] for k in "NTDH")
    W = gates * H
    return {
        "x": normal(N, T, D), "h0": np.zeros((N, H), np.float32), "dy": normal(N, T, H),
        "weight_x": normal(D, W, scale=0.05), "weight_h": normal(H, W, scale=0.03),
        "bias": normal(W, scale=0.1),
    }  # fmt: skip


def _convolution(case: Case, normal: Normal) -> Arrays:
    N, C, H, K, F = (case.sizes[k] for k in "NCHKF")
    depthwise = case.kind.startswith("depthwise")
    shape = (K, K, 1 if depthwise else C, F)
    stride, padding = case.sizes["stride"], case.sizes["padding"]
    groups = C if depthwise else 1
    g = conv2d_geometry((N, H, H, C), shape, stride, padding, 1, groups, "conv2d")
    dy = normal(*g.y_shape)
    return {"x": normal(*g.x_shape), "weight": normal(*shape, scale=0.1), "dy": dy}


def _network(name: str, N: int, normal: Normal, rng: np.random.Generator) -> Arrays:
    net = NETWORKS[name]
    x = rng.integers(0, net.tokens, (N, *net.x)) if net.tokens else normal(N, *net.x)
    labels = rng.integers(0, net.tokens, x.size) if net.tokens else rng.integers(0, 10, N)
    return {"x": x, "labels": labels, **parameters(net, rng)}


def _game(name: str, s: Mapping[str, int], normal: Normal, rng: np.random.Generator) -> Arrays:
    net, N = network(name, s["W"]), s["N"]
    share = rng.random((N, 1, 1, 1), dtype=np.float32)
    x = np.tanh(normal(N, *net.x))
    return {"x": x, "z": normal(N, NOISE), "share": share, **parameters(net, rng)}
