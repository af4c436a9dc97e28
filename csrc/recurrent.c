/* h_t = tanh(a_t + h_{t-1} @ weight_h), or relu: vanilla recurrent network over a sequence. */

#include "recurrent.h"
#include "steps.h"

int NAME(rnn_run)(const real *h0, const real *weight_h, const char *mask, const real *drop,
                  real *states, ptrdiff_t N, ptrdiff_t T, ptrdiff_t H, int relu, int threads) {
    const ptrdiff_t wide = SCRATCH_ROW(H);
    real *memory = aligned_block(H * packed_width(H) + N * wide);
    if (!memory) return -1;
    const Packed weight = pack_matrix(weight_h, H, 1, H, H, memory);
    real *const all_seen = memory + H * weight.width;
    const ptrdiff_t groups = CEIL_DIV(N, GROUP_ROWS);
    const int parallel = threads > 1 && N * T * H * H > PARALLEL_WORK;
#pragma omp parallel for num_threads(threads) schedule(static) if (parallel)
    for (ptrdiff_t group = 0; group < groups; group++) {
        const ptrdiff_t first = panel_start(N, groups, group);
        const ptrdiff_t rows = panel_start(N, groups, group + 1) - first;
        real *const seen = all_seen + first * wide, *const begin = states + first * T * H;
        for (ptrdiff_t t = 0; t < T; t++) {
            for (ptrdiff_t n = 0; n < rows; n++)
                see(t ? begin + (n * T + t - 1) * H : h0 + (first + n) * H,
                    drop ? drop + (first + n) * H : NULL, seen + n * wide, H);
            /* [rows x H] @ [H x H]: the states of one step before */
            multiply_packed(&weight, seen, wide, NULL, begin + t * H, T * H, rows, 1);
            for (ptrdiff_t n = 0; n < rows; n++) {
                real *const h = begin + (n * T + t) * H;
                if (!step_exists(mask, (first + n) * T + t)) {
                    memcpy(h, t ? h - H : h0 + (first + n) * H, H * sizeof(real));
                } else if (relu) {
#pragma omp simd
                    for (ptrdiff_t j = 0; j < H; j++) h[j] = h[j] <= 0 ? 0 : h[j];
                } else {
#pragma omp simd
                    for (ptrdiff_t j = 0; j < H; j++) h[j] = tanh_one(h[j]);
                }
            }
        }
    }
    free(memory);
    return 0;
}

/* One row of one step: d = dL/da_t, and what h_{t-1} gets past the product. */
static void step_back(const real *grad, const real *h, real *carried, real *d, ptrdiff_t H,
                      int exists, int relu) {
    if (!exists) {
#pragma omp simd
        for (ptrdiff_t j = 0; j < H; j++) carried[j] += grad[j], d[j] = 0;
    } else if (relu) {
#pragma omp simd
        for (ptrdiff_t j = 0; j < H; j++)
            d[j] = h[j] <= 0 ? 0 : grad[j] + carried[j], carried[j] = 0;
    } else {
#pragma omp simd
        for (ptrdiff_t j = 0; j < H; j++)
            d[j] = (grad[j] + carried[j]) * (ONE - h[j] * h[j]), carried[j] = 0;
    }
}

int NAME(rnn_back)(const real *grad, const real *states, const real *weight_h, const char *mask,
                   const real *drop, real *delta, real *grad_h0, ptrdiff_t N, ptrdiff_t T,
                   ptrdiff_t H, int relu, int threads) {
    const ptrdiff_t wide = SCRATCH_ROW(H);
    real *memory = aligned_block(H * packed_width(H) + 2 * N * wide);
    if (!memory) return -1;
    const Packed weight = pack_matrix(weight_h, 1, H, H, H, memory);
    real *const all_now = memory + H * weight.width, *const all_back = all_now + N * wide;
    const ptrdiff_t groups = CEIL_DIV(N, GROUP_ROWS);
    const int parallel = threads > 1 && N * T * H * H > PARALLEL_WORK;
#pragma omp parallel for num_threads(threads) schedule(static) if (parallel)
    for (ptrdiff_t group = 0; group < groups; group++) {
        const ptrdiff_t first = panel_start(N, groups, group);
        const ptrdiff_t rows = panel_start(N, groups, group + 1) - first;
        real *const now = all_now + first * wide, *const back = all_back + first * wide;
        memset(grad_h0 + first * H, 0, rows * H * sizeof(real));
        for (ptrdiff_t t = T - 1; t >= 0; t--) {
            for (ptrdiff_t n = 0; n < rows; n++) {
                const ptrdiff_t at = (first + n) * T + t;
                step_back(grad + at * H, states + at * H, grad_h0 + (first + n) * H, now + n * wide,
                          H, step_exists(mask, at), relu);
                memcpy(delta + at * H, now + n * wide, H * sizeof(real));
            }
            /* [rows x H] @ [H x H]: from the units of step t to those of step t - 1 */
            multiply_packed(&weight, now, wide, NULL, back, wide, rows, 0);
            for (ptrdiff_t n = 0; n < rows; n++)
                carry(back + n * wide, drop ? drop + (first + n) * H : NULL,
                      grad_h0 + (first + n) * H, H);
        }
    }
    free(memory);
    return 0;
}
