"""CTC: from ndarrays to ctc.c. C-contiguous float32 or float64, labels and lengths int64."""

from libc.stdint cimport int64_t
from room cimport Array, Runtime, array_of, runtime, writable


cdef extern from "ctc.h" nogil:
    Py_ssize_t CTC_WORK(Py_ssize_t T, Py_ssize_t L)
    void (*ctc_f32[3])(
        const float *log_p, const int64_t *labels, const int64_t *steps, const int64_t *counts,
        float *total, float *occupied, float *work, Py_ssize_t N, Py_ssize_t T, Py_ssize_t C,
        Py_ssize_t L, Py_ssize_t blank, int threads)
    void (*ctc_f64[3])(
        const double *log_p, const int64_t *labels, const int64_t *steps, const int64_t *counts,
        double *total, double *occupied, double *work, Py_ssize_t N, Py_ssize_t T, Py_ssize_t C,
        Py_ssize_t L, Py_ssize_t blank, int threads)

cdef Runtime *rt = runtime()


def work(Py_ssize_t T, Py_ssize_t L):
    """Numbers of `room` for each row of `ctc`."""
    return CTC_WORK(T, L)


cdef int check_places(Array *labels, Array *steps, Array *counts, Py_ssize_t N, Py_ssize_t T,
                      Py_ssize_t C) except -1:
    """ValueError unless all labels are classes and all lengths fit: the kernel reads by them."""
    cdef const int64_t *own = <const int64_t *> labels.data
    cdef const int64_t *t = <const int64_t *> steps.data
    cdef const int64_t *count = <const int64_t *> counts.data
    cdef Py_ssize_t L = labels.shape[1], n, i
    for n in range(N):
        if not (1 <= t[n] <= T and 0 <= count[n] <= L):
            raise ValueError(f"ctc: row {n} has {t[n]} of {T} steps and {count[n]} of {L} labels")
        for i in range(count[n]):
            if not 0 <= own[n * L + i] < C:
                raise ValueError(f"ctc: label {own[n * L + i]} is none of {C} classes")
    return 0


def ctc(object log_p, object labels, object steps, object counts, Py_ssize_t blank, object total,
        object occupied, object room):
    """Fills total (N,) and occupied (N, T, C) of log_p (N, T, C), labels (N, L); room (N, work)."""
    cdef Array p = array_of(log_p, NULL), own = array_of(labels, b"l")
    cdef Array t = array_of(steps, b"l"), c = array_of(counts, b"l")
    cdef Array y = writable(total, NULL), o = writable(occupied, NULL), w = writable(room, NULL)
    cdef Py_ssize_t N, T, C, L
    if p.ndim != 3 or own.ndim != 2 or not (p.contiguous and own.contiguous and o.contiguous
                                            and t.contiguous and c.contiguous and y.contiguous
                                            and w.contiguous):
        raise ValueError("ctc: arrays must be contiguous, log_p (N, T, C), labels (N, L)")
    N, T, C, L = p.shape[0], p.shape[1], p.shape[2], own.shape[1]
    if not (own.shape[0] == t.size == c.size == y.size == N and o.size == p.size
            and w.size == N * CTC_WORK(T, L) and 0 <= blank < C
            and p.itemsize == o.itemsize == y.itemsize == w.itemsize):
        raise ValueError("ctc: sizes or types do not agree")
    check_places(&own, &t, &c, N, T, C)
    with nogil:
        if p.itemsize == 4:
            ctc_f32[rt.level](
                <const float *> p.data, <const int64_t *> own.data, <const int64_t *> t.data,
                <const int64_t *> c.data, <float *> y.data, <float *> o.data, <float *> w.data,
                N, T, C, L, blank, rt.threads)
        else:
            ctc_f64[rt.level](
                <const double *> p.data, <const int64_t *> own.data, <const int64_t *> t.data,
                <const int64_t *> c.data, <double *> y.data, <double *> o.data, <double *> w.data,
                N, T, C, L, blank, rt.threads)
