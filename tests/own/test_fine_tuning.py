"""`train --from`: another head on trained weights, frozen then free, and what they have seen."""

import json

import numpy as np
import pytest
from commands import does, fails

from own.test_own_pictures import flowers
from own.test_own_texts_and_sounds import waves
from tinydl.programs.fine_tuning import begin_with, head_of
from tinydl.runs.run import OpenRun

pytest.importorskip("PIL.Image", reason="needs Pillow (the extra `data`)")


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A run that tells two colours apart, and its pictures."""
    from tinydl.command.main import main

    folder = flowers(tmp_path_factory.mktemp("source") / "flowers")
    asked = ["train", "mlp-digits", "--on", folder, "--size", 8, "--epochs", 2, "--quiet"]
    assert main([str(a) for a in [*asked, "--out", folder.parent / "run"]]) == 0
    return folder.parent / "run", folder


def weights(run):
    return OpenRun(run).model().state_dict()


def test_only_the_head_learns_at_first(capsys, source, tmp_path):
    run, _ = source
    others = flowers(tmp_path / "others", ("a", "b", "c"), 9, seed=1)
    asked = ("train", "--from", run, "--on", others)
    out = does(capsys, *asked, "--epochs", 1, "--out", tmp_path / "all")
    assert "all at a tenth of the rate from epoch 1 on" in out and "warning" not in out
    out = does(capsys, *asked, "--epochs", 6, "--out", tmp_path / "whole")
    assert "the new head alone for 4 epochs" in out and "Adam lr 0.002, batch 20" in out
    before, after = weights(run), weights(tmp_path / "whole")
    head = head_of(OpenRun(run).model())[0]
    kept = [name for name in before if not name.startswith(head)]
    assert kept and not any(np.array_equal(before[n], after[n]) for n in kept)
    config = OpenRun(tmp_path / "whole").config["own"]
    assert config["source"]["frozen"] == 4 and config["classes"] == ["a", "b", "c"]
    does(capsys, *asked, "--epochs", 60, "--out", tmp_path / "frozen", "--quiet")
    found = json.loads(does(capsys, "evaluate", tmp_path / "frozen", "--json"))
    assert found["accuracy"] > found["baselines"]["majority class"]["accuracy"]


def test_frozen_weights_stay_and_resume_is_exact(capsys, source, tmp_path, monkeypatch):
    """Stopped within the frozen epochs, resumed to their end and beyond: the run nobody stopped."""
    from tinydl.runs import run as runs
    from tinydl.train import Checkpoint

    run, _ = source
    others = flowers(tmp_path / "others", ("a", "b"), 9)
    asked = ("train", "--from", run, "--on", others, "--epochs", 6, "--seed", 5)
    does(capsys, *asked, "--out", tmp_path / "whole")
    seen = []

    class Stops(Checkpoint):
        def on_epoch_done(self, state):
            super().on_epoch_done(state)
            seen.append({k: v.copy() for k, v in state.model.state_dict().items()})
            if state.epoch == 3:
                raise KeyboardInterrupt

    monkeypatch.setattr(runs, "Checkpoint", Stops)
    from tinydl.command.main import main

    assert main([str(a) for a in [*asked, "--out", tmp_path / "run"]]) == 130
    monkeypatch.undo()
    head = head_of(OpenRun(run).model())[0]
    before = weights(run)
    assert len(seen) == 3
    assert all(np.array_equal(before[n], seen[-1][n]) for n in before if not n.startswith(head))
    assert not np.array_equal(seen[0][f"{head}.weight"], seen[-1][f"{head}.weight"])
    does(capsys, "train", "--resume", tmp_path / "run")
    a, b = weights(tmp_path / "run"), weights(tmp_path / "whole")
    assert all(np.array_equal(a[name], b[name]) for name in a)


def test_what_it_has_seen_is_told_by_name(capsys, source, tmp_path):
    run, folder = source
    asked = ("train", "--from", run, "--epochs", 1)
    out = does(capsys, *asked, "--on", folder, "--out", tmp_path / "same")
    assert f"warning: {run} was trained on 19 of these 24 samples" in out
    assert f"{run} was tested on 5 of these 24 samples" in out and ".png" in out
    mixed = flowers(tmp_path / "mixed", ("a", "b"), 6)
    for k, path in enumerate(sorted((mixed / "a").iterdir())):
        path.write_bytes((folder / "red" / f"p{k % 6}-{k}.png").read_bytes())
    out = does(capsys, *asked, "--on", mixed, "--out", tmp_path / "some")
    assert "warning" in out


def test_a_model_of_the_shelf_has_seen_cifar(capsys, data_folder, tmp_path, monkeypatch):
    """What anybody tries first: the card's data are read, and compared picture by picture."""
    from tinydl.data import cifar10
    from tinydl.viz import save_image

    monkeypatch.setenv("TINYDL_DATA", str(data_folder))
    whole = cifar10("subset")
    for name in ("one", "two"):
        (tmp_path / "mine" / name).mkdir(parents=True)
    for k in range(12):
        pixels = whole.x_train[k] if k < 9 else 255 - whole.x_train[k]
        save_image(pixels, tmp_path / "mine" / ("one", "two")[k % 2] / f"{k:02}.png")
    out = does(capsys, "train", "--from", "resnet20-cifar", "--on", tmp_path / "mine",
               "--epochs", 1, "--out", tmp_path / "run")  # fmt: skip
    assert "warning: resnet20-cifar was trained on 9 of these 12 samples" in out
    assert "(cifar10_subset), such as one/00.png" in out and "was tested on" not in out


def test_sounds_of_a_shelf_model(capsys, tmp_path):
    folder = waves(tmp_path / "tones", count=6)
    out = does(capsys, "train", "--from", "spoken-digits", "--on", folder, "--epochs", 6,
               "--out", tmp_path / "run")  # fmt: skip
    assert "KeywordCNN" in out and "the new head alone for 4 epochs" in out
    assert OpenRun(tmp_path / "run").config["own"]["preparation"]["rate"] == 8_000


def test_refusals(capsys, source, tmp_path):
    run, folder = source
    asked = ("train", "--from", run, "--on", folder)
    assert "takes the place of a recipe" in fails(capsys, "train", "mlp-digits", *asked[1:])
    assert "name them by --on" in fails(capsys, "train", "--from", run)
    err = fails(capsys, *asked, "--size", 12, "--out", tmp_path / "run")
    assert "must have the size that it was trained on" in err and not (tmp_path / "run").exists()
    assert "is a detector" in fails(capsys, "train", "--from", "ssd-shapes", "--on", folder)
    err = fails(capsys, "train", "--from", "iris-softmax", "--on", folder)
    assert "iris-softmax takes a table (CSV)" in err


def test_begin_with_keeps_the_new_head():
    from tinydl.models import MLP

    old, new = MLP((4, 5, 2)), MLP((4, 5, 3))
    name, head = head_of(new)
    kept = head.weight.numpy().copy()
    begin_with(new, old.state_dict())
    assert np.array_equal(head.weight.numpy(), kept) and head.weight.shape == (5, 3)
    first = next(n for n in old.state_dict() if not n.startswith(name))
    assert np.array_equal(new.state_dict()[first], old.state_dict()[first])
