"""Run folders at every stage, of strangers, held by somebody, with weights that are no numbers."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from support import by_hand

import tinydl
from tinydl.command.main import main
from tinydl.errors import AnomalyError, ConfigError, FormatError, TinydlError
from tinydl.files import FolderLock, write_atomically
from tinydl.programs.parts import Parts, load_parts
from tinydl.programs.supervised import SupervisedTraining
from tinydl.recipes import RECIPES, find
from tinydl.runs.folder import write_result
from tinydl.runs.run import OpenRun, Settings, begin, claim, config_of, resumed, train, train_into
from tinydl.train import load_checkpoint, read_tensors
from tinydl.train.schema import digest, read_json
from tinydl.train.tensor_files import write_tensors

FILES = ("config.json", "checkpoint.safetensors", "model.safetensors", "history.csv")
IMAGE = np.arange(64, dtype=np.uint8).reshape(8, 8)


@pytest.fixture(scope="module")
def few():
    """A hundred samples of the recipe's data."""
    whole = load_parts(find("synthetic-digits"))
    cut = [(x[:100], y[:100]) for x, y in (whole.train, whole.test)]
    return Parts(cut[0], None, cut[1], whole.classes)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, few):
    folder = tmp_path_factory.mktemp("run")
    train_into(folder, begin(find("synthetic-digits").changed(epochs=2), data=few), False)
    return folder


@pytest.fixture
def folder(trained, tmp_path, few, monkeypatch):
    """A copy of the run, whose data are few."""
    monkeypatch.setattr("tinydl.programs.supervised.load_parts", lambda *_: few)
    monkeypatch.setattr("tinydl.programs.parts.load_parts", lambda *_: few)
    shutil.copytree(trained, tmp_path / "run")
    return tmp_path / "run"


def fails(capsys, *arguments):
    assert main([str(a) for a in arguments]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith("tinydl: error: ")
    return err


# -- stages ----------------------------------------------------------------------------------------


def test_a_folder_with_its_configuration_only_is_begun(folder, trained, capsys):
    for name in FILES[1:]:
        (folder / name).unlink()
    message = fails(capsys, "evaluate", folder)
    assert "stopped before its first checkpoint" in message and "--resume" in message
    assert main(["train", "--resume", str(folder), "--quiet"]) == 0
    for name in ("config.json", "model.safetensors"):
        assert (folder / name).read_bytes() == (trained / name).read_bytes()


def test_a_folder_with_all_epochs_and_no_weights_file_is_ended(folder, trained, capsys):
    for name in FILES[2:]:
        (folder / name).unlink()
    assert main(["train", "--resume", str(folder), "--quiet"]) == 0
    for name in FILES:
        assert (folder / name).read_bytes() == (trained / name).read_bytes()
    assert "has done its 2 epochs" in fails(capsys, "train", "--resume", folder)
    assert "has done its 2 epochs" in fails(capsys, "train", "--resume", folder, "--epochs", 1)


def test_a_run_that_goes_on_has_no_weights_of_before(folder, monkeypatch):
    """Else it could be stopped with all epochs done and the weights of fewer, and look complete."""
    session, seen = resumed(folder, 3), []
    fit = SupervisedTraining.fit
    monkeypatch.setattr(
        SupervisedTraining, "fit", lambda *a: seen.append((folder / FILES[2]).exists()) or fit(*a)
    )
    train_into(folder, session, False)
    assert seen == [False] and OpenRun(folder).config["epochs"] == 3
    tensors, _ = load_checkpoint(folder / FILES[1])
    weights, _ = read_tensors(folder / FILES[2])
    assert all(np.array_equal(tensors["model." + k], v) for k, v in weights.items())


def test_what_a_killed_writer_left_is_removed(folder):
    (folder / ".checkpoint.safetensors.part").write_bytes(b"half")
    (folder / ".config.json.part").symlink_to(folder / "victim")
    (folder / "victim").write_text("mine")
    (folder / FILES[2]).unlink()
    train_into(folder, resumed(folder), False)
    assert {p.name for p in folder.iterdir()} == {*FILES, "result.json", "victim"}
    assert (folder / "victim").read_text() == "mine"


def test_the_figures_are_written_before_the_weights_that_end_a_run(folder, monkeypatch):
    """Killed between the two, the folder goes on; a folder with weights lacks nothing."""
    for name in ("result.json", FILES[2]):
        (folder / name).unlink()
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("tinydl.runs.run.save_weights", interrupted)
        train_into(folder, resumed(folder), False)
    kept = json.loads((folder / "result.json").read_text())
    assert set(kept["beaten"]) == set(kept["baselines"]) and not (folder / FILES[2]).exists()
    train_into(folder, resumed(folder), False)
    assert json.loads((folder / "result.json").read_text()) == kept and (folder / FILES[2]).exists()
    longer = resumed(folder, epochs=len(history_of(folder)) + 1)
    monkeypatch.setattr(type(longer), "fit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train_into(folder, longer, False)
    assert not (folder / "result.json").exists(), "the figures of a shorter run"


def test_figures_that_are_no_numbers_are_null(tmp_path):
    write_result(tmp_path, {"test": {"map": 0.5, "map_disk": float("nan")}})
    kept = json.loads((tmp_path / "result.json").read_text())
    assert kept.pop("sha256") == digest(kept) and kept == {"test": {"map": 0.5, "map_disk": None}}


def test_baselines_are_computed_once(folder, capsys, monkeypatch):
    """What result.json has of them is not computed again, unless it was changed."""
    path, counted = folder / "result.json", []

    def computed(training, part="test"):
        counted.append(part)
        return {name: {"accuracy": 0.5} for name in kept["baselines"]}

    kept = json.loads(path.read_text())
    monkeypatch.setattr("tinydl.runs.run.beside", computed)

    def evaluated(*more):
        assert main(["evaluate", str(folder), "--json", *more]) == 0
        return json.loads(capsys.readouterr().out)["baselines"]

    assert evaluated() == kept["baselines"] and not counted
    evaluated("--part", "train")
    train_into(folder, resumed(folder, epochs=3), False)
    assert counted == ["train"] and json.loads(path.read_text())["baselines"] == kept["baselines"]
    changes = {"seed": 7}, {"baselines": {"other": {}}}, {"test": {}}, {"baselines": 3}
    for change in changes:
        changed = {**kept, **change}
        if "test" not in change:  # else the SHA-256 tells
            changed["sha256"] = digest(changed)
        path.write_text(json.dumps(changed))
        assert evaluated() != kept["baselines"], change
    path.write_text("{")
    evaluated()
    path.unlink()
    evaluated()
    assert counted == ["train"] + ["test"] * 6


def interrupted(*_):
    raise KeyboardInterrupt


def history_of(folder):
    return load_checkpoint(folder / FILES[1])[1]["history"]


def test_a_failed_write_leaves_no_part(tmp_path, monkeypatch):
    def stopped(descriptor):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", stopped)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "file", b"x")
    assert list(tmp_path.iterdir()) == []


# -- who writes ------------------------------------------------------------------------------------


def test_a_folder_is_claimed_once(tmp_path):
    with claim(tmp_path / "x", "a") as first:
        assert first.folder == tmp_path / "x"
        for attempt in (lambda: claim(tmp_path / "x", "a"), lambda: FolderLock(tmp_path / "x")):
            with pytest.raises(ConfigError, match=r"another process is writing into .*x"):
                attempt()
    with claim(tmp_path / "x", "a"):  # it was given back, and is empty
        pass
    assert list((tmp_path / "x").iterdir()) == []
    with pytest.raises(ConfigError, match=r"absent \(No such file"):
        FolderLock(tmp_path / "absent")


def test_a_held_folder_is_not_trained(folder, capsys):
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    with FolderLock(folder):
        assert "another process" in fails(capsys, "train", "--resume", folder, "--epochs", 3)
        with pytest.raises(ConfigError, match="another process"):
            train_into(folder, resumed(folder, 3), False)
        assert main(["evaluate", str(folder)]) == 0  # whoever reads needs no lock
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before


HOLDING = """
import os, signal, sys
from pathlib import Path
from tinydl.runs.run import claim
lock = claim(Path(sys.argv[1]), "a")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_lock_of_a_dead_process_locks_nothing(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(Path(tinydl.__file__).resolve().parents[1])}
    child = subprocess.run([sys.executable, "-c", HOLDING, tmp_path / "x"], env=environment)
    assert child.returncode == -9 and (tmp_path / "x" / ".lock").exists()
    with claim(tmp_path / "x", "a"):
        pass
    assert list((tmp_path / "x").iterdir()) == []


def test_a_forked_child_gives_nothing_back(tmp_path):
    with FolderLock(tmp_path) as lock:
        child = os.fork()
        if child == 0:
            lock.release()
            os._exit(0)
        os.waitpid(child, 0)
        with pytest.raises(ConfigError, match="another process"):
            FolderLock(tmp_path)


def test_what_is_no_run_folder_gets_nothing(tmp_path, capsys):
    assert "is no run folder" in fails(capsys, "train", "--resume", tmp_path)
    assert list(tmp_path.iterdir()) == []


# -- strangers -------------------------------------------------------------------------------------

BY_HAND = {
    "a text for sizes": ({"architecture": {"sizes": "x"}}, "does not fit: "),
    "sizes beyond the weights": ({"architecture": {"sizes": [64, 10**7, 10]}}, "may be drawn"),
    "sizes beyond memory": ({"architecture": {"sizes": [64, 10**12, 10]}}, "than any memory"),
    "a text for a rate": (
        {"architecture": {"sizes": [64, 32, 10], "dropout": "x"}}, "does not fit: "
    ),
    "unknown settings": ({"architecture": {"depth": 3}}, "does not fit: "),
    "another network": ({"architecture": {"sizes": [64, 16, 10]}}, "weights of another model"),
    "few classes": ({"classes": ["a"]}, "names 1 classes, the outputs are (10,)"),
    "large inputs": ({"input_shape": [100_000, 100_000]}, "at most 20,000,000 numbers"),
    "other inputs": ({"input_shape": [100]}, "64"),
    "another recipe": ({"recipe": "xor-mlp"}, "xor-mlp is supervised, xor_points here"),
    "no recipe": ({"recipe": "x" * 150}, "unknown recipe"),
}  # fmt: skip


@pytest.mark.parametrize("name", BY_HAND)
def test_settings_of_strangers_are_one_sentence(name, folder):
    changes, message = BY_HAND[name]
    config = json.loads((folder / FILES[0]).read_text())
    (folder / FILES[0]).write_text(by_hand(config, **changes))
    with pytest.raises(TinydlError) as error:
        OpenRun(folder).probabilities([IMAGE])
    assert message in str(error.value) and str(error.value).isprintable()
    with pytest.raises((FormatError, ConfigError)):
        resumed(folder, 3)


@pytest.mark.parametrize("name", FILES[:3])
@pytest.mark.parametrize("kind", ["fifo", "device", "folder", "sparse", "dangling"])
def test_special_files_are_one_sentence(name, kind, folder, capsys):
    if name == "checkpoint.safetensors":
        (folder / FILES[2]).unlink()
    path = folder / name
    path.unlink()
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "sparse":
        path.touch()
        os.truncate(path, 10 * 2**30)
    else:
        path.symlink_to("/dev/zero" if kind == "device" else folder / "absent")
    assert main(["evaluate", str(folder)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) <= 2 and lines[-1].startswith("tinydl: error: ") and name in lines[-1]


def test_a_checkpoint_of_another_run_is_refused(folder, few, tmp_path):
    other = find("synthetic-digits").changed(epochs=2, lr=0.5)
    with claim(tmp_path / "other", other.name) as lock:
        train_into(lock, begin(other, data=few), False)
    shutil.copy(tmp_path / "other" / FILES[1], folder)
    with pytest.raises(FormatError, match=r"another run than config\.json: .*optimizer_settings"):
        resumed(folder, 3)


ALL = [r if v is None else r.variant(v.name) for r in RECIPES.values() for v in (None, *r.variants)]


def test_the_configuration_of_every_recipe_is_one_that_is_read():
    for recipe in ALL:
        model = SimpleNamespace(count_parameters=lambda count=recipe.parameters: count)
        stored = recipe.program.stored()
        if recipe.program.kind == "supervised":
            own = {**stored, "classes": ["a", "b"]}
        else:
            own = {"program": recipe.program.kind, "settings": stored}
        session = SimpleNamespace(
            recipe=recipe, settings=Settings(), model=model, config=lambda own=own: own
        )
        config = json.dumps(config_of(session))
        assert read_json(config, "config", recipe.name) == json.loads(config)


# -- numbers that are none -------------------------------------------------------------------------


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_not_loaded(value, folder, capsys):
    tensors, metadata = read_tensors(folder / FILES[2])
    name = next(iter(tensors))
    tensors[name] = tensors[name].copy()
    tensors[name].flat[0] = value
    write_tensors(folder / FILES[2], tensors, {"format": metadata["format"]})
    message = fails(capsys, "evaluate", folder)
    assert f"no numbers: {name} (1 of {tensors[name].size:,} are NaN or infinite)" in message
    tensors, metadata = read_tensors(folder / FILES[1])
    tensors["model." + name] = np.full_like(tensors["model." + name], value)
    write_tensors(folder / FILES[1], tensors, {k: metadata[k] for k in ("format", "state")})
    assert "no numbers" in fails(capsys, "train", "--resume", folder, "--epochs", "3")


def test_a_training_that_diverges_ends_with_an_error(folder, few, tmp_path, capsys):
    recipe = find("synthetic-digits").changed(epochs=3, lr=1e308)
    with pytest.raises(AnomalyError, match=r"after epoch 1 .*no numbers: .*learning rate 1e\+308"):
        train(recipe, data=few)
    out = tmp_path / "out"
    assert main(["train", "synthetic-digits", "--lr", "1e308", "--quiet", "--out", str(out)]) == 2
    assert "try a smaller one" in capsys.readouterr().err
    assert not (out / FILES[2]).exists() and load_checkpoint(out / FILES[1])[1]["epoch"] == 0


def test_outputs_that_are_no_numbers_are_no_prediction(folder, capsys):
    tensors, _ = read_tensors(folder / FILES[2])
    huge = {name: np.full_like(array, 3e38) for name, array in tensors.items()}
    write_tensors(folder / FILES[2], huge, {"format": "tinydl"})
    with pytest.raises(AnomalyError, match=r"predict: the network's outputs .* no numbers"):
        OpenRun(folder).probabilities([IMAGE])
    assert "the loss over the test part is no number" in fails(capsys, "evaluate", folder)
