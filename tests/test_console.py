"""How entry points speak and end: sentences, exit codes, streams that nobody reads."""

import argparse
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import tinydl
from tinydl._start import is_command
from tinydl.command import main as cli
from tinydl.console import command, filled, print_json
from tinydl.errors import ConfigError, FormatError, KernelBuildError
from tinydl.quoting import printable, quoted

REPOSITORY = Path(tinydl.__file__).resolve().parents[1]
IN_REPOSITORY = (REPOSITORY / "pyproject.toml").exists()
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(REPOSITORY), "TINYDL_OFFLINE": "1"}
ENVIRONMENT.pop("PYTHONUNBUFFERED", None)  # what is buffered must be written at the end


def child(*arguments, **options):
    options = {"capture_output": True, "text": True, "timeout": 120, "env": ENVIRONMENT} | options
    return subprocess.run([sys.executable, *arguments], **options)


def raising(error):
    def main():
        raise error

    return main


# -- ends ------------------------------------------------------------------------------------------

ENDS = {
    "tinydl's": (ConfigError("x must be > 0"), 2, "tinydl: error: x must be > 0"),
    "system's": (OSError(28, "No space left"), 2, "error: [Errno 28] No space left"),
    "no package": (ImportError("No module named 'numpy'"), 2, "No module named 'numpy'"),
    "memory": (MemoryError(), 2, "error: not enough memory"),
    "depth": (RecursionError("maximum depth"), 2, "error: something is nested too deep"),
    "ours": (KeyError("k"), 3, "error: KeyError: 'k' (a fault of tinydl; TINYDL_DEBUG=1 shows"),
    "codec": (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), 3, "error: UnicodeDecodeError"),
    "Ctrl-C": (KeyboardInterrupt(), 130, "tinydl: interrupted"),
    "escapes": (FormatError("a\x1b[2J\nb\u202e"), 2, r"error: a\x1b[2J\nb\u202e"),
}


@pytest.mark.parametrize("name", ENDS)
def test_every_end_is_one_sentence_and_a_code(name, capsys, monkeypatch):
    monkeypatch.delenv("TINYDL_DEBUG", raising=False)
    error, code, told = ENDS[name]
    assert command(raising(error)) == code
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and told in err and "Traceback" not in err


@pytest.mark.parametrize("name", ENDS)
def test_debugging_always_shows_the_traceback(name, capsys, monkeypatch):
    monkeypatch.setenv("TINYDL_DEBUG", "1")
    error, code, _ = ENDS[name]
    assert command(raising(error)) == code
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_a_compilers_log_keeps_its_lines(capsys):
    assert command(raising(KernelBuildError("log:\nline 1"))) == 2
    assert capsys.readouterr().err == "tinydl: error: log:\nline 1\n"


def test_codes_of_commands_pass():
    assert command(lambda: None) == 0 and command(lambda: 1) == 1
    with pytest.raises(SystemExit, match="7"):
        command(raising(SystemExit(7)))


INTERRUPTING = "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(5)\n"


@pytest.mark.parametrize("arguments", [("-m", "tinydl", "info"), ("-m", "tinydl.backend")])
def test_an_interrupt_while_importing_is_one_line(tmp_path, arguments):
    (tmp_path / "numpy.py").write_text(INTERRUPTING)
    path = f"{tmp_path}{os.pathsep}{REPOSITORY}"
    done = child(*arguments, env={**ENVIRONMENT, "PYTHONPATH": path})
    assert (done.returncode, done.stderr, done.stdout) == (130, "tinydl: interrupted\n", "")


def test_a_broken_installation_is_one_sentence_for_the_command_only(tmp_path):
    (tmp_path / "numpy.py").write_text("raise ImportError('numpy is broken')")
    environment = {**ENVIRONMENT, "PYTHONPATH": f"{tmp_path}{os.pathsep}{REPOSITORY}"}
    done = child("-m", "tinydl", "info", env=environment)
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "is broken" in done.stderr
    assert "Traceback" in child("-c", "import tinydl", env=environment).stderr
    debugging = child("-m", "tinydl", "info", env={**environment, "TINYDL_DEBUG": "1"})
    assert "Traceback" in debugging.stderr


def test_a_program_that_uses_tinydl_keeps_its_handlers():
    assert is_command(["-m"], ["python", "-m", "tinydl.backend"])
    assert is_command(["-m"], ["python", "-X", "dev", "-mtinydl", "info"])
    assert is_command(["/usr/bin/tinydl", "info"], [])
    for argv, original in (
        (["-m"], ["python", "-m", "pytest", "tinydl"]),
        (["train.py"], ["python", "train.py"]),
        (["-c"], ["python", "-c", "import tinydl"]),
        ([""], ["python"]),
    ):
        assert not is_command(argv, original)
    asks = "import signal as s; h = s.getsignal(s.SIGINT); import tinydl; "
    assert child("-c", asks + "assert s.getsignal(s.SIGINT) is h").returncode == 0


# -- streams ---------------------------------------------------------------------------------------


@pytest.fixture
def abandoned():
    """The writing end of a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


SPEAKING = [
    ("-m", "tinydl", "recipes"),
    ("-m", "tinydl", "recipes", "xor-mlp"),  # less than a buffer: written at the end
    ("-m", "tinydl", "--help"),
    ("-m", "tinydl", "data", "list", "--json"),
    ("-m", "tinydl.backend"),
]


@pytest.mark.skipif(not IN_REPOSITORY, reason="an installed package has no scripts")
@pytest.mark.parametrize("arguments", SPEAKING, ids=" ".join)
def test_a_reader_who_leaves_is_no_error(arguments, abandoned):
    done = child(*arguments, capture_output=False, stdout=abandoned, stderr=subprocess.PIPE,
                 cwd=REPOSITORY)  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_a_training_goes_on_without_readers(abandoned, tmp_path):
    arguments = ("-m", "tinydl", "train", "synthetic-digits", "--epochs", "1", "--out", "run")
    done = child(*arguments, capture_output=False, stdout=abandoned, stderr=abandoned,
                 cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0 and (tmp_path / "run" / "model.safetensors").exists()


def test_closed_streams_take_nothing_and_nothing_takes_their_place(tmp_path):
    script = f'"{sys.executable}" -m tinydl evaluate absent'
    for closed, said in (("2>&-", ""), ("<&- >&-", "is no run folder")):
        done = subprocess.run(
            ["sh", "-c", f"{script} {closed}"],
            env=ENVIRONMENT, cwd=tmp_path, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 2 and done.stdout == "" and said in done.stderr
    code = (
        "import os, tinydl.console as c\n"
        "c.command(lambda: os.write(9, b'%d' % os.open('file', os.O_CREAT)) and None)"
    )
    done = child(
        "-c", code, cwd=tmp_path, close_fds=False,
        preexec_fn=lambda: (os.dup2(1, 9), os.close(0), os.close(2)),
    )  # fmt: skip
    assert int(done.stdout) > 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_what_cannot_be_written_is_an_error():
    with open("/dev/full", "w") as full:
        done = child("-m", "tinydl", "recipes", capture_output=False, stdout=full,
                     stderr=subprocess.PIPE)  # fmt: skip
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "No space" in done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8", "cp1252"])
def test_every_character_can_be_printed(encoding, monkeypatch):
    streams = [io.TextIOWrapper(io.BytesIO(), encoding, errors="strict") for _ in range(2)]
    monkeypatch.setattr(sys, "stdout", streams[0])
    monkeypatch.setattr(sys, "stderr", streams[1])

    def main():
        print("zwölf \udcff 十二 \u2028")
        raise ConfigError("no file zwölf-\udcff-十二")

    assert command(main) == 2
    assert streams[0].buffer.getvalue().startswith(b"zw")
    assert b"error: no file zw" in streams[1].buffer.getvalue()
    assert streams[0].errors == "strict"  # as it was


def test_json_has_no_nan(capsys):
    print_json({"a": [float("nan"), 1.5], "b": float("-inf")})
    assert json.loads(capsys.readouterr().out) == {"a": [None, 1.5], "b": None}


# -- arguments -------------------------------------------------------------------------------------

MAY_BE_EMPTY = {"against"}


def parsers(parser):
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for sub in action.choices.values():
                yield from parsers(sub)


def test_no_text_argument_may_be_empty():
    """An empty text is an unset variable of the shell: it must not choose a default."""
    seen = 0
    for parser in parsers(cli.parser()):
        for action in parser._actions:
            takes = isinstance(action, argparse._StoreAction) and action.type not in (int, float)
            if takes and action.dest not in MAY_BE_EMPTY:
                assert action.type is filled, f"{parser.prog}: {action.dest}"
                seen += 1
    assert seen > 30


@pytest.mark.parametrize("option", ["--resume", "--out", "--backend", "--data", None])
def test_an_empty_argument_starts_nothing(option, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        cli.main(["train", *([option] if option else []), "", "--epochs", "1"])
    assert stopped.value.code == 2 and "is empty" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


# -- the scripts -----------------------------------------------------------------------------------


@pytest.mark.skipif(not IN_REPOSITORY, reason="an installed package has no scripts")
def test_every_entry_point_ends_through_command():
    places = [
        p for top in ("tinydl", "benchmarks", "docs") for p in (REPOSITORY / top).rglob("*.py")
    ]
    guarded = {p: p.read_text() for p in places}
    guarded = {p: t for p, t in guarded.items() if '\nif __name__ == "__main__":' in t}
    guarded.pop(REPOSITORY / "tinydl/interop/keras/hdf5.py")  # a child, which answers its parent
    assert len(guarded) > 15
    for path, text in guarded.items():
        end = text.split('\nif __name__ == "__main__":')[1]
        through = "sys.exit(command(" in end
        as_cli = (
            re.search(r"from (tinydl)?\.command\.main import main", text) and "sys.exit(" in end
        )
        assert through or as_cli, f"{path}: end with sys.exit(command(main))"


def test_foreign_text_is_quoted_and_cut():
    assert quoted("a'b\\") == repr("a'b\\") and quoted("ä ö") == "'ä ö'"
    assert quoted("\x1b]0;\x07\n\u202e\ud800") == r"'\x1b]0;\x07\n\u202e\ud800'"
    assert len(quoted("x" * 10**6)) < 100 and "..." in quoted("x" * 100)
    assert printable("a\nb", "\n") == "a\nb" and printable("a\tb") == r"a\tb"
