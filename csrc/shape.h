/* Copies between arrays of one shape and any strides: views made contiguous, padded, joined. */

#ifndef TINYDL_SHAPE_H
#define TINYDL_SHAPE_H

#include "kernel.h"

/* y[i] = x[i]; strides in elements; no two cells of y coincide. The f32 and f64 kernels move any
   elements of 4 and 8 bytes. */
#define COPY_ARGS(real)                                                                            \
    (const real *x, real *y, int ndim, const ptrdiff_t *shape, const ptrdiff_t *x_strides,         \
     const ptrdiff_t *y_strides, int threads)
KERNEL(void, copy, COPY_ARGS)

#endif
