/*
 * Symbolic dimensions of a graph's inputs and the numbers they are bound to (rules: docs/shapes.md).
 *
 * Every text of a dim_param is parsed once; after binding, a dimension costs one hash lookup.
 */
#ifndef ADEPT_SYMBOLS_H
#define ADEPT_SYMBOLS_H

#include "adept/run.h"
#include "expression.h"
#include "fail.h"
#include "model_graph.h"
#include "shapes.h"
#include "string_map.h"

typedef struct adept_symbols {
    adept_arena *arena;
    const adept_graph *graph;
    const adept_run *run;
    bool *dim_used; /* [run->dim_count] */

    int32_t entry_count, entry_capacity;
    struct adept_symbol_entry *entries;
    adept_string_map by_name; /* -> entries */

    int32_t text_count, text_capacity;
    struct adept_symbol_text *texts;
    adept_string_map by_text; /* -> texts */

    int32_t batch_text, seq_text; /* dimension that is an expression and stands for the batch; -1: none */
    const char *static_batch_input, *static_seq_input; /* NULL: not fixed by the file */
    int64_t static_batch, static_seq;
} adept_symbols;

/*
 * Collects the symbols of the main graph's inputs and binds them all: fed shapes, --dim, --batch, --seq,
 * defaults. Memory comes from arena; run must outlive the table.
 * Errors    ARGUMENT: contradicting bindings, a --batch or --seq that the file contradicts or has no
 *           dimension for; NOMEM
 */
adept_status adept_symbols_bind(adept_symbols *symbols, adept_arena *arena, const adept_graph *graph,
                                const adept_run *run, const adept_fed_value *fed, size_t fed_count,
                                adept_error *err);
void adept_symbols_clear(adept_symbols *symbols);

/* Value of a dimension: its number, or that of its text. axis and tensor name dimensions without a name. */
adept_evaluation adept_symbols_dim(adept_symbols *symbols, const adept_dim *dim, const char *tensor,
                                   int32_t axis, int64_t *value);

/* The name of the first symbol in a dimension that has no value (after ADEPT_EVALUATION_FREE). */
const char *adept_symbols_free_name(adept_symbols *symbols, const adept_dim *dim, const char *tensor,
                                    int32_t axis);

/*
 * A symbol that no input has, learnt from a tensor whose size is known; source: that tensor. Only where
 * the dimension is this symbol alone and it has no value yet.
 */
void adept_symbols_learn(adept_symbols *symbols, const adept_dim *dim, const char *source, int64_t value);
/* Where a symbol was learnt, NULL: bound by an input. */
const char *adept_symbols_source(const adept_symbols *symbols, const char *name);

/* Number that --dim gives name; marks the binding as used. */
bool adept_symbols_given(adept_symbols *symbols, const char *name, int64_t *value);

/*
 * After inference: every --dim must have been used. extra: symbols of assumptions, for the message.
 * Errors    ARGUMENT with the symbols that can be bound
 */
adept_status adept_symbols_check_used(const adept_symbols *symbols, const adept_assumption *extra,
                                      int32_t extra_count, adept_error *err);

/* "N = 1, seq = 128": the symbols that took their default, NULL if none did. */
const char *adept_symbols_defaults(const adept_symbols *symbols);

/* The report's list of input symbols, and the samples of the run. */
adept_status adept_symbols_list(const adept_symbols *symbols, const adept_symbol **list, int32_t *count,
                                double *batch);

#endif
