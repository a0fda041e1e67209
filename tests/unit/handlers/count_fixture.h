/* One operator with made-up tensors, counted: shapes and facts in, kernels out. */
#ifndef COUNT_FIXTURE_H
#define COUNT_FIXTURE_H

#include "count.h"
#include "handler.h"

enum { FIXTURE_TENSORS = 24, FIXTURE_ATTRIBUTES = 8, FIXTURE_RANK = 8 };

/* What is known of an input. */
typedef enum fixture_fact {
    PLAIN = 0,
    GRAD = 1,     /* needs a gradient */
    WEIGHT = 2,   /* a parameter: constant, is_parameter */
    CONSTANT = 4, /* costs nothing to have */
    TRAINED = GRAD | WEIGHT
} fixture_fact;

typedef struct fixture {
    adept_arena *arena;
    adept_run run;
    adept_graph graph;
    adept_shapes shapes;
    adept_node node;
    adept_op op;
    adept_tensor tensors[FIXTURE_TENSORS];
    adept_shape all_shapes[FIXTURE_TENSORS];
    int64_t dims[FIXTURE_TENSORS][FIXTURE_RANK];
    adept_dtype storage[FIXTURE_TENSORS];
    bool needs_grad[FIXTURE_TENSORS], is_parameter[FIXTURE_TENSORS], is_constant[FIXTURE_TENSORS],
        is_operand[FIXTURE_TENSORS];
    adept_constant constant;
    adept_tensor_id inputs[FIXTURE_TENSORS], outputs[FIXTURE_TENSORS];
    adept_attribute attributes[FIXTURE_ATTRIBUTES];
    adept_counted counted;
    adept_error err;
} fixture;

fixture *fixture_new(const char *domain, const char *op_type, int32_t opset);
void fixture_free(fixture *f);

/* Dims as text, "2 3 4"; "" a scalar; "?" unknown. Returns the tensor's number. */
adept_tensor_id fixture_in(fixture *f, adept_dtype dtype, const char *dims, int facts);
void fixture_in_missing(fixture *f);
adept_tensor_id fixture_out(fixture *f, adept_dtype dtype, const char *dims);
void fixture_int(fixture *f, const char *name, int64_t value);
void fixture_float(fixture *f, const char *name, double value);
void fixture_string(fixture *f, const char *name, const char *value);
void fixture_ints(fixture *f, const char *name, const int64_t *values, int32_t count);

/* Counts into f->counted; storage types by the run's precision. */
adept_status fixture_try(fixture *f);
void fixture_count(fixture *f); /* fails the test on an error */

adept_work fixture_work(const fixture *f, adept_pass pass);
int fixture_kernels(const fixture *f, adept_pass pass, adept_kernel_kind kind);
/* The n-th kernel of a pass and kind; fails the test if there is none. */
const adept_kernel *fixture_kernel(const fixture *f, adept_pass pass, adept_kernel_kind kind, int n);

#endif
