/*
 * One operator, one row: everything the program knows about an operator of ONNX stands in its row of
 * handlers/registry.c. Families share functions; an elementwise operator is a row, not a file.
 */
#ifndef ADEPT_HANDLER_H
#define ADEPT_HANDLER_H

#include "adept/workload.h"
#include "count.h"
#include "infer.h"
#include "shapes.h"

/* What autocast does with an operator (PyTorch's documented op lists for CUDA). */
typedef enum adept_autocast {
    ADEPT_AUTOCAST_WIDEST, /* runs in the widest type of its inputs */
    ADEPT_AUTOCAST_LOW,    /* matrix products, convolutions, recurrent layers: 16 bits */
    ADEPT_AUTOCAST_FP32,   /* normalisation, softmax, loss, pow, sum, exp, log: FP32 */
    ADEPT_AUTOCAST_KEEP    /* the type that comes in, or a type the operator itself names (views, Cast) */
} adept_autocast;

typedef struct adept_handler {
    const char *op_type;
    const char *domain; /* "" for ai.onnx */
    int32_t since; /* first opset the row is right for; older forms have rows of their own or are handled by
                      opset */
    struct {
        int32_t min, max; /* number of inputs; max -1: any */
    } inputs;
    uint32_t shape_inputs; /* bit i: the values of input i decide the output's shape */
    adept_infer_fn *infer;
    adept_count_fn *count;
    struct {
        double forward, backward;
    } alu; /* FLOP per element of the output (reductions: of the input); estimates */
    adept_autocast autocast;
    const char *note; /* source of the ALU figures, or what is special; NULL: nothing */
} adept_handler;

/* The row that is right for an operator of this opset: the one with the largest since <= opset. NULL: none.
 */
const adept_handler *adept_handler_find(const char *domain, const char *op_type, int32_t opset);

/* The whole table, sorted by domain, op_type, since: for listings and tests. */
const adept_handler *adept_handler_table(size_t *count);

/* The lookup that adept_shapes_infer wants. */
adept_infer_row adept_handler_infer_lookup(const char *domain, const char *op_type, int32_t opset);

#endif
