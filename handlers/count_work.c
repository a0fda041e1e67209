#include "count_work.h"

#include "checked.h"
#include "fail.h"
#include "handler.h"

static const adept_traffic traffics[] = {
#define TRAFFIC_ROW(code, elements, kernels, source) {#code, elements, kernels, source},
    ADEPT_TRAFFIC_LIST(TRAFFIC_ROW)
#undef TRAFFIC_ROW
};

const adept_traffic *adept_traffic_of(adept_traffic_code code) {
    return &traffics[code];
}

adept_kernel *adept_work_pass(adept_count *ctx, adept_pass pass, adept_kernel_kind kind, double elements,
                              double read_B, double write_B, double alu_flop) {
    adept_kernel *kernel = adept_count_emit(ctx, pass, kind);
    kernel->elements = elements;
    kernel->read_B = read_B;
    kernel->write_B = write_B;
    kernel->alu_flop = alu_flop;
    /* Batch normalisation of channels-last storage runs other kernels. */
    kernel->conv.nhwc = kind == ADEPT_KERNEL_BATCH_NORM && adept_count_run(ctx)->layout == ADEPT_LAYOUT_NHWC;
    return kernel;
}

void adept_work_backward(adept_count *ctx, adept_kernel_kind kind, adept_traffic_code code, double elements,
                         double element_B, double alu_flop) {
    const adept_traffic *traffic = adept_traffic_of(code);
    if (traffic->kernels <= 0)
        return;
    /* Every kernel of a chain writes its result once. */
    double written = traffic->kernels < traffic->elements ? traffic->kernels : traffic->elements;
    if (code == ADEPT_TRAFFIC_LAYER_NORM || code == ADEPT_TRAFFIC_GROUP_NORM ||
        code == ADEPT_TRAFFIC_EXTREMUM)
        written = 1;
    adept_kernel *kernel = adept_work_pass(ctx, ADEPT_PASS_BACKWARD, kind, elements,
                                           (traffic->elements - written) * elements * element_B,
                                           written * elements * element_B, alu_flop);
    kernel->launches = traffic->kernels;
}

void adept_work_reduce(adept_count *ctx, adept_pass pass, double elements, double large_B, double small_B) {
    adept_work_pass(ctx, pass, ADEPT_KERNEL_REDUCE, elements, large_B, small_B, elements);
}

double adept_gemm_flop(const adept_gemm *dims) {
    return 2.0 * (double)dims->batch * (double)dims->m * (double)dims->n * (double)dims->k;
}

adept_kernel *adept_work_gemm(adept_count *ctx, adept_pass pass, const adept_gemm *dims, double read_B,
                              double write_B) {
    adept_kernel *kernel = adept_count_emit(ctx, pass, ADEPT_KERNEL_GEMM);
    kernel->gemm.batch = dims->batch;
    kernel->gemm.m = dims->m;
    kernel->gemm.n = dims->n;
    kernel->gemm.k = dims->k;
    kernel->gemm_flop = adept_gemm_flop(dims);
    kernel->elements = (double)dims->batch * (double)dims->m * (double)dims->n;
    kernel->read_B = read_B;
    kernel->write_B = write_B;
    return kernel;
}

adept_status adept_work_product(adept_count *ctx, const adept_shape *shape, int32_t first, int32_t last,
                                int64_t *out) {
    if (!adept_elements(shape->dims + first, last > first ? last - first : 0, out))
        return adept_count_fail(ctx, ADEPT_RANGE,
                                "a product of dimensions %d to %d overflows; use smaller sizes", (int)first,
                                (int)last - 1);
    return ADEPT_OK;
}

double adept_work_inputs_B(const adept_count *ctx) {
    double bytes = 0;
    for (int32_t i = 0; i < adept_count_inputs(ctx); i++)
        if (adept_count_in_elements(ctx, i) > 1)
            bytes += adept_count_in_B(ctx, i);
    return bytes;
}

double adept_work_outputs_B(const adept_count *ctx) {
    double bytes = 0;
    for (int32_t i = 0; i < adept_count_outputs(ctx); i++)
        bytes += adept_count_out_B(ctx, i);
    return bytes;
}

double adept_work_alu(const adept_count *ctx, adept_pass pass) {
    const adept_handler *row = adept_count_handler(ctx);
    return pass == ADEPT_PASS_FORWARD ? row->alu.forward : row->alu.backward;
}

bool adept_work_is_scalar_constant(const adept_count *ctx, int32_t input) {
    return adept_count_is_constant(ctx, input) && adept_count_in_elements(ctx, input) <= 1;
}
