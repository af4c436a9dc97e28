"""The shelf: every entry is what its card says, and every command takes its name."""

import shutil
from hashlib import sha256

import numpy as np
import pytest
from closeness import assert_close

import tinydl as td
from tinydl.command.main import main
from tinydl.errors import ConfigError
from tinydl.runs.imported import opened
from tinydl.runs.run import OpenRun
from tinydl.zoo import adding, shelf

MOST_BYTES = 16 << 20
SECONDS = 2.0  # entries whose measuring took longer are measured again by `-m recipes` alone
CARDS = {name: td.zoo.card(name) for name in td.zoo.names()}


def test_the_shelf_is_small_and_its_weights_are_those_of_the_cards():
    assert CARDS
    files = [path for path in shelf.SHELF.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= MOST_BYTES
    known = {"card.json", "config.json", "model.safetensors", "result.json", adding.JUDGE}
    for name, card in CARDS.items():
        folder = shelf.folder(name)
        weights = (folder / "model.safetensors").read_bytes()
        assert {path.name for path in folder.iterdir()} | {adding.JUDGE} == known
        assert (len(weights), sha256(weights).hexdigest()) == (card.bytes, card.sha256), name
        assert card.name == name and card.score in card.test and card.licence, name
        assert not card.licence.lower().startswith(adding.KEPT_OUT), name


@pytest.mark.parametrize("name", CARDS)
def test_an_entry_loads_and_gives_the_cards_numbers(name):
    card, model = CARDS[name], td.zoo.load(name)
    assert model.count_parameters() == card.parameters and not model.training
    found = adding.outputs(OpenRun(shelf.folder(name)))
    assert len(found) == len(card.outputs)
    if found:
        assert_close(np.array(found), np.array(card.outputs), 1e-3)


def _measured_again(name):
    _, found = OpenRun(shelf.folder(name)).measured("test")
    wrong = {k: (v, CARDS[name].test[k]) for k, v in found.items()
             if not adding.close(v, CARDS[name].test[k])}  # fmt: skip
    assert not wrong, wrong


@pytest.mark.parametrize("name", [n for n, card in CARDS.items() if card.seconds <= SECONDS])
def test_an_entry_is_measured_again(name, data_folder, monkeypatch):
    monkeypatch.setenv("TINYDL_DATA", str(data_folder))
    _measured_again(name)


@pytest.mark.recipes
@pytest.mark.parametrize("name", [n for n, card in CARDS.items() if card.seconds > SECONDS])
def test_a_slower_entry_is_measured_again(name, data_folder, monkeypatch):
    monkeypatch.setenv("TINYDL_DATA", str(data_folder))
    _measured_again(name)


def test_commands_take_a_name_and_a_folder_of_that_name_wins(tmp_path, monkeypatch, capsys):
    name = "iris-softmax"
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", name]) == 0
    assert "accuracy" in capsys.readouterr().out
    assert opened(name).folder == shelf.folder(name)
    shutil.copytree(shelf.folder(name), tmp_path / name)
    assert opened(name).folder.resolve() == tmp_path / name


def test_cards_are_listed_and_shown(capsys):
    assert main(["zoo"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in CARDS)
    assert main(["zoo", "iris-softmax"]) == 0
    page = capsys.readouterr().out
    assert CARDS["iris-softmax"].sha256[:40] in page and "CC BY 4.0" in page


def test_what_is_not_there_is_said_with_what_is_near():
    with pytest.raises(ConfigError, match=r"no trained model 'iris-softmaks'.*iris-softmax"):
        td.zoo.load("iris-softmaks")
    with pytest.raises(ConfigError, match="orl_faces is not passed on"):
        adding.origin("orl_by_person")
    with pytest.raises(ConfigError, match="no trained model"):
        td.zoo.card("../iris-softmax")


def test_a_run_is_added_in_half_its_bytes_where_the_figure_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(adding, "SHELF", tmp_path / "shelf")
    assert main(["train", "iris-softmax", "--out", str(tmp_path / "run"), "--quiet"]) == 0
    card = adding.add(tmp_path / "run")
    assert card.stored == "float16" and card.test["accuracy"] >= 0.95
    monkeypatch.setattr(adding, "TOLERANCE", -1.0)  # no measure is near enough
    assert adding.add(tmp_path / "run").stored == "float32"
    (tmp_path / "run" / "result.json").unlink()
    with pytest.raises(ConfigError, match="is not finished"):
        adding.add(tmp_path / "run")
