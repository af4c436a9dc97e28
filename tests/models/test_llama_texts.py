"""Texts of a llama2.c model: the tokenizer merges by scores, `tinydl sample FOLDER` goes on."""

import json

import numpy as np
import pytest
from models.test_llama import SIZES, small, stored

from tinydl import Generator
from tinydl.command.main import main
from tinydl.errors import ConfigError, FormatError
from tinydl.models import LlamaTokenizer, read_llama2c_tokenizer
from tinydl.runs.llama_folder import continued, llama_files, load_llama

WORDS = [b"<unk>", b"<s>", b"</s>", *[b"<0x%02X>" % k for k in range(256)]]
PIECES = [b" ", b"a", b"b", b"c", b"ab", b"bc", b" a", b"abc", b" ab"]


def tokenizer(scores):
    return LlamaTokenizer([*WORDS, *PIECES], [0.0] * len(WORDS) + [-100.0] * 4 + scores)


def spelled(found, tokens):
    return [found.vocabulary[t] for t in tokens[1:]]


def test_the_highest_score_is_merged_first_and_the_first_of_equals():
    first = tokenizer([-1.0, -2.0, -3.0, -4.0, -5.0])
    assert spelled(first, first.encode("abc")) == [b" ", b"abc"]
    other = tokenizer([-2.0, -3.0, -1.0, -4.0, -5.0])  # " a" before "ab"; then "bc"
    assert spelled(other, other.encode("abc")) == [b" a", b"bc"]
    equal = tokenizer([-9.0, -9.0, -1.0, -90.0, -9.0])
    assert spelled(equal, equal.encode("cabab")) == [b" ", b"c", b"ab", b"ab"]
    assert first.encode("") == [1] and first.encode("a")[0] == 1


def test_a_character_without_a_token_is_its_bytes_and_comes_back():
    found = tokenizer([-1.0, -2.0, -3.0, -4.0, -5.0])
    tokens = found.encode("aé")
    assert spelled(found, tokens) == [b" a", b"<0xC3>", b"<0xA9>"]
    for text in ("abc cab", "é — 猫", "a\nb"):
        assert found.decode(found.encode(text)) == text
    with pytest.raises(ConfigError, match="this vocabulary of 4 tokens has no 'b'"):
        LlamaTokenizer([b"<unk>", b"<s>", b" ", b"a"], [0.0] * 4).encode("ab")


def tokens_file(words, scores=None):
    rows = [
        np.float32(0 if scores is None else scores[k]).tobytes() + np.int32(len(w)).tobytes() + w
        for k, w in enumerate(words)
    ]
    return np.int32(6).tobytes() + b"".join(rows)


@pytest.fixture
def folder(tmp_path):
    """A model of seven tokens with its tokenizer."""
    (tmp_path / "model.bin").write_bytes(stored(small(), SIZES))
    words = [b"<unk>", b"<s>", b"</s>", b" ", b"a", b"b", b" a"]
    (tmp_path / "tok7.bin").write_bytes(tokens_file(words, [0, 0, 0, -1, -1, -1, -2]))
    return tmp_path


def test_a_folder_is_known_by_its_files(folder):
    assert [p.name for p in llama_files(folder)] == ["model.bin", "tok7.bin"]
    (folder / "other.bin").write_bytes(b"")
    assert llama_files(folder) is None
    (folder / "other.bin").unlink()
    (folder / "config.json").write_text("{}")
    assert llama_files(folder) is None and llama_files(folder / "model.bin") is None


def test_the_command_goes_on_with_a_prompt(folder, capsys):
    def told(*more):
        assert main(["sample", str(folder), "--prompt", "ab", "--json", *more]) == 0
        return json.loads(capsys.readouterr().out)

    greedy = told("--count", "12", "--temperature", "0")
    model, tokens = load_llama(llama_files(folder), "cpu")
    wanted = [*tokens.encode("ab"), *model.write(tokens.encode("ab"), 12)]
    until = wanted.index(1, 1) if 1 in wanted[1:] else len(wanted)
    assert greedy["text"] == tokens.decode(wanted[:until]) and greedy["text"].startswith("ab")
    assert told("--seed", "3") == told("--seed", "3") != told("--seed", "4")
    narrow = told("--count", "12", "--top-p", "0.001")
    assert narrow["text"] == greedy["text"]  # the nucleus of the likeliest alone
    for wrong, words in (
        (["--temperature", "-1"], "temperature must be >= 0"),
        (["--top-p", "2"], r"top_p must be in (0, 1]"),
        (["--out", "x.png"], "--out must end in .txt"),
    ):
        assert main(["sample", str(folder), *wrong]) == 2
        assert words in capsys.readouterr().err


def test_a_text_ends_where_the_next_would_begin(folder):
    model, tokens = load_llama(llama_files(folder), "cpu")
    model.embedding.weight.assign(np.zeros((7, 8), np.float32))  # all are equally likely: token 0
    assert continued(model, tokens, "a", 5, Generator(0), temperature=0.0) == ("a" + "<unk>" * 5, 5)
    lengths = {continued(model, tokens, "a", 50, Generator(seed))[1] for seed in range(8)}
    assert len(lengths) > 3 and max(lengths) < 50  # one of seven draws is the end


@pytest.mark.parametrize(
    "damage, words",
    [
        (lambda data: data[: -len(b" a") - 8], "has 6 tokens, .* is for 7"),
        (lambda data: data[:4] + np.float32("nan").tobytes() + data[8:], "that is no number"),
    ],
)
def test_a_tokenizer_that_does_not_fit_is_one_sentence(folder, damage, words):
    path = folder / "tok7.bin"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(FormatError, match=words):
        load_llama(llama_files(folder), "cpu")


def test_stories260k_is_cut_as_the_reference_is(data_folder):
    stories = data_folder / "models" / "stories260k"
    if not stories.is_dir():
        pytest.skip(f"{data_folder} has no models/stories260k")
    model, tokens = load_llama(llama_files(stories), "cpu")
    reference = json.loads((stories / "reference.json").read_text())
    found = read_llama2c_tokenizer(stories / "tok512.bin")
    first = reference["tokens"][: reference["tokens"].index(found.encode("time")[-1]) + 1]
    begun = found.decode(first)
    assert begun.startswith("Once upon a time") and found.encode(begun) == first
    text, count = continued(model, tokens, begun, 100, Generator(0), temperature=0.0)
    assert count == 100 and reference["text"].startswith(text)
