"""The C kernels compiled to WebAssembly, 128 bits of SIMD: `python docs/site/wasm.py OUT.wasm`.

Debian's compiler is enough: apt-get install clang lld wasi-libc. The module imports nothing, so
that a page needs no runtime beside it: memory, malloc and free are its own. The site's build calls
it itself (draw_page.py).
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

#: Stem -> the C files that are compiled, and what pages call of them.
FILES = {
    "matmul": ("matmul.c", "matmul_vector.c"),
    "conv": ("conv.c", "conv_few.c", "conv_narrow.c", "conv_depthwise.c"),
    "pool": ("pool.c",),
    "elementwise": ("elementwise.c",),
    "softmax": ("softmax.c",),
}
KERNELS = ("matmul", "conv2d", "max_pool2d", "avg_pool2d", "elementwise", "softmax")
SUFFIX = "_f32_wasm"
FLAGS = ["--target=wasm32-wasi", "-msimd128", "-std=gnu11", "-O3", "-fno-math-errno",
         "-fno-trapping-math", "-fopenmp-simd", "-w", "-DREAL=float",
         f"-DSUFFIX={SUFFIX}"]  # fmt: skip
LINKED = ["--target=wasm32-wasi", "-nostdlib", "-Wl,--no-entry", "-Wl,--strip-all", "-lc"]
INSTALL = "apt-get install clang lld wasi-libc"


def missing() -> str:
    """What keeps the kernels from being compiled here; empty if nothing does."""
    lacking = [name for name in ("clang", "wasm-ld") if shutil.which(name) is None]
    if not lacking and not Path("/usr/include/wasm32-wasi/stdlib.h").exists():
        lacking = ["wasi-libc"]
    return f"no {', '.join(lacking)}: {INSTALL}" if lacking else ""


def kernels(repository: Path, kept: Path) -> bytes:
    """The module; one that was made of the same sources is taken from the folder `kept`."""
    sources = [repository / "csrc" / name for names in FILES.values() for name in names]
    headers = sorted((repository / "csrc").rglob("*.h"))
    read = b"".join(path.read_bytes() for path in [*sources, *headers, Path(__file__)])
    path = kept / f"kernels-{hashlib.sha256(read).hexdigest()[:16]}.wasm"
    if not path.exists():
        kept.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_compiled(repository / "csrc", sources))
    return path.read_bytes()


def _compiled(folder: Path, sources: list[Path]) -> bytes:
    with tempfile.TemporaryDirectory() as place:
        objects = [Path(place, f"{source.stem}.o") for source in sources]
        for source, made in zip(sources, objects, strict=True):
            found = [f"-I{folder}", f"-I{folder / 'shared'}", "-c", str(source), "-o", str(made)]
            _run(["clang", *FLAGS, *found])
        out = Path(place, "kernels.wasm")
        called = [*(name + SUFFIX for name in KERNELS), "malloc", "free"]
        exports = [f"-Wl,--export={name}" for name in called]
        _run(["clang", *map(str, objects), *LINKED, *exports, "-o", str(out)])
        return out.read_bytes()


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stderr[-2000:]}")


def operations(repository: Path) -> dict[str, int]:
    """Elementwise operation -> its number: its place among the rows of elementwise_rows.h."""
    text = (repository / "csrc" / "elementwise_rows.h").read_text(encoding="utf-8")
    rows = re.findall(r"^(?:UNARY|BINARY|COMPARISON|BY_HAND|CAST)\((\w+)", text, re.MULTILINE)
    return {name: number for number, name in enumerate(rows)}


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("wasm.py: python docs/site/wasm.py OUT.wasm")
    if lacking := missing():
        sys.exit(f"wasm.py: {lacking}")
    target = Path(sys.argv[1])
    target.write_bytes(kernels(Path(__file__).resolve().parents[2], target.resolve().parent))
    print(f"{target}: {target.stat().st_size:,} bytes")
