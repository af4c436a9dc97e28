"""Whatever a module owns is found, however deep it lies in lists, tuples and dictionaries, by
everything that asks; or it is refused where it is assigned."""

from collections import OrderedDict, deque, namedtuple
from dataclasses import dataclass
from types import MappingProxyType, SimpleNamespace

import numpy as np
import pytest

import tinydl as td
from tinydl import nn, optim
from tinydl.errors import ConfigError
from tinydl.train import History, State, restore, save_checkpoint

Pair = namedtuple("Pair", "left right")

#: How two things are kept: (container, names of the two).
KEPT = {
    "list": (lambda a, b: [a, b], ("0", "1")),
    "tuple": (lambda a, b: (a, 3, b), ("0", "2")),
    "named tuple": (Pair, ("0", "1")),
    "dict": (lambda a, b: {"a": a, "n": 3, 7: b}, ("a", "7")),
    "ordered": (lambda a, b: OrderedDict(second=b, first=a), ("first", "second")),
    "nested lists": (lambda a, b: [[a], [["text", b]]], ("0.0", "1.0.1")),
    "dict of lists": (lambda a, b: {"x": [a], "y": ({"z": b},)}, ("x.0", "y.0.z")),
}


@dataclass
class Record:
    first: object
    second: object


def array_of(a, b):
    both = np.empty(2, object)
    both[0], both[1] = a, b
    return both


#: Where they would not be found, or have no name.
HIDDEN = {
    "set": lambda a, b: {a, b},
    "frozenset": lambda a, b: frozenset((a, b)),
    "deque": lambda a, b: deque([a, b]),
    "values": lambda a, b: {1: a, 2: b}.values(),
    "proxy": lambda a, b: MappingProxyType({"a": a}),
    "namespace": lambda a, b: SimpleNamespace(a=a),
    "record": Record,
    "object array": array_of,
    "set in a list": lambda a, b: [1, {"x": {a}}],
    "list in a record": lambda a, b: Record([1], [b]),
    "key with a dot": lambda a, b: {"a.b": a},
    "empty key": lambda a, b: {"": a},
    "key that is no text": lambda a, b: {(1, 2): a},
    "two keys of one name": lambda a, b: {1: a, "1": b},
}


class Holder(nn.Module):
    def __init__(self, kept):
        self.kept = kept

    def forward(self, x):
        return x


def pair(kind):
    return {
        "modules": lambda: (nn.Linear(2, 3), nn.BatchNorm(3)),
        "parameters": lambda: (nn.Parameter(np.ones(2)), nn.Parameter(np.ones(3))),
        "buffers": lambda: (nn.Buffer(np.ones(2)), nn.Buffer(np.ones(3))),
        "generators": lambda: (td.Generator(1), td.Generator(2)),
    }[kind]()


KINDS = ("modules", "parameters", "buffers", "generators")


@pytest.mark.parametrize("how", KEPT)
def test_everything_is_found_under_the_way_to_it(how):
    make, (first, second) = KEPT[how]
    find = {
        "modules": lambda m: {n: k for n, k in m.named_modules() if n},
        "parameters": lambda m: dict(m.named_parameters()),
        "buffers": lambda m: dict(m.named_buffers()),
        "generators": lambda m: dict(m.named_generators()),
    }
    for kind in KINDS:
        a, b = pair(kind)
        found = find[kind](Holder(make(a, b)))
        assert found == {f"kept.{first}": a, f"kept.{second}": b}, kind
    outer = nn.Sequential(Holder(make(*pair("modules"))))
    names = [f"layers.0.kept.{n}" for n in (f"{first}.weight", f"{second}.running_mean")]
    assert set(names) < set(outer.state_dict())
    assert outer.count_parameters() == 9 + 6
    assert all(not m.training for _, m in outer.eval().named_modules())
    assert all(p.dtype == np.float64 for p in outer.astype(np.float64).parameters())
    assert f"kept.{second}: BatchNorm(3)" in repr(outer)


@pytest.mark.parametrize("how", HIDDEN)
@pytest.mark.parametrize("kind", KINDS)
def test_what_would_not_be_found_is_refused_where_it_is_assigned(how, kind):
    a, b = pair(kind)
    with pytest.raises(ConfigError, match=r"^Holder: kept"):
        Holder(HIDDEN[how](a, b))
    late = Holder([])
    late.kept.append(HIDDEN[how](a, b))  # no assignment: told when somebody asks
    with pytest.raises(ConfigError, match=r"^Holder: kept\.0"):
        late.parameters()


def test_containers_of_other_things_are_nobodys_business():
    plain = Holder({1.5: {"a": 1}, "b.c": [np.ones(2)], "": td.ones((2,)), None: {1, 2}})
    plain.kept["self"] = plain.kept
    plain.more = (deque([1]), SimpleNamespace(a=1), Record(1, "x"), np.array([None]))
    assert plain.parameters() == [] and not list(plain.named_generators())


def test_generators_in_lists_and_dicts_are_in_the_checkpoint(tmp_path):
    class Noisy(nn.Module):
        def __init__(self, seed):
            self.out = nn.Linear(2, 2, rng=td.Generator(0))
            self.chance = {"first": [td.Generator(seed)], "second": (td.Generator(seed + 1),)}

        def forward(self, x):
            for (rng,) in self.chance.values():
                x = td.dropout(x, 0.5, True, rng)
            return self.out(x)

    def state(seed):
        model = Noisy(seed)
        return State(model, optim.SGD(model.parameters(), 0.1), None, History(), 0)

    x, first, second = td.ones((4, 2)), state(1), state(50)
    first.model(x)
    save_checkpoint(tmp_path / "c", first)
    expected = first.model(x).numpy()
    assert not np.array_equal(second.model(x).numpy(), expected)
    restore(tmp_path / "c", second)
    assert np.array_equal(second.model(x).numpy(), expected)


def test_stateful_layers_in_a_dict_are_in_the_checkpoint(tmp_path):
    def state():
        model = Holder({"a": {"b": nn.LSTM(2, 3, stateful=True, rng=td.Generator(1))}})
        return State(model, optim.SGD(model.parameters(), 0.1), None, History(), 0)

    first, second = state(), state()
    first.model.kept["a"]["b"](td.ones((1, 4, 2)))
    save_checkpoint(tmp_path / "c", first)
    restore(tmp_path / "c", second)
    one, two = (s.model.kept["a"]["b"].kept_state() for s in (first, second))
    assert len(two) == 2
    assert all(np.array_equal(a.numpy(), b.numpy()) for a, b in zip(one, two, strict=True))
