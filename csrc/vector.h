/* One vector register of `real`, in GNU vector types: for the micro-kernels of GEMM and
 * convolution, and for choices that a plain loop would not turn into vector code. */

#ifndef TINYDL_VECTOR_H
#define TINYDL_VECTOR_H

#include "kernel.h"

#include <stdlib.h>

#define LANES ((int)(VECTOR_BYTES / sizeof(real)))

typedef real vec __attribute__((vector_size(VECTOR_BYTES)));
typedef real unaligned_vec
    __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(real)), may_alias));
/* What a comparison of two vectors gives: integers as wide as the numbers, all bits set or none. */
typedef __typeof__(__builtin_choose_expr(sizeof(real) == 8, (int64_t)0, (int32_t)0)) mask_lane;
typedef mask_lane vec_mask __attribute__((vector_size(VECTOR_BYTES)));

static inline vec load(const real *p) { return *(const unaligned_vec *)p; }
static inline void store(real *p, vec v) { *(unaligned_vec *)p = v; }

/* max(v, 0) which keeps NaN. */
static inline vec relu_of(vec v) { return (vec)((vec_mask)v & ~(v <= (vec){0})); }

/* where ? a : b. */
static inline vec choose(vec_mask where, vec a, vec b) {
    return (vec)((where & (vec_mask)a) | (~where & (vec_mask)b));
}

/* Room for packed blocks, to be freed with free(); NULL without memory. */
static inline real *aligned_block(ptrdiff_t elements) {
    const size_t bytes = ((size_t)elements * sizeof(real) + 63) / 64 * 64;
    return aligned_alloc(64, bytes ? bytes : 64);
}

#endif
