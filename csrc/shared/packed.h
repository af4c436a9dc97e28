/* A matrix packed once and multiplied many times, [rows x K] @ [K x N], by one thread each: the
   weight of a recurrent network, once per sequence instead of once per step; a b of matmul.c, once
   for many products.

   As in matmul.c, K is cut into runs of at most PACKED_K and N into blocks of at most PACKED_N
   columns, so that a block stays in the L2 cache while all rows pass; inside, panels of TILE_COLS
   columns. Every sum runs over k in index order: results do not depend on how the rows are cut. */

#ifndef TINYDL_PACKED_H
#define TINYDL_PACKED_H

#include "tile.h"

#define PACKED_K (1536 / (int)sizeof(real))
#define PACKED_N 512

typedef struct {
    real *data; /* panel q of the run from k0 on, `run` long: data + k0 * width + q*TILE_COLS*run */
    ptrdiff_t K, N, width;
} Packed;

static inline ptrdiff_t packed_width(ptrdiff_t N) { return CEIL_DIV(N, TILE_COLS) * TILE_COLS; }

/* b[k*row + j*col], k < K, j < N, into `data`: space for K * packed_width(N) elements, 64-byte
   aligned. */
static inline Packed pack_matrix(const real *b, ptrdiff_t row, ptrdiff_t col, ptrdiff_t K,
                                 ptrdiff_t N, real *data) {
    const Packed p = {data, K, N, packed_width(N)};
    const ptrdiff_t runs = CEIL_DIV(K, PACKED_K);
    for (ptrdiff_t r = 0; r < runs; r++) {
        const ptrdiff_t k0 = panel_start(K, runs, r), run = panel_start(K, runs, r + 1) - k0;
        for (ptrdiff_t j = 0; j < N; j += TILE_COLS) {
            const int cols = (int)MIN(TILE_COLS, N - j);
            pack_panel(b + k0 * row + j * col, row, col, data + k0 * p.width + j * run, run, cols,
                       cols > LANES ? TILE_COLS : LANES);
        }
    }
    return p;
}

/* c (rows, N) = or += a (rows, K) @ p + bias (N,), the rows of a and c any distance apart. */
static inline void multiply_packed(const Packed *p, const real *a, ptrdiff_t a_row,
                                   const real *bias, real *c, ptrdiff_t c_row, ptrdiff_t rows,
                                   int accumulate) {
    const ptrdiff_t runs = CEIL_DIV(p->K, PACKED_K), panels = CEIL_DIV(rows, TILE_ROWS), zero = 0;
    for (ptrdiff_t j0 = 0; j0 < p->N; j0 += PACKED_N) {
        const ptrdiff_t end = MIN(j0 + PACKED_N, p->N);
        for (ptrdiff_t r = 0; r < runs; r++) {
            const ptrdiff_t k0 = panel_start(p->K, runs, r);
            const ptrdiff_t run = panel_start(p->K, runs, r + 1) - k0;
            Tile t = {a_row, 1, 1, run, &zero, 0, c_row, accumulate || r > 0, 0};
            for (ptrdiff_t i = 0; i < panels; i++) {
                const ptrdiff_t i0 = panel_start(rows, panels, i);
                const int count = (int)(panel_start(rows, panels, i + 1) - i0);
                for (ptrdiff_t j = j0; j < end; j += TILE_COLS) {
                    const int cols = (int)MIN(TILE_COLS, end - j);
                    t.b_row = cols > LANES ? TILE_COLS : LANES;
                    tile(&t, count, cols, a + i0 * a_row + k0, p->data + k0 * p->width + j * run,
                         c + i0 * c_row + j, bias && r == runs - 1 ? bias + j : NULL);
                }
            }
        }
    }
}

#endif
