/* One block of a matrix product held in registers: the inner loop of the GEMM and of the
   convolution.

       c[i][j] (+)= sum of  a[offsets[s] + i*a_row + k*a_col] * b[s*run + k][j]

   over s < segments and k < run, for i < rows <= TILE_ROWS, j < columns <= TILE_COLS. The scalar a
   is broadcast, b[k] is one or two vectors of adjacent columns, and rows x vectors sums stay in
   registers (AVX-512: 14 x 2 of the 32). With AVX-512 the last vector may be half of one, which
   takes half of the time where the processor runs whole ones in two halves: 24 filters cost one and
   a half. The rows of `a` lie any distance apart: a GEMM passes rows of A, a convolution adjacent
   pixels, and its segments are the rows of the window; so neither packs A into a special order.

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
        if (halves > 1) sum[i] += x * b0;                                                          \
        if (halves > 3) next[i] += x * b1;                                                         \
        if (halves & 1) half[i] += x * h;                                                          \
    }

/* What a sum becomes on its way into c: type is vec or half_vec. */
#define TILE_STORE(type, load_it, store_it, clip, value, to, bias_at)                              \
    do {                                                                                           \
        type v = value;                                                                            \
        if (t->accumulate) v += load_it(to);                                                       \
        if (bias) v += load_it(bias + (bias_at));                                                  \
        if (t->epilogue) v = clip(v, t->epilogue);                                                 \
        store_it(to, v);                                                                           \
    } while (0)

/* `halves` half vectors of columns: 2 or 4, and 1 or 3 where there are half vectors. */
static inline __attribute__((always_inline)) void tile_body(const int rows, const int halves,
                                                            const Tile *t, const real *a,
                                                            const real *b, real *c,
                                                            const real *bias) {
    vec sum[TILE_ROWS], next[TILE_ROWS];
    half_vec half[TILE_ROWS];
    const int whole = halves / 2 * LANES; /* where the half one begins */
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++) sum[i] = next[i] = (vec){0}, half[i] = (half_vec){0};
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
            const vec b0 = halves > 1 ? load(b) : (vec){0};
            const vec b1 = halves > 3 ? load(b + LANES) : (vec){0};
            const half_vec h = halves & 1 ? load_half(b + whole) : (half_vec){0};
            (void)b0, (void)b1, (void)h;
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
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++) {
        real *row = c + i * t->c_row;
        if (halves > 1) TILE_STORE(vec, load, store, clipped, sum[i], row, 0);
        if (halves > 3) TILE_STORE(vec, load, store, clipped, next[i], row + LANES, LANES);
        if (halves & 1)
            TILE_STORE(half_vec, load_half, store_half, clipped_half, half[i], row + whole, whole);
    }
}

/* One function per number of rows and half vectors, so that all loops over them unroll. */
typedef void (*tile_function)(const Tile *, const real *, const real *, real *, const real *);
#define TILE(rows, halves)                                                                         \
    static __attribute__((noinline)) void tile_##rows##_##halves(                                  \
        const Tile *t, const real *a, const real *b, real *c, const real *bias) {                  \
        tile_body(rows, halves, t, a, b, c, bias);                                                 \
    }
#if VECTOR_BYTES == 64
#define TILES(TO, halves)                                                                          \
    TO(1, halves)                                                                                  \
    TO(2, halves)                                                                                  \
    TO(3, halves)                                                                                  \
    TO(4, halves)                                                                                  \
    TO(5, halves)                                                                                  \
    TO(6, halves)                                                                                  \
    TO(7, halves)                                                                                  \
    TO(8, halves)                                                                                  \
    TO(9, halves)                                                                                  \
    TO(10, halves)                                                                                 \
    TO(11, halves)                                                                                 \
    TO(12, halves)                                                                                 \
    TO(13, halves)                                                                                 \
    TO(14, halves)
TILES(TILE, 1)
TILES(TILE, 3)
#else
#define TILES(TO, halves)                                                                          \
    TO(1, halves)                                                                                  \
    TO(2, halves)                                                                                  \
    TO(3, halves)                                                                                  \
    TO(4, halves)                                                                                  \
    TO(5, halves)                                                                                  \
    TO(6, halves)
#endif
TILES(TILE, 2)
TILES(TILE, 4)

#define TILE_NAME(rows, halves) tile_##rows##_##halves,
static const tile_function tiles[4][TILE_ROWS] = {
#if VECTOR_BYTES == 64
    {TILES(TILE_NAME, 1)},
    {TILES(TILE_NAME, 2)},
    {TILES(TILE_NAME, 3)},
#else
    {TILES(TILE_NAME, 2)},
    {TILES(TILE_NAME, 2)},
    {TILES(TILE_NAME, 4)},
#endif
    {TILES(TILE_NAME, 4)},
};

/* The half vectors that hold so many columns. */
static inline int halves_for(int cols) {
    const int count = (2 * cols + LANES - 1) / LANES;
    return VECTOR_BYTES == 64 ? count : (count + 1) / 2 * 2;
}

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
    const int halves = halves_for(cols), width = halves * (LANES / 2);
    if (cols == width) {
        tiles[halves - 1][rows - 1](t, a, b, c, bias);
        return;
    }
    real edge[TILE_ROWS * TILE_COLS], edge_bias[TILE_COLS] = {0};
    Tile part = *t;
    part.c_row = width;
    if (t->accumulate) {
        memset(edge, 0, rows * width * sizeof(real));
        for (int i = 0; i < rows; i++) copy_short(c + i * t->c_row, edge + i * width, cols);
    }
    if (bias) memcpy(edge_bias, bias, cols * sizeof(real));
    tiles[halves - 1][rows - 1](&part, a, b, edge, bias ? edge_bias : NULL);
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
static void pack_panel(const real *from, ptrdiff_t row, ptrdiff_t col, real *to, ptrdiff_t K,
                       int cols, int width) {
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
