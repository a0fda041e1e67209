#include "fake_tree.h"

#include "pace.h"
#include "process_tree.h"
#include "sensor.h"
#include "strict_csv.h"

static const double GiB = 1073741824.0;

static sensor_list new_list(void) {
    return (sensor_list){.arena = adept_arena_new(0), .driver = ""};
}

static void drop(sensor_list *list) {
    sensor_list_close(list);
    adept_arena_free(list->arena);
}

static void fake_zone(const char *root, const char *zone, const char *name, const char *energy_uJ) {
    char path[256];
    snprintf(path, sizeof path, "class/powercap/%s/name", zone);
    fake_file(root, path, name);
    snprintf(path, sizeof path, "class/powercap/%s/max_energy_range_uj", zone);
    fake_file(root, path, "262143328850\n");
    snprintf(path, sizeof path, "class/powercap/%s/energy_uj", zone);
    if (energy_uJ)
        fake_file(root, path, energy_uJ);
}

static void rapl_takes_packages_and_dram_and_nothing_twice(void **state) {
    (void)state;
    const char *root = fake_root(0);
    fake_zone(root, "intel-rapl:0", "package-0\n", "1500000\n");
    fake_zone(root, "intel-rapl:0:0", "core\n", "1\n");
    fake_zone(root, "intel-rapl:0:2", "dram\n", "2500000\n");
    fake_zone(root, "intel-rapl:1", "package-1\n", "3500000\n");
    fake_zone(root, "intel-rapl:2", "psys\n", "1\n");
    fake_zone(root, "intel-rapl-mmio:0", "package-0\n", "1\n");
    sensor_list list = new_list();
    assert_true(rapl_find(&list, root));
    assert_int_equal(list.count, 3);
    assert_int_equal(list.missing_count, 0);
    const struct {
        const char *name;
        adept_device_kind kind;
        double counter_J;
    } expected[] = {
        {"package-0",      ADEPT_DEVICE_CPU,    1.5},
        {"package-0 dram", ADEPT_DEVICE_MEMORY, 2.5},
        {"package-1",      ADEPT_DEVICE_CPU,    3.5},
    };
    for (size_t i = 0; i < 3; i++) {
        sensor_reading reading;
        sensor *found = &list.items[i];
        assert_string_equal(found->name, expected[i].name);
        assert_int_equal(found->kind, expected[i].kind);
        assert_close(found->counter_range_J, 262143.32885, 1e-12);
        assert_int_equal(found->read(found, true, &reading), SENSOR_OK);
        assert_close(reading.counter_J, expected[i].counter_J, 1e-12);
    }
    drop(&list);
    fake_remove(root);
}

static void rapl_reading_sees_the_new_value_of_an_open_file(void **state) {
    (void)state;
    const char *root = fake_root(0);
    fake_zone(root, "intel-rapl:0", "package-0\n", "1500000\n");
    sensor_list list = new_list();
    assert_false(rapl_find(&list, root));
    fake_file(root, "class/powercap/intel-rapl:0/energy_uj", "77000000\n");
    sensor_reading reading;
    assert_int_equal(list.items[0].read(&list.items[0], true, &reading), SENSOR_OK);
    assert_close(reading.counter_J, 77, 1e-12);
    fake_file(root, "class/powercap/intel-rapl:0/energy_uj", "");
    assert_int_equal(list.items[0].read(&list.items[0], true, &reading), SENSOR_FAILED);
    drop(&list);
    fake_remove(root);
}

/* As root, permission is only denied to another effective user. */
static void rapl_without_permission_names_file_and_remedy_and_goes_on(void **state) {
    (void)state;
    const char *root = fake_root(0);
    char path[256];
    fake_zone(root, "intel-rapl:0", "package-0\n", "1500000\n");
    fake_zone(root, "intel-rapl:1", "package-1\n", "1500000\n");
    snprintf(path, sizeof path, "%s/class/powercap/intel-rapl:0/energy_uj", root);
    assert_int_equal(chmod(path, 0), 0);
    assert_int_equal(chmod(root, 0755), 0);
    bool was_root = geteuid() == 0;
    if (was_root && seteuid(65534)) {
        print_message("skipped: root cannot become another user here\n");
        fake_remove(root);
        skip();
    }
    sensor_list list = new_list();
    rapl_find(&list, root);
    assert_int_equal(was_root ? seteuid(0) : 0, 0);
    assert_int_equal(list.count, 1);
    assert_string_equal(list.items[0].name, "package-1");
    assert_int_equal(list.missing_count, 1);
    assert_true(list.missing[0].denied);
    assert_non_null(strstr(list.missing[0].what, path));
    assert_non_null(strstr(list.missing[0].what, "Permission denied"));
    assert_non_null(strstr(list.missing[0].remedy, "sudo chmod a+r "));
    assert_non_null(strstr(list.missing[0].remedy, path));
    drop(&list);
    fake_remove(root);
}

static void machine_without_rapl_says_what_it_lacks(void **state) {
    (void)state;
    const char *root = fake_root(0);
    sensor_list list = new_list();
    assert_false(rapl_find(&list, root));
    amdgpu_find(&list, root);
    nvml_find(&list, "/nonexistent/libnvidia-ml.so.1");
    assert_int_equal(list.count, 0);
    assert_int_equal(list.missing_count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_false(list.missing[i].denied);
        assert_true(strlen(list.missing[i].remedy) > 10);
    }
    assert_non_null(strstr(list.missing[2].what, "/nonexistent/libnvidia-ml.so.1"));
    drop(&list);
    fake_remove(root);
}

static void amdgpu_reads_hwmon_in_si_units(void **state) {
    (void)state;
    const char *root = fake_root(0);
    fake_file(root, "class/hwmon/hwmon0/name", "coretemp\n");
    fake_file(root, "class/hwmon/hwmon1/name", "amdgpu\n");
    fake_file(root, "class/hwmon/hwmon1/power1_input", "245000000\n");
    fake_file(root, "class/hwmon/hwmon1/power1_cap", "300000000\n");
    fake_file(root, "class/hwmon/hwmon1/freq1_input", "1700000000\n");
    fake_file(root, "class/hwmon/hwmon1/temp1_input", "56500\n");
    fake_file(root, "class/hwmon/hwmon1/device/product_name", "AMD Instinct MI210\n");
    fake_file(root, "class/hwmon/hwmon2/name", "amdgpu\n");
    fake_file(root, "class/hwmon/hwmon2/energy1_input", "9000000\n");
    fake_file(root, "class/hwmon/hwmon3/name", "amdgpu\n");
    sensor_list list = new_list();
    amdgpu_find(&list, root);
    assert_int_equal(list.count, 2);
    assert_int_equal(list.missing_count, 1); /* hwmon3 has no power */
    assert_string_equal(list.items[0].name, "AMD Instinct MI210");
    assert_close(list.items[0].power_limit_W, 300, 1e-12);
    assert_null(list.items[0].counter_method);
    sensor_reading reading;
    assert_int_equal(list.items[0].read(&list.items[0], true, &reading), SENSOR_OK);
    assert_int_equal(reading.has, READ_POWER | READ_CLOCK | READ_TEMPERATURE);
    assert_close(reading.power_W, 245, 1e-12);
    assert_close(reading.clock_Hz, 1.7e9, 1e-12);
    assert_close(reading.temperature_C, 56.5, 1e-12);
    assert_int_equal(list.items[1].read(&list.items[1], true, &reading), SENSOR_OK);
    assert_int_equal(reading.has, READ_COUNTER);
    assert_close(reading.counter_J, 9, 1e-12);
    drop(&list);
    fake_remove(root);
}

/* A type 17 structure: size at 0x0C in MiB, 0x7FFF sends to the extended size at 0x1C. */
static void fake_module(const char *root, int number, unsigned size, unsigned extended_MiB) {
    unsigned char raw[40] = {17, 40, (unsigned char)number, 0x11};
    char path[64];
    raw[0x0C] = (unsigned char)(size & 0xFF);
    raw[0x0D] = (unsigned char)(size >> 8);
    for (int i = 0; i < 4; i++)
        raw[0x1C + i] = (unsigned char)(extended_MiB >> (8 * i));
    snprintf(path, sizeof path, "firmware/dmi/entries/17-%d/raw", number);
    fake_bytes(root, path, raw, sizeof raw);
}

static void dram_model_sums_the_modules_of_the_firmware_table(void **state) {
    (void)state;
    const char *root = fake_root(0);
    fake_module(root, 0, 16384, 0);                                   /* 16 GiB: 4 W */
    fake_module(root, 1, 0x7FFF, 32768);                              /* 32 GiB: 5 W */
    fake_module(root, 2, 0, 0);                                       /* empty slot */
    fake_module(root, 3, 0xFFFF, 0);                                  /* unknown */
    fake_module(root, 4, 0x7FFF, 262144);                             /* 256 GiB: 10 W */
    fake_bytes(root, "firmware/dmi/entries/17-5/raw", "\x11\x04", 2); /* cut off */
    fake_bytes(root, "firmware/dmi/entries/16-0/raw", "\x10\x17", 2);
    process_tree tree = {.total_B = 100, .resident_B = 1};
    sensor_list list = new_list();
    dram_find(&list, root, &tree, 0, 0);
    assert_int_equal(list.count, 1);
    assert_true(list.items[0].modelled);
    assert_string_equal(list.items[0].name, "3 modules, 304 GiB");
    /* eq 4.2: share of memory to factor, both ends of each band */
    const double bands[][2] = {
        {1,    0.30},
        {4.99, 0.30},
        {5,    0.60},
        {14.9, 0.60},
        {15,   0.70},
        {24,   0.70},
        {25,   0.75},
        {49,   0.75},
        {51,   0.80},
        {100,  0.80}
    };
    for (size_t i = 0; i < sizeof bands / sizeof bands[0]; i++) {
        sensor_reading reading;
        tree.resident_B = bands[i][0];
        assert_int_equal(list.items[0].read(&list.items[0], true, &reading), SENSOR_OK);
        assert_close(reading.power_W, (4 + 5 + 10) * bands[i][1], 1e-12);
    }
    drop(&list);
    fake_remove(root);
}

static void dram_constants_are_those_of_the_thesis(void **state) {
    (void)state;
    const double watts[][2] = {
        {16,  4 },
        {32,  5 },
        {64,  6 },
        {128, 8 },
        {256, 10},
        {8,   4 },
        {48,  6 },
        {512, 10}
    };
    for (size_t i = 0; i < sizeof watts / sizeof watts[0]; i++)
        assert_close(dram_dimm_power_W(watts[i][0] * GiB), watts[i][1], 1e-12);
}

static void dimm_file_is_well_formed_and_every_value_has_a_source(void **state) {
    (void)state;
    adept_error err = ADEPT_ERROR_INIT;
    adept_csv *csv = NULL;
    assert_ok(adept_csv_load(&csv, ADEPT_SOURCE_DIR "/data/measure/dimm_power.csv", &err), err);
    assert_int_equal(adept_csv_rows(csv), 10);
    for (size_t row = 0; row < 10; row++) {
        double value, at_least;
        assert_int_equal(adept_csv_row_fields(csv, row), 5);
        assert_ok(adept_csv_double(csv, row, adept_csv_column(csv, "value"), "", &value, &err), err);
        assert_ok(adept_csv_double(csv, row, adept_csv_column(csv, "at_least"), "", &at_least, &err), err);
        assert_true(strlen(adept_csv_field(csv, row, adept_csv_column(csv, "source"))) > 3);
        bool power = strcmp(adept_csv_field(csv, row, 0), "dimm_power") == 0;
        assert_close(power ? dram_dimm_power_W(at_least * GiB) : dram_memory_use(at_least / 100), value,
                     1e-12);
    }
    adept_csv_free(csv);
}

static void named_modules_replace_the_firmware_table(void **state) {
    (void)state;
    process_tree tree = {.total_B = 100, .resident_B = 1};
    sensor_list list = new_list();
    sensor_reading reading;
    dram_find(&list, "/nonexistent", &tree, 8, 32 * GiB);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.items[0].read(&list.items[0], true, &reading), SENSOR_OK);
    assert_close(reading.power_W, 8 * 5 * 0.30, 1e-12);
    drop(&list);
    list = new_list();
    dram_find(&list, "/nonexistent", &tree, 0, 0);
    assert_int_equal(list.count, 0);
    assert_int_equal(list.missing_count, 1);
    drop(&list);
}

static void fake_process(const char *root, int pid, int parent, const char *name, int pages, int shared) {
    char path[64], text[128];
    snprintf(path, sizeof path, "%d/stat", pid);
    snprintf(text, sizeof text, "%d (%s) S %d 1 1 0\n", pid, name, parent);
    fake_file(root, path, text);
    snprintf(path, sizeof path, "%d/statm", pid);
    snprintf(text, sizeof text, "9999 %d %d 1 0 1 0\n", pages, shared);
    fake_file(root, path, text);
}

static void process_tree_counts_descendants_and_shared_pages_once(void **state) {
    (void)state;
    const char *root = fake_root(0);
    fake_file(root, "meminfo", "MemTotal:       1000 kB\nMemFree: 1 kB\n");
    fake_process(root, 1, 0, "init", 50, 0);
    fake_process(root, 100, 1, "adept", 50, 0);
    fake_process(root, 101, 100, "sh (odd) name)", 10, 4);
    fake_process(root, 102, 101, "python", 30, 20);
    fake_process(root, 103, 102, "worker", 25, 20);
    fake_process(root, 104, 100, "orphan", 5, 1);
    fake_process(root, 200, 1, "other", 999, 0);
    fake_process(root, 300, 301, "circle", 7, 0);
    fake_process(root, 301, 300, "circle", 7, 0);
    process_tree tree;
    process_tree_init(&tree, root, 100);
    assert_true(process_tree_update(&tree));
    assert_int_equal(tree.processes, 4);
    assert_true(process_tree_holds(&tree, 103));
    assert_false(process_tree_holds(&tree, 200));
    assert_false(process_tree_holds(&tree, 100));
    assert_close(tree.total_B, 1000 * 1024, 1e-12);
    /* alone: 6 + 10 + 5 + 4 pages, and the largest shared part, 20 */
    assert_close(tree.resident_B, 45 * tree.page_B, 1e-12);
    assert_close(process_tree_share(&tree), 45 * tree.page_B / (1000 * 1024), 1e-12);
    process_tree_free(&tree);
    process_tree_init(&tree, "/nonexistent", 100);
    assert_false(process_tree_update(&tree));
    process_tree_free(&tree);
    fake_remove(root);
}

static void pace_stretches_what_costs_too_much(void **state) {
    (void)state;
    pace cheap = {.period_s = 0.1, .share = 0.01}, dear = cheap;
    int cheap_count = 0, dear_count = 0;
    for (double t = 0; t < 100; t += 0.01) {
        if (pace_due(&cheap, t) && ++cheap_count)
            pace_done(&cheap, t, 1e-5);
        if (pace_due(&dear, t) && ++dear_count)
            pace_done(&dear, t, 0.02);
    }
    assert_in_range(cheap_count, 900, 1001);
    assert_in_range(dear_count, 45, 51); /* 0.02 s each: one every 2 s is 1 % */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rapl_takes_packages_and_dram_and_nothing_twice),
        cmocka_unit_test(rapl_reading_sees_the_new_value_of_an_open_file),
        cmocka_unit_test(rapl_without_permission_names_file_and_remedy_and_goes_on),
        cmocka_unit_test(machine_without_rapl_says_what_it_lacks),
        cmocka_unit_test(amdgpu_reads_hwmon_in_si_units),
        cmocka_unit_test(dram_model_sums_the_modules_of_the_firmware_table),
        cmocka_unit_test(dram_constants_are_those_of_the_thesis),
        cmocka_unit_test(dimm_file_is_well_formed_and_every_value_has_a_source),
        cmocka_unit_test(named_modules_replace_the_firmware_table),
        cmocka_unit_test(process_tree_counts_descendants_and_shared_pages_once),
        cmocka_unit_test(pace_stretches_what_costs_too_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
