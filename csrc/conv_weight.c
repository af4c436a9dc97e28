/* Gradient of a convolution with respect to its weight, without im2col.

       [KW*C x OH*OW] @ [OH*OW x F]   for each image and window row kh, added up over the images

   The rows of a tile (tile.h) are adjacent values of one window row, the sum runs over output
   pixels: along a row they lie stride * C apart in x, and each output row of a block is one
   segment. Several small images make one block, so that a tile's sums are loaded and stored once
   for all of them. Rows of x that reach outside the image are copied with zeros around them, as in
   conv.c; grad is packed into panels of TILE_COLS channels, once per block.

   Split of work: chunks of blocks x groups of channel panels. Each chunk sums into its own copy of
   the gradient; the copies are added in index order, so the result does not depend on the number of
   threads. Extra memory: at most 8 copies (more where a chunk would add up over MANY_BLOCKS blocks)
   and at most about 8 MiB of them, and per thread about 256 KiB for the rectangle of x and the
   packed block of grad. */

#include "conv.h"

#include "depthwise.h"
#include "tile.h"
#include "window.h"

#define RECTANGLE_BYTES (128 * 1024)
#define COPIES_BYTES (8 * 1024 * 1024)
#define MAX_CHUNKS 8
#define MIN_TASKS 8      /* that there should be for threads to share */
#define CHUNK_PIXELS 256 /* that a copy of the gradient is worth */
#define MANY_BLOCKS 1024 /* sums that one chunk adds up */
#define TASK_PANELS 2    /* panels of output channels of one task */
#define PARALLEL_WORK (64 * 64 * 64)

typedef struct {
    const real *x, *grad;
    real *copies; /* (chunks, KH, KW, C/groups, F) */
    const ConvSizes *g;
    Taps rows, cols;
    ptrdiff_t CG, FG, panels, strips, chunks, block_rows, blocks, images; /* of a block */
    ptrdiff_t span_x, pixel, rectangle, packed;
    int copy;
} WeightGrad;

static ptrdiff_t weight_size(const ConvSizes *g) {
    return g->KH * g->KW * (g->C / g->groups) * g->F;
}

static void plan(WeightGrad *w) {
    const ConvSizes *g = w->g;
    w->CG = g->C / g->groups, w->FG = g->F / g->groups;
    w->panels = CEIL_DIV(w->FG, TILE_COLS);
    w->strips = CEIL_DIV(w->panels, TASK_PANELS);
    const ptrdiff_t affordable = COPIES_BYTES / (weight_size(g) * (ptrdiff_t)sizeof(real));
    w->pixel = copied_pixel(g->C);
    w->copy = w->pixel != g->C;
    w->span_x = (g->OW - 1) * g->stride_x + (g->KW - 1) * g->dilation_x + 1;
    const ptrdiff_t window = (g->KH - 1) * g->dilation_y + 1;
    const ptrdiff_t row_bytes = w->span_x * w->pixel * (ptrdiff_t)sizeof(real);
    const ptrdiff_t fitting = (RECTANGLE_BYTES / row_bytes - window) / g->stride_y + 1;
    const ptrdiff_t enough = MAX(1, 1024 / g->OW); /* pixels of a packed panel */
    w->block_rows = CEIL_DIV(g->OH, CEIL_DIV(g->OH, MAX(1, MIN(fitting, enough))));
    w->blocks = CEIL_DIV(g->OH, w->block_rows);
    const ptrdiff_t busy = CEIL_DIV(MIN_TASKS, w->strips * g->groups); /* chunks for all threads */
    const ptrdiff_t worth = MAX(busy, g->N * g->OH * g->OW / CHUNK_PIXELS);
    const ptrdiff_t wanted =
        MAX(MIN(g->N, MIN(MAX_CHUNKS, worth)), CEIL_DIV(g->N * w->blocks, MANY_BLOCKS));
    w->chunks = MAX(1, MIN(wanted, affordable));
    w->rectangle = ((w->block_rows - 1) * g->stride_y + window) * w->span_x * w->pixel;
    w->images = 1;
    if (w->blocks == 1) {
        const ptrdiff_t held = RECTANGLE_BYTES / (w->rectangle * (ptrdiff_t)sizeof(real));
        const ptrdiff_t most = MAX(1, MIN(held, enough / g->OH)), all = CEIL_DIV(g->N, w->chunks);
        w->images = CEIL_DIV(all, CEIL_DIV(all, most)); /* as many in each block of a chunk */
    }
    w->packed = w->images * w->block_rows * g->OW * TILE_COLS;
}

/* Output rows of some images, whose pixels lie `step` elements apart. */
typedef struct {
    Pixels in;
    ptrdiff_t images, step, rows;
} Block;

static Block read_block(const WeightGrad *w, ptrdiff_t block, ptrdiff_t images, real *buffer) {
    const ConvSizes *g = w->g;
    const ptrdiff_t n = block / w->blocks, oy = block % w->blocks * w->block_rows;
    const ptrdiff_t size = g->H * g->W * g->C, rows = MIN(w->block_rows, g->OH - oy);
    const ptrdiff_t y0 = oy * g->stride_y - g->top;
    const ptrdiff_t y1 = y0 + (rows - 1) * g->stride_y + (g->KH - 1) * g->dilation_y + 1;
    Block b = {.images = images, .step = size, .rows = rows};
    for (ptrdiff_t i = 0; i < images; i++) {
        const Pixels in = rectangle(w->x + (n + i) * size, g->H, g->W, g->C, y0, y1, -g->left,
                                    w->span_x - g->left, w->pixel, w->copy, buffer);
        if (i == 0) b.in = in;
        if (in.data != buffer) break; /* in place, as the others are */
        b.step = w->rectangle, buffer += w->rectangle;
    }
    return b;
}

/* Adds one block to one panel of channels of a group. */
static void add_block(const WeightGrad *w, const Block *block, ptrdiff_t group, ptrdiff_t f,
                      int cols, const real *packed, int first, real *out) {
    const ConvSizes *g = w->g;
    const Pixels *in = &block->in;
    const int merged = g->dilation_x == 1 && g->groups == 1 && in->pixel == g->C;
    const ptrdiff_t length = merged ? g->KW * w->CG : w->CG, across = merged ? 1 : g->KW;
    const ptrdiff_t segments = block->images * block->rows;
    ptrdiff_t offsets[segments];
    for (ptrdiff_t s = 0; s < segments; s++)
        offsets[s] = s / block->rows * block->step + s % block->rows * g->stride_y * in->row;
    const Tile t = {1,       g->stride_x * in->pixel,          segments, g->OW,
                    offsets, cols > LANES ? TILE_COLS : LANES, g->F,     !first,
                    0};
    const ptrdiff_t row_panels = CEIL_DIV(length, TILE_ROWS);
    for (ptrdiff_t tap = 0; tap < g->KH * across; tap++) {
        const ptrdiff_t kh = tap / across, kw = tap % across;
        const real *a = in->data + kh * g->dilation_y * in->row + kw * g->dilation_x * in->pixel;
        for (ptrdiff_t q = 0; q < row_panels; q++) {
            const ptrdiff_t i = panel_start(length, row_panels, q);
            const int rows = (int)(panel_start(length, row_panels, q + 1) - i);
            tile(&t, rows, cols, a + group * w->CG + i, packed,
                 out + (tap * length + i) * g->F + group * w->FG + f, NULL);
        }
    }
}

/* One chunk of the blocks of all images, one strip of output channels of one group. */
static void chunk_task(const WeightGrad *w, ptrdiff_t task, real *buffer) {
    const ConvSizes *g = w->g;
    const ptrdiff_t strip = task % w->strips, group = task / w->strips % g->groups;
    const ptrdiff_t chunk = task / (w->strips * g->groups);
    const ptrdiff_t p0 = strip * TASK_PANELS, p1 = MIN(w->panels, p0 + TASK_PANELS);
    real *out = w->copies + chunk * weight_size(g), *packed = buffer + w->images * w->rectangle;
    const ptrdiff_t start = panel_start(g->N * w->blocks, w->chunks, chunk);
    const ptrdiff_t end = panel_start(g->N * w->blocks, w->chunks, chunk + 1);
    for (ptrdiff_t number = start; number < end; number += w->images) {
        const Block block = read_block(w, number, MIN(w->images, end - number), buffer);
        const ptrdiff_t oy = number / w->blocks * g->OH + number % w->blocks * w->block_rows;
        for (ptrdiff_t p = p0; p < p1; p++) {
            const ptrdiff_t f = p * TILE_COLS;
            const int cols = (int)MIN(TILE_COLS, w->FG - f);
            pack_panel(w->grad + oy * g->OW * g->F + group * w->FG + f, g->F, 1, packed,
                       block.images * block.rows * g->OW, cols, cols > LANES ? TILE_COLS : LANES);
            add_block(w, &block, group, f, cols, packed, number == start, out);
        }
    }
}

/* grad_weight = the chunks' sums in the order of the chunks */
static void add_copies(const WeightGrad *w, real *grad_weight, int threads) {
    const ptrdiff_t size = weight_size(w->g);
#pragma omp parallel for num_threads(threads)
    for (ptrdiff_t i = 0; i < size; i++) {
        real sum = w->copies[i];
        for (ptrdiff_t chunk = 1; chunk < w->chunks; chunk++) sum += w->copies[chunk * size + i];
        grad_weight[i] = sum;
    }
}

int NAME(conv2d_weight_grad)(const real *x, const real *grad, real *grad_weight, const ConvSizes *g,
                             int threads) {
    const ptrdiff_t size = weight_size(g);
    if (size == 0 || g->N == 0) {
        memset(grad_weight, 0, size * sizeof(real));
        return 0;
    }
    if (is_depthwise(g)) return NAME(depthwise_weight_grad)(x, grad, grad_weight, g, threads);
    WeightGrad w = {.x = x, .grad = grad, .g = g};
    plan(&w);
    if (g->N * g->OH * g->OW * size <= PARALLEL_WORK) threads = 1;
    w.copies = w.chunks == 1 ? grad_weight : aligned_block(w.chunks * size);
    real *scratch = aligned_block(threads * (w.images * w.rectangle + w.packed));
    const int failed = !w.copies || !scratch;
    const ptrdiff_t tasks = failed ? 0 : w.chunks * g->groups * w.strips;
#pragma omp parallel for num_threads(threads)
    for (ptrdiff_t task = 0; task < tasks; task++)
        chunk_task(&w, task, scratch + TEAM_MEMBER * (w.images * w.rectangle + w.packed));
    if (!failed && w.chunks > 1) add_copies(&w, grad_weight, threads);
    if (w.copies != grad_weight) free(w.copies);
    free(scratch);
    return failed ? -1 : 0;
}
