/* Softmax and cross-entropy over rows of C logits. */

#ifndef TINYDL_SOFTMAX_H
#define TINYDL_SOFTMAX_H

#include "kernel.h"

/* x, y (N, C): y = e^(x - max) / sum. */
#define SOFTMAX_ARGS(real) (const real *x, real *y, ptrdiff_t N, ptrdiff_t C, int threads)
KERNEL(void, softmax, SOFTMAX_ARGS)

/* x, y (N, C): y = x - max - log sum. */
#define LOG_SOFTMAX_ARGS(real) (const real *x, real *y, ptrdiff_t N, ptrdiff_t C, int threads)
KERNEL(void, log_softmax, LOG_SOFTMAX_ARGS)

/* logits (N, C), labels (N,) -> losses (N,), shifts (N, 2): m, the largest of a row, and 1 / sum of
   e^(logits - m), by which the gradient makes its probabilities anew. labels int32 or int64 (wide).
   */
#define CROSS_ENTROPY_ARGS(real)                                                                   \
    (const real *logits, const void *labels, real *losses, real *shifts, ptrdiff_t N, ptrdiff_t C, \
     int wide, int threads)
KERNEL(void, cross_entropy, CROSS_ENTROPY_ARGS)

/* logits (N, C), shifts (N, 2), labels (N,), grad (N,) -> y (N, C) = (p - one_hot(label)) * grad,
   p = e^(logits - m) / sum. */
#define CROSS_ENTROPY_GRAD_ARGS(real)                                                              \
    (const real *logits, const real *shifts, const void *labels, const real *grad, real *y,        \
     ptrdiff_t N, ptrdiff_t C, int wide, int threads)
KERNEL(void, cross_entropy_grad, CROSS_ENTROPY_GRAD_ARGS)

#endif
