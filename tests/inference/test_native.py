"""Programs run by compiled code: every kind of step, every level, any number of threads."""

import numpy as np
import pytest
from closeness import assert_close
from forwards import Net, numbers

import tinydl as td
from tinydl import nn, ops
from tinydl.backend.cpu import _program, _runtime
from tinydl.inference.kernels import KERNELS
from tinydl.inference.native import Native
from tinydl.inference.places import ARENA


def compiled(model, *x):
    """The program, its results being the model's, call after call."""
    model.eval()
    made = td.compile(model, x)
    for factor in (1.0, 0.5, -1.0):
        given = [t * factor if t.dtype.kind == "f" else t for t in x]
        with td.no_grad():
            assert_close(made(*given).numpy(), model(*given).numpy(), 1e-5)
    return made.program


def images():
    """Residual blocks with everything that is fused, and all ends of a picture."""

    def forward(m, x):
        x = ops.relu6(m.norm(m.first(x)))
        y = m.second(ops.relu(m.deep(x)))
        x = ops.relu(y + x)
        y = m.wide(x) + m.short(x)
        y = ops.relu(m.deeper(y) + y)
        return m.head(ops.global_avg_pool(ops.max_pool2d(y, 2)))

    return Net(
        forward,
        norm=nn.BatchNorm(8),
        first=nn.Conv2d(3, 8, 3, 2, padding=1),
        deep=nn.DepthwiseConv2d(8, 3, padding=1),
        second=nn.Conv2d(8, 8, 1),
        wide=nn.Conv2d(8, 20, 3, padding="same"),
        short=nn.Conv2d(8, 20, 1),
        deeper=nn.DepthwiseConv2d(20, 3, padding="same"),
        head=nn.Linear(20, 5),
    )


@pytest.mark.parametrize("level", _runtime.available_levels())
def test_few_filters_with_all_that_is_done_after_them(level):
    before = _runtime.level()
    try:
        _runtime.set_level(level)
        net = Net(
            lambda m, x: ops.relu6(m.one(x) + m.short(x)),
            one=nn.Conv2d(24, 2, 3, padding=1),
            short=nn.Conv2d(24, 2, 1),
        )
        assert compiled(net, numbers(2, 9, 11, 24)).runner.is_one
    finally:
        _runtime.set_level(before)


@pytest.mark.parametrize("level", _runtime.available_levels())
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_level_and_type(level, dtype):
    before = _runtime.level()
    try:
        _runtime.set_level(level)
        x = np.random.default_rng(1).standard_normal((2, 17, 15, 3)).astype(dtype)
        program = compiled(images().astype(dtype), td.tensor(x))
        assert program.runner.is_one
    finally:
        _runtime.set_level(before)


def test_a_level_chosen_later_gets_a_program_of_its_own():
    levels = _runtime.available_levels()
    if len(levels) == 1:
        pytest.skip("one level")
    model, x, before = images().eval(), numbers(1, 9, 9, 3), _runtime.level()
    made = td.compile(model, x)
    try:
        for level in levels:
            _runtime.set_level(level)
            with td.no_grad():
                assert_close(made(x).numpy(), model(x).numpy(), 1e-5)
    finally:
        _runtime.set_level(before)


def test_threads_do_not_change_a_bit():
    model, x, before = images().eval(), numbers(2, 40, 40, 3), _runtime.threads()
    made = td.compile(model, x)
    results = []
    try:
        for threads in (1, 2, 3):
            _runtime.set_threads(threads)
            results.append(made(x).numpy())
    finally:
        _runtime.set_threads(before)
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


def attends(m, x):
    q, k = m.q(x), ops.transpose(m.k(x), (0, 2, 1))
    mixed = ops.softmax(ops.matmul(q, k) * 0.5) @ x
    joined = ops.concat([ops.layer_norm(mixed), x[:, :, ::2]], 2)
    return ops.log_softmax(ops.tanh(joined) + ops.where(joined > 0.0, joined, ops.exp(joined)))


def bends(m, x):
    y = ops.clip(ops.sigmoid(x) - 0.25, 0.0, 0.5) * ops.max(x, 1, True) / (ops.abs(x) + 1.0)
    return ops.batch_norm(y, None, None, mean=m.mean, variance=m.variance) ** 2.0


def test_every_kind_of_step():
    """What they are made of goes through C, and nothing else is needed between."""
    met = set()
    attention = Net(attends, q=nn.Linear(6, 4), k=nn.Linear(6, 4, bias=False))
    moments = {n: nn.Buffer(np.linspace(0.5, 2, 6, dtype=np.float32)) for n in ("mean", "variance")}
    pooled = nn.Sequential(images(), nn.Softmax())
    averaged = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Softplus())
    for model, x in ((attention, numbers(2, 5, 6)), (Net(bends, **moments), numbers(4, 6)),
                     (pooled, numbers(1, 9, 9, 3)), (averaged, numbers(1, 8, 8, 3))):  # fmt: skip
        program = compiled(model, x)
        met |= {call.kind for calls in program.runner.calls for call in calls}
    assert met == set(_program.KINDS)


def test_what_c_has_no_kernel_for_is_called_from_python():
    net = Net(lambda m, x: ops.relu(ops.cumsum(ops.tanh(x), 1) * 2.0))
    program = compiled(net, numbers(2, 3))
    assert program.runner.kernels() == ["tanh", "Python", "multiply", "relu"]
    assert program.runner.kind == "1 calls from Python" and len(program.runner.runs) == 3
    assert all(callable(kernel) for kernel in KERNELS.values())


def test_buffers_that_live_together_lie_apart_in_a_real_program():
    model, x = images().eval(), numbers(1, 16, 16, 3)
    runner = td.compile(model, x).program.runner
    roots = {id(p.root): p.root for calls in runner.calls for call in calls
             for p in (*call.x, call.y) if p is not None and p.root.kind == ARENA}  # fmt: skip
    lives = [root.life for root in roots.values()]
    for i, a in enumerate(lives):
        for b in lives[:i]:
            assert not a.meets(b) or a.end <= b.offset or b.end <= a.offset
    assert runner.arena < sum(life.nbytes for life in lives)


def test_a_result_may_overwrite_only_what_nobody_reads_later():
    def forward(m, x):
        a = ops.tanh(x)
        b = ops.exp(a)  # a is read again below
        c = ops.relu(b)
        return ops.concat([a, c, b + a, ops.transpose(c)], 0) + ops.concat([c, c, c, c], 0)

    compiled(Net(forward), numbers(4, 4))


def test_a_sum_with_its_own_input_and_with_an_input_of_the_program():
    def forward(m, x):
        y = m.a(x) + x  # x is the program's
        return m.b(y) + y  # the convolution reads what it adds

    compiled(Net(forward, a=nn.Conv2d(4, 4, 1), b=nn.Conv2d(4, 4, 3, padding=1)),
             numbers(1, 5, 5, 4))  # fmt: skip


@pytest.mark.parametrize("F", [5, 8, 10, 24, 27, 40])
@pytest.mark.parametrize("level", _runtime.available_levels())
def test_filters_that_fill_a_part_of_a_vector_with_all_that_is_done_after_them(level, F):
    before = _runtime.level()
    try:
        _runtime.set_level(level)
        net = Net(
            lambda m, x: ops.relu6(m.one(x) + m.short(x)),
            one=nn.Conv2d(6, F, 3, padding=1),
            short=nn.Conv2d(6, F, 1),
        )
        compiled(net, numbers(2, 7, 17, 6))
    finally:
        _runtime.set_level(before)


def test_a_picture_of_other_order_is_copied_once():
    def forward(m, x):
        x = x.transpose((0, 2, 3, 1))
        return m.short(x) + m.deep(ops.tanh(m.wide(x)))

    net = Net(forward, wide=nn.Conv2d(3, 9, 3, padding=1), short=nn.Conv2d(3, 9, 1),
              deep=nn.DepthwiseConv2d(9, 3, padding=1))  # fmt: skip
    kernels = compiled(net, numbers(2, 3, 9, 11)).runner.kernels()
    assert sum("copy" in kernel for kernel in kernels) == 1


def test_padding_around_and_between():
    def forward(m, x):
        framed = ops.pad(ops.tanh(x), ((1, 2), (0, 3)), 0.5)
        return framed + ops.pad(x[:, :0], ((2, 1), (3, 3)), 1.0)

    assert compiled(Net(forward), numbers(2, 3)).runner.is_one


def test_nan_passes_the_epilogues():
    model = nn.Sequential(nn.Conv2d(2, 3, 1), nn.ReLU6()).eval()
    x = np.ones((1, 2, 2, 2), np.float32)
    x[0, 0, 0, 0] = np.nan
    found = td.compile(model, x)(x).numpy()
    assert np.isnan(found[0, 0, 0]).all() and not np.isnan(found[0, 1]).any()


def test_empty_batches_and_single_rows():
    model = nn.Sequential(nn.Linear(4, 40), nn.ReLU6(), nn.Linear(40, 1), nn.Sigmoid()).eval()
    for n in (0, 1, 2):
        x = numbers(n, 4)
        with td.no_grad():
            assert_close(td.compile(model, x)(x).numpy(), model(x).numpy(), 1e-5)


def test_steps_refuse_what_they_cannot_hold():
    steps = _program.Steps(_program.block(64), [])
    with pytest.raises(ValueError, match="no such step"):
        steps.add(99, False, 0, [None] * 6, [])
    with pytest.raises(ValueError, match="outside of the arena"):
        steps.add(0, False, 0, [None] * 5 + [(ARENA, 65)], [])
    with pytest.raises(ValueError, match="no such steps"):
        steps.run(0, 1)
    assert isinstance(td.compile(images(), numbers(1, 9, 9, 3)).program.runner, Native)
