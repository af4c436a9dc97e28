"""Every public metric against scikit-learn or its definition, over drawn arguments."""

import numpy as np
import pytest
from cases.metrics import BATCHES, DEFINITIONS, SKLEARN
from closeness import assert_close
from hypothesis import given
from hypothesis import strategies as st
from support import oracle_module

from tinydl import Tensor

seeds = st.integers(0, 2**32 - 1)


def same(ours, theirs):
    """The numbers of one result, or of each part of one."""
    if isinstance(ours, tuple):
        for mine, other in zip(ours, theirs, strict=True):
            same(mine, other)
        return
    assert np.shape(ours) == np.shape(theirs)
    assert_close(ours, theirs, 1e-9)


@pytest.mark.oracle
@pytest.mark.parametrize("name", SKLEARN)
@given(seed=seeds)
def test_against_scikit_learn(name, seed):
    metric, draw, oracle = SKLEARN[name]
    arguments = draw(np.random.default_rng(seed))
    same(metric(*arguments), oracle(oracle_module("sklearn.metrics"), *arguments))


@pytest.mark.parametrize("name", DEFINITIONS)
@given(seed=seeds)
def test_by_definition(name, seed):
    metric, draw, definition = DEFINITIONS[name]
    arguments = draw(np.random.default_rng(seed))
    same(metric(*arguments), definition(*arguments))


@pytest.mark.parametrize("name", BATCHES)
@given(seed=seeds)
def test_metrics_of_fit_give_a_number_per_sample(name, seed):
    metric, draw, definition = BATCHES[name]
    outputs, targets = draw(np.random.default_rng(seed))
    same(metric(Tensor(outputs), Tensor(targets)).numpy(), definition(outputs, targets))
