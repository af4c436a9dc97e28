"""Agents with a network: a grid world, the pole on the cart, catch, tic-tac-toe, a weak car."""

from __future__ import annotations

from ..baselines import (
    nothing_done,
    perfect_player,
    push_below_the_pole,
    push_with_the_motion,
    random_actions,
    random_search,
    value_iteration_policy,
)
from ..experiment.card import Recipe, Target, Variant
from ..models.reinforcement.actor_critic import ActorCritic
from ..models.reinforcement.double_dqn import DoubleDQN
from ..models.reinforcement.dqn import DQN
from ..models.reinforcement.gaussian_ppo import GaussianPPO
from ..models.reinforcement.ppo import PPO
from ..models.reinforcement.reinforce import REINFORCE
from ..models.reinforcement.reinforce_baseline import ReinforceBaseline
from ..programs.agent import Agent
from ..programs.agent_replay import FromReplay
from ..programs.agent_rollouts import FromRollouts

BOOK = "Advanced Deep Learning with TensorFlow 2 and Keras (Atienza, 2020)"
SOLVED = Target(at_least=475, share=False)
A_LINE = (
    "One line by somebody who knows the four numbers, push right where 3 th + th' > 0, holds the "
    "pole for all 500 steps: what is shown is that it can be learnt from reward alone.",
)
POLE = (random_actions, push_below_the_pole)

GRID_DQN = Recipe(
    name="grid-dqn",
    title="DQN finds the shortest way through a grid world of eleven cells",
    book=BOOK,
    chapter="9 (named only)",
    dataset="grid_walk",
    parameters=516,
    program=Agent(
        model=DQN,
        architecture={"sizes": (11, 32, 4)},
        learning=FromReplay(capacity=2_000, starts=200, copies=50, falls=1_000),
        steps=300,
    ),
    epochs=6,
    time_budget=60,
    seeds=3,
    targets={"return": Target(at_least=0.79, share=False)},
    notes=("Nothing is random in this world: five steps of -0.04 and the 1 at the end are 0.8.",),
    baselines=(random_actions, value_iteration_policy),
    not_beaten=(value_iteration_policy,),
)

CARTPOLE_DQN = Recipe(
    name="cartpole-dqn",
    title="DQN learns to hold the pole upright",
    book=BOOK,
    chapter="9 (named only)",
    dataset="cart_pole",
    parameters=4_610,
    program=Agent(
        model=DQN,
        architecture={"sizes": (4, 64, 64, 2), "discount": 0.98},
        learning=FromReplay(soft=0.005, falls=3_000, enough=475),
        steps=2_000,
        end=0.0,
    ),
    epochs=40,
    time_budget=600,
    targets={"return": SOLVED},
    seeds=5,
    notes=(
        *A_LINE,
        "The target network follows by half a percent of the difference at each update. An epoch "
        "whose episodes, chance actions included, earned 475 in the mean is followed by one that "
        "learns nothing. Without that, trainings held the pole for 500 steps after 30 to 35 "
        "epochs and for 170 to 220 after 40: once it stands, the values of right and left differ "
        "by little, and further updates exchange them.",
    ),
    variants=(Variant("double", {"model": DoubleDQN, "targets": {"return": SOLVED}, "seeds": 5}),),
    baselines=POLE,
    not_beaten=(push_below_the_pole,),
    fast={"epochs": 6},
)

CARTPOLE_REINFORCE = Recipe(
    name="cartpole-reinforce",
    title="REINFORCE with a baseline learns to hold the pole upright",
    book=BOOK,
    chapter="10 (named only)",
    dataset="cart_pole",
    parameters=9_155,
    program=Agent(
        model=ReinforceBaseline, learning=FromRollouts(), steps=4_000, batch_size=500, lr=0.01
    ),
    epochs=20,
    time_budget=60,
    targets={"return": Target(at_least=400, share=False)},
    seeds=5,
    notes=A_LINE,
    variants=(
        Variant(
            "plain",
            {"model": REINFORCE},
            parameters=4_610,
            notes=(
                "Without the baseline: all returns are positive, so all that is done is praised.",
            ),
        ),
    ),
    baselines=POLE,
    not_beaten=(push_below_the_pole,),
)

CARTPOLE_A2C = Recipe(
    name="cartpole-a2c",
    title="an advantage actor-critic learns to hold the pole upright",
    book=BOOK,
    chapter="10 (named only)",
    dataset="cart_pole",
    parameters=9_155,
    program=Agent(
        model=ActorCritic,
        architecture={"standard": False},
        learning=FromRollouts(),
        steps=4_000,
        batch_size=500,
        lr=0.01,
    ),
    epochs=30,
    time_budget=60,
    targets={"return": SOLVED},
    seeds=5,
    notes=(
        *A_LINE,
        "Advantages are taken as they are, as in the paper: made to a deviation of 1, what is only "
        "noise once the pole stands is as strong as what was learnt, and the policy falls again.",
    ),
    baselines=POLE,
    not_beaten=(push_below_the_pole,),
)

CARTPOLE_PPO = Recipe(
    name="cartpole-ppo",
    title="proximal policy optimisation learns to hold the pole upright",
    book="tinydl",
    chapter="README",
    dataset="cart_pole",
    parameters=9_155,
    program=Agent(
        model=PPO,
        learning=FromRollouts(passes=10, minibatch=64),
        steps=4_000,
        batch_size=2_000,
    ),
    epochs=10,
    time_budget=60,
    targets={"return": SOLVED},
    seeds=5,
    notes=A_LINE,
    baselines=POLE,
    not_beaten=(push_below_the_pole,),
)

CATCH_DQN = Recipe(
    name="catch-dqn",
    title="DQN catches a falling fruit that it knows only as pixels",
    book="Deep Learning with Keras (Gulli and Pal, 2017)",
    chapter="8 (named only)",
    dataset="catch",
    parameters=6_659,
    program=Agent(
        model=DQN,
        architecture={"sizes": (100, 64, 3), "discount": 0.9},
        learning=FromReplay(capacity=10_000, copies=200, every=2, falls=3_000),
    ),
    epochs=15,
    time_budget=600,
    seeds=3,
    targets={"return": Target(at_least=0.9, share=False)},
    notes=("The return is the share of fruits that were caught.",),
    baselines=(random_actions,),
)

TIC_TAC_TOE_DQN = Recipe(
    name="tic-tac-toe-dqn",
    title="DQN learns tic-tac-toe from nothing but games against a perfect player",
    book="Deep Learning with Keras (Gulli and Pal, 2017)",
    chapter="8 (named only)",
    dataset="tic_tac_toe",
    parameters=10_121,
    program=Agent(
        model=DQN,
        architecture={"sizes": (9, 128, 64, 9), "discount": 1.0},
        learning=FromReplay(
            capacity=20_000, starts=500, every=2, copies=200, falls=12_000, last=0.1
        ),
        end=0.0,
    ),
    epochs=40,
    time_budget=120,
    seeds=3,
    targets={
        "return": Target(at_least=0.0, share=False),
        "worst": Target(at_least=0.0, share=False),
    },
    notes=(
        "A perfect player cannot be beaten: a draw, the return 0, is the most there is. A field "
        "that is not free is a lost game, so the rules are learnt too.",
    ),
    baselines=(random_actions, perfect_player),
    not_beaten=(perfect_player,),
    fast={"epochs": 16},
)

MOUNTAIN_CAR_PPO = Recipe(
    name="mountain-car-ppo",
    title="a Gaussian policy learns to swing a weak car out of its valley",
    book=BOOK,
    chapter="10 (named only)",
    dataset="mountain_car",
    parameters=8_835,
    program=Agent(
        model=GaussianPPO,
        architecture={"value_weight": 0.01},
        learning=FromRollouts(passes=10, minibatch=64),
        steps=500,
        batch_size=500,
        lr=0.002,
        end=0.1,
    ),
    epochs=20,
    time_budget=60,
    seeds=5,
    targets={"return": Target(at_least=90, share=False)},
    notes=(
        "Force costs and only the flag pays: an agent that never got there learns to do nothing. "
        "Drawn anew at each of 999 steps, chance reaches the flag in 2 of 100 episodes; held for "
        "ten steps, in 88.",
        "Both numbers of the state are scaled to -1 ... 1.",
    ),
    baselines=(nothing_done, random_actions, push_with_the_motion),
)

WIDTH_CONTROLLER = Recipe(
    name="width-controller",
    title="a controller trained by REINFORCE chooses the widths of a network",
    book="Deep Learning with Keras (Gulli and Pal, 2017)",
    chapter="8 (named only)",
    dataset="width_search",
    parameters=1_127,
    program=Agent(
        model=ReinforceBaseline,
        architecture={"sizes": (13, 32, 6), "discount": 1.0},
        learning=FromRollouts(worlds=4),
        steps=36,
        batch_size=12,
        lr=0.02,
    ),
    epochs=8,
    time_budget=120,
    seeds=3,
    notes=(
        "Three layers of six widths are 216 networks; the controller builds 96, of which some are "
        "the same. The reward is the share of 400 digits that the built network names rightly, "
        "less 0.1 for every 10,000 parameters; it is looked at while choosing, so it is no test.",
        "Random search builds 100 and keeps the best: what any search has to beat.",
    ),
    baselines=(random_actions, random_search),
    not_beaten=(random_search,),
)
