"""Elementwise operations: from ndarrays to the rows of elementwise.c.

These functions are methods of `tinydl.backend.cpu.elementwise.Elementwise` (the class body names
them), which saves one Python call per operation. Types other than float32 and float64, and shapes
that the contract does not promise, go to the reference backend.
"""

from cpython.buffer cimport (
    Py_buffer,
    PyBUF_STRIDES,
    PyBUF_WRITABLE,
    PyBuffer_IsContiguous,
    PyBuffer_Release,
    PyObject_GetBuffer,
)

from cpython.object cimport PyObject

from room cimport MAX_NDIM, Runtime, runtime

import numpy as np

from tinydl.backend.reference.elementwise import Elementwise as Reference


cdef extern from "elementwise.h" nogil:
    enum:
        OP_negative, OP_exp, OP_log, OP_sqrt, OP_abs, OP_sign, OP_tanh, OP_sigmoid, OP_relu
        OP_log1p, OP_expm1, OP_softplus, OP_sin, OP_cos, OP_erf, OP_floor, OP_round
        OP_add, OP_subtract, OP_multiply, OP_divide, OP_power, OP_maximum, OP_minimum, OP_atan2
        OP_relu_grad, OP_tanh_grad, OP_sigmoid_grad
        OP_equal, OP_not_equal, OP_less, OP_less_equal, OP_greater, OP_greater_equal
        OP_where, OP_from_f32, OP_from_f64, OP_from_i32, OP_from_i64, OP_from_u8
    ctypedef void (*ElementwiseKernel)(
        int op, int inputs, const void **x, const Py_ssize_t **steps, void *y, int ndim,
        const Py_ssize_t *shape, int threads)
    ElementwiseKernel elementwise_f32[3]
    ElementwiseKernel elementwise_f64[3]

# A call with one positional argument, without the tuple of an ordinary one.
cdef extern from "Python.h":
    object PyObject_CallOneArg(object function, object argument)

cdef Runtime *rt = runtime()

cdef object ndarray = np.ndarray
cdef object empty = np.empty
cdef object empty_like = np.empty_like
cdef object FLOAT32 = np.dtype(np.float32)
cdef object FLOAT64 = np.dtype(np.float64)
cdef object BOOL = np.dtype(np.bool_)
cdef dict CASTS = {
    FLOAT32: OP_from_f32,
    FLOAT64: OP_from_f64,
    np.dtype(np.int32): OP_from_i32,
    np.dtype(np.int64): OP_from_i64,
    np.dtype(np.uint8): OP_from_u8,
    BOOL: OP_from_u8,
}
cdef Py_ssize_t ZEROS[MAX_NDIM]  # the strides of a repeated 0-d operand

cdef enum:
    OTHER = -1
    SINGLE = 0
    DOUBLE = 1
    RELEASE_MIN = 4096  # elements; below, giving up the GIL costs more than the kernel


cdef inline int kind_of(object dtype) except -2:
    """By identity first: most arrays carry NumPy's own dtype objects (unpickled ones do not)."""
    if dtype is FLOAT32:
        return SINGLE
    if dtype is FLOAT64:
        return DOUBLE
    if dtype is BOOL:
        return OTHER
    return SINGLE if dtype == FLOAT32 else DOUBLE if dtype == FLOAT64 else OTHER


cdef inline bint same_shape(const Py_buffer *a, const Py_buffer *b) noexcept:
    cdef int axis
    if a.ndim != b.ndim:
        return False
    for axis in range(a.ndim):
        if a.shape[axis] != b.shape[axis]:
            return False
    return True


cdef object run(
    int op, int kind, int inputs, PyObject *a, PyObject *b, PyObject *c, object dtype
):
    """op(a, b, c) as a fresh array, or None where shapes are neither equal nor ()."""
    cdef Py_buffer views[4]  # operands, then the result
    cdef PyObject *operands[3]
    cdef const void *x[3]
    cdef const Py_ssize_t *steps[3]
    cdef int k, whole = 0, held = 0
    cdef Py_ssize_t size = 1
    cdef ElementwiseKernel kernel
    cdef object y
    operands[0], operands[1], operands[2] = a, b, c
    try:
        # Buffers are held until the kernel has run: nothing has to be copied out of them.
        for k in range(inputs):
            PyObject_GetBuffer(<object> operands[k], &views[k], PyBUF_STRIDES)
            held += 1
            x[k] = views[k].buf
            steps[k] = views[k].strides if views[k].ndim else ZEROS
            if views[k].ndim and not views[whole].ndim:
                whole = k
        for k in range(inputs):
            if views[k].ndim and k != whole and not same_shape(&views[k], &views[whole]):
                return None
        for k in range(views[whole].ndim):
            size *= views[whole].shape[k]
        y = <object> operands[whole]
        if type(y) is ndarray and y.dtype is dtype and PyBuffer_IsContiguous(&views[whole], b"C"):
            y = PyObject_CallOneArg(empty_like, y)
        else:
            y = empty(y.shape, dtype)
        if size == 0:
            return y
        PyObject_GetBuffer(y, &views[held], PyBUF_STRIDES | PyBUF_WRITABLE)
        held += 1
        kernel = elementwise_f32[rt.level] if kind == SINGLE else elementwise_f64[rt.level]
        if size < RELEASE_MIN:
            kernel(
                op, inputs, x, steps, views[inputs].buf, views[whole].ndim, views[whole].shape, 1)
        else:
            with nogil:
                kernel(
                    op, inputs, x, steps, views[inputs].buf, views[whole].ndim, views[whole].shape,
                    rt.threads)
        return y
    finally:
        for k in range(held):
            PyBuffer_Release(&views[k])


cdef inline object unary(int op, str name, object self, object x):
    cdef object dtype = x.dtype
    cdef int kind = kind_of(dtype)
    if kind == OTHER or x.ndim > MAX_NDIM:
        return getattr(Reference, name)(self, x)
    return run(op, kind, 1, <PyObject *> x, NULL, NULL, dtype)


cdef inline object binary(int op, str name, object self, object a, object b):
    cdef object dtype = a.dtype
    cdef int kind = kind_of(dtype)
    cdef object y = None
    if kind != OTHER and kind_of(b.dtype) == kind:
        if OP_equal <= op <= OP_greater_equal:
            dtype = BOOL
        y = run(op, kind, 2, <PyObject *> a, <PyObject *> b, NULL, dtype)
    return getattr(Reference, name)(self, a, b) if y is None else y


# -- one operand ----------------------------------------------------------------------------------


def negative(self, x):
    return unary(OP_negative, "negative", self, x)


def exp(self, x):
    return unary(OP_exp, "exp", self, x)


def log(self, x):
    return unary(OP_log, "log", self, x)


def sqrt(self, x):
    return unary(OP_sqrt, "sqrt", self, x)


def abs(self, x):
    return unary(OP_abs, "abs", self, x)


def sign(self, x):
    return unary(OP_sign, "sign", self, x)


def tanh(self, x):
    return unary(OP_tanh, "tanh", self, x)


def sigmoid(self, x):
    return unary(OP_sigmoid, "sigmoid", self, x)


def relu(self, x):
    return unary(OP_relu, "relu", self, x)


def log1p(self, x):
    return unary(OP_log1p, "log1p", self, x)


def expm1(self, x):
    return unary(OP_expm1, "expm1", self, x)


def softplus(self, x):
    return unary(OP_softplus, "softplus", self, x)


def sin(self, x):
    return unary(OP_sin, "sin", self, x)


def cos(self, x):
    return unary(OP_cos, "cos", self, x)


def erf(self, x):
    return unary(OP_erf, "erf", self, x)


def floor(self, x):
    return unary(OP_floor, "floor", self, x)


def round(self, x):
    return unary(OP_round, "round", self, x)


def astype(self, x, dtype):
    """To float32 or float64 from every type a tensor may have; the others are the reference's."""
    cdef object source = x.dtype
    cdef object target = np.dtype(dtype)
    cdef int kind = kind_of(target)
    cdef object code = CASTS.get(source)
    if kind == OTHER or code is None:
        return Reference.astype(self, x, dtype)
    return run(<int> code, kind, 1, <PyObject *> x, NULL, NULL, target)


# -- two operands ---------------------------------------------------------------------------------


def add(self, a, b):
    return binary(OP_add, "add", self, a, b)


def subtract(self, a, b):
    return binary(OP_subtract, "subtract", self, a, b)


def multiply(self, a, b):
    return binary(OP_multiply, "multiply", self, a, b)


def divide(self, a, b):
    return binary(OP_divide, "divide", self, a, b)


def power(self, a, b):
    return binary(OP_power, "power", self, a, b)


def maximum(self, a, b):
    return binary(OP_maximum, "maximum", self, a, b)


def minimum(self, a, b):
    return binary(OP_minimum, "minimum", self, a, b)


def atan2(self, a, b):
    return binary(OP_atan2, "atan2", self, a, b)


# -- derivatives ----------------------------------------------------------------------------------


def relu_grad(self, y, grad):
    return binary(OP_relu_grad, "relu_grad", self, y, grad)


def tanh_grad(self, y, grad):
    return binary(OP_tanh_grad, "tanh_grad", self, y, grad)


def sigmoid_grad(self, y, grad):
    return binary(OP_sigmoid_grad, "sigmoid_grad", self, y, grad)


# -- comparisons ----------------------------------------------------------------------------------


def equal(self, a, b):
    return binary(OP_equal, "equal", self, a, b)


def not_equal(self, a, b):
    return binary(OP_not_equal, "not_equal", self, a, b)


def less(self, a, b):
    return binary(OP_less, "less", self, a, b)


def less_equal(self, a, b):
    return binary(OP_less_equal, "less_equal", self, a, b)


def greater(self, a, b):
    return binary(OP_greater, "greater", self, a, b)


def greater_equal(self, a, b):
    return binary(OP_greater_equal, "greater_equal", self, a, b)


def where(self, condition, a, b):
    cdef object dtype = a.dtype
    cdef int kind = kind_of(dtype)
    cdef object y = None
    if kind != OTHER and kind_of(b.dtype) == kind and condition.dtype == BOOL:
        y = run(OP_where, kind, 3, <PyObject *> condition, <PyObject *> a, <PyObject *> b, dtype)
    return Reference.where(self, condition, a, b) if y is None else y
