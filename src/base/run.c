#include "adept/run.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"

#define NAME_ROW(code, text) text,
#define NAMES(kind, LIST, COUNT)                                                                             \
    static const char *const kind##_names[] = {LIST(NAME_ROW)};                                              \
    const char *adept_##kind##_name(adept_##kind value) {                                                    \
        return (size_t)value < (size_t)(COUNT) ? kind##_names[value] : "?";                                  \
    }

NAMES(mode, ADEPT_MODE_LIST, ADEPT_MODE_COUNT)
NAMES(precision, ADEPT_PRECISION_LIST, ADEPT_PRECISION_COUNT)
NAMES(optimizer, ADEPT_OPTIMIZER_LIST, ADEPT_OPTIMIZER_COUNT)
NAMES(optimizer_impl, ADEPT_OPTIMIZER_IMPL_LIST, ADEPT_OPTIMIZER_IMPL_COUNT)
NAMES(attention, ADEPT_ATTENTION_LIST, ADEPT_ATTENTION_COUNT)
NAMES(fusion, ADEPT_FUSION_LIST, ADEPT_FUSION_COUNT)
NAMES(layout, ADEPT_LAYOUT_LIST, ADEPT_LAYOUT_COUNT)
NAMES(amp_level, ADEPT_AMP_LEVEL_LIST, ADEPT_AMP_LEVEL_COUNT)
NAMES(variant, ADEPT_VARIANT_LIST, ADEPT_VARIANT_COUNT)
NAMES(batchnorm, ADEPT_BATCHNORM_LIST, ADEPT_BATCHNORM_COUNT)

typedef enum option_kind {
    CHOICE,
    COUNT64,
    COUNT32,
    POSITIVE,
    MICROSECONDS,
    TEXT,
    DROPOUT,
    SHARE,
    LIST
} option_kind;

/* The one list of run options: parsing, help and completion read it. */
typedef struct option_row {
    const char *name;
    option_kind kind;
    size_t offset; /* of the field in adept_run */
    const char *const *choices;
    int choice_count;
    const char *argument, *help;
} option_row;

#define CHOICE_ROW(text, field, names, argument, help)                                                       \
    {                                                                                                        \
        text, CHOICE, offsetof(adept_run, field), names, (int)(sizeof(names) / sizeof(names)[0]), argument,  \
            help                                                                                             \
    }
#define VALUE_ROW(text, kind, field, argument, help)                                                         \
    { text, kind, offsetof(adept_run, field), NULL, 0, argument, help }

/* clang-format off */
static const option_row options[] = {
    VALUE_ROW("batch", COUNT64, batch, "N", "samples per GPU and micro-batch"),
    VALUE_ROW("seq", COUNT64, seq, "N", "sequence length"),
    VALUE_ROW("dim", LIST, dims, "NAME=N", "a symbolic dimension, or a size that data decides (repeatable)"),
    CHOICE_ROW("mode", mode, mode_names, "train|inference", "(train)"),
    CHOICE_ROW("precision", precision, precision_names, "fp32|tf32|fp16|bf16|fp16-amp|bf16-amp|int8", "(fp32)"),
    CHOICE_ROW("optimizer", optimizer, optimizer_names, "none|sgd|sgd-momentum|adam|adamw", "(adamw)"),
    CHOICE_ROW("optimizer-impl", optimizer_impl, optimizer_impl_names, "for-loop|foreach|fused", "(foreach)"),
    VALUE_ROW("gpus", COUNT32, gpus, "N", "data-parallel GPUs (1)"),
    VALUE_ROW("grad-accum", COUNT32, grad_accum, "N", "micro-batches of one optimizer step (1)"),
    VALUE_ROW("freeze", LIST, freeze, "PATTERN", "parameters that are not trained, a shell pattern (repeatable)"),
    CHOICE_ROW("attention", attention, attention_names, "eager|flash", "(eager)"),
    CHOICE_ROW("fusion", fusion, fusion_names, "eager|compiled", "(eager)"),
    CHOICE_ROW("variant", variant, variant_names, "thesis|operator", "the model of time and power (operator)"),
    VALUE_ROW("power-limit", POSITIVE, power_limit_W, "W", "of one GPU (the board's default)"),
    VALUE_ROW("clock-limit", POSITIVE, clock_limit_Hz, "HZ", "locked clock (boost)"),
    CHOICE_ROW("layout", layout, layout_names, "nchw|nhwc", "(nchw)"),
    CHOICE_ROW("amp-level", amp_level, amp_level_names, "autocast|o2", "(autocast)"),
    VALUE_ROW("launch-us", MICROSECONDS, launch_s, "T", "CPU time of one kernel launch on the host"),
    VALUE_ROW("idle-gap", SHARE, idle_gap, "S", "share of the step in which the training loop leaves the GPU idle"),
    VALUE_ROW("collective-bandwidth", POSITIVE, collective_B_per_s, "B/S", "bus bandwidth of all-reduce measured on the machine (from the links); operator variant"),
    VALUE_ROW("overlap", SHARE, overlap, "S", "share of the backward pass that communication can hide behind; operator variant"),
    VALUE_ROW("loader-us", MICROSECONDS, loader_s, "T", "time in which one worker loads a sample: the first batch of an epoch waits; operator variant"),
    VALUE_ROW("epoch-samples", COUNT64, epoch_samples, "N", "samples of an epoch, for --loader-us"),
    VALUE_ROW("framework", TEXT, framework, "NAME", "policy of what is one kernel (pytorch)"),
    CHOICE_ROW("batchnorm", batchnorm, batchnorm_names, "auto|restore|as-is", "normalisation that the export folded away (auto)"),
    VALUE_ROW("dropout", DROPOUT, dropout, "auto|P|none", "dropout that the export removed: P puts it where networks have it (auto: as in the file)"),
};
/* clang-format on */
enum { OPTION_COUNT = sizeof options / sizeof options[0] };
_Static_assert(sizeof(adept_mode) == sizeof(int) && sizeof(adept_precision) == sizeof(int), "enums are ints");

static adept_status set_choice(void *field, const option_row *row, const char *value, adept_error *err) {
    char allowed[256] = "";
    for (int i = 0; i < row->choice_count; i++) {
        if (strcmp(value, row->choices[i]) == 0) {
            memcpy(field, &i, sizeof i);
            return ADEPT_OK;
        }
        size_t used = strlen(allowed);
        snprintf(allowed + used, sizeof allowed - used, "%s%s", i ? ", " : "", row->choices[i]);
    }
    return adept_fail(err, ADEPT_ARGUMENT, "--%s: '%s' is not one of %s", row->name, value, allowed);
}

static adept_status set_count(void *field, const option_row *row, const char *value, adept_error *err) {
    char *end;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    long long most = row->kind == COUNT32 ? INT_MAX : LLONG_MAX;
    if (errno || end == value || *end || number < 1 || number > most)
        return adept_fail(err, ADEPT_ARGUMENT, "--%s: '%s' is not a whole number of at least 1", row->name,
                          value);
    if (row->kind == COUNT32)
        memcpy(field, &(int32_t){(int32_t)number}, sizeof(int32_t));
    else
        memcpy(field, &(int64_t){number}, sizeof(int64_t));
    return ADEPT_OK;
}

static adept_status set_number(void *field, const option_row *row, const char *value, adept_error *err) {
    char *end;
    double number = strtod(value, &end);
    if (end == value || *end || !isfinite(number) || number <= 0)
        return adept_fail(err, ADEPT_ARGUMENT, "--%s: '%s' is not a number above 0", row->name, value);
    if (row->kind == MICROSECONDS)
        number *= 1e-6;
    memcpy(field, &number, sizeof number);
    return ADEPT_OK;
}

static adept_status set_dropout(void *field, const char *value, adept_error *err) {
    double number;
    char *end;
    if (strcmp(value, "auto") == 0) {
        number = ADEPT_DROPOUT_AUTO;
    } else if (strcmp(value, "none") == 0) {
        number = 0;
    } else {
        number = strtod(value, &end);
        if (end == value || *end || !(number >= 0 && number < 1))
            return adept_fail(err, ADEPT_ARGUMENT, "--dropout: '%s' is not auto, none or a number in [0, 1)",
                              value);
    }
    memcpy(field, &number, sizeof number);
    return ADEPT_OK;
}

static adept_status set_share(void *field, const option_row *row, const char *value, adept_error *err) {
    char *end;
    double number = strtod(value, &end);
    if (end == value || *end || !(number >= 0 && number < 1))
        return adept_fail(err, ADEPT_ARGUMENT, "--%s: '%s' is not a number in [0, 1)", row->name, value);
    memcpy(field, &number, sizeof number);
    return ADEPT_OK;
}

adept_status adept_run_set(adept_run *run, const char *name, const char *value, adept_error *err) {
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const option_row *row = &options[i];
        if (strcmp(row->name, name) != 0)
            continue;
        void *field = (char *)run + row->offset;
        switch (row->kind) {
        case CHOICE:
            return set_choice(field, row, value, err);
        case COUNT64:
        case COUNT32:
            return set_count(field, row, value, err);
        case POSITIVE:
        case MICROSECONDS:
            return set_number(field, row, value, err);
        case DROPOUT:
            return set_dropout(field, value, err);
        case SHARE:
            return set_share(field, row, value, err);
        case TEXT:
            memcpy(field, &value, sizeof value);
            return ADEPT_OK;
        case LIST:
            return adept_fail(err, ADEPT_ARGUMENT, "--%s is a list that the caller keeps", name);
        }
    }
    return adept_fail(err, ADEPT_ARGUMENT, "unknown run option '%s'", name);
}

static bool same_number(const void *a, const void *b) {
    double x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x == y;
}

static bool same_text(const void *a, const void *b) {
    const char *x, *y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return strcmp(x ? x : "pytorch", y ? y : "pytorch") == 0;
}

bool adept_run_same(const adept_run *a, const adept_run *b, const char *name) {
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const option_row *row = &options[i];
        const char *x = (const char *)a + row->offset, *y = (const char *)b + row->offset;
        if (strcmp(row->name, name) != 0)
            continue;
        switch (row->kind) {
        case CHOICE:
            return memcmp(x, y, sizeof(int)) == 0;
        case COUNT64:
            return memcmp(x, y, sizeof(int64_t)) == 0;
        case COUNT32:
            return memcmp(x, y, sizeof(int32_t)) == 0;
        case TEXT:
            return same_text(x, y);
        case LIST:
            return memcmp(x, y, sizeof(void *)) == 0;
        default:
            return same_number(x, y);
        }
    }
    return false;
}

adept_status adept_run_check(const adept_run *run, adept_error *err) {
    if (run->mode == ADEPT_MODE_INFERENCE && run->grad_accum > 1)
        return adept_fail(err, ADEPT_ARGUMENT, "--grad-accum %d: inference accumulates no gradients",
                          run->grad_accum);
    if (run->mode == ADEPT_MODE_INFERENCE && run->freeze_count)
        return adept_fail(err, ADEPT_ARGUMENT, "--freeze: inference trains nothing");
    if (run->precision == ADEPT_PRECISION_INT8 && run->mode == ADEPT_MODE_TRAIN)
        return adept_fail(err, ADEPT_ARGUMENT, "--precision int8: only with --mode inference");
    return ADEPT_OK;
}

bool adept_run_option(size_t index, adept_run_option_info *out) {
    if (index >= OPTION_COUNT)
        return false;
    const option_row *row = &options[index];
    *out = (adept_run_option_info){row->name, row->argument, row->help, row->kind == LIST};
    return true;
}
