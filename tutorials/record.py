"""Run the pages at full length, and keep what they find: figures and pictures.

    python tutorials/record.py           # all of them: hours, with the data sets in TINYDL_DATA
    python tutorials/record.py 07 11     # only these

tutorials/recorded/NN.json gets the figures that a page noted, with machine, date and seconds;
docs/figures gets its pictures, made small (docs/figures.py).
"""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TUTORIALS = Path(__file__).resolve().parent
ROOT = TUTORIALS.parent


def run_page(page: Path, notes: Path) -> None:
    """In a process of its own: run a page, write what it noted."""
    import recorded

    sys.path.insert(0, str(TUTORIALS))
    started = time.perf_counter()
    runpy.run_path(str(page), run_name="__main__")
    seconds = round(time.perf_counter() - started, 1)
    notes.write_text(json.dumps({"seconds": seconds, "figures": recorded.NOTED}))


def record(page: Path, pictures: Path) -> dict:
    """The record of a full-length run; its pictures are in `pictures`."""
    from tinydl.bench.harness import machine

    notes = pictures / "notes.json"
    environment = {**os.environ, "TINYDL_FAST": "0", "TINYDL_FIGURES": str(pictures)}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, __file__, "--page", str(page), str(notes)]
    subprocess.run(command, env=environment, cwd=pictures, check=True)
    found = json.loads(notes.read_text())
    about = machine()
    data = "with data sets" if os.environ.get("TINYDL_DATA") else "without data sets"
    return {
        "page": page.stem,
        "date": time.strftime("%Y-%m-%d"),
        "machine": f"{about['machine']}, {data}",
        "seconds": found["seconds"],
        "pictures": sorted(path.name for path in pictures.glob("*.png")),
        "figures": {name: float(f"{value:.6g}") for name, value in found["figures"].items()},
    }


def main(numbers: list[str]) -> None:
    figures = runpy.run_path(str(ROOT / "docs" / "figures.py"))
    target = TUTORIALS / "recorded"
    target.mkdir(exist_ok=True)
    for page in sorted(TUTORIALS.glob("[0-9][0-9]_*.py")):
        if numbers and page.name[:2] not in numbers:
            continue
        with tempfile.TemporaryDirectory() as folder:
            kept = record(page, Path(folder))
            text = json.dumps(kept, indent=1, ensure_ascii=False)
            (target / f"{page.name[:2]}.json").write_text(text + "\n")
            captions = figures["captions"]()
            for name in kept["pictures"]:
                if Path(name).stem in captions:
                    figures["shrink"](Path(folder) / name, ROOT / "docs" / "figures" / name)
        print(f"{page.stem}: {kept['seconds']} s, {len(kept['figures'])} figures")
    (ROOT / "docs" / "figures" / "README.md").write_text(figures["page"]())


if __name__ == "__main__":
    from tinydl.console import command

    if sys.argv[1:2] == ["--page"]:
        run_page(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        sys.exit(command(lambda: main(sys.argv[1:]), "record"))
