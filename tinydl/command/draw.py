"""The subcommands `tinydl sample` and `tinydl play`: what a run can do without being given data."""

from __future__ import annotations

import argparse
from math import ceil, sqrt
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..console import Parser, print_json, teller
from ..errors import ConfigError
from ..files import write_atomically
from ..tables import Column, Table

if TYPE_CHECKING:
    from ..runs.run import OpenRun

Arguments = argparse.Namespace
HOW = ("temperature", "top_k", "top_p")  # what only a text is drawn by


def add_sample(sub: Parser) -> None:
    """The arguments of `tinydl sample` but for --backend."""
    sub.add_argument("folder", metavar="RUN", help="run folder, or one of a llama2.c model")
    sub.add_argument(
        "--count", type=int,
        help="how many (default 64; of a text 500 characters, of a llama2.c model 200 tokens)",
    )  # fmt: skip
    sub.add_argument("--seed", type=int, default=0, help="of the noise (default 0)")
    sub.add_argument("--out", metavar="FILE", help=".png, or .npy for the numbers; .txt for a text")
    sub.add_argument("--prompt", metavar="TEXT", help="what the text begins with")
    sub.add_argument("--temperature", type=float, help="of a text: 1 as learnt, 0 greedy")
    sub.add_argument("--top-k", type=int, help="of a text: only the K likeliest characters")
    sub.add_argument("--top-p", type=float, help="of a text: the likeliest whose sum is P")


def add_play(sub: Parser) -> None:
    """The arguments of `tinydl play` but for --backend."""
    sub.add_argument("folder", metavar="RUN", help="run folder")
    sub.add_argument("--seed", type=int, default=0, help="of the world (default 0)")
    sub.add_argument("--out", metavar="FILE", help="write the episode as GIF")


def sample_command(args: Arguments) -> int:
    """Samples of a run's model, printed, drawn or written."""
    from ..random import Generator
    from ..runs.llama_folder import llama_files

    if args.count is not None and args.count < 1:
        raise ConfigError(f"sample: --count must be >= 1, got {args.count}")
    if (files := llama_files(args.folder)) is not None:
        return _write_llama(files, args)
    run = able("sample", args)
    if run.recipe.program.writes:
        return _write(run, args)
    if given := [name for name in ("prompt", *HOW) if getattr(args, name) is not None]:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise ConfigError(f"sample: {run.recipe.name} writes no text, {names} say nothing to it")
    suffix = _suffix(args.out, "sample", ".png", ".npy")
    args.count = 64 if args.count is None else args.count
    samples = run.recipe.program.sample(run.model(args.backend), args.count, Generator(args.seed))
    tell = teller(args)
    if suffix == ".npy":
        np.save(args.out, samples)
    elif suffix == ".png":
        _draw(samples, args.out)
    if args.out is not None:
        tell(f"{args.count} samples of {run.recipe.name} in {args.out}")
    elif samples.ndim == 2:
        columns = [Column(name, right=True) for name in _axes(samples.shape[1])]
        tell(Table(columns, [[f"{value:.4f}" for value in row] for row in samples]))
    else:
        raise ConfigError(f"sample: {run.recipe.name} draws pictures; name a file with --out")
    if args.json:
        shown = samples.tolist() if samples.ndim == 2 else None
        print_json({"run": args.folder, "count": args.count, "out": args.out, "samples": shown})
    return 0


def _write(run: OpenRun, args: Arguments) -> int:
    """A text by the run's language model, behind the prompt."""
    from ..random import Generator

    _suffix(args.out, "sample", ".txt")
    how = {name: getattr(args, name) for name in HOW if getattr(args, name) is not None}
    prompt, count = args.prompt or "", 500 if args.count is None else args.count
    model = run.model(args.backend)
    text = run.recipe.program.write(model, run.recipe, prompt, count, Generator(args.seed), **how)
    tell = teller(args)
    if args.out is None:
        tell(prompt + text)
    else:
        write_atomically(Path(args.out), (prompt + text).encode())
        tell(f"{count} characters of {run.recipe.name} in {args.out}")
    if args.json:
        print_json({"run": args.folder, "prompt": prompt, "text": text, "out": args.out})
    return 0


def _write_llama(files: tuple[Path, Path], args: Arguments) -> int:
    """A text by a published model, behind the prompt."""
    from time import perf_counter

    from ..random import Generator
    from ..runs.llama_folder import continued, load_llama

    _suffix(args.out, "sample", ".txt")
    how = {name: getattr(args, name) for name in HOW if getattr(args, name) is not None}
    model, tokenizer = load_llama(files, args.backend)
    prompt, asked = args.prompt or "", 200 if args.count is None else args.count
    began = perf_counter()
    text, count = continued(model, tokenizer, prompt, asked, Generator(args.seed), **how)
    rate, tell = count / (perf_counter() - began), teller(args)
    if args.out is None:
        tell(text)
    else:
        write_atomically(Path(args.out), text.encode())
    where = "" if args.out is None else f" in {args.out}"
    tell(f"{count} tokens of {files[0].name}{where}, {rate:.0f} a second")
    if args.json:
        found = {"run": args.folder, "prompt": prompt, "text": text, "tokens": count}
        print_json({**found, "out": args.out})
    return 0


def _axes(count: int) -> list[str]:
    """Names of a point's coordinates."""
    return ["x", "y"] if count == 2 else [f"x{k}" for k in range(1, count + 1)]


def _draw(samples: np.ndarray, path: str) -> None:
    from ..viz import image_grid, plot_points

    if samples.ndim == 2:
        plot_points(samples, path=path)
    else:
        image_grid(samples, path=path, columns=ceil(sqrt(len(samples))), inches=0.9)


def play_command(args: Arguments) -> int:
    """One episode of a run's agent."""
    from ..random import Generator
    from ..viz import save_animation

    suffix = _suffix(args.out, "play", ".gif")
    run = able("play", args)
    model = run.model(args.backend)
    episode = run.recipe.program.play(model, Generator(args.seed), run.recipe)
    tell = teller(args)
    steps = zip(episode.states, episode.actions, episode.rewards, strict=False)
    rows = [(str(state), str(action), f"{reward:g}") for state, action, reward in steps]
    tell(Table([Column(head, right=True) for head in ("state", "action", "reward")], rows))
    tell(f"reward {sum(episode.rewards):g} in {len(episode.actions)} steps")
    if suffix is not None:
        save_animation(episode.frames, args.out)
        tell(f"episode: {args.out}")
    if args.json:
        print_json(
            {
                "run": args.folder,
                "states": episode.states,
                "actions": episode.actions,
                "rewards": episode.rewards,
                "reward": sum(episode.rewards),
                "out": args.out,
            }
        )
    return 0


def able(op: str, args: Arguments) -> OpenRun:
    """The run, if it can do that; ConfigError names what can."""
    from ..recipes import RECIPES
    from ..runs.imported import ImportedRun
    from .runs import open_run

    run = open_run(args)
    if isinstance(run, ImportedRun):
        raise ConfigError(f"{op}: {args.folder} holds an imported net, which cannot {op}")
    program = run.recipe.program
    if op not in program.abilities:
        names = ", ".join(name for name, r in RECIPES.items() if op in r.program.abilities)
        verb = {"nearest": "find words"}.get(op, op)
        raise ConfigError(
            f"{op}: this is a run of {run.recipe.name}, {program.what}, which cannot {verb}; "
            f"runs of {names} can"
        )
    return run


def _suffix(out: str | None, op: str, *known: str) -> str | None:
    if out is None:
        return None
    suffix = Path(out).suffix.lower()
    if suffix not in known:
        raise ConfigError(f"{op}: --out must end in {' or '.join(known)}, got {out!r}")
    return suffix
