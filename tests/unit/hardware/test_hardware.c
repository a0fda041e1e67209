#include "test_support.h"

#include <sys/stat.h>
#include <unistd.h>

#include "adept/hardware.h"

/* A folder of its own for hardware files, which is all that the search path then finds first. */
static char folder[256];

static int make_folder(void **state) {
    (void)state;
    char path[300];
    snprintf(folder, sizeof folder, "/tmp/adept-hardware-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/hardware", folder);
    setenv("ADEPT_DATA", folder, 1);
    return mkdir(path, 0700);
}

static const char *write_file(const char *name, const char *text) {
    static char path[512];
    snprintf(path, sizeof path, "%s/hardware/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    return path;
}

static int remove_folder(void **state) {
    (void)state;
    char command[300];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    return system(command);
}

#define WHOLE                                                                                                \
    "{\"id\": \"toy\", \"aliases\": [\"plaything\"], \"family\": \"Volta\", \"memory_type\": \"HBM2\","      \
    "\"spec\": {\"sm_count\": 10, \"boost_clock_Hz\": 1e9, \"memory_bandwidth_B_per_s\": 1e11,"              \
    "\"memory_B\": 8e9, \"l2_B\": 1e6, \"tdp_W\": 100, \"idle_power_W\": null},"                             \
    "\"peak_flop_per_s\": {\"fp32\": 1e12, \"fp16_tensor\": 8e12}}"

static adept_hardware *load_ok(const char *name) {
    adept_error err = ADEPT_ERROR_INIT;
    adept_hardware *hardware = NULL;
    assert_ok(adept_hardware_load(&hardware, name, &err), err);
    return hardware;
}

static void load_fails(const char *name, adept_status status, const char *says) {
    adept_error err = ADEPT_ERROR_INIT;
    adept_hardware *hardware = NULL;
    adept_status got = adept_hardware_load(&hardware, name, &err);
    if (got != status || hardware || !strstr(err.message, says))
        fail_msg("%s gives %d '%s', expected %d '%s'", name, (int)got, err.message, (int)status, says);
}

static double get(const adept_hardware *hardware, const char *path, adept_hardware_origin *origin) {
    adept_error err = ADEPT_ERROR_INIT;
    double value;
    assert_ok(adept_hardware_get(hardware, path, &value, origin, &err), err);
    return value;
}

static void loads_by_id_alias_and_path(void **state) {
    (void)state;
    const char *path = write_file("toy.json", WHOLE);
    const char *const names[] = {"toy", "plaything", path};
    for (size_t i = 0; i < 3; i++) {
        adept_hardware *hardware = load_ok(names[i]);
        assert_string_equal(adept_hardware_id(hardware), "toy");
        assert_string_equal(adept_hardware_file(hardware), path);
        assert_int_equal(adept_hardware_spec_of(hardware)->family, ADEPT_GPU_FAMILY_VOLTA);
        adept_hardware_free(hardware);
    }
    load_fails("playthin", ADEPT_ARGUMENT, "did you mean 'plaything'?");
    load_fails("no-such-gpu-at-all", ADEPT_ARGUMENT, "adept hw list");
    load_fails("/nonexistent/x.json", ADEPT_IO, "cannot open");
}

static void missing_numbers_get_documented_defaults_and_say_so(void **state) {
    (void)state;
    write_file("toy.json", WHOLE);
    adept_hardware *hardware = load_ok("toy");
    adept_hardware_origin origin;
    assert_close(get(hardware, "spec.idle_power_W", &origin), 13, 1e-12);
    assert_int_equal(origin, ADEPT_ORIGIN_DERIVED);
    assert_close(get(hardware, "spec.tdp_W", &origin), 100, 1e-12);
    assert_int_equal(origin, ADEPT_ORIGIN_FILE);
    assert_true(isnan(get(hardware, "peak_flop_per_s.tf32", &origin)));
    assert_int_equal(origin, ADEPT_ORIGIN_UNKNOWN);
    adept_hardware_free(hardware);
}

static void setting_a_field_recomputes_what_is_derived_from_it(void **state) {
    (void)state;
    adept_error err = ADEPT_ERROR_INIT;
    write_file("toy.json", WHOLE);
    adept_hardware *hardware = load_ok("toy");
    adept_hardware *copy = NULL;
    adept_hardware_origin origin;
    assert_ok(adept_hardware_copy(&copy, hardware, &err), err);
    assert_ok(adept_hardware_set(copy, "spec.tdp_W", 200, &err), err);
    assert_close(adept_hardware_spec_of(copy)->idle_power_W, 26, 1e-12);
    assert_close(adept_hardware_spec_of(hardware)->idle_power_W, 13, 1e-12);
    get(copy, "spec.tdp_W", &origin);
    assert_int_equal(origin, ADEPT_ORIGIN_SET);
    assert_int_equal(adept_hardware_set(copy, "spec.tdp_W", 1e9, &err), ADEPT_RANGE);
    assert_non_null(strstr(err.message, "spec.tdp_W = 1000000000 is above 5000; give watts"));
    assert_int_equal(adept_hardware_set(copy, "spec.tdp_W", NAN, &err), ADEPT_RANGE);
    assert_int_equal(adept_hardware_set(copy, "tdp", 100, &err), ADEPT_ARGUMENT);
    assert_non_null(strstr(err.message, "did you mean 'spec.tdp_W'?"));
    assert_ok(adept_hardware_set(copy, "theta.operator.g", 1.5, &err), err);
    assert_close(get(copy, "theta.operator.g", &origin), 1.5, 0);
    assert_int_equal(adept_hardware_set(copy, "theta.nonsense.g", 1.5, &err), ADEPT_ARGUMENT);
    adept_hardware_free(copy);
    adept_hardware_free(hardware);
}

static void a_file_overrides_single_keys_of_what_it_inherits(void **state) {
    (void)state;
    adept_hardware_origin origin;
    write_file("toy.json", WHOLE);
    const char *path =
        write_file("mine.json", "{\"inherits\": \"plaything\", \"spec\": {\"tdp_W\": 50, \"l2_B\": 2e6},"
                                "\"peak_flop_per_s\": {\"fp16_tensor\": null}}");
    adept_hardware *hardware = load_ok(path);
    assert_string_equal(adept_hardware_id(hardware), "toy");
    assert_int_equal(adept_hardware_alias_count(hardware), 0);
    assert_close(get(hardware, "spec.tdp_W", &origin), 50, 0);
    assert_close(get(hardware, "spec.sm_count", &origin), 10, 0);
    assert_true(isnan(get(hardware, "peak_flop_per_s.fp16_tensor", &origin)));
    adept_hardware_free(hardware);
}

static void inheritance_in_a_circle_is_refused(void **state) {
    (void)state;
    write_file("a.json", "{\"inherits\": \"b\"}");
    write_file("b.json", "{\"inherits\": \"a\"}");
    load_fails("a", ADEPT_LIMIT, "or from itself");
    write_file("a.json", "{\"inherits\": \"nothing-there\"}");
    load_fails("a", ADEPT_ARGUMENT, "inherits 'nothing-there'");
}

static void wrong_files_are_refused_with_file_key_and_unit(void **state) {
    (void)state;
    write_file("toy.json", WHOLE);
    static const struct {
        const char *text, *says;
        adept_status status;
    } bad[] = {
        {"{}",                                                                             "spec.sm_count: missing",                             ADEPT_FORMAT},
        {"[]",                                                                             "expected an object",                                 ADEPT_FORMAT},
        {"{\"inherits\": \"toy\", \"specs\": {}}",                                         "specs: this key is not known; did you mean 'spec'?",
         ADEPT_FORMAT                                                                                                                                        },
        {"{\"inherits\": \"toy\", \"spec\": {\"tdp_w\": 1}}",
         "spec.tdp_w: this key is not known; did you mean 'tdp_W'",                                                                              ADEPT_FORMAT},
        {"{\"inherits\": \"toy\", \"spec\": {\"memory_bandwidth_B_per_s\": 2039}}",
         "spec.memory_bandwidth_B_per_s: 2039 is below 1000000000; give bytes per second, not GB/s",                                             ADEPT_RANGE },
        {"{\"inherits\": \"toy\", \"spec\": {\"tdp_W\": \"400\"}}",                        "is a string, expected a number in watts",
         ADEPT_FORMAT                                                                                                                                        },
        {"{\"inherits\": \"toy\", \"spec\": {\"tdp_W\": null}}",                           "spec.tdp_W: missing; give watts",
         ADEPT_FORMAT                                                                                                                                        },
        {"{\"inherits\": \"toy\", \"family\": \"volta\"}",                                 "'volta' is not one of other, Pascal, Volta",
         ADEPT_FORMAT                                                                                                                                        },
        {"{\"inherits\": \"toy\", \"link\": {\"topology\": \"nvswitch\"}}",                "link.bandwidth_B_per_s: missing",
         ADEPT_FORMAT                                                                                                                                        },
        {"{\"inherits\": \"toy\", \"spec\": {\"min_power_limit_W\": 120}}",
         "a lower figure above its upper one",                                                                                                   ADEPT_RANGE },
        {"{\"inherits\": \"toy\", \"sources\": {\"spec.tdp\": \"x\"}}",                    "sources.spec.tdp",                                   ADEPT_FORMAT},
        {"{\"inherits\": \"toy\", \"theta\": {\"thesis\": {\"t_kern\": 1}}}",              "expected an object",
         ADEPT_FORMAT                                                                                                                                        },
        {"{\"inherits\": \"toy\", \"theta\": {\"thesis\": {\"t_kern\": {\"value\": 1}}}}",
         "provenance: missing",                                                                                                                  ADEPT_FORMAT},
        {"{\"inherits\": \"toy\", \"theta\": {\"thesis\": {\"t_kern\": {\"value\": 1, \"provenance\": "
         "\"guessed\"}}}}",                                                       "must begin with default",                            ADEPT_FORMAT},
        {"{\"inherits\": \"toy\", \"measured\": {\"gemm_flop_per_s\": {\"fp33\": 1e12}}}",
         "did you mean 'fp32'",                                                                                                                  ADEPT_FORMAT},
        {"{\"inherits\": \"toy\", \"notes\": [1]}",                                        "notes[0]: expected a string",                        ADEPT_FORMAT},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *path = write_file("bad.json", bad[i].text);
        load_fails(path, bad[i].status, bad[i].says);
    }
    unlink(write_file("bad.json", ""));
}

static void what_is_written_reads_back_as_the_same_hardware(void **state) {
    (void)state;
    adept_error err = ADEPT_ERROR_INIT;
    write_file("toy.json", WHOLE);
    adept_hardware *hardware = load_ok("toy");
    adept_hardware_origin origin;
    const adept_hardware_interval interval = {0.8, 0.9, 1.2, 0.95, NAN};
    assert_ok(adept_hardware_set(hardware, "spec.l2_B", 3e6, &err), err);
    assert_ok(adept_hardware_set(hardware, "measured.gemm_flop_per_s.fp32", 9e11, &err), err);
    assert_ok(adept_hardware_set_parameter(hardware, ADEPT_VARIANT_THESIS, "t_kern", 1.0 / 3e5,
                                           ADEPT_PROVENANCE_FITTED, "zeus.csv, 12 rows", &err),
              err);
    assert_ok(adept_hardware_set_fit(hardware, ADEPT_VARIANT_THESIS, "seed 1", &err), err);
    adept_hardware_set_interval(hardware, ADEPT_VARIANT_OPERATOR, &interval);
    adept_hardware_set_saturation(hardware, ADEPT_SATURATION_TANH);

    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    assert_ok(adept_hardware_write(hardware, out, &err), err);
    fclose(out);
    adept_hardware *again = load_ok(write_file("again.json", text));
    assert_string_equal(adept_hardware_id(again), "toy");
    assert_close(get(again, "spec.l2_B", &origin), 3e6, 0);
    assert_close(get(again, "measured.gemm_flop_per_s.fp32", &origin), 9e11, 0);
    const adept_hardware_parameter *parameter = adept_hardware_parameter_at(again, ADEPT_VARIANT_THESIS, 0);
    assert_string_equal(parameter->name, "t_kern");
    assert_true(parameter->value == 1.0 / 3e5);
    assert_int_equal(parameter->provenance, ADEPT_PROVENANCE_FITTED);
    assert_string_equal(parameter->detail, "zeus.csv, 12 rows");
    assert_string_equal(adept_hardware_fit(again, ADEPT_VARIANT_THESIS), "seed 1");
    assert_close(adept_hardware_interval_of(again, ADEPT_VARIANT_OPERATOR).time_upper, 1.2, 0);
    assert_true(isnan(adept_hardware_interval_of(again, ADEPT_VARIANT_OPERATOR).power_upper));
    assert_int_equal(adept_hardware_saturation(again), ADEPT_SATURATION_TANH);
    free(text);
    adept_hardware_free(again);
    adept_hardware_free(hardware);
}

static adept_peak_choice matrix(const double peaks[][2], size_t count, adept_math math) {
    adept_hardware_spec spec;
    for (int i = 0; i < ADEPT_PEAK_COUNT; i++)
        spec.peak_flop_per_s[i] = NAN;
    for (size_t i = 0; i < count; i++)
        spec.peak_flop_per_s[(int)peaks[i][0]] = peaks[i][1];
    return adept_peak_for_matrix(&spec, math);
}

static void matrix_work_runs_on_the_best_unit_there_is(void **state) {
    (void)state;
    const double v100[][2] = {
        {ADEPT_PEAK_FP32,        15e12 },
        {ADEPT_PEAK_FP16,        31e12 },
        {ADEPT_PEAK_FP16_TENSOR, 125e12}
    };
    const double mi210[][2] = {
        {ADEPT_PEAK_FP32,        22e12 },
        {ADEPT_PEAK_FP32_MATRIX, 45e12 },
        {ADEPT_PEAK_BF16_TENSOR, 181e12}
    };
    const double p4[][2] = {
        {ADEPT_PEAK_FP32, 5.5e12  },
        {ADEPT_PEAK_FP16, 0.089e12},
        {ADEPT_PEAK_INT8, 21.8e12 }
    };
    const double p100[][2] = {
        {ADEPT_PEAK_FP32, 9.5e12},
        {ADEPT_PEAK_FP16, 19e12 }
    };
    const struct {
        adept_peak_choice got;
        adept_peak unit;
        bool fallback;
    } cases[] = {
        {matrix(v100,  3, ADEPT_MATH_FP32), ADEPT_PEAK_FP32,        false},
        {matrix(v100,  3, ADEPT_MATH_FP16), ADEPT_PEAK_FP16_TENSOR, false},
        {matrix(v100,  3, ADEPT_MATH_BF16), ADEPT_PEAK_FP32,        true },
        {matrix(v100,  3, ADEPT_MATH_TF32), ADEPT_PEAK_FP32,        true },
        {matrix(v100,  3, ADEPT_MATH_INT8), ADEPT_PEAK_FP32,        true },
        {matrix(mi210, 3, ADEPT_MATH_FP32), ADEPT_PEAK_FP32_MATRIX, false},
        {matrix(mi210, 3, ADEPT_MATH_BF16), ADEPT_PEAK_BF16_TENSOR, false},
        {matrix(p4,    3, ADEPT_MATH_FP16), ADEPT_PEAK_FP32,        true },
        {matrix(p4,    3, ADEPT_MATH_INT8), ADEPT_PEAK_INT8,        false},
        {matrix(p100,  2, ADEPT_MATH_FP16), ADEPT_PEAK_FP16,        false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (cases[i].got.unit != cases[i].unit || cases[i].got.fallback != cases[i].fallback)
            fail_msg("case %zu: %s", i, adept_peak_name(cases[i].got.unit));
        assert_true(cases[i].got.flop_per_s > 0);
    }
}

static void every_field_has_a_path_that_leads_back_to_it(void **state) {
    (void)state;
    write_file("toy.json", WHOLE);
    adept_hardware *hardware = load_ok("toy");
    for (size_t i = 0; i < adept_hardware_field_count(); i++) {
        adept_error err = ADEPT_ERROR_INIT;
        const adept_hardware_field *field = adept_hardware_field_at(i);
        adept_hardware_origin origin;
        double middle = sqrt(fmax(field->lower, 1e-3) * field->upper);
        assert_ok(adept_hardware_set(hardware, field->path, middle, &err), err);
        assert_close(get(hardware, field->path, &origin), middle, 0);
        assert_true(*field->meaning != '\0');
    }
    adept_hardware_free(hardware);
}

static void print_fields(FILE *out) {
    fprintf(out, "| key | unit | bounds | required | default | meaning |\n|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < adept_hardware_field_count(); i++) {
        const adept_hardware_field *field = adept_hardware_field_at(i);
        const char *fallback = adept_hardware_field_default(i);
        fprintf(out, "| `%s` | %s | %g to %g | %s | %s | %s |\n", field->path, field->unit, field->lower,
                field->upper, field->required ? "yes" : "", fallback ? fallback : "", field->meaning);
    }
}

/* docs/hardware-files.md ends in the table of fields, printed from the schema. */
static void documentation_lists_every_field(void **state) {
    (void)state;
    static const char path[] = ADEPT_SOURCE_DIR "/docs/hardware-files.md";
    static const char heading[] = "| key | unit | bounds |";
    static char page[1 << 17];
    char *table = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&table, &size);
    print_fields(out);
    fclose(out);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    page[fread(page, 1, sizeof page - 1, file)] = '\0';
    fclose(file);
    char *end = strstr(page, heading);
    if (getenv("ADEPT_RENEW")) {
        file = fopen(path, "w");
        assert_non_null(file);
        fprintf(file, "%.*s%s", (int)(end ? end - page : (ptrdiff_t)strlen(page)), page, table);
        fclose(file);
    } else if (!end || strcmp(end, table) != 0) {
        fail_msg("%s does not end in the table of fields; run this test with ADEPT_RENEW=1", path);
    }
    free(table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads_by_id_alias_and_path),
        cmocka_unit_test(missing_numbers_get_documented_defaults_and_say_so),
        cmocka_unit_test(setting_a_field_recomputes_what_is_derived_from_it),
        cmocka_unit_test(a_file_overrides_single_keys_of_what_it_inherits),
        cmocka_unit_test(inheritance_in_a_circle_is_refused),
        cmocka_unit_test(wrong_files_are_refused_with_file_key_and_unit),
        cmocka_unit_test(what_is_written_reads_back_as_the_same_hardware),
        cmocka_unit_test(matrix_work_runs_on_the_best_unit_there_is),
        cmocka_unit_test(every_field_has_a_path_that_leads_back_to_it),
        cmocka_unit_test(documentation_lists_every_field),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
