/* Convolution with few filters: the last layer of a network that writes one map, a filter of sound.

   conv.c would use as many lanes of a vector as there are filters. Here the lanes lie along a row
   of the window, KW*C adjacent numbers of the image,

       y[n, oy, ox, f] = sum over kh of  <row kh of the window at (oy, ox), row kh of filter f>

   for TOGETHER adjacent outputs at once, which share the loads of the filter. The last vector of a
   row overlaps the one before, with zeros in the lanes that have been counted.

   Split of work: images x blocks of output rows x parts of a row, cut by shape alone, and no sum
   depends on the cut. Extra memory: the filters with their zeros, and per thread one rectangle of
   input rows, about 128 KiB or what one window row needs. */

#include "conv_few.h"

#include "window.h"

#define TOGETHER 8
#define RECTANGLE_BYTES (128 * 1024)
#define PARALLEL_WORK (64 * 64 * 64)
#define NARROWEST 64 /* outputs in a part of a row */
#define LONGEST                                                                                    \
    2048 /* products in one output: more are left to conv.c, which adds them in parts              \
          */

typedef struct {
    const ConvSizes *g;
    const real *x, *bias;
    real *y;
    int epilogue;
    ptrdiff_t run, vectors; /* numbers and vectors in a row of a window */
    ptrdiff_t block_rows, blocks, parts, tasks, span_y, span_x;
    real *filters; /* (F, KH, vectors * LANES) */
} Few;

/* Less than half of the vector operations of conv.c; adding the lanes counts as two. */
int NAME(is_few)(const ConvSizes *g) {
    const ptrdiff_t run = g->KW * g->C, vectors = g->KH * (CEIL_DIV(run, LANES) + 1) + 2;
    return g->groups == 1 && (g->dilation_x == 1 || g->KW == 1) && LANES >= 4 && run >= LANES &&
           g->KH * run <= LONGEST && 2 * g->F * vectors <= g->KH * run;
}

static Few plan(const ConvSizes *g) {
    Few d = {.g = g, .run = g->KW * g->C};
    d.vectors = CEIL_DIV(d.run, LANES);
    const ptrdiff_t window = (g->KH - 1) * g->dilation_y + 1;
    const ptrdiff_t row_bytes = ((g->OW - 1) * g->stride_x + g->KW) * g->C * sizeof(real);
    const ptrdiff_t fitting = (RECTANGLE_BYTES / row_bytes - window) / g->stride_y + 1;
    /* At least 16 tasks in all where the shape allows it. */
    d.blocks = MAX(MIN(g->OH, CEIL_DIV(16, g->N)), CEIL_DIV(g->OH, MAX(1, fitting)));
    d.block_rows = CEIL_DIV(g->OH, d.blocks);
    d.parts = MAX(1, MIN(CEIL_DIV(16, g->N * d.blocks), g->OW / NARROWEST));
    d.tasks = g->N * d.blocks * d.parts;
    d.span_y = (d.block_rows - 1) * g->stride_y + window;
    d.span_x = (CEIL_DIV(g->OW, d.parts) - 1) * g->stride_x + g->KW;
    return d;
}

/* filters[f][kh] = weight[kh][..., f]: whole vectors, then the last LANES of the row with zeros for
   what the vector before holds. */
static void pack_filters(const Few *d, const real *weight) {
    const ptrdiff_t F = d->g->F, width = d->vectors * LANES, extra = width - d->run;
    for (ptrdiff_t f = 0; f < F; f++)
        for (ptrdiff_t kh = 0; kh < d->g->KH; kh++) {
            real *to = d->filters + (f * d->g->KH + kh) * width;
            for (ptrdiff_t k = 0; k < width; k++) {
                const int last = k >= width - LANES, counted = last && k < width - LANES + extra;
                to[k] = counted ? 0 : weight[(kh * d->run + k - (last ? extra : 0)) * F + f];
            }
        }
}

/* total[i] = the sum of the lanes of sum[i], for four vectors. */
static inline void add_lanes(const vec *sum, real *total) {
    typedef real quad __attribute__((vector_size(4 * sizeof(real)), aligned(sizeof(real))));
    real lanes[4 * MAX(4, LANES)], fours[16], turned[16];
    for (int i = 0; i < 4; i++) store(lanes + i * LANES, sum[i]);
    for (int i = 0; i < 4; i++) {
        quad part = *(const quad *)(lanes + i * LANES);
        for (int v = 4; v < LANES; v += 4) part += *(const quad *)(lanes + i * LANES + v);
        *(quad *)(fours + 4 * i) = part;
    }
    transpose_4x4(fours, 4, turned, 4);
    const quad *t = (const quad *)turned;
    *(quad *)total = (t[0] + t[1]) + (t[2] + t[3]);
}

/* total[i] = <window i, filter>: window i starts `at[i]` elements into p, its rows `row` apart. */
static inline void dot_windows(const Few *d, const real *p, const ptrdiff_t *at, ptrdiff_t row,
                               const real *filter, real *total) {
    const ptrdiff_t extra = d->vectors * LANES - d->run;
    vec_mask fresh; /* the lanes of the last vector that the one before does not hold */
    for (int v = 0; v < LANES; v++) fresh[v] = v < extra ? 0 : -1;
    vec sum[TOGETHER];
#pragma GCC unroll 8
    for (int i = 0; i < TOGETHER; i++) sum[i] = (vec){0};
    for (ptrdiff_t kh = 0; kh < d->g->KH; kh++, p += row) {
        for (ptrdiff_t v = 0; v < d->vectors - 1; v++, filter += LANES) {
            const vec w = load(filter);
#pragma GCC unroll 8
            for (int i = 0; i < TOGETHER; i++) sum[i] += w * load(p + at[i] + v * LANES);
        }
        const vec w = load(filter);
        filter += LANES;
#pragma GCC unroll 8
        for (int i = 0; i < TOGETHER; i++)
            sum[i] += w * (vec)(fresh & (vec_mask)load(p + at[i] + d->run - LANES));
    }
    for (int i = 0; i < TOGETHER; i += 4) add_lanes(sum + i, total + i);
}

/* `count` <= TOGETHER adjacent outputs of one row from the window at p on. */
static void outputs(const Few *d, const real *p, ptrdiff_t step, ptrdiff_t row, real *y,
                    ptrdiff_t count) {
    const ConvSizes *g = d->g;
    ptrdiff_t at[TOGETHER];
    real total[TOGETHER];
    for (ptrdiff_t i = 0; i < TOGETHER; i++) at[i] = MIN(i, count - 1) * step;
    for (ptrdiff_t f = 0; f < g->F; f++) {
        dot_windows(d, p, at, row, d->filters + f * g->KH * d->vectors * LANES, total);
        for (ptrdiff_t i = 0; i < count; i++) {
            real *to = y + i * g->F + f;
            if (d->epilogue & EPILOGUE_ADD) total[i] += *to;
            if (d->bias) total[i] += d->bias[f];
            *to = clipped_one(total[i], d->epilogue);
        }
    }
}

/* One part of the rows of a block, from a rectangle of the image. */
static void few_task(const Few *d, ptrdiff_t task, real *buffer) {
    const ConvSizes *g = d->g;
    const ptrdiff_t part = task % d->parts, block = task / d->parts % d->blocks;
    const ptrdiff_t n = task / d->parts / d->blocks;
    const ptrdiff_t oy0 = block * d->block_rows, oy1 = MIN(g->OH, oy0 + d->block_rows);
    const ptrdiff_t ox0 = panel_start(g->OW, d->parts, part);
    const ptrdiff_t ox1 = panel_start(g->OW, d->parts, part + 1);
    if (oy0 >= oy1) return;
    const ptrdiff_t y0 = oy0 * g->stride_y - g->top, x0 = ox0 * g->stride_x - g->left;
    const ptrdiff_t y1 = y0 + (oy1 - oy0 - 1) * g->stride_y + (g->KH - 1) * g->dilation_y + 1;
    const ptrdiff_t x1 = x0 + (ox1 - ox0 - 1) * g->stride_x + g->KW;
    const Pixels in =
        rectangle(d->x + n * g->H * g->W * g->C, g->H, g->W, g->C, y0, y1, x0, x1, g->C, 0, buffer);
    for (ptrdiff_t oy = oy0; oy < oy1; oy++)
        for (ptrdiff_t ox = ox0; ox < ox1; ox += TOGETHER)
            outputs(d,
                    in.data + (oy - oy0) * g->stride_y * in.row + (ox - ox0) * g->stride_x * g->C,
                    g->stride_x * g->C, g->dilation_y * in.row,
                    d->y + ((n * g->OH + oy) * g->OW + ox) * g->F, MIN(TOGETHER, ox1 - ox));
}

int NAME(conv2d_few)(const real *x, const real *weight, const real *bias, real *y,
                     const ConvSizes *g, int epilogue, int threads) {
    if (g->N * g->OH * g->OW * g->F == 0) return 0;
    Few d = plan(g);
    d.x = x, d.bias = bias, d.y = y, d.epilogue = epilogue;
    if (g->N * g->OH * g->OW * g->F * g->KH * d.run <= PARALLEL_WORK) threads = 1;
    const ptrdiff_t size = CEIL_DIV(d.span_y * d.span_x * g->C, 16) * 16;
    d.filters = aligned_block(g->F * g->KH * d.vectors * LANES);
    real *scratch = aligned_block(threads * size);
    const int failed = !d.filters || !scratch;
    if (!failed) {
        pack_filters(&d, weight);
#pragma omp parallel for num_threads(threads)
        for (ptrdiff_t task = 0; task < d.tasks; task++)
            few_task(&d, task, scratch + TEAM_MEMBER * size);
    }
    free(d.filters);
    free(scratch);
    return failed ? -1 : 0;
}
