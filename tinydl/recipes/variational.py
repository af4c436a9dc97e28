"""Variational autoencoders on digits: how well they predict, and what they draw."""

from __future__ import annotations

from ..baselines import (
    components_as_code,
    gaussian_of_each_class,
    independent_bits,
    mean_of_each_class,
    noise_pictures,
    untrained_encoder,
)
from ..experiment.card import Recipe, Target, Variant
from ..models import CVAE, VAE, ConvVAE
from ..programs.variational import THRESHOLD, Variational
from .judges import JUDGE_MNIST, QUICK_MNIST
from .liu2019 import BOOK

CHAPTER = "3, Restricted Boltzmann Machines and Autoencoders"
SIZES = {"hidden": (500,), "latent": 20, "activation": "relu"}

VAE_MNIST = Recipe(
    name="vae-mnist",
    title="a variational autoencoder of 500 units and 20 numbers, stochastic pixels",
    book=BOOK,
    chapter=CHAPTER,
    dataset="mnist",
    parameters=815_824,
    program=Variational(model=VAE, architecture=SIZES),
    epochs=30,
    time_budget=600,
    baselines=(independent_bits,),
    fast={"samples": (6_000, 2_000), "epochs": 5},
    targets={"elbo": Target(at_least=-100.0, share=False)},
    notes=(
        "The book names variational autoencoders in a sentence; sizes are those of Kingma and "
        "Welling 2014 (arXiv:1312.6114) with ReLU in place of tanh, batches of 100, Adam 0.001.",
        "Nats per picture of 784 bits. With pixels drawn from their grey values and with a "
        "threshold the figures differ by more than 10 nats: compare only like with like. "
        "Independent pixels are the baseline of either.",
    ),
    variants=(
        Variant(
            "threshold",
            {"binarise": THRESHOLD, "targets": {"elbo": Target(at_least=-87.0, share=False)}},
            notes=("Pixels above 0.5 are 1, the same in every epoch.",),
        ),
    ),
)

VAE_PLANE = Recipe(
    name="vae-plane",
    title="a convolutional variational autoencoder puts all digits on a plane",
    book=BOOK,
    chapter=CHAPTER,
    dataset="mnist",
    samples=(10_000, 10_000),
    parameters=134_165,
    program=Variational(model=ConvVAE, binarise="grey", batch_size=50, lr=0.002, looked=50),
    epochs=10,
    time_budget=600,
    baselines=(independent_bits,),
    fast={"samples": (3_000, 500), "epochs": 8, "batch_size": 25},
    notes=(
        "Two numbers for a digit: a grid of codes is a map of all of them (tutorial 23). Grey "
        "pixels, so that the score is no bound on a likelihood; 10,000 pictures.",
    ),
)

CVAE_MNIST = Recipe(
    name="cvae-mnist",
    title="a variational autoencoder that is told the class draws the digit it is asked for",
    book=BOOK,
    chapter=CHAPTER,
    dataset="mnist",
    parameters=1_308_800,
    program=Variational(
        model=CVAE,
        architecture={"hidden": (500, 500), "latent": 8, "activation": "relu"},
        judge=JUDGE_MNIST,
        score="agreement",
    ),
    epochs=20,
    time_budget=600,
    baselines=(noise_pictures, gaussian_of_each_class, mean_of_each_class),
    not_beaten=(gaussian_of_each_class, mean_of_each_class),
    fast={"samples": (6_000, 2_000), "epochs": 5, "judge": QUICK_MNIST},
    targets={
        "agreement": Target(at_least=0.97),
        "variety": Target(at_least=0.8),
    },
    notes=(
        "Agreement counts beside variety, the distance of two samples of a class as a share of "
        "that of real digits, and class_frechet: class means agree always and never differ, "
        "Gaussians on 30 principal components of each class agree in 99 %, vary less and are "
        "twice as far from real digits.",
        "Drawn from N(0, 1), 20 numbers often fall where no digit was encoded (`wide`: one layer "
        "of 500 and 20 numbers); 8 are met more often, and two layers say with them what 20 said.",
        "Samples are probabilities of white, not drawn pixels.",
    ),
    variants=(
        Variant(
            "wide",
            {
                "architecture": {"hidden": (500,), "latent": 20},
                "parameters": 825_824,
                "epochs": 15,
                "targets": {},
            },
        ),
    ),
)

BETA_VAE = Recipe(
    name="beta-vae",
    title="numbers of a code that each mean one thing: column, row, size, shape",
    book=BOOK,
    chapter=CHAPTER,
    dataset="factors",
    parameters=136_460,
    program=Variational(
        model=VAE,
        architecture={
            "picture": (16, 16, 1),
            "hidden": (256,),
            "latent": 6,
            "beta": 4.0,
            "activation": "relu",
        },
        binarise=THRESHOLD,
        batch_size=49,
        picture_shape=(16, 16, 1),
        scale=1.0,
        score="mig",
    ),
    epochs=200,
    time_budget=120,
    baselines=(untrained_encoder, components_as_code),
    not_beaten=(components_as_code,),
    seeds=3,
    notes=(
        "After Higgins et al. 2017: the divergence weighs beta. The score is the mutual "
        "information gap of Chen et al. 2018; principal components and an untrained encoder stand "
        "beside it. Trained and tested on all 441 pictures: the question is how they are coded.",
    ),
    variants=(
        Variant("plain", {"architecture": {"beta": 1.0}, "seeds": 3}),
        Variant("strong", {"architecture": {"beta": 8.0}, "seeds": 3, "not_beaten": ()}),
    ),
    companion="plain",
)
