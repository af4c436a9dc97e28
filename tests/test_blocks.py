"""Every `with` block of the package: entered again, also inside itself, left in any order, and put
around functions, generators and coroutines. One table of blocks, one list of rules."""

import asyncio
import re
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import tinydl
from tinydl import instruments, nn
from tinydl.attribution.asking import recorded
from tinydl.blocks import Decorator
from tinydl.errors import ConfigError, GraphError, TinydlError
from tinydl.nn.watch import looking, shadowing
from tinydl.programs.two_players import resting
from tinydl.random import (
    default_generator,
    drawing_again,
    drawing_at_most,
    drawing_nothing,
    noting_draws,
)
from tinydl.recompute import noting_updates

pytestmark = pytest.mark.usefixtures("on_numpy")
MODEL = nn.Linear(2, 2)
PACKAGE = Path(tinydl.__file__).parent


def watcher(*_):
    """Sees nothing."""


def forwards():
    return "forward" in vars(MODEL)


#: name: (makes the block, what it changes).
BLOCKS = {
    "no_grad": (tinydl.no_grad, tinydl.is_recording),
    "enable_grad": (tinydl.enable_grad, tinydl.is_recording),
    "use_backend": (lambda: tinydl.use_backend("cpu"), tinydl.default_backend),
    "detect_anomaly": (tinydl.detect_anomaly, lambda: instruments._anomaly_depth > 0),
    "watching": (lambda: instruments.watching(watcher), lambda: watcher in instruments._watchers),
    "reading": (lambda: instruments.reading(watcher), lambda: watcher in instruments.readers),
    "shadowing": (lambda: shadowing(MODEL, lambda n, m, f: f), forwards),
    "looking": (lambda: looking(MODEL), lambda: (MODEL.training, tinydl.is_recording())),
    "recorded": (lambda: recorded(MODEL), lambda: (MODEL.training, tinydl.is_recording())),
    "noting_draws": (noting_draws, lambda: tinydl.random._noting.get() is not None),
    "drawing_again": (
        lambda: drawing_again({default_generator(): 0}),
        lambda: default_generator().offset,
    ),
    "drawing_nothing": (drawing_nothing, lambda: tinydl.random._noting.get() is not None),
    "drawing_at_most": (
        lambda: drawing_at_most(5),
        lambda: tinydl.random._left.get() is not None,
    ),
    "noting_updates": (
        noting_updates,
        lambda: sys.modules["tinydl.recompute"]._updated.get() is not None,
    ),
    "resting": (lambda: resting(MODEL), lambda: MODEL.weight.requires_grad),
    "profile": (tinydl.profile, lambda: instruments.profiler is not None),
}
ONE_AT_A_TIME = {"profile"}
NESTED = sorted(set(BLOCKS) - ONE_AT_A_TIME)


@pytest.fixture(autouse=True)
def other_side():
    """What each block changes stands on its other side before it is entered."""
    tinydl.seed(0).words(8)
    MODEL.train()


def changed(name):
    make, look = BLOCKS[name]
    if name == "enable_grad":
        tinydl.function._recording.set((False, None))
    return make(), look, look()


@pytest.fixture(autouse=True)
def recording_afterwards():
    yield
    tinydl.function._recording.set((True, None))


@pytest.mark.parametrize("name", BLOCKS)
def test_one_object_again_and_after_an_error(name):
    block, look, before = changed(name)
    for error in (None, KeyError, None):
        try:
            with block:
                assert look() != before
                if error:
                    raise error
        except KeyError:
            assert error
        assert look() == before


@pytest.mark.parametrize("name", NESTED)
def test_one_object_inside_itself(name):
    block, look, before = changed(name)
    with block, block:
        with block:
            assert look() != before
        assert look() != before
    assert look() == before


def test_what_runs_once_says_so_and_the_outer_one_goes_on():
    block = tinydl.profile()
    with block as found:
        with pytest.raises(ConfigError, match="another profile is running"), block:
            pass
        tinydl.ones(2) + tinydl.ones(2)
    assert [row.op for row in found.rows()] == ["add"] and instruments.profiler is None


@pytest.mark.parametrize("name", BLOCKS)
def test_a_generator_runs_inside_and_its_user_outside(name):
    block, look, before = changed(name)
    seen = []

    @block
    def steps():
        seen.append(look() != before)
        try:
            got = yield 1
            seen.append(look() != before)
            yield got
        except KeyError:
            seen.append(look() != before)
            yield 3
        finally:
            seen.append(look() != before)
        return 4

    def through():
        return (yield from steps())

    running = through()
    assert look() == before
    assert next(running) == 1 and look() == before
    assert running.send(2) == 2 and look() == before
    assert running.throw(KeyError()) == 3 and look() == before
    with pytest.raises(StopIteration) as end:
        next(running)
    assert end.value.value == 4 and look() == before
    assert seen == [True] * 4
    left = steps()
    next(left)
    left.close()
    assert look() == before and seen == [True] * 6
    with pytest.raises(RuntimeError):
        list(block(lambda: (yield next(iter(()))))())
    assert look() == before


@pytest.mark.parametrize("name", BLOCKS)
def test_functions_and_coroutines(name):
    block, look, before = changed(name)

    @block
    def function(a, *, b):
        """Its words."""
        return a, b, look() != before

    @block
    async def coroutine(a):
        await asyncio.sleep(0)
        return a, look() != before

    assert function(1, b=2) == function(1, b=2) == (1, 2, True)
    assert function.__doc__ == "Its words." and function.__name__ == "function"
    loop = asyncio.new_event_loop()
    assert loop.run_until_complete(coroutine(3)) == (3, True)
    loop.close()
    assert look() == before


@pytest.mark.parametrize("name", NESTED)
def test_what_cannot_be_inside_is_refused(name):
    block, _, _ = changed(name)

    async def many():
        yield 1

    for wrong in (many, type("Net", (), {}), 3):
        with pytest.raises(ConfigError, match="decorates functions"):
            block(wrong)


@pytest.mark.parametrize("name", BLOCKS)
def test_leaving_without_entering(name):
    block, look, before = changed(name)
    with pytest.raises((ConfigError, GraphError), match=f"{name}: .*left.*not entered"):
        block.__exit__(None, None, None)
    assert look() == before


def test_blocks_left_in_another_order():
    """Two unfinished generators of a user, the older one finished first."""

    def hold(block):
        with block:
            yield

    for make in (tinydl.no_grad, lambda: instruments.watching(watcher)):
        first, second = hold(make()), hold(make())
        next(first), next(second)
        first.close()
        second.close()
    assert tinydl.is_recording() and not instruments._watchers


def test_threads_share_one_object():
    """Each thread gets back what it had itself."""
    block, wrong = tinydl.no_grad(), []

    def work(records):
        tinydl.function._recording.set((records, None))
        for _ in range(20):
            with block:
                time.sleep(0.0005)
                wrong.append(tinydl.is_recording())
            wrong.append(tinydl.is_recording() is not records)

    threads = [threading.Thread(target=work, args=(i % 2 == 0,)) for i in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert len(wrong) == 160 and not any(wrong)


def test_the_table_is_complete():
    """No public block is made by contextlib, whose objects serve once."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text()
        found |= set(re.findall(r"^@block\ndef ([a-z]\w*)", text, re.M))
        found |= set(re.findall(r"^class (\w+)\(_Recording\)", text, re.M))
        once = re.findall(r"^@contextmanager\ndef ([a-z]\w*)", text, re.M)
        assert not once, f"{path.name}: {once} can be entered once; use tinydl.blocks.block"
    assert found == set(BLOCKS)
    assert issubclass(tinydl.no_grad, Decorator) and issubclass(ConfigError, TinydlError)


def test_a_value_is_handed_out_each_time():
    block = tinydl.profile()
    with block as first:
        pass
    with block as second:
        tinydl.tensor(np.ones(3)) * 2.0
    assert first is not second and not first.rows() and second.rows()
