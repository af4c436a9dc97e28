"""The command `tinydl`: train recipes, look at runs, reproduce the books, look after data.

Exit codes: 0 done, 1 a check failed (`gradcheck`, `data verify`, `bench`, `look --strict`), 2 bad
input with one message on stderr, 3 a fault of tinydl itself, 130 interrupted. With --json the only
thing on stdout is one JSON value; what is meant for people goes to stderr (`bench --json OUT`
writes a file instead).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from pathlib import Path

from .._version import __version__
from ..backend import USUAL
from ..console import Parser, command
from ..errors import ConfigError
from ..quoting import quoted
from . import machine
from .completion import add_completion, completion_command
from .detect import add_detect, detect_command
from .draw import add_play, add_sample, play_command, sample_command
from .importing import (
    add_export,
    add_import,
    add_inspect,
    export_command,
    import_command,
    inspect_command,
)
from .look import add_look, look_command
from .nearest import add_nearest, nearest_command
from .recipes import add_recipes, add_reproduce, recipes_command, reproduce_command
from .recommend import add_recommend, recommend_command
from .report import add_report, report_command
from .runs import classify_command, evaluate_command, predict_command
from .serve import add_serve, serve_command
from .start import start_command
from .summary import add_graph, graph_command, summary_command
from .train import add_train, train_command
from .zoo import add_zoo, zoo_command

Arguments = argparse.Namespace
NO_JSON = ("gradcheck", "bench", "graph", "completion")  # bench has its own


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    return command(lambda: _run(argv))


def _run(argv: Sequence[str] | None) -> int:
    words = list(sys.argv[1:] if argv is None else argv)
    top = parser()
    if words and not words[0].startswith("-"):
        _known(words[0], top)
    args = top.parse_args(words)
    if getattr(args, "data", None):
        _use_data_folder(args.data)
    return args.run(args)


def _known(name: str, top: Parser) -> None:
    """The parser's own error for an unknown command would list all of them in one line."""
    names = top.commands.choices
    if name not in names:
        close = get_close_matches(name, names, n=2) or ["--help"]
        told = " or ".join(f"`tinydl {one}`" for one in close)
        top.error(f"there is no command {quoted(name)}; did you mean {told}?")


# -- arguments -------------------------------------------------------------------------------------


def parser() -> Parser:
    """All commands, each with an example in its help; without a command: what one can do next."""
    top = Parser(
        "tinydl",
        description=(__doc__ or "").split("\n")[0],
        epilog="tinydl COMMAND --help: its options and an example.",
    )
    top.add_argument("-V", "--version", action="version", version=f"tinydl {__version__}")
    top.set_defaults(run=start_command)
    commands = top.commands = top.add_subparsers(metavar="COMMAND")

    def add(name: str, run: Callable[[Arguments], int], text: str, *examples: str) -> Parser:
        shown = "\n".join([f"example{'s'[: len(examples) > 1]}:", *(f"  {e}" for e in examples)])
        sub: Parser = commands.add_parser(
            name, help=text, description=text, epilog=shown,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )  # fmt: skip
        sub.set_defaults(run=run)
        if name not in NO_JSON:
            sub.add_argument("--json", action="store_true", help="one JSON value on stdout")
        return sub

    _add_training(add)
    _add_runs(add)
    _add_page(add)
    _add_report(add)
    _add_unasked(add)
    _add_looking(add)
    _add_foreign(add)
    _add_machine(add)
    return top


Add = Callable[..., Parser]


def _add_training(add: Add) -> None:
    add_recipes(
        add(
            "recipes", recipes_command, "the books' experiments, reported and measured",
            "tinydl recipes", "tinydl recipes gan", "tinydl recipes mlp-mnist",
        )
    )  # fmt: skip
    sub = add(
        "train", train_command, "train a recipe into a new run folder",
        "tinydl train mlp-digits --epochs 5", "tinydl train --resume runs/mlp-digits-001",
        "tinydl train iris-softmax --on flowers.csv --target kind",
    )  # fmt: skip
    add_train(sub)
    _add_place(sub)
    sub = add(
        "reproduce", reproduce_command, "train a recipe and print book beside measured",
        "tinydl reproduce iris-softmax --seeds 3",
    )  # fmt: skip
    add_reproduce(sub)
    _add_place(sub, USUAL)


def _add_runs(add: Add) -> None:
    sub = add(
        "evaluate", evaluate_command, "every measure of a run's model",
        "tinydl evaluate runs/mlp-digits-001 --part train",
    )  # fmt: skip
    sub.add_argument("folder", metavar="RUN", help="run folder")
    parts = ("test", "validation", "train")
    sub.add_argument("--part", choices=parts, default="test", help="of the data (default test)")
    sub.add_argument(
        "--dataset", metavar="NAME", help="for an imported net: the data, such as mnist"
    )
    sub.add_argument(
        "--on", metavar="PATH", help="of a run on your own data: measure it on other ones"
    )
    _add_place(sub)
    sub = add(
        "predict", predict_command, "class probabilities of images or texts; translations, answers",
        "tinydl predict runs/mlp-digits-001 digit.png",
        'tinydl predict runs/dates-001 "the 3rd of May, 1979"',
    )  # fmt: skip
    _add_images(sub, "*")
    help_text = "for a run that reads or writes; may be given again"
    sub.add_argument("--text", action="append", help=help_text)
    _add_place(sub)
    sub = add(
        "classify", classify_command, "the most probable classes of images",
        "tinydl classify runs/resnet20-cifar-001 dog.jpg --top 3",
    )  # fmt: skip
    _add_images(sub)
    sub.add_argument("--top", type=int, default=5, help="how many classes (default 5)")
    _add_place(sub)
    sub = add(
        "detect", detect_command, "named, scored boxes drawn on images",
        "tinydl detect runs/ssd-shapes-001 photo.jpg --score 0.4",
    )  # fmt: skip
    add_detect(sub)
    _add_place(sub)


def _add_page(add: Add) -> None:
    """A run in the browser."""
    sub = add(
        "serve", serve_command, "a page on this machine: draw a digit, drop a picture, type a text",
        "tinydl serve lenet-mnist", "tinydl serve runs/ssd-shapes-001 --backend opencl",
    )  # fmt: skip
    add_serve(sub)
    _add_place(sub)


def _add_report(add: Add) -> None:
    sub = add(
        "report", report_command, "a run on one page: scores, mistakes, what its model looks at",
        "tinydl report runs/mlp-digits-001", "tinydl report lenet-mnist --out lenet.html",
    )  # fmt: skip
    add_report(sub)
    _add_place(sub)


def _add_unasked(add: Add) -> None:
    """What runs can do without being given pictures."""
    sub = add(
        "sample", sample_command, "what a run's generator draws: points, pictures",
        "tinydl sample runs/ring-gan-001 --out points.png",
    )  # fmt: skip
    add_sample(sub)
    _add_place(sub)
    sub = add(
        "play", play_command, "an episode of a run's agent",
        "tinydl play runs/chain-q-001 --out episode.gif",
    )  # fmt: skip
    add_play(sub)
    _add_place(sub)
    sub = add(
        "recommend", recommend_command, "films that a user has not rated, the best first",
        "tinydl recommend runs/rbm-films-001 --user 7",
    )  # fmt: skip
    add_recommend(sub)
    _add_place(sub)
    sub = add(
        "nearest", nearest_command, "words near a word, or the fourth of an analogy, by a run",
        "tinydl nearest runs/skipgram-films-001 funny",
        "tinydl nearest runs/skipgram-films-001 man actor woman",
    )  # fmt: skip
    add_nearest(sub)
    _add_place(sub)


def _add_looking(add: Add) -> None:
    sub = add(
        "zoo", zoo_command, "the trained models that come with tinydl, or the card of one",
        "tinydl zoo", "tinydl zoo lenet-mnist",
    )  # fmt: skip
    add_zoo(sub)
    sub = add(
        "summary", summary_command, "layers, shapes, parameters, multiply-adds, memory",
        "tinydl summary cnn-mnist",
    )  # fmt: skip
    sub.add_argument("recipe", help="recipe, recipe/variant, or a run folder")
    sub = add(
        "graph", graph_command, "a recipe's model as a drawing",
        "tinydl graph cnn-mnist --out cnn.svg", "tinydl graph xor-mlp --autodiff",
    )  # fmt: skip
    add_graph(sub)
    sub = add(
        "profile", machine.profile_command,
        "time, traffic and share of the peak of every operation",
        "tinydl profile cnn-mnist --batches 3 --out roofline.png",
    )  # fmt: skip
    machine.add_profile(sub)
    _add_place(sub, USUAL)


def _add_foreign(add: Add) -> None:
    """Nets of other libraries."""
    add_inspect(
        add(
            "inspect", inspect_command, "what a file of another library holds, what is missing",
            "tinydl inspect model.onnx", "tinydl inspect model.safetensors --json",
        )
    )  # fmt: skip
    add_import(
        add(
            "import", import_command, "a net of another library as a run folder, or as source",
            "tinydl import mnist.onnx --out runs/mnist --scale 1 --labels digits.txt",
            "tinydl import mnist.onnx --code mnist.py",
        )
    )  # fmt: skip
    add_export(
        add(
            "export", export_command, "a run's model as an ONNX or safetensors file",
            "tinydl export runs/lenet-mnist-001 --to onnx --out lenet.onnx",
            "tinydl export runs/lenet-mnist-001 --to safetensors --torch",
        )
    )  # fmt: skip


def _add_machine(add: Add) -> None:
    add_look(
        add(
            "look", look_command, "what a folder of your own holds, and what is wrong with it",
            "tinydl look flowers --out samples.png", "tinydl look flowers --strict --json",
        )
    )  # fmt: skip
    machine.add_data(
        add(
            "data", machine.data_command, "where data sets are; fetching and verifying them",
            "tinydl data list", "tinydl data list mnist", "tinydl data fetch mnist",
        )
    )  # fmt: skip
    sub = add(
        "info", machine.info_command, "versions, instruction level, threads, OpenCL devices",
        "tinydl info --peaks",
    )  # fmt: skip
    sub.add_argument("--peaks", action="store_true", help="measure GFLOP/s and GB/s too (seconds)")
    machine.add_gradcheck(
        add(
            "gradcheck", machine.gradcheck_command,
            "compare an operation's derivatives with differences",
            "tinydl gradcheck conv2d --order 1",
        )
    )  # fmt: skip
    machine.add_bench(
        add(
            "bench", machine.bench_command, "our kernels' speed beside other libraries'",
            "tinydl bench conv --quick --against numpy,torch",
        )
    )  # fmt: skip
    add_completion(
        add(
            "completion", completion_command, "a script that completes `tinydl` in a shell",
            "tinydl completion bash > ~/.local/share/bash-completion/completions/tinydl",
            "tinydl completion zsh > ~/.zfunc/_tinydl",
            "tinydl completion fish > ~/.config/fish/completions/tinydl.fish",
        )
    )  # fmt: skip


def _add_images(sub: Parser, count: str = "+") -> None:
    sub.add_argument("folder", metavar="RUN", help="run folder")
    text = "PNG, JPEG, ...; of a run on your own data: CSV, text or WAV"
    sub.add_argument("images", metavar="FILE", nargs=count, help=text)


def _add_place(sub: Parser, default: str | None = None) -> None:
    which = default or "as trained"
    sub.add_argument("--backend", default=default, help=f"numpy, cpu, opencl, opencl:1 ({which})")
    sub.add_argument("--data", metavar="FOLDER", help="where data sets lie (as TINYDL_DATA)")
    if default is None:
        sub.add_argument(
            "--recipe", dest="recipe_file", metavar="FILE", help="the file of a run's own recipe"
        )


def _use_data_folder(folder: str) -> None:
    if not Path(folder).is_dir():
        raise ConfigError(f"--data: there is no folder {folder}")
    os.environ["TINYDL_DATA"] = folder
