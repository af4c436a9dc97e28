"""A Llama: the cache against the whole text, files of llama2.c, a published model's own text."""

import json

import numpy as np
import pytest
from closeness import assert_close

from tinydl import Generator, Tensor, no_grad
from tinydl.errors import ConfigError, FormatError
from tinydl.models import Llama, load_llama2c, read_llama2c_tokens, text_of
from tinydl.models.recurrent.writing import Reader
from tinydl.models.transformers.llama_step import FIRST_ROOM, LlamaSteps
from tinydl.nn import RotaryPositions

SIZES = (8, 12, 2, 4, 2, 7, 16)  # dim, hidden, blocks, heads, kv heads, vocabulary, length


def small(tied=True):
    return Llama(7, 8, 12, 2, 4, 2, tied=tied, rng=Generator(3))


def stored(model, sizes=SIZES):
    """The bytes of a llama2.c checkpoint of this model."""
    blocks = model.blocks
    arrays = [model.embedding.weight]
    arrays += [b.attention_norm.scale for b in blocks]
    for name in ("query", "key", "value", "output"):
        arrays += [getattr(b.attention, name).weight.transpose() for b in blocks]
    arrays += [b.feed_norm.scale for b in blocks]
    for name in ("gate", "down", "up"):
        arrays += [getattr(b.feed, name).weight.transpose() for b in blocks]
    arrays += [model.norm.scale, Tensor(np.zeros((2, 16, 1), np.float32))]
    arrays += [] if model.head is None else [model.head.weight.transpose()]
    body = b"".join(np.ascontiguousarray(a.numpy(), "<f4").tobytes() for a in arrays)
    return np.array(sizes, "<i4").tobytes() + body


@pytest.mark.parametrize("tied", [True, False])
def test_a_file_of_llama2c_is_the_model_it_holds(tmp_path, tied):
    model, path = small(tied), tmp_path / "model.bin"
    sizes = SIZES if tied else (*SIZES[:5], -7, 16)
    path.write_bytes(stored(model, sizes))
    found, tokens = load_llama2c(path), Tensor(np.array([[1, 4, 2, 6]]))
    np.testing.assert_array_equal(found(tokens).numpy(), model(tokens).numpy())


def test_what_the_cache_says_is_what_the_whole_text_says():
    model, tokens = small(), [1]
    for token in model.write([1], 8):
        logits = model(Tensor(np.array([tokens]))).numpy()[0, -1]
        assert token == logits.argmax()
        tokens.append(token)
    drawn = [list(model.write([1], 8, 2.0, Generator(seed))) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("tied, halves", [(True, False), (False, True)])
def test_kernels_one_after_the_other_say_what_the_operations_say(dtype, tied, halves):
    """Piece by piece, past the room of the first arrays, with weights that hide nothing."""
    model = small(tied).astype(dtype)
    rng = np.random.default_rng(2)
    for p in model.parameters():
        p.assign(rng.normal(0, 0.7, p.shape).astype(dtype))
    for block in model.blocks:
        block.attention.positions = RotaryPositions(50.0, halves)
    steps, plain = model.reader(), Reader(model)
    assert isinstance(steps, LlamaSteps)
    with no_grad():
        for length in (3, 1, 1, 2, FIRST_ROOM, 1, 150, 1):
            ids = rng.integers(0, 7, length)
            assert_close(steps.read(ids), plain.read(ids), 1e-5 if dtype == "float32" else 1e-12)


def test_tokens_spell_a_text(tmp_path):
    words = [b"<unk>", b"<s>", b"<0x41>", b" Once", b" a", b"!"]
    path = tmp_path / "tokens.bin"
    rows = [np.float32(0).tobytes() + np.int32(len(w)).tobytes() + w for w in words]
    path.write_bytes(np.int32(6).tobytes() + b"".join(rows))
    assert read_llama2c_tokens(path) == words
    assert text_of([1, 3, 4, 2, 5], words) == "Once aA!"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(FormatError, match=r"token 5 of .* has 1 bytes"):
        read_llama2c_tokens(path)


@pytest.mark.parametrize(
    "damage, words",
    [
        (lambda data: data[:20], "is no llama2.c checkpoint: 20 bytes"),
        (lambda data: data[:-4], "weights, its header"),
        (lambda data: np.int32(-1).tobytes() + data[4:], "its header is"),
        (lambda data: np.int32(9).tobytes() + data[4:], "its header is"),
    ],
)
def test_a_damaged_file_is_one_sentence(tmp_path, damage, words):
    path = tmp_path / "model.bin"
    path.write_bytes(damage(stored(small())))
    with pytest.raises(FormatError, match=words):
        load_llama2c(path)


def test_nothing_to_begin_with():
    with pytest.raises(ConfigError, match="needs a token to begin with"):
        next(small().write([], 1))


def test_stories260k_writes_the_reference_text_token_by_token(data_folder):
    stories = data_folder / "models" / "stories260k"
    if not stories.is_dir():
        pytest.skip(f"{data_folder} has no models/stories260k")
    model = load_llama2c(stories / "stories260K.bin")
    reference = json.loads((stories / "reference.json").read_text())
    first = model(Tensor(np.array([[1]]))).numpy()[0, 0]
    assert_close(first[: len(reference["first_logits"])], np.array(reference["first_logits"]), 1e-4)
    tokens = [1, *model.write([1], len(reference["tokens"]) - 1)]
    assert tokens == reference["tokens"]
    assert text_of(tokens, read_llama2c_tokens(stories / "tok512.bin")) == reference["text"]
