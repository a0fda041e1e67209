#include "job.h"

typedef struct figures {
    double time_s, power_W;
} figures;

/* The step with a figure at a value, by the public road: a changed hardware, one prediction. */
static figures predict_at(const test_job *t, const adept_workload *w, const char *key, double value) {
    adept_error err = ADEPT_ERROR_INIT;
    adept_hardware *hardware;
    adept_prediction p;
    adept_theta theta;
    char setting[200];
    const char *list[] = {setting}, *dot = strrchr(key, '.');
    assert_ok(adept_hardware_copy(&hardware, t->hardware, &err), err);
    assert_ok(adept_theta_init(&theta, t->run.variant, hardware, &err), err);
    ptrdiff_t index = strncmp(key, "theta.", 6) == 0 ? adept_parameter_index(t->run.variant, dot + 1) : -1;
    if (index >= 0) {
        theta.value[index] = value; /* a parameter at its bound is moved beyond it */
    } else {
        snprintf(setting, sizeof setting, "%s=%.17g", key, value);
        assert_ok(adept_whatif_set(hardware, list, 1, &err), err);
    }
    assert_ok(adept_predict_with(&p, NULL, w, adept_hardware_spec_of(hardware), &theta, &t->run, &err), err);
    adept_hardware_free(hardware);
    return (figures){p.step_time_s, p.average_power_W};
}

/*
 * d ln y / d ln x by central differences in x itself (not in its logarithm), extrapolated twice (Richardson):
 * an independent scheme, O(h^6). *steady: two step sizes agree, so that no kink lies near.
 */
static figures elasticity(const test_job *t, const adept_workload *w, const adept_sensitivity_row *row,
                          double h, figures now) {
    figures d[3];
    for (int i = 0; i < 3; i++) {
        double step = row->value * h / (1 << i);
        figures up = predict_at(t, w, row->key, row->value + step);
        figures down = predict_at(t, w, row->key, row->value - step);
        d[i] = (figures){(up.time_s - down.time_s) / (2 * step) * row->value / now.time_s,
                         (up.power_W - down.power_W) / (2 * step) * row->value / now.power_W};
    }
    for (int order = 1, factor = 4; order < 3; order++, factor *= 4) {
        for (int i = 0; i + order < 3; i++) {
            d[i].time_s = (factor * d[i + 1].time_s - d[i].time_s) / (factor - 1);
            d[i].power_W = (factor * d[i + 1].power_W - d[i].power_W) / (factor - 1);
        }
    }
    return d[0];
}

static bool close_to(double a, double b) {
    return fabs(a - b) <= 1e-6 * fmax(1, fabs(b));
}

static void check(const char *graph, const char *gpu, adept_variant variant, double power_limit_W) {
    test_job t;
    adept_error err = ADEPT_ERROR_INIT;
    adept_sensitivity *s;
    adept_profile *profile;
    job_open(&t, graph, gpu, variant);
    t.run.power_limit_W = power_limit_W;
    assert_ok(adept_sensitivity_new(&s, &t.job, &err), err);
    assert_ok(adept_profile_build(&profile, t.graph, &t.run, &err), err);
    const adept_workload *w = adept_profile_workload(profile);
    size_t compared = 0, kinks = 0;
    for (size_t i = 0; i < adept_sensitivity_count(s); i++) {
        const adept_sensitivity_row *row = adept_sensitivity_at(s, i);
        figures now = predict_at(&t, w, row->key, row->value);
        figures coarse = elasticity(&t, w, row, 4e-4, now), fine = elasticity(&t, w, row, 3e-5, now);
        assert_close(row->energy.above, row->time.above + row->power.above, 1e-9);
        if (row->time.kink || row->power.kink) {
            kinks++;
            continue;
        }
        if (!close_to(coarse.time_s, fine.time_s) || !close_to(coarse.power_W, fine.power_W))
            continue; /* a kink lies within the test's own steps */
        compared++;
        if (!close_to(row->time.above, fine.time_s) || !close_to(row->power.above, fine.power_W))
            fail_msg("%s on %s, %s: %.9g, %.9g by differences %.9g, %.9g", graph, gpu, row->key,
                     row->time.above, row->power.above, fine.time_s, fine.power_W);
    }
    print_message("%s on %s, %s: %zu of %zu compared, %zu at kinks\n", graph, gpu,
                  adept_variant_name(variant), compared, adept_sensitivity_count(s), kinks);
    assert_true(compared * 2 > adept_sensitivity_count(s));
    adept_profile_free(profile);
    adept_sensitivity_free(s);
    job_close(&t);
}

static void equal_finite_differences_away_from_kinks(void **state) {
    (void)state;
    check("resnet50", "a100", ADEPT_VARIANT_OPERATOR, 0);
    check("resnet50", "a100", ADEPT_VARIANT_OPERATOR, 180);
    check("bert-base", "t4", ADEPT_VARIANT_OPERATOR, 0);
    check("gpt2-small", "h100", ADEPT_VARIANT_THESIS, 0);
}

/* On the two sides of the value another bound holds, and only beyond it. */
static void another_bound_takes_over_where_it_is_said(void **state) {
    (void)state;
    test_job t;
    adept_error err = ADEPT_ERROR_INIT;
    adept_sensitivity *s;
    adept_sweep *sweep;
    job_open(&t, "resnet50", "a100", ADEPT_VARIANT_THESIS);
    assert_ok(adept_sensitivity_new(&s, &t.job, &err), err);
    size_t found = 0;
    for (size_t i = 0; i < adept_sensitivity_count(s); i++) {
        const adept_sensitivity_row *row = adept_sensitivity_at(s, i);
        if (isnan(row->takeover_value) || strncmp(row->key, "spec.", 5) != 0)
            continue;
        found++;
        for (int side = -1; side <= 1; side += 2) { /* the bound differs on its two sides */
            char spec[200];
            const char *specs[] = {spec};
            double values[ADEPT_AXES_MAX] = {row->takeover_value * (1 + side * 1e-4)};
            adept_sweep_row at;
            bool beyond = (row->takeover_value > row->value) == (side > 0);
            snprintf(spec, sizeof spec, "%s=%.17g", row->key, values[0]);
            assert_ok(adept_sweep_new(&sweep, &t.job, specs, 1, &err), err);
            assert_ok(adept_sweep_evaluate(sweep, values, &at, &err), err);
            assert_true((at.prediction.bound != adept_sensitivity_bound(s)) == beyond);
            adept_sweep_free(sweep);
        }
    }
    print_message("%zu figures with a turning point\n", found);
    adept_sensitivity_free(s);
    job_close(&t);
}

/* The table's initial values, whatever is shipped: memory and compute are not far from each other. */
static void set_initial_parameters(adept_hardware *hardware) {
    adept_error err = ADEPT_ERROR_INIT;
    char setting[200];
    const char *list[] = {setting};
    for (size_t i = 0; i < adept_parameter_count(ADEPT_VARIANT_THESIS); i++) {
        const adept_parameter *p = adept_parameter_at(ADEPT_VARIANT_THESIS, i);
        snprintf(setting, sizeof setting, "theta.thesis.%s=%.17g", p->name, p->initial);
        assert_ok(adept_whatif_set(hardware, list, 1, &err), err);
    }
}

/* A job placed exactly where memory takes over from compute: the two sides of max() are both given. */
static void kink_gives_both_one_sided_values(void **state) {
    (void)state;
    test_job t;
    adept_error err = ADEPT_ERROR_INIT;
    adept_sensitivity *s;
    adept_hardware *start = NULL, *edge = NULL;
    char setting[200], key[100] = "";
    const char *list[] = {setting};
    job_open(&t, "resnet50", "a100", ADEPT_VARIANT_THESIS);
    assert_ok(adept_hardware_copy(&start, t.hardware, &err), err);
    set_initial_parameters(start);
    t.job.hardware = start;
    assert_ok(adept_sensitivity_new(&s, &t.job, &err), err);
    for (size_t i = 0; i < adept_sensitivity_count(s) && !*key; i++) {
        const adept_sensitivity_row *row = adept_sensitivity_at(s, i);
        if (!isnan(row->takeover_value) && strncmp(row->key, "spec.", 5) == 0) {
            snprintf(key, sizeof key, "%s", row->key);
            snprintf(setting, sizeof setting, "%s=%.17g", row->key, row->takeover_value);
        }
    }
    adept_sensitivity_free(s);
    assert_true(*key);
    assert_ok(adept_hardware_copy(&edge, start, &err), err);
    assert_ok(adept_whatif_set(edge, list, 1, &err), err);
    t.job.hardware = edge;
    assert_ok(adept_sensitivity_new(&s, &t.job, &err), err);
    bool found = false;
    for (size_t i = 0; i < adept_sensitivity_count(s); i++) {
        const adept_sensitivity_row *row = adept_sensitivity_at(s, i);
        if (strcmp(row->key, key) != 0)
            continue;
        found = true;
        assert_true(row->time.kink);
        assert_true(fabs(row->time.below - row->time.above) > 1e-3);
        for (int side = -1; side <= 1; side += 2) { /* differences of one side alone */
            adept_profile *profile;
            double h = 1e-6;
            assert_ok(adept_profile_build(&profile, t.graph, &t.run, &err), err);
            test_job at = t;
            at.hardware = edge;
            const adept_workload *w = adept_profile_workload(profile);
            double y0 = predict_at(&at, w, key, row->value).time_s;
            double y1 = predict_at(&at, w, key, row->value * (1 + side * h)).time_s;
            assert_close(side < 0 ? row->time.below : row->time.above, side * (y1 - y0) / (y0 * h), 1e-4);
            adept_profile_free(profile);
        }
    }
    assert_true(found);
    adept_sensitivity_free(s);
    adept_hardware_free(edge);
    adept_hardware_free(start);
    job_close(&t);
}

static void same_for_any_number_of_threads(void **state) {
    (void)state;
    test_job t;
    adept_error err = ADEPT_ERROR_INIT;
    adept_sensitivity *a, *b;
    job_open(&t, "resnet50", "a100", ADEPT_VARIANT_OPERATOR);
    t.job.threads = 1;
    assert_ok(adept_sensitivity_new(&a, &t.job, &err), err);
    t.job.threads = 3;
    assert_ok(adept_sensitivity_new(&b, &t.job, &err), err);
    assert_int_equal(adept_sensitivity_count(a), adept_sensitivity_count(b));
    for (size_t i = 0; i < adept_sensitivity_count(a); i++) {
        const adept_sensitivity_row *x = adept_sensitivity_at(a, i), *y = adept_sensitivity_at(b, i);
        assert_string_equal(x->key, y->key);
        assert_true(x->time.above == y->time.above && x->power.below == y->power.below);
    }
    adept_sensitivity_free(a);
    adept_sensitivity_free(b);
    job_close(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_finite_differences_away_from_kinks),
        cmocka_unit_test(another_bound_takes_over_where_it_is_said),
        cmocka_unit_test(kink_gives_both_one_sided_values),
        cmocka_unit_test(same_for_any_number_of_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
