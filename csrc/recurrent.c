/* Gates of h_t = tanh(x_t @ weight_x + h_{t-1} @ weight_h + bias) for one step t of all N
   sequences.

   Layout: (N, T, H), so one step is N rows of H values, T*H apart. Split of work: the N rows. */

#include "recurrent.h"
#include "vecmath.h"

#define PARALLEL_MIN 32768

void NAME(rnn_gate)(const real *recurrent, real *states, ptrdiff_t t, ptrdiff_t N, ptrdiff_t T,
                    ptrdiff_t H, int threads) {
#pragma omp parallel for num_threads(threads)                                                      \
    schedule(static) if (threads > 1 && N * H >= PARALLEL_MIN)
    for (ptrdiff_t n = 0; n < N; n++) {
        const real *const r = recurrent + n * H;
        real *const s = states + (n * T + t) * H;
#pragma omp simd
        for (ptrdiff_t h = 0; h < H; h++) s[h] = tanh_one(s[h] + r[h]);
    }
}

void NAME(rnn_gate_grad)(const real *grad, const real *carried, const real *states, real *delta,
                         ptrdiff_t t, ptrdiff_t N, ptrdiff_t T, ptrdiff_t H, int threads) {
#pragma omp parallel for num_threads(threads)                                                      \
    schedule(static) if (threads > 1 && N * H >= PARALLEL_MIN)
    for (ptrdiff_t n = 0; n < N; n++) {
        const ptrdiff_t at = (n * T + t) * H;
        const real *const g = grad + at, *const c = carried + n * H, *const s = states + at;
        real *const d = delta + at;
#pragma omp simd
        for (ptrdiff_t h = 0; h < H; h++) d[h] = (g[h] + c[h]) * (ONE - s[h] * s[h]);
    }
}
