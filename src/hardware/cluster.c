#include <math.h>
#include <stdio.h>
#include <string.h>

#include "adept/hardware.h"
#include "fail.h"
#include "strict_json.h"

#define OFFSET(member) offsetof(adept_cluster, member)

/* The schema of cluster files: every number is one row. */
static const struct number_row {
    const char *key;
    size_t offset; /* of a double in adept_cluster */
    adept_json_bounds bounds;
} numbers[] = {
    {"gpus_per_node", OFFSET(gpus_per_node), {"GPUs", 1, 1024, true}                                    },
    {"node_B_per_s",
     OFFSET(node_B_per_s),
     {"bytes per second of one node in one direction, not bits", 1e7, 1e14, true}                       },
    {"latency_s",     OFFSET(latency_s),     {"seconds of one message between nodes", 1e-7, 1e-2, false}},
    {"nics_per_node", OFFSET(nics_per_node), {"network cards", 1, 1024, false}                          },
};
enum { NUMBER_COUNT = sizeof numbers / sizeof numbers[0] };

static const struct text_row {
    const char *key;
    size_t offset, size; /* of a char array in adept_cluster */
} texts[] = {
    {"name",   OFFSET(name),   sizeof((adept_cluster *)0)->name  },
    {"source", OFFSET(source), sizeof((adept_cluster *)0)->source},
};
enum { TEXT_COUNT = sizeof texts / sizeof texts[0] };

static adept_status read_texts(adept_cluster *out, const adept_json *json, adept_error *err) {
    const adept_json_value *root = adept_json_root(json);
    for (size_t i = 0; i < TEXT_COUNT; i++) {
        const char *text;
        adept_status status = adept_json_read_string(json, root, texts[i].key, true, &text, err);
        if (status != ADEPT_OK)
            return status;
        if (!*text || strlen(text) >= texts[i].size)
            return adept_json_fail(err, ADEPT_RANGE, json, adept_json_member(root, texts[i].key),
                                   "must have 1 to %zu bytes", texts[i].size - 1);
        memcpy((char *)out + texts[i].offset, text, strlen(text) + 1);
    }
    return ADEPT_OK;
}

static adept_status read_numbers(adept_cluster *out, const adept_json *json, adept_error *err) {
    const adept_json_value *root = adept_json_root(json);
    for (size_t i = 0; i < NUMBER_COUNT; i++) {
        double value;
        adept_status status =
            adept_json_read_double(json, root, numbers[i].key, &numbers[i].bounds, &value, err);
        if (status != ADEPT_OK)
            return status;
        bool whole = numbers[i].offset == OFFSET(gpus_per_node) || numbers[i].offset == OFFSET(nics_per_node);
        if (whole && !isnan(value) && value != floor(value))
            return adept_json_fail(err, ADEPT_RANGE, json, adept_json_member(root, numbers[i].key),
                                   "%g is not a whole number of %s", value, numbers[i].bounds.unit);
        memcpy((char *)out + numbers[i].offset, &value, sizeof value);
    }
    return ADEPT_OK;
}

adept_status adept_cluster_load(adept_cluster *out, const char *path, adept_error *err) {
    const char *keys[NUMBER_COUNT + TEXT_COUNT];
    adept_json *json;
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < NUMBER_COUNT; i++)
        keys[i] = numbers[i].key;
    for (size_t i = 0; i < TEXT_COUNT; i++)
        keys[NUMBER_COUNT + i] = texts[i].key;
    adept_status status = adept_json_load(&json, path, err);
    if (status != ADEPT_OK)
        return status;
    status = adept_json_check_keys(json, adept_json_root(json), keys, NUMBER_COUNT + TEXT_COUNT, err);
    if (status == ADEPT_OK)
        status = read_texts(out, json, err);
    if (status == ADEPT_OK)
        status = read_numbers(out, json, err);
    adept_json_free(json);
    return status;
}

adept_status adept_hardware_join(adept_hardware *hardware, const adept_cluster *cluster, adept_error *err) {
    double share = cluster->node_B_per_s / cluster->gpus_per_node;
    adept_status status = adept_hardware_set(hardware, "link.gpus_per_node", cluster->gpus_per_node, err);
    if (status == ADEPT_OK)
        status = adept_hardware_set(hardware, "link.internode_B_per_s", share, err);
    if (status == ADEPT_OK && !isnan(cluster->latency_s))
        status = adept_hardware_set(hardware, "link.internode_latency_s", cluster->latency_s, err);
    return status;
}
