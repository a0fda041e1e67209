/*
 * Memory without a RAPL domain: the model of eqs 4.1-4.2,
 *
 *   P_RAM = sum over modules of P_base(capacity) * mem_use(share)         [W]
 *
 * share: of the machine's memory that the command's tree holds. Constants: data/measure/dimm_power.csv,
 * which the build turns into dimm_power_rows.h. Modules: the firmware's table in /sys/firmware/dmi/entries,
 * type 17 (SMBIOS reference specification, "Memory Device": size at 0x0C, extended size at 0x1C).
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "process_tree.h"
#include "sensor.h"
#include "sysfs.h"

typedef struct dimm_row {
    double at_least, value;
} dimm_row;

static const dimm_row dimm_power[] = {
#define DIMM_POWER_ROW(gigabytes, watts) {gigabytes, watts},
#define MEMORY_USE_ROW(percent, factor)
#include "dimm_power_rows.h"
#undef DIMM_POWER_ROW
#undef MEMORY_USE_ROW
};
static const dimm_row memory_use[] = {
#define DIMM_POWER_ROW(gigabytes, watts)
#define MEMORY_USE_ROW(percent, factor) {percent, factor},
#include "dimm_power_rows.h"
#undef DIMM_POWER_ROW
#undef MEMORY_USE_ROW
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
static const double gibibyte_B = 1073741824.0;

/* The smallest listed capacity that is not below this one; beyond the table its ends. */
double dram_dimm_power_W(double capacity_B) {
    size_t row = 0;
    while (row + 1 < COUNT(dimm_power) && dimm_power[row].at_least * gibibyte_B < capacity_B)
        row++;
    return dimm_power[row].value;
}

double dram_memory_use(double share) {
    size_t row = 0;
    while (row + 1 < COUNT(memory_use) && memory_use[row + 1].at_least <= share * 100)
        row++;
    return memory_use[row].value;
}

typedef struct dram_model {
    const process_tree *tree;
    double base_W; /* of all modules */
} dram_model;

static sensor_result dram_read(sensor *self, bool with_counter, sensor_reading *out) {
    const dram_model *model = self->state;
    (void)with_counter;
    out->power_W = model->base_W * dram_memory_use(process_tree_share(model->tree));
    out->has = READ_POWER;
    return SENSOR_OK;
}

/* Capacity of a type 17 structure of length bytes, 0: empty slot or unknown. */
static double capacity_B(const unsigned char *raw, size_t length) {
    if (length < 0x0E || raw[0] != 17)
        return 0;
    unsigned size = raw[0x0C] | (unsigned)raw[0x0D] << 8;
    if (size == 0 || size == 0xFFFF)
        return 0;
    if (size == 0x7FFF && length >= 0x20) {
        uint32_t extended_MiB = (uint32_t)raw[0x1C] | (uint32_t)raw[0x1D] << 8 | (uint32_t)raw[0x1E] << 16 |
                                (uint32_t)(raw[0x1F] & 0x7F) << 24;
        return extended_MiB * 1048576.0;
    }
    return size & 0x8000 ? (size & 0x7FFF) * 1024.0 : size * 1048576.0;
}

typedef struct module_count {
    size_t modules;
    double total_B, base_W;
    int error; /* errno of the first entry that could not be read */
    const char *denied;
} module_count;

static void count_module(sensor_list *list, const char *folder, const char *entry, module_count *found) {
    unsigned char raw[512];
    const char *path = adept_arena_format(list->arena, "%s/%s/raw", folder, entry);
    FILE *file = path ? fopen(path, "rb") : NULL;
    if (!file) {
        if (!found->denied) {
            found->error = errno;
            found->denied = path;
        }
        return;
    }
    double size_B = capacity_B(raw, fread(raw, 1, sizeof raw, file));
    fclose(file);
    if (size_B <= 0)
        return;
    found->modules++;
    found->total_B += size_B;
    found->base_W += dram_dimm_power_W(size_B);
}

static module_count read_firmware(sensor_list *list, const char *folder) {
    module_count found = {0};
    struct dirent **entries = NULL;
    int count = folder ? scandir(folder, &entries, NULL, alphasort) : -1;
    for (int i = 0; i < count; i++) {
        if (strncmp(entries[i]->d_name, "17-", 3) == 0)
            count_module(list, folder, entries[i]->d_name, &found);
        free(entries[i]);
    }
    free(entries);
    return found;
}

static void miss_modules(sensor_list *list, const char *folder, const module_count *found) {
    bool denied = found->denied && (found->error == EACCES || found->error == EPERM);
    if (found->denied)
        sensor_list_miss(
            list, "dram", denied,
            adept_arena_format(list->arena, "%s: %s", found->denied, strerror(found->error)),
            adept_arena_format(list->arena,
                               "allow it until the next boot with: sudo chmod a+r %s/17-*/raw, run as "
                               "root, or name the modules (--dimms 8x32)",
                               folder));
    else
        sensor_list_miss(list, "dram", false,
                         adept_arena_format(list->arena, "%s: no memory modules listed (type 17)", folder),
                         "without RAPL's DRAM domain, name the modules for the model (--dimms 8x32)");
}

void dram_find(sensor_list *list, const char *sysfs_root, const process_tree *tree, size_t dimm_count,
               double dimm_B) {
    const char *folder = adept_arena_format(list->arena, "%s/firmware/dmi/entries", sysfs_root);
    module_count found = {0};
    if (dimm_count)
        found = (module_count){.modules = dimm_count,
                               .total_B = (double)dimm_count * dimm_B,
                               .base_W = (double)dimm_count * dram_dimm_power_W(dimm_B)};
    else
        found = read_firmware(list, folder);
    if (!found.modules || found.denied) {
        miss_modules(list, folder, &found);
        return;
    }
    dram_model *model = adept_arena_alloc(list->arena, sizeof *model);
    const char *name =
        adept_arena_format(list->arena, "%zu modules, %.0f GiB", found.modules, found.total_B / gibibyte_B);
    sensor *added = sensor_list_add(list);
    if (!model || !name || !added) {
        list->out_of_memory = true;
        return;
    }
    *model = (dram_model){.tree = tree, .base_W = found.base_W};
    added->kind = ADEPT_DEVICE_MEMORY;
    added->name = name;
    added->id = dimm_count ? "as told" : folder;
    added->power_method = "model of eqs 4.1-4.2 (modules, share of memory held)";
    added->caveat = "an estimate of the power of all modules, not a measurement";
    added->modelled = true;
    added->read = dram_read;
    added->state = model;
}
