"""Pooling of regions of interest: from ndarrays to roi.c.

All arrays are C-contiguous float32 or float64; images, places and tables of cells are int32 and
checked here, so that a wrong one cannot write elsewhere.
"""

from libc.stdint cimport int32_t

from room cimport Array, Runtime, array_of, runtime, writable


cdef extern from "roi.h" nogil:
    ctypedef struct Regions:
        Py_ssize_t N, H, W, C, R, OH, OW, KH, KW
    void (*roi_pool_f32[3])(
        const float *x, const int32_t *image, const int32_t *rows, const int32_t *columns,
        float *y, int32_t *place, const Regions *g, int threads)
    void (*roi_pool_f64[3])(
        const double *x, const int32_t *image, const int32_t *rows, const int32_t *columns,
        double *y, int32_t *place, const Regions *g, int threads)
    void (*roi_pool_scatter_f32[3])(
        const float *grad, const int32_t *place, const int32_t *image, float *y, const Regions *g,
        int threads)
    void (*roi_pool_scatter_f64[3])(
        const double *grad, const int32_t *place, const int32_t *image, double *y,
        const Regions *g, int threads)
    void (*roi_pool_gather_f32[3])(
        const float *x, const int32_t *place, const int32_t *image, float *y, const Regions *g,
        int threads)
    void (*roi_pool_gather_f64[3])(
        const double *x, const int32_t *place, const int32_t *image, double *y, const Regions *g,
        int threads)
    void (*roi_align_f32[3])(
        const float *x, const int32_t *image, const int32_t *top, const float *weight_h,
        const int32_t *left, const float *weight_w, float *y, const Regions *g, int threads)
    void (*roi_align_f64[3])(
        const double *x, const int32_t *image, const int32_t *top, const double *weight_h,
        const int32_t *left, const double *weight_w, double *y, const Regions *g, int threads)
    void (*roi_align_grad_f32[3])(
        const float *grad, const int32_t *image, const int32_t *top, const float *weight_h,
        const int32_t *left, const float *weight_w, float *y, const Regions *g, int threads)
    void (*roi_align_grad_f64[3])(
        const double *grad, const int32_t *image, const int32_t *top, const double *weight_h,
        const int32_t *left, const double *weight_w, double *y, const Regions *g, int threads)

cdef Runtime *rt = runtime()


cdef Regions regions(Array *x, Array *bins) except *:
    """Sizes of x (N, H, W, C) and bins (R, OH, OW, C)."""
    cdef Regions g
    if not (x.contiguous and bins.contiguous) or x.itemsize != bins.itemsize:
        raise ValueError("roi: arrays must be contiguous and of one type")
    if x.ndim != 4 or bins.ndim != 4 or x.shape[3] != bins.shape[3]:
        raise ValueError("roi: arrays must be (N, H, W, C) and (R, OH, OW, C)")
    g.N, g.H, g.W, g.C = x.shape[0], x.shape[1], x.shape[2], x.shape[3]
    g.R, g.OH, g.OW, g.KH, g.KW = bins.shape[0], bins.shape[1], bins.shape[2], 1, 1
    return g


cdef Array integers(object x, Py_ssize_t size, Py_ssize_t low, Py_ssize_t high) except *:
    """`size` int32 values in low <= value <= high."""
    cdef Array a = array_of(x, b"i")
    cdef const int32_t *values = <const int32_t *> a.data
    cdef Py_ssize_t i
    if not a.contiguous or a.size != size:
        raise ValueError(f"roi: expected {size} contiguous integers, got {a.size}")
    for i in range(size):
        if values[i] < low or values[i] > high:
            raise ValueError(f"roi: a table holds {values[i]}, outside {low} ... {high}")
    return a


cdef Array weights(object x, Py_ssize_t size, Py_ssize_t itemsize) except *:
    cdef Array a = array_of(x, NULL)
    if not a.contiguous or a.size != size or a.itemsize != itemsize:
        raise ValueError(f"roi: expected {size} contiguous weights, got {a.size}")
    return a


def roi_pool(object x, object image, object rows, object columns, object y, object place):
    """y (R, OH, OW, C): largest value of each bin of x (N, H, W, C); place: its h*W + w or -1."""
    cdef Array a = array_of(x, NULL)
    cdef Array b = writable(y, NULL)
    cdef Array p = writable(place, b"i")
    cdef Regions g = regions(&a, &b)
    cdef Array n = integers(image, g.R, 0, g.N - 1)
    cdef Array h = integers(rows, 2 * g.R * g.OH, 0, g.H)
    cdef Array w = integers(columns, 2 * g.R * g.OW, 0, g.W)
    if not p.contiguous or p.size != b.size:
        raise ValueError("roi: places must be contiguous, one for each output")
    with nogil:
        if a.itemsize == 4:
            roi_pool_f32[rt.level](
                <const float *> a.data, <int32_t *> n.data, <int32_t *> h.data,
                <int32_t *> w.data, <float *> b.data, <int32_t *> p.data, &g, rt.threads)
        else:
            roi_pool_f64[rt.level](
                <const double *> a.data, <int32_t *> n.data, <int32_t *> h.data,
                <int32_t *> w.data, <double *> b.data, <int32_t *> p.data, &g, rt.threads)


def roi_pool_scatter(object grad, object place, object image, object y):
    """y (N, H, W, C), zeros: grad (R, OH, OW, C) is added at its places."""
    cdef Array a = array_of(grad, NULL)
    cdef Array b = writable(y, NULL)
    cdef Regions g = regions(&b, &a)
    cdef Array n = integers(image, g.R, 0, g.N - 1)
    cdef Array p = integers(place, a.size, -1, g.H * g.W - 1)
    with nogil:
        if a.itemsize == 4:
            roi_pool_scatter_f32[rt.level](
                <const float *> a.data, <int32_t *> p.data, <int32_t *> n.data,
                <float *> b.data, &g, rt.threads)
        else:
            roi_pool_scatter_f64[rt.level](
                <const double *> a.data, <int32_t *> p.data, <int32_t *> n.data,
                <double *> b.data, &g, rt.threads)


def roi_pool_gather(object x, object place, object image, object y):
    """y (R, OH, OW, C) = x (N, H, W, C) at the places, 0 at -1."""
    cdef Array a = array_of(x, NULL)
    cdef Array b = writable(y, NULL)
    cdef Regions g = regions(&a, &b)
    cdef Array n = integers(image, g.R, 0, g.N - 1)
    cdef Array p = integers(place, b.size, -1, g.H * g.W - 1)
    with nogil:
        if a.itemsize == 4:
            roi_pool_gather_f32[rt.level](
                <const float *> a.data, <int32_t *> p.data, <int32_t *> n.data,
                <float *> b.data, &g, rt.threads)
        else:
            roi_pool_gather_f64[rt.level](
                <const double *> a.data, <int32_t *> p.data, <int32_t *> n.data,
                <double *> b.data, &g, rt.threads)


cdef struct Tables:
    int32_t *image
    int32_t *top
    int32_t *left
    char *weight_h
    char *weight_w


cdef Tables tables(
    Regions *g, Py_ssize_t itemsize, object image, object top, object weight_h, object left,
    object weight_w
) except *:
    """The tables of roi_align; KH and KW are set in g, and no cell lies outside the image."""
    cdef Tables t
    g.KH, g.KW = weight_h.shape[2], weight_w.shape[2]
    t.image = <int32_t *> integers(image, g.R, 0, g.N - 1).data
    t.top = <int32_t *> integers(top, g.R * g.OH, 0, g.H - g.KH).data
    t.left = <int32_t *> integers(left, g.R * g.OW, 0, g.W - g.KW).data
    t.weight_h = weights(weight_h, g.R * g.OH * g.KH, itemsize).data
    t.weight_w = weights(weight_w, g.R * g.OW * g.KW, itemsize).data
    return t


def roi_align(
    object x, object image, object top, object weight_h, object left, object weight_w, object y
):
    """y (R, OH, OW, C): cells of x (N, H, W, C) from (top, left) on, times their two weights."""
    cdef Array a = array_of(x, NULL)
    cdef Array b = writable(y, NULL)
    cdef Regions g = regions(&a, &b)
    cdef Tables t = tables(&g, a.itemsize, image, top, weight_h, left, weight_w)
    with nogil:
        if a.itemsize == 4:
            roi_align_f32[rt.level](
                <const float *> a.data, t.image, t.top, <const float *> t.weight_h, t.left,
                <const float *> t.weight_w, <float *> b.data, &g, rt.threads)
        else:
            roi_align_f64[rt.level](
                <const double *> a.data, t.image, t.top, <const double *> t.weight_h, t.left,
                <const double *> t.weight_w, <double *> b.data, &g, rt.threads)


def roi_align_grad(
    object grad, object image, object top, object weight_h, object left, object weight_w, object y
):
    """y (N, H, W, C), zeros: grad (R, OH, OW, C) times the two weights is added to every cell."""
    cdef Array a = array_of(grad, NULL)
    cdef Array b = writable(y, NULL)
    cdef Regions g = regions(&b, &a)
    cdef Tables t = tables(&g, a.itemsize, image, top, weight_h, left, weight_w)
    with nogil:
        if a.itemsize == 4:
            roi_align_grad_f32[rt.level](
                <const float *> a.data, t.image, t.top, <const float *> t.weight_h, t.left,
                <const float *> t.weight_w, <float *> b.data, &g, rt.threads)
        else:
            roi_align_grad_f64[rt.level](
                <const double *> a.data, t.image, t.top, <const double *> t.weight_h, t.left,
                <const double *> t.weight_w, <double *> b.data, &g, rt.threads)
