/* Direct convolution of NHWC images, forward and with respect to the input, without im2col.

       [OX pixels x taps*I] @ [taps*I x O]   for each image, output row and group;
       I, O: channels read and written per group

   A tile (tile.h) holds up to TILE_ROWS adjacent output pixels times TILE_COLS output channels. Its
   rows of `a` are the windows of those pixels: they lie stride * C apart in the image, and one row
   of a window is contiguous (taps side by side, channels inside), so nothing is gathered. Where a
   window leaves the image, the rows it needs are first copied with zeros around them: one copy per
   KH*KW*F uses.

   The gradient of the input is the same computation with grad as the image, one call per residue of
   the position modulo the stride (window.h); each residue sees its own subset of the taps,
   reversed. (Of few channels: conv_narrow.c; to few filters: conv_few.c.)

   Images narrower than about half a tile are gathered instead: windows of TILE_ROWS pixels, from
   several rows and images, are copied side by side.

   Split of work: images x blocks of output rows, cut by shape alone. Extra memory: the packed
   weights, unless they come packed (conv2d_pack), and per thread one rectangle of input rows (about
   128 KiB, at least one window row) or one gathered panel (TILE_ROWS * taps*I). */

#include "conv.h"

#include "conv_few.h"
#include "conv_narrow.h"
#include "depthwise.h"
#include "tile.h"
#include "window.h"

#define RECTANGLE_BYTES (128 * 1024)
#define PARALLEL_WORK (64 * 64 * 64)

/* One convolution over images x (N, H, W, groups*I) that writes OY x OX pixels, O channels a group.
 */
typedef struct {
    const real *x, *weight, *bias;
    real *y;
    ptrdiff_t N, H, W, groups, I, O, OY, OX;
    ptrdiff_t stride_y, stride_x;
    Taps rows, cols;
    ptrdiff_t KW, w_tap, w_in, w_out, w_group; /* strides of weight by kernel cell, I, O, group */
    ptrdiff_t y_image, y_row, y_pixel;         /* strides of y */
    int epilogue;                              /* vector.h */
    /* filled by plan() */
    ptrdiff_t K, panels, block_rows, blocks, tasks, pixel, scratch;
    ptrdiff_t span_y, span_x; /* rows of one block, columns of a whole row */
    int gather, copy, pack;
    real *packed; /* only read if it came packed */
} Direct;

static ptrdiff_t channels(const Direct *d) { return d->groups * d->I; }

/* What packing needs to know; the number of packed elements. */
static ptrdiff_t plan_weights(Direct *d) {
    d->K = d->rows.count * d->cols.count * d->I;
    d->panels = CEIL_DIV(d->O, TILE_COLS);
    return d->groups * d->panels * TILE_COLS * d->K;
}

static void plan(Direct *d) {
    const ptrdiff_t C = channels(d), width = CEIL_DIV(d->OX, CEIL_DIV(d->OX, TILE_ROWS));
    d->gather = d->groups == 1 && width < (TILE_ROWS + 1) / 2 && d->O >= LANES && d->K > 0 &&
                d->y_pixel == d->O && d->y_row == d->OX * d->O;
    if (d->gather) {
        d->tasks = CEIL_DIV(d->N * d->OY * d->OX, TILE_ROWS);
        d->scratch = TILE_ROWS * (d->K + 64 / (ptrdiff_t)sizeof(real));
        return;
    }
    d->pixel = copied_pixel(C);
    d->copy = d->pixel != C && d->rows.count * d->cols.count > 1;
    if (!d->copy) d->pixel = C;
    d->span_x = (d->OX - 1) * d->stride_x + MAX(0, d->cols.count - 1) * d->cols.step + 1;
    const ptrdiff_t window = MAX(0, d->rows.count - 1) * d->rows.step + 1;
    const ptrdiff_t row_bytes = d->span_x * MAX(1, d->pixel) * (ptrdiff_t)sizeof(real);
    const ptrdiff_t fitting = (RECTANGLE_BYTES / row_bytes - window) / d->stride_y + 1;
    /* At least 16 tasks in all where the shape allows it. */
    const ptrdiff_t wanted = MIN(d->OY, CEIL_DIV(16, d->N));
    d->blocks = MAX(wanted, CEIL_DIV(d->OY, MAX(1, fitting)));
    d->block_rows = CEIL_DIV(d->OY, d->blocks);
    d->span_y = (d->block_rows - 1) * d->stride_y + window;
    d->tasks = d->N * d->blocks;
    d->scratch = d->span_y * d->span_x * d->pixel;
}

/* packed[group][panel][tap][i][TILE_COLS] of the taps that take part; panels shared by a team. */
static void pack_weights(const Direct *d, int team, int me) {
    for (ptrdiff_t job = me; job < d->groups * d->panels; job += team) {
        const ptrdiff_t group = job / d->panels, o = job % d->panels * TILE_COLS;
        const int cols = (int)MIN(TILE_COLS, d->O - o), width = cols > LANES ? TILE_COLS : LANES;
        real *to = d->packed + job * d->K * TILE_COLS;
        for (ptrdiff_t i = 0; i < d->rows.count; i++)
            for (ptrdiff_t j = 0; j < d->cols.count; j++, to += d->I * width) {
                const ptrdiff_t kh = d->rows.index + i * d->rows.index_step;
                const ptrdiff_t kw = d->cols.index + j * d->cols.index_step;
                pack_panel(d->weight + (kh * d->KW + kw) * d->w_tap + group * d->w_group +
                               o * d->w_out,
                           d->w_in, d->w_out, to, d->I, cols, width);
            }
    }
}

/* All panels of output channels of one group for `rows` pixels.  [rows x K] @ [K x O] */
static void multiply_pixels(const Direct *d, Tile *t, ptrdiff_t group, ptrdiff_t panel, int rows,
                            const real *a, real *y) {
    const ptrdiff_t o = panel * TILE_COLS;
    const int cols = (int)MIN(TILE_COLS, d->O - o);
    t->b_row = cols > LANES ? TILE_COLS : LANES;
    tile(t, rows, cols, a, d->packed + (group * d->panels + panel) * d->K * TILE_COLS,
         y + group * d->O + o, d->bias ? d->bias + group * d->O + o : NULL);
}

/* One block of output rows of one image, from a rectangle of its rows. */
static void direct_task(const Direct *d, ptrdiff_t task, real *buffer) {
    const ptrdiff_t n = task / d->blocks, oy0 = task % d->blocks * d->block_rows;
    const ptrdiff_t oy1 = MIN(d->OY, oy0 + d->block_rows), C = channels(d);
    if (oy0 >= oy1) return;
    const ptrdiff_t y0 = oy0 * d->stride_y + d->rows.first;
    const ptrdiff_t y1 = y0 + d->span_y - (oy0 + d->block_rows - oy1) * d->stride_y;
    const int empty = d->K == 0; /* no tap meets these outputs: they are zero */
    const Pixels in =
        empty ? (Pixels){d->x, 0, 0}
              : rectangle(d->x + n * d->H * d->W * C, d->H, d->W, C, y0, y1, d->cols.first,
                          d->cols.first + d->span_x, d->pixel, d->copy, buffer);
    /* Adjacent taps of all channels are one contiguous run. */
    const int merged = d->cols.step == 1 && d->groups == 1 && in.pixel == C;
    const ptrdiff_t across = merged || empty ? 1 : d->cols.count;
    ptrdiff_t offsets[MAX(1, d->rows.count * across)];
    for (ptrdiff_t i = 0; i < d->rows.count; i++)
        for (ptrdiff_t j = 0; j < across; j++)
            offsets[i * across + j] = i * d->rows.step * in.row + j * d->cols.step * in.pixel;
    Tile t = {d->stride_x * in.pixel,
              1,
              empty ? 0 : d->rows.count * across,
              merged ? d->cols.count * d->I : d->I,
              offsets,
              0,
              d->y_pixel,
              d->epilogue & EPILOGUE_ADD,
              d->epilogue};
    const ptrdiff_t tiles_across = CEIL_DIV(d->OX, TILE_ROWS);
    for (ptrdiff_t group = 0; group < d->groups; group++)
        for (ptrdiff_t panel = 0; panel < d->panels; panel++)
            for (ptrdiff_t oy = oy0; oy < oy1; oy++)
                for (ptrdiff_t q = 0; q < tiles_across; q++) {
                    const ptrdiff_t ox = panel_start(d->OX, tiles_across, q);
                    const int rows = (int)(panel_start(d->OX, tiles_across, q + 1) - ox);
                    multiply_pixels(d, &t, group, panel, rows,
                                    in.data + (oy - oy0) * d->stride_y * in.row +
                                        ox * d->stride_x * in.pixel + group * d->I,
                                    d->y + n * d->y_image + oy * d->y_row + ox * d->y_pixel);
                }
}

/* The window of output pixel p (counted over images and rows) as one row of K values. */
static void gather_window(const Direct *d, ptrdiff_t p, real *to) {
    const ptrdiff_t n = p / (d->OY * d->OX), oy = p / d->OX % d->OY, ox = p % d->OX, C = d->I;
    for (ptrdiff_t i = 0; i < d->rows.count; i++) {
        const ptrdiff_t y = oy * d->stride_y + d->rows.first + i * d->rows.step;
        for (ptrdiff_t j = 0; j < d->cols.count; j++, to += C) {
            const ptrdiff_t x = ox * d->stride_x + d->cols.first + j * d->cols.step;
            if (y >= 0 && y < d->H && x >= 0 && x < d->W)
                memcpy(to, d->x + ((n * d->H + y) * d->W + x) * C, C * sizeof(real));
            else
                memset(to, 0, C * sizeof(real));
        }
    }
}

/* Up to TILE_ROWS pixels from anywhere; y is contiguous. */
static void gather_task(const Direct *d, ptrdiff_t task, real *buffer) {
    const ptrdiff_t pixels = d->N * d->OY * d->OX, first = panel_start(pixels, d->tasks, task);
    const int rows = (int)(panel_start(pixels, d->tasks, task + 1) - first);
    const ptrdiff_t zero = 0, row = d->scratch / TILE_ROWS;
    for (int i = 0; i < rows; i++) gather_window(d, first + i, buffer + i * row);
    Tile t = {row, 1, 1, d->K, &zero, 0, d->y_pixel, d->epilogue & EPILOGUE_ADD, d->epilogue};
    for (ptrdiff_t panel = 0; panel < d->panels; panel++)
        multiply_pixels(d, &t, 0, panel, rows, buffer, d->y + first * d->y_pixel);
}

static int run(Direct *d, int threads) {
    if (d->N * d->OY * d->OX * d->groups * d->O == 0) return 0;
    const ptrdiff_t weights = plan_weights(d);
    plan(d);
    if (d->N * d->OY * d->OX * d->groups * d->O * d->K <= PARALLEL_WORK) threads = 1;
    d->pack = d->packed == NULL;
    if (d->pack) d->packed = aligned_block(weights);
    real *scratch = aligned_block(threads * d->scratch);
    const int failed = !d->packed || !scratch;
    if (!failed && d->pack) {
#pragma omp parallel num_threads(threads)
        pack_weights(d, TEAM_SIZE, TEAM_MEMBER);
    }
    if (!failed) {
#pragma omp parallel for num_threads(threads)
        for (ptrdiff_t task = 0; task < d->tasks; task++)
            (d->gather ? gather_task : direct_task)(d, task, scratch + TEAM_MEMBER * d->scratch);
    }
    if (d->pack) free(d->packed);
    free(scratch);
    return failed ? -1 : 0;
}

static Direct forward(const ConvSizes *g) {
    const ptrdiff_t CG = g->C / g->groups, FG = g->F / g->groups;
    return (Direct){
        .N = g->N,
        .H = g->H,
        .W = g->W,
        .groups = g->groups,
        .I = CG,
        .O = FG,
        .OY = g->OH,
        .OX = g->OW,
        .stride_y = g->stride_y,
        .stride_x = g->stride_x,
        .rows = forward_taps(g->KH, g->dilation_y, g->top),
        .cols = forward_taps(g->KW, g->dilation_x, g->left),
        .KW = g->KW,
        .w_tap = CG * g->F,
        .w_in = g->F,
        .w_out = 1,
        .w_group = FG,
        .y_image = g->OH * g->OW * g->F,
        .y_row = g->OW * g->F,
        .y_pixel = g->F,
    };
}

int NAME(conv2d)(const real *x, const real *weight, const real *bias, real *y, const ConvSizes *g,
                 int epilogue, int packed, int threads) {
    if (NAME(is_few)(g)) return NAME(conv2d_few)(x, weight, bias, y, g, epilogue, threads);
    if (is_depthwise(g)) {
        NAME(depthwise)(x, weight, bias, y, g, epilogue, threads);
        return 0;
    }
    Direct d = forward(g);
    d.x = x, d.bias = bias, d.y = y, d.epilogue = epilogue;
    if (packed)
        d.packed = (real *)weight;
    else
        d.weight = weight;
    return run(&d, threads);
}

ptrdiff_t NAME(conv2d_pack)(const real *weight, real *packed, const ConvSizes *g) {
    if (is_depthwise(g) || NAME(is_few)(g)) return 0;
    Direct d = forward(g);
    const ptrdiff_t size = plan_weights(&d);
    d.weight = weight, d.packed = packed;
    if (packed) pack_weights(&d, 1, 0);
    return size;
}

int NAME(conv2d_input_grad)(const real *grad, const real *weight, real *grad_x, const ConvSizes *g,
                            int threads) {
    if (is_depthwise(g)) return NAME(depthwise_input_grad)(grad, weight, grad_x, g, threads);
    if (NAME(is_narrow)(g)) return NAME(narrow_input_grad)(grad, weight, grad_x, g, threads);
    const ptrdiff_t CG = g->C / g->groups, FG = g->F / g->groups, sy = g->stride_y,
                    sx = g->stride_x;
    for (ptrdiff_t ry = 0; ry < MIN(sy, g->H); ry++)
        for (ptrdiff_t rx = 0; rx < MIN(sx, g->W); rx++) {
            Direct d = {
                .x = grad,
                .weight = weight,
                .y = grad_x + (ry * g->W + rx) * g->C,
                .N = g->N,
                .H = g->OH,
                .W = g->OW,
                .groups = g->groups,
                .I = FG,
                .O = CG,
                .OY = CEIL_DIV(g->H - ry, sy),
                .OX = CEIL_DIV(g->W - rx, sx),
                .stride_y = 1,
                .stride_x = 1,
                .rows = transposed_taps(g->KH, g->dilation_y, g->top, sy, ry),
                .cols = transposed_taps(g->KW, g->dilation_x, g->left, sx, rx),
                .KW = g->KW,
                .w_tap = CG * g->F,
                .w_in = 1,
                .w_out = g->F,
                .w_group = FG,
                .y_image = g->H * g->W * g->C,
                .y_row = sy * g->W * g->C,
                .y_pixel = sx * g->C,
            };
            if (run(&d, threads)) return -1;
        }
    return 0;
}
