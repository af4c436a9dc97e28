"""The group `optim`: every update rule, and the same step in both libraries."""

from dataclasses import replace

import pytest
from support import oracle_module

from tinydl import nn, optim
from tinydl.bench import peer_tinydl
from tinydl.bench.harness import TOLERANCE, select
from tinydl.bench.inputs import inputs
from tinydl.bench.rules import RULES, TENSORS
from tinydl.bench.worker import difference

SMALL = [replace(case, sizes={"n": 50 * TENSORS}) for case in select(("optim",), quick=False)]


def stepped(peer, case, steps=3):
    """The parameters after some steps."""
    run, export = peer.build(case, inputs(case))
    for _ in range(steps):
        result = run()
    return export(result)


def test_every_rule_is_measured():
    there = [getattr(optim, name) for name in optim.__all__]
    rules = {c.__name__ for c in there if isinstance(c, type) and issubclass(c, optim.Optimizer)}
    assert {rule.ours for rule in RULES.values()} == rules - {"Optimizer"}
    assert [case.kind for case in SMALL] == [f"{name}_rule" for name in RULES]


@pytest.mark.parametrize("case", SMALL, ids=lambda case: case.kind)
def test_the_state_arrays_are_counted(case):
    rule = RULES[case.kind.removesuffix("_rule")]
    optimizer = getattr(optim, rule.ours)([nn.Parameter([1.0])], **rule.options)
    assert len(optimizer.state) == rule.states


@pytest.mark.oracle
@pytest.mark.parametrize("case", SMALL, ids=lambda case: case.kind)
def test_both_take_the_same_steps(case):
    oracle_module("torch")
    from tinydl.bench import peer_torch

    ours = stepped(peer_tinydl.open_peer("numpy", 1), case)
    theirs = stepped(peer_torch.open_peer("", 1), case)
    start = list(inputs(case)["x"])
    assert difference(ours, theirs) < TOLERANCE < difference(ours, start)
