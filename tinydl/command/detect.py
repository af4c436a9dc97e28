"""The subcommand `tinydl detect`: boxes on pictures."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..console import Parser, print_json, teller
from ..errors import ConfigError
from ..metrics import Found
from ..quoting import shown
from ..tables import Column, Table

BOXES = (
    Column(""),
    Column("class", bold=True, least=12),
    *(Column(head, right=True) for head in ("score", "left", "top", "right", "bottom")),
)


def add_detect(sub: Parser) -> None:
    """The arguments of `tinydl detect` but for --backend and --data."""
    sub.add_argument("folder", metavar="RUN", help="run folder of a detector")
    sub.add_argument("images", metavar="IMAGE", nargs="+", help="PNG, JPEG, ...")
    sub.add_argument("--score", type=float, default=0.5, help="least probability (default 0.5)")
    sub.add_argument("--out", metavar="FOLDER", default="detected", help="(default detected)")


def detect_command(args: argparse.Namespace) -> int:
    """Write every picture with its boxes into --out and say what was found."""
    from ..data import read_image
    from ..programs.scores import MAP, check_kind
    from ..runs.detect import detect
    from ..runs.imported import ImportedRun, opened
    from ..viz import draw_boxes, save_image

    run = opened(args.folder)
    if isinstance(run, ImportedRun):
        run.must_give("detect", "boxes")
    else:
        check_kind("detect", run.recipe, MAP)
    targets = _targets(args.images, Path(args.out))
    images = [read_image(path) for path in args.images]  # all, before anything is written
    if isinstance(run, ImportedRun):
        found = run.detect(images, args.score, args.backend)
    else:
        found = detect(run, images, args.score, args.backend)
    classes = run.config["classes"]
    tell, entries = teller(args), []
    for path, target, image, one in zip(args.images, targets, images, found, strict=True):
        save_image(draw_boxes(image, one, classes), target)
        boxes = _entries(one, classes)
        entries.append({"image": path, "picture": str(target), "boxes": boxes})
        tell(f"{shown(path)}: {len(boxes)} boxes, drawn in {shown(target)}")
        if boxes:
            tell(Table(BOXES, [_cells(box) for box in boxes]))
    if args.json:
        print_json(entries)
    return 0


def _cells(box: dict[str, Any]) -> list[str]:
    return ["", box["class"], f"{100 * box['score']:.1f} %", *(f"{v:.0f}" for v in box["box"])]


def _entries(found: Found, classes: list[str]) -> list[dict[str, Any]]:
    columns = zip(found.boxes, found.labels, found.scores, strict=True)
    return [
        {"class": classes[k], "score": round(float(s), 4), "box": [round(float(v), 1) for v in b]}
        for b, k, s in columns
    ]


def _targets(images: list[str], folder: Path) -> list[Path]:
    """Where the pictures go; ConfigError if two would have one name or would overwrite a source."""
    targets = [folder / f"{Path(path).stem}.png" for path in images]
    sources = {Path(path).resolve() for path in images}
    for k, target in enumerate(targets):
        if target in targets[:k]:
            raise ConfigError(f"detect: two images would both become {target}; rename one")
        if target.resolve() in sources:
            raise ConfigError(f"detect: {target} is one of the images; choose another --out")
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"detect: --out {folder} is a file, pictures need a folder")
    folder.mkdir(parents=True, exist_ok=True)
    return targets
