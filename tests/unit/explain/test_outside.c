/* What a prediction says about operators and GPUs that were in no measurement. */
#include "adept/explain.h"
#include "test_support.h"

typedef struct job {
    adept_graph *graph;
    adept_hardware *hardware;
    adept_profile *profile;
    adept_prediction prediction;
    adept_outside *outside;
    adept_run run;
} job;

static void job_open(job *j, const char *path, const char *gpu, const adept_run *run) {
    adept_error err = ADEPT_ERROR_INIT;
    *j = (job){.run = *run};
    assert_ok(adept_graph_load(&j->graph, path, &err), err);
    assert_ok(adept_hardware_load(&j->hardware, gpu, &err), err);
    assert_ok(adept_profile_build(&j->profile, j->graph, run, &err), err);
    assert_ok(adept_predict(&j->prediction, adept_profile_workload(j->profile), j->hardware, run, &err), err);
    assert_ok(adept_outside_range(&j->outside, j->profile, j->hardware, run, &err), err);
}

static void job_close(job *j) {
    adept_outside_free(j->outside);
    adept_profile_free(j->profile);
    adept_hardware_free(j->hardware);
    adept_graph_free(j->graph);
}

static void open_shipped(job *j, const char *graph, const char *gpu, const adept_run *run) {
    char path[4096];
    snprintf(path, sizeof path, "%s/data/graphs/%s.onnx", ADEPT_SOURCE_DIR, graph);
    job_open(j, path, gpu, run);
}

/* The value of a note; NAN without one, INFINITY for a note without a value. */
static double note_value(const adept_prediction *p, adept_note_code code) {
    for (size_t i = 0; i < p->note_count; i++) {
        if (p->notes[i].code == code)
            return isnan(p->notes[i].value) ? INFINITY : p->notes[i].value;
    }
    return NAN;
}

static double sum_of_shares(const adept_outside *outside) {
    double sum = 0;
    for (size_t i = 0; i < adept_outside_count(outside); i++)
        sum += adept_outside_at(outside, i)->share;
    return sum;
}

/* The same from the costs of kernels, with the kinds named here and not by the table that is tested. */
static double share_by_hand(const job *j, adept_kernel_kind kind, adept_math math) {
    adept_error err = ADEPT_ERROR_INIT;
    adept_theta theta;
    adept_prediction p;
    const adept_workload *w = adept_profile_workload(j->profile);
    adept_kernel_cost *costs = calloc(w->kernel_count, sizeof *costs);
    double all_s = 0, found_s = 0;
    assert_ok(adept_theta_init(&theta, j->run.variant, j->hardware, &err), err);
    assert_ok(adept_predict_with(&p, costs, w, adept_hardware_spec_of(j->hardware), &theta, &j->run, &err),
              err);
    for (size_t i = 0; i < w->kernel_count; i++) {
        double time_s = costs[i].time_s * (w->kernels[i].pass == ADEPT_PASS_OPTIMIZER ? 1 : w->grad_accum);
        all_s += time_s;
        if (w->kernels[i].kind == kind || (math != ADEPT_MATH_FP32 && w->kernels[i].math == math))
            found_s += time_s;
    }
    free(costs);
    return found_s / all_s;
}

static void fused_attention_is_noted_with_its_share_of_the_busy_time(void **state) {
    (void)state;
    job j;
    adept_run run = ADEPT_RUN_INIT;
    run.batch = 8;
    run.seq = 1024;
    run.grad_accum = 4;
    run.precision = ADEPT_PRECISION_TF32; /* FP32 storage: only 16 bits were measured, forward */
    run.attention = ADEPT_ATTENTION_FLASH;
    open_shipped(&j, "gpt2-small", "a100", &run);
    double expected = share_by_hand(&j, ADEPT_KERNEL_ATTENTION, ADEPT_MATH_FP32);
    assert_true(expected > 0.02 && expected < 0.6);
    assert_close(note_value(&j.prediction, ADEPT_NOTE_OUTSIDE_FITTED_RANGE), expected, 1e-9);
    assert_close(sum_of_shares(j.outside), expected, 1e-9);
    assert_int_equal(adept_outside_at(j.outside, 0)->kind, ADEPT_KERNEL_ATTENTION);
    job_close(&j);
}

static void fused_attention_of_16_bit_inference_was_measured(void **state) {
    (void)state;
    job j;
    adept_run run = ADEPT_RUN_INIT;
    run.batch = 8;
    run.mode = ADEPT_MODE_INFERENCE;
    run.precision = ADEPT_PRECISION_BF16;
    run.attention = ADEPT_ATTENTION_FLASH;
    open_shipped(&j, "gpt2-small", "a100", &run);
    assert_int_equal(adept_outside_count(j.outside), 0);
    job_close(&j);
}

static void networks_of_measured_kinds_have_no_such_note(void **state) {
    (void)state;
    static const struct {
        const char *graph, *gpu;
        adept_precision precision;
    } cases[] = {
        {"resnet50-train", "a100", ADEPT_PRECISION_BF16    },
        {"resnet50-train", "v100", ADEPT_PRECISION_FP16_AMP},
        {"bert-base",      "a10",  ADEPT_PRECISION_TF32    },
        {"gpt2-small",     "a100", ADEPT_PRECISION_BF16_AMP},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        job j;
        adept_run run = ADEPT_RUN_INIT;
        run.batch = 8;
        run.precision = cases[i].precision;
        open_shipped(&j, cases[i].graph, cases[i].gpu, &run);
        assert_true(isnan(note_value(&j.prediction, ADEPT_NOTE_OUTSIDE_FITTED_RANGE)));
        assert_true(isnan(note_value(&j.prediction, ADEPT_NOTE_GPU_NOT_MEASURED)));
        assert_int_equal(adept_outside_count(j.outside), 0);
        job_close(&j);
    }
}

static void quantised_kernels_are_noted_and_widen_the_interval(void **state) {
    (void)state;
    char path[4200];
    const char *shared = shared_folder();
    if (!shared)
        skip();
    job j;
    adept_run run = ADEPT_RUN_INIT;
    run.batch = 8;
    run.mode = ADEPT_MODE_INFERENCE;
    snprintf(path, sizeof path, "%s/graphs/resnet18-qdq.onnx", shared);
    job_open(&j, path, "a100", &run);
    double share = note_value(&j.prediction, ADEPT_NOTE_OUTSIDE_FITTED_RANGE);
    assert_close(share, share_by_hand(&j, ADEPT_KERNEL_KIND_COUNT, ADEPT_MATH_INT8), 1e-9);
    assert_close(sum_of_shares(j.outside), share, 1e-9);
    assert_true(share > 0.5);
    adept_hardware_interval ratio = adept_hardware_interval_of(j.hardware, ADEPT_VARIANT_OPERATOR);
    assert_close(log(j.prediction.step_time_interval_s.upper / j.prediction.step_time_s),
                 (1 + share) * log(ratio.time_upper), 1e-9);
    job_close(&j);
}

static void power_is_withheld_where_nothing_supports_it(void **state) {
    (void)state;
    static const struct {
        const char *gpu;
        bool withheld, power_noted, time_noted;
    } cases[] = {
        {"a100",            false, false, false},
        {"p100-pcie-16gb",  false, false, false},
        {"rtx2080ti",       false, true,  false}, /* its generation under a limit, no power measured */
        {"h100",            false, true,  true }, /* the datasheet's rule, compared on NVIDIA's dies */
        {"rtx4090",         false, true,  true },
        {"mi210",           true,  false, false}, /* no power of any AMD die */
        {"jetson-agx-orin", true,  false, false}, /* no rule */
        {"p4",              true,  false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        job j;
        adept_run run = ADEPT_RUN_INIT;
        run.batch = 8;
        open_shipped(&j, "resnet50-train", cases[i].gpu, &run);
        const adept_prediction *p = &j.prediction;
        assert_int_equal(!isnan(note_value(p, ADEPT_NOTE_POWER_WITHHELD)), cases[i].withheld);
        assert_int_equal(!isnan(note_value(p, ADEPT_NOTE_POWER_NOT_MEASURED)), cases[i].power_noted);
        assert_int_equal(!isnan(note_value(p, ADEPT_NOTE_GPU_NOT_MEASURED)), cases[i].time_noted);
        assert_int_equal(isnan(p->average_power_W), cases[i].withheld);
        assert_int_equal(isnan(p->energy_per_step_J), cases[i].withheld);
        assert_int_equal(isnan(p->phases[ADEPT_PHASE_FORWARD].energy_J), cases[i].withheld);
        assert_int_equal(p->power_evidence == ADEPT_EVIDENCE_NONE, cases[i].withheld);
        assert_true(p->step_time_s > 0);
        job_close(&j);
    }
}

static void a_scale_of_the_user_brings_power_back(void **state) {
    (void)state;
    adept_error err = ADEPT_ERROR_INIT;
    job j;
    adept_run run = ADEPT_RUN_INIT;
    run.batch = 8;
    open_shipped(&j, "resnet50-train", "mi210", &run);
    assert_ok(adept_hardware_set(j.hardware, "theta.operator.g", 0.5, &err), err);
    assert_ok(adept_predict(&j.prediction, adept_profile_workload(j.profile), j.hardware, &run, &err), err);
    assert_true(j.prediction.average_power_W > 0);
    assert_true(isnan(note_value(&j.prediction, ADEPT_NOTE_POWER_WITHHELD)));
    job_close(&j);
}

static void a_precision_that_its_family_was_not_measured_at_is_noted(void **state) {
    (void)state;
    job j;
    adept_run run = ADEPT_RUN_INIT;
    run.batch = 8;
    run.precision = ADEPT_PRECISION_BF16;
    open_shipped(&j, "bert-base", "mi210", &run);
    assert_true(!isnan(note_value(&j.prediction, ADEPT_NOTE_GPU_NOT_MEASURED)));
    job_close(&j);
    open_shipped(&j, "bert-base", "v100", &run); /* falls back to FP32, which was measured */
    assert_true(isnan(note_value(&j.prediction, ADEPT_NOTE_GPU_NOT_MEASURED)));
    job_close(&j);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fused_attention_is_noted_with_its_share_of_the_busy_time),
        cmocka_unit_test(fused_attention_of_16_bit_inference_was_measured),
        cmocka_unit_test(networks_of_measured_kinds_have_no_such_note),
        cmocka_unit_test(quantised_kernels_are_noted_and_widen_the_interval),
        cmocka_unit_test(power_is_withheld_where_nothing_supports_it),
        cmocka_unit_test(a_scale_of_the_user_brings_power_back),
        cmocka_unit_test(a_precision_that_its_family_was_not_measured_at_is_noted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
