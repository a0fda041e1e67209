/* Strings. Their lengths and numbers are data. */
#include "infer_functions.h"

#include <stdio.h>

#include "infer_dims.h"
#include "infer_fold.h"

/* Numbers of substrings that StringSplit is assumed to find. */
enum { ASSUMED_PARTS = 16 };

adept_status infer_string_concat(adept_infer *ctx) {
    return dims_broadcast(ctx, 0, ADEPT_DTYPE_STRING, 0, 2);
}

adept_status infer_regex_full_match(adept_infer *ctx) {
    return dims_out_typed(ctx, 0, 0, ADEPT_DTYPE_BOOL);
}

/* Substrings [.., most], and how many there are of each [..]. */
adept_status infer_string_split(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    int64_t most = adept_infer_int(ctx, "maxsplit", -1);
    INFER_TRY(dims_out_typed(ctx, 1, 0, ADEPT_DTYPE_INT64));
    if (x->rank < 0)
        return adept_infer_out_unknown(ctx, 0, ADEPT_DTYPE_STRING);
    int64_t *dims = dims_new(ctx, x->rank + 1);
    if (!dims)
        return dims_no_memory(ctx);
    dims_put(dims, x->dims, x->rank);
    bool bounded = most >= 0 && most < INT32_MAX;
    const char *reason = "how many parts a string has is data";
    dims[x->rank] = bounded ? dims_assume_bound(ctx, "parts", most + 1, reason)
                            : dims_assume(ctx, "parts", ASSUMED_PARTS, reason);
    return dims_out(ctx, 0, ADEPT_DTYPE_STRING, x->rank + 1, dims, bounded ? ADEPT_BOUND : ADEPT_ASSUMED);
}

/* [C] or [1, C]: words in `stopwords` are dropped. */
adept_status infer_string_normalizer(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    if (!adept_infer_has(ctx, "stopwords") || x->rank < 1)
        return infer_same(ctx);
    int64_t *dims = dims_copy(ctx, x->rank, x->dims);
    if (!dims)
        return dims_no_memory(ctx);
    dims[x->rank - 1] =
        dims_assume_bound(ctx, "words", dims[x->rank - 1], "how many words are dropped is data");
    return dims_out(ctx, 0, ADEPT_DTYPE_STRING, x->rank, dims, ADEPT_BOUND);
}

/* [C] to [n], [N, C] to [N, n]; n = largest of ngram_indexes + 1 */
adept_status infer_tfidf_vectorizer(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    const int64_t *indexes;
    int32_t count;
    int64_t size = 0;
    INFER_TRY(dims_need_ints(ctx, "ngram_indexes", &indexes, &count));
    for (int32_t i = 0; i < count; i++)
        if (indexes[i] >= size && indexes[i] < INT64_MAX)
            size = indexes[i] + 1;
    if (x->rank < 0)
        return adept_infer_out_unknown(ctx, 0, ADEPT_DTYPE_FLOAT);
    if (x->rank < 1 || x->rank > 2)
        return adept_infer_fail(ctx, "input has shape %s, expected [C] or [N, C]", dims_input_text(ctx, 0));
    int64_t dims[2] = {x->dims[0], size};
    return adept_infer_out(ctx, 0, ADEPT_DTYPE_FLOAT, x->rank, x->rank == 1 ? dims + 1 : dims);
}

/* com.microsoft: [C] to [parts], [N, C] to [N, C, parts]. */
adept_status infer_tokenizer(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    if (x->rank < 0)
        return adept_infer_out_unknown(ctx, 0, ADEPT_DTYPE_STRING);
    int64_t *dims = dims_new(ctx, x->rank + 1);
    if (!dims)
        return dims_no_memory(ctx);
    dims_put(dims, x->dims, x->rank);
    dims[x->rank] = dims_assume(ctx, "tokens", ASSUMED_PARTS, "how many tokens a string has is data");
    return dims_out(ctx, 0, ADEPT_DTYPE_STRING, x->rank + 1, dims, ADEPT_ASSUMED);
}
