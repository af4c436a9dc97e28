"""Few-shot learners against their formulas, one picture, one episode or one step at a time."""

import numpy as np
import pytest
from closeness import assert_close

import tinydl
from tinydl import Tensor, no_grad
from tinydl.errors import ConfigError, ShapeError
from tinydl.models import MatchingNet, MemoryNet, PrototypicalNet, SiameseNet
from tinydl.nn import looking

PICTURE = (8, 8, 1)


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def made(model):
    tinydl.seed(2)
    return model().astype("float64")


def test_prototypes_are_means_and_scores_their_negative_square_distances():
    model = made(lambda: PrototypicalNet(PICTURE, 5, 3))
    examples, queries = drawn(3, 4, 7), drawn(6, 7, seed=1)
    found = model.compare(Tensor(examples), Tensor(queries)).numpy()
    wanted = [[-((q - c.mean(axis=0)) ** 2).sum() for c in examples] for q in queries]
    assert_close(found, np.array(wanted), 1e-12)


def test_matching_averages_the_labels_by_attention():
    model = made(lambda: MatchingNet(PICTURE, 5, 3, sharpness=4.0))
    examples, queries = drawn(3, 2, 7), drawn(5, 7, seed=1)
    found = np.exp(model.compare(Tensor(examples), Tensor(queries)).numpy())
    for q, row in zip(queries, found, strict=True):
        weights = np.exp([4 * q @ e for e in examples.reshape(-1, 7)])
        attention = (weights / weights.sum()).reshape(3, 2)
        assert_close(row, attention.sum(axis=1), 1e-10)
    codes = model.embed(Tensor(drawn(2, *PICTURE))).numpy()
    assert_close(np.linalg.norm(codes, axis=1), np.ones(2), 1e-8)


def test_the_siamese_judge_sees_absolute_differences_and_takes_the_best_example():
    model = made(lambda: SiameseNet(PICTURE, 4, 3, 6, dropout=(0.0, 0.0)))
    weight, bias = model.head.weight.numpy()[:, 0], model.head.bias.numpy()[0]
    examples, queries = drawn(3, 2, 6), drawn(4, 6, seed=1)
    found = model.compare(Tensor(examples), Tensor(queries)).numpy()
    wanted = [[max(abs(q - e) @ weight + bias for e in c) for c in examples] for q in queries]
    assert_close(found, np.array(wanted), 1e-12)
    a, b = (Tensor(drawn(2, *PICTURE, seed=k)) for k in (3, 4))
    codes = model.embed(a), model.embed(b)
    p = 1 / (1 + np.exp(-model.judge(*codes).numpy()))
    assert_close(model.judge(*codes[::-1]).numpy(), model.judge(*codes).numpy(), 1e-12)
    loss = model.pair_loss(a, b, Tensor(np.array([1.0, 0.0])))
    assert_close(loss.numpy(), np.array(-(np.log(p[0]) + np.log(1 - p[1])) / 2), 1e-10)


def test_a_comparer_scores_pictures_as_it_scores_their_codes():
    model = made(lambda: PrototypicalNet(PICTURE, 5, 3))
    examples, queries = Tensor(drawn(3, 2, *PICTURE)), Tensor(drawn(4, *PICTURE, seed=1))
    with looking(model):
        codes = model.embed(examples.reshape(6, *PICTURE)).reshape(3, 2, -1)
        wanted = model.compare(codes, model.embed(queries)).numpy()
        assert_close(model(examples, queries).numpy(), wanted, 1e-10)
    labels = Tensor(np.array([0, 1, 2, 0]))
    assert model.loss(examples, queries, labels).item() > 0


def test_the_memory_is_written_read_and_freed_as_it_says():
    """All steps by loops over streams and rows."""
    model = made(lambda: MemoryNet(PICTURE, 3, 2, 3, width=4, rows=4, decay=0.9)).eval()
    codes, told = (
        drawn(2, 7, 2),
        np.eye(3)[np.array([[0, 1, 2, 1, 0, 2, 2], [2, 0, 1, 1, 0, 2, 0]])],
    )
    found = model.remembered(Tensor(codes), Tensor(told)).numpy()
    weights = {name: p.numpy() for name, p in model.named_parameters()}
    keys = codes @ weights["key.weight"]  # in eval the first running statistics: 0 and 1
    keys = keys / np.sqrt(1 + 1e-3)
    for n in range(2):
        memory, usage = np.zeros((4, 7)), np.zeros(4)
        read, gate, last = np.zeros(4), 0.0, np.zeros(4)
        for t in range(7):
            k = keys[n, t]
            how = codes[n, t] @ weights["addressing.weight"] + weights["addressing.bias"]
            if t:
                write = gate * read + (1 - gate) * np.eye(4)[usage.argmin()]
                memory[usage.argmin()] = 0
                for s in range(4):
                    memory[s] += write[s] * np.concatenate([last, told[n, t - 1]])
                usage = usage + write
            near = [k @ m[:4] / np.sqrt((k @ k + 1e-8) * (m[:4] @ m[:4] + 1e-8)) for m in memory]
            powers = np.exp(np.log1p(np.exp(how[0] + 10)) * np.array(near))
            read, gate, last = powers / powers.sum(), 1 / (1 + np.exp(3 - how[1])), k
            usage = 0.9 * usage + read
            assert_close(found[n, t], read @ memory, 1e-9, atol=1e-12)


def test_a_new_memory_net_answers_with_the_label_of_a_picture_seen_before():
    """Before anything is learnt: the head says what is read, and keys of unlike pictures differ."""
    tinydl.seed(2)
    model = MemoryNet(PICTURE, 3, 4, 3, width=8, rows=8)
    shown = np.random.default_rng(2).random((4, 3, *PICTURE)).astype("float32")
    labels = np.array([[0, 1, 2], [2, 1, 0], [1, 0, 2], [1, 2, 0]])
    x, told = np.concatenate([shown, shown], axis=1), np.concatenate([labels, labels], axis=1)
    with no_grad():  # the batch's own statistics
        answers = model(Tensor(x), Tensor(told)).numpy()[:, 3:].argmax(axis=-1)
    assert (answers == labels).mean() >= 0.9


def test_the_memory_net_is_told_a_label_one_step_late():
    """A changed label changes what comes after its step, and nothing before."""
    model = made(lambda: MemoryNet(PICTURE, 3, 4, 3, width=3, rows=4))
    x, labels = Tensor(drawn(1, 5, *PICTURE)), np.array([[0, 1, 2, 1, 0]])
    with looking(model):
        first = model(x, Tensor(labels)).numpy()
        labels[0, 2] = 0
        other = model(x, Tensor(labels)).numpy()
    assert np.array_equal(first[:, :3], other[:, :3])
    assert (abs(first[:, 3:] - other[:, 3:]).max(axis=-1) > 0).all()


def test_what_does_not_fit():
    with pytest.raises(ConfigError, match="4 poolings do not fit"):
        PrototypicalNet(PICTURE)
    with pytest.raises(ConfigError, match="a kernel of 9 does not fit"):
        SiameseNet(PICTURE, kernel=9)
    model = MemoryNet(PICTURE, 3, 4, 3)
    with pytest.raises(ShapeError, match=r"labels \(N, T\)"):
        model(Tensor(np.zeros((1, 2, *PICTURE), "float32")), Tensor([[1]]))
    with pytest.raises(ShapeError, match="pictures of one shape"):
        PrototypicalNet(PICTURE, 4, 2)(
            Tensor(np.zeros((2, 1, 8, 8, 1), "float32")),
            Tensor(np.zeros((2, 9, 8, 1), "float32")),
        )
