/* One number per output cell: every elementwise operation is one row of elementwise_rows.h. */

#ifndef TINYDL_ELEMENTWISE_H
#define TINYDL_ELEMENTWISE_H

#include "kernel.h"

#define UNARY(name, cost, formula) OP_##name,
#define BINARY UNARY
#define COMPARISON UNARY
#define BY_HAND UNARY
#define CAST(name, source) OP_##name,
enum {
#include "elementwise_rows.h"
    ELEMENTWISE_COUNT
};

/* x: `inputs` <= 3 operands of one shape (ndim <= 32); steps[k][axis]: their strides in bytes, 0
   for a repeated axis. y: C order; bool for comparisons, else real. `where` takes (bool, real,
   real). */
#define ELEMENTWISE_ARGS(real)                                                                     \
    (int op, int inputs, const void *const *x, const ptrdiff_t *const *steps, void *y, int ndim,   \
     const ptrdiff_t *shape, int threads)
KERNEL(void, elementwise, ELEMENTWISE_ARGS)
typedef void(*ElementwiseKernel) ELEMENTWISE_ARGS(real);

#endif
