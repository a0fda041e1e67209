/*
 * Saving and restoring the optimizer: a line "adept-de 1 <strategy>", then 64-bit words in hexadecimal,
 * (doubles by their bits, so that no rounding and no locale interferes), then their checksum.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "de_object.h"
#include "fail.h"

enum { FORMAT_VERSION = 1 };

/* A file read or written word by word; hash: FNV-1a over the words, 64 bits. */
typedef struct word_stream {
    FILE *file;
    uint64_t hash;
    bool intact;
} word_stream;

static word_stream open_words(FILE *file) {
    return (word_stream){file, UINT64_C(0xcbf29ce484222325), true};
}

static void hash_word(word_stream *s, uint64_t word) {
    for (int byte = 0; byte < 8; byte++)
        s->hash = (s->hash ^ (word >> 8 * byte & 0xff)) * UINT64_C(0x100000001b3);
}

static uint64_t bits_of(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static double double_of(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void put_word(word_stream *s, uint64_t word, char end) {
    hash_word(s, word);
    fprintf(s->file, "%016" PRIx64 "%c", word, end);
}

static uint64_t get_word(word_stream *s) {
    char digits[18], *end = digits;
    if (s->intact && fscanf(s->file, "%17s", digits) == 1) {
        const uint64_t word = strtoull(digits, &end, 16);
        if (end == digits + 16 && *end == '\0') {
            hash_word(s, word);
            return word;
        }
    }
    s->intact = false;
    return 0;
}

/* What makes two runs the same problem, besides the bounds. */
enum { IDENTITY = 8 };
typedef struct identity_word {
    const char *meaning;
    uint64_t word;
    bool is_double;
} identity_word;

static void list_identity(const adept_de *de, identity_word list[IDENTITY]) {
    const identity_word words[IDENTITY] = {
        {"seed",                         de->seed,                      false},
        {"fingerprint of the objective", de->settings.fingerprint,      false},
        {"number of parameters",         de->parameters,                false},
        {"number of free parameters",    de->free_count,                false},
        {"population",                   de->members,                   false},
        {"lowest mutation factor",       bits_of(de->settings.F_lower), true },
        {"highest mutation factor",      bits_of(de->settings.F_upper), true },
        {"crossover probability",        bits_of(de->settings.CR),      true },
    };
    memcpy(list, words, sizeof words);
}

adept_status adept_de_save(const adept_de *de, FILE *out, adept_error *err) {
    identity_word identity[IDENTITY];
    list_identity(de, identity);
    word_stream s = open_words(out);
    fprintf(out, "adept-de %d %s\n", FORMAT_VERSION, de_strategy_name(de->strategy));
    for (size_t i = 0; i < IDENTITY; i++)
        put_word(&s, identity[i].word, '\n');
    for (size_t p = 0; p < de->parameters; p++) {
        put_word(&s, bits_of(de->bounds[p].lower), ' ');
        put_word(&s, bits_of(de->bounds[p].upper), '\n');
    }
    put_word(&s, de->generation, '\n');
    put_word(&s, de->evaluations, '\n');
    put_word(&s, de->non_finite, '\n');
    put_word(&s, de->evaluated, '\n');
    for (size_t i = 0; i < de->members; i++) {
        put_word(&s, bits_of(de->now.loss[i]), ' ');
        for (size_t p = 0; p < de->parameters; p++)
            put_word(&s, bits_of(de->now.x[p * de->stride + i]), p + 1 < de->parameters ? ' ' : '\n');
    }
    put_word(&s, s.hash, '\n');
    return ferror(out) ? adept_fail(err, ADEPT_IO, "the optimizer's state cannot be written") : ADEPT_OK;
}

static adept_status fail_damaged(adept_error *err) {
    return adept_fail(err, ADEPT_FORMAT, "not a whole saved optimizer state; start anew without it");
}

static adept_status check_strategy(const adept_de *de, FILE *in, adept_error *err) {
    char version[16], strategy[32], here[16];
    if (fscanf(in, "adept-de %15s %31s", version, strategy) != 2)
        return fail_damaged(err);
    snprintf(here, sizeof here, "%d", FORMAT_VERSION);
    if (strcmp(version, here) != 0)
        return adept_fail(err, ADEPT_UNSUPPORTED, "saved optimizer state of version %s, this is version %s",
                          version, here);
    if (strcmp(strategy, de_strategy_name(de->strategy)) != 0)
        return adept_fail(err, ADEPT_ARGUMENT, "state saved with strategy %s, this run uses %s", strategy,
                          de_strategy_name(de->strategy));
    return ADEPT_OK;
}

static adept_status check_identity(const adept_de *de, word_stream *s, adept_error *err) {
    identity_word identity[IDENTITY];
    list_identity(de, identity);
    for (size_t i = 0; i < IDENTITY; i++) {
        const uint64_t saved = get_word(s), here = identity[i].word;
        if (!s->intact)
            return fail_damaged(err);
        if (saved == here)
            continue;
        if (identity[i].is_double)
            return adept_fail(err, ADEPT_ARGUMENT, "state saved with %s %.17g, this run has %.17g",
                              identity[i].meaning, double_of(saved), double_of(here));
        return adept_fail(err, ADEPT_ARGUMENT, "state saved with %s %" PRIu64 ", this run has %" PRIu64,
                          identity[i].meaning, saved, here);
    }
    for (size_t p = 0; p < de->parameters; p++) {
        const double lower = double_of(get_word(s)), upper = double_of(get_word(s));
        if (!s->intact)
            return fail_damaged(err);
        if (lower != de->bounds[p].lower || upper != de->bounds[p].upper)
            return adept_fail(
                err, ADEPT_ARGUMENT,
                "state saved with bounds [%.17g, %.17g] of parameter %zu, this run has [%.17g, %.17g]", lower,
                upper, p, de->bounds[p].lower, de->bounds[p].upper);
    }
    return ADEPT_OK;
}

/* Reads the members into `next`, which nobody reads between steps. */
static void get_members(adept_de *de, word_stream *s) {
    for (size_t i = 0; i < de->members && s->intact; i++) {
        const double loss = de->next.loss[i] = double_of(get_word(s));
        s->intact = s->intact && isfinite(loss);
        for (size_t p = 0; p < de->parameters; p++) {
            const double x = de->next.x[p * de->stride + i] = double_of(get_word(s));
            s->intact = s->intact && x >= de->bounds[p].lower && x <= de->bounds[p].upper;
        }
    }
}

/* A failed restore may have spoilt the fixed parameters' rows of `next`, which a step does not write. */
static void mend_fixed(adept_de *de) {
    for (size_t p = 0; p < de->parameters; p++) {
        for (size_t i = 0; de->bounds[p].lower == de->bounds[p].upper && i < de->members; i++)
            de->next.x[p * de->stride + i] = de->bounds[p].lower;
    }
}

adept_status adept_de_restore(adept_de *de, FILE *in, adept_error *err) {
    adept_status status = check_strategy(de, in, err);
    if (status != ADEPT_OK)
        return status;
    word_stream s = open_words(in);
    status = check_identity(de, &s, err);
    if (status != ADEPT_OK)
        return status;
    const uint64_t generation = get_word(&s), evaluations = get_word(&s), non_finite = get_word(&s);
    const uint64_t evaluated = get_word(&s);
    get_members(de, &s);
    const uint64_t hash = s.hash;
    if (get_word(&s) != hash || !s.intact) {
        mend_fixed(de);
        return fail_damaged(err);
    }
    const de_population old = de->now;
    de->now = de->next;
    de->next = old;
    de->generation = generation;
    de->evaluations = evaluations;
    de->non_finite = non_finite;
    de->evaluated = evaluated != 0;
    de->best = de->evaluated ? de_lowest(de->now.loss, de->members) : 0;
    return ADEPT_OK;
}
