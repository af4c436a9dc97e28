"""Few-shot learning: faces by a siamese network, characters by prototypes, matching and memory."""

from __future__ import annotations

from ..baselines import mean_of_pixels, nearest_pixels, nearest_so_far
from ..experiment.card import Recipe, Target, Variant
from ..models import ConvSiamese, MatchingNet, MemoryNet, PrototypicalNet, SiameseNet
from ..programs.episode_lessons import ByEpisodes, ByPairs, ByStreams, Sights, Ways
from ..programs.episodes import Episodes
from .liu2019 import BOOK

CHAPTER = "8, New Trends of Deep Learning"
PEOPLE = Ways({"5-way": (5, 1), "10-way": (10, 1)}, queries=1, tested=1_000)
BOOKS = Ways(
    {f"{n}-way": (n, 1) for n in (4, 9, 16, 25, 36, 40)}, queries=1, tested=1_000, books=True
)
CHARACTERS = Ways({"5w1s": (5, 1), "5w5s": (5, 5), "20w1s": (20, 1), "20w5s": (20, 5)})
QUICK = {"lesson": ByEpisodes(ways=20, shots=1, queries=3, episodes=15), "epochs": 3}

SIAMESE_ORL = Recipe(
    name="siamese-orl",
    title="faces of people who were never trained on, by one picture of each",
    book=BOOK,
    chapter=CHAPTER,
    dataset="orl_by_person",
    parameters=1_823_893,
    program=Episodes(
        model=SiameseNet, exam=PEOPLE, score="10-way", lesson=ByPairs(4_000), lr=0.0003
    ),
    epochs=12,
    time_budget=900,
    baselines=(nearest_pixels,),
    not_beaten=(nearest_pixels,),
    fast={
        "lesson": ByPairs(400, 50),
        "epochs": 3,
        "architecture": {"filters": 4},
        "parameters": 456_049,
        "exam": Ways({"10-way": (10, 1)}, queries=1, tested=200),
    },
    errors=(
        "Faces of 112 rows and 92 columns are reshaped to 92 x 112, which wraps the rows and "
        "shears every face.",
        "Pairs lie in order, first all of the same person: the last tenth, which validates, holds "
        "different people only, and 4,000 + 3,200 train. Shuffle first.",
        "Test episodes are of the people, and mostly of the pairs, of the training: people must be "
        "held out to speak of few-shot learning.",
        "Distractors are drawn with replacement from all 40 people, the one looked for among them: "
        "a perfect judge scores (1 - (39/40)^n) / (n/40), 96.3 % of 4 ways and 63.7 % of 40. The "
        "printed fall with n is that of the protocol.",
        "The nearest-neighbour baseline takes the largest distance: the smallest.",
        "A second picture is drawn from the first upwards with an exclusive bound: one of nine "
        "never comes.",
    ),
    notes=(
        "People 31 to 40 are held out, pairs shuffled, faces upright, no person twice in an "
        "episode. `book` is the book's protocol, ten epochs of 7,200 pairs of all 40 people.",
        "The book's rate of 0.001 kills units: Adam moves each of 36,464 weights by as much, and "
        "their sum leaves a unit at 0 for all faces. Of 23 that were alive 10 are after 90 "
        "updates; with seed 0 the loss stayed at ln 2 for 140. Here 0.0003, also in `book`.",
        "In a trial of 240 updates it told 53 % of ten people held out, and 81 % of ten trained "
        "on: it learns people more than comparing. The nearest picture by pixels tells 82 %.",
        "The 90 % that were hoped for are out of reach of thirty people.",
    ),
    variants=(
        Variant(
            "book",
            {
                "dataset": "orl_as_the_book_has_it",
                "architecture": {"picture": (92, 112, 1)},
                "lesson": ByPairs(8_000, shuffled=False),
                "exam": BOOKS,
                "score": "40-way",
                "epochs": 10,
            },
            reported={"test": 0.659},
            notes=(
                "The book's table: 96.3, 93.1, 84.5, 76.7, 67.9, 65.9 % for 4, 9, 16, 25, 36, 40 "
                "ways; its ceiling: 96.3, 90.6, 83.3, 75.0, 66.5, 63.7 %. 1-NN there: 87.6, 75.2, "
                "66.3, 55.0, 49.7, 47.8 %.",
            ),
        ),
    ),
    companion="book",
)

PROTOTYPES_OMNIGLOT = Recipe(
    name="prototypes-omniglot",
    title="characters of alphabets never seen, by the nearest mean of one or five examples",
    book="tinydl",
    chapter="tutorial 33",
    dataset="omniglot_by_character",
    parameters=111_936,
    program=Episodes(model=PrototypicalNet, exam=CHARACTERS, score="5w1s", lr=0.003, halve=2),
    epochs=6,
    time_budget=900,
    baselines=(mean_of_pixels, nearest_pixels),
    fast={**QUICK, "architecture": {"filters": 16}, "parameters": 7_248},
    targets={"5w1s": Target(at_least=0.88), "5w5s": Target(at_least=0.95)},
    notes=(
        "Learnt from the 136 characters of Omniglot's first small set, each also turned by 90, 180 "
        "and 270 degrees as a class of its own, in episodes of 20 classes; tested on the 106 "
        "characters of the three alphabets that only the second small set has. Means of 600 "
        "episodes; NAME_interval is 1.96 standard errors.",
        "Snell et al. 2017 report 98.8, 99.7, 96.0 and 98.9 % after 1,200 training characters: "
        "another task, not to be compared.",
    ),
    variants=(
        Variant(
            "matching",
            {
                "title": "the same characters by attention over the examples",
                "model": MatchingNet,
                "targets": {"5w1s": Target(at_least=0.85)},
            },
            notes=(
                "A matching network, without the paper's full context embeddings. Vinyals et al. "
                "2016 report 98.1 and 98.9 % for 5 ways after 1,200 training characters.",
            ),
        ),
        Variant(
            "siamese",
            {
                "title": "the same characters by a judge of pairs",
                "model": ConvSiamese,
                "architecture": {"filters": 32},
                "lesson": ByPairs(16_000),
                "lr": 0.002,
                "halve": 1,
                "epochs": 4,
            },
            parameters=28_353,
            notes=(
                "Learnt from pairs, same or not, not from what is asked; half of the filters. Koch "
                "et al. 2015 report 92.0 % for 20 ways on the full set.",
            ),
        ),
    ),
    companion="matching",
)

MEMORY_OMNIGLOT = Recipe(
    name="memory-omniglot",
    title="characters named as they come: a network with a memory that is empty at first",
    book=BOOK,
    chapter=CHAPTER,
    dataset="omniglot_by_character",
    parameters=29_976,
    program=Episodes(
        model=MemoryNet,
        exam=Sights(),
        score="sight_2",
        lesson=ByStreams(rows=8, batches=50),
        lr=0.005,
    ),
    epochs=5,
    time_budget=300,
    seeds=3,
    baselines=(nearest_so_far,),
    fast={"lesson": ByStreams(rows=8, batches=10), "epochs": 2, "not_beaten": (nearest_so_far,)},
    targets={"sight_2": Target(at_least=0.60), "sight_5": Target(at_least=0.80)},
    errors=(
        "Memory networks: the buffer is taken for the offset of the labels: labels come one step "
        "late so that nothing can be answered from the input alone; the memory is another thing.",
    ),
    notes=(
        "Streams of 5 characters, 10 times each, labels dealt anew in every stream. Santoro et al. "
        "2016 report 82.8 % at the second and 94.9 % at the fifth sight, after 100,000 batches on "
        "1,200 characters.",
        "The head begins by answering with the label that it reads, and keys are standardised: "
        "with a drawn head and plain keys one of three seeds stayed at chance (mean at the second "
        "sight 62 %, at the fifth 67 %). At the first sight it answers with a label that another "
        "class has.",
    ),
)
