"""Several nodes as the one that a person would write: SiLU, GELU, a bias in its layer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from math import prod, sqrt

import numpy as np

from ..tracing import Trace, Traced

FLATTENING = ("Flatten", "Reshape", "Squeeze")


class Steps:
    """The steps, who makes a value and who reads it."""

    def __init__(self, trace: Trace, outputs: Iterable[str]) -> None:
        self.trace, self.outputs = trace, set(outputs)
        self.steps = list(trace.steps)
        self.index()

    def index(self) -> None:
        self.makers = {n: s for s in self.steps for n in s.node.outputs if n}
        self.readers: dict[str, list[Traced]] = {}
        for step in self.steps:
            for name in step.node.inputs:
                self.readers.setdefault(name, []).append(step)

    def made_by(self, name: str, *kinds: str) -> Traced | None:
        """The step that makes a value, if it is of these kinds and this is its only reader."""
        step = self.makers.get(name)
        alone = name not in self.outputs and len(self.readers.get(name, [])) == 1
        return step if step is not None and step.node.kind in kinds and alone else None

    def only_reader(self, name: str) -> Traced | None:
        readers = self.readers.get(name, [])
        return readers[0] if len(readers) == 1 and name not in self.outputs else None

    def number(self, step: Traced, i: int) -> float | None:
        """The one number of a known input."""
        array = known(step, i)
        return float(array.reshape(-1)[0]) if array is not None and array.size == 1 else None

    def replace(self, old: Iterable[Traced], new: Traced) -> None:
        """`new` in the place of the last of `old`."""
        gone = list(old)
        place = max(i for i, s in enumerate(self.steps) if any(s is o for o in gone))
        kept = [s for s in self.steps[:place] if not any(s is o for o in gone)]
        self.steps = [*kept, new, *self.steps[place + 1 :]]
        self.index()


def known(step: Traced, i: int) -> np.ndarray | None:
    if i in step.weights:
        return step.weights[i].numpy()
    return step.host.get(i)


def fused(trace: Trace, outputs: Iterable[str]) -> list[Traced]:
    """The steps of a net, with every rule used until none fits."""
    steps = Steps(trace, outputs)
    again = True
    while again:
        again = any(rule(steps, step) for step in list(steps.steps) for rule in RULES)
    return steps.steps


def _unary(steps: Steps, old: Iterable[Traced], last: Traced, kind: str, x: str) -> bool:
    steps.replace(old, Traced(replace(last.node, kind=kind, inputs=(x,), attributes={}),
                              last.outputs))  # fmt: skip
    return True


def _sides(step: Traced) -> list[tuple[int, int]]:
    return [(0, 1), (1, 0)] if len(step.node.inputs) == 2 else []


def silu(steps: Steps, step: Traced) -> bool:
    """x * sigmoid(x), and x * hard_sigmoid(x)."""
    if step.node.kind != "Mul":
        return False
    for i, j in _sides(step):
        x, gate = step.node.inputs[i], step.node.inputs[j]
        maker = steps.made_by(gate, "Sigmoid", "HardSigmoid")
        if maker is None or maker.node.inputs[0] != x:
            continue
        if maker.node.kind == "Sigmoid":
            return _unary(steps, [maker, step], step, "Silu", x)
        slope, shift = maker.node.get("alpha", 0.2), maker.node.get("beta", 0.5)
        if abs(slope - 1 / 6) < 1e-6 and shift == 0.5:
            return _unary(steps, [maker, step], step, "HardSwish", x)
    return False


def hard_swish(steps: Steps, step: Traced) -> bool:
    """x * clip(x + 3, 0, 6) / 6."""
    scale = steps.number(step, 1) if len(step.node.inputs) == 2 else None
    sixth = {"Div": 6.0, "Mul": 1 / 6}.get(step.node.kind)
    if scale is None or sixth is None or abs(scale - sixth) > 1e-6:
        return False
    product = steps.made_by(step.node.inputs[0], "Mul")
    if product is None:
        return False
    for i, j in _sides(product):
        x, clip = product.node.inputs[i], steps.made_by(product.node.inputs[j], "Clip")
        added = steps.made_by(clip.node.inputs[0], "Add") if clip is not None else None
        if clip is None or added is None or added.node.inputs[0] != x:
            continue
        bounds = [steps.number(clip, k) if k < len(clip.node.inputs) else None for k in (1, 2)]
        bounds = [clip.node.get("min"), clip.node.get("max")] if bounds[0] is None else bounds
        if steps.number(added, 1) == 3 and bounds == [0, 6]:
            return _unary(steps, [added, clip, product, step], step, "HardSwish", x)
    return False


def gelu(steps: Steps, step: Traced) -> bool:
    """x * (1 + erf(x / sqrt 2)) / 2, its factors in any order."""
    if step.node.kind != "Mul":
        return False
    factors, inner = _factors(steps, step)
    halves = [f for f in factors if isinstance(f, float)]
    names = [f for f in factors if isinstance(f, str)]
    if halves != [0.5] or len(names) != 2:
        return False
    for x, other in (names, names[::-1]):
        added = steps.makers.get(other)
        if added is None or added.node.kind != "Add" or steps.number(added, 1) != 1:
            continue
        erf = steps.made_by(added.node.inputs[0], "Erf")
        scaled = steps.made_by(erf.node.inputs[0], "Div", "Mul") if erf is not None else None
        if erf is None or scaled is None or scaled.node.inputs[0] != x:
            continue
        root = steps.number(scaled, 1) or 0.0
        if abs((1 / root if scaled.node.kind == "Mul" and root else root) - sqrt(2)) < 1e-5:
            return _unary(steps, [scaled, erf, added, *inner, step], step, "Gelu", x)
    return False


def _factors(steps: Steps, step: Traced) -> tuple[list[str | float], list[Traced]]:
    """The factors of a product of products, and the inner steps."""
    factors: list[str | float] = []
    inner: list[Traced] = []
    for i, name in enumerate(step.node.inputs):
        number, maker = steps.number(step, i), steps.made_by(name, "Mul")
        if number is not None:
            factors.append(number)
        elif maker is not None and not inner:
            inner.append(maker)
            for k, inside in enumerate(maker.node.inputs):
                value = steps.number(maker, k)
                factors.append(inside if value is None else value)
        else:
            factors.append(name)
    return factors, inner


def bias_of_convolution(steps: Steps, step: Traced) -> bool:
    """A vector per channel that is added to a convolution without a bias."""
    if step.node.kind != "Add":
        return False
    for i, j in _sides(step):
        conv, vector = steps.made_by(step.node.inputs[i], "Conv", "ConvTranspose"), known(step, j)
        if conv is None or vector is None or len(conv.node.inputs) > 2:
            continue
        shape, C = conv.outputs[0].shape, conv.outputs[0].shape[1]
        wide = _widened(step, vector, len(shape))
        if wide == (1, C, *[1] * (len(shape) - 2)):
            return _with_bias(steps, conv, step, j, {})
    return False


def _widened(step: Traced, vector: np.ndarray, ndim: int) -> tuple[int, ...]:
    """The vector's sizes beside an array of so many axes; before opset 7 `axis` says where."""
    shape: tuple[int, ...] = vector.shape
    if step.node.opset < 7 and step.node.get("broadcast") and step.node.get("axis") is not None:
        shape = (*shape, *[1] * (ndim - step.node.get("axis") % ndim - len(shape)))
    return (*[1] * (ndim - len(shape)), *shape)


def bias_of_product(steps: Steps, step: Traced) -> bool:
    """A vector that is added to a product with a stored matrix."""
    if step.node.kind != "Add":
        return False
    for i, j in _sides(step):
        product, vector = steps.made_by(step.node.inputs[i], "MatMul"), known(step, j)
        matrix = None if product is None else known(product, 1)
        if product is None or vector is None or matrix is None or matrix.ndim != 2:
            continue
        if vector.size == matrix.shape[1] == vector.shape[-1]:
            return _with_bias(steps, product, step, j, {"rows": True})
    return False


def _with_bias(steps: Steps, layer: Traced, add: Traced, j: int, attributes: dict) -> bool:
    node = replace(
        layer.node, inputs=(*layer.node.inputs[:2], add.node.inputs[j]), outputs=add.node.outputs,
        attributes={**layer.node.attributes, **attributes},
        kind="Gemm" if layer.node.kind == "MatMul" else layer.node.kind,
    )  # fmt: skip
    new = Traced(node, add.outputs, dict(layer.host), dict(layer.weights))
    if j in add.weights:
        new.weights[2] = add.weights[j]
    else:
        new.host[2] = add.host[j]
    steps.replace([layer, add], new)
    return True


def global_pool(steps: Steps, step: Traced) -> bool:
    """A mean or maximum over all places, and the flattening that drops them."""
    kinds = {"GlobalAveragePool": "ReduceMean", "GlobalMaxPool": "ReduceMax",
             "ReduceMean": "ReduceMean", "ReduceMax": "ReduceMax"}  # fmt: skip
    if step.node.kind not in FLATTENING or len(step.outputs[0].shape) != 2:
        return False
    pool = steps.made_by(step.node.inputs[0], *kinds)
    shape = pool.outputs[0].shape if pool is not None else ()
    if pool is None or len(shape) < 3 or prod(shape[2:]) != 1 or shape[:2] != step.outputs[0].shape:
        return False
    if pool.node.kind.startswith("Reduce") and not _over_places(pool):
        return False
    axes = list(range(2, len(shape)))
    node = replace(
        pool.node, kind=kinds[pool.node.kind], outputs=step.node.outputs, opset=13,
        inputs=pool.node.inputs[:1], attributes={"axes": axes, "keepdims": 0},
    )  # fmt: skip
    steps.replace([pool, step], Traced(node, step.outputs))
    return True


def _over_places(step: Traced) -> bool:
    ndim = len(step.outputs[0].shape)
    given = step.host.get(1, step.node.get("axes", []))
    return sorted(int(a) % ndim for a in np.asarray(given).reshape(-1)) == list(range(2, ndim))


def mean_of_sum(steps: Steps, step: Traced) -> bool:
    """A sum over axes that is divided by how many numbers they hold."""
    count = steps.number(step, 1) if step.node.kind in ("Div", "Mul") else None
    total = steps.made_by(step.node.inputs[0], "ReduceSum") if count else None
    if total is None or count is None:
        return False
    shape = steps.trace.values[total.node.inputs[0]].shape
    given = np.asarray(total.host.get(1, total.node.get("axes", []))).reshape(-1)
    held = prod(shape[int(a)] for a in given) if given.size else prod(shape)
    if abs((count if step.node.kind == "Div" else 1 / count) - held) > 1e-4 * held:
        return False
    node = replace(
        total.node, kind="ReduceMean", outputs=step.node.outputs, opset=13,
        attributes={"axes": [int(a) for a in given], "keepdims": total.node.get("keepdims", 1)},
        inputs=total.node.inputs[:1],
    )  # fmt: skip
    steps.replace([total, step], Traced(node, step.outputs))
    return True


RULES: tuple[Callable[[Steps, Traced], bool], ...] = (
    silu, hard_swish, gelu, bias_of_convolution, bias_of_product, mean_of_sum,
    global_pool,
)  # fmt: skip
