/*
 * Constant folding: numbers of small outputs, computed from known numbers of inputs. Elements may be
 * unknown one by one, so a shape vector with one computed entry still gives the others.
 *
 * Folding is an extra: where it cannot be done (too large, no memory, an operation without a rule) the
 * output simply has no value. fold_begin returns false then and the caller is done.
 */
#ifndef ADEPT_INFER_FOLD_H
#define ADEPT_INFER_FOLD_H

#include "infer.h"

/* An output's value under construction: integers or reals as its type says, all unknown at first. */
typedef struct fold {
    adept_infer *ctx;
    adept_dtype dtype;
    int64_t count;
    int64_t *ints;
    double *reals;
    bool *known;
} fold;

bool fold_begin(fold *f, adept_infer *ctx, adept_dtype dtype, int64_t count);
/* Writes the value to an output whose shape has been set; nothing if no element is known. */
adept_status fold_end(fold *f, int32_t output);

/* One element. Numbers that the type cannot hold, and NaN, stay unknown. Reals are rounded to the type. */
void fold_put_int(fold *f, int64_t at, int64_t number);
void fold_put_real(fold *f, int64_t at, double number);
/* Copies an element of a value; unknown if the value or the element is (value may be NULL). */
void fold_take(fold *f, int64_t at, const adept_value *value, int64_t from);

/* Elements of a value; value may be NULL. */
bool fold_known(const adept_value *value, int64_t at);
int64_t fold_int(const adept_value *value, int64_t at); /* reals truncated */
double fold_real(const adept_value *value, int64_t at);
/* A scalar or one-element input's number; false if not known. */
bool fold_scalar(adept_infer *ctx, int32_t input, int64_t *out);

/* Elements of the input if it is known, its rank is and nothing is too large; else -1. */
int64_t fold_elements(const adept_shape *shape);

/* The same elements in the same order under the output's new shape (Reshape, Squeeze, ...). */
adept_status fold_pass(adept_infer *ctx, int32_t output, int32_t input);

/* Walks over all positions of a tensor in order, following offsets into others by their strides. */
#define FOLD_STREAMS 4
typedef struct fold_walk {
    int32_t rank;
    const int64_t *dims;
    int64_t *position; /* [rank] */
    int32_t streams;
    const int64_t *strides[FOLD_STREAMS];
    int64_t offset[FOLD_STREAMS];
} fold_walk;

bool fold_walk_begin(fold_walk *walk, adept_infer *ctx, int32_t rank, const int64_t *dims);
/* false: strides is NULL (no memory). */
bool fold_walk_follow(fold_walk *walk, const int64_t *strides, int64_t offset);
void fold_walk_next(fold_walk *walk);
/* Strides of a row-major tensor seen through a broadcast to rank axes: 0 where its size is 1. */
int64_t *fold_broadcast_strides(adept_infer *ctx, const adept_shape *shape, int32_t rank);
/* Strides of a row-major tensor. */
int64_t *fold_strides(adept_infer *ctx, int32_t rank, const int64_t *dims);

#endif
