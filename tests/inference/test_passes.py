"""Each pass on a net that is made for it: what it takes away, and that the numbers stay."""

import numpy as np
import pytest
from closeness import assert_close
from forwards import RNG, Net, numbers

import tinydl as td
from tinydl import nn, ops
from tinydl.inference.passes import ALL
from tinydl.inference.program import Part, Program, Step, Value, only_reader


def names(model, x, *passes):
    """The steps that are left, the results being the model's."""
    model.eval()
    compiled = td.compile(model, x, passes or None)
    with td.no_grad():
        assert_close(compiled(x).numpy(), model(x).numpy(), 1e-5)
    return [step.name for step in compiled.program.steps]


def test_constants_are_computed_once():
    net = Net(lambda m, x: x @ ops.transpose(ops.tanh(m.w)), w=nn.Parameter(numbers(3, 4).numpy()))
    assert names(net, numbers(2, 4)) == ["matmul"]
    assert names(net, numbers(2, 4), "common") == ["tanh", "transpose", "matmul"]


def test_what_is_done_twice_is_done_once():
    net = Net(lambda m, x: ops.relu(x) + ops.relu(x) * ops.sum(x, 0) - ops.sum(x, 1, True))
    left = names(net, numbers(3, 3), "common")
    assert left.count("relu") == 1 and left.count("sum") == 2  # the sums differ in their axes


def test_what_nobody_reads_is_left_out():
    def forward(m, x):
        ops.exp(ops.tanh(x))
        return ops.relu(x)

    assert names(Net(forward), numbers(3), "dead") == ["relu"]
    assert len(names(Net(forward), numbers(3), "common")) == 3


def normed(layer, features, **options):
    norm = nn.BatchNorm(features)
    for p in (norm.scale, norm.shift, *[b for _, b in norm.named_buffers()]):
        p.assign(np.abs(RNG.standard_normal(p.shape)).astype(np.float32) + 0.5)
    return nn.Sequential(layer, norm)


@pytest.mark.parametrize(
    "layer",
    [
        lambda: nn.Conv2d(4, 6, 3),
        lambda: nn.Conv2d(4, 6, 1, bias=False),
        lambda: nn.DepthwiseConv2d(4, 3, multiplier=1),
        lambda: nn.DepthwiseConv2d(4, 3, multiplier=2),
        lambda: nn.Conv2d(4, 6, 3, groups=2),
        lambda: nn.Linear(4, 6),
        lambda: nn.Linear(4, 6, bias=False),
    ],
)
def test_a_norm_becomes_part_of_the_weights_before_it(layer):
    x = numbers(2, 5, 5, 4)
    with td.no_grad():
        features = layer()(x).shape[-1]
    model = normed(layer(), features)
    assert not any("norm" in name for name in names(model, x))
    assert any("norm" in name for name in names(model, x, "epilogues"))


def test_a_norm_stays_where_the_convolution_is_read_by_others():
    conv, norm = nn.Conv2d(4, 4, 1), nn.BatchNorm(4)
    net = Net(lambda m, x: m.norm(m.conv(x)) + m.conv(x), conv=conv, norm=norm)
    assert any("norm" in name for name in names(net, numbers(2, 3, 3, 4)))


def test_a_second_norm_is_not_folded_into_what_the_program_returns():
    """Once the first is gone, the result of the convolution has another reader."""
    first, second = normed(nn.Conv2d(4, 4, 1), 4), normed(nn.Conv2d(4, 4, 1), 4)
    norm = list(second.children())[1]

    def forward(m, x):
        y = m.first(x)
        return m.norm(y), y

    x, net = numbers(2, 3, 3, 4), Net(forward, first=first, norm=norm).eval()
    compiled = td.compile(net, x)
    with td.no_grad():
        for found, expected in zip(compiled(x), net(x), strict=True):
            assert_close(found.numpy(), expected.numpy(), 1e-5)
    assert sum("norm" in step.name for step in compiled.program.steps) == 1


def block(m, x):
    return ops.relu(m.b(ops.relu6(m.a(x))) + x)


def test_epilogues():
    net = Net(block, a=nn.Conv2d(4, 4, 3, padding=1), b=nn.Conv2d(4, 4, 1))
    assert names(net, numbers(1, 5, 5, 4)) == ["conv2d + clip", "conv2d + add + relu"]
    bias = nn.Parameter(numbers(4).numpy())
    net = Net(lambda m, x: ops.relu(x @ m.w + m.bias), w=nn.Parameter(numbers(3, 4).numpy()),
              bias=bias)  # fmt: skip
    assert names(net, numbers(2, 3)) == ["linear + relu"]


def test_epilogues_that_would_change_the_result_stay_steps():
    def twice(m, x):  # the sum is returned too
        y = m.a(x)
        return ops.relu(y) + y

    assert names(Net(twice, a=nn.Conv2d(2, 2, 1)), numbers(1, 3, 3, 2))[0] == "conv2d"

    def early(m, x):  # add behind relu
        return ops.relu(m.a(x)) + x

    left = names(Net(early, a=nn.Conv2d(2, 2, 1)), numbers(1, 3, 3, 2))
    assert left == ["conv2d + relu", "add"]

    def doubled(m, x):
        y = m.a(x)
        return y + y

    assert names(Net(doubled, a=nn.Conv2d(2, 2, 1)), numbers(1, 3, 3, 2)) == ["conv2d", "add"]


def test_a_sum_waits_for_both_of_its_terms():
    """The first convolution must not take a sum with what is computed after it."""

    def forward(m, x):
        first = m.a(x)
        return first + m.b(x)

    net = Net(forward, a=nn.Conv2d(2, 2, 1), b=nn.Conv2d(2, 2, 3, padding=1))
    assert names(net, numbers(1, 3, 3, 2)) == ["conv2d", "conv2d + add"]


def test_each_pass_alone_keeps_the_numbers():
    model = nn.Sequential(normed(nn.Conv2d(3, 4, 3), 4), nn.ReLU6(), nn.Flatten(),
                          nn.Linear(36, 5), nn.ReLU(), nn.Softmax())  # fmt: skip
    for name in ALL:
        names(model, numbers(2, 5, 5, 3), name)


def test_only_reader_counts_outputs():
    x, y, z = (Value((1,), np.dtype(np.float32)) for _ in range(3))
    steps = [Step([Part(None, (x,))], y), Step([Part(None, (y,))], z)]
    for outputs, reader in (([z], steps[1]), ([z, y], None)):
        program = Program([x], steps, outputs, None)
        assert only_reader(program, y, program.readers()) is reader
