"""The only state of the CPU kernels: which level they run at, and with how many threads.

Every other module holds a pointer to `state` through `capsule` and reads it at each call. The level
is the best one this processor offers, or TINYDL_CPU=baseline|avx2|avx512. The number of threads is
OMP_NUM_THREADS or the number of cores this process may use; it never changes a result.

Importing it also asks glibc to keep freed memory up to KEPT for the next array: otherwise every
result above 32 MiB is mapped anew, and the system clears its pages before a kernel may write them,
which takes as long as a simple kernel itself. TINYDL_MALLOC=system leaves glibc as it is.
"""

import os

from cpython.pycapsule cimport PyCapsule_New

from room cimport Array, Runtime, _import_array, array_of, join_team, writable

from tinydl.errors import ConfigError


cdef extern from *:
    """
    #ifdef ONLY_LEVEL
    #define TEXT_(word) #word
    #define TEXT(word) TEXT_(word)
    #define BUILT_LEVEL TEXT(ONLY_LEVEL)
    #else
    #define BUILT_LEVEL ""
    #endif

    static void found_team(Runtime *rt) { rt->team = team_run; }

    #if defined(__GLIBC__)
    #include <malloc.h>
    static int keep_freed(int bytes) {
        return mallopt(M_MMAP_MAX, 0) && mallopt(M_TRIM_THRESHOLD, bytes);
    }
    #else
    static int keep_freed(int bytes) { (void)bytes; return 0; }
    #endif
    """
    const char *BUILT_LEVEL
    const char *__VERSION__
    int keep_freed(int bytes)
    void found_team(Runtime *rt)


cdef extern from "level.h":
    int processor_level()


cdef extern from "runtime.h" nogil:
    double (*fma_loop_f32[3])(
        Py_ssize_t rounds, double scale, double shift, double *sink, int threads)
    double (*fma_loop_f64[3])(
        Py_ssize_t rounds, double scale, double shift, double *sink, int threads)
    void (*stream_f32[3])(
        const float *x, const float *z, float *y, Py_ssize_t n, Py_ssize_t repeats, double scale,
        int threads)


_import_array()

cdef Runtime state
capsule = PyCapsule_New(&state, "tinydl.backend.cpu._runtime.capsule", NULL)

_NAMES = ("baseline", "avx2", "avx512")
_ONLY = BUILT_LEVEL.decode()  # of a quick build (TINYDL_LEVELS=native), else ""
_QUICK = f"this quick build (TINYDL_LEVELS=native) holds only {_ONLY}"
_REBUILD = "`python setup.py build_ext --inplace` without that variable builds every level"
KEPT = 1 << 30  # bytes


def available_levels():
    """Names of the levels that are built and that this processor can run, slowest first."""
    return tuple([n for n in _NAMES[: processor_level() + 1] if _ONLY in ("", n)])


def level():
    """Name of the level the kernels run at."""
    return _NAMES[state.level]


def set_level(name):
    """Make all kernels run at one level; ConfigError if this processor does not offer it, or the
    build does not hold it."""
    if name not in available_levels():
        offered = _NAMES[: processor_level() + 1]
        if name not in offered:
            raise ConfigError(
                f"cpu level: this processor offers {', '.join(offered)}, not {name!r}"
            )
        raise ConfigError(f"cpu level: {_QUICK}, not {name!r}: {_REBUILD}")
    state.level = _NAMES.index(name)


def threads():
    """Number of threads that kernels use."""
    return state.threads


def set_threads(n):
    """Use n threads (n >= 1) from now on."""
    if not isinstance(n, int) or n < 1:
        raise ConfigError(f"cpu threads: expected an integer >= 1, got {n!r}")
    state.threads = n


def keeps_memory():
    """True if freed memory stays with the process for the next array."""
    return bool(_keeps_memory)


def compiler():
    """The C compiler's own version string."""
    return __VERSION__.decode()


def fma_loop(Py_ssize_t rounds, bint double_precision):
    """Multiply and add in registers, on every thread; the number of operations done."""
    cdef double done, sink
    with nogil:
        if double_precision:
            done = fma_loop_f64[state.level](rounds, 0.999, 0.001, &sink, state.threads)
        else:
            done = fma_loop_f32[state.level](rounds, 0.999, 0.001, &sink, state.threads)
    return done


def stream(object x, object z, object y, Py_ssize_t repeats):
    """y = x + 0.5 * z (z None: y = x) for contiguous float32, `repeats` times."""
    cdef Array a = array_of(x, b"f"), c = writable(y, b"f"), b
    b.data = NULL
    if z is not None:
        b = array_of(z, b"f")
        if not b.contiguous or b.size != a.size:
            raise ValueError("stream: z must be contiguous and as long as x")
    if not a.contiguous or not c.contiguous or a.size != c.size:
        raise ValueError("stream: x and y must be contiguous and of one length")
    with nogil:
        stream_f32[state.level](
            <const float *> a.data, <const float *> b.data, <float *> c.data, a.size, repeats, 0.5,
            state.threads)


def _default_threads():
    # OMP_NUM_THREADS may be a list, one number per nesting level; the outermost counts.
    wanted = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    if wanted.isdigit() and int(wanted) > 0:
        return int(wanted)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _single_threaded_child():
    # Forked children usually work side by side already. Threads of the compiler's OpenMP library do
    # not survive a fork; our own (team.h) are started anew if the child asks for them.
    state.threads = 1


found_team(&state)
join_team(&state)
if processor_level() < 0:
    raise ImportError("tinydl needs a processor with SSE4.2 and POPCNT (x86-64-v2)")
if not available_levels():
    raise ImportError(f"tinydl: {_QUICK}, which this processor does not offer: {_REBUILD}")
set_level(os.environ.get("TINYDL_CPU") or max(available_levels(), key=_NAMES.index))
set_threads(_default_threads())
_keeps_memory = os.environ.get("TINYDL_MALLOC") != "system" and keep_freed(KEPT)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_single_threaded_child)
