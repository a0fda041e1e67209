#include "operator_communication.h"

#include <math.h>

#include "communication.h"
#include "operator_parameters.h"

/* Gradients that PyTorch's DistributedDataParallel reduces together (bucket_cap_mb, its documentation). */
#define BUCKET_B 25e6

/*
 * Links of a GPU that rings over n GPUs of a mesh can use, as a share of all. The mesh is that of a DGX-1
 * (six links, hybrid cube): measured all-reduce rates of 2 to 8 V100 are 23, 46, 88, 37, 47, 88 and 136 GB/s,
 * so 1, 2, 4, 5/3, 2, 4 and 6 links of 25 GB/s at nine tenths each (docs/model.md).
 */
static const double mesh_share[] = {1, 1, 1.0 / 6, 2.0 / 6, 4.0 / 6, 5.0 / 18, 2.0 / 6, 4.0 / 6, 1};

static double efficiency(const double *theta, adept_link_kind kind) {
    static const int parameters[] = {
        [ADEPT_LINK_KIND_NONE] = OP_LINK,
        [ADEPT_LINK_KIND_DIRECT] = OP_LINK,
        [ADEPT_LINK_KIND_PCIE] = OP_PCIE,
        [ADEPT_LINK_KIND_NETWORK] = OP_NETWORK,
    };
    return theta[parameters[kind]];
}

/* Bytes per second that a ring inside a node moves through each GPU. */
static double inside_B_per_s(const adept_hardware_spec *spec, const double *theta, int32_t gpus) {
    adept_link_choice link = adept_link_for(spec, gpus);
    double bandwidth = link.B_per_s * efficiency(theta, link.kind);
    if (link.kind == ADEPT_LINK_KIND_DIRECT && spec->link_topology == ADEPT_LINK_MESH && gpus <= 8)
        bandwidth = fmax(bandwidth * mesh_share[gpus], spec->pcie_B_per_s * theta[OP_PCIE]);
    return bandwidth;
}

/* The same for a ring over any number of GPUs: beyond a node the slower of both ways. */
static double ring_B_per_s(const adept_hardware_spec *spec, const double *theta, const adept_run *run,
                           int32_t gpus) {
    adept_link_choice link = adept_link_for(spec, gpus);
    if (run->collective_B_per_s > 0)
        return run->collective_B_per_s;
    if (link.kind != ADEPT_LINK_KIND_NETWORK)
        return inside_B_per_s(spec, theta, gpus);
    double network = link.B_per_s * efficiency(theta, link.kind);
    return fmin(network, inside_B_per_s(spec, theta, (int32_t)spec->gpus_per_node));
}

double operator_allreduce_s(const adept_hardware_spec *spec, const double *theta, const adept_run *run,
                            int32_t gpus, double size_B) {
    if (gpus <= 1)
        return 0;
    double bandwidth = ring_B_per_s(spec, theta, run, gpus);
    return theta[OP_COLLECTIVE] + adept_allreduce_latency_s(spec, gpus, theta[OP_HOP]) +
           adept_ring_share(gpus) * size_B / bandwidth;
}

double operator_exposed_s(const adept_hardware_spec *spec, const double *theta, const adept_run *run,
                          int32_t gpus, double gradients_B, double backward_s) {
    if (gpus <= 1 || !(gradients_B > 0))
        return 0;
    double buckets = ceil(gradients_B / BUCKET_B);
    double bucket_s = operator_allreduce_s(spec, theta, run, gpus, gradients_B / buckets);
    double hidden_s = (run->overlap >= 0 ? run->overlap : theta[OP_HIDDEN]) * backward_s;
    return fmax(bucket_s, buckets * bucket_s - hidden_s * (buckets - 1) / buckets);
}
