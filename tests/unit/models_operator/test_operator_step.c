/* Properties that every prediction of the operator variant has, and steps computed by hand. */
#include "communication.h"
#include "operator_communication.h"
#include "operator_items.h"
#include "operator_toy.h"

enum { KERNELS = 6 };

typedef struct fixture {
    adept_hardware_spec spec;
    adept_theta theta;
    adept_run run;
    adept_workload w;
    adept_kernel kernels[KERNELS];
    adept_launch launches[KERNELS];
    adept_kernel_cost costs[KERNELS];
} fixture;

/* A training step with products, elementwise kernels, an optimizer; 4e8 B of gradients. */
static fixture *make(void) {
    fixture *f = calloc(1, sizeof *f);
    const adept_kernel kernels[KERNELS] = {
        gemm_kernel(ADEPT_PASS_FORWARD, ADEPT_MATH_FP32, 4096, 4096, 1024),
        elementwise_kernel(ADEPT_PASS_FORWARD, 4e8),
        elementwise_kernel(ADEPT_PASS_BACKWARD, 6e8),
        gemm_kernel(ADEPT_PASS_BACKWARD, ADEPT_MATH_FP32, 4096, 1024, 4096),
        gemm_kernel(ADEPT_PASS_BACKWARD, ADEPT_MATH_BF16, 1024, 4096, 4096),
        elementwise_kernel(ADEPT_PASS_OPTIMIZER, 3e9),
    };
    f->spec = toy_spec();
    f->theta = initial_theta();
    f->run = (adept_run)ADEPT_RUN_INIT;
    memcpy(f->kernels, kernels, sizeof kernels);
    f->kernels[5].kind = ADEPT_KERNEL_OPTIMIZER;
    for (uint32_t i = 0; i < KERNELS; i++)
        f->launches[i] = (adept_launch){i, i, i == 5 ? 1 : 10};
    f->w = (adept_workload){.mode = ADEPT_MODE_TRAIN,
                            .gpus = 1,
                            .grad_accum = 1,
                            .samples = 32,
                            .reduced_gradients_B = 4e8,
                            .fused_elementwise = 1,
                            .kernels = f->kernels,
                            .kernel_count = KERNELS,
                            .launches = f->launches,
                            .launch_count = KERNELS};
    f->w.forward.kernels = 20;
    f->w.backward.kernels = 30;
    f->w.optimizer_work.kernels = 1;
    f->w.memory.peak_B = 1e9;
    return f;
}

static adept_prediction predict(fixture *f) {
    adept_error err = ADEPT_ERROR_INIT;
    adept_prediction p;
    assert_ok(adept_predict_with(&p, f->costs, &f->w, &f->spec, &f->theta, &f->run, &err), err);
    return p;
}

static bool has_note(const adept_prediction *p, adept_note_code code) {
    for (size_t i = 0; i < p->note_count; i++)
        if (p->notes[i].code == code)
            return true;
    return false;
}

/* Datasheet peak and bandwidth, kernel by kernel, of a whole step. */
static double roofline_s(const fixture *f) {
    double flop_s = 0, bytes_s = 0;
    for (size_t i = 0; i < f->w.launch_count; i++) {
        const adept_kernel *k = &f->w.kernels[f->w.launches[i].kernel];
        double count = f->w.launches[i].count * (k->pass == ADEPT_PASS_OPTIMIZER ? 1 : f->w.grad_accum);
        flop_s += count * k->gemm_flop / adept_peak_for_matrix(&f->spec, k->math).flop_per_s;
        bytes_s += count * (k->read_B + k->write_B) / f->spec.memory_bandwidth_B_per_s;
    }
    return fmax(flop_s, bytes_s);
}

static double uniform(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(*state >> 11) / 9007199254740992.0;
}

static void draw_theta(adept_theta *theta, uint64_t *state) {
    for (size_t i = 0; i < theta->count; i++) {
        const adept_parameter *p = adept_parameter_at(ADEPT_VARIANT_OPERATOR, i);
        theta->value[i] = p->lower + (p->upper - p->lower) * uniform(state);
    }
}

/* --- sums --- */

static void check_sums(const fixture *f, const adept_prediction *p) {
    double time_s = 0, energy_J = 0, losses_s = 0;
    for (int i = 0; i < ADEPT_PHASE_COUNT; i++) {
        time_s += p->phases[i].time_s;
        energy_J += p->phases[i].energy_J;
        assert_close(p->phases[i].power_W * p->phases[i].time_s * f->w.gpus, p->phases[i].energy_J, 1e-12);
    }
    for (int i = 0; i < ADEPT_LOSS_COUNT; i++) {
        assert_true(p->losses_s[i] >= 0);
        losses_s += p->losses_s[i];
    }
    assert_close(time_s, p->step_time_s, 1e-12);
    assert_close(losses_s, p->step_time_s, 1e-9);
    assert_close(energy_J, p->energy_per_step_J, 1e-12);
    assert_close(p->average_power_W * p->step_time_s * f->w.gpus, p->energy_per_step_J, 1e-12);
}

static void parts_add_up_whatever_the_parameters(void **state) {
    (void)state;
    uint64_t random = 7;
    fixture *f = make();
    for (int i = 0; i < 300; i++) {
        draw_theta(&f->theta, &random);
        f->w.gpus = 1 + i % 5;
        f->w.grad_accum = 1 + i % 4;
        f->run.power_limit_W = i % 3 ? 0 : 60 + 200 * uniform(&random);
        adept_prediction p = predict(f);
        check_sums(f, &p);
        assert_true(p.step_time_s >= roofline_s(f));
    }
    free(f);
}

static void kernels_share_out_the_time_that_the_gpu_works(void **state) {
    (void)state;
    fixture *f = make();
    adept_prediction p = predict(f);
    double time_s = 0, energy_J = 0;
    for (int i = 0; i < KERNELS; i++) {
        time_s += f->costs[i].time_s;
        energy_J += f->costs[i].energy_J;
    }
    const adept_phase_cost *phases = p.phases;
    assert_close(time_s,
                 phases[ADEPT_PHASE_FORWARD].time_s + phases[ADEPT_PHASE_BACKWARD].time_s +
                     phases[ADEPT_PHASE_OPTIMIZER].time_s,
                 1e-12);
    assert_close(energy_J,
                 phases[ADEPT_PHASE_FORWARD].energy_J + phases[ADEPT_PHASE_BACKWARD].energy_J +
                     phases[ADEPT_PHASE_OPTIMIZER].energy_J,
                 1e-12);
    free(f);
}

/* --- hardware --- */

static void more_bandwidth_is_never_slower(void **state) {
    (void)state;
    uint64_t random = 3;
    for (int i = 0; i < 100; i++) {
        fixture *f = make();
        if (i)
            draw_theta(&f->theta, &random);
        f->theta.value[OP_CONTROL] = 0.06; /* without a limit in reach the clock does not move */
        f->run.power_limit_W = 0;
        f->spec.tdp_W = 1e6;
        double before_s = INFINITY;
        for (double bandwidth = 2.5e11; bandwidth < 1e13; bandwidth *= 1.5) {
            f->spec.memory_bandwidth_B_per_s = bandwidth;
            double time_s = predict(f).step_time_s;
            assert_true(time_s <= before_s * (1 + 1e-9));
            before_s = time_s;
        }
        free(f);
    }
}

static void lower_power_limit_lowers_clock_and_power_and_lengthens_the_step(void **state) {
    (void)state;
    fixture *f = make();
    adept_prediction before = predict(f);
    for (double limit_W = 280; limit_W >= 60; limit_W -= 20) {
        f->run.power_limit_W = limit_W;
        adept_prediction p = predict(f);
        assert_true(p.clock_Hz <= before.clock_Hz * (1 + 1e-12));
        assert_true(p.step_time_s >= before.step_time_s * (1 - 1e-12));
        assert_true(p.average_power_W <= before.average_power_W * (1 + 1e-12));
        assert_true(p.average_power_W >= f->spec.idle_power_W);
        if (!has_note(&p, ADEPT_NOTE_POWER_LIMIT_NOT_HELD))
            assert_true(p.average_power_W <= limit_W * (1 + 1e-6));
        before = p;
    }
    assert_true(before.clock_Hz < 0.8 * f->spec.boost_clock_Hz);
    free(f);
}

static void limit_that_no_clock_holds_is_said(void **state) {
    (void)state;
    fixture *f = make();
    f->spec.min_power_limit_W = 10;
    f->run.power_limit_W = 25;
    adept_prediction p = predict(f);
    assert_true(p.average_power_W > 25);
    assert_true(has_note(&p, ADEPT_NOTE_POWER_LIMIT_NOT_HELD));
    assert_close(p.clock_Hz, f->theta.value[OP_FLOOR_CLOCK] * f->spec.boost_clock_Hz, 1e-9);
    free(f);
}

static void clock_limit_is_the_highest_clock(void **state) {
    (void)state;
    fixture *f = make();
    f->spec.tdp_W = 1e6;
    adept_prediction free_clock = predict(f);
    f->run.clock_limit_Hz = 0.6e9;
    adept_prediction p = predict(f);
    assert_close(free_clock.clock_Hz, 1e9, 1e-12);
    assert_close(p.clock_Hz, 0.6e9, 1e-12);
    assert_true(p.step_time_s > free_clock.step_time_s);
    assert_true(p.losses_s[ADEPT_LOSS_CLOCK] > 0);
    free(f);
}

/* --- host --- */

/* 1000 kernels of 1 us behind a host that needs 10 us for each: the last ends one kernel after its launch. */
static void boards_without_a_fixed_clock_run_above_boost_while_power_allows(void **state) {
    (void)state;
    fixture *f = make();
    f->spec.tdp_W = 1e6;
    adept_prediction boost = predict(f);
    f->spec.max_clock_Hz = 1.2e9;
    adept_prediction above = predict(f);
    assert_close(above.clock_Hz, 1.2e9, 1e-12);
    assert_true(above.step_time_s < boost.step_time_s);
    assert_true(above.average_power_W > boost.average_power_W);
    f->run.clock_limit_Hz = 1.1e9;
    assert_close(predict(f).clock_Hz, 1.1e9, 1e-12);
    /* A limit that boost clock would exceed leaves no room above it. */
    f->run.clock_limit_Hz = 0;
    f->run.power_limit_W = 0.8 * boost.average_power_W;
    above = predict(f);
    f->spec.max_clock_Hz = 1e9;
    boost = predict(f);
    assert_true(boost.clock_Hz < 1e9);
    assert_close(above.clock_Hz, boost.clock_Hz, 1e-2);
    assert_close(above.step_time_s, boost.step_time_s, 1e-2);
    free(f);
}

static void launch_bound_step_takes_the_hosts_time(void **state) {
    (void)state;
    fixture *f = make();
    f->theta = plain_theta();
    f->kernels[1] = elementwise_kernel(ADEPT_PASS_FORWARD, 1e6);
    f->launches[0] = (adept_launch){1, 0, 1000};
    f->w.launch_count = 1;
    f->w.mode = ADEPT_MODE_INFERENCE;
    f->run.launch_s = 1e-5;
    adept_prediction p = predict(f);
    assert_close(p.step_time_s, 1000 * 1e-5 + 1e-6, 1e-4);
    assert_close(p.phases[ADEPT_PHASE_LAUNCH].time_s, p.step_time_s - 1000 * 1e-6, 1e-4);
    assert_int_equal(p.bound, ADEPT_BOUND_LAUNCH);
    free(f);
}

/* 1000 kernels of 100 us: the GPU waits for the first launch only. */
static void busy_gpu_hides_the_host(void **state) {
    (void)state;
    fixture *f = make();
    f->theta = plain_theta();
    f->kernels[1] = elementwise_kernel(ADEPT_PASS_FORWARD, 1e8);
    f->launches[0] = (adept_launch){1, 0, 1000};
    f->w.launch_count = 1;
    f->w.mode = ADEPT_MODE_INFERENCE;
    f->run.launch_s = 1e-5;
    assert_close(predict(f).step_time_s, 1e-5 + 1000 * 1e-4, 1e-4);
    free(f);
}

/* A long kernel first lets the host run ahead: 100 launches of 10 us hide behind 1 ms of work. */
static void queue_fills_while_a_long_kernel_runs(void **state) {
    (void)state;
    fixture *f = make();
    f->theta = plain_theta();
    f->kernels[0] = elementwise_kernel(ADEPT_PASS_FORWARD, 1e9);
    f->kernels[1] = elementwise_kernel(ADEPT_PASS_FORWARD, 1e6);
    f->launches[0] = (adept_launch){0, 0, 1};
    f->launches[1] = (adept_launch){1, 1, 90};
    f->w.launch_count = 2;
    f->w.mode = ADEPT_MODE_INFERENCE;
    f->run.launch_s = 1e-5;
    assert_close(predict(f).step_time_s, 1e-5 + 1e-3 + 90 * 1e-6, 1e-4);
    free(f);
}

static void micro_batches_repeat_the_passes_but_not_the_optimizer(void **state) {
    (void)state;
    fixture *f = make();
    f->theta.value[OP_GAP] = 0;
    f->spec.tdp_W = 1e6;
    f->run.launch_s = 1e-6;
    adept_prediction one = predict(f);
    f->w.grad_accum = 5;
    adept_prediction five = predict(f);
    assert_close(five.phases[ADEPT_PHASE_BACKWARD].time_s, 5 * one.phases[ADEPT_PHASE_BACKWARD].time_s,
                 1e-12);
    assert_close(five.phases[ADEPT_PHASE_OPTIMIZER].time_s, one.phases[ADEPT_PHASE_OPTIMIZER].time_s, 1e-12);
    free(f);
}

/* --- several GPUs --- */

/* Energy per sample: each GPU does the same work and communicates besides. */
static void twice_the_gpus_is_never_less_energy_per_sample(void **state) {
    (void)state;
    fixture *f = make();
    double before_J = 0;
    for (int32_t gpus = 1; gpus <= 64; gpus *= 2) {
        f->w.gpus = gpus;
        adept_prediction p = predict(f);
        double sample_J = p.energy_per_step_J / (f->w.samples * gpus);
        assert_true(sample_J >= before_J * (1 - 1e-12));
        before_J = sample_J;
    }
    free(f);
}

static void backward_pass_hides_all_buckets_but_the_last(void **state) {
    (void)state;
    fixture *f = make();
    const double *theta = f->theta.value;
    double bucket_s = operator_allreduce_s(&f->spec, theta, &f->run, 4, 25e6);
    assert_close(operator_exposed_s(&f->spec, theta, &f->run, 4, 250e6, 100), bucket_s, 1e-12);
    assert_close(operator_exposed_s(&f->spec, theta, &f->run, 4, 250e6, 0), 10 * bucket_s, 1e-12);
    assert_close(operator_exposed_s(&f->spec, theta, &f->run, 1, 250e6, 0), 0, 0);
    free(f);
}

/* 8 GPUs, 75 % of 100 GB/s: 14/8 of the data. */
static void allreduce_is_a_ring_at_the_links_share(void **state) {
    (void)state;
    fixture *f = make();
    f->theta.value[OP_LINK] = 0.75;
    f->theta.value[OP_HOP] = 1e-6;
    f->theta.value[OP_COLLECTIVE] = 2e-5;
    assert_close(operator_allreduce_s(&f->spec, f->theta.value, &f->run, 8, 1e9),
                 2e-5 + 14e-6 + 1.75 * 1e9 / 75e9, 1e-12);
    free(f);
}

/* nccl-tests' bus bandwidth is what the ring moves through a GPU, whatever the links are. */
static void measured_collective_rate_replaces_that_of_the_links(void **state) {
    (void)state;
    fixture *f = make();
    f->theta.value[OP_HOP] = f->theta.value[OP_COLLECTIVE] = 0;
    f->run.collective_B_per_s = 8e9;
    assert_close(operator_allreduce_s(&f->spec, f->theta.value, &f->run, 4, 4e8), 1.5 * 4e8 / 8e9, 1e-12);
    f->run.overlap = 0;
    assert_close(operator_exposed_s(&f->spec, f->theta.value, &f->run, 4, 4e8, 1e3), 1.5 * 4e8 / 8e9, 1e-12);
    f->w.gpus = 4;
    f->run.overlap = -1;
    double hidden_s = predict(f).step_time_s;
    f->run.overlap = 0;
    assert_true(predict(f).step_time_s > hidden_s);
    free(f);
}

/* 32 samples of 1 ms for the first batch of an epoch of 3200 samples: 100 steps share 32 ms. */
static void first_batch_of_an_epoch_is_waited_for(void **state) {
    (void)state;
    fixture *f = make();
    double without_s = predict(f).step_time_s;
    f->run.loader_s = 1e-3;
    assert_close(predict(f).step_time_s, without_s, 0);
    f->run.epoch_samples = 3200;
    adept_prediction p = predict(f);
    assert_close(p.step_time_s, without_s + 32e-3 / 100, 1e-12);
    assert_close(p.phases[ADEPT_PHASE_FIXED].time_s, 32e-3 / 100, 1e-12);
    free(f);
}

static void slower_links_never_shorten_the_step(void **state) {
    (void)state;
    fixture *f = make();
    f->w.gpus = 8;
    double direct_s = predict(f).step_time_s;
    f->spec.link_topology = ADEPT_LINK_NONE;
    adept_prediction p = predict(f);
    assert_true(p.step_time_s > direct_s);
    assert_true(has_note(&p, ADEPT_NOTE_LINK_IS_PCIE));
    free(f);
}

/* --- size --- */

/* More distinct kernels than are kept: those beyond are computed again and again, with the same result. */
static void many_distinct_kernels_predict_like_few(void **state) {
    (void)state;
    enum { MANY = OPERATOR_ITEMS_KEPT + 300 };
    fixture *f = make();
    adept_kernel *kernels = calloc(MANY, sizeof *kernels);
    adept_launch *launches = calloc(MANY, sizeof *launches);
    adept_kernel_cost *costs = calloc(MANY, sizeof *costs);
    adept_error err = ADEPT_ERROR_INIT;
    adept_prediction p;
    for (uint32_t i = 0; i < MANY; i++) {
        kernels[i] = f->kernels[i % 5];
        launches[i] = (adept_launch){i, i, 1};
    }
    f->run.power_limit_W = 120;
    f->run.launch_s = 1e-6;
    f->w.kernels = kernels;
    f->w.kernel_count = f->w.launch_count = MANY;
    f->w.launches = launches;
    assert_ok(adept_predict_with(&p, costs, &f->w, &f->spec, &f->theta, &f->run, &err), err);
    for (uint32_t i = 0; i < MANY; i++)
        launches[i].kernel %= 5;
    f->w.kernel_count = 5;
    adept_prediction few = predict(f);
    assert_close(p.step_time_s, few.step_time_s, 1e-9);
    assert_close(p.average_power_W, few.average_power_W, 1e-9);
    assert_close(costs[MANY - 1].time_s, costs[(MANY - 1) % 5].time_s, 1e-12);
    free(kernels);
    free(launches);
    free(costs);
    free(f);
}

/* Both variants; the limits rise, fall, repeat, and bind or not. */
static void prepared_predictions_are_single_ones_to_the_last_bit(void **state) {
    (void)state;
    const double limits_W[] = {0, 400, 90, 60, 250, 90, 1e4, 120.5, 0};
    uint64_t random = 11;
    fixture *f = make();
    adept_error err = ADEPT_ERROR_INIT;
    adept_prepared *prepared;
    assert_ok(adept_prepared_new(&prepared, &err), err);
    for (int i = 0; i < 60; i++) {
        if (i % 3 == 2)
            assert_ok(adept_theta_init(&f->theta, ADEPT_VARIANT_THESIS, NULL, &err), err);
        else
            f->theta = initial_theta();
        if (i % 3 == 1)
            draw_theta(&f->theta, &random);
        f->run.variant = f->theta.variant;
        f->run.clock_limit_Hz = i % 2 ? f->spec.boost_clock_Hz * (0.2 + uniform(&random)) : 0;
        f->w.gpus = 1 + i % 4;
        f->w.mode = i % 5 ? ADEPT_MODE_TRAIN : ADEPT_MODE_INFERENCE;
        assert_ok(adept_prepare(prepared, &f->w, &f->spec, &f->theta, &f->run, &err), err);
        for (size_t j = 0; j < sizeof limits_W / sizeof limits_W[0]; j++) {
            adept_prediction single, many;
            f->run.power_limit_W = limits_W[j];
            assert_ok(adept_predict_with(&single, NULL, &f->w, &f->spec, &f->theta, &f->run, &err), err);
            assert_ok(adept_predict_prepared(&many, prepared, limits_W[j], &err), err);
            assert_memory_equal(&single, &many, sizeof single); /* both begin as zero bytes */
        }
    }
    assert_int_equal(adept_predict_prepared(&(adept_prediction){0}, prepared, -1, &err), ADEPT_ARGUMENT);
    adept_prepared_free(prepared);
    free(f);
}

static void no_kernel_at_all_is_an_error(void **state) {
    (void)state;
    fixture *f = make();
    adept_error err = ADEPT_ERROR_INIT;
    adept_prediction p;
    f->w.launch_count = 0;
    assert_int_equal(adept_predict_with(&p, NULL, &f->w, &f->spec, &f->theta, &f->run, &err), ADEPT_RANGE);
    free(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_add_up_whatever_the_parameters),
        cmocka_unit_test(kernels_share_out_the_time_that_the_gpu_works),
        cmocka_unit_test(more_bandwidth_is_never_slower),
        cmocka_unit_test(lower_power_limit_lowers_clock_and_power_and_lengthens_the_step),
        cmocka_unit_test(limit_that_no_clock_holds_is_said),
        cmocka_unit_test(clock_limit_is_the_highest_clock),
        cmocka_unit_test(boards_without_a_fixed_clock_run_above_boost_while_power_allows),
        cmocka_unit_test(launch_bound_step_takes_the_hosts_time),
        cmocka_unit_test(busy_gpu_hides_the_host),
        cmocka_unit_test(queue_fills_while_a_long_kernel_runs),
        cmocka_unit_test(micro_batches_repeat_the_passes_but_not_the_optimizer),
        cmocka_unit_test(twice_the_gpus_is_never_less_energy_per_sample),
        cmocka_unit_test(backward_pass_hides_all_buckets_but_the_last),
        cmocka_unit_test(allreduce_is_a_ring_at_the_links_share),
        cmocka_unit_test(measured_collective_rate_replaces_that_of_the_links),
        cmocka_unit_test(first_batch_of_an_epoch_is_waited_for),
        cmocka_unit_test(slower_links_never_shorten_the_step),
        cmocka_unit_test(many_distinct_kernels_predict_like_few),
        cmocka_unit_test(prepared_predictions_are_single_ones_to_the_last_bit),
        cmocka_unit_test(no_kernel_at_all_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
