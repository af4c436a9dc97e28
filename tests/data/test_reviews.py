"""Film reviews in three formats, and long texts."""

import gzip

import numpy as np
import pytest
from cases import archives
from cases.archives import ragged
from support import install_set

from tinydl.data import read_imdb_npz, read_imdb_tar, read_imdb_tsv, read_text
from tinydl.data.sets import imdb as reviews
from tinydl.data.sets.imdb import imdb_keras
from tinydl.errors import ConfigError, FormatError

TSV = "label\trating\tid\ttext\n1\t7\t12\tgood\x85film<br />yes\n0\t1\t3\tbad \u2028\r film\n"


def test_tsv(tmp_path):
    path = tmp_path / "train.tsv.gz"
    path.write_bytes(gzip.compress(TSV.encode()))
    part = read_imdb_tsv(path)
    assert part.texts == ("good\x85film<br />yes", "bad \u2028\r film")
    assert part.y.tolist() == [1, 0] and part.stars.tolist() == [7, 1] and len(part) == 2
    path = tmp_path / "train.tsv"
    path.write_bytes(TSV.rstrip("\n").encode())
    assert read_imdb_tsv(path).texts == part.texts


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("label\t", "", "header"),
        ("1\t7", "2\t7", "line 2 is not"),
        ("1\t7", "1\tx", "line 2 is not"),
        ("7\t12\t", "7\t12 ", "line 2 is not"),
        ("bad", "b\tad", "line 3 is not"),
        ("yes\n", "yes\n\n", "line 3 is not"),
        ("yes\n0\t1\t3\tbad \u2028\r film\n", "", None),
    ],
)
def test_tsv_that_is_none(tmp_path, old, new, message):
    path = tmp_path / "train.tsv"
    path.write_bytes(TSV.replace(old, new, 1).encode())
    if message is None:
        assert len(read_imdb_tsv(path)) == 1
        path.write_bytes(TSV.split("\n")[0].encode() + b"\n")
        message = "holds no reviews"
    with pytest.raises(FormatError, match=message):
        read_imdb_tsv(path)


def test_text_that_is_no_utf_8(tmp_path):
    (tmp_path / "x").write_bytes(TSV.encode().replace(b"bad", b"b\xff"))
    with pytest.raises(FormatError, match="line 3 is not UTF-8"):
        read_imdb_tsv(tmp_path / "x")


FILES = {
    "aclImdb/train/pos/10_9.txt": b"fine",
    "aclImdb/train/pos/9_10.txt": b"great",
    "aclImdb/train/neg/0_3.txt": "schlecht \u2013 nein".encode(),
    "aclImdb/test/neg/5_1.txt": b"awful",
    "aclImdb/train/unsup/1_0.txt": b"no label",
    "aclImdb/train/pos/urls.txt": b"http",
    "aclImdb/imdb.vocab": b"the",
}


def tar(path, files):
    path.write_bytes(archives.tar(files))
    return path


@pytest.mark.parametrize("kind", ["tar", "folder"])
def test_acl_imdb(tmp_path, kind):
    path = tmp_path / "x"
    if kind == "tar":
        tar(path, FILES)
    else:
        for name, data in FILES.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(data)
    parts = read_imdb_tar(path)
    assert parts.train.texts == ("schlecht \u2013 nein", "great", "fine")
    assert parts.train.y.tolist() == [0, 1, 1] and parts.train.stars.tolist() == [3, 10, 9]
    assert parts.test.texts == ("awful",) and parts.test.y.tolist() == [0]


def test_acl_imdb_that_is_none(tmp_path):
    with pytest.raises(FormatError, match="holds no reviews"):
        read_imdb_tar(tar(tmp_path / "a", {k: v for k, v in FILES.items() if "test" not in k}))
    with pytest.raises(FormatError, match="is not UTF-8"):
        read_imdb_tar(tar(tmp_path / "b", FILES | {"aclImdb/test/pos/5_8.txt": b"\xff"}))
    with pytest.raises(FormatError, match="leaves the archive"):
        read_imdb_tar(tar(tmp_path / "c", FILES | {"../train/pos/5_8.txt": b"x"}))
    with pytest.raises(FormatError, match="above 1048576"):
        read_imdb_tar(tar(tmp_path / "d", FILES | {"aclImdb/test/pos/5_8.txt": bytes(2_000_000)}))


# -- Keras' codes ----------------------------------------------------------------------------------


TRAIN = [[1, 2, 3, 4990], [7], [100, 5000, 8, 9, 10], [4996, 4997]]
TEST = [[3], [6, 7]]


def keras_file(tmp_path, **changes):
    arrays = {
        "x_train": ragged(TRAIN),
        "y_train": np.array([1, 0, 1, 0]),
        "x_test": ragged(TEST),
        "y_test": np.array([0, 1]),
    }
    path = tmp_path / "imdb.npz"
    np.savez(path, **(arrays | changes))
    return path


def test_keras_file(tmp_path):
    train, test = read_imdb_npz(keras_file(tmp_path))
    assert train.codes == TRAIN and test.codes == TEST
    assert train.y.tolist() == [1, 0, 1, 0] and train.y.dtype == np.int64


@pytest.mark.parametrize(
    "changes",
    [
        {"y_train": np.array([1, 0, 1])},
        {"y_train": np.array([1, 0, 1, 2])},
        {"y_train": np.array([1.0, 0, 1, 0])},
        {"x_test": ragged([[1], [0]])},
        {"x_test": ragged([[1], [-4]])},
        {"x_test": ragged([[1], ["word"]])},
        {"x_test": ragged([[1], "word"])},
        {"x_test": ragged([[1], [True]])},
        {"x_test": np.array([[1], [2]])},
    ],
)
def test_keras_file_that_is_none(tmp_path, changes):
    with pytest.raises(FormatError):
        read_imdb_npz(keras_file(tmp_path, **changes))


@pytest.fixture
def keras(tmp_path, monkeypatch):
    path = keras_file(tmp_path)
    monkeypatch.setattr(reviews, "locate", lambda dataset, file: path)
    monkeypatch.setattr(reviews, "first_present", lambda keras, texts: keras)


def reference(codes, num_words, skip_top, start, oov, shift):
    """Keras' own rules, one code at a time, as its documentation states them."""
    result = []
    for row in codes:
        moved = ([start] if start is not None else []) + [c + shift for c in row]
        kept = []
        for code in moved:
            inside = code >= skip_top and (num_words is None or code < num_words)
            if inside:
                kept.append(code)
            elif oov is not None:
                kept.append(oov)
        result.append(kept)
    return result


@pytest.mark.parametrize("num_words, skip_top", [(None, 0), (5000, 10), (8, 0), (5000, 2)])
@pytest.mark.parametrize("start, oov, shift", [(1, 2, 3), (None, 2, 0), (1, None, 3)])
def test_keras_codes(keras, num_words, skip_top, start, oov, shift):
    options = {"start_char": start, "oov_char": oov, "index_from": shift, "seed": None}
    train, test = imdb_keras(num_words, skip_top, **options)
    assert train.codes == reference(TRAIN, num_words, skip_top, start, oov, shift)
    assert test.codes == reference(TEST, num_words, skip_top, start, oov, shift)


def test_the_book_s_choice(keras):
    train, _ = imdb_keras(num_words=5000, skip_top=10, seed=None)
    # The start mark and ranks 1 ... 6 are gone, rank 7 (code 10) and rank 4996 (code 4999) stay.
    assert train.codes == [[2, 2, 2, 2, 4993], [2, 10], [2, 103, 2, 11, 12, 13], [2, 4999, 2]]


def test_keras_shuffle_and_maxlen(keras):
    train, test = imdb_keras(seed=113)
    legacy = np.random.RandomState(113)
    order = [np.arange(4), np.arange(2)]
    for part in order:
        legacy.shuffle(part)
    plain = imdb_keras(seed=None)
    for got, all_, places in zip((train, test), plain, order, strict=True):
        assert got.codes == [all_.codes[k] for k in places]
        assert got.y.tolist() == [all_.y[k] for k in places]
    short, _ = imdb_keras(seed=None, maxlen=5)
    assert [len(c) for c in short.codes] == [2, 3] and short.y.tolist() == [0, 0]
    with pytest.raises(ConfigError, match="shorter than maxlen 2"):
        imdb_keras(seed=None, maxlen=2)


def test_keras_codes_of_texts(tmp_path, monkeypatch):
    """Ranks by count in the training part, then by the alphabet; the test part adds no word."""
    head = "label\trating\tid\ttext\n"
    train = head + "1\t7\t0\tThe film, the FILM: I'm in-the-\x85film!\n0\t1\t1\tbad<br />film\n"
    test = head + "1\t9\t0\tthe unheard-of film\n"
    files = [gzip.compress(text.encode()) for text in (train, test)]
    install_set(monkeypatch, tmp_path, "imdb_tsv", files)
    # film and the 3 each, then one each of \x85film (a letter of its own), bad, br, i'm, in.
    words = ["film", "the", "bad", "br", "i'm", "in", "\x85film"]
    rank = {word: k for k, word in enumerate(words, 1)}
    plain = {"start_char": None, "index_from": 0, "seed": None}
    first, second = imdb_keras(**plain)
    told = [["the", "film", "the", "film", "i'm", "in", "the", "\x85film"], ["bad", "br", "film"]]
    assert first.codes == [[rank[word] for word in row] for row in told]
    assert first.y.tolist() == [1, 0] and second.y.tolist() == [1]
    assert second.codes == [[2, 2, 2, 1]]  # unheard and of are oov_char
    assert imdb_keras(seed=None)[1].codes == [[1, 5, 2, 2, 4]]
    assert imdb_keras(seed=None, oov_char=None)[1].codes == [[1, 5, 4]]
    assert imdb_keras(seed=None, num_words=5)[0].codes[1] == [1, 2, 2, 4]


# -- corpora ---------------------------------------------------------------------------------------


def test_read_text(tmp_path):
    path = tmp_path / "x.txt"
    path.write_bytes("\ufeffone\r\ntwo\rthr\xe9e\n".encode())
    assert read_text(path) == "one\ntwo\nthr\xe9e\n"
    path.write_bytes(gzip.compress(b"packed"))
    assert read_text(path) == "packed"
    with pytest.raises(FormatError, match="more than 3 bytes"):
        read_text(path, 3)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FormatError, match="is not UTF-8"):
        read_text(path)
