#include "test_support.h"

#include "meter.h"

/* A sensor with a counter, a power sensor, or both, that renews its value every 0.1 s. */
static sensor sensor_of(bool counter, bool power, double range_J) {
    return (sensor){.kind = ADEPT_DEVICE_GPU,
                    .name = "test",
                    .id = "0",
                    .counter_method = counter ? "counter" : NULL,
                    .power_method = power ? "power" : NULL,
                    .counter_range_J = range_J,
                    .refresh_s = 0.1};
}

static void add(meter *m, const sensor *of, double t_s, double counter_J, double power_W) {
    sensor_reading reading = {.has = (of->counter_method && counter_J >= 0 ? READ_COUNTER : 0U) |
                                     (of->power_method ? READ_POWER : 0U),
                              .counter_J = counter_J,
                              .power_W = power_W};
    meter_add(m, of, t_s, SENSOR_OK, &reading);
}

static adept_measured_device report(const meter *m, const sensor *of, double end_s, adept_arena *arena) {
    adept_measured_device device;
    assert_true(meter_report(m, of, end_s, arena, &device));
    return device;
}

static bool has_note(const adept_measured_device *device, const char *words) {
    for (size_t i = 0; i < device->note_count; i++)
        if (strstr(device->notes[i], words))
            return true;
    return false;
}

#define WITH_METER(counter, power, range)                                                                    \
    (void)state;                                                                                             \
    adept_arena *arena = adept_arena_new(0);                                                                 \
    sensor of = sensor_of(counter, power, range);                                                            \
    meter m;                                                                                                 \
    meter_begin(&m, 0)

static void trapezoids_of_a_ramp_give_its_triangle(void **state) {
    WITH_METER(false, true, 0);
    for (int i = 0; i <= 100; i++)
        add(&m, &of, i * 0.1, -1, 10.0 * i * 0.1);
    adept_measured_device d = report(&m, &of, 10, arena);
    assert_close(d.energy_J, 0.5 * 10 * 10 * 10, 1e-12);
    assert_close(d.average_power_W, 50, 1e-12);
    assert_close(d.power_W.max, 100, 1e-12);
    assert_close(d.steady_power_W, 10 * (10 + 0.1) / 2, 1e-9);
    assert_true(d.trusted);
    adept_arena_free(arena);
}

static void counter_is_preferred_to_sampled_power(void **state) {
    WITH_METER(true, true, 0);
    for (int i = 0; i <= 20; i++)
        add(&m, &of, i * 0.1, 500 + 30.0 * i * 0.1, 29);
    adept_measured_device d = report(&m, &of, 2, arena);
    assert_close(d.energy_J, 60, 1e-9);
    assert_string_equal(d.method, "counter");
    assert_true(d.trusted);
    adept_arena_free(arena);
}

static void wrapped_counter_goes_on_from_zero(void **state) {
    WITH_METER(true, false, 1000);
    double energy_J = 950;
    for (int i = 0; i <= 40; i++, energy_J += 60)
        add(&m, &of, i * 0.5, fmod(energy_J, 1000), 0);
    adept_measured_device d = report(&m, &of, 20, arena);
    assert_close(d.energy_J, 2400, 1e-12);
    assert_close(d.power_W.min, 120, 1e-9);
    assert_close(d.power_W.max, 120, 1e-9);
    assert_int_equal(m.wraps, 3);
    assert_true(has_note(&d, "wrapped around 3 times"));
    assert_true(d.trusted);
    adept_arena_free(arena);
}

static void gap_that_may_hide_a_wrap_is_flagged(void **state) {
    WITH_METER(true, false, 100);
    add(&m, &of, 0, 10, 0);
    add(&m, &of, 30, 20, 0);
    adept_measured_device d = report(&m, &of, 30, arena);
    assert_false(d.trusted);
    assert_true(has_note(&d, "wrapped around unseen"));
    adept_arena_free(arena);
}

static void counter_that_goes_back_is_filled_from_power(void **state) {
    WITH_METER(true, true, 0);
    for (int i = 0; i <= 50; i++)
        add(&m, &of, i * 0.1, i < 25 ? 7000 + 5.0 * i : 5.0 * (i - 25), 50);
    adept_measured_device d = report(&m, &of, 5, arena);
    assert_close(d.energy_J, 250, 1e-9);
    assert_false(d.trusted);
    assert_true(has_note(&d, "went back 1 times"));
    adept_arena_free(arena);
}

static void counter_standing_still_gives_way_to_power(void **state) {
    WITH_METER(true, true, 0);
    for (int i = 0; i <= 80; i++)
        add(&m, &of, i * 0.1, i < 20 ? 10.0 * i : 190, 100);
    adept_measured_device d = report(&m, &of, 8, arena);
    assert_close(d.energy_J, 800, 1e-9);
    assert_string_equal(d.method, "power");
    assert_false(d.trusted);
    assert_true(has_note(&d, "stood still"));
    adept_arena_free(arena);
}

static void idle_device_may_stand_still(void **state) {
    WITH_METER(true, true, 0);
    for (int i = 0; i <= 80; i++)
        add(&m, &of, i * 0.1, 190, 0);
    adept_measured_device d = report(&m, &of, 8, arena);
    assert_true(d.measured);
    assert_true(d.trusted);
    assert_true(d.energy_J == 0);
    adept_arena_free(arena);
}

static void lone_counter_standing_still_is_no_energy(void **state) {
    WITH_METER(true, false, 100);
    for (int i = 0; i <= 20; i++)
        add(&m, &of, i * 0.1, 42, 0);
    adept_measured_device d = report(&m, &of, 2, arena);
    assert_false(d.measured);
    assert_false(d.trusted);
    assert_true(has_note(&d, "stood still"));
    adept_arena_free(arena);
}

static void power_fills_in_between_readings_of_a_slow_counter(void **state) {
    WITH_METER(true, true, 0);
    for (int i = 0; i <= 25; i++)
        add(&m, &of, i * 0.1, i % 10 == 0 ? 4.0 * i : -1, 40);
    assert_close(meter_energy_J(&m, &of), 100, 1e-9);
    adept_arena_free(arena);
}

static void lost_device_keeps_its_energy_until_then(void **state) {
    WITH_METER(true, true, 0);
    for (int i = 0; i <= 25; i++)
        add(&m, &of, i * 0.1, i % 10 == 0 ? 4.0 * i : -1, 40);
    meter_add(&m, &of, 2.6, SENSOR_LOST, NULL);
    add(&m, &of, 2.7, 9999, 9999);
    adept_measured_device d = report(&m, &of, 10, arena);
    assert_close(d.energy_J, 100, 1e-9);
    assert_close(d.average_power_W, 40, 1e-9);
    assert_false(d.trusted);
    assert_true(has_note(&d, "disappeared 2.6 s after the start"));
    adept_arena_free(arena);
}

static void long_gap_in_sampled_power_is_interpolated_and_flagged(void **state) {
    WITH_METER(false, true, 0);
    for (int i = 0; i <= 100; i++)
        if (i <= 20 || i >= 60)
            add(&m, &of, i * 0.1, -1, 75);
        else
            meter_add(&m, &of, i * 0.1, SENSOR_FAILED, NULL);
    adept_measured_device d = report(&m, &of, 10, arena);
    assert_close(d.energy_J, 750, 1e-9);
    assert_close(d.longest_gap_s, 4, 1e-9);
    assert_int_equal(d.failed_samples, 39);
    assert_false(d.trusted);
    assert_true(has_note(&d, "no reading for 4.0 s"));
    adept_arena_free(arena);
}

static void gap_does_not_harm_a_counter(void **state) {
    WITH_METER(true, true, 0);
    for (int i = 0; i <= 100; i++)
        if (i <= 20 || i >= 60)
            add(&m, &of, i * 0.1, 7.0 * i, i <= 20 ? 70 : 10);
        else
            meter_add(&m, &of, i * 0.1, SENSOR_FAILED, NULL);
    adept_measured_device d = report(&m, &of, 10, arena);
    assert_close(d.energy_J, 700, 1e-9);
    assert_true(d.trusted);
    adept_arena_free(arena);
}

static void run_below_ten_sensor_periods_is_not_trusted(void **state) {
    WITH_METER(false, true, 0);
    of.window_s = 1;
    for (int i = 0; i <= 99; i++)
        add(&m, &of, i * 0.1, -1, 75);
    adept_measured_device d = report(&m, &of, 9.9, arena);
    assert_false(d.trusted);
    assert_true(has_note(&d, "shorter than 10 sensor periods of 1 s"));
    add(&m, &of, 10.1, -1, 75);
    d = report(&m, &of, 10.1, arena);
    assert_true(d.trusted);
    adept_arena_free(arena);
}

static void ramp_of_an_averaging_sensor_is_left_out_of_steady_power(void **state) {
    WITH_METER(false, true, 0);
    of.window_s = 1;
    for (int i = 0; i <= 200; i++)
        add(&m, &of, i * 0.1, -1,
            i < 10 ? 10.0 * i : 100); /* the mean of the last second of a step to 100 W */
    adept_measured_device d = report(&m, &of, 20, arena);
    assert_close(d.steady_power_W, 100, 1e-9);
    assert_true(d.average_power_W < 98);
    assert_true(has_note(&d, "ramp"));
    adept_arena_free(arena);
}

static void thermal_throttling_makes_a_run_doubtful_and_a_power_cap_does_not(void **state) {
    WITH_METER(false, true, 0);
    for (int i = 0; i <= 100; i++) {
        sensor_reading reading = {
            .has = READ_POWER | READ_THROTTLE, .power_W = 75, .throttle = 1U << ADEPT_THROTTLE_POWER_CAP};
        meter_add(&m, &of, i * 0.1, SENSOR_OK, &reading);
    }
    adept_measured_device d = report(&m, &of, 10, arena);
    assert_true(d.trusted);
    assert_close(d.throttle_share[ADEPT_THROTTLE_POWER_CAP], 1, 1e-12);
    sensor_reading hot = {
        .has = READ_POWER | READ_THROTTLE, .power_W = 75, .throttle = 1U << ADEPT_THROTTLE_HW_THERMAL};
    meter_add(&m, &of, 10.1, SENSOR_OK, &hot);
    d = report(&m, &of, 10.1, arena);
    assert_false(d.trusted);
    assert_true(has_note(&d, "hardware_thermal"));
    adept_arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trapezoids_of_a_ramp_give_its_triangle),
        cmocka_unit_test(counter_is_preferred_to_sampled_power),
        cmocka_unit_test(wrapped_counter_goes_on_from_zero),
        cmocka_unit_test(gap_that_may_hide_a_wrap_is_flagged),
        cmocka_unit_test(counter_that_goes_back_is_filled_from_power),
        cmocka_unit_test(counter_standing_still_gives_way_to_power),
        cmocka_unit_test(idle_device_may_stand_still),
        cmocka_unit_test(lone_counter_standing_still_is_no_energy),
        cmocka_unit_test(power_fills_in_between_readings_of_a_slow_counter),
        cmocka_unit_test(lost_device_keeps_its_energy_until_then),
        cmocka_unit_test(long_gap_in_sampled_power_is_interpolated_and_flagged),
        cmocka_unit_test(gap_does_not_harm_a_counter),
        cmocka_unit_test(run_below_ten_sensor_periods_is_not_trusted),
        cmocka_unit_test(ramp_of_an_averaging_sensor_is_left_out_of_steady_power),
        cmocka_unit_test(thermal_throttling_makes_a_run_doubtful_and_a_power_cap_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
