"""One row per public loader and reader: tiny files in the published layout, what comes out, and a
malformed file with its error. They run in tests/data/test_loader_rows.py.

A loader finds its files by the catalogue, which the test bends to the tiny ones: their sizes and
hashes stand in the entry and are checked as ever. So the sets too large for a test (COCO, VOC,
MovieLens 1M) have rows like the rest. A loader's row without an entry needs no file.
"""

import gzip
import io
import json
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from cases.archives import (
    cifar_records,
    idx,
    pgm,
    planes,
    png,
    ragged,
    tar,
    voc_annotation,
    voc_thing,
    without,
    zipped,
)
from tinydl import data
from tinydl.data.formats.wav import encode_wav


@dataclass(frozen=True)
class LoaderCase:
    """`call` gives a result (of a path, for a reader); `seen` of it is `expected`; with `broken` in
    place of the first of its files it raises a FormatError with `message`."""

    call: Callable
    seen: Callable
    expected: Any
    files: tuple[bytes, ...] = ()
    broken: bytes = b""
    message: str = ""
    entry: str = ""
    needs: str = ""  # a library


def of_bytes(reader, *arguments):
    """A reader of (data, ..., name) as one of a path."""
    return lambda path: reader(path.read_bytes(), *arguments, "x")


X = np.arange(2 * 32 * 32 * 3).astype(np.uint8).reshape(2, 32, 32, 3)

# -- pictures of a class each ----------------------------------------------------------------------

DIGITS = np.arange(2 * 28 * 28).astype(np.uint8).reshape(2, 28, 28)
IDX = idx(DIGITS), idx(np.array([3, 9])), idx(DIGITS[::-1]), idx(np.array([0, 1]))


def samples_of(d):
    """What is compared of a Dataset: shapes, a row of the first picture, labels."""
    return d.x_train.shape, d.x_train[0, 1].ravel()[:4].tolist(), list(d.y_train), list(d.y_test)


def idx_case(name):
    return LoaderCase(
        getattr(data, name),
        samples_of,
        ((2, 28, 28), [28, 29, 30, 31], [3, 9], [0, 1]),
        IDX,
        gzip.compress(gzip.decompress(IDX[0])[:-1]),
        "truncated",
        name,
    )


def pickled(x, **labels):
    content = {k.encode(): values for k, values in labels.items()} | {b"data": planes(x)}
    return pickle.dumps(content, 2)


BATCHES = [*[f"data_batch_{k}" for k in range(1, 6)], "test_batch"]


def backwards(files):
    """The order in the archive does not count."""
    return dict(reversed(files.items()))


BINARY = {f"b/{n}.bin": cifar_records(X, [k, k + 1]) for k, n in enumerate(BATCHES)}
PYTHON = {f"p/{n}": pickled(X, labels=[k, k + 1]) for k, n in enumerate(BATCHES)}
SUBSET = tuple([gzip.compress(cifar_records(X, [k, k + 1])) for k in range(3)])
CIFAR10 = ((10, 32, 32, 3), [96, 97, 98, 99], [0, 1, 1, 2, 2, 3, 3, 4, 4, 5], [5, 6])
HUNDRED = {n: cifar_records(X, [1, 2], [50, 99]) for n in ("h/train.bin", "h/test.bin")}
HUNDRED_PYTHON = {
    n: pickled(X, fine_labels=[50, 99], coarse_labels=[1, 2]) for n in ("h/train", "h/test")
}
#: A call of os.system, which must come out as an error and not be run.
PAYLOAD = b"cos\nsystem\n(S'touch ran'\ntR."

FACES = {f"s{s}/{k}.pgm": pgm(np.full((112, 92), s, np.uint8)) for s in range(1, 41)
         for k in range(1, 11)}  # fmt: skip
FACES_CASE = (
    lambda d: (d.x.shape, d.x[::10, 0, 0].tolist(), d.y[[0, 9, 10, 399]].tolist()),
    ((400, 112, 92), list(range(1, 41)), [0, 0, 1, 39]),
    (zipped(FACES),),
    zipped(without(FACES, "s7/3.pgm")),
    "has 399 pictures",
)


def drawing(column):
    """White, with ink in one column."""
    pixels = np.full((105, 105), 255, np.uint8)
    pixels[:, column] = 0
    return png(pixels)


DRAWINGS = {
    "bg/Greek/character01/0410_01.png": drawing(1),
    "bg/Greek/character02/0411_02.png": drawing(2),
    "bg/Latin/character01/0500_01.png": drawing(3),
}
DRAWINGS_CASE = (
    lambda d: (d.x.shape, d.x[:, 0].argmax(1).tolist(), d.y.tolist(), d.drawer.tolist(),
               d.alphabets),
    ((3, 105, 105), [1, 2, 3], [0, 1, 2], [0, 1, 0], ("Greek", "Latin")),
)  # fmt: skip
RUN = {f"run01/training/class0{k}.png": drawing(k) for k in (1, 2)}
RUN |= {f"run01/test/item0{k}.png": drawing(10 + k) for k in (1, 2)}
RUN["run01/class_labels.txt"] = (
    b"run01/test/item01.png run01/training/class02.png\n"
    b"run01/test/item02.png run01/training/class01.png\n"
)
RUNS_CASE = (
    lambda runs: [(r.name, r.test[:, 0].argmax(1).tolist(), r.answers.tolist()) for r in runs],
    [("run01", [11, 12], [1, 0])],
    (zipped(RUN),),
    zipped(without(RUN, "run01/test/item02.png")),
    "does not name its drawings",
)

# -- boxes -----------------------------------------------------------------------------------------

COLOUR = np.arange(30 * 40 * 3).astype(np.uint8).reshape(30, 40, 3)


def voc(*names):
    """Two pictures; the second has a thing that is difficult."""
    return {
        "V/Annotations/a.xml": voc_annotation(voc_thing(names[0], (1, 2, 11, 22))),
        "V/Annotations/b.xml": voc_annotation(voc_thing(names[1], (5, 6, 17, 8), 1)),
        "V/JPEGImages/a.jpg": png(COLOUR),
        "V/JPEGImages/b.jpg": png(COLOUR),
        "V/ImageSets/Main/train.txt": b"b\n",
    }


def found(d):
    return d.ids, d.sizes.tolist(), [b.tolist() for b in d.boxes], [t.tolist() for t in d.labels]


def found_in_pictures(d):
    picture = d.image(0)[0, 1].tolist()
    return *found(d), [f.tolist() for f in d.ignore], d.splits, picture


def voc_expected(labels, first):
    boxes = [[[1.0 - first, 2.0 - first, 11, 22]], [[5.0 - first, 6.0 - first, 17, 8]]]
    flags = [[False], [True]]
    return ("a", "b"), [[30, 40]] * 2, boxes, labels, flags, {"train": ("b",)}, [3, 4, 5]


COCO = {
    "images": [
        {"id": 7, "file_name": "b.jpg", "width": 40, "height": 30},
        {"id": 3, "file_name": "a.jpg", "width": 20, "height": 10},
    ],
    "annotations": [
        {"id": 1, "image_id": 7, "category_id": 90, "bbox": [1, 2.5, 10, 20], "iscrowd": 0},
        {"id": 2, "image_id": 7, "category_id": 5, "bbox": [0, 0, 4, 4], "iscrowd": 1},
    ],
    "categories": [{"id": 90, "name": "toothbrush"}, {"id": 5, "name": "dog"}],
}
COCO_FOUND = (
    ("a.jpg", "b.jpg"),
    [[10, 20], [30, 40]],
    [[], [[1, 2.5, 11, 22.5], [0, 0, 4, 4]]],
    [[], [1, 0]],
)
LOST = json.dumps(COCO | {"categories": []}).encode()


def instances(content):
    return zipped({"annotations/instances_val2017.json": content})


# -- rows of numbers -------------------------------------------------------------------------------

SMALL = b"196\t242\t3\t881250949\n186\t302\t3\t891717742\n196\t302\t5\t878887116\n"
SMALL_FILES = {
    "ml-100k/u.data": SMALL,
    "ml-100k/u.item": b"242|Kolya (1996)|24-Jan-1997||http://x|0\n302|L\xe9on|1||y|0\n",
}
LARGE_FILES = {
    "ml-1m/ratings.dat": b"1::1193::5::978300760\n2::661::3::978302109\n1::661::4::978301968\n",
    "ml-1m/movies.dat": b"1193::One Flew Over the Cuckoo's Nest (1975)::Drama\n",
}


def rated(d):
    return d.name, d.matrix().tolist(), d.titles, d.times[0]


SMALL_CASE = (
    rated,
    ("movielens_100k", [[3, 5], [0, 3]], ("Kolya (1996)", "L\xe9on"), 881250949),
    (zipped(SMALL_FILES),),
    zipped(without(SMALL_FILES, "ml-100k/u.item")),
    r"has no u\.item",
)
LARGE_CASE = (
    rated,
    ("movielens_1m", [[5, 4], [0, 3]], ("One Flew Over the Cuckoo's Nest (1975)", ""), 978300760),
    (zipped(LARGE_FILES),),
    zipped(LARGE_FILES | {"ml-1m/ratings.dat": SMALL}),
    "not separated by ::",
)
COLUMNS = ",".join(["Time", *(f"V{k}" for k in range(1, 29)), "Amount", "Class"])
PAYMENTS = "\n".join(
    [COLUMNS, *(",".join(map(str, [t, *range(28), 9.5, y])) for t, y in ((1, 0), (2.5, 1))), ""]
).encode()
PAYMENTS_CASE = (
    lambda d: (d.x.shape, d.column("Time").tolist(), d.column("V28").tolist(), d.y.tolist()),
    ((2, 30), [1, 2.5], [27, 27], [0, 1]),
    (PAYMENTS,),
    PAYMENTS.replace(b"V7,", b"W7,"),
    "has the columns",
)
EIGHTS = b"\n".join(b",".join([b"%d" % (k % 17) for k in range(64)] + [d]) for d in (b"3", b"0"))
EIGHTS_CASE = (
    lambda d: (d.x.shape, d.x[0, 2].tolist(), d.y.tolist()),
    ((2, 8, 8), [16, 0, 1, 2, 3, 4, 5, 6], [3, 0]),
    (EIGHTS,),
    EIGHTS.replace(b",16,", b",17,"),
    "a pixel outside 0 ... 16",
)
SPOKEN = {
    f"recordings/{name}.wav": encode_wav(np.full(4 + k, k / 8), 8_000)
    for k, name in enumerate(("1_ben_10", "1_ann_0", "0_ben_2"))
}
SPOKEN_CASE = (
    lambda d: ([len(w) for w in d.waves], d.digits.tolist(), d.speakers.tolist(), d.names),
    ([6, 5, 4], [0, 1, 1], [1, 0, 1], ("ann", "ben")),
    (zipped(SPOKEN),),
    zipped(SPOKEN | {"recordings/2_ben_1.wav": SPOKEN["recordings/1_ann_0.wav"][:-1]}),
    "ends within a chunk",
)
TRACKS = b"\n".join(
    b",".join([b"%3d" % (5 * k + 20) for k in range(16)] + [d]) for d in (b" 3", b" 0")
)
TRACKS_CASE = (
    lambda d: (d.x.shape, d.x[0, 1].tolist(), d.y.tolist()),
    ((2, 8, 2), [30, 35], [3, 0]),
    (TRACKS,),
    TRACKS.replace(b" 95", b"101"),
    "a point outside 0 ... 100",
)
PRICES = b"""Date,Open,High,Low,Close,Volume,Adj Close
1985-01-29,10,12,9,11,1000,10.5
1985-12-03,11,14,10,13,2000,12.5
"""
PRICES_CASE = (
    lambda d: (d.dates.astype(str).tolist(), d.close.tolist(), d.adjusted_close.tolist()),
    (["1985-01-29", "1985-12-03"], [11, 13], [10.5, 12.5]),
)

# -- texts -----------------------------------------------------------------------------------------

REVIEWS = {
    "aclImdb/train/pos/9_10.txt": b"great",
    "aclImdb/train/neg/0_3.txt": "schlecht \u2013 nein".encode(),
    "aclImdb/test/neg/5_1.txt": b"awful",
}
REVIEWS_CASE = (
    lambda d: (d.train.texts, d.train.y.tolist(), d.train.stars.tolist(), d.test.texts),
    (("schlecht \u2013 nein", "great"), [0, 1], [3, 10], ("awful",)),
    (tar(REVIEWS),),
    tar(REVIEWS | {"../train/pos/5_8.txt": b"x"}),
    "leaves the archive",
)
TSV = b"label\trating\tid\ttext\n1\t7\t12\tgood film\n0\t1\t3\tbad\n"


def npz(**changes):
    arrays = {
        "x_train": ragged([[1, 2, 3, 4990], [7]]),
        "y_train": np.array([1, 0]),
        "x_test": ragged([[3]]),
        "y_test": np.array([1]),
    }
    stream = io.BytesIO()
    np.savez(stream, **(arrays | changes))
    return stream.getvalue()


def codes(parts):
    return [(part.codes, part.y.tolist()) for part in parts]


POEM = "\ufeffone\r\ntwo\rthr\xe9e\n".encode()


def text_case(name, entry):
    return LoaderCase(
        getattr(data, name), str, "one\ntwo\nthr\xe9e\n", (gzip.compress(POEM),),
        gzip.compress(b"\xff\xfe\x00"), "is not UTF-8", entry,
    )  # fmt: skip


SEMEION = "\n".join(
    " ".join(str(int(k in (start, 256 + start))) for k in range(266)) + " " for start in (2, 7)
).encode()
SEMEION_CASE = (
    lambda d: (d.x.shape, np.argwhere(d.x).tolist(), d.y.tolist()),
    ((2, 16, 16), [[0, 0, 2], [1, 0, 7]], [2, 7]),
    (gzip.compress(SEMEION),),
    gzip.compress(SEMEION.replace(b"1", b"2", 1)),
    "no bits of one class",
)


# -- the rows --------------------------------------------------------------------------------------

SENTENCES = "Go.\tG\xe5.\tCC (a) & (b)\nRun!\tSpring!\tCC (c) & (d)\n".encode()
TATOEBA_CASE = (
    lambda d: (d.sources, d.targets, d.credits),
    (("G\xe5.", "Spring!"), ("Go.", "Run!"), ("CC (a) & (b)", "CC (c) & (d)")),
    (gzip.compress(SENTENCES),),
    gzip.compress(SENTENCES.replace(b"Spring!\t", b"")),
    "line 2 is no two texts",
)
TURNS = {
    "e/b.yml": b"categories:\n- b\nconversations:\n- - 'It''s?'\n  - Yes,\n    it is.\n"
    b"  - |\n    So:\n    1\n",
    "e/a.yml": b"conversations:\n- - Hi\n  - Hello\n- - Alone\n",
}
DIALOGUE_CASE = (
    lambda d: list(zip(d.sources, d.targets, strict=True)),
    [("Hi", "Hello"), ("It's?", "Yes, it is."), ("Yes, it is.", "So:")],
    (zipped(TURNS),),
    zipped(TURNS | {"e/c.yml": b"categories:\n"}),
    "has no line conversations:",
)

LOADERS = {
    "mnist": idx_case("mnist"),
    "fashion_mnist": idx_case("fashion_mnist"),
    "cifar10": LoaderCase(
        data.cifar10, samples_of, CIFAR10, (tar(backwards(BINARY)),),
        tar(without(BINARY, "b/test_batch.bin")), r"has no test_batch\.bin", "cifar10",
    ),
    "cifar10-python": LoaderCase(
        lambda: data.cifar10("python"), samples_of, CIFAR10, (tar(backwards(PYTHON)),),
        tar(PYTHON | {"p/data_batch_1": PAYLOAD}), "pickle: ", "cifar10_python",
    ),
    "cifar10-subset": LoaderCase(
        lambda: data.cifar10("subset"), samples_of,
        ((4, 32, 32, 3), [96, 97, 98, 99], [0, 1, 1, 2], [2, 3]),
        SUBSET, SUBSET[0][:-9], "gzip|damaged", "cifar10_subset",
    ),
    "cifar100": LoaderCase(
        data.cifar100, samples_of, ((2, 32, 32, 3), [96, 97, 98, 99], [50, 99], [50, 99]),
        (tar(HUNDRED),), tar(HUNDRED | {"h/test.bin": b"x"}), "not a whole number", "cifar100",
    ),
    "cifar100-python": LoaderCase(
        lambda: data.cifar100("python", "coarse"), samples_of,
        ((2, 32, 32, 3), [96, 97, 98, 99], [1, 2], [1, 2]),
        (tar(HUNDRED_PYTHON),), tar(HUNDRED_PYTHON | {"h/test": PAYLOAD}), "pickle: ",
        "cifar100_python",
    ),
    "orl_faces": LoaderCase(data.orl_faces, *FACES_CASE, "orl_faces"),
    "omniglot": LoaderCase(
        data.omniglot, *DRAWINGS_CASE, (zipped(DRAWINGS), b"not asked for"),
        zipped({"readme": b""}), "holds no drawings", "omniglot_small", "PIL",
    ),
    "omniglot_runs": LoaderCase(data.omniglot_runs, *RUNS_CASE, "omniglot_runs", "PIL"),
    "bccd": LoaderCase(
        data.bccd, found_in_pictures, voc_expected([[2], [1]], 0), (zipped(voc("WBC", "RBC")),),
        zipped(voc("WBC", "cow")), "unknown class 'cow'", "bccd", "PIL",
    ),
    "voc2007": LoaderCase(
        data.voc2007, found_in_pictures, voc_expected([[11], [7]], 1),
        (tar(voc("dog", "cat"), "w"), b"not asked for"),
        tar(without(voc("dog", "cat"), "V/JPEGImages/b.jpg"), "w"), "no picture for", "voc2007",
        "PIL",
    ),
    "coco2017": LoaderCase(
        data.coco2017, found, COCO_FOUND, (instances(json.dumps(COCO).encode()),),
        instances(LOST), "coco: ", "coco2017",
    ),
    "movielens_100k": LoaderCase(data.movielens_100k, *SMALL_CASE, "movielens_100k"),
    "movielens_1m": LoaderCase(data.movielens_1m, *LARGE_CASE, "movielens_1m"),
    "semeion": LoaderCase(data.semeion, *SEMEION_CASE, "semeion"),
    "fsdd": LoaderCase(data.fsdd, *SPOKEN_CASE, "fsdd"),
    "pendigits": LoaderCase(
        data.pendigits, lambda d: (d.x_train.shape, d.x_test.shape, d.y_test.tolist()),
        ((2, 8, 2), (2, 8, 2), [3, 0]), (gzip.compress(TRACKS), gzip.compress(TRACKS)),
        gzip.compress(TRACKS_CASE[3]), TRACKS_CASE[4], "pendigits",
    ),
    "creditcard": LoaderCase(data.creditcard, *PAYMENTS_CASE, "creditcard"),
    "optdigits": LoaderCase(
        data.optdigits, lambda d: (d.x_train.shape, d.y_train.tolist(), d.x_test.shape),
        ((2, 8, 8), [3, 0], (1797, 8, 8)), (gzip.compress(EIGHTS),),
        gzip.compress(EIGHTS_CASE[3]), EIGHTS_CASE[4], "optdigits", "sklearn",
    ),
    "stocks": LoaderCase(
        data.stocks, *PRICES_CASE, (gzip.compress(PRICES), b"not", b"asked for"),
        gzip.compress(PRICES.replace(b"Open", b"x")),
        "no column open", "stocks",
    ),
    "imdb": LoaderCase(data.imdb, *REVIEWS_CASE, "imdb"),
    "imdb_keras": LoaderCase(
        lambda: data.imdb_keras(seed=None), codes,
        [([[1, 4, 5, 6, 4993], [1, 10]], [1, 0]), ([[1, 6]], [1])], (npz(),),
        npz(x_train=ragged([[1], ["word"]])), "not a list of word ranks", "imdb_keras",
    ),
    "tiny_shakespeare": text_case("tiny_shakespeare", "tiny_shakespeare"),
    "war_and_peace": text_case("war_and_peace", "war_and_peace"),
    "tatoeba": LoaderCase(data.tatoeba, *TATOEBA_CASE, "tatoeba_swe"),
    "dialogue": LoaderCase(data.dialogue, *DIALOGUE_CASE, "dialogue"),
    "digits": LoaderCase(
        data.digits, lambda d: (d.x.shape, d.x[0, 0].tolist(), d.y[:3].tolist()),
        ((1797, 8, 8), [0, 0, 5, 13, 9, 1, 0, 0], [0, 1, 2]), needs="sklearn",
    ),
    "iris": LoaderCase(
        data.iris, lambda d: (d.x.shape, d.x[0].astype(str).tolist(), d.y[[0, 50, 149]].tolist()),
        ((150, 4), ["5.1", "3.5", "1.4", "0.2"], [0, 1, 2]), needs="sklearn",
    ),
    "diabetes": LoaderCase(
        data.diabetes, lambda d: (d.x.shape, d.columns[:2], d.x[0, :2].tolist(), d.y[0]),
        ((442, 10), ("age", "sex"), [59, 2], 151), needs="sklearn",
    ),
}  # fmt: skip

READERS = {
    "read_bytes": LoaderCase(
        data.read_bytes, bytes, POEM, (gzip.compress(POEM),), gzip.compress(POEM)[:-9], "damaged",
    ),
    "read_idx": LoaderCase(
        data.read_idx, np.ndarray.tolist, [3, 9], (IDX[1],), gzip.compress(b"<html>"), "magic",
    ),
    "read_pickle": LoaderCase(
        of_bytes(data.read_pickle), dict, {b"a": [1, "x"]}, (pickle.dumps({b"a": [1, "x"]}),),
        PAYLOAD, "pickle: x",
    ),
    "read_cifar_binary": LoaderCase(
        of_bytes(data.read_cifar_binary, 1), lambda xy: (xy[0].tolist(), xy[1].tolist()),
        (X.tolist(), [7, 0]), (cifar_records(X, [7, 0]),), b"12", "not a whole number",
    ),
    "read_cifar_python": LoaderCase(
        of_bytes(data.read_cifar_python, b"labels"), lambda xy: (xy[0].tolist(), xy[1].tolist()),
        (X.tolist(), [7, 0]), (pickled(X, labels=[7, 0]),), pickled(X, labels=[7]), "no 2 labels",
    ),
    "read_orl_faces": LoaderCase(data.read_orl_faces, *FACES_CASE),
    "read_pgm": LoaderCase(
        of_bytes(data.read_pgm), np.ndarray.tolist, DIGITS[0].tolist(), (pgm(DIGITS[0]),),
        pgm(DIGITS[0])[:-1], "pgm: x",
    ),
    "read_image": LoaderCase(
        data.read_image, np.ndarray.tolist, COLOUR.tolist(), (png(COLOUR),), png(COLOUR)[:60],
        "not a readable image", needs="PIL",
    ),
    "decode_image": LoaderCase(
        of_bytes(data.decode_image), np.ndarray.tolist, DIGITS[0].tolist(), (png(DIGITS[0]),),
        b"GIF89a", "not a readable image", needs="PIL",
    ),
    "read_omniglot": LoaderCase(
        data.read_omniglot, *DRAWINGS_CASE, (zipped(DRAWINGS),),
        zipped(DRAWINGS | {"bg/Greek/character01/0410_03.png": png(DIGITS[0])}), "expected",
        needs="PIL",
    ),
    "read_omniglot_runs": LoaderCase(data.read_omniglot_runs, *RUNS_CASE, needs="PIL"),
    "read_voc": LoaderCase(
        data.read_voc, found_in_pictures, voc_expected([[1], [0]], 0),
        (zipped(voc("dog", "cat")),),
        zipped(voc("dog", "cat") | {"V/Annotations/a.xml": voc_annotation(size="")}),
        "has no <size><width>", needs="PIL",
    ),
    "read_coco": LoaderCase(
        data.read_coco, found, COCO_FOUND, (json.dumps(COCO).encode(),), LOST, "coco: ",
    ),
    "read_movielens_100k": LoaderCase(data.read_movielens_100k, *SMALL_CASE),
    "read_movielens_1m": LoaderCase(data.read_movielens_1m, *LARGE_CASE),
    "read_fsdd": LoaderCase(data.read_fsdd, *SPOKEN_CASE),
    "read_trees": LoaderCase(
        data.read_trees, lambda d: ([str(t) for t in d], d[0].right.label),
        (["(3 (2 It) (4 works))", "(0 (1 no) (2 (2 a) (2 b)))"], 4),
        (b"(3 (2 It) (4 works))\n\n(0 (1 no) (2 (2 a) (2 b)))\n",),
        b"(3 (2 It) (4 works)\n", "is no tree",
    ),
    "read_pendigits": LoaderCase(data.read_pendigits, *TRACKS_CASE),
    "read_semeion": LoaderCase(data.read_semeion, *SEMEION_CASE),
    "read_optdigits": LoaderCase(data.read_optdigits, *EIGHTS_CASE),
    "read_creditcard": LoaderCase(data.read_creditcard, *PAYMENTS_CASE),
    "read_csv": LoaderCase(
        data.read_csv, lambda table: (table[0], table[1].tolist()),
        (("a", "b"), [[1, 2.5], [3, 4]]), (b"a,b\n1,2.5\n3,4\n",), b"a,b\n1,2\n3,4,5\n",
        "not a table of numbers",
    ),
    "read_prices": LoaderCase(
        data.read_prices, *PRICES_CASE, (PRICES,), PRICES.replace(b",13,", b",-13,"),
        "row 3 has a price that is none",
    ),
    "read_imdb_tar": LoaderCase(data.read_imdb_tar, *REVIEWS_CASE),
    "read_imdb_tsv": LoaderCase(
        data.read_imdb_tsv, lambda d: (d.texts, d.y.tolist(), d.stars.tolist()),
        (("good film", "bad"), [1, 0], [7, 1]), (TSV,), TSV.replace(b"1\t7", b"2\t7"),
        "line 2 is not",
    ),
    "read_imdb_npz": LoaderCase(
        data.read_imdb_npz, codes, [([[1, 2, 3, 4990], [7]], [1, 0]), ([[3]], [1])], (npz(),),
        npz(y_test=np.array([2])), "labels other than 0 and 1",
    ),
    "read_tatoeba": LoaderCase(data.read_tatoeba, *TATOEBA_CASE),
    "read_dialogue": LoaderCase(data.read_dialogue, *DIALOGUE_CASE),
    "read_text": LoaderCase(
        data.read_text, str, "one\ntwo\nthr\xe9e\n", (POEM,), b"\xff\xfe\x00", "is not UTF-8",
    ),
}  # fmt: skip
