/* Attributes of nodes, with those that refer to the arguments of the enclosing function resolved. */
#include <string.h>

#include "builder.h"
#include "fail.h"

typedef adept_status build_value(builder *b, const scope *where, const pb_attribute *from,
                                 adept_attribute *to);

static adept_status build_float(builder *b, const scope *where, const pb_attribute *from,
                                adept_attribute *to) {
    (void)b, (void)where;
    to->f = (double)from->f;
    return ADEPT_OK;
}

static adept_status build_int(builder *b, const scope *where, const pb_attribute *from, adept_attribute *to) {
    (void)b, (void)where;
    to->i = from->i;
    return ADEPT_OK;
}

static adept_status build_string(builder *b, const scope *where, const pb_attribute *from,
                                 adept_attribute *to) {
    (void)where;
    to->s = adept_arena_string_n(b->arena, (const char *)from->s.data, from->s.len);
    to->s_length = from->s.len;
    return to->s ? ADEPT_OK : adept_fail_memory(b->err);
}

static adept_status build_tensor(builder *b, const scope *where, const pb_attribute *from,
                                 adept_attribute *to) {
    (void)where;
    if (!from->t)
        return adept_fail(b->err, ADEPT_FORMAT, "says that it is a tensor but holds none");
    return adept_build_constant(b, from->t, &to->tensor);
}

static adept_status build_graph(builder *b, const scope *where, const pb_attribute *from,
                                adept_attribute *to) {
    if (!from->g)
        return adept_fail(b->err, ADEPT_FORMAT, "says that it is a graph but holds none");
    return adept_build_body(b, where, from->g, &to->body);
}

static adept_status build_floats(builder *b, const scope *where, const pb_attribute *from,
                                 adept_attribute *to) {
    (void)where;
    double *floats = adept_arena_array(b->arena, from->n_floats, sizeof *floats);
    for (size_t i = 0; floats && i < from->n_floats; i++)
        floats[i] = (double)from->floats[i];
    to->floats = floats;
    to->count = (int32_t)from->n_floats;
    return floats ? ADEPT_OK : adept_fail_memory(b->err);
}

static adept_status build_ints(builder *b, const scope *where, const pb_attribute *from,
                               adept_attribute *to) {
    (void)where;
    to->ints = adept_arena_copy(b->arena, from->ints, from->n_ints * sizeof *from->ints);
    to->count = (int32_t)from->n_ints;
    return to->ints ? ADEPT_OK : adept_fail_memory(b->err);
}

static adept_status build_strings(builder *b, const scope *where, const pb_attribute *from,
                                  adept_attribute *to) {
    (void)where;
    const char **strings = adept_arena_array(b->arena, from->n_strings, sizeof *strings);
    if (!strings)
        return adept_fail_memory(b->err);
    for (size_t i = 0; i < from->n_strings; i++) {
        strings[i] =
            adept_arena_string_n(b->arena, (const char *)from->strings[i].data, from->strings[i].len);
        if (!strings[i])
            return adept_fail_memory(b->err);
    }
    to->strings = strings;
    to->count = (int32_t)from->n_strings;
    return ADEPT_OK;
}

static adept_status build_sparse(builder *b, const scope *where, const pb_attribute *from,
                                 adept_attribute *to) {
    (void)where;
    if (!from->sparse_tensor)
        return adept_fail(b->err, ADEPT_FORMAT, "says that it is a sparse tensor but holds none");
    return adept_build_sparse_constant(b, from->sparse_tensor, &to->tensor);
}

static adept_status build_type(builder *b, const scope *where, const pb_attribute *from,
                               adept_attribute *to) {
    (void)where;
    if (!from->tp)
        return adept_fail(b->err, ADEPT_FORMAT, "says that it is a type but holds none");
    return adept_build_type(b, from->tp, &to->type_proto);
}

/* Lists of tensors, graphs and types occur in no operator of the standard: their number is all we keep. */
static adept_status build_count(builder *b, const scope *where, const pb_attribute *from,
                                adept_attribute *to) {
    (void)b, (void)where;
    size_t counts[] = {from->n_tensors, from->n_graphs, from->n_sparse_tensors, from->n_type_protos};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        to->count += (int32_t)counts[i];
    return ADEPT_OK;
}

static build_value *const builders[] = {
    [ADEPT_ATTRIBUTE_FLOAT] = build_float,
    [ADEPT_ATTRIBUTE_INT] = build_int,
    [ADEPT_ATTRIBUTE_STRING] = build_string,
    [ADEPT_ATTRIBUTE_TENSOR] = build_tensor,
    [ADEPT_ATTRIBUTE_GRAPH] = build_graph,
    [ADEPT_ATTRIBUTE_FLOATS] = build_floats,
    [ADEPT_ATTRIBUTE_INTS] = build_ints,
    [ADEPT_ATTRIBUTE_STRINGS] = build_strings,
    [ADEPT_ATTRIBUTE_TENSORS] = build_count,
    [ADEPT_ATTRIBUTE_GRAPHS] = build_count,
    [ADEPT_ATTRIBUTE_SPARSE_TENSOR] = build_sparse,
    [ADEPT_ATTRIBUTE_SPARSE_TENSORS] = build_count,
    [ADEPT_ATTRIBUTE_TYPE_PROTO] = build_type,
    [ADEPT_ATTRIBUTE_TYPE_PROTOS] = build_count,
};

/* Files of IR version 1 do not state the type: it is that of the field in use. */
static adept_attribute_type type_in_use(const pb_attribute *from) {
    const struct {
        bool used;
        adept_attribute_type type;
    } fields[] = {
        {from->has_f,         ADEPT_ATTRIBUTE_FLOAT  },
        {from->has_i,         ADEPT_ATTRIBUTE_INT    },
        {from->has_s,         ADEPT_ATTRIBUTE_STRING },
        {from->t != NULL,     ADEPT_ATTRIBUTE_TENSOR },
        {from->g != NULL,     ADEPT_ATTRIBUTE_GRAPH  },
        {from->n_floats > 0,  ADEPT_ATTRIBUTE_FLOATS },
        {from->n_ints > 0,    ADEPT_ATTRIBUTE_INTS   },
        {from->n_strings > 0, ADEPT_ATTRIBUTE_STRINGS},
        {from->n_tensors > 0, ADEPT_ATTRIBUTE_TENSORS},
        {from->n_graphs > 0,  ADEPT_ATTRIBUTE_GRAPHS },
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (fields[i].used)
            return fields[i].type;
    }
    return ADEPT_ATTRIBUTE_INTS; /* an empty list is the one value that leaves no trace */
}

static adept_status build_attribute(builder *b, const scope *where, const pb_attribute *from,
                                    adept_attribute *to) {
    *to = (adept_attribute){.name = adept_builder_intern(b, text_or_empty(from->name))};
    if (!to->name)
        return adept_fail_memory(b->err);
    if (to->name[0] == '\0')
        return adept_fail(b->err, ADEPT_FORMAT, "has no name; re-export the model");
    to->type = from->type ? (adept_attribute_type)from->type : type_in_use(from);
    size_t type = (size_t)to->type;
    if (from->type < 0 || type >= sizeof builders / sizeof builders[0])
        return adept_fail(b->err, ADEPT_UNSUPPORTED, "has type number %d, newer than ADEPT knows",
                          (int)from->type);
    return builders[type](b, where, from, to);
}

/* found: whether the attribute gets a value; a reference to an argument that the call leaves out gets none.
 */
static adept_status resolve_reference(builder *b, const scope *where, const pb_attribute *from,
                                      adept_attribute *to, bool *found) {
    const char *wanted = adept_builder_intern(b, from->ref_attr_name);
    const char *name = adept_builder_intern(b, text_or_empty(from->name));
    *found = false;
    if (!wanted || !name)
        return adept_fail_memory(b->err);
    for (int32_t i = 0; i < where->argument_count && !*found; i++) {
        if (where->arguments[i].name != wanted) /* interned: equal names are one string */
            continue;
        *to = where->arguments[i];
        to->name = name;
        *found = true;
    }
    return ADEPT_OK;
}

adept_status adept_build_attributes(builder *b, const scope *where, const pb_attribute *const *attributes,
                                    size_t count, const adept_attribute **out, int32_t *out_count) {
    if (count > ATTRIBUTE_LIMIT)
        return adept_fail(b->err, ADEPT_LIMIT, "has %zu attributes, more than %d", count, ATTRIBUTE_LIMIT);
    adept_attribute *built = count ? adept_arena_array(b->arena, count, sizeof *built) : NULL;
    int32_t built_count = 0;
    if (count && !built)
        return adept_fail_memory(b->err);
    for (size_t i = 0; i < count; i++) {
        const pb_attribute *from = attributes[i];
        bool has_value = true;
        adept_status status = from->ref_attr_name && from->ref_attr_name[0]
                                  ? resolve_reference(b, where, from, &built[built_count], &has_value)
                                  : build_attribute(b, where, from, &built[built_count]);
        if (status != ADEPT_OK)
            return adept_fail_at(b->err, status, "attribute '%s'", text_or_empty(from->name));
        built_count += has_value;
    }
    *out = built;
    *out_count = built_count;
    return ADEPT_OK;
}
