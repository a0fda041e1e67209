#include <math.h>

#include "adept/prediction.h"
#include "communication.h"

bool adept_node_power_of(adept_node_power *out, const adept_hardware_spec *spec, int32_t gpus,
                         double gpu_power_W) {
    double nodes = adept_node_count(spec, gpus);
    double dram_W = spec->host_dram_dimm_W * spec->host_dram_slots * spec->host_dram_use; /* eq 4.1 */
    out->nodes = nodes;
    out->gpus_W = gpus * gpu_power_W;
    out->cpu_W = nodes * spec->host_cpu_W;
    out->fan_W = nodes * spec->host_fan_W;
    out->dram_W = nodes * dram_W;
    double used_W = out->gpus_W + out->cpu_W + out->fan_W + out->dram_W;
    out->total_W = used_W / spec->host_supply_efficiency;
    out->supply_W = out->total_W - used_W;
    if (isfinite(out->total_W))
        return true;
    *out = (adept_node_power){NAN, NAN, NAN, NAN, NAN, NAN, NAN};
    return false;
}
