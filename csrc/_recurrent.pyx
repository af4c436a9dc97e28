"""Vanilla recurrent network: the gates of recurrent.c, and the loops of the whole sequence.

All arrays are C-contiguous float32 or float64: states, grad, delta (N, T, H); recurrent, carried
(N, H).
"""

from libc.math cimport tanh, tanhf

from room cimport Array, Runtime, array_of, runtime, writable


cdef extern from "recurrent.h" nogil:
    void (*rnn_gate_f32[3])(
        const float *recurrent, float *states, Py_ssize_t t, Py_ssize_t N, Py_ssize_t T,
        Py_ssize_t H, int threads)
    void (*rnn_gate_f64[3])(
        const double *recurrent, double *states, Py_ssize_t t, Py_ssize_t N, Py_ssize_t T,
        Py_ssize_t H, int threads)
    void (*rnn_gate_grad_f32[3])(
        const float *grad, const float *carried, const float *states, float *delta, Py_ssize_t t,
        Py_ssize_t N, Py_ssize_t T, Py_ssize_t H, int threads)
    void (*rnn_gate_grad_f64[3])(
        const double *grad, const double *carried, const double *states, double *delta,
        Py_ssize_t t, Py_ssize_t N, Py_ssize_t T, Py_ssize_t H, int threads)

cdef Runtime *rt = runtime()


cdef int check(Array *sequence, Array *step, Py_ssize_t t) except -1:
    """ValueError unless sequence is (N, T, H) and step (N, H), with 0 <= t < T."""
    if sequence.ndim != 3 or step.ndim != 2 or not (sequence.contiguous and step.contiguous):
        raise ValueError("rnn: arrays must be contiguous, (N, T, H) and (N, H)")
    if (sequence.shape[0] != step.shape[0] or sequence.shape[2] != step.shape[1]
            or not 0 <= t < sequence.shape[1] or sequence.itemsize != step.itemsize):
        raise ValueError("rnn: sizes differ")
    return 0


def rnn_gate(object recurrent, object states, Py_ssize_t t):
    """states[:, t] = tanh(states[:, t] + recurrent), in place."""
    cdef Array r = array_of(recurrent, NULL)
    cdef Array s = writable(states, NULL)
    check(&s, &r, t)
    with nogil:
        if s.itemsize == 4:
            rnn_gate_f32[rt.level](
                <const float *> r.data, <float *> s.data, t, s.shape[0], s.shape[1], s.shape[2],
                rt.threads)
        else:
            rnn_gate_f64[rt.level](
                <const double *> r.data, <double *> s.data, t, s.shape[0], s.shape[1], s.shape[2],
                rt.threads)


def rnn_gate_grad(object grad, object carried, object states, object delta, Py_ssize_t t):
    """delta[:, t] = (grad[:, t] + carried) * (1 - states[:, t]^2)."""
    cdef Array g = array_of(grad, NULL)
    cdef Array c = array_of(carried, NULL)
    cdef Array s = array_of(states, NULL)
    cdef Array d = writable(delta, NULL)
    check(&g, &c, t)
    check(&s, &c, t)
    check(&d, &c, t)
    if g.shape[1] != d.shape[1] or s.shape[1] != d.shape[1]:
        raise ValueError("rnn: sequences differ in length")
    with nogil:
        if g.itemsize == 4:
            rnn_gate_grad_f32[rt.level](
                <const float *> g.data, <const float *> c.data, <const float *> s.data,
                <float *> d.data, t, s.shape[0], s.shape[1], s.shape[2], rt.threads)
        else:
            rnn_gate_grad_f64[rt.level](
                <const double *> g.data, <const double *> c.data, <const double *> s.data,
                <double *> d.data, t, s.shape[0], s.shape[1], s.shape[2], rt.threads)


# The loops that the products and gates replace, to be read first: one cell h_t[n, j] at a time.

def rnn_forward_loops_f32(
    const float[:, :, ::1] x, const float[:, ::1] h0, const float[:, ::1] weight_x,
    const float[:, ::1] weight_h, const float[::1] bias, float[:, :, ::1] states
):
    """states (N, T, H) of x (N, T, D), h0 (N, H), weight_x (D, H), weight_h (H, H), bias (H,)."""
    cdef Py_ssize_t N = x.shape[0], T = x.shape[1], D = x.shape[2], H = bias.shape[0]
    cdef Py_ssize_t n, t, d, i, j
    cdef float a, before
    with nogil:
        for n in range(N):
            for t in range(T):
                for j in range(H):
                    a = bias[j]
                    for d in range(D):
                        a += x[n, t, d] * weight_x[d, j]
                    for i in range(H):
                        before = h0[n, i] if t == 0 else states[n, t - 1, i]
                        a += before * weight_h[i, j]
                    states[n, t, j] = tanhf(a)


def rnn_forward_loops_f64(
    const double[:, :, ::1] x, const double[:, ::1] h0, const double[:, ::1] weight_x,
    const double[:, ::1] weight_h, const double[::1] bias, double[:, :, ::1] states
):
    """The same in double precision."""
    cdef Py_ssize_t N = x.shape[0], T = x.shape[1], D = x.shape[2], H = bias.shape[0]
    cdef Py_ssize_t n, t, d, i, j
    cdef double a, before
    with nogil:
        for n in range(N):
            for t in range(T):
                for j in range(H):
                    a = bias[j]
                    for d in range(D):
                        a += x[n, t, d] * weight_x[d, j]
                    for i in range(H):
                        before = h0[n, i] if t == 0 else states[n, t - 1, i]
                        a += before * weight_h[i, j]
                    states[n, t, j] = tanh(a)
