"""Rows by index: from ndarrays to index.c. float32 and float64 rows, int32 or int64 indices.

All arrays are C-contiguous. Every function checks its indices and returns the place of the first
one out of range, or -1; with a bad index nothing has been read or written.
"""

from room cimport Array, Runtime, array_of, runtime, writable


cdef extern from "index.h" nogil:
    Py_ssize_t first_bad_index(const void *indices, Py_ssize_t S, Py_ssize_t size, int wide)
    void (*gather_f32[3])(
        const float *x, const void *indices, float *y, Py_ssize_t S, Py_ssize_t D, int wide,
        int threads)
    void (*gather_f64[3])(
        const double *x, const void *indices, double *y, Py_ssize_t S, Py_ssize_t D, int wide,
        int threads)
    void (*scatter_add_f32[3])(
        const float *x, const void *indices, float *y, Py_ssize_t S, Py_ssize_t D, Py_ssize_t rows,
        int wide, int threads)
    void (*scatter_add_f64[3])(
        const double *x, const void *indices, double *y, Py_ssize_t S, Py_ssize_t D,
        Py_ssize_t rows, int wide, int threads)
    void (*one_hot_f32[3])(const void *indices, float *y, Py_ssize_t S, Py_ssize_t depth, int wide)
    void (*one_hot_f64[3])(const void *indices, double *y, Py_ssize_t S, Py_ssize_t depth, int wide)

cdef Runtime *rt = runtime()


cdef int sizes(Array *many, Array *i, Array *few, Py_ssize_t *D) except -1:
    """D, the elements of a row of `many` (S, D) and `few` (V, D); ValueError where sizes differ."""
    if not (many.contiguous and i.contiguous and few.contiguous):
        raise ValueError("index kernels take contiguous arrays")
    if few.ndim == 0 or few.shape[0] == 0 or few.itemsize != many.itemsize:
        raise ValueError("index kernels take rows of one type, at least one of them")
    D[0] = few.size // few.shape[0]
    if many.size != i.size * D[0]:
        raise ValueError("index kernels: rows differ in size")
    return 0


def gather(object x, object indices, object y):
    """y (S, D) = rows of x (V, D) at `indices` (S,)."""
    cdef Array a = array_of(x, NULL)
    cdef Array i = array_of(indices, NULL)
    cdef Array b = writable(y, NULL)
    cdef int wide = i.itemsize == 8
    cdef Py_ssize_t D, bad
    sizes(&b, &i, &a, &D)
    with nogil:
        bad = first_bad_index(i.data, i.size, a.shape[0], wide)
        if bad < 0:
            if a.itemsize == 4:
                gather_f32[rt.level](
                    <const float *> a.data, i.data, <float *> b.data, i.size, D, wide, rt.threads)
            else:
                gather_f64[rt.level](
                    <const double *> a.data, i.data, <double *> b.data, i.size, D, wide, rt.threads)
    return bad


def scatter_add(object x, object indices, object y):
    """y (rows, D), zeros: row x[s] is added at indices[s], s ascending."""
    cdef Array a = array_of(x, NULL)
    cdef Array i = array_of(indices, NULL)
    cdef Array b = writable(y, NULL)
    cdef int wide = i.itemsize == 8
    cdef Py_ssize_t D, bad
    sizes(&a, &i, &b, &D)
    with nogil:
        bad = first_bad_index(i.data, i.size, b.shape[0], wide)
        if bad < 0:
            if a.itemsize == 4:
                scatter_add_f32[rt.level](
                    <const float *> a.data, i.data, <float *> b.data, i.size, D, b.shape[0], wide,
                    rt.threads)
            else:
                scatter_add_f64[rt.level](
                    <const double *> a.data, i.data, <double *> b.data, i.size, D, b.shape[0], wide,
                    rt.threads)
    return bad


def one_hot(object indices, object y, Py_ssize_t depth):
    """y (S, depth), zeros: 1 at [s, indices[s]]."""
    cdef Array i = array_of(indices, NULL)
    cdef Array b = writable(y, NULL)
    cdef int wide = i.itemsize == 8
    cdef Py_ssize_t bad
    if not (i.contiguous and b.contiguous) or b.size != i.size * depth:
        raise ValueError("one_hot: sizes differ")
    with nogil:
        bad = first_bad_index(i.data, i.size, depth, wide)
        if bad < 0:
            if b.itemsize == 4:
                one_hot_f32[rt.level](i.data, <float *> b.data, i.size, depth, wide)
            else:
                one_hot_f64[rt.level](i.data, <double *> b.data, i.size, depth, wide)
    return bad
