/*
 * Hardware: datasheet and measured figures of one GPU, and the model parameters (theta_H) known for it.
 *
 * Files are data/hardware/ID.json (docs/hardware-files.md: every key, its unit and bounds); a user's own
 * file may say "inherits": "ID" and override single keys. SI units throughout; NaN is "unknown".
 */
#ifndef ADEPT_HARDWARE_H
#define ADEPT_HARDWARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "adept/error.h"
#include "adept/run.h"
#include "adept/workload.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Generations that share tile sets and power scale; also the families of validation. enum name, JSON name */
#define ADEPT_GPU_FAMILY_LIST(X)                                                                             \
    X(OTHER, "other")                                                                                        \
    X(PASCAL, "Pascal")                                                                                      \
    X(VOLTA, "Volta")                                                                                        \
    X(TURING, "Turing")                                                                                      \
    X(AMPERE, "Ampere datacentre")                                                                           \
    X(AMPERE_GA10X, "Ampere GA10x")                                                                          \
    X(ADA, "Ada")                                                                                            \
    X(HOPPER, "Hopper")                                                                                      \
    X(BLACKWELL, "Blackwell")                                                                                \
    X(CDNA, "CDNA")

#define ADEPT_MEMORY_TYPE_LIST(X)                                                                            \
    X(OTHER, "other")                                                                                        \
    X(HBM2, "HBM2")                                                                                          \
    X(HBM2E, "HBM2e")                                                                                        \
    X(HBM3, "HBM3")                                                                                          \
    X(HBM3E, "HBM3e")                                                                                        \
    X(GDDR5, "GDDR5")                                                                                        \
    X(GDDR6, "GDDR6")                                                                                        \
    X(GDDR6X, "GDDR6X")                                                                                      \
    X(GDDR7, "GDDR7")                                                                                        \
    X(LPDDR5, "LPDDR5")

/* How the GPUs of a node are joined, beside PCIe. */
#define ADEPT_LINK_TOPOLOGY_LIST(X)                                                                          \
    X(NONE, "none")         /* PCIe only */                                                                  \
    X(BRIDGE, "bridge")     /* pairs; more than two GPUs go over PCIe */                                     \
    X(MESH, "mesh")         /* direct links between the GPUs of a node, no switch */                         \
    X(NVSWITCH, "nvswitch") /* every GPU reaches every other at full rate */

/* Units with a datasheet peak, dense, never the sparsity figure. enum name, key, what it is */
#define ADEPT_PEAK_LIST(X)                                                                                   \
    X(FP64, "fp64", "FP64 on general cores")                                                                 \
    X(FP64_TENSOR, "fp64_tensor", "FP64 on matrix units")                                                    \
    X(FP32, "fp32", "FP32 on general cores")                                                                 \
    X(FP32_MATRIX, "fp32_matrix", "FP32 on matrix units (AMD)")                                              \
    X(TF32, "tf32", "TF32 on matrix units")                                                                  \
    X(FP16, "fp16", "FP16 on general cores")                                                                 \
    X(FP16_TENSOR, "fp16_tensor", "FP16 on matrix units, FP32 accumulation")                                 \
    X(FP16_TENSOR_FP16ACC, "fp16_tensor_fp16acc", "FP16 on matrix units, FP16 accumulation")                 \
    X(BF16, "bf16", "BF16 on general cores")                                                                 \
    X(BF16_TENSOR, "bf16_tensor", "BF16 on matrix units, FP32 accumulation")                                 \
    X(FP8_TENSOR, "fp8_tensor", "FP8 on matrix units, FP32 accumulation")                                    \
    X(FP8_TENSOR_FP16ACC, "fp8_tensor_fp16acc", "FP8 on matrix units, FP16 accumulation")                    \
    X(INT8, "int8", "INT8 dot products on general cores")                                                    \
    X(INT8_TENSOR, "int8_tensor", "INT8 on matrix units")                                                    \
    X(INT4_TENSOR, "int4_tensor", "INT4 on matrix units")                                                    \
    X(FP4_TENSOR, "fp4_tensor", "FP4 on matrix units")

/* Where the value of a parameter comes from; order is strength of evidence. */
#define ADEPT_PROVENANCE_LIST(X)                                                                             \
    X(DEFAULT, "default")         /* the parameter table's initial value */                                  \
    X(DATASHEET, "datasheet")     /* computed from datasheet figures */                                      \
    X(GIVEN, "given")             /* set by the user */                                                      \
    X(TRANSFERRED, "transferred") /* fitted on other GPUs */                                                 \
    X(FITTED, "fitted")           /* fitted on this GPU's own measurements */

/* Saturation functions S_sat of the thesis variant (eq 4.12 and its alternatives). */
#define ADEPT_SATURATION_LIST(X)                                                                             \
    X(SIGMOID, "sigmoid")                                                                                    \
    X(ARCTAN, "arctan")                                                                                      \
    X(SOFTSIGN, "softsign")                                                                                  \
    X(ALGEBRAIC, "algebraic")                                                                                \
    X(TANH, "tanh")

#define ADEPT_HARDWARE_ENUM(prefix, code) ADEPT_##prefix##_##code,
typedef enum adept_gpu_family {
#define ADEPT_X(code, name) ADEPT_HARDWARE_ENUM(GPU_FAMILY, code)
    ADEPT_GPU_FAMILY_LIST(ADEPT_X)
#undef ADEPT_X
        ADEPT_GPU_FAMILY_COUNT
} adept_gpu_family;

typedef enum adept_memory_type {
#define ADEPT_X(code, name) ADEPT_HARDWARE_ENUM(MEMORY_TYPE, code)
    ADEPT_MEMORY_TYPE_LIST(ADEPT_X)
#undef ADEPT_X
        ADEPT_MEMORY_TYPE_COUNT
} adept_memory_type;

typedef enum adept_link_topology {
#define ADEPT_X(code, name) ADEPT_HARDWARE_ENUM(LINK, code)
    ADEPT_LINK_TOPOLOGY_LIST(ADEPT_X)
#undef ADEPT_X
        ADEPT_LINK_TOPOLOGY_COUNT
} adept_link_topology;

typedef enum adept_peak {
#define ADEPT_X(code, name, meaning) ADEPT_HARDWARE_ENUM(PEAK, code)
    ADEPT_PEAK_LIST(ADEPT_X)
#undef ADEPT_X
        ADEPT_PEAK_COUNT
} adept_peak;

typedef enum adept_provenance {
#define ADEPT_X(code, name) ADEPT_HARDWARE_ENUM(PROVENANCE, code)
    ADEPT_PROVENANCE_LIST(ADEPT_X)
#undef ADEPT_X
        ADEPT_PROVENANCE_COUNT
} adept_provenance;

typedef enum adept_saturation {
#define ADEPT_X(code, name) ADEPT_HARDWARE_ENUM(SATURATION, code)
    ADEPT_SATURATION_LIST(ADEPT_X)
#undef ADEPT_X
        ADEPT_SATURATION_COUNT
} adept_saturation;
#undef ADEPT_HARDWARE_ENUM

const char *adept_gpu_family_name(adept_gpu_family family); /* these never return NULL */
const char *adept_memory_type_name(adept_memory_type type);
const char *adept_link_topology_name(adept_link_topology topology);
const char *adept_peak_name(adept_peak peak);
const char *adept_saturation_name(adept_saturation saturation);
const char *adept_provenance_name(adept_provenance provenance);
bool adept_memory_type_is_hbm(adept_memory_type type);

/*
 * The numbers of one GPU: all that the models see of hardware. NaN: unknown, and no default is known.
 * Fields that a file left open may hold a documented default (adept_hardware_get tells).
 */
typedef struct adept_hardware_spec {
    adept_gpu_family family;
    adept_memory_type memory_type;
    adept_link_topology link_topology;

    /* die: the full chip, and the TDP of the largest board made of it */
    double process_node_nm, transistors, flagship_tdp_W;

    /* spec: the board */
    double sm_count; /* streaming multiprocessors, or compute units */
    double fp32_cores_per_sm, tensor_cores_per_sm;
    double boost_clock_Hz, base_clock_Hz;
    double max_clock_Hz; /* under load, where power allows; above boost on GeForce and workstation boards */
    double tensor_clock_Hz; /* at which the matrix peaks are quoted */
    double memory_bandwidth_B_per_s, memory_B, memory_bus_bits, memory_pin_rate_bit_per_s;
    double memory_ecc; /* 1: ECC words lie among the data and take capacity and bandwidth */
    double l2_B, l3_B; /* l3: memory-side cache, 0 where there is none */
    double l1_shared_B_per_sm, max_shared_B_per_sm, register_file_B_per_sm;
    double tdp_W, min_power_limit_W, max_power_limit_W, idle_power_W;

    /* peak_flop_per_s: NaN where the GPU has no such unit */
    double peak_flop_per_s[ADEPT_PEAK_COUNT];

    /* link: per direction and GPU */
    double link_B_per_s; /* all links to other GPUs of the node; NaN without links */
    double pcie_generation, pcie_B_per_s;
    double internode_B_per_s;   /* one GPU's share of the network */
    double internode_latency_s; /* of one message between nodes */
    double gpus_per_node;

    /* host: of the node, for node-scope energy and launches */
    double host_launch_s; /* CPU time of one kernel launch */
    double host_dram_slots, host_dram_dimm_W, host_dram_use, host_cpu_W, host_fan_W, host_supply_efficiency;

    /* measured: by others, never used as a peak */
    double measured_copy_B_per_s;
    double measured_kernel_period_s, measured_graph_kernel_period_s; /* back-to-back tiny kernels */
    double measured_allreduce_B_per_s, measured_allreduce_gpus;      /* bus bandwidth, nccl-tests' sense */
    double measured_gemm_flop_per_s[ADEPT_PEAK_COUNT];
} adept_hardware_spec;

/* The unit that runs a kind of arithmetic. fallback: the GPU has no unit for it, this is what runs instead.
 */
typedef struct adept_peak_choice {
    adept_peak unit;
    double flop_per_s;
    bool fallback;
} adept_peak_choice;

/*
 * Matrix work (GEMM, convolution): FP32 on FP32 matrix units where the GPU has them, else on general
 * cores; 16-bit types on tensor cores, else FP16 at the better of the FP16 and FP32 core rates and BF16 on
 * the FP32 cores; and so on. General work: the FP32 cores, or the FP64 ones.
 */
adept_peak_choice adept_peak_for_matrix(const adept_hardware_spec *spec, adept_math math);
adept_peak_choice adept_peak_for_general(const adept_hardware_spec *spec, adept_math math);

typedef struct adept_hardware adept_hardware; /* opaque: owns memory; strings below are borrowed from it */

/*
 * Loads by id ("h100-sxm5-80gb"), alias ("h100") or path (holds a '/' or ends in ".json"). Ids and aliases
 * are looked up in $ADEPT_DATA/hardware, then in the installed and the source tree's data folder.
 * Errors    ARGUMENT: unknown id, with the closest one; IO, FORMAT, RANGE with file, key, unit expected;
 *           LIMIT: inheritance in a circle or deeper than 8
 */
adept_status adept_hardware_load(adept_hardware **out, const char *id_or_path, adept_error *err);
adept_status adept_hardware_copy(adept_hardware **out, const adept_hardware *hardware, adept_error *err);
void adept_hardware_free(adept_hardware *hardware); /* NULL is fine */

const char *adept_hardware_id(const adept_hardware *hardware);
const char *adept_hardware_name(const adept_hardware *hardware);
const char *adept_hardware_vendor(const adept_hardware *hardware);
const char *adept_hardware_architecture(const adept_hardware *hardware);
const char *adept_hardware_link(const adept_hardware *hardware); /* "NVLink 4"; "" without links */
const char *adept_hardware_file(const adept_hardware *hardware); /* path it was read from */
size_t adept_hardware_alias_count(const adept_hardware *hardware);
const char *adept_hardware_alias(const adept_hardware *hardware, size_t index);
size_t adept_hardware_note_count(const adept_hardware *hardware); /* remarks on doubtful figures */
const char *adept_hardware_note(const adept_hardware *hardware, size_t index);

const adept_hardware_spec *adept_hardware_spec_of(const adept_hardware *hardware);

/* One row of the schema: a number of a hardware file. */
typedef struct adept_hardware_field {
    const char *path; /* "spec.tdp_W" */
    const char *unit; /* in words, "" for a pure number */
    double lower, upper;
    bool required;
    const char *meaning;
} adept_hardware_field;

size_t adept_hardware_field_count(void);
const adept_hardware_field *adept_hardware_field_at(size_t index);
const char *adept_hardware_field_default(size_t index); /* in words; NULL: a missing value stays unknown */

/* Where the value of a field comes from. */
typedef enum adept_hardware_origin {
    ADEPT_ORIGIN_UNKNOWN, /* no value: NaN */
    ADEPT_ORIGIN_DERIVED, /* a documented default, computed from other fields */
    ADEPT_ORIGIN_FILE,    /* the hardware file, see its source */
    ADEPT_ORIGIN_SET      /* adept_hardware_set */
} adept_hardware_origin;

/*
 * Any number by its dotted path: "spec.tdp_W", "peak_flop_per_s.tf32", "theta.operator.g". origin may be
 * NULL. Setting recomputes the derived defaults.
 * Errors    ARGUMENT: unknown path, with the closest one; RANGE: outside the field's bounds, or not finite.
 *           Names of parameters are checked by the models (adept_theta_init), not here.
 */
adept_status adept_hardware_get(const adept_hardware *hardware, const char *path, double *value,
                                adept_hardware_origin *origin, adept_error *err);
adept_status adept_hardware_set(adept_hardware *hardware, const char *path, double value, adept_error *err);

/* Citation of a figure, or NULL. */
const char *adept_hardware_source(const adept_hardware *hardware, const char *path);

/* A parameter value that a hardware file carries. */
typedef struct adept_hardware_parameter {
    const char *name;
    double value;
    adept_provenance provenance;
    const char *detail; /* what it was fitted on, ...; "" if the file does not say */
} adept_hardware_parameter;

/* The saturation function that the thesis variant's values belong to (key theta.saturation). */
adept_saturation adept_hardware_saturation(const adept_hardware *hardware);
void adept_hardware_set_saturation(adept_hardware *hardware, adept_saturation saturation);

/* What the values of a variant were fitted on: data, rows, date, seed, command, version; "" if not said. */
const char *adept_hardware_fit(const adept_hardware *hardware, adept_variant variant);
adept_status adept_hardware_set_fit(adept_hardware *hardware, adept_variant variant, const char *text,
                                    adept_error *err);

size_t adept_hardware_parameter_count(const adept_hardware *hardware, adept_variant variant);
const adept_hardware_parameter *adept_hardware_parameter_at(const adept_hardware *hardware,
                                                            adept_variant variant, size_t index);
adept_status adept_hardware_set_parameter(adept_hardware *hardware, adept_variant variant, const char *name,
                                          double value, adept_provenance provenance, const char *detail,
                                          adept_error *err);

/*
 * Measured over predicted on data that the fit has not seen: the bounds between which `level` of all rows
 * lie. NaN where the file has none.
 */
typedef struct adept_hardware_interval {
    double level;
    double time_lower, time_upper, power_lower, power_upper;
} adept_hardware_interval;

adept_hardware_interval adept_hardware_interval_of(const adept_hardware *hardware, adept_variant variant);
void adept_hardware_set_interval(adept_hardware *hardware, adept_variant variant,
                                 const adept_hardware_interval *interval);

/* A cluster: how GPUs are put into nodes, and nodes joined (docs/hardware-files.md, Clusters). */
typedef struct adept_cluster {
    char name[128], source[512];
    double gpus_per_node;
    double node_B_per_s;  /* of all network cards of a node, one direction */
    double latency_s;     /* of one message between nodes; NaN: not known */
    double nics_per_node; /* network cards; NaN: not known; no figure depends on it */
} adept_cluster;

/*
 * Reads a cluster file.
 * Errors    IO, FORMAT (unknown, repeated or missing key), RANGE, with file, key and unit expected
 */
adept_status adept_cluster_load(adept_cluster *out, const char *path, adept_error *err);

/*
 * Puts the GPU into the cluster's nodes: sets link.gpus_per_node, link.internode_B_per_s (the GPU's share)
 * and link.internode_latency_s.
 */
adept_status adept_hardware_join(adept_hardware *hardware, const adept_cluster *cluster, adept_error *err);

/*
 * Writes a hardware file that inherits this GPU's id and holds what differs from its file: the fields set,
 * all parameters and intervals. Reading it back gives the same hardware.
 */
adept_status adept_hardware_write(const adept_hardware *hardware, FILE *out, adept_error *err);

/* All hardware that can be loaded by id, sorted by id. */
typedef struct adept_hardware_list adept_hardware_list; /* opaque: owns memory */
adept_status adept_hardware_list_load(adept_hardware_list **out, adept_error *err);
size_t adept_hardware_list_count(const adept_hardware_list *list);
const adept_hardware *adept_hardware_list_at(const adept_hardware_list *list, size_t index);
void adept_hardware_list_free(adept_hardware_list *list); /* NULL is fine */

#ifdef __cplusplus
}
#endif
#endif
