"""Strided copies: from ndarrays to shape.c. Any elements of 4 or 8 bytes."""

from room cimport Array, Runtime, array_of, runtime, writable


cdef extern from "shape.h" nogil:
    void (*copy_f32[3])(
        const float *x, float *y, int ndim, const Py_ssize_t *shape, const Py_ssize_t *x_strides,
        const Py_ssize_t *y_strides, int threads)
    void (*copy_f64[3])(
        const double *x, double *y, int ndim, const Py_ssize_t *shape, const Py_ssize_t *x_strides,
        const Py_ssize_t *y_strides, int threads)

cdef Runtime *rt = runtime()


def copy_into(object x, object y):
    """y[...] = x for arrays of one shape, with elements of one size: 4 or 8 bytes."""
    cdef Array a = array_of(x, NULL)
    cdef Array b = writable(y, NULL)
    cdef int axis
    if a.itemsize != b.itemsize or a.ndim != b.ndim or (a.itemsize != 4 and a.itemsize != 8):
        raise ValueError("copy_into: arrays differ in their axes or element size")
    for axis in range(a.ndim):
        if a.shape[axis] != b.shape[axis]:
            raise ValueError("copy_into: shapes differ")
    if a.size == 0:
        return
    with nogil:
        if a.itemsize == 4:
            copy_f32[rt.level](
                <const float *> a.data, <float *> b.data, a.ndim, a.shape, a.strides, b.strides,
                rt.threads)
        else:
            copy_f64[rt.level](
                <const double *> a.data, <double *> b.data, a.ndim, a.shape, a.strides, b.strides,
                rt.threads)
