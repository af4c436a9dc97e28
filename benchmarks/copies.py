"""Copies that `tinydl look` finds, and pairs that it should not, in CIFAR-10's pictures.

TINYDL_DATA=FOLDER python benchmarks/copies.py: of the 5,000 test pictures of the CIFAR-10 subset,
the pairs that are told (false ones, or copies that the set itself has: they are shown); then of 500
of them as training pictures, of which 50 stand changed in test/ too, how many of these are told,
for each change.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from pathlib import Path

import numpy as np

from tinydl.console import command
from tinydl.data import look
from tinydl.experiment.datasets import load_dataset

PLANTED = 50


def changes():
    """{name: a picture as Pillow's -> the bytes of a changed copy}."""
    from PIL import Image

    bilinear, bicubic = Image.Resampling.BILINEAR, Image.Resampling.BICUBIC
    return {
        "JPEG, quality 90": lambda p: packed(p, "JPEG", quality=90),
        "JPEG, quality 75": lambda p: packed(p, "JPEG", quality=75),
        "JPEG, quality 50": lambda p: packed(p, "JPEG", quality=50),
        "28 x 28": lambda p: packed(p.resize((28, 28), bilinear)),
        "48 x 48": lambda p: packed(p.resize((48, 48), bicubic)),
        "brighter by 10 %": lambda p: packed(p.point(lambda v: v * 1.1)),
        "brighter by 20 %": lambda p: packed(p.point(lambda v: v * 1.2)),
        "darker by 20 %": lambda p: packed(p.point(lambda v: v * 0.8)),
        "another PNG": lambda p: packed(p, compress_level=0),
    }


def packed(picture, kind="PNG", **options) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def planted(root: Path, pictures: np.ndarray, change) -> int:
    """Of 50 training pictures, changed and put into test/, how many are told as leaks."""
    from PIL import Image

    for part in ("train", "test"):
        (root / part / "a").mkdir(parents=True)
    for k, pixels in enumerate(pictures):
        (root / "train" / "a" / f"{k:05}.png").write_bytes(packed(Image.fromarray(pixels)))
    for k in range(PLANTED):
        copy = change(Image.fromarray(pictures[k]))
        (root / "test" / "a" / f"{k:05}.png").write_bytes(copy)
    leaks = {(p.path[-9:-4], p.other[-9:-4]) for p in look(root).problems if "leak" in p.kind}
    return len({f"{k:05}" for k in range(PLANTED)} & {a for a, b in leaks if a == b})


def main(arguments: list[str]) -> None:
    argparse.ArgumentParser(description="copies that `tinydl look` finds").parse_args(arguments)
    from PIL import Image

    pictures = load_dataset("cifar10_subset").x_test
    with tempfile.TemporaryDirectory(prefix="tinydl-copies-") as folder:
        root = Path(folder, "all")
        (root / "a").mkdir(parents=True)
        for k, pixels in enumerate(pictures):
            (root / "a" / f"{k:05}.png").write_bytes(packed(Image.fromarray(pixels)))
        told = [p for p in look(root).problems if p.kind in ("near", "duplicate")]
        print(f"{len(pictures):,} test pictures: {len(told)} pairs are told")
        for problem in told:
            print(f"  {problem}")
        for k, (name, change) in enumerate(changes().items()):
            found = planted(Path(folder, str(k)), pictures[: 10 * PLANTED], change)
            print(f"{name}: {found} of {PLANTED} planted copies are told")


if __name__ == "__main__":
    sys.exit(command(lambda: main(sys.argv[1:]), "copies"))
