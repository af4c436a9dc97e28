#include "window.h"

/* One channel in, one channel out (groups == C == F): see conv_depthwise.c. Internal to conv. */
#ifdef SUFFIX
void NAME(depthwise)(const real *x, const real *weight, const real *bias, real *y,
                     const ConvSizes *g, int epilogue, int threads);
int NAME(depthwise_input_grad)(const real *grad, const real *weight, real *grad_x,
                               const ConvSizes *g, int threads);
int NAME(depthwise_weight_grad)(const real *x, const real *grad, real *grad_weight,
                                const ConvSizes *g, int threads);
#endif

static inline int is_depthwise(const ConvSizes *g) { return g->groups == g->C && g->F == g->C; }
