/*
 * Sensitivities against derivatives by hand.
 *
 * Thesis variant: eqs 4.7 to 4.15 (docs/equations.md) are sums, products and one maximum, so each elasticity
 * follows from the chain rule; the terms' values are the model's, the derivatives are this file's.
 * Operator variant: single kernels with exponent 1, whose limits then add up (docs/model.md).
 */
#include "job.h"
#include "onnx_writer.h"
#include "thesis.h"

static const double tolerance = 1e-8;

/* Elasticities of time and power. A figure that is not listed has none. */
static adept_sensitivity_row row_of(const adept_sensitivity *s, const char *key) {
    for (size_t i = 0; i < adept_sensitivity_count(s); i++) {
        if (strcmp(adept_sensitivity_at(s, i)->key, key) == 0)
            return *adept_sensitivity_at(s, i);
    }
    return (adept_sensitivity_row){.key = key};
}

static void check(const adept_sensitivity *s, const char *key, double time, double power) {
    adept_sensitivity_row row = row_of(s, key);
    double off_time = fabs(row.time.above - time), off_power = fabs(row.power.above - power);
    if (row.time.kink || row.power.kink || !(off_time <= tolerance) || !(off_power <= tolerance))
        fail_msg("%s: time %.12g, by hand %.12g; power %.12g, by hand %.12g%s", key, row.time.above, time,
                 row.power.above, power, row.time.kink || row.power.kink ? "; said to be a kink" : "");
    assert_true(row.error <= tolerance);
    assert_true(row.time.below == row.time.above && row.power.below == row.power.above);
}

/* ---- thesis variant ---- */

typedef struct terms {
    adept_thesis_row row;
    adept_thesis_slowdown slow;
    adept_thesis_times t;
    double term_s[ADEPT_TERM_COUNT]; /* T_gemm, T_conv, T_alu of a micro-batch */
    double static_W, dynamic_W;      /* P_static, (P_TDP - P_static) C_P */
    const double *theta;
    bool optimizer_reads; /* the optimizer is bound by memory */
} terms;

/* Change of each part of a step per unit of ln x; of power only what does not come by way of times. */
typedef struct change {
    double compute_s, memory_s, optimizer_s, communication_s, launch_s, fixed_s;
    double static_W, dynamic_W, u_mem, u_comm;
} change;

static double passes_utilisation(const terms *m) {
    double c = m->t.compute_s, v = m->t.memory_s;
    return (c + m->theta[ADEPT_THESIS_U_MEM] * v) / (c + v);
}

/* d ln T and d ln P of a change, by the chain rule on eqs 4.7, 4.14, 4.15. */
static void check_change(const adept_sensitivity *s, const terms *m, const char *key, change d) {
    const adept_thesis_times *t = &m->t;
    double u_mem = m->theta[ADEPT_THESIS_U_MEM], u_comm = m->theta[ADEPT_THESIS_U_COMM];
    double both_s = t->compute_s + t->memory_s;
    double d_passes_s = (t->compute_s > t->memory_s ? d.compute_s : d.memory_s) * m->row.grad_accum;
    double d_step_s = d_passes_s + d.optimizer_s + d.communication_s + d.launch_s + d.fixed_s;
    double d_utilisation =
        (1 - u_mem) * (t->memory_s * d.compute_s - t->compute_s * d.memory_s) / (both_s * both_s) +
        d.u_mem * t->memory_s / both_s;
    const struct {
        double time_s, d_time_s, u, d_u;
    } phases[] = {
        {t->passes_s,              d_passes_s,             passes_utilisation(m), d_utilisation},
        {t->optimizer_s,           d.optimizer_s,          u_mem,                 d.u_mem      },
        {t->communication_s,       d.communication_s,      u_comm,                d.u_comm     },
        {t->launch_s + t->fixed_s, d.launch_s + d.fixed_s, 0,                     0            },
    };
    double energy_J = 0, d_energy_J = 0;
    for (size_t i = 0; i < sizeof phases / sizeof phases[0]; i++) {
        double power_W = m->static_W + phases[i].u * m->dynamic_W;
        assert_true(power_W < m->row.limit_W); /* not cut */
        energy_J += power_W * phases[i].time_s;
        d_energy_J +=
            power_W * phases[i].d_time_s +
            (d.static_W + phases[i].u * d.dynamic_W + phases[i].d_u * m->dynamic_W) * phases[i].time_s;
    }
    check(s, key, d_step_s / t->step_s, d_energy_J / energy_J - d_step_s / t->step_s);
}

static void check_parameter(const adept_sensitivity *s, const terms *m, int parameter, change d) {
    char key[96];
    snprintf(key, sizeof key, "theta.thesis.%s",
             adept_parameter_at(ADEPT_VARIANT_THESIS, (size_t)parameter)->name);
    check_change(s, m, key, d);
}

/* beta and C of a class, and its R: S = 1/(1 + e^-x), x = D/R, so d ln T / d ln R = x (1 - S). */
static void check_classes(const adept_sensitivity *s, const terms *m) {
    for (int term = 0; term < ADEPT_TERM_COUNT; term++) {
        const adept_term_row *r = &adept_term_rows[term];
        check_parameter(s, m, r->beta, (change){.compute_s = -m->term_s[term]});
        check_parameter(s, m, r->c, (change){.compute_s = m->term_s[term]});
        for (int d = r->first; d < r->end; d++) {
            int parameter = r->first_r + d - r->first;
            double x = m->row.dimensions[d] / m->theta[parameter], saturation = 1 / (1 + exp(-x));
            check_parameter(s, m, parameter, (change){.compute_s = x * (1 - saturation) * m->term_s[term]});
        }
    }
}

static void check_memory_and_rest(const adept_sensitivity *s, const terms *m) {
    const adept_thesis_times *t = &m->t;
    double lambda = m->theta[ADEPT_THESIS_LAMBDA_MISS], ratio = m->row.l2_ratio;
    double ring_s = m->row.ring_s / m->theta[ADEPT_THESIS_BW_EFF];
    check_parameter(s, m, ADEPT_THESIS_C_MEM, (change){.memory_s = t->memory_s});
    check_parameter(s, m, ADEPT_THESIS_LAMBDA_MISS,
                    (change){.memory_s = lambda > ratio && lambda < 1 ? t->memory_s : 0});
    check_change(s, m, "spec.l2_B", (change){.memory_s = ratio > lambda && ratio < 1 ? -t->memory_s : 0});
    check_parameter(s, m, ADEPT_THESIS_C_OPT, (change){.optimizer_s = t->optimizer_s});
    check_parameter(s, m, ADEPT_THESIS_T_KERN, (change){.launch_s = t->launch_s});
    check_parameter(s, m, ADEPT_THESIS_T_FIXED, (change){.fixed_s = t->fixed_s});
    check_parameter(s, m, ADEPT_THESIS_BW_EFF, (change){.communication_s = -ring_s});
    check_parameter(s, m, ADEPT_THESIS_L_HOP, (change){.communication_s = t->communication_s - ring_s});
}

static void check_figures(const adept_sensitivity *s, const terms *m, bool tf32) {
    const double *term = m->term_s;
    double matrix_s = term[ADEPT_TERM_GEMM] + term[ADEPT_TERM_CONV];
    check_change(
        s, m, "spec.memory_bandwidth_B_per_s",
        (change){.memory_s = -m->t.memory_s, .optimizer_s = m->optimizer_reads ? -m->t.optimizer_s : 0});
    check_change(s, m, "peak_flop_per_s.fp32",
                 (change){.compute_s = -term[ADEPT_TERM_ALU] - (tf32 ? 0 : matrix_s),
                          .optimizer_s = m->optimizer_reads ? 0 : -m->t.optimizer_s});
    check_change(s, m, "peak_flop_per_s.tf32", (change){.compute_s = tf32 ? -matrix_s : 0});
}

static void check_power(const adept_sensitivity *s, const terms *m) {
    double dynamic_per_W = m->theta[ADEPT_THESIS_C_P]; /* of (P_TDP - P_static) */
    check_parameter(s, m, ADEPT_THESIS_P_STATIC,
                    (change){.static_W = m->static_W, .dynamic_W = -m->static_W * dynamic_per_W});
    check_parameter(s, m, ADEPT_THESIS_C_P, (change){.dynamic_W = m->dynamic_W});
    check_parameter(s, m, ADEPT_THESIS_U_MEM, (change){.u_mem = m->theta[ADEPT_THESIS_U_MEM]});
    check_parameter(s, m, ADEPT_THESIS_U_COMM, (change){.u_comm = m->theta[ADEPT_THESIS_U_COMM]});
    check_change(s, m, "spec.tdp_W", (change){.static_W = m->static_W, .dynamic_W = m->dynamic_W});
}

static terms terms_of(const test_job *t, const adept_workload *w, const adept_theta *theta) {
    adept_error err = ADEPT_ERROR_INIT;
    const adept_hardware_spec *spec = adept_hardware_spec_of(t->hardware);
    terms m = {.theta = theta->value};
    assert_ok(adept_thesis_row_init(&m.row, w, spec, spec->tdp_W, &err), err);
    m.slow = adept_thesis_slow(&m.row, theta->value, theta->saturation);
    m.t = adept_thesis_time_of(&m.row, theta->value, &m.slow);
    for (int term = 0; term < ADEPT_TERM_COUNT; term++)
        m.term_s[term] = m.row.peak_s[term] * m.slow.terms[term];
    m.static_W = theta->value[ADEPT_THESIS_P_STATIC] * spec->tdp_W;
    m.dynamic_W = (spec->tdp_W - m.static_W) * theta->value[ADEPT_THESIS_C_P];
    double reads_s = (w->optimizer_work.read_B + w->optimizer_work.write_B) / spec->memory_bandwidth_B_per_s;
    m.optimizer_reads = reads_s >= m.row.optimizer_s * (1 - 1e-12);
    return m;
}

static void check_thesis(const char *graph, const char *gpu, adept_precision precision, int64_t batch,
                         int32_t gpus) {
    adept_error err = ADEPT_ERROR_INIT;
    adept_sensitivity *s;
    adept_profile *profile;
    adept_theta theta;
    test_job t;
    job_open(&t, graph, gpu, ADEPT_VARIANT_THESIS);
    t.run.precision = precision;
    t.run.batch = batch;
    t.run.gpus = gpus;
    assert_ok(adept_profile_build(&profile, t.graph, &t.run, &err), err);
    assert_ok(adept_theta_init(&theta, ADEPT_VARIANT_THESIS, t.hardware, &err), err);
    assert_int_equal(theta.saturation, ADEPT_SATURATION_SIGMOID);
    terms m = terms_of(&t, adept_profile_workload(profile), &theta);
    assert_ok(adept_sensitivity_new(&s, &t.job, &err), err);
    check_classes(s, &m);
    check_memory_and_rest(s, &m);
    check_figures(s, &m, precision == ADEPT_PRECISION_TF32);
    check_power(s, &m);
    print_message("%s on %s: bound by %s\n", graph, gpu, m.t.compute_s > m.t.memory_s ? "compute" : "memory");
    adept_sensitivity_free(s);
    adept_profile_free(profile);
    job_close(&t);
}

static void thesis_variant_has_the_derivatives_of_its_equations(void **state) {
    (void)state;
    check_thesis("resnet50", "a100", ADEPT_PRECISION_FP32, 16, 1);
    check_thesis("resnet50", "a100", ADEPT_PRECISION_TF32, 16, 4);
    check_thesis("bert-base", "h100", ADEPT_PRECISION_FP32, 8, 1);
    check_thesis("gpt2-small", "a100", ADEPT_PRECISION_TF32, 2, 8);
}

/* ---- operator variant ---- */

/* x through `count` equal nodes: Relu, or MatMul with a square matrix. */
static adept_graph *chain(onnx_writer *bytes, const char *op_type, int64_t rows, int64_t columns, int count) {
    onnx_writer w = {0};
    char dims[64], square[64], name[16] = "x", next[16], inputs[64];
    snprintf(dims, sizeof dims, "%lld,%lld", (long long)rows, (long long)columns);
    snprintf(square, sizeof square, "%lld,%lld", (long long)columns, (long long)columns);
    bool product = strcmp(op_type, "MatMul") == 0;
    onnx_model_begin(&w, 8, 17);
    onnx_input(&w, "x", 1, dims);
    if (product)
        onnx_input(&w, "w", 1, square);
    for (int i = 0; i < count; i++) {
        snprintf(next, sizeof next, "y%d", i);
        snprintf(inputs, sizeof inputs, "%s%s", name, product ? ",w" : "");
        onnx_node(&w, op_type, next, inputs, next);
        memcpy(name, next, sizeof name);
    }
    onnx_output(&w, name, 1, dims);
    onnx_model_end(&w);
    adept_error err = ADEPT_ERROR_INIT;
    adept_graph *graph;
    assert_ok(adept_graph_load_memory(&graph, w.bytes, w.size_B, "chain", NULL, &err), err);
    *bytes = w; /* must outlive the graph */
    return graph;
}

/* An A100 whose limits add up, slower than its datasheet's peak, with no power limit near. */
static void job_of(test_job *t, adept_graph *graph) {
    static const char *const plain[] = {"theta.operator.overlap=1",  "theta.operator.wave=0",
                                        "theta.operator.h0=0",       "theta.operator.single_tile=1",
                                        "theta.operator.e_core=0.9", "spec.tdp_W=2000"};
    adept_error err = ADEPT_ERROR_INIT;
    *t = (test_job){.run = ADEPT_RUN_INIT, .graph = graph};
    assert_ok(adept_hardware_load(&t->hardware, "a100", &err), err);
    assert_ok(adept_whatif_set(t->hardware, plain, 6, &err), err);
    t->run.mode = ADEPT_MODE_INFERENCE;
    t->run.optimizer = ADEPT_OPTIMIZER_NONE;
    t->run.idle_gap = 0;
    t->job = (adept_whatif){t->graph, t->hardware, t->hardware, &t->run, 1};
}

typedef struct outcome {
    adept_sensitivity *s;
    adept_theta theta;
    adept_prediction p;
    const adept_hardware_spec *spec;
} outcome;

static outcome solve(test_job *t) {
    adept_error err = ADEPT_ERROR_INIT;
    adept_profile *profile;
    outcome o = {.spec = adept_hardware_spec_of(t->hardware)};
    assert_ok(adept_profile_build(&profile, t->graph, &t->run, &err), err);
    assert_ok(adept_predict(&o.p, adept_profile_workload(profile), t->hardware, &t->run, &err), err);
    assert_ok(adept_theta_init(&o.theta, ADEPT_VARIANT_OPERATOR, t->hardware, &err), err);
    assert_ok(adept_sensitivity_new(&o.s, &t->job, &err), err);
    adept_profile_free(profile);
    return o;
}

static double parameter(const outcome *o, const char *name) {
    return o->theta.value[adept_parameter_index(ADEPT_VARIANT_OPERATOR, name)];
}

static void check_time(const outcome *o, const char *key, double time) {
    adept_sensitivity_row row = row_of(o->s, key);
    check(o->s, key, time, row.power.above);
}

static void done(outcome *o, test_job *t, onnx_writer *bytes) {
    adept_sensitivity_free(o->s);
    job_close(t);
    onnx_writer_free(bytes);
}

/* T = launch + kernel + bytes/(rate sm clock) + bytes/(bandwidth share) (1 + fill^4)^(1/4); exponent 1. */
static void memory_bound_kernel(void **state) {
    (void)state;
    test_job t;
    onnx_writer bytes;
    job_of(&t, chain(&bytes, "Relu", 16384, 16384, 1));
    outcome o = solve(&t);
    double moved_B = 2.0 * 4 * 16384 * 16384, step_s = o.p.step_time_s;
    double fill4 = pow(parameter(&o, "fill"), 4);
    double memory_s =
        moved_B / (o.spec->memory_bandwidth_B_per_s * parameter(&o, "bw_hbm")) * pow(1 + fill4, 0.25);
    double sm_s = moved_B / (parameter(&o, "element_rate") * o.spec->sm_count * o.spec->boost_clock_Hz);
    assert_close(memory_s + sm_s + parameter(&o, "kernel") + parameter(&o, "launch"), step_s, 1e-12);
    assert_int_equal(o.p.bound, ADEPT_BOUND_MEMORY);
    check_time(&o, "spec.memory_bandwidth_B_per_s", -memory_s / step_s);
    check_time(&o, "theta.operator.bw_hbm", -memory_s / step_s);
    check_time(&o, "theta.operator.element_rate", -sm_s / step_s);
    check_time(&o, "spec.sm_count", -sm_s / step_s);
    check_time(&o, "theta.operator.fill", memory_s / step_s * fill4 / (1 + fill4));
    check_time(&o, "theta.operator.kernel", parameter(&o, "kernel") / step_s);
    check_time(&o, "theta.operator.launch", parameter(&o, "launch") / step_s);
    check_time(&o, "peak_flop_per_s.fp32", 0);
    check(o.s, "theta.operator.e_hbm", 0, parameter(&o, "e_hbm") * 1e-12 * moved_B / o.p.energy_per_step_J);
    done(&o, &t, &bytes);
}

/* Large square product on FP32 cores: 2 m n k / (peak e_core) whatever the tile, for all sides are multiples.
 */
static void compute_bound_kernel(void **state) {
    (void)state;
    const double side = 8192;
    test_job t;
    onnx_writer bytes;
    job_of(&t, chain(&bytes, "MatMul", 8192, 8192, 1));
    outcome o = solve(&t);
    double flop = 2 * side * side * side, step_s = o.p.step_time_s;
    double compute_s = flop / (o.spec->peak_flop_per_s[ADEPT_PEAK_FP32] * parameter(&o, "e_core"));
    double softplus = log1p(exp(25 * (1 - parameter(&o, "v_knee")))) / 25;
    double voltage = 1 + parameter(&o, "v_slope") * softplus;
    double unit_J = flop * parameter(&o, "g") * parameter(&o, "k_fp32") * 1e-9 / 128 * voltage * voltage;
    assert_int_equal(o.p.bound, ADEPT_BOUND_COMPUTE);
    assert_true(compute_s > 0.7 * step_s);
    check_time(&o, "peak_flop_per_s.fp32", -compute_s / step_s);
    check_time(&o, "theta.operator.e_core", -compute_s / step_s);
    check_time(&o, "theta.operator.kernel", parameter(&o, "kernel") / step_s);
    check_time(&o, "theta.operator.latency", parameter(&o, "latency") / o.spec->boost_clock_Hz / step_s);
    check(o.s, "theta.operator.k_fp32", 0, unit_J / o.p.energy_per_step_J);
    done(&o, &t, &bytes);
}

/* Many small kernels: the host launches one after another; the GPU works off the last one. */
static void launch_bound_step(void **state) {
    (void)state;
    enum { COUNT = 40 };
    test_job t;
    onnx_writer bytes;
    job_of(&t, chain(&bytes, "Relu", 4, 8, COUNT));
    outcome o = solve(&t);
    double launches_s = COUNT * parameter(&o, "launch"), step_s = o.p.step_time_s;
    assert_true(launches_s > 0.9 * step_s);
    check_time(&o, "theta.operator.launch", launches_s / step_s);
    check_time(&o, "theta.operator.kernel", parameter(&o, "kernel") / step_s); /* of the last one */
    check_time(&o, "theta.operator.bw_hbm", row_of(o.s, "spec.memory_bandwidth_B_per_s").time.above);
    assert_true(fabs(row_of(o.s, "spec.memory_bandwidth_B_per_s").time.above) < 1e-6);
    done(&o, &t, &bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thesis_variant_has_the_derivatives_of_its_equations),
        cmocka_unit_test(memory_bound_kernel),
        cmocka_unit_test(compute_bound_kernel),
        cmocka_unit_test(launch_bound_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
