"""backward is the derivative of forward, twice, for every operation: reference backend, float64."""

import numpy as np
import pytest
from hypothesis import given, settings

from tinydl import Generator, Tensor
from tinydl.testing import check_grads
from tinydl.testing.cases import ROWS
from tinydl.testing.strategies import examples, seeds

DIFFERENTIABLE = [case for case in ROWS if case.order]
OTHERS = [case for case in ROWS if not case.order]
EXAMPLES = 3 * settings.default.max_examples  # small and quick: more of them


@pytest.mark.parametrize("case", DIFFERENTIABLE, ids=lambda case: case.name)
def test_first_and_second_order(case):
    @settings(max_examples=EXAMPLES)
    @given(example=examples(case), seed=seeds())
    def check(example, seed):
        tensors = [Tensor(x, backend="numpy") for x in example.inputs]
        check_grads(
            lambda *arguments: case.function(*arguments, **example.options),
            tensors,
            order=case.order,
            rng=Generator(seed),
        )

    check()


@pytest.mark.parametrize("case", OTHERS, ids=lambda case: case.name)
def test_operations_without_derivative_are_not_recorded(case):
    @given(example=examples(case))
    def check(example):
        tensors = [
            Tensor(x, backend="numpy", requires_grad=x.dtype == np.float64) for x in example.inputs
        ]
        y = case.function(*tensors, **example.options)
        # astype keeps the graph between float types (tests/ops/test_elementwise.py)
        assert not y.requires_grad or (case.name == "astype" and y.dtype.kind == "f")

    check()
