"""Normalisation: from ndarrays to norm.c and norm_rows.c. Everything C-contiguous, of one type,
float32 or float64, and not empty."""

from room cimport Array, Runtime, array_of, runtime, writable


cdef extern from "norm.h" nogil:
    int (*channel_norm_f32[3])(
        const float *x, const float *scale, const float *shift, float *y, float *mean,
        float *variance, Py_ssize_t N, Py_ssize_t P, Py_ssize_t C, Py_ssize_t G, float eps,
        int threads)
    int (*channel_norm_f64[3])(
        const double *x, const double *scale, const double *shift, double *y, double *mean,
        double *variance, Py_ssize_t N, Py_ssize_t P, Py_ssize_t C, Py_ssize_t G, double eps,
        int threads)
    int (*channel_norm_apply_f32[3])(
        const float *x, const float *scale, const float *shift, const float *mean,
        const float *variance, float *y, Py_ssize_t N, Py_ssize_t P, Py_ssize_t C, Py_ssize_t G,
        float eps, int threads)
    int (*channel_norm_apply_f64[3])(
        const double *x, const double *scale, const double *shift, const double *mean,
        const double *variance, double *y, Py_ssize_t N, Py_ssize_t P, Py_ssize_t C, Py_ssize_t G,
        double eps, int threads)
    int (*channel_norm_sums_f32[3])(
        const float *grad, const float *x, const float *mean, const float *variance, float *shifts,
        float *scales, Py_ssize_t N, Py_ssize_t P, Py_ssize_t C, Py_ssize_t G, float eps,
        int threads)
    int (*channel_norm_sums_f64[3])(
        const double *grad, const double *x, const double *mean, const double *variance,
        double *shifts, double *scales, Py_ssize_t N, Py_ssize_t P, Py_ssize_t C, Py_ssize_t G,
        double eps, int threads)
    int (*channel_norm_grad_f32[3])(
        const float *grad, const float *x, const float *scale, const float *mean,
        const float *variance, const float *shifts, const float *scales, float *grad_x,
        Py_ssize_t N, Py_ssize_t P, Py_ssize_t C, Py_ssize_t G, float eps, int threads)
    int (*channel_norm_grad_f64[3])(
        const double *grad, const double *x, const double *scale, const double *mean,
        const double *variance, const double *shifts, const double *scales, double *grad_x,
        Py_ssize_t N, Py_ssize_t P, Py_ssize_t C, Py_ssize_t G, double eps, int threads)
    void (*row_norm_f32[3])(
        const float *x, const float *scale, const float *shift, float *y, float *mean,
        float *variance, Py_ssize_t N, Py_ssize_t D, float eps, int threads)
    void (*row_norm_f64[3])(
        const double *x, const double *scale, const double *shift, double *y, double *mean,
        double *variance, Py_ssize_t N, Py_ssize_t D, double eps, int threads)
    int (*row_norm_grad_f32[3])(
        const float *grad, const float *x, const float *scale, const float *mean,
        const float *variance, float *grad_x, float *grad_scale, float *grad_shift, Py_ssize_t N,
        Py_ssize_t D, float eps, int threads)
    int (*row_norm_grad_f64[3])(
        const double *grad, const double *x, const double *scale, const double *mean,
        const double *variance, double *grad_x, double *grad_scale, double *grad_shift,
        Py_ssize_t N, Py_ssize_t D, double eps, int threads)

cdef Runtime *rt = runtime()


cdef int check(Array *a, Py_ssize_t size, int itemsize) except -1:
    if not a.contiguous or a.size != size or a.itemsize != itemsize:
        raise ValueError("norm: arrays must be contiguous, of one type and of matching sizes")
    return 0


cdef Array taken(object x, Py_ssize_t size, int itemsize) except *:
    """An input of so many elements; ValueError if it is anything else."""
    cdef Array a = array_of(x, NULL)
    check(&a, size, itemsize)
    return a


cdef Array filled(object x, Py_ssize_t size, int itemsize) except *:
    """The same for an output."""
    cdef Array a = writable(x, NULL)
    check(&a, size, itemsize)
    return a


cdef Array whole(object x, int ndim) except *:
    """The array that gives the sizes."""
    cdef Array a = array_of(x, NULL)
    if not a.contiguous or a.ndim != ndim or a.size == 0:
        raise ValueError("norm: x must be contiguous, not empty, (N, P, C) or (N, D)")
    return a


cdef int ended(int failed) except -1:
    if failed:
        raise MemoryError("norm: no memory for partial results")
    return 0


def channel_norm(object x, object scale, object shift, object y, object mean, object variance,
                 double eps):
    """Fills y (N, P, C), mean and variance (N, G)."""
    cdef Array a = whole(x, 3)
    cdef Py_ssize_t N = a.shape[0], P = a.shape[1], C = a.shape[2], G = mean.shape[1]
    cdef Array s = taken(scale, C, a.itemsize), b = taken(shift, C, a.itemsize)
    cdef Array o = filled(y, a.size, a.itemsize), m = filled(mean, N * G, a.itemsize)
    cdef Array v = filled(variance, N * G, a.itemsize)
    cdef int failed
    with nogil:
        if a.itemsize == 4:
            failed = channel_norm_f32[rt.level](
                <const float *> a.data, <const float *> s.data, <const float *> b.data,
                <float *> o.data, <float *> m.data, <float *> v.data, N, P, C, G, <float> eps,
                rt.threads)
        else:
            failed = channel_norm_f64[rt.level](
                <const double *> a.data, <const double *> s.data, <const double *> b.data,
                <double *> o.data, <double *> m.data, <double *> v.data, N, P, C, G, eps,
                rt.threads)
    ended(failed)


def channel_norm_apply(object x, object scale, object shift, object mean, object variance,
                       object y, double eps):
    """Fills y (N, P, C) from given mean and variance (N, G)."""
    cdef Array a = whole(x, 3)
    cdef Py_ssize_t N = a.shape[0], P = a.shape[1], C = a.shape[2], G = mean.shape[1]
    cdef Array s = taken(scale, C, a.itemsize), b = taken(shift, C, a.itemsize)
    cdef Array m = taken(mean, N * G, a.itemsize), v = taken(variance, N * G, a.itemsize)
    cdef Array o = filled(y, a.size, a.itemsize)
    cdef int failed
    with nogil:
        if a.itemsize == 4:
            failed = channel_norm_apply_f32[rt.level](
                <const float *> a.data, <const float *> s.data, <const float *> b.data,
                <const float *> m.data, <const float *> v.data, <float *> o.data, N, P, C, G,
                <float> eps, rt.threads)
        else:
            failed = channel_norm_apply_f64[rt.level](
                <const double *> a.data, <const double *> s.data, <const double *> b.data,
                <const double *> m.data, <const double *> v.data, <double *> o.data, N, P, C, G,
                eps, rt.threads)
    ended(failed)


def channel_norm_sums(object grad, object x, object mean, object variance, object shifts,
                      object scales, double eps):
    """Fills shifts and scales (N, C)."""
    cdef Array a = whole(x, 3)
    cdef Py_ssize_t N = a.shape[0], P = a.shape[1], C = a.shape[2], G = mean.shape[1]
    cdef Array g = taken(grad, a.size, a.itemsize)
    cdef Array m = taken(mean, N * G, a.itemsize), v = taken(variance, N * G, a.itemsize)
    cdef Array s = filled(scales, N * C, a.itemsize), b = filled(shifts, N * C, a.itemsize)
    cdef int failed
    with nogil:
        if a.itemsize == 4:
            failed = channel_norm_sums_f32[rt.level](
                <const float *> g.data, <const float *> a.data, <const float *> m.data,
                <const float *> v.data, <float *> b.data, <float *> s.data, N, P, C, G,
                <float> eps, rt.threads)
        else:
            failed = channel_norm_sums_f64[rt.level](
                <const double *> g.data, <const double *> a.data, <const double *> m.data,
                <const double *> v.data, <double *> b.data, <double *> s.data, N, P, C, G, eps,
                rt.threads)
    ended(failed)


def channel_norm_grad(object grad, object x, object scale, object mean, object variance,
                      object shifts, object scales, object grad_x, double eps):
    """Fills grad_x (N, P, C) from the sums of channel_norm_sums."""
    cdef Array a = whole(x, 3)
    cdef Py_ssize_t N = a.shape[0], P = a.shape[1], C = a.shape[2], G = mean.shape[1]
    cdef Array g = taken(grad, a.size, a.itemsize), w = taken(scale, C, a.itemsize)
    cdef Array m = taken(mean, N * G, a.itemsize), v = taken(variance, N * G, a.itemsize)
    cdef Array s = taken(scales, N * C, a.itemsize), b = taken(shifts, N * C, a.itemsize)
    cdef Array o = filled(grad_x, a.size, a.itemsize)
    cdef int failed
    with nogil:
        if a.itemsize == 4:
            failed = channel_norm_grad_f32[rt.level](
                <const float *> g.data, <const float *> a.data, <const float *> w.data,
                <const float *> m.data, <const float *> v.data, <const float *> b.data,
                <const float *> s.data, <float *> o.data, N, P, C, G, <float> eps, rt.threads)
        else:
            failed = channel_norm_grad_f64[rt.level](
                <const double *> g.data, <const double *> a.data, <const double *> w.data,
                <const double *> m.data, <const double *> v.data, <const double *> b.data,
                <const double *> s.data, <double *> o.data, N, P, C, G, eps, rt.threads)
    ended(failed)


def row_norm(object x, object scale, object shift, object y, object mean, object variance,
             double eps):
    """Fills y (N, D), mean and variance (N,)."""
    cdef Array a = whole(x, 2)
    cdef Py_ssize_t N = a.shape[0], D = a.shape[1]
    cdef Array s = taken(scale, D, a.itemsize), b = taken(shift, D, a.itemsize)
    cdef Array o = filled(y, a.size, a.itemsize), m = filled(mean, N, a.itemsize)
    cdef Array v = filled(variance, N, a.itemsize)
    with nogil:
        if a.itemsize == 4:
            row_norm_f32[rt.level](
                <const float *> a.data, <const float *> s.data, <const float *> b.data,
                <float *> o.data, <float *> m.data, <float *> v.data, N, D, <float> eps,
                rt.threads)
        else:
            row_norm_f64[rt.level](
                <const double *> a.data, <const double *> s.data, <const double *> b.data,
                <double *> o.data, <double *> m.data, <double *> v.data, N, D, eps, rt.threads)


def row_norm_grad(object grad, object x, object scale, object mean, object variance,
                  object grad_x, object grad_scale, object grad_shift, double eps):
    """Fills grad_x (N, D), grad_scale and grad_shift (D,)."""
    cdef Array a = whole(x, 2)
    cdef Py_ssize_t N = a.shape[0], D = a.shape[1]
    cdef Array g = taken(grad, a.size, a.itemsize), w = taken(scale, D, a.itemsize)
    cdef Array m = taken(mean, N, a.itemsize), v = taken(variance, N, a.itemsize)
    cdef Array o = filled(grad_x, a.size, a.itemsize)
    cdef Array s = filled(grad_scale, D, a.itemsize), b = filled(grad_shift, D, a.itemsize)
    cdef int failed
    with nogil:
        if a.itemsize == 4:
            failed = row_norm_grad_f32[rt.level](
                <const float *> g.data, <const float *> a.data, <const float *> w.data,
                <const float *> m.data, <const float *> v.data, <float *> o.data,
                <float *> s.data, <float *> b.data, N, D, <float> eps, rt.threads)
        else:
            failed = row_norm_grad_f64[rt.level](
                <const double *> g.data, <const double *> a.data, <const double *> w.data,
                <const double *> m.data, <const double *> v.data, <double *> o.data,
                <double *> s.data, <double *> b.data, N, D, eps, rt.threads)
    ended(failed)
