/* The count functions of the rows, by file. See count.h for what they see and say. */
#ifndef ADEPT_COUNT_FUNCTIONS_H
#define ADEPT_COUNT_FUNCTIONS_H

#include "count.h"

/* count_elementwise.c */
adept_count_fn count_unary;        /* saves its input; one backward kernel */
adept_count_fn count_unary_result; /* saves its output; one backward kernel */
adept_count_fn count_unary_linear; /* saves nothing */
adept_count_fn count_unary_chain2; /* saves its input; backward of two, three, five kernels */
adept_count_fn count_unary_chain3;
adept_count_fn count_unary_chain5;
adept_count_fn count_unary_result_chain2; /* saves its output */
adept_count_fn count_unary_result_chain3;
adept_count_fn count_predicate; /* no gradient: comparisons, logic, rounding, bits */
adept_count_fn count_fill;      /* writes numbers that depend on no tensor's numbers */
adept_count_fn count_sum;
adept_count_fn count_difference;
adept_count_fn count_product;
adept_count_fn count_quotient;
adept_count_fn count_power;
adept_count_fn count_extremum;
adept_count_fn count_where;
adept_count_fn count_prelu;
adept_count_fn count_cast;
adept_count_fn count_quantize;        /* QuantizeLinear, DequantizeLinear */
adept_count_fn count_bias_activation; /* BiasGelu, FastGelu, BiasAdd, ...: the bias is added on the way */
adept_count_fn count_gated;           /* SwiGLU, BiasSplitGelu: one half gates the other */

/* count_rotary.c */
adept_count_fn count_rotary;

/* count_matrix.c */
adept_count_fn count_matmul;
adept_count_fn count_gemm;
adept_count_fn count_matmul_quantized; /* MatMulInteger, QLinearMatMul, QGemm, ... */
adept_count_fn count_matmul_packed;    /* weights of few bits in a packed tensor: MatMulNBits, MatMulBnb4 */
adept_count_fn count_experts;          /* MoE, QMoE */

/* count_einsum.c */
adept_count_fn count_einsum;

/* count_conv.c */
adept_count_fn count_conv;
adept_count_fn count_conv_transpose;
adept_count_fn count_conv_quantized;
adept_count_fn count_deform_conv;
adept_count_fn count_conv_causal;
adept_count_fn count_word_conv_embedding;

/* count_norm.c */
adept_count_fn count_batch_norm;
adept_count_fn count_layer_norm;
adept_count_fn count_group_norm; /* also InstanceNormalization */
adept_count_fn count_rms_norm;
adept_count_fn count_lp_norm;
adept_count_fn count_local_response_norm;
adept_count_fn count_skip_norm;
adept_count_fn count_embed_norm;

/* count_softmax.c */
adept_count_fn count_softmax;
adept_count_fn count_loss;

/* count_reduce.c */
adept_count_fn count_reduce_sum;
adept_count_fn count_reduce_mean;
adept_count_fn count_reduce_extremum;
adept_count_fn count_reduce_square;
adept_count_fn count_reduce_log;
adept_count_fn count_arg;
adept_count_fn count_scan;
adept_count_fn count_sort;

/* count_pool.c */
adept_count_fn count_max_pool;
adept_count_fn count_average_pool;
adept_count_fn count_global_average_pool;
adept_count_fn count_roi_pool;
adept_count_fn count_max_unpool;

/* count_move.c */
adept_count_fn count_nothing; /* Shape, Constant, sequences, control flow: the row itself costs nothing */
adept_count_fn count_view;
adept_count_fn count_reshape;
adept_count_fn count_expand;
adept_count_fn count_slice;
adept_count_fn count_split;
adept_count_fn count_copy; /* DepthToSpace, ...: as much moved backward */
adept_count_fn count_transpose;
adept_count_fn count_concat;
adept_count_fn count_pad;
adept_count_fn count_tile;
adept_count_fn count_resize;
adept_count_fn count_sample; /* GridSample, RoiAlign, ...: interpolated reads */

/* count_index.c */
adept_count_fn count_gather;
adept_count_fn count_gather_elements;
adept_count_fn count_gather_nd;
adept_count_fn count_scatter;
adept_count_fn count_one_hot;
adept_count_fn count_select; /* NonZero, Compress, Unique, ...: what is kept depends on numbers */

/* count_attention.c */
adept_count_fn count_attention;           /* ai.onnx Attention, and the composite */
adept_count_fn count_attention_projected; /* com.microsoft Attention, QAttention, ...: with the projection */
adept_count_fn count_attention_heads;     /* MultiHeadAttention, GroupQueryAttention, ... */
adept_count_fn count_attention_decoder;   /* DecoderAttention */
adept_count_fn count_attention_window;    /* LongformerAttention */
adept_count_fn count_attention_linear;

/* count_recurrent.c */
adept_count_fn count_lstm;
adept_count_fn count_gru;
adept_count_fn count_rnn;

/* count_random.c */
adept_count_fn count_dropout;
adept_count_fn count_random;

/* count_spectral.c */
adept_count_fn count_dft;
adept_count_fn count_stft;

/* count_training.c */
adept_count_fn count_optimizer_node;

#endif
