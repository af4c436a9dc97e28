"""Random numbers: from ndarrays to random.c. float32 and float64, C-contiguous."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from room cimport Array, Runtime, array_of, runtime, writable


cdef extern from "random.h" nogil:
    void (*uniform_f32[3])(uint64_t key, uint64_t offset, float *y, Py_ssize_t n, int threads)
    void (*uniform_f64[3])(uint64_t key, uint64_t offset, double *y, Py_ssize_t n, int threads)
    void (*normal_f32[3])(uint64_t key, uint64_t offset, float *y, Py_ssize_t n, int threads)
    void (*normal_f64[3])(uint64_t key, uint64_t offset, double *y, Py_ssize_t n, int threads)
    void (*bernoulli_f32[3])(
        uint64_t key, uint64_t offset, uint32_t threshold, uint8_t *y, Py_ssize_t n, int threads)
    void (*dropout_f32[3])(
        const float *x, uint64_t key, uint64_t offset, uint32_t threshold, double scale, float *y,
        Py_ssize_t n, int threads)
    void (*dropout_f64[3])(
        const double *x, uint64_t key, uint64_t offset, uint32_t threshold, double scale, double *y,
        Py_ssize_t n, int threads)

cdef Runtime *rt = runtime()


cdef Array output(object y) except *:
    cdef Array out = writable(y, NULL)
    if not out.contiguous:
        raise ValueError("random kernels fill contiguous arrays")
    return out


def uniform(uint64_t key, uint64_t offset, object y):
    """Fills y with uniforms on [0, 1) from block `offset` of the stream `key`."""
    cdef Array out = output(y)
    with nogil:
        if out.itemsize == 4:
            uniform_f32[rt.level](key, offset, <float *> out.data, out.size, rt.threads)
        else:
            uniform_f64[rt.level](key, offset, <double *> out.data, out.size, rt.threads)


def normal(uint64_t key, uint64_t offset, object y):
    """Fills y with standard normals from block `offset` of the stream `key`."""
    cdef Array out = output(y)
    with nogil:
        if out.itemsize == 4:
            normal_f32[rt.level](key, offset, <float *> out.data, out.size, rt.threads)
        else:
            normal_f64[rt.level](key, offset, <double *> out.data, out.size, rt.threads)


def bernoulli(uint64_t key, uint64_t offset, uint32_t threshold, object y):
    """Fills the bool array y: True where a 24-bit word is below `threshold`."""
    cdef Array out = output(y)
    with nogil:
        bernoulli_f32[rt.level](
            key, offset, threshold, <uint8_t *> out.data, out.size, rt.threads)


def dropout(object x, uint64_t key, uint64_t offset, uint32_t threshold, double scale, object y):
    """y = x * scale where bernoulli(key, offset, threshold) holds, else 0."""
    cdef Array a = array_of(x, NULL)
    cdef Array out = output(y)
    if not a.contiguous or a.size != out.size or a.itemsize != out.itemsize:
        raise ValueError("dropout: x and y differ in layout")
    with nogil:
        if a.itemsize == 4:
            dropout_f32[rt.level](
                <const float *> a.data, key, offset, threshold, scale, <float *> out.data, a.size,
                rt.threads)
        else:
            dropout_f64[rt.level](
                <const double *> a.data, key, offset, threshold, scale, <double *> out.data, a.size,
                rt.threads)
