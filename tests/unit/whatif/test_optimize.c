#include <unistd.h>

#include "job.h"

static adept_optimum *optimum(const test_job *t, adept_optimize_options o) {
    adept_error err = ADEPT_ERROR_INIT;
    adept_optimum *out;
    if (o.price.pue == 0)
        o.price = (adept_price){NAN, NAN, 1, ""};
    assert_ok(adept_optimize(&out, &t->job, &o, &err), err);
    return out;
}

typedef struct brute {
    double best_J;
    const adept_sweep *sweep;
} brute;

static bool least_energy(const adept_sweep_row *row, void *user) {
    brute *b = user;
    double energy_J = row->prediction.energy_per_step_J / row->samples;
    if (row->prediction.fits_in_memory && energy_J < b->best_J)
        b->best_J = energy_J;
    return true;
}

/* The refined optimum is at least as good as a grid twenty times as fine. */
static void best_power_cap_beats_a_fine_grid(void **state) {
    (void)state;
    static const char *const over[] = {"power-limit"};
    static const char *const specs[] = {"power-limit=100:400:1201"};
    test_job t;
    adept_error err = ADEPT_ERROR_INIT;
    job_open(&t, "resnet50", "a100", ADEPT_VARIANT_OPERATOR);
    adept_optimum *o = optimum(&t, (adept_optimize_options){.over = over, .over_count = 1});
    adept_sweep *sweep;
    brute b = {HUGE_VAL, NULL};
    assert_ok(adept_sweep_new(&sweep, &t.job, specs, 1, &err), err);
    assert_ok(adept_sweep_run(sweep, least_energy, &b, &err), err);
    assert_true(adept_optimum_best(o)->energy_per_sample_J <= b.best_J * (1 + 1e-4));
    assert_true(adept_optimum_best(o)->energy_per_sample_J < adept_optimum_present(o)->energy_per_sample_J);
    adept_sweep_free(sweep);
    adept_optimum_free(o);
    job_close(&t);
}

static void front_has_no_point_that_another_beats(void **state) {
    (void)state;
    static const char *const over[] = {"power-limit", "batch", "precision"};
    static const char *const sweeps[] = {"batch=4,8,16"};
    test_job t;
    job_open(&t, "resnet50", "a100", ADEPT_VARIANT_OPERATOR);
    adept_optimum *o = optimum(
        &t, (adept_optimize_options){
                .over = over, .over_count = 3, .sweeps = sweeps, .sweep_count = 1, .goal = ADEPT_GOAL_EDP});
    size_t count = adept_optimum_front_count(o);
    assert_true(count > 3);
    for (size_t i = 1; i < count; i++) {
        const adept_optimum_point *a = adept_optimum_front(o, i - 1), *b = adept_optimum_front(o, i);
        assert_true(a->time_per_sample_s < b->time_per_sample_s);
        assert_true(a->energy_per_sample_J > b->energy_per_sample_J);
        assert_true(adept_optimum_best(o)->goal_per_sample <= a->goal_per_sample * (1 + 1e-12));
    }
    adept_optimum_free(o);
    job_close(&t);
}

static void constraints_hold_at_the_best_point(void **state) {
    (void)state;
    static const char *const over[] = {"power-limit"};
    test_job t;
    job_open(&t, "resnet50", "a100", ADEPT_VARIANT_OPERATOR);
    adept_optimum *free_o = optimum(&t, (adept_optimize_options){.over = over, .over_count = 1});
    double limit_s =
        0.5 * (adept_optimum_best(free_o)->step_time_s + adept_optimum_present(free_o)->step_time_s);
    adept_optimum *o =
        optimum(&t, (adept_optimize_options){.over = over, .over_count = 1, .max_step_time_s = limit_s});
    assert_true(adept_optimum_best(o)->step_time_s <= limit_s);
    assert_close(adept_optimum_best(o)->step_time_s, limit_s, 1e-4);
    adept_optimum *cool = optimum(
        &t,
        (adept_optimize_options){.over = over, .over_count = 1, .goal = ADEPT_GOAL_TIME, .max_power_W = 170});
    assert_true(adept_optimum_best(cool)->average_power_W <= 170);
    assert_true(adept_optimum_best(cool)->average_power_W > 160);
    adept_optimum_free(free_o);
    adept_optimum_free(o);
    adept_optimum_free(cool);
    job_close(&t);
}

static void no_point_says_which_constraint_failed(void **state) {
    (void)state;
    static const char *const over[] = {"power-limit"};
    test_job t;
    adept_error err = ADEPT_ERROR_INIT;
    adept_optimum *o;
    job_open(&t, "resnet50", "a100", ADEPT_VARIANT_OPERATOR);
    adept_optimize_options options = {
        .over = over, .over_count = 1, .max_step_time_s = 1e-6, .price = {NAN, NAN, 1, ""}
    };
    assert_int_equal(adept_optimize(&o, &t.job, &options, &err), ADEPT_RANGE);
    assert_non_null(strstr(err.message, "61 are slower than 1e-06 s"));
    options.goal = ADEPT_GOAL_COST;
    assert_int_equal(adept_optimize(&o, &t.job, &options, &err), ADEPT_ARGUMENT);
    job_close(&t);
}

/* Names are compared as names, not by their address or the bytes between fields. */
static void present_choice_is_found_by_its_name(void **state) {
    (void)state;
    static const char *const over[] = {"framework", "precision"};
    static const char *const sweeps[] = {"framework=pytorch", "precision=fp32,bf16-amp"};
    char name[] = "pytorch", buffer[40];
    test_job t;
    job_open(&t, "resnet50", "a100", ADEPT_VARIANT_OPERATOR);
    for (int given = 0; given < 2; given++) {
        t.run.framework = given ? name : NULL;
        adept_optimum *o = optimum(
            &t, (adept_optimize_options){.over = over, .over_count = 2, .sweeps = sweeps, .sweep_count = 2});
        const adept_optimum_point *present = adept_optimum_present(o);
        assert_string_equal(adept_optimum_text(o, present, 0, buffer), "pytorch");
        assert_string_equal(adept_optimum_text(o, present, 1, buffer), "bf16-amp");
        adept_optimum_free(o);
    }
    job_close(&t);
}

static void present_batch_is_the_networks_where_none_is_given(void **state) {
    (void)state;
    static const char *const over[] = {"batch"};
    char buffer[40];
    test_job t;
    job_open(&t, "resnet50", "a100", ADEPT_VARIANT_OPERATOR);
    t.run.batch = 0;
    adept_optimum *o = optimum(&t, (adept_optimize_options){.over = over, .over_count = 1});
    assert_string_equal(adept_optimum_text(o, adept_optimum_present(o), 0, buffer), "1");
    adept_optimum_free(o);
    job_close(&t);
}

/* MI250X: nothing gives the scale of its die. Time is optimised, nothing else, and there is no front. */
static void withheld_power_leaves_time_alone(void **state) {
    (void)state;
    static const char *const over[] = {"power-limit"};
    adept_error err = ADEPT_ERROR_INIT;
    test_job t;
    adept_optimum *o = NULL;
    adept_sensitivity *s;
    job_open(&t, "resnet50", "mi250x", ADEPT_VARIANT_OPERATOR);
    adept_optimize_options options = {
        .over = over, .over_count = 1, .goal = ADEPT_GOAL_EDP, .price = {NAN, NAN, 1, ""}
    };
    assert_int_equal(adept_optimize(&o, &t.job, &options, &err), ADEPT_RANGE);
    assert_non_null(strstr(err.message, "of 61, 61 have no power, which is withheld"));
    assert_null(strstr(err.message, "slower"));
    options.goal = ADEPT_GOAL_TIME;
    assert_ok(adept_optimize(&o, &t.job, &options, &err), err);
    assert_true(adept_optimum_best(o)->time_per_sample_s > 0);
    assert_int_equal(adept_optimum_front_count(o), 0);
    assert_ok(adept_sensitivity_new(&s, &t.job, &err), err);
    assert_true(adept_sensitivity_count(s) > 5);
    for (size_t i = 0; i < adept_sensitivity_count(s); i++) {
        assert_true(isfinite(adept_sensitivity_at(s, i)->time.above));
        assert_true(isnan(adept_sensitivity_at(s, i)->power.above));
        assert_true(isnan(adept_sensitivity_at(s, i)->energy.above));
    }
    adept_sensitivity_free(s);
    adept_optimum_free(o);
    job_close(&t);
}

/* Rent alone: the cheapest point is the fastest. */
static void cost_of_rent_alone_is_time(void **state) {
    (void)state;
    static const char *const over[] = {"power-limit"};
    test_job t;
    job_open(&t, "resnet50", "a100", ADEPT_VARIANT_OPERATOR);
    adept_optimum *o = optimum(
        &t, (adept_optimize_options){
                .over = over, .over_count = 1, .goal = ADEPT_GOAL_COST, .price = {2.5, NAN, 1, "USD"}
    });
    const adept_optimum_point *best = adept_optimum_best(o);
    assert_close(best->goal_per_sample, 2.5 * best->time_per_sample_s / 3600, 1e-12);
    assert_close(best->time_per_sample_s, adept_optimum_front(o, 0)->time_per_sample_s, 1e-9);
    adept_optimum_free(o);
    job_close(&t);
}

/* ---- totals ---- */

static void totals_follow_from_time_power_and_factors(void **state) {
    (void)state;
    test_job t;
    adept_error err = ADEPT_ERROR_INIT;
    adept_profile *profile;
    adept_prediction p;
    job_open(&t, "resnet50", "a100", ADEPT_VARIANT_OPERATOR);
    t.run.gpus = 4;
    assert_ok(adept_profile_build(&profile, t.graph, &t.run, &err), err);
    const adept_workload *w = adept_profile_workload(profile);
    assert_ok(adept_predict(&p, w, t.hardware, &t.run, &err), err);
    adept_total_options options = {
        6401, 0, 400, {2, 0.3, 1.5, "EUR"}
    };
    adept_total total = adept_total_of(&p, w, adept_hardware_spec_of(t.hardware), &options);
    assert_true(total.steps == 101); /* 64 samples a step */
    assert_false(total.node_scope);
    assert_close(total.hours, 101 * p.step_time_s / 3600, 1e-12);
    assert_close(total.energy_kWh, 101 * p.energy_per_step_J / 3.6e6 * 1.5, 1e-12);
    assert_close(total.carbon_g, 400 * total.energy_kWh, 1e-12);
    assert_close(total.money, 2 * 4 * total.hours + 0.3 * total.energy_kWh, 1e-12);
    options.price.gpu_hour = NAN;
    total = adept_total_of(&p, w, adept_hardware_spec_of(t.hardware), &options);
    assert_close(total.money, 0.3 * total.energy_kWh, 1e-12);
    adept_profile_free(profile);
    job_close(&t);
}

static void regions_carry_figure_year_and_source(void **state) {
    (void)state;
    adept_error err = ADEPT_ERROR_INIT;
    adept_economics *e;
    adept_carbon_region region;
    assert_ok(adept_economics_load(&e, NULL, &err), err);
    assert_ok(adept_economics_carbon(e, "fr", &region, &err), err);
    assert_true(region.g_per_kWh == 56 && region.year == 2023);
    assert_int_equal(adept_economics_carbon(e, "frr", &region, &err), ADEPT_ARGUMENT);
    for (size_t i = 0; i < adept_economics_region_count(e); i++) {
        region = adept_economics_region(e, i);
        assert_true(region.g_per_kWh > 10 && region.g_per_kWh < 1000 && region.year >= 2020);
        assert_true(strlen(region.source) > 10 && strlen(region.name) > 3);
    }
    adept_economics_free(e);
}

static void write_prices(const char *path, const char *row) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "item,price,unit,currency,source\nh100-sxm5-80gb,2.5,per GPU-hour,USD,example\n%s\n", row);
    fclose(file);
}

static void prices_come_from_the_users_file(void **state) {
    (void)state;
    static const struct {
        const char *row, *says; /* NULL: is accepted */
    } cases[] = {
        {"electricity,0.25,per kWh,USD,example",    NULL                                 },
        {"my-own-gpu,0.25,,USD,",                   NULL                                 },
        {"a100,x,per GPU-hour,USD,example",         "line 3: price = 'x' is not a number"},
        {"a100,-1,per GPU-hour,USD,example",        "'a100' has no price of at least 0"  },
        {"a100,,per GPU-hour,USD,example",          "'a100' has no price of at least 0"  },
        {"a100,1,per month,USD,example",            "give its price 'per GPU-hour'"      },
        {"electricity,250,per MWh,USD,example",     "give its price 'per kWh'"           },
        {"a100,1,per GPU-hour,EUR,example",         "in 'EUR', the first item in 'USD'"  },
        {"h100-sxm5-80gb,3,per GPU-hour,USD,other", "has a price already, in line 2"     },
        {",3,per GPU-hour,USD,other",               "line 3: no item"                    },
    };
    char path[] = "/tmp/adept-prices-XXXXXX";
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    close(descriptor);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        adept_error err = ADEPT_ERROR_INIT;
        adept_economics *e = NULL;
        write_prices(path, cases[i].row);
        adept_status status = adept_economics_load(&e, path, &err);
        assert_int_equal(status, cases[i].says ? ADEPT_FORMAT : ADEPT_OK);
        if (cases[i].says && !strstr(err.message, cases[i].says))
            fail_msg("%s: %s", cases[i].row, err.message);
        adept_economics_free(e);
    }
    unlink(path);
}

static void price_of_a_gpu_is_found_by_id_or_alias(void **state) {
    (void)state;
    char path[] = "/tmp/adept-prices-XXXXXX";
    int descriptor = mkstemp(path);
    adept_error err = ADEPT_ERROR_INIT;
    adept_economics *e;
    test_job t;
    assert_true(descriptor >= 0);
    close(descriptor);
    job_open(&t, "resnet50", "a100", ADEPT_VARIANT_OPERATOR);
    write_prices(path, "a100,1.5,per GPU-hour,USD,\nelectricity,0.25,per kWh,USD,");
    assert_ok(adept_economics_load(&e, path, &err), err);
    adept_price price = adept_economics_price(e, t.hardware);
    assert_true(price.gpu_hour == 1.5 && price.kWh == 0.25);
    assert_string_equal(price.currency, "USD");
    adept_economics_free(e);
    job_close(&t);
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(best_power_cap_beats_a_fine_grid),
        cmocka_unit_test(front_has_no_point_that_another_beats),
        cmocka_unit_test(constraints_hold_at_the_best_point),
        cmocka_unit_test(no_point_says_which_constraint_failed),
        cmocka_unit_test(present_choice_is_found_by_its_name),
        cmocka_unit_test(present_batch_is_the_networks_where_none_is_given),
        cmocka_unit_test(withheld_power_leaves_time_alone),
        cmocka_unit_test(cost_of_rent_alone_is_time),
        cmocka_unit_test(totals_follow_from_time_power_and_factors),
        cmocka_unit_test(regions_carry_figure_year_and_source),
        cmocka_unit_test(prices_come_from_the_users_file),
        cmocka_unit_test(price_of_a_gpu_is_found_by_id_or_alias),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
