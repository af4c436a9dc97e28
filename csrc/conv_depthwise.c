/* Depthwise convolution, groups == C == F: every channel has its own KH x KW window.

   x (N, H, W, C), weight (KH, KW, 1, C), y (N, OH, OW, C). There is no product to block, so
   channels are the vectors: a few adjacent pixels times one vector of channels stay in registers
   while the taps pass. Windows that leave the image skip the taps outside; only the pixels between
   the borders go four at a time. The gradient of the input is the same loop once per residue modulo
   the stride (window.h).

   Split of work: output rows of all images. The gradient of the weight is cut into at most 8 chunks
   of images with a copy each, added in index order: the number of threads never changes a result.
 */

#include "depthwise.h"

#include "vector.h"
#include "window.h"

#define PARALLEL_WORK 65536
#define MAX_CHUNKS 8

typedef struct {
    const real *x, *weight, *bias;
    real *y;
    ptrdiff_t N, H, W, C, OY, OX, stride_y, stride_x, KW;
    Taps rows, cols;
    ptrdiff_t y_image, y_row, y_pixel;
    int relu;
} Depthwise;

static const real *tap_weight(const Depthwise *d, ptrdiff_t i, ptrdiff_t j) {
    const ptrdiff_t kh = d->rows.index + i * d->rows.index_step;
    return d->weight + (kh * d->KW + d->cols.index + j * d->cols.index_step) * d->C;
}

/* `count` adjacent outputs, constant so that their sums stay in registers; taps [i0, i1) x [j0,
 * j1). */
static inline __attribute__((always_inline)) void outputs(const Depthwise *d, const int count,
                                                          const real *window, real *y, ptrdiff_t i0,
                                                          ptrdiff_t i1, ptrdiff_t j0,
                                                          ptrdiff_t j1) {
    const ptrdiff_t C = d->C, row = d->rows.step * d->W * C, col = d->cols.step * C;
    const ptrdiff_t next = d->stride_x * C;
    ptrdiff_t c = 0;
    for (; c + LANES <= C; c += LANES) {
        vec sum[4] = {{0}};
        for (ptrdiff_t i = i0; i < i1; i++)
            for (ptrdiff_t j = j0; j < j1; j++) {
                const vec w = load(tap_weight(d, i, j) + c);
                const real *x = window + i * row + j * col + c;
#pragma GCC unroll 4
                for (int p = 0; p < count; p++) sum[p] += load(x + p * next) * w;
            }
        const vec bias = d->bias ? load(d->bias + c) : (vec){0};
#pragma GCC unroll 4
        for (int p = 0; p < count; p++) {
            const vec value = sum[p] + bias;
            store(y + p * d->y_pixel + c, d->relu ? relu_of(value) : value);
        }
    }
    for (; c < C; c++)
        for (int p = 0; p < count; p++) {
            real sum = 0;
            for (ptrdiff_t i = i0; i < i1; i++)
                for (ptrdiff_t j = j0; j < j1; j++)
                    sum += window[i * row + j * col + p * next + c] * tap_weight(d, i, j)[c];
            if (d->bias) sum += d->bias[c];
            y[p * d->y_pixel + c] = d->relu && sum <= 0 ? 0 : sum;
        }
}

/* Taps [*from, *to) of output o whose position lies inside 0 .. size-1. */
static void taps_inside(const Taps *t, ptrdiff_t o, ptrdiff_t stride, ptrdiff_t size,
                        ptrdiff_t *from, ptrdiff_t *to) {
    const ptrdiff_t first = o * stride + t->first;
    ptrdiff_t i = 0;
    while (i < t->count && first + i * t->step < 0) i++;
    *from = i;
    while (i < t->count && first + i * t->step < size) i++;
    *to = i;
}

static void output_row(const Depthwise *d, ptrdiff_t task) {
    const ptrdiff_t n = task / d->OY, oy = task % d->OY, C = d->C;
    ptrdiff_t i0, i1, lo = 0, hi = d->OX;
    taps_inside(&d->rows, oy, d->stride_y, d->H, &i0, &i1);
    for (ptrdiff_t j = 0; j < d->cols.count;
         j++) { /* outputs [lo, hi) see all columns of the window */
        ptrdiff_t from, to;
        outputs_inside(&d->cols, j, d->stride_x, d->W, d->OX, &from, &to);
        lo = MAX(lo, from), hi = MIN(hi, to);
    }
    const real *image = d->x + n * d->H * d->W * C;
    const ptrdiff_t window = ((oy * d->stride_y + d->rows.first) * d->W + d->cols.first) * C;
    real *y = d->y + n * d->y_image + oy * d->y_row;
    for (ptrdiff_t ox = 0; ox < d->OX;) {
        const real *w = image + window + ox * d->stride_x * C;
        if (ox >= lo && ox + 4 <= hi) {
            outputs(d, 4, w, y + ox * d->y_pixel, i0, i1, 0, d->cols.count);
            ox += 4;
        } else {
            ptrdiff_t j0, j1;
            taps_inside(&d->cols, ox, d->stride_x, d->W, &j0, &j1);
            outputs(d, 1, w, y + ox * d->y_pixel, i0, i1, j0, j1);
            ox++;
        }
    }
}

static void run(const Depthwise *d, int threads) {
    const ptrdiff_t tasks = d->N * d->OY;
    if (threads == 1 || tasks * d->OX * d->C * d->rows.count * d->cols.count < PARALLEL_WORK) {
        for (ptrdiff_t task = 0; task < tasks; task++) output_row(d, task);
        return;
    }
#pragma omp parallel for num_threads(threads)
    for (ptrdiff_t task = 0; task < tasks; task++) output_row(d, task);
}

void NAME(depthwise)(const real *x, const real *weight, const real *bias, real *y,
                     const ConvSizes *g, int relu, int threads) {
    const Depthwise d = {
        .x = x,
        .weight = weight,
        .bias = bias,
        .y = y,
        .relu = relu,
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
    run(&d, threads);
}

void NAME(depthwise_input_grad)(const real *grad, const real *weight, real *grad_x,
                                const ConvSizes *g, int threads) {
    const ptrdiff_t sy = g->stride_y, sx = g->stride_x, C = g->C;
    for (ptrdiff_t ry = 0; ry < MIN(sy, g->H); ry++)
        for (ptrdiff_t rx = 0; rx < MIN(sx, g->W); rx++) {
            const Depthwise d = {
                .x = grad,
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
            run(&d, threads);
        }
}

/* sum[c] += sum over count pixels of x[p*step + c] * grad[p*C + c]; four chains hide the latency.
 */
static void add_products(const real *x, ptrdiff_t step, const real *grad, ptrdiff_t C,
                         ptrdiff_t count, real *sum) {
    ptrdiff_t c = 0;
    for (; c + 4 * LANES <= C; c += 4 * LANES) { /* four vectors of channels */
        vec s[4] = {{0}};
        for (ptrdiff_t p = 0; p < count; p++)
#pragma GCC unroll 4
            for (int v = 0; v < 4; v++)
                s[v] += load(x + p * step + c + v * LANES) * load(grad + p * C + c + v * LANES);
#pragma GCC unroll 4
        for (int v = 0; v < 4; v++) store(sum + c + v * LANES, load(sum + c + v * LANES) + s[v]);
    }
    for (; c + LANES <= C; c += LANES) { /* one vector, every fourth pixel */
        vec s[4] = {{0}};
        ptrdiff_t p = 0;
        for (; p + 4 <= count; p += 4)
#pragma GCC unroll 4
            for (int v = 0; v < 4; v++)
                s[v] += load(x + (p + v) * step + c) * load(grad + (p + v) * C + c);
        for (; p < count; p++) s[0] += load(x + p * step + c) * load(grad + p * C + c);
        store(sum + c, load(sum + c) + ((s[0] + s[1]) + (s[2] + s[3])));
    }
    for (; c < C; c++)
        for (ptrdiff_t p = 0; p < count; p++) sum[c] += x[p * step + c] * grad[p * C + c];
}

static void weight_chunk(const real *x, const real *grad, real *sums, const ConvSizes *g,
                         ptrdiff_t n0, ptrdiff_t n1) {
    const ptrdiff_t C = g->C;
    const Taps rows = forward_taps(g->KH, g->dilation_y, g->top);
    const Taps cols = forward_taps(g->KW, g->dilation_x, g->left);
    memset(sums, 0, g->KH * g->KW * C * sizeof(real));
    for (ptrdiff_t row = n0 * g->OH; row < n1 * g->OH; row++) {
        const ptrdiff_t n = row / g->OH, oh = row % g->OH;
        ptrdiff_t i0, i1;
        taps_inside(&rows, oh, g->stride_y, g->H, &i0, &i1);
        for (ptrdiff_t kh = i0; kh < i1; kh++) {
            const ptrdiff_t y = oh * g->stride_y + kh * g->dilation_y - g->top;
            const real *line = x + (n * g->H + y) * g->W * C;
            for (ptrdiff_t kw = 0; kw < g->KW; kw++) {
                ptrdiff_t from, to;
                outputs_inside(&cols, kw, g->stride_x, g->W, g->OW, &from, &to);
                const ptrdiff_t first = from * g->stride_x + kw * g->dilation_x - g->left;
                if (from < to)
                    add_products(line + first * C, g->stride_x * C, grad + (row * g->OW + from) * C,
                                 C, to - from, sums + (kh * g->KW + kw) * C);
            }
        }
    }
}

int NAME(depthwise_weight_grad)(const real *x, const real *grad, real *grad_weight,
                                const ConvSizes *g, int threads) {
    const ptrdiff_t size = g->KH * g->KW * g->C, chunks = MIN(g->N, MAX_CHUNKS);
    real *copies = aligned_block(chunks * size);
    if (!copies) return -1;
    if (g->N * g->OH * g->OW * size < PARALLEL_WORK) threads = 1;
    if (threads == 1) {
        for (ptrdiff_t k = 0; k < chunks; k++)
            weight_chunk(x, grad, copies + k * size, g, panel_start(g->N, chunks, k),
                         panel_start(g->N, chunks, k + 1));
    } else {
#pragma omp parallel for num_threads(threads)
        for (ptrdiff_t k = 0; k < chunks; k++)
            weight_chunk(x, grad, copies + k * size, g, panel_start(g->N, chunks, k),
                         panel_start(g->N, chunks, k + 1));
    }
    for (ptrdiff_t i = 0; i < size; i++) {
        real sum = copies[i];
        for (ptrdiff_t k = 1; k < chunks; k++) sum += copies[k * size + i];
        grad_weight[i] = sum;
    }
    free(copies);
    return 0;
}
