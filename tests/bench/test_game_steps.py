"""The steps of GANs that are timed: losses, gradients, arithmetic."""

import numpy as np
import pytest
from closeness import assert_close
from support import oracle_module

from tinydl.bench import peer_tinydl, peer_torch
from tinydl.bench.cases import CASES, Case
from tinydl.bench.games import BETA, GAMES, RATE, judge, network, players
from tinydl.bench.harness import TOLERANCE, TOLERANCE_OF
from tinydl.bench.inputs import inputs
from tinydl.bench.worker import difference
from tinydl.creation import tensor
from tinydl.measure.profiler import profile

SMALL = [Case(f"{name} small", "gan", f"{name}_game", {"N": 4, "W": 2}) for name in GAMES]


def result(peer, case, times=1, dtype=np.float32):
    run, export = peer.build(case, {k: v.astype(dtype) for k, v in inputs(case).items()})
    for _ in range(times):
        found = [np.asarray(a).copy() for a in export(run())]
    return found


@pytest.mark.parametrize("case", SMALL, ids=lambda c: c.kind)
def test_both_backends_agree_and_a_second_step_starts_from_other_weights(case):
    wanted = result(peer_tinydl.open_peer("numpy", 1), case)
    found = result(peer_tinydl.open_peer("cpu", 1), case)
    assert difference(found, wanted) < TOLERANCE
    assert len(wanted) == (26 if case.kind == "dcgan_game" else 9)
    again = result(peer_tinydl.open_peer("cpu", 1), case, times=2)
    assert difference(again, wanted) > TOLERANCE_OF["gan"] > TOLERANCE


@pytest.mark.oracle
@pytest.mark.parametrize("layout", ["", "channels_last"])
@pytest.mark.parametrize("case", SMALL, ids=lambda c: c.kind)
def test_pytorch_does_the_same_step(case, layout):
    oracle_module("torch")
    wanted = result(peer_tinydl.open_peer("numpy", 1), case)
    assert difference(result(peer_torch.open_peer(layout, 1), case), wanted) < TOLERANCE


@pytest.mark.oracle
@pytest.mark.parametrize("case", SMALL, ids=lambda c: c.kind)
def test_in_float64_nothing_is_left_of_the_difference(case):
    """The tolerance of the book's widths is for kinks: the formulas are the same."""
    oracle_module("torch")
    wanted = result(peer_tinydl.open_peer("cpu", 1), case, dtype=np.float64)
    found = result(peer_torch.open_peer("", 1), case, dtype=np.float64)
    assert wanted[0].dtype == found[0].dtype == np.float64
    assert difference(found, wanted) < 1e-10


def test_the_loss_is_that_of_the_game():
    """WGAN-GP's by its formula, the slope by differences along the penalty's points."""
    case = SMALL[1]
    a = {k: v.astype(np.float64) for k, v in inputs(case).items()}
    made, judged = players(a)
    layers = peer_tinydl.Layers

    def score(x):
        weights = {k: tensor(v, backend="numpy") for k, v in judged.items()}
        return judge(layers, tensor(x, backend="numpy"), weights).numpy()[:, 0]

    from tinydl.bench.games import generate

    weights = {k: tensor(v, backend="numpy") for k, v in made.items()}
    fake = generate(layers, tensor(a["z"], backend="numpy"), weights).numpy()
    mixed = a["share"] * a["x"] + (1 - a["share"]) * fake
    slopes, step = np.zeros((4, 32 * 32)), 1e-6
    for k in range(32 * 32):
        moved = np.zeros(32 * 32)
        moved[k] = step
        moved = moved.reshape(1, 32, 32, 1)
        slopes[:, k] = (score(mixed + moved) - score(mixed - moved)) / (2 * step)
    penalty = ((np.linalg.norm(slopes, axis=1) - 1) ** 2).mean()
    wanted = score(fake).mean() - score(a["x"]).mean() + 10 * penalty
    found = result(peer_tinydl.open_peer("numpy", 1), case)[0]
    assert_close(found, np.array(wanted), 1e-4)
    assert (RATE, BETA) == (0.0002, 0.5)


@pytest.mark.parametrize("case", SMALL, ids=lambda c: c.kind)
def test_the_arithmetic_of_a_step_is_counted(case):
    """Against the products that run: no kernel does more than the formula but for borders."""
    run, _ = peer_tinydl.open_peer("cpu", 1).build(case, inputs(case))
    run()
    with profile() as p:
        run()
    products = ("matmul", "linear", "conv")
    flops = sum(r.flops for r in p.rows() if r.op.startswith(products))
    stated = 2 * case.sizes["N"] * network(case.kind.removesuffix("_game"), 2).multiply_adds
    assert 0.8 * stated < flops < 1.2 * stated, [(r.op, r.flops) for r in p.rows()]
    assert {c.kind for c in CASES if c.group == "gan"} == {c.kind for c in SMALL}
