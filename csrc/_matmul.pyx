"""Matrix products on the processor: the Cython module of matmul.c, and the loops it replaces.

`matmul` is a method of `tinydl.backend.cpu.matmul.Matmul` (the class body names it), which saves a
Python call for each product: small ones notice.
"""

cimport cython

from room cimport (
    MAX_NDIM,
    NPY_DOUBLE,
    NPY_FLOAT,
    Array,
    PyArray_Check,
    PyArray_DIMS,
    PyArray_IS_C_CONTIGUOUS,
    PyArray_ISNOTSWAPPED,
    PyArray_NDIM,
    PyArray_SimpleNew,
    PyArray_TYPE,
    PyArrayObject,
    Runtime,
    array_of,
    runtime,
    writable,
)

import numpy as np

from tinydl.backend.reference.matmul import Matmul as Reference


cdef extern from "matmul.h" nogil:
    int (*c_matmul_f32 "matmul_f32"[3])(
        const float *a, const float *b, const float *bias, float *c,
        Py_ssize_t M, Py_ssize_t N, Py_ssize_t K,
        Py_ssize_t a_row, Py_ssize_t a_col, Py_ssize_t b_row, Py_ssize_t b_col,
        int axes, const Py_ssize_t *batch, const Py_ssize_t *a_batch, const Py_ssize_t *b_batch,
        int relu, int packed, int threads)
    int (*c_matmul_f64 "matmul_f64"[3])(
        const double *a, const double *b, const double *bias, double *c,
        Py_ssize_t M, Py_ssize_t N, Py_ssize_t K,
        Py_ssize_t a_row, Py_ssize_t a_col, Py_ssize_t b_row, Py_ssize_t b_col,
        int axes, const Py_ssize_t *batch, const Py_ssize_t *a_batch, const Py_ssize_t *b_batch,
        int relu, int packed, int threads)
    Py_ssize_t (*c_pack_f32 "matmul_pack_f32"[3])(
        const float *b, float *packed, Py_ssize_t K, Py_ssize_t N,
        Py_ssize_t b_row, Py_ssize_t b_col)
    Py_ssize_t (*c_pack_f64 "matmul_pack_f64"[3])(
        const double *b, double *packed, Py_ssize_t K, Py_ssize_t N,
        Py_ssize_t b_row, Py_ssize_t b_col)


cdef Runtime *rt = runtime()


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
    Operands *o, object a, object b, object bias, object c, const char *format, Py_ssize_t width
) except -1:
    """Buffers and sizes of c (..., M, N) = a (..., M, K) @ b (..., K, N) + bias (N,); b (K, width)
    if it is packed, else width is 0."""
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
        or o.b.shape[o.b.ndim - 1] != (width or o.N)
    ):
        raise ValueError("matmul: the output must be contiguous and of shape (..., M, N)")
    if width and (not o.b.contiguous or o.b.ndim != 2):
        raise ValueError("matmul: a packed b must be contiguous and of shape (K, width)")
    batch_strides(&o.a, &o.c, o.a_batch)
    batch_strides(&o.b, &o.c, o.b_batch)
    if bias is not None:
        o.bias = array_of(bias, format)
        if not o.bias.contiguous or o.bias.size != o.N:
            raise ValueError("matmul: the bias must be contiguous and of shape (N,)")
    return 0


cdef object fresh_product(object a, object b, int type_number):
    """An empty c for a @ b."""
    cdef PyArrayObject *left = <PyArrayObject *> a
    cdef PyArrayObject *right = <PyArrayObject *> b
    cdef Py_ssize_t shape[2]
    if PyArray_NDIM(left) == 2 and PyArray_NDIM(right) == 2:
        shape[0], shape[1] = PyArray_DIMS(left)[0], PyArray_DIMS(right)[1]
        return PyArray_SimpleNew(2, shape, type_number)
    return np.empty(product_shape(a.shape, b.shape), a.dtype)


@cython.wraparound(True)
cdef tuple product_shape(tuple left, tuple right):
    """(..., M, N) of (..., M, K) @ (..., K, N), the batch axes broadcast."""
    return (*np.broadcast_shapes(left[:-2], right[:-2]), left[-2], right[-1])


def matmul(object self, object a, object b, object bias=None, bint relu=False):
    """A fresh c (..., M, N) = relu?(a (..., M, K) @ b (..., K, N) + bias (N,))."""
    cdef int type_number = PyArray_TYPE(<PyArrayObject *> a) if PyArray_Check(a) else -1
    cdef object c
    if (
        (type_number != NPY_FLOAT and type_number != NPY_DOUBLE)
        or not PyArray_ISNOTSWAPPED(<PyArrayObject *> a)
        or not PyArray_Check(b)
    ):
        return Reference.matmul(self, a, b, bias, relu)
    c = fresh_product(a, b, type_number)
    if bias is not None and not (
        PyArray_Check(bias) and PyArray_IS_C_CONTIGUOUS(<PyArrayObject *> bias)
    ):
        bias = np.ascontiguousarray(bias)
    if type_number == NPY_FLOAT:
        product_f32(a, b, bias, c, relu, b"f")
    else:
        product_f64(a, b, bias, c, relu, b"d")
    return c


def matmul_f32(object a, object b, object bias, object c, bint relu, bint packed=False):
    """c (..., M, N) = relu?(a (..., M, K) @ b (..., K, N) + bias (N,)); c must be contiguous; with
    `packed`, b is what pack has written (the same bits, unless M or N is 1)."""
    product_f32(a, b, bias, c, relu, b"f", packed)


def matmul_f64(object a, object b, object bias, object c, bint relu, bint packed=False):
    """The same in double precision."""
    product_f64(a, b, bias, c, relu, b"d", packed)


cdef int product_f32(
    object a, object b, object bias, object c, bint relu, const char *format, bint packed=False
) except -1:
    cdef Operands o
    cdef int failed
    operands(
        &o, a, b, bias, c, format,
        c_pack_f32[rt.level](NULL, NULL, 0, c.shape[c.ndim - 1], 0, 0) if packed else 0)
    with nogil:
        failed = c_matmul_f32[rt.level](
            <const float *> o.a.data, <const float *> o.b.data, <const float *> o.bias.data,
            <float *> o.c.data, o.M, o.N, o.K,
            o.a.strides[o.a.ndim - 2], o.a.strides[o.a.ndim - 1],
            o.b.strides[o.b.ndim - 2], o.b.strides[o.b.ndim - 1],
            o.axes, o.c.shape, o.a_batch, o.b_batch, relu, packed, rt.threads)
    if failed:
        raise MemoryError("matmul: no memory for the packed block of b")
    return 0


cdef int product_f64(
    object a, object b, object bias, object c, bint relu, const char *format, bint packed=False
) except -1:
    cdef Operands o
    cdef int failed
    operands(
        &o, a, b, bias, c, format,
        c_pack_f64[rt.level](NULL, NULL, 0, c.shape[c.ndim - 1], 0, 0) if packed else 0)
    with nogil:
        failed = c_matmul_f64[rt.level](
            <const double *> o.a.data, <const double *> o.b.data, <const double *> o.bias.data,
            <double *> o.c.data, o.M, o.N, o.K,
            o.a.strides[o.a.ndim - 2], o.a.strides[o.a.ndim - 1],
            o.b.strides[o.b.ndim - 2], o.b.strides[o.b.ndim - 1],
            o.axes, o.c.shape, o.a_batch, o.b_batch, relu, packed, rt.threads)
    if failed:
        raise MemoryError("matmul: no memory for the packed block of b")
    return 0


def pack_f32(object b, object packed):
    """The width of b (K, N) packed (K, width), in the order in which it is multiplied at this
    level; writes that into `packed` unless it is None."""
    cdef Array m = array_of(b, b"f"), into
    cdef Py_ssize_t width
    if m.ndim != 2:
        raise ValueError("matmul: only a matrix of two axes is packed")
    width = c_pack_f32[rt.level](NULL, NULL, m.shape[0], m.shape[1], 0, 0)
    if packed is not None:
        into = writable(packed, b"f")
        if not into.contiguous or into.size != m.shape[0] * width:
            raise ValueError("matmul: a packed b must be contiguous and of shape (K, width)")
        with nogil:
            c_pack_f32[rt.level](
                <const float *> m.data, <float *> into.data, m.shape[0], m.shape[1],
                m.strides[0], m.strides[1])
    return width


def pack_f64(object b, object packed):
    """The same in double precision."""
    cdef Array m = array_of(b, b"d"), into
    cdef Py_ssize_t width
    if m.ndim != 2:
        raise ValueError("matmul: only a matrix of two axes is packed")
    width = c_pack_f64[rt.level](NULL, NULL, m.shape[0], m.shape[1], 0, 0)
    if packed is not None:
        into = writable(packed, b"d")
        if not into.contiguous or into.size != m.shape[0] * width:
            raise ValueError("matmul: a packed b must be contiguous and of shape (K, width)")
        with nogil:
            c_pack_f64[rt.level](
                <const double *> m.data, <double *> into.data, m.shape[0], m.shape[1],
                m.strides[0], m.strides[1])
    return width


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
