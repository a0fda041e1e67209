/* The data files themselves: complete, cited, arithmetically consistent, and what the published table says.
 */
#include "test_support.h"

#include <dirent.h>

#include "adept/hardware.h"
#include "strict_json.h"

static int load_all(void **state) {
    adept_error err = ADEPT_ERROR_INIT;
    setenv("ADEPT_DATA", ADEPT_SOURCE_DIR "/data", 1);
    adept_hardware_list *list = NULL;
    if (adept_hardware_list_load(&list, &err) != ADEPT_OK) {
        print_error("%s\n", err.message);
        return -1;
    }
    *state = list;
    return 0;
}

static int free_all(void **state) {
    adept_hardware_list_free(*state);
    return 0;
}

static double given(const adept_hardware *hardware, const char *path) {
    adept_error err = ADEPT_ERROR_INIT;
    adept_hardware_origin origin;
    double value;
    assert_ok(adept_hardware_get(hardware, path, &value, &origin, &err), err);
    return origin == ADEPT_ORIGIN_FILE ? value : NAN;
}

static void every_file_is_named_after_its_id(void **state) {
    const adept_hardware_list *list = *state;
    assert_true(adept_hardware_list_count(list) >= 38);
    for (size_t i = 0; i < adept_hardware_list_count(list); i++) {
        const adept_hardware *hardware = adept_hardware_list_at(list, i);
        char name[300];
        snprintf(name, sizeof name, "/%s.json", adept_hardware_id(hardware));
        assert_non_null(strstr(adept_hardware_file(hardware), name));
    }
}

static void ids_and_aliases_are_unique(void **state) {
    const adept_hardware_list *list = *state;
    const char *names[512];
    size_t count = 0;
    for (size_t i = 0; i < adept_hardware_list_count(list); i++) {
        const adept_hardware *hardware = adept_hardware_list_at(list, i);
        names[count++] = adept_hardware_id(hardware);
        for (size_t a = 0; a < adept_hardware_alias_count(hardware); a++)
            names[count++] = adept_hardware_alias(hardware, a);
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t j = i + 1; j < count; j++)
            assert_string_not_equal(names[i], names[j]);
    }
}

static void every_figure_has_its_source(void **state) {
    const adept_hardware_list *list = *state;
    for (size_t i = 0; i < adept_hardware_list_count(list); i++) {
        const adept_hardware *hardware = adept_hardware_list_at(list, i);
        for (size_t f = 0; f < adept_hardware_field_count(); f++) {
            const char *path = adept_hardware_field_at(f)->path;
            double value = given(hardware, path);
            bool speaks_for_itself = value == 0 || strcmp(path, "measured.allreduce_gpus") == 0;
            if (!isnan(value) && !speaks_for_itself && !adept_hardware_source(hardware, path))
                fail_msg("%s: %s has no source", adept_hardware_id(hardware), path);
        }
    }
}

/* FP32 lanes times two FLOP times clock; AMD's newer dies issue two at once. The laptop's and P4's figures
 * are rounded by their sources. */
static void peak_fp32_is_lanes_times_clock(void **state) {
    const adept_hardware_list *list = *state;
    for (size_t i = 0; i < adept_hardware_list_count(list); i++) {
        const adept_hardware *hardware = adept_hardware_list_at(list, i);
        const adept_hardware_spec *spec = adept_hardware_spec_of(hardware);
        double lanes = spec->sm_count * spec->fp32_cores_per_sm * 2 * spec->boost_clock_Hz;
        double ratio = spec->peak_flop_per_s[ADEPT_PEAK_FP32] / lanes;
        bool dual = spec->family == ADEPT_GPU_FAMILY_CDNA && ratio > 1.5;
        if (fabs(ratio / (dual ? 2 : 1) - 1) > 0.02)
            fail_msg("%s: fp32 peak is %.3f of lanes times clock", adept_hardware_id(hardware), ratio);
    }
}

static void bandwidth_is_bus_times_pin_rate(void **state) {
    const adept_hardware_list *list = *state;
    for (size_t i = 0; i < adept_hardware_list_count(list); i++) {
        const adept_hardware *hardware = adept_hardware_list_at(list, i);
        const adept_hardware_spec *spec = adept_hardware_spec_of(hardware);
        double pins = spec->memory_bus_bits * spec->memory_pin_rate_bit_per_s / 8;
        /* H200 and B200: the datasheet rounds, see their notes */
        double tolerance = spec->memory_type == ADEPT_MEMORY_TYPE_HBM3E ? 0.05 : 0.02;
        if (fabs(spec->memory_bandwidth_B_per_s / pins - 1) > tolerance)
            fail_msg("%s: bandwidth is %.3f of bus times pin rate", adept_hardware_id(hardware),
                     spec->memory_bandwidth_B_per_s / pins);
    }
}

static void limits_surround_the_tdp_and_idle_lies_below(void **state) {
    const adept_hardware_list *list = *state;
    for (size_t i = 0; i < adept_hardware_list_count(list); i++) {
        const adept_hardware *hardware = adept_hardware_list_at(list, i);
        const adept_hardware_spec *spec = adept_hardware_spec_of(hardware);
        /* the MI100's driver stops at 290 W although its TDP is 300 W, see its note */
        assert_true(spec->min_power_limit_W <= spec->tdp_W && spec->tdp_W <= spec->max_power_limit_W * 1.05);
        assert_true(spec->idle_power_W < 0.5 * spec->tdp_W);
        assert_true(spec->process_node_nm > 0 && spec->transistors > 1e9 && spec->l2_B > 1e6);
        if (strcmp(adept_hardware_id(hardware), "jetson-agx-orin") != 0)
            assert_true(given(hardware, "link.pcie_B_per_s") > 1e10);
        assert_true(spec->measured_copy_B_per_s > spec->memory_bandwidth_B_per_s ? false : true);
    }
}

static void aliases_name_one_board_each(void **state) {
    (void)state;
    static const char *const aliases[][2] = {
        {"a100",       "a100-sxm4-80gb"},
        {"h100",       "h100-sxm5-80gb"},
        {"v100",       "v100-sxm2-16gb"},
        {"h200",       "h200-sxm-141gb"},
        {"a100-40gb",  "a100-sxm4-40gb"},
        {"rtx6000",    "rtx6000-turing"},
        {"rtx6000ada", "rtx6000-ada"   },
        {"mi250",      "mi250-gcd"     },
    };
    for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++) {
        adept_error err = ADEPT_ERROR_INIT;
        adept_hardware *hardware = NULL;
        assert_ok(adept_hardware_load(&hardware, aliases[i][0], &err), err);
        assert_string_equal(adept_hardware_id(hardware), aliases[i][1]);
        adept_hardware_free(hardware);
    }
}

static void one_die_is_half_of_the_two_die_board(void **state) {
    (void)state;
    adept_error err = ADEPT_ERROR_INIT;
    adept_hardware *die = NULL;
    adept_hardware *board = NULL;
    assert_ok(adept_hardware_load(&die, "mi250", &err), err);
    assert_ok(adept_hardware_load(&board, "mi250-oam", &err), err);
    const char *const halves[] = {"spec.sm_count",
                                  "spec.memory_B",
                                  "spec.memory_bandwidth_B_per_s",
                                  "spec.tdp_W",
                                  "peak_flop_per_s.fp32_matrix",
                                  "die.transistors"};
    for (size_t i = 0; i < sizeof halves / sizeof halves[0]; i++)
        assert_close(2 * given(die, halves[i]), given(board, halves[i]), 1e-12);
    adept_hardware_free(die);
    adept_hardware_free(board);
}

/* Published table (hardware/hardware.json beside the traces): our figures must be its figures. */
static void figures_agree_with_the_published_table(void **state) {
    static const char *const keys[][2] = {
        {"sm_count",                     "spec.sm_count"                },
        {"boost_clock_hz",               "spec.boost_clock_Hz"          },
        {"memory_bytes",                 "spec.memory_B"                },
        {"memory_bandwidth_bytes_per_s", "spec.memory_bandwidth_B_per_s"},
        {"l2_bytes",                     "spec.l2_B"                    },
        {"tdp_w",                        "spec.tdp_W"                   },
        {"idle_power_w",                 "spec.idle_power_W"            },
    };
    (void)state;
    const char *shared = shared_folder();
    if (!shared)
        skip();
    adept_error err = ADEPT_ERROR_INIT;
    char path[4200];
    adept_json *json = NULL;
    snprintf(path, sizeof path, "%s/hardware/hardware.json", shared);
    assert_ok(adept_json_load(&json, path, &err), err);
    size_t count = 0;
    for (const adept_json_value *gpu = adept_json_first(adept_json_root(json)); gpu;
         gpu = adept_json_next(gpu)) {
        const char *id = adept_json_text(adept_json_member(gpu, "id"));
        adept_hardware *hardware = NULL;
        assert_ok(adept_hardware_load(&hardware, strcmp(id, "mi250") == 0 ? "mi250-oam" : id, &err), err);
        for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
            const adept_json_value *value = adept_json_member(gpu, keys[i][0]);
            double ours = given(hardware, keys[i][1]);
            if (adept_json_kind_of(value) == ADEPT_JSON_NULL)
                assert_true(isnan(ours));
            else
                assert_close(ours, adept_json_number(value), 1e-12);
        }
        adept_hardware_free(hardware);
        count++;
    }
    assert_int_equal(count, 37);
    adept_json_free(json);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_is_named_after_its_id),
        cmocka_unit_test(ids_and_aliases_are_unique),
        cmocka_unit_test(every_figure_has_its_source),
        cmocka_unit_test(peak_fp32_is_lanes_times_clock),
        cmocka_unit_test(bandwidth_is_bus_times_pin_rate),
        cmocka_unit_test(limits_surround_the_tdp_and_idle_lies_below),
        cmocka_unit_test(aliases_name_one_board_each),
        cmocka_unit_test(one_die_is_half_of_the_two_die_board),
        cmocka_unit_test(figures_agree_with_the_published_table),
    };
    return cmocka_run_group_tests(tests, load_all, free_all);
}
