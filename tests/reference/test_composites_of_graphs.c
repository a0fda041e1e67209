/*
 * Composites recognised in real exports: as many as the architecture has, whichever exporter, opset and
 * optimisation wrote the file. An operator that the file holds whole counts as recognised.
 */
#include "test_support.h"

#include <stdbool.h>

#include "adept/graph.h"
#include "adept/profile.h"

enum { LAYER_NORM, RMS_NORM, GELU, SILU, ATTENTION, ROTARY, KIND_COUNT };

typedef struct kind {
    const char *composites[3]; /* names of rows in src/patterns/composites.c */
    const char *operators[3];  /* the same as one operator of the file */
} kind;

static const kind kinds[KIND_COUNT] = {
    [LAYER_NORM] = {{"LayerNorm"},                        {"LayerNormalization"}},
    [RMS_NORM] = {{"RMSNorm"},                          {"RMSNormalization"}  },
    [GELU] = {{"GELU (erf)", "GELU (tanh)"},        {"Gelu"}              },
    [SILU] = {{"SiLU"},                             {"Swish"}             },
    [ATTENTION] = {{"attention", "attention with bias"}, {"Attention"}         },
    [ROTARY] = {{"rotary embedding"},                 {"RotaryEmbedding"}   },
};

typedef struct expectation {
    const char *graph;
    int count[KIND_COUNT]; /* LayerNorm, RMSNorm, GELU, SiLU, attention, rotary */
    const char *why;       /* from the architecture: L layers */
} expectation;

/* clang-format off */
static const expectation table[] = {
    {"bert-base-qa",          {25, 0, 12, 0, 12, 0},   "L 12: two norms a layer and one of the embeddings"},
    {"bert-base-qa-train",    {25, 0, 12, 0, 12, 0},   "the same"},
    {"bert-base-qa-ts",       {25, 0, 12, 0, 12, 0},   "the same"},
    {"bert-base-qa-op13-ts",  {25, 0, 12, 0, 12, 0},   "the same, norms in parts"},
    {"bert-large-pretrain-train", {50, 0, 25, 0, 24, 0}, "L 24; the prediction head has one more of both"},
    {"albert-base-v2",        {26, 0, 13, 0, 12, 0},   "12 passes; embeddings and head"},
    {"albert-base-v2-ts",     {26, 0, 13, 0, 12, 0},   "the same, norms in parts"},
    {"distilbert-base-ts",    {14, 0, 7, 0, 6, 0},     "L 6; embeddings and head"},
    {"roberta-base",          {26, 0, 13, 0, 12, 0},   "L 12; embeddings and head"},
    {"gpt2-small",            {25, 0, 12, 0, 12, 0},   "L 12; final norm"},
    {"gpt2-small-noopt",      {25, 0, 12, 0, 12, 0},   "the same, nothing folded"},
    {"gpt2-small-sdpa",       {25, 0, 12, 0, 12, 0},   "the same"},
    {"gpt2-small-op23",       {25, 0, 12, 0, 12, 0},   "the same, Attention whole"},
    {"gpt2-small-fp16",       {25, 0, 12, 0, 12, 0},   "the same"},
    {"opt-1.3b",              {49, 0, 0, 0, 24, 0},    "L 24, ReLU"},
    {"gpt-neox-410m",         {49, 0, 24, 0, 24, 48},  "L 24; query and key are rotated"},
    {"bloom-560m",            {50, 0, 24, 0, 24, 0},   "L 24; norm of the embeddings, final norm"},
    {"tinyllama-1.1b",        {0, 45, 0, 22, 22, 44},  "L 22: two norms a layer and the final one"},
    {"llama3.2-1b",           {0, 33, 0, 16, 16, 32},  "L 16"},
    {"llama-small-bf16",      {0, 9, 0, 4, 4, 8},      "L 4, casts around the norm"},
    {"llama-small-op23",      {0, 9, 0, 4, 4, 8},      "L 4, operators of opset 23"},
    {"qwen2-1.5b-nohead",     {0, 57, 0, 28, 28, 56},  "L 28"},
    {"mixtral-tiny",          {0, 5, 0, 2, 2, 4},      "L 2; the experts of a layer are one SiLU"},
    {"t5-small",              {0, 32, 0, 0, 18, 0},    "6 + 6 layers: 12 + 18 norms, two final; self and cross attention"},
    {"bart-large",            {62, 0, 24, 0, 36, 0},   "12 + 12 layers: 24 + 36 norms, two of the embeddings"},
    {"vit-b-16",              {25, 0, 12, 0, 12, 0},   "L 12; final norm"},
    {"vit-b-16-train",        {25, 0, 12, 0, 12, 0},   "the same"},
    {"vit-b-16-ts",           {25, 0, 12, 0, 12, 0},   "the same"},
    {"swin-t",                {29, 0, 12, 0, 12, 0},   "12 blocks; patches, three mergings, final norm"},
    {"swin-t-ts",             {29, 0, 12, 0, 12, 0},   "the same"},
    {"swin-t-unoptimized",    {29, 0, 12, 0, 12, 0},   "the same, nothing folded"},
    {"dit-xl-2",              {57, 0, 28, 56, 28, 0},  "L 28; every block embeds the timestep and conditions on it, one SiLU each"},
    {"efficientnet-b0",       {0, 0, 0, 49, 0, 0},     "16 blocks: one or two a block, one in each squeeze; stem and head"},
    {"efficientnet-b0-train", {0, 0, 0, 49, 0, 0},     "the same"},
    {"deberta-v3-base",       {27, 0, 13, 0, 0, 0},    "its attention is disentangled: three products make the scores"},
    {"longformer-base-4layers", {10, 0, 5, 0, 0, 0},   "its attention is in windows, no product of whole matrices"},
    {"maxvit-t",              {45, 0, 45, 11, 0, 0},   "its attention is written as Einsum"},
};
/* clang-format on */

static bool ends_with(const char *text, const char *end) {
    size_t length = strlen(text), wanted = strlen(end);
    return length >= wanted && strcmp(text + length - wanted, end) == 0;
}

/* "12 GELU (tanh) recognised, ..." */
static int noted(const adept_profile *profile, const char *composite) {
    int sum = 0;
    char said[64];
    snprintf(said, sizeof said, "%s recognised", composite);
    for (size_t i = 0; i < adept_profile_note_count(profile); i++) {
        char *end;
        long count = strtol(adept_profile_note(profile, i), &end, 10);
        if (*end == ' ' && strncmp(end + 1, said, strlen(said)) == 0)
            sum += (int)count;
    }
    return sum;
}

static int recognised(const adept_profile *profile, const kind *k) {
    int sum = 0;
    for (size_t n = 0; n < 3 && k->composites[n]; n++) {
        char row[64];
        snprintf(row, sizeof row, " (%s)", k->composites[n]);
        sum += noted(profile, k->composites[n]);
        for (size_t i = 0; i < adept_profile_operator_count(profile); i++) {
            const adept_operator *op = adept_profile_operator(profile, i);
            sum += op->composite && ends_with(op->name, row);
        }
    }
    for (size_t i = 0; k->operators[0] && i < adept_profile_operator_count(profile); i++) {
        const adept_operator *op = adept_profile_operator(profile, i);
        sum += !op->composite && op->part_of < 0 && strcmp(op->op_type, k->operators[0]) == 0;
    }
    return sum;
}

static int try_graph(const char *shared, const expectation *e) {
    char path[4600];
    snprintf(path, sizeof path, "%s/graphs/%s.onnx", shared, e->graph);
    adept_run run = ADEPT_RUN_INIT;
    adept_error err = ADEPT_ERROR_INIT;
    adept_graph *graph = NULL;
    adept_profile *profile = NULL;
    assert_ok(adept_graph_load(&graph, path, &err), err);
    assert_ok(adept_profile_build(&profile, graph, &run, &err), err);
    int wrong = 0;
    for (int k = 0; k < KIND_COUNT; k++) {
        int count = recognised(profile, &kinds[k]);
        if (count != e->count[k]) {
            print_message("  WRONG %s: %d %s, expected %d (%s)\n", e->graph, count, kinds[k].composites[0],
                          e->count[k], e->why);
            wrong++;
        }
    }
    adept_profile_free(profile);
    adept_graph_free(graph);
    return wrong;
}

static void as_many_as_the_architecture_has(void **state) {
    (void)state;
    const char *shared = shared_folder();
    if (!shared)
        skip();
    int wrong = 0;
    size_t graphs = sizeof table / sizeof table[0];
    for (size_t i = 0; i < graphs; i++)
        wrong += try_graph(shared, &table[i]);
    print_message("composites: %zu graphs, WRONG %d\n", graphs, wrong);
    assert_int_equal(wrong, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_as_the_architecture_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
