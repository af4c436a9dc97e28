"""Every operation that PyTorch also has, forward and gradient in float64: |a - b| <= 1e-9 max |b|.

Conventions that differ are converted here and nowhere else:

    images            tinydl (N, H, W, C)             PyTorch (N, C, H, W)
    conv weight       tinydl (KH, KW, C/groups, F)    PyTorch (F, C/groups, KH, KW)
    Linear.weight     tinydl (in, out)                PyTorch (out, in)
    im2col column     tinydl (kh, kw, c)              PyTorch (c, kh, kw)
    padding           tinydl four sides, 'same'       PyTorch two sides: padded beforehand
    average pooling   tinydl does not count padding   PyTorch: average of the ones is divided out
    pooling           tinydl pads four sides          PyTorch: padded to what the windows need
    max over axes     both share ties equally (torch.amax)
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from support import oracle_module

from tinydl import Tensor, grad
from tinydl.backend.reference import Backend
from tinydl.geometry import conv2d_geometry, pool2d_geometry
from tinydl.testing import CASES
from tinydl.testing.strategies import examples, seeds

pytestmark = pytest.mark.oracle
torch = oracle_module("torch")
functional = torch.nn.functional

from torch_breadth import BREADTH  # noqa: E402  (imports torch, which may be missing)

# -- the same operations in PyTorch ----------------------------------------------------------------


def axes_of(x, axis):
    return tuple(range(x.dim())) if axis is None else axis


def over(function):
    return lambda x, axis, keepdims: function(x, axes_of(x, axis), keepdims)


def total(x, axes, keepdims):
    """torch.sum takes an empty tuple for all axes; ours reduces nothing."""
    return x if axes == () else x.sum(axes, keepdim=keepdims)


def mean(x, axes, keepdims):
    return x if axes == () else x.mean(axes, keepdim=keepdims)


def largest(x, axes, keepdims):
    return x if axes == () else x.amax(axes, keepdim=keepdims)


def logsumexp(x, axes, keepdims):
    return x if axes == () else torch.logsumexp(x, axes, keepdim=keepdims)


def var(x, axis, keepdims, correction):
    return torch.var(x, axes_of(x, axis), correction=correction, keepdim=keepdims)


def argmax(x, axis, keepdims):
    return torch.argmax(x, axis, keepdim=keepdims)


def getitem(x, key):
    """PyTorch has no negative steps: index with the positions instead."""
    if isinstance(key, np.ndarray):
        return x[torch.from_numpy(key.astype(np.int64))]
    place = 0
    for k in key:
        if k is Ellipsis:  # drawn at the end only
            break
        if isinstance(k, slice):
            positions = torch.tensor(range(*k.indices(x.shape[place])), dtype=torch.int64)
            x = torch.index_select(x, place, positions)
            place += 1
        elif k is None:
            x = x.unsqueeze(place)
            place += 1
        else:
            x = x.select(place, k)
    return x


def pad(x, widths, value):
    flat = [n for pair in reversed(widths) for n in pair]
    return functional.pad(x, flat, value=value) if flat else x


def nchw(x):
    return x.permute(0, 3, 1, 2)


def nhwc(x):
    return x.permute(0, 2, 3, 1)


def padded(x, padding, value=0.0):
    top, bottom, left, right = padding
    return functional.pad(nchw(x), (left, right, top, bottom), value=value)


def weights(w):
    return w.permute(3, 2, 0, 1).contiguous()  # its slow path insists


def conv2d(x, w, b=None, **options):
    g = conv2d_geometry(tuple(x.shape), tuple(w.shape), **options)
    image = padded(x, g.padding)
    y = functional.conv2d(image, weights(w), b, g.stride, 0, g.dilation, g.groups)
    return nhwc(y)


def same_convolution(g):
    return lambda x, w: conv2d(
        x,
        w,
        stride=g.stride,
        padding=(g.padding[:2], g.padding[2:]),
        dilation=g.dilation,
        groups=g.groups,
    )


def conv2d_input_grad(grad, weight, geometry):
    x = torch.zeros(geometry.x_shape, dtype=torch.float64, requires_grad=True)
    y = same_convolution(geometry)(x, weight)
    return torch.autograd.grad(y, x, grad, create_graph=True)[0]


def conv2d_weight_grad(x, grad, geometry):
    weight = torch.zeros(geometry.weight_shape, dtype=torch.float64, requires_grad=True)
    y = same_convolution(geometry)(x, weight)
    return torch.autograd.grad(y, weight, grad, create_graph=True)[0]


def im2col(x, kernel_size, stride, padding, dilation):
    C = x.shape[3]
    g = conv2d_geometry(tuple(x.shape), (*kernel_size, C, 1), stride, padding, dilation)
    columns = functional.unfold(padded(x, g.padding), kernel_size, dilation, 0, g.stride)
    columns = columns.reshape(g.N, C, g.KH * g.KW, g.OH * g.OW).permute(0, 3, 2, 1)
    return columns.reshape(g.columns_shape)


def col2im(columns, x_shape, kernel_size, **options):
    x = torch.zeros(x_shape, dtype=torch.float64, requires_grad=True)
    y = im2col(x, kernel_size, **options)
    return torch.autograd.grad(y, x, columns, create_graph=True)[0]


def windows_of(x, g, value):
    """x padded by `value` so far that the windows of g, also those of ceil_mode, fit exactly."""
    top, _, left, _ = g.padding
    bottom = (g.OH - 1) * g.stride[0] + g.KH - g.H - top
    right = (g.OW - 1) * g.stride[1] + g.KW - g.W - left
    return padded(x, (top, bottom, left, right), value)  # below zero: cropped


def max_pool2d(x, **options):
    g = pool2d_geometry(tuple(x.shape), **options)
    return nhwc(functional.max_pool2d(windows_of(x, g, -np.inf), (g.KH, g.KW), g.stride))


def avg_pool2d(x, count_include_pad=False, **options):
    g = pool2d_geometry(tuple(x.shape), **options)
    sums = functional.avg_pool2d(windows_of(x, g, 0.0), (g.KH, g.KW), g.stride)
    counted = torch.ones(g.x_shape, dtype=torch.float64)
    if count_include_pad:
        counted = functional.pad(counted, (0, 0, *g.padding[2:], *g.padding[:2]), value=1.0)
        image = pool2d_geometry(tuple(counted.shape), (g.KH, g.KW), g.stride, ceil_mode=True)
        image = replace(image, OH=g.OH, OW=g.OW)
        counted = windows_of(counted, image, 0.0)
    else:
        counted = windows_of(counted, g, 0.0)
    return nhwc(sums / functional.avg_pool2d(counted, (g.KH, g.KW), g.stride))


def output_shape(g):
    sides = (g.padding[:2], g.padding[2:])
    whole = pool2d_geometry(g.x_shape, (g.KH, g.KW), g.stride, sides)
    return whole.OH, whole.OW


def avg_pool2d_grad(grad, image, geometry):
    g = geometry
    x = torch.zeros(g.x_shape, dtype=torch.float64, requires_grad=True)
    options = {"kernel_size": (g.KH, g.KW), "stride": g.stride}
    # ceil_mode only decides how many windows there are
    shape = (g.OH, g.OW)
    ceil = output_shape(g) != shape
    y = avg_pool2d(x, **options, padding=(g.padding[:2], g.padding[2:]), ceil_mode=ceil)
    return torch.autograd.grad(y, x, grad, create_graph=True)[0]


def scatter_add(x, indices, rows):
    flat = x.reshape(indices.numel(), *x.shape[indices.dim() :])
    y = torch.zeros((rows, *flat.shape[1:]), dtype=torch.float64)
    return y.index_add(0, indices.reshape(-1).long(), flat)


def rnn_sequence(x, h0, weight_x, weight_h, bias):
    zeros = torch.zeros_like(bias)
    parameters = (weight_x.T, weight_h.T, bias, zeros)
    states, _ = torch.rnn_tanh(x, h0[None], parameters, True, 1, 0.0, False, False, True)
    return states


def rnn_cell(x, h, weight_x, weight_h, bias):
    return torch.rnn_tanh_cell(x, h, weight_x.T, weight_h.T, bias, torch.zeros_like(bias))


def dropout(x, rate, seed):
    """The mask is ours (PyTorch draws another); the arithmetic is PyTorch's."""
    if rate == 1:
        return functional.dropout(x, 1.0)
    keep = Backend().bernoulli(seed, 0, 1 - rate, tuple(x.shape))
    return x * torch.from_numpy(np.asarray(keep)) / (1 - rate)


def cross_entropy(logits, labels):
    return functional.cross_entropy(logits, labels.long(), reduction="none")


def by_name(name):
    """The function that a row of tinydl/testing names."""
    return getattr(torch, name, None) or getattr(functional, name)


def ctc(logits, labels, steps, counts):
    """Its gradient is right behind a log_softmax only, and NaN where no alignment exists."""
    rest = (labels.long(), steps.long(), counts.long())
    return -functional.ctc_loss(
        logits.log_softmax(-1).transpose(0, 1), *rest, reduction="none", zero_infinity=True
    )


ORACLE = {
    **{case.name: by_name(case.torch) for case in CASES.values() if case.torch},
    "argmax": argmax,
    "astype": lambda x, dtype: x.to(getattr(torch, dtype)),
    "avg_pool2d": avg_pool2d,
    "avg_pool2d_grad": avg_pool2d_grad,
    "broadcast_to": lambda x, shape: torch.broadcast_to(x, shape),
    "col2im": col2im,
    "concat": lambda *tensors, axis: torch.cat(tensors, axis),
    "conv2d": conv2d,
    "conv2d_input_grad": conv2d_input_grad,
    "conv2d_weight_grad": conv2d_weight_grad,
    "cross_entropy_per_row": cross_entropy,
    "ctc_log_likelihood": ctc,
    "mean_cross_entropy": lambda logits, labels: functional.cross_entropy(logits, labels.long()),
    "dropout": dropout,
    "embedding": lambda w, i: functional.embedding(i.long(), w),
    "expand_dims": lambda x, axis: x.unsqueeze(axis),
    "gather": lambda x, i: x[i.long()],
    "getitem": getitem,
    "im2col": im2col,
    "linear": lambda x, w, b=None: functional.linear(x, w.T, b),
    "log_softmax": lambda x, axis: torch.log_softmax(x, axis),
    "logsumexp": over(logsumexp),
    "matmul": torch.matmul,
    "max": over(largest),
    "max_pool2d": max_pool2d,
    "mean": over(mean),
    "one_hot": lambda i, depth: functional.one_hot(i.long(), depth).float(),
    "pad": pad,
    "relu_grad": lambda y, g: g * (y > 0),
    "reshape": lambda x, shape: x.reshape(shape),
    "rnn_cell": rnn_cell,
    "rnn_sequence": rnn_sequence,
    "rnn_sequence_by_cells": rnn_sequence,
    "scatter_add": scatter_add,
    "sigmoid_grad": lambda y, g: g * y * (1 - y),
    "softmax": lambda x, axis: torch.softmax(x, axis),
    "squeeze": lambda x, axis: x.squeeze() if axis is None else x.squeeze(axis),
    "sum": over(total),
    "swapaxes": lambda x, axis1, axis2: x.transpose(axis1, axis2),
    "tanh_grad": lambda y, g: g * (1 - y * y),
    "transpose": lambda x, axes: x.permute(axes or tuple(reversed(range(x.dim())))),
    "var": var,
    **BREADTH,
}
#: Operations that PyTorch has only inside of max_pool2d, whose gradient the row above compares.
WITHOUT = {"max_pool2d_scatter", "max_pool2d_gather", "roi_pool_gather", "batch_statistics"}
#: Compared as the steps of their sequences.
STEPS = {"lstm_cell", "gru_cell"}

#: Compositions with an own test module: PyTorch where it has them, definitions where it has not.
ELSEWHERE = {
    "test_conv_forms.py": "global_avg_pool global_max_pool",
    "test_pool.py": "max_pool1d avg_pool1d adaptive_avg_pool1d adaptive_max_pool1d "
    "adaptive_avg_pool2d adaptive_max_pool2d max_unpool2d",
    "test_roi.py": "roi_pool roi_align",
    "test_norm.py": "batch_norm batch_norm_with_statistics layer_norm instance_norm group_norm "
    "local_response_norm l2_normalize rms_norm",
    "test_rotary.py": "rotary",
    "test_attention.py": "attention_weights causal_mask masked_softmax "
    "scaled_dot_product_attention",
    "test_recurrent.py": "lstm_sequence lstm_sequence_by_cells gru_sequence gru_sequence_by_cells",
}

# -- comparison ------------------------------------------------------------------------------------


def close(got, want):
    assert got.shape == want.shape
    if got.dtype.kind != "f":
        return np.array_equal(got, want)
    return np.all(np.abs(got - want) <= 1e-9 * max(np.abs(want).max(initial=0.0), 1e-30))


@pytest.mark.parametrize("name", sorted(ORACLE))
def test_forward_and_gradient(name):
    case = CASES[name]

    @given(example=examples(case), seed=seeds())
    def check(example, seed):
        ours = [
            Tensor(x, backend="numpy", requires_grad=x.dtype == np.float64) for x in example.inputs
        ]
        theirs = [torch.from_numpy(x.copy()) for x in example.inputs]
        for t in theirs:
            t.requires_grad_(t.dtype == torch.float64)
        y = case.function(*ours, **example.options)
        z = ORACLE[name](*theirs, **example.options)
        assert close(y.numpy(), z.detach().numpy())
        if not y.requires_grad or not z.requires_grad or y.dtype != np.float64:
            return
        cotangent = np.random.default_rng(seed).normal(size=y.shape)
        mine = [t for t in ours if t.requires_grad]
        hers = [t for t in theirs if t.requires_grad]
        got = grad(y, mine, Tensor(cotangent, backend="numpy"), allow_unused=True)
        want = torch.autograd.grad(z, hers, torch.from_numpy(cotangent), allow_unused=True)
        for g, w, t in zip(got, want, mine, strict=True):
            g = np.zeros(t.shape) if g is None else g.numpy()
            w = np.zeros(t.shape) if w is None else w.numpy()
            assert close(g, w)

    check()


@pytest.mark.parametrize("name", ["maximum", "max", "relu", "abs"])
def test_ties_and_kinks_as_pytorch(name):
    x = np.array([0.0, 0.0, 1.0, -1.0, 1.0])
    inputs = [x, np.zeros(5)] if name == "maximum" else [x]
    options = {"axis": None, "keepdims": False} if name == "max" else {}
    ours = [Tensor(a, backend="numpy", requires_grad=True) for a in inputs]
    theirs = [torch.from_numpy(a.copy()).requires_grad_(True) for a in inputs]
    CASES[name].function(*ours, **options).sum().backward()
    ORACLE[name](*theirs, **options).sum().backward()
    for a, b in zip(ours, theirs, strict=True):
        assert a.grad.tolist() == b.grad.tolist()
