"""Small examples of programs that are no classifiers: quick, and with an answer that is known."""

from __future__ import annotations

from ..baselines import even_chance, one_gaussian, one_mode, table_of_zeros
from ..experiment.card import Recipe, Target, Variant
from ..models.adversarial.ring_gan import RingGAN, RingWGAN
from ..models.reinforcement.q_table import QTable
from ..models.reinforcement.sarsa import SARSA
from ..programs.adversarial import Adversarial
from ..programs.tabular import Tabular

MODES = Target(at_least=8, share=False)

RING_GAN = Recipe(
    name="ring-gan",
    title="a GAN loses most of eight Gaussians on a ring",
    book="tinydl",
    chapter="README",
    dataset="ring",
    parameters=8_899,
    program=Adversarial(model=RingGAN, beta1=0.9),
    epochs=15,
    time_budget=60,
    seeds=3,
    notes=(
        "The losses of Goodfellow et al. 2014, Adam with its usual decay 0.9: the generator sits "
        "on few modes, or between them, and moves on when the critic has learned where it sits.",
    ),
    variants=(
        Variant(
            "slow",
            {"beta1": 0.5, "targets": {"modes": MODES}, "not_beaten": ()},
            notes=("With the decay 0.5 of Radford et al. 2015 the same pair covers the ring.",),
        ),
    ),
    baselines=(one_mode,),
    not_beaten=(one_mode,),
)

RING_WGAN = Recipe(
    name="ring-wgan",
    title="WGAN-GP covers all eight Gaussians",
    book="tinydl",
    chapter="README",
    dataset="ring",
    parameters=8_899,
    program=Adversarial(model=RingWGAN, critic_steps=5),
    epochs=10,
    time_budget=120,
    seeds=3,
    targets={"modes": MODES},
    notes=(
        "Five steps of the critic for each of the generator; the gradient penalty has the weight "
        "0.1 instead of the paper's 10, which on a ring of radius 1 holds the critic nearly flat.",
    ),
    baselines=(one_gaussian, one_mode),
)

CHAIN_Q = Recipe(
    name="chain-q",
    title="Q-learning finds the value of every action in a chain of five states",
    book="tinydl",
    chapter="README",
    dataset="chain_world",
    parameters=0,
    program=Tabular(states=5, actions=2, rate=1.0, epsilon=1.0),
    epochs=200,
    time_budget=60,
    seeds=3,
    targets={"error": Target(at_most=1e-6, share=False)},
    notes=(
        "Strens' chain (2000) without chance; the table is compared with value iteration. While it "
        "learns the agent acts by even chance: Q-learning finds the greedy policy's values all the "
        "same, and a greedy agent would hardly ever see the far end.",
    ),
    variants=(
        Variant(
            "slippery",
            {
                "dataset": "slippery_chain_world",
                "decay": 0.6,
                "epochs": 400,
                "targets": {"error": Target(at_most=2.0, share=False)},
            },
            notes=(
                "With probability 0.2 the other action happens: the table goes on swinging about "
                "the answer, less with a rate that falls with every update of a pair.",
            ),
        ),
    ),
    baselines=(table_of_zeros, even_chance),
)

CLIFF_SARSA = Recipe(
    name="cliff-sarsa",
    title="SARSA finds the value of its own way, and goes round a cliff in a wide bend",
    book="tinydl",
    chapter="README",
    dataset="cliff_world",
    parameters=0,
    program=Tabular(
        states=18,
        actions=4,
        model=SARSA,
        steps=60,
        rate=1.0,
        discount=0.95,
        epsilon=0.5,
        decay=0.75,
    ),
    epochs=2_000,
    time_budget=60,
    seeds=3,
    targets={"error": Target(at_most=0.2, share=False)},
    notes=(
        "Every other action is drawn by chance, while learning and for good: at the edge that "
        "costs more than the longer way. Q-learning takes the edge (`cliff-sarsa/q`).",
        "The table is compared with the exact values of its own policy, a linear system.",
    ),
    variants=(Variant("q", {"model": QTable, "targets": {}}),),
    baselines=(table_of_zeros, even_chance),
)

GRID_Q = Recipe(
    name="grid-q",
    title="Q-learning finds the values of a grid world whose floor is slippery",
    book="tinydl",
    chapter="README",
    dataset="slippery_grid_world",
    parameters=0,
    program=Tabular(
        states=11, actions=4, steps=60, rate=1.0, discount=0.95, epsilon=1.0, decay=0.75
    ),
    epochs=4_000,
    time_budget=60,
    seeds=3,
    targets={"error": Target(at_most=0.05, share=False)},
    notes=(
        "With probability 0.2 a step goes to one of the sides; the rate of a pair falls with its "
        "updates.",
    ),
    baselines=(table_of_zeros, even_chance),
)
