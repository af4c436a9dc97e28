"""Builds the compiled kernels; metadata and tool settings are in pyproject.toml.

Every `csrc/<stem>.c` (and `csrc/<stem>_<part>.c` of a large stem) is written once, with the type
`real`, and compiled once per level and dtype:

    csrc/matmul.c -> build/objects.../avx512_float/matmul.o   with symbols  matmul_f32_avx512 ...

Those objects are linked with the cythonised `csrc/_<stem>.pyx` into
`tinydl/backend/cpu/_<stem>.so`; what all kernels share lies in csrc/shared/.
An object is kept until its command or the text of a file it is made of changes, and every way of
building (pip, editable, `build_ext --inplace`) uses the same objects.

Environment: TINYDL_LEVELS=native builds this processor's best level only (a developer's quick
build), TINYDL_NO_OPENMP=1 builds without OpenMP, TINYDL_DEBUG_CYTHON=1 with Cython's bounds checks,
TINYDL_BUILD=FOLDER keeps objects in another folder than build/; CFLAGS and LDFLAGS are respected
everywhere (sanitizer builds).
"""

from __future__ import annotations

import ast
import hashlib
import logging
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def require_builders() -> None:
    """One sentence where what [build-system] asks for is missing or too old (pip brings it itself;
    a new environment's setuptools is often older)."""
    wanted = tomllib.loads(Path("pyproject.toml").read_text())["build-system"]["requires"]
    wrong = []
    for requirement in wanted:
        name, _, least = requirement.partition(">=")
        try:
            found = version(name)
        except PackageNotFoundError:
            found = None
        if found is None or numbers(found) < numbers(least):
            wrong.append(f"{name} {least} or newer (here: {found or 'none'})")
    if wrong:
        command = " ".join(f'"{requirement}"' for requirement in wanted)
        sys.exit(f"tinydl: building needs {', '.join(wrong)}: pip install {command}")


def numbers(text: str) -> list[int]:
    """The first two numbers of a version."""
    return [int(n) for n in re.findall(r"\d+", text)[:2]]


require_builders()

import numpy  # noqa: E402
from setuptools import Extension, find_packages, setup  # noqa: E402
from setuptools.command.build_ext import build_ext  # noqa: E402
from setuptools.command.editable_wheel import editable_wheel  # noqa: E402
from setuptools.errors import CompileError, SetupError  # noqa: E402

STEMS = [
    "matmul",
    "conv",
    "elementwise",
    "reduce",
    "shape",
    "index",
    "pool",
    "roi",
    "recurrent",
    "random",
    "softmax",
    "attention",
    "ctc",
    "norm",
    "optim",
]
#: The steps of inference programs call the kernels of these stems: their objects are linked in.
PROGRAM = "tinydl.backend.cpu._program"
STEPS_OF = (
    *("program", "conv", "elementwise", "matmul", "norm", "pool", "reduce", "shape", "softmax"),
)

ELEMENTWISE_ROWS = "csrc/elementwise_rows.h"
ELEMENTWISE_FORMULAS = "tinydl/backend/reference/elementwise.py"

# x86-64-v2 is the floor of every x86-64 wheel; the two others are chosen at import.
X86_LEVELS = {
    "baseline": ["-march=x86-64-v2"],
    "avx2": ["-march=x86-64-v2", "-mavx2", "-mfma"],
    "avx512": [
        "-march=x86-64-v2",
        *("-mavx2", "-mfma", "-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512dq"),
        "-mprefer-vector-width=512",
    ],
}
LEVELS = X86_LEVELS if platform.machine() in ("x86_64", "AMD64") else {"baseline": []}
QUICK = os.environ.get("TINYDL_LEVELS", "all")
DTYPES = {"f32": "float", "f64": "double"}
KERNEL_FLAGS = [
    *("-std=gnu11", "-O3", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast"),
    *("-fvisibility=hidden", "-Wall", "-Wextra", "-Wno-unknown-pragmas", "-Wno-psabi"),
]
MODULE_FLAGS = ["-std=gnu11", "-O2", "-fno-math-errno", "-fno-trapping-math"]
# Python's own flags ask for debug information, a fifth of the build time; CFLAGS may want it.
DEBUG_INFO = [] if os.environ.get("CFLAGS") else ["-g0"]
DEBUG_CYTHON = os.environ.get("TINYDL_DEBUG_CYTHON") == "1"
#: Objects of one interpreter and processor; generated C never goes into csrc/.
BUILD = Path(os.environ.get("TINYDL_BUILD") or "build")
OBJECTS = BUILD / f"objects-{sysconfig.get_platform()}-{sys.implementation.cache_tag}"
GENERATED = OBJECTS / ("cython_debug" if DEBUG_CYTHON else "cython")
HEADERS = [Path("csrc"), Path("csrc/shared"), GENERATED]
USABLE = getattr(os, "sched_getaffinity", lambda _: range(os.cpu_count() or 1))
JOBS = len(USABLE(0))


def extensions() -> list[Extension]:
    """Every module links the level objects of its stem; `_runtime` also holds the threads.

    The headers of NumPy 2 or later make modules that run with every NumPy from 1.23 on."""
    modules = {
        "tinydl._function": ["csrc/_function.pyx"],
        "tinydl.backend.cpu._runtime": ["csrc/_runtime.pyx", "csrc/shared/team.c"],
        PROGRAM: ["csrc/_program.pyx"],
        **{f"tinydl.backend.cpu._{stem}": [f"csrc/_{stem}.pyx"] for stem in STEMS},
    }
    return [Extension(name, sources) for name, sources in modules.items()]


@cache
def named_in(source: Path) -> tuple[Path, ...]:
    """The files of ours that this one includes or cimports."""
    text = source.read_text()
    names = re.findall(r'^(?:#include|cdef extern from|include) "(.+?)"', text, re.MULTILINE)
    names += [f"{n}.pxd" for n in re.findall(r"^from (\w+) cimport", text, re.MULTILINE)]
    paths = [folder / name for name in names for folder in HEADERS]
    return tuple(path for path in paths if path.exists())


def made_of(source: Path) -> set[Path]:
    """The file and all that it names, directly or through another."""
    found, ahead = set(), [source]
    while ahead:
        if (path := ahead.pop()) not in found:
            found.add(path)
            ahead += named_in(path)
    return found


def stamp_of(command: str, source: Path) -> str:
    """What an object is made by and of; not when: copies and checkouts have times of their own."""
    digest = hashlib.sha256(command.encode())
    for path in sorted(made_of(source)):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def write_elementwise_methods() -> None:
    """The methods of csrc/_elementwise.pyx: one for each row of csrc/elementwise_rows.h, with the
    arguments that backend/reference/elementwise.py gives it."""
    text = Path(ELEMENTWISE_ROWS).read_text()
    rows = re.findall(r"^(UNARY|BINARY|COMPARISON|BY_HAND)\((\w+)", text, re.MULTILINE)
    tree = ast.parse(Path(ELEMENTWISE_FORMULAS).read_text())
    methods = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    arguments = {node.name: [a.arg for a in node.args.args] for node in methods}
    codes = ["# Written by setup.py.", 'cdef extern from "elementwise.h" nogil:', "    enum:"]
    body = ["", "class Rows(Reference):"]
    for kind, name in rows:
        if name not in arguments:
            raise SetupError(
                f"tinydl: {ELEMENTWISE_ROWS} has a row {name!r}, for which {ELEMENTWISE_FORMULAS} "
                "has no method: write its formula there"
            )
        operands = arguments[name]
        if len(operands) == 4:  # with self; `where` is written by hand
            continue
        call = f'OP_{name}, "{name}", {", ".join(operands)}'
        call = f"unary({call})" if len(operands) == 2 else f"binary({call}, {kind == 'COMPARISON'})"
        codes.append(f"        OP_{name}")
        body += [f"    def {name}({', '.join(operands)}):", f"        return {call}"]
    GENERATED.mkdir(parents=True, exist_ok=True)
    (GENERATED / "elementwise_methods.pxi").write_text("\n".join([*codes, *body, ""]))


def cythonized(source: Path, module: str) -> Path:
    """The C file which Cython makes of it. The module is told its whole name: it enters itself in
    sys.modules by the name it knows, and `_random` is one of Python's own."""
    from Cython.Build import cythonize

    checks = {"boundscheck": DEBUG_CYTHON, "wraparound": DEBUG_CYTHON, "nonecheck": DEBUG_CYTHON}
    cythonize(
        [Extension(module, [str(source)])],
        build_dir=str(GENERATED),
        include_path=[str(folder) for folder in HEADERS],
        force=True,
        quiet=True,
        compiler_directives={
            "language_level": 3,
            "cdivision": not DEBUG_CYTHON,
            "initializedcheck": DEBUG_CYTHON,
            **checks,
        },
    )
    return GENERATED / source.with_suffix(".c")


class BuildKernels(build_ext):
    """build_ext which makes every object itself, on all cores, and leaves linking to setuptools."""

    def build_extensions(self) -> None:
        self._require_compiler()
        write_elementwise_methods()
        self.levels = self._levels()
        self.jobs: dict[Path, Future[str]] = {}
        openmp = ["-fopenmp"] if self._has_openmp() else []
        with ThreadPoolExecutor(JOBS) as pool:
            kernels = [self._kernels(pool, ext, openmp) for ext in self.extensions]
            # Cython runs in this thread while the others wait for the compiler.
            modules = [self._modules(pool, ext, openmp) for ext in self.extensions]
            for ext, *jobs in zip(self.extensions, kernels, modules, strict=True):
                ext.sources = []
                ext.extra_link_args = openmp
                ext.extra_objects = [job.result() for some in jobs for job in some]
                ext.depends = ext.extra_objects
        self.parallel = self.parallel or JOBS
        super().build_extensions()

    def _kernels(
        self, pool: ThreadPoolExecutor, ext: Extension, openmp: list[str]
    ) -> list[Future[str]]:
        """An object of every C source of the extension's stems for every level and dtype."""
        stems = STEPS_OF if ext.name == PROGRAM else (ext.name.rpartition("._")[2],)
        # `#pragma omp simd` stays meaningful without threads.
        simd = openmp or ["-fopenmp-simd"]
        return [
            self._object(
                pool,
                source,
                f"{level}_{real}",
                [*KERNEL_FLAGS, *flags, *simd, f"-DREAL={real}", f"-DSUFFIX=_{dtype}_{level}"],
                [],
            )
            for stem in stems
            for source in sorted(
                [*Path("csrc").glob(f"{stem}.c"), *Path("csrc").glob(f"{stem}_*.c")]
            )
            for level, flags in self.levels.items()
            for dtype, real in DTYPES.items()
        ]

    def _modules(
        self, pool: ThreadPoolExecutor, ext: Extension, openmp: list[str]
    ) -> list[Future[str]]:
        """The objects of one extension's own sources: Cython's, and C that is compiled once."""
        folder = "module_debug" if DEBUG_CYTHON else "module"
        include = [numpy.get_include(), *self.include_dirs]
        flags = [*MODULE_FLAGS, *openmp]
        if self.levels != LEVELS:
            (only,) = self.levels
            folder, flags = f"{folder}_{only}", [*flags, f"-DONLY_LEVEL={only}"]
        return [
            self._object(pool, Path(source), folder, flags, include, ext.name)
            for source in ext.sources
        ]

    def _object(
        self,
        pool: ThreadPoolExecutor,
        source: Path,
        folder: str,
        flags: list[str],
        include: list[str],
        module: str = "",
    ) -> Future[str]:
        """One object; kept if its stamp says that the same command made it of the same text. The
        folders of NumPy's and Python's headers are no part of that: pip's are new each time."""
        target = (OBJECTS / folder / source.name).with_suffix(".o")
        if target in self.jobs:  # of another extension too
            return self.jobs[target]
        command = [*self.compiler.compiler_so, *flags, *DEBUG_INFO]
        stamp = stamp_of(
            f"{command} numpy {numpy.__version__ if include else None}{module and f' as {module}'}",
            source,
        )
        written = Path(f"{target}.stamp")
        if not self.force and target.exists() and written.exists() and written.read_text() == stamp:
            self.jobs[target] = pool.submit(str, target)
            return self.jobs[target]
        self.announce(f"{source} -> {target}", logging.INFO)
        made = cythonized(source, module) if source.suffix == ".pyx" else source
        folders = [f"-I{path}" for path in (*HEADERS, *include)]
        command += [*folders, "-c", str(made), "-o", str(target)]
        self.jobs[target] = pool.submit(self._compile, command, target, written, stamp)
        return self.jobs[target]

    def _require_compiler(self) -> None:
        if self.compiler.compiler_type == "msvc":
            raise CompileError("tinydl: MSVC is not supported; use gcc or clang (on Windows: WSL).")
        program = self.compiler.compiler_so[0]
        if shutil.which(program) is None:
            raise CompileError(
                f"tinydl: the C compiler {program!r} was not found; install one, for example with "
                "`apt-get install build-essential` (Debian, Ubuntu), `dnf install gcc` (Fedora) or "
                "`xcode-select --install` (macOS)."
            )

    def build_extension(self, ext: Extension) -> None:
        """Links again what is to hold other objects than it did, however old those are."""
        target = Path(self.get_ext_fullpath(ext.name))
        stamps = [Path(f"{name}.stamp").read_text() for name in ext.extra_objects]
        stamp = "\n".join([*ext.extra_objects, *stamps, *ext.extra_link_args])
        place = hashlib.sha256(str(target.absolute()).encode()).hexdigest()[:16]
        linked = OBJECTS / "linked" / f"{ext.name}-{place}"
        if not linked.exists() or linked.read_text() != stamp:
            target.unlink(missing_ok=True)
            linked.unlink(missing_ok=True)
        super().build_extension(ext)
        linked.parent.mkdir(parents=True, exist_ok=True)
        linked.write_text(stamp)

    def _levels(self) -> dict[str, list[str]]:
        """What is compiled: every level, or with TINYDL_LEVELS=native this processor's best."""
        if QUICK == "all":
            return LEVELS
        if QUICK != "native":
            raise SetupError(f"tinydl: TINYDL_LEVELS is {QUICK!r}, expected 'native' or 'all'")
        program = '#include "level.h"\nint main(void) { return processor_level() + 1; }\n'
        best = self._run_program(program, "-Icsrc/shared")
        if not best:
            raise SetupError("tinydl: this processor has not even the level 'baseline'")
        name = list(LEVELS)[best - 1]
        return {name: LEVELS[name]}

    def _run_program(self, text: str, *flags: str) -> int | None:
        """The exit status of a small C program; None if it does not compile."""
        with tempfile.TemporaryDirectory() as folder:
            source, program = Path(folder, "test.c"), Path(folder, "test")
            source.write_text(text)
            command = [self.compiler.compiler_so[0], *flags, str(source), "-o", str(program)]
            if subprocess.run(command, capture_output=True, check=False).returncode != 0:
                return None
            return subprocess.run([program], check=False).returncode

    def _has_openmp(self) -> bool:
        """True if a program with `#include <omp.h>` compiles and links with -fopenmp."""
        if os.environ.get("TINYDL_NO_OPENMP") == "1":
            return False
        text = "#include <omp.h>\nint main(void) { return omp_get_max_threads() < 1; }\n"
        works = self._run_program(text, "-fopenmp") is not None
        if not works:
            print("tinydl: this compiler has no OpenMP; building single-threaded kernels.")
        return works

    def _compile(self, command: list[str], target: Path, written: Path, stamp: str) -> str:
        target.parent.mkdir(parents=True, exist_ok=True)
        written.unlink(missing_ok=True)
        self.announce(" ".join(command), logging.INFO)
        if subprocess.run(command, check=False).returncode != 0:
            raise CompileError(f"tinydl: this command failed: {' '.join(command)}")
        written.write_text(stamp)
        return str(target)


class EditableWheel(editable_wheel):
    """An editable install is a path file: the package in the checkout is found like any other, also
    from the folder that holds the checkout, where setuptools' finder comes second to that folder.
    The OpenCL sources are read beside the package, so they are no package of their own here."""

    def initialize_options(self) -> None:
        super().initialize_options()
        self.distribution.packages.remove("tinydl.kernels_cl")
        self.distribution.package_dir = {"": "."}


setup(
    packages=[*find_packages(include=["tinydl", "tinydl.*"]), "tinydl.kernels_cl"],
    # The OpenCL kernels stand beside the package in the repository and inside it once installed.
    package_dir={"tinydl.kernels_cl": "kernels_cl"},
    package_data={
        "tinydl": ["py.typed", "*.pyi"],
        "tinydl.backend.cpu": ["*.pyi"],
        "tinydl.recipes": ["measured.json"],
        "tinydl.zoo": ["shelf/*/*.json", "shelf/*/*.safetensors", "shelf/*.safetensors"],
        "tinydl.serving.page": ["*.html", "*.js", "*.css", "*.svg"],
        "tinydl.kernels_cl": ["*.cl"],
    },
    include_package_data=False,
    exclude_package_data={"": ["*.pyx", "*.pxd", "*.c", "*.h", "*.so", "*.pyd"]},
    ext_modules=extensions(),
    cmdclass={"build_ext": BuildKernels, "editable_wheel": EditableWheel},
)
