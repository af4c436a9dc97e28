/* Reductions over any set of axes, and argmax along one. */

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

/* y: int64 over the axes that are kept, C order. shape[axis] > 0. */
#define ARGMAX_ARGS(real)                                                                          \
    (const real *x, int64_t *y, int axis, int ndim, const ptrdiff_t *shape,                        \
     const ptrdiff_t *strides, int threads)
KERNEL(void, argmax, ARGMAX_ARGS)

#endif
