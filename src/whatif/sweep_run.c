#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "number.h"
#include "sweep_object.h"

/* Profiles held at a time; rows computed before they are handed out; points of one task. */
enum { BLOCK_PROFILES = 32, CHUNK_POINTS = 4096, TASK_POINTS = 32, TASKS = CHUNK_POINTS / TASK_POINTS };
/* A row as text: eight axes, a dozen figures, a message. */
enum { ROW_TEXT_B = 1600 };

typedef struct profile_slot {
    adept_profile *profile;
    adept_run run;
    adept_status status;
    char message[200];
} profile_slot;

typedef struct sweep_job {
    const adept_sweep *sweep;
    profile_slot slots[BLOCK_PROFILES];
    size_t slot_count;
    uint64_t first_profile; /* of the block */
    uint64_t first_point;   /* of the chunk, within the block */
    size_t chunk_points;
    adept_sweep_row *rows; /* CHUNK_POINTS */
    bool text;
    adept_sweep_format format;
    char *texts[TASKS];
    size_t lengths[TASKS];
    uint64_t succeeded;
    adept_error first_error;
} sweep_job;

/* Mixed radix, the last axis fastest, over slow axes (index of a profile) or fast ones. */
static void decode(const adept_sweep *sweep, bool slow, uint64_t index, uint32_t *at) {
    for (size_t i = sweep->axis_count; i-- > 0;) {
        if (sweep->axes[i].slow != slow)
            continue;
        at[i] = (uint32_t)(index % sweep->axes[i].count);
        index /= sweep->axes[i].count;
    }
}

static void values_at(const adept_sweep *sweep, const uint32_t *at, double *values) {
    for (size_t i = 0; i < sweep->axis_count; i++)
        values[i] = sweep->axes[i].values[at[i]];
}

static void build_profile(void *user, size_t task, size_t thread) {
    sweep_job *job = user;
    profile_slot *slot = &job->slots[task];
    adept_error err = ADEPT_ERROR_INIT;
    uint32_t at[ADEPT_AXES_MAX] = {0};
    double values[ADEPT_AXES_MAX];
    (void)thread;
    decode(job->sweep, true, job->first_profile + task, at);
    values_at(job->sweep, at, values);
    slot->profile = NULL;
    slot->status = sweep_run_of(job->sweep, values, &slot->run, &err);
    if (slot->status == ADEPT_OK)
        slot->status = adept_profile_build(&slot->profile, job->sweep->job.graph, &slot->run, &err);
    snprintf(slot->message, sizeof slot->message, "%.199s", err.message);
}

static void evaluate(const sweep_job *job, size_t thread, uint64_t point, adept_sweep_row *row) {
    const adept_sweep *sweep = job->sweep;
    const profile_slot *slot = &job->slots[point / sweep->fast_points];
    double values[ADEPT_AXES_MAX];
    row->point = job->first_profile * sweep->fast_points + point;
    decode(sweep, true, job->first_profile + point / sweep->fast_points, row->at);
    decode(sweep, false, point % sweep->fast_points, row->at);
    values_at(sweep, row->at, values);
    if (slot->status == ADEPT_OK) {
        sweep_predict(sweep, thread, row->point / sweep->limits, slot->profile, &slot->run, values, row);
        return;
    }
    row->status = slot->status;
    memcpy(row->message, slot->message, sizeof row->message);
}

/* ---- rows as text ---- */

typedef struct text_row {
    char *at, *end;
} text_row;

static void put_raw(text_row *t, const char *text) {
    size_t length = strlen(text);
    if ((size_t)(t->end - t->at) > length) {
        memcpy(t->at, text, length);
        t->at += length;
    }
}

/* 17 digits read back the same, and cost a fourth of the shortest such text. */
static void put_number(text_row *t, double value, const char *missing) {
    char text[ADEPT_NUMBER_SIZE];
    if (!isfinite(value)) {
        put_raw(t, missing);
        return;
    }
    snprintf(text, sizeof text, "%.17g", value);
    char *comma = strchr(text, ',');
    if (comma)
        *comma = '.';
    put_raw(t, text);
}

/* Messages and names of choices: quotes for CSV doubled, for JSON escaped; no control characters inside. */
static void put_quoted(text_row *t, const char *text, bool csv) {
    put_raw(t, "\"");
    for (; *text; text++) {
        char piece[3] = {*text, '\0', '\0'};
        if (*text == '"' || (!csv && *text == '\\')) {
            piece[1] = *text;
            piece[0] = csv ? '"' : '\\';
        }
        put_raw(t, piece);
    }
    put_raw(t, "\"");
}

static const char *const columns[] = {
    "step_time_s",
    "average_power_W",
    "energy_per_step_J",
    "throughput_per_s",
    "clock_Hz",
    "peak_memory_B",
    "step_time_low_s",
    "step_time_high_s",
    "average_power_low_W",
    "average_power_high_W",
    "extrapolation_octaves",
};
enum { COLUMN_COUNT = sizeof columns / sizeof columns[0] };

static void numbers_of(const adept_sweep_row *row, double values[COLUMN_COUNT]) {
    const adept_prediction *p = &row->prediction;
    const double all[COLUMN_COUNT] = {p->step_time_s,
                                      p->average_power_W,
                                      p->energy_per_step_J,
                                      p->throughput_per_s,
                                      p->clock_Hz,
                                      p->peak_memory_B,
                                      p->step_time_interval_s.lower,
                                      p->step_time_interval_s.upper,
                                      p->average_power_interval_W.lower,
                                      p->average_power_interval_W.upper,
                                      row->extrapolation};
    memcpy(values, all, sizeof all);
}

static void put_csv(text_row *t, const adept_sweep *sweep, const adept_sweep_row *row) {
    double numbers[COLUMN_COUNT];
    for (size_t i = 0; i < sweep->axis_count; i++) {
        put_raw(t, sweep->axes[i].texts[row->at[i]]);
        put_raw(t, ",");
    }
    if (row->status != ADEPT_OK) {
        for (int i = 0; i < COLUMN_COUNT + 3; i++)
            put_raw(t, ",");
        put_quoted(t, row->message, true);
        put_raw(t, "\n");
        return;
    }
    numbers_of(row, numbers);
    for (int i = 0; i < COLUMN_COUNT; i++) {
        put_number(t, numbers[i], "");
        put_raw(t, ",");
    }
    put_raw(t, row->prediction.fits_in_memory ? "true," : "false,");
    put_raw(t, adept_bound_name(row->prediction.bound));
    put_raw(t, row->refused ? ",true,\n" : ",false,\n");
}

static void put_json(text_row *t, const adept_sweep *sweep, const adept_sweep_row *row) {
    double numbers[COLUMN_COUNT];
    put_raw(t, "{");
    for (size_t i = 0; i < sweep->axis_count; i++) {
        const sweep_axis *axis = &sweep->axes[i];
        put_quoted(t, axis->key.name, false);
        put_raw(t, ": ");
        if (axis->key.kind == WHATIF_CHOICE)
            put_quoted(t, axis->texts[row->at[i]], false);
        else
            put_raw(t, axis->texts[row->at[i]]);
        put_raw(t, ", ");
    }
    if (row->status != ADEPT_OK) {
        put_raw(t, "\"error\": ");
        put_quoted(t, row->message, false);
        put_raw(t, "}\n");
        return;
    }
    numbers_of(row, numbers);
    for (int i = 0; i < COLUMN_COUNT; i++) {
        put_quoted(t, columns[i], false);
        put_raw(t, ": ");
        put_number(t, numbers[i], "null");
        put_raw(t, ", ");
    }
    put_raw(t, row->prediction.fits_in_memory ? "\"fits_in_memory\": true, \"bound\": "
                                              : "\"fits_in_memory\": false, \"bound\": ");
    put_quoted(t, adept_bound_name(row->prediction.bound), false);
    put_raw(t, row->refused ? ", \"refused\": true}\n" : ", \"refused\": false}\n");
}

static void write_header(FILE *out, const adept_sweep *sweep) {
    for (size_t i = 0; i < sweep->axis_count; i++)
        fprintf(out, "%s,", sweep->axes[i].key.name);
    for (int i = 0; i < COLUMN_COUNT; i++)
        fprintf(out, "%s,", columns[i]);
    fputs("fits_in_memory,bound,refused,error\n", out);
}

/* ---- chunks ---- */

static void evaluate_task(void *user, size_t task, size_t thread) {
    sweep_job *job = user;
    size_t begin = task * TASK_POINTS;
    size_t end = begin + TASK_POINTS < job->chunk_points ? begin + TASK_POINTS : job->chunk_points;
    text_row text = {job->texts[task],
                     job->text ? job->texts[task] + (size_t)TASK_POINTS * ROW_TEXT_B : NULL};
    for (size_t i = begin; i < end; i++) {
        evaluate(job, thread, job->first_point + i, &job->rows[i]);
        if (job->text)
            (job->format == ADEPT_SWEEP_CSV ? put_csv : put_json)(&text, job->sweep, &job->rows[i]);
    }
    job->lengths[task] = job->text ? (size_t)(text.at - job->texts[task]) : 0;
}

/* Hands out the rows of a chunk; false: the visitor has enough, or the stream is full. */
static bool hand_out(sweep_job *job, FILE *out, adept_sweep_visit *visit, void *user) {
    for (size_t i = 0; i < job->chunk_points; i++) {
        const adept_sweep_row *row = &job->rows[i];
        job->succeeded += row->status == ADEPT_OK;
        if (row->status != ADEPT_OK && job->first_error.status == ADEPT_OK)
            adept_fail(&job->first_error, row->status, "%s", row->message);
        if (visit && !visit(row, user))
            return false;
    }
    for (size_t task = 0; out && task * TASK_POINTS < job->chunk_points; task++) {
        if (fwrite(job->texts[task], 1, job->lengths[task], out) != job->lengths[task])
            return false;
    }
    return true;
}

static bool run_block(sweep_job *job, FILE *out, adept_sweep_visit *visit, void *user) {
    const adept_sweep *sweep = job->sweep;
    uint64_t points = job->slot_count * sweep->fast_points;
    bool more = true;
    adept_worker_pool_run(sweep->pool, job->slot_count, build_profile, job);
    for (job->first_point = 0; more && job->first_point < points; job->first_point += CHUNK_POINTS) {
        uint64_t left = points - job->first_point;
        job->chunk_points = left < CHUNK_POINTS ? (size_t)left : CHUNK_POINTS;
        adept_worker_pool_run(sweep->pool, (job->chunk_points + TASK_POINTS - 1) / TASK_POINTS, evaluate_task,
                              job);
        more = hand_out(job, out, visit, user);
    }
    sweep_forget(sweep);
    for (size_t i = 0; i < job->slot_count; i++)
        adept_profile_free(job->slots[i].profile);
    return more;
}

static adept_status run_blocks(sweep_job *job, FILE *out, adept_sweep_visit *visit, void *user,
                               adept_error *err) {
    bool more = true;
    for (uint64_t first = 0; more && first < job->sweep->profiles; first += BLOCK_PROFILES) {
        uint64_t left = job->sweep->profiles - first;
        job->first_profile = first;
        job->slot_count = left < BLOCK_PROFILES ? (size_t)left : BLOCK_PROFILES;
        more = run_block(job, out, visit, user);
    }
    if (out && (fflush(out) != 0 || ferror(out)))
        return adept_fail(err, ADEPT_IO, "cannot write the rows of the sweep");
    if (job->succeeded == 0 && job->first_error.status != ADEPT_OK)
        return adept_fail(err, job->first_error.status,
                          "no point of the sweep has a prediction; the first: %s", job->first_error.message);
    return ADEPT_OK;
}

static adept_status run(adept_sweep *sweep, FILE *out, adept_sweep_format format, adept_sweep_visit *visit,
                        void *user, adept_error *err) {
    sweep_job *job = calloc(1, sizeof *job);
    char *text = out ? malloc((size_t)TASKS * TASK_POINTS * ROW_TEXT_B) : NULL;
    adept_status status = ADEPT_NOMEM;
    if (job)
        job->rows = calloc(CHUNK_POINTS, sizeof *job->rows);
    if (job && job->rows && (text || !out)) {
        job->sweep = sweep;
        job->text = out != NULL;
        job->format = format;
        for (size_t i = 0; out && i < TASKS; i++)
            job->texts[i] = text + i * TASK_POINTS * ROW_TEXT_B;
        if (out && format == ADEPT_SWEEP_CSV)
            write_header(out, sweep);
        status = run_blocks(job, out, visit, user, err);
    } else {
        adept_fail_memory(err);
    }
    free(job ? job->rows : NULL);
    free(job);
    free(text);
    return status;
}

adept_status adept_sweep_run(adept_sweep *sweep, adept_sweep_visit *visit, void *user, adept_error *err) {
    return run(sweep, NULL, ADEPT_SWEEP_CSV, visit, user, err);
}

adept_status adept_sweep_write(adept_sweep *sweep, FILE *out, adept_sweep_format format,
                               adept_sweep_visit *visit, void *user, adept_error *err) {
    return run(sweep, out, format, visit, user, err);
}
