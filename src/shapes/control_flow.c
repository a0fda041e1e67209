#include "control_flow.h"

#include <string.h>

#include "infer_engine.h"

#define ITERATION_LIMIT 1000       /* of one loop, inferred one by one */
#define PLAUSIBLE_TRIPS 65536      /* a larger maximum is a formality, not a bound */
#define WHILE_LOOP_TRIPS INT64_MAX /* exporters write this maximum for `while` */

/* --- shared --- */

static const adept_shape no_shape = {.rank = -1, .certainty = ADEPT_UNKNOWN, .length = -1};

static void forget_error(adept_engine *engine) {
    if (engine->err)
        *engine->err = (adept_error)ADEPT_ERROR_INIT;
}

/* A body that need not run may be wrong for these shapes. Memory and limits still count. */
static bool is_tolerable(adept_status status) {
    return status == ADEPT_SHAPE || status == ADEPT_RANGE || status == ADEPT_FORMAT;
}

/* Runs a body; *fits tells whether it suits the shapes. Only other failures are returned. */
static adept_status try_body(adept_infer *ctx, const adept_body *body, const adept_shape *const *inputs,
                             const adept_shape **outputs, bool *fits) {
    adept_trial trial = adept_engine_trial(ctx->engine);
    adept_status status = adept_infer_run_body(ctx, body, inputs, body->input_count, outputs);
    *fits = status == ADEPT_OK;
    if (*fits)
        adept_engine_keep(ctx->engine, &trial);
    else
        adept_engine_rollback(ctx->engine, &trial);
    return is_tolerable(status) ? ADEPT_OK : status;
}

static const adept_shape **shape_list(adept_infer *ctx, int32_t count) {
    return adept_arena_array(ctx->engine->arena, (size_t)count, sizeof(adept_shape *));
}

static bool same_value(const adept_value *a, const adept_value *b) {
    enum { COMPARED = 64 };
    if (a == b)
        return true;
    if (!a || !b || a->count != b->count || a->count > COMPARED || a->known || b->known ||
        !a->ints != !b->ints)
        return false;
    const void *left = a->ints ? (const void *)a->ints : (const void *)a->reals;
    const void *right = b->ints ? (const void *)b->ints : (const void *)b->reals;
    return a->count == 0 || memcmp(left, right, (size_t)a->count * 8) == 0;
}

static bool known_truth(const adept_shape *shape, bool *truth) {
    const adept_value *value = shape ? shape->value : NULL;
    if (!value || value->count < 1 || !value->ints || (value->known && !value->known[0]))
        return false;
    *truth = value->ints[0] != 0;
    return true;
}

static const adept_shape *without_value(adept_infer *ctx, const adept_shape *shape) {
    if (!shape || !shape->value)
        return shape;
    adept_shape *copy = adept_arena_copy(ctx->engine->arena, shape, sizeof *shape);
    if (copy)
        copy->value = NULL;
    return copy ? copy : shape;
}

static const adept_body *required_body(adept_infer *ctx, const char *name, adept_status *status) {
    const adept_body *body = adept_infer_body(ctx, name);
    if (!body && *status == ADEPT_OK)
        *status = adept_infer_fail(ctx, "has no subgraph '%s'; re-export the model", name);
    return body;
}

/* --- If --- */

static double total_elements(const adept_body *body, const adept_shape *const *outputs) {
    double total = 0;
    for (int32_t i = 0; i < body->output_count; i++)
        total += (double)adept_shape_elements(outputs[i]);
    return total;
}

static adept_status known_branch(adept_infer *ctx, const adept_body *taken, const adept_body *other) {
    const adept_shape **outputs = shape_list(ctx, taken->output_count);
    if (!outputs)
        return adept_fail_memory(ctx->engine->err);
    adept_status status = adept_infer_run_body(ctx, taken, NULL, 0, outputs);
    if (status != ADEPT_OK)
        return status;
    adept_infer_body_repeats(ctx, taken, 1);
    adept_infer_body_repeats(ctx, other, 0);
    for (int32_t i = 0; i < taken->output_count; i++)
        adept_engine_set(ctx, i, outputs[i], ctx->asked);
    return ADEPT_OK;
}

/* Nothing of `other` is larger: then the taken shape is a bound. */
static bool covers(const adept_shape *taken, const adept_shape *other) {
    if (taken->rank != other->rank || taken->rank < 0)
        return false;
    for (int32_t i = 0; i < taken->rank; i++) {
        if (other->dims[i] > taken->dims[i])
            return false;
    }
    return true;
}

static void set_either(adept_infer *ctx, int32_t output, const adept_shape *taken, const adept_shape *other) {
    adept_certainty certainty = ADEPT_EXACT;
    if (other && !adept_engine_same_shape(taken, other))
        certainty = covers(taken, other) ? ADEPT_BOUND : ADEPT_ASSUMED;
    bool keep_value = other && same_value(taken->value, other->value);
    adept_engine_set(ctx, output, keep_value ? taken : without_value(ctx, taken), certainty);
}

/* branches: else, then. */
static adept_status unknown_branch(adept_infer *ctx, const adept_body *const branches[2]) {
    const adept_shape **outputs[2];
    bool fits[2] = {false, false};
    for (int i = 1; i >= 0; i--) {
        outputs[i] = shape_list(ctx, branches[i]->output_count);
        if (!outputs[i])
            return adept_fail_memory(ctx->engine->err);
        adept_status status = try_body(ctx, branches[i], NULL, outputs[i], &fits[i]);
        if (status != ADEPT_OK)
            return status;
    }
    if (!fits[0] && !fits[1])
        return adept_infer_run_body(ctx, branches[1], NULL, 0, outputs[1]); /* for its message */
    forget_error(ctx->engine);
    int64_t taken = fits[1];
    if (fits[0] && fits[1]) {
        double size[2] = {total_elements(branches[0], outputs[0]), total_elements(branches[1], outputs[1])};
        taken = size[1] != size[0] ? size[1] > size[0] : branches[1]->node_count >= branches[0]->node_count;
    }
    int64_t choice = adept_infer_assume(ctx, "branch", taken, ADEPT_ASSUMED,
                                        "which branch runs depends on computed data: 1 then, 0 else");
    bool chosen_by_user = ctx->asked == ADEPT_EXACT;
    taken = choice != 0;
    if (!fits[taken])
        return adept_infer_run_body(ctx, branches[taken], NULL, 0, outputs[taken]);
    adept_infer_body_repeats(ctx, branches[taken], 1);
    adept_infer_body_repeats(ctx, branches[!taken], 0);
    bool compare = fits[0] && fits[1] && !chosen_by_user;
    for (int32_t i = 0; i < branches[taken]->output_count; i++) {
        const adept_shape *other = compare && i < branches[!taken]->output_count ? outputs[!taken][i] : NULL;
        if (chosen_by_user)
            adept_engine_set(ctx, i, outputs[taken][i], ADEPT_EXACT);
        else
            set_either(ctx, i, outputs[taken][i], other);
    }
    return ADEPT_OK;
}

adept_status infer_if(adept_infer *ctx) {
    adept_status status = ADEPT_OK;
    const adept_body *branches[2];
    branches[0] = required_body(ctx, "else_branch", &status);
    branches[1] = required_body(ctx, "then_branch", &status);
    if (status != ADEPT_OK || !branches[0] || !branches[1])
        return status;
    int64_t count;
    const int64_t *condition = adept_infer_in_ints(ctx, 0, &count);
    if (condition && count >= 1)
        return known_branch(ctx, branches[condition[0] != 0], branches[condition[0] == 0]);
    return unknown_branch(ctx, branches);
}

/* --- Loop --- */

typedef struct loop {
    adept_infer *ctx;
    const adept_body *body;
    int32_t carried_count, scan_count;
    const adept_shape **carried;  /* [carried_count] before the next iteration */
    const adept_shape **inputs;   /* [2 + carried_count] of the body */
    const adept_shape **outputs;  /* [body->output_count] of the last iteration that counts */
    const adept_shape **previous; /* [carried_count] before the last iteration */
    int64_t maximum;              /* M, WHILE_LOOP_TRIPS: none */
    bool maximum_known;
    int64_t target; /* trips, as far as known */
    bool decided;   /* target was taken as an assumption: the condition is not looked at any more */
    adept_certainty trips_certainty;
    bool condition_known; /* and true */
    bool changed;         /* a carried shape differs from its initial one */
    int64_t inexact;      /* of the last iteration */
} loop;

/* Scalar (or [1], where the body declares that) iteration number or condition. */
static const adept_shape *scalar_input(loop *l, int32_t input, adept_dtype dtype, const int64_t *number) {
    adept_arena *arena = l->ctx->engine->arena;
    static const int64_t one[1] = {1};
    const adept_type *declared = l->ctx->engine->graph->tensors[l->body->inputs[input]].declared;
    int32_t rank = declared && declared->rank == 1 ? 1 : 0;
    adept_shape *shape = adept_arena_alloc(arena, sizeof *shape);
    adept_value *value = number ? adept_arena_alloc(arena, sizeof *value) : NULL;
    if (!shape || (number && !value))
        return NULL;
    *shape =
        (adept_shape){.kind = ADEPT_TYPE_TENSOR, .dtype = dtype, .rank = rank, .dims = one, .length = -1};
    if (value) {
        value->count = 1;
        value->ints = adept_arena_copy(arena, number, sizeof *number);
        shape->value = value->ints ? value : NULL;
    }
    return shape;
}

static adept_status iterate(loop *l, const int64_t *number, const adept_shape **outputs) {
    static const int64_t truth = 1;
    l->inputs[0] = scalar_input(l, 0, ADEPT_DTYPE_INT64, number);
    l->inputs[1] = scalar_input(l, 1, ADEPT_DTYPE_BOOL, l->condition_known ? &truth : NULL);
    if (!l->inputs[0] || !l->inputs[1])
        return adept_fail_memory(l->ctx->engine->err);
    int64_t before = l->ctx->engine->inexact;
    adept_status status = adept_infer_run_body(l->ctx, l->body, l->inputs, 2 + l->carried_count, outputs);
    l->inexact = l->ctx->engine->inexact - before;
    return status;
}

/* The end of the loop depends on data: a bound or an assumption. at_least: trips already inferred. */
static void decide_trips(loop *l, int64_t at_least) {
    adept_infer *ctx = l->ctx;
    adept_certainty before = ctx->asked;
    ctx->asked = ADEPT_EXACT;
    bool bounded = l->maximum_known && l->maximum <= PLAUSIBLE_TRIPS;
    if (bounded)
        l->target = adept_infer_assume(ctx, "trips", l->maximum, ADEPT_BOUND,
                                       "computed data may end the loop before its maximum trip count");
    else
        l->target = adept_infer_assume(ctx, "trips", at_least > 1 ? at_least : 1, ADEPT_ASSUMED,
                                       "computed data decides how often the loop runs");
    l->trips_certainty = adept_worst(l->trips_certainty, ctx->asked);
    ctx->asked = before;
    l->decided = true;
    l->condition_known = true;
}

static void read_trips(loop *l) {
    adept_infer *ctx = l->ctx;
    int64_t count;
    l->maximum_known = true;
    l->maximum = WHILE_LOOP_TRIPS;
    if (adept_infer_in(ctx, 0)) {
        const int64_t *maximum = adept_infer_in_ints(ctx, 0, &count);
        l->maximum_known = maximum && count >= 1;
        if (l->maximum_known)
            l->maximum = maximum[0] > 0 ? maximum[0] : 0;
    }
    l->target = l->maximum;
    l->condition_known = true;
    if (adept_infer_in(ctx, 1)) {
        const int64_t *condition = adept_infer_in_ints(ctx, 1, &count);
        l->condition_known = condition && count >= 1;
        if (l->condition_known && !condition[0]) {
            l->maximum_known = true;
            l->target = 0;
        }
    }
    l->trips_certainty = ctx->asked;
    if (l->target > 0 && (!l->maximum_known || !l->condition_known))
        decide_trips(l, 0);
}

/* What follows from an iteration that was run with its number. done: iterations so far. */
static void advance(loop *l, int64_t done) {
    for (int32_t i = 0; i < l->carried_count; i++) {
        l->previous[i] = l->carried[i];
        l->carried[i] = l->outputs[1 + i];
        l->changed = l->changed || !adept_engine_same_shape(l->carried[i], l->previous[i]);
    }
    bool goes_on = true;
    if (l->decided)
        return;
    l->condition_known = known_truth(l->outputs[0], &goes_on);
    if (!l->condition_known)
        decide_trips(l, done);
    else if (!goes_on)
        l->target = done;
}

/* Runs an iteration without its number and with only those values that did not change; if it reproduces
 * its inputs and is no less certain, all further iterations are the same. */
static adept_status prove_fixpoint(loop *l, bool *proven) {
    adept_engine *engine = l->ctx->engine;
    adept_trial trial = adept_engine_trial(engine);
    int64_t inexact = l->inexact;
    const adept_shape **outputs = shape_list(l->ctx, l->body->output_count);
    if (!outputs)
        return adept_fail_memory(engine->err);
    for (int32_t i = 0; i < l->carried_count; i++) {
        bool stable = same_value(l->carried[i]->value, l->previous[i]->value);
        l->inputs[2 + i] = stable ? l->carried[i] : without_value(l->ctx, l->carried[i]);
    }
    adept_status status = iterate(l, NULL, outputs);
    bool truth = false;
    *proven = status == ADEPT_OK && l->inexact == inexact &&
              engine->assumption_count == trial.assumption_count &&
              (l->decided || (known_truth(outputs[0], &truth) && truth));
    for (int32_t i = 0; *proven && i < l->carried_count; i++)
        *proven = adept_engine_same_shape(l->inputs[2 + i], outputs[1 + i]) &&
                  (!l->inputs[2 + i]->value || same_value(l->inputs[2 + i]->value, outputs[1 + i]->value));
    if (*proven) {
        adept_engine_keep(engine, &trial);
        for (int32_t i = 0; i < l->carried_count; i++)
            l->carried[i] = l->inputs[2 + i]->value ? outputs[1 + i] : without_value(l->ctx, outputs[1 + i]);
        l->outputs = outputs;
        return ADEPT_OK;
    }
    adept_engine_rollback(engine, &trial);
    l->inexact = inexact;
    if (status == ADEPT_OK || is_tolerable(status)) {
        forget_error(engine);
        return ADEPT_OK;
    }
    return status;
}

/* Out of iterations: the last shapes stand for all, marked if they still changed. */
static void give_up(loop *l, int64_t done) {
    bool still_changing = false;
    for (int32_t i = 0; i < l->carried_count; i++) {
        still_changing = still_changing || !adept_engine_same_shape(l->carried[i], l->previous[i]);
        l->carried[i] = without_value(l->ctx, l->carried[i]);
    }
    if (l->target == WHILE_LOOP_TRIPS && l->maximum == WHILE_LOOP_TRIPS && !l->decided)
        decide_trips(l, done);
    if (!still_changing)
        return;
    l->trips_certainty = ADEPT_ASSUMED;
    adept_engine_note(l->ctx->engine,
                      "node '%s' (Loop): shapes still change after %lld of its iterations; those of the last "
                      "one inferred stand for the rest",
                      l->ctx->node->name, (long long)done);
}

static adept_status run_iterations(loop *l) {
    adept_engine *engine = l->ctx->engine;
    size_t start_B = adept_arena_used_B(engine->arena);
    bool proven = false;
    for (int64_t done = 0; done < l->target && !proven;) {
        for (int32_t i = 0; i < l->carried_count; i++)
            l->inputs[2 + i] = l->carried[i];
        adept_status status = iterate(l, &done, l->outputs);
        if (status != ADEPT_OK)
            return status;
        done++;
        advance(l, done);
        if (done >= l->target)
            return ADEPT_OK;
        if (done >= ITERATION_LIMIT || engine->nodes_done > engine->nodes_budget ||
            adept_arena_used_B(engine->arena) - start_B > ADEPT_LOOP_BUDGET_B) {
            give_up(l, done);
            return ADEPT_OK;
        }
        if ((done & (done - 1)) == 0)
            status = prove_fixpoint(l, &proven);
        if (status != ADEPT_OK)
            return status;
    }
    if (proven && l->maximum == WHILE_LOOP_TRIPS && !l->decided)
        decide_trips(l, 1);
    return ADEPT_OK;
}

/* A loop that never runs still has scan outputs, of length 0. */
static adept_status run_never(loop *l) {
    for (int32_t i = 0; i < l->carried_count; i++)
        l->inputs[2 + i] = l->carried[i];
    l->inputs[0] = scalar_input(l, 0, ADEPT_DTYPE_INT64, NULL);
    l->inputs[1] = scalar_input(l, 1, ADEPT_DTYPE_BOOL, NULL);
    bool fits = false;
    adept_status status = try_body(l->ctx, l->body, l->inputs, l->outputs, &fits);
    if (status == ADEPT_OK && !fits)
        forget_error(l->ctx->engine);
    for (int32_t i = 0; !fits && i < l->body->output_count; i++)
        l->outputs[i] = &no_shape;
    return status;
}

/* The shape of `count` results of an iteration put together along a new axis. */
static adept_status stack(adept_infer *ctx, int32_t output, const adept_shape *item, int32_t axis,
                          int64_t count) {
    if (item->rank < 0)
        return adept_infer_out_unknown(ctx, output, item->dtype);
    int64_t *dims = adept_arena_array(ctx->engine->arena, (size_t)item->rank + 1, sizeof *dims);
    if (!dims)
        return adept_fail_memory(ctx->engine->err);
    for (int32_t i = 0; i <= item->rank; i++)
        dims[i] = i == axis ? count : item->dims[i > axis ? i - 1 : i];
    adept_status status = adept_infer_out(ctx, output, item->dtype, item->rank + 1, dims);
    adept_infer_out_certainty(ctx, output, item->certainty);
    return status;
}

static adept_status loop_outputs(loop *l) {
    adept_infer *ctx = l->ctx;
    bool exact_trips = l->trips_certainty == ADEPT_EXACT;
    for (int32_t i = 0; i < l->carried_count; i++) {
        const adept_shape *carried = exact_trips ? l->carried[i] : without_value(ctx, l->carried[i]);
        adept_engine_set(ctx, i, carried, l->changed ? l->trips_certainty : ADEPT_EXACT);
    }
    ctx->asked = l->trips_certainty;
    for (int32_t i = 0; i < l->scan_count; i++) {
        adept_status status =
            stack(ctx, l->carried_count + i, l->outputs[1 + l->carried_count + i], 0, l->target);
        if (status != ADEPT_OK)
            return status;
    }
    return ADEPT_OK;
}

adept_status infer_loop(adept_infer *ctx) {
    adept_status status = ADEPT_OK;
    loop l = {.ctx = ctx, .body = required_body(ctx, "body", &status)};
    if (!l.body)
        return status;
    l.carried_count = ctx->node->input_count > 2 ? ctx->node->input_count - 2 : 0;
    l.scan_count = l.body->output_count - 1 - l.carried_count;
    if (l.scan_count < 0 || l.body->input_count != 2 + l.carried_count)
        return adept_infer_fail(
            ctx, "carries %d values, its body has %d inputs and %d outputs; re-export the model",
            l.carried_count, l.body->input_count, l.body->output_count);
    l.carried = shape_list(ctx, l.carried_count);
    l.previous = shape_list(ctx, l.carried_count);
    l.inputs = shape_list(ctx, 2 + l.carried_count);
    l.outputs = shape_list(ctx, l.body->output_count);
    if (!l.carried || !l.previous || !l.inputs || !l.outputs)
        return adept_fail_memory(ctx->engine->err);
    for (int32_t i = 0; i < l.carried_count; i++) {
        const adept_shape *initial = adept_infer_in(ctx, 2 + i);
        (void)adept_infer_in_value(ctx, 2 + i); /* a constant's numbers travel with its shape */
        initial = initial ? adept_arena_copy(ctx->engine->arena, initial, sizeof *initial) : &no_shape;
        if (!initial)
            return adept_fail_memory(ctx->engine->err);
        l.carried[i] = l.previous[i] = initial;
    }
    ctx->asked = ADEPT_EXACT;
    read_trips(&l);
    status = l.target > 0 ? run_iterations(&l) : run_never(&l);
    if (status != ADEPT_OK)
        return status;
    adept_infer_body_repeats(ctx, l.body, (double)l.target);
    return loop_outputs(&l);
}

/* --- Scan --- */

typedef struct scan {
    adept_infer *ctx;
    const adept_body *body;
    int32_t first_state; /* input number: 1 in opset 8, behind sequence_lens */
    int32_t states, scans;
    int32_t lead;         /* axes in front of what an iteration sees: 1 (batch) in opset 8 */
    int64_t batch, trips; /* -1: unknown */
    const adept_shape **inputs, **outputs;
} scan;

static const adept_shape *without_axis(adept_infer *ctx, const adept_shape *shape, int32_t axis) {
    adept_shape *slice = adept_arena_copy(ctx->engine->arena, shape, sizeof *shape);
    int64_t *dims = adept_arena_array(ctx->engine->arena, (size_t)shape->rank, sizeof *dims);
    if (!slice || !dims)
        return NULL;
    for (int32_t i = 0; i < shape->rank - 1; i++)
        dims[i] = shape->dims[i < axis ? i : i + 1];
    slice->rank--;
    slice->dims = dims;
    slice->value = NULL;
    return slice;
}

/* What one iteration sees of a scan input: the batch axis of opset 8 and the scanned axis are gone. */
static adept_status scan_slice(scan *s, int32_t number, const int64_t *axes, int32_t axes_count) {
    adept_infer *ctx = s->ctx;
    const adept_shape *shape = adept_infer_in(ctx, s->first_state + s->states + number);
    s->inputs[s->states + number] = &no_shape;
    if (!shape || shape->rank < 0)
        return ADEPT_OK;
    int32_t axis;
    adept_status status = adept_infer_axis(ctx,
                                           s->lead               ? 1
                                           : number < axes_count ? axes[number]
                                                                 : 0,
                                           shape->rank, &axis);
    if (status != ADEPT_OK)
        return status;
    if (s->trips >= 0 && s->trips != shape->dims[axis])
        return adept_infer_fail(ctx, "its scanned inputs have lengths %lld and %lld; they must agree",
                                (long long)s->trips, (long long)shape->dims[axis]);
    s->trips = shape->dims[axis];
    const adept_shape *slice = without_axis(ctx, shape, axis);
    if (slice && s->lead) {
        s->batch = shape->dims[0];
        slice = without_axis(ctx, slice, 0);
    }
    s->inputs[s->states + number] = slice;
    return slice ? ADEPT_OK : adept_fail_memory(ctx->engine->err);
}

static adept_status initial_state(scan *s, int32_t number) {
    const adept_shape *shape = adept_infer_in(s->ctx, s->first_state + number);
    s->inputs[number] = shape ? without_value(s->ctx, shape) : &no_shape;
    if (!s->lead || !shape || shape->rank < 1)
        return ADEPT_OK;
    s->batch = shape->dims[0];
    s->inputs[number] = without_axis(s->ctx, shape, 0);
    return s->inputs[number] ? ADEPT_OK : adept_fail_memory(s->ctx->engine->err);
}

/* Values are not followed: the state shapes are iterated until they stay. */
static adept_status scan_iterations(scan *s) {
    bool changed = true;
    int64_t limit = s->trips < 0 || s->trips > ITERATION_LIMIT ? ITERATION_LIMIT : s->trips;
    for (int64_t done = 0; changed && (done == 0 || done < limit); done++) {
        adept_status status =
            adept_infer_run_body(s->ctx, s->body, s->inputs, s->states + s->scans, s->outputs);
        if (status != ADEPT_OK)
            return status;
        changed = false;
        for (int32_t i = 0; i < s->states; i++) {
            changed = changed || !adept_engine_same_shape(s->inputs[i], s->outputs[i]);
            s->inputs[i] = without_value(s->ctx, s->outputs[i]);
        }
        if (s->ctx->engine->nodes_done > s->ctx->engine->nodes_budget)
            break;
    }
    return ADEPT_OK;
}

static adept_status scan_outputs(scan *s) {
    adept_infer *ctx = s->ctx;
    int32_t axes_count;
    const int64_t *axes = adept_infer_ints(ctx, "scan_output_axes", &axes_count);
    for (int32_t i = 0; i < s->body->output_count; i++) {
        adept_shape item = *s->outputs[i];
        item.value = NULL;
        if (i >= s->states && s->trips < 0)
            item.rank = -1;
        if (i >= s->states && item.rank >= 0) {
            int32_t axis = 0, number = i - s->states;
            adept_status status = adept_infer_axis(ctx, !s->lead && number < axes_count ? axes[number] : 0,
                                                   item.rank + 1, &axis);
            if (status == ADEPT_OK)
                status = stack(ctx, i, &item, axis, s->trips);
            if (status != ADEPT_OK)
                return status;
            if (!adept_infer_has_output(ctx, i))
                continue;
            item = ctx->engine->shapes->tensors[ctx->node->outputs[i]];
        }
        adept_status status = ADEPT_OK;
        if (item.rank < 0)
            status = adept_infer_out_unknown(ctx, i, item.dtype);
        else if (s->lead)
            status = s->batch < 0 ? adept_infer_out_unknown(ctx, i, item.dtype)
                                  : stack(ctx, i, &item, 0, s->batch);
        else
            adept_engine_set(ctx, i, &item, ADEPT_EXACT);
        if (status != ADEPT_OK)
            return status;
    }
    return ADEPT_OK;
}

static adept_status scan_inputs(scan *s) {
    int32_t axes_count;
    const int64_t *axes = adept_infer_ints(s->ctx, "scan_input_axes", &axes_count);
    for (int32_t i = 0; i < s->states; i++) {
        adept_status status = initial_state(s, i);
        if (status != ADEPT_OK)
            return status;
    }
    for (int32_t i = 0; i < s->scans; i++) {
        adept_status status = scan_slice(s, i, axes, axes_count);
        if (status != ADEPT_OK)
            return status;
    }
    return ADEPT_OK;
}

adept_status infer_scan(adept_infer *ctx) {
    adept_status status = ADEPT_OK;
    bool old = adept_infer_opset(ctx) < 9;
    scan s = {.ctx = ctx, .first_state = old, .lead = old, .batch = -1, .trips = -1};
    s.body = required_body(ctx, "body", &status);
    if (!s.body)
        return status;
    int64_t scans = adept_infer_int(ctx, "num_scan_inputs", -1);
    int32_t available = ctx->node->input_count - s.first_state;
    if (scans < 1 || scans > available || s.body->input_count != available)
        return adept_infer_fail(
            ctx, "num_scan_inputs is %lld with %d inputs and a body of %d inputs; re-export the model",
            (long long)scans, available, s.body->input_count);
    s.scans = (int32_t)scans;
    s.states = available - s.scans;
    if (s.body->output_count < s.states)
        return adept_infer_fail(ctx, "has %d states, its body %d outputs; re-export the model", s.states,
                                s.body->output_count);
    s.inputs = shape_list(ctx, available);
    s.outputs = shape_list(ctx, s.body->output_count);
    if (!s.inputs || !s.outputs)
        return adept_fail_memory(ctx->engine->err);
    status = scan_inputs(&s);
    if (status == ADEPT_OK)
        status = scan_iterations(&s);
    if (status != ADEPT_OK)
        return status;
    status = scan_outputs(&s);
    if (s.trips < 0)
        s.trips =
            adept_infer_assume(ctx, "trips", 1, ADEPT_ASSUMED, "the scanned inputs have no known length");
    adept_infer_body_repeats(ctx, s.body, (double)s.trips * (s.batch > 0 ? (double)s.batch : 1));
    return status;
}

/* --- SequenceMap --- */

adept_status infer_sequence_map(adept_infer *ctx) {
    adept_status status = ADEPT_OK;
    const adept_body *body = required_body(ctx, "body", &status);
    if (!body)
        return status;
    int32_t count = ctx->node->input_count;
    const adept_shape **inputs = shape_list(ctx, count);
    const adept_shape **outputs = shape_list(ctx, body->output_count);
    if (!inputs || !outputs)
        return adept_fail_memory(ctx->engine->err);
    for (int32_t i = 0; i < count; i++) {
        const adept_shape *shape = adept_infer_in(ctx, i);
        inputs[i] = shape && shape->kind == ADEPT_TYPE_SEQUENCE ? shape->element : shape;
    }
    status = adept_infer_run_body(ctx, body, inputs, count, outputs);
    if (status != ADEPT_OK)
        return status;
    int64_t length = adept_infer_in(ctx, 0) ? adept_infer_in(ctx, 0)->length : -1;
    for (int32_t i = 0; status == ADEPT_OK && i < body->output_count; i++)
        status = adept_infer_out_sequence(ctx, i, outputs[i], length);
    if (length < 0)
        length =
            adept_infer_assume(ctx, "length", 1, ADEPT_ASSUMED, "the length of the sequence is not known");
    adept_infer_body_repeats(ctx, body, (double)length);
    return status;
}
