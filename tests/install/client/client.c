/* Loads a graph and prints its parameters: what a program outside the tree does with libadept. */
#include <stdio.h>

#include <adept/graph.h>
#include <adept/profile.h>

int main(int argc, char **argv) {
    adept_error err = ADEPT_ERROR_INIT;
    adept_graph *graph = NULL;
    adept_profile *profile = NULL;
    adept_run run = ADEPT_RUN_INIT;
    if (argc != 2 || adept_graph_load(&graph, argv[1], &err) != ADEPT_OK ||
        adept_profile_build(&profile, graph, &run, &err) != ADEPT_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    printf("%.0f\n", adept_profile_workload(profile)->parameters);
    adept_profile_free(profile);
    adept_graph_free(graph);
    return 0;
}
