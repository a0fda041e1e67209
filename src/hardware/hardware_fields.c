#include "hardware_fields.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define OFFSET(member) offsetof(adept_hardware_spec, member)
#define ROW(section, key, member, unit, lower, upper, required, meaning)                                     \
    {                                                                                                        \
        section, key, OFFSET(member), {                                                                      \
            section "." key, unit, lower, upper, required, meaning                                           \
        }                                                                                                    \
    }

#define PEAK_ROW(code, name, meaning)                                                                        \
    ROW("peak_flop_per_s", name, peak_flop_per_s[ADEPT_PEAK_##code], "FLOP per second, dense", 1e9, 1e17,    \
        ADEPT_PEAK_##code == ADEPT_PEAK_FP32, meaning),
#define GEMM_ROW(code, name, meaning)                                                                        \
    ROW("measured.gemm_flop_per_s", name, measured_gemm_flop_per_s[ADEPT_PEAK_##code], "FLOP per second",    \
        1e9, 1e17, false, "best published matrix product: " meaning),

#define RATE "bytes per second, not GB/s"
#define CLOCK "hertz, not MHz"

static const adept_field_row rows[] = {
    ROW("die", "process_node_nm", process_node_nm, "nanometres", 1, 200, false, "process node as marketed"),
    ROW("die", "transistors", transistors, "", 1e8, 1e13, false, "of the full die"),
    ROW("die", "flagship_tdp_W", flagship_tdp_W, "watts", 1, 5000, false,
        "TDP of the largest board with this die"),
    ROW("spec", "sm_count", sm_count, "", 1, 4096, true, "streaming multiprocessors or compute units"),
    ROW("spec", "fp32_cores_per_sm", fp32_cores_per_sm, "", 1, 1024, false, "FP32 lanes of an SM"),
    ROW("spec", "tensor_cores_per_sm", tensor_cores_per_sm, "", 0, 64, false, "matrix units of an SM"),
    ROW("spec", "boost_clock_Hz", boost_clock_Hz, CLOCK, 1e8, 1e10, true,
        "SM clock of the datasheet's peaks"),
    ROW("spec", "base_clock_Hz", base_clock_Hz, CLOCK, 1e8, 1e10, false, "guaranteed SM clock"),
    ROW("spec", "max_clock_Hz", max_clock_Hz, CLOCK, 1e8, 1e10, false,
        "highest SM clock seen under load; above boost on GeForce and workstation boards"),
    ROW("spec", "tensor_clock_Hz", tensor_clock_Hz, CLOCK, 1e8, 1e10, false,
        "SM clock at which the matrix peaks are quoted"),
    ROW("spec", "memory_bandwidth_B_per_s", memory_bandwidth_B_per_s, RATE, 1e9, 1e14, true,
        "device memory, datasheet"),
    ROW("spec", "memory_B", memory_B, "bytes, not GB", 1e8, 1e13, true, "device memory"),
    ROW("spec", "memory_bus_bits", memory_bus_bits, "bits", 16, 65536, false, "width of the memory bus"),
    ROW("spec", "memory_pin_rate_bit_per_s", memory_pin_rate_bit_per_s, "bits per second", 1e8, 1e12, false,
        "rate of one pin"),
    ROW("spec", "memory_ecc", memory_ecc, "0 or 1", 0, 1, false,
        "1: ECC words lie among the data (GDDR of data-centre boards as delivered), a sixteenth of it"),
    ROW("spec", "l2_B", l2_B, "bytes, not MB", 1e4, 1e10, true, "last cache before device memory"),
    ROW("spec", "l3_B", l3_B, "bytes, not MB", 0, 1e11, false, "cache on the memory's side, 0 if none"),
    ROW("spec", "l1_shared_B_per_sm", l1_shared_B_per_sm, "bytes", 1e3, 1e8, false, "L1 and shared memory"),
    ROW("spec", "max_shared_B_per_sm", max_shared_B_per_sm, "bytes", 1e3, 1e8, false,
        "largest shared memory"),
    ROW("spec", "register_file_B_per_sm", register_file_B_per_sm, "bytes", 1e3, 1e8, false, "registers"),
    ROW("spec", "tdp_W", tdp_W, "watts", 1, 5000, true, "default power limit of the board"),
    ROW("spec", "min_power_limit_W", min_power_limit_W, "watts", 1, 5000, false, "lowest limit accepted"),
    ROW("spec", "max_power_limit_W", max_power_limit_W, "watts", 1, 5000, false, "highest limit accepted"),
    ROW("spec", "idle_power_W", idle_power_W, "watts", 0.1, 1000, false, "no process, measured"),
    ADEPT_PEAK_LIST(PEAK_ROW) /* one row per unit */
    ROW("link", "bandwidth_B_per_s", link_B_per_s, RATE, 1e8, 1e14, false,
        "all links to GPUs of the node, one direction"),
    ROW("link", "pcie_generation", pcie_generation, "", 1, 10, false, "x16 slot"),
    ROW("link", "pcie_B_per_s", pcie_B_per_s, RATE, 1e8, 1e13, false, "x16, one direction"),
    ROW("link", "internode_B_per_s", internode_B_per_s, RATE, 1e7, 1e13, false,
        "one GPU's share of the network, one direction"),
    ROW("link", "internode_latency_s", internode_latency_s, "seconds", 1e-7, 1e-2, false,
        "of one message between GPUs of two nodes"),
    ROW("link", "gpus_per_node", gpus_per_node, "", 1, 1024, false, "GPUs joined without a network"),
    ROW("host", "launch_s", host_launch_s, "seconds", 1e-7, 1e-2, false, "CPU time of one kernel launch"),
    ROW("host", "dram_slots", host_dram_slots, "", 1, 1024, false, "DIMMs of the node, nb_slots of eq 4.1"),
    ROW("host", "dram_dimm_W", host_dram_dimm_W, "watts", 0.1, 100, false,
        "one DIMM, P_base of eq 4.1: 16 GB 4, 32 GB 5, 64 GB 6, 128 GB 8, 256 GB 10 W"),
    ROW("host", "dram_use", host_dram_use, "a ratio", 0.1, 1, false,
        "mem_use of eq 4.1, by share of memory in use: below 5 % 0.30, 15 % 0.60, 25 % 0.70, 50 % 0.75, "
        "above 0.80"),
    ROW("host", "cpu_W", host_cpu_W, "watts", 0.1, 1e4, false, "all CPUs of the node while the GPUs work"),
    ROW("host", "fan_W", host_fan_W, "watts", 0, 1e4, false, "fans of the node"),
    ROW("host", "supply_efficiency", host_supply_efficiency, "a ratio", 0.3, 1, false,
        "of the power supply, output over input"),
    ROW("measured", "copy_B_per_s", measured_copy_B_per_s, RATE, 1e8, 1e14, false, "best published copy"),
    ROW("measured", "kernel_period_s", measured_kernel_period_s, "seconds", 1e-8, 1e-2, false,
        "launches of a tiny kernel back to back"),
    ROW("measured", "graph_kernel_period_s", measured_graph_kernel_period_s, "seconds", 1e-8, 1e-2, false,
        "the same inside a captured graph"),
    ROW("measured", "allreduce_B_per_s", measured_allreduce_B_per_s, RATE, 1e8, 1e14, false,
        "bus bandwidth of a large all-reduce"),
    ROW("measured", "allreduce_gpus", measured_allreduce_gpus, "", 2, 1e5, false, "GPUs of that all-reduce"),
    ADEPT_PEAK_LIST(GEMM_ROW)};
#define ROW_COUNT (sizeof rows / sizeof rows[0])
_Static_assert(ROW_COUNT <= ADEPT_FIELD_MAX, "room for every field");
/* every double of the struct has its row; the three enums come first */
_Static_assert(sizeof(adept_hardware_spec) - OFFSET(process_node_nm) == ROW_COUNT * sizeof(double),
               "one row per field");

/*
 * Defaults of numbers that a file leaves open, from other fields, in this order (a default may feed the
 * next). The ratios are medians over the shipped files that have both figures.
 */
#define ALWAYS OFFSET(tdp_W)
static const struct {
    size_t target;
    size_t base; /* of a double */
    double factor, constant;
    const char *text;
} defaults[] = {
    {OFFSET(flagship_tdp_W),                   OFFSET(tdp_W),                            1,        0,       "spec.tdp_W"                },
    {OFFSET(transistors),                      OFFSET(sm_count),                         0.35e9,   0,       "0.35e9 per SM"             },
    {OFFSET(base_clock_Hz),                    OFFSET(boost_clock_Hz),                   0.8,      0,       "0.8 of spec.boost_clock_Hz"},
    {OFFSET(max_clock_Hz),                     OFFSET(boost_clock_Hz),                   1,        0,       "spec.boost_clock_Hz"       },
    {OFFSET(tensor_clock_Hz),                  OFFSET(boost_clock_Hz),                   1,        0,       "spec.boost_clock_Hz"       },
    {OFFSET(min_power_limit_W),                OFFSET(tdp_W),                            0.4,      0,       "0.4 of spec.tdp_W"         },
    {OFFSET(max_power_limit_W),                OFFSET(tdp_W),                            1,        0,       "spec.tdp_W"                },
    {OFFSET(idle_power_W),                     OFFSET(tdp_W),                            0.13,     0,       "0.13 of spec.tdp_W"        },
    {OFFSET(l3_B),                             ALWAYS,                                   0,        0,       "0"                         },
    {OFFSET(memory_ecc),                       ALWAYS,                                   0,        0,       "0"                         },
    {OFFSET(peak_flop_per_s[ADEPT_PEAK_FP64]), OFFSET(peak_flop_per_s[ADEPT_PEAK_FP32]), 1.0 / 32, 0,
     "1/32 of peak_flop_per_s.fp32"                                                                                                     },
    {OFFSET(pcie_B_per_s),                     ALWAYS,                                   0,        15.75e9, "15.75e9, PCIe 3 x16"       },
    {OFFSET(gpus_per_node),                    ALWAYS,                                   0,        8,       "8"                         },
};

const adept_field_row *adept_field_rows(size_t *count) {
    *count = ROW_COUNT;
    return rows;
}

size_t adept_hardware_field_count(void) {
    return ROW_COUNT;
}

const adept_hardware_field *adept_hardware_field_at(size_t index) {
    return &rows[index].field;
}

const char *adept_hardware_field_default(size_t index) {
    for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++) {
        if (defaults[i].target == rows[index].offset)
            return defaults[i].text;
    }
    return NULL;
}

ptrdiff_t adept_field_index(const char *path) {
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (strcmp(rows[i].field.path, path) == 0)
            return (ptrdiff_t)i;
    }
    return -1;
}

static double *double_at(adept_hardware_spec *spec, size_t offset) {
    return (double *)(void *)((char *)spec + offset);
}

double adept_field_value(const adept_hardware_spec *spec, size_t index) {
    return *(const double *)(const void *)((const char *)spec + rows[index].offset);
}

void adept_field_assign(adept_hardware_spec *spec, size_t index, double value) {
    *double_at(spec, rows[index].offset) = value;
}

void adept_spec_clear(adept_hardware_spec *spec) {
    memset(spec, 0, sizeof *spec);
    for (size_t i = 0; i < ROW_COUNT; i++)
        adept_field_assign(spec, i, NAN);
}

static size_t row_at_offset(size_t offset) {
    size_t i = 0;
    while (rows[i].offset != offset)
        i++;
    return i;
}

void adept_spec_complete(adept_hardware_spec *spec, bool *derived) {
    memset(derived, 0, ROW_COUNT * sizeof *derived);
    for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++) {
        double *target = double_at(spec, defaults[i].target);
        if (!isnan(*target))
            continue;
        *target = *double_at(spec, defaults[i].base) * defaults[i].factor + defaults[i].constant;
        derived[row_at_offset(defaults[i].target)] = true;
    }
}
