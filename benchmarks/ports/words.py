"""Vectors of words from the same reviews by tinydl and by gensim, judged alike.

python benchmarks/ports/words.py --gensim PYTHON [--epochs 3] [--kinds skip-gram,cbow,glove]
    [--out FILE.json]

PYTHON is an interpreter that has gensim (an environment of its own will do); its package brings the
two lists that both are asked: WordSim-353, Spearman's correlation of cosines with people's scores,
and Google's analogies among the 20,000 most frequent words, the share whose fourth word is the
nearest to b - a + c but those three. What has a word that is not known is not asked, and counted.
Text: IMDb's training reviews in small letters, words of five occurrences or more. Both: 100 numbers
a word, windows of 5, 5 drawn words for each pair, one thread. gensim has no GloVe: ours stands
beside its skip-gram.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np

SIZE, WINDOW, LEAST, NEGATIVE, ASKED = 100, 5, 5, 5, 20_000
GENSIM = {"skip-gram": 1, "cbow": 0}
#: The recipe, the rate, and the batches of an epoch for each million words of text.
LEARNING = {
    "skip-gram": ("skipgram-films", 0.002, 360),
    "cbow": ("skipgram-films/cbow", 0.002, 120),
    "glove": ("skipgram-films/glove", 0.02, 120),
}


# -- gensim, in its own interpreter ----------------------------------------------------------------


def by_gensim(kind: str, folder: Path, epochs: int) -> None:
    """Trains on text.txt; leaves vectors.npy, words.txt and told.json."""
    import gensim
    from gensim.models import Word2Vec

    sentences = [line.split() for line in (folder / "text.txt").read_text().splitlines()]
    start = perf_counter()
    model = Word2Vec(
        sentences, vector_size=SIZE, window=WINDOW, min_count=LEAST, sg=GENSIM[kind],
        negative=NEGATIVE, epochs=epochs, workers=1, seed=1,
    )  # fmt: skip
    seconds = perf_counter() - start
    np.save(folder / "vectors.npy", model.wv.vectors)
    (folder / "words.txt").write_text("\n".join(model.wv.index_to_key))
    lists = str(Path(gensim.__file__).parent / "test" / "test_data")
    told = {"seconds": seconds, "version": gensim.__version__, "lists": lists}
    (folder / "told.json").write_text(json.dumps(told))


# -- tinydl ----------------------------------------------------------------------------------------


def by_tinydl(kind: str, corpus, epochs: int) -> tuple[np.ndarray, float]:
    """(vectors, seconds) of the recipe's training with these sizes."""
    from tinydl.experiment.datasets import DATASETS
    from tinydl.recipes import find
    from tinydl.runs.run import begin

    DATASETS["all film words"] = lambda: corpus
    name, lr, updates = LEARNING[kind]
    recipe = find(name).replaced(dataset="all film words", epochs=epochs)
    settings = {
        "architecture": {"vocabulary": len(corpus.vocabulary), "dimension": SIZE},
        "window": WINDOW, "threshold": 1e-3, "lr": lr,
        "updates": round(updates * len(corpus.words) / 1e6),
    }  # fmt: skip
    training = begin(recipe.replaced(**settings), data=corpus)
    start = perf_counter()
    training.fit()
    return training.model.vectors(), perf_counter() - start


# -- judging ---------------------------------------------------------------------------------------


def judged(vectors: np.ndarray, words: list[str], lists: Path) -> dict[str, float]:
    """Both questions, and how many of them could be asked."""
    place = {word: k for k, word in enumerate(words)}
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    lines = (lists / "wordsim353.tsv").read_text().splitlines()
    rows = [line.lower().split("\t") for line in lines if not line.startswith("#")]
    pairs = [(place[a], place[b], float(s)) for a, b, s in rows if a in place and b in place]
    first, second, scores = (np.array(column) for column in zip(*pairs, strict=True))
    cosines = (unit[first] * unit[second]).sum(axis=1)
    lines = (lists / "questions-words.txt").read_text().lower().splitlines()
    near = {word: k for word, k in place.items() if k < ASKED}
    fours = [line.split() for line in lines if not line.startswith(":")]
    asked = np.array([[near[w] for w in four] for four in fours if all(w in near for w in four)])
    right = 0
    for part in np.array_split(asked, max(1, len(asked) // 500)):
        a, b, c, d = part.T
        closeness = (unit[b] - unit[a] + unit[c]) @ unit[:ASKED].T
        np.put_along_axis(closeness, part[:, :3], -np.inf, axis=1)
        right += int((closeness.argmax(axis=1) == d).sum())
    return {
        "spearman": rank_correlation(cosines, scores), "pairs": len(pairs),
        "analogies": right / len(asked), "asked": len(asked),
    }  # fmt: skip


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's: Pearson's of the ranks, equal values at their mean rank."""
    ranks = []
    for values in (a, b):
        _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
        ranks.append((np.cumsum(counts) - (counts - 1) / 2)[group])
    return float(np.corrcoef(*ranks)[0, 1])


def compare(kinds: list[str], python: str, epochs: int) -> dict[str, dict[str, dict[str, float]]]:
    from tinydl.data import imdb, word_corpus

    corpus = word_corpus(imdb().train.texts, LEAST)
    ends = np.flatnonzero(np.diff(corpus.texts)) + 1
    known = np.array(corpus.vocabulary)
    text = "\n".join(" ".join(known[part]) for part in np.split(corpus.words, ends))
    found: dict[str, dict[str, dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "text.txt").write_text(text)
        for kind in kinds:
            if kind in GENSIM or not found:
                theirs = kind if kind in GENSIM else "skip-gram"
                command = [python, __file__, "--worker", theirs, str(folder), str(epochs)]
                subprocess.run(command, check=True)
                told = json.loads((folder / "told.json").read_text())
                words = (folder / "words.txt").read_text().split("\n")
                lists = Path(told["lists"])
                row = judged(np.load(folder / "vectors.npy"), words, lists)
                found[f"gensim {theirs}"] = {**row, "seconds": told["seconds"]}
                show(f"gensim {theirs}", found[f"gensim {theirs}"])
            vectors, seconds = by_tinydl(kind, corpus, epochs)
            row = judged(vectors, list(corpus.vocabulary), lists)
            found[f"tinydl {kind}"] = {**row, "seconds": seconds}
            show(f"tinydl {kind}", found[f"tinydl {kind}"])
    return found


def show(name: str, row: dict[str, float]) -> None:
    print(
        f"{name:18} Spearman {row['spearman']:.3f} of {row['pairs']} pairs, analogies "
        f"{row['analogies']:.1%} of {row['asked']:,}, {row['seconds']:.0f} s",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--gensim", metavar="PYTHON", default=sys.executable)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--kinds", default=",".join(LEARNING))
    parser.add_argument("--out", metavar="FILE", type=Path)
    args = parser.parse_args()
    found = compare(args.kinds.split(","), args.gensim, args.epochs)
    if args.out:
        args.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        by_gensim(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
    else:  # the worker's Python has no tinydl
        from tinydl.console import command

        sys.exit(command(main, "words"))
