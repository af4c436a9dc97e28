"""BERT: which tokens are hidden, what is not there, PyTorch's encoder with its weights."""

import numpy as np
import pytest
from closeness import assert_close
from support import oracle_module

from tinydl import Generator, Tensor, no_grad
from tinydl.errors import ConfigError, ShapeError
from tinydl.models import BERT
from tinydl.models.transformers.bert import CLASS, MARKS, MASK, PAD, masked
from tinydl.nn import cross_entropy, summary
from tinydl.optim import AdamW


def small():
    return BERT(11, 8, 2, 2, 12, 6, dropout=0.0, rng=Generator(5)).astype("float64")


TEXTS = np.array([[CLASS, 4, 5, 6, 7, 8], [CLASS, 9, 10, 4, PAD, PAD]])


# -- gaps ------------------------------------------------------------------------------------------


def test_of_fifteen_percent_eight_in_ten_are_hidden_and_one_is_another():
    """100,000 tokens: every share within five standard deviations of what it should be."""
    rng, V = Generator(0), 1_000
    x = np.asarray(rng.integers(len(MARKS), V, (100, 1_000)))
    found = masked(x, V, Generator(1))
    before, after = x.reshape(-1), found.x.reshape(-1)
    asked = len(found.places)
    assert abs(asked / 100_000 - 0.15) < 5 * (0.15 * 0.85 / 100_000) ** 0.5
    np.testing.assert_array_equal(found.targets, before[found.places])
    others = np.delete(np.arange(100_000), found.places)
    np.testing.assert_array_equal(after[others], before[others])
    now, was = after[found.places], found.targets
    shares = (now == MASK).mean(), (now == was).mean(), ((now != MASK) & (now != was)).mean()
    for share, wanted in zip(shares, (0.8, 0.1, 0.1), strict=True):
        assert abs(share - wanted) < 5 * (wanted * (1 - wanted) / asked) ** 0.5
    other = now[(now != MASK) & (now != was)]
    assert other.min() >= len(MARKS) and other.max() < V and len(np.unique(other)) > 700


def test_marks_are_never_asked_for():
    x = np.tile([CLASS, 5, PAD], (400, 1))
    found = masked(x, 11, Generator(2))
    assert (found.places % 3 == 1).all()
    assert (found.x[:, 0] == CLASS).all() and (found.x[:, 2] == PAD).all()
    assert len(masked(np.array([[CLASS, 5]]), 11, Generator(0)).places) == 1
    with pytest.raises(ConfigError, match="nothing but marks"):
        masked(np.array([[CLASS, PAD]]), 11, Generator(0))


def test_another_share_is_hidden():
    x = np.full((100, 100), 5)
    assert abs(len(masked(x, 11, Generator(0), 0.4).places) / 10_000 - 0.4) < 0.025


def test_a_net_that_was_told_the_shares_says_them():
    """With rows of the table that are 0 nothing else is left of the logits."""
    model, counts = small(), np.array([0, 0, 0, 0, 7, 2, 1, 0, 0, 0, 0])
    model.tell_shares(counts)
    model.embedding.weight.assign(np.zeros((11, 8)))
    with no_grad():
        logits = model.gaps(Tensor(TEXTS[:1]), Tensor(np.array([2]))).numpy()[0]
    assert_close(np.exp(logits), (counts + 1) / 21, 1e-12)
    with pytest.raises(ShapeError, match=r"counts must be \(11,\), got \(3,\)"):
        model.tell_shares(counts[:3])


def pairs(rng, count, kinds=12):
    """CLASS and four pairs of tokens, the second of which the first determines."""
    first = np.asarray(rng.integers(0, kinds, (count, 4)))
    both = np.stack([first, (5 * first + 3) % kinds], axis=2).reshape(count, 8)
    return np.concatenate([np.full((count, 1), CLASS), both + len(MARKS)], axis=1)


def test_a_gap_that_its_neighbour_determines_is_filled():
    """The neighbour alone tells it: positions are added, attention reads, the loss is of what is
    hidden."""
    model = BERT(16, 32, 1, 2, 64, 9, dropout=0.0, rng=Generator(1))
    optimizer, rng = AdamW(model.named_parameters(), lr=0.01), Generator(1)
    for _ in range(300):
        x, places, targets = masked(pairs(rng, 64), 16, rng, 0.3)
        loss = cross_entropy(model.gaps(Tensor(x), Tensor(places)), Tensor(targets))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    asked = pairs(Generator(9), 200)
    for column in (3, 6):
        hidden, places = asked.copy(), np.arange(200) * 9 + column
        hidden[:, column] = MASK
        with no_grad():
            said = model.gaps(Tensor(hidden), Tensor(places)).numpy().argmax(axis=1)
        assert (said == asked[:, column]).mean() > 0.9  # by chance 1 / 12


def test_a_gap_is_told_from_the_row_of_its_place():
    """By hand: the state behind a linear layer, gelu and a norm, times the embedding's rows."""
    model, x = small(), Tensor(TEXTS[:1])
    with no_grad():
        states = model.states(x).numpy()[0]
        found = model.gaps(x, Tensor(np.array([2, 5]))).numpy()
        hidden = model.gap(Tensor(states[[2, 5]]))
        rows = model.gap_norm(Tensor(gelu(hidden.numpy()))).numpy()
    assert_close(found, rows @ model.embedding.weight.numpy().T, 1e-9)


def gelu(x):
    from math import erf

    return x * (1 + np.vectorize(erf)(x / 2**0.5)) / 2


# -- texts -----------------------------------------------------------------------------------------


def test_what_is_padded_is_not_there():
    model = small()
    with no_grad():
        alone = model(Tensor(TEXTS[1:, :4])).numpy()
        beside = model(Tensor(TEXTS)).numpy()[1:]
    assert_close(beside, alone, 1e-12)


def test_its_cost_is_that_of_its_products():
    """By hand, without the gaps: per block four D x D and two D x H products of each token, T x T x
    D twice; the first row's D x D and D."""
    D, H, T = 8, 12, 6
    block = T * (4 * D * D + 2 * D * H) + 2 * T * T * D
    assert summary(small(), (T,)).multiply_adds == 2 * block + D * D + D


def test_what_does_not_fit_is_one_sentence():
    for shape in ((2, 7), (2, 0), (6,)):
        with pytest.raises(ShapeError, match=r"BERT: x must be \(N, T\) with 1 to 6 tokens"):
            small()(Tensor(np.full(shape, 4)))
    with pytest.raises(ConfigError, match="must hold 4 marks and more, got 4"):
        BERT(4)


@pytest.mark.oracle
def test_pytorch_with_its_weights_says_the_same():
    torch = oracle_module("torch")
    model = small()
    layer = torch.nn.TransformerEncoderLayer(
        8, 2, 12, 0.0, activation="gelu", batch_first=True, dtype=torch.float64
    )
    encoder = torch.nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)

    def taken(tensor):
        return torch.tensor(tensor.numpy())

    for theirs, ours in zip(encoder.layers, model.blocks, strict=True):
        parts = [ours.attention.query, ours.attention.key, ours.attention.value]
        theirs.self_attn.in_proj_weight.data = torch.cat([taken(p.weight).T for p in parts])
        theirs.self_attn.in_proj_bias.data = torch.cat([taken(p.bias) for p in parts])
        for linear, own in (
            (theirs.self_attn.out_proj, ours.attention.output),
            (theirs.linear1, ours.feed.first),
            (theirs.linear2, ours.feed.second),
        ):
            linear.weight.data, linear.bias.data = taken(own.weight).T, taken(own.bias)
        for norm, own in ((theirs.norm1, ours.attention_norm), (theirs.norm2, ours.feed_norm)):
            norm.weight.data, norm.bias.data = taken(own.scale), taken(own.shift)
    x = torch.tensor(TEXTS)
    read = taken(model.embedding.weight)[x] + taken(model.positions.weight)[None]
    read = torch.nn.functional.layer_norm(read, (8,))
    states = encoder.train()(read, src_key_padding_mask=x == PAD)
    pooled = torch.tanh(states[:, 0] @ taken(model.pooler.weight))
    logits = (pooled @ taken(model.linear.weight)).detach().numpy()
    assert_close(model(Tensor(TEXTS)).numpy(), logits, 1e-9)
