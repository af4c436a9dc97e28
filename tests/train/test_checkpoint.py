"""Checkpoints: exact resume, atomic files, one clear error for anything damaged."""

import os

import numpy as np
import pytest

import tinydl
from tinydl.errors import ConfigError, FormatError, MissingFileError
from tinydl.nn import Dropout, Linear, Sequential
from tinydl.optim import SGD
from tinydl.random import default_generator
from tinydl.train import (
    Checkpoint,
    History,
    State,
    load_checkpoint,
    load_weights,
    read_tensors,
    restore,
    save_checkpoint,
    save_weights,
    write_atomically,
)


def without_seconds(history):
    return [{k: v for k, v in row.items() if k != "seconds"} for row in history]


@pytest.mark.parametrize("backend", ["numpy", "cpu"])
def test_n_epochs_save_load_n_epochs_are_2n_epochs_bitwise(problem, equal, tmp_path, backend):
    path = tmp_path / "checkpoint"
    straight = problem(backend=backend)
    expected = straight.fit(6)
    after = default_generator().state_dict()

    first = problem(backend=backend)
    first.fit(3, callbacks=[Checkpoint(path)])
    second = problem(backend=backend, seed=99)  # nothing of it may survive
    restore(path, second.state)
    assert second.state.epoch == 3
    history = second.fit(6)

    assert equal(second.model.state_dict(), straight.model.state_dict())
    a, b = second.optimizer.state_dict(), straight.optimizer.state_dict()
    assert equal(a["arrays"], b["arrays"]) and a["scalars"] == b["scalars"]
    assert without_seconds(history) == without_seconds(expected)
    assert default_generator().state_dict() == after
    assert second.batches.state_dict() == straight.batches.state_dict()


def test_generators_that_modules_hold_are_restored(tmp_path):
    def make(seed):
        rng = tinydl.Generator(seed)
        model = Sequential(Linear(4, 4, rng=rng), Dropout(0.5, rng=rng))
        return State(model, SGD(model.parameters()), None, History(), 1)

    x = tinydl.ones((3, 4))
    state = make(1)
    state.model(x)
    save_checkpoint(tmp_path / "c", state)
    expected = state.model(x).numpy()
    other = make(2)
    restore(tmp_path / "c", other)
    np.testing.assert_array_equal(other.model(x).numpy(), expected)


def test_weights_go_to_another_backend_and_back(problem, equal, tmp_path, backend):
    source = problem(backend="numpy")
    save_weights(source.model, tmp_path / "model.safetensors")
    target = problem(backend="numpy", seed=5).model.to(backend)
    load_weights(target, tmp_path / "model.safetensors")
    assert equal(target.state_dict(), source.model.state_dict())


def test_any_reader_of_safetensors_can_read_the_weights(problem, equal, tmp_path):
    from safetensors.numpy import load_file

    p = problem()
    save_weights(p.model, tmp_path / "m.safetensors")
    assert equal(load_file(tmp_path / "m.safetensors"), p.model.state_dict())


def test_every_truncation_and_foreign_file_is_one_format_error(problem, equal, tmp_path):
    p, path = problem(), tmp_path / "c"
    save_checkpoint(path, p.state)
    content, before = path.read_bytes(), p.model.state_dict()
    for size in [0, 1, 7, 8, 9, 50, len(content) // 2, len(content) - 1]:
        path.write_bytes(content[:size])
        with pytest.raises(FormatError, match="truncated or not a safetensors file") as caught:
            restore(path, p.state)
        assert str(path) in str(caught.value) and f"{size} bytes" in str(caught.value)
    foreign = [
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        b"\xff" * 64,
        b"PK\x03\x04" + bytes(60),
        b"[1, 2]" * 9,
    ]
    for other in foreign:
        path.write_bytes(other)
        with pytest.raises(FormatError):
            load_weights(p.model, path)
    with pytest.raises(MissingFileError, match="there is no file"):
        load_weights(p.model, tmp_path / "absent")
    assert equal(p.model.state_dict(), before)


def test_weights_of_another_model_are_refused_and_nothing_changes(problem, equal, tmp_path):
    p, path = problem(), tmp_path / "m.safetensors"
    other = Sequential(Linear(6, 9), Linear(9, 3))
    save_weights(other, path)
    before = p.model.state_dict()
    with pytest.raises(FormatError, match=r"another model.*missing.*unexpected"):
        load_weights(p.model, path)
    assert equal(p.model.state_dict(), before)
    save_weights(Sequential(*(Linear(2, 2) for _ in range(40))), path)
    with pytest.raises(FormatError, match=r"another model: .*; and \d+ more$") as error:
        load_weights(p.model, path)
    assert len(str(error.value)) < 500
    with pytest.raises(FormatError, match="not a tinydl-checkpoint-1 file"):
        load_checkpoint(path)


def test_a_checkpoint_of_another_data_set_is_refused(problem, tmp_path):
    save_checkpoint(tmp_path / "c", problem(n=50).state)
    with pytest.raises(ConfigError, match="samples 50, not 60"):
        restore(tmp_path / "c", problem(n=60).state)


def test_single_numbers_keep_their_shape(tmp_path):
    class Scale(tinydl.nn.Module):
        def __init__(self, value):
            self.factor = tinydl.nn.Parameter(value)

    save_weights(Scale(2.5), tmp_path / "m.safetensors")
    tensors, metadata = read_tensors(tmp_path / "m.safetensors")
    assert tensors["factor"].shape == () and metadata["format"] == "tinydl"
    model = Scale(0.0)
    load_weights(model, tmp_path / "m.safetensors")
    assert model.factor.item() == 2.5


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def full_disk(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, b"new")
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new" and [p.name for p in tmp_path.iterdir()] == ["file"]
