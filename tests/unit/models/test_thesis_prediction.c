/* The thesis variant through the public interface: sums, limits, properties, refusals. */
#include "toy.h"

#include "model.h"

static adept_prediction predict(const adept_workload *w, const adept_hardware_spec *spec,
                                const adept_theta *theta, const adept_run *run) {
    adept_error err = ADEPT_ERROR_INIT;
    adept_prediction out;
    assert_ok(adept_predict_with(&out, NULL, w, spec, theta, run, &err), err);
    return out;
}

static adept_run thesis_run(void) {
    adept_run run = ADEPT_RUN_INIT;
    run.variant = ADEPT_VARIANT_THESIS;
    return run;
}

static adept_theta initial_theta(void) {
    adept_error err = ADEPT_ERROR_INIT;
    adept_theta theta;
    assert_ok(adept_theta_init(&theta, ADEPT_VARIANT_THESIS, NULL, &err), err);
    return theta;
}

static bool has_note(const adept_prediction *p, adept_note_code code) {
    for (size_t i = 0; i < p->note_count; i++) {
        if (p->notes[i].code == code)
            return true;
    }
    return false;
}

static void parts_add_up_to_the_whole(void **state) {
    (void)state;
    adept_workload w = toy_workload();
    adept_hardware_spec spec = toy_spec();
    adept_theta theta = initial_theta();
    adept_run run = thesis_run();
    w.gpus = 4;
    w.grad_accum = 3;
    adept_prediction p = predict(&w, &spec, &theta, &run);
    double time_s = 0;
    double energy_J = 0;
    double losses_s = 0;
    for (int i = 0; i < ADEPT_PHASE_COUNT; i++) {
        assert_close(p.phases[i].energy_J, 4 * p.phases[i].power_W * p.phases[i].time_s, 1e-12);
        time_s += p.phases[i].time_s;
        energy_J += p.phases[i].energy_J;
    }
    for (int i = 0; i < ADEPT_LOSS_COUNT; i++)
        losses_s += p.losses_s[i];
    assert_close(time_s, p.step_time_s, 1e-12);
    assert_close(losses_s, p.step_time_s, 1e-12);
    assert_close(energy_J, p.energy_per_step_J, 1e-12);
    assert_close(p.energy_per_step_J, 4 * p.average_power_W * p.step_time_s, 1e-12);
    assert_close(p.throughput_per_s, 32.0 * 4 * 3 / p.step_time_s, 1e-12);
    /* the backward pass has twice the work of the forward pass */
    assert_close(p.phases[ADEPT_PHASE_BACKWARD].time_s, 2 * p.phases[ADEPT_PHASE_FORWARD].time_s, 1e-12);
}

static void inference_is_one_forward_phase(void **state) {
    (void)state;
    adept_workload w = toy_workload();
    adept_hardware_spec spec = toy_spec();
    adept_theta theta = initial_theta();
    adept_run run = thesis_run();
    memset(&w.backward, 0, sizeof w.backward);
    memset(&w.optimizer_work, 0, sizeof w.optimizer_work);
    w.mode = ADEPT_MODE_INFERENCE;
    adept_prediction p = predict(&w, &spec, &theta, &run);
    assert_true(p.phases[ADEPT_PHASE_BACKWARD].time_s == 0 && p.phases[ADEPT_PHASE_OPTIMIZER].time_s == 0);
    assert_true(p.phases[ADEPT_PHASE_FORWARD].time_s > 0);
}

static void better_hardware_is_never_slower(void **state) {
    (void)state;
    adept_hardware_spec spec = toy_spec();
    double *const better[] = {&spec.memory_bandwidth_B_per_s, &spec.peak_flop_per_s[ADEPT_PEAK_FP32],
                              &spec.l2_B, &spec.link_B_per_s};
    adept_theta theta = initial_theta();
    adept_run run = thesis_run();
    for (size_t i = 0; i < sizeof better / sizeof better[0]; i++) {
        for (double bytes = 1e9; bytes < 1e13; bytes *= 10) {
            adept_workload w = toy_workload();
            w.gpus = 4;
            w.forward.read_B = bytes;
            double before_s = predict(&w, &spec, &theta, &run).step_time_s;
            *better[i] *= 2;
            assert_true(predict(&w, &spec, &theta, &run).step_time_s <= before_s);
            *better[i] /= 2;
        }
    }
}

static void power_stays_within_the_limit_and_says_when_it_cannot(void **state) {
    (void)state;
    adept_workload w = toy_workload();
    adept_hardware_spec spec = toy_spec();
    adept_theta theta = initial_theta();
    adept_run run = thesis_run();
    assert_true(predict(&w, &spec, &theta, &run).average_power_W <= 200);
    run.power_limit_W = 100;
    adept_prediction p = predict(&w, &spec, &theta, &run);
    assert_true(p.average_power_W <= 100 && p.power_limit_W == 100);
    assert_true(has_note(&p, ADEPT_NOTE_POWER_CUT_NOT_TIME));
    assert_false(has_note(&p, ADEPT_NOTE_POWER_LIMIT_OUT_OF_RANGE));
    run.power_limit_W = 30; /* P_static is 40 W */
    p = predict(&w, &spec, &theta, &run);
    assert_true(has_note(&p, ADEPT_NOTE_POWER_LIMIT_NOT_HELD) &&
                has_note(&p, ADEPT_NOTE_POWER_LIMIT_OUT_OF_RANGE));
    assert_close(p.average_power_W, 40, 1e-12);
}

static void a_precision_without_a_unit_falls_back_and_says_so(void **state) {
    (void)state;
    adept_workload w = toy_workload();
    adept_hardware_spec spec = toy_spec();
    adept_theta theta = initial_theta();
    adept_run run = thesis_run();
    w.precision = ADEPT_PRECISION_BF16_AMP;
    adept_prediction p = predict(&w, &spec, &theta, &run);
    assert_false(has_note(&p, ADEPT_NOTE_PRECISION_FALLBACK));
    spec.peak_flop_per_s[ADEPT_PEAK_BF16_TENSOR] = NAN;
    p = predict(&w, &spec, &theta, &run);
    assert_true(has_note(&p, ADEPT_NOTE_PRECISION_FALLBACK));
    assert_true(adept_note_refused(ADEPT_NOTE_PRECISION_FALLBACK));
}

static void memory_verdict_counts_tensors_and_overhead(void **state) {
    (void)state;
    adept_workload w = toy_workload();
    adept_hardware_spec spec = toy_spec();
    adept_theta theta = initial_theta();
    adept_run run = thesis_run();
    adept_prediction p = predict(&w, &spec, &theta, &run);
    assert_true(p.fits_in_memory);
    assert_close(p.peak_memory_B, 4e9 * (1 + ADEPT_ALLOCATOR_SHARE) + ADEPT_CONTEXT_B, 1e-12);
    w.memory.peak_B = 15.8e9;
    p = predict(&w, &spec, &theta, &run);
    assert_false(p.fits_in_memory);
    assert_true(has_note(&p, ADEPT_NOTE_OUT_OF_MEMORY));
}

static void evidence_is_that_of_the_weakest_parameter_that_matters(void **state) {
    (void)state;
    adept_workload w = toy_workload();
    adept_hardware_spec spec = toy_spec();
    adept_theta theta = initial_theta();
    adept_run run = thesis_run();
    adept_prediction p = predict(&w, &spec, &theta, &run);
    assert_int_equal(p.time_evidence, ADEPT_EVIDENCE_DATASHEET);
    assert_true(has_note(&p, ADEPT_NOTE_PARAMETERS_DEFAULT));
    for (size_t i = 0; i < theta.count; i++)
        theta.provenance[i] = ADEPT_PROVENANCE_FITTED;
    theta.provenance[ADEPT_THESIS_BW_EFF] = ADEPT_PROVENANCE_DEFAULT; /* one GPU: does not matter */
    theta.provenance[ADEPT_THESIS_U_MEM] = ADEPT_PROVENANCE_TRANSFERRED;
    p = predict(&w, &spec, &theta, &run);
    assert_int_equal(p.time_evidence, ADEPT_EVIDENCE_FITTED);
    assert_int_equal(p.power_evidence, ADEPT_EVIDENCE_TRANSFERRED);
    w.gpus = 2;
    p = predict(&w, &spec, &theta, &run);
    assert_int_equal(p.time_evidence, ADEPT_EVIDENCE_DATASHEET);
}

static void what_cannot_be_predicted_is_refused(void **state) {
    (void)state;
    adept_error err = ADEPT_ERROR_INIT;
    adept_workload w = toy_workload();
    adept_hardware_spec spec = toy_spec();
    adept_theta theta = initial_theta();
    adept_run run = thesis_run();
    adept_prediction out;
    adept_kernel_cost cost;
    assert_int_equal(adept_predict_with(&out, &cost, &w, &spec, &theta, &run, &err), ADEPT_UNSUPPORTED);
    run.power_limit_W = -5;
    assert_int_equal(adept_predict_with(&out, NULL, &w, &spec, &theta, &run, &err), ADEPT_ARGUMENT);
    run.power_limit_W = 0;
    w.forward.read_B = INFINITY;
    assert_int_equal(adept_predict_with(&out, NULL, &w, &spec, &theta, &run, &err), ADEPT_RANGE);
}

static void a_board_of_the_catalogue_predicts_with_its_parameters_and_interval(void **state) {
    (void)state;
    adept_error err = ADEPT_ERROR_INIT;
    adept_workload w = toy_workload();
    adept_run run = thesis_run();
    adept_hardware *hardware = NULL;
    adept_prediction before;
    adept_prediction after;
    const adept_hardware_interval interval = {0.8, 0.9, 1.1, 0.95, 1.05};
    setenv("ADEPT_DATA", ADEPT_SOURCE_DIR "/data", 1);
    assert_ok(adept_hardware_load(&hardware, "a100", &err), err);
    assert_ok(adept_predict(&before, &w, hardware, &run, &err), err);
    assert_ok(adept_hardware_set(hardware, "theta.thesis.T_fixed", 0.5, &err), err);
    adept_hardware_set_interval(hardware, ADEPT_VARIANT_THESIS, &interval);
    assert_ok(adept_predict(&after, &w, hardware, &run, &err), err);
    double fixed_s = before.phases[ADEPT_PHASE_FIXED].time_s;
    assert_close(after.step_time_s, before.step_time_s - fixed_s + 0.5, 1e-12);
    assert_close(after.step_time_interval_s.upper, 1.1 * after.step_time_s, 1e-12);
    assert_close(after.average_power_interval_W.lower, 0.95 * after.average_power_W, 1e-12);

    assert_ok(adept_hardware_set(hardware, "theta.thesis.T_fixd", 0.5, &err), err);
    assert_int_equal(adept_predict(&after, &w, hardware, &run, &err), ADEPT_ARGUMENT);
    assert_non_null(strstr(err.message, "did you mean 'T_fixed'?"));
    adept_hardware_free(hardware);
    assert_ok(adept_hardware_load(&hardware, "a100", &err), err);
    assert_ok(adept_hardware_set(hardware, "theta.thesis.beta_gemm", 1.5, &err), err);
    assert_int_equal(adept_predict(&after, &w, hardware, &run, &err), ADEPT_RANGE);
    adept_hardware_free(hardware);
}

/* 12 GPUs of 100 W are two nodes: 1200 + 2 (300 + 60 + 16 * 6 * 0.5) = 2016 W used, at 0.9 2240 W drawn. */
static void node_power_adds_what_the_host_draws_or_says_nothing(void **state) {
    (void)state;
    adept_hardware_spec spec = toy_spec();
    adept_node_power node;
    assert_false(adept_node_power_of(&node, &spec, 12, 100));
    assert_true(isnan(node.total_W) && isnan(node.gpus_W));
    spec.host_cpu_W = 300;
    spec.host_fan_W = 60;
    spec.host_dram_slots = 16;
    spec.host_dram_dimm_W = 6;
    spec.host_dram_use = 0.5;
    spec.host_supply_efficiency = 0.9;
    assert_true(adept_node_power_of(&node, &spec, 12, 100));
    assert_close(node.total_W, 2240, 1e-12);
    assert_close(node.supply_W, 224, 1e-12);
    assert_close(node.dram_W, 96, 1e-12);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_add_up_to_the_whole),
        cmocka_unit_test(inference_is_one_forward_phase),
        cmocka_unit_test(better_hardware_is_never_slower),
        cmocka_unit_test(power_stays_within_the_limit_and_says_when_it_cannot),
        cmocka_unit_test(a_precision_without_a_unit_falls_back_and_says_so),
        cmocka_unit_test(memory_verdict_counts_tensors_and_overhead),
        cmocka_unit_test(evidence_is_that_of_the_weakest_parameter_that_matters),
        cmocka_unit_test(what_cannot_be_predicted_is_refused),
        cmocka_unit_test(node_power_adds_what_the_host_draws_or_says_nothing),
        cmocka_unit_test(a_board_of_the_catalogue_predicts_with_its_parameters_and_interval),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
