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

// -- depthwise: groups = C = F, every channel has its own KH x KW kernel ------------------------

// The smallest o >= 0 with o * stride >= start; at most `size`.
static inline int first_output(int start, int stride, int size) {
    return clamp(start <= 0 ? 0 : (start + stride - 1) / stride, 0, size);
}

// The cells of one kernel row add to MR neighbouring results: sum[i] += line[first + i * step] * q
// in every cell that ANOTHER_CELL gives a `first`. Columns of `line` from 0 to size - 1 are there;
// those beyond count as 0, as does a line that is not `inside`. `safe`: none is beyond.
#define ADD_CELLS(MR, sum, line, inside, safe, step, size, ANOTHER_CELL)                           \
    if (safe && (inside)) {                                                                        \
        for (int kw = 0; kw < KW; ++kw) {                                                          \
            ANOTHER_CELL                                                                           \
            global const real *p = (line) + first * C;                                             \
            UNROLL for (int i = 0; i < MR; ++i) sum[i] = LOADV(p + i * (step) * C) * q + sum[i];   \
        }                                                                                          \
    } else {                                                                                       \
        for (int kw = 0; kw < KW; ++kw) {                                                          \
            ANOTHER_CELL                                                                           \
            UNROLL for (int i = 0; i < MR; ++i) {                                                  \
                const int at = first + i * (step), there = (inside) && at >= 0 && at < (size);     \
                sum[i] = (there ? LOADV((line) + at * C) : (realv)0) * q + sum[i];                 \
            }                                                                                      \
        }                                                                                          \
    }

#define FORWARD_CELL                                                                               \
    const realv q = LOADV(weight + weight0 + (kh * KW + kw) * C + c);                              \
    const int first = ow * sw + kw * dw - left;
#define BACKWARD_CELL                                                                              \
    const int across = phase + left - kw * dw;                                                     \
    if (across % sw) continue;                                                                     \
    const realv q = LOADV(weight + weight0 + (kh * KW + kw) * C + c);                              \
    const int first = j + across / sw;

// MR results from ow on.
#define DEPTHWISE_PIXELS(MR, safe)                                                                 \
    {                                                                                              \
        realv sum[MR];                                                                             \
        const realv shift = bias ? LOADV(bias + bias0 + c) : (realv)0;                             \
        UNROLL for (int i = 0; i < MR; ++i) sum[i] = shift;                                        \
        for (int kh = 0; kh < KH; ++kh) {                                                          \
            const int h = oh * sh + kh * dh - top, inside = h >= 0 && h < H;                       \
            global const real *line = x + x0 + (n * H + (inside ? h : 0)) * W * C + c;             \
            ADD_CELLS(MR, sum, line, inside, safe, sw, W, FORWARD_CELL)                            \
        }                                                                                          \
        global real *to_row = y + (row * OW + ow) * C + c;                                         \
        UNROLL for (int i = 0; i < MR; ++i) store_part(sum[i], to - c, to_row + i * C);            \
    }

// MR gradients of the pixels phase + j * sw, phase + (j + 1) * sw, ...
#define DEPTHWISE_GRADS(MR, safe)                                                                  \
    {                                                                                              \
        realv sum[MR];                                                                             \
        UNROLL for (int i = 0; i < MR; ++i) sum[i] = (realv)0;                                     \
        for (int kh = 0; kh < KH; ++kh) {                                                          \
            const int down = h + top - kh * dh, oh = down / sh;                                    \
            if (down % sh) continue;                                                               \
            const int inside = down >= 0 && oh < OH;                                               \
            global const real *line = grad + grad0 + (n * OH + (inside ? oh : 0)) * OW * C + c;    \
            ADD_CELLS(MR, sum, line, inside, safe, 1, OW, BACKWARD_CELL)                           \
        }                                                                                          \
        global real *to_row = y + (row * W + phase + j * sw) * C + c;                              \
        UNROLL for (int i = 0; i < MR; ++i) store_part(sum[i], to - c, to_row + i * sw * C);       \
    }

// Results 0 ... count - 1: those from low to high - 1 see no column beyond the image and are made
// MR at a time, the last of them starting early; the others one by one.
#define DEPTHWISE_ROW(MR, at, count, low, high, MAKE)                                              \
    for (int at = 0; at < count;) {                                                                \
        const int many = at >= low && at < high && high - low >= MR;                               \
        if (many) at = min(at, high - MR);                                                         \
        for (int c = from; c < to; c += VW)                                                        \
            if (many)                                                                              \
                MAKE(MR, 1)                                                                        \
            else                                                                                   \
                MAKE(1, 0)                                                                         \
        at += many ? MR : 1;                                                                       \
    }

// depthwise_conv2d_<MR>: one work-item per (run of c, output row).
//
// depthwise_input_grad_<MR>: one work-item per (run of c, input row). The pixels w = phase, phase +
// sw, ... read neighbouring outputs.
#define DEPTHWISE(MR)                                                                              \
    kernel void depthwise_conv2d_##MR(                                                             \
        global const real *restrict x, int x0, global const real *restrict weight, int weight0,    \
        global const real *restrict bias, int bias0, global real *restrict y, SIZES, int span) {   \
        const int row = get_global_id(1), oh = row % OH, n = row / OH;                             \
        const int from = get_global_id(0) * span, to = min(from + span, C);                        \
        const int low = first_output(left, sw, OW);                                                \
        const int high = first_output(W - (KW - 1) * dw + left, sw, OW);                           \
        DEPTHWISE_ROW(MR, ow, OW, low, high, DEPTHWISE_PIXELS)                                     \
    }                                                                                              \
    kernel void depthwise_input_grad_##MR(global const real *restrict grad, int grad0,             \
                                          global const real *restrict weight, int weight0,         \
                                          global real *restrict y, SIZES, int span) {              \
        const int row = get_global_id(1), h = row % H, n = row / H;                                \
        const int from = get_global_id(0) * span, to = min(from + span, C);                        \
        for (int phase = 0; phase < min(sw, W); ++phase) {                                         \
            const int count = (W - phase + sw - 1) / sw;                                           \
            int low = 0, high = count;                                                             \
            for (int kw = 0; kw < KW; ++kw) {                                                      \
                const int across = phase + left - kw * dw;                                         \
                if (across % sw) continue;                                                         \
                low = max(low, -across / sw);                                                      \
                high = min(high, OW - across / sw);                                                \
            }                                                                                      \
            DEPTHWISE_ROW(MR, j, count, low, high, DEPTHWISE_GRADS)                                \
        }                                                                                          \
    }

DEPTHWISE(1)
DEPTHWISE(2)
DEPTHWISE(3)
DEPTHWISE(4)
DEPTHWISE(5)
DEPTHWISE(6)
DEPTHWISE(7)

// y (chunks, KH, KW, C); one work-item per (run of c, `each` kernel cells, chunk of `images`
// images): row by row, so that the cells find it in the cache. An output whose pixel lies outside
// adds 0 * grad, as zeros around the image would.
#define SUMS 4 // running sums: each waits for itself alone
kernel void depthwise_weight_grad(global const real *restrict x, int x0,
                                  global const real *restrict grad, int grad0,
                                  global real *restrict y, SIZES, int images, int each, int span) {
    const int from = get_global_id(0) * span, to = min(from + span, C);
    const int cells = KH * KW, first_cell = get_global_id(1) * each, chunk = get_global_id(2);
    const int rows = (min((chunk + 1) * images, N) - chunk * images) * OH;
    y += chunk * cells * C;
    for (int row = 0; row < rows; ++row) {
        const int n = chunk * images + row / OH, oh = row % OH;
        for (int c = from; c < to; c += VW) {
            global const real *g = grad + grad0 + (n * OH + oh) * OW * C + c;
            for (int cell = first_cell; cell < min(first_cell + each, cells); ++cell) {
                const int shift = cell % KW * dw - left; // of the column
                const int h = oh * sh + cell / KW * dh - top, inside = h >= 0 && h < H;
                const int low = inside ? first_output(-shift, sw, OW) : OW;
                const int high = max(first_output(W - shift, sw, OW), low);
                global const real *p = x + x0 + ((n * H + (inside ? h : 0)) * W + shift) * C + c;
                realv sum = row ? load_own(to - c, y + cell * C + c) : (realv)0;
                realv part[SUMS];
                UNROLL for (int i = 0; i < SUMS; ++i) part[i] = (realv)0;
                for (int ow = 0; ow < low; ++ow) part[0] = (realv)0 * LOADV(g + ow * C) + part[0];
                for (int ow = high; ow < OW; ++ow) part[0] = (realv)0 * LOADV(g + ow * C) + part[0];
                for (int start = low; start < high; start += SUMS * LONGEST) {
                    const int last = min(start + SUMS * LONGEST, high);
                    int ow = start;
                    for (; ow + SUMS <= last; ow += SUMS)
                        UNROLL for (int i = 0; i < SUMS; ++i) part[i] =
                            LOADV(p + (ow + i) * sw * C) * LOADV(g + (ow + i) * C) + part[i];
                    for (; ow < last; ++ow)
                        part[0] = LOADV(p + ow * sw * C) * LOADV(g + ow * C) + part[0];
                    sum += (part[0] + part[1]) + (part[2] + part[3]);
                    UNROLL for (int i = 0; i < SUMS; ++i) part[i] = (realv)0;
                }
                store_part(sum + part[0], to - c, y + cell * C + c);
            }
        }
    }
}
