"""Energy models against all their states written out in NumPy, and what learning does to them."""

from itertools import product

import numpy as np
import pytest
from closeness import assert_close, is_close
from support import load_backend

import tinydl
from tinydl import Generator, Tensor, no_grad
from tinydl.errors import ConfigError, ShapeError
from tinydl.models import (
    DBN,
    RBM,
    BoltzmannMachine,
    GaussianRBM,
    HopfieldNetwork,
    MaskedRBM,
    RatingsRBM,
)
from tinydl.models.energy.partition import (
    all_states,
    annealed_log_partition,
    exact_log_partition,
)
from tinydl.models.energy.ratings_rbm import one_hot_ratings
from tinydl.models.energy.rbm import ascend, book_init, books_gradients, drawn, gradients
from tinydl.nn import cross_entropy
from tinydl.optim import SGD, Adam
from tinydl.train import load_weights, save_weights

V, H = 4, 3
BITS = {n: np.array(list(product((0.0, 1.0), repeat=n))) for n in range(1, 8)}


def wide(kind, *sizes, scale=1.0, seed=0, **options):
    """A float64 machine whose weights and biases are far from 0."""
    model = kind(*sizes, **options).astype("float64")
    rng = np.random.default_rng(seed)
    for p in model.parameters():
        p.assign(rng.normal(scale=scale, size=p.shape))
    return model


def numbers(model):
    return [p.numpy() for p in (model.weight, model.visible_bias, model.hidden_bias)]


def listed(model, v, h):
    """e^-E of every pair of rows of v and h, (len(v), len(h)), from the definition alone."""
    w, a, b = numbers(model)
    return np.exp((v @ a)[:, None] + h @ b + v @ w @ h.T)


def slopes(weights, v, h):
    """<v h>, <v> and <h> under weights (len(v), len(h)), which are made to sum to 1."""
    p = weights / weights.sum()
    return v.T @ p @ h, v.T @ p.sum(axis=1), h.T @ p.sum(axis=0)


def minus(a, b):
    return [x - y for x, y in zip(a, b, strict=True)]


def exact_slopes(model, data):
    """The slope of mean log P(v) of data rows, over all 2^(V + H) states."""
    v, h = BITS[V], BITS[H]
    held = [slopes(listed(model, row[None], h), row[None], h) for row in data]
    mean = [np.mean(parts, axis=0) for parts in zip(*held, strict=True)]
    return minus(mean, slopes(listed(model, v, h), v, h))


DATA = BITS[V][[1, 5, 5, 14]]

# -- energies and likelihood -----------------------------------------------------------------------


def test_all_states_count_up():
    assert all_states(2).tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert all_states(0).shape == (1, 0)
    with pytest.raises(ConfigError, match="0 to 16 units"):
        all_states(17)


def test_energies_are_those_of_the_definition(on_numpy):
    model = wide(RBM, V, H)
    v, h = BITS[V], BITS[H]
    table = listed(model, v, h)
    pairs = np.array(list(product(range(len(v)), range(len(h)))))
    energy = model.energy(Tensor(v[pairs[:, 0]]), Tensor(h[pairs[:, 1]])).numpy()
    assert_close(np.exp(-energy), table.ravel(), 1e-12)
    assert_close(np.exp(-model.free_energy(Tensor(v)).numpy()), table.sum(axis=1), 1e-12)
    assert_close(np.exp(model.log_sum_visible(Tensor(h)).numpy()), table.sum(axis=0), 1e-12)
    assert_close(exact_log_partition(model).numpy(), np.log(table.sum()), 1e-12)
    assert_close(model(Tensor(v)).numpy(), table @ h / table.sum(axis=1)[:, None], 1e-12)
    back = table.T @ v / table.sum(axis=0)[:, None]
    assert_close(model.visible(Tensor(h)).numpy(), back, 1e-12)


def test_a_gaussian_machine_is_a_mixture_of_normals(on_numpy):
    """Its density on a fine grid: of every h, of all of them, and its conditionals."""
    model = wide(GaussianRBM, 2, H, seed=3)
    line = np.linspace(-10, 10, 201)
    v, h = np.array(list(product(line, line))), BITS[H]
    w, a, b = numbers(model)
    table = np.exp(-((v - a) ** 2).sum(axis=1)[:, None] / 2 + h @ b + v @ w @ h.T)
    cell = (line[1] - line[0]) ** 2
    log_sums = np.log(table.sum(axis=0) * cell)
    assert_close(model.log_sum_visible(Tensor(h)).numpy(), log_sums, 1e-6)
    assert_close(exact_log_partition(model).numpy(), np.log(table.sum() * cell), 1e-6)
    assert_close(np.exp(-model.free_energy(Tensor(v)).numpy()), table.sum(axis=1), 1e-10)
    means = table.T @ v / table.sum(axis=0)[:, None]
    assert_close(model.visible(Tensor(h)).numpy(), means, 1e-6)
    draws = model.sample_visible(Tensor(np.repeat(h[-1:], 20_000, axis=0)), Generator(0)).numpy()
    assert_close(draws.mean(axis=0), means[-1], 0, atol=0.03)
    assert_close(np.cov(draws.T), np.eye(2), 0, atol=0.04)


def test_a_machine_of_ratings_has_one_rating_per_film(on_numpy):
    items, ratings = 2, 3
    model = wide(RatingsRBM, items, ratings, H)
    v = one_hot_ratings(np.array(list(product(range(1, ratings + 1), repeat=items))), ratings)
    v, h = v.astype(np.float64), BITS[H]
    table = listed(model, v, h)
    assert_close(np.exp(-model.free_energy(Tensor(v)).numpy()), table.sum(axis=1), 1e-12)
    assert_close(exact_log_partition(model).numpy(), np.log(table.sum()), 1e-12)
    share = table.T @ v / table.sum(axis=0)[:, None]
    assert_close(model.visible(Tensor(h)).numpy(), share, 1e-12)
    draws = model.sample_visible(Tensor(np.repeat(h[5:6], 20_000, axis=0)), Generator(0)).numpy()
    assert np.array_equal(draws.reshape(-1, items, ratings).sum(axis=2), np.ones((20_000, items)))
    assert_close(draws.mean(axis=0), share[5], 0, atol=0.02)
    p = model.reconstruct(Tensor(v)).numpy().reshape(-1, items, ratings)
    assert_close(model.stars(Tensor(v)).numpy(), p @ np.arange(1, ratings + 1), 1e-12)


# -- gradients -------------------------------------------------------------------------------------


def test_the_slope_of_the_likelihood_is_the_difference_of_two_means(on_numpy):
    model = wide(RBM, V, H)
    loss = model.free_energy(Tensor(DATA)).mean() + exact_log_partition(model)
    loss.backward()
    for p, slope in zip(model.parameters(), exact_slopes(model, DATA), strict=True):
        assert_close(-p.grad.numpy(), slope, 1e-10)


def chained(model, data, steps):
    """Rows of P(v) after `steps` Gibbs steps from each data row, by matrices of transitions."""
    table = listed(model, BITS[V], BITS[H])
    step = (table / table.sum(axis=1)[:, None]) @ (table / table.sum(axis=0)).T
    start = np.array([np.all(BITS[V] == row, axis=1) for row in data], float)
    return start @ np.linalg.matrix_power(step, steps)


def expected_slopes(model, data, steps):
    """What contrastive divergence with so many steps gives in the mean over its draws."""
    w, _, b = numbers(model)

    def means(v, weights):
        p = 1 / (1 + np.exp(-(b + v @ w)))
        return (v * weights[:, None]).T @ p, weights @ v, weights @ p

    ends = chained(model, data, steps).mean(axis=0)
    return minus(means(data, np.full(len(data), 1 / len(data))), means(BITS[V], ends))


@pytest.mark.parametrize("steps", [1, 3])
def test_contrastive_divergence_is_right_in_the_mean(steps):
    """40,000 chains against the transition matrices; a mean of 0..1 has an error below 1/400."""
    model = wide(RBM, V, H, seed=1, scale=2.0)
    many = Tensor(np.repeat(DATA, 10_000, axis=0))
    loss = model.contrastive_divergence(many, steps, Generator(0))
    loss.backward()
    for p, slope in zip(model.parameters(), expected_slopes(model, DATA, steps), strict=True):
        assert_close(-p.grad.numpy(), slope, 0, atol=4 / 400)


def test_more_steps_come_nearer_to_the_likelihood(on_numpy):
    model = wide(RBM, V, H, seed=1, scale=2.0)
    exact = exact_slopes(model, DATA)
    away = [
        max(np.abs(x).max() for x in minus(expected_slopes(model, DATA, k), exact))
        for k in (1, 2, 4, 8, 3000)
    ]
    assert away == sorted(away, reverse=True) and away[0] > 0.05 and away[-1] < 1e-10


def test_the_loss_has_the_slopes_that_the_papers_print(on_numpy):
    for kind, sizes in ((RBM, (V, H)), (MaskedRBM, (V, H)), (RatingsRBM, (2, 2, H))):
        model = wide(kind, *sizes)
        v, end = (Tensor(BITS[4][rows]) for rows in ([5, 6, 9], [9, 10, 6]))
        model.difference(v, end).backward()
        for p, slope in zip(model.parameters(), gradients(model, v, end), strict=True):
            assert_close(-p.grad.numpy(), slope.numpy(), 1e-12)


def test_the_books_gradient_is_one_row_for_all_units(on_numpy):
    model = wide(RBM, V, H)
    v, end = Tensor(DATA), Tensor(BITS[V][[0, 3, 7, 8]])
    right, book = gradients(model, v, end), books_gradients(model, v, end)
    assert book[0].shape == (H,)
    assert_close(book[0].numpy(), right[0].numpy().mean(axis=0) * len(DATA), 1e-12)
    assert [np.array_equal(a.numpy(), b.numpy()) for a, b in zip(right[1:], book[1:], strict=True)]
    before = model.weight.numpy().copy()
    ascend(model, book, 0.5)
    assert_close(model.weight.numpy() - before, np.tile(0.5 * book[0].numpy(), (V, 1)), 1e-9)


def prototypes(n, seed):
    """Five patterns of 40 bits, of which 5 % are turned: (n, 40) float32."""
    patterns = np.random.default_rng(0).random((5, 40)) < 0.5
    rng = np.random.default_rng(seed)
    x = patterns[rng.integers(0, 5, n)]
    return (x ^ (rng.random(x.shape) < 0.05)).astype(np.float32)


@pytest.mark.parametrize("rule, least, most", [(gradients, 0.0, 0.1), (books_gradients, 0.3, 0.5)])
def test_five_prototypes_are_learnt_but_not_by_the_books_gradient(rule, least, most):
    """The share of bits that come back wrong; 5 % of them are noise."""
    tinydl.seed(0)
    x, model, rng = prototypes(500, 1), RBM(40, 20, book_init), Generator(1)
    for _ in range(30):
        for start in range(0, len(x), 20):
            v = Tensor(x[start : start + 20])
            ascend(model, rule(model, v, model.gibbs(v, 2, rng)), 0.1)
    wrong = ((model.reconstruct(Tensor(x)).numpy() > 0.5) != (x > 0.5)).mean()
    assert least <= wrong <= most


@pytest.mark.parametrize("persistent", [False, True])
def test_learning_raises_the_exact_likelihood(persistent):
    tinydl.seed(0)
    model, rng = RBM(V, H, chains=64).astype("float64"), Generator(0)
    data, optimizer = Tensor(DATA), SGD(model.parameters(), lr=0.2)

    def likelihood():
        with no_grad():
            return -(model.free_energy(data).mean() + exact_log_partition(model)).item()

    assert_close(likelihood(), -V * np.log(2), 0.05)
    method = model.persistent_divergence if persistent else model.contrastive_divergence
    for _ in range(600):
        loss = method(data, 1, rng)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    best = -1.5 * np.log(2)  # of the three patterns one comes twice: their entropy
    assert best - 0.35 < likelihood() <= best


# -- chains ----------------------------------------------------------------------------------------


def test_persistent_chains_go_on_and_are_saved(tmp_path):
    model = wide(RBM, V, H, chains=5000, seed=1)
    rng = Generator(0)
    for _ in range(30):
        model.persistent_divergence(Tensor(DATA), 1, rng)
    table = listed(model, BITS[V], BITS[H])
    exact = table.sum(axis=1) @ BITS[V] / table.sum()
    assert_close(model.chains.numpy().mean(axis=0), exact, 0, atol=0.03)
    other = wide(RBM, V, H, chains=5000, seed=2)
    save_weights(model, tmp_path / "rbm.safetensors")
    load_weights(other, tmp_path / "rbm.safetensors")
    again = Generator(0)
    again.load_state_dict(rng.state_dict())
    losses = [
        m.persistent_divergence(Tensor(DATA), 2, g) for m, g in ((model, rng), (other, again))
    ]
    assert losses[0].item() == losses[1].item()
    assert np.array_equal(model.chains.numpy(), other.chains.numpy())
    with pytest.raises(ConfigError, match="made without chains="):
        RBM(V, H).persistent_divergence(Tensor(DATA.astype(np.float32)), 1, rng)


def test_what_is_absent_stays_absent_and_learns_nothing(on_numpy):
    """Films nobody rated could as well not be there."""
    v = Tensor(np.array([[0.2, 0, 1.0, 0], [0.6, 0, 0.4, 0]]))
    model = wide(MaskedRBM, V, H)
    end = model.gibbs(v, 3, Generator(0))
    assert np.array_equal(end.numpy() > 0, v.numpy() > 0)
    model.difference(v, end).backward()
    assert not model.weight.grad.numpy()[[1, 3]].any() and model.weight.grad.numpy()[[0, 2]].all()
    small = wide(MaskedRBM, 2, H)
    for mine, theirs in zip(small.parameters(), model.parameters(), strict=True):
        mine.assign(theirs.numpy()[[0, 2]] if len(theirs) == V else theirs.numpy())
    kept = Tensor(v.numpy()[:, [0, 2]])
    assert_close(small.free_energy(kept).numpy(), model.free_energy(v).numpy(), 1e-12)
    assert_close(small.gibbs(kept, 3, Generator(0)).numpy(), end.numpy()[:, [0, 2]], 1e-12)


def test_absent_ratings_stay_absent(on_numpy):
    stars = np.array([[0, 3, 1], [2, 0, 0]])
    v = Tensor(one_hot_ratings(stars, 3).astype(np.float64))
    assert v.numpy().tolist()[1] == [0, 1, 0, 0, 0, 0, 0, 0, 0]
    model = wide(RatingsRBM, 3, 3, H)
    end = model.gibbs(v, 4, Generator(0)).numpy().reshape(2, 3, 3)
    assert np.array_equal(end.sum(axis=2), stars > 0)
    assert model.stars(v).shape == (2, 3)
    for wrong in (np.array([[4]]), np.array([[0.5]]), np.array([1, 2])):
        with pytest.raises(ShapeError, match=r"of 0 \.\.\. 3"):
            one_hot_ratings(wrong, 3)


@pytest.mark.parametrize("name", ["cpu", "opencl"])
@pytest.mark.parametrize(
    "kind, sizes",
    [(RBM, (8, 6)), (GaussianRBM, (8, 6)), (MaskedRBM, (8, 6)), (RatingsRBM, (4, 2, 6))],
)
def test_backends_draw_and_answer_the_same(kind, sizes, name):
    load_backend(name)
    tinydl.seed(1)
    model = wide(kind, *sizes).astype("float32").to("numpy")
    v = one_hot_ratings(np.random.default_rng(0).integers(0, 3, (16, 4)), 2)
    found = []
    for backend in ("numpy", name):
        x = Tensor(v, backend=backend)
        model.to(backend)
        end = model.gibbs(x, 2, Generator(3))
        found.append([y.numpy() for y in (model(x), model.free_energy(end), end)])
    for want, got in zip(*found, strict=True):
        assert_close(got, want, 1e-5)


# -- annealed importance sampling ------------------------------------------------------------------


@pytest.mark.parametrize("scale", [0.3, 1.0])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_annealed_estimate_holds_the_exact_value(scale, seed):
    model = wide(RBM, 10, 8, scale=scale, seed=seed)
    exact = exact_log_partition(model).item()
    bias = model.visible_bias.numpy()
    for base in (None, bias):
        found = annealed_log_partition(model, Generator(seed), 200, 300, base)
        assert abs(found.log_z - exact) < 3 * found.error < 0.3


def test_without_weights_one_temperature_is_exact():
    model = wide(RBM, 5, 3)
    model.weight.assign(np.zeros((5, 3)))
    found = annealed_log_partition(model, Generator(0), 3, 1, model.visible_bias.numpy())
    want = exact_log_partition(model).item()
    assert_close(found.log_z, want, 1e-12)
    assert found.error < 1e-12


# -- Boltzmann machine -----------------------------------------------------------------------------


def test_the_boltzmann_machine_learns_by_two_phases(on_numpy):
    """d log P(v) / d w_ij = <s_i s_j> held - <s_i s_j> free, over all states."""
    model = wide(BoltzmannMachine, 3, 2)
    s, w, b = BITS[5], model.matrix(), model.bias.numpy()
    p = np.exp(0.5 * np.einsum("ni,ij,nj->n", s, w, s) + s @ b)
    assert_close(np.exp(-model.energy(Tensor(s)).numpy()), p, 1e-12)
    held_at = BITS[3][[1, 6]]
    log_p, second, first = [], [], []
    for row in held_at:
        held = p * (s[:, :3] == row).all(axis=1)
        log_p.append(np.log(held.sum() / p.sum()))
        second.append((s.T * held) @ s / held.sum() - (s.T * p) @ s / p.sum())
        first.append(held @ s / held.sum() - p @ s / p.sum())
    assert_close(model(Tensor(held_at)).numpy(), log_p, 1e-12)
    model.loss(Tensor(held_at)).backward()
    pairs = np.triu_indices(5, 1)
    assert_close(-model.weight.grad.numpy(), np.mean(second, axis=0)[pairs], 1e-10)
    assert_close(-model.bias.grad.numpy(), np.mean(first, axis=0), 1e-10)
    ends = model.gibbs(Tensor(np.zeros((4000, 5))), 20, Generator(0)).numpy()
    assert_close(ends.mean(axis=0), p @ s / p.sum(), 0, atol=0.04)


def test_a_hidden_unit_is_needed_for_parity():
    """Without one no weights between pairs tell even from odd: 3 bits of parity are 2 log 2."""
    even = Tensor(BITS[3][BITS[3].sum(axis=1) % 2 == 0])
    best = {}
    for hidden in (0, 1):
        model = wide(BoltzmannMachine, 3, hidden, seed=2)
        optimizer = Adam(model.parameters(), lr=0.2)
        for _ in range(250):
            loss = model.loss(even)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        best[hidden] = loss.item()
    assert best[0] == pytest.approx(3 * np.log(2), abs=1e-3)
    assert best[1] < 2.1 * np.log(2)


# -- Hopfield network ------------------------------------------------------------------------------


def signs(p, n, seed=0):
    return np.random.default_rng(seed).choice((-1.0, 1.0), (p, n))


def test_the_hopfield_network_recalls_what_it_stored():
    network, patterns = HopfieldNetwork(200), signs(10, 200)
    network.store(patterns[:4])
    network.store(patterns[4:])
    assert np.array_equal(network.weight, network.weight.T) and not network.weight.diagonal().any()
    for k, x in enumerate(patterns):
        damaged = np.where(np.random.default_rng(k).random(200) < 0.15, -x, x)
        seen = network.recall(damaged, Generator(k))
        assert np.array_equal(seen[-1], x) and np.array_equal(seen[-1], seen[-2])
        energies = network.energy(np.array(seen))
        assert (np.diff(energies[:-1]) < 0).all() and energies[-1] == energies[-2]
        assert np.array_equal(network.recall(-x, Generator(0))[-1], -x)  # as deep a valley


def test_beyond_its_capacity_the_hopfield_network_forgets():
    """0.138 n: with n / 10 patterns nearly every unit stays, with n / 3 few patterns do."""
    stays = {}
    for p in (20, 66):
        network, patterns = HopfieldNetwork(200), signs(p, 200)
        network.store(patterns)
        ends = np.array([network.recall(x, Generator(0))[-1] for x in patterns])
        stays[p] = (ends == patterns).mean()
    assert stays[20] > 0.97 and stays[66] < 0.85


def test_a_unit_without_a_field_stays_and_one_pattern_by_hand():
    network = HopfieldNetwork(3)
    start = np.array([1.0, -1.0, 1.0])
    assert np.array_equal(network.recall(start, Generator(0))[-1], start)
    network.store(start[None])
    assert_close(network.weight, np.array([[0, -1, 1], [-1, 0, -1], [1, -1, 0]]) / 3, 1e-15)
    assert_close(network.energy(np.array([[1, -1, 1], [1, 1, 1]])), [-1, 1 / 3], 1e-15)


# -- deep belief network ---------------------------------------------------------------------------


def test_sizes_and_first_weights_are_the_books():
    tinydl.seed(0)
    dbn = DBN()
    assert [m.count_parameters() for m in dbn.machines] == [16_704, 131_840]
    assert dbn.classifier().count_parameters() == 153_354
    weight = RBM(64, 256, book_init).weight.numpy()
    assert 0.078 < np.abs(weight).max() <= np.sqrt(2 / 320)


def test_a_layer_learns_alone_and_hands_on_probabilities():
    tinydl.seed(0)
    dbn = DBN((6, 5, 4)).astype("float64")
    x = Tensor(BITS[6][::7])
    assert np.array_equal(dbn.features(x, 0).numpy(), x.numpy())
    below = dbn.machines[0].hidden(x)
    assert_close(dbn(x).numpy(), dbn.machines[1].hidden(below).numpy(), 1e-15)
    loss = dbn.loss(x, 1, 2, Generator(5))
    want = dbn.machines[1].contrastive_divergence(below.detach(), 2, Generator(5))
    assert loss.item() == want.item()
    loss.backward()
    assert all(p.grad is None for p in dbn.machines[0].parameters())
    assert all(p.grad is not None for p in dbn.machines[1].parameters())


def test_the_classifier_begins_as_the_machines_and_is_fine_tuned():
    tinydl.seed(0)
    dbn = wide(DBN, (6, 5, 4))
    network = dbn.classifier(2)
    x, t = Tensor(BITS[6][::4]), Tensor(BITS[6][::4][:, 0].astype(np.int64))
    features = dbn(x).numpy()
    last = network.layers[-1]
    assert_close(network(x).numpy(), features @ last.weight.numpy() + last.bias.numpy(), 1e-12)
    optimizer = Adam(network.parameters(), lr=0.05)
    for _ in range(100):
        loss = cross_entropy(network(x), t)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.05
    assert_close(dbn(x).numpy(), features, 0)  # a copy: the machines are as they were


# -- what cannot be --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda: RBM(0, 3), ConfigError, "RBM: visible"),
        (lambda: RBM(3, 2, chains=-1), ConfigError, "chains"),
        (lambda: RatingsRBM(0, 5, 3), ConfigError, "RatingsRBM: items"),
        (lambda: RBM(4, 3)(tinydl.zeros((2, 5))), ShapeError, r"RBM: v must be \(N, 4\)"),
        (lambda: RBM(4, 3).gibbs(tinydl.zeros((2, 4)), 0, Generator(0)), ConfigError, "steps"),
        (lambda: exact_log_partition(RBM(4, 17)), ConfigError, "0 to 16 units"),
        (
            lambda: annealed_log_partition(GaussianRBM(4, 3), Generator(0)),
            ConfigError,
            "an RBM of bits",
        ),
        (lambda: BoltzmannMachine(16, 1), ConfigError, "at most 16 units"),
        (lambda: BoltzmannMachine(3, 1)(tinydl.zeros((2, 4))), ShapeError, r"v must be \(N, 3\)"),
        (lambda: BoltzmannMachine(3, 1).energy(tinydl.zeros((2, 3))), ShapeError, r"\(\.\.\., 4\)"),
        (lambda: HopfieldNetwork(0), ConfigError, "units"),
        (lambda: HopfieldNetwork(3).store(np.zeros((1, 3))), ConfigError, "-1 and 1 only"),
        (lambda: HopfieldNetwork(3).store(np.ones((1, 4))), ShapeError, r"\(N, 3\)"),
        (lambda: DBN((5,)), ConfigError, "at least two sizes"),
    ],
)
def test_errors_say_what_is_wrong(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_draws_follow_their_probabilities():
    p = Tensor(np.tile([0.0, 0.25, 1.0], (20_000, 1)))
    x = drawn(p, Generator(0)).numpy()
    assert set(np.unique(x)) == {0.0, 1.0}
    assert x[:, 0].max() == 0 and x[:, 2].min() == 1 and abs(x[:, 1].mean() - 0.25) < 0.015
    assert not is_close(x[0], x[1], 0) or not is_close(x[1], x[2], 0)
