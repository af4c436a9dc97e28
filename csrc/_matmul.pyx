"""Matrix products on the processor: the Cython room of matmul.c, and the loops it replaces.

`matmul` is a method of `tinydl.backend.cpu.matmul.Matmul` (the class body names it), which saves a
Python call for each product: small ones notice.
"""

from room cimport MAX_NDIM, Array, Runtime, array_of, runtime, writable

import numpy as np

from tinydl.backend.reference.matmul import Matmul as Reference


cdef extern from "matmul.h" nogil:
    int (*c_matmul_f32 "matmul_f32"[3])(
        const float *a, const float *b, const float *bias, float *c,
        Py_ssize_t M, Py_ssize_t N, Py_ssize_t K,
        Py_ssize_t a_row, Py_ssize_t a_col, Py_ssize_t b_row, Py_ssize_t b_col,
        int axes, const Py_ssize_t *batch, const Py_ssize_t *a_batch, const Py_ssize_t *b_batch,
        int relu, int threads)
    int (*c_matmul_f64 "matmul_f64"[3])(
        const double *a, const double *b, const double *bias, double *c,
        Py_ssize_t M, Py_ssize_t N, Py_ssize_t K,
        Py_ssize_t a_row, Py_ssize_t a_col, Py_ssize_t b_row, Py_ssize_t b_col,
        int axes, const Py_ssize_t *batch, const Py_ssize_t *a_batch, const Py_ssize_t *b_batch,
        int relu, int threads)


cdef Runtime *rt = runtime()

cdef object empty = np.empty
cdef object FLOAT32 = np.dtype(np.float32)
cdef object FLOAT64 = np.dtype(np.float64)


cdef struct Operands:
    Array a, b, bias, c
    Py_ssize_t M, N, K
    int axes
    Py_ssize_t a_batch[MAX_NDIM]
    Py_ssize_t b_batch[MAX_NDIM]


cdef int batch_strides(Array *x, Array *c, Py_ssize_t *strides) except -1:
    """Strides of x along the batch axes of c, 0 where x has one entry for many."""
    cdef int axis, own
    for axis in range(c.ndim - 2):
        own = axis - (c.ndim - x.ndim)
        if own < 0 or (x.shape[own] == 1 and c.shape[axis] != 1):
            strides[axis] = 0
        elif x.shape[own] == c.shape[axis]:
            strides[axis] = x.strides[own]
        else:
            raise ValueError("matmul: batch axes do not broadcast to those of the output")
    return 0


cdef int operands(
    Operands *o, object a, object b, object bias, object c, const char *format
) except -1:
    """Buffers and sizes of c (..., M, N) = a (..., M, K) @ b (..., K, N) + bias (N,)."""
    o.a = array_of(a, format)
    o.b = array_of(b, format)
    o.c = writable(c, format)
    o.bias.data = NULL
    if o.a.ndim < 2 or o.b.ndim < 2 or o.c.ndim < max(o.a.ndim, o.b.ndim):
        raise ValueError("matmul: every operand needs two axes or more")
    o.axes = o.c.ndim - 2
    o.M = o.c.shape[o.axes]
    o.N = o.c.shape[o.axes + 1]
    o.K = o.a.shape[o.a.ndim - 1]
    if (
        not o.c.contiguous
        or o.a.shape[o.a.ndim - 2] != o.M
        or o.b.shape[o.b.ndim - 2] != o.K
        or o.b.shape[o.b.ndim - 1] != o.N
    ):
        raise ValueError("matmul: the output must be contiguous and of shape (..., M, N)")
    batch_strides(&o.a, &o.c, o.a_batch)
    batch_strides(&o.b, &o.c, o.b_batch)
    if bias is not None:
        o.bias = array_of(bias, format)
        if not o.bias.contiguous or o.bias.size != o.N:
            raise ValueError("matmul: the bias must be contiguous and of shape (N,)")
    return 0


def matmul(object self, object a, object b, object bias=None, bint relu=False):
    """A fresh c (..., M, N) = relu?(a (..., M, K) @ b (..., K, N) + bias (N,))."""
    cdef object dtype = a.dtype, c
    cdef tuple left = a.shape, right = b.shape
    cdef const char *format = NULL
    if dtype is not FLOAT32 and dtype is not FLOAT64 and dtype != FLOAT32 and dtype != FLOAT64:
        return Reference.matmul(self, a, b, bias, relu)
    if len(left) == 2 and len(right) == 2:
        c = empty((left[0], right[1]), dtype)
    else:
        batch = np.broadcast_shapes(left[:len(left) - 2], right[:len(right) - 2])
        c = empty((*batch, left[len(left) - 2], right[len(right) - 1]), dtype)
    if bias is not None and not bias.flags.c_contiguous:
        bias = np.ascontiguousarray(bias)
    if dtype is FLOAT32 or dtype == FLOAT32:
        if b.dtype is not dtype or (bias is not None and bias.dtype is not dtype):
            format = b"f"
        product_f32(a, b, bias, c, relu, format)
    else:
        if b.dtype is not dtype or (bias is not None and bias.dtype is not dtype):
            format = b"d"
        product_f64(a, b, bias, c, relu, format)
    return c


def matmul_f32(object a, object b, object bias, object c, bint relu):
    """c (..., M, N) = relu?(a (..., M, K) @ b (..., K, N) + bias (N,)); c must be contiguous."""
    product_f32(a, b, bias, c, relu, b"f")


def matmul_f64(object a, object b, object bias, object c, bint relu):
    """The same in double precision."""
    product_f64(a, b, bias, c, relu, b"d")


cdef int product_f32(
    object a, object b, object bias, object c, bint relu, const char *format
) except -1:
    cdef Operands o
    cdef int failed
    operands(&o, a, b, bias, c, format)
    with nogil:
        failed = c_matmul_f32[rt.level](
            <const float *> o.a.data, <const float *> o.b.data, <const float *> o.bias.data,
            <float *> o.c.data, o.M, o.N, o.K,
            o.a.strides[o.a.ndim - 2], o.a.strides[o.a.ndim - 1],
            o.b.strides[o.b.ndim - 2], o.b.strides[o.b.ndim - 1],
            o.axes, o.c.shape, o.a_batch, o.b_batch, relu, rt.threads)
    if failed:
        raise MemoryError("matmul: no memory for the packed block of b")
    return 0


cdef int product_f64(
    object a, object b, object bias, object c, bint relu, const char *format
) except -1:
    cdef Operands o
    cdef int failed
    operands(&o, a, b, bias, c, format)
    with nogil:
        failed = c_matmul_f64[rt.level](
            <const double *> o.a.data, <const double *> o.b.data, <const double *> o.bias.data,
            <double *> o.c.data, o.M, o.N, o.K,
            o.a.strides[o.a.ndim - 2], o.a.strides[o.a.ndim - 1],
            o.b.strides[o.b.ndim - 2], o.b.strides[o.b.ndim - 1],
            o.axes, o.c.shape, o.a_batch, o.b_batch, relu, rt.threads)
    if failed:
        raise MemoryError("matmul: no memory for the packed block of b")
    return 0


# The three loops that matmul.c replaces, to be read first. The order i, k, j runs along rows of b
# and c, so the inner loop is contiguous; the textbook order i, j, k jumps through b.
# [M x K] @ [K x N]: M rows of a, N columns of b, K is summed.

def matmul_loops_f32(const float[:, :] a, const float[:, :] b, float[:, ::1] c):
    """c (M, N) = a (M, K) @ b (K, N), one multiplication at a time."""
    cdef Py_ssize_t M = a.shape[0], K = a.shape[1], N = b.shape[1], i, j, k
    with nogil:
        for i in range(M):
            for j in range(N):
                c[i, j] = 0
            for k in range(K):
                for j in range(N):
                    c[i, j] += a[i, k] * b[k, j]


def matmul_loops_f64(const double[:, :] a, const double[:, :] b, double[:, ::1] c):
    """The same in double precision."""
    cdef Py_ssize_t M = a.shape[0], K = a.shape[1], N = b.shape[1], i, j, k
    with nogil:
        for i in range(M):
            for j in range(N):
                c[i, j] = 0
            for k in range(K):
                for j in range(N):
                    c[i, j] += a[i, k] * b[k, j]
