"""Builds the compiled kernels; metadata and tool settings are in pyproject.toml.

Every `csrc/<stem>.c` (and `csrc/<stem>_<part>.c` of a large stem) is written once, with the type
`real`, and compiled once per level and dtype:

    csrc/matmul.c -> build/temp.../avx512_float/csrc/matmul.o   with symbols  matmul_f32_avx512 ...

Those objects are linked with the cythonised `csrc/_<stem>.pyx` into `tinydl/backend/_<stem>.so`.

Environment: TINYDL_NO_OPENMP=1 builds without OpenMP, TINYDL_DEBUG_CYTHON=1 with Cython's bounds
checks; CFLAGS and LDFLAGS are respected everywhere (sanitizer builds).
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy
from setuptools import Extension, find_packages, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError

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
    "norm",
    "optim",
]

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
DTYPES = {"f32": "float", "f64": "double"}
KERNEL_FLAGS = [
    *("-std=gnu11", "-O3", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast"),
    *("-fvisibility=hidden", "-Wall", "-Wextra", "-Wno-unknown-pragmas", "-Wno-psabi"),
]
ROOM_FLAGS = ["-std=gnu11", "-O2", "-fno-math-errno", "-fno-trapping-math"]
# Python's own flags ask for debug information, a fifth of the build time; CFLAGS may want it.
DEBUG_INFO = [] if os.environ.get("CFLAGS") else ["-g0"]
DEBUG_CYTHON = os.environ.get("TINYDL_DEBUG_CYTHON") == "1"
JOBS = 2


def extensions() -> list[Extension]:
    """Every room links the level objects of its stem; `_runtime` also holds the threads.

    The headers of NumPy 2 or later make modules that run with every NumPy from 1.23 on."""
    rooms = {
        "tinydl._function": ["csrc/_function.pyx"],
        "tinydl.backend._runtime": ["csrc/_runtime.pyx", "csrc/team.c"],
        **{f"tinydl.backend._{stem}": [f"csrc/_{stem}.pyx"] for stem in STEMS},
    }
    include = ["csrc", numpy.get_include()]
    return [Extension(name, sources, include_dirs=include) for name, sources in rooms.items()]


def with_headers(source: Path) -> set[Path]:
    """The file and every header of csrc/ that it includes, directly or through another."""
    names = re.findall(r'^#include "(.+)"', source.read_text(), re.MULTILINE)
    return {source}.union(*(with_headers(Path("csrc", name)) for name in names))


def cythonized_sources(sources: list[Extension], force: bool) -> list[list[str]]:
    """The C files which Cython makes of each extension: into build/, never into csrc/."""
    from Cython.Build import cythonize

    checks = {"boundscheck": DEBUG_CYTHON, "wraparound": DEBUG_CYTHON, "nonecheck": DEBUG_CYTHON}
    made = cythonize(
        sources,
        build_dir="build/cython_debug" if DEBUG_CYTHON else "build/cython",
        include_path=["csrc"],
        force=force,
        compiler_directives={
            "language_level": 3,
            "cdivision": not DEBUG_CYTHON,
            "initializedcheck": DEBUG_CYTHON,
            **checks,
        },
    )
    return [ext.sources for ext in made]


class BuildKernels(build_ext):
    """build_ext which first compiles the C kernels of every stem for each level and dtype."""

    def build_extensions(self) -> None:
        self._require_compiler()
        openmp = ["-fopenmp"] if self._has_openmp() else []
        made = cythonized_sources(self.extensions, bool(self.force))
        for ext, sources in zip(self.extensions, made, strict=True):
            ext.sources = sources
            ext.extra_compile_args = [*ROOM_FLAGS, *DEBUG_INFO, *openmp]
            ext.extra_link_args = openmp
            header = Path(f"csrc/{ext.name.rpartition('._')[2]}.h")
            header = header if header.exists() else Path("csrc/kernel.h")
            ext.depends = [str(p) for p in with_headers(header)]
        with ThreadPoolExecutor(JOBS) as pool:
            kernels = [
                (ext, pool.map(self._compile, self._jobs(ext, openmp))) for ext in self.extensions
            ]
            for ext, objects in kernels:
                ext.extra_objects = list(objects)
                ext.depends += ext.extra_objects
        self.parallel = self.parallel or JOBS
        super().build_extensions()

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

    def _has_openmp(self) -> bool:
        """True if a program with `#include <omp.h>` compiles and links with -fopenmp."""
        if os.environ.get("TINYDL_NO_OPENMP") == "1":
            return False
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder, "test.c")
            source.write_text(
                "#include <omp.h>\nint main(void) { return omp_get_max_threads() < 1; }\n"
            )
            command = [
                self.compiler.compiler_so[0],
                "-fopenmp",
                str(source),
                "-o",
                f"{folder}/test",
            ]
            works = subprocess.run(command, capture_output=True, check=False).returncode == 0
        if not works:
            print("tinydl: this compiler has no OpenMP; building single-threaded kernels.")
        return works

    def _jobs(self, ext: Extension, openmp: list[str]) -> list[tuple[str, str, list[str]]]:
        """(source, folder, flags) of every level object of one stem."""
        stem = ext.name.rpartition("._")[2]
        sources = [
            str(p)
            for p in sorted([*Path("csrc").glob(f"{stem}.c"), *Path("csrc").glob(f"{stem}_*.c")])
        ]
        # `#pragma omp simd` stays meaningful without threads.
        simd = openmp or ["-fopenmp-simd"]
        return [
            (
                source,
                str(Path(self.build_temp, f"{level}_{real}")),
                [
                    *KERNEL_FLAGS,
                    *DEBUG_INFO,
                    *flags,
                    *simd,
                    f"-DREAL={real}",
                    f"-DSUFFIX=_{dtype}_{level}",
                ],
            )
            for source in sources
            for level, flags in LEVELS.items()
            for dtype, real in DTYPES.items()
        ]

    def _compile(self, job: tuple[str, str, list[str]]) -> str:
        """One level object; kept if newer than its sources and made by the same command."""
        source, folder, flags = job
        target = self.compiler.object_filenames([source], output_dir=folder)[0]
        stamp = Path(target + ".flags")
        command = " ".join([*self.compiler.compiler_so, *flags])
        if (
            not self.force
            and os.path.exists(target)
            and stamp.exists()
            and stamp.read_text() == command
            and all(
                p.stat().st_mtime < os.path.getmtime(target) for p in with_headers(Path(source))
            )
        ):
            return target
        self.compiler.compile(
            [source], output_dir=folder, include_dirs=["csrc"], extra_postargs=flags
        )
        stamp.write_text(command)
        return target


setup(
    packages=[*find_packages(include=["tinydl", "tinydl.*"]), "tinydl.kernels_cl"],
    # The OpenCL kernels stand beside the package in the repository and inside it once installed.
    package_dir={"tinydl.kernels_cl": "kernels_cl"},
    package_data={
        "tinydl": ["py.typed", "*.pyi"],
        "tinydl.backend": ["*.pyi"],
        "tinydl.recipes": ["measured.json"],
        "tinydl.kernels_cl": ["*.cl"],
    },
    include_package_data=False,
    exclude_package_data={"": ["*.pyx", "*.pxd", "*.c", "*.h", "*.so", "*.pyd"]},
    ext_modules=extensions(),
    cmdclass={"build_ext": BuildKernels},
)
