"""Learning to learn, on sines: beginnings for few steps, and a rule that is learnt."""

from __future__ import annotations

from ..baselines import Tuned, from_scratch, one_for_all, zero_everywhere
from ..experiment.card import Recipe, Target
from ..models import MAML, LearnedOptimizer, Reptile
from ..optim import SGD
from ..programs.learning_to_learn import LearningToLearn
from .liu2019 import BOOK

CHAPTER = "8, New Trends of Deep Learning"
NEAR = {"mse": Target(at_most=1.0, share=False)}

MAML_SINES = Recipe(
    name="maml-sines",
    title="a beginning from which five steps on ten points are enough for a new sine",
    book=BOOK,
    chapter=CHAPTER,
    dataset="sinusoids",
    parameters=1_761,
    program=LearningToLearn(model=MAML, architecture={"steps": 5}),
    epochs=20,
    time_budget=120,
    seeds=3,
    targets=NEAR,
    notes=(
        "After Finn et al. 2017 (arXiv:1703.03400), section 5.1, with second derivatives through "
        "five inner steps. The book names meta-learning and shows siamese networks.",
    ),
    baselines=(zero_everywhere, from_scratch, one_for_all),
)

REPTILE_SINES = Recipe(
    name="reptile-sines",
    title="Reptile: towards where the steps end, without second derivatives",
    book=BOOK,
    chapter=CHAPTER,
    dataset="sinusoids",
    parameters=1_761,
    program=LearningToLearn(
        model=Reptile, optimizer=SGD, batch_size=10, lr=1.0, inner=32, updates=100
    ),
    epochs=20,
    time_budget=120,
    seeds=3,
    targets=NEAR,
    notes=("After Nichol et al. 2018 (arXiv:1803.02999), section 4.2: 32 steps on a new task.",),
    baselines=(zero_everywhere, from_scratch, one_for_all),
)

LEARNED_OPTIMIZER = Recipe(
    name="learned-optimizer",
    title="an LSTM that makes the steps for small networks, beside Adam",
    book=BOOK,
    chapter=CHAPTER,
    dataset="sinusoids",
    parameters=1_861,
    program=LearningToLearn(
        model=LearnedOptimizer, batch_size=16, lr=0.005, shots=20, inner=20, updates=25
    ),
    epochs=12,
    time_budget=120,
    seeds=3,
    notes=(
        "After Andrychowicz et al. 2016 (arXiv:1606.04474): twenty steps on twenty points of a "
        "network 1-20-1 that begins anew for each sine.",
    ),
    baselines=(zero_everywhere, Tuned("descent"), Tuned("adam")),
)
