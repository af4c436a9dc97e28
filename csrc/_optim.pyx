"""Update rules: from lists of ndarrays to optim.c. C-contiguous float32 or float64, in place.

Every step returns False, and has written nothing, if an array is not contiguous.
"""

from libc.math cimport sqrt
from libc.stdlib cimport free, malloc

from room cimport Array, Runtime, array_of, runtime, writable


cdef extern from "optim.h" nogil:
    ctypedef struct Parameter:
        const void *grad
        void *param
        void *states[3]
        Py_ssize_t n
        Py_ssize_t first
        double scales[3]
    enum: PIECE
    void (*sgd_step_f32[3])(
        const Parameter *parameters, Py_ssize_t count, double lr, double momentum, int nesterov,
        double weight_decay, int threads)
    void (*sgd_step_f64[3])(
        const Parameter *parameters, Py_ssize_t count, double lr, double momentum, int nesterov,
        double weight_decay, int threads)
    void (*rmsprop_step_f32[3])(
        const Parameter *parameters, Py_ssize_t count, double lr, double rho, double eps,
        double weight_decay, int threads)
    void (*rmsprop_step_f64[3])(
        const Parameter *parameters, Py_ssize_t count, double lr, double rho, double eps,
        double weight_decay, int threads)
    void (*adam_step_f32[3])(
        const Parameter *parameters, Py_ssize_t count, double lr, double beta1, double beta2,
        double eps, double weight_decay, int decoupled, int threads)
    void (*adam_step_f64[3])(
        const Parameter *parameters, Py_ssize_t count, double lr, double beta1, double beta2,
        double eps, double weight_decay, int decoupled, int threads)
    void (*square_sums_f32[3])(
        const Parameter *parameters, Py_ssize_t count, double *pieces, int threads)
    void (*square_sums_f64[3])(
        const Parameter *parameters, Py_ssize_t count, double *pieces, int threads)

# What RULE_ARGS of optim.h says.
ctypedef void (*Rule)(
    const Parameter *parameters, Py_ssize_t count, double lr, double first, double second,
    double eps, double weight_decay, int threads) noexcept nogil


cdef extern from "optim.h" nogil:
    Rule adagrad_step_f32[3]
    Rule adagrad_step_f64[3]
    Rule adadelta_step_f32[3]
    Rule adadelta_step_f64[3]
    Rule centred_rmsprop_step_f32[3]
    Rule centred_rmsprop_step_f64[3]
    Rule adamax_step_f32[3]
    Rule adamax_step_f64[3]
    Rule nadam_step_f32[3]
    Rule nadam_step_f64[3]
    Rule rprop_step_f32[3]
    Rule rprop_step_f64[3]


cdef Runtime *rt = runtime()


cdef Parameter *allocated(Py_ssize_t count) except NULL:
    cdef Parameter *parameters = <Parameter *> malloc(max(count, 1) * sizeof(Parameter))
    if parameters == NULL:
        raise MemoryError
    return parameters


cdef bint gathered(
    Parameter *parameters, list params, list grads, tuple states, const char *format
) except -1:
    """Fill `parameters`, or False if an array is not contiguous."""
    cdef Array param, other
    cdef Py_ssize_t i, k, pieces = 0
    cdef list state
    if len(grads) != len(params):
        raise ValueError(f"optim: {len(params)} parameters but {len(grads)} gradients")
    for i in range(len(params)):
        param = writable(params[i], format)
        other = array_of(grads[i], format)
        if other.size != param.size:
            raise ValueError(f"optim: parameter {i} has {param.size} numbers, not {other.size}")
        if not (param.contiguous and other.contiguous):
            return False
        parameters[i].param = param.data
        parameters[i].grad = other.data
        parameters[i].n = param.size
        parameters[i].first = pieces
        pieces += (param.size + PIECE - 1) // PIECE
        for k in range(3):
            parameters[i].states[k] = NULL
            if k >= len(states) or states[k] is None:
                continue
            state = states[k]
            other = writable(state[i], format)
            if other.size != param.size:
                raise ValueError(f"optim: state {k} of parameter {i} has {other.size} numbers")
            if not other.contiguous:
                return False
            parameters[i].states[k] = other.data
    return True


def sgd_step(
    list params, list grads, object velocities, bint double_, double lr, double momentum,
    bint nesterov, double weight_decay
):
    """params and velocities (or None), in place."""
    cdef Py_ssize_t count = len(params)
    cdef Parameter *parameters = allocated(count)
    try:
        if not gathered(parameters, params, grads, (velocities,), b"d" if double_ else b"f"):
            return False
        with nogil:
            if double_:
                sgd_step_f64[rt.level](
                    parameters, count, lr, momentum, nesterov, weight_decay, rt.threads)
            else:
                sgd_step_f32[rt.level](
                    parameters, count, lr, momentum, nesterov, weight_decay, rt.threads)
    finally:
        free(parameters)
    return True


def rmsprop_step(
    list params, list grads, list squares, bint double_, double lr, double rho, double eps,
    double weight_decay
):
    """params and squares, in place."""
    cdef Py_ssize_t count = len(params)
    cdef Parameter *parameters = allocated(count)
    try:
        if not gathered(parameters, params, grads, (squares,), b"d" if double_ else b"f"):
            return False
        with nogil:
            if double_:
                rmsprop_step_f64[rt.level](
                    parameters, count, lr, rho, eps, weight_decay, rt.threads)
            else:
                rmsprop_step_f32[rt.level](
                    parameters, count, lr, rho, eps, weight_decay, rt.threads)
    finally:
        free(parameters)
    return True


def adam_step(
    list params, list grads, list means, list squares, object largest, bint double_, double lr,
    double beta1, double beta2, double eps, double weight_decay, bint decoupled, tuple steps
):
    """params, means, squares and largest (or None), in place."""
    cdef Py_ssize_t i, count = len(params)
    cdef Parameter *parameters = allocated(count)
    cdef const char *format = b"d" if double_ else b"f"
    try:
        if not gathered(parameters, params, grads, (means, squares, largest), format):
            return False
        for i in range(count):
            parameters[i].scales[0] = 1 / (1 - beta1 ** <int> steps[i])
            parameters[i].scales[1] = 1 / (1 - beta2 ** <int> steps[i])
        with nogil:
            if double_:
                adam_step_f64[rt.level](
                    parameters, count, lr, beta1, beta2, eps, weight_decay, decoupled, rt.threads)
            else:
                adam_step_f32[rt.level](
                    parameters, count, lr, beta1, beta2, eps, weight_decay, decoupled, rt.threads)
    finally:
        free(parameters)
    return True


cdef bint updated(
    Rule rule, list params, list grads, tuple states, list scales, bint double_, double lr,
    double first, double second, double eps, double weight_decay
) except -1:
    """One step of a rule; scales: of each parameter, or None for a rule that counts no steps."""
    cdef Py_ssize_t i, k, count = len(params)
    cdef Parameter *parameters = allocated(count)
    try:
        if not gathered(parameters, params, grads, states, b"d" if double_ else b"f"):
            return False
        if scales is not None:
            for i in range(count):
                for k in range(len(scales[i])):
                    parameters[i].scales[k] = scales[i][k]
        with nogil:
            rule(parameters, count, lr, first, second, eps, weight_decay, rt.threads)
    finally:
        free(parameters)
    return True


def adagrad_step(
    list params, list grads, list squares, bint double_, double lr, double eps, double weight_decay
):
    """params and squares, in place."""
    cdef Rule rule = adagrad_step_f64[rt.level] if double_ else adagrad_step_f32[rt.level]
    return updated(rule, params, grads, (squares,), None, double_, lr, 0, 0, eps, weight_decay)


def adadelta_step(
    list params, list grads, list squares, list deltas, bint double_, double lr, double rho,
    double eps, double weight_decay
):
    """params, squares and deltas, in place."""
    cdef Rule rule = adadelta_step_f64[rt.level] if double_ else adadelta_step_f32[rt.level]
    return updated(
        rule, params, grads, (squares, deltas), None, double_, lr, rho, 0, eps, weight_decay)


def centred_rmsprop_step(
    list params, list grads, list squares, object means, object velocities, bint double_,
    double lr, double rho, double momentum, double eps, double weight_decay
):
    """params, squares, means (or None) and velocities (or None), in place."""
    cdef Rule rule = (
        centred_rmsprop_step_f64[rt.level] if double_ else centred_rmsprop_step_f32[rt.level])
    return updated(
        rule, params, grads, (squares, means, velocities), None, double_, lr, rho, momentum, eps,
        weight_decay)


def adamax_step(
    list params, list grads, list means, list largest, bint double_, double lr, double beta1,
    double beta2, double eps, double weight_decay, tuple steps
):
    """params, means and largest, in place."""
    cdef Rule rule = adamax_step_f64[rt.level] if double_ else adamax_step_f32[rt.level]
    scales = [(1 / (1 - beta1 ** <int> step),) for step in steps]
    return updated(
        rule, params, grads, (means, largest), scales, double_, lr, beta1, beta2, eps,
        weight_decay)


def nadam_step(
    list params, list grads, list means, list squares, bint double_, double lr, double beta1,
    double beta2, double eps, double weight_decay, tuple steps, tuple weights
):
    """params, means and squares, in place."""
    cdef Rule rule = nadam_step_f64[rt.level] if double_ else nadam_step_f32[rt.level]
    scales = [
        (ahead, now, 1 / (1 - beta2 ** <int> step))
        for (ahead, now), step in zip(weights, steps, strict=True)]
    return updated(
        rule, params, grads, (means, squares), scales, double_, lr, beta1, beta2, eps,
        weight_decay)


def rprop_step(
    list params, list grads, list before, list sizes, bint double_, double lr, double shrink,
    double grow, double smallest, double largest, double weight_decay
):
    """params, before and sizes, in place."""
    cdef Rule rule = rprop_step_f64[rt.level] if double_ else rprop_step_f32[rt.level]
    scales = [(smallest, largest)] * len(params)
    return updated(
        rule, params, grads, (before, sizes), scales, double_, lr, shrink, grow, 0, weight_decay)


def norms(list arrays, bint double_, object out):
    """sqrt(sum x^2) of every array into out, float64 (len(arrays),)."""
    cdef Py_ssize_t i, piece, pieces = 0, count = len(arrays)
    cdef Parameter *parameters = allocated(count)
    cdef Array result = writable(out, b"d")
    cdef Array x
    cdef double *sums = NULL
    cdef double sum
    try:
        for i in range(count):
            x = array_of(arrays[i], b"d" if double_ else b"f")
            if not x.contiguous:
                return False
            parameters[i].grad = x.data
            parameters[i].param = NULL
            parameters[i].states[0] = parameters[i].states[1] = parameters[i].states[2] = NULL
            parameters[i].n = x.size
            parameters[i].first = pieces
            pieces += (x.size + PIECE - 1) // PIECE
        sums = <double *> malloc(max(pieces, 1) * sizeof(double))
        if sums == NULL:
            raise MemoryError
        with nogil:
            if double_:
                square_sums_f64[rt.level](
                    parameters, count, sums, rt.threads)
            else:
                square_sums_f32[rt.level](
                    parameters, count, sums, rt.threads)
        for i in range(count):
            sum = 0
            for piece in range((parameters[i].n + PIECE - 1) // PIECE):
                sum += sums[parameters[i].first + piece]
            (<double *> result.data)[i] = sqrt(sum)
    finally:
        free(sums)
        free(parameters)
    return True
