"""Classifiers: counts and costs of the papers, and what their blocks mean."""

import numpy as np
import pytest
from cases.models_classifiers import LARGER
from closeness import assert_close
from support import weightless

import tinydl
from tinydl import Tensor, no_grad, ops
from tinydl.errors import ConfigError
from tinydl.models import (
    VGG,
    AlexNet,
    CifarCNN,
    DenseNetBC,
    DenseNetCifar,
    GoogLeNet,
    LeNet5,
    MobileNetV1,
    MobileNetV2,
    PlainCifar,
    ResNetCifar,
    auxiliary_cross_entropy,
)
from tinydl.models.convolutional.googlenet import Inception
from tinydl.models.convolutional.residual import (
    BasicBlock,
    PlainBlock,
    PreActivationBlock,
    ZeroPadShortcut,
)
from tinydl.models.mobile.memory import memory_by_size
from tinydl.models.mobile.mobilenet_v1 import SeparableBlock
from tinydl.models.mobile.mobilenet_v2 import InvertedResidual, divisible
from tinydl.nn import Conv2d, Dropout, cross_entropy, summary
from tinydl.optim import SGD


def some(shape, seed=0):
    return Tensor(np.random.default_rng(seed).normal(size=shape))


@pytest.mark.parametrize(("make", "parameters"), [row[1:] for row in LARGER], ids=lambda v: "")
def test_larger_forms_have_the_published_parameters(make, parameters):
    with weightless():
        assert make().count_parameters() == parameters


def test_googlenet_without_its_auxiliary_classifiers():
    with weightless():
        model = GoogLeNet()
    others = [a.count_parameters() for a in model.auxiliary]
    assert model.count_parameters() - sum(others) == 6_998_552
    assert others == [3_188_840, 3_190_888]


# -- costs -----------------------------------------------------------------------------------------


def test_mobilenet_costs_are_those_of_the_papers():
    """Published: 569 million (here 568.7) and 300 million (300.8) multiply-adds."""
    first = summary(MobileNetV1(), (224, 224, 3))
    assert (first.parameters, first.multiply_adds) == (4_231_976, 568_740_352)
    second = summary(MobileNetV2(), (224, 224, 3))
    assert (second.parameters, second.multiply_adds) == (3_504_872, 300_774_272)
    sides = [r.output_shape[0] for r in first.rows if r.layer == "DepthwiseConv2d"]
    assert sides == [112, 56, 56, 28, 28, 14, 14, 14, 14, 14, 14, 7, 7]
    skips = [
        m.skip for _, m in MobileNetV2(0.35).named_modules() if isinstance(m, InvertedResidual)
    ]
    assert (len(skips), sum(skips)) == (17, 10)


@pytest.mark.parametrize(("width", "side", "millions"), [(0.5, 224, 149), (0.25, 128, 14)])
def test_width_and_resolution_multipliers(width, side, millions):
    """Howard et al. 2017, tables 6 and 7 (the second by its rule alpha^2 rho^2)."""
    found = summary(MobileNetV1(width), (side, side, 3)).multiply_adds / 1e6
    assert found == pytest.approx(millions, abs=0.6)


def test_a_separable_convolution_costs_the_ninth_part():
    """1 / D + 1 / K^2 = 0.115 for D = 256 and K = 3, in multiply-adds and in parameters."""
    block, full = SeparableBlock(64, 256, 1), Conv2d(64, 256, 3, padding="same", bias=False)
    x = (1, 14, 14, 64)
    parts = (block.depthwise, block.pointwise)
    ratio = 1 / 256 + 1 / 9
    assert sum(p.multiply_adds(x) for p in parts) / full.multiply_adds(x) == pytest.approx(ratio)
    assert sum(p.count_parameters() for p in parts) / full.count_parameters() == pytest.approx(
        ratio
    )
    assert round(ratio, 3) == 0.115


def test_memory_between_the_blocks():
    """Version 1: 1600, 800, 400 and 200 kB as published, and 100 where the book has 199."""
    first, second = memory_by_size(MobileNetV1()), memory_by_size(MobileNetV2())
    assert {side: channels for side, (channels, _) in first.items()} == {
        **{112: 64, 56: 128, 28: 256},
        **{14: 512, 7: 1024},
    }
    assert [round(kilobytes) for _, kilobytes in first.values()] == [1606, 803, 401, 201, 100]
    assert second == {
        **{112: (16, 401.408), 56: (24, 150.528), 28: (32, 50.176)},
        **{14: (96, 37.632), 7: (320, 31.36)},
    }


def test_widths_are_multiples_of_eight_and_never_a_tenth_smaller():
    assert [divisible(c) for c in (32, 3, 11, 12, 8.4, 36, 19)] == [32, 8, 16, 16, 8, 40, 24]


# -- what the blocks mean --------------------------------------------------------------------------


def test_depthwise_and_pointwise_are_the_convolution_of_their_outer_product():
    x, depth, point = some((2, 6, 7, 3)), some((3, 3, 3, 1), 1), some((1, 1, 3, 5), 2)
    apart = ops.conv2d(ops.depthwise_conv2d(x, depth, None, 2, "same"), point)
    outer = depth.numpy() * point.numpy()[0, 0][None, None]  # (3, 3, 3, 5)
    together = ops.conv2d(x, Tensor(outer), None, 2, "same")
    assert_close(apart.numpy(), together.numpy(), 0, atol=1e-13)


@pytest.mark.parametrize("block", [BasicBlock, PreActivationBlock])
def test_a_block_whose_residual_is_zero_is_the_identity(block):
    tinydl.seed(0)
    module = block(4, 4).astype("float64")
    last = module.conv2 if block is PreActivationBlock else module.norm2.scale
    weight = last.weight if block is PreActivationBlock else last
    weight.assign(np.zeros(weight.shape))
    x = ops.abs(some((2, 5, 5, 4)))  # nothing for the last relu to cut
    assert np.array_equal(module(x).numpy(), x.numpy())


def test_a_plain_block_has_no_way_round():
    tinydl.seed(0)
    module = PlainBlock(4, 4).astype("float64")
    module.norm2.scale.assign(np.zeros(4))
    assert not module(some((2, 5, 5, 4))).numpy().any()
    assert PlainCifar(8).count_parameters() == ResNetCifar(8).count_parameters()


def test_the_free_shortcut_takes_every_second_pixel_and_adds_empty_channels():
    x = some((1, 5, 6, 2))
    y = ZeroPadShortcut(2, 3, 2)(x).numpy()
    assert np.array_equal(y[..., :2], x.numpy()[:, ::2, ::2]) and not y[..., 2].any()
    assert ZeroPadShortcut(2, 2, 1)(x) is x


def test_an_inverted_residual_adds_only_what_has_its_size():
    tinydl.seed(0)
    for c_in, c_out, stride, expansion in ((8, 8, 1, 6), (8, 16, 1, 6), (8, 8, 2, 1)):
        block = InvertedResidual(c_in, c_out, stride, expansion).astype("float64").eval()
        block.norm3.scale.assign(np.zeros(c_out))
        x = some((1, 4, 4, c_in))
        y = block(x).numpy()
        same = c_in == c_out and stride == 1
        assert np.array_equal(y, x.numpy() if same else np.zeros_like(y)), (c_in, stride)


def test_inception_puts_its_branches_side_by_side():
    tinydl.seed(0)
    module, x = Inception(5, 2, 3, 4, 2, 3, 6).astype("float64"), some((1, 6, 6, 5))
    y = module(x).numpy()
    assert y.shape == (1, 6, 6, 15) == (1, 6, 6, module.out_channels)
    for branch, part in (
        (module.branch1, slice(0, 2)), (module.branch3, slice(2, 6)),
        (module.branch5, slice(6, 9)), (module.branch_pool, slice(9, 15)),
    ):  # fmt: skip
        assert np.array_equal(branch(x).numpy(), y[..., part])


def test_auxiliary_classifiers_count_three_tenths_and_only_in_training():
    tinydl.seed(0)
    a, b, c, labels = some((2, 3)), some((2, 3), 1), some((2, 3), 2), Tensor(np.array([0, 2]))
    loss = auxiliary_cross_entropy((a, b, c), labels).item()
    one, two, three = (cross_entropy(t, labels).item() for t in (a, b, c))
    assert loss == pytest.approx(one + 0.3 * (two + three), rel=1e-14)
    model = GoogLeNet(65, 3, 4, 1 / 32)
    x = Tensor(np.zeros((1, 65, 65, 3), np.float32))
    with no_grad():
        assert [y.shape for y in model(x)] == [(1, 4)] * 3
        assert model.eval()(x).shape == (1, 4)


def test_dense_layers_keep_what_they_saw():
    tinydl.seed(0)
    layer = DenseNetBC(10, 4).blocks[0].astype("float64")
    x = some((1, 4, 4, 8))
    y = layer(x).numpy()
    assert y.shape == (1, 4, 4, 12) and np.array_equal(y[..., :8], x.numpy())


# -- the book's mistake ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind, rate", [(AlexNet, 0.5), (VGG, 0.5), (GoogLeNet, 0.4)])
def test_dropout_is_that_of_the_papers(kind, rate):
    with weightless():
        layers = [m for name, m in kind().named_modules() if type(m) is Dropout]
    helpers = [layer for layer in layers if kind is GoogLeNet and layer.rate == 0.7]
    assert {layer.rate for layer in layers if layer not in helpers} == {rate}


def test_filters_of_zero_never_learn():
    """The book's initialisation: only the biases behind the last layers move."""
    tinydl.seed(0)
    model = CifarCNN(8, 3, 4, (4, 4, 4, 4, 4), (8,), 0.0, filter_init="zeros")
    x, labels = some((8, 8, 8, 3)), Tensor(np.arange(8) % 4)
    model.astype("float64")
    before = model.state_dict()
    optimizer = SGD(model.parameters(), lr=0.5)
    for _ in range(5):
        loss = cross_entropy(model(x), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    after = model.state_dict()
    moved = {name for name in before if not np.array_equal(before[name], after[name])}
    assert not {name for name in moved if name.startswith("features")}
    assert loss.item() == pytest.approx(np.log(4), rel=1e-9)
    logits = model(x).numpy()
    assert np.array_equal(logits, np.broadcast_to(logits[:1], logits.shape))  # x is not seen


# -- bad arguments ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LeNet5(8), "LeNet5: needs images of at least 16 pixels"),
        (lambda: CifarCNN(30), "CifarCNN: needs an image_size that 8 divides"),
        (lambda: AlexNet(60), "AlexNet: needs images of at least 67 pixels"),
        (lambda: VGG(image_size=100), r"VGG: .* 2\*\*5 divides"),
        (lambda: GoogLeNet(64), "GoogLeNet: needs images of at least 65 pixels"),
        (lambda: ResNetCifar(21), "ResNetCifar: depth must be 6 n \\+ 2"),
        (lambda: PlainCifar(20, widths=(1, 2)), "PlainCifar: .* three widths"),
        (lambda: DenseNetCifar(41), "DenseNetCifar: depth must be 3 n \\+ 4"),
        (lambda: DenseNetBC(41), "DenseNetBC: depth must be 6 n \\+ 4"),
        (lambda: MobileNetV1(0.0), "MobileNetV1: width must be > 0"),
        (lambda: MobileNetV2(-1.0), "MobileNetV2: width must be > 0"),
    ],
)
def test_bad_arguments_are_named(make, message):
    with pytest.raises(ConfigError, match=message):
        make()
