// Pooling of x (N, H, W, C) -> y (N, OH, OW, C). One work-item per pixel of the result and run of
// channels: whole pixels, vector by vector, on a CPU device; one element on a GPU (VW = 1, c_items
// = C).

#define SIZES                                                                                      \
    int N, int H, int W, int C, int KH, int KW, int OH, int OW, int sh, int sw, int top, int left, \
        int adaptive

// Channels c of this item: c_items items share a pixel.
#define FOR_CHANNELS(c) for (int c = (int)get_global_id(0) % c_items * VW; c < C; c += c_items * VW)

// Result pixel (n, i, j) of an image of `columns` x `rows`.
#define PIXEL(rows, columns)                                                                       \
    const int pixel = get_global_id(0) / c_items;                                                  \
    if (pixel >= N * (rows) * (columns)) return;                                                   \
    const int j = pixel % (columns), i = pixel / (columns) % (rows), n = pixel / (columns) / (rows);

// Along one axis: the cells from ... to - 1 of the image that output o sees.
static inline int2 cells_of(int o, int size, int outputs, int kernel_size, int stride, int before,
                            int adaptive) {
    if (adaptive) // the products may leave 32 bits
        return (int2)((long)o * size / outputs, ((o + 1L) * size - 1) / outputs + 1);
    return (int2)(max(o * stride - before, 0), min(o * stride - before + kernel_size, size));
}

// Along one axis: the outputs from ... to - 1 that see cell i. Of the adaptive rule
// o size < (i + 1) outputs and (o + 1) size > i outputs, solved for o.
static inline int2 outputs_of(int i, int size, int outputs, int kernel_size, int stride, int before,
                              int adaptive) {
    if (adaptive) return (int2)((long)i * outputs / size, ((i + 1L) * outputs - 1) / size + 1);
    return (int2)(max(i + before - kernel_size + stride, 0) / stride,
                  min((i + before) / stride + 1, outputs));
}

#define ROWS_OF(oh) cells_of(oh, H, OH, KH, sh, top, adaptive)
#define COLUMNS_OF(ow) cells_of(ow, W, OW, KW, sw, left, adaptive)

// The window of output pixel (i, j), cut to the image: h_from ... h_to - 1 and w_from ... w_to - 1.
#define WINDOW                                                                                     \
    const int h_from = ROWS_OF(i).x, h_to = ROWS_OF(i).y;                                          \
    const int w_from = COLUMNS_OF(j).x, w_to = COLUMNS_OF(j).y;

// The outputs whose windows contain pixel (i, j): oh_from ... oh_to - 1 and ow_from ... ow_to - 1.
#define COVERING                                                                                   \
    const int2 covering_h = outputs_of(i, H, OH, KH, sh, top, adaptive);                           \
    const int2 covering_w = outputs_of(j, W, OW, KW, sw, left, adaptive);                          \
    const int oh_from = covering_h.x, oh_to = covering_h.y;                                        \
    const int ow_from = covering_w.x, ow_to = covering_w.y;

static inline void store_part_int(intv v, int count, global int *p) {
    if (count >= VW) {
        STOREV(v, p);
    } else {
        int lanes[VW];
        STOREV(v, lanes);
        for (int i = 0; i < count; ++i) p[i] = lanes[i];
    }
}

// y and place = h * W + w of the first largest value; the first NaN wins.
kernel void max_pool2d(global const real *restrict x, int x0, global real *restrict y,
                       global int *restrict place, SIZES, int c_items) {
    PIXEL(OH, OW)
    WINDOW
    FOR_CHANNELS(c) {
        global const real *image = x + x0 + n * H * W * C + c;
        realv best = (realv)(-INFINITY);
        maskv where = (maskv)(-1);
        for (int h = h_from; h < h_to; ++h)
            for (int w = w_from; w < w_to; ++w) {
                const realv value = LOADV(image + (h * W + w) * C);
                const maskv wins =
                    (where < (maskv)0) | (value > best) | ((value != value) & (best == best));
                best = wins ? value : best;
                where = wins ? (maskv)(h * W + w) : where;
            }
        store_part(best, C - c, y + pixel * C + c);
        store_part_int(CONVERTV(int)(where), C - c, place + pixel * C + c);
    }
}

// y (N, H, W, C): the sum, in the order of the windows, of the grad values whose place is this
// pixel.
kernel void max_pool2d_scatter(global const real *restrict grad, int grad0,
                               global const int *restrict place, int place0,
                               global real *restrict y, SIZES, int c_items) {
    PIXEL(H, W)
    COVERING
    FOR_CHANNELS(c) {
        realv sum = 0;
        for (int oh = oh_from; oh < oh_to; ++oh)
            for (int ow = ow_from; ow < ow_to; ++ow) {
                const int at = ((n * OH + oh) * OW + ow) * C + c;
                const maskv here = CONVERTV(MASK)(LOADV(place + place0 + at)) == (maskv)(i * W + j);
                sum += here ? LOADV(grad + grad0 + at) : (realv)0;
            }
        store_part(sum, C - c, y + pixel * C + c);
    }
}

// y (N, OH, OW, C) = x at the recorded places
kernel void max_pool2d_gather(global const real *restrict x, int x0,
                              global const int *restrict place, int place0, global real *restrict y,
                              SIZES, int c_items) {
    PIXEL(OH, OW)
    FOR_CHANNELS(c) {
        for (int lane = c; lane < min(c + VW, C); ++lane) {
            const int h_w = clamp(place[place0 + pixel * C + lane], 0, H * W - 1);
            y[pixel * C + lane] = x[x0 + (n * H * W + h_w) * C + lane];
        }
    }
}

// y = mean over the cells of the window inside the image
kernel void avg_pool2d(global const real *restrict x, int x0, global real *restrict y, SIZES,
                       int c_items) {
    PIXEL(OH, OW)
    WINDOW
    const real count = (h_to - h_from) * (w_to - w_from);
    FOR_CHANNELS(c) {
        global const real *image = x + x0 + n * H * W * C + c;
        realv sum = 0; // of the sums of pieces of rows
        for (int h = h_from; h < h_to; ++h)
            for (int low = w_from; low < w_to; low += LONGEST) {
                realv part = 0;
                for (int w = low; w < min(low + LONGEST, w_to); ++w)
                    part += LOADV(image + (h * W + w) * C);
                sum += part;
            }
        store_part(sum / (realv)count, C - c, y + pixel * C + c);
    }
}

// y (N, H, W, C): grad / count of every window that contains this pixel
kernel void avg_pool2d_grad(global const real *restrict grad, int grad0, global real *restrict y,
                            SIZES, int c_items) {
    PIXEL(H, W)
    COVERING
    FOR_CHANNELS(c) {
        realv sum = 0;
        for (int oh = oh_from; oh < oh_to; ++oh)
            for (int ow = ow_from; ow < ow_to; ++ow) {
                const int rows = ROWS_OF(oh).y - ROWS_OF(oh).x;
                const int columns = COLUMNS_OF(ow).y - COLUMNS_OF(ow).x;
                sum += LOADV(grad + grad0 + ((n * OH + oh) * OW + ow) * C + c) /
                       (realv)(real)(rows * columns);
            }
        store_part(sum, C - c, y + pixel * C + c);
    }
}
