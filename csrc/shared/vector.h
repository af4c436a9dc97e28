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

/* Holds v in a register: GCC would rather read it from memory again for each of its uses. */
#if defined(__x86_64__)
#define KEEP(v) __asm__("" : "+v"(v))
#elif defined(__aarch64__)
#define KEEP(v) __asm__("" : "+w"(v))
#else
#define KEEP(v) (void)(v)
#endif

/* max(v, 0) which keeps NaN. */
static inline vec relu_of(vec v) { return (vec)((vec_mask)v & ~(v <= (vec){0})); }

/* where ? a : b. */
static inline vec choose(vec_mask where, vec a, vec b) {
    return (vec)((where & (vec_mask)a) | (~where & (vec_mask)b));
}

/* What a product or convolution does to its result, after the bias, before it is stored: add what
   stands in the output, then max(y, 0), then min(y, 6), as the bits of `epilogue` say. NaN stays.
 */
enum { EPILOGUE_RELU = 1, EPILOGUE_SIX = 2, EPILOGUE_ADD = 4 };

static inline vec clipped(vec v, int epilogue) {
    if (epilogue & EPILOGUE_RELU) v = relu_of(v);
    if (epilogue & EPILOGUE_SIX) v = choose(v > (vec){0} + 6, (vec){0} + 6, v);
    return v;
}

/* Half of a register, for columns that do not fill one. */
typedef real half_vec __attribute__((vector_size(VECTOR_BYTES / 2)));
typedef real unaligned_half
    __attribute__((vector_size(VECTOR_BYTES / 2), aligned(sizeof(real)), may_alias));
typedef mask_lane half_mask __attribute__((vector_size(VECTOR_BYTES / 2)));

static inline half_vec load_half(const real *p) { return *(const unaligned_half *)p; }
static inline void store_half(real *p, half_vec v) { *(unaligned_half *)p = v; }

static inline half_vec clipped_half(half_vec v, int epilogue) {
    const half_vec six = (half_vec){0} + 6;
    if (epilogue & EPILOGUE_RELU) v = (half_vec)((half_mask)v & ~(v <= (half_vec){0}));
    if (epilogue & EPILOGUE_SIX) {
        const half_mask above = v > six;
        v = (half_vec)((above & (half_mask)six) | (~above & (half_mask)v));
    }
    return v;
}

static inline real clipped_one(real y, int epilogue) {
    if (epilogue & EPILOGUE_RELU && y <= 0) y = 0;
    if (epilogue & EPILOGUE_SIX && y > 6) y = 6;
    return y;
}

/* to[i][j] = from[j][i] for i, j < 4, in registers; rows of `from` and `to` lie so many elements
   apart. */
static inline void transpose_4x4(const real *from, ptrdiff_t from_row, real *to, ptrdiff_t to_row) {
#if __has_builtin(__builtin_shufflevector)
    typedef real quad __attribute__((vector_size(4 * sizeof(real))));
    typedef real loose_quad
        __attribute__((vector_size(4 * sizeof(real)), aligned(sizeof(real)), may_alias));
    const quad a = *(const loose_quad *)from, b = *(const loose_quad *)(from + from_row);
    const quad c = *(const loose_quad *)(from + 2 * from_row);
    const quad d = *(const loose_quad *)(from + 3 * from_row);
    const quad ab0 = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    const quad ab2 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    const quad cd0 = __builtin_shufflevector(c, d, 0, 4, 1, 5);
    const quad cd2 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    *(loose_quad *)to = __builtin_shufflevector(ab0, cd0, 0, 1, 4, 5);
    *(loose_quad *)(to + to_row) = __builtin_shufflevector(ab0, cd0, 2, 3, 6, 7);
    *(loose_quad *)(to + 2 * to_row) = __builtin_shufflevector(ab2, cd2, 0, 1, 4, 5);
    *(loose_quad *)(to + 3 * to_row) = __builtin_shufflevector(ab2, cd2, 2, 3, 6, 7);
#else
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) to[i * to_row + j] = from[j * from_row + i];
#endif
}

/* Memory for packed blocks, to be freed with free(); NULL without memory. */
static inline real *aligned_block(ptrdiff_t elements) {
    const size_t bytes = ((size_t)elements * sizeof(real) + 63) / 64 * 64;
    return aligned_alloc(64, bytes ? bytes : 64);
}

#endif
