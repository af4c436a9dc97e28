"""Convolutions on the processor: the Cython module of conv*.c, and loops to be read."""

from room cimport (
    NPY_DOUBLE,
    NPY_FLOAT,
    Array,
    PyArray_Check,
    PyArray_IS_C_CONTIGUOUS,
    PyArray_SimpleNew,
    PyArray_TYPE,
    PyArrayObject,
    Runtime,
    array_of,
    runtime,
    writable,
)


cdef extern from "conv.h" nogil:
    int LEVEL_AVX2, LEVEL_AVX512
    ctypedef struct ConvSizes:
        Py_ssize_t N, H, W, C, KH, KW, F, OH, OW
        Py_ssize_t stride_y, stride_x, top, left, dilation_y, dilation_x, groups
    int (*c_conv2d_f32 "conv2d_f32"[3])(
        const float *x, const float *weight, const float *bias, float *y,
        const ConvSizes *g, int relu, int packed, int threads)
    int (*c_conv2d_f64 "conv2d_f64"[3])(
        const double *x, const double *weight, const double *bias, double *y,
        const ConvSizes *g, int relu, int packed, int threads)
    Py_ssize_t (*c_pack_f32 "conv2d_pack_f32"[3])(
        const float *weight, float *packed, const ConvSizes *g)
    Py_ssize_t (*c_pack_f64 "conv2d_pack_f64"[3])(
        const double *weight, double *packed, const ConvSizes *g)
    int (*c_input_grad_f32 "conv2d_input_grad_f32"[3])(
        const float *grad, const float *weight, float *grad_x, const ConvSizes *g, int threads)
    int (*c_input_grad_f64 "conv2d_input_grad_f64"[3])(
        const double *grad, const double *weight, double *grad_x, const ConvSizes *g, int threads)
    int (*c_weight_grad_f32 "conv2d_weight_grad_f32"[3])(
        const float *x, const float *grad, float *grad_weight, const ConvSizes *g, int threads)
    int (*c_weight_grad_f64 "conv2d_weight_grad_f64"[3])(
        const double *x, const double *grad, double *grad_weight, const ConvSizes *g, int threads)
    void (*c_im2col_f32 "im2col_f32"[3])(
        const float *x, float *columns, const ConvSizes *g, int threads)
    void (*c_im2col_f64 "im2col_f64"[3])(
        const double *x, double *columns, const ConvSizes *g, int threads)
    void (*c_col2im_f32 "col2im_f32"[3])(
        const float *columns, float *x, const ConvSizes *g, int threads)
    void (*c_col2im_f64 "col2im_f64"[3])(
        const double *columns, double *x, const ConvSizes *g, int threads)


cdef Runtime *rt = runtime()


cdef ConvSizes sizes_of(object g) except *:
    """The struct of a tinydl.geometry.Conv2dGeometry."""
    cdef ConvSizes s
    s.N, s.H, s.W, s.C, s.KH, s.KW, s.F, s.OH, s.OW = (
        g.N, g.H, g.W, g.C, g.KH, g.KW, g.F, g.OH, g.OW)
    s.stride_y, s.stride_x = g.stride
    s.top, _, s.left, _ = g.padding
    s.dilation_y, s.dilation_x = g.dilation
    s.groups = g.groups
    return s


cdef char *contiguous(Array a, Py_ssize_t size, str name) except? NULL:
    """The data of a contiguous array of `size` elements, or ValueError."""
    if not a.contiguous or a.size != size:
        raise ValueError(
            f"conv: {name} must be contiguous with {size} elements, it has {a.size}"
        )
    return a.data


cdef Py_ssize_t x_size(ConvSizes *s) noexcept:
    return s.N * s.H * s.W * s.C


cdef Py_ssize_t y_size(ConvSizes *s) noexcept:
    return s.N * s.OH * s.OW * s.F


cdef Py_ssize_t weight_size(ConvSizes *s) noexcept:
    return s.KH * s.KW * (s.C // s.groups) * s.F


cdef Py_ssize_t columns_size(ConvSizes *s) noexcept:
    return s.N * s.OH * s.OW * s.KH * s.KW * s.C


cdef int check(int failed) except -1:
    if failed:
        raise MemoryError("conv: no memory for the packed weights")
    return 0


cdef int level_for(ConvSizes *s, Py_ssize_t wide) noexcept nogil:
    """Depthwise channels that do not fill the `wide` lanes of AVX-512 go in the vectors of AVX2."""
    if s.groups == s.C and s.F == s.C and s.C % wide and rt.level == LEVEL_AVX512:
        return LEVEL_AVX2
    return rt.level


cdef inline bint is_whole(object x) noexcept:
    """A C-contiguous ndarray of float32 or float64."""
    cdef PyArrayObject *array = <PyArrayObject *> x
    return PyArray_Check(x) and PyArray_IS_C_CONTIGUOUS(array) and (
        PyArray_TYPE(array) == NPY_FLOAT or PyArray_TYPE(array) == NPY_DOUBLE)


def conv2d(object self, object x, object weight, object bias, object g):
    """A method of `tinydl.backend.cpu.conv.Conv`: y as the kernel makes it, in a new array."""
    return convolve(self, x, weight, bias, g, False)


def conv2d_packed(object self, object x, object packed, object bias, object g):
    """`conv2d` with a packed weight: the same bits, unless g is a product of one row."""
    return convolve(self, x, packed, bias, g, True)


cdef object convolve(object self, object x, object weight, object bias, object g, bint packed):
    cdef Py_ssize_t shape[4]
    cdef int axis
    if g.product is not None or not (
        is_whole(x) and is_whole(weight) and (bias is None or is_whole(bias))
    ):
        return self.conv2d_of_any(x, weight, bias, g, packed)
    for axis in range(4):
        shape[axis] = g.y_shape[axis]
    y = PyArray_SimpleNew(4, shape, PyArray_TYPE(<PyArrayObject *> x))
    if PyArray_TYPE(<PyArrayObject *> x) == NPY_FLOAT:
        conv2d_f32(x, weight, bias, y, g, False, packed)
    else:
        conv2d_f64(x, weight, bias, y, g, False, packed)
    return y


def conv2d_f32(
    object x, object weight, object bias, object y, object g, bint relu, bint packed=False
):
    """y (N, OH, OW, F) = relu?(conv(x (N, H, W, C), weight (KH, KW, C/groups, F)) + bias (F,));
    with `packed`, weight is what conv2d_pack has written."""
    cdef ConvSizes s = sizes_of(g)
    cdef const float *px = <const float *> contiguous(array_of(x, b"f"), x_size(&s), "x")
    cdef const float *pw = <const float *> contiguous(
        array_of(weight, b"f"),
        c_pack_f32[rt.level](NULL, NULL, &s) if packed else weight_size(&s), "weight")
    cdef float *py = <float *> contiguous(writable(y, b"f"), y_size(&s), "y")
    cdef const float *pb = NULL
    cdef int failed
    if bias is not None:
        pb = <const float *> contiguous(array_of(bias, b"f"), s.F, "bias")
    with nogil:
        failed = c_conv2d_f32[level_for(&s, 16)](px, pw, pb, py, &s, relu, packed, rt.threads)
    check(failed)


def conv2d_pack_f32(object weight, object packed, object g):
    """The number of elements that the weight (KH, KW, C/groups, F) has in the order in which it is
    multiplied at this level, 0 if the kernel of g reads it as it is; writes them into `packed`
    (1-D) unless that is None."""
    cdef ConvSizes s = sizes_of(g)
    cdef const float *pw = <const float *> contiguous(
        array_of(weight, b"f"), weight_size(&s), "weight")
    cdef Py_ssize_t size = c_pack_f32[rt.level](pw, NULL, &s)
    cdef float *to
    if packed is not None:
        to = <float *> contiguous(writable(packed, b"f"), size, "packed")
        with nogil:
            c_pack_f32[rt.level](pw, to, &s)
    return size


def conv2d_f64(
    object x, object weight, object bias, object y, object g, bint relu, bint packed=False
):
    """The same in double precision."""
    cdef ConvSizes s = sizes_of(g)
    cdef const double *px = <const double *> contiguous(array_of(x, b"d"), x_size(&s), "x")
    cdef const double *pw = <const double *> contiguous(
        array_of(weight, b"d"),
        c_pack_f64[rt.level](NULL, NULL, &s) if packed else weight_size(&s), "weight")
    cdef double *py = <double *> contiguous(writable(y, b"d"), y_size(&s), "y")
    cdef const double *pb = NULL
    cdef int failed
    if bias is not None:
        pb = <const double *> contiguous(array_of(bias, b"d"), s.F, "bias")
    with nogil:
        failed = c_conv2d_f64[level_for(&s, 8)](px, pw, pb, py, &s, relu, packed, rt.threads)
    check(failed)


def conv2d_pack_f64(object weight, object packed, object g):
    """The same in double precision."""
    cdef ConvSizes s = sizes_of(g)
    cdef const double *pw = <const double *> contiguous(
        array_of(weight, b"d"), weight_size(&s), "weight")
    cdef Py_ssize_t size = c_pack_f64[rt.level](pw, NULL, &s)
    cdef double *to
    if packed is not None:
        to = <double *> contiguous(writable(packed, b"d"), size, "packed")
        with nogil:
            c_pack_f64[rt.level](pw, to, &s)
    return size


def conv2d_input_grad_f32(object grad, object weight, object grad_x, object g):
    """grad_x (N, H, W, C) from grad (N, OH, OW, F) and weight (KH, KW, C/groups, F)."""
    cdef ConvSizes s = sizes_of(g)
    cdef const float *pg = <const float *> contiguous(array_of(grad, b"f"), y_size(&s), "grad")
    cdef const float *pw = <const float *> contiguous(
        array_of(weight, b"f"), weight_size(&s), "weight")
    cdef float *px = <float *> contiguous(writable(grad_x, b"f"), x_size(&s), "grad_x")
    cdef int failed
    with nogil:
        failed = c_input_grad_f32[level_for(&s, 16)](pg, pw, px, &s, rt.threads)
    check(failed)


def conv2d_input_grad_f64(object grad, object weight, object grad_x, object g):
    """The same in double precision."""
    cdef ConvSizes s = sizes_of(g)
    cdef const double *pg = <const double *> contiguous(array_of(grad, b"d"), y_size(&s), "grad")
    cdef const double *pw = <const double *> contiguous(
        array_of(weight, b"d"), weight_size(&s), "weight")
    cdef double *px = <double *> contiguous(writable(grad_x, b"d"), x_size(&s), "grad_x")
    cdef int failed
    with nogil:
        failed = c_input_grad_f64[level_for(&s, 8)](pg, pw, px, &s, rt.threads)
    check(failed)


def conv2d_weight_grad_f32(object x, object grad, object grad_weight, object g):
    """grad_weight (KH, KW, C/groups, F) from x (N, H, W, C) and grad (N, OH, OW, F)."""
    cdef ConvSizes s = sizes_of(g)
    cdef const float *px = <const float *> contiguous(array_of(x, b"f"), x_size(&s), "x")
    cdef const float *pg = <const float *> contiguous(array_of(grad, b"f"), y_size(&s), "grad")
    cdef float *pw = <float *> contiguous(
        writable(grad_weight, b"f"), weight_size(&s), "grad_weight")
    cdef int failed
    with nogil:
        failed = c_weight_grad_f32[level_for(&s, 16)](px, pg, pw, &s, rt.threads)
    check(failed)


def conv2d_weight_grad_f64(object x, object grad, object grad_weight, object g):
    """The same in double precision."""
    cdef ConvSizes s = sizes_of(g)
    cdef const double *px = <const double *> contiguous(array_of(x, b"d"), x_size(&s), "x")
    cdef const double *pg = <const double *> contiguous(array_of(grad, b"d"), y_size(&s), "grad")
    cdef double *pw = <double *> contiguous(
        writable(grad_weight, b"d"), weight_size(&s), "grad_weight")
    cdef int failed
    with nogil:
        failed = c_weight_grad_f64[level_for(&s, 8)](px, pg, pw, &s, rt.threads)
    check(failed)


def im2col_f32(object x, object columns, object g):
    """columns (N*OH*OW, KH*KW*C) from x (N, H, W, C)."""
    cdef ConvSizes s = sizes_of(g)
    cdef const float *px = <const float *> contiguous(array_of(x, b"f"), x_size(&s), "x")
    cdef float *pc = <float *> contiguous(writable(columns, b"f"), columns_size(&s), "columns")
    with nogil:
        c_im2col_f32[rt.level](px, pc, &s, rt.threads)


def im2col_f64(object x, object columns, object g):
    """The same in double precision."""
    cdef ConvSizes s = sizes_of(g)
    cdef const double *px = <const double *> contiguous(array_of(x, b"d"), x_size(&s), "x")
    cdef double *pc = <double *> contiguous(writable(columns, b"d"), columns_size(&s), "columns")
    with nogil:
        c_im2col_f64[rt.level](px, pc, &s, rt.threads)


def col2im_f32(object columns, object x, object g):
    """x (N, H, W, C), each pixel the sum of its entries in columns (N*OH*OW, KH*KW*C)."""
    cdef ConvSizes s = sizes_of(g)
    cdef const float *pc = <const float *> contiguous(
        array_of(columns, b"f"), columns_size(&s), "columns")
    cdef float *px = <float *> contiguous(writable(x, b"f"), x_size(&s), "x")
    with nogil:
        c_col2im_f32[rt.level](pc, px, &s, rt.threads)


def col2im_f64(object columns, object x, object g):
    """The same in double precision."""
    cdef ConvSizes s = sizes_of(g)
    cdef const double *pc = <const double *> contiguous(
        array_of(columns, b"d"), columns_size(&s), "columns")
    cdef double *px = <double *> contiguous(writable(x, b"d"), x_size(&s), "x")
    with nogil:
        c_col2im_f64[rt.level](pc, px, &s, rt.threads)


# The seven loops that the direct kernels replace, to be read first: every output is the sum over
# its window, in the order in which a textbook writes it.

def conv2d_loops_f32(
    const float[:, :, :, ::1] x, const float[:, :, :, ::1] weight, float[:, :, :, ::1] y, object g
):
    """y (N, OH, OW, F) = conv2d(x (N, H, W, C), weight (KH, KW, C / groups, F)), without a bias."""
    cdef ConvSizes s = sizes_of(g)
    cdef Py_ssize_t n, oh, ow, f, kh, kw, c, h, w, first
    cdef Py_ssize_t width = s.C // s.groups, filters = s.F // s.groups
    cdef float total
    with nogil:
        for n in range(s.N):
            for oh in range(s.OH):
                for ow in range(s.OW):
                    for f in range(s.F):
                        total = 0
                        first = f // filters * width  # the first channel of this filter's group
                        for kh in range(s.KH):
                            h = oh * s.stride_y + kh * s.dilation_y - s.top
                            for kw in range(s.KW):
                                w = ow * s.stride_x + kw * s.dilation_x - s.left
                                if 0 <= h < s.H and 0 <= w < s.W:
                                    for c in range(width):
                                        total += x[n, h, w, first + c] * weight[kh, kw, c, f]
                        y[n, oh, ow, f] = total


# The readable loop. A convolution is im2col(x) [N*OH*OW x KH*KW*C] @ weight [KH*KW*C x F]: rows are
# output pixels, columns are output channels, and the sum runs over the window. conv.c gets the same
# numbers without ever writing the patches down.


def im2col_loops_f32(const float[:, :, :, ::1] x, float[:, :, :, :, :, ::1] columns, object g):
    """columns (N, OH, OW, KH, KW, C) from x (N, H, W, C), one element at a time."""
    cdef ConvSizes s = sizes_of(g)
    cdef Py_ssize_t n, oh, ow, kh, kw, c, h, w
    with nogil:
        for n in range(s.N):
            for oh in range(s.OH):
                for ow in range(s.OW):
                    for kh in range(s.KH):
                        for kw in range(s.KW):
                            h = oh * s.stride_y + kh * s.dilation_y - s.top
                            w = ow * s.stride_x + kw * s.dilation_x - s.left
                            for c in range(s.C):
                                if 0 <= h < s.H and 0 <= w < s.W:
                                    columns[n, oh, ow, kh, kw, c] = x[n, h, w, c]
                                else:
                                    columns[n, oh, ow, kh, kw, c] = 0


def im2col_loops_f64(const double[:, :, :, ::1] x, double[:, :, :, :, :, ::1] columns, object g):
    """The same in double precision."""
    cdef ConvSizes s = sizes_of(g)
    cdef Py_ssize_t n, oh, ow, kh, kw, c, h, w
    with nogil:
        for n in range(s.N):
            for oh in range(s.OH):
                for ow in range(s.OW):
                    for kh in range(s.KH):
                        for kw in range(s.KW):
                            h = oh * s.stride_y + kh * s.dilation_y - s.top
                            w = ow * s.stride_x + kw * s.dilation_x - s.left
                            for c in range(s.C):
                                if 0 <= h < s.H and 0 <= w < s.W:
                                    columns[n, oh, ow, kh, kw, c] = x[n, h, w, c]
                                else:
                                    columns[n, oh, ow, kh, kw, c] = 0
