/* The machine's own speed: the roofs of the roofline. No operation uses these loops.

   fma_loop: CHAINS registers, each a chain x = x * scale + shift. One multiply-add waits 4 cycles
   for the one before it in its chain, and a core starts 2 per cycle, so 8 chains or more keep it
   busy; 14 leave space for the two constants in the 16 registers of the lower levels. The baseline
   has no fused multiply-add: there a link is a multiplication and an addition.

   stream: n elements cut into one slice per thread, as a kernel would cut them. */

#include "runtime.h"
#include "vector.h"

#include <string.h>

enum { CHAINS = 14 };

static real fma_chains(ptrdiff_t rounds, real scale, real shift) {
    vec x[CHAINS], a, b, total = {0};
    for (int lane = 0; lane < LANES; lane++) a[lane] = scale, b[lane] = shift;
#pragma GCC unroll 14
    for (int c = 0; c < CHAINS; c++) x[c] = b * (real)c;
    for (ptrdiff_t r = 0; r < rounds; r++) {
#pragma GCC unroll 14
        for (int c = 0; c < CHAINS; c++) x[c] = x[c] * a + b;
    }
#pragma GCC unroll 14
    for (int c = 0; c < CHAINS; c++) total += x[c];
    real sum = 0;
    for (int lane = 0; lane < LANES; lane++) sum += total[lane];
    return sum;
}

double NAME(fma_loop)(ptrdiff_t rounds, double scale, double shift, double *sink, int threads) {
    double sum = 0;
#pragma omp parallel for num_threads(threads) if (threads > 1) reduction(+ : sum)
    for (int t = 0; t < threads; t++) sum += fma_chains(rounds, (real)scale, (real)shift);
    *sink = sum;
    return 2.0 * CHAINS * LANES * (double)rounds * threads;
}

static void stream_slice(const real *restrict x, const real *restrict z, real *restrict y,
                         ptrdiff_t n, real scale) {
    if (z == NULL) {
        memcpy(y, x, (size_t)n * sizeof(real));
    } else {
#pragma omp simd
        for (ptrdiff_t i = 0; i < n; i++) y[i] = x[i] + scale * z[i];
    }
}

void NAME(stream)(const real *x, const real *z, real *y, ptrdiff_t n, ptrdiff_t repeats,
                  double scale, int threads) {
#pragma omp parallel num_threads(threads) if (threads > 1)
    {
        const ptrdiff_t begin = panel_start(n, TEAM_SIZE, TEAM_MEMBER);
        const ptrdiff_t end = panel_start(n, TEAM_SIZE, TEAM_MEMBER + 1);
        for (ptrdiff_t r = 0; r < repeats; r++)
            stream_slice(x + begin, z ? z + begin : NULL, y + begin, end - begin, (real)scale);
    }
}
