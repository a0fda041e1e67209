/* The parameter tables, and docs/parameters.md, which is printed from them (ADEPT_RENEW=1 prints it anew). */
#include "test_support.h"

#include "adept/prediction.h"

static void every_row_is_sound(void **state) {
    (void)state;
    for (int v = 0; v < ADEPT_VARIANT_COUNT; v++) {
        adept_variant variant = (adept_variant)v;
        for (size_t i = 0; i < adept_parameter_count(variant); i++) {
            const adept_parameter *p = adept_parameter_at(variant, i);
            bool sound = isfinite(p->lower) && isfinite(p->upper) && p->lower < p->upper &&
                         p->initial >= p->lower && p->initial <= p->upper && *p->unit && *p->meaning &&
                         (p->time || p->power) && (!p->logarithmic || p->lower > 0);
            if (!sound)
                fail_msg("%s: unsound row", p->name);
            assert_int_equal(adept_parameter_index(variant, p->name), i);
        }
    }
    assert_int_equal(adept_parameter_index(ADEPT_VARIANT_THESIS, "absent"), -1);
}

static void without_hardware_all_values_are_initial_ones(void **state) {
    (void)state;
    adept_error err = ADEPT_ERROR_INIT;
    adept_theta theta;
    assert_ok(adept_theta_init(&theta, ADEPT_VARIANT_THESIS, NULL, &err), err);
    assert_int_equal(theta.count, adept_parameter_count(ADEPT_VARIANT_THESIS));
    for (size_t i = 0; i < theta.count; i++) {
        assert_true(theta.value[i] == adept_parameter_at(ADEPT_VARIANT_THESIS, i)->initial);
        assert_int_equal(theta.provenance[i], ADEPT_PROVENANCE_DEFAULT);
    }
}

static void print_table(FILE *out, adept_variant variant) {
    fprintf(out, "\n## Variant `%s`\n\n", adept_variant_name(variant));
    fprintf(out,
            "| name | unit | bounds | initial | free | changes | meaning |\n|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < adept_parameter_count(variant); i++) {
        const adept_parameter *p = adept_parameter_at(variant, i);
        fprintf(out, "| `%s` | %s | %g to %g%s | %g | %s | %s | %s |\n", p->name, p->unit, p->lower, p->upper,
                p->logarithmic ? ", log" : "", p->initial, p->free ? "yes" : "no",
                p->time && p->power ? "time, power"
                : p->time           ? "time"
                                    : "power",
                p->meaning);
    }
}

static void print_document(FILE *out) {
    fputs("# Parameters theta_H\n\n"
          "Printed from the tables in `models/`; a test keeps this page current (`ADEPT_RENEW=1` renews it). "
          "Values\n"
          "come from hardware files, `theta.VARIANT.NAME`, with their provenance; without one the initial "
          "value holds\n"
          "and the prediction says so. *free*: fitted unless fixed by the user; *log*: searched on a "
          "logarithmic scale.\n"
          "*of TDP* and *of link* are shares of the hardware's figure, so that they move between GPUs.\n",
          out);
    for (int v = 0; v < ADEPT_VARIANT_COUNT; v++) {
        if (adept_parameter_count((adept_variant)v))
            print_table(out, (adept_variant)v);
    }
}

static void documentation_is_current(void **state) {
    (void)state;
    static const char path[] = ADEPT_SOURCE_DIR "/docs/parameters.md";
    char *expected = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&expected, &size);
    print_document(out);
    fclose(out);
    if (getenv("ADEPT_RENEW")) {
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fputs(expected, file);
        fclose(file);
    }
    char *actual = calloc(1, size + 2);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t length = fread(actual, 1, size + 1, file);
    fclose(file);
    if (length != size || memcmp(actual, expected, size) != 0)
        fail_msg("%s is not what the tables say; run this test with ADEPT_RENEW=1", path);
    free(actual);
    free(expected);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_sound),
        cmocka_unit_test(without_hardware_all_values_are_initial_ones),
        cmocka_unit_test(documentation_is_current),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
