/* Depthwise convolution, groups == C == F: every channel has its own KH x KW window.

   x (N, H, W, C), weight (KH, KW, 1, C), y (N, OH, OW, C). There is no product to block, so
   channels are the vectors: six adjacent pixels times one vector of channels stay in registers
   while the taps pass. Windows that leave the image skip the taps outside (`add_outside` makes good
   for it where 0 * weight is NaN). The gradient of the input is the same loop for every residue
   modulo the stride (window.h), all residues of a row together.

   Memory is the limit. Windows of one to three columns load a pixel once for all the outputs that
   it meets, and what the next row of outputs reads and writes is asked for ahead: short pieces of
   many rows are no stream that the processor would recognise (half the time at 64 x 56 x 56).

   Split of work: output rows of all images, so the number of threads never changes a result. */

#include "depthwise.h"

#include "vector.h"
#include "window.h"

#define PARALLEL_WORK 65536
#define CACHED_BYTES (512 * 1024)           /* in the L2 cache without being asked for */
#define TOGETHER 6                          /* adjacent outputs in registers */
#define LINE (64 / (ptrdiff_t)sizeof(real)) /* elements of a cache line */

typedef struct {
    const real *x, *weight, *bias;
    real *y;
    ptrdiff_t N, H, W, C, OY, OX, stride_y, stride_x, KW;
    Taps rows, cols;
    ptrdiff_t y_image, y_row, y_pixel;
    int epilogue; /* vector.h */
    int ahead;    /* ask for the next row of outputs ahead: what the caches do not hold */
} Depthwise;

static const real *tap_weight(const Depthwise *d, ptrdiff_t i, ptrdiff_t j) {
    const ptrdiff_t kh = d->rows.index + i * d->rows.index_step;
    return d->weight + (kh * d->KW + d->cols.index + j * d->cols.index_step) * d->C;
}

/* Into the L2 cache: what the next row of outputs reads first and where it goes. */
static inline __attribute__((always_inline)) void ask_ahead(const Depthwise *d, const int count,
                                                            const real *window, const real *y) {
    const ptrdiff_t C = d->C, row = d->W * C;
    const real *x = window + ((d->rows.count - 1) * d->rows.step + 1) * row;
    for (ptrdiff_t i = 0; i < d->stride_y; i++)
        for (ptrdiff_t q = 0; q < count * d->stride_x; q++)
            __builtin_prefetch(x + i * row + q * C, 0, 2);
#pragma GCC unroll 8
    for (int p = 0; p < count; p++) __builtin_prefetch(y + d->y_row + p * d->y_pixel, 0, 2);
}

/* Rows [i0, i1) of a window, and its columns [j0, j1); of windows side by side at a border those
   columns of all of them, counted from the first one's. */
typedef struct {
    ptrdiff_t i0, i1, j0, j1;
} Inside;

/* sum[p] += x[p*stride + j] * weight[j] for all columns j < taps of one row of the window; at a
   border only of the columns of t. */
static inline __attribute__((always_inline)) void
add_columns(vec *sum, const int count, const int taps, const int stride, const int border,
            const real *x, ptrdiff_t pixel, const real *weight, ptrdiff_t across, const Inside *t) {
    vec w[3];
#pragma GCC unroll 3
    for (int j = 0; j < taps; j++) w[j] = load(weight + j * across);
#pragma GCC unroll 16
    for (int q = 0; q < (count - 1) * stride + taps; q++) {
        if (border && (q < t->j0 || q >= t->j1)) continue;
        vec v = load(x + q * pixel);
        KEEP(v);
#pragma GCC unroll 8
        for (int p = 0; p < count; p++)
            if (q >= p * stride && q < p * stride + taps) sum[p] += v * w[q - p * stride];
    }
}

/* The channels from c on, less than a vector of them. */
static void last_channels(const Depthwise *d, int count, int border, const real *window, real *y,
                          const Inside *t, ptrdiff_t c) {
    const ptrdiff_t C = d->C, row = d->rows.step * d->W * C, col = d->cols.step * C;
    const ptrdiff_t down = d->rows.index_step * d->KW * C, across = d->cols.index_step * C;
    const real *weight = tap_weight(d, 0, 0);
    for (; c < C; c++)
        for (int p = 0; p < count; p++) {
            const real *x = window + p * d->stride_x * C + c;
            const ptrdiff_t before = border ? p * d->stride_x : 0;
            const ptrdiff_t j0 = MAX(0, t->j0 - before), j1 = MIN(d->cols.count, t->j1 - before);
            real sum = 0;
            for (ptrdiff_t i = t->i0; i < t->i1; i++)
                for (ptrdiff_t j = j0; j < j1; j++)
                    sum += x[i * row + j * col] * weight[i * down + j * across + c];
            if (d->bias) sum += d->bias[c];
            real *to = y + p * d->y_pixel + c;
            if (d->epilogue & EPILOGUE_ADD) sum += *to;
            *to = clipped_one(sum, d->epilogue);
        }
}

/* `count` adjacent outputs. `count` is a constant, so that their sums stay in registers; so are
   `taps` and `stride`, the columns of a window and its step, or 0, and `border`, whether columns
   may lie outside the image. */
static inline __attribute__((always_inline)) void outputs(const Depthwise *d, const int count,
                                                          const int taps, const int stride,
                                                          const int border, const real *window,
                                                          real *y, const Inside *t) {
    const ptrdiff_t C = d->C, row = d->rows.step * d->W * C, col = d->cols.step * C;
    const ptrdiff_t down = d->rows.index_step * d->KW * C, across = d->cols.index_step * C;
    ptrdiff_t c = 0;
    for (; c + LANES <= C; c += LANES) {
        if (d->ahead && c % LINE == 0) ask_ahead(d, count, window + c, y + c);
        vec sum[TOGETHER] = {{0}};
        const real *x = window + t->i0 * row + c, *weight = tap_weight(d, t->i0, 0) + c;
        for (ptrdiff_t i = t->i0; i < t->i1; i++, x += row, weight += down)
            if (taps)
                add_columns(sum, count, taps, stride, border, x, C, weight, across, t);
            else
                for (ptrdiff_t j = t->j0; j < t->j1; j++) {
                    const vec w = load(weight + j * across);
#pragma GCC unroll 8
                    for (int p = 0; p < count; p++)
                        sum[p] += load(x + j * col + p * d->stride_x * C) * w;
                }
        const vec bias = d->bias ? load(d->bias + c) : (vec){0};
#pragma GCC unroll 8
        for (int p = 0; p < count; p++) {
            real *to = y + p * d->y_pixel + c;
            vec value = sum[p] + bias;
            if (d->epilogue & EPILOGUE_ADD) value += load(to);
            store(to, clipped(value, d->epilogue));
        }
    }
    if (c < C) last_channels(d, count, border, window, y, t, c);
}

/* One function per number of outputs, taps and stride, so that their loops unroll. */
typedef void (*outputs_function)(const Depthwise *, const real *, real *, const Inside *);
#define OUTPUTS(count, taps, stride, border)                                                       \
    static __attribute__((noinline)) void outputs_##count##_##taps##_##stride##_##border(          \
        const Depthwise *d, const real *window, real *y, const Inside *t) {                        \
        outputs(d, count, taps, stride, border, window, y, t);                                     \
    }
OUTPUTS(6, 1, 1, 0)
OUTPUTS(6, 2, 1, 0)
OUTPUTS(6, 3, 1, 0)
OUTPUTS(6, 3, 2, 0)
OUTPUTS(3, 1, 1, 0)
OUTPUTS(3, 2, 1, 0)
OUTPUTS(3, 3, 1, 0)
OUTPUTS(3, 3, 2, 0)
OUTPUTS(6, 0, 0, 0)
OUTPUTS(3, 0, 0, 0)
OUTPUTS(1, 0, 0, 0)
OUTPUTS(6, 2, 1, 1)
OUTPUTS(6, 3, 1, 1)
OUTPUTS(6, 3, 2, 1)
OUTPUTS(3, 2, 1, 1)
OUTPUTS(3, 3, 1, 1)
OUTPUTS(3, 3, 2, 1)
OUTPUTS(2, 2, 1, 1)
OUTPUTS(2, 3, 1, 1)
OUTPUTS(2, 3, 2, 1)

/* The functions for 6 and for 3 outputs at once whose windows lie inside the image, and for 6, 3
   and 2 at its borders (NULL: these go one by one). */
typedef struct {
    outputs_function inside[2], border[3];
} Functions;

static const Functions *functions(const Depthwise *d) {
    static const Functions any = {{outputs_6_0_0_0, outputs_3_0_0_0}, {NULL}};
    static const Functions narrow[3] = {
        {{outputs_6_1_1_0, outputs_3_1_1_0}, {NULL}},
        {{outputs_6_2_1_0, outputs_3_2_1_0}, {outputs_6_2_1_1, outputs_3_2_1_1, outputs_2_2_1_1}},
        {{outputs_6_3_1_0, outputs_3_3_1_0}, {outputs_6_3_1_1, outputs_3_3_1_1, outputs_2_3_1_1}}};
    static const Functions halving = {{outputs_6_3_2_0, outputs_3_3_2_0},
                                      {outputs_6_3_2_1, outputs_3_3_2_1, outputs_2_3_2_1}};
    const ptrdiff_t taps = d->cols.count;
    if (taps < 1 || taps > 3 || (taps > 1 && d->cols.step != 1)) return &any;
    if (d->stride_x == 1) return &narrow[taps - 1];
    return d->stride_x == 2 && taps == 3 ? &halving : &any;
}

/* `count` outputs of a row from ox on at a border, columns inside the image alone. */
static void border_outputs(const Depthwise *d, const Functions *f, ptrdiff_t ox, ptrdiff_t count,
                           const real *window, real *y, Inside *t) {
    if (count == 1 || !f->border[0]) {
        taps_inside(&d->cols, ox, d->stride_x, d->W, &t->j0, &t->j1);
        outputs_1_0_0_0(d, window, y, t);
        return;
    }
    const ptrdiff_t first = ox * d->stride_x + d->cols.first; /* the column where they begin */
    t->j0 = MAX(0, -first);
    t->j1 = MIN((count - 1) * d->stride_x + d->cols.count, d->W - first);
    f->border[count == 6 ? 0 : count == 3 ? 1 : 2](d, window, y, t);
}

static void output_row(const Depthwise *d, ptrdiff_t n, ptrdiff_t oy) {
    const ptrdiff_t C = d->C;
    ptrdiff_t i0, i1, lo, hi;
    taps_inside(&d->rows, oy, d->stride_y, d->H, &i0, &i1);
    all_inside(&d->cols, d->stride_x, d->W, d->OX, &lo, &hi);
    const real *image = d->x + n * d->H * d->W * C;
    const ptrdiff_t window = ((oy * d->stride_y + d->rows.first) * d->W + d->cols.first) * C;
    real *y = d->y + n * d->y_image + oy * d->y_row;
    const Functions *const f = functions(d);
    for (ptrdiff_t ox = 0; ox < d->OX;) {
        const real *w = image + window + ox * d->stride_x * C;
        Inside t = {i0, i1, 0, d->cols.count};
        const ptrdiff_t left = d->OX - ox;
        ptrdiff_t count = left >= 6 ? 6 : left >= 3 ? 3 : left;
        int inside = count >= 3 && ox >= lo && ox + count <= hi;
        if (!inside && !f->border[0]) {
            inside = ox >= lo && ox + 3 <= hi;
            count = inside ? 3 : 1;
        }
        if (inside)
            f->inside[count < 6](d, w, y + ox * d->y_pixel, &t);
        else
            border_outputs(d, f, ox, count, w, y + ox * d->y_pixel, &t);
        ox += count;
    }
}

/* One row of every part: of the outputs, or of each residue of the gradient. */
static void output_rows(const Depthwise *parts, ptrdiff_t count, ptrdiff_t task) {
    const ptrdiff_t n = task / parts->OY, oy = task % parts->OY; /* no part has more rows */
    for (ptrdiff_t i = 0; i < count; i++)
        if (oy < parts[i].OY) output_row(&parts[i], n, oy);
}

/* y += 0 * weight for each tap outside of the image: NaN where the weight is no finite number. */
static void add_outside(const Depthwise *d) {
    for (ptrdiff_t i = 0; i < d->rows.count; i++)
        for (ptrdiff_t j = 0; j < d->cols.count; j++) {
            const real *weight = tap_weight(d, i, j);
            ptrdiff_t y0, y1, x0, x1; /* the outputs that see the tap inside */
            outputs_inside(&d->rows, i, d->stride_y, d->H, d->OY, &y0, &y1);
            outputs_inside(&d->cols, j, d->stride_x, d->W, d->OX, &x0, &x1);
            if (all_finite(weight, d->C)) continue;
            for (ptrdiff_t row = 0; row < d->N * d->OY; row++)
                for (ptrdiff_t ox = 0; ox < d->OX; ox++) {
                    const ptrdiff_t n = row / d->OY, oy = row % d->OY;
                    if (oy >= y0 && oy < y1 && ox >= x0 && ox < x1) continue;
                    real *y = d->y + n * d->y_image + oy * d->y_row + ox * d->y_pixel;
                    for (ptrdiff_t c = 0; c < d->C; c++) y[c] += 0 * weight[c];
                }
        }
}

static void run(const Depthwise *parts, ptrdiff_t count, ptrdiff_t work, int threads) {
    const ptrdiff_t tasks = parts->N * parts->OY;
    if (work < PARALLEL_WORK) threads = 1;
#pragma omp parallel for num_threads(threads)
    for (ptrdiff_t task = 0; task < tasks; task++) output_rows(parts, count, task);
    for (ptrdiff_t i = 0; i < count; i++) add_outside(&parts[i]);
}

static ptrdiff_t multiply_adds(const ConvSizes *g) {
    return g->N * g->OH * g->OW * g->C * g->KH * g->KW;
}

void NAME(depthwise)(const real *x, const real *weight, const real *bias, real *y,
                     const ConvSizes *g, int epilogue, int threads) {
    const Depthwise d = {
        .x = x,
        .weight = weight,
        .bias = bias,
        .y = y,
        .epilogue = epilogue,
        .ahead = g->N * g->H * g->W * g->C * (ptrdiff_t)sizeof(real) > CACHED_BYTES,
        .N = g->N,
        .H = g->H,
        .W = g->W,
        .C = g->C,
        .OY = g->OH,
        .OX = g->OW,
        .stride_y = g->stride_y,
        .stride_x = g->stride_x,
        .KW = g->KW,
        .rows = forward_taps(g->KH, g->dilation_y, g->top),
        .cols = forward_taps(g->KW, g->dilation_x, g->left),
        .y_image = g->OH * g->OW * g->C,
        .y_row = g->OW * g->C,
        .y_pixel = g->C,
    };
    run(&d, 1, multiply_adds(g), threads);
}

int NAME(depthwise_input_grad)(const real *grad, const real *weight, real *grad_x,
                               const ConvSizes *g, int threads) {
    const ptrdiff_t sy = g->stride_y, sx = g->stride_x, C = g->C;
    const ptrdiff_t rows = MIN(sy, g->H), cols = MIN(sx, g->W);
    if (g->N * rows * cols == 0) return 0;
    Depthwise *parts = malloc(rows * cols * sizeof(Depthwise));
    if (!parts) return -1;
    for (ptrdiff_t ry = 0; ry < rows; ry++)
        for (ptrdiff_t rx = 0; rx < cols; rx++)
            parts[ry * cols + rx] = (Depthwise){
                .x = grad,
                .ahead = 1,
                .weight = weight,
                .y = grad_x + (ry * g->W + rx) * C,
                .N = g->N,
                .H = g->OH,
                .W = g->OW,
                .C = C,
                .OY = CEIL_DIV(g->H - ry, sy),
                .OX = CEIL_DIV(g->W - rx, sx),
                .stride_y = 1,
                .stride_x = 1,
                .KW = g->KW,
                .rows = transposed_taps(g->KH, g->dilation_y, g->top, sy, ry),
                .cols = transposed_taps(g->KW, g->dilation_x, g->left, sx, rx),
                .y_image = g->H * g->W * C,
                .y_row = sy * g->W * C,
                .y_pixel = sx * C,
            };
    run(parts, rows * cols, multiply_adds(g), threads);
    free(parts);
    return 0;
}
