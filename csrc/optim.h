/* One step of an update rule over n parameters, in place. Rates are handed in as double. */

#ifndef TINYDL_OPTIM_H
#define TINYDL_OPTIM_H

#include "kernel.h"

/* velocity may be NULL (momentum 0). */
#define SGD_STEP_ARGS(real)                                                                        \
    (const real *grad, real *param, real *velocity, ptrdiff_t n, double lr, double momentum,       \
     int nesterov, double weight_decay, int threads)
KERNEL(void, sgd_step, SGD_STEP_ARGS)

#define RMSPROP_STEP_ARGS(real)                                                                    \
    (const real *grad, real *param, real *square, ptrdiff_t n, double lr, double rho, double eps,  \
     double weight_decay, int threads)
KERNEL(void, rmsprop_step, RMSPROP_STEP_ARGS)

/* mean_scale = 1 / (1 - beta1^step), square_scale = 1 / (1 - beta2^step). */
#define ADAM_STEP_ARGS(real)                                                                       \
    (const real *grad, real *param, real *mean, real *square, ptrdiff_t n, double lr,              \
     double beta1, double beta2, double eps, double weight_decay, double mean_scale,               \
     double square_scale, int threads)
KERNEL(void, adam_step, ADAM_STEP_ARGS)

#endif
