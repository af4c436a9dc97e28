"""Softmax and cross-entropy: from ndarrays to softmax.c. C-contiguous float32 or float64 rows."""

from room cimport Array, Runtime, array_of, runtime, writable


cdef extern from "index.h" nogil:
    Py_ssize_t first_bad_index(const void *indices, Py_ssize_t S, Py_ssize_t size, int wide)

cdef extern from "softmax.h" nogil:
    void (*softmax_f32[3])(const float *x, float *y, Py_ssize_t N, Py_ssize_t C, int threads)
    void (*softmax_f64[3])(const double *x, double *y, Py_ssize_t N, Py_ssize_t C, int threads)
    void (*log_softmax_f32[3])(const float *x, float *y, Py_ssize_t N, Py_ssize_t C, int threads)
    void (*log_softmax_f64[3])(const double *x, double *y, Py_ssize_t N, Py_ssize_t C, int threads)
    void (*cross_entropy_f32[3])(
        const float *logits, const void *labels, float *losses, float *shifts, Py_ssize_t N,
        Py_ssize_t C, int wide, int threads)
    void (*cross_entropy_f64[3])(
        const double *logits, const void *labels, double *losses, double *shifts, Py_ssize_t N,
        Py_ssize_t C, int wide, int threads)
    void (*cross_entropy_grad_f32[3])(
        const float *logits, const float *shifts, const void *labels, const float *grad, float *y,
        Py_ssize_t N, Py_ssize_t C, int wide, int threads)
    void (*cross_entropy_grad_f64[3])(
        const double *logits, const double *shifts, const void *labels, const double *grad,
        double *y, Py_ssize_t N, Py_ssize_t C, int wide, int threads)

cdef Runtime *rt = runtime()


cdef Py_ssize_t columns(Array *x, Array *y) except -1:
    """C, the size of the last axis of x and y (..., C); ValueError where they differ."""
    if not (x.contiguous and y.contiguous) or x.size != y.size or x.itemsize != y.itemsize:
        raise ValueError("softmax: arrays must be contiguous and of one size")
    if x.ndim == 0 or x.shape[x.ndim - 1] == 0:
        raise ValueError("softmax: no classes")
    return x.shape[x.ndim - 1]


def softmax(object x, object y):
    """y = softmax of x (..., C) over the last axis."""
    cdef Array a = array_of(x, NULL)
    cdef Array b = writable(y, NULL)
    cdef Py_ssize_t C = columns(&a, &b)
    with nogil:
        if a.itemsize == 4:
            softmax_f32[rt.level](
                <const float *> a.data, <float *> b.data, a.size // C, C, rt.threads)
        else:
            softmax_f64[rt.level](
                <const double *> a.data, <double *> b.data, a.size // C, C, rt.threads)


def log_softmax(object x, object y):
    """y = log of the softmax of x (..., C) over the last axis."""
    cdef Array a = array_of(x, NULL)
    cdef Array b = writable(y, NULL)
    cdef Py_ssize_t C = columns(&a, &b)
    with nogil:
        if a.itemsize == 4:
            log_softmax_f32[rt.level](
                <const float *> a.data, <float *> b.data, a.size // C, C, rt.threads)
        else:
            log_softmax_f64[rt.level](
                <const double *> a.data, <double *> b.data, a.size // C, C, rt.threads)


cdef Py_ssize_t classes(Array *rows, Array *labels, Array *losses, Array *shifts) except -1:
    """C, the size of the last axis of rows (N, C); ValueError unless labels and losses have one
    entry for each row, and shifts two."""
    if labels.size * columns(rows, rows) != rows.size or losses.size != labels.size:
        raise ValueError("cross_entropy: one label and one loss for each row")
    if shifts.size != 2 * labels.size:
        raise ValueError("cross_entropy: two shifts for each row")
    if not (labels.contiguous and losses.contiguous and shifts.contiguous):
        raise ValueError("cross_entropy: arrays must be contiguous")
    if losses.itemsize != rows.itemsize or shifts.itemsize != rows.itemsize:
        raise ValueError("cross_entropy: arrays must be of one type")
    return rows.shape[rows.ndim - 1]


def cross_entropy(object logits, object labels, object losses, object shifts):
    """Fills losses (N,), shifts (N, 2); returns the place of the first bad label, or -1."""
    cdef Array x = array_of(logits, NULL)
    cdef Array i = array_of(labels, NULL)
    cdef Array out = writable(losses, NULL)
    cdef Array s = writable(shifts, NULL)
    cdef Py_ssize_t C = classes(&x, &i, &out, &s), bad
    cdef int wide = i.itemsize == 8
    with nogil:
        bad = first_bad_index(i.data, i.size, C, wide)
        if bad < 0:
            if x.itemsize == 4:
                cross_entropy_f32[rt.level](
                    <const float *> x.data, i.data, <float *> out.data, <float *> s.data, i.size, C,
                    wide, rt.threads)
            else:
                cross_entropy_f64[rt.level](
                    <const double *> x.data, i.data, <double *> out.data, <double *> s.data, i.size,
                    C, wide, rt.threads)
    return bad


def cross_entropy_grad(object logits, object shifts, object labels, object grad, object y):
    """y (N, C) = (softmax(logits) - one_hot(labels)) * grad; returns as `cross_entropy` does."""
    cdef Array x = array_of(logits, NULL)
    cdef Array s = array_of(shifts, NULL)
    cdef Array i = array_of(labels, NULL)
    cdef Array g = array_of(grad, NULL)
    cdef Array out = writable(y, NULL)
    cdef Py_ssize_t C = classes(&x, &i, &g, &s), bad
    cdef int wide = i.itemsize == 8
    columns(&x, &out)
    with nogil:
        bad = first_bad_index(i.data, i.size, C, wide)
        if bad < 0:
            if x.itemsize == 4:
                cross_entropy_grad_f32[rt.level](
                    <const float *> x.data, <const float *> s.data, i.data,
                    <const float *> g.data, <float *> out.data, i.size, C, wide, rt.threads)
            else:
                cross_entropy_grad_f64[rt.level](
                    <const double *> x.data, <const double *> s.data, i.data,
                    <const double *> g.data, <double *> out.data, i.size, C, wide, rt.threads)
    return bad
