"""Transformers, which came after the books: characters of Shakespeare foretold by a GPT."""

from __future__ import annotations

from ..baselines import WittenBell, xz
from ..experiment.card import Recipe, Target, Variant
from ..models import GPT
from ..programs.windows import Windows
from .sources import BEYOND

QUICK = {
    "samples": (1_003_855, 20_000),
    "architecture": {"steps": 64, "blocks": 2, "heads": 4, "width": 64, "dropout": 0.0},
    "parameters": 108_416,
    "length": 64,
    "batch_size": 12,
    "overlap": 0,
    "lr": 0.004,
    "updates": 200,
    "epochs": 3,
    "baselines": (WittenBell(1),),
    "not_beaten": (),
}

GPT_SHAKESPEARE = Recipe(
    name="gpt-shakespeare",
    title="a small GPT on Shakespeare, with the budget that nanoGPT gives a laptop",
    book=BEYOND,
    chapter="Radford et al. 2019",
    dataset="tiny_shakespeare",
    parameters=809_984,
    program=Windows(
        model=GPT,
        architecture={"tokens": 66, "steps": 64, "blocks": 4, "heads": 4, "width": 128},
        lr=0.002,
    ),
    epochs=8,
    time_budget=900,
    seeds=3,
    targets={"loss": Target(at_most=1.90, share=False)},
    baselines=(WittenBell(1), WittenBell(5), xz),
    not_beaten=(WittenBell(5), xz),
    notes=(
        "nanoGPT's README (Karpathy, `train_shakespeare_char`) states a loss of 1.88 nats for its "
        "CPU setting: the same windows, batches, layers, width and 2,000 updates, measured over "
        "15,360 characters of the held-out tenth, drawn at random; here all 111,539 count. Its "
        "learning rate is 0.001 and falls to 0.0001, its layers have no biases.",
        "A window is read with nothing before it, as there: this network sees 31.5 characters in "
        "the middle, Witten-Bell and xz all that stand before one.",
        "`tinydl sample RUN --prompt TEXT` keeps the keys and values of what it has read.",
    ),
    variants=(
        Variant(
            "large",
            {
                "architecture": {
                    "steps": 128, "blocks": 6, "heads": 6, "width": 192, "dropout": 0.1,
                },
                "length": 128,
                "batch_size": 32,
                "overlap": 64,
                "lr": 0.0015,
                "epochs": 6,
                "time_budget": 3_600,
                "targets": {"bits": Target(at_most=2.3957, share=False)},
                "not_beaten": (),
                "fast": QUICK,
            },
            parameters=2_706_816,
            notes=(
                "It must beat `char-lstm` on the same split, 2.396 bits per character. Each "
                "character but the first 64 has at least 64 before it.",
            ),
        ),
    ),
    fast=QUICK,
)  # fmt: skip
