/* The gates of a vanilla recurrent network; its matrix products are csrc/matmul.c's. */

#ifndef TINYDL_RECURRENT_H
#define TINYDL_RECURRENT_H

#include "kernel.h"

/* states (N, T, H) holds x_t @ weight_x + bias, recurrent (N, H) holds h_{t-1} @ weight_h:
   states[:, t] = tanh(states[:, t] + recurrent). */
#define RNN_GATE_ARGS(real)                                                                        \
    (const real *recurrent, real *states, ptrdiff_t t, ptrdiff_t N, ptrdiff_t T, ptrdiff_t H,      \
     int threads)
KERNEL(void, rnn_gate, RNN_GATE_ARGS)

/* grad, states, delta (N, T, H), carried (N, H) = delta_{t+1} @ weight_h^T:
   delta[:, t] = (grad[:, t] + carried) * (1 - states[:, t]^2). */
#define RNN_GATE_GRAD_ARGS(real)                                                                   \
    (const real *grad, const real *carried, const real *states, real *delta, ptrdiff_t t,          \
     ptrdiff_t N, ptrdiff_t T, ptrdiff_t H, int threads)
KERNEL(void, rnn_gate_grad, RNN_GATE_GRAD_ARGS)

#endif
