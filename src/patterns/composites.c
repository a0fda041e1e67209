#include "composites.h"

#include <stdio.h>
#include <string.h>

#include "fail.h"
#include "match.h"

/* When the parts run as one kernel. */
typedef enum fused_when {
    ALWAYS,      /* one kernel in an eager framework too: the exporter took a single call apart */
    IF_COMPILED, /* several kernels in an eager framework, as written in the network's source */
    IF_FLASH,    /* with fused attention only */
    NEVER        /* no fused kernel takes it */
} fused_when;

typedef struct composite_row {
    const char *name;
    const char *expression; /* see match.h */
    const char *op_type;    /* row of the registry that counts it */
    const char
        *inputs; /* variables in the order of that row's inputs; x' is x with its last two axes swapped */
    fused_when when;
    const char *attribute; /* attribute of the made-up node: "name=text", "name=#variable" (a vector's
                              length); NULL: none */
} composite_row;

#define LN_CENTRED "Sub($x, ReduceMean($x, ...))"
#define LN_VARIANCE                                                                                          \
    "(ReduceMean(Pow(" LN_CENTRED ", 2), ...)|ReduceMean(Mul(" LN_CENTRED ", " LN_CENTRED "), ...))"
#define LN_PLAIN "Div(" LN_CENTRED ", Sqrt(Add(" LN_VARIANCE ", #)))"
/* tf.keras: x * (rsqrt(var + eps) * gamma) + (beta - mean * (...)) */
#define KERAS_SCALE                                                                                          \
    "Mul(Reciprocal(Sqrt(Add(ReduceMean(Mul(" LN_CENTRED ", " LN_CENTRED "), ...), #))), $scale)"
/* PyTorch's exporters normalise each group as if it were a channel, in a view of one group after another. */
#define GROUPS_SCALED                                                                                        \
    "Add(Mul(Reshape(InstanceNormalization(Reshape($x, _), $ones, $zeros), _), Unsqueeze?($scale, ...))"
/* Reduced precision computes it in FP32, so that casts stand around it. */
#define RMS_X "Cast?($x)"
#define RMS_ROOT "Sqrt(Add(ReduceMean((Pow(" RMS_X ", 2)|Mul(" RMS_X ", " RMS_X ")), ...), #))"
#define RMS_FACTOR "(Reciprocal(" RMS_ROOT ")|Div(1, " RMS_ROOT "))"
#define GELU_TANH_INNER                                                                                      \
    "Tanh((Mul(Add($x, Mul((Pow($x, 3)|Mul($x, Mul($x, $x))|Mul(Mul($x, $x), $x)), 0.044715)), 0.797885)"    \
    "|Mul(Mul($x, 0.797885), Add(Mul(Mul($x, $x), 0.044715), 1))"                                            \
    "|Mul(Mul($x, 0.797885), Add(Mul($x, Mul($x, 0.044715)), 1))))"

/*
 * Attention as exporters write it: scale before or after the product, a bias of positions and a mask added or
 * selected (windows of Swin: on a view of the scores), dropout in training.
 */
#define SCORES "MatMul(Mul?(Div?($q, #), #), Mul?(Div?($kt, #), #))"
#define SCALED "Reshape?(Mul?(Div?(" SCORES ", #), #), _)"
#define MASKED "Add?(" SCALED ", $mask)"
#define BIASED "Reshape?(Add(Reshape?(Add(" SCALED ", $bias), _), $mask), _)"
#define WEIGHTS(masked)                                                                                      \
    "(Where(IsNaN(Softmax(" masked ")), _, Softmax(" masked "))|Reshape?(Dropout?(Softmax(Cast?(" masked     \
    ")), ...), _))"

/* Halves of the last axis turned into each other, as in Llama and GPT-NeoX. */
#define ROTATED "Concat(Neg(Slice($x, ...)), Slice($x, ...))"

/* What PyTorch's exporters make of a draw of zeros and ones with the shape of x. */
#define DRAWN(x)                                                                                             \
    "(Less(RandomUniformLike(" x "), #)|GreaterOrEqual(RandomUniformLike(" x "), #)"                         \
    "|Greater(RandomUniformLike(" x "), #)|LessOrEqual(RandomUniformLike(" x "), #))"

/*
 * Attention with a bias of positions beside the mask is none of the fused kernels' (they take one mask), and
 * its bias is trained. First match wins, so the longer form of an operator stands before the shorter one. An
 * activation that a network's own source spells out (GPT-2's tanh GELU, Llama's RMSNorm) runs kernel by
 * kernel in an eager framework: recognising it and counting its kernels are two things.
 */
static const composite_row rows[] = {
    {"LayerNorm",           "Add(Mul(" LN_PLAIN ", $scale), $bias)",                                                "LayerNormalization", "x scale bias",  ALWAYS,
     NULL                                                                                                                                                                   },
    {"LayerNorm",           "Mul(" LN_PLAIN ", $scale)",                                                            "LayerNormalization", "x scale",       ALWAYS,      NULL},
    {"LayerNorm",           "Add(Mul($x, " KERAS_SCALE "), Sub($bias, Mul(ReduceMean($x, ...), " KERAS_SCALE ")))",
     "LayerNormalization",                                                                                                                "x scale bias",  ALWAYS,      NULL},
    {"LayerNorm",           LN_PLAIN,                                                                               "LayerNormalization", "x",             ALWAYS,      NULL},
    {"GroupNorm",           GROUPS_SCALED ", Unsqueeze?($bias, ...))",                                              "GroupNormalization", "x scale bias",  ALWAYS,
     "num_groups=#ones"                                                                                                                                                     },
    {"RMSNorm",             "Mul(Cast?(Mul(" RMS_X ", " RMS_FACTOR ")), $scale)",                                   "RMSNormalization",   "x scale",
     IF_COMPILED,                                                                                                                                                       NULL},
    {"GELU (erf)",          "Mul(Mul($x, Add(Erf((Div($x, 1.414214)|Mul($x, 0.707107))), 1)), 0.5)",                "Gelu",               "x",
     ALWAYS,                                                                                                                                                            NULL},
    {"GELU (erf)",          "Mul(Mul($x, 0.5), Add(Erf((Div($x, 1.414214)|Mul($x, 0.707107))), 1))",                "Gelu",               "x",
     ALWAYS,                                                                                                                                                            NULL},
    {"GELU (erf)",          "Mul($x, Mul(Add(Erf((Div($x, 1.414214)|Mul($x, 0.707107))), 1), 0.5))",                "Gelu",               "x",
     ALWAYS,                                                                                                                                                            NULL},
    {"GELU (tanh)",         "Mul(Mul($x, 0.5), Add(" GELU_TANH_INNER ", 1))",                                       "Gelu",               "x",             IF_COMPILED,
     "approximate=tanh"                                                                                                                                                     },
    {"GELU (tanh)",         "Mul($x, Mul(Add(" GELU_TANH_INNER ", 1), 0.5))",                                       "Gelu",               "x",             IF_COMPILED,
     "approximate=tanh"                                                                                                                                                     },
    {"GELU (tanh)",         "Mul(Mul($x, Add(" GELU_TANH_INNER ", 1)), 0.5)",                                       "Gelu",               "x",             IF_COMPILED,
     "approximate=tanh"                                                                                                                                                     },
    {"SiLU",                "Mul($x, Sigmoid($x))",                                                                 "Swish",              "x",             ALWAYS,      NULL},
    {"HardSwish",           "Mul($x, HardSigmoid($x))",                                                             "HardSwish",          "x",             ALWAYS,      NULL},
    {"HardSwish",           "Div(Mul($x, Clip(Add($x, 3), 0, 6)), 6)",                                              "HardSwish",          "x",             ALWAYS,      NULL},
    {"HardSwish",           "Mul($x, Div(Clip(Add($x, 3), 0, 6), 6))",                                              "HardSwish",          "x",             ALWAYS,      NULL},
    {"Mish",                "Mul($x, Tanh(Softplus($x)))",                                                          "Mish",               "x",             ALWAYS,      NULL},
    {"attention",           "MatMul(" WEIGHTS("Where($mask, " SCALED ", _)") ", $v)",                               "Attention",          "q kt' v mask",
     IF_FLASH,                                                                                                                                                          NULL},
    {"attention",           "MatMul(" WEIGHTS("Where($mask, _, " SCALED ")") ", $v)",                               "Attention",          "q kt' v mask",
     IF_FLASH,                                                                                                                                                          NULL},
    {"attention",           "MatMul(" WEIGHTS(MASKED) ", $v)",                                                      "Attention",          "q kt' v mask",  IF_FLASH,    NULL},
    {"attention with bias", "MatMul(" WEIGHTS(BIASED) ", $v)",                                                      "Attention",          "q kt' v mask",  NEVER,       NULL},
    {"rotary embedding",    "Add(Mul($x, $cos), Mul(" ROTATED ", $sin))",                                           "RotaryEmbedding",    "x cos sin",
     IF_COMPILED,                                                                                                                                                       NULL},
    {"Dropout",             "Mul(Mul($x, Cast?(" DRAWN("$x") ")), #)",                                              "Dropout",            "x",             ALWAYS,      NULL},
    {"Dropout",             "Div(Mul($x, Cast?(" DRAWN("$x") ")), #)",                                              "Dropout",            "x",             ALWAYS,      NULL},
    {"Bernoulli",           "Cast(" DRAWN("$x") ")",                                                                "Bernoulli",          "x",             ALWAYS,      NULL},
    {"Linear",              "Add(MatMul($x, $weight), $bias)",                                                      "Gemm",               "x weight bias", ALWAYS,      NULL},
    {"rsqrt",               "Reciprocal(Sqrt($x))",                                                                 "Sqrt",               "x",             ALWAYS,      NULL},
};

static const char *const root_types[] = {"Add", "Mul", "Div", "Reciprocal", "MatMul", "Cast"};

static bool could_be_root(const adept_node *node) {
    for (size_t i = 0; i < sizeof root_types / sizeof root_types[0]; i++) {
        if (strcmp(node->op_type, root_types[i]) == 0)
            return true;
    }
    return false;
}

/*
 * The sum with a bias vector is the end of the product's kernel (torch.nn.Linear: addmm); with anything else
 * it is a kernel of its own.
 */
static bool has_bias_vector(const adept_network *network, const adept_match *match) {
    adept_tensor_id bias = adept_match_variable(match, "bias"),
                    weight = adept_match_variable(match, "weight");
    const adept_shape *shape = &network->shapes.tensors[bias];
    return network->graph.tensors[bias].constant && shape->rank == 1 && shape->dims[0] > 1 &&
           network->shapes.tensors[weight].rank == 2;
}

/* Matrices of [batch, (heads,) rows, columns]. */
static bool has_heads(const adept_network *network, const adept_match *match) {
    static const char *const names[] = {"q", "kt", "v"};
    int32_t rank = network->shapes.tensors[adept_match_variable(match, "q")].rank;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        adept_tensor_id t = adept_match_variable(match, names[i]);
        if (network->shapes.tensors[t].rank != rank)
            return false;
    }
    return rank == 3 || rank == 4;
}

/* A scale that is computed (of an image's class or time step) is applied by kernels of its own. */
static bool has_constants(const adept_network *network, const adept_match *match) {
    static const char *const names[] = {"ones", "zeros", "scale", "bias"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!network->graph.tensors[adept_match_variable(match, names[i])].constant)
            return false;
    }
    return network->shapes.tensors[adept_match_variable(match, "ones")].rank == 1;
}

static bool applies(const composite_row *row, const adept_network *network, const adept_match *match) {
    static const struct {
        const char *op_type;
        bool (*check)(const adept_network *network, const adept_match *match);
    } checks[] = {
        {"Attention",          has_heads      },
        {"Gemm",               has_bias_vector},
        {"GroupNormalization", has_constants  },
    };
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        if (strcmp(row->op_type, checks[i].op_type) == 0)
            return checks[i].check(network, match);
    }
    return true;
}

static bool is_fused(const composite_row *row, const adept_run *run) {
    return row->when == ALWAYS || (row->when == IF_COMPILED && run->fusion == ADEPT_FUSION_COMPILED) ||
           (row->when == IF_FLASH && run->attention == ADEPT_ATTENTION_FLASH);
}

/* --- the composite's own operator --- */

static bool set_attribute(adept_network *network, adept_node *node, const adept_match *match,
                          const char *text) {
    const char *equals = text ? strchr(text, '=') : NULL;
    if (!equals)
        return true;
    adept_attribute *attribute = adept_arena_alloc(network->arena, sizeof *attribute);
    if (!attribute)
        return false;
    attribute->name = adept_arena_string_n(network->arena, text, (size_t)(equals - text));
    if (equals[1] == '#') {
        attribute->type = ADEPT_ATTRIBUTE_INT;
        attribute->i = network->shapes.tensors[adept_match_variable(match, equals + 2)].dims[0];
    } else {
        attribute->type = ADEPT_ATTRIBUTE_STRING;
        attribute->s = equals + 1;
        attribute->s_length = strlen(equals + 1);
    }
    node->attributes = attribute;
    node->attribute_count = 1;
    return attribute->name != NULL;
}

/* The newest form of the row: composites are written in today's vocabulary. */
enum { COMPOSITE_OPSET = 24 };

/*
 * A view of tensor with its last two axes swapped, made by an operator of its own that costs nothing: a
 * fused kernel reads the keys as they lie.
 */
static adept_tensor_id swapped(adept_network *network, adept_tensor_id tensor, int32_t root) {
    const adept_op *op = &network->ops.items[root];
    adept_shape shape = network->shapes.tensors[tensor];
    if (shape.rank < 2)
        return tensor;
    int64_t *dims = adept_arena_copy(network->arena, shape.dims, (size_t)shape.rank * sizeof *dims);
    if (!dims)
        return ADEPT_NO_TENSOR;
    dims[shape.rank - 1] = shape.dims[shape.rank - 2];
    dims[shape.rank - 2] = shape.dims[shape.rank - 1];
    shape.dims = dims;
    char name[512];
    snprintf(name, sizeof name, "%s (swapped)", network->graph.tensors[tensor].name);
    adept_tensor_id view = adept_network_add_tensor(network, name, &shape, op->body);
    adept_node *node = view == ADEPT_NO_TENSOR
                           ? NULL
                           : adept_network_make_node(network, "Identity", name, op->node->module,
                                                     COMPOSITE_OPSET, 1, &tensor, 1, &view);
    adept_op as_op = {.node = node,
                      .handler = adept_handler_find("", "Identity", COMPOSITE_OPSET),
                      .body = op->body,
                      .node_index = op->node_index,
                      .part_of = -1,
                      .composite = true};
    return node && adept_network_pend(network, root, &as_op) >= 0 ? view : ADEPT_NO_TENSOR;
}

/* Number of inputs; -1: out of memory. */
static int32_t list_inputs(adept_network *network, adept_tensor_id *inputs, const adept_match *match,
                           const char *names) {
    int32_t count = 0;
    while (*names) {
        char name[16];
        size_t length = strcspn(names, " ");
        bool swap = names[length - 1] == '\'';
        snprintf(name, sizeof name, "%.*s", (int)(length - swap), names);
        inputs[count] = adept_match_variable(match, name);
        if (swap && (inputs[count] = swapped(network, inputs[count], match->nodes[0])) == ADEPT_NO_TENSOR)
            return -1;
        count++;
        names += length + (names[length] == ' ');
    }
    return count;
}

static bool make_operator(adept_op *out, adept_network *network, const composite_row *row,
                          const adept_match *match) {
    const adept_op *root = &network->ops.items[match->nodes[0]];
    adept_tensor_id inputs[ADEPT_MATCH_VARIABLES];
    int32_t count = list_inputs(network, inputs, match, row->inputs);
    char name[512];
    if (count < 0)
        return false;
    snprintf(name, sizeof name, "%s (%s)", root->node->name, row->name);
    adept_node *node = adept_network_make_node(network, row->op_type, name, root->node->module,
                                               COMPOSITE_OPSET, count, inputs, 1, root->node->outputs);
    if (!node || !set_attribute(network, node, match, row->attribute))
        return false;
    *out = (adept_op){.node = node,
                      .handler = adept_handler_find("", row->op_type, COMPOSITE_OPSET),
                      .body = root->body,
                      .node_index = root->node_index,
                      .part_of = -1,
                      .composite = true};
    return true;
}

static bool take(adept_network *network, const composite_row *row, const adept_match *match) {
    adept_op op;
    if (!make_operator(&op, network, row, match))
        return false;
    int32_t pending = adept_network_pend(network, match->nodes[0], &op);
    if (pending < 0)
        return false;
    for (int32_t i = 0; i < match->node_count; i++)
        network->ops.items[match->nodes[i]].part_of = ADEPT_PENDING(pending);
    return true;
}

enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

static bool compile(const adept_term *terms[ROW_COUNT], adept_arena *arena) {
    for (size_t r = 0; r < ROW_COUNT; r++) {
        terms[r] = adept_term_compile(rows[r].expression, arena);
        if (!terms[r])
            return false;
    }
    return true;
}

adept_status adept_composites_find(adept_network *network, const adept_run *run, adept_error *err) {
    adept_readers readers;
    const adept_term *terms[ROW_COUNT];
    int64_t spelled_out[ROW_COUNT] = {0};
    if (!compile(terms, network->arena))
        return adept_fail_memory(err);
    adept_status status = adept_readers_find(&readers, network, err);
    for (int32_t i = network->ops.count - 1; status == ADEPT_OK && i >= 0; i--) {
        const adept_op *op = &network->ops.items[i];
        if (op->part_of != -1 || !could_be_root(op->node))
            continue;
        for (size_t r = 0; r < ROW_COUNT; r++) {
            adept_match match;
            if (!adept_match_at(&match, network, &readers, terms[r], i) ||
                !applies(&rows[r], network, &match))
                continue;
            if (!is_fused(&rows[r], run))
                spelled_out[r]++;
            else if (!take(network, &rows[r], &match))
                status = adept_fail_memory(err);
            break;
        }
    }
    for (size_t r = 0; status == ADEPT_OK && r < ROW_COUNT; r++) {
        if (spelled_out[r] &&
            !adept_network_note(network,
                                "%lld %s recognised, run kernel by kernel as the network spells them out",
                                (long long)spelled_out[r], rows[r].name))
            status = adept_fail_memory(err);
    }
    return status == ADEPT_OK ? adept_network_merge(network, err) : status;
}
