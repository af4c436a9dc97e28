"""What is measured: one row per cell, as data. The inputs are drawn in `inputs.py`.

Images are (N, H, W, C), convolution weights (KH, KW, C, F), Linear weights (in, out). A cell's
`flops` counts 2 per multiply-add, forward plus the two gradients where it has a backward pass;
0 where memory, not arithmetic, is the limit. `traffic` counts the bytes that such a cell must read
and write at least: every array once, however often the kernel comes back to it. `tokens` counts
what a cell writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import prod

from ..geometry import conv2d_geometry, pool2d_geometry, recurrent_multiply_adds
from .games import network
from .networks import NETWORKS
from .rules import RULES

GROUPS = (
    "gemm", "gemm_small", "conv", "conv_backward", "depthwise", "depthwise_backward", "pool",
    "norm", "elementwise", "softmax", "attention", "ctc", "adam", "optim", "rnn", "step", "gpt",
    "generation", "gan", "inference", "compiled", "imported", "engine",
)  # fmt: skip
WITH_FILES = ("imported",)  # of TINYDL_DATA: measured where they are named
#: Who measures a group, where it is not the best of all: for products NumPy's BLAS, for single
#: calls and update rules the library that also runs them one by one. The programs that JAX and
#: TensorFlow compile of a whole chain are shown beside it.
BARS = {
    "gemm": ("numpy",),
    "gemm_small": ("numpy",),
    "engine": ("torch",),
    "optim": ("torch",),
    "inference": ("torch", "torch_channels_last"),
}


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
    tokens: int = 0


# M, N, K of [M x K] @ [K x N]; the last column marks --quick.
GEMMS = (
    (64, 64, 64, 1), (128, 128, 128, 0), (256, 256, 256, 1), (512, 512, 512, 1),
    (1024, 1024, 1024, 0), (2048, 2048, 2048, 0), (64, 256, 784, 1), (128, 256, 784, 0),
    (128, 256, 256, 0), (128, 10, 256, 1), (64, 18432, 288, 0), (64, 3136, 576, 0),
    (128, 196, 1152, 0), (128, 64, 1152, 0), (32, 21632, 9, 0), (784, 256, 128, 0),
    (100, 3200, 800, 0), (256, 1024, 64, 0), (1, 256, 784, 1), (1, 1024, 1024, 0),
    (1024, 1, 1024, 0),
)  # fmt: skip

# N, C, H (= W), K (= KH = KW), F, stride, padding, quick
CONVS = (
    (32, 1, 28, 3, 32, 1, 0, 1), (32, 32, 26, 3, 64, 1, 0, 1), (32, 64, 56, 3, 64, 1, 1, 0),
    (32, 3, 32, 3, 32, 1, 1, 0), (32, 128, 14, 3, 128, 1, 1, 0), (32, 64, 56, 3, 128, 2, 1, 0),
    (32, 256, 14, 1, 256, 1, 0, 0), (32, 3, 32, 3, 16, 1, 1, 1), (32, 16, 32, 3, 16, 1, 1, 1),
    (32, 32, 32, 3, 32, 1, 1, 0), (32, 64, 32, 3, 64, 1, 1, 0), (32, 160, 32, 3, 12, 1, 1, 0),
    (8, 3, 224, 7, 64, 2, 3, 0), (32, 1, 28, 5, 20, 1, 0, 0),
)  # fmt: skip

# C, H (= W), stride, quick; 3x3, N32, padding 1
DEPTHWISE = (
    (32, 112, 1, 0), (32, 112, 2, 0), (64, 56, 1, 0), (64, 56, 2, 0), (512, 14, 1, 1),
    (512, 14, 2, 1),
)  # fmt: skip

# op, window, stride, N, H (= W), C, quick
POOLS = (
    ("max_pool", 2, 2, 32, 26, 32, 1), ("avg_pool", 2, 2, 32, 26, 32, 1),
    ("max_pool", 2, 2, 32, 56, 64, 0), ("avg_pool", 2, 2, 32, 56, 64, 0),
    ("max_pool", 3, 2, 32, 56, 64, 0), ("avg_pool", 3, 2, 32, 56, 64, 0),
)  # fmt: skip

# op, N, H (= W; 0: x is (N, C)), C, quick
NORMS = (
    ("batch_norm", 32, 56, 64, 0), ("batch_norm", 32, 32, 16, 1), ("batch_norm", 128, 0, 256, 1),
    ("layer_norm", 128, 0, 256, 1), ("layer_norm", 4096, 0, 512, 0),
)  # fmt: skip

# network, N, quick; a training step with Adam, or a forward pass without a graph
STEPS = (
    ("mlp", 128, 1), ("lenet", 128, 1), ("resnet20", 32, 0), ("mobilenet", 8, 0),
    ("charlstm", 100, 0),
)  # fmt: skip
GPTS = (("gpt", 12), ("largegpt", 16))
WRITERS = (("gpt", 56), ("llama", 120))  # tokens after a prompt of PROMPT
PROMPT = 8
#: game, N, channels of the first layer, quick: widths of the trained recipes, and the book's
GANS = (("dcgan", 64, 32, 1), ("wgangp", 64, 32, 1), ("dcgan", 128, 64, 0), ("wgangp", 64, 64, 0))
INFERENCES = tuple([
    (net, N, N == 1 and net in ("mlp", "lenet"))
    for N in (1, 8) for net in ("mlp", "lenet", "resnet20", "mobilenet")
])  # fmt: skip

#: Files that others wrote, below TINYDL_DATA/models: name, path, shape of x, multiply-adds.
FILES = (
    ("digits (CNTK)", "onnx-mnist/model.onnx", (1, 1, 28, 28), 786_560),
    ("digits (Keras)", "keras-onnx-mnist/onnx_mnist.onnx", (1, 28, 28, 1), 0),
    ("digits (Keras) N8", "keras-onnx-mnist/onnx_mnist.onnx", (8, 28, 28, 1), 0),
    ("separable (PyTorch)", "torch-export/sepres_dynamo.onnx", (2, 3, 33, 33), 0),
    ("text angle (Paddle)", "ppocr-cls/ch_ppocr_mobile_v2.0_cls_infer.onnx", (1, 3, 48, 192), 0),
    ("speech quality (Keras)", "dnsmos/model_v8.onnx", (1, 900, 120), 435_326_016),
    ("notes (TensorFlow)", "basic-pitch/nmp.onnx", (1, 43844, 1), 524_079_648),
)  # fmt: skip

LENGTHS = (16384, 1 << 20, 1 << 24)
ELEMENTWISE = ("relu", "add", "sum", "exp", "tanh", "sigmoid")
BIASES = ((128, 1000), (4096, 1024))
CLASSES = ((128, 10), (128, 1000), (1600, 80))
ADAMS = (1_000_000, 10_000_000)
#: N, T, C, L: digits, words and lines of text.
LABELLED = ((64, 50, 11, 6), (32, 100, 30, 20), (16, 200, 80, 60))
ATTENDED = (64, 256, 1024, 2048, 4096)
RNNS = ((32, 128), (32, 512), (128, 128), (128, 512))  # N, H with T = 100, D = 128
CELLS = {"rnn": 1, "lstm": 4, "gru": 3}  # recurrent cells and their gates


FLOAT = 4  # bytes


def _gemm() -> Iterator[Case]:
    for M, N, K, quick in GEMMS:
        group = "gemm_small" if min(M, N) < 32 or M == N == K == 64 else "gemm"
        sizes, traffic = {"M": M, "N": N, "K": K}, FLOAT * (M * K + K * N + M * N)
        name = f"gemm {M}x{N}x{K}"
        yield Case(name, group, "matmul", sizes, 2 * M * N * K, bool(quick), traffic)


def _conv() -> Iterator[Case]:
    for N, C, H, K, F, stride, padding, quick in CONVS:
        sizes = {"N": N, "C": C, "H": H, "K": K, "F": F, "stride": stride, "padding": padding}
        yield from _both_ways("conv", f"k{K} c{F} s{stride} p{padding}", sizes, 1, quick)
    for C, H, stride, quick in DEPTHWISE:
        sizes = {"N": 32, "C": C, "H": H, "K": 3, "F": C, "stride": stride, "padding": 1}
        yield from _both_ways("depthwise", f"k3 s{stride}", sizes, C, quick)


def _both_ways(kind: str, rest: str, s: dict[str, int], groups: int, quick: int) -> Iterator[Case]:
    """A convolution forward, and with both gradients."""
    N, C, H, K, F = (s[k] for k in "NCHKF")
    x, weight = (N, H, H, C), (K, K, C // groups, F)
    g = conv2d_geometry(x, weight, s["stride"], s["padding"], 1, groups, "conv2d")
    flops, traffic = 2 * g.multiply_adds, FLOAT * (prod(x) + prod(weight) + prod(g.y_shape))
    name = f"N{N} {C}x{H}x{H} {rest}"
    yield Case(f"{kind} {name}", kind, kind, s, flops, bool(quick), traffic)
    kind_backward = f"{kind}_backward"
    yield Case(
        f"{kind}+bwd {name}", kind_backward, kind_backward, s, 3 * flops, bool(quick), 2 * traffic
    )


def _pool() -> Iterator[Case]:
    for op, K, stride, N, H, C, quick in POOLS:
        sizes = {"N": N, "H": H, "C": C, "K": K, "stride": stride}
        name = f"N{N} {C}x{H}x{H}"
        g = pool2d_geometry((N, H, H, C), K, stride)
        traffic = FLOAT * (prod(g.x_shape) + prod(g.y_shape))
        title = f"{op}{K}s{stride}"
        yield Case(f"{title} {name}", "pool", op, sizes, 0, bool(quick), traffic)
        backward = f"{op}_backward"
        yield Case(f"{title}+bwd {name}", "pool", backward, sizes, 0, bool(quick), 2 * traffic)


def _norm() -> Iterator[Case]:
    for op, N, H, C, quick in NORMS:
        shape = (N, H, H, C) if H else (N, C)
        sizes, traffic = {"N": N, "H": H, "C": C}, FLOAT * 2 * prod(shape)
        name = f"N{N} {C}x{H}x{H}" if H else f"{N}x{C}"
        yield Case(f"{op} {name}", "norm", op, sizes, 0, bool(quick), traffic)
        kind = f"{op}_backward"
        yield Case(f"{op}+bwd {name}", "norm", kind, sizes, 0, bool(quick), 2 * traffic)


def _elementwise() -> Iterator[Case]:
    group, arrays = "elementwise", {"add": 3, "sum": 1}
    for n in LENGTHS:
        for op in ELEMENTWISE:
            traffic = FLOAT * n * arrays.get(op, 2)
            yield Case(f"{op} {n}", group, op, {"n": n}, 0, n == 1 << 20, traffic)
    side = {"N": 1024, "C": 1024}
    yield Case("sum axis0 1024x1024", group, "sum_rows", side, 0, False, FLOAT * 1024**2)
    yield Case("sum axis1 1024x1024", group, "sum_columns", side, 0, False, FLOAT * 1024**2)
    for N, C in BIASES:
        sizes, traffic = {"N": N, "C": C}, FLOAT * 2 * N * C
        yield Case(f"bias {N}x{C}", group, "bias", sizes, 0, N == 128, traffic)
    side, traffic = {"N": 2048, "C": 2048}, FLOAT * 2 * 2048**2
    yield Case("transposed copy 2048x2048", group, "transpose", side, 0, False, traffic)


def _softmax() -> Iterator[Case]:
    for N, C in CLASSES:
        sizes, quick, traffic = {"N": N, "C": C}, C == 10, FLOAT * N * C
        name = f"{N}x{C}"
        yield Case(f"softmax-CE {name}", "softmax", "softmax_ce", sizes, 0, quick, traffic)
        kind = "softmax_ce_backward"
        yield Case(f"softmax-CE+bwd {name}", "softmax", kind, sizes, 0, quick, 2 * traffic)


def _attention() -> Iterator[Case]:
    """Causal, one sequence of width 64: 4 heads of 16."""
    H, E = 4, 16
    for T in ATTENDED:
        flops = 2 * H * E * T * T  # 2 products over the half that causality leaves; 5 more back
        name, sizes = f"T{T} {H} heads of {E}", {"T": T, "H": H, "E": E}
        yield Case(f"attention {name}", "attention", "attention", sizes, flops, T == 64)
        kind = "attention_backward"
        yield Case(f"attention+bwd {name}", "attention", kind, sizes, 7 * flops // 2, T == 64)


def _ctc() -> Iterator[Case]:
    for N, T, C, L in LABELLED:
        sizes, traffic = {"N": N, "T": T, "C": C, "L": L}, FLOAT * 2 * N * T * C
        name = f"ctc+bwd N{N} T{T} C{C} L{L}"
        yield Case(name, "ctc", "ctc_backward", sizes, 0, T == 50, traffic)


def _rnn() -> Iterator[Case]:
    for kind, gates in CELLS.items():
        for N, H in RNNS:
            T, D = 100, 128
            sizes = {"N": N, "T": T, "D": D, "H": H}
            flops = 2 * recurrent_multiply_adds((N, T, D), H, gates)
            name, quick = f"N{N} T{T} D{D} H{H}", (N, H) == (32, 128)
            yield Case(f"{kind} {name}", "rnn", kind, sizes, flops, quick)
            yield Case(f"{kind}+bwd {name}", "rnn", f"{kind}_backward", sizes, 3 * flops, quick)


def _rules() -> Iterator[Case]:
    """One step of every update rule, a million parameters in 20 tensors."""
    n = ADAMS[0]
    for name, rule in RULES.items():
        traffic = FLOAT * n * (3 + 2 * rule.states)
        quick = name in ("adadelta", "adam")
        yield Case(f"{name} step {n}", "optim", f"{name}_rule", {"n": n}, 0, quick, traffic)


def _whole() -> Iterator[Case]:
    """Adam, whole networks, and the engine's own cost."""
    for n in ADAMS:
        traffic = FLOAT * 7 * n  # parameter, two averages: read and written; gradient: read
        yield Case(f"adam {n}", "adam", "adam", {"n": n}, 0, n == ADAMS[0], traffic)
    for net, N, quick in STEPS:
        flops = 3 * 2 * N * NETWORKS[net].multiply_adds
        yield Case(f"{net} step N{N}", "step", f"{net}_step", {"N": N}, flops, bool(quick))
    for net, N in GPTS:
        flops = 3 * 2 * N * NETWORKS[net].multiply_adds
        yield Case(f"{net} step N{N}", "gpt", f"{net}_step", {"N": N}, flops, net == "gpt")
    for model, T in WRITERS:
        yield Case(f"{model} writes {T}", "generation", f"{model}_writing", {"T": T}, quick=True,
                   tokens=T)  # fmt: skip
    for game, N, W, quick in GANS:
        flops, sizes = 2 * N * network(game, W).multiply_adds, {"N": N, "W": W}
        name = f"{game} step N{N} {W}-{2 * W}-{4 * W}"
        yield Case(name, "gan", f"{game}_game", sizes, flops, bool(quick))
    for net, N, quick in INFERENCES:
        flops, kind = 2 * N * NETWORKS[net].multiply_adds, f"{net}_inference"
        yield Case(f"{net} inference N{N}", "inference", kind, {"N": N}, flops, bool(quick))
        kind = f"{net}_compiled"
        yield Case(f"{net} compiled N{N}", "compiled", kind, {"N": N}, flops, bool(quick))
    for name, path, shape, multiply_adds in FILES:
        sizes = {f"axis {n}": size for n, size in enumerate(shape)}
        yield Case(name, "imported", f"{path}_imported", sizes, 2 * multiply_adds)
    yield Case("chain of 20 ops on 8-vectors", "engine", "chain", {"n": 8}, 0, True)
    yield Case("add 8", "engine", "add", {"n": 8}, 0, True)


CASES = (
    *_gemm(), *_conv(), *_pool(), *_norm(), *_elementwise(), *_softmax(), *_attention(), *_ctc(),
    *_rules(), *_rnn(), *_whole(),
)  # fmt: skip
