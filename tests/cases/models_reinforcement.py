"""Rows of the agents with a network: the loss of a batch of steps, whatever was done to get it."""

import numpy as np

import tinydl
from cases.models import ModelCase
from tinydl.backend import use_backend
from tinydl.models import (
    DQN,
    PPO,
    REINFORCE,
    ActorCritic,
    DoubleDQN,
    GaussianPPO,
    ReinforceBaseline,
)

SIZES = (4, 6, 3)


def target_of(model):
    """Another network of the kind, always the same one."""
    tinydl.seed(5)
    with use_backend(model.backend.name):
        return type(model)(SIZES).astype(model.dtype)


def transitions(rng, n):
    states, following = rng.normal(size=(2, n, 4))
    ended = np.arange(n) % 3 == 2
    return states, rng.integers(0, 3, n), rng.normal(size=n), following, ended


def steps(rng, n, *more):
    """States, actions, and numbers around 3: advantages and returns that are worth learning."""
    return (rng.normal(size=(n, 4)), rng.integers(0, 3, n), *(rng.normal(3, 0.3, n) for _ in more))


def with_log_probabilities(rng, n):
    """Of an old policy that is near the even one, where none of the ratios is clipped."""
    return (*steps(rng, n, "beyond", "returns"), np.log(rng.uniform(0.3, 0.36, n)))


def with_numbers(rng, n):
    """Actions near those that a new network says, and their log probabilities."""
    actions = rng.normal(0, 0.5, (n, 3))
    before = -(actions**2).sum(axis=1) / 2 - 1.5 * np.log(2 * np.pi)
    return rng.normal(size=(n, 4)), actions, rng.normal(3, 0.3, n), rng.normal(3, 0.3, n), before


REINFORCEMENT = [
    *(
        ModelCase(
            name=kind.__name__,
            small=lambda kind=kind: kind(SIZES),
            batch=transitions,
            loss=lambda model, *batch: model.loss(*batch, target_of(model)),
            full=kind,
            parameters=17_410,
            steps=200,
            lr=0.03,
        )
        for kind in (DQN, DoubleDQN)
    ),
    ModelCase(
        name="REINFORCE",
        small=lambda: REINFORCE(SIZES),
        batch=lambda rng, n: steps(rng, n, "returns"),
        loss=lambda model, *batch: model.loss(*batch),
        full=REINFORCE,
        parameters=4_610,
        steps=200,
        lr=0.03,
    ),
    *(
        ModelCase(
            name=kind.__name__,
            small=lambda kind=kind: kind(SIZES),
            batch=lambda rng, n: steps(rng, n, "beyond", "returns"),
            loss=lambda model, *batch: model.loss(*batch),
            full=kind,
            parameters=9_155,
            outputs=lambda model, states: (model(states), model.value(states)),
            steps=200,
            lr=0.03,
        )
        for kind in (ReinforceBaseline, ActorCritic)
    ),
    ModelCase(
        name="PPO",
        small=lambda: PPO(SIZES, value_weight=5.0),
        batch=with_log_probabilities,
        loss=lambda model, *batch: model.loss(*batch),
        full=PPO,
        parameters=9_155,
        outputs=lambda model, states: (model(states), model.value(states)),
        steps=200,
        lr=0.03,
    ),
    ModelCase(
        name="GaussianPPO",
        small=lambda: GaussianPPO(SIZES, value_weight=5.0),
        batch=with_numbers,
        loss=lambda model, *batch: model.loss(*batch),
        full=GaussianPPO,
        parameters=8_835,
        outputs=lambda model, states: (model(states), model.value(states)),
        steps=200,
        lr=0.03,
    ),
]
