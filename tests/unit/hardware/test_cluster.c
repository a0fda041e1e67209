/* Cluster files: read strictly, and what they set in a GPU's figures. */
#include "adept/hardware.h"
#include "test_support.h"

#define FILE_PATH ADEPT_BINARY_DIR "/test_cluster.json"

static adept_status load_text(adept_cluster *out, const char *text, adept_error *err) {
    FILE *file = fopen(FILE_PATH, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    return adept_cluster_load(out, FILE_PATH, err);
}

static void a_cluster_sets_nodes_share_and_latency(void **state) {
    (void)state;
    adept_error err = ADEPT_ERROR_INIT;
    adept_cluster cluster;
    adept_hardware *hardware;
    assert_ok(
        load_text(&cluster,
                  "{\"name\": \"ours\", \"gpus_per_node\": 4, \"node_B_per_s\": 1e11, \"nics_per_node\": "
                  "2, \"latency_s\": 4e-6, \"source\": \"its administrator\"}",
                  &err),
        err);
    assert_string_equal(cluster.name, "ours");
    assert_string_equal(cluster.source, "its administrator");
    assert_close(cluster.nics_per_node, 2, 0);
    assert_ok(adept_hardware_load(&hardware, "a100", &err), err);
    assert_ok(adept_hardware_join(hardware, &cluster, &err), err);
    const adept_hardware_spec *spec = adept_hardware_spec_of(hardware);
    assert_close(spec->gpus_per_node, 4, 0);
    assert_close(spec->internode_B_per_s, 25e9, 1e-12);
    assert_close(spec->internode_latency_s, 4e-6, 1e-12);
    adept_hardware_free(hardware);
}

static void an_unknown_latency_leaves_that_of_the_hardware(void **state) {
    (void)state;
    adept_error err = ADEPT_ERROR_INIT;
    adept_cluster cluster;
    assert_ok(load_text(&cluster,
                        "{\"name\": \"n\", \"gpus_per_node\": 8, \"node_B_per_s\": 1e11, \"source\": \"s\"}",
                        &err),
              err);
    assert_true(isnan(cluster.latency_s) && isnan(cluster.nics_per_node));
}

/* Each message names the file, the key, and the unit where there is one. */
static void faults_are_refused_with_file_key_and_unit(void **state) {
    (void)state;
    static const struct {
        const char *text, *key, *says;
        adept_status status;
    } cases[] = {
        {"{\"name\": \"n\", \"gpus_per_node\": 8, \"source\": \"s\"}",                           "node_B_per_s", "bytes per second",
         ADEPT_FORMAT                                                                                                                                                                                                        },
        {"{\"name\": \"n\", \"gpus_per_node\": 8, \"node_B_per_s\": 800, \"source\": \"s\"}",    "node_B_per_s",
         "bytes per second",                                                                                                                                                                 ADEPT_RANGE                     },
        {"{\"name\": \"n\", \"gpus_per_node\": 2.5, \"node_B_per_s\": 1e11, \"source\": \"s\"}",
         "gpus_per_node",                                                                                        "whole",                                                                    ADEPT_RANGE                     },
        {"{\"name\": \"n\", \"gpus_per_node\": 8, \"node_B_per_s\": 1e11}",                      "source",       "missing",
         ADEPT_FORMAT                                                                                                                                                                                                        },
        {"{\"name\": \"n\", \"gpus_per_node\": 8, \"node_b_per_s\": 1e11, \"source\": \"s\"}",   "node_b_per_s",
         "did you mean 'node_B_per_s'",                                                                                                                                                      ADEPT_FORMAT                    },
        {"{\"name\": \"n\", \"gpus_per_node\": 8, \"node_B_per_s\": 1e11, \"latency_s\": 5, \"source\": "
         "\"s\"}",                                                                                       "latency_s",                                                                                               "seconds",                                                                        ADEPT_RANGE},
        {"{\"name\": \"\", \"gpus_per_node\": 8, \"node_B_per_s\": 1e11, \"source\": \"s\"}",                                                                                      "name",                  "bytes",
         ADEPT_RANGE        },
        {"[]",                                                                                      "",                                                                                                 "object",                                                                                    ADEPT_FORMAT   },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        adept_error err = ADEPT_ERROR_INIT;
        adept_cluster cluster;
        assert_int_equal(load_text(&cluster, cases[i].text, &err), cases[i].status);
        if (!strstr(err.message, "test_cluster.json") || !strstr(err.message, cases[i].key) ||
            !strstr(err.message, cases[i].says))
            fail_msg("case %zu: %s", i, err.message);
    }
}

static void shipped_clusters_can_be_read_and_name_their_source(void **state) {
    (void)state;
    adept_error err = ADEPT_ERROR_INIT;
    adept_cluster cluster;
    assert_ok(adept_cluster_load(&cluster, ADEPT_SOURCE_DIR "/data/clusters/dgx-h100.json", &err), err);
    assert_close(cluster.node_B_per_s, cluster.nics_per_node * 400e9 / 8, 1e-12); /* 400 Gb/s each */
    assert_non_null(strstr(cluster.source, "https://"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cluster_sets_nodes_share_and_latency),
        cmocka_unit_test(an_unknown_latency_leaves_that_of_the_hardware),
        cmocka_unit_test(faults_are_refused_with_file_key_and_unit),
        cmocka_unit_test(shipped_clusters_can_be_read_and_name_their_source),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
