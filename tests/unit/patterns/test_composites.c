/* Composites that exporters take apart, each in the forms they write. */
#include "text_graph.h"

#include "adept/profile.h"

typedef struct form {
    const char *composite; /* as the report names it; NULL: none may be found */
    const char *text;
} form;

#define CENTRE "ReduceMean m x; Sub c x m; "
#define VARIANCE CENTRE "Pow p c =2; ReduceMean v0 p; Add e v0 =0.00001; Sqrt s e; "
#define KERAS                                                                                                \
    CENTRE "Mul p c c; ReduceMean v0 p; Add e v0 =0.001; Sqrt s e; Reciprocal r s; Mul f r w; Mul a x f; "   \
           "Mul o m f; Sub d b o; Add *y a d"
#define GROUPS "Transpose t kt; Shape s t; Reshape r t s; InstanceNormalization n r w1 b1; Reshape m n s; "
#define SOFTMAX(scores) scores "; Softmax p s; MatMul *y p v"

/* clang-format off */
/* One kernel in an eager framework: a row of its own. */
static const form taken[] = {
    {"LayerNorm", VARIANCE "Div n c s; Mul g n w; Add *y g b"},
    {"LayerNorm", VARIANCE "Div n c s; Mul g w n; Add *y b g"},
    {"LayerNorm", VARIANCE "Div n c s; Mul *y n w"},
    {"LayerNorm", VARIANCE "Div *y c s"},
    {"LayerNorm", CENTRE "Mul p c c; ReduceMean v0 p; Add e v0 =0.001; Sqrt s e; Div n c s; Mul g n w; Add *y g b"},
    {"LayerNorm", KERAS},
    {"GroupNorm", GROUPS "Mul g m =0.5; Add *y g =2"},
    {"GroupNorm", GROUPS "Mul g =0.5 m; Add *y =2 g"},
    {"GELU (erf)", "Div d x =1.4142135; Erf e d; Add a e =1; Mul m x a; Mul *y m =0.5"},
    {"GELU (erf)", "Mul d x =0.70710678; Erf e d; Add a e =1; Mul h x =0.5; Mul *y h a"},
    {"GELU (erf)", "Div d x =1.4142135; Erf e d; Add a e =1; Mul h a =0.5; Mul *y x h"},
    {"SiLU", "Sigmoid s x; Mul *y x s"},
    {"SiLU", "Sigmoid s x; Mul *y s x"},
    {"HardSwish", "HardSigmoid s x; Mul *y x s"},
    {"HardSwish", "Add a x =3; Clip c a =0 =6; Mul m x c; Div *y m =6"},
    {"HardSwish", "Add a x =3; Clip c a =0 =6; Div d c =6; Mul *y x d"},
    {"Mish", "Softplus s x; Tanh t s; Mul *y x t"},
    {"rsqrt", "Sqrt s x; Reciprocal *y s"},
    {"Dropout", "RandomUniformLike r x; GreaterOrEqual g r =0.1; Cast c g :to=1; Mul m x c; Mul *y m =1.1111"},
    {"Dropout", "RandomUniformLike r x; Less g r =0.9; Cast c g :to=1; Mul m x c; Div *y m =0.9"},
    {"Bernoulli", "RandomUniformLike r x; Less g r =0.975; Cast c g :to=1; Div d c =0.975; Mul *y z d"},
};

/* Several kernels, as the network's source spells them out: a note. */
static const form spelled[] = {
    {"RMSNorm", "Pow p x =2; ReduceMean m p; Add e m =0.00001; Sqrt s e; Reciprocal r s; Mul n x r; Mul *y n w"},
    {"RMSNorm", "Mul p x x; ReduceMean m p; Add e m =0.00001; Sqrt s e; Div r =1 s; Mul n x r; Mul *y w n"},
    {"RMSNorm",
     "Cast f x :to=1; Pow p f =2; ReduceMean m p; Add e m =0.00001; Sqrt s e; Reciprocal r s; Mul n f r; "
     "Cast h n :to=1; Mul *y w h"},
    {"GELU (tanh)",
     "Pow p x =3; Mul a p =0.044715; Add s x a; Mul t =0.7978846 s; Tanh h t; Add o h =1; Mul f x =0.5; Mul *y f o"},
    {"GELU (tanh)",
     "Mul s x x; Mul p s x; Mul a p =0.044715; Add u x a; Mul t u =0.7978846; Tanh h t; Add o h =1; Mul g o =0.5; "
     "Mul *y x g"},
    {"attention", SOFTMAX("MatMul s q kt")},
    {"attention", SOFTMAX("MatMul s0 q kt; Mul s s0 =0.125")},
    {"attention", SOFTMAX("MatMul s0 q kt; Div s s0 =8")},
    {"attention", SOFTMAX("Mul q1 q =0.35; Mul k1 kt =0.35; MatMul s q1 k1")},
    {"attention", SOFTMAX("MatMul s0 q kt; Mul s1 s0 =0.125; Add s s1 =-3")},
    {"attention", "MatMul s q kt; Softmax p s; Dropout d p; MatMul *y d v"},
    {"attention", "MatMul s q kt; Identity i s; Softmax p i; Identity j p; MatMul *y j v"},
    {"attention", "MatMul s q kt; Softmax p s; IsNaN n p; Where w1 n =0 p; MatMul *y w1 v"},
    {"attention with bias", SOFTMAX("MatMul s0 q kt; Add s1 s0 =1; Add s s1 =-3")},
    {"rotary embedding",
     "Slice a q =4 =9 =3; Slice c q =0 =4 =3; Neg n a; Concat t n c :axis=3; Mul u q =1; Mul g t =1; Add *y u g"},
};

static const form none[] = {
    {NULL, VARIANCE "Div n c s; Mul g n w; Add *y g b; Neg *other s"},              /* read elsewhere */
    {NULL, "Div d x =1.5; Erf e d; Add a e =1; Mul m x a; Mul *y m =0.5"},           /* another constant */
    {NULL, "Div d x =1.4142135; Erf e d; Add a e =1; Mul m z a; Mul *y m =0.5"},     /* another factor */
    {NULL, "Sigmoid s x; Mul *y z s"},
    {NULL, "Sigmoid *s x; Mul *y x s"},                                              /* an output of the graph */
    {NULL, "HardSigmoid s x; Mul *y z s"},
    {NULL, GROUPS "Mul g m t; Add *y g =2"},                                         /* a computed scale */
};

/* clang-format on */

typedef struct found {
    size_t rows, notes;
    bool parts_are_free;
} found;

static bool ends_with(const char *text, const char *end) {
    size_t length = strlen(text), wanted = strlen(end);
    return length >= wanted && strcmp(text + length - wanted, end) == 0;
}

static double kernels(const adept_operator *op) {
    return op->forward.kernels + op->backward.kernels;
}

static found find(const form *f, const adept_run *run) {
    text_graph text;
    adept_error err = ADEPT_ERROR_INIT;
    adept_profile *profile = NULL;
    adept_graph *graph = text_graph_load(&text, f->text, 17);
    if (adept_profile_build(&profile, graph, run, &err) != ADEPT_OK)
        fail_msg("%s: %s", f->text, err.message);
    found result = {.parts_are_free = true};
    char row[64], note[64];
    snprintf(row, sizeof row, " (%s)", f->composite ? f->composite : "");
    snprintf(note, sizeof note, "1 %s recognised", f->composite ? f->composite : "");
    for (size_t i = 0; i < adept_profile_operator_count(profile); i++) {
        const adept_operator *op = adept_profile_operator(profile, i);
        result.rows += op->composite && (!f->composite || ends_with(op->name, row));
        result.parts_are_free = result.parts_are_free && (op->part_of < 0 || kernels(op) == 0);
    }
    for (size_t i = 0; i < adept_profile_note_count(profile); i++) {
        const char *said = adept_profile_note(profile, i);
        result.notes +=
            f->composite ? strncmp(said, note, strlen(note)) == 0 : strstr(said, "recognised") != NULL;
    }
    adept_profile_free(profile);
    adept_graph_free(graph);
    onnx_writer_free(&text.w);
    return result;
}

static const adept_run eager = ADEPT_RUN_INIT;

static void taken_composites_stand_for_their_parts(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++) {
        found f = find(&taken[i], &eager);
        if (f.rows != 1 || !f.parts_are_free)
            fail_msg("%s: %zu times in '%s'", taken[i].composite, f.rows, taken[i].text);
    }
}

static void spelled_out_composites_are_noted_and_run_in_parts(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof spelled / sizeof spelled[0]; i++) {
        found f = find(&spelled[i], &eager);
        if (f.rows != 0 || f.notes != 1)
            fail_msg("%s: %zu notes, %zu rows in '%s'", spelled[i].composite, f.notes, f.rows,
                     spelled[i].text);
    }
}

static void they_become_one_kernel_where_the_run_fuses_them(void **state) {
    (void)state;
    adept_run fused = ADEPT_RUN_INIT;
    fused.attention = ADEPT_ATTENTION_FLASH;
    fused.fusion = ADEPT_FUSION_COMPILED;
    for (size_t i = 0; i < sizeof spelled / sizeof spelled[0]; i++) {
        found f = find(&spelled[i], &fused);
        size_t expected = strcmp(spelled[i].composite, "attention with bias") != 0;
        if (f.rows != expected || f.notes == expected || !f.parts_are_free)
            fail_msg("%s: %zu rows in '%s'", spelled[i].composite, f.rows, spelled[i].text);
    }
}

static void what_only_looks_alike_is_none(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        found f = find(&none[i], &eager);
        if (f.rows || f.notes)
            fail_msg("a composite in '%s'", none[i].text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(taken_composites_stand_for_their_parts),
        cmocka_unit_test(spelled_out_composites_are_noted_and_run_in_parts),
        cmocka_unit_test(they_become_one_kernel_where_the_run_fuses_them),
        cmocka_unit_test(what_only_looks_alike_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
