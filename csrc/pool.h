/* Pooling of images (N, H, W, C) by windows of KH x KW. */

#ifndef TINYDL_POOL_H
#define TINYDL_POOL_H

#include "kernel.h"

/* A Pool2dGeometry: output pixel (oh, ow) sees rows oh*stride_h - top ... + KH - 1, or, if
 * adaptive, floor(oh*H / OH) ... ceil((oh + 1)*H / OH) - 1; columns likewise. */
typedef struct {
    ptrdiff_t N, H, W, C, KH, KW, OH, OW;
    ptrdiff_t stride_h, stride_w, top, left;
    ptrdiff_t adaptive;
} Window;

/* x (N, H, W, C) -> y (N, OH, OW, C) and, unless place is NULL, the int32 place h*W + w of each
 * maximum, same shape. */
#define MAX_POOL2D_ARGS(real) (const real *x, real *y, int32_t *place, const Window *g, int threads)
KERNEL(void, max_pool2d, MAX_POOL2D_ARGS)

/* grad, place (N, OH, OW, C) -> y (N, H, W, C). */
#define MAX_POOL2D_SCATTER_ARGS(real)                                                              \
    (const real *grad, const int32_t *place, real *y, const Window *g, int threads)
KERNEL(void, max_pool2d_scatter, MAX_POOL2D_SCATTER_ARGS)

/* x (N, H, W, C), place (N, OH, OW, C) -> y (N, OH, OW, C). */
#define MAX_POOL2D_GATHER_ARGS(real)                                                               \
    (const real *x, const int32_t *place, real *y, const Window *g, int threads)
KERNEL(void, max_pool2d_gather, MAX_POOL2D_GATHER_ARGS)

/* x (N, H, W, C) -> y (N, OH, OW, C). */
#define AVG_POOL2D_ARGS(real) (const real *x, real *y, const Window *g, int threads)
KERNEL(int, avg_pool2d, AVG_POOL2D_ARGS)

/* grad (N, OH, OW, C) -> y (N, H, W, C). */
#define AVG_POOL2D_GRAD_ARGS(real) (const real *grad, real *y, const Window *g, int threads)
KERNEL(void, avg_pool2d_grad, AVG_POOL2D_GRAD_ARGS)

#endif
