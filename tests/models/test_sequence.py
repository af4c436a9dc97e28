"""What reads and writes: attention by its formula, search against every sentence there is."""

from itertools import product

import numpy as np
import pytest
from closeness import assert_close

import tinydl
from tinydl import Tensor, no_grad
from tinydl.errors import ConfigError, ShapeError
from tinydl.models import Captioner, ClipClassifier, EncoderDecoder, MemoryNetwork
from tinydl.models.sequence.attention_decoder import END, PAD, START, AttentionDecoder, Seen, Writer
from tinydl.models.sequence.memory_network import position_encoding
from tinydl.models.sequence.search import beam, greedy

V, STEPS = 6, 3  # three words beside the marks
X = np.array([[3, 4, 5, END], [4, 3, END, PAD], [3, END, PAD, PAD]])


def made(seed=0, sharp=4.0, **options):
    """A model in float64 that is decided enough for its greedy sentence not to be the best."""
    tinydl.seed(seed)
    model = EncoderDecoder(7, V, embedding=4, hidden=5, **options).astype("float64")
    for _, p in model.named_parameters():
        p.assign(sharp * p.numpy())
    return model


def log_p(model, x, words):
    """log p of one sentence for one source, by teacher forcing; PAD and START cannot be written."""
    y = np.array([words])
    with no_grad():
        logits = model(Tensor(x[None]), Tensor(y)).numpy()[0].copy()
    logits[:, [PAD, START]] = -np.inf
    logs = logits - np.log(np.exp(logits - logits.max(1, keepdims=True)).sum(1, keepdims=True))
    logs -= logits.max(1, keepdims=True)
    return float(sum(logs[t, w] for t, w in enumerate(words)))


def everything():
    """Every sentence of at most STEPS words, END among them or not."""
    for length in range(1, STEPS + 1):
        for words in product(range(END, V), repeat=length):
            ends = words.count(END)
            if (ends == 1 and words[-1] == END) or (ends == 0 and length == STEPS):
                yield words


@pytest.mark.parametrize("seed, alpha", [(0, 0.0), (1, 0.6), (2, 1.0)])
def test_a_beam_as_wide_as_all_beginnings_finds_the_best_sentence(seed, alpha, on_numpy):
    model = made(seed)
    found = beam(model, Tensor(X), STEPS, (V - END) ** STEPS, alpha)
    for x, words, score in zip(X, found.words, found.scores, strict=True):
        ended = [w for w in everything() if w[-1] == END]
        best = max(ended, key=lambda w: log_p(model, x, w) / ((5 + len(w)) / 6) ** alpha)
        assert tuple(w for w in words if w != PAD) == best
        assert_close(score, np.array(log_p(model, x, best)), 1e-9)


@pytest.mark.parametrize("seed", range(2))
def test_one_beginning_is_the_greedy_sentence(seed, on_numpy):
    model = made(seed)
    one, other = greedy(model, Tensor(X), 7), beam(model, Tensor(X), 7, 1)
    assert np.array_equal(one.words, other.words)
    assert_close(other.scores, one.scores, 1e-9)
    assert_close(other.weights, one.weights, 1e-9)
    for x, words, score in zip(X, one.words, one.scores, strict=True):
        kept = words[words != PAD]
        assert_close(score, np.array(log_p(model, x, kept.tolist())), 1e-9)
        for t in range(len(kept)):
            others = [log_p(model, x, [*kept[:t], w]) for w in range(END, V)]
            assert END + int(np.argmax(others)) == kept[t]


def test_a_step_by_the_formula(on_numpy):
    """Weights, context and logits of Luong's equations, written in NumPy over the states."""
    model = made(3, sharp=1.0)
    decoder, y = model.decoder, np.array([[3, 5, END], [4, END, PAD], [END, PAD, PAD]])
    with no_grad():
        seen = model.read(Tensor(X))
        before = np.concatenate([np.full((3, 1), START), y[:, :-1]], axis=1)
        logits, weights, _ = decoder(Tensor(before), seen)
        states, _ = decoder.recurrent.run(decoder.embed(Tensor(before)), seen.state)
    memory, s, there = seen.memory.numpy(), states.numpy(), X != PAD
    scores = np.einsum("ntq,qm,nsm->nts", s, decoder.attention.weight.weight.numpy(), memory)
    a = np.exp(scores) * there[:, None]
    a /= a.sum(axis=2, keepdims=True)
    assert_close(weights.numpy(), a, 1e-9)
    both = np.concatenate([a @ memory, s], axis=2)
    h = np.tanh(both @ decoder.combine.weight.numpy())
    wanted = h @ decoder.words.weight.numpy() + decoder.words.bias.numpy()
    assert_close(logits.numpy(), wanted, 1e-9)
    assert_close(model(Tensor(X), Tensor(y)).numpy(), wanted, 1e-9)
    places = y != PAD
    logs = wanted - np.log(np.exp(wanted).sum(axis=2, keepdims=True))
    each = np.take_along_axis(logs, y[..., None], axis=2)[..., 0]
    assert_close(model.loss(Tensor(X), Tensor(y)).numpy(), -each[places].mean(), 1e-9)


@pytest.mark.parametrize("attention", [True, False])
def test_what_stands_after_the_end_changes_nothing(attention, on_numpy):
    model, y = made(1, attention=attention), Tensor(np.array([[3, END]] * 3))
    with no_grad():
        short = model(Tensor(X[1:2, :3]), y[:1]).numpy()
        padded = model(Tensor(np.pad(X, ((0, 0), (0, 4)))), y).numpy()
    assert_close(padded[1:2], short, 1e-12)


def test_without_attention_there_is_one_place_to_look_at():
    model = made(attention=False)
    found = greedy(model, Tensor(X), 4)
    assert found.weights.shape[2] == 1 and np.all(found.weights == 1)


def test_an_lstm_decoder_keeps_both_of_its_states(on_numpy):
    """Step by step it writes what it gives for the whole sentence at once."""
    tinydl.seed(2)
    decoder = AttentionDecoder(V, 4, 5, 6, "lstm").astype("float64")
    rng = np.random.default_rng(0)
    draw = lambda *shape: Tensor(rng.normal(size=shape))  # noqa: E731
    memory, state = draw(2, 3, 6), (draw(2, 5), draw(2, 5))

    class Told(Writer):
        def __init__(self):
            self.decoder = decoder

        def read(self, x):
            return Seen(memory, None, state)

    model = Told()
    with no_grad():
        for width in (1, 3):
            found = beam(model, Tensor(np.zeros((2, 1), int)), 4, width, 0.0)
            logits = model(Tensor(np.zeros((2, 1), int)), Tensor(found.words)).numpy().copy()
            logits[:, :, [PAD, START]] = -np.inf
            logs = logits - np.log(np.exp(logits).sum(axis=2, keepdims=True))
            each = np.take_along_axis(logs, found.words[..., None], axis=2)[..., 0]
            each[found.words == PAD] = 0
            assert_close(found.scores, each.sum(axis=1), 1e-9)


def test_refusals():
    with pytest.raises(ConfigError, match="cell must be gru or lstm"):
        AttentionDecoder(V, 4, 5, 6, "rnn")
    with pytest.raises(ConfigError, match="vocabulary must be an integer >= 3"):
        EncoderDecoder(9, 2)
    model = made()
    for wrong in (np.array([3, 4]), np.zeros((1, 2, 3), int)):
        with pytest.raises(ShapeError, match=r"words must be \(N, T\)"):
            model(Tensor(X), Tensor(wrong))
    with pytest.raises(ConfigError, match="width must be an integer >= 1"):
        beam(model, Tensor(X), 3, 0)
    with pytest.raises(ConfigError, match="steps must be an integer >= 1"):
        greedy(model, Tensor(X), 0)
    with pytest.raises(NotImplementedError, match="Writer reads nothing"):
        Writer().read(Tensor(X))


def test_a_memory_is_asked_by_the_formulas(on_numpy):
    """Equations 1 to 3 of Sukhbaatar et al. word by word, three hops."""
    tinydl.seed(0)
    model = MemoryNetwork(9, 4, 5, width=6, hops=3).astype("float64")
    rng = np.random.default_rng(1)
    x = rng.integers(1, 9, (2, 5, 3))
    x[0, 0] = 0  # there is no such sentence
    x[1, 2, 2] = 0  # a short one
    tables = [t.weight.numpy() for t in (model.keys, model.values, model.ask)]
    ages = model.key_ages.numpy(), model.value_ages.numpy()
    with no_grad():
        logits, looked = model.hop(Tensor(x))
    for n in range(2):

        def bag(table, row):
            made = np.zeros(6)
            for j, word in enumerate(row, 1):
                for k in range(1, 7):
                    share = (1 - j / 3) - (k / 6) * (1 - 2 * j / 3)
                    made[k - 1] += share * table[word, k - 1] if word else 0
            return made

        m = [bag(tables[0], row) + ages[0][i] for i, row in enumerate(x[n, :4])]
        c = [bag(tables[1], row) + ages[1][i] for i, row in enumerate(x[n, :4])]
        u = bag(tables[2], x[n, 4])
        for hop in range(3):
            p = np.array([np.exp(u @ row) if x[n, i].any() else 0.0 for i, row in enumerate(m)])
            p /= p.sum()
            assert_close(looked[hop].numpy()[n], p, 1e-9)
            u = u @ model.turn.weight.numpy() + sum(
                share * row for share, row in zip(p, c, strict=True)
            )
        assert_close(logits.numpy()[n], u @ model.answer.weight.numpy(), 1e-9)
    assert_close(position_encoding(3, 6)[2], np.arange(1, 7) / 6, 1e-12)  # the last word


def test_the_order_of_words_and_of_sentences_counts():
    tinydl.seed(0)
    model, x = MemoryNetwork(9, 4, 5), np.random.default_rng(1).integers(1, 9, (1, 5, 3))
    words, sentences = x.copy(), x.copy()
    words[0, 1] = x[0, 1, ::-1]
    sentences[0, [0, 1]] = x[0, [1, 0]]
    with no_grad():
        first, *others = (model(Tensor(rows)).numpy() for rows in (x, words, sentences))
    assert all(np.abs(first - other).max() > 1e-6 for other in others)


def test_a_captioner_sees_places_row_by_row(on_numpy):
    """A picture that is dark but for one pixel changes the memory around that place only."""
    tinydl.seed(0)
    model = Captioner(8, widths=(4, 5), embedding=5, hidden=6).astype("float64")
    x = np.zeros((2, 8, 8, 3))
    x[1, 5, 2] = 1
    with no_grad():
        memory = model.read(Tensor(x)).memory.numpy()
    assert memory.shape == (2, 16, 7)
    changed = (memory[0] != memory[1]).any(axis=1).reshape(4, 4)
    assert changed[2, 1] and not changed[0].any() and not changed[:, 3].any()
    rows, columns = memory[0, :, 5].reshape(4, 4), memory[0, :, 6].reshape(4, 4)
    assert_close(rows[:, 0], np.linspace(-1, 1, 4), 1e-12)
    assert_close(columns[0], np.linspace(-1, 1, 4), 1e-12)


def test_a_clip_is_seen_frame_by_frame(on_numpy):
    tinydl.seed(0)
    model = ClipClassifier((8, 8, 1), 4, widths=(3,), hidden=5).astype("float64")
    x = Tensor(np.random.default_rng(0).uniform(0, 1, (2, 3, 8, 8, 1)))
    with no_grad():
        frames = [model.frames(x[:, t]).numpy() for t in range(3)]
        states, _ = model.memory.run(Tensor(np.stack(frames, axis=1)))
        wanted = model.head(states[:, -1]).numpy()
        assert_close(model(x).numpy(), wanted, 1e-12)
        turned = model(Tensor(x.numpy()[:, ::-1].copy())).numpy()
    assert np.abs(turned - wanted).max() > 1e-6


def test_refusals_of_those_that_read_something_else():
    with pytest.raises(ShapeError, match=r"must be \(N, H, W, 3\)"):
        Captioner(8).read(Tensor(np.zeros((1, 8, 8), np.float32)))
    with pytest.raises(ConfigError, match="hops must be an integer >= 1"):
        MemoryNetwork(9, 4, 5, hops=0)
    with pytest.raises(ShapeError, match=r"must be \(N, 4 \+ 1, T\)"):
        MemoryNetwork(9, 4, 5)(Tensor(np.zeros((1, 4, 3), int)))
    with pytest.raises(ConfigError, match="need multiples of 4"):
        ClipClassifier((10, 8, 1))
    with pytest.raises(ShapeError, match=r"must be \(N, T, 16, 16, 1\)"):
        ClipClassifier()(Tensor(np.zeros((1, 16, 16, 1), np.float32)))
