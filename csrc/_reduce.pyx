"""Sums, maxima, minima, their places and running sums: from ndarrays to reduce.c and reduce_scan.c.

float32 and float64 only.
"""

from libc.stdint cimport int64_t, uint8_t

from room cimport MAX_NDIM, Array, Runtime, array_of, runtime, writable

import numpy as np


cdef extern from "reduce.h" nogil:
    enum:
        REDUCE_SUM, REDUCE_MAX, REDUCE_MIN
    int (*reduce_f32[3])(
        int op, const float *x, float *y, int ndim, const Py_ssize_t *shape,
        const Py_ssize_t *strides, const uint8_t *reduced, int threads)
    int (*reduce_f64[3])(
        int op, const double *x, double *y, int ndim, const Py_ssize_t *shape,
        const Py_ssize_t *strides, const uint8_t *reduced, int threads)
    void (*arg_reduce_f32[3])(
        int op, const float *x, int64_t *y, int axis, int ndim, const Py_ssize_t *shape,
        const Py_ssize_t *strides, int threads)
    void (*arg_reduce_f64[3])(
        int op, const double *x, int64_t *y, int axis, int ndim, const Py_ssize_t *shape,
        const Py_ssize_t *strides, int threads)
    void (*cumsum_f32[3])(
        const float *x, float *y, Py_ssize_t A, Py_ssize_t R, Py_ssize_t B, int reverse,
        int threads)
    void (*cumsum_f64[3])(
        const double *x, double *y, Py_ssize_t A, Py_ssize_t R, Py_ssize_t B, int reverse,
        int threads)

cdef Runtime *rt = runtime()
cdef object empty = np.empty
cdef object zeros = np.zeros
cdef object INT64 = np.dtype(np.int64)


cdef tuple kept_shape(Array *a, const uint8_t *reduced, bint keepdims):
    cdef list shape = []
    cdef int axis
    for axis in range(a.ndim):
        if not reduced[axis]:
            shape.append(a.shape[axis])
        elif keepdims:
            shape.append(1)
    return tuple(shape)


cdef object reduce(int op, object x, tuple axes, bint keepdims):
    cdef Array a = array_of(x, NULL)
    cdef uint8_t reduced[MAX_NDIM]
    cdef Array out
    cdef int axis, failed
    for axis in range(a.ndim):
        reduced[axis] = 0
    for axis in axes:
        reduced[axis] = 1
    shape = kept_shape(&a, reduced, keepdims)
    if a.size == 0:
        return zeros(shape, x.dtype)
    y = empty(shape, x.dtype)
    out = writable(y, NULL)
    with nogil:
        if a.itemsize == 4:
            failed = reduce_f32[rt.level](
                op, <const float *> a.data, <float *> out.data, a.ndim, a.shape, a.strides, reduced,
                rt.threads)
        else:
            failed = reduce_f64[rt.level](
                op, <const double *> a.data, <double *> out.data, a.ndim, a.shape, a.strides,
                reduced, rt.threads)
    if failed:
        raise MemoryError("reduce: no memory for partial results")
    return y


def sum(object x, tuple axes, bint keepdims):
    """Sum of a float32 or float64 array over `axes`; zeros for an empty one."""
    return reduce(REDUCE_SUM, x, axes, keepdims)


def max(object x, tuple axes, bint keepdims):
    """Largest value over `axes`, none of them empty; NaN wins."""
    return reduce(REDUCE_MAX, x, axes, keepdims)


def min(object x, tuple axes, bint keepdims):
    """Smallest value over `axes`, none of them empty; NaN wins."""
    return reduce(REDUCE_MIN, x, axes, keepdims)


cdef object arg_reduce(int op, object x, int axis, bint keepdims):
    cdef Array a = array_of(x, NULL)
    cdef Array out
    cdef uint8_t reduced[MAX_NDIM]
    cdef int i
    for i in range(a.ndim):
        reduced[i] = i == axis
    y = empty(kept_shape(&a, reduced, keepdims), INT64)
    if a.size == 0:
        return y
    out = writable(y, NULL)
    with nogil:
        if a.itemsize == 4:
            arg_reduce_f32[rt.level](
                op, <const float *> a.data, <int64_t *> out.data, axis, a.ndim, a.shape, a.strides,
                rt.threads)
        else:
            arg_reduce_f64[rt.level](
                op, <const double *> a.data, <int64_t *> out.data, axis, a.ndim, a.shape, a.strides,
                rt.threads)
    return y


def argmax(object x, int axis, bint keepdims):
    """int64 index of the first largest value along a non-empty `axis`; the first NaN wins."""
    return arg_reduce(REDUCE_MAX, x, axis, keepdims)


def argmin(object x, int axis, bint keepdims):
    """int64 index of the first smallest value along a non-empty `axis`; the first NaN wins."""
    return arg_reduce(REDUCE_MIN, x, axis, keepdims)


def cumsum(object x, object y, int axis, bint reverse):
    """y = running sums of x along `axis`; both contiguous, of one shape and type."""
    cdef Array a = array_of(x, NULL)
    cdef Array b = writable(y, NULL)
    cdef Py_ssize_t A = 1, B = 1
    cdef int i
    if not (a.contiguous and b.contiguous) or a.itemsize != b.itemsize or a.size != b.size:
        raise ValueError("cumsum takes contiguous arrays of one type and size")
    if not 0 <= axis < a.ndim:
        raise ValueError("cumsum: no such axis")
    if a.size == 0:
        return
    for i in range(axis):
        A *= a.shape[i]
    for i in range(axis + 1, a.ndim):
        B *= a.shape[i]
    with nogil:
        if a.itemsize == 4:
            cumsum_f32[rt.level](
                <const float *> a.data, <float *> b.data, A, a.shape[axis], B, reverse, rt.threads)
        else:
            cumsum_f64[rt.level](
                <const double *> a.data, <double *> b.data, A, a.shape[axis], B, reverse,
                rt.threads)
