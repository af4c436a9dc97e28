/* copy: y[i] = x[i] for arrays of one shape and any strides.

   The axes are sorted by the strides of y, so that y is written in order, and merged where both
   arrays continue. The last axis is the row. If x is contiguous along another axis (a transposed
   view), both axes are cut into tiles of LINE x LINE, read along one and written along the other,
   so that each cache line is fetched once. Split of work: bands of LINE rows (transposed), else
   runs of rows. */

#include "shape.h"
#include "vector.h"
#include <string.h>

#define MAX_NDIM 32
#define LINE (64 / (int)sizeof(real)) /* elements of one cache line */
/* Up to here rows are copied one by one: the lines that they read stay in the L1 cache for the rows
   after (measured: tiles pay for shorter rows only in single precision). */
#define SHORT_ROW (sizeof(real) == 4 ? LINE - 1 : 64)
#define SHORT_PLANE 4 /* rows of at most so many elements go column by column */
#define BAND 4096     /* elements that one task copies, if a row is not longer */
#define PARALLEL_MIN 65536

typedef struct {
    ptrdiff_t size, x, y;
} Axis;

static ptrdiff_t magnitude(ptrdiff_t n) { return n < 0 ? -n : n; }

/* Axes outermost first, without those of size 1; returns their number. */
static int lay_out(Axis *axes, int ndim, const ptrdiff_t *shape, const ptrdiff_t *x_strides,
                   const ptrdiff_t *y_strides) {
    int n = 0;
    for (int axis = 0; axis < ndim; axis++) {
        const Axis a = {shape[axis], x_strides[axis], y_strides[axis]};
        if (a.size == 1) continue;
        int at = n++;
        for (; at > 0 && magnitude(axes[at - 1].y) < magnitude(a.y); at--) axes[at] = axes[at - 1];
        axes[at] = a;
    }
    int m = 0;
    for (int i = 1; i < n; i++) {
        const Axis a = axes[i];
        Axis *const before = &axes[m];
        if (before->x == a.x * a.size && before->y == a.y * a.size) {
            before->size *= a.size;
            before->x = a.x;
            before->y = a.y;
        } else {
            axes[++m] = a;
        }
    }
    return n > 0 ? m + 1 : 0;
}

static void offsets(const Axis *axes, int ndim, ptrdiff_t index, ptrdiff_t *x, ptrdiff_t *y) {
    *x = *y = 0;
    for (int axis = ndim - 1; axis >= 0; axis--) {
        const ptrdiff_t i = axis == 0 ? index : index % axes[axis].size;
        index = axis == 0 ? 0 : index / axes[axis].size;
        *x += i * axes[axis].x;
        *y += i * axes[axis].y;
    }
}

static void copy_row(const real *x, real *y, Axis row) {
    if (row.y == 1 && row.x == 1) {
        memcpy(y, x, row.size * sizeof(real));
    } else if (row.y == 1 && row.x == 0) {
        const real value = *x;
        for (ptrdiff_t i = 0; i < row.size; i++) y[i] = value;
    } else if (row.y == 1) {
        for (ptrdiff_t i = 0; i < row.size; i++) y[i] = x[i * row.x];
    } else {
        for (ptrdiff_t i = 0; i < row.size; i++) y[i * row.y] = x[i * row.x];
    }
}

/* LINE x LINE elements pass through a small buffer, so that cache lines are read and written whole,
   once: lines of y whose distance is a power of two push each other out of the L1 cache. */
static void transpose_tile(const real *x, ptrdiff_t x_row, real *y, ptrdiff_t y_row) {
    real block[LINE][LINE];
    for (int j = 0; j < LINE; j += 4)
        for (int a = 0; a < LINE; a += 4)
            transpose_4x4(x + j * x_row + a, x_row, &block[a][j], LINE);
    for (int a = 0; a < LINE; a++) memcpy(y + a * y_row, block[a], sizeof block[a]);
}

/* What is left beside whole tiles: rows x columns elements of y. */
static void transpose_edge(const real *x, ptrdiff_t x_row, real *y, ptrdiff_t y_row, ptrdiff_t rows,
                           ptrdiff_t columns) {
    ptrdiff_t a = 0;
    for (; a + 4 <= rows; a += 4) {
        ptrdiff_t j = 0;
        for (; j + 4 <= columns; j += 4)
            transpose_4x4(x + j * x_row + a, x_row, y + a * y_row + j, y_row);
        for (; j < columns; j++)
            for (int i = 0; i < 4; i++) y[(a + i) * y_row + j] = x[j * x_row + a + i];
    }
    for (; a < rows; a++)
        for (ptrdiff_t j = 0; j < columns; j++) y[a * y_row + j] = x[j * x_row + a];
}

/* At most LINE rows of y, which are adjacent elements of x. */
static void copy_band(const real *x, real *y, Axis column, Axis row) {
    ptrdiff_t first = 0;
    if (column.size == LINE)
        for (; first + LINE <= row.size; first += LINE)
            transpose_tile(x + first * row.x, row.x, y + first, column.y);
    transpose_edge(x + first * row.x, row.x, y + first, column.y, column.size, row.size - first);
}

/* axes[ndim - 1] is the row, contiguous in y; axes[ndim - 2], after the swap, the one contiguous in
 * x. */
static void copy_transposed(const real *x, real *y, const Axis *axes, int ndim, int threads) {
    const Axis column = axes[ndim - 2], row = axes[ndim - 1];
    const ptrdiff_t bands = CEIL_DIV(column.size, LINE);
    ptrdiff_t planes = 1;
    for (int axis = 0; axis < ndim - 2; axis++) planes *= axes[axis].size;
#pragma omp parallel for num_threads(threads)                                                      \
    schedule(static) if (threads > 1 && planes * column.size * row.size >= PARALLEL_MIN)
    for (ptrdiff_t task = 0; task < planes * bands; task++) {
        const ptrdiff_t first = task % bands * LINE;
        const Axis band = {MIN(LINE, column.size - first), 1, column.y};
        ptrdiff_t from, to;
        offsets(axes, ndim - 2, task / bands, &from, &to);
        copy_band(x + from + first, y + to + first * column.y, band, row);
    }
}

/* `count` rows one after the other; short ones that lie apart in x but side by side in each column
   (few channels of a picture) column by column, which is one loop instead of many tiny ones. */
static void copy_plane(const real *x, real *y, Axis rows, Axis row, ptrdiff_t count) {
    if (row.size <= SHORT_PLANE && rows.x == 1 && row.y == 1) {
        for (ptrdiff_t j = 0; j < row.size; j++)
            for (ptrdiff_t i = 0; i < count; i++) y[i * rows.y + j] = x[i + j * row.x];
        return;
    }
    for (ptrdiff_t i = 0; i < count; i++) copy_row(x + i * rows.x, y + i * rows.y, row);
}

static void copy_rows(const real *x, real *y, const Axis *axes, int ndim, int threads) {
    const Axis row = axes[ndim - 1], one = {1, 0, 0};
    const Axis rows = ndim > 1 ? axes[ndim - 2] : one;
    const ptrdiff_t band = MAX(1, BAND / MAX(1, row.size)), bands = CEIL_DIV(rows.size, band);
    ptrdiff_t planes = 1;
    for (int axis = 0; axis < ndim - 2; axis++) planes *= axes[axis].size;
#pragma omp parallel for num_threads(threads)                                                      \
    schedule(static) if (threads > 1 && planes * rows.size * row.size >= PARALLEL_MIN)
    for (ptrdiff_t task = 0; task < planes * bands; task++) {
        const ptrdiff_t first = task % bands * band;
        ptrdiff_t from, to;
        offsets(axes, MAX(0, ndim - 2), task / bands, &from, &to);
        copy_plane(x + from + first * rows.x, y + to + first * rows.y, rows, row,
                   MIN(band, rows.size - first));
    }
}

void NAME(copy)(const real *x, real *y, int ndim, const ptrdiff_t *shape,
                const ptrdiff_t *x_strides, const ptrdiff_t *y_strides, int threads) {
    Axis axes[MAX_NDIM];
    const int n = lay_out(axes, ndim, shape, x_strides, y_strides);
    if (n == 0) {
        *y = *x;
        return;
    }
    for (int axis = 0; axis < n - 1; axis++) {
        if (axes[axis].x == 1 && axes[axis].size >= 4 && axes[n - 1].y == 1 &&
            axes[n - 1].size > (ptrdiff_t)SHORT_ROW) {
            const Axis column = axes[axis];
            memmove(axes + axis, axes + axis + 1, (n - 2 - axis) * sizeof(Axis));
            axes[n - 2] = column;
            copy_transposed(x, y, axes, n, threads);
            return;
        }
    }
    copy_rows(x, y, axes, n, threads);
}
