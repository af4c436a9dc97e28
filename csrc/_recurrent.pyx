"""Recurrent networks: the loops over time of recurrent*.c, and the loops of a whole sequence.

All arrays are C-contiguous, float32 or float64; masks bool, or None; drop None or (N, H).
"""

from libc.math cimport tanh, tanhf

from room cimport Array, Runtime, array_of, runtime, writable


cdef extern from "recurrent.h" nogil:
    int (*rnn_run_f32[3])(
        const float *h0, const float *weight_h, const char *mask, const float *drop, float
        *states, Py_ssize_t N, Py_ssize_t T, Py_ssize_t H, int relu, int threads)
    int (*rnn_run_f64[3])(
        const double *h0, const double *weight_h, const char *mask, const double *drop, double
        *states, Py_ssize_t N, Py_ssize_t T, Py_ssize_t H, int relu, int threads)
    int (*rnn_back_f32[3])(
        const float *grad, const float *states, const float *weight_h, const char *mask, const
        float *drop, float *delta, float *grad_h0, Py_ssize_t N, Py_ssize_t T, Py_ssize_t H, int
        relu, int threads)
    int (*rnn_back_f64[3])(
        const double *grad, const double *states, const double *weight_h, const char *mask,
        const double *drop, double *delta, double *grad_h0, Py_ssize_t N, Py_ssize_t T,
        Py_ssize_t H, int relu, int threads)
    int (*lstm_run_f32[3])(
        const float *h0, const float *c0, const float *weight_h, const char *mask, const float
        *drop, float *gates, float *rows, float *cells, Py_ssize_t N, Py_ssize_t T, Py_ssize_t
        H, int hard, int threads)
    int (*lstm_run_f64[3])(
        const double *h0, const double *c0, const double *weight_h, const char *mask, const
        double *drop, double *gates, double *rows, double *cells, Py_ssize_t N, Py_ssize_t T,
        Py_ssize_t H, int hard, int threads)
    int (*lstm_back_f32[3])(
        const float *grad, const float *cells, const float *gates, const float *c0, const float
        *weight_h, const char *mask, const float *drop, float *delta, float *grad_h0, float
        *grad_c0, Py_ssize_t N, Py_ssize_t T, Py_ssize_t H, int hard, int threads)
    int (*lstm_back_f64[3])(
        const double *grad, const double *cells, const double *gates, const double *c0, const
        double *weight_h, const char *mask, const double *drop, double *delta, double *grad_h0,
        double *grad_c0, Py_ssize_t N, Py_ssize_t T, Py_ssize_t H, int hard, int threads)
    int (*gru_run_f32[3])(
        const float *h0, const float *weight_h, const float *bias_n, const char *mask, const
        float *drop, float *gates, float *states, float *inner, Py_ssize_t N, Py_ssize_t T,
        Py_ssize_t H, int hard, int threads)
    int (*gru_run_f64[3])(
        const double *h0, const double *weight_h, const double *bias_n, const char *mask, const
        double *drop, double *gates, double *states, double *inner, Py_ssize_t N, Py_ssize_t T,
        Py_ssize_t H, int hard, int threads)
    int (*gru_back_f32[3])(
        const float *grad, const float *states, const float *gates, const float *inner, const
        float *h0, const float *weight_h, const char *mask, const float *drop, float *delta,
        float *grad_inner, float *grad_h0, Py_ssize_t N, Py_ssize_t T, Py_ssize_t H, int
        reset_after, int hard, int threads)
    int (*gru_back_f64[3])(
        const double *grad, const double *states, const double *gates, const double *inner,
        const double *h0, const double *weight_h, const char *mask, const double *drop, double
        *delta, double *grad_inner, double *grad_h0, Py_ssize_t N, Py_ssize_t T, Py_ssize_t H,
        int reset_after, int hard, int threads)

cdef Runtime *rt = runtime()


cdef struct Sizes:
    Py_ssize_t N, T, H
    Py_ssize_t itemsize


cdef Sizes sizes_of(Array *sequence) except *:
    """N, T, H of a contiguous float array (N, T, H)."""
    cdef Sizes s
    if sequence.ndim != 3 or not sequence.contiguous or sequence.itemsize not in (4, 8):
        raise ValueError("recurrent: a sequence must be contiguous floats (N, T, H)")
    s.N, s.T, s.H = sequence.shape[0], sequence.shape[1], sequence.shape[2]
    s.itemsize = sequence.itemsize
    return s


cdef char *data_of(object x, Sizes *s, Py_ssize_t size, bint written=False) except? NULL:
    """Its data, after a check of element type and number; None gives NULL."""
    cdef Array a
    if x is None:
        return NULL
    a = writable(x, NULL) if written else array_of(x, NULL)
    if not a.contiguous or a.size != size or a.itemsize != s.itemsize:
        raise ValueError("recurrent: arrays must be contiguous, of one type and of fitting sizes")
    return a.data


cdef char *mask_of(object mask, Sizes *s) except? NULL:
    cdef Array a
    if mask is None:
        return NULL
    a = array_of(mask, b"?")
    if not a.contiguous or a.size != s.N * s.T:
        raise ValueError("recurrent: a mask must be contiguous, bool (N, T)")
    return a.data


def rnn_run(
    object h0, object weight_h, object mask, object drop, object states, bint relu
):
    """states = tanh(states + h @ weight_h), or relu, step by step, in place."""
    cdef Array whole = array_of(states, NULL)
    cdef Sizes s = sizes_of(&whole)
    cdef int failed
    cdef char *h0_data = data_of(h0, &s, s.N * s.H)
    cdef char *weight_h_data = data_of(weight_h, &s, s.H * s.H)
    cdef char *mask_data = mask_of(mask, &s)
    cdef char *drop_data = data_of(drop, &s, s.N * s.H)
    cdef char *states_data = data_of(states, &s, s.N * s.T * s.H, True)
    with nogil:
        if s.itemsize == 4:
            failed = rnn_run_f32[rt.level](
                <float *> h0_data, <float *> weight_h_data, mask_data, <float *>
                drop_data, <float *> states_data, s.N, s.T, s.H, relu, rt.threads)
        else:
            failed = rnn_run_f64[rt.level](
                <double *> h0_data, <double *> weight_h_data, mask_data, <double *>
                drop_data, <double *> states_data, s.N, s.T, s.H, relu, rt.threads)
    if failed:
        raise MemoryError("rnn_run: no memory for the packed weight")


def rnn_back(
    object grad, object states, object weight_h, object mask, object drop, object delta,
    object grad_h0, bint relu
):
    """delta and grad_h0 from grad and states."""
    cdef Array whole = array_of(states, NULL)
    cdef Sizes s = sizes_of(&whole)
    cdef int failed
    cdef char *grad_data = data_of(grad, &s, s.N * s.T * s.H)
    cdef char *states_data = data_of(states, &s, s.N * s.T * s.H)
    cdef char *weight_h_data = data_of(weight_h, &s, s.H * s.H)
    cdef char *mask_data = mask_of(mask, &s)
    cdef char *drop_data = data_of(drop, &s, s.N * s.H)
    cdef char *delta_data = data_of(delta, &s, s.N * s.T * s.H, True)
    cdef char *grad_h0_data = data_of(grad_h0, &s, s.N * s.H, True)
    with nogil:
        if s.itemsize == 4:
            failed = rnn_back_f32[rt.level](
                <float *> grad_data, <float *> states_data, <float *> weight_h_data,
                mask_data, <float *> drop_data, <float *> delta_data, <float *>
                grad_h0_data, s.N, s.T, s.H, relu, rt.threads)
        else:
            failed = rnn_back_f64[rt.level](
                <double *> grad_data, <double *> states_data, <double *>
                weight_h_data, mask_data, <double *> drop_data, <double *>
                delta_data, <double *> grad_h0_data, s.N, s.T, s.H, relu,
                rt.threads)
    if failed:
        raise MemoryError("rnn_back: no memory for the packed weight")


def lstm_run(
    object h0, object c0, object weight_h, object mask, object drop, object gates, object
    rows, object cells, bint hard
):
    """gates in place, rows and cells, from sums of inputs in gates."""
    cdef Array whole = array_of(cells, NULL)
    cdef Sizes s = sizes_of(&whole)
    cdef int failed
    cdef char *h0_data = data_of(h0, &s, s.N * s.H)
    cdef char *c0_data = data_of(c0, &s, s.N * s.H)
    cdef char *weight_h_data = data_of(weight_h, &s, 4 * s.H * s.H)
    cdef char *mask_data = mask_of(mask, &s)
    cdef char *drop_data = data_of(drop, &s, s.N * s.H)
    cdef char *gates_data = data_of(gates, &s, 4 * s.N * s.T * s.H, True)
    cdef char *rows_data = data_of(rows, &s, (s.N * s.T + s.N) * s.H, True)
    cdef char *cells_data = data_of(cells, &s, s.N * s.T * s.H, True)
    with nogil:
        if s.itemsize == 4:
            failed = lstm_run_f32[rt.level](
                <float *> h0_data, <float *> c0_data, <float *> weight_h_data,
                mask_data, <float *> drop_data, <float *> gates_data, <float *>
                rows_data, <float *> cells_data, s.N, s.T, s.H, hard, rt.threads)
        else:
            failed = lstm_run_f64[rt.level](
                <double *> h0_data, <double *> c0_data, <double *> weight_h_data,
                mask_data, <double *> drop_data, <double *> gates_data, <double *>
                rows_data, <double *> cells_data, s.N, s.T, s.H, hard, rt.threads)
    if failed:
        raise MemoryError("lstm_run: no memory for the packed weight")


def lstm_back(
    object grad, object cells, object gates, object c0, object weight_h, object mask, object
    drop, object delta, object grad_h0, object grad_c0, bint hard
):
    """delta, grad_h0 and grad_c0 from grad, cells and gates."""
    cdef Array whole = array_of(cells, NULL)
    cdef Sizes s = sizes_of(&whole)
    cdef int failed
    cdef char *grad_data = data_of(grad, &s, (s.N * s.T + s.N) * s.H)
    cdef char *cells_data = data_of(cells, &s, s.N * s.T * s.H)
    cdef char *gates_data = data_of(gates, &s, 4 * s.N * s.T * s.H)
    cdef char *c0_data = data_of(c0, &s, s.N * s.H)
    cdef char *weight_h_data = data_of(weight_h, &s, 4 * s.H * s.H)
    cdef char *mask_data = mask_of(mask, &s)
    cdef char *drop_data = data_of(drop, &s, s.N * s.H)
    cdef char *delta_data = data_of(delta, &s, 4 * s.N * s.T * s.H, True)
    cdef char *grad_h0_data = data_of(grad_h0, &s, s.N * s.H, True)
    cdef char *grad_c0_data = data_of(grad_c0, &s, s.N * s.H, True)
    with nogil:
        if s.itemsize == 4:
            failed = lstm_back_f32[rt.level](
                <float *> grad_data, <float *> cells_data, <float *> gates_data,
                <float *> c0_data, <float *> weight_h_data, mask_data, <float *>
                drop_data, <float *> delta_data, <float *> grad_h0_data, <float *>
                grad_c0_data, s.N, s.T, s.H, hard, rt.threads)
        else:
            failed = lstm_back_f64[rt.level](
                <double *> grad_data, <double *> cells_data, <double *> gates_data,
                <double *> c0_data, <double *> weight_h_data, mask_data, <double *>
                drop_data, <double *> delta_data, <double *> grad_h0_data, <double
                *> grad_c0_data, s.N, s.T, s.H, hard, rt.threads)
    if failed:
        raise MemoryError("lstm_back: no memory for the packed weight")


def gru_run(
    object h0, object weight_h, object bias_n, object mask, object drop, object gates,
    object states, object inner, bint hard
):
    """gates in place, states and inner, from sums of inputs in gates."""
    cdef Array whole = array_of(states, NULL)
    cdef Sizes s = sizes_of(&whole)
    cdef int failed
    cdef char *h0_data = data_of(h0, &s, s.N * s.H)
    cdef char *weight_h_data = data_of(weight_h, &s, 3 * s.H * s.H)
    cdef char *bias_n_data = data_of(bias_n, &s, s.H)
    cdef char *mask_data = mask_of(mask, &s)
    cdef char *drop_data = data_of(drop, &s, s.N * s.H)
    cdef char *gates_data = data_of(gates, &s, 3 * s.N * s.T * s.H, True)
    cdef char *states_data = data_of(states, &s, s.N * s.T * s.H, True)
    cdef char *inner_data = data_of(inner, &s, s.N * s.T * s.H, True)
    with nogil:
        if s.itemsize == 4:
            failed = gru_run_f32[rt.level](
                <float *> h0_data, <float *> weight_h_data, <float *> bias_n_data,
                mask_data, <float *> drop_data, <float *> gates_data, <float *>
                states_data, <float *> inner_data, s.N, s.T, s.H, hard, rt.threads)
        else:
            failed = gru_run_f64[rt.level](
                <double *> h0_data, <double *> weight_h_data, <double *>
                bias_n_data, mask_data, <double *> drop_data, <double *> gates_data,
                <double *> states_data, <double *> inner_data, s.N, s.T, s.H, hard,
                rt.threads)
    if failed:
        raise MemoryError("gru_run: no memory for the packed weight")


def gru_back(
    object grad, object states, object gates, object inner, object h0, object weight_h,
    object mask, object drop, object delta, object grad_inner, object grad_h0, bint
    reset_after, bint hard
):
    """delta, grad_inner and grad_h0 from grad, states, gates and inner."""
    cdef Array whole = array_of(states, NULL)
    cdef Sizes s = sizes_of(&whole)
    cdef int failed
    cdef char *grad_data = data_of(grad, &s, s.N * s.T * s.H)
    cdef char *states_data = data_of(states, &s, s.N * s.T * s.H)
    cdef char *gates_data = data_of(gates, &s, 3 * s.N * s.T * s.H)
    cdef char *inner_data = data_of(inner, &s, s.N * s.T * s.H)
    cdef char *h0_data = data_of(h0, &s, s.N * s.H)
    cdef char *weight_h_data = data_of(weight_h, &s, 3 * s.H * s.H)
    cdef char *mask_data = mask_of(mask, &s)
    cdef char *drop_data = data_of(drop, &s, s.N * s.H)
    cdef char *delta_data = data_of(delta, &s, 3 * s.N * s.T * s.H, True)
    cdef char *grad_inner_data = data_of(grad_inner, &s, s.N * s.T * s.H, True)
    cdef char *grad_h0_data = data_of(grad_h0, &s, s.N * s.H, True)
    with nogil:
        if s.itemsize == 4:
            failed = gru_back_f32[rt.level](
                <float *> grad_data, <float *> states_data, <float *> gates_data,
                <float *> inner_data, <float *> h0_data, <float *> weight_h_data,
                mask_data, <float *> drop_data, <float *> delta_data, <float *>
                grad_inner_data, <float *> grad_h0_data, s.N, s.T, s.H, reset_after,
                hard, rt.threads)
        else:
            failed = gru_back_f64[rt.level](
                <double *> grad_data, <double *> states_data, <double *> gates_data,
                <double *> inner_data, <double *> h0_data, <double *> weight_h_data,
                mask_data, <double *> drop_data, <double *> delta_data, <double *>
                grad_inner_data, <double *> grad_h0_data, s.N, s.T, s.H,
                reset_after, hard, rt.threads)
    if failed:
        raise MemoryError("gru_back: no memory for the packed weight")


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
