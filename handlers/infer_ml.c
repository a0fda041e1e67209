/* Classical machine learning (ai.onnx.ml): shapes only, none of it is costed. x [N, C] or [C]. */
#include "infer_functions.h"

#include <inttypes.h>

#include "checked.h"
#include "infer_dims.h"
#include "infer_fold.h"

/* Entries of the first of these list attributes that is there; -1: none. */
static int64_t entries(const adept_infer *ctx, const char *const *names, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const adept_attribute *a = adept_node_attribute(adept_infer_node(ctx), names[i]);
        if (a && a->count > 0)
            return a->count;
    }
    return -1;
}
#define ENTRIES(ctx, ...)                                                                                    \
    entries(ctx, (const char *const[]){__VA_ARGS__},                                                         \
            sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

/* Rows: a vector is one row. */
static int64_t rows(const adept_shape *x) {
    return x->rank > 1 ? x->dims[0] : 1;
}

adept_status infer_ml_to_float(adept_infer *ctx) {
    return dims_out_typed(ctx, 0, 0, ADEPT_DTYPE_FLOAT);
}

/* Labels [N] and scores [N, classes]. */
adept_status infer_ml_classifier(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    int64_t ints = ENTRIES(ctx, "classlabels_ints", "classlabels_int64s"),
            strings = ENTRIES(ctx, "classlabels_strings");
    adept_dtype label = strings > 0 ? ADEPT_DTYPE_STRING : ADEPT_DTYPE_INT64;
    if (x->rank < 0)
        return adept_infer_out_unknown(ctx, 0, label);
    int64_t dims[2] = {rows(x), strings > 0 ? strings : ints};
    INFER_TRY(adept_infer_out(ctx, 0, label, 1, dims));
    if (dims[1] < 0)
        return adept_infer_out_unknown(ctx, 1, ADEPT_DTYPE_FLOAT);
    return adept_infer_out(ctx, 1, ADEPT_DTYPE_FLOAT, 2, dims);
}

static adept_status targets(adept_infer *ctx, const char *attribute, adept_dtype dtype) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    if (x->rank < 0)
        return adept_infer_out_unknown(ctx, 0, dtype);
    int64_t dims[2] = {rows(x), adept_infer_int(ctx, attribute, 1)};
    return adept_infer_out(ctx, 0, dtype, 2, dims);
}

/* [N, targets] */
adept_status infer_ml_regressor(adept_infer *ctx) {
    return targets(ctx, adept_infer_has(ctx, "targets") ? "targets" : "n_targets", ADEPT_DTYPE_FLOAT);
}

adept_status infer_tree_ensemble(adept_infer *ctx) {
    return targets(ctx, "n_targets", dims_type(ctx, 0));
}

/* [..] to [.., categories] */
adept_status infer_one_hot_encoder(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    int64_t categories = ENTRIES(ctx, "cats_int64s", "cats_strings");
    if (x->rank < 0 || categories < 0)
        return adept_infer_out_unknown(ctx, 0, ADEPT_DTYPE_FLOAT);
    int64_t *dims = dims_new(ctx, x->rank + 1);
    if (!dims)
        return dims_no_memory(ctx);
    dims_put(dims, x->dims, x->rank);
    dims[x->rank] = categories;
    return adept_infer_out(ctx, 0, ADEPT_DTYPE_FLOAT, x->rank + 1, dims);
}

/* Strings become numbers and numbers strings. */
adept_status infer_category_mapper(adept_infer *ctx) {
    bool strings = dims_type(ctx, 0) == ADEPT_DTYPE_STRING;
    return dims_out_typed(ctx, 0, 0, strings ? ADEPT_DTYPE_INT64 : ADEPT_DTYPE_STRING);
}

/* The type of the list of values; in version 1 the other one of strings and numbers. */
adept_status infer_label_encoder(adept_infer *ctx) {
    const adept_attribute *tensor = adept_node_attribute(adept_infer_node(ctx), "values_tensor");
    if (ENTRIES(ctx, "values_floats") > 0)
        return dims_out_typed(ctx, 0, 0, ADEPT_DTYPE_FLOAT);
    if (ENTRIES(ctx, "values_strings") > 0)
        return dims_out_typed(ctx, 0, 0, ADEPT_DTYPE_STRING);
    if (ENTRIES(ctx, "values_int64s") > 0)
        return dims_out_typed(ctx, 0, 0, ADEPT_DTYPE_INT64);
    if (tensor && tensor->tensor)
        return dims_out_typed(ctx, 0, 0, tensor->tensor->dtype);
    return infer_category_mapper(ctx);
}

/* Columns of all inputs side by side: [N, sum of inputdimensions] */
adept_status infer_feature_vectorizer(adept_infer *ctx) {
    int64_t sum = 0, most_rows = 1;
    for (int32_t i = 0; i < adept_infer_inputs(ctx); i++) {
        const adept_shape *x = adept_infer_in(ctx, i);
        if (!x || x->rank < 0)
            return adept_infer_out_unknown(ctx, 0, ADEPT_DTYPE_FLOAT);
        int64_t columns = x->rank > 0 ? x->dims[x->rank - 1] : 1;
        if (!adept_add_i64(sum, columns, &sum))
            return adept_infer_overflow(ctx);
        if (rows(x) > most_rows)
            most_rows = rows(x);
    }
    int64_t dims[2] = {most_rows, sum};
    return adept_infer_out(ctx, 0, ADEPT_DTYPE_FLOAT, 2, dims);
}

/* A map to [1, vocabulary]; the values' type is that of the map, taken for FLOAT. */
adept_status infer_dict_vectorizer(adept_infer *ctx) {
    int64_t dims[2] = {1, ENTRIES(ctx, "string_vocabulary", "int64_vocabulary")};
    if (dims[1] < 0)
        return adept_infer_out_unknown(ctx, 0, ADEPT_DTYPE_FLOAT);
    return adept_infer_out(ctx, 0, ADEPT_DTYPE_FLOAT, 2, dims);
}

/* A map to [1, entries]; a sparse one to [1, max_map]. */
adept_status infer_cast_map(adept_infer *ctx) {
    int64_t dims[2] = {1, adept_infer_int(ctx, "max_map", 1)};
    if (dims[1] > 1)
        return adept_infer_out(ctx, 0, ADEPT_DTYPE_FLOAT, 2, dims);
    dims[1] = dims_assume(ctx, "entries", ASSUMED_LENGTH, "the number of entries of a map is data");
    return dims_out(ctx, 0, ADEPT_DTYPE_FLOAT, 2, dims, ADEPT_ASSUMED);
}

/* [N, classes] to a sequence of N maps. */
adept_status infer_zip_map(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    adept_shape map = {.kind = ADEPT_TYPE_MAP, .rank = -1, .length = -1, .certainty = ADEPT_UNKNOWN};
    return adept_infer_out_sequence(ctx, 0, &map, x->rank < 0 ? -1 : rows(x));
}
