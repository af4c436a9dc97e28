"""Translators of pictures: pairs and pools, what is measured, what is drawn."""

import numpy as np
import pytest
from cases.generators import PICTURES, two_kinds
from closeness import assert_close, is_close

from tinydl import Generator, nn
from tinydl.baselines import any_of_the_kind, uncut, untranslated
from tinydl.data import cropped_to_ink, sobel_edges
from tinydl.errors import ConfigError, ShapeError
from tinydl.programs.translators import Pool
from tinydl.runs.run import begin


def seen_by(training, monkeypatch):
    """What the critic and the generator are handed in one epoch."""
    seen = {"critic": [], "generator": []}
    for name in seen:
        loss = getattr(training.model, f"{name}_loss")

        def spied(*batch, name=name, loss=loss):
            seen[name].append([t.numpy() for t in batch[:2]])
            return loss(*batch)

        monkeypatch.setattr(training.model, f"{name}_loss", spied, raising=False)
    training.epoch()
    return seen


def test_pairs_stay_together_and_turns_are_taken(monkeypatch):
    training = begin(PICTURES["pairs"]())
    seen = seen_by(training, monkeypatch)
    assert len(seen["critic"]) == 10 and len(seen["generator"]) == 5
    for x, y in seen["critic"]:
        assert x.shape == (32, 8, 8, 1) and is_close(x, -y, 1e-6)
    first = np.concatenate([x for x, _ in seen["critic"]])
    assert len(np.unique(first.reshape(320, -1), axis=0)) == 320, "every picture once"


def test_what_belongs_to_nothing_has_an_order_of_its_own(monkeypatch):
    training = begin(PICTURES["kinds"]())
    seen = seen_by(training, monkeypatch)
    assert len(seen["critic"]) == len(seen["generator"]) == 10
    assert not any(is_close(x, -y, 0, atol=0.5) for x, y in seen["critic"])
    assert training.pool.count == 50


def test_the_critic_sees_older_pictures_and_the_pool_keeps_what_it_gave_for_them():
    pool, rng = Pool(4, [(1,), (1,)], "float32"), Generator(0)
    first = np.arange(4, dtype=np.float32)[:, None]
    shown = pool.exchanged([first, -first], rng)
    assert np.array_equal(shown[0], first), "a pool that is not full shows what it is handed"
    old = 0
    for start in range(4, 404, 4):
        fresh = first + start
        before = set(pool.pictures[0].ravel())
        shown = pool.exchanged([fresh, -fresh], rng)
        assert np.array_equal(shown[0], -shown[1]), "both kinds are exchanged together"
        after = set(pool.pictures[0].ravel())
        assert before | set(fresh.ravel()) == after | set(shown[0].ravel())
        old += int((shown[0] != fresh).sum())
    assert 160 < old < 240, "every second one"
    state, other = pool.state_dict(), Pool(4, [(1,), (1,)], "float32")
    other.load_state_dict(state)
    assert other.count == 4 and np.array_equal(other.pictures[1], pool.pictures[1])
    with pytest.raises(ConfigError, match="Pool: the state is of no pool of 3"):
        Pool(3, [(1,), (1,)], "float32").load_state_dict(state)
    with pytest.raises(ConfigError, match="only a CycleGAN's critics have a pool"):
        begin(PICTURES["pairs"]().replaced(pool=5))


def test_measures_are_what_they_say(monkeypatch):
    training = begin(PICTURES["pairs"]())
    x, y = training.kinds.test
    # The judge has seen digits and no negatives: a translator that gives x back agrees.
    monkeypatch.setattr(training, "translated", lambda pictures, back=False: pictures)
    found = training.measure()
    same = untranslated(training, "test")
    assert same["agreement"] == found["agreement"] > 0.9
    assert any_of_the_kind(training, "test")["agreement"] < 0.4
    assert found["real_agreement"] < 0.5
    assert_close(np.array(found["l1"]), np.array(np.abs(x - y).mean() / 2), 1e-6)
    assert found["l1"] == same["l1"]
    training.kinds.whole = x[::-1]
    assert uncut(training, "test")["agreement"] < 0.4, "in another order"
    table = training.exchanges()
    assert table.sum() == 40 and table.trace() / 40 == found["agreement"]
    other = begin(PICTURES["kinds"]())
    assert {"agreement", "cycle_l1"} <= set(other.epoch())
    plain = other.kinds.plain(other.kinds.test[0])
    assert set(np.unique(plain)) <= {0.0, 1.0}, "thresholded"


def test_pictures_get_smaller_for_the_judge():
    program = PICTURES["pairs"]().program
    kinds = begin(PICTURES["pairs"]()).kinds
    kinds.program = program.replaced(pad=1, shrink=2)
    x = np.arange(36, dtype=np.float32).reshape(1, 6, 6, 1)
    assert_close(
        kinds.plain(2 * x - 1)[0, ..., 0],
        x[0, 1:-1, 1:-1, 0].reshape(2, 2, 2, 2).mean(axis=(1, 3)),
        1e-6,
    )


def test_a_translator_learns_negatives_and_draws_a_page(tmp_path):
    training = begin(PICTURES["pairs"]().replaced(epochs=8, lr=0.01, critic_steps=1))
    before = training.looked_at()
    training.fit()
    assert training.looked_at()["l1"] < 0.5 * before["l1"]
    training.draw(training.model, tmp_path / "page.png", Generator(0))
    assert (tmp_path / "page.png").read_bytes().startswith(b"\x89PNG")


def test_edges_are_where_a_picture_changes():
    x = np.zeros((1, 9, 9))
    x[0, :, 4:] = 1
    edges = sobel_edges(x)[0]
    assert edges[:, 3:5].all() and edges.sum() == 18
    assert not sobel_edges(x + 3).max() < 1 and not sobel_edges(0 * x).any()
    with pytest.raises(ShapeError, match="sobel_edges: needs pictures"):
        sobel_edges(x[0])


def test_a_picture_is_cut_to_its_ink_and_stretched():
    x = np.zeros((2, 10, 10))
    x[0, 2:6, 3:5] = 1
    x[0, 2, 3] = 0.5
    cut = cropped_to_ink(x, 8)
    assert cut.shape == (2, 8, 8) and not cut[1].any()
    wanted = np.ones((8, 8))
    wanted[:2, :4] = 0.5
    assert_close(cut[0], wanted, 1e-6)
    assert_close(cropped_to_ink(x, 3)[0].mean(), np.array(1 - 0.5 / 8), 1e-6)
    with pytest.raises(ShapeError, match="side >= 1"):
        cropped_to_ink(x, 0)


def test_the_l1_variant_has_the_difference_alone():
    training = begin(PICTURES["pairs"]())
    kinds = training.kinds
    batch, model = next(iter(training.batches())), training.model
    model.adversarial = 0.0
    with nn.looking(model):
        found = model.generator_loss(*batch, Generator(0)).item()
        made = model.translate(batch[0])
        wanted = model.weight * np.abs(made.numpy() - batch[1].numpy()).mean()
    assert_close(np.array(found), np.array(wanted), 1e-5)
    assert len(kinds.test[0]) == 40 and len(two_kinds().first.x_test) == 80
