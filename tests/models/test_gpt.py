"""A GPT: what one character sees, the cache beside the whole text, first weights, one-hot rows."""

import numpy as np
import pytest
from closeness import assert_close

from tinydl import Generator, Tensor, grad, no_grad
from tinydl.errors import ConfigError, ShapeError
from tinydl.models import GPT
from tinydl.models.recurrent.writing import Reader, write
from tinydl.models.transformers.gpt_step import Steps
from tinydl.ops import one_hot


@pytest.fixture
def model():
    return GPT(9, 6, 2, 2, 8, rng=Generator(3)).eval()


def said(model, ids):
    with no_grad():
        return model(Tensor(np.array([ids]))).numpy()[0]


def test_a_character_sees_what_stands_before_it(model):
    first, other = said(model, [1, 4, 2, 6, 0]), said(model, [1, 4, 2, 7, 8])
    np.testing.assert_array_equal(first[:3], other[:3])
    assert np.abs(first[3:] - other[3:]).max(axis=1).min() > 1e-4
    assert_close(first[:2], said(model, [1, 4]), 1e-6)  # of a shorter text the same


def test_a_text_read_in_pieces_is_the_text_read_at_once(model):
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 9, (3, 6))
    with no_grad():
        at_once = model(Tensor(ids)).numpy()
        for cut in (1, 4, 5):
            first, state = model.run(Tensor(ids[:, :cut]))
            second, state = model.run(Tensor(ids[:, cut:]), state)
            both = np.concatenate([first.numpy(), second.numpy()], axis=1)
            assert_close(both, at_once, 1e-5)
            assert state.caches[0].steps == 6 and np.array_equal(state.ids.numpy(), ids)


def test_where_no_place_is_left_the_later_half_is_read_anew(model):
    """Written by the cache, and by reading for every character what the docstring says."""
    prompt = [3, 1, 4, 1]
    found = write(model, np.array(prompt), 20, Generator(0), temperature=0)
    text, taken = list(prompt), 0
    for place in range(20):
        new = len(prompt) if place == 0 else 1
        taken = taken + new if taken + new <= 6 else 3
        text.append(int(said(model, text[-taken:])[-1].argmax()))
    assert found.tolist() == text[4:]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_kernels_one_after_the_other_say_what_the_operations_say(dtype):
    """Piece by piece, over several windows, with weights that hide nothing."""
    model = GPT(9, 6, 2, 2, 8, rng=Generator(3)).astype(dtype)
    rng = np.random.default_rng(2)
    for p in model.parameters():
        p.assign(rng.normal(0, 0.7, p.shape).astype(dtype))
    assert isinstance(model.reader(), Reader)  # dropout would be missing
    steps, plain = model.eval().reader(), Reader(model)
    assert isinstance(steps, Steps)
    with no_grad():
        for length in (3, 1, 1, 1, 1, 2, 4, 1, 15, 1):
            ids = rng.integers(0, 9, length)
            assert_close(steps.read(ids), plain.read(ids), 1e-5 if dtype == "float32" else 1e-12)


def test_of_a_long_text_the_last_places_are_read(model):
    ids = np.random.default_rng(1).integers(0, 9, (1, 15))
    with no_grad():
        logits, state = model.run(Tensor(ids))
    assert_close(logits.numpy()[0], said(model, ids[0, -6:].tolist()), 1e-6)
    assert state.ids.shape == (1, 6) and state.caches[0].steps == 6
    with pytest.raises(ShapeError, match="at most 6 positions"):
        model(Tensor(ids))


def test_first_weights_are_smaller_where_their_product_is_added():
    model = GPT(50, 32, 8, 4, 64, rng=Generator(0))
    assert abs(model.embedding.weight.numpy().std() - 0.02) < 0.001
    for block in model.blocks:
        for layer, std in (
            (block.attention.query, 0.02), (block.attention.output, 0.005),
            (block.feed.first, 0.02), (block.feed.second, 0.005),
        ):  # fmt: skip
            assert abs(layer.weight.numpy().std() / std - 1) < 0.05
    assert not any(block.feed.first.bias.numpy().any() for block in model.blocks)


def test_one_hot_rows_say_what_numbers_say(model):
    ids = Tensor(np.array([[5, 0, 2, 8]]))
    rows = Tensor(one_hot(ids, 9).astype(model.dtype).numpy(), requires_grad=True)
    logits, layers = model.trace(rows)
    assert_close(logits.detach().numpy()[0], said(model, [5, 0, 2, 8])[-1], 1e-5)
    assert [name for name, _ in layers] == ["blocks.0", "blocks.1"]
    (slope,) = grad(logits[0, 3], rows)
    assert np.abs(slope.numpy()).max(axis=(0, 2)).min() > 0  # every character has its part in it


@pytest.mark.parametrize("wrong", [{"tokens": 0}, {"blocks": 0}, {"steps": 2.5}, {"heads": 3}])
def test_sizes_that_are_none(wrong):
    with pytest.raises(ConfigError):
        GPT(**{"tokens": 9, "steps": 6, "blocks": 2, "heads": 2, "width": 8, **wrong})
