/* One block of a matrix product held in registers: the inner loop of the GEMM and of the
   convolution.

       c[i][j] (+)= sum of  a[offsets[s] + i*a_row + k*a_col] * b[s*run + k][j]

   over s < segments and k < run, for i < rows <= TILE_ROWS, j < vectors * LANES <= TILE_COLS. The
   scalar a is broadcast, b[k] is one or two vectors of adjacent columns, and rows x vectors sums
   stay in registers (AVX-512: 14 x 2 of the 32). The rows of `a` lie any distance apart: a GEMM
   passes rows of A, a convolution adjacent pixels, and its segments are the rows of the window; so
   neither packs A into a special order.

   Every sum runs over k in index order, whatever the block: results do not depend on the tiling. A
   sum of more than LONGEST products is cut there, and its parts are added in order: one running sum
   of many numbers would lose what is small beside it. */

#ifndef TINYDL_TILE_H
#define TINYDL_TILE_H

#include "vector.h"

#include <string.h>

#define TILE_COLS (2 * LANES)
#define LONGEST 2048 /* products in one running sum */
#if VECTOR_BYTES == 64
#define TILE_ROWS 14
#else
#define TILE_ROWS 6
#endif

typedef struct {
    ptrdiff_t a_row, a_col; /* in elements */
    ptrdiff_t segments, run;
    const ptrdiff_t *offsets; /* of each segment in a */
    ptrdiff_t b_row, c_row;
    int accumulate; /* add to c instead of overwriting it */
    int epilogue;   /* after the bias: vector.h */
} Tile;

/* Row stride multiples in bytes; odd ones in registers, the rest by x86's scaled addresses. */
#define HIDDEN(name, value)                                                                        \
    ptrdiff_t name = (value);                                                                      \
    __asm__("" : "+r"(name)) /* keep the compiler from making fourteen pointers of it */

#define TILE_ROW(i, address)                                                                       \
    if (rows > i) {                                                                                \
        const real x = *(const real *)(address);                                                   \
        sum[i][0] += x * b0;                                                                       \
        if (vectors == 2) sum[i][1] += x * b1;                                                     \
    }

static inline
    __attribute__((always_inline)) void tile_body(const int rows, const int vectors, const Tile *t,
                                                  const real *a, const real *b, real *c,
                                                  const real *bias) {
    vec sum[TILE_ROWS][2];
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++) sum[i][0] = sum[i][1] = (vec){0};
    const ptrdiff_t b_row = t->b_row, a_col = t->a_col * (ptrdiff_t)sizeof(real);
    const ptrdiff_t r1 = t->a_row * (ptrdiff_t)sizeof(real);
    HIDDEN(r3, 3 * r1);
    HIDDEN(r5, 5 * r1);
    HIDDEN(r7, 7 * r1);
    HIDDEN(r9, 9 * r1);
    HIDDEN(r11, 11 * r1);
    HIDDEN(r13, 13 * r1);
    for (ptrdiff_t s = 0; s < t->segments; s++) {
        const char *p = (const char *)(a + t->offsets[s]);
        for (ptrdiff_t k = t->run; k > 0; k--) {
            const vec b0 = load(b), b1 = vectors == 2 ? load(b + LANES) : (vec){0};
            TILE_ROW(0, p)
            TILE_ROW(1, p + r1)
            TILE_ROW(2, p + 2 * r1)
            TILE_ROW(3, p + r3)
            TILE_ROW(4, p + 4 * r1)
            TILE_ROW(5, p + r5)
#if TILE_ROWS > 6
            TILE_ROW(6, p + 2 * r3)
            TILE_ROW(7, p + r7)
            TILE_ROW(8, p + 8 * r1)
            TILE_ROW(9, p + r9)
            TILE_ROW(10, p + 2 * r5)
            TILE_ROW(11, p + r11)
            TILE_ROW(12, p + 4 * r3)
            TILE_ROW(13, p + r13)
#endif
            p += a_col;
            b += b_row;
        }
    }
    (void)r7, (void)r9, (void)r11, (void)r13;
    const vec zero = {0};
    const vec bias0 = bias ? load(bias) : zero;
    const vec bias1 = bias && vectors == 2 ? load(bias + LANES) : zero;
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++) {
        real *row = c + i * t->c_row;
        if (t->accumulate) {
            sum[i][0] += load(row);
            if (vectors == 2) sum[i][1] += load(row + LANES);
        }
        sum[i][0] += bias0;
        if (vectors == 2) sum[i][1] += bias1;
        if (t->epilogue) {
            sum[i][0] = clipped(sum[i][0], t->epilogue);
            if (vectors == 2) sum[i][1] = clipped(sum[i][1], t->epilogue);
        }
        store(row, sum[i][0]);
        if (vectors == 2) store(row + LANES, sum[i][1]);
    }
}

/* One function per number of rows and vectors, so that all loops over them unroll. */
typedef void (*tile_function)(const Tile *, const real *, const real *, real *, const real *);
#define TILE(rows)                                                                                 \
    static __attribute__((noinline)) void tile_##rows##x1(const Tile *t, const real *a,            \
                                                          const real *b, real *c, const real *d) { \
        tile_body(rows, 1, t, a, b, c, d);                                                         \
    }                                                                                              \
    static __attribute__((noinline)) void tile_##rows##x2(const Tile *t, const real *a,            \
                                                          const real *b, real *c, const real *d) { \
        tile_body(rows, 2, t, a, b, c, d);                                                         \
    }

TILE(1)
TILE(2)
TILE(3)
TILE(4)
TILE(5)
TILE(6)
#if TILE_ROWS > 6
TILE(7)
TILE(8)
TILE(9)
TILE(10)
TILE(11)
TILE(12)
TILE(13)
TILE(14)
#endif

static const tile_function tiles[2][TILE_ROWS] = {
#if TILE_ROWS > 6
    {tile_1x1, tile_2x1, tile_3x1, tile_4x1, tile_5x1, tile_6x1, tile_7x1, tile_8x1, tile_9x1,
     tile_10x1, tile_11x1, tile_12x1, tile_13x1, tile_14x1},
    {tile_1x2, tile_2x2, tile_3x2, tile_4x2, tile_5x2, tile_6x2, tile_7x2, tile_8x2, tile_9x2,
     tile_10x2, tile_11x2, tile_12x2, tile_13x2, tile_14x2},
#else
    {tile_1x1, tile_2x1, tile_3x1, tile_4x1, tile_5x1, tile_6x1},
    {tile_1x2, tile_2x2, tile_3x2, tile_4x2, tile_5x2, tile_6x2},
#endif
};

/* A few elements, without the price of a call. */
static inline void copy_short(const real *from, real *to, int n) {
    int j = 0;
    for (; j + 4 <= n; j += 4) memcpy(to + j, from + j, 4 * sizeof(real));
    for (; j < n; j++) to[j] = from[j];
}

/* `cols` <= TILE_COLS columns of c. b must hold whole vectors; c and bias only `cols` columns: a
   partial block goes through a small tile on the stack. At most LONGEST products. */
static inline void short_tile(const Tile *t, int rows, int cols, const real *a, const real *b,
                              real *c, const real *bias) {
    const int vectors = cols > LANES ? 2 : 1, width = vectors * LANES;
    if (cols == width) {
        tiles[vectors - 1][rows - 1](t, a, b, c, bias);
        return;
    }
    real edge[TILE_ROWS * TILE_COLS], edge_bias[TILE_COLS] = {0};
    Tile part = *t;
    part.c_row = width;
    if (t->accumulate)
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < width; j++)
                edge[i * width + j] = j < cols ? c[i * t->c_row + j] : (real)0;
    if (bias) memcpy(edge_bias, bias, cols * sizeof(real));
    tiles[vectors - 1][rows - 1](&part, a, b, edge, bias ? edge_bias : NULL);
    for (int i = 0; i < rows; i++) copy_short(edge + i * width, c + i * t->c_row, cols);
}

/* More than LONGEST products: some segments at a time, or pieces of each segment. */
static __attribute__((noinline)) void long_tile(const Tile *t, int rows, int cols, const real *a,
                                                const real *b, real *c, const real *bias) {
    const ptrdiff_t pieces = CEIL_DIV(t->run, LONGEST), zero = 0;
    const ptrdiff_t together = pieces > 1 ? 1 : LONGEST / t->run;
    for (ptrdiff_t s = 0; s < t->segments; s += together)
        for (ptrdiff_t piece = 0; piece < pieces; piece++) {
            const ptrdiff_t k = panel_start(t->run, pieces, piece);
            const int first = s == 0 && piece == 0;
            const int last = s + together >= t->segments && piece + 1 == pieces;
            Tile part = *t;
            part.accumulate = t->accumulate || !first;
            part.epilogue = last ? t->epilogue : 0;
            if (pieces > 1) {
                part.segments = 1, part.offsets = &zero;
                part.run = panel_start(t->run, pieces, piece + 1) - k;
            } else {
                part.segments = MIN(together, t->segments - s), part.offsets += s;
            }
            const real *from = pieces > 1 ? a + t->offsets[s] + k * t->a_col : a;
            short_tile(&part, rows, cols, from, b + (s * t->run + k) * t->b_row, c,
                       last ? bias : NULL);
        }
}

/* The same for any number of products. */
static inline void tile(const Tile *t, int rows, int cols, const real *a, const real *b, real *c,
                        const real *bias) {
    (t->segments * t->run > LONGEST ? long_tile : short_tile)(t, rows, cols, a, b, c, bias);
}

/* to[k][j] = from[k*row + j*col] for k < K, j < cols; columns up to `width` (LANES or TILE_COLS)
   hold anything: what they are multiplied with never leaves the tile. */
static __attribute__((unused)) void pack_panel(const real *from, ptrdiff_t row, ptrdiff_t col,
                                               real *to, ptrdiff_t K, int cols, int width) {
    ptrdiff_t k = 0;
    if (col == 1) { /* whole vectors, as long as they end before the last row does */
        const ptrdiff_t whole = cols == width ? K
                                : row > 0     ? MAX(0, K - CEIL_DIV(width - cols, row))
                                              : 0;
        for (; k < whole; k++)
            for (int v = 0; v < width; v += LANES)
                store(to + k * width + v, load(from + k * row + v));
    }
    if (cols < width) memset(to + k * width, 0, (K - k) * width * sizeof(real));
    if (row == 1 && col != 1) {
        for (; k + 4 <= K; k += 4) { /* transposed B */
            int j = 0;
            for (; j + 4 <= cols; j += 4)
                transpose_4x4(from + k + j * col, col, to + k * width + j, width);
            for (; j < cols; j++)
                for (int i = 0; i < 4; i++) to[(k + i) * width + j] = from[k + i + j * col];
        }
    }
    for (; k < K; k++)
        for (int j = 0; j < cols; j++) to[k * width + j] = from[k * row + j * col];
}

#endif
