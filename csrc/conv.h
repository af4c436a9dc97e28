#include "kernel.h"

/* Sizes of one 2-D convolution: x (N, H, W, C), weight (KH, KW, C/groups, F), y (N, OH, OW, F).
   y[n, oh, ow, f] sums x[n, oh*stride_y + kh*dilation_y - top, ow*stride_x + kw*dilation_x - left,
   c]
   * weight[kh, kw, c, f]; pixels outside x are zero. All arrays are contiguous. */
#ifndef TINYDL_CONV_H
#define TINYDL_CONV_H
typedef struct {
    ptrdiff_t N, H, W, C, KH, KW, F, OH, OW;
    ptrdiff_t stride_y, stride_x, top, left, dilation_y, dilation_x, groups;
} ConvSizes;
#endif

/* y = conv(x, weight) + bias (F,), then what `epilogue` says (vector.h); conv.c. The three products
 * return -1 without memory, else 0. With `packed`, weight is what conv2d_pack has written at the
 * same level. */
#define CONV2D_ARGS(real)                                                                          \
    (const real *x, const real *weight, const real *bias, real *y, const ConvSizes *g,             \
     int epilogue, int packed, int threads)
KERNEL(int, conv2d, CONV2D_ARGS)

/* The number of elements of the packed weights, 0 where none are packed (depthwise, few filters);
   writes them unless packed is NULL. Only g->KH, KW, C, F and groups matter. conv.c. */
#define CONV2D_PACK_ARGS(real) (const real *weight, real *packed, const ConvSizes *g)
KERNEL(ptrdiff_t, conv2d_pack, CONV2D_PACK_ARGS)

/* grad_x from grad = dL/dy; conv.c. */
#define CONV2D_INPUT_GRAD_ARGS(real)                                                               \
    (const real *grad, const real *weight, real *grad_x, const ConvSizes *g, int threads)
KERNEL(int, conv2d_input_grad, CONV2D_INPUT_GRAD_ARGS)

/* grad_weight from x and grad = dL/dy; conv_weight.c. */
#define CONV2D_WEIGHT_GRAD_ARGS(real)                                                              \
    (const real *x, const real *grad, real *grad_weight, const ConvSizes *g, int threads)
KERNEL(int, conv2d_weight_grad, CONV2D_WEIGHT_GRAD_ARGS)

/* columns (N*OH*OW, KH*KW*C) from x, and back: the adjoint; conv_columns.c. */
#define IM2COL_ARGS(real) (const real *x, real *columns, const ConvSizes *g, int threads)
KERNEL(void, im2col, IM2COL_ARGS)
#define COL2IM_ARGS(real) (const real *columns, real *x, const ConvSizes *g, int threads)
KERNEL(void, col2im, COL2IM_ARGS)
