"""Attention: from ndarrays to attention.c. float32 or float64 of any strides but the last axis."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from room cimport Array, Runtime, array_of, runtime, writable


cdef extern from "attention.h" nogil:
    ctypedef struct Attention:
        Py_ssize_t N, L, S, H, G, E, V
        Py_ssize_t q[3]
        Py_ssize_t k[3]
        Py_ssize_t v[3]
        Py_ssize_t mask[4]
        Py_ssize_t bias[4]
        Py_ssize_t first
        double scale
        uint64_t key, offset
        uint32_t threshold
        double kept
    int (*attention_f32[3])(
        const Attention *a, const float *q, const float *k, const float *v, const uint8_t *mask,
        const float *bias, float *y, float *logs, int threads)
    int (*attention_f64[3])(
        const Attention *a, const double *q, const double *k, const double *v, const uint8_t *mask,
        const double *bias, double *y, double *logs, int threads)
    int (*attention_grad_f32[3])(
        const Attention *a, const float *grad, const float *y, const float *logs, const float *q,
        const float *k, const float *v, const uint8_t *mask, const float *bias, float *grad_q,
        float *grad_k, float *grad_v, int threads)
    int (*attention_grad_f64[3])(
        const Attention *a, const double *grad, const double *y, const double *logs,
        const double *q, const double *k, const double *v, const uint8_t *mask, const double *bias,
        double *grad_q, double *grad_k, double *grad_v, int threads)

cdef Runtime *rt = runtime()


cdef int steps_of(Array *x, Py_ssize_t N, Py_ssize_t steps, Py_ssize_t heads, Py_ssize_t size,
                  Py_ssize_t *into) except -1:
    """The steps of x (N, steps, heads, size), whose numbers adjoin; ValueError if it is not."""
    cdef int axis
    if x.ndim != 4 or not (x.shape[0] == N and x.shape[1] == steps and x.shape[2] == heads
                           and x.shape[3] == size and (size == 1 or x.strides[3] == 1)):
        raise ValueError("attention: an array has the wrong shape, or numbers that do not adjoin")
    for axis in range(3):
        into[axis] = x.strides[axis]
    return 0


cdef int map_steps(Array *x, Attention *a, Py_ssize_t *into) except -1:
    """The steps of a mask or bias (N, H, L, S)."""
    cdef int axis
    if x.ndim != 4 or not (x.shape[0] == a.N and x.shape[1] == a.H and x.shape[2] == a.L
                           and x.shape[3] == a.S):
        raise ValueError("attention: mask and bias must be (N, H, L, S)")
    for axis in range(4):
        into[axis] = x.strides[axis]
    return 0


cdef int describe(Attention *a, Array *q, Array *k, Array *v, Py_ssize_t first, double scale,
                  tuple stream) except -1:
    """Sizes, steps and options; stream (key, offset, threshold, kept)."""
    if q.ndim != 4 or k.ndim != 4 or v.ndim != 4:
        raise ValueError("attention: q, k and v have four axes")
    a.N, a.L, a.H, a.E = q.shape[0], q.shape[1], q.shape[2], q.shape[3]
    a.S, a.G, a.V = k.shape[1], k.shape[2], v.shape[3]
    if a.G == 0 or a.H % a.G or not q.itemsize == k.itemsize == v.itemsize:
        raise ValueError("attention: heads of keys must divide those of queries, types be equal")
    steps_of(q, a.N, a.L, a.H, a.E, a.q)
    steps_of(k, a.N, a.S, a.G, a.E, a.k)
    steps_of(v, a.N, a.S, a.G, a.V, a.v)
    a.first, a.scale = first, scale
    a.key, a.offset, a.threshold, a.kept = stream
    return 0


def attention(object q, object k, object v, object mask, object bias, Py_ssize_t first,
              double scale, tuple stream, object y, object logs):
    """Fills y (N, L, H, V) and logs (N, H, L); MemoryError without memory."""
    cdef Attention a
    cdef Array x = array_of(q, NULL), keys = array_of(k, NULL), values = array_of(v, NULL)
    cdef Array out = writable(y, NULL), sums = writable(logs, NULL), m, b
    cdef uint8_t *hidden = NULL
    cdef char *added = NULL
    cdef int failed
    describe(&a, &x, &keys, &values, first, scale, stream)
    if mask is not None:
        m = array_of(mask, b"?")
        map_steps(&m, &a, a.mask)
        hidden = <uint8_t *> m.data
    if bias is not None:
        b = array_of(bias, b"f" if x.itemsize == 4 else b"d")
        map_steps(&b, &a, a.bias)
        added = b.data
    if not (out.contiguous and sums.contiguous and out.size == a.N * a.L * a.H * a.V
            and sums.size == a.N * a.H * a.L and out.itemsize == sums.itemsize == x.itemsize):
        raise ValueError("attention: results must be contiguous and fit")
    with nogil:
        if x.itemsize == 4:
            failed = attention_f32[rt.level](
                &a, <const float *> x.data, <const float *> keys.data, <const float *> values.data,
                hidden, <const float *> added, <float *> out.data, <float *> sums.data, rt.threads)
        else:
            failed = attention_f64[rt.level](
                &a, <const double *> x.data, <const double *> keys.data,
                <const double *> values.data, hidden, <const double *> added, <double *> out.data,
                <double *> sums.data, rt.threads)
    if failed:
        raise MemoryError("attention: no memory for packed keys and values")


def attention_grad(object grad, object y, object logs, object q, object k, object v, object mask,
                   object bias, Py_ssize_t first, double scale, tuple stream, object grad_q,
                   object grad_k, object grad_v):
    """Fills grad_q, grad_k and grad_v, shaped like q, k and v; MemoryError without memory."""
    cdef Attention a
    cdef Array x = array_of(q, NULL), keys = array_of(k, NULL), values = array_of(v, NULL), m, b
    cdef Array g = array_of(grad, NULL), out = array_of(y, NULL), sums = array_of(logs, NULL)
    cdef Array gq = writable(grad_q, NULL), gk = writable(grad_k, NULL), gv = writable(grad_v, NULL)
    cdef uint8_t *hidden = NULL
    cdef char *added = NULL
    cdef int failed
    describe(&a, &x, &keys, &values, first, scale, stream)
    if mask is not None:
        m = array_of(mask, b"?")
        map_steps(&m, &a, a.mask)
        hidden = <uint8_t *> m.data
    if bias is not None:
        b = array_of(bias, b"f" if x.itemsize == 4 else b"d")
        map_steps(&b, &a, a.bias)
        added = b.data
    if not (g.contiguous and out.contiguous and sums.contiguous and gq.contiguous
            and gk.contiguous and gv.contiguous and g.size == out.size == a.N * a.L * a.H * a.V
            and sums.size == a.N * a.H * a.L and gq.size == x.size and gk.size == keys.size
            and gv.size == values.size and g.itemsize == out.itemsize == sums.itemsize
            == gq.itemsize == gk.itemsize == gv.itemsize == x.itemsize):
        raise ValueError("attention_grad: gradients and results must be contiguous and fit")
    with nogil:
        if x.itemsize == 4:
            failed = attention_grad_f32[rt.level](
                &a, <const float *> g.data, <const float *> out.data, <const float *> sums.data,
                <const float *> x.data, <const float *> keys.data, <const float *> values.data,
                hidden, <const float *> added, <float *> gq.data, <float *> gk.data,
                <float *> gv.data, rt.threads)
        else:
            failed = attention_grad_f64[rt.level](
                &a, <const double *> g.data, <const double *> out.data, <const double *> sums.data,
                <const double *> x.data, <const double *> keys.data, <const double *> values.data,
                hidden, <const double *> added, <double *> gq.data, <double *> gk.data,
                <double *> gv.data, rt.threads)
    if failed:
        raise MemoryError("attention_grad: no memory for packed operands")
