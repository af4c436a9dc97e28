"""What the ranks of test_parallel.py run: `mpirun -n N python ranks_job.py CASE FOLDER`; with
CASE "alone" the same training in one process."""

import os
import signal
import sys
from pathlib import Path

import numpy as np

import tinydl as td
from tinydl import nn, optim
from tinydl.data import Batches
from tinydl.train import Checkpoint, Ranks, WriteHistory, fit

SAMPLES, BATCH = 61, 13  # the last batch has 9
CASE, FOLDER = sys.argv[1], Path(sys.argv[2])


def parts(dtype="float32", dropout=0.0):
    """Model, optimiser and data, the same on every rank."""
    td.seed(0)
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((SAMPLES, 10)).astype(dtype), rng.integers(0, 3, SAMPLES)
    layers = [
        nn.Linear(10, 16, bias=not dropout),
        nn.BatchNorm(16) if dropout else nn.Tanh(),
        nn.Dropout(dropout),
    ]
    model = nn.Sequential(*layers, nn.Linear(16, 3)).astype(dtype)
    return model, optim.SGD(model.parameters(), lr=0.1, momentum=0.9), x, y


def trained(parallel, dtype, accumulate=1):
    model, optimizer, x, y = parts(dtype)
    options = {} if parallel is None else {"parallel": parallel}
    history = fit(
        model, Batches(x, y, batch_size=BATCH), nn.cross_entropy, optimizer, epochs=4,
        metrics=["accuracy"], validation=(x[:7], y[:7]), accumulate=accumulate, **options,
    )  # fmt: skip
    rows = [{k: v for k, v in row.items() if k != "seconds"} for row in history]
    return model.state_dict(), np.array([list(row.values()) for row in rows])


def exact(parallel):
    for dtype in ("float32", "float64"):
        for accumulate in (1, 3):
            state, rows = trained(parallel, dtype, accumulate)
            if parallel is None or parallel.rank == 0:
                np.savez(FOLDER / f"{CASE}_{dtype}_{accumulate}.npz", rows=rows, **state)


def norms(ranks):
    """Batch norm over the rows of all ranks."""
    for dtype in ("float32", "float64"):
        model, optimizer, x, y = parts(dtype, dropout=1e-30)
        if ranks is not None:
            ranks.synchronize(model)
        options = {} if ranks is None else {"parallel": ranks}
        data = Batches(x, y, batch_size=BATCH)
        fit(model, data, nn.cross_entropy, optimizer, epochs=4, **options)
        if ranks is None or ranks.rank == 0:
            np.savez(FOLDER / f"{CASE}_{dtype}.npz", **model.state_dict())


def own_loop(ranks):
    """The five lines of the docstring, with fewer samples than ranks in the last batch."""
    model, optimizer, x, y = parts("float64")
    batches = Batches(x, y, batch_size=SAMPLES - 1)
    if ranks is not None:
        ranks.begin(model, batches)
    for _ in range(5):
        for xs, ys in batches if ranks is None else ranks.parts(batches):
            optimizer.zero_grad()
            nn.cross_entropy(model(td.Tensor(xs)), td.Tensor(ys)).backward()
            if ranks is not None:
                ranks.average(optimizer.parameters)
            optimizer.step()
    if ranks is None or ranks.rank == 0:
        np.savez(FOLDER / f"{CASE}.npz", **model.state_dict())


class Odd:
    """A callback that does something on one rank."""

    def __init__(self, ranks, act):
        self.ranks, self.act = ranks, act

    def on_batch_end(self, state):
        if self.ranks.rank == 1 and state.epoch == 1:
            self.act(state)


def kill(state):
    os.kill(os.getpid(), signal.SIGKILL)


def fail(state):
    raise RuntimeError("this rank has had enough")


def wander(state):
    (weight, *_) = state.model.parameters()
    weight.assign(weight.numpy() + 1)


def stop(state):
    state.stop = True


def faulty(ranks):
    act = {"killed": kill, "raises": fail, "wanders": wander, "stops": stop}.get(CASE)
    model, optimizer, x, y = parts(dropout=0.5)
    if CASE == "other-data" and ranks.rank == 1:
        x = x + 1
    callbacks = [Checkpoint(FOLDER / "checkpoint"), WriteHistory(FOLDER / "history.csv")]
    callbacks += [Odd(ranks, act)] if act else []
    data = Batches(x, y, batch_size=BATCH)
    history = fit(model, data, "cross_entropy", optimizer, 3, callbacks=callbacks, parallel=ranks)
    draws = td.random.default_generator().uniform(4)
    np.savez(FOLDER / f"rank{ranks.rank}.npz", draws=draws, epochs=len(history))


def program(ranks):
    """A small recipe of the tests, by SGD with momentum, in float64."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from recipes.test_programs import small

    from tinydl.experiment.program import Settings
    from tinydl.programs import two_players
    from tinydl.runs.run import begin

    def momentum(parameters, lr, *_):
        return optim.SGD(parameters, lr, momentum=0.9)

    two_players.Adam = momentum
    for name in ("ring-gan", "text"):
        recipe = small(name, 2)
        if name == "text":
            sizes = {**recipe.program.architecture, "dropout": 0.0}
            recipe = recipe.replaced(optimizer=momentum, architecture=sizes)
        training = begin(recipe, Settings(dtype="float64"))
        training.parallel = training.parallel if ranks is None else ranks
        rows = [[v for k, v in row.items() if k != "seconds"] for row in training.fit()]
        if training.parallel.rank == 0:
            np.savez(FOLDER / f"{CASE}_{name}.npz", rows=rows, **training.model.state_dict())


if __name__ == "__main__":
    ranks = None if CASE.startswith("alone") else Ranks()
    if "exact" in CASE:
        exact(ranks)
    elif "norms" in CASE:
        norms(ranks)
    elif "loop" in CASE:
        own_loop(ranks)
    elif "program" in CASE:
        program(ranks)
    else:
        faulty(ranks)
