"""docs/figures holds what the tutorials say they draw: small pictures, with captions."""

from pathlib import Path

import pytest
from support import script

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "figures"


@pytest.fixture(scope="module")
def figures():
    return script(ROOT / "docs" / "figures.py")


def test_the_folder_is_what_the_list_says(figures):
    found = {path.name for path in FOLDER.iterdir() if not path.name.startswith("study_")}
    assert found == {"README.md", *(f"{name}.png" for name in figures.captions())}
    assert (FOLDER / "README.md").read_text() == figures.page(), "run `python docs/figures.py`"


def test_pictures_are_small(figures):
    sizes = {path.name: path.stat().st_size for path in FOLDER.glob("*.png")}
    assert not [name for name in figures.captions() if sizes[f"{name}.png"] > figures.LARGEST]
    assert sum(sizes.values()) <= 6_000_000


def test_each_is_drawn_by_its_tutorial(figures):
    for name in figures.captions():
        (tutorial,) = (ROOT / "tutorials").glob(f"{name[:2]}_*.py")
        assert f'"{name}.png"' in tutorial.read_text(), name


def test_the_words_of_a_picture_are_read_from_its_page(figures, tmp_path):
    page = tmp_path / "07_a.py"
    page.write_text(
        'drawing.save(figure, "07_b.png", alt="a " "line")\ndrawing.save(f, "07_c.png")\n'
    )
    assert figures.said(page) == {"07_b": "a line"}


def test_pages_lead_there():
    assert "docs/figures/README.md" in (ROOT / "README.md").read_text()
    assert "(figures/README.md)" in (ROOT / "docs" / "models.md").read_text()


def test_a_large_picture_is_made_small_or_refused(figures, tmp_path, monkeypatch):
    image = pytest.importorskip("PIL.Image")
    source, target = tmp_path / "a.png", tmp_path / "b.png"
    image.effect_noise((200, 200), 80).convert("RGB").save(source)
    figures.shrink(source, target)
    assert image.open(target).size == (200, 200) and target.stat().st_size < figures.LARGEST
    monkeypatch.setattr(figures, "LARGEST", 1000)
    with pytest.raises(SystemExit, match="at most 1,000"):
        figures.shrink(source, target)
