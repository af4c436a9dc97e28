#include "conv.h"

/* A convolution with few filters and long rows of its window: see conv_few.c. Internal to conv. */
#ifdef SUFFIX
int NAME(is_few)(const ConvSizes *g);
int NAME(conv2d_few)(const real *x, const real *weight, const real *bias, real *y,
                     const ConvSizes *g, int epilogue, int threads);
#endif
