"""Pictures from a folder, a batch at a time: images per second beside torchvision, and memory.

python benchmarks/folders.py                  # 5,000 JPEGs of about 500 x 375, cut to 224 x 224
python benchmarks/folders.py --kind png       # 20,000 PNGs of 32 x 32, and where their time goes
python benchmarks/folders.py --memory 1000,100000   # peak memory above import
python benchmarks/folders.py --look 100000          # PNGs of 32 x 32: seconds and memory of `look`

Nothing is trained. Both read shuffled batches of 32 as float32 in 0 ... 1: short side to the size,
centre cut out. tinydl: `Batches` over `image_folder` with two threads that decode and prefetch 2;
torchvision: `ImageFolder` and PyTorch's `DataLoader` with two workers. Each pass list is a process
of its own, the libraries take turns, and the files were read before, so no disk is measured. The
first pass decodes; the second comes from tinydl's cache, and is decoded again by torchvision, which
has none. The files are made in a temporary folder and removed.
"""

from __future__ import annotations

import argparse
import cProfile
import io
import json
import os
import pstats
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tinydl.console import command

OURS, THEIRS = "tinydl", "torchvision"
BATCH, WORKERS, PREFETCH, CLASSES = 32, 2, 2, 10
SIZES = {"jpeg": 224, "png": 32}
COUNTS = {"jpeg": 5_000, "png": 20_000}
DIFFERENT = 1_000  # pictures; further files are links to them
MEMORY_BATCHES = 200  # of a pass whose memory is measured
CACHE_OF_MEMORY = 64 << 20
#: Operators of torchvision that its Python part describes: where its compiled part does not load
#: (one for CUDA beside a PyTorch for CPUs) they are declared, since folders use none of them.
DECLARED = ("nms", "qnms")


# -- files -----------------------------------------------------------------------------------------


def make(root: Path, kind: str, count: int, different: int = DIFFERENT) -> None:
    """`count` files in ten class folders: smooth scenes with some noise, as photographs have."""
    from PIL import Image

    rng = np.random.default_rng(0)
    for k in range(CLASSES):
        (root / f"class{k}").mkdir(parents=True)
    made: list[Path] = []
    for k in range(count):
        path = root / f"class{k % CLASSES}" / f"{k:06}.{'jpg' if kind == 'jpeg' else 'png'}"
        if k >= different:
            os.link(made[k % different], path)
            continue
        made.append(path)
        scale = SIZES["png"] if kind == "png" else 0
        height, width = (scale, scale) if scale else (int(rng.integers(365, 386)), 500)
        coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8))
        smooth = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC))
        noisy = smooth + rng.normal(0, 6, smooth.shape)
        image = Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))
        image.save(path, quality=85) if kind == "jpeg" else image.save(path)


# -- one process -----------------------------------------------------------------------------------


def our_batches(folder: str, size: int, cache: int):
    """Batches of (images, labels)."""
    from tinydl import Generator
    from tinydl.data import Batches, image_folder

    found = image_folder(folder, (size, size), cache=cache, workers=WORKERS)
    return Batches(found.x.scaled(), found.y, batch_size=BATCH, rng=Generator(0), prefetch=PREFETCH)


def their_batches(folder: str, size: int):
    """The same by torchvision."""
    import torch

    try:
        import torchvision
    except RuntimeError:
        library = torch.library.Library("torchvision", "DEF")
        for name in DECLARED:
            library.define(f"{name}(Tensor a) -> Tensor")
        for name in [name for name in sys.modules if name.startswith("torchvision")]:
            del sys.modules[name]
        import torchvision
    from torchvision import transforms

    steps = [transforms.Resize(size), transforms.CenterCrop(size), transforms.ToTensor()]
    data = torchvision.datasets.ImageFolder(folder, transforms.Compose(steps))
    return torch.utils.data.DataLoader(data, BATCH, shuffle=True, num_workers=WORKERS)


def passes(library: str, folder: str, size: int, count: int) -> list[float]:
    """Images per second of the first and the second pass."""
    cache = count * size * size * 3
    batches = our_batches(folder, size, cache) if library == OURS else their_batches(folder, size)
    rates = []
    for _ in range(2):
        begin, seen = time.perf_counter(), 0
        for images, _ in batches:
            seen += len(images)
        rates.append(seen / (time.perf_counter() - begin))
        if seen != count:
            raise SystemExit(f"{library}: {seen} of {count} images")
    return rates


def resident(field: str) -> float:
    """VmRSS or VmHWM of this process in MB (Linux)."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(rf"{field}:\s+(\d+) kB", status)[1]) / 1024


def peak(folder: str, size: int) -> dict[str, float]:
    """MB above import of listing a folder and reading some batches, and what is allowed."""
    import PIL.Image
    import PIL.JpegImagePlugin
    import PIL.PngImagePlugin  # noqa: F401

    import tinydl.data  # noqa: F401

    before = resident("VmRSS")
    batches = our_batches(folder, size, CACHE_OF_MEMORY)
    for k, _ in enumerate(batches):
        if k + 1 == MEMORY_BATCHES:
            break
    batch = BATCH * size * size * 3 * 4 / 2**20
    allowed = 250 + CACHE_OF_MEMORY / 2**20 + (PREFETCH + 2) * batch
    return {"above": resident("VmHWM") - before, "allowed": allowed}


def looked_at(folder: str) -> dict[str, float]:
    """Seconds of listing, of the whole look, MB above import, and how many problems there are."""
    import PIL.Image
    import PIL.PngImagePlugin  # noqa: F401

    from tinydl.data import look
    from tinydl.data.folders.recognise import recognise

    before, begin = resident("VmRSS"), time.perf_counter()
    recognise(folder)
    listed = time.perf_counter() - begin
    begin = time.perf_counter()
    problems = len(look(folder).problems)
    seconds = time.perf_counter() - begin
    above = resident("VmHWM") - before
    return {"listing": listed, "look": seconds, "above": above, "problems": problems}


def profile(folder: str, size: int) -> str:
    """Where the time of decoding 2,000 files goes, in one thread."""
    from tinydl.data import image_folder

    x = image_folder(folder, (size, size), workers=1).x[:2_000]
    np.asarray(x[:10])
    measured = cProfile.Profile()
    measured.runcall(np.asarray, x)
    told = io.StringIO()
    pstats.Stats(measured, stream=told).sort_stats("tottime").print_stats(12)
    return "\n".join(line for line in told.getvalue().splitlines() if line.strip())


def child(*arguments: str) -> str:
    """The last line that this script says with these arguments, in a process of its own."""
    call = [sys.executable, __file__, "--one", *arguments]
    done = subprocess.run(call, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.splitlines()[-1]


# -- what is printed -------------------------------------------------------------------------------


def compare(root: Path, kind: str, count: int, rounds: int, libraries: list[str]) -> None:
    """A line per round and library, then the medians and their ratios."""
    make(root, kind, count)
    for path in sorted(root.rglob("*.*")):
        path.read_bytes()  # into the system's cache
    found: dict[str, list[list[float]]] = {name: [] for name in libraries}
    for k in range(rounds):
        for name in libraries if k % 2 == 0 else libraries[::-1]:
            rates = json.loads(child("passes", name, str(root), str(SIZES[kind]), str(count)))
            found[name].append(rates)
            print(
                f"round {k + 1}, {name}: {rates[0]:,.0f} and {rates[1]:,.0f} images/s", flush=True
            )
    medians = {n: [statistics.median(r[p] for r in rows) for p in (0, 1)]
               for n, rows in found.items()}  # fmt: skip
    for name, (first, second) in medians.items():
        print(f"{name}: first pass {first:,.0f}, second pass {second:,.0f} images/s")
    if THEIRS in medians:
        first, second = (a / b for a, b in zip(medians[OURS], medians[THEIRS], strict=True))
        print(f"tinydl / torchvision: first pass {first:.2f}, second pass (cache) {second:.2f}")
    if kind == "png":
        print(profile(str(root), SIZES[kind]))


def has_torchvision() -> bool:
    from importlib.util import find_spec

    return find_spec("torchvision") is not None and find_spec("torch") is not None


def main(arguments: list[str]) -> None:
    if arguments[:2] == ["--one", "passes"]:
        library, folder, size, count = arguments[2:]
        print(json.dumps(passes(library, folder, int(size), int(count))))
        return
    if arguments[:2] == ["--one", "peak"]:
        print(json.dumps(peak(arguments[2], int(arguments[3]))))
        return
    if arguments[:2] == ["--one", "look"]:
        print(json.dumps(looked_at(arguments[2])))
        return
    parser = argparse.ArgumentParser(description="pictures from a folder, images per second")
    parser.add_argument("--kind", choices=SIZES, default="jpeg", help="of files (jpeg)")
    parser.add_argument("--files", type=int, help="how many (jpeg 5,000, png 20,000)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each library (3)")
    parser.add_argument("--memory", metavar="N,N", help="instead: peak memory at so many files")
    parser.add_argument("--look", type=int, metavar="N", help="instead: `look` at N small PNGs")
    args = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="tinydl-folders-") as folder:
        if args.look:
            make(Path(folder, "data"), "png", args.look, args.look)
            found = json.loads(child("look", str(Path(folder, "data"))))
            told = f"listing {found['listing']:.1f} s, look {found['look']:.0f} s"
            more = f"{found['above']:.0f} MB above import, {found['problems']} problems"
            print(f"{args.look:,} files: {told}, {more}")
            return
        if args.memory:
            for count in map(int, args.memory.split(",")):
                root = Path(folder, str(count))
                make(root, args.kind, count)
                found = json.loads(child("peak", str(root), str(SIZES[args.kind])))
                print(f"{count:,} files: {found['above']:.0f} MB above import, allowed are "
                      f"{found['allowed']:.0f}", flush=True)  # fmt: skip
            return
        libraries = [OURS, THEIRS] if has_torchvision() else [OURS]
        if len(libraries) == 1:
            print("torchvision is not installed (the extra `bench`): tinydl alone")
        count = args.files or COUNTS[args.kind]
        compare(Path(folder, "data"), args.kind, count, args.rounds, libraries)


if __name__ == "__main__":
    sys.exit(command(lambda: main(sys.argv[1:]), "folders"))
