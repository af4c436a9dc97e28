"""The engine is written twice: function.py, to be read, and csrc/_function.pyx, to be fast. Here
both record the same, fail with the same words, and drop every reference that they take."""

import gc
import os
import subprocess
import sys

import numpy as np
import pytest
from support import use_engine

import tinydl
from tinydl import Function, Tensor, _function, no_grad, ops
from tinydl.engine import readable
from tinydl.function import _stopped_at
from tinydl.instruments import watching
from tinydl.nn import Parameter
from tinydl.ops.elementwise import Add, AsType, Multiply, Power
from tinydl.ops.shape import Reshape

pytestmark = pytest.mark.skipif(not _function.readable, reason="TINYDL_ENGINE=python")


def leaf(*values, backend="cpu"):
    return Tensor(np.array(values, np.float32), backend=backend, requires_grad=True)


class Many(Function):
    """As many inputs as one likes; keeps the first and its result."""

    saves = (0,)
    saves_output = True

    def forward(self, first, *others):
        return first + sum(others)


def result(function, *inputs):
    """What applying it leaves, in comparable form: parents and saved tensors by their place."""
    _stopped_at.set("")
    y = function.apply(*inputs)
    places = {id(t): i for i, t in enumerate(inputs)}
    places |= {id(t.node): f"node of {i}" for i, t in enumerate(inputs) if t.node is not None}
    found = {"values": y.numpy().tolist(), "type": type(y), "requires_grad": y.requires_grad}
    found |= {"version": y._version, "shared": y._version is inputs[0]._version, "grad": y.grad}
    found |= {"hooks of it": y._hooks, "node": None if y.node is None else y.node is function}
    found["backend of it"], found["stopped at"] = y.backend, _stopped_at.get()
    for name in Function.__slots__:
        found[name] = getattr(function, name, "unset")
    if y.node is not None:
        assert y.node.age > 0
        found["age"] = "set"
        found["parents"] = [None if p is None else places[id(p)] for p in function.parents]
        found["_saved"] = [(places[id(t)], version) for t, version in function._saved]
        if function._output is not None:
            array, version, number = function._output
            found["_output"] = array is y.data, version is y._version, number
    return found


def inputs_of_every_kind():
    a, b = leaf(1.0, 2.0), leaf(3.0, 4.0)
    a.bump_version()
    plain = Tensor(np.array([5.0, 6.0], np.float32), backend="cpu")
    return a, b, plain, a * b, Parameter(np.array([7.0, 8.0], np.float32), backend="cpu")


CALLS = {
    "two leaves": lambda a, b, plain, node, parameter: (Multiply(), a, b),
    "a leaf twice": lambda a, b, plain, node, parameter: (Multiply(), a, a),
    "a constant": lambda a, b, plain, node, parameter: (Power(), plain, a),
    "only constants": lambda a, b, plain, node, parameter: (Add(), plain, plain),
    "nodes and parameters": lambda a, b, plain, node, parameter: (Multiply(), node, parameter),
    "a view": lambda a, b, plain, node, parameter: (Reshape((2, 1)), a),
    "no derivative": lambda a, b, plain, node, parameter: (AsType(np.int32), a),
    "thirty inputs": lambda a, b, plain, node, parameter: (Many(), a, *[b, plain, node] * 10),
    "numpy's backend": lambda *_: (Add(), leaf(1.0, backend="numpy"), leaf(2.0, backend="numpy")),
}


@pytest.mark.parametrize("recording", [True, False])
@pytest.mark.parametrize("name", CALLS)
def test_both_record_the_same(monkeypatch, name, recording):
    found = []
    for engine in ("python", "compiled"):
        function, *inputs = CALLS[name](*inputs_of_every_kind())
        use_engine(monkeypatch, engine)
        if recording:
            found.append(result(function, *inputs))
        else:
            with no_grad():
                found.append(result(function, *inputs))
    assert found[0] == found[1]
    assert found[0]["requires_grad"] is (
        recording and "constants" not in name and "no d" not in name
    )


def twice(a, b):
    function = Multiply()
    function.apply(a, b)
    function.apply(a, b)


class Failing(Function):
    def forward(self, a):
        raise ZeroDivisionError("inside forward")


class SavesTooMuch(Function):
    saves = (3,)

    def forward(self, a):
        return a + 1


FAILURES = {
    "no tensors": lambda a, b: Multiply().apply(a, 2.0),
    "an array": lambda a, b: Multiply().apply(a.data, b),
    "an incomplete tensor": lambda a, b: Multiply().apply(a, Tensor.__new__(Tensor)),
    "two devices": lambda a, b: Multiply().apply(a, leaf(1.0, 2.0, backend="numpy")),
    "nothing": lambda a, b: Multiply().apply(),
    "a node again": twice,
    "in forward": lambda a, b: Failing().apply(a),
    "no forward": lambda a, b: Function().apply(a),
    "an input that is not there": lambda a, b: SavesTooMuch().apply(a),
    "wrong number of inputs": lambda a, b: Multiply().apply(a, b, b),
}


@pytest.mark.parametrize("name", FAILURES)
def test_both_fail_with_the_same_words(monkeypatch, name):
    errors = []
    for engine in ("python", "compiled"):
        use_engine(monkeypatch, engine)
        with pytest.raises(Exception) as caught:
            FAILURES[name](leaf(1.0, 2.0), leaf(3.0, 4.0))
        errors.append((type(caught.value), str(caught.value)))
    assert errors[0] == errors[1]


def test_what_is_no_function_or_tensor_never_reaches_a_slot():
    a = leaf(1.0)
    with pytest.raises(TypeError, match="expects a Function, got object"):
        _function.apply(object(), a)
    with pytest.raises(TypeError, match="object"):
        _function._record(object(), (a,), a)
    with pytest.raises(TypeError, match="int"):
        _function._record(Add(), (a,), 1)
    with pytest.raises(TypeError):
        _function._record(Add(), (1, 2), a)
    with pytest.raises(TypeError, match="is no slot"):
        _function.install(type("Other", (), {"data": 1}), Function)


def test_both_are_watched(monkeypatch):
    for engine in ("python", "compiled"):
        use_engine(monkeypatch, engine)
        seen = []
        with watching(lambda function, inputs, array, seconds, seen=seen: seen.append(inputs)):
            a = leaf(1.0)
            y = a + a
        assert seen == [(a, a)] and y.numpy().tolist() == [2]


@pytest.mark.parametrize("engine", ["python", "compiled"])
def test_the_usual_case_is_told_exactly(engine):
    compiled = (_function.alike, _function.is_float, _function.fit)
    alike, is_float, fit = readable if engine == "python" else compiled
    f = np.float32
    x, y = tinydl.ones((2, 3)), tinydl.ones((2, 3))
    assert alike(x, y) and alike(x, Parameter(np.ones((2, 3), f)))
    others = [tinydl.ones((3, 2)), tinydl.ones((2, 3, 1)), tinydl.ones((2, 3), dtype="float64")]
    for other in [*others, np.ones((2, 3), f), 1, None, Tensor.__new__(Tensor)]:
        assert not alike(x, other) and not alike(other, x)
    number, trained = tinydl.Tensor(np.float32(2)), tinydl.Tensor(np.float32(2), requires_grad=True)
    assert alike(x, number) and alike(number, x)
    assert alike(trained, number) and not alike(x, trained)
    assert not alike(x, tinydl.Tensor(np.float64(2)))
    assert is_float(x) and is_float(others[2])
    assert not any(map(is_float, [x > y, tinydl.Tensor([1]), np.ones(2), None]))
    w, bias = tinydl.ones((3, 4)), tinydl.ones(4)
    assert fit(x, w) and fit(x, w, bias)
    assert not fit(x, y) and not fit(x, w[:, 0]) and not fit(x, 1)
    for wrong in (tinydl.ones(3), tinydl.ones((1, 4)), tinydl.ones(4, dtype="float64"), 1.0):
        assert not fit(x, w, wrong)
    whole = Tensor(np.ones((3, 3), np.int32))
    assert not fit(whole, whole)


WITHOUT_MODULES = """
import sys

class Missing:
    def find_spec(name, path=None, target=None):
        if name == "tinydl._function" or name.startswith("tinydl.backend.cpu._"):
            raise ImportError(f"no {name}")

sys.meta_path.insert(0, Missing)
import tinydl
tinydl.set_default_backend("numpy")
x = tinydl.tensor([[1.0, 2.0]], requires_grad=True)
((x + x) @ x.reshape(2, 1)).backward()
print(x.grad.tolist())
try:
    tinydl.tensor([1.0], backend="cpu")
except tinydl.errors.DeviceError as error:
    print(error)
"""


def test_a_tree_that_is_not_built_computes_with_numpy():
    """Reading and trying comes before building."""
    command = [sys.executable, "-c", WITHOUT_MODULES]
    env = {**os.environ, "PYTHONSAFEPATH": "1"}  # the installed package
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    values, message = done.stdout.splitlines()
    assert values == "[[4.0, 8.0]]"
    assert "the compiled kernels are missing" in message and "use backend 'numpy'" in message


def test_names_of_the_graph_are_not_taken():
    with pytest.raises(tinydl.errors.GraphError, match="'age' belongs to the graph"):
        type("Old", (Function,), {"age": 3})


@pytest.mark.parametrize("engine", ["python", "compiled"])
def test_every_reference_is_given_back(monkeypatch, engine):
    use_engine(monkeypatch, engine)
    a, b, other = leaf(1.0, 2.0), leaf(3.0, 4.0), leaf(1.0, 2.0, backend="numpy")
    watched = [None, True, False, a, b, a.data, a._version, a.backend, Tensor, Multiply]
    watched += [a.data.dtype, Failing, AsType]

    def everything():
        (ops.relu(a * b) @ b).backward()
        a.grad = b.grad = None
        a.reshape(1, 2).astype("int32")
        for wrong in (1.0, other, Tensor.__new__(Tensor)):
            with pytest.raises((TypeError, tinydl.errors.DeviceError)):
                Multiply().apply(a, wrong)
        for function in (Failing(), SavesTooMuch()):
            with pytest.raises((ZeroDivisionError, IndexError)):
                function.apply(a)

    def counts():
        for _ in range(200):
            everything()
        gc.collect()
        return [sys.getrefcount(x) for x in watched]

    counts()
    before, after = counts(), counts()
    drift = {repr(x)[:40]: n - m for x, m, n in zip(watched, before, after, strict=True)}
    assert all(abs(n) < 20 for n in drift.values()), drift
