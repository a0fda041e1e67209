#include "topological_order.h"

#include <stdlib.h>

typedef struct order_state {
    int32_t *waiting;          /* [count] predecessors not yet placed */
    size_t *successor_offsets; /* [count + 1] */
    int32_t *successors;
    int32_t *heap; /* smallest number first */
    int32_t heap_length;
} order_state;

static void heap_push(order_state *state, int32_t node) {
    int32_t at = state->heap_length++;
    while (at > 0 && state->heap[(at - 1) / 2] > node) {
        state->heap[at] = state->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    state->heap[at] = node;
}

static int32_t heap_pop(order_state *state) {
    int32_t *heap = state->heap, least = heap[0], last = heap[--state->heap_length], at = 0;
    for (int32_t child = 1; child < state->heap_length; child = 2 * at + 1) {
        if (child + 1 < state->heap_length && heap[child + 1] < heap[child])
            child++;
        if (heap[child] >= last)
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = last;
    return least;
}

/* The lists of successors, by counting; waiting[] on the way. */
static void turn_edges(order_state *state, int32_t count, const size_t *offsets,
                       const int32_t *predecessors) {
    size_t edges = offsets[count];
    for (size_t e = 0; e < edges; e++)
        state->successor_offsets[predecessors[e] + 1]++;
    for (int32_t i = 0; i < count; i++)
        state->successor_offsets[i + 1] += state->successor_offsets[i];
    for (int32_t i = count; i-- > 0;) {
        state->waiting[i] = (int32_t)(offsets[i + 1] - offsets[i]);
        for (size_t e = offsets[i]; e < offsets[i + 1]; e++)
            state->successors[--state->successor_offsets[predecessors[e] + 1]] = i;
    }
    /* The ends have moved down to the starts: shift them into place. */
    for (int32_t i = 0; i < count; i++)
        state->successor_offsets[i] = state->successor_offsets[i + 1];
    state->successor_offsets[count] = edges;
}

/* Every node left waits for another one left, so walking backwards must meet itself. */
static void find_cycle(const order_state *state, int32_t count, const size_t *offsets,
                       const int32_t *predecessors, int32_t *cycle, int32_t *cycle_length) {
    int32_t *seen_at = state->heap; /* free by now: position in the walk plus one */
    for (int32_t i = 0; i < count; i++)
        seen_at[i] = 0;
    int32_t node = 0, length = 0;
    while (state->waiting[node] == 0)
        node++;
    while (!seen_at[node]) {
        cycle[length++] = node;
        seen_at[node] = length;
        size_t e = offsets[node];
        while (state->waiting[predecessors[e]] == 0)
            e++;
        node = predecessors[e];
    }
    /* The walk went backwards and entered the cycle somewhere: read it forwards from its smallest number. */
    int32_t start = seen_at[node] - 1, smallest = start;
    *cycle_length = length - start;
    for (int32_t i = start; i < length; i++)
        smallest = cycle[i] < cycle[smallest] ? i : smallest;
    int32_t *forwards = state->waiting; /* free by now, too */
    for (int32_t i = 0; i < *cycle_length; i++)
        forwards[i] = cycle[start + (smallest - start - i + *cycle_length) % *cycle_length];
    for (int32_t i = 0; i < *cycle_length; i++)
        cycle[i] = forwards[i];
}

static adept_status place_nodes(order_state *state, int32_t count, int32_t *order) {
    int32_t placed = 0;
    for (int32_t i = 0; i < count; i++) {
        if (state->waiting[i] == 0)
            heap_push(state, i);
    }
    while (state->heap_length > 0) {
        int32_t node = heap_pop(state);
        order[placed++] = node;
        for (size_t e = state->successor_offsets[node]; e < state->successor_offsets[node + 1]; e++) {
            if (--state->waiting[state->successors[e]] == 0)
                heap_push(state, state->successors[e]);
        }
    }
    return placed == count ? ADEPT_OK : ADEPT_FORMAT;
}

adept_status adept_topological_order(int32_t count, const size_t *offsets, const int32_t *predecessors,
                                     int32_t *order, int32_t *cycle, int32_t *cycle_length) {
    *cycle_length = 0;
    if (count <= 0)
        return ADEPT_OK;
    size_t nodes = (size_t)count;
    order_state state = {.waiting = calloc(nodes, sizeof *state.waiting),
                         .successor_offsets = calloc(nodes + 1, sizeof *state.successor_offsets),
                         .successors = calloc(offsets[count] + 1, sizeof *state.successors),
                         .heap = calloc(nodes, sizeof *state.heap)};
    adept_status status = ADEPT_NOMEM;
    if (state.waiting && state.successor_offsets && state.successors && state.heap) {
        turn_edges(&state, count, offsets, predecessors);
        status = place_nodes(&state, count, order);
        if (status == ADEPT_FORMAT)
            find_cycle(&state, count, offsets, predecessors, cycle, cycle_length);
    }
    free(state.waiting);
    free(state.successor_offsets);
    free(state.successors);
    free(state.heap);
    return status;
}
