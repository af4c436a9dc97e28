"""Update rules: from ndarrays to optim.c. C-contiguous float32 or float64, written in place."""

from room cimport Array, Runtime, array_of, runtime, writable


cdef extern from "optim.h" nogil:
    void (*sgd_step_f32[3])(
        const float *grad, float *param, float *velocity, Py_ssize_t n, double lr, double momentum,
        int nesterov, double weight_decay, int threads)
    void (*sgd_step_f64[3])(
        const double *grad, double *param, double *velocity, Py_ssize_t n, double lr,
        double momentum, int nesterov, double weight_decay, int threads)
    void (*rmsprop_step_f32[3])(
        const float *grad, float *param, float *square, Py_ssize_t n, double lr, double rho,
        double eps, double weight_decay, int threads)
    void (*rmsprop_step_f64[3])(
        const double *grad, double *param, double *square, Py_ssize_t n, double lr, double rho,
        double eps, double weight_decay, int threads)
    void (*adam_step_f32[3])(
        const float *grad, float *param, float *mean, float *square, Py_ssize_t n, double lr,
        double beta1, double beta2, double eps, double weight_decay, double mean_scale,
        double square_scale, int threads)
    void (*adam_step_f64[3])(
        const double *grad, double *param, double *mean, double *square, Py_ssize_t n, double lr,
        double beta1, double beta2, double eps, double weight_decay, double mean_scale,
        double square_scale, int threads)

cdef Runtime *rt = runtime()


cdef int check(Array *param, Array *other) except -1:
    if not (param.contiguous and other.contiguous):
        raise ValueError("optim: arrays must be contiguous")
    if param.size != other.size or param.itemsize != other.itemsize:
        raise ValueError("optim: arrays must have one size and type")
    return 0


def sgd_step(
    object grad, object param, object velocity, double lr, double momentum, bint nesterov,
    double weight_decay
):
    """param and velocity (or None), in place."""
    cdef Array g = array_of(grad, NULL)
    cdef Array p = writable(param, NULL)
    cdef Array v
    v.data = NULL
    if velocity is not None:
        v = writable(velocity, NULL)
        check(&p, &v)
    check(&p, &g)
    with nogil:
        if p.itemsize == 4:
            sgd_step_f32[rt.level](
                <const float *> g.data, <float *> p.data, <float *> v.data, p.size, lr, momentum,
                nesterov, weight_decay, rt.threads)
        else:
            sgd_step_f64[rt.level](
                <const double *> g.data, <double *> p.data, <double *> v.data, p.size, lr, momentum,
                nesterov, weight_decay, rt.threads)


def rmsprop_step(
    object grad, object param, object square, double lr, double rho, double eps, double weight_decay
):
    """param and square, in place."""
    cdef Array g = array_of(grad, NULL)
    cdef Array p = writable(param, NULL)
    cdef Array s = writable(square, NULL)
    check(&p, &g)
    check(&p, &s)
    with nogil:
        if p.itemsize == 4:
            rmsprop_step_f32[rt.level](
                <const float *> g.data, <float *> p.data, <float *> s.data, p.size, lr, rho, eps,
                weight_decay, rt.threads)
        else:
            rmsprop_step_f64[rt.level](
                <const double *> g.data, <double *> p.data, <double *> s.data, p.size, lr, rho, eps,
                weight_decay, rt.threads)


def adam_step(
    object grad, object param, object mean, object square, double lr, double beta1, double beta2,
    double eps, double weight_decay, double mean_scale, double square_scale
):
    """param, mean and square, in place."""
    cdef Array g = array_of(grad, NULL)
    cdef Array p = writable(param, NULL)
    cdef Array m = writable(mean, NULL)
    cdef Array v = writable(square, NULL)
    check(&p, &g)
    check(&p, &m)
    check(&p, &v)
    with nogil:
        if p.itemsize == 4:
            adam_step_f32[rt.level](
                <const float *> g.data, <float *> p.data, <float *> m.data, <float *> v.data,
                p.size, lr, beta1, beta2, eps, weight_decay, mean_scale, square_scale, rt.threads)
        else:
            adam_step_f64[rt.level](
                <const double *> g.data, <double *> p.data, <double *> m.data, <double *> v.data,
                p.size, lr, beta1, beta2, eps, weight_decay, mean_scale, square_scale, rt.threads)
