/* Draws from Philox streams (philox.h).

   Split of work: BATCH blocks at a time, in vectors of blocks; batches are shared among threads. As
   each block is a function of its counter, neither shows in the result. */

#include "random.h"
#include "philox.h"
#include "vecmath.h"

#define BATCH PHILOX_BATCH
#define WORDS (4 * BATCH)
#define PARALLEL_MIN 32768
#define UNIFORMS (WORDS / (1 + IS_DOUBLE)) /* a float64 takes two words */

/* 24 bits for float, 53 for double: exact. */
static void uniforms(uint64_t key, uint64_t first, real *u) {
    uint32_t words[WORDS];
    philox(key, first, BATCH, words);
    for (int i = 0; i < UNIFORMS; i++) {
#if IS_DOUBLE
        const uint64_t high = words[2 * i] >> 5, low = words[2 * i + 1] >> 6;
        u[i] = (double)(int64_t)(high << 26 | low) * 0x1p-53;
#else
        u[i] = (float)(int32_t)(words[i] >> 8) * 0x1p-24f;
#endif
    }
}

/* Box and Muller (1958): (u1, u2) -> sqrt(-2 log(1 - u1)) (cos, sin)(2 pi u2). The angle is rounded
   as in the reference, which decides more than the sine does. */
static void normals(uint64_t key, uint64_t first, real *z) {
    real u[UNIFORMS];
    uniforms(key, first, u);
#pragma omp simd
    for (int i = 0; i < UNIFORMS / 2; i++) {
        const real radius = SQRT(-2 * log_one(ONE - u[2 * i]));
        const real angle = (real)6.283185307179586 * u[2 * i + 1];
        real sine, cosine;
        sin_cos_one(angle, &sine, &cosine);
        z[2 * i] = radius * cosine;
        z[2 * i + 1] = radius * sine;
    }
}

typedef void Draw(uint64_t key, uint64_t first, real *values);

/* y (n,): batch after batch of UNIFORMS values; the last one may be cut short. */
static void fill(Draw *draw, uint64_t key, uint64_t offset, real *y, ptrdiff_t n, int threads) {
    const ptrdiff_t batches = CEIL_DIV(n, UNIFORMS);
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1 && n >= PARALLEL_MIN)
    for (ptrdiff_t b = 0; b < batches; b++) {
        real values[UNIFORMS];
        const ptrdiff_t start = b * UNIFORMS;
        const int whole = n - start >= UNIFORMS;
        draw(key, offset + (uint64_t)b * BATCH, whole ? y + start : values);
        if (!whole) memcpy(y + start, values, (n - start) * sizeof(real));
    }
}

void NAME(uniform)(uint64_t key, uint64_t offset, real *y, ptrdiff_t n, int threads) {
    fill(uniforms, key, offset, y, n, threads);
}

void NAME(normal)(uint64_t key, uint64_t offset, real *y, ptrdiff_t n, int threads) {
    fill(normals, key, offset, y, n, threads);
}

void NAME(bernoulli)(uint64_t key, uint64_t offset, uint32_t threshold, uint8_t *y, ptrdiff_t n,
                     int threads) {
    const ptrdiff_t batches = CEIL_DIV(n, WORDS);
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1 && n >= PARALLEL_MIN)
    for (ptrdiff_t b = 0; b < batches; b++) {
        uint32_t words[WORDS];
        const ptrdiff_t start = b * WORDS, count = MIN(WORDS, n - start);
        philox(key, offset + (uint64_t)b * BATCH, BATCH, words);
        for (ptrdiff_t i = 0; i < count; i++) y[start + i] = words[i] >> 8 < threshold;
    }
}

void NAME(dropout)(const real *x, uint64_t key, uint64_t offset, uint32_t threshold, double scale,
                   real *y, ptrdiff_t n, int threads) {
    const ptrdiff_t batches = CEIL_DIV(n, WORDS);
    const real factor = (real)scale;
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1 && n >= PARALLEL_MIN)
    for (ptrdiff_t b = 0; b < batches; b++) {
        uint32_t words[WORDS];
        const ptrdiff_t start = b * WORDS, count = MIN(WORDS, n - start);
        philox(key, offset + (uint64_t)b * BATCH, BATCH, words);
#pragma omp simd
        for (ptrdiff_t i = 0; i < count; i++) {
            const real kept = x[start + i] * factor;
            y[start + i] = words[i] >> 8 < threshold ? kept : 0;
        }
    }
}
