#include "communication.h"

#include <math.h>

adept_link_choice adept_link_for(const adept_hardware_spec *spec, int32_t gpus) {
    if (gpus <= 1)
        return (adept_link_choice){ADEPT_LINK_KIND_NONE, INFINITY, false};
    bool joined = spec->link_topology == ADEPT_LINK_MESH || spec->link_topology == ADEPT_LINK_NVSWITCH ||
                  (spec->link_topology == ADEPT_LINK_BRIDGE && gpus <= 2);
    double inside = joined ? spec->link_B_per_s : spec->pcie_B_per_s;
    if (gpus <= spec->gpus_per_node)
        return (adept_link_choice){joined ? ADEPT_LINK_KIND_DIRECT : ADEPT_LINK_KIND_PCIE, inside, false};
    bool assumed = isnan(spec->internode_B_per_s);
    double share = assumed ? ADEPT_NETWORK_B_PER_S : spec->internode_B_per_s;
    double network = share * gpus / adept_node_count(spec, gpus);
    return (adept_link_choice){ADEPT_LINK_KIND_NETWORK, fmin(inside, network), assumed};
}

double adept_node_count(const adept_hardware_spec *spec, int32_t gpus) {
    return ceil(gpus / spec->gpus_per_node);
}

double adept_allreduce_latency_s(const adept_hardware_spec *spec, int32_t gpus, double hop_s) {
    double nodes = adept_node_count(spec, gpus);
    double inside_s = adept_ring_hops((int32_t)fmin(gpus, spec->gpus_per_node)) * hop_s;
    double network_s = fmax(isnan(spec->internode_latency_s) ? hop_s : spec->internode_latency_s, hop_s);
    return nodes > 1 ? inside_s + 2 * ceil(log2(nodes)) * network_s : inside_s;
}

double adept_ring_hops(int32_t gpus) {
    return gpus > 1 ? 2.0 * (gpus - 1) : 0;
}

double adept_ring_share(int32_t gpus) {
    return gpus > 1 ? 2.0 * (gpus - 1) / gpus : 0;
}

double adept_ring_allreduce_s(int32_t gpus, double hop_s, double size_B, double bandwidth_B_per_s) {
    return adept_ring_hops(gpus) * hop_s + adept_ring_share(gpus) * size_B / bandwidth_B_per_s;
}
