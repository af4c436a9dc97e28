#include "conv.h"

/* The gradient of an image of few channels: see conv_narrow.c. Internal to conv. */
#ifdef SUFFIX
int NAME(is_narrow)(const ConvSizes *g);
int NAME(narrow_input_grad)(const real *grad, const real *weight, real *grad_x, const ConvSizes *g,
                            int threads);
#endif
