"""Pictures of one kind made into another: outlines into clothes, digits into others' digits."""

from __future__ import annotations

from ..baselines import any_of_the_kind, uncut, untranslated
from ..experiment.card import Recipe, Target, Variant
from ..models import CycleGAN, Pix2Pix
from ..programs.translators import Translating
from .judges import JUDGE_FASHION, JUDGE_SEMEION, QUICK_FASHION
from .sources import PAPERS

PIX2PIX_FASHION = Recipe(
    name="pix2pix-fashion",
    title="outlines become clothes, learnt of pairs",
    book=PAPERS,
    chapter="Isola et al. 2017",
    dataset="edges_to_fashion",
    parameters=1_053_154,
    program=Translating(
        model=Pix2Pix,
        architecture={
            "in_channels": 1,
            "out_channels": 1,
            "widths": (32, 64, 128, 128),
            "critic_widths": (32, 64),
            "dropouts": 1,
        },
        judge=JUDGE_FASHION,
        pad=2,
        batch_size=16,
        lr=0.0005,
    ),
    epochs=4,
    time_budget=1_200,
    baselines=(any_of_the_kind, untranslated),
    fast={"samples": (2_000, 500), "epochs": 3, "judge": QUICK_FASHION},
    targets={"agreement": Target(at_least=0.75)},
    notes=(
        "10,000 of Fashion-MNIST beside their Sobel edges. The variant l1 is the same U-Net "
        "without the critic's word: its difference of pixels is the bar for l1.",
        "The paper: 64-512 channels, 256x256 pixels, batches of 1, 200 epochs of a few hundred "
        "pairs.",
    ),
    variants=(
        Variant(
            "l1",
            {"architecture": {"adversarial": 0.0}},
            notes=("The generator minimises the absolute difference alone.",),
        ),
    ),
)

CYCLEGAN_DIGITS = Recipe(
    name="cyclegan-digits",
    title="MNIST's digits become Semeion's and back, without a pair",
    book=PAPERS,
    chapter="Zhu et al. 2017",
    dataset="mnist_to_semeion",
    parameters=201_476,
    program=Translating(
        model=CycleGAN,
        architecture={
            "in_channels": 1,
            "out_channels": 1,
            "widths": (16, 32),
            "blocks": 3,
            "critic_widths": (32, 64),
        },
        judge=JUDGE_SEMEION,
        pool=50,
        shrink=2,
        threshold=0.5,
        batch_size=8,
        lr=0.0005,
    ),
    epochs=10,
    time_budget=1_500,
    baselines=(any_of_the_kind, uncut, untranslated),
    not_beaten=(untranslated,),
    fast={"samples": (1_200, 300), "epochs": 1},
    targets={"agreement": Target(at_least=0.70), "cycle_l1": Target(at_most=0.1, share=False)},
    notes=(
        "Both kinds fill their frame: MNIST's digits are cut to their ink. The judge has seen "
        "nothing but Semeion; the bar is the cut digit itself, made smaller and thresholded. Uncut "
        "digits, with MNIST's margins, it does not know.",
        "80 % were wanted: without pairs the classes are kept as well as by cutting, no better.",
        "The paper: batches of 1, 0.0002, 200 epochs of a thousand photographs.",
    ),
)
