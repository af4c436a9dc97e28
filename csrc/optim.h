/* One step of an update rule over all parameters, in place. Rates are handed in as double. */

#ifndef TINYDL_OPTIM_H
#define TINYDL_OPTIM_H

#include "kernel.h"

/* A parameter of n numbers (float or double), its gradient and its states, all contiguous. `first`
   is the number of its first piece among those of all parameters; scales are what depends on how
   many steps it has had, Adam's 1 / (1 - beta^step) for example. */
typedef struct {
    const void *grad;
    void *param;
    void *states[3];
    ptrdiff_t n, first;
    double scales[3];
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

/* first and second are what the rule has beside lr, eps and weight_decay: nothing (AdaGrad), rho
   (AdaDelta), rho and momentum (centred RMSProp), beta1 and beta2, shrink and grow (Rprop). */
#define RULE_ARGS(real)                                                                            \
    (const Parameter *parameters, ptrdiff_t count, double lr, double first, double second,         \
     double eps, double weight_decay, int threads)
/* states[0] is the sum of squares. */
KERNEL(void, adagrad_step, RULE_ARGS)
/* states: mean square of the gradients, of the steps. */
KERNEL(void, adadelta_step, RULE_ARGS)
/* states: mean square; mean, or NULL if not centred; velocity, or NULL with momentum 0. */
KERNEL(void, centred_rmsprop_step, RULE_ARGS)
/* states: mean, largest; scales[0] = 1 / (1 - beta1^step). */
KERNEL(void, adamax_step, RULE_ARGS)
/* states: mean, mean square; scales: of the mean, of the gradient, 1 / (1 - beta2^step). */
KERNEL(void, nadam_step, RULE_ARGS)
/* states: gradient of the step before, step size (0: not yet begun, lr); scales: the smallest and
   the largest size; no eps. */
KERNEL(void, rprop_step, RULE_ARGS)

/* Of every piece of every grad the sum of squares, in double; pieces[i] belongs to piece i. */
#define SQUARE_SUMS_ARGS(real)                                                                     \
    (const Parameter *parameters, ptrdiff_t count, double *pieces, int threads)
KERNEL(void, square_sums, SQUARE_SUMS_ARGS)

#endif
