"""Damaged files for every reader of `cases.loaders`: the identical data or a tinydl error, within
10 seconds and 1 GiB.

    PYTHONPATH=tests python -m fuzz.readers --inputs 200000 --seed 1 --keep FOLDER

What must be refused: a mutation that broke a check of the container. `INTACT` holds for each kind
of container a checker of its own, written against the format and not against tinydl's reader:

- zip, png: any difference is refused. Every byte that matters has a checksum or stands twice.
- gzip: refused unless every stream has its CRC and its length; the content is judged as its kind.
- tar: refused unless all headers have their checksum and two blocks of zeros, then zeros, end it.
  The content of a member has no checksum, nor does a header in which two bytes changed places.
- idx, pgm: refused unless the declared shape gives exactly the size of the file.
- records of CIFAR: refused unless they are whole. Pickles: unless STOP is the last byte and every
  frame and length fits.
- JPEG, BMP, GIF, texts, XML, JSON have no checks: other data may come out, but no other exception.

Mutations that forge a checksum on purpose, or put another file in place, may give other data too.
"""

import argparse
import contextlib
import gc
import gzip
import io
import pickletools
import random
import resource
import signal
import sys
import tempfile
import time
import warnings
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cases import archives, loaders

from fuzz.mutations import FORGED, MUTATIONS
from tinydl import data
from tinydl.errors import TinydlError

SECONDS, MEMORY = 10, 1 << 30
OTHER_FILE = {"other_kind", *FORGED}


@dataclass(frozen=True)
class Subject:
    """A reader and a tiny valid file for it; `kind` names the checker, `weight` its share."""

    read: object
    content: bytes
    kind: str
    suffix: str = ""
    weight: float = 1.0


def unpacked(content):
    return zlib.decompress(content, wbits=31)


def picture(kind, **options):
    from PIL import Image

    stream = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 255, (6, 8, 3), np.uint8)
    Image.fromarray(pixels).resize((48, 40)).save(stream, kind, **options)
    return stream.getvalue()


def npz_rows():
    case = loaders.READERS["read_imdb_npz"]
    return Subject(seen_of(case), case.files[0], "zip", ".npz")


def pixels(array):
    """Damage can make a picture large; its bytes are compared faster than its numbers."""
    return array.shape, array.tobytes()


def seen_of(case):
    return lambda path: case.seen(case.call(path))


KINDS = {
    "read_bytes": "gzip",
    "read_idx": "gzip idx",
    "read_pickle": "pickle",
    "read_cifar_binary": "cifar",
    "read_cifar_python": "pickle",
    "read_orl_faces": "zip",
    "read_pgm": "pgm",
    "read_image": "png",
    "decode_image": "png",
    "read_omniglot": "zip",
    "read_omniglot_runs": "zip",
    "read_voc": "zip",
    "read_coco": "text",
    "read_movielens_100k": "zip",
    "read_movielens_1m": "zip",
    "read_semeion": "text",
    "read_trees": "text",
    "read_fsdd": "zip",
    "read_pendigits": "text",
    "read_creditcard": "text",
    "read_optdigits": "text",
    "read_csv": "text",
    "read_prices": "text",
    "read_imdb_tar": "gzip tar",
    "read_imdb_tsv": "text",
    "read_imdb_npz": "zip",
    "read_tatoeba": "text",
    "read_dialogue": "zip",
    "read_text": "text",
}
SLOW = {"read_orl_faces": 0.05}  # 400 pictures


def subjects():
    """Every row of READERS, and the same readers on the other containers they take."""
    if missing := sorted(loaders.READERS.keys() - KINDS.keys()):
        sys.exit(f"tests/fuzz/readers.py: KINDS does not say what protects the files of {missing}")
    rows = {
        name: Subject(
            seen_of(case), case.files[0], KINDS[name], ".gz" if "gzip" in KINDS[name] else "",
            SLOW.get(name, 1.0),
        )
        for name, case in loaders.READERS.items()
    }  # fmt: skip

    def also(label, name, content, kind, suffix=""):
        rows[f"{name} {label}"] = Subject(seen_of(loaders.READERS[name]), content, kind, suffix)

    also("plain", "read_idx", unpacked(loaders.IDX[1]), "idx")
    also("plain", "read_imdb_tar", unpacked(loaders.REVIEWS_CASE[2][0]), "tar")
    also("tar", "read_voc", archives.tar(loaders.voc("dog", "cat"), "w"), "tar")
    also("packed", "read_text", gzip.compress(loaders.POEM), "gzip", ".gz")
    also("packed", "read_csv", gzip.compress(b"a,b\n1,2.5\n3,4\n"), "gzip", ".gz")
    also("packed", "read_prices", gzip.compress(loaders.PRICES), "gzip", ".gz")
    also("packed", "read_imdb_tsv", gzip.compress(loaders.TSV), "gzip", ".gz")
    also("zip", "read_imdb_tar", archives.zipped(loaders.REVIEWS), "zip")
    for kind, options in (
        *(("PNG", {"interlace": 1}), ("JPEG", {}), ("JPEG", {"progressive": True}), ("GIF", {})),
        *(("BMP", {}), ("TIFF", {"compression": "tiff_lzw"}), ("WEBP", {}), ("PPM", {})),
    ):
        label = f"read_image {kind.lower()}{' progressive' * ('progressive' in options)}"
        checks = "png" if kind == "PNG" else "text"
        rows[label] = Subject(
            lambda path: pixels(data.read_image(path)), picture(kind, **options), checks
        )
    return rows


# -- what is intact --------------------------------------------------------------------------------


def tar_intact(content):
    """All headers have their checksum; zeros end it; it is a whole number of blocks."""
    place = 0
    if len(content) % 512:
        return False
    while place + 512 <= len(content):
        header = content[place : place + 512]
        if not any(header):
            return place + 1024 <= len(content) and not any(content[place:])
        total = 256 + sum(header[:148]) + sum(header[156:])
        try:
            stored = int(header[148:156].strip(b" \0") or b"0", 8)
            size = int(header[124:136].strip(b" \0") or b"0", 8)
        except ValueError:
            return False
        if stored != total:
            return False
        place += 512 + -(-size // 512) * 512
    return False


def idx_intact(content):
    axes = content[3] if len(content) > 3 else 0
    width = {8: 1, 9: 1, 11: 2, 12: 4, 13: 4, 14: 8}.get(content[2] if axes else 0, 0)
    shape = np.frombuffer(content[4 : 4 + 4 * axes], ">u4") if len(content) >= 4 + 4 * axes else ()
    return bool(width and axes) and len(content) == 4 + 4 * axes + width * int(
        np.prod(np.array(shape, object))
    )


def pgm_intact(content):
    fields = content[:200].split(None, 4)
    with contextlib.suppress(ValueError, IndexError):
        width, height, top = (int(f) for f in fields[1:4])
        start = len(content) - width * height
        return start > 0 and int(content[:start].split()[3]) == top
    return False


def pickle_intact(content):
    end = 0
    try:
        for opcode, argument, place in pickletools.genops(content):
            if opcode.name == "FRAME":
                if place + 9 < end or place + 9 + argument > len(content):
                    return False
                end = place + 9 + argument
    except Exception:
        return False
    return place == len(content) - 1 and end <= len(content)


INTACT = {
    "zip": lambda content: False,
    "png": lambda content: False,
    "tar": tar_intact,
    "idx": idx_intact,
    "pgm": pgm_intact,
    "cifar": lambda content: len(content) % 3073 == 0,
    "pickle": pickle_intact,
    "text": lambda content: True,
}


def intact(kind, content):
    """Whether every check of the container holds."""
    outer, _, inner = kind.partition(" ")
    if outer != "gzip":
        return INTACT[outer](content)
    try:
        content = gzip.decompress(content)
    except Exception:
        return False
    return INTACT[inner](content) if inner else True


# -- the run ---------------------------------------------------------------------------------------


class Hang(BaseException):
    """Ten seconds are over."""


def hang(*rest):
    raise Hang


def outcome(subject, path, content, mutation):
    """One word for what came of it: "identical", "refused", "other data" or a fault."""
    path.write_bytes(content)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        seen = subject.read(path)
    except TinydlError as error:
        if "more memory than there is" in str(error):
            return "FAULT memory"
        if isinstance(error.__cause__, NameError | SystemError):
            return f"FAULT {error.__cause__!r}"
        return "refused" if len(str(error)) < 2000 else "FAULT long message"
    except Hang:
        return "FAULT hang"
    except BaseException as error:
        return f"FAULT {type(error).__name__}: {error}"[:200]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    if seen == subject.expected:
        return "identical"
    if mutation in OTHER_FILE or intact(subject.kind, content):
        return "other data"
    return "FAULT damaged data accepted"


class Expecting:
    """A subject with what its undamaged file gives."""

    def __init__(self, subject, path):
        self.read, self.kind, self.suffix = subject.read, subject.kind, subject.suffix
        path.write_bytes(subject.content)
        self.content, self.expected = subject.content, subject.read(path)


def limit_memory():
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY, size + MEMORY))


def run(inputs, seed, only="", keep=None, out=sys.stdout):
    """Counts of the outcomes; faults are printed, and their files kept."""
    warnings.simplefilter("ignore")  # Pillow's about damaged tags
    signal.signal(signal.SIGALRM, hang)
    rows = {n: s for n, s in subjects().items() if only in n}
    total = sum(s.weight for s in rows.values())
    counts, slowest = Counter(), 0.0
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: Path(folder) / f"file{s.suffix}" for name, s in rows.items()}
        known = {name: Expecting(s, paths[name]) for name, s in rows.items()}
        limit_memory()
        for name, subject in rows.items():
            own, started = Counter(), time.monotonic()
            for k in range(max(1, round(inputs * subject.weight / total))):
                rng = random.Random(f"{seed}/{name}/{k}")
                mutation = list(MUTATIONS)[k % len(MUTATIONS)]
                content = MUTATIONS[mutation](subject.content, rng)
                begun = time.monotonic()
                found = outcome(known[name], paths[name], content, mutation)
                slowest = max(slowest, time.monotonic() - begun)
                own[found] += 1
                if found.startswith("FAULT"):
                    print(f"{name}, input {k} ({mutation}): {found}", file=out, flush=True)
                    if keep:
                        (Path(keep) / f"{name}-{k}-{mutation}".replace(" ", "_")).write_bytes(
                            content
                        )
            counts += own
            took = time.monotonic() - started
            print(f"{name:28s} {dict(own)} in {took:.0f} s", file=out, flush=True)
            gc.collect()
    print(f"{sum(counts.values())} inputs, slowest {slowest:.2f} s: {dict(counts)}", file=out)
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--inputs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="readers whose name contains this")
    parser.add_argument("--keep", help="a folder for the files that show a fault")
    args = parser.parse_args()
    counts = run(args.inputs, args.seed, args.only, args.keep)
    return int(any(outcome.startswith("FAULT") for outcome in counts))


if __name__ == "__main__":
    sys.exit(main())
