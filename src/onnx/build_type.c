/* Declared types of graph inputs, outputs and value_info. */
#include <stdio.h>
#include <string.h>

#include "builder.h"
#include "fail.h"

static adept_dtype known_dtype(int32_t number) {
    return number > 0 && number < ADEPT_DTYPE_COUNT ? (adept_dtype)number : ADEPT_DTYPE_UNDEFINED;
}

static adept_status build_dims(builder *b, const AdeptOnnx__Shape *shape, adept_type *type) {
    if (shape->n_dim > RANK_LIMIT)
        return adept_fail(b->err, ADEPT_LIMIT, "a declared shape has %zu dimensions, more than %d",
                          shape->n_dim, RANK_LIMIT);
    adept_dim *dims = adept_arena_array(b->arena, shape->n_dim, sizeof *dims);
    if (!dims)
        return adept_fail_memory(b->err);
    for (size_t i = 0; i < shape->n_dim; i++) {
        const AdeptOnnx__Dimension *dim = shape->dim[i];
        /* A size below zero is how some old exporters wrote "unknown". */
        dims[i].value = dim->has_dim_value && dim->dim_value >= 0 ? dim->dim_value : -1;
        if (dim->has_dim_value || !dim->dim_param || !dim->dim_param[0])
            continue;
        dims[i].symbol = adept_builder_intern(b, dim->dim_param);
        if (!dims[i].symbol)
            return adept_fail_memory(b->err);
    }
    type->rank = (int32_t)shape->n_dim;
    type->dims = dims;
    return ADEPT_OK;
}

static adept_status build_tensor_type(builder *b, adept_type_kind kind, const AdeptOnnx__TensorType *tensor,
                                      adept_type *type) {
    type->kind = kind;
    type->dtype = known_dtype(tensor->elem_type);
    return tensor->shape ? build_dims(b, tensor->shape, type) : ADEPT_OK;
}

static adept_status build_element(builder *b, adept_type_kind kind, const pb_type *element,
                                  adept_type *type) {
    type->kind = kind;
    return element ? adept_build_type(b, element, &type->element) : ADEPT_OK;
}

adept_status adept_build_type(builder *b, const pb_type *type, const adept_type **out) {
    adept_type *built = adept_arena_alloc(b->arena, sizeof *built);
    if (!built)
        return adept_fail_memory(b->err);
    built->rank = -1;
    *out = built;
    if (type->tensor_type)
        return build_tensor_type(b, ADEPT_TYPE_TENSOR, type->tensor_type, built);
    if (type->sparse_tensor_type)
        return build_tensor_type(b, ADEPT_TYPE_SPARSE_TENSOR, type->sparse_tensor_type, built);
    if (type->sequence_type)
        return build_element(b, ADEPT_TYPE_SEQUENCE, type->sequence_type->elem_type, built);
    if (type->optional_type)
        return build_element(b, ADEPT_TYPE_OPTIONAL, type->optional_type->elem_type, built);
    if (type->map_type) {
        built->dtype = known_dtype(type->map_type->key_type);
        return build_element(b, ADEPT_TYPE_MAP, type->map_type->value_type, built);
    }
    built->kind = type->opaque_type ? ADEPT_TYPE_OPAQUE : ADEPT_TYPE_UNKNOWN;
    return ADEPT_OK;
}

static const char *dim_text(const adept_dim *dim, char *number, size_t size) {
    if (dim->symbol)
        return dim->symbol;
    if (dim->value < 0)
        return "?";
    snprintf(number, size, "%lld", (long long)dim->value);
    return number;
}

const char *adept_build_shape_text(builder *b, const adept_type *type) {
    static const char *const names[] = {"?", "?", "?", "sequence", "optional", "map", "opaque"};
    if (!type)
        return "?";
    if (type->rank < 0)
        return names[type->kind];
    char number[32];
    size_t length = 3;
    for (int32_t i = 0; i < type->rank; i++)
        length += strlen(dim_text(&type->dims[i], number, sizeof number)) + 2;
    char *text = adept_arena_alloc(b->arena, length);
    if (!text)
        return NULL;
    size_t at = 0;
    text[at++] = '[';
    for (int32_t i = 0; i < type->rank; i++)
        at += (size_t)snprintf(text + at, length - at, "%s%s", i ? ", " : "",
                               dim_text(&type->dims[i], number, sizeof number));
    text[at] = ']';
    return text;
}
