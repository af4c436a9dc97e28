// Pooling of R regions of interest of x (N, H, W, C) -> y (R, OH, OW, C); the tables of each bin's
// cells come from ops/roi.py.
//
// Forward: one work-item per bin and run of channels: whole bins, vector by vector, on a CPU device;
// one element on a GPU (VW = 1, c_items = C). The gradients add to images, where regions overlap: one
// work-item per image and vector of channels adds all regions in order, without atomics.

#define SIZES int N, int H, int W, int C, int R, int OH, int OW

// Channels c of this item: c_items items share a bin.
#define FOR_CHANNELS(c) for (int c = (int)get_global_id(0) % c_items * VW; c < C; c += c_items * VW)

// Bin b = (r, i, j) of this item.
#define BIN                                                                                        \
    const int b = get_global_id(0) / c_items;                                                      \
    if (b >= R * OH * OW) return;                                                                  \
    const int j = b % OW, i = b / OW % OH, r = b / OW / OH;

// Image n and channels c ... c + VW - 1 of this item.
#define IMAGE                                                                                      \
    const int tiles = (C + VW - 1) / VW;                                                           \
    const int n = get_global_id(0) / tiles, c = get_global_id(0) % tiles * VW;                     \
    if (n >= N) return;

static inline void store_part_int(intv v, int count, global int *p) {
    int lanes[VW];
    STOREV(v, lanes);
    for (int i = 0; i < min(count, VW); ++i) p[i] = lanes[i];
}

// y and place = h * W + w of the first largest value; the first NaN wins; 0 and -1 in an empty bin.
kernel void roi_pool(global const real *restrict x, int x0, global const int *restrict image,
                     int image0, global const int *restrict rows, int rows0,
                     global const int *restrict columns, int columns0, global real *restrict y,
                     global int *restrict place, SIZES, int c_items) {
    BIN
    const int at_h = rows0 + 2 * (r * OH + i), at_w = columns0 + 2 * (r * OW + j);
    const int h_from = rows[at_h], h_to = rows[at_h + 1];
    const int w_from = columns[at_w], w_to = columns[at_w + 1];
    FOR_CHANNELS(c) {
        global const real *plane = x + x0 + image[image0 + r] * H * W * C + c;
        realv best = (realv)0;
        maskv where = (maskv)(-1);
        for (int h = h_from; h < h_to; ++h)
            for (int w = w_from; w < w_to; ++w) {
                const realv value = LOADV(plane + (h * W + w) * C);
                const maskv wins =
                    (where < (maskv)0) | (value > best) | ((value != value) & (best == best));
                best = wins ? value : best;
                where = wins ? (maskv)(h * W + w) : where;
            }
        store_part(best, C - c, y + b * C + c);
        store_part_int(CONVERTV(int)(where), C - c, place + b * C + c);
    }
}

// y (N, H, W, C), zeros: every grad value is added at its place.
kernel void roi_pool_scatter(global const real *restrict grad, int grad0,
                             global const int *restrict place, int place0,
                             global const int *restrict image, int image0, global real *restrict y,
                             SIZES) {
    IMAGE
    for (int r = 0; r < R; ++r) {
        if (image[image0 + r] != n) continue;
        for (int b = r * OH * OW; b < (r + 1) * OH * OW; ++b)
            for (int lane = c; lane < min(c + VW, C); ++lane) {
                const int at = place[place0 + b * C + lane];
                if (at >= 0 && at < H * W)
                    y[(n * H * W + at) * C + lane] += grad[grad0 + b * C + lane];
            }
    }
}

// y (R, OH, OW, C) = x at the recorded places, 0 at -1
kernel void roi_pool_gather(global const real *restrict x, int x0, global const int *restrict place,
                            int place0, global const int *restrict image, int image0,
                            global real *restrict y, SIZES, int c_items) {
    BIN
    FOR_CHANNELS(c) {
        for (int lane = c; lane < min(c + VW, C); ++lane) {
            const int at = min(place[place0 + b * C + lane], H * W - 1);
            const int cell = image[image0 + r] * H * W + max(at, 0);
            y[b * C + lane] = at < 0 ? (real)0 : x[x0 + cell * C + lane];
        }
    }
}

// y = sum over the cells of a bin: weight_h * weight_w * x; a cell of weight 0 is not read
kernel void roi_align(global const real *restrict x, int x0, global const int *restrict image,
                      int image0, global const int *restrict top, int top0,
                      global const real *restrict weight_h, int weight_h0,
                      global const int *restrict left, int left0,
                      global const real *restrict weight_w, int weight_w0, global real *restrict y,
                      SIZES, int KH, int KW, int c_items) {
    BIN
    const int row = r * OH + i, column = r * OW + j;
    const int corner =
        ((image[image0 + r] * H + top[top0 + row]) * W + left[left0 + column]) * C + x0;
    FOR_CHANNELS(c) {
        realv sum = 0;
        for (int kh = 0; kh < KH; ++kh)
            for (int kw = 0; kw < KW; ++kw) {
                const real weight =
                    weight_h[weight_h0 + row * KH + kh] * weight_w[weight_w0 + column * KW + kw];
                if (weight != 0) sum += (realv)weight * LOADV(x + corner + (kh * W + kw) * C + c);
            }
        store_part(sum, C - c, y + b * C + c);
    }
}

// y (N, H, W, C), zeros: weight_h * weight_w * grad is added to every cell of a bin.
kernel void roi_align_grad(global const real *restrict grad, int grad0,
                           global const int *restrict image, int image0,
                           global const int *restrict top, int top0,
                           global const real *restrict weight_h, int weight_h0,
                           global const int *restrict left, int left0,
                           global const real *restrict weight_w, int weight_w0,
                           global real *restrict y, SIZES, int KH, int KW) {
    IMAGE
    for (int r = 0; r < R; ++r) {
        if (image[image0 + r] != n) continue;
        for (int b = 0; b < OH * OW; ++b) {
            const int row = r * OH + b / OW, column = r * OW + b % OW;
            const realv value = LOADV(grad + grad0 + (r * OH * OW + b) * C + c);
            global real *corner =
                y + ((n * H + top[top0 + row]) * W + left[left0 + column]) * C + c;
            for (int kh = 0; kh < KH; ++kh)
                for (int kw = 0; kw < KW; ++kw) {
                    const real weight = weight_h[weight_h0 + row * KH + kh] *
                                        weight_w[weight_w0 + column * KW + kw];
                    global real *cell = corner + (kh * W + kw) * C;
                    if (weight != 0)
                        store_part(load_own(C - c, cell) + (realv)weight * value, C - c, cell);
                }
        }
    }
}
