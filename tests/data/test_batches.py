"""Batches: what an epoch holds, for every prefetch depth; exact resume; no thread left behind."""

import gc
import json
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinydl import Tensor, seed
from tinydl.data import Batches, Samples, take
from tinydl.errors import ConfigError, DTypeError, ShapeError
from tinydl.random import Generator


def prefetch_threads():
    return [t for t in threading.enumerate() if t.name == "tinydl-prefetch"]


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    gc.collect()
    assert prefetch_threads() == []


def noisy(batch, rng):
    """Draws a number of values that depends on the batch, as augmentation may."""
    return batch[0] + rng.uniform(len(batch[0]) % 3 + 1)[0], batch[1]


def pair(n):
    return np.arange(n, dtype=np.float32), np.arange(n, dtype=np.int64) * 10


def flat(epoch):
    return [tuple(part.tolist() for part in batch) for batch in epoch]


def test_in_order_without_shuffling():
    x, y = pair(7)
    batches = Batches((x, y), 3, shuffle=False)
    assert len(batches) == 3
    for _ in range(2):
        parts = list(batches)
        assert [len(a) for a, _ in parts] == [3, 3, 1]
        assert np.array_equal(np.concatenate([a for a, _ in parts]), x)
        assert np.array_equal(np.concatenate([b for _, b in parts]), y)
    assert batches.epoch == 2


def test_batches_are_fresh_contiguous_copies_of_the_same_dtype():
    x = np.asfortranarray(np.arange(24, dtype=np.uint8).reshape(6, 4))
    before = x.copy()
    for shuffle in (False, True):
        for (part,) in Batches((x,), 4, shuffle=shuffle, rng=Generator(0)):
            assert part.flags.c_contiguous and part.flags.owndata and part.dtype == np.uint8
            part[:] = 99
    assert np.array_equal(x, before)


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(1, 12), st.booleans(), st.integers(0, 3), st.integers(0, 99))
def test_an_epoch_holds_every_sample_once(n, size, drop_last, prefetch, seed):
    if drop_last and n < size:
        return
    batches = Batches(pair(n), size, rng=Generator(seed), drop_last=drop_last, prefetch=prefetch)
    for _ in range(2):
        parts = list(batches)
        assert len(parts) == len(batches) == (n // size if drop_last else -(-n // size))
        x = np.concatenate([a for a, _ in parts])
        y = np.concatenate([b for _, b in parts])
        assert np.array_equal(x * 10, y)  # the arrays stay aligned
        assert len(set(x.tolist())) == len(x) == (len(batches) * size if drop_last else n)


def test_the_order_changes_each_epoch_and_follows_the_seed():
    def epochs(seed):
        batches = Batches(pair(50), 50, rng=Generator(seed))
        return [next(iter(batches))[0].tolist() for _ in range(3)]

    first = epochs(1)
    assert first == epochs(1)
    assert first[0] != first[1] != first[2] != first[0]
    assert first != epochs(2)


def test_other_draws_from_the_callers_rng_do_not_matter():
    plain, used = Generator(5), Generator(5)
    a, b = Batches(pair(20), 4, rng=plain), Batches(pair(20), 4, rng=used)
    used.uniform(1000)
    assert flat(a) == flat(b)


@settings(deadline=None, max_examples=60)
@given(
    n=st.integers(1, 25),
    size=st.integers(1, 8),
    shuffle=st.booleans(),
    drop_last=st.booleans(),
    prefetch=st.integers(0, 3),
    later_prefetch=st.integers(0, 3),
    seed=st.integers(0, 2**64 - 1),
    data=st.data(),
)
def test_resume_after_any_batch(n, size, shuffle, drop_last, prefetch, later_prefetch, seed, data):
    drop_last = drop_last and n >= size
    epochs, options = 3, {"shuffle": shuffle, "drop_last": drop_last, "transform": noisy}
    batches = Batches(pair(n), size, rng=Generator(seed), prefetch=prefetch, **options)
    states = [json.dumps(batches.state_dict())]  # the state after 0, 1, 2, ... batches
    stream = []
    for _ in range(epochs):
        for batch in batches:
            stream += flat([batch])
            states.append(json.dumps(batches.state_dict()))
        if data.draw(st.booleans()):
            states[-1] = json.dumps(batches.state_dict())  # taken after the epoch's end instead
    taken = data.draw(st.integers(0, len(states) - 1))
    state = json.loads(states[taken])
    resumed = Batches(pair(n), size, rng=Generator(1), prefetch=later_prefetch, **options)
    next(iter(resumed))  # whatever it did before is forgotten
    resumed.load_state_dict(state)
    assert resumed.state_dict() == state
    rest = [batch for _ in range(epochs - state["epoch"]) for batch in flat(resumed)]
    assert rest == stream[taken:]
    assert resumed.epoch == epochs


@pytest.mark.parametrize("prefetch", [1, 2, 5])
def test_abandoned_epochs_do_not_depend_on_prefetch(prefetch):
    def run(depth):
        batches = Batches(pair(30), 4, rng=Generator(3), transform=noisy, prefetch=depth)
        seen = []
        for stop in (2, 5, 99):
            for k, batch in enumerate(batches):
                seen += flat([batch])
                if k == stop:
                    break
        return seen, batches.epoch, batches.state_dict()

    assert run(0) == run(prefetch)


def test_state_of_an_interrupted_and_restarted_epoch_counts_it():
    batches = Batches(pair(10), 3, rng=Generator(0))
    next(iter(batches))
    assert (batches.state_dict()["epoch"], batches.state_dict()["batch"]) == (0, 1)
    list(batches)
    assert (batches.state_dict()["epoch"], batches.state_dict()["batch"]) == (2, 0)


def test_an_epoch_abandoned_after_a_resume_starts_anew():
    batches = Batches(pair(10), 3, rng=Generator(0))
    iterator = iter(batches)
    next(iterator)
    state = batches.state_dict()
    follow = Batches(pair(10), 3, rng=Generator(0))
    follow.load_state_dict(state)
    next(iter(follow))  # the second batch, then left
    epochs = [list(batches) for batches in (follow, follow)]
    assert [len(epoch) for epoch in epochs] == [4, 4]
    assert follow.epoch == 3


def test_an_older_iterator_is_refused():
    batches = Batches(pair(10), 3, rng=Generator(0), prefetch=1)
    old = iter(batches)
    next(old)
    new = iter(batches)
    first = next(new)
    with pytest.raises(ConfigError, match="stale"):
        next(old)
    assert len(first[0]) == 3 and len(list(new)) == 3


def test_prefetch_runs_in_a_thread_and_stays_within_its_depth():
    made, names = [], set()

    def watch(batch, rng):
        made.append(1)
        names.add(threading.current_thread().name)
        return batch

    iterator = iter(Batches(pair(40), 2, rng=Generator(0), transform=watch, prefetch=2))
    next(iterator)
    limit = 1 + 2 + 1  # handed out, waiting, in the thread's hands
    deadline = time.monotonic() + 10
    while len(made) < limit and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(0.1)
    assert len(made) == limit
    assert names == {"tinydl-prefetch"} and len(prefetch_threads()) == 1
    iterator.close()


def test_leaving_the_loop_ends_the_thread():
    batches = Batches(pair(1000), 1, rng=Generator(0), prefetch=3)
    for _ in batches:
        assert prefetch_threads()
        break
    assert prefetch_threads() == []  # by reference counting, at once
    with pytest.raises(KeyError):
        for _ in batches:
            raise KeyError
    gc.collect()
    assert prefetch_threads() == []
    unstarted = iter(batches)
    assert prefetch_threads() == []
    del unstarted


@pytest.mark.parametrize("prefetch", [0, 1, 4])
def test_an_exception_in_the_transform_reaches_the_consumer(prefetch):
    calls = []

    def fail_at_third(batch, rng):
        calls.append(1)
        if len(calls) == 3:
            raise ZeroDivisionError("the third batch")
        return batch

    seen = []
    batches = Batches(pair(10), 2, rng=Generator(0), transform=fail_at_third, prefetch=prefetch)
    with pytest.raises(ZeroDivisionError, match="the third batch") as error:
        for batch in batches:
            seen.append(batch)
    assert len(seen) == 2
    assert "fail_at_third" in [entry.name for entry in error.traceback]
    assert prefetch_threads() == []
    assert len(list(batches)) == 5


def test_an_unfinished_iterator_does_not_hang_the_interpreter():
    program = (
        "import numpy as np\n"
        "from tinydl.data import Batches\n"
        "from tinydl.random import Generator\n"
        "it = iter(Batches((np.arange(99),), 1, rng=Generator(0), prefetch=2))\n"
        "print(len(next(it)[0]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="needs os.fork")
def test_a_forked_child_gets_an_error_instead_of_hanging():
    program = (
        "import os, sys, time, warnings\n"
        "warnings.simplefilter('ignore')\n"
        "import numpy as np\n"
        "from tinydl.data import Batches\n"
        "from tinydl.errors import DataError\n"
        "from tinydl.random import Generator\n"
        "it = iter(Batches((np.arange(99),), 1, rng=Generator(0), prefetch=2))\n"
        "next(it)\n"
        "time.sleep(0.3)  # the queue is full and nobody holds its lock\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    try:\n"
        "        count = len(list(it))\n"
        "    except DataError:\n"
        "        os._exit(7)\n"
        "    os._exit(1)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), len(list(it)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("7 98\n", "")


def test_take_copies_contiguously_from_any_layout():
    base = np.arange(120).reshape(6, 4, 5)
    for array in (base, np.asfortranarray(base), base[:, ::-2], base.transpose(1, 0, 2)):
        indices = np.array([3, 0, 3, 2])
        result = take(array, indices)
        assert result.flags.c_contiguous and np.array_equal(result, array[indices])
    with pytest.raises(IndexError):
        take(base, np.array([6]))


def test_the_forms_that_arrays_come_in():
    x, y = pair(6)
    expected = list(Batches((x, y), 4, shuffle=False))
    forms = [
        Batches(x, y, batch_size=4, shuffle=False),
        Batches([x, y], batch_size=4, shuffle=False),
        Batches((x, y), batch_size=4, shuffle=False),
        Batches(x, y, 4, shuffle=False),
        Batches(Tensor(x), Tensor(y), batch_size=4, shuffle=False),
    ]
    for batches in forms:
        for found, wanted in zip(batches, expected, strict=True):
            for a, b in zip(found, wanted, strict=True):
                assert a.dtype == b.dtype and np.array_equal(a, b)


def test_lists_are_float32_or_int64():
    (batch,) = Batches([[0.5, 1.0], [2.0, 3.0]], [1, 0], batch_size=2, shuffle=False)
    assert [a.dtype for a in batch] == [np.float32, np.int64] and batch[0].shape == (2, 2)
    (batch,) = Batches(([0.5, 1.0], [1, 0]), batch_size=2, shuffle=False)
    assert [a.shape for a in batch] == [(2,), (2,)]
    (batch,) = Batches([1, 2, 3], batch_size=3, shuffle=False)
    assert [a.tolist() for a in batch] == [[1, 2, 3]]


def test_without_rng_the_order_comes_from_the_seed():
    orders = []
    for value in (5, 5, 6):
        seed(value)
        orders.append([batch[0].tolist() for batch in Batches(np.arange(20), batch_size=20)])
    assert orders[0] == orders[1] != orders[2]
    generator = seed(5)
    list(Batches(np.arange(20), batch_size=20, shuffle=False))
    assert generator.offset == 0  # nothing to draw


def test_bad_arguments():
    x, y = pair(6)
    rng = Generator(0)
    with pytest.raises(
        ConfigError, match=r"needs a batch_size, as in Batches\(x, y, batch_size=32\)"
    ):
        Batches((x, y))
    with pytest.raises(ConfigError, match="batch_size is given twice, 2 and 3"):
        Batches((x, y), 2, batch_size=3)
    with pytest.raises(ConfigError, match=r"shuffle is given by its name: .*shuffle=False"):
        Batches((x, y), 2, False)
    with pytest.raises(ConfigError, match="tuple"):
        Batches((), 2, rng=rng)
    with pytest.raises(DTypeError, match=r"arrays\[1\] must be an array of numbers, got dict"):
        Batches((x, {}), 2, rng=rng)
    with pytest.raises(DTypeError, match=r"got Samples \(its arrays are .x and .y\)"):
        Batches(Samples("s", x, y, ()), batch_size=2)
    with pytest.raises(
        DTypeError, match=r"rows of different length; pad_sequences makes them equal"
    ):
        Batches([[1, 2], [3]], batch_size=2)
    with pytest.raises(DTypeError, match="object"):
        Batches((np.array([None] * 6),), 2, rng=rng)
    with pytest.raises(ShapeError, match=r"first size, got \[\(6,\), \(5,\)\]"):
        Batches((x, y[:5]), 2, rng=rng)
    with pytest.raises(ShapeError, match="no samples"):
        Batches((x[:0],), 2, rng=rng)
    with pytest.raises(ConfigError, match="drops all 6"):
        Batches((x,), 7, rng=rng, drop_last=True)
    for name, value in [("batch_size", 0), ("batch_size", 2.0), ("prefetch", -1)]:
        with pytest.raises(ConfigError, match=name):
            Batches((x,), **({"batch_size": 2} | {name: value}), rng=rng)


def test_states_of_others_are_refused():
    batches = Batches(pair(6), 2, rng=Generator(0))
    good = batches.state_dict()
    for change in (
        {"samples": 7},
        {"batch_size": 3},
        {"shuffle": False},
        {"drop_last": True},
        {"batch": 4},
        {"batch": -1},
        {"epoch": "1"},
        {"rng": None},
        {"more": 1},
    ):
        with pytest.raises(ConfigError):
            batches.load_state_dict(good | change)
    assert batches.state_dict() == good
