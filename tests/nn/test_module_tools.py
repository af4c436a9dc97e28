"""What one asks of a module beside its output: walks, summary, partial loading, files, fills."""

import numpy as np
import pytest

import tinydl as td
from tinydl import nn
from tinydl.errors import (
    ArgumentsError,
    ConfigError,
    DTypeError,
    FormatError,
    GraphError,
    MissingFileError,
)
from tinydl.nn import init


def net():
    td.seed(0)
    inner = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm(4))
    return nn.Sequential(nn.Linear(3, 4), inner, nn.ReLU(), nn.Linear(4, 2))


def test_walks():
    model = net()
    first, inner, relu, last = model.layers
    assert list(model.children()) == [first, inner, relu, last]
    assert list(model.modules()) == [model, first, inner, *inner.layers, relu, last]
    assert [m for _, m in model.named_modules()] == list(model.modules())
    twice = nn.Sequential(first, relu, first)
    assert list(twice.children()) == [first, relu]


def test_apply_goes_to_children_first_each_once():
    model, seen = net(), []
    assert model.apply(lambda m: seen.append(m)) is model
    first, inner, relu, last = model.layers
    assert seen == [first, *inner.layers, inner, relu, last, model]
    model.inside = model
    seen.clear()
    model.apply(seen.append)
    assert len(seen) == 7
    for wrong in (np.ones(3), nn.ReLU, None):
        with pytest.raises(ConfigError, match="apply: takes a function of one module"):
            model.apply(wrong)


def test_the_habit_of_initialising_by_apply():
    def first_values(m):
        if isinstance(m, nn.Linear):
            init.normal_(m.weight, 0.0, 0.02)
            init.zeros_(m.bias)

    a = net().apply(first_values)
    td.seed(0)
    b = net().apply(first_values)
    for p, q in zip(a.parameters(), b.parameters(), strict=True):
        np.testing.assert_array_equal(p.numpy(), q.numpy())
    assert 0.01 < a[0].weight.numpy().std() < 0.03 and not a[3].bias.numpy().any()


def test_summary_prints_the_table(capsys):
    model = net()
    assert model.summary((3,)) is None
    assert capsys.readouterr().out == f"{nn.summary(model, (3,))}\n"
    words = nn.Sequential(nn.Embedding(9, 4), nn.LSTM(4, 3))
    words.summary((5,))
    assert "Embedding" in capsys.readouterr().out
    with pytest.raises(ConfigError, match=r"needs the shape of one sample.*summary\(\(28, 28, 1\)"):
        model.summary()


def test_requires_grad_reaches_every_parameter_and_leaves_batchnorm_moving():
    model = net()
    nn.mse(model(np.ones((2, 3))), np.zeros((2, 2))).backward()
    assert model.requires_grad_(False) is model
    assert not any(p.requires_grad or p.grad is not None for p in model.parameters())
    assert not any(m.frozen for m in model.modules())
    before = model[1][1].running_mean.numpy().copy()
    model(np.ones((2, 3)))
    assert (model[1][1].running_mean.numpy() != before).any()
    model.requires_grad_()
    assert all(p.requires_grad for p in model.parameters())


def test_what_fits_is_loaded_and_the_rest_is_told():
    model, state = net(), net().state_dict()
    names = list(state)
    state = {name: array + 1 for name, array in state.items()}
    state["head.weight"] = np.ones(3)
    del state["layers.3.bias"]
    state["layers.0.bias"] = state["layers.0.bias"].astype(np.float64)
    state["layers.0.weight"] = state["layers.0.weight"].T.copy()
    before = model.state_dict()
    with pytest.raises(FormatError):
        model.load_state_dict(state)
    assert all(np.array_equal(before[n], a) for n, a in model.state_dict().items())
    told = model.load_state_dict(state, strict=False)
    assert told == [
        "missing layers.3.bias (2,)",
        "unexpected head.weight (3,)",
        "layers.0.weight has shape (4, 3) but the model needs (3, 4)",
        "layers.0.bias is float64 but the model needs float32",
    ]
    wrong = {"layers.3.bias", "layers.0.weight", "layers.0.bias"}
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name] + (name not in wrong))
    assert set(names) >= wrong
    assert model.load_state_dict(before) == []
    with pytest.raises(
        ConfigError, match=r"takes a dictionary of arrays, got 'w.*td\.load\(path\)"
    ):
        model.load_state_dict("w.safetensors")


def test_a_state_goes_into_a_file_and_back(tmp_path):
    model, other, path = net(), nn.Sequential(*net().layers), tmp_path / "w.safetensors"
    td.save(model.state_dict(), path)
    other.apply(lambda m: init.ones_(m.weight) if isinstance(m, nn.Linear) else None)
    assert other.load_state_dict(td.load(str(path))) == []
    for a, b in zip(model.parameters(), other.parameters(), strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    td.save({"x": td.tensor([1.0], requires_grad=True) * 2, "n": np.int64(3)}, path)
    found = td.load(path)
    assert found["x"].tolist() == [2.0] and found["n"].shape == () and found["n"] == 3


WRONG_FILES = {
    "swapped": (("w.safetensors", {}), r"what is saved comes first, then the path: td\.save\(mod"),
    "a model": ((nn.ReLU(), "w.safetensors"), "holds arrays, no ReLU: .*train.Checkpoint"),
    "an array": ((np.ones(3), "w.safetensors"), r"td.save\(\{'x': x\}, path\) for one array"),
    "nested": (({"m": {}}, "w.safetensors"), "'m' is a dictionary itself.*Checkpoint"),
    "a number": (({"epoch": 3}, "w.safetensors"), "'epoch' must be an array or a tensor, got 3"),
    "a key": (({3: np.ones(3)}, "w.safetensors"), "names are texts, got 3"),
    "torch": (({}, "w.pt"), "end in .safetensors, got 'w.pt'"),
    "no path": (({}, {}), "the path must be a text, got"),
}


@pytest.mark.parametrize("name", WRONG_FILES)
def test_what_is_not_saved(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments, sentence = WRONG_FILES[name]
    with pytest.raises(ConfigError, match=f"save: .*{sentence}"):
        td.save(*arguments)
    assert not list(tmp_path.iterdir())


def test_what_is_not_loaded(tmp_path):
    with pytest.raises(ConfigError, match=r"got .*ReLU.*: model\.load_state_dict\(td\.load\("):
        td.load(nn.ReLU())
    with pytest.raises(ConfigError, match=r"end in \.safetensors, got"):
        td.load("w.pt")
    for swapped in ((nn.ReLU(), "w.safetensors"), ("w.safetensors", nn.ReLU())):
        with pytest.raises(
            ConfigError, match=r"takes a path alone .*model\.load_state_dict\(td\.load\("
        ):
            td.load(*swapped)
    with pytest.raises(FileNotFoundError, match="none"):
        td.load(tmp_path / "none.safetensors")


IN_PLACE = [name for name in vars(init) if name.endswith("_") and not name.startswith("_")]


@pytest.mark.parametrize("name", IN_PLACE)
def test_fills(name):
    layer = nn.Linear(40, 50).astype("float64")
    fill, given = getattr(init, name), {"constant_": [0.25], "fill_": ["he_normal"]}.get(name, [])
    nn.mse(layer(np.ones((1, 40))), np.zeros((1, 50))).backward()
    td.seed(3)
    assert fill(layer.weight, *given) is layer.weight
    base = name.removesuffix("_")
    named = {"fill": "he_normal"}.get(base, base)
    options = {"normal": {"std": 1.0}, "truncated_normal": {"std": 1.0},
               "uniform": {"low": 0.0, "high": 1.0}}.get(named, {})  # fmt: skip
    expected = np.full((40, 50), 0.25)
    if base != "constant":
        expected = init.BY_NAME[named]((40, 50), td.Generator(3), np.float64, **options)
    np.testing.assert_array_equal(layer.weight.numpy(), expected)
    with pytest.raises(DTypeError, match=f"{name}: "):
        fill(td.tensor([1, 2]), *given)
    with pytest.raises(DTypeError, match=f"{name}: parameter must be a tensor"):
        fill(np.ones((3, 3)), *given)
    with pytest.raises(GraphError, match="only leaves can be overwritten"):
        fill(layer.weight * 2.0, *given)


@pytest.mark.parametrize("name", init.BY_NAME)
def test_a_parameter_is_no_shape(name):
    with pytest.raises(
        ConfigError, match=rf"init\.{name}: makes an array .*fill_\(parameter, '{name}"
    ):
        getattr(init, name)(nn.Linear(2, 3).weight, 0.0, 0.02)


def test_there_are_fills():
    assert len(IN_PLACE) >= 12


def test_what_a_file_of_arrays_cannot_hold_is_told(tmp_path):
    path, one = tmp_path / "a.safetensors", np.ones(2)
    for name in ("__metadata__", "a\ud800"):
        with pytest.raises(ConfigError, match=r"save: .* cannot be the name of an array"):
            td.save({name: one}, path)
    with pytest.raises(ConfigError, match="must be an array or a tensor, got ndarray object"):
        td.save({"a": np.array([None])}, path)
    with pytest.raises(ArgumentsError, match=r"save: missing a required argument: 'path'"):
        td.save({"a": one})
    with pytest.raises(MissingFileError, match=r"save: there is no folder .*nowhere"):
        td.save({"a": one}, tmp_path / "nowhere" / "a.safetensors")
    assert not path.exists()
    td.save({"a": one}, path)
    for option in ("map_location", "weights_only"):
        with pytest.raises(ArgumentsError, match=f"load: there is no argument '{option}'"):
            td.load(path, **{option: "cpu"})


def test_strict_is_a_flag():
    layer = nn.Linear(2, 2)
    with pytest.raises(ConfigError, match="load_state_dict: strict must be True or False"):
        layer.load_state_dict(layer.state_dict(), strict="no")
