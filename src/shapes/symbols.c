#include "symbols.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct adept_symbol_entry {
    const char *name;
    int64_t value;
    bool known, given, is_batch, is_seq;
    bool is_input;      /* occurs in an input of the main graph */
    bool nameless;      /* the file gives no name that means anything */
    const char *source; /* not an input's: the tensor it was learnt from */
    adept_dtype dtype;  /* of the first place where it stands */
    int32_t rank, axis;
} entry;

typedef struct adept_symbol_text {
    const adept_expression *expression;
    const int32_t *entries; /* [expression->name_count] */
    bool is_input;
    bool bound; /* the whole expression was given a value */
    int64_t value;
} text;

/* --- tables --- */

static void *grown(adept_arena *arena, void *items, int32_t count, int32_t *capacity, size_t size_B) {
    if (count < *capacity)
        return items;
    int32_t larger = *capacity ? *capacity * 2 : 16;
    void *copy = adept_arena_array(arena, (size_t)larger, size_B);
    if (!copy)
        return NULL;
    if (count)
        memcpy(copy, items, (size_t)count * size_B);
    *capacity = larger;
    return copy;
}

static int32_t entry_of(adept_symbols *s, const char *name) {
    int32_t index = adept_string_map_get(&s->by_name, name, -1);
    if (index >= 0)
        return index;
    entry *entries = grown(s->arena, s->entries, s->entry_count, &s->entry_capacity, sizeof *entries);
    if (!entries)
        return -1;
    s->entries = entries;
    s->entries[s->entry_count] = (entry){.name = name};
    return adept_string_map_put(&s->by_name, name, s->entry_count) ? s->entry_count++ : -1;
}

static int32_t text_of(adept_symbols *s, const char *words, bool opaque) {
    int32_t index = adept_string_map_get(&s->by_text, words, -1);
    if (index >= 0)
        return index;
    const adept_expression *expression =
        opaque ? adept_expression_symbol(s->arena, words) : adept_expression_parse(s->arena, words);
    text *texts = grown(s->arena, s->texts, s->text_count, &s->text_capacity, sizeof *texts);
    if (!expression || !texts)
        return -1;
    s->texts = texts;
    int32_t *entries = adept_arena_array(s->arena, (size_t)expression->name_count, sizeof *entries);
    for (int32_t i = 0; entries && i < expression->name_count; i++) {
        entries[i] = entry_of(s, expression->names[i]);
        if (entries[i] < 0)
            return -1;
    }
    if (!entries || !adept_string_map_put(&s->by_text, expression->text, s->text_count))
        return -1;
    s->texts[s->text_count] = (text){.expression = expression, .entries = entries};
    return s->text_count++;
}

/* Some exporters write the same placeholder for every dimension that they do not know. */
static bool is_placeholder(const char *words) {
    static const char *const placeholders[] = {"", "?", "-1", "None", "none", "unknown"};
    for (size_t i = 0; i < sizeof placeholders / sizeof placeholders[0]; i++) {
        if (strcmp(words, placeholders[i]) == 0)
            return true;
    }
    return false;
}

/* The text of a dimension that is not a number; -1 when memory is short. */
static int32_t dim_text(adept_symbols *s, const adept_dim *dim, const char *tensor, int32_t axis,
                        bool *nameless) {
    *nameless = !dim->symbol || is_placeholder(dim->symbol);
    if (!*nameless)
        return text_of(s, dim->symbol, false);
    const char *name = adept_arena_format(s->arena, "%s_dim%d", tensor, axis);
    return name ? text_of(s, name, true) : -1;
}

static bool operands(const adept_symbols *s, const text *t, int64_t **values, bool **known) {
    size_t count = (size_t)t->expression->name_count;
    *values = adept_arena_array(s->arena, count, sizeof **values);
    *known = adept_arena_array(s->arena, count, sizeof **known);
    for (size_t i = 0; *values && *known && i < count; i++) {
        (*values)[i] = s->entries[t->entries[i]].value;
        (*known)[i] = s->entries[t->entries[i]].known;
    }
    return *values && *known;
}

static adept_evaluation evaluate(const adept_symbols *s, const text *t, int64_t *value) {
    if (t->bound) {
        *value = t->value;
        return ADEPT_EVALUATED;
    }
    if (adept_expression_is_symbol(t->expression)) {
        *value = s->entries[t->entries[0]].value;
        return s->entries[t->entries[0]].known ? ADEPT_EVALUATED : ADEPT_EVALUATION_FREE;
    }
    int64_t *values;
    bool *known;
    if (!operands(s, t, &values, &known))
        return ADEPT_EVALUATION_FREE;
    return adept_expression_evaluate(t->expression, values, known, value);
}

/* --- collecting --- */

/* unk__7: onnxruntime and tf2onnx number what they do not know. */
static bool is_numbered_unknown(const char *name) {
    if (strncmp(name, "unk__", 5) != 0 || name[5] == '\0')
        return false;
    return strspn(name + 5, "0123456789") == strlen(name + 5);
}

static adept_status collect_dim(adept_symbols *s, const char *input, const adept_type *type, int32_t axis,
                                adept_error *err) {
    const adept_dim *dim = &type->dims[axis];
    if (dim->value >= 0)
        return ADEPT_OK;
    bool nameless;
    int32_t index = dim_text(s, dim, input, axis, &nameless);
    if (index < 0)
        return adept_fail_memory(err);
    text *t = &s->texts[index];
    t->is_input = true;
    for (int32_t i = 0; i < t->expression->name_count; i++) {
        entry *e = &s->entries[t->entries[i]];
        if (e->is_input)
            continue;
        e->is_input = true;
        e->nameless = nameless || is_numbered_unknown(e->name);
        e->dtype = type->dtype;
        e->rank = type->rank;
        e->axis = axis;
    }
    return ADEPT_OK;
}

static adept_status collect_inputs(adept_symbols *s, adept_error *err) {
    const adept_body *body = adept_graph_main(s->graph);
    for (int32_t i = 0; i < body->input_count; i++) {
        const adept_tensor *input = &s->graph->tensors[body->inputs[i]];
        for (const adept_type *type = input->declared; type; type = type->element) {
            for (int32_t axis = 0; axis < type->rank; axis++) {
                adept_status status = collect_dim(s, input->name, type, axis, err);
                if (status != ADEPT_OK)
                    return status;
            }
        }
    }
    return ADEPT_OK;
}

/* --- which symbols are the batch and the sequence --- */

static const char *const batch_names[] = {"batch", "batch_size", "batchsize", "batch_dim", NULL};
static const char *const seq_names[] = {"seq",         "seq_len",  "seq_length",      "seqlen",
                                        "sequence",    "seq_size", "sequence_length", "sequence_len",
                                        "max_seq_len", NULL};

static entry *named_input_symbol(adept_symbols *s, const char *const *names) {
    for (; *names; names++) {
        for (int32_t i = 0; i < s->entry_count; i++) {
            if (s->entries[i].is_input && strcasecmp(s->entries[i].name, *names) == 0)
                return &s->entries[i];
        }
    }
    return NULL;
}

/* The type of an input that has dimensions. */
static const adept_type *shaped_input(const adept_symbols *s, int32_t index, const char **name) {
    const adept_tensor *input = &s->graph->tensors[adept_graph_main(s->graph)->inputs[index]];
    *name = input->name;
    return input->declared && input->declared->rank > 0 ? input->declared : NULL;
}

/* The text of an input's dimension that is not a number. */
static int32_t input_text(adept_symbols *s, const adept_dim *dim, const char *input, int32_t axis) {
    bool nameless;
    return dim_text(s, dim, input, axis, &nameless);
}

/* Dimensions without a name are the same one where they stand in the same place. */
static void mark_nameless_batches(adept_symbols *s) {
    for (int32_t i = 0; i < s->entry_count; i++) {
        entry *e = &s->entries[i];
        e->is_batch = e->is_batch || (e->is_input && e->nameless && e->axis == 0);
    }
}

static void find_batch(adept_symbols *s) {
    entry *named = named_input_symbol(s, batch_names);
    if (named) {
        named->is_batch = true;
        return;
    }
    const char *input = NULL;
    const adept_type *type = NULL;
    for (int32_t i = 0; !type && i < adept_graph_main(s->graph)->input_count; i++)
        type = shaped_input(s, i, &input);
    if (!type)
        return;
    if (type->dims[0].value >= 0) {
        s->static_batch = type->dims[0].value;
        s->static_batch_input = input;
        return;
    }
    int32_t index = input_text(s, &type->dims[0], input, 0);
    if (index < 0)
        return;
    if (!adept_expression_is_symbol(s->texts[index].expression)) {
        s->batch_text = index;
        return;
    }
    entry *e = &s->entries[s->texts[index].entries[0]];
    e->is_batch = true;
    if (e->nameless)
        mark_nameless_batches(s);
}

static bool is_index_type(adept_dtype dtype) {
    return dtype == ADEPT_DTYPE_INT32 || dtype == ADEPT_DTYPE_INT64;
}

/* Part of a name, whatever the case. */
static bool contains(const char *name, const char *part) {
    size_t length = strlen(part);
    for (; *name; name++) {
        if (strncasecmp(name, part, length) == 0)
            return true;
    }
    return false;
}

static bool sounds_like_sequence(const entry *e) {
    return contains(e->name, "seq") || contains(e->name, "len");
}

static bool mark_second_dim(adept_symbols *s, const adept_type *type, const char *input) {
    if (type->dims[1].value >= 0) {
        if (!s->static_seq_input) {
            s->static_seq_input = input;
            s->static_seq = type->dims[1].value;
        }
        return false;
    }
    int32_t index = input_text(s, &type->dims[1], input, 1);
    if (index < 0)
        return false;
    if (!adept_expression_is_symbol(s->texts[index].expression)) {
        s->seq_text = index;
        return true;
    }
    entry *e = &s->entries[s->texts[index].entries[0]];
    e->is_seq = !e->is_batch;
    return e->is_seq;
}

static void find_seq(adept_symbols *s) {
    entry *named = named_input_symbol(s, seq_names);
    if (named) {
        named->is_seq = true;
        return;
    }
    bool found = false;
    for (int32_t i = 0; i < adept_graph_main(s->graph)->input_count; i++) {
        const char *input;
        const adept_type *type = shaped_input(s, i, &input);
        if (type && type->rank >= 2 && is_index_type(type->dtype))
            found = mark_second_dim(s, type, input) || found;
    }
    for (int32_t i = 0; !found && !s->static_seq_input && i < s->entry_count; i++) {
        entry *e = &s->entries[i];
        e->is_seq = e->is_input && !e->is_batch && sounds_like_sequence(e);
    }
}

/* --- binding --- */

static const char *input_symbol_names(const adept_symbols *s, const adept_assumption *extra,
                                      int32_t extra_count) {
    enum { LISTED = 20 };
    int32_t listed = 0, more = 0;
    const char *list = "";
    for (int32_t i = 0; list && i < s->entry_count + extra_count; i++) {
        const char *name = i < s->entry_count ? s->entries[i].name : extra[i - s->entry_count].symbol;
        if (i < s->entry_count && !s->entries[i].is_input)
            continue;
        if (listed < LISTED)
            list = adept_arena_format(s->arena, "%s%s%s", list, listed ? ", " : "", name);
        else
            more++;
        listed++;
    }
    if (list && more)
        list = adept_arena_format(s->arena, "%s and %d more", list, more);
    return !list || !*list ? "none" : list;
}

static adept_status bind_entry(adept_symbols *s, entry *e, int64_t value, const char *option,
                               adept_error *err) {
    if (e->given && e->value != value)
        return adept_fail(err, ADEPT_ARGUMENT, "%s %lld: symbol '%s' is already bound to %lld", option,
                          (long long)value, e->name, (long long)e->value);
    e->value = value;
    e->known = e->given = true;
    (void)s;
    return ADEPT_OK;
}

static adept_status bind_text(text *t, int64_t value, const char *option, adept_error *err) {
    if (t->bound && t->value != value)
        return adept_fail(err, ADEPT_ARGUMENT, "%s %lld: dimension '%s' is already bound to %lld", option,
                          (long long)value, t->expression->text, (long long)t->value);
    t->bound = true;
    t->value = value;
    return ADEPT_OK;
}

static adept_status bind_index(adept_symbols *s, int32_t index, int64_t value, const char *option,
                               adept_error *err) {
    text *t = &s->texts[index];
    if (adept_expression_is_symbol(t->expression))
        return bind_entry(s, &s->entries[t->entries[0]], value, option, err);
    return bind_text(t, value, option, err);
}

static adept_status bind_dims(adept_symbols *s, adept_error *err) {
    for (size_t i = 0; i < s->run->dim_count; i++) {
        const adept_dim_binding *binding = &s->run->dims[i];
        if (binding->value < 0)
            return adept_fail(err, ADEPT_ARGUMENT, "--dim %s=%lld: a dimension is at least 0", binding->name,
                              (long long)binding->value);
        const char *option = adept_arena_format(s->arena, "--dim %s=", binding->name);
        int32_t index = adept_string_map_get(&s->by_name, binding->name, -1);
        int32_t whole = adept_string_map_get(&s->by_text, binding->name, -1);
        adept_status status = ADEPT_OK;
        if (index >= 0 && s->entries[index].is_input)
            status = bind_entry(s, &s->entries[index], binding->value, option ? option : "--dim", err);
        else if (whole >= 0 && s->texts[whole].is_input)
            status = bind_text(&s->texts[whole], binding->value, option ? option : "--dim", err);
        else
            continue;
        if (status != ADEPT_OK)
            return status;
        s->dim_used[i] = true;
    }
    return ADEPT_OK;
}

typedef struct option_target {
    const char *option, *what;
    int64_t value;
    bool batch;
    int32_t text;
    const char *static_input;
    int64_t static_value;
} option_target;

/* --batch and --seq: bind the marked symbols, or compare with the number in the file. */
static adept_status bind_option(adept_symbols *s, const option_target *target, adept_error *err) {
    bool found = false;
    for (int32_t i = 0; i < s->entry_count; i++) {
        entry *e = &s->entries[i];
        if (!(target->batch ? e->is_batch : e->is_seq))
            continue;
        found = true;
        adept_status status = bind_entry(s, e, target->value, target->option, err);
        if (status != ADEPT_OK)
            return status;
    }
    if (found)
        return ADEPT_OK;
    if (target->text >= 0)
        return bind_text(&s->texts[target->text], target->value, target->option, err);
    if (!target->static_input)
        return adept_fail(
            err, ADEPT_ARGUMENT, "%s %lld: the graph has no %s dimension; free symbols, for --dim NAME=N: %s",
            target->option, (long long)target->value, target->what, input_symbol_names(s, NULL, 0));
    if (target->static_value != target->value)
        return adept_fail(err, ADEPT_ARGUMENT,
                          "%s %lld: the file has a fixed %s of %lld (input '%s'); leave %s out or export the "
                          "model with a symbolic %s dimension",
                          target->option, (long long)target->value, target->what,
                          (long long)target->static_value, target->static_input, target->option,
                          target->what);
    return ADEPT_OK;
}

static adept_status bind_options(adept_symbols *s, adept_error *err) {
    const option_target batch = {
        "--batch", "batch", s->run->batch, true, s->batch_text, s->static_batch_input, s->static_batch};
    const option_target seq = {"--seq",     "sequence",          s->run->seq,  false,
                               s->seq_text, s->static_seq_input, s->static_seq};
    adept_status status = s->run->batch > 0 ? bind_option(s, &batch, err) : ADEPT_OK;
    if (status == ADEPT_OK && s->run->seq > 0)
        status = bind_option(s, &seq, err);
    return status;
}

/* Fed dims decide the symbols of the declared shape; a conflict is left to inference. */
static adept_status bind_fed(adept_symbols *s, const adept_fed_value *fed, adept_error *err) {
    const adept_body *body = adept_graph_main(s->graph);
    for (int32_t i = 0; i < body->input_count; i++) {
        const adept_tensor *input = &s->graph->tensors[body->inputs[i]];
        if (strcmp(input->name, fed->input) != 0)
            continue;
        const adept_type *type = input->declared;
        for (int32_t axis = 0; type && type->rank == fed->shape.rank && axis < type->rank; axis++) {
            if (type->dims[axis].value >= 0)
                continue;
            int32_t index = input_text(s, &type->dims[axis], input->name, axis);
            if (index < 0)
                return adept_fail_memory(err);
            (void)bind_index(s, index, fed->shape.dims[axis], "", NULL);
        }
        return ADEPT_OK;
    }
    return adept_fail(err, ADEPT_ARGUMENT, "no input of the graph is named '%s'", fed->input);
}

/* Solves dimensions that were bound as a whole for their one unknown symbol; again while that helps. */
static adept_status solve_bound_texts(adept_symbols *s, adept_error *err) {
    for (bool progress = true; progress;) {
        progress = false;
        for (int32_t i = 0; i < s->text_count; i++) {
            const text *t = &s->texts[i];
            if (!t->bound)
                continue;
            int64_t *values;
            bool *known;
            if (!operands(s, t, &values, &known))
                return adept_fail_memory(err);
            int32_t unknown = -1, unknowns = 0;
            for (int32_t j = 0; j < t->expression->name_count; j++) {
                if (!known[j]) {
                    unknown = j;
                    unknowns++;
                }
            }
            if (unknowns != 1 || !adept_expression_solve(t->expression, values, unknown, t->value))
                continue;
            entry *e = &s->entries[t->entries[unknown]];
            e->value = values[unknown];
            e->known = e->given = true;
            progress = true;
        }
    }
    return ADEPT_OK;
}

/*
 * What an unbound symbol most likely is, by name first and place second, and the size taken for it.
 * 224: side of the usual crop of ImageNet training; 16000: one second of speech at 16 kHz.
 */
static int64_t default_size(const entry *e) {
    if (e->is_batch)
        return 1;
    if (e->is_seq || sounds_like_sequence(e))
        return 128;
    if (contains(e->name, "height") || contains(e->name, "width") || (e->rank >= 4 && e->axis >= 2))
        return 224;
    if (contains(e->name, "sample"))
        return 16000;
    return e->axis == 0 || e->rank >= 4 ? 1 : 128;
}

static void bind_defaults(adept_symbols *s) {
    for (int32_t i = 0; i < s->entry_count; i++) {
        entry *e = &s->entries[i];
        if (e->known || !e->is_input)
            continue;
        e->value = default_size(e);
        e->known = true;
    }
}

static adept_status check_dims(adept_symbols *s, adept_error *err) {
    for (int32_t i = 0; i < s->text_count; i++) {
        const text *t = &s->texts[i];
        int64_t value;
        if (evaluate(s, t, &value) == ADEPT_EVALUATED && value >= 0)
            continue;
        return adept_fail(err, ADEPT_ARGUMENT,
                          "dimension '%s' of an input is no size with these bindings; give others with --dim "
                          "(symbols: %s)",
                          t->expression->text, input_symbol_names(s, NULL, 0));
    }
    return ADEPT_OK;
}

adept_status adept_symbols_bind(adept_symbols *symbols, adept_arena *arena, const adept_graph *graph,
                                const adept_run *run, const adept_fed_value *fed, size_t fed_count,
                                adept_error *err) {
    *symbols = (adept_symbols){.arena = arena, .graph = graph, .run = run, .batch_text = -1, .seq_text = -1};
    symbols->dim_used = adept_arena_array(arena, run->dim_count, sizeof *symbols->dim_used);
    if (!symbols->dim_used)
        return adept_fail_memory(err);
    adept_status status = collect_inputs(symbols, err);
    if (status != ADEPT_OK)
        return status;
    find_batch(symbols);
    find_seq(symbols);
    for (size_t i = 0; status == ADEPT_OK && i < fed_count; i++)
        status = bind_fed(symbols, &fed[i], err);
    if (status == ADEPT_OK)
        status = bind_dims(symbols, err);
    if (status == ADEPT_OK)
        status = bind_options(symbols, err);
    if (status == ADEPT_OK)
        status = solve_bound_texts(symbols, err);
    if (status != ADEPT_OK)
        return status;
    bind_defaults(symbols);
    return check_dims(symbols, err);
}

void adept_symbols_clear(adept_symbols *symbols) {
    adept_string_map_clear(&symbols->by_name);
    adept_string_map_clear(&symbols->by_text);
}

/* --- after binding --- */

adept_evaluation adept_symbols_dim(adept_symbols *symbols, const adept_dim *dim, const char *tensor,
                                   int32_t axis, int64_t *value) {
    if (dim->value >= 0) {
        *value = dim->value;
        return ADEPT_EVALUATED;
    }
    bool nameless;
    int32_t index = dim_text(symbols, dim, tensor, axis, &nameless);
    if (index < 0)
        return ADEPT_EVALUATION_FREE;
    text *t = &symbols->texts[index];
    adept_evaluation evaluation = evaluate(symbols, t, value);
    if (evaluation == ADEPT_EVALUATED) { /* for good: what is known never changes */
        t->bound = true;
        t->value = *value;
    }
    return evaluation == ADEPT_EVALUATED && *value < 0 ? ADEPT_EVALUATION_INVALID : evaluation;
}

const char *adept_symbols_free_name(adept_symbols *symbols, const adept_dim *dim, const char *tensor,
                                    int32_t axis) {
    bool nameless;
    int32_t index = dim_text(symbols, dim, tensor, axis, &nameless);
    for (int32_t i = 0; index >= 0 && i < symbols->texts[index].expression->name_count; i++) {
        const entry *e = &symbols->entries[symbols->texts[index].entries[i]];
        if (!e->known)
            return e->name;
    }
    return NULL;
}

void adept_symbols_learn(adept_symbols *symbols, const adept_dim *dim, const char *source, int64_t value) {
    if (dim->value >= 0 || !dim->symbol || is_placeholder(dim->symbol))
        return;
    int32_t index = text_of(symbols, dim->symbol, false);
    if (index < 0 || !adept_expression_is_symbol(symbols->texts[index].expression))
        return;
    entry *e = &symbols->entries[symbols->texts[index].entries[0]];
    if (e->known)
        return;
    e->value = value;
    e->known = true;
    e->source = source;
}

const char *adept_symbols_source(const adept_symbols *symbols, const char *name) {
    int32_t index = adept_string_map_get(&symbols->by_name, name, -1);
    return index < 0 ? NULL : symbols->entries[index].source;
}

bool adept_symbols_given(adept_symbols *symbols, const char *name, int64_t *value) {
    for (size_t i = 0; i < symbols->run->dim_count; i++) {
        if (strcmp(symbols->run->dims[i].name, name) != 0)
            continue;
        symbols->dim_used[i] = true;
        *value = symbols->run->dims[i].value;
        return true;
    }
    return false;
}

adept_status adept_symbols_check_used(const adept_symbols *symbols, const adept_assumption *extra,
                                      int32_t extra_count, adept_error *err) {
    for (size_t i = 0; i < symbols->run->dim_count; i++) {
        if (!symbols->dim_used[i])
            return adept_fail(err, ADEPT_ARGUMENT, "--dim %s=%lld: the graph has no such symbol; it has: %s",
                              symbols->run->dims[i].name, (long long)symbols->run->dims[i].value,
                              input_symbol_names(symbols, extra, extra_count));
    }
    return ADEPT_OK;
}

const char *adept_symbols_defaults(const adept_symbols *symbols) {
    enum { LISTED = 6 };
    const char *list = NULL;
    int32_t listed = 0;
    for (int32_t i = 0; i < symbols->entry_count && listed < LISTED; i++) {
        const entry *e = &symbols->entries[i];
        if (!e->is_input || !e->known || e->given)
            continue;
        list = adept_arena_format(symbols->arena, "%s%s%s = %lld", list ? list : "", list ? ", " : "",
                                  e->name, (long long)e->value);
        listed++;
    }
    return list;
}

static double samples(const adept_symbols *s) {
    for (int32_t i = 0; i < s->entry_count; i++) {
        if (s->entries[i].is_batch)
            return (double)s->entries[i].value;
    }
    int64_t value = 1;
    if (s->batch_text >= 0 && evaluate(s, &s->texts[s->batch_text], &value) == ADEPT_EVALUATED)
        return (double)value;
    return s->static_batch_input ? (double)s->static_batch : 1.0;
}

adept_status adept_symbols_list(const adept_symbols *symbols, const adept_symbol **list, int32_t *count,
                                double *batch) {
    adept_symbol *listed = adept_arena_array(symbols->arena, (size_t)symbols->entry_count, sizeof *listed);
    if (!listed)
        return ADEPT_NOMEM;
    *count = 0;
    for (int32_t i = 0; i < symbols->entry_count; i++) {
        const entry *e = &symbols->entries[i];
        if (e->is_input)
            listed[(*count)++] = (adept_symbol){.name = e->name,
                                                .value = e->value,
                                                .given = e->given,
                                                .is_batch = e->is_batch,
                                                .is_seq = e->is_seq};
    }
    *list = listed;
    *batch = samples(symbols);
    return ADEPT_OK;
}
