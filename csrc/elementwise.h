/* One number per output cell: every elementwise operation is one line of the table below.

   name, cost: the name gives OP_name and name_row in elementwise.c; `cost` is the time of one
   element in units of an addition from memory, and decides from which size on threads pay. */

#ifndef TINYDL_ELEMENTWISE_H
#define TINYDL_ELEMENTWISE_H

#include "kernel.h"

#define ELEMENTWISE_OPS(OP)                                                                        \
    OP(negative, 1)                                                                                \
    OP(exp, 2)                                                                                     \
    OP(log, 3)                                                                                     \
    OP(sqrt, 1)                                                                                    \
    OP(abs, 1)                                                                                     \
    OP(sign, 1)                                                                                    \
    OP(tanh, 3)                                                                                    \
    OP(sigmoid, 3)                                                                                 \
    OP(relu, 1)                                                                                    \
    OP(log1p, 4)                                                                                   \
    OP(expm1, 3)                                                                                   \
    OP(softplus, 6)                                                                                \
    OP(sin, 16)                                                                                    \
    OP(cos, 16)                                                                                    \
    OP(erf, 5)                                                                                     \
    OP(floor, 1)                                                                                   \
    OP(round, 1)                                                                                   \
    OP(add, 1)                                                                                     \
    OP(subtract, 1)                                                                                \
    OP(multiply, 1)                                                                                \
    OP(divide, 1)                                                                                  \
    OP(power, 16)                                                                                  \
    OP(maximum, 1)                                                                                 \
    OP(minimum, 1)                                                                                 \
    OP(atan2, 32)                                                                                  \
    OP(relu_grad, 1)                                                                               \
    OP(tanh_grad, 1)                                                                               \
    OP(sigmoid_grad, 1)                                                                            \
    OP(equal, 1)                                                                                   \
    OP(not_equal, 1)                                                                               \
    OP(less, 1)                                                                                    \
    OP(less_equal, 1)                                                                              \
    OP(greater, 1)                                                                                 \
    OP(greater_equal, 1)                                                                           \
    OP(where, 1)                                                                                   \
    OP(from_f32, 1)                                                                                \
    OP(from_f64, 1)                                                                                \
    OP(from_i32, 1)                                                                                \
    OP(from_i64, 1)                                                                                \
    OP(from_u8, 1)

#define ELEMENTWISE_CODE(name, cost) OP_##name,
enum { ELEMENTWISE_OPS(ELEMENTWISE_CODE) ELEMENTWISE_COUNT };

/* x: `inputs` <= 3 operands of one shape (ndim <= 32); steps[k][axis]: their strides in bytes, 0
   for a repeated axis. y: C order; bool for comparisons, else real. `where` takes (bool, real,
   real). */
#define ELEMENTWISE_ARGS(real)                                                                     \
    (int op, int inputs, const void *const *x, const ptrdiff_t *const *steps, void *y, int ndim,   \
     const ptrdiff_t *shape, int threads)
KERNEL(void, elementwise, ELEMENTWISE_ARGS)
typedef void(*ElementwiseKernel) ELEMENTWISE_ARGS(real);

#endif
