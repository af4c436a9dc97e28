/* Philox4x32-10 streams; element e of a draw depends on (key, offset, e) only. */

#ifndef TINYDL_RANDOM_H
#define TINYDL_RANDOM_H

#include "kernel.h"

/* y (n,): uniform on [0, 1). */
#define UNIFORM_ARGS(real) (uint64_t key, uint64_t offset, real *y, ptrdiff_t n, int threads)
KERNEL(void, uniform, UNIFORM_ARGS)

/* y (n,): standard normal. */
#define NORMAL_ARGS(real) (uint64_t key, uint64_t offset, real *y, ptrdiff_t n, int threads)
KERNEL(void, normal, NORMAL_ARGS)

/* y (n,): bool, 1 where word >> 8 < threshold. */
#define BERNOULLI_ARGS(real)                                                                       \
    (uint64_t key, uint64_t offset, uint32_t threshold, uint8_t *y, ptrdiff_t n, int threads)
KERNEL(void, bernoulli, BERNOULLI_ARGS)

/* x, y (n,): x * scale where word >> 8 < threshold, else 0. */
#define DROPOUT_ARGS(real)                                                                         \
    (const real *x, uint64_t key, uint64_t offset, uint32_t threshold, double scale, real *y,      \
     ptrdiff_t n, int threads)
KERNEL(void, dropout, DROPOUT_ARGS)

#endif
