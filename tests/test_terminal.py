"""What commands print: at most 80 columns where there are 80, aligned, without Python's spelling,
drawn only where the terminal can draw, and completed by the shells."""

import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
import termios
from contextlib import suppress
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from fuzz.run_folders import imported_net

import tinydl
from tinydl import nn
from tinydl.backend.__main__ import page as kernels
from tinydl.bench import CASES
from tinydl.bench import told as bench
from tinydl.command import detect, start
from tinydl.command.main import main, parser
from tinydl.studies.__main__ import main as studies
from tinydl.tables import Column, Lines, Page, Table, facts, show, wide, width, wrapped
from tinydl.train import fit
from tinydl.train.progress import Bar, clock

REPOSITORY = Path(tinydl.__file__).resolve().parents[1]
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")
#: Python's spelling of settings: a dictionary, a list, a tuple of one, None as a value.
REPR = re.compile(r"\{'|\['|\[0\.|\[\d+, |': |\bNone\b(?!, )|<class|array\(")

#: Every command that lists something, and every option that changes what it lists.
LISTINGS = [
    (),
    ("--help",),
    ("info",),
    ("recipes",),
    ("recipes", "shapes"),
    ("recipes", "mlp-mnist"),
    ("recipes", "mlp-mnist/row01-sgd-0.1"),
    ("recipes", "faster-rcnn-shapes"),
    ("recipes", "ring-wgan"),
    ("recipes", "chain-q"),
    ("recipes", "rbm-digits"),
    ("data", "list"),
    ("data", "list", "mnist", "creditcard_subset"),
    ("data", "verify", "cifar10"),
    ("summary", "ssd-bccd"),
    ("summary", "resnet20-cifar"),
    ("summary", "xor-mlp"),
    ("gradcheck", "conv2d", "--examples", "2"),
    ("gradcheck", "equal", "--examples", "2"),
    ("reproduce", "synthetic-digits", "--epochs", "1", "--seeds", "2"),
    ("profile", "synthetic-digits", "--batches", "1"),
    ("profile", "synthetic-digits", "--batches", "1", "--by-shape"),
]
MODULES = {
    "backend": lambda: show(kernels()),
    "studies": lambda: studies([]),
    "studies separable": lambda: studies(["separable", "--tiny"]),
}
ROW_BY_ROW = {"studies separable"}


def strange_folder():
    """Names of any length and script, files that are no pictures, a table without values."""
    root = Path(tempfile.mkdtemp(prefix="tinydl-look-"))
    for name in ("猫" * 30, "a" * 90, "b c\x1b[2J"):
        (root / name).mkdir()
        for k in range(12):
            (root / name / f"{k}{'x' * 100}.png").write_bytes(b"no picture")
    (root / "labels.csv").write_text("a,b\n1,\n")
    return main(["look", str(root)])


def strange_table():
    root = Path(tempfile.mkdtemp(prefix="tinydl-look-"))
    (root / "labels.csv").write_text(f"a,{'b' * 150}\n1,\n1,\n")
    return main(["look", str(root)])


MODULES |= {"look a table": strange_table}
MODULES |= {"look": strange_folder} if find_spec("PIL") else {}
RUNS = {" ".join(("tinydl", *a)): partial(main, a) for a in LISTINGS} | MODULES


def environment(**extra):
    path = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH", "")]))
    return {**os.environ, "PYTHONPATH": path, "TINYDL_OFFLINE": "1", "COLUMNS": "80", **extra}


def at_a_terminal(monkeypatch, run):
    """What `run()` writes on a terminal whose other end is read here."""
    ours, theirs = pty.openpty()
    found = []

    def read():
        with suppress(OSError):  # the other end is closed
            while piece := os.read(ours, 65536):
                found.append(piece)

    reader = Thread(target=read)
    reader.start()
    with open(theirs, "w", encoding="utf-8") as stream, monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", stream)
        patched.setattr(sys, "stderr", stream)
        told(run)
        assert stream.isatty()
    reader.join()
    os.close(ours)
    return b"".join(found).decode()


def told(run):
    """Run it; --help ends by SystemExit."""
    try:
        assert run() in (0, 1, None)
    except SystemExit as stopped:
        assert stopped.code == 0


def fits(text, columns=80):
    """No line is longer, no Python in it."""
    plain = ESCAPE.sub("", text)
    long = [line for line in plain.splitlines() if wide(line) > columns]
    assert not long, long
    spelt = [line for line in plain.splitlines() if REPR.search(line)]
    assert not spelt, spelt
    assert plain.strip()


def ordinary(monkeypatch, **settings):
    """A terminal's environment."""
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ({"TERM": "xterm-256color", "COLUMNS": "80"} | settings).items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("name", RUNS)
def test_listings_fit_80_columns_in_a_pipe_and_on_a_terminal(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    ordinary(monkeypatch, TINYDL_OFFLINE="1")
    told(RUNS[name])
    piped = capsys.readouterr().out
    assert "\x1b" not in piped
    fits(piped)
    text = at_a_terminal(monkeypatch, RUNS[name])
    fits(text)
    if "---" in piped and name not in ROW_BY_ROW and find_spec("rich"):
        assert "───" in text and "---" not in text  # drawn


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Run folders of a network, an agent and a generator, trained for a moment."""
    folder = tmp_path_factory.mktemp("runs")
    for name, epochs in (("synthetic-digits", "1"), ("chain-q", "5"), ("ring-gan", "1")):
        assert main(["train", name, "--epochs", epochs, "--out", str(folder / name)]) == 0
    return folder


@pytest.fixture(scope="module")
def foreign(runs):
    """Beside them a folder of an imported net, and a file of weights alone."""
    from tinydl.runs.importing import Wanted, write_imported

    (runs / "foreign").mkdir()
    write_imported(runs / "foreign", imported_net(), "net.onnx", "onnx", Wanted())
    tinydl.save({"layers.0.weight": np.zeros((2, 3), np.float32)}, runs / "w.safetensors")


RUN_LISTINGS = [
    ("train", "synthetic-digits", "--epochs", "1", "--out", "{out}"),
    ("evaluate", "synthetic-digits"),
    ("evaluate", "chain-q"),
    ("predict", "synthetic-digits", "black.png"),
    ("classify", "synthetic-digits", "black.png", "black.png", "--top", "3"),
    ("sample", "ring-gan", "--count", "3"),
    ("play", "chain-q"),
    ("predict", "foreign", "black.png"),
    ("classify", "foreign", "black.png"),
    ("evaluate", "foreign", "--dataset", "synthetic_digits"),
    ("summary", "foreign"),
    ("report", "synthetic-digits", "--out", "{out}.html"),
    ("profile", "foreign", "--batches", "1"),
    ("export", "foreign", "--to", "safetensors", "--out", "{out}.safetensors"),
    ("inspect", "w.safetensors"),
    ("serve", "synthetic-digits"),
    ("serve", "foreign"),
]


@pytest.mark.parametrize("arguments", RUN_LISTINGS, ids=" ".join)
def test_what_is_said_of_runs_fits_too(arguments, runs, foreign, monkeypatch, capsys):
    if "black.png" in arguments:
        image = pytest.importorskip("PIL.Image")
        image.fromarray(np.zeros((8, 8), np.uint8)).save(runs / "black.png")
    monkeypatch.chdir(runs)  # short names
    monkeypatch.setattr("tinydl.serving.server.Server.serve_forever", lambda server: None)
    ordinary(monkeypatch)

    def run(name):
        return main([a.format(out=name) for a in arguments])

    told(lambda: run("piped"))
    fits(capsys.readouterr().out)
    fits(at_a_terminal(monkeypatch, lambda: run("terminal")))
    for name in ("piped", "terminal"):
        shutil.rmtree(name, ignore_errors=True)


def test_boxes_are_a_table(monkeypatch, capsys):
    ordinary(monkeypatch)
    names = ("十二 [b]", "cat")
    boxes = [{"class": name, "score": 0.5, "box": [1.0, 2.0, 30.0, 40.0]} for name in names]
    show(Table(detect.BOXES, [detect._cells(box) for box in boxes]))
    text = capsys.readouterr().out
    fits(text)
    assert "\n  十二 [b]  " in text and "\n  cat       " in text
    assert text.splitlines()[2].split()[-4:] == ["1", "2", "30", "40"]


@pytest.mark.parametrize("columns", [80, 160])
def test_the_benchmarks_table_fits(columns, monkeypatch):
    """All libraries and a build, the longest name of a cell."""
    ordinary(monkeypatch, COLUMNS=str(columns))
    names = ["tinydl", "numpy", "torch", "torch_channels_last", "jax", "tensorflow"]
    lines = bench.row_lines(CASES, names)
    cell = max((case.name for case in CASES), key=len)
    peers = {name: {"seconds": 12.3456, "ratio": 1.25} for name in names[1:]}
    row = {"name": cell, "group": "conv", "threads": 1, "seconds": 0.1234, "peers": peers,
           "ratio": 1.25, "spread": (1.2, 1.3), "best_peer": "torch_channels_last"}  # fmt: skip
    text = f"{lines.top()}\n{lines.row(bench.row_cells(row, names))}"
    fits(text, columns)
    assert ("wider" in text) == (columns == 80) and "1.25" in text and "123.4" in text
    assert text.count("1.235e+04") == (2 if columns == 80 else 5)
    builds = {"tinydl@old": {"ratio": 0.99, "seconds": 1.0}, "tinydl@self": {"ratio": 1.0}}
    alone = row | {"ratio": None, "spread": None, "best_peer": None, "peers": builds}
    assert bench.row_cells(alone, names)[-1] == "0.99 to tinydl@old, 1.00 to tinydl@self"
    page = Page(bench.means([row, alone]))
    fits(str(page), columns)
    assert "tinydl@self is it again" in str(page)


def test_a_wide_terminal_shows_every_column(monkeypatch, capsys):
    ordinary(monkeypatch)
    main(["recipes"])
    narrow = capsys.readouterr().out
    monkeypatch.setenv("COLUMNS", "160")
    main(["recipes"])
    wider = capsys.readouterr().out
    assert "(a wider terminal also shows: data set, epochs)" in narrow
    assert "wider" not in wider and "data set" in wider and "epochs" in wider
    fits(wider, 160)
    assert len(wider.splitlines()) < len(narrow.splitlines())


# -- what one sees first ---------------------------------------------------------------------------


def test_tinydl_alone_says_in_ten_lines_what_one_can_do(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    assert main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 10 and any(line.startswith("tinydl train ") for line in lines)
    for name in ("mine", "old"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "config.json").write_text("{}")
    os.utime(tmp_path / "runs" / "old" / "config.json", (1, 1))
    assert main([]) == 0
    assert "tinydl evaluate runs/mine " in capsys.readouterr().out
    assert start.newest_run(tmp_path / "absent") is None


@pytest.mark.parametrize("typed, meant", [("trian", "`tinydl train`"), ("zzz", "`tinydl --help`")])
def test_an_unknown_command_is_told_the_nearest(typed, meant, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([typed, "mlp-mnist"])
    assert stopped.value.code == 2
    usage, error = capsys.readouterr().err.splitlines()
    assert usage.startswith("usage: tinydl ") and f"'{typed}'; did you mean {meant}?" in error


@pytest.mark.parametrize("name", sorted(parser().commands.choices))
def test_the_help_of_every_command_has_an_example_that_is_read(name, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as stopped:
        main([name, "--help"])
    assert stopped.value.code == 0
    text = capsys.readouterr().out
    fits(text)
    examples = re.findall(r"^  tinydl ([^>\n]*)", text, re.MULTILINE)
    assert examples and all(example.split()[0] == name for example in examples)
    for example in examples:
        parser().parse_args(example.split())  # SystemExit for what is no option


def test_recipes_are_grouped_by_book_and_can_be_searched(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["recipes"]) == 0
    lines = capsys.readouterr().out.splitlines()
    book = lines.index("Deep Learning with Keras (Gulli and Pal, 2017)")
    names = [line.split()[0] for line in lines[book + 1 : lines.index("", book)] if line[0] != " "]
    assert "mnist-v1" in names and "mlp-mnist" not in names
    assert main(["recipes", "GAN", "ring"]) == 0
    found = capsys.readouterr().out
    assert "ring-gan" in found and "ring-wgan" in found and "mnist" not in found
    assert main(["recipes", "nothing-of-this-name"]) == 2
    assert "none has 'nothing-of-this-name' in it" in capsys.readouterr().err
    assert main(["recipes", "mlp-mnits"]) == 2
    assert "did you mean mlp-mnist" in capsys.readouterr().err


# -- tables ----------------------------------------------------------------------------------------

NAMED = (Column("name", bold=True), Column("text", least=10), Column("n", right=True))


def test_columns_are_aligned_and_text_is_broken_between_words():
    table = Table(NAMED, [("a", "one two three four", "1"), ("bcd", "x", "100")])
    assert table.text(30) == (
        "name  text                  n\n"
        "----  ------------------  ---\n"
        "a     one two three four    1\n"
        "bcd   x                   100"
    )
    assert table.text(22).splitlines()[2:] == [
        "a     one two        1",
        "      three four",
        "bcd   x            100",
    ]


def test_spare_columns_go_in_order_and_are_named():
    columns = (Column("kept"), Column("first", spare=1), Column("second", spare=2))
    table = Table(columns, [("k" * 20, "f" * 20, "s" * 20)])
    assert "wider" not in table.text(64)
    assert table.text(63).splitlines()[-1] == "(a wider terminal also shows: first)"
    assert "s" * 20 in table.text(63) and "f" * 20 not in table.text(63)
    assert table.text(40).endswith("(a wider terminal also shows: first,\nsecond)")
    assert "s" * 20 not in table.text(40)


def test_headings_heads_and_long_words():
    table = Table((Column("geometric mean", right=True), Column("path", least=10)),
                  ["Part", ("1", "/a/very/long/path/without/blanks")])  # fmt: skip
    assert table.text(40).splitlines()[:5] == [
        "geometric",
        "     mean  path",
        "---------  -----------------------------",
        "",
        "Part",
    ]
    narrow = table.text(24)
    fits(narrow, 24)
    path = "".join(line[11:] for line in narrow.splitlines()[5:])
    assert path == "/a/very/long/path/without/blanks"


def test_wide_and_foreign_characters_keep_their_column():
    table = Table(NAMED, [("十二", "x", "1"), ("e\u0301", "a\x1b[31mb\nc", "2")])
    lines = table.text(60).splitlines()
    assert (wide("十二"), wide("e\u0301"), wide("abc")) == (4, 1, 3)
    assert len(lines) == 4 and len({wide(line) for line in lines[2:]}) == 1
    assert "\\x1b[31mb\\nc" in lines[3] and "\x1b" not in table.text(60)


def test_paragraphs_keep_words_and_indent():
    assert wrapped("a bb ccc", 4, "  ") == "a bb\n  ccc"
    assert wrapped("as 5 % or", 5) == "as\n5 %\nor" and wrapped("of 5 %", 4) == "of\n5 %"
    assert wrapped("/no/blank/in/here x", 5) == "/no/blank/in/here\nx"
    assert wrapped("  led in", 80) == "  led in" and wrapped("", 80) == ""
    assert str(Page(["a", facts([("k", "v")]), ""])) == "a\nk  v\n"


def test_rows_that_come_one_by_one_stand_below_each_other(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    lines = Lines(NAMED, [("long name", "text", "1,000")])
    assert lines.top().splitlines()[1] == "---------  ----  -----"
    assert lines.row(("a", "b", "2")) == "a          b         2"


def test_the_width_is_that_of_the_terminal_where_it_is_shown(monkeypatch, capsys):
    """A log of stdout, the progress on a narrow terminal; and no terminal at all."""
    monkeypatch.delenv("COLUMNS", raising=False)
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 57))
    with open(theirs, "w") as stream, open(ours, "rb"):
        assert (width(stream), width()) == (57, 80)
        monkeypatch.setattr(sys, "stdout", stream)
        assert width() == 57
        monkeypatch.setenv("COLUMNS", "100")
        assert width(stream) == 100
        monkeypatch.setenv("COLUMNS", "wide")
        assert width(stream) == 57
        monkeypatch.setenv("COLUMNS", "3")
        assert width(stream) == 40


# -- rich ------------------------------------------------------------------------------------------


class Terminal:
    """A stream that says it is a terminal."""

    def __init__(self, encoding="utf-8", tty=True):
        self.encoding, self.tty, self.text = encoding, tty, ""

    def isatty(self):
        return self.tty

    def write(self, text):
        text.encode(self.encoding)  # UnicodeEncodeError as a strict stream would
        self.text += text
        return len(text)

    def flush(self):
        pass


MARKED = Table(
    (*NAMED, Column("is", marks=True)), ["[b]H[/b]", ("[red]x[/red]", ":smile:", "1", "ok")]
)


def shown(monkeypatch, stream, **settings):
    ordinary(monkeypatch, **settings)
    show(MARKED, stream)
    return stream.text


def test_rich_draws_and_reads_no_markup_in_what_it_is_given(monkeypatch):
    pytest.importorskip("rich")
    text = shown(monkeypatch, Terminal())
    assert "─" in text and "\x1b[32mok" in text
    assert "[red]x[/red]" in text and ":smile:" in text and "[b]H[/b]" in text
    plain = [line.rstrip() for line in ESCAPE.sub("", text).splitlines()]
    ours = [line.rstrip() for line in MARKED.text(80).splitlines()]
    assert [line for line in plain if "─" not in line] == [x for x in ours if "--" not in x]


@pytest.mark.parametrize(
    "stream, settings",
    [
        (Terminal(tty=False), {}),
        (Terminal(), {"TERM": "dumb"}),
        (Terminal(), {"TERM": ""}),
        (Terminal("ascii"), {}),
        (Terminal("latin-1"), {}),
        (Terminal("no-such-encoding"), {}),
    ],
    ids=["pipe", "dumb", "no TERM", "ascii", "latin-1", "unknown encoding"],
)
def test_plain_where_nothing_can_be_drawn(monkeypatch, stream, settings):
    if stream.encoding == "no-such-encoding":
        monkeypatch.setattr(Terminal, "write", lambda self, t: setattr(self, "text", self.text + t))
    assert shown(monkeypatch, stream, **settings) == MARKED.text(80) + "\n"


def test_plain_without_rich(monkeypatch):
    monkeypatch.setitem(sys.modules, "rich", None)
    monkeypatch.setitem(sys.modules, "rich.console", None)
    assert shown(monkeypatch, Terminal()) == MARKED.text(80) + "\n"


def test_no_color_is_no_colour(monkeypatch):
    pytest.importorskip("rich")
    text = shown(monkeypatch, Terminal(), NO_COLOR="1")
    assert "─" in text and not re.search(r"\x1b\[[0-9;]*3[0-7]m", text)


def test_nothing_of_the_terminal_is_loaded_before_it_is_needed(tmp_path):
    code = (
        "import sys, tinydl\nfrom tinydl.command.main import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\nmain([])\nmain(['recipes'])\n"
        "sys.exit(str({'rich', 'shtab', 'tqdm', 'pygments'} & set(sys.modules) or ''))"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True,
                          text=True, cwd=tmp_path)  # fmt: skip
    assert not done.stderr.strip(), done.stderr


# -- progress --------------------------------------------------------------------------------------


def line_of(monkeypatch, values, columns, encoding="utf-8", steps=10, epoch=2):
    stream = Terminal(encoding)
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    bar = Bar(range(steps), 0, 4, None)
    bar.started -= 60
    bar.advance(epoch, values)
    bar.step_in_epoch = 4
    return bar.line(columns)


ROW = {"epoch": 2, "loss": 0.5, "accuracy": 0.75, "val_loss": 0.6, "seconds": 3.0}


def test_the_line_says_epoch_loss_metric_and_time_left(monkeypatch):
    line = line_of(monkeypatch, ROW, 79)
    assert (
        line == ("epoch 3/4 ━━━━──  60 %  loss 0.5000  accuracy 0.7500  val loss 0.6000  0:40 left")
        or wide(line) <= 79
    )
    for part in ("epoch 3/4", "60 %", "loss 0.5000", "accuracy 0.7500", "0:40 left"):
        assert part in line
    assert "seconds" not in line and "#" in line_of(monkeypatch, ROW, 120, "ascii")
    narrow = line_of(monkeypatch, ROW, 50)
    assert wide(narrow) <= 50 and "loss 0.5000" in narrow and "0:40 left" in narrow


def test_the_time_left_of_data_without_length_is_that_of_epochs(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    bar = Bar(iter(()), 2, 6, None)
    bar.started -= 30
    assert "left" not in bar.line(100)
    bar.advance(3, {"loss": 1.0})
    assert "epoch 3/6" in bar.line(100) and "1:30 left" in bar.line(100)
    assert clock(3599.6) == "1:00:00"


def training(progress):
    x, y = np.ones((8, 2), np.float32), np.zeros(8, np.int64)
    model = nn.Linear(2, 2)
    batches = tinydl.data.Batches((x, y), batch_size=4, shuffle=False)
    optimizer = tinydl.optim.SGD(model.parameters(), lr=0.1)
    fit(model, batches, nn.cross_entropy, optimizer, 3, ["accuracy"], progress=progress)


@pytest.mark.parametrize("progress", [None, True, False])
def test_fit_shows_its_progress_where_it_was_asked_to(monkeypatch, progress):
    from tinydl.train import progress as module

    monkeypatch.setattr(module, "REDRAWN", 0.0)
    monkeypatch.setattr(module, "SAID", 0.0)
    found = {}
    for kind, term in (("terminal", "xterm"), ("dumb", "dumb"), ("pipe", "xterm")):
        stream = Terminal(tty=kind != "pipe")
        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setenv("TERM", term)
        training(progress)
        found[kind] = stream.text
    assert bool(found["terminal"]) == (progress is not False)
    if progress is not False:
        assert found["terminal"].count("\r") >= 6 and found["terminal"].endswith("in all\x1b[K\n")
    for kind in ("dumb", "pipe"):
        lines = found[kind].splitlines()
        assert len(lines) == (3 if progress else 0) and "\r" not in found[kind]
        assert all(re.match(r"epoch \d/3 +\d+ %  loss \d", line) for line in lines)


def test_a_quick_training_leaves_no_lines_in_a_log(monkeypatch):
    stream = Terminal(tty=False)
    monkeypatch.setattr(sys, "stderr", stream)
    training(True)
    assert stream.text == ""


# -- completion ------------------------------------------------------------------------------------


def script(shell, capsys):
    pytest.importorskip("shtab")
    assert main(["completion", shell]) == 0
    return capsys.readouterr().out


ASKED = r"""
source tinydl.bash
asked=$(complete -p tinydl | sed 's/.*-F \([^ ]*\).*/\1/')
while read -r line; do
    COMP_WORDS=($line) COMP_LINE=$line COMP_POINT=${#line}
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMPREPLY=()
    $asked tinydl
    echo "${COMPREPLY[@]}"
done
"""
OFFERED = {
    "tinydl se": "serve",
    "tinydl serve r": "runs",
    "tinydl re": "recipes reproduce report recommend",
    "tinydl train ring": "ring-gan ring-wgan",
    "tinydl recipes mask": "mask-rcnn-shapes",
    "tinydl gradcheck conv_": "conv_transpose1d conv_transpose2d",
    "tinydl data fe": "fetch",
    "tinydl data fetch fashion": "fashion_mnist",
    "tinydl train --ep": "--epochs",
    "tinydl evaluate r": "runs",
    "tinydl predict runs pic": "picture.png",
    "tinydl completion f": "fish",
    "tinydl evaluate runs --part val": "validation",
}


def test_bash_completes_commands_names_and_folders(tmp_path, capsys):
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("there is no bash")
    (tmp_path / "tinydl.bash").write_text(script("bash", capsys))
    (tmp_path / "runs").mkdir()
    (tmp_path / "picture.png").write_bytes(b"")
    done = subprocess.run(
        [bash, "--norc", "-c", ASKED], input="\n".join(OFFERED) + "\n", cwd=tmp_path,
        capture_output=True, text=True,
    )  # fmt: skip
    assert not done.stderr, done.stderr
    lines = [line.replace("/", "").strip() for line in done.stdout.splitlines()]
    assert dict(zip(OFFERED, lines, strict=True)) == OFFERED


@pytest.mark.parametrize("shell, check", [("zsh", "-n"), ("fish", "--no-execute")])
def test_the_other_shells_read_their_script(shell, check, tmp_path, capsys):
    text = script(shell, capsys)
    assert "tinydl" in text and "ring-wgan" in text
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"there is no {shell}")
    path = tmp_path / f"tinydl.{shell}"
    path.write_text(text)
    done = subprocess.run([program, check, path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_completion_without_shtab_is_one_sentence(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert main(["completion", "bash"]) == 2
    assert 'pip install ".[terminal]"' in capsys.readouterr().err
