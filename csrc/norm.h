/* Normalisation: of channels (batch, group, instance norm) and of rows (layer norm). */

#ifndef TINYDL_NORM_H
#define TINYDL_NORM_H

#include "kernel.h"

/* x, y (N, P, C), scale, shift (C,), mean, variance (N, G): moments over the P places and C / G
   neighbouring channels of a group, then y = (x - mean) / sqrt(variance + eps) * scale + shift.
   Returns 0, or -1 without memory, as all of the following. */
#define CHANNEL_NORM_ARGS(real)                                                                    \
    (const real *x, const real *scale, const real *shift, real *y, real *mean, real *variance,     \
     ptrdiff_t N, ptrdiff_t P, ptrdiff_t C, ptrdiff_t G, real eps, int threads)
KERNEL(int, channel_norm, CHANNEL_NORM_ARGS)

/* The same y from given moments. */
#define CHANNEL_NORM_APPLY_ARGS(real)                                                              \
    (const real *x, const real *scale, const real *shift, const real *mean, const real *variance,  \
     real *y, ptrdiff_t N, ptrdiff_t P, ptrdiff_t C, ptrdiff_t G, real eps, int threads)
KERNEL(int, channel_norm_apply, CHANNEL_NORM_APPLY_ARGS)

/* grad = dL/dy (N, P, C) -> for each channel of each sample, over its places: shifts (N, C) = sum
   of grad, scales (N, C) = sum of grad * (x - mean) / sqrt(variance + eps). */
#define CHANNEL_NORM_SUMS_ARGS(real)                                                               \
    (const real *grad, const real *x, const real *mean, const real *variance, real *shifts,        \
     real *scales, ptrdiff_t N, ptrdiff_t P, ptrdiff_t C, ptrdiff_t G, real eps, int threads)
KERNEL(int, channel_norm_sums, CHANNEL_NORM_SUMS_ARGS)

/* grad and those sums -> grad_x = dL/dx (N, P, C), the moments being those of x. */
#define CHANNEL_NORM_GRAD_ARGS(real)                                                               \
    (const real *grad, const real *x, const real *scale, const real *mean, const real *variance,   \
     const real *shifts, const real *scales, real *grad_x, ptrdiff_t N, ptrdiff_t P, ptrdiff_t C,  \
     ptrdiff_t G, real eps, int threads)
KERNEL(int, channel_norm_grad, CHANNEL_NORM_GRAD_ARGS)

/* x, y (N, D), scale, shift (D,), mean, variance (N,): each row by its own moments. */
#define ROW_NORM_ARGS(real)                                                                        \
    (const real *x, const real *scale, const real *shift, real *y, real *mean, real *variance,     \
     ptrdiff_t N, ptrdiff_t D, real eps, int threads)
KERNEL(void, row_norm, ROW_NORM_ARGS)

/* grad = dL/dy (N, D) -> grad_x (N, D), grad_scale, grad_shift (D,). */
#define ROW_NORM_GRAD_ARGS(real)                                                                   \
    (const real *grad, const real *x, const real *scale, const real *mean, const real *variance,   \
     real *grad_x, real *grad_scale, real *grad_shift, ptrdiff_t N, ptrdiff_t D, real eps,         \
     int threads)
KERNEL(int, row_norm_grad, ROW_NORM_GRAD_ARGS)

#endif
