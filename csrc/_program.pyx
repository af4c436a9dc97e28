"""An inference program as an array of steps, and the loop that runs it: see program.h.

The steps are written down once (`add`), with pointers into weights, into the program's own buffer
(the arena) and into what each call brings: its inputs and new arrays for its outputs, whose
pointers are patched into the steps at the call. Python's lock is given up for the loop.
"""

from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memset

from room cimport (
    PyArray_BYTES,
    PyArray_SimpleNew,
    PyArrayObject,
    Runtime,
    array_of,
    runtime,
)

import numpy as np


cdef extern from *:
    """
    #include <time.h>
    static double clock_now(void) {
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
    }
    """
    double clock_now() nogil

cdef extern from "program.h" nogil:
    enum:
        STEP_AXES
    ctypedef struct Step:
        int (*run)(const Step *step, int threads) noexcept nogil
        void *x[5]
        void *y
        int epilogue
        int packed
        double eps

cdef extern from "elementwise.h":
    int ELEMENTWISE_COUNT

cdef extern from *:
    """
    typedef int (*StepRun)(const Step *, int);
    #define KIND(name) {#name, step_##name##_f32, step_##name##_f64},
    static const struct {
        const char *name;
        int (*const *f32)(const Step *, int);
        int (*const *f64)(const Step *, int);
    } KINDS[] = {PROGRAM_STEPS(KIND)};
    enum { KIND_COUNT = sizeof(KINDS) / sizeof(*KINDS) };
    static const char *kind_name(int kind) { return KINDS[kind].name; }
    static void choose_run(Step *s, int kind, int wide, int level) {
        s->run = (wide ? KINDS[kind].f64 : KINDS[kind].f32)[level];
    }
    enum { MOST_SIZES = sizeof(((Step *)0)->of.n) / sizeof(ptrdiff_t) };
    static void set_size(Step *s, int place, ptrdiff_t size) { s->of.n[place] = size; }

    #define UNARY(name, cost, formula) #name,
    #define BINARY UNARY
    #define COMPARISON UNARY
    #define BY_HAND UNARY
    #define CAST(name, source) #name,
    static const char *const OPERATION_NAMES[] = {
    #include "elementwise_rows.h"
    };
    """
    int KIND_COUNT, MOST_SIZES
    const char *kind_name(int kind)
    const char *OPERATION_NAMES[]
    void choose_run(Step *s, int kind, int wide, int level)
    void set_size(Step *s, int place, Py_ssize_t size)

cdef Runtime *rt = runtime()

KINDS = {kind_name(k).decode(): k for k in range(KIND_COUNT)}
OPERATIONS = {OPERATION_NAMES[k].decode(): k for k in range(ELEMENTWISE_COUNT)}
AXES = STEP_AXES

cdef enum:
    CONSTANT = 0
    ARENA = 1
    INPUT = 2
    OUTPUT = 3
    SLOTS = 6  # five inputs, and the result


cdef struct Patch:
    int step, slot, place, number
    Py_ssize_t offset


def block(Py_ssize_t size):
    """`size` bytes that begin on a cache line, as an ndarray."""
    whole = np.zeros(size + 64, np.uint8)
    cdef Py_ssize_t past = <size_t> PyArray_BYTES(<PyArrayObject *> whole) % 64
    return whole[(64 - past) % 64:][:size]


cdef class Steps:
    """The array of steps."""

    cdef Step *steps
    cdef Patch *patches
    cdef int count, patch_count
    cdef list kept
    cdef object arena
    cdef tuple outputs  # (shape, NumPy's type number) of each

    def __cinit__(self):
        self.steps, self.patches = NULL, NULL
        self.count = self.patch_count = 0

    def __dealloc__(self):
        free(self.steps)
        free(self.patches)

    def __init__(self, object arena, outputs):
        """arena: the uint8 ndarray of all buffers; outputs: (shape, dtype) of each result."""
        self.arena, self.kept = arena, []
        self.outputs = tuple([(tuple(shape), np.dtype(dtype).num) for shape, dtype in outputs])

    def add(self, int kind, bint wide, int level, list operands, sizes,
            int epilogue=0, bint packed=False, double eps=0.0):
        """Write down a step. operands: five inputs and the result, each None, (CONSTANT, array),
        (ARENA, offset in bytes) or (INPUT or OUTPUT, number, offset)."""
        cdef Step *s
        cdef int slot, place
        if not 0 <= kind < KIND_COUNT or len(sizes) > MOST_SIZES or len(operands) != SLOTS:
            raise ValueError("program: no such step")
        grown = realloc(self.steps, (self.count + 1) * sizeof(Step))
        if grown == NULL:
            raise MemoryError("program: no memory for a step")
        self.steps = <Step *> grown
        s = &self.steps[self.count]
        memset(s, 0, sizeof(Step))
        choose_run(s, kind, wide, level)
        s.epilogue, s.packed, s.eps = epilogue, packed, eps
        for place, size in enumerate(sizes):
            set_size(s, place, size)
        for slot, operand in enumerate(operands):
            if operand is not None:
                self.point(s, slot, operand)
        self.count += 1

    cdef int point(self, Step *s, int slot, tuple operand) except -1:
        cdef int place = operand[0]
        cdef void *to = NULL
        if place == CONSTANT:
            if not array_of(operand[1], NULL).contiguous:
                raise ValueError("program: constants are contiguous")
            self.kept.append(operand[1])
            to = PyArray_BYTES(<PyArrayObject *> operand[1])
        elif place == ARENA:
            if not 0 <= operand[1] <= self.arena.size:
                raise ValueError("program: outside of the arena")
            to = PyArray_BYTES(<PyArrayObject *> self.arena) + <Py_ssize_t> operand[1]
        else:
            grown = realloc(self.patches, (self.patch_count + 1) * sizeof(Patch))
            if grown == NULL:
                raise MemoryError("program: no memory for a step")
            self.patches = <Patch *> grown
            self.patches[self.patch_count] = Patch(
                self.count, slot, place, operand[1], operand[2])
            self.patch_count += 1
        if slot == SLOTS - 1:
            s.y = to
        else:
            s.x[slot] = to
        return 0

    def new_outputs(self):
        """Arrays for the results of a call."""
        cdef list found = []
        cdef Py_ssize_t sizes[32]
        cdef int axis, ndim
        for shape, number in self.outputs:
            ndim = 0
            for axis, size in enumerate(shape):
                sizes[axis] = size
                ndim += 1
            found.append(PyArray_SimpleNew(ndim, sizes, number))
        return found

    def bind(self, list inputs, list outputs):
        """Point the steps at the arrays of this call: inputs are contiguous and of the program's
        shapes and types, which its caller has checked."""
        cdef int k
        cdef Patch *p
        cdef char *to
        for k in range(self.patch_count):
            p = &self.patches[k]
            array = inputs[p.number] if p.place == INPUT else outputs[p.number]
            to = PyArray_BYTES(<PyArrayObject *> array) + p.offset
            if p.slot == SLOTS - 1:
                self.steps[p.step].y = to
            else:
                self.steps[p.step].x[p.slot] = to

    def run(self, int first, int last, list seconds=None):
        """Steps first ... last - 1; appends the time of each to `seconds`."""
        cdef int k, failed = 0, threads = rt.threads
        cdef Step *steps = self.steps
        cdef double *times = NULL
        cdef double before, after
        if not 0 <= first <= last <= self.count:
            raise ValueError("program: no such steps")
        if seconds is not None:
            times = <double *> calloc(max(1, last - first), sizeof(double))
        with nogil:
            if times == NULL:
                for k in range(first, last):
                    failed |= steps[k].run(&steps[k], threads)
            else:
                before = clock_now()
                for k in range(first, last):
                    failed |= steps[k].run(&steps[k], threads)
                    after = clock_now()
                    times[k - first] = after - before
                    before = after
        if times != NULL:
            seconds.extend([times[k] for k in range(last - first)])
            free(times)
        if failed:
            raise MemoryError("program: a kernel found no memory")

    def call(self, list inputs):
        """The results of a program that is nothing but steps."""
        cdef list outputs = self.new_outputs()
        self.bind(inputs, outputs)
        self.run(0, self.count)
        return outputs


def level():
    """The number of the level that kernels run at."""
    return rt.level
