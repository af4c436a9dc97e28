"""The command: what it prints, what it writes, its exit codes and its one message per mistake."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from support import by_hand

import tinydl
from tinydl.command.main import main
from tinydl.recipes import RECIPES
from tinydl.train import History

REPOSITORY = Path(tinydl.__file__).resolve().parents[1]
COMMAND = [sys.executable, "-m", "tinydl"]


def environment(**extra):
    return {**os.environ, "PYTHONPATH": str(REPOSITORY), "TINYDL_OFFLINE": "1", **extra}


def tinydl_command(*arguments, cwd, **extra):
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=cwd, env=environment(**extra), capture_output=True, text=True, timeout=120,
    )  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run folder of three epochs, and what the command said."""
    folder = tmp_path_factory.mktemp("cli")
    arguments = ("train", "synthetic-digits", "--epochs", "3", "--out", "run", "--json")
    done = tinydl_command(*arguments, cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "run", done


def fails(capsys, *arguments, code=2):
    """The one line on stderr of a command that must fail."""
    assert main([str(a) for a in arguments]) == code
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith("tinydl: error: ")
    return err


def prints(capsys, *arguments):
    assert main([str(a) for a in arguments]) == 0
    return capsys.readouterr().out


# -- training --------------------------------------------------------------------------------------


def test_train_writes_a_run_folder_and_ends_with_one_object(trained):
    run, done = trained
    result = json.loads(done.stdout)
    assert result["run"] == "run" and result["epochs"] == 3
    assert set(result["metrics"]) == {"loss", "accuracy", "test_loss", "test_accuracy"}
    assert result["accuracy"] == result["metrics"]["test_accuracy"] > 0.9
    assert "synthetic-digits" in done.stderr and "split seed 0" in done.stderr
    assert "\r" not in done.stderr  # no progress bar where nobody watches
    files = {p.name for p in run.iterdir()}
    expected = {"model.safetensors", "config.json", "history.csv", "checkpoint.safetensors"}
    assert files - {"curves.png", "result.json"} == expected
    kept = json.loads((run / "result.json").read_text())
    assert kept["test"]["accuracy"] == result["accuracy"] and kept["score"] == "accuracy"
    assert kept["baselines"] == result["baselines"] and kept["beaten"] == result["beaten"]
    assert set(kept["baselines"]) == {"nearest mean", "logistic regression"}
    assert "beside it nearest mean: accuracy 89.75 %" in done.stderr
    history = History.from_csv(run / "history.csv")
    assert len(history) == 3 and history.last["accuracy"] == result["metrics"]["accuracy"]
    config = json.loads((run / "config.json").read_text())
    assert config["recipe"] == "synthetic-digits" and config["parameters"] == 2410
    assert (config["seed"], config["epochs"], config["backend"]) == (0, 3, "cpu")


def test_curves_are_a_picture(trained):
    pytest.importorskip("matplotlib")
    assert (trained[0] / "curves.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_default_folders_are_counted_and_never_overwritten(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for number in ("001", "002"):
        out = prints(capsys, "train", "synthetic-digits", "--epochs", "1")
        assert f"run folder: runs/synthetic-digits-{number}" in out
    before = (tmp_path / "runs/synthetic-digits-001/model.safetensors").stat().st_mtime_ns
    error = fails(capsys, "train", "synthetic-digits", "--out", "runs/synthetic-digits-001")
    assert "nothing is overwritten" in error
    (tmp_path / "file").write_text("mine")
    assert "nothing is overwritten" in fails(capsys, "train", "synthetic-digits", "--out", "file")
    assert (tmp_path / "file").read_text() == "mine"
    assert (tmp_path / "runs/synthetic-digits-001/model.safetensors").stat().st_mtime_ns == before


def test_train_without_a_name_trains_digits_and_reports_the_writers(tmp_path):
    pytest.importorskip("sklearn")
    done = tinydl_command("train", "--epochs", "2", "--out", "run", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (
        result["recipe"] == "mlp-digits"
        and "stratified random 80/20 split, split seed 0" in result["split"]
    )
    assert result["companion"]["split"] == "the last 360 samples are the test part"
    assert "writer" in result["companion"]["why"] and result["companion"]["accuracy"] > 0.5
    assert "mlp-digits/writers" in done.stderr


def test_quiet_says_nothing(tmp_path, capsys):
    assert (
        prints(
            capsys, "train", "synthetic-digits", "--epochs", "1", "--out", tmp_path / "r", "--quiet"
        )
        == ""
    )


def test_resuming_equals_training_in_one_go(trained, tmp_path, capsys):
    run = tmp_path / "run"
    prints(capsys, "train", "synthetic-digits", "--epochs", "1", "--out", run)
    result = json.loads(prints(capsys, "train", "--resume", run, "--epochs", "3", "--json"))
    whole = json.loads(trained[1].stdout)
    assert result["metrics"] == whole["metrics"] and result["epochs"] == 3
    assert (run / "model.safetensors").read_bytes() == (
        trained[0] / "model.safetensors"
    ).read_bytes()
    assert "has done its 3 epochs" in fails(capsys, "train", "--resume", run)
    assert "where its data lie now); got recipe, lr" in fails(
        capsys, "train", "synthetic-digits", "--resume", run, "--lr", "0.1"
    )
    assert "is no run folder" in fails(capsys, "train", "--resume", tmp_path / "absent")


def test_an_interrupt_keeps_the_checkpoint_and_exits_with_130(tmp_path):
    arguments = ("train", "synthetic-digits", "--epochs", "100000", "--out", "run")
    child = subprocess.Popen(
        [*COMMAND, *arguments], cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, text=True,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not (tmp_path / "run" / "history.csv").exists():
        assert child.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    child.send_signal(signal.SIGINT)
    try:
        _, err = child.communicate(timeout=20)
    except subprocess.TimeoutExpired:  # Python drops one that comes while it frees an object
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=60)
    assert child.returncode == 130
    assert "go on with `tinydl train --resume run`" in err and "Traceback" not in err
    done = tinydl_command("evaluate", "run", "--json", cwd=tmp_path)
    assert done.returncode == 0 and json.loads(done.stdout)["accuracy"] > 0
    assert "was stopped" in done.stderr


# -- looking at runs -------------------------------------------------------------------------------


def test_evaluate_gives_what_training_measured(trained, capsys):
    run, done = trained
    found = json.loads(prints(capsys, "evaluate", run, "--json"))
    whole = json.loads(done.stdout)
    assert (found["loss"], found["accuracy"]) == (whole["loss"], whole["accuracy"])
    assert found["samples"] == 400
    text = prints(capsys, "evaluate", run, "--backend", "numpy", "--part", "train")
    assert "1,600 samples" in text
    assert "no validation part" in fails(capsys, "evaluate", run, "--part", "validation")


def test_predict_prints_probabilities_and_finds_the_digit(trained, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "1000")  # the path of a test may be long
    image_module = pytest.importorskip("PIL.Image")
    from tinydl.programs.parts import load_parts

    x, y = load_parts(RECIPES["synthetic-digits"]).test
    paths = []
    for i in range(20):
        pixels = (255 * x[i].reshape(8, 8)).astype(np.uint8)
        paths.append(tmp_path / f"{i}.png")
        image_module.fromarray(pixels).resize((64, 64)).save(paths[-1])
    found = json.loads(prints(capsys, "predict", trained[0], *paths, "--json"))
    assert np.mean([int(f["class"]) == label for f, label in zip(found, y, strict=False)]) >= 0.8
    for one in found:
        assert sum(one["probabilities"].values()) == pytest.approx(1)
        assert max(one["probabilities"], key=one["probabilities"].get) == one["class"]
    text = prints(capsys, "predict", trained[0], paths[0])
    assert len(re.findall(r"^ +\d+\.\d\d %  \d$", text, re.MULTILINE)) == 10
    assert text.count(" %") == 11


def test_classify_prints_the_best_classes_first(trained, tmp_path, capsys):
    image_module = pytest.importorskip("PIL.Image")
    path = tmp_path / "seven.png"
    image_module.fromarray(np.zeros((8, 8), np.uint8)).save(path)
    (all_of_them,) = json.loads(prints(capsys, "predict", trained[0], path, "--json"))
    (found,) = json.loads(prints(capsys, "classify", trained[0], path, "--top", "3", "--json"))
    by_class = all_of_them["probabilities"]
    best = sorted(by_class.values(), reverse=True)[:3]
    assert [t["probability"] for t in found["top"]] == best
    assert [by_class[t["class"]] for t in found["top"]] == best
    assert prints(capsys, "classify", trained[0], path).count(" %") == 5
    assert "--top must be >= 1" in fails(capsys, "classify", trained[0], path, "--top", "0")


def test_runs_that_classify_no_pictures_are_one_message(trained, tmp_path, capsys):
    image_module = pytest.importorskip("PIL.Image")
    path = tmp_path / "one.png"
    image_module.fromarray(np.zeros((8, 8), np.uint8)).save(path)
    config = json.loads((trained[0] / "config.json").read_text())
    others = {
        "xor-mlp": "classify: xor-mlp takes inputs of shape (2,), no pictures",
        "iris-softmax": "classify: iris-softmax takes inputs of shape (4,), no pictures",
        "ssd-shapes": "classify: this is a run of ssd-shapes, which is a detector",
    }
    for name, message in others.items():
        (tmp_path / "config.json").write_text(by_hand(config, RECIPES[name]))
        assert message in fails(capsys, "classify", tmp_path, path)
    (tmp_path / "config.json").write_text(by_hand(config, classes=[]))
    assert "estimates numbers" in fails(capsys, "predict", tmp_path, path)
    assert "is a folder, not an image" in fails(capsys, "classify", trained[0], tmp_path)


def test_unreadable_images_are_one_message_and_nothing_is_printed(trained, tmp_path, capsys):
    pytest.importorskip("PIL")
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"\x89PNG\r\n\x1a\nnot a picture")
    assert "is not a readable image" in fails(capsys, "predict", trained[0], bad)
    assert "there is no file" in fails(capsys, "predict", trained[0], tmp_path / "absent.png")


@pytest.mark.parametrize("content", ["truncated", "foreign", "other model", "absent"])
def test_damaged_weights_are_one_message(trained, tmp_path, capsys, content):
    run = tmp_path / "run"
    shutil.copytree(trained[0], run)
    path = run / "model.safetensors"
    if content == "truncated":
        path.write_bytes(path.read_bytes()[:1000])
    elif content == "foreign":
        path.write_bytes(b"GIF89a" + bytes(1000))
    elif content == "other model":
        from safetensors.numpy import save_file

        save_file({"w": np.zeros(3, np.float32)}, path)
    else:
        path.unlink()
        (run / "checkpoint.safetensors").unlink()
    before = {p.name: p.read_bytes() for p in run.iterdir()}
    expected = {
        "truncated": "is truncated or not a safetensors file",
        "foreign": "is truncated or not a safetensors file",
        "other model": "holds the weights of another model",
        "absent": "cannot read",
    }
    error = fails(capsys, "evaluate", run)
    assert expected[content] in error and "model.safetensors" in error
    assert {p.name: p.read_bytes() for p in run.iterdir()} == before


def test_other_folders_are_no_runs(trained, tmp_path, capsys):
    assert "is no run folder" in fails(capsys, "evaluate", tmp_path)
    (tmp_path / "config.json").write_text("{")
    assert "is damaged" in fails(capsys, "evaluate", tmp_path)
    (tmp_path / "config.json").write_text('{"model": "bert"}')
    assert "not a tinydl run configuration" in fails(capsys, "predict", tmp_path, "x.png")
    config = json.loads((trained[0] / "config.json").read_text())
    (tmp_path / "config.json").write_text(by_hand(config, architecture={"depth": 3}))
    shutil.copy(trained[0] / "model.safetensors", tmp_path)
    assert "does not fit: " in fails(capsys, "evaluate", tmp_path)
    del config["epochs"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert "lacks 'epochs'" in fails(capsys, "evaluate", tmp_path)


# -- recipes ---------------------------------------------------------------------------------------


def test_recipes_as_json_have_the_stated_fields(capsys):
    entries = json.loads(prints(capsys, "recipes", "--json"))
    assert [e["name"] for e in entries] == list(RECIPES)
    fields = {"name", "book", "chapter", "parameters", "dataset", "reported", "measured"}
    assert all(fields <= set(e) for e in entries)
    by_name = {e["name"]: e for e in entries}
    assert by_name["mlp-mnist"]["reported"] == {"train": 0.9939, "test": 0.985}
    assert by_name["mlp-mnist"]["parameters"] == 269_322
    assert len(by_name["mlp-mnist"]["variants"]) == 31
    assert by_name["mlp-digits"]["reported"] is None


def test_recipes_for_people(capsys):
    assert all(name in prints(capsys, "recipes") for name in RECIPES)
    text = " ".join(prints(capsys, "recipes", "mnist-v3b").split())
    assert "what the book has wrong:" in text and "the numbers fit 250" in text


def test_summary_is_the_books_table(capsys):
    text = prints(capsys, "summary", "cnn-mnist")
    assert "36,928" in text and "80,266" in text and "(None, 5, 5, 64)" in text
    found = json.loads(prints(capsys, "summary", "mlp-mnist", "--json"))
    assert found["parameters"] == 269_322
    assert sum(row["multiply_adds"] for row in found["layers"]) == found["multiply_adds"]


def test_reproduce_prints_book_beside_measured(capsys):
    text = prints(capsys, "reproduce", "synthetic-digits", "--epochs", "1", "--seeds", "2")
    assert "test" in text and "target" in text and "seed 1: test" in text
    found = json.loads(
        prints(capsys, "reproduce", "synthetic-digits", "--epochs", "1", "--seeds", "1", "--json")
    )
    assert found[0]["measured"]["seeds"] == [0] and found[0]["name"] == "synthetic-digits"
    assert "leave --epochs out" in fails(
        capsys, "reproduce", "synthetic-digits", "--record", "--epochs", "1"
    )
    assert "has no table" in fails(capsys, "reproduce", "synthetic-digits", "--table")


# -- bad input -------------------------------------------------------------------------------------


def test_an_unknown_recipe_suggests_the_closest(tmp_path):
    done = tinydl_command("train", "mlp-minst", cwd=tmp_path)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith(
        "tinydl: error: unknown recipe 'mlp-minst'; did you mean mlp-mnist"
    )
    assert "Traceback" not in done.stderr and not list(tmp_path.iterdir())


def test_missing_data_say_which_file_which_folder_which_command(tmp_path):
    done = tinydl_command(
        "train",
        "mnist-v2",
        "--out",
        "run",
        cwd=tmp_path,
        TINYDL_DATA="",
        TINYDL_CACHE=str(tmp_path / "cache"),
    )
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "train-images-idx3-ubyte.gz" in done.stderr and str(tmp_path / "cache") in done.stderr
    assert "tinydl data fetch mnist" in done.stderr
    assert not (tmp_path / "run").exists()


def test_impossible_settings(tmp_path, capsys):
    out = tmp_path / "run"
    for options, message in (
        (("--epochs", "0"), "epochs must be above 0"),
        (("--batch-size", "-4"), "batch size must be above 0"),
        (("--lr", "nan"), "lr must be"),
        (("--seed", "-1"), "seed must be"),
        (("--backend", "cuda"), "unknown backend 'cuda'"),
        (("--data", tmp_path / "absent"), "there is no folder"),
    ):
        assert message in fails(capsys, "train", "synthetic-digits", "--out", out, *options)
    assert not out.exists()


def test_argparse_exits_with_2(tmp_path):
    for arguments in (("trian",), ("train", "--epochs", "many"), ("predict",)):
        done = tinydl_command(*arguments, cwd=tmp_path)
        assert done.returncode == 2 and "usage" in done.stderr


# -- the machine -----------------------------------------------------------------------------------


def test_info(capsys):
    found = json.loads(prints(capsys, "info", "--json"))
    assert found["tinydl"] == tinydl.__version__ and found["packages"]["numpy"] == np.__version__
    assert found["level"] in found["levels"] and found["threads"] >= 1
    text = prints(capsys, "info")
    assert "level" in text and "threads" in text and "opencl devices" in text
    if not found["opencl_devices"]:
        assert 'pip install ".[pocl]"' in text


def test_version_and_help(tmp_path):
    assert tinydl_command("--version", cwd=tmp_path).stdout == f"tinydl {tinydl.__version__}\n"
    text = tinydl_command("--help", cwd=tmp_path).stdout
    for name in (
        "info",
        "recipes",
        "train",
        "evaluate",
        "predict",
        "classify",
        "summary",
        "reproduce",
        "data",
        "gradcheck",
    ):
        assert name in text


def test_data_list_fetch_verify(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TINYDL_OFFLINE", "1")
    monkeypatch.setenv("TINYDL_CACHE", str(tmp_path))
    monkeypatch.delenv("TINYDL_DATA", raising=False)
    assert "fashion_mnist" in prints(capsys, "data", "list")
    assert {r["name"] for r in json.loads(prints(capsys, "data", "list", "--json"))} >= {
        "mnist",
        "digits",
    }
    assert main(["data", "verify", "mnist"]) == 1
    assert "missing" in capsys.readouterr().out
    assert "tinydl data fetch mnist" in fails(capsys, "data", "fetch", "mnist")
    assert "name a data set" in fails(capsys, "data", "fetch")
    assert "unknown data set 'cifar'" in fails(capsys, "data", "fetch", "cifar")


def test_a_machine_without_home_folders_is_one_sentence(monkeypatch, capsys):
    for name in ("TINYDL_DATA", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TINYDL_CACHE", "~nobody-of-this-name/cache")
    assert "no home folder for ~nobody-of-this-name/cache; set TINYDL_CACHE" in fails(
        capsys, "data", "list"
    )
    assert "none (data: there is no home folder" in prints(capsys, "info")
    monkeypatch.delenv("TINYDL_CACHE")
    monkeypatch.setattr("os.path.expanduser", lambda path: path)  # as where nobody has an entry
    assert "no home folder for ~/.cache; set TINYDL_CACHE" in fails(capsys, "data", "list")


def test_gradcheck(capsys):
    assert "derivatives up to order 2 agree" in prints(
        capsys, "gradcheck", "tanh", "--examples", "3"
    )
    assert "no operation 'tahn'" in fails(capsys, "gradcheck", "tahn")
    assert "must be >= 1" in fails(capsys, "gradcheck", "tanh", "--order", "0")


def test_a_wrong_derivative_fails_with_1(capsys, monkeypatch):
    from tinydl.ops.activations import Tanh

    monkeypatch.setattr(Tanh, "backward", lambda self, grad: grad)
    assert main(["gradcheck", "tanh", "--examples", "2"]) == 1
    assert "tanh" in capsys.readouterr().err


def test_starting_is_quick_and_loads_nothing_heavy(tmp_path):
    code = (
        "import sys\nfrom tinydl.command.main import main\ntry:\n    main(['--help'])\nexcept "
        "SystemExit:\n    pass\n"
        "heavy = {'matplotlib', 'pyopencl', 'sklearn', 'PIL', 'tqdm', 'urllib.request'} & "
        "set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(),
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
