"""Every public loader and reader on a tiny file of its layout: what comes out, and what a
malformed, changed or missing file says. Nothing is downloaded."""

import sys
from pathlib import Path

import pytest
from cases.loaders import LOADERS, READERS
from support import empty_folders, install_set

from tinydl import data
from tinydl.errors import ConfigError, DataError, FormatError

FILED = [name for name, case in LOADERS.items() if case.entry]
BUNDLED = [name for name, case in LOADERS.items() if case.needs == "sklearn"]


@pytest.fixture
def install(monkeypatch, tmp_path):
    return lambda case, files: install_set(monkeypatch, tmp_path, case.entry, files)


@pytest.mark.parametrize("name", LOADERS)
def test_what_a_loader_gives(name, install):
    case = LOADERS[name]
    if case.needs:
        pytest.importorskip(case.needs, reason="needs the extra `data`")
    if case.entry:
        install(case, case.files)
    assert case.seen(case.call()) == case.expected


@pytest.mark.parametrize("name", FILED)
def test_a_malformed_set_is_one_error(name, install, tmp_path, monkeypatch):
    case = LOADERS[name]
    if case.needs:
        pytest.importorskip(case.needs, reason="needs the extra `data`")
    monkeypatch.chdir(tmp_path)
    install(case, (case.broken, *case.files[1:]))
    with pytest.raises(FormatError, match=case.message):
        case.call()
    assert not Path("ran").exists()  # the payload of a pickle


@pytest.mark.parametrize("name", FILED)
def test_another_file_than_the_catalogue_s_is_refused(name, install):
    """One bit of the first file is turned; then it is gone."""
    case = LOADERS[name]
    path = install(case, case.files)[0]
    content = bytearray(case.files[0])
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match="is not the original file: SHA-256"):
        case.call()
    path.unlink()
    with pytest.raises(DataError, match=r"TINYDL_OFFLINE forbids|cannot be downloaded"):
        case.call()


@pytest.mark.parametrize("name", BUNDLED)
def test_without_scikit_learn_one_sentence_says_what_to_install(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(DataError, match=r'pip install "\.\[data\]"'):
        LOADERS[name].call()


@pytest.mark.parametrize("name", READERS)
def test_what_a_reader_gives_and_refuses(name, tmp_path, monkeypatch):
    case = READERS[name]
    if case.needs:
        pytest.importorskip(case.needs, reason="needs the extra `data`")
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "file"
    path.write_bytes(case.files[0])
    assert case.seen(case.call(path)) == case.expected
    path.write_bytes(case.broken)
    with pytest.raises(FormatError, match=case.message):
        case.call(path)
    assert not Path("ran").exists()


@pytest.mark.parametrize(
    "call",
    [
        lambda: data.movielens_100k("u9.base"),
        lambda: data.omniglot("small9"),
        lambda: data.stocks("XYZ"),
        lambda: data.creditcard("some"),
        lambda: data.voc2007("val"),
        lambda: data.coco2017("test2017"),
        lambda: data.cifar10("some"),
        lambda: data.cifar100("some"),
        lambda: data.cifar100(labels="some"),
    ],
)
def test_arguments_are_checked_before_a_file_is_looked_for(call, monkeypatch, tmp_path):
    """Nobody waits for a download to hear that the name of a part is wrong."""
    empty_folders(monkeypatch, tmp_path)
    with pytest.raises(ConfigError):
        call()
