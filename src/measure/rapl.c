/*
 * CPUs and memory through RAPL, as Linux shows it in /sys/class/powercap (Documentation/power/powercap):
 * zones intel-rapl:N (package-N) and below them intel-rapl:N:M (core, uncore, dram), on AMD CPUs too.
 * energy_uj counts up to max_energy_range_uj and starts again. Package and dram are counted; core and uncore
 * are parts of the package, and psys contains it. intel-rapl-mmio shows the package a second time.
 *
 * Since Linux 5.10 only root may read energy_uj (CVE-2020-8694).
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sensor.h"
#include "sysfs.h"

typedef struct rapl_zone {
    int file;
} rapl_zone;

static sensor_result rapl_read(sensor *self, bool with_counter, sensor_reading *out) {
    const rapl_zone *zone = self->state;
    double energy_uJ;
    (void)with_counter;
    out->has = 0;
    if (!sysfs_read_number(zone->file, &energy_uJ))
        return errno == ENODEV ? SENSOR_LOST : SENSOR_FAILED;
    out->counter_J = energy_uJ * 1e-6;
    out->has = READ_COUNTER;
    return SENSOR_OK;
}

static void miss_zone(sensor_list *list, const char *path, const char *name, int error) {
    bool denied = error == EACCES || error == EPERM;
    sensor_list_miss(
        list, "rapl", denied, adept_arena_format(list->arena, "%s (%s): %s", path, name, strerror(error)),
        denied ? adept_arena_format(list->arena,
                                    "allow it until the next boot with: sudo chmod a+r %s (an "
                                    "attacker could then watch the CPU's power, CVE-2020-8694), or "
                                    "run as root",
                                    path)
               : "needs a kernel with intel_rapl (modprobe intel_rapl_msr)");
}

static bool open_zone(sensor_list *list, const char *folder, const char *name, bool dram) {
    const char *path = adept_arena_format(list->arena, "%s/energy_uj", folder);
    const char *range = adept_arena_format(list->arena, "%s/max_energy_range_uj", folder);
    rapl_zone *zone = adept_arena_alloc(list->arena, sizeof *zone);
    if (!path || !range || !zone) {
        list->out_of_memory = true;
        return false;
    }
    double value = 0;
    zone->file = sensor_list_open(list, path);
    errno = zone->file < 0 ? errno : 0;
    if (zone->file < 0 || !sysfs_read_number(zone->file, &value)) {
        miss_zone(list, path, name, errno ? errno : EIO);
        return false;
    }
    sensor *added = sensor_list_add(list);
    if (!added)
        return false;
    added->kind = dram ? ADEPT_DEVICE_MEMORY : ADEPT_DEVICE_CPU;
    added->name = name;
    added->id = path;
    added->counter_method = dram ? "RAPL DRAM energy counter" : "RAPL package energy counter";
    added->refresh_s = 0.001; /* Intel SDM volume 3, "RAPL interfaces": updated about every millisecond */
    added->read = rapl_read;
    added->state = zone;
    if (sysfs_read_number_at(range, &value))
        added->counter_range_J = value * 1e-6;
    return true;
}

/* "intel-rapl:0" and "intel-rapl:0:2"; the name of a subzone gets its package's before it. */
static bool find_zone(sensor_list *list, const char *parent, const char *entry) {
    char text[64], above[64];
    const char *folder = adept_arena_format(list->arena, "%s/%s", parent, entry);
    const char *path = adept_arena_format(list->arena, "%s/name", folder ? folder : "");
    if (!folder || !path || sysfs_read(path, text, sizeof text) <= 0)
        return false;
    bool dram = strcmp(text, "dram") == 0;
    if (!dram && strncmp(text, "package", 7) != 0)
        return false;
    const char *last = strrchr(entry, ':');
    path = adept_arena_format(list->arena, "%s/%.*s/name", parent, (int)(last - entry), entry);
    bool below = last != strchr(entry, ':') && path && sysfs_read(path, above, sizeof above) > 0;
    const char *name =
        below ? adept_arena_format(list->arena, "%s %s", above, text) : adept_arena_string(list->arena, text);
    return name && open_zone(list, folder, name, dram) && dram;
}

bool rapl_find(sensor_list *list, const char *sysfs_root) {
    struct dirent **entries = NULL;
    const char *parent = adept_arena_format(list->arena, "%s/class/powercap", sysfs_root);
    int count = parent ? scandir(parent, &entries, NULL, alphasort) : -1;
    size_t before = list->count + list->missing_count;
    bool dram = false;
    for (int i = 0; i < count; i++) {
        if (strncmp(entries[i]->d_name, "intel-rapl:", 11) == 0)
            dram = find_zone(list, parent, entries[i]->d_name) || dram;
        free(entries[i]);
    }
    free(entries);
    if (list->count + list->missing_count == before)
        sensor_list_miss(
            list, "rapl", false,
            adept_arena_format(list->arena, "%s/class/powercap: no intel-rapl package", sysfs_root),
            "CPU energy needs the kernel's intel_rapl (modprobe intel_rapl_msr); virtual machines "
            "and containers rarely have it");
    return dram;
}
