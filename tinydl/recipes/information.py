"""What two things tell of each other: estimated between Gaussians, raised to find clusters."""

from __future__ import annotations

from ..baselines import clusters_of_pixels, gaussian_formula, nothing_shared, one_cluster
from ..experiment.card import Recipe, Target, Variant
from ..models import MINE, SeparableMINE
from ..programs.clustering import Clustering
from ..programs.information import Informing
from .atienza2020 import BOOK

CHAPTER = "13, Unsupervised Learning Using Mutual Information"
WITHIN = {"error": Target(at_most=0.1, share=False)}

MINE_LINE = Recipe(
    name="mine-line",
    title="mutual information of two correlated numbers, by a network",
    book=BOOK,
    chapter=CHAPTER,
    dataset="gaussian_pair_0.5",
    parameters=4_417,
    program=Informing(model=MINE, lr=0.002),
    epochs=6,
    time_budget=60,
    seeds=3,
    targets=WITHIN,
    notes=(
        "The closed form -1/2 log(1 - rho^2): 0.144 nats for rho 0.5, 0.830 for 0.9. The formula "
        "of the covariance is nearer: it is told that the pair is Gaussian.",
    ),
    baselines=(nothing_shared, gaussian_formula),
    variants=(
        Variant(
            "close",
            {
                "dataset": "gaussian_pair_0.9",
                "targets": WITHIN,
                "not_beaten": (gaussian_formula,),
            },
        ),
    ),
)

MINE_TWENTY = Recipe(
    name="mine-twenty",
    title="mutual information of two vectors of twenty numbers",
    book=BOOK,
    chapter=CHAPTER,
    dataset="gaussian_vectors_0.2",
    parameters=6_848,
    program=Informing(model=SeparableMINE, batch_size=256),
    epochs=20,
    time_budget=60,
    seeds=3,
    targets=WITHIN,
    notes=(
        "The closed form: 0.408 nats for rho 0.2, 2.877 for 0.5, 16.607 for 0.9. N rows cannot "
        "show much more than about log N: with 16.6 nats a pair that does not belong together "
        "would have to be looked at e^16.6 times to be mistaken for one that does, and 512 rows "
        "hold 261,632 of them. `infonce` ends at log 512 = 6.24; the bound of Donsker and Varadhan "
        "has no such end, but scatters and misses.",
    ),
    baselines=(nothing_shared, gaussian_formula),
    not_beaten=(gaussian_formula,),
    variants=(
        Variant("half", {"dataset": "gaussian_vectors_0.5"}),
        Variant("close", {"dataset": "gaussian_vectors_0.9"}),
    ),
)

IIC_MNIST = Recipe(
    name="iic-mnist",
    title="ten clusters of digits, found by what turning and moving leaves",
    book=BOOK,
    chapter=CHAPTER,
    dataset="mnist",
    samples=(10_000, 10_000),
    parameters=331_276,
    program=Clustering(batch_size=250, lr=0.001),
    epochs=20,
    time_budget=600,
    targets={"mean_head": Target(at_least=0.60)},
    notes=(
        "After Ji et al. 2019 (arXiv:1807.06653), who reach 98.4 % with a VGG and the whole "
        "training part; here three convolutions and 10,000 pictures. Labels only name the clusters "
        "in the end: `chosen_head` is the head that training liked best, `best_head` needs them.",
    ),
    baselines=(one_cluster, clusters_of_pixels),
    fast={"samples": (2_000, 1_000), "epochs": 6},
)
