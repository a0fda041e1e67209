#include "operator_kernel.h"

#include <math.h>
#include <stdbool.h>

#include "operator_parameters.h"

static double larger(double a, double b) {
    return a > b ? a : b;
}

static double up(double a, double b) {
    return ceil(a / b);
}

/* Draw of an active board beside idle and die: converters and fans by its TDP, GDDR chips by capacity. */
static double active_board_W(const adept_hardware_spec *spec, const double *theta) {
    const double GiB = 1024.0 * 1024.0 * 1024.0;
    if (adept_memory_type_is_hbm(spec->memory_type))
        return 0;
    bool gddr = spec->memory_type != ADEPT_MEMORY_TYPE_LPDDR5;
    return theta[OP_C_BOARD] * spec->tdp_W + (gddr ? theta[OP_C_MEMORY] * spec->memory_B / GiB : 0);
}

operator_gpu operator_gpu_make(const adept_hardware_spec *spec, const double *theta) {
    bool hbm = adept_memory_type_is_hbm(spec->memory_type);
    double share = theta[hbm ? OP_BW_HBM : OP_BW_GDDR] * (spec->memory_ecc > 0 ? theta[OP_BW_ECC] : 1);
    return (operator_gpu){
        .spec = spec,
        .theta = theta,
        .sm = spec->sm_count,
        .clock_Hz = spec->boost_clock_Hz,
        .bandwidth_B_per_s = share * spec->memory_bandwidth_B_per_s,
        .memory_J_per_B = theta[hbm ? OP_E_HBM : OP_E_GDDR] * 1e-12,
        .optimizer_passes = theta[OP_OPTIMIZER],
        .sm_rate = spec->family == ADEPT_GPU_FAMILY_PASCAL ? theta[OP_SM_PASCAL] : 1,
        .base_static_W = spec->idle_power_W + active_board_W(spec, theta),
        .base_clock_W = theta[OP_C_CLOCK] * spec->transistors / 1e9 * spec->boost_clock_Hz / 1e9,
    };
}

double operator_voltage(const operator_gpu *gpu, double phi) {
    const double sharpness = 25;
    double x = (phi - gpu->theta[OP_V_KNEE]) * sharpness;
    double softplus = x > 30 ? x : log1p(exp(x));
    return 1 + gpu->theta[OP_V_SLOPE] * softplus / sharpness;
}

double operator_base_W(const operator_gpu *gpu, double phi, double voltage) {
    return gpu->base_static_W + gpu->base_clock_W * phi * voltage * voltage;
}

/* --- matrix products --- */

typedef struct tile {
    int m, n;
} tile;

/* Thread-block tiles of the BLAS libraries' kernels, by unit (names of cuBLAS, CUTLASS and rocBLAS kernels).
 */
static const tile core_tiles[] = {
    {128, 128},
    {128, 64 },
    {64,  128},
    {64,  64 },
    {128, 32 },
    {32,  128},
    {64,  32 },
    {32,  64 },
    {32,  32 },
};
/* Pascal's library has no others for x W^T, the product of a linear layer (kernel names of the measured
 * runs). */
static const tile pascal_linear_tiles[] = {
    {128, 32 },
    {32,  128},
    {64,  64 },
};
static const tile tensor_tiles[] = {
    {256, 128},
    {128, 256},
    {128, 128},
    {256, 64 },
    {64,  256},
    {128, 64 },
    {64,  128},
    {64,  64 },
    {64,  32 },
    {32,  64 },
};

typedef struct matrix_unit {
    const tile *tiles;
    int tile_count;
    double flop_per_s; /* peak times the share that kernels reach */
    double peak_flop_per_s;
    double h0, k_step;
    bool fed;            /* limited by the operands that L2 delivers */
    double feed_B_per_s; /* them, per SM */
    double J_per_flop;   /* at floor voltage, g included */
} matrix_unit;

/*
 * GeForce boards sell half the rate of their matrix units where sums are FP32; the units are as wide, and a
 * FLOP costs what it does on the workstation boards of the same die. 16-bit sums show the full rate; integers
 * have it anyway.
 */
static double width_over_rate(const adept_hardware_spec *spec, adept_peak unit) {
    if (unit == ADEPT_PEAK_INT8_TENSOR || unit == ADEPT_PEAK_INT4_TENSOR)
        return 1;
    double narrow = spec->peak_flop_per_s[ADEPT_PEAK_FP16_TENSOR],
           full = spec->peak_flop_per_s[ADEPT_PEAK_FP16_TENSOR_FP16ACC];
    return full > narrow ? full / narrow : 1;
}

/* One unit's energy: k nJ per SM and cycle at the unit's full rate; FP32 cores per 128 FLOP (power study). */
static double unit_J_per_flop(const operator_gpu *gpu, adept_peak unit, double peak_flop_per_s) {
    const double *theta = gpu->theta;
    double full_rate = width_over_rate(gpu->spec, unit) * peak_flop_per_s / (gpu->sm * gpu->clock_Hz);
    switch (unit) {
    case ADEPT_PEAK_FP32:
    case ADEPT_PEAK_FP64:
    case ADEPT_PEAK_FP16:
    case ADEPT_PEAK_BF16:
    case ADEPT_PEAK_INT8:
        return theta[OP_G] * theta[OP_K_FP32] * 1e-9 / 128;
    case ADEPT_PEAK_TF32:
    case ADEPT_PEAK_FP32_MATRIX:
        return theta[OP_G] * theta[OP_K_TF32] * 1e-9 / full_rate;
    default:
        return theta[OP_G] * theta[OP_K_16] * 1e-9 / full_rate;
    }
}

static bool is_general(adept_peak unit) {
    return unit == ADEPT_PEAK_FP32 || unit == ADEPT_PEAK_FP64 || unit == ADEPT_PEAK_FP16 ||
           unit == ADEPT_PEAK_BF16 || unit == ADEPT_PEAK_INT8;
}

/*
 * Units faster than A100's 2048 FLOP per SM and cycle come with wider paths for their operands (multicast of
 * tiles in a cluster on Hopper, pairs of SMs on Blackwell): large products reach 0.78 to 0.80 of peak on all
 * of them (measured.gemm of the hardware files).
 */
static double widened(const operator_gpu *gpu, double peak_flop_per_s) {
    const double a100_flop_per_cycle = 2048;
    return larger(peak_flop_per_s / (gpu->sm * gpu->clock_Hz) / a100_flop_per_cycle, 1);
}

/* Share of a unit's peak that its kernels can reach. */
static double reached(const operator_gpu *gpu, bool general, bool amd) {
    const double *theta = gpu->theta;
    if (general || amd)
        return theta[OP_E_CORE] * (general ? 1 : theta[OP_E_MATRIX_FP32]);
    return theta[OP_E_TENSOR] * (gpu->spec->family == ADEPT_GPU_FAMILY_VOLTA ? theta[OP_E_VOLTA] : 1);
}

static matrix_unit matrix_unit_of(const operator_gpu *gpu, adept_math math) {
    adept_peak_choice choice = adept_peak_for_matrix(gpu->spec, math);
    bool general = is_general(choice.unit), amd = choice.unit == ADEPT_PEAK_FP32_MATRIX;
    double share = reached(gpu, general, amd);
    return (matrix_unit){
        .tiles = general ? core_tiles : tensor_tiles,
        .tile_count = general ? (int)(sizeof core_tiles / sizeof *core_tiles)
                              : (int)(sizeof tensor_tiles / sizeof *tensor_tiles),
        .flop_per_s = choice.flop_per_s * share,
        .peak_flop_per_s = choice.flop_per_s,
        .h0 = general || amd ? gpu->theta[OP_H0] : 0,
        .k_step = general ? 8
                  : amd   ? 16
                          : 32,
        .fed = !general && !amd,
        .feed_B_per_s = gpu->theta[OP_FEED] * gpu->clock_Hz * widened(gpu, choice.flop_per_s),
        .J_per_flop = unit_J_per_flop(gpu, choice.unit, choice.flop_per_s),
    };
}

static void use_tiles(matrix_unit *unit, const tile *tiles, size_t count) {
    unit->tiles = tiles;
    unit->tile_count = (int)count;
}

typedef struct product {
    double batch, m, n, k, element_B;
} product;

typedef struct tiling {
    double compute_s, feed_s, memory_s, split_s, tiles, waves, whole_waves_s;
} tiling;

/* Operand panels re-read from device memory by every wave of two tiles per SM; at least the operands once. */
static double traffic_B(const operator_gpu *gpu, const product *p, const tile *t, double tiles) {
    double once = p->batch * (p->m * p->k + p->k * p->n + p->m * p->n) * p->element_B;
    double in_flight = 2 * gpu->sm, waves = tiles / in_flight;
    if (waves <= 1)
        return once;
    double columns = up(p->n, t->n), rows_in_wave = larger(in_flight / columns, 1);
    double columns_in_wave = columns < in_flight ? columns : in_flight;
    double panel = (rows_in_wave * t->m + columns_in_wave * t->n) * p->k * p->element_B;
    double reread = waves * panel + p->batch * p->m * p->n * p->element_B;
    double l2 = gpu->spec->l2_B;
    /* An operand that stays in half of L2 is read once. */
    return p->k * p->n * p->element_B < l2 / 2 ? once : larger(once, reread);
}

static tiling tile_product(const operator_gpu *gpu, const matrix_unit *unit, const product *p, const tile *t,
                           double split) {
    const double *theta = gpu->theta;
    double tiles = p->batch * up(p->m, t->m) * up(p->n, t->n) * split;
    double w = tiles / gpu->sm;
    double waves = w <= 1 ? 1 : (1 - theta[OP_WAVE]) * w + theta[OP_WAVE] * ceil(w);
    double k = up(p->k / split, unit->k_step) * unit->k_step;
    double h = (double)t->m * t->n / (t->m + t->n);
    double rate = unit->flop_per_s / gpu->sm * h / (h + unit->h0) * (w <= 1 ? theta[OP_SINGLE_TILE] : 1);
    double tile_s = 2.0 * t->m * t->n * k / rate;
    double feed_B = ((t->m + t->n) * k + (double)t->m * t->n) * p->element_B;
    double bandwidth = gpu->bandwidth_B_per_s;
    return (tiling){
        .compute_s = waves * tile_s,
        .whole_waves_s =
            p->batch * p->m * p->n / ((double)t->m * t->n) * split / gpu->sm * tile_s * p->k / (k * split),
        .feed_s = unit->fed ? waves * feed_B / unit->feed_B_per_s : 0,
        .memory_s = traffic_B(gpu, p, t, tiles) / bandwidth,
        .split_s = split > 1 ? (split + 1) * 4 * p->batch * p->m * p->n / bandwidth + 2e-6 : 0,
        .tiles = tiles,
        .waves = waves,
    };
}

static double rank_of(const tiling *t) {
    return larger(larger(t->compute_s, t->feed_s), t->memory_s) + t->split_s;
}

/* The library's choice: the tile and split with the least of its largest limit. */
static tiling best_tiling(const operator_gpu *gpu, const matrix_unit *unit, const product *p) {
    tiling best = {0};
    double best_s = INFINITY;
    for (int i = 0; i < unit->tile_count; i++) {
        for (double split = 1; split <= 32; split *= 2) {
            tiling t = tile_product(gpu, unit, p, &unit->tiles[i], split);
            if (split > 1 && (t.tiles / split >= gpu->sm || p->k / split < unit->k_step))
                break;
            double rank = rank_of(&t);
            if (rank < best_s * (1 - 1e-9)) { /* ties go to the first: rounding must not choose */
                best_s = rank;
                best = t;
            }
        }
    }
    return best;
}

/* latency: OP_LATENCY or OP_LATENCY_CONV. */
static operator_limits product_limits(const operator_gpu *gpu, const matrix_unit *unit, const product *p,
                                      int latency) {
    tiling t = best_tiling(gpu, unit, p);
    double flop = 2 * p->batch * p->m * p->n * p->k;
    double saved = t.compute_s - t.whole_waves_s;
    return (operator_limits){
        .compute_s = t.compute_s,
        .feed_s = t.feed_s,
        .memory_s = t.memory_s + t.split_s,
        .latency_s = gpu->theta[latency] / gpu->clock_Hz,
        .start_s = gpu->theta[OP_KERNEL],
        .ideal_s = flop / unit->peak_flop_per_s,
        .quantised_s = saved > 0 ? saved : 0,
        .occupancy = t.tiles < gpu->sm ? t.tiles / gpu->sm : 1,
        .unit_J = flop * unit->J_per_flop,
    };
}

/* --- convolutions as implicit matrix products --- */

static bool is_depthwise(const adept_kernel *k) {
    return k->conv.groups > 1 && k->conv.groups == k->conv.c_in;
}

static product convolution_product(const adept_kernel *k) {
    double g = (double)k->conv.groups, c_in = (double)k->conv.c_in / g, c_out = (double)k->conv.c_out / g;
    double r = (double)k->conv.kernel, n = (double)k->conv.images;
    double in = n * (double)k->conv.pixels_in, out = n * (double)k->conv.pixels_out;
    product p = {.batch = g, .element_B = k->element_B};
    switch (k->kind) {
    case ADEPT_KERNEL_CONV_DATA:
        p.m = in, p.n = c_in, p.k = c_out * r * out / larger(in, 1);
        break;
    case ADEPT_KERNEL_CONV_WEIGHT:
        p.m = c_out, p.n = c_in * r, p.k = out;
        break;
    default:
        p.m = out, p.n = c_out, p.k = c_in * r;
        break;
    }
    return p;
}

static operator_limits streaming_limits(const operator_gpu *gpu, const adept_kernel *k, double share,
                                        double rate_B_per_cycle);
static double general_J_per_flop(const operator_gpu *gpu);

/* Kernels that move elements one by one: as many 16-bit elements per second as 32-bit ones. */
static double copy_rate(const operator_gpu *gpu, const adept_kernel *k) {
    double rate = gpu->theta[OP_COPY_RATE] * gpu->sm_rate;
    return k->element_B < 4 ? rate * k->element_B / 4 : rate;
}

/* Each output is a short loop over taps on general cores, whatever the precision. */
static operator_limits depthwise_limits(const operator_gpu *gpu, const adept_kernel *k,
                                        const matrix_unit *unit) {
    int parameter = k->kind == ADEPT_KERNEL_CONV_WEIGHT ? OP_DEPTHWISE_BACK : OP_DEPTHWISE;
    bool fast = k->conv.nhwc && k->element_B < 4;
    operator_limits limits = streaming_limits(gpu, k, fast ? gpu->theta[OP_DEPTHWISE_NHWC] : 1, INFINITY);
    if (!fast)
        limits.sm_s = k->conv_flop / 2 / (gpu->theta[parameter] * gpu->sm_rate * gpu->sm * gpu->clock_Hz);
    /* A warp reduces one image at a time: small images leave it idle (PyTorch's DepthwiseConv2d.cu). */
    if (!fast && k->kind == ADEPT_KERNEL_CONV_WEIGHT)
        limits.sm_s *= 1 + gpu->theta[OP_DEPTHWISE_SMALL] / larger((double)k->conv.pixels_out, 1);
    limits.ideal_s = k->conv_flop / unit->peak_flop_per_s;
    limits.unit_J = k->conv_flop * general_J_per_flop(gpu);
    return limits;
}

/* Passes over a channels-first convolution's bytes that bring them into the matrix units' order and back. */
static double layout_passes(const operator_gpu *gpu, const adept_kernel *k) {
    return gpu->theta[OP_NCHW] * (k->math == ADEPT_MATH_TF32 ? gpu->theta[OP_NCHW_TF32] : 1);
}

/* Rate relative to a matrix product of the same shape. */
static double convolution_rate(const operator_gpu *gpu, const adept_kernel *k, const matrix_unit *unit) {
    double rate = unit->fed ? gpu->theta[OP_E_CONV] : 1;
    if (k->conv.groups > 1)
        rate *= gpu->theta[OP_E_GROUPED];
    if (unit->fed && k->conv.spatial_rank == 1)
        rate *= gpu->theta[OP_CONV_1D];
    return rate;
}

static operator_limits convolution_limits(const operator_gpu *gpu, const adept_kernel *k) {
    matrix_unit unit = matrix_unit_of(gpu, k->math);
    double bytes = k->read_B + k->write_B;
    if (is_depthwise(k))
        return depthwise_limits(gpu, k, &unit);
    product p = convolution_product(k);
    bool winograd = k->conv.winograd && k->kind != ADEPT_KERNEL_CONV_WEIGHT && !unit.fed;
    operator_limits limits = product_limits(gpu, &unit, &p, OP_LATENCY_CONV);
    if (winograd) {
        double r = gpu->theta[OP_WINOGRAD];
        limits.compute_s /= r;
        limits.ideal_s /= r;
        limits.quantised_s /= r;
        limits.unit_J /= r;
    }
    /* The implicit product re-reads each input pixel from on-chip memory; from device memory it comes once.
     */
    limits.memory_s = bytes / gpu->bandwidth_B_per_s;
    if (unit.fed && !k->conv.nhwc)
        limits.latency_s += layout_passes(gpu, k) * bytes / (copy_rate(gpu, k) * gpu->sm * gpu->clock_Hz);
    double rate = convolution_rate(gpu, k, &unit);
    limits.compute_s /= rate;
    limits.quantised_s /= rate;
    limits.feed_s /= rate;
    return limits;
}

/* --- everything else streams through memory --- */

static double general_J_per_flop(const operator_gpu *gpu) {
    return gpu->theta[OP_G] * gpu->theta[OP_K_FP32] * 1e-9 / 128;
}

static operator_limits streaming_limits(const operator_gpu *gpu, const adept_kernel *k, double share,
                                        double rate_B_per_cycle) {
    double bytes = k->read_B + k->write_B;
    double threads = k->elements / 1024;
    return (operator_limits){
        .memory_s = bytes / (gpu->bandwidth_B_per_s * share),
        .sm_s = bytes / (rate_B_per_cycle * gpu->sm * gpu->clock_Hz),
        .start_s = gpu->theta[OP_KERNEL] * k->launches,
        .occupancy = threads < gpu->sm ? threads / gpu->sm : 1,
        .unit_J = k->alu_flop * general_J_per_flop(gpu),
    };
}

/* Limit per SM of a kind of kernel, bytes per cycle. */
static double stream_rate(const operator_gpu *gpu, const adept_kernel *k) {
    switch (k->kind) {
    case ADEPT_KERNEL_BATCH_NORM:
        return gpu->theta[OP_BATCH_RATE] * gpu->sm_rate *
               (k->conv.nhwc && k->element_B < 4 ? gpu->theta[OP_BATCH_NHWC] : 1);
    case ADEPT_KERNEL_NORM:
    case ADEPT_KERNEL_SOFTMAX:
    case ADEPT_KERNEL_REDUCE:
    case ADEPT_KERNEL_POOL:
    case ADEPT_KERNEL_SORT:
    case ADEPT_KERNEL_FFT:
        return gpu->theta[OP_NORM_RATE] * gpu->sm_rate;
    case ADEPT_KERNEL_COPY:
    case ADEPT_KERNEL_GATHER:
    case ADEPT_KERNEL_SCATTER:
        return copy_rate(gpu, k);
    default:
        return gpu->theta[OP_ELEMENT_RATE];
    }
}

static operator_limits attention_limits(const operator_gpu *gpu, const adept_kernel *k) {
    matrix_unit unit = matrix_unit_of(gpu, k->math);
    double blocks = (double)k->gemm.batch * up((double)k->gemm.m, 128);
    operator_limits limits = streaming_limits(gpu, k, 1, INFINITY);
    double spread = blocks < gpu->sm ? gpu->sm / larger(blocks, 1) : 1;
    limits.ideal_s = k->gemm_flop / unit.peak_flop_per_s;
    limits.compute_s = limits.ideal_s / gpu->theta[OP_FLASH] * spread;
    limits.quantised_s = limits.ideal_s / gpu->theta[OP_FLASH] * (spread - 1);
    limits.occupancy = blocks < gpu->sm ? blocks / gpu->sm : 1;
    limits.unit_J = k->gemm_flop * unit.J_per_flop;
    return limits;
}

/* One time step after another: the product of a step is too small to fill the GPU, and each waits for the
 * last. */
static operator_limits recurrent_limits(const operator_gpu *gpu, const adept_kernel *k) {
    matrix_unit unit = matrix_unit_of(gpu, k->math);
    product p = {.batch = larger((double)k->gemm.batch, 1),
                 .m = (double)k->gemm.m,
                 .n = (double)k->gemm.n,
                 .k = (double)k->gemm.k,
                 .element_B = k->element_B};
    operator_limits limits = product_limits(gpu, &unit, &p, OP_LATENCY);
    double steps = larger(k->steps, 1);
    limits.compute_s *= steps;
    limits.feed_s *= steps;
    limits.memory_s = larger(limits.memory_s, (k->read_B + k->write_B) / gpu->bandwidth_B_per_s);
    limits.latency_s *= steps;
    limits.ideal_s = k->gemm_flop / unit.peak_flop_per_s;
    limits.quantised_s *= steps;
    limits.unit_J = k->gemm_flop * unit.J_per_flop;
    return limits;
}

/* A fusing framework keeps intermediate results on chip. */
static void fuse(operator_limits *l, double factor) {
    l->bytes *= factor;
    l->memory_s *= factor;
    l->sm_s *= factor;
}

/* (sum x^p)^(1/p) by way of the largest term, which cannot overflow; terms that follow the clock apart. */
static void combine(operator_limits *l, double power) {
    const double clocked[] = {l->compute_s, l->feed_s, l->sm_s};
    l->largest_s = l->memory_s;
    for (int i = 0; i < 3; i++)
        l->largest_s = larger(l->largest_s, clocked[i]);
    if (!(l->largest_s > 0))
        return;
    for (int i = 0; i < 3; i++)
        l->clocked += clocked[i] > 0 ? pow(clocked[i] / l->largest_s, power) : 0;
    l->steady = l->memory_s > 0 ? pow(l->memory_s / l->largest_s, power) : 0;
}

static bool is_pascal_linear(const operator_gpu *gpu, const adept_kernel *k) {
    return gpu->spec->family == ADEPT_GPU_FAMILY_PASCAL && adept_memory_type_is_hbm(gpu->spec->memory_type) &&
           k->pass == ADEPT_PASS_FORWARD && k->gemm.batch == 1;
}

operator_limits operator_kernel_limits(const operator_gpu *gpu, const adept_kernel *k, double fused) {
    operator_limits limits;
    product p;
    matrix_unit unit;
    switch (k->kind) {
    case ADEPT_KERNEL_GEMM:
        unit = matrix_unit_of(gpu, k->math);
        if (is_pascal_linear(gpu, k))
            use_tiles(&unit, pascal_linear_tiles, sizeof pascal_linear_tiles / sizeof *pascal_linear_tiles);
        p = (product){(double)k->gemm.batch, (double)k->gemm.m, (double)k->gemm.n, (double)k->gemm.k,
                      k->element_B};
        limits = product_limits(gpu, &unit, &p, OP_LATENCY);
        limits.memory_s = larger(limits.memory_s, (k->read_B + k->write_B) / gpu->bandwidth_B_per_s);
        break;
    case ADEPT_KERNEL_CONV:
    case ADEPT_KERNEL_CONV_DATA:
    case ADEPT_KERNEL_CONV_WEIGHT:
        limits = convolution_limits(gpu, k);
        break;
    case ADEPT_KERNEL_ATTENTION:
        limits = attention_limits(gpu, k);
        break;
    case ADEPT_KERNEL_RECURRENT:
        limits = recurrent_limits(gpu, k);
        break;
    case ADEPT_KERNEL_OPTIMIZER:
        limits = streaming_limits(gpu, k, 1 / gpu->optimizer_passes, gpu->theta[OP_ELEMENT_RATE]);
        break;
    default:
        limits = streaming_limits(gpu, k, 1, stream_rate(gpu, k));
        break;
    }
    limits.bytes = k->read_B + k->write_B;
    if (k->kind == ADEPT_KERNEL_ELEMENTWISE || k->kind == ADEPT_KERNEL_CAST || k->kind == ADEPT_KERNEL_RANDOM)
        fuse(&limits, fused);
    limits.roofline_s = limits.bytes / gpu->spec->memory_bandwidth_B_per_s;
    combine(&limits, gpu->theta[OP_OVERLAP]);
    return limits;
}

/* --- at a clock --- */

operator_clock operator_clock_at(const operator_gpu *gpu, double phi) {
    const double *theta = gpu->theta;
    double v = operator_voltage(gpu, phi), g = theta[OP_G] * v * v;
    return (operator_clock){
        .phi = phi,
        .stretch = pow(phi, -theta[OP_OVERLAP]),
        .memory_stretch = pow(1 + pow(theta[OP_FILL] / phi, 4), theta[OP_OVERLAP] / 4),
        .voltage2 = v * v,
        .base_W = operator_base_W(gpu, phi, v),
        .busy_W = g * gpu->sm * gpu->clock_Hz * phi * theta[OP_K_BUSY] * 1e-9,
        .on_chip_J_per_B = g * theta[OP_E_ON] * 1e-12,
    };
}

double operator_kernel_time(const operator_gpu *gpu, const operator_limits *l, const operator_clock *clock) {
    double inverse = 1 / clock->phi;
    double together = l->largest_s * pow(l->clocked * clock->stretch + l->steady * clock->memory_stretch,
                                         1 / gpu->theta[OP_OVERLAP]);
    double time_s = together + l->latency_s * inverse + l->start_s;
    return larger(time_s, larger(l->ideal_s * inverse, l->roofline_s));
}

double operator_kernel_energy(const operator_gpu *gpu, const operator_limits *l, const operator_clock *clock,
                              double time_s) {
    double held_J = (clock->base_W + clock->busy_W * l->occupancy) * time_s;
    double bytes_J = (gpu->memory_J_per_B + clock->on_chip_J_per_B) * l->bytes;
    return held_J + clock->voltage2 * l->unit_J + bytes_J;
}

adept_bound operator_kernel_bound(const operator_limits *l) {
    return larger(l->compute_s, l->feed_s) >= larger(l->sm_s, l->memory_s) ? ADEPT_BOUND_COMPUTE
                                                                           : ADEPT_BOUND_MEMORY;
}
