"""Style transfer through the features of a run."""

import numpy as np
import pytest
from closeness import assert_close

from tinydl import Generator, Tensor
from tinydl.console import command
from tinydl.errors import ConfigError
from tinydl.programs.parts import Parts
from tinydl.recipes import RECIPES
from tinydl.runs.run import OpenRun, begin, train_into
from tinydl.studies.style import features_of, main, sized

Image = pytest.importorskip("PIL.Image", reason="needs Pillow (the extra `data`)")


@pytest.fixture(scope="module")
def parts():
    part = (Generator(0).uniform((8, 16, 16, 3)), np.arange(8) % 10)
    return Parts(part, None, part, tuple("0123456789"))


@pytest.fixture(scope="module")
def run(parts, tmp_path_factory):
    recipe = RECIPES["vgg-cifar"].replaced(
        architecture={"widths": (4, 6)}, epochs=1, transform=None
    )
    folder = tmp_path_factory.mktemp("runs") / "vgg"
    folder.mkdir()
    train_into(folder, begin(recipe, data=parts), False)
    return folder


@pytest.fixture
def pictures(tmp_path):
    paths = [tmp_path / "content.png", tmp_path / "style.png"]
    for k, path in enumerate(paths):
        pixels = Generator(k).uniform((20 + 10 * k, 40, 3)) * 255
        Image.fromarray(pixels.astype(np.uint8)).save(path)
    return [str(path) for path in paths]


def test_the_features_of_a_run_are_balanced_and_the_run_stays(run, parts):
    x = parts.train[0]
    before = (run / "model.safetensors").read_bytes()
    maps = features_of(OpenRun(run), x)(Tensor(x))
    for m in maps:
        squares = (m.numpy() ** 2).mean((0, 1, 2))
        assert_close(squares[squares > 0], 1, 1e-4)
        assert (squares > 0).sum() >= 3
    assert (run / "model.safetensors").read_bytes() == before


def test_a_picture_is_painted(run, parts, pictures, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("tinydl.studies.style.load_parts", lambda recipe: parts)
    out = tmp_path / "out.png"
    main([str(run), *pictures, "--out", str(out), "--side", "24", "--steps", "6"])
    first, last = capsys.readouterr().out.split(";")[0].removeprefix("loss ").split(" -> ")
    assert float(last) < float(first)
    painted = np.asarray(Image.open(out)).astype(int)
    content = np.rint(sized(np.asarray(Image.open(pictures[0])), 24)[0] * 255)
    assert painted.shape == content.shape == (12, 24, 3) and abs(painted - content).mean() > 1


def test_bad_input(run, parts, pictures, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("tinydl.studies.style.load_parts", lambda recipe: parts)

    def message(*arguments):
        assert command(lambda: main(arguments), "style") == 2
        found = capsys.readouterr().err
        assert found.startswith("style: error: ") and found.count("\n") == 1
        return found

    assert "is no run folder" in message(str(tmp_path), *pictures)
    assert "there is no file" in message(str(run), pictures[0], str(tmp_path / "none.png"))
    assert "is one of the pictures" in message(
        str(run), *pictures, "--out", f"{tmp_path}/x/../style.png"
    )
    assert "--side must be at least 16, got 8" in message(str(run), *pictures, "--side", "8")
    assert "steps must be >= 1" in message(str(run), *pictures, "--steps", "0")
    other = OpenRun(run)
    monkeypatch.setattr(other, "recipe", RECIPES["mlp-digits"], raising=False)
    with pytest.raises(ConfigError, match="a run of mlp-digits; the features of vgg-cifar"):
        features_of(other, parts.train[0])
