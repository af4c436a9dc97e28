"""Recipes of generators of pictures that train in a second."""

from dataclasses import replace

import numpy as np

from tinydl import Generator
from tinydl.data import (
    Dataset,
    Pieces,
    PieceSets,
    TwoKinds,
    Waves,
    mu_law,
    synthetic_digits,
    word_corpus,
)
from tinydl.experiment.card import Recipe
from tinydl.experiment.datasets import DATASETS
from tinydl.models import (
    ACGAN,
    CVAE,
    DCGAN,
    GPT,
    VAE,
    CycleGAN,
    GloVe,
    LSTMGenerator,
    Pix2Pix,
    SkipGram,
)
from tinydl.models.adversarial.stackedgan import Encoder
from tinydl.optim import Adam
from tinydl.programs.adversarial_pictures import AdversarialPictures
from tinydl.programs.diffusing import Diffusing
from tinydl.programs.labelling import Labelling
from tinydl.programs.language import Language
from tinydl.programs.parts import Split
from tinydl.programs.sounding import Sounding
from tinydl.programs.supervised import Supervised
from tinydl.programs.translators import Translating
from tinydl.programs.variational import Variational
from tinydl.programs.windows import Windows
from tinydl.programs.wording import Wording

ARCHITECTURE = {"picture": (8, 8, 1), "widths": (4, 6), "latent": 5}
SPLIT = Split("stratified", 0.2)


def recipe(name, program, **card):
    """A card of drawn digits of 8x8."""
    return Recipe(
        name=name, title="drawn digits", book="tinydl", chapter="tests",
        parameters=0, program=program, time_budget=10,
        **{"epochs": 3, "dataset": "synthetic_digits", **card},
    )  # fmt: skip


JUDGE = recipe(
    "judge",
    Supervised(
        model=Encoder,
        architecture={"picture": (8, 8, 1), "filters": (4, 8), "hidden": 16, "classes": 10},
        input_shape=(8, 8, 1), optimizer=Adam, optimizer_settings={"lr": 0.01}, batch_size=50,
        scale=1.0, split=SPLIT,
    ),
    epochs=8,
)  # fmt: skip


def pictures(model, **settings):
    """A GAN of drawn digits."""
    program = AdversarialPictures(
        model=model, architecture=ARCHITECTURE, picture_shape=(8, 8, 1), scale=1.0, batch_size=200,
        split=SPLIT, **settings,
    )  # fmt: skip
    return recipe("pictures", program)


def codes(model, **settings):
    """A variational autoencoder of drawn digits."""
    program = Variational(
        model=model, architecture={"picture": (8, 8, 1), "hidden": (32,), "latent": 4},
        picture_shape=(8, 8, 1), scale=1.0, split=SPLIT, **settings,
    )  # fmt: skip
    return recipe("codes", program)


def denoised(**settings):
    """A diffusion of drawn digits."""
    architecture = {
        "picture": (8, 8, 1), "widths": (4, 8), "told_size": 8, "heads": 2, "steps": 20,
    }  # fmt: skip
    settings = {"architecture": architecture, "batch_size": 100, "back": 3, "looked": 30} | settings
    program = Diffusing(picture_shape=(8, 8, 1), scale=1.0, split=SPLIT, **settings)
    return recipe("denoised", program)


def two_kinds():
    """Drawn digits, and the same turned to their negatives, in pairs."""
    d = synthetic_digits(400, Generator(0)).split(0.2, Generator(0))
    x = [part[..., None] for part in (d.x_train, d.x_test)]
    first = Dataset("drawn", x[0], d.y_train, x[1], d.y_test, d.classes)
    second = Dataset("negative", 1 - x[0], d.y_train, 1 - x[1], d.y_test, d.classes)
    return TwoKinds(first, second, paired=True)


DATASETS["drawn pairs"] = two_kinds
DATASETS["drawn kinds"] = lambda: replace(two_kinds(), paired=False)


def translations(model, dataset, architecture, **settings):
    """A translator of drawn digits to their negatives."""
    sides = {"in_channels": 1, "out_channels": 1, "critic_widths": (4, 6)}
    program = Translating(
        model=model, architecture={**sides, **architecture}, judge=JUDGE, batch_size=32, tested=40,
        **settings,
    )  # fmt: skip
    return recipe("translations", program, dataset=dataset)


def pieces(rng, count):
    """Recordings of 4 or 5 steps of which one says the label."""
    labels, authors = rng.integers(0, 3, count), rng.integers(0, 2, count)
    sizes = rng.integers(4, 6, count)
    recordings = [0.1 * rng.normal((int(n), 3)) for n in sizes]
    for recording, label in zip(recordings, labels, strict=True):
        recording[2, label] += 2
    fixed = np.stack([r[:4].reshape(-1) for r in recordings])
    return Pieces(tuple(recordings), labels, authors, fixed)


def piece_sets():
    """Three labels, two authors, joined one behind the other."""
    train, test = (pieces(Generator(k), 60) for k in (0, 1))
    return PieceSets(
        "drawn", train, test, lambda parts, rng: np.concatenate(parts), ("a", "b", "c")
    )


def strings(**settings):
    """A network that spells drawn strings."""
    program = Labelling(
        architecture={"input_size": 3, "hidden_size": 8, "classes": 3, "layers": 1},
        strings=40, tested=30, shortest=1, longest=3, batch_size=10, **settings,
    )  # fmt: skip
    return recipe("strings", program, dataset="drawn pieces")


def tones():
    """Tones of 16 levels."""
    t, rng = np.arange(300), Generator(0)
    waves = [np.sin(t * (0.1 + 0.1 * float(rng.uniform(())))) for _ in range(12)]
    levels = [mu_law(wave, 16) for wave in waves]
    return Waves("tones", tuple(levels[2:]), tuple(levels[:2]), 8_000, 16)


def sounding(**settings):
    """A small WaveNet on tones."""
    program = Sounding(
        architecture={"levels": 16, "channels": 6, "skip": 6, "dilations": (1, 2, 4)},
        **{"updates": 5, "batch_size": 2, "length": 60, "seconds": 0.01, **settings},
    )  # fmt: skip
    return recipe("tones", program, dataset="tones")


def topics():
    """Texts of one topic of four each; words of a topic are relatives."""
    rng, texts = Generator(0), []
    for k in range(300):
        topic = [f"{'abcd'[k % 4]}{'xyz'[int(i)]}" for i in rng.integers(0, 3, 12)]
        texts.append(" ".join(topic))
    made = word_corpus(texts, 1)
    return replace(made, probes=tuple((f"{t}x", f"{t}y") for t in "abcd"))


def wording(model=SkipGram, **settings):
    """Vectors of the words of four topics."""
    program = Wording(
        model=model, architecture={"vocabulary": 12, "dimension": 6},
        **{"threshold": 1.0, "drawn": 8, "updates": 5, "batch_size": 64, "lr": 0.03, **settings},
    )  # fmt: skip
    return recipe("topics", program, dataset="topics")


DATASETS["topics"] = topics
DATASETS["tones"] = tones
DATASETS["drawn pieces"] = piece_sets

PICTURES = {
    "pictures": lambda: pictures(DCGAN, generator_steps=2, critic_lr=0.0001),
    "pictures-of-classes": lambda: pictures(ACGAN, critic_steps=3, judge=JUDGE),
    "pairs": lambda: translations(
        Pix2Pix, "drawn pairs", {"widths": (4, 5), "dropouts": 1}, critic_steps=2
    ),
    "kinds": lambda: translations(
        CycleGAN, "drawn kinds", {"widths": (3, 4), "blocks": 1}, pool=50, threshold=0.5
    ),
    "strings": strings,
    "tones": sounding,
    "topics": wording,
    "counted-topics": lambda: wording(GloVe),
    "codes": lambda: codes(VAE),
    "denoised": lambda: denoised(judge=JUDGE),
    "codes-of-classes": lambda: codes(CVAE, binarise="threshold", judge=JUDGE),
}


def text():
    """A language model of drawn words."""
    program = Language(
        model=LSTMGenerator,
        architecture={"tokens": 33, "hidden_size": 16, "num_layers": 2, "dropout": 0.1},
        batch_size=4, length=25, lr=0.02,
    )  # fmt: skip
    return recipe("text", program, dataset="drawn_text")


def windows():
    """A GPT of drawn words."""
    program = Windows(
        model=GPT,
        architecture={"tokens": 33, "steps": 20, "blocks": 2, "heads": 2, "width": 16,
                      "dropout": 0.1},
        batch_size=4, length=20, lr=0.01, updates=15, overlap=5,
    )  # fmt: skip
    return recipe("windows", program, dataset="drawn_text")


TEXTS = {"text": text, "windows": windows}
