/* Gradient exchange of data parallelism: which link carries it, and how long a ring all-reduce takes. */
#ifndef ADEPT_COMMUNICATION_H
#define ADEPT_COMMUNICATION_H

#include "adept/prediction.h"

typedef enum adept_link_kind {
    ADEPT_LINK_KIND_NONE, /* one GPU */
    ADEPT_LINK_KIND_DIRECT,
    ADEPT_LINK_KIND_PCIE,
    ADEPT_LINK_KIND_NETWORK
} adept_link_kind;

typedef struct adept_link_choice {
    adept_link_kind kind;
    double B_per_s; /* of the ring, per direction, datasheet; infinite for one GPU */
    bool assumed;   /* ADEPT_NETWORK_B_PER_S was taken */
} adept_link_choice;

/*
 * The slowest link of a ring over this many GPUs: a bridge joins pairs, more GPUs go over PCIe. Beyond a node
 * the ring leaves each node once, and the library runs as many rings side by side as the node has network
 * cards (NCCL's channels): together they have the network shares of all GPUs that the node holds.
 */
adept_link_choice adept_link_for(const adept_hardware_spec *spec, int32_t gpus);

/* Nodes that this many GPUs fill. */
double adept_node_count(const adept_hardware_spec *spec, int32_t gpus);

/*
 * Latency of an all-reduce: the hops of a ring inside a node; between nodes up and down a tree, which NCCL
 * takes there since 2.4 (double binary trees: logarithmic latency at the ring's bandwidth).
 */
double adept_allreduce_latency_s(const adept_hardware_spec *spec, int32_t gpus, double hop_s);

/* Number of hops 2 (N_g - 1) of a ring all-reduce, and the share 2 (N_g - 1) / N_g of the data each GPU
 * sends. */
double adept_ring_hops(int32_t gpus);
double adept_ring_share(int32_t gpus);

/* T_comm = 2 (N_g - 1) L_hop + 2 (N_g - 1)/N_g size / BW_eff   (eq 4.8), seconds; 0 for one GPU. */
double adept_ring_allreduce_s(int32_t gpus, double hop_s, double size_B, double bandwidth_B_per_s);

#endif
