/* One step of an update rule over all parameters, in place. Rates are handed in as double. */

#ifndef TINYDL_OPTIM_H
#define TINYDL_OPTIM_H

#include "kernel.h"

/* A parameter of n numbers (float or double), its gradient and its states, all contiguous. `first`
   is the number of its first piece among those of all parameters; scales are Adam's
   1 / (1 - beta^step). */
typedef struct {
    const void *grad;
    void *param;
    void *states[3];
    ptrdiff_t n, first;
    double scales[2];
} Parameter;

enum { PIECE = 16384 }; /* elements that one thread handles at a time */

/* states[0] is the velocity, NULL with momentum 0. */
#define SGD_STEP_ARGS(real)                                                                        \
    (const Parameter *parameters, ptrdiff_t count, double lr, double momentum, int nesterov,       \
     double weight_decay, int threads)
KERNEL(void, sgd_step, SGD_STEP_ARGS)

/* states[0] is the mean square. */
#define RMSPROP_STEP_ARGS(real)                                                                    \
    (const Parameter *parameters, ptrdiff_t count, double lr, double rho, double eps,              \
     double weight_decay, int threads)
KERNEL(void, rmsprop_step, RMSPROP_STEP_ARGS)

/* states: mean, mean square, and the largest mean square so far (AMSGrad) or NULL. */
#define ADAM_STEP_ARGS(real)                                                                       \
    (const Parameter *parameters, ptrdiff_t count, double lr, double beta1, double beta2,          \
     double eps, double weight_decay, int decoupled, int threads)
KERNEL(void, adam_step, ADAM_STEP_ARGS)

/* Of every piece of every grad the sum of squares, in double; pieces[i] belongs to piece i. */
#define SQUARE_SUMS_ARGS(real)                                                                     \
    (const Parameter *parameters, ptrdiff_t count, double *pieces, int threads)
KERNEL(void, square_sums, SQUARE_SUMS_ARGS)

#endif
