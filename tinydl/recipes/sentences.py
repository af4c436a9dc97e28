"""Sentences about sentences: dates as machines write them, Swedish in English."""

from __future__ import annotations

from ..baselines import (
    most_frequent_target,
    nearest_picture,
    nearest_source,
    word_for_word,
)
from ..experiment.card import Recipe, Target, Variant
from ..models import Captioner, EncoderDecoder
from ..programs.captioning import Captioning
from ..programs.texts import CHARACTERS, PICTURES
from ..programs.writing import Writing
from .liu2019 import BOOK
from .sewak2018 import BOOK as SEWAK

CHAPTER = "1, Introduction (translation in words alone)"
DESCRIBED = (
    "The book describes encoder and decoder in words, without code, data or numbers; attention is "
    "Bahdanau et al. 2015, scored as in Luong et al. 2015."
)

DATES = Recipe(
    name="dates",
    title="dates as people write them become ISO 8601, letter by letter",
    book=BOOK,
    chapter=CHAPTER,
    dataset="dates",
    parameters=92_880,
    program=Writing(
        model=EncoderDecoder,
        architecture={
            "source_vocabulary": 64,
            "target_vocabulary": 16,
            "embedding": 32,
            "hidden": 64,
        },
        source=CHARACTERS,
        target=CHARACTERS,
        lr=0.004,
    ),
    epochs=5,
    time_budget=120,
    baselines=(most_frequent_target, nearest_source),
    seeds=3,
    targets={"exact": Target(at_least=0.98)},
    notes=(
        DESCRIBED,
        "9,000 made-up days of 1950 to 2049 in nine forms; no day that is asked for was learnt in "
        "any form. A parser of twenty lines makes no error either: what is shown is that reading, "
        "aligning and writing are learnt of pairs alone.",
    ),
    variants=(
        Variant(
            "one-vector",
            {"architecture": {"attention": False}, "seeds": 3},
            parameters=88_784,
            notes=("The decoder sees the last states alone: no attention.",),
        ),
    ),
    companion="one-vector",
)

TATOEBA = Recipe(
    name="tatoeba-swe",
    title="everyday Swedish in English",
    book=BOOK,
    chapter=CHAPTER,
    dataset="tatoeba_swe",
    parameters=1_599_300,
    program=Writing(
        model=EncoderDecoder,
        architecture={
            "source_vocabulary": 4_000,
            "target_vocabulary": 2_500,
            "embedding": 128,
            "hidden": 128,
            "dropout": 0.3,
        },
        lr=0.003,
        width=5,
        copy=True,
        score="bleu",
    ),
    epochs=18,
    time_budget=1_200,
    baselines=(most_frequent_target, nearest_source, word_for_word),
    fast={"samples": (6_000, 300), "epochs": 4},
    notes=(
        DESCRIBED,
        "Tatoeba's sentences of at most 9 words and marks, in small letters: 1,000 English ones "
        "are held out with every Swedish sentence that means one of them; a Swedish sentence that "
        "is asked for was never learnt, whatever its other translations.",
        "Beams of 5; an unknown word is copied from where the network looked most (Luong et al. "
        "2015b, arXiv:1410.8206).",
    ),
)

CHATBOT = Recipe(
    name="chatbot",
    title="answers of a chat corpus learnt by heart",
    book=BOOK,
    chapter="1, Introduction (chatbots in words alone)",
    dataset="dialogue",
    parameters=887_988,
    program=Writing(
        model=EncoderDecoder,
        architecture={
            "source_vocabulary": 2_000,
            "target_vocabulary": 2_100,
            "embedding": 64,
            "hidden": 128,
        },
        batch_size=32,
        lr=0.004,
        repeats=True,
    ),
    epochs=120,
    time_budget=600,
    baselines=(most_frequent_target, nearest_source),
    not_beaten=(nearest_source,),
    fast={"samples": (300, 100), "epochs": 40},
    targets={"exact": Target(at_least=0.90)},
    notes=(
        "It is memory, nothing else: every question that is asked for was learnt, and looking it "
        "up in the corpus is right every time. What a question that is not in it gets shows "
        "`tinydl predict`, which prints the nearest question of the corpus beside the answer.",
        "The distinct pairs of ChatterBot's English corpus; of a question with several answers any "
        "one is right.",
    ),
)

CAPTIONS = Recipe(
    name="captions",
    title="pictures of two things described in words",
    book=SEWAK,
    chapter="9, Attention (captions, named only)",
    dataset="captions",
    parameters=44_256,
    program=Captioning(
        model=Captioner,
        architecture={
            "target_vocabulary": 16,
            "widths": (32, 32, 48),
            "embedding": 16,
            "hidden": 64,
        },
        source=PICTURES,
        batch_size=32,
        lr=0.005,
    ),
    epochs=20,
    time_budget=360,
    baselines=(most_frequent_target, nearest_picture),
    seeds=3,
    fast={"samples": (2_000, 300), "epochs": 8},
    targets={"exact": Target(at_least=0.95)},
    notes=(
        "The book names captioning and describes the parts: convolutions, a recurrent decoder, "
        "attention. Made-up pictures of 32x32; a fifth of all descriptions is asked for and was "
        "never learnt, though every word of them was, on both sides.",
        "Where it looks is a matter of the seed: the peak lies within the thing that is named for "
        "50 to 84 % of the words, 71 % in the mean of three; the 80 % aimed at are missed. "
        "Beside a thing, a place that sees its edge tells it as well.",
    ),
)
