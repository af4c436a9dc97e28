/* LSTM over a sequence: gates (i, f, g, o), c_t = f*c_{t-1} + i*g, h_t = o*tanh(c_t). */

#include "recurrent.h"
#include "steps.h"

/* One row of one step. a: sums on entry, gates on return. */
static inline __attribute__((always_inline)) void cell(real *a, const real *before, real *c,
                                                       real *h, ptrdiff_t H, const int hard) {
#pragma omp simd
    for (ptrdiff_t j = 0; j < H; j++) {
        const real i = gate_one(a[j], hard), f = gate_one(a[H + j], hard);
        const real g = tanh_one(a[2 * H + j]), o = gate_one(a[3 * H + j], hard);
        const real sum = f * before[j] + i * g;
        a[j] = i, a[H + j] = f, a[2 * H + j] = g, a[3 * H + j] = o;
        c[j] = sum;
        h[j] = o * tanh_one(sum);
    }
}

int NAME(lstm_run)(const real *h0, const real *c0, const real *weight_h, const char *mask,
                   const real *drop, real *gates, real *rows_out, real *cells, ptrdiff_t N,
                   ptrdiff_t T, ptrdiff_t H, int hard, int threads) {
    const ptrdiff_t wide = SCRATCH_ROW(H), W = 4 * H;
    real *memory = aligned_block(H * packed_width(W) + N * wide);
    if (!memory) return -1;
    const Packed weight = pack_matrix(weight_h, W, 1, H, W, memory);
    real *const all_seen = memory + H * weight.width;
    const ptrdiff_t groups = CEIL_DIV(N, GROUP_ROWS);
    const int parallel = threads > 1 && N * T * H * W > PARALLEL_WORK;
#pragma omp parallel for num_threads(threads) schedule(static) if (parallel)
    for (ptrdiff_t group = 0; group < groups; group++) {
        const ptrdiff_t first = panel_start(N, groups, group);
        const ptrdiff_t rows = panel_start(N, groups, group + 1) - first;
        real *const seen = all_seen + first * wide;
        for (ptrdiff_t n = first; n < first + rows; n++)
            see(h0 + n * H, drop ? drop + n * H : NULL, seen + (n - first) * wide, H);
        for (ptrdiff_t t = 0; t < T; t++) {
            /* [rows x H] @ [H x 4H]: the states of one step before */
            multiply_packed(&weight, seen, wide, NULL, gates + (first * T + t) * W, T * W, rows, 1);
            for (ptrdiff_t n = first; n < first + rows; n++) {
                const ptrdiff_t at = n * T + t;
                real *const h = rows_out + at * H, *const c = cells + at * H;
                const real *const c_before = t ? c - H : c0 + n * H;
                if (hard)
                    cell(gates + at * W, c_before, c, h, H, 1);
                else
                    cell(gates + at * W, c_before, c, h, H, 0);
                if (!step_exists(mask, at)) {
                    memcpy(h, t ? h - H : h0 + n * H, H * sizeof(real));
                    memcpy(c, c_before, H * sizeof(real));
                }
                see(h, drop ? drop + n * H : NULL, seen + (n - first) * wide, H);
                if (t == T - 1) memcpy(rows_out + (N * T + n) * H, c, H * sizeof(real));
            }
        }
    }
    free(memory);
    return 0;
}

/* One row of one step: d = dL/d(sums) (4H,); `carried` and `dc`, the gradients of h and c, go one
   step back, `carried` without what passes the product. */
static inline __attribute__((always_inline)) void cell_back(const real *grad, const real *gates,
                                                            const real *before, const real *c,
                                                            real *carried, real *dc, real *d,
                                                            ptrdiff_t H, const int hard) {
#pragma omp simd
    for (ptrdiff_t j = 0; j < H; j++) {
        const real i = gates[j], f = gates[H + j], g = gates[2 * H + j], o = gates[3 * H + j];
        const real dh = grad[j] + carried[j], u = tanh_one(c[j]);
        const real sum = dc[j] + dh * o * (ONE - u * u);
        d[j] = sum * g * gate_slope(i, hard);
        d[H + j] = sum * before[j] * gate_slope(f, hard);
        d[2 * H + j] = sum * i * (ONE - g * g);
        d[3 * H + j] = dh * u * gate_slope(o, hard);
        dc[j] = sum * f;
        carried[j] = 0;
    }
}

int NAME(lstm_back)(const real *grad, const real *cells, const real *gates, const real *c0,
                    const real *weight_h, const char *mask, const real *drop, real *delta,
                    real *grad_h0, real *grad_c0, ptrdiff_t N, ptrdiff_t T, ptrdiff_t H, int hard,
                    int threads) {
    const ptrdiff_t W = 4 * H, wide = SCRATCH_ROW(W), narrow = SCRATCH_ROW(H);
    real *memory = aligned_block(W * packed_width(H) + N * (wide + narrow));
    if (!memory) return -1;
    const Packed weight = pack_matrix(weight_h, 1, W, W, H, memory);
    real *const all_now = memory + W * weight.width, *const all_back = all_now + N * wide;
    const ptrdiff_t groups = CEIL_DIV(N, GROUP_ROWS);
    const int parallel = threads > 1 && N * T * H * W > PARALLEL_WORK;
#pragma omp parallel for num_threads(threads) schedule(static) if (parallel)
    for (ptrdiff_t group = 0; group < groups; group++) {
        const ptrdiff_t first = panel_start(N, groups, group);
        const ptrdiff_t rows = panel_start(N, groups, group + 1) - first;
        real *const now = all_now + first * wide, *const back = all_back + first * narrow;
        memset(grad_h0 + first * H, 0, rows * H * sizeof(real));
        memcpy(grad_c0 + first * H, grad + (N * T + first) * H, rows * H * sizeof(real));
        for (ptrdiff_t t = T - 1; t >= 0; t--) {
            for (ptrdiff_t n = first; n < first + rows; n++) {
                const ptrdiff_t at = n * T + t;
                const real *const c = cells + at * H, *const c_before = t ? c - H : c0 + n * H;
                real *const carried = grad_h0 + n * H, *const dc = grad_c0 + n * H;
                real *const d = now + (n - first) * wide;
                if (!step_exists(mask, at)) {
                    carry(grad + at * H, NULL, carried, H);
                    memset(d, 0, W * sizeof(real));
                } else if (hard) {
                    cell_back(grad + at * H, gates + at * W, c_before, c, carried, dc, d, H, 1);
                } else {
                    cell_back(grad + at * H, gates + at * W, c_before, c, carried, dc, d, H, 0);
                }
                memcpy(delta + at * W, d, W * sizeof(real));
            }
            /* [rows x 4H] @ [4H x H]: from the gates of step t to the states of step t - 1 */
            multiply_packed(&weight, now, wide, NULL, back, narrow, rows, 0);
            for (ptrdiff_t n = 0; n < rows; n++)
                carry(back + n * narrow, drop ? drop + (first + n) * H : NULL,
                      grad_h0 + (first + n) * H, H);
        }
    }
    free(memory);
    return 0;
}
