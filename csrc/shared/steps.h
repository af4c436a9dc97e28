/* What the loops over time of recurrent.c, recurrent_lstm.c and recurrent_gru.c share. */

#ifndef TINYDL_STEPS_H
#define TINYDL_STEPS_H

#include "packed.h"
#include "vecmath.h"

#define GROUP_ROWS (TILE_ROWS > 6 ? 28 : 24) /* sequences of one group at most: whole tiles */
#define PARALLEL_WORK (64 * 64 * 64)         /* multiply-adds below which threads cost more */
/* Elements between rows of a scratch matrix: a power of two would put all rows of a tile into the
   same cache sets. */
#define SCRATCH_ROW(width) (CEIL_DIV(width, 16) * 16 + 16)

static inline int step_exists(const char *mask, ptrdiff_t at) { return !mask || mask[at]; }

/* What the state product reads: h, times its factors. */
static inline void see(const real *h, const real *drop, real *seen, ptrdiff_t H) {
    if (!drop) {
        memcpy(seen, h, H * sizeof(real));
        return;
    }
#pragma omp simd
    for (ptrdiff_t j = 0; j < H; j++) seen[j] = h[j] * drop[j];
}

/* carried += back * drop, the gradient on its way to h_{t-1}. */
static inline void carry(const real *back, const real *drop, real *carried, ptrdiff_t H) {
#pragma omp simd
    for (ptrdiff_t j = 0; j < H; j++) carried[j] += back[j] * (drop ? drop[j] : ONE);
}

static inline __attribute__((always_inline)) real gate_one(real a, const int hard) {
    if (!hard) return sigmoid_one(a);
    const real y = (real)0.2 * a + HALF;
    return y < 0 ? 0 : y > 1 ? ONE : y;
}

/* Its derivative from its value. */
static inline __attribute__((always_inline)) real gate_slope(real y, const int hard) {
    if (!hard) return y * (ONE - y);
    return ((y > 0) & (y < 1)) ? (real)0.2 : 0;
}

#endif
