// 2-D convolution, images (N, H, W, C), weights (KH, KW, C / groups, F), results (N, OH, OW, F).
//
//     y[n, oh, ow, f] = bias[f] + sum_{kh, kw, c} x[n, h, w, c] * weight[kh, kw, c, f]
//     with h = oh*sh + kh*dh - top and w = ow*sw + kw*dw - left, where that is inside x
//
// conv2d_<MR>x<NV>: CPU device, groups = 1. One work-item = MR pixels of one output row x NV
// vectors of F, in registers, from an image that has been padded before, without im2col.
//
// conv2d_weight_grad_<MR>x<NV>: CPU device, groups = 1. One work-item = MR weight rows x NV vectors
// of F.
//
// im2col, col2im: the readable way (then a GEMM), and the one of a GPU.
//
// grouped_*: any groups, one work-item per pixel (or weight cell) and run of channels; depthwise_*:
// groups = C = F, one vector of channels at a time. What lies outside of an image counts as 0, and
// 0 * NaN is NaN, as where zeros are written around it.

#define SIZES                                                                                      \
    int N, int H, int W, int C, int KH, int KW, int F, int OH, int OW, int sh, int sw, int top,    \
        int left, int dh, int dw, int groups

// -- padding and patches ------------------------------------------------------------------------

// y (N, H + top + .., W + left + .., C): x with zeros around it; one work-item per row of y.
kernel void pad_images(global const real *restrict x, int x0, global real *restrict y, int N, int H,
                       int W, int C, int HP, int WP, int top, int left) {
    const int item = get_global_id(0);
    if (item >= N * HP) return;
    const int h = item % HP - top, n = item / HP;
    const int from = h >= 0 && h < H ? left * C : WP * C,
              to = h >= 0 && h < H ? from + W * C : WP * C;
    y += item * WP * C;
    x += x0 + (n * H + h) * W * C - left * C;
    for (int i = 0; i < from; ++i) y[i] = 0;
    for (int i = from; i < to; ++i) y[i] = x[i];
    for (int i = to; i < WP * C; ++i) y[i] = 0;
}

// columns (N*OH*OW, KH*KW*C); one work-item per (run of c, kernel cell, patch).
kernel void im2col(global const real *restrict x, int x0, global real *restrict columns, SIZES,
                   int span) {
    const int cell = get_global_id(1), patch = get_global_id(2);
    const int ow = patch % OW, oh = patch / OW % OH, n = patch / OW / OH;
    const int h = oh * sh + cell / KW * dh - top, w = ow * sw + cell % KW * dw - left;
    const int from = get_global_id(0) * span, to = min(from + span, C);
    columns += (patch * KH * KW + cell) * C;
    if (h < 0 || h >= H || w < 0 || w >= W) {
        for (int c = from; c < to; ++c) columns[c] = 0;
    } else {
        x += x0 + ((n * H + h) * W + w) * C;
        for (int c = from; c < to; ++c) columns[c] = x[c];
    }
}

// The output pixel oh * OW + ow whose window begins at (h, w) of the padded image; -1 between two
// outputs, OUTSIDE where the row or column of outputs would go on but ends.
#define OUTSIDE INT_MAX
static inline int reader(int h, int w, int sh, int sw, int OH, int OW) {
    if (h % sh || w % sw) return -1;
    if (h < 0 || w < 0 || h / sh >= OH || w / sw >= OW) return OUTSIDE;
    return h / sh * OW + w / sw;
}

// For each kernel cell (kh, kw) through which an output pixel `at` reads the pixel (h, w).
#define FOR_EACH_READER(at)                                                                        \
    for (int kh = 0; kh < KH; ++kh)                                                                \
        for (int kw = 0, at; kw < KW; ++kw)                                                        \
            if ((at = reader(h + top - kh * dh, w + left - kw * dw, sh, sw, OH, OW)) >= 0)

// x (N, H, W, C): the sum of all patch entries of a pixel; one work-item per (run of c, pixel).
// outside (KH*KW*C) or null: what a patch would add that lies beyond the last ones, 0 or NaN.
kernel void col2im(global const real *restrict columns, int columns0,
                   global const real *restrict outside, int outside0, global real *restrict x,
                   SIZES, int span) {
    const int pixel = get_global_id(1);
    const int w = pixel % W, h = pixel / W % H, n = pixel / W / H;
    const int from = get_global_id(0) * span, to = min(from + span, C);
    x += pixel * C;
    for (int c = from; c < to; ++c) x[c] = 0;
    FOR_EACH_READER(at) {
        if (at == OUTSIDE && !outside) continue;
        global const real *p =
            at == OUTSIDE ? outside + outside0 + (kh * KW + kw) * C
                          : columns + columns0 + ((n * OH * OW + at) * KH * KW + kh * KW + kw) * C;
        for (int c = from; c < to; ++c) x[c] += p[c];
    }
}

// y (rows,) = sum of 0 * weight (rows, F): 0, or NaN where a weight is no finite number.
kernel void times_zero(global const real *restrict weight, int weight0, global real *restrict y,
                       int rows, int F) {
    const int row = get_global_id(0);
    if (row >= rows) return;
    real sum = 0;
    for (int f = 0; f < F; ++f) sum += 0 * weight[weight0 + row * F + f];
    y[row] = sum;
}

// y (KH, KW, F, C) = weight (KH, KW, C, F) turned by 180 degrees and with its channels swapped: the
// weight of the transposed convolution. One work-item per (kh, kw, f).
kernel void turn_weight(global const real *restrict weight, int weight0, global real *restrict y,
                        int cells, int C, int F) {
    const int f = get_global_id(0), cell = get_global_id(1);
    weight += weight0 + (cells - 1 - cell) * C * F + f;
    y += (cell * F + f) * C;
    for (int c = 0; c < C; ++c) y[c] = weight[c * F];
}

// -- direct convolution in registers ------------------------------------------------------------

// The kernel cells of one kernel row form `runs` runs of `length` contiguous values of x and rows
// of w: one run of KW*C without dilation, else KW runs of C. w has rows w_row apart; a panel of
// columns begins w_panel later.
#define CONV2D(MR, NV)                                                                             \
    kernel void conv2d_##MR##x##NV(                                                                \
        global const real *restrict x, int x0, global const real *restrict w, int w0,              \
        global const real *restrict bias, int bias0, global real *restrict y, int OH, int OW,      \
        int F, int KH, int runs, int length, int image_step, int row_step, int pixel_step,         \
        int kh_step, int run_step, int w_row, int w_panel) {                                       \
        const int column = get_global_id(1) * NV * VW, oh = (int)get_global_id(2) % OH;            \
        const int own = get_global_id(0) * MR, start = min(own, OW - MR);                          \
        x += x0 + (int)get_global_id(2) / OH * image_step + oh * row_step + start * pixel_step;    \
        w += w0 + (int)get_global_id(1) * w_panel;                                                 \
        TILE_ZERO(MR, NV)                                                                          \
        for (int kh = 0; kh < KH; ++kh)                                                            \
            for (int run = 0; run < runs; ++run) {                                                 \
                global const real *p = x + kh * kh_step + run * run_step;                          \
                for (int k = 0; k < length; ++k, ++p, w += w_row)                                  \
                    TILE_STEP(MR, NV, p, pixel_step, w)                                            \
            }                                                                                      \
        y += ((int)get_global_id(2) * OW + start) * F + column;                                    \
        UNROLL for (int v = 0; v < NV; ++v) if (bias && column + v * VW < F) {                     \
            const realv shift = LOADV(bias + bias0 + column + v * VW);                             \
            UNROLL for (int i = 0; i < MR; ++i) tile[i][v] += shift;                               \
        }                                                                                          \
        TILE_STORE(MR, NV, y, F, F - column, own - start, MR)                                      \
    }                                                                                              \
    /* y (chunks, KH, runs, length, F): sum over the pixels of `images` images of x^T grad */      \
    kernel void conv2d_weight_grad_##MR##x##NV(                                                    \
        global const real *restrict x, int x0, global const real *restrict grad, int grad0,        \
        global real *restrict y, int N, int OH, int OW, int F, int KH, int runs, int length,       \
        int image_step, int row_step, int pixel_step, int kh_step, int run_step, int images) {     \
        const int column = get_global_id(1) * NV * VW, id = get_global_id(2);                      \
        const int own = get_global_id(0) * MR, start = min(own, length - MR);                      \
        const int run = id % runs, kh = id / runs % KH, chunk = id / runs / KH;                    \
        x += x0 + kh * kh_step + run * run_step + start;                                           \
        grad += grad0 + chunk * images * OH * OW * F + column;                                     \
        y += (id * length + start) * F + column;                                                   \
        TILE_ZERO(MR, NV)                                                                          \
        const int rows = (min((chunk + 1) * images, N) - chunk * images) * OH;                     \
        for (int row = 0, count = 0, stored = 0; row < rows; ++row) {                              \
            global const real *p =                                                                 \
                x + (chunk * images + row / OH) * image_step + row % OH * row_step;                \
            for (int ow = 0; ow < OW;) {                                                           \
                const int stop = min(OW, ow + LONGEST - count);                                    \
                count += stop - ow;                                                                \
                for (; ow < stop; ++ow, p += pixel_step, grad += F) TILE_STEP(MR, NV, p, 1, grad)  \
                if (count < LONGEST && (row + 1 < rows || ow < OW)) continue;                      \
                if (stored) TILE_ADD(MR, NV, y, F, F - column)                                     \
                TILE_STORE(MR, NV, y, F, F - column, own - start, MR)                              \
                UNROLL for (int i = 0; i < MR; ++i) UNROLL for (int v = 0; v < NV; ++v)            \
                    tile[i][v] = (realv)0;                                                         \
                count = 0, stored = 1;                                                             \
            }                                                                                      \
        }                                                                                          \
    }

#define CONV2D_PIXELS(MR) CONV2D(MR, 1) CONV2D(MR, 2)
CONV2D_PIXELS(1)
CONV2D_PIXELS(2)
CONV2D_PIXELS(3)
CONV2D_PIXELS(4)
CONV2D_PIXELS(5)
CONV2D_PIXELS(6)
CONV2D_PIXELS(7)
CONV2D_PIXELS(8)
CONV2D_PIXELS(9)
CONV2D_PIXELS(10)

// -- groups -------------------------------------------------------------------------------------

#define CG (C / groups) // input channels of a group
#define FG (F / groups) // output channels of a group

// One work-item per (run of f, output pixel).
kernel void grouped_conv2d(global const real *restrict x, int x0,
                           global const real *restrict weight, int weight0,
                           global const real *restrict bias, int bias0, global real *restrict y,
                           SIZES, int span) {
    const int pixel = get_global_id(1);
    const int ow = pixel % OW, oh = pixel / OW % OH, n = pixel / OW / OH;
    const int from = get_global_id(0) * span, to = min(from + span, F);
    for (int f = from; f < to; ++f) {
        real sum = bias ? bias[bias0 + f] : 0;
        for (int kh = 0; kh < KH; ++kh)
            for (int kw = 0; kw < KW; ++kw) {
                const int h = oh * sh + kh * dh - top, w = ow * sw + kw * dw - left;
                const int inside = h >= 0 && h < H && w >= 0 && w < W;
                global const real *p =
                    x + x0 + (inside ? ((n * H + h) * W + w) * C : 0) + f / FG * CG;
                global const real *q = weight + weight0 + (kh * KW + kw) * CG * F + f;
                real part = 0;
                for (int c = 0; c < CG; ++c) {
                    part = (inside ? p[c] : 0) * q[c * F] + part;
                    if ((c + 1) % LONGEST == 0) sum += part, part = 0;
                }
                sum += part;
            }
        y[pixel * F + f] = sum;
    }
}

// One work-item per (run of c, input pixel).
kernel void grouped_input_grad(global const real *restrict grad, int grad0,
                               global const real *restrict weight, int weight0,
                               global real *restrict y, SIZES, int span) {
    const int pixel = get_global_id(1);
    const int w = pixel % W, h = pixel / W % H, n = pixel / W / H;
    const int from = get_global_id(0) * span, to = min(from + span, C);
    for (int c = from; c < to; ++c) {
        real sum = 0;
        FOR_EACH_READER(at) {
            global const real *p =
                grad + grad0 + (n * OH * OW + (at < OUTSIDE ? at : 0)) * F + c / CG * FG;
            global const real *q =
                weight + weight0 + ((kh * KW + kw) * CG + c % CG) * F + c / CG * FG;
            real part = 0;
            for (int f = 0; f < FG; ++f) {
                part = (at < OUTSIDE ? p[f] : 0) * q[f] + part;
                if ((f + 1) % LONGEST == 0) sum += part, part = 0;
            }
            sum += part;
        }
        y[pixel * C + c] = sum;
    }
}

// One work-item per (run of f, kernel cell and channel of the group).
kernel void grouped_weight_grad(global const real *restrict x, int x0,
                                global const real *restrict grad, int grad0,
                                global real *restrict y, SIZES, int span) {
    const int row = get_global_id(1);
    const int c = row % CG, kw = row / CG % KW, kh = row / CG / KW;
    const int from = get_global_id(0) * span, to = min(from + span, F);
    for (int f = from; f < to; ++f) {
        real sum = 0;
        for (int n = 0; n < N; ++n) {
            real image = 0;
            for (int oh = 0; oh < OH; ++oh) {
                const int h = oh * sh + kh * dh - top;
                for (int first = 0; first < OW; first += LONGEST) {
                    real part = 0;
                    for (int ow = first; ow < min(first + LONGEST, OW); ++ow) {
                        const int w = ow * sw + kw * dw - left;
                        const int inside = h >= 0 && h < H && w >= 0 && w < W;
                        const int at = inside ? ((n * H + h) * W + w) * C + f / FG * CG + c : 0;
                        part = (inside ? x[x0 + at] : 0) *
                                   grad[grad0 + ((n * OH + oh) * OW + ow) * F + f] +
                               part;
                    }
                    image += part;
                }
            }
            sum += image;
        }
        y[row * F + f] = sum;
    }
}

// groups = C = F: every channel has its own KH x KW kernel. One work-item per (vector of c, output
// pixel).
kernel void depthwise_conv2d(global const real *restrict x, int x0,
                             global const real *restrict weight, int weight0,
                             global const real *restrict bias, int bias0, global real *restrict y,
                             SIZES, int span) {
    const int pixel = get_global_id(1);
    const int ow = pixel % OW, oh = pixel / OW % OH, n = pixel / OW / OH;
    const int from = get_global_id(0) * span, to = min(from + span, C);
    for (int c = from; c < to; c += VW) {
        realv sum = bias ? LOADV(bias + bias0 + c) : (realv)0;
        for (int kh = 0; kh < KH; ++kh)
            for (int kw = 0; kw < KW; ++kw) {
                const int h = oh * sh + kh * dh - top, w = ow * sw + kw * dw - left;
                const int inside = h >= 0 && h < H && w >= 0 && w < W;
                const realv pixel_value =
                    inside ? LOADV(x + x0 + ((n * H + h) * W + w) * C + c) : (realv)0;
                sum = pixel_value * LOADV(weight + weight0 + (kh * KW + kw) * C + c) + sum;
            }
        store_part(sum, to - c, y + pixel * C + c);
    }
}

// One work-item per (vector of c, input pixel).
kernel void depthwise_input_grad(global const real *restrict grad, int grad0,
                                 global const real *restrict weight, int weight0,
                                 global real *restrict y, SIZES, int span) {
    const int pixel = get_global_id(1);
    const int w = pixel % W, h = pixel / W % H, n = pixel / W / H;
    const int from = get_global_id(0) * span, to = min(from + span, C);
    for (int c = from; c < to; c += VW) {
        realv sum = 0;
        FOR_EACH_READER(at) {
            const realv here =
                at < OUTSIDE ? LOADV(grad + grad0 + (n * OH * OW + at) * C + c) : (realv)0;
            sum = here * LOADV(weight + weight0 + (kh * KW + kw) * C + c) + sum;
        }
        store_part(sum, to - c, y + pixel * C + c);
    }
}

// y (chunks, KH, KW, C); one work-item per (vector of c, kernel cell, chunk of `images` images).
kernel void depthwise_weight_grad(global const real *restrict x, int x0,
                                  global const real *restrict grad, int grad0,
                                  global real *restrict y, SIZES, int images) {
    const int c = get_global_id(0) * VW, cell = get_global_id(1), chunk = get_global_id(2);
    realv sum = 0;
    for (int n = chunk * images; n < min((chunk + 1) * images, N); ++n) {
        realv image = 0;
        for (int oh = 0; oh < OH; ++oh) {
            const int h = oh * sh + cell / KW * dh - top;
            for (int first = 0; first < OW; first += LONGEST) {
                realv part = 0;
                for (int ow = first; ow < min(first + LONGEST, OW); ++ow) {
                    const int w = ow * sw + cell % KW * dw - left;
                    const int inside = h >= 0 && h < H && w >= 0 && w < W;
                    const realv value =
                        inside ? LOADV(x + x0 + ((n * H + h) * W + w) * C + c) : (realv)0;
                    part = value * LOADV(grad + grad0 + ((n * OH + oh) * OW + ow) * C + c) + part;
                }
                image += part;
            }
        }
        sum += image;
    }
    store_part(sum, C - c, y + (chunk * KH * KW + cell) * C + c);
}
