/* One vector register of `real`, in GNU vector types: only for the micro-kernels of GEMM and
 * convolution. */

#ifndef TINYDL_VECTOR_H
#define TINYDL_VECTOR_H

#include "kernel.h"

#include <stdlib.h>

#define LANES ((int)(VECTOR_BYTES / sizeof(real)))

typedef real vec __attribute__((vector_size(VECTOR_BYTES)));
typedef real unaligned_vec
    __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(real)), may_alias));
typedef __typeof__((vec){0} <= (vec){0}) vec_mask;

static inline vec load(const real *p) { return *(const unaligned_vec *)p; }
static inline void store(real *p, vec v) { *(unaligned_vec *)p = v; }

/* max(v, 0) which keeps NaN. */
static inline vec relu_of(vec v) { return (vec)((vec_mask)v & ~(v <= (vec){0})); }

/* Room for packed blocks, to be freed with free(); NULL without memory. */
static inline real *aligned_block(ptrdiff_t elements) {
    const size_t bytes = ((size_t)elements * sizeof(real) + 63) / 64 * 64;
    return aligned_alloc(64, bytes ? bytes : 64);
}

#endif
