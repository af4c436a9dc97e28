/* Pooling of R regions of interest: each a box on one image, cut into OH x OW bins. */

#ifndef TINYDL_ROI_H
#define TINYDL_ROI_H

#include "kernel.h"

/* Images (N, H, W, C) and bins (R, OH, OW, C); KH, KW: cells that a bin of roi_align may see. */
typedef struct {
    ptrdiff_t N, H, W, C, R, OH, OW, KH, KW;
} Regions;

/* x (N, H, W, C), image (R), rows (R, OH, 2), columns (R, OW, 2) -> y (R, OH, OW, C) and the int32
   place h*W + w of each maximum, -1 in an empty bin. */
#define ROI_POOL_ARGS(real)                                                                        \
    (const real *x, const int32_t *image, const int32_t *rows, const int32_t *columns, real *y,    \
     int32_t *place, const Regions *g, int threads)
KERNEL(void, roi_pool, ROI_POOL_ARGS)

/* grad, place (R, OH, OW, C), image (R) -> y (N, H, W, C), zeroed by the caller. */
#define ROI_POOL_SCATTER_ARGS(real)                                                                \
    (const real *grad, const int32_t *place, const int32_t *image, real *y, const Regions *g,      \
     int threads)
KERNEL(void, roi_pool_scatter, ROI_POOL_SCATTER_ARGS)

/* x (N, H, W, C), place (R, OH, OW, C), image (R) -> y (R, OH, OW, C). */
#define ROI_POOL_GATHER_ARGS(real)                                                                 \
    (const real *x, const int32_t *place, const int32_t *image, real *y, const Regions *g,         \
     int threads)
KERNEL(void, roi_pool_gather, ROI_POOL_GATHER_ARGS)

/* x (N, H, W, C), image (R), top (R, OH), weight_h (R, OH, KH), left (R, OW), weight_w (R, OW, KW)
   -> y (R, OH, OW, C). */
#define ROI_ALIGN_ARGS(real)                                                                       \
    (const real *x, const int32_t *image, const int32_t *top, const real *weight_h,                \
     const int32_t *left, const real *weight_w, real *y, const Regions *g, int threads)
KERNEL(void, roi_align, ROI_ALIGN_ARGS)

/* grad (R, OH, OW, C) and the tables -> y (N, H, W, C), zeroed by the caller. */
#define ROI_ALIGN_GRAD_ARGS(real)                                                                  \
    (const real *grad, const int32_t *image, const int32_t *top, const real *weight_h,             \
     const int32_t *left, const real *weight_w, real *y, const Regions *g, int threads)
KERNEL(void, roi_align_grad, ROI_ALIGN_GRAD_ARGS)

#endif
