"""Pooling: from ndarrays to pool.c, and the loops of max pooling that it replaces.

All arrays are C-contiguous float32 or float64, places are int32; g is a Pool2dGeometry.
"""

from libc.stdint cimport int32_t

from room cimport Array, Runtime, array_of, runtime, writable


cdef extern from "pool.h" nogil:
    ctypedef struct Window:
        Py_ssize_t N, H, W, C, KH, KW, OH, OW
        Py_ssize_t stride_h, stride_w, top, left
        Py_ssize_t adaptive
    void (*c_max_pool2d_f32 "max_pool2d_f32"[3])(
        const float *x, float *y, int32_t *place, const Window *g, int threads)
    void (*c_max_pool2d_f64 "max_pool2d_f64"[3])(
        const double *x, double *y, int32_t *place, const Window *g, int threads)
    void (*max_pool2d_scatter_f32[3])(
        const float *grad, const int32_t *place, float *y, const Window *g, int threads)
    void (*max_pool2d_scatter_f64[3])(
        const double *grad, const int32_t *place, double *y, const Window *g, int threads)
    void (*max_pool2d_gather_f32[3])(
        const float *x, const int32_t *place, float *y, const Window *g, int threads)
    void (*max_pool2d_gather_f64[3])(
        const double *x, const int32_t *place, double *y, const Window *g, int threads)
    int (*avg_pool2d_f32[3])(const float *x, float *y, const Window *g, int threads)
    int (*avg_pool2d_f64[3])(const double *x, double *y, const Window *g, int threads)
    void (*avg_pool2d_grad_f32[3])(const float *grad, float *y, const Window *g, int threads)
    void (*avg_pool2d_grad_f64[3])(const double *grad, double *y, const Window *g, int threads)

cdef Runtime *rt = runtime()


cdef Window window(object g) except *:
    cdef Window w
    w.N, w.H, w.W, w.C = g.N, g.H, g.W, g.C
    w.KH, w.KW, w.OH, w.OW = g.KH, g.KW, g.OH, g.OW
    w.stride_h, w.stride_w = g.stride
    w.top, w.left = g.padding[0], g.padding[2]
    w.adaptive = g.adaptive
    return w


cdef int check(Array *image, Array *pixels, Array *place, Window *w) except -1:
    """ValueError unless image is (N, H, W, C) and pixels, place (or NULL) are (N, OH, OW, C)."""
    if image.size != w.N * w.H * w.W * w.C or pixels.size != w.N * w.OH * w.OW * w.C:
        raise ValueError("pool: arrays do not have the sizes of the geometry")
    if not (image.contiguous and pixels.contiguous) or image.itemsize != pixels.itemsize:
        raise ValueError("pool: arrays must be contiguous and of one type")
    if place != NULL and not (place.contiguous and place.size == pixels.size):
        raise ValueError("pool: places must be contiguous, one for each output")
    return 0


def max_pool2d(object x, object y, object place, object g):
    """y (N, OH, OW, C): largest value of each window of x (N, H, W, C); place: its h*W + w, or
    None."""
    cdef Array a = array_of(x, NULL)
    cdef Array b = writable(y, NULL)
    cdef Array p
    cdef Window w = window(g)
    p.data = NULL
    if place is not None:
        p = writable(place, b"i")
    check(&a, &b, NULL if place is None else &p, &w)
    with nogil:
        if a.itemsize == 4:
            c_max_pool2d_f32[rt.level](
                <const float *> a.data, <float *> b.data, <int32_t *> p.data, &w, rt.threads)
        else:
            c_max_pool2d_f64[rt.level](
                <const double *> a.data, <double *> b.data, <int32_t *> p.data, &w, rt.threads)


def max_pool2d_scatter(object grad, object place, object y, object g):
    """y (N, H, W, C): the sums of grad (N, OH, OW, C) at its places, 0 elsewhere."""
    cdef Array a = array_of(grad, NULL)
    cdef Array p = array_of(place, b"i")
    cdef Array b = writable(y, NULL)
    cdef Window w = window(g)
    check(&b, &a, &p, &w)
    with nogil:
        if a.itemsize == 4:
            max_pool2d_scatter_f32[rt.level](
                <const float *> a.data, <const int32_t *> p.data, <float *> b.data, &w, rt.threads)
        else:
            max_pool2d_scatter_f64[rt.level](
                <const double *> a.data, <const int32_t *> p.data, <double *> b.data, &w,
                rt.threads)


def max_pool2d_gather(object x, object place, object y, object g):
    """y (N, OH, OW, C) = x (N, H, W, C) at the places."""
    cdef Array a = array_of(x, NULL)
    cdef Array p = array_of(place, b"i")
    cdef Array b = writable(y, NULL)
    cdef Window w = window(g)
    check(&a, &b, &p, &w)
    with nogil:
        if a.itemsize == 4:
            max_pool2d_gather_f32[rt.level](
                <const float *> a.data, <const int32_t *> p.data, <float *> b.data, &w, rt.threads)
        else:
            max_pool2d_gather_f64[rt.level](
                <const double *> a.data, <const int32_t *> p.data, <double *> b.data, &w,
                rt.threads)


def avg_pool2d(object x, object y, object g):
    """y (N, OH, OW, C): mean of the cells of each window that lie inside x (N, H, W, C)."""
    cdef Array a = array_of(x, NULL)
    cdef Array b = writable(y, NULL)
    cdef Window w = window(g)
    cdef int failed
    check(&a, &b, NULL, &w)
    with nogil:
        if a.itemsize == 4:
            failed = avg_pool2d_f32[rt.level](
                <const float *> a.data, <float *> b.data, &w, rt.threads)
        else:
            failed = avg_pool2d_f64[rt.level](
                <const double *> a.data, <double *> b.data, &w, rt.threads)
    if failed:
        raise MemoryError("avg_pool2d: no memory for partial sums")


def avg_pool2d_grad(object grad, object y, object g):
    """y (N, H, W, C), zeros: grad / count is added to each cell of its window."""
    cdef Array a = array_of(grad, NULL)
    cdef Array b = writable(y, NULL)
    cdef Window w = window(g)
    check(&b, &a, NULL, &w)
    with nogil:
        if a.itemsize == 4:
            avg_pool2d_grad_f32[rt.level](<const float *> a.data, <float *> b.data, &w, rt.threads)
        else:
            avg_pool2d_grad_f64[rt.level](
                <const double *> a.data, <double *> b.data, &w, rt.threads)


# The loops that pool.c replaces, to be read first: one output at a time, its window row by row
# (windows of one size; adaptive ones only differ in where they start and end).

def max_pool2d_loops_f32(
    const float[:, :, :, ::1] x, float[:, :, :, ::1] y, int32_t[:, :, :, ::1] place, object g
):
    """y, place (N, OH, OW, C) of x (N, H, W, C): largest value of each window, and where it is."""
    cdef Window s = window(g)
    cdef Py_ssize_t n, oh, ow, c, kh, kw, h, w
    cdef float value
    with nogil:
        for n in range(s.N):
            for oh in range(s.OH):
                for ow in range(s.OW):
                    for c in range(s.C):
                        place[n, oh, ow, c] = -1
                        for kh in range(s.KH):
                            h = oh * s.stride_h + kh - s.top
                            if h < 0 or h >= s.H:
                                continue
                            for kw in range(s.KW):
                                w = ow * s.stride_w + kw - s.left
                                if w < 0 or w >= s.W:
                                    continue
                                value = x[n, h, w, c]
                                # A NaN (value != value) wins, and nothing is larger than it.
                                if (place[n, oh, ow, c] < 0 or value > y[n, oh, ow, c]
                                        or (value != value and y[n, oh, ow, c] == y[n, oh, ow, c])):
                                    y[n, oh, ow, c] = value
                                    place[n, oh, ow, c] = <int32_t> (h * s.W + w)


def max_pool2d_loops_f64(
    const double[:, :, :, ::1] x, double[:, :, :, ::1] y, int32_t[:, :, :, ::1] place, object g
):
    """The same in double precision."""
    cdef Window s = window(g)
    cdef Py_ssize_t n, oh, ow, c, kh, kw, h, w
    cdef double value
    with nogil:
        for n in range(s.N):
            for oh in range(s.OH):
                for ow in range(s.OW):
                    for c in range(s.C):
                        place[n, oh, ow, c] = -1
                        for kh in range(s.KH):
                            h = oh * s.stride_h + kh - s.top
                            if h < 0 or h >= s.H:
                                continue
                            for kw in range(s.KW):
                                w = ow * s.stride_w + kw - s.left
                                if w < 0 or w >= s.W:
                                    continue
                                value = x[n, h, w, c]
                                if (place[n, oh, ow, c] < 0 or value > y[n, oh, ow, c]
                                        or (value != value and y[n, oh, ow, c] == y[n, oh, ow, c])):
                                    y[n, oh, ow, c] = value
                                    place[n, oh, ow, c] = <int32_t> (h * s.W + w)
