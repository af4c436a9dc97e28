/* Reductions over any set of axes; argmax, argmin and running sums along one. */

#ifndef TINYDL_REDUCE_H
#define TINYDL_REDUCE_H

#include "kernel.h"
#include "runs.h"

/* x: any strides (in elements); reduced[axis]: 1 if the axis is summed away.
   y: C order over the axes that are kept. Returns 0, or -1 without memory. */
#define REDUCE_ARGS(real)                                                                          \
    (int op, const real *x, real *y, int ndim, const ptrdiff_t *shape, const ptrdiff_t *strides,   \
     const uint8_t *reduced, int threads)
KERNEL(int, reduce, REDUCE_ARGS)

/* op: REDUCE_MAX or REDUCE_MIN. y: int64 over the axes that are kept, C order. shape[axis] > 0. */
#define ARG_REDUCE_ARGS(real)                                                                      \
    (int op, const real *x, int64_t *y, int axis, int ndim, const ptrdiff_t *shape,                \
     const ptrdiff_t *strides, int threads)
KERNEL(void, arg_reduce, ARG_REDUCE_ARGS)

/* x, y (A, R, B), contiguous: y[a, r, b] = sum of x[a, j, b], j <= r, or j >= r if `reverse`. */
#define CUMSUM_ARGS(real)                                                                          \
    (const real *x, real *y, ptrdiff_t A, ptrdiff_t R, ptrdiff_t B, int reverse, int threads)
KERNEL(void, cumsum, CUMSUM_ARGS)

#endif
