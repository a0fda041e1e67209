/* Whole measurements of real commands, with stand-ins for driver and kernel files. */
#include "fake_tree.h"

#include <signal.h>
#include <sys/wait.h>

#include "adept/measure.h"

static const char *empty_root; /* a /sys without anything */

static int make_root(void **state) {
    (void)state;
    empty_root = fake_root(3);
    return 0;
}

static int remove_root(void **state) {
    (void)state;
    fake_remove(empty_root);
    return 0;
}

/* Runs a shell command under fake GPUs (script, NULL: no driver) and a fake /sys. */
static adept_measurement *measure(const char *script, const char *sysfs_root, const char *shell,
                                  adept_measure_options options) {
    const char *command[] = {"/bin/sh", "-c", shell, NULL};
    adept_error err = ADEPT_ERROR_INIT;
    adept_measurement *measurement = NULL;
    setenv("ADEPT_FAKE_NVML", script ? script : "", 1);
    options.command = command;
    options.nvml_library = script ? FAKE_NVML : "/nonexistent/libnvidia-ml.so.1";
    options.sysfs_root = sysfs_root;
    options.interval_s = options.interval_s > 0 ? options.interval_s : 0.02;
    assert_ok(adept_measure_run(&measurement, &options, &err), err);
    return measurement;
}

static const adept_measured_device *device(const adept_measurement *m, size_t index) {
    const adept_measure_summary *summary = adept_measurement_summary(m);
    assert_true(index < summary->device_count);
    return &summary->devices[index];
}

static bool has_note(const adept_measured_device *d, const char *words) {
    for (size_t i = 0; i < d->note_count; i++)
        if (strstr(d->notes[i], words))
            return true;
    return false;
}

static const adept_measure_options plain = {.interval_s = 0};

static void energy_counter_gives_power_times_time(void **state) {
    (void)state;
    adept_measurement *m = measure("gpus=2 power_W=250 1.power_W=50", empty_root, "sleep 1.2", plain);
    const adept_measure_summary *s = adept_measurement_summary(m);
    assert_int_equal(s->device_count, 2);
    for (size_t i = 0; i < 2; i++) {
        const adept_measured_device *d = device(m, i);
        assert_string_equal(d->method, "NVML total energy counter");
        assert_close(d->energy_J, (i ? 50 : 250) * d->duration_s, 0.01);
        assert_in_range((int)(d->duration_s * 1000), 1199, 5000);
        assert_close(d->power_W.max, i ? 50 : 250, 1e-9);
        assert_close(d->clock_Hz.mean, 1.5e9, 1e-9);
        assert_close(d->temperature_C.max, 61, 1e-9);
        assert_close(d->power_limit_W, 300, 1e-9);
        assert_true(d->trusted);
    }
    assert_close(s->energy_J, 300 * s->duration_s, 0.01);
    assert_close(s->peak_power_W, 300, 1e-9);
    assert_true(s->complete);
    assert_true(s->trusted);
    assert_string_equal(s->driver, "999.42");
    assert_int_equal(s->exit_code, 0);
    assert_true(s->processes >= 1);
    adept_measurement_free(m);
}

static void without_counter_the_power_sensor_is_integrated(void **state) {
    (void)state;
    const struct {
        const char *script, *method;
        double window_s;
    } cases[] = {
        {"no_counter power_W=120",                            "NVML instantaneous power, trapezoid rule",     0},
        {"no_counter no_instant power_W=120",                 "NVML power averaged over 1 s, trapezoid rule", 1},
        {"no_counter no_instant major=8 minor=0 power_W=120", "NVML power, trapezoid rule",                   0},
    };
    for (size_t i = 0; i < 3; i++) {
        adept_measurement *m = measure(cases[i].script, empty_root, "sleep 0.3", plain);
        const adept_measured_device *d = device(m, 0);
        assert_string_equal(d->method, cases[i].method);
        assert_true(d->window_s == cases[i].window_s);
        assert_close(d->energy_J, 120 * d->duration_s, 1e-6);
        adept_measurement_free(m);
    }
}

static void short_run_is_flagged(void **state) {
    (void)state;
    adept_measurement *m = measure("power_W=250", empty_root, "sleep 0.2", plain);
    assert_false(device(m, 0)->trusted);
    assert_true(has_note(device(m, 0), "shorter than 10 sensor periods"));
    assert_false(adept_measurement_summary(m)->trusted);
    adept_measurement_free(m);
}

static void gpu_that_disappears_keeps_its_energy_and_the_rest_goes_on(void **state) {
    (void)state;
    adept_measurement *m = measure("gpus=2 power_W=100 0.lost_s=0.5", empty_root, "sleep 1.3", plain);
    const adept_measured_device *gone = device(m, 0), *well = device(m, 1);
    assert_true(has_note(gone, "disappeared"));
    assert_false(gone->trusted);
    assert_close(gone->average_power_W, 100, 0.01);
    assert_true(gone->duration_s > 0.2 && gone->duration_s < 0.6);
    assert_true(well->trusted);
    assert_true(well->duration_s > 1.2);
    assert_false(adept_measurement_summary(m)->complete);
    adept_measurement_free(m);
}

static void counter_that_stops_is_replaced_by_sampled_power(void **state) {
    (void)state;
    adept_measurement *m = measure("power_W=100 still_s=0.2", empty_root, "sleep 5", plain);
    const adept_measured_device *d = device(m, 0);
    assert_string_equal(d->method, "NVML instantaneous power, trapezoid rule");
    assert_close(d->energy_J, 100 * d->duration_s, 0.01);
    assert_true(has_note(d, "stood still"));
    assert_false(d->trusted);
    adept_measurement_free(m);
}

static void sensor_gap_is_counted_and_does_not_end_the_measurement(void **state) {
    (void)state;
    adept_measurement *m =
        measure("no_counter power_W=100 gap_from_s=0.3 gap_to_s=0.8", empty_root, "sleep 1.2", plain);
    const adept_measured_device *d = device(m, 0);
    assert_true(d->failed_samples > 3);
    assert_true(d->longest_gap_s > 0.4 && d->longest_gap_s < 1.2);
    assert_close(d->energy_J, 100 * d->duration_s, 1e-6);
    assert_true(has_note(d, "readings failed"));
    adept_measurement_free(m);
}

static void gpu_without_sensors_and_driver_errors_are_listed(void **state) {
    (void)state;
    adept_measurement *m = measure("gpus=1 no_counter no_instant no_power", empty_root, "true", plain);
    const adept_measure_summary *s = adept_measurement_summary(m);
    assert_int_equal(s->device_count, 0);
    assert_non_null(strstr(s->missing[0].what, "neither energy nor power"));
    adept_measurement_free(m);
    m = measure("init_error=9", empty_root, "true", plain);
    assert_non_null(strstr(adept_measurement_summary(m)->missing[0].what, "Driver Not Loaded"));
    adept_measurement_free(m);
    m = measure("gpus=0", empty_root, "true", plain);
    assert_non_null(strstr(adept_measurement_summary(m)->missing[0].what, "no GPU visible"));
    adept_measurement_free(m);
}

static void gpus_are_chosen_by_number_or_uuid(void **state) {
    (void)state;
    adept_measure_options options = {.gpus = "GPU-fake-2,0"};
    adept_measurement *m = measure("gpus=4", empty_root, "true", options);
    assert_int_equal(adept_measurement_summary(m)->device_count, 2);
    assert_string_equal(device(m, 0)->id, "GPU-fake-0");
    assert_string_equal(device(m, 1)->id, "GPU-fake-2");
    adept_measurement_free(m);
    const char *command[] = {"true", NULL};
    adept_error err = ADEPT_ERROR_INIT;
    options = (adept_measure_options){
        .command = command, .gpus = "7", .nvml_library = FAKE_NVML, .sysfs_root = empty_root};
    assert_int_equal(adept_measure_run(&m, &options, &err), ADEPT_ARGUMENT);
    assert_null(m);
    assert_non_null(strstr(err.message, "'7'"));
}

static void foreign_process_on_the_gpu_is_noticed(void **state) {
    (void)state;
    char script[64];
    snprintf(script, sizeof script, "gpus=2 0.pid=%d", (int)getppid());
    adept_measurement *m = measure(script, empty_root, "sleep 0.3", plain);
    assert_int_equal(device(m, 0)->other_processes, 1);
    assert_int_equal(device(m, 0)->used, ADEPT_USE_UNKNOWN);
    assert_int_equal(device(m, 1)->used, ADEPT_USE_NO);
    adept_measurement_free(m);
}

/* 9 J, then 9.5 J, then past the range of 10 J to 0.7 J: 0.5 + 1.2 J. */
static void rapl_counter_wraps_around_during_a_run(void **state) {
    (void)state;
    const char *root = fake_root(0);
    char shell[512];
    fake_file(root, "class/powercap/intel-rapl:0/name", "package-0\n");
    fake_file(root, "class/powercap/intel-rapl:0/max_energy_range_uj", "10000000\n");
    fake_file(root, "class/powercap/intel-rapl:0/energy_uj", "9000000\n");
    snprintf(shell, sizeof shell,
             "f=%s/class/powercap/intel-rapl:0/energy_uj; sleep 0.2; echo 9500000 >$f; sleep 0.2; echo "
             "700000 >$f; sleep 0.1",
             root);
    adept_measurement *m = measure(NULL, root, shell, plain);
    const adept_measured_device *d = device(m, 0);
    assert_int_equal(d->kind, ADEPT_DEVICE_CPU);
    assert_close(d->energy_J, 1.7, 1e-9);
    assert_true(has_note(d, "wrapped around 1 times"));
    adept_measurement_free(m);
    fake_remove(root);
}

static void dram_model_is_used_only_without_a_dram_domain(void **state) {
    (void)state;
    const char *root = fake_root(0);
    adept_measure_options options = {.dimm_count = 4, .dimm_B = 64.0 * 1073741824};
    adept_measurement *m = measure(NULL, root, "sleep 0.3", options);
    assert_true(device(m, 0)->modelled);
    assert_close(device(m, 0)->energy_J, 4 * 6 * 0.30 * device(m, 0)->duration_s, 1e-9);
    adept_measurement_free(m);
    fake_file(root, "class/powercap/intel-rapl:0/name", "package-0\n");
    fake_file(root, "class/powercap/intel-rapl:0/energy_uj", "1\n");
    fake_file(root, "class/powercap/intel-rapl:0:0/name", "dram\n");
    fake_file(root, "class/powercap/intel-rapl:0:0/energy_uj", "1\n");
    m = measure(NULL, root, "true", options);
    assert_int_equal(adept_measurement_summary(m)->device_count, 2);
    assert_false(device(m, 1)->modelled);
    adept_measurement_free(m);
    fake_remove(root);
}

static void whole_tree_is_followed_unless_told_otherwise(void **state) {
    (void)state;
    adept_measurement *m = measure(NULL, empty_root, "(setsid sleep 0.6 &) ; sleep 0.2; exit 5", plain);
    const adept_measure_summary *s = adept_measurement_summary(m);
    assert_int_equal(s->exit_code, 5);
    assert_true(s->command_s < 0.55);
    assert_true(s->duration_s > 0.55);
    assert_int_equal(s->left_running, 0);
    assert_true(s->processes >= 2);
    adept_measurement_free(m);
    m = measure(NULL, empty_root, "sleep 0.6 & exit 5", (adept_measure_options){.leave_descendants = true});
    s = adept_measurement_summary(m);
    assert_int_equal(s->exit_code, 5);
    assert_true(s->duration_s < 0.5);
    assert_int_equal(s->left_running, 1);
    assert_int_equal(s->note_count, 2);
    adept_measurement_free(m);
    while (waitpid(-1, NULL, 0) > 0) /* the one left behind may still be ours */
        continue;
}

static void memory_of_the_tree_is_seen(void **state) {
    (void)state;
    adept_measurement *m = measure(
        NULL, empty_root, "head -c 60000000 /dev/zero | tail -c 50000000 | (sleep 1.3; wc -c)", plain);
    const adept_measure_summary *s = adept_measurement_summary(m);
    assert_true(s->processes >= 3);
    assert_true(s->peak_resident_B > 45e6);
    assert_true(s->memory_share > 0 && s->memory_share <= 1);
    assert_true(s->command_cpu_s > 0);
    adept_measurement_free(m);
}

static void signals_and_mask_are_as_before_afterwards(void **state) {
    (void)state;
    sigset_t before, after;
    struct sigaction action, ignore = {.sa_handler = SIG_IGN};
    sigemptyset(&ignore.sa_mask);
    sigaction(SIGCHLD, &ignore, NULL);
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    adept_measurement *m = measure(NULL, empty_root, "exit 9", plain);
    assert_int_equal(adept_measurement_summary(m)->exit_code, 9); /* although SIGCHLD was ignored */
    adept_measurement_free(m);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    sigaction(SIGCHLD, NULL, &action);
    assert_true(action.sa_handler == SIG_IGN);
    for (int number = 1; number < 32; number++)
        assert_int_equal(sigismember(&before, number), sigismember(&after, number));
    action.sa_handler = SIG_DFL;
    sigaction(SIGCHLD, &action, NULL);
}

static void command_that_cannot_run_is_an_error(void **state) {
    (void)state;
    adept_measurement *m;
    adept_error err = ADEPT_ERROR_INIT;
    const char *absent[] = {"/nonexistent/program", NULL}, *folder[] = {"/tmp", NULL}, *none[] = {NULL};
    adept_measure_options options = {
        .command = absent, .sysfs_root = empty_root, .nvml_library = "/nonexistent"};
    assert_int_equal(adept_measure_run(&m, &options, &err), ADEPT_ARGUMENT);
    assert_non_null(strstr(err.message, "/nonexistent/program"));
    options.command = folder;
    assert_int_equal(adept_measure_run(&m, &options, &err), ADEPT_IO);
    options.command = none;
    assert_int_equal(adept_measure_run(&m, &options, &err), ADEPT_ARGUMENT);
}

static void count_live(void *context, const adept_measure_live *now) {
    int *calls = context;
    assert_true(now->elapsed_s > 0);
    assert_true(now->energy_J > 0);
    assert_close(now->power_W, 200, 1e-9);
    ++*calls;
}

static void live_figures_come_about_twice_a_second(void **state) {
    (void)state;
    int calls = 0;
    adept_measure_options options = {.live = count_live, .live_context = &calls};
    adept_measurement_free(measure("power_W=200", empty_root, "sleep 1.3", options));
    assert_in_range(calls, 2, 4);
}

static void sampling_stays_below_one_percent_of_a_core(void **state) {
    (void)state;
    /* A wish for a sample every millisecond is stretched to what the budget allows. */
    adept_measurement *m =
        measure("gpus=8", empty_root, "sleep 3", (adept_measure_options){.interval_s = 0.001});
    const adept_measure_summary *s = adept_measurement_summary(m);
    print_message("measurer: %.3f %% of a core, every %.4f s\n", 100 * s->measurer_share, s->interval_s);
    assert_true(s->measurer_share < 0.01);
    assert_true(s->interval_s > 0.001);
    adept_measurement_free(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(energy_counter_gives_power_times_time),
        cmocka_unit_test(without_counter_the_power_sensor_is_integrated),
        cmocka_unit_test(short_run_is_flagged),
        cmocka_unit_test(gpu_that_disappears_keeps_its_energy_and_the_rest_goes_on),
        cmocka_unit_test(counter_that_stops_is_replaced_by_sampled_power),
        cmocka_unit_test(sensor_gap_is_counted_and_does_not_end_the_measurement),
        cmocka_unit_test(gpu_without_sensors_and_driver_errors_are_listed),
        cmocka_unit_test(gpus_are_chosen_by_number_or_uuid),
        cmocka_unit_test(foreign_process_on_the_gpu_is_noticed),
        cmocka_unit_test(rapl_counter_wraps_around_during_a_run),
        cmocka_unit_test(dram_model_is_used_only_without_a_dram_domain),
        cmocka_unit_test(whole_tree_is_followed_unless_told_otherwise),
        cmocka_unit_test(memory_of_the_tree_is_seen),
        cmocka_unit_test(signals_and_mask_are_as_before_afterwards),
        cmocka_unit_test(command_that_cannot_run_is_an_error),
        cmocka_unit_test(live_figures_come_about_twice_a_second),
        cmocka_unit_test(sampling_stays_below_one_percent_of_a_core),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
