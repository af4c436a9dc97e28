# cython: boundscheck=True, wraparound=True
"""`Function.apply` and `Function._record` of tinydl/function.py, compiled: the engine is written
twice, to be read there and to be fast here. `install`, called by the last lines of tinydl/tensor.py
when `tinydl` is imported, puts these two in the place of those; tinydl/engine.py says when.

They do the same steps with the same errors. What they save is the interpreter's share: a Tensor's
slots are read and written at their offsets, which the class tells once, and a result is allocated
without calling its class. TINYDL_ENGINE=python leaves the readable methods in force.
"""

from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF, Py_INCREF

from room cimport (
    NPY_DOUBLE,
    NPY_FLOAT,
    PyArray_Check,
    PyArray_DESCR,
    PyArray_DIMS,
    PyArray_NDIM,
    PyArray_TYPE,
    PyArrayObject,
    _import_array,
)

from tinydl import function as engine
from tinydl import instruments
from tinydl.arguments import out_of_memory
from tinydl.errors import DeviceError, DTypeError, GraphError


cdef extern from *:
    """
    #include <structmember.h>  /* before Python 3.12 PyMemberDef stands there */
    static Py_ssize_t slot_offset(PyObject *descriptor) {
        PyMemberDef *member = NULL;
        if (Py_IS_TYPE(descriptor, &PyMemberDescr_Type))
            member = ((PyMemberDescrObject *)descriptor)->d_member;
        if (!member || member->type != T_OBJECT_EX) {
            PyErr_Format(PyExc_TypeError, "%R is no slot", descriptor);
            return -1;
        }
        return member->offset;
    }
    #define SLOT(x, offset) (*(PyObject **)((char *)(x) + (offset)))
    static void set_slot(PyObject *x, Py_ssize_t offset, PyObject *value) {
        PyObject *old = SLOT(x, offset);
        Py_INCREF(value);
        SLOT(x, offset) = value;
        Py_XDECREF(old);
    }
    static PyObject *returned(PyObject *result) { return result; }
    """
    Py_ssize_t slot_offset(object descriptor) except -1
    PyObject *SLOT(object x, Py_ssize_t offset)
    void set_slot(object x, Py_ssize_t offset, object value)
    object returned(PyObject *result)  # raises what is set where there is no result

cdef extern from "Python.h":
    ctypedef struct PyTypeObject
    bint PyObject_TypeCheck(object x, PyTypeObject *type)
    object PyType_GenericAlloc(PyTypeObject *type, Py_ssize_t items)
    int PyContextVar_Get(object variable, PyObject *default, PyObject **value) except -1
    PyObject *PyObject_VectorcallMethod(
        object name, PyObject *const *arguments, size_t count, PyObject *keywords)
    PyObject *PyDict_GetItemWithError(object dictionary, object key) except? NULL

cdef enum:
    MOST_ON_STACK = 16  # inputs of an operation; where there are more, a list is made

cdef object recording = engine._recording
cdef object stopped_at = engine._stopped_at
cdef object next_age = engine._next_age
cdef dict watch = vars(instruments)


cdef struct TensorSlots:  # their offsets
    Py_ssize_t data, backend, node, grad, hooks, requires_grad, version


cdef struct NodeSlots:
    Py_ssize_t backend, age, parents, tracked, shape, dtype, saved, output, hooks, freed


readable = ()  # the two methods that were replaced

cdef PyTypeObject *tensor_type = NULL
cdef PyTypeObject *node_type = NULL
cdef TensorSlots of
cdef NodeSlots at

_import_array()


def install(tensor, function):
    """Learn where the slots of both classes are, and replace the two methods of `function`."""
    global tensor_type, node_type, readable
    of.data = slot_offset(tensor.data)
    of.backend = slot_offset(tensor.backend)
    of.node = slot_offset(tensor.node)
    of.grad = slot_offset(tensor.grad)
    of.hooks = slot_offset(tensor._hooks)
    of.requires_grad = slot_offset(tensor._requires_grad)
    of.version = slot_offset(tensor._version)
    at.backend = slot_offset(function.backend)
    at.age = slot_offset(function.age)
    at.parents = slot_offset(function.parents)
    at.tracked = slot_offset(function.tracked)
    at.shape = slot_offset(function.shape)
    at.dtype = slot_offset(function.dtype)
    at.saved = slot_offset(function._saved)
    at.output = slot_offset(function._output)
    at.hooks = slot_offset(function.hooks)
    at.freed = slot_offset(function.freed)
    tensor_type = <PyTypeObject *> tensor
    node_type = <PyTypeObject *> function
    readable = (function.apply, function._record)
    function.apply, function._record = apply, _record


cdef inline object slot(object t, Py_ssize_t offset):
    """The value of a slot; AttributeError where it was never set."""
    cdef PyObject *value = SLOT(t, offset)
    if value == NULL:
        raise AttributeError(f"an incomplete {type(t).__name__}")
    return <object> value


cdef inline object fresh(object array, object backend, object version):
    """`Tensor._new`."""
    t = PyType_GenericAlloc(tensor_type, 0)
    set_slot(t, of.data, array)
    set_slot(t, of.backend, backend)
    set_slot(t, of.node, None)
    set_slot(t, of.grad, None)
    set_slot(t, of.hooks, None)
    set_slot(t, of.requires_grad, False)
    set_slot(t, of.version, version)
    return t


cdef inline bint is_recording() except -1:
    cdef PyObject *value
    PyContextVar_Get(recording, NULL, &value)
    switch = <tuple> value
    Py_DECREF(switch)  # the reference that the call gave
    return switch[0]


cdef object forward_many(object self, tuple inputs):
    """`forward` for more inputs than stand on the stack."""
    try:
        return self.forward(*[slot(t, of.data) for t in inputs])
    except MemoryError as error:
        raise out_of_memory(self.name, error) from None


cdef object failed(object self):
    """Raises what `forward` raised; a lack of memory with the operation's name."""
    try:
        return returned(NULL)
    except MemoryError as error:
        raise out_of_memory(self.name, error) from None


cdef inline object forward(object self, tuple inputs):
    """self.forward(*arrays), the arrays kept alive whatever else happens to their tensors."""
    cdef PyObject *arguments[MOST_ON_STACK + 1]
    cdef PyObject *result
    cdef Py_ssize_t i, count = len(inputs)
    if count > MOST_ON_STACK:
        return forward_many(self, inputs)
    arguments[0] = <PyObject *> self
    for i in range(count):
        arguments[i + 1] = SLOT(inputs[i], of.data)
        Py_INCREF(<object> arguments[i + 1])
    result = PyObject_VectorcallMethod("forward", arguments, count + 1, NULL)
    for i in range(count):
        Py_DECREF(<object> arguments[i + 1])
    return returned(result) if result != NULL else failed(self)


cdef object other_devices(object self, object backend, object other):
    return DeviceError(
        f"{self.name}: tensors live on {backend.name!r} and {other.name!r}; "
        "move one with .to(backend)"
    )


cdef object no_tensors(object self, tuple inputs):
    kinds = ", ".join([type(t).__name__ for t in inputs])
    return DTypeError(f"{self.name}: expects tensors, got {kinds}")


def apply(self, *inputs):
    """Run the operation on tensors and, if anything needs a gradient, record it."""
    cdef bint needs_grad = False
    cdef tuple tensors = inputs
    cdef object backend = None, t
    if not PyObject_TypeCheck(self, node_type):
        raise TypeError(f"apply: expects a Function, got {type(self).__name__}")
    for t in tensors:
        if not PyObject_TypeCheck(t, tensor_type) or SLOT(t, of.data) == NULL:
            raise no_tensors(self, tensors)
        if backend is None:
            backend = slot(t, of.backend)
        elif <PyObject *> backend != SLOT(t, of.backend):
            raise other_devices(self, backend, t.backend)
        needs_grad = needs_grad or slot(t, of.requires_grad)
    first = tensors[0]
    set_slot(self, at.backend, backend)
    if <object> PyDict_GetItemWithError(watch, "active"):
        try:
            array = instruments.forward(self, tensors, [slot(t, of.data) for t in tensors])
        except MemoryError as error:
            raise out_of_memory(self.name, error) from None
    else:
        array = forward(self, tensors)
    output = fresh(array, backend, slot(first, of.version) if self.shares_storage else [0])
    if needs_grad and is_recording():
        if self.differentiable:
            record(self, tensors, output)
        else:
            stopped_at.set(self.name)
    return output


def _record(self, inputs, output):
    if not PyObject_TypeCheck(self, node_type) or not PyObject_TypeCheck(output, tensor_type):
        raise TypeError(f"_record: got {type(self).__name__} and {type(output).__name__}")
    record(self, inputs, output)


cdef int record(object self, tuple inputs, object output) except -1:
    cdef list parents = [], tracked = [], saved = [], version
    cdef object t, needs, node
    if SLOT(self, at.age) != NULL:
        raise GraphError(
            f"{self.name}: this instance is a node of a graph already; make a new one for each "
            f"call, as in {self.name}().apply(x)"
        )
    for t in inputs:
        if not PyObject_TypeCheck(t, tensor_type):
            raise no_tensors(self, inputs)
        needs, node = slot(t, of.requires_grad), slot(t, of.node)
        tracked.append(needs)
        parents.append(None if not needs else t if node is None else node)
    set_slot(self, at.parents, parents)
    set_slot(self, at.tracked, tracked)
    set_slot(self, at.age, next_age())
    array = slot(output, of.data)
    set_slot(self, at.shape, array.shape)
    set_slot(self, at.dtype, array.dtype)
    for i in self.saves:
        t = inputs[i]
        version = slot(t, of.version)
        saved.append((t, version[0]))
    set_slot(self, at.saved, saved)
    set_slot(self, at.output, None)
    if self.saves_output:
        version = slot(output, of.version)
        set_slot(self, at.output, (array, version, version[0]))
    set_slot(self, at.hooks, None)
    set_slot(self, at.freed, False)
    set_slot(output, of.node, self)
    set_slot(output, of.requires_grad, True)
    return 0


# -- what the operations ask first ----------------------------------------------------------------


cdef inline PyArrayObject *array_in(object t) noexcept:
    """The ndarray of a tensor; NULL for another backend's array and for what is no tensor."""
    cdef PyObject *array
    if tensor_type == NULL or not PyObject_TypeCheck(t, tensor_type):
        return NULL
    array = SLOT(t, of.data)
    if array == NULL or not PyArray_Check(<object> array):
        return NULL
    return <PyArrayObject *> array


cdef inline bint is_constant(object t, PyArrayObject *array) except -1:
    """A number that needs no gradient: kernels take it beside any shape."""
    return PyArray_NDIM(array) == 0 and not slot(t, of.requires_grad)


def alike(a, b):
    """Whether a and b are surely tensors of one type, and of one shape or one a constant number:
    the usual cases, which need no further checks. False also where it is not known at once."""
    cdef PyArrayObject *x = array_in(a)
    cdef PyArrayObject *y = array_in(b)
    cdef int axis
    if x == NULL or y == NULL or PyArray_DESCR(x) != PyArray_DESCR(y):
        return False
    if PyArray_NDIM(x) != PyArray_NDIM(y):
        return is_constant(a, x) or is_constant(b, y)
    for axis in range(PyArray_NDIM(x)):
        if PyArray_DIMS(x)[axis] != PyArray_DIMS(y)[axis]:
            return False
    return True


def is_float(t):
    """Whether t is surely a tensor of float32 or float64."""
    cdef PyArrayObject *x = array_in(t)
    return x != NULL and (PyArray_TYPE(x) == NPY_FLOAT or PyArray_TYPE(x) == NPY_DOUBLE)


def fit(a, b, bias=None):
    """Whether a (M, K), b (K, N) and bias (N,) or None are surely tensors of one float type."""
    cdef PyArrayObject *x = array_in(a)
    cdef PyArrayObject *y = array_in(b)
    cdef PyArrayObject *z = y if bias is None else array_in(bias)
    if x == NULL or y == NULL or z == NULL or PyArray_NDIM(x) != 2 or PyArray_NDIM(y) != 2:
        return False
    if PyArray_DESCR(x) != PyArray_DESCR(y) or PyArray_DESCR(y) != PyArray_DESCR(z):
        return False
    if PyArray_DIMS(x)[1] != PyArray_DIMS(y)[0] or not is_float(a):
        return False
    return bias is None or (PyArray_NDIM(z) == 1 and PyArray_DIMS(z)[0] == PyArray_DIMS(y)[1])
