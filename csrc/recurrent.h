/* The loops over time of recurrent networks, vanilla, LSTM and GRU; the products over all steps
   are csrc/matmul.c's. Shapes and formulas: tinydl/backend/reference/recurrent.py.

   All arrays are contiguous, (N, T, width) or (N, width): one step is N rows, T*width apart. Work
   is split into groups of sequences, each of which one thread takes through all its steps: no step
   waits for another thread. Per group and step there is one product with weight_h (H, G*H), packed
   once (packed.h), and one vectorised pass over the gates.

   mask (N, T) and drop (N, H) may be NULL. All functions return 0, or -1 without memory. */

#ifndef TINYDL_RECURRENT_H
#define TINYDL_RECURRENT_H

#include "kernel.h"

/* states holds x @ weight_x + bias on entry. */
#define RNN_RUN_ARGS(real)                                                                         \
    (const real *h0, const real *weight_h, const char *mask, const real *drop, real *states,       \
     ptrdiff_t N, ptrdiff_t T, ptrdiff_t H, int relu, int threads)
KERNEL(int, rnn_run, RNN_RUN_ARGS)

#define RNN_BACK_ARGS(real)                                                                        \
    (const real *grad, const real *states, const real *weight_h, const char *mask,                 \
     const real *drop, real *delta, real *grad_h0, ptrdiff_t N, ptrdiff_t T, ptrdiff_t H,          \
     int relu, int threads)
KERNEL(int, rnn_back, RNN_BACK_ARGS)

/* gates (N, T, 4H) holds x @ weight_x + bias on entry; rows (N*T + N, H): states, then last c. */
#define LSTM_RUN_ARGS(real)                                                                        \
    (const real *h0, const real *c0, const real *weight_h, const char *mask, const real *drop,     \
     real *gates, real *rows, real *cells, ptrdiff_t N, ptrdiff_t T, ptrdiff_t H, int hard,        \
     int threads)
KERNEL(int, lstm_run, LSTM_RUN_ARGS)

#define LSTM_BACK_ARGS(real)                                                                       \
    (const real *grad, const real *cells, const real *gates, const real *c0, const real *weight_h, \
     const char *mask, const real *drop, real *delta, real *grad_h0, real *grad_c0, ptrdiff_t N,   \
     ptrdiff_t T, ptrdiff_t H, int hard, int threads)
KERNEL(int, lstm_back, LSTM_BACK_ARGS)

/* gates (N, T, 3H) holds x @ weight_x + bias on entry, with the biases of r and z inside the state
   product already added; bias_n (H,) is that of the candidate, NULL without reset_after. */
#define GRU_RUN_ARGS(real)                                                                         \
    (const real *h0, const real *weight_h, const real *bias_n, const char *mask, const real *drop, \
     real *gates, real *states, real *inner, ptrdiff_t N, ptrdiff_t T, ptrdiff_t H, int hard,      \
     int threads)
KERNEL(int, gru_run, GRU_RUN_ARGS)

#define GRU_BACK_ARGS(real)                                                                        \
    (const real *grad, const real *states, const real *gates, const real *inner, const real *h0,   \
     const real *weight_h, const char *mask, const real *drop, real *delta, real *grad_inner,      \
     real *grad_h0, ptrdiff_t N, ptrdiff_t T, ptrdiff_t H, int reset_after, int hard, int threads)
KERNEL(int, gru_back, GRU_BACK_ARGS)

#endif
