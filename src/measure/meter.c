#include "meter.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A run of fewer sensor periods than this is flagged (design.md section 11). */
static const double periods_needed = 10;
/* Sampled power is a sensor's: with a gap of this many seconds and more the integral is a guess. */
static const double gap_limit_s = 2.0;
/* A counter that stands still this long while power is drawn is not counting. */
static const double stall_limit_s = 3.0;
/* Differences of a counter over a shorter time say more about its steps than about power. */
static const double difference_s = 0.05;

void meter_begin(meter *m, double begin_s) {
    *m = (meter){.begin_s = begin_s, .last_good_s = begin_s};
}

static void range_add(meter_range *r, double value) {
    adept_range *range = &r->range;
    range->min = range->count == 0 || value < range->min ? value : range->min;
    range->max = range->count == 0 || value > range->max ? value : range->max;
    range->count++;
    r->sum += value;
    range->mean = r->sum / (double)range->count;
}

static double period_s(const sensor *of) {
    return of->refresh_s > of->window_s ? of->refresh_s : of->window_s;
}

static void add_power(meter *m, const sensor *of, double t_s, double power_W) {
    if (!isfinite(power_W) || power_W < 0)
        return;
    if (m->power_reads) {
        double step_J = 0.5 * (power_W + m->power_last_W) * (t_s - m->power_last_s);
        m->integral_J += step_J;
        if (m->power_last_s >= m->begin_s + period_s(of)) {
            m->steady_J += step_J;
            m->steady_s += t_s - m->power_last_s;
        }
    } else {
        m->power_first_s = t_s;
    }
    m->power_reads++;
    m->power_last_s = t_s;
    m->power_last_W = power_W;
    range_add(&m->power, power_W);
}

/* Energy since the last reading: wrapped, reset (driver loaded anew: the power sensor fills in), or plain. */
static double counter_step_J(meter *m, const sensor *of, double counter_J) {
    double step_J = counter_J - m->counter_last_J;
    if (step_J >= 0)
        return step_J;
    if (of->counter_range_J > 0 && counter_J <= of->counter_range_J) {
        m->wraps++;
        return step_J + of->counter_range_J;
    }
    m->resets++;
    return m->integral_J - m->integral_at_counter_J;
}

static void add_counter(meter *m, const sensor *of, double t_s, double counter_J) {
    if (!m->counter_reads) {
        m->counter_first_s = m->counter_change_s = m->derived_from_s = t_s;
        m->integral_at_change_J = m->integral_J;
    } else {
        m->counter_energy_J += counter_step_J(m, of, counter_J);
        double gap_s = t_s - m->counter_last_s;
        m->longest_counter_gap_s = gap_s > m->longest_counter_gap_s ? gap_s : m->longest_counter_gap_s;
        /* Only a sensor beside it tells a stopped counter from an idle device. */
        double stall_s = t_s - m->counter_change_s;
        bool still = counter_J == m->counter_last_J;
        bool drawing = !of->power_method || m->integral_J - m->integral_at_change_J > 1.0;
        if (still && drawing && stall_s > m->longest_stall_s)
            m->longest_stall_s = stall_s;
        if (!still) {
            m->counter_change_s = t_s;
            m->integral_at_change_J = m->integral_J;
        }
    }
    m->counter_reads++;
    m->counter_last_s = t_s;
    m->counter_last_J = counter_J;
    m->integral_at_counter_J = m->integral_J;
}

/* Power of a device that has only a counter: its differences. */
static void derive_power(meter *m, double t_s) {
    double span_s = t_s - m->derived_from_s;
    if (m->counter_reads < 2 || span_s < difference_s)
        return;
    m->power_last_W = (m->counter_energy_J - m->derived_from_J) / span_s;
    range_add(&m->power, m->power_last_W);
    m->derived_from_s = t_s;
    m->derived_from_J = m->counter_energy_J;
}

static void add_state(meter *m, const sensor_reading *reading) {
    if (reading->has & READ_CLOCK)
        range_add(&m->clock, reading->clock_Hz);
    if (reading->has & READ_MEMORY_CLOCK)
        range_add(&m->memory_clock, reading->memory_clock_Hz);
    if (reading->has & READ_TEMPERATURE) {
        range_add(&m->temperature, reading->temperature_C);
        m->temperature_now_C = reading->temperature_C;
    }
    if (!(reading->has & READ_THROTTLE))
        return;
    m->throttle_samples++;
    for (int i = 0; i < ADEPT_THROTTLE_COUNT; i++)
        m->throttle_counts[i] += reading->throttle >> i & 1;
}

void meter_add(meter *m, const sensor *of, double t_s, sensor_result result, const sensor_reading *reading) {
    if (m->lost)
        return;
    if (result == SENSOR_LOST) {
        m->lost = true;
        m->lost_s = t_s;
    }
    if (result != SENSOR_OK) {
        m->failed++;
        return;
    }
    if (reading->has & READ_POWER)
        add_power(m, of, t_s, reading->power_W);
    if (reading->has & READ_COUNTER)
        add_counter(m, of, t_s, reading->counter_J);
    if (reading->has & READ_COUNTER && !of->power_method)
        derive_power(m, t_s);
    add_state(m, reading);
    if (m->samples && t_s - m->last_good_s > m->longest_gap_s)
        m->longest_gap_s = t_s - m->last_good_s;
    m->samples++;
    m->last_good_s = t_s;
}

static bool stalled(const meter *m) {
    bool never_moved = m->counter_reads > 1 && m->counter_energy_J <= 0 && m->longest_stall_s >= 1.0;
    return never_moved || m->longest_stall_s >= stall_limit_s;
}

static bool use_counter(const meter *m) {
    return m->counter_reads > 1 && !(stalled(m) && m->power_reads > 1);
}

double meter_energy_J(const meter *m, const sensor *of) {
    if (!use_counter(m))
        return m->integral_J;
    /* After the last reading of a slow counter the power sensor tells how it went on. */
    return m->counter_energy_J + (of->power_method ? m->integral_J - m->integral_at_counter_J : 0);
}

double meter_power_W(const meter *m) {
    return m->lost ? 0 : m->power_last_W;
}

/* ---- report ---- */

enum { NOTE_LIMIT = 16 };

typedef struct note_list {
    adept_arena *arena;
    const char *items[NOTE_LIMIT];
    size_t count;
    bool failed, doubtful;
} note_list;

__attribute__((format(printf, 3, 4))) static void note(note_list *notes, bool doubtful, const char *format,
                                                       ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    char *kept = adept_arena_string(notes->arena, text);
    notes->failed = notes->failed || !kept;
    notes->doubtful = notes->doubtful || doubtful;
    if (kept && notes->count < NOTE_LIMIT)
        notes->items[notes->count++] = kept;
}

static void note_counter(const meter *m, const sensor *of, note_list *notes) {
    if (stalled(m) && m->power_reads > 1)
        note(notes, true,
             "the energy counter stood still for %.1f s while %.1f W was drawn: sampled power used instead",
             m->longest_stall_s, m->integral_J / (m->power_last_s - m->power_first_s));
    else if (stalled(m))
        note(notes, true, "the energy counter stood still for %.1f s%s", m->longest_stall_s,
             m->counter_energy_J > 0 ? ": energy is missing" : ", and there is no other sensor");
    if (m->resets)
        note(notes, true, "the energy counter went back %zu times (driver loaded anew?): %s", m->resets,
             of->power_method ? "sampled power fills in" : "energy is missing");
    if (m->wraps)
        note(notes, false, "the energy counter wrapped around %zu times at %.0f J: accounted for", m->wraps,
             of->counter_range_J);
    /* 1 kW: more than a package or its memory draws, so that a wrap cannot have been missed below it. */
    if (of->counter_range_J > 0 && m->longest_counter_gap_s * 1000 > of->counter_range_J)
        note(notes, true, "not read for %.0f s: the counter may have wrapped around unseen",
             m->longest_counter_gap_s);
}

static void note_power(const meter *m, const sensor *of, note_list *notes) {
    bool counted = use_counter(m);
    if (!counted && m->power_reads > 1 && !of->modelled && m->longest_gap_s > gap_limit_s)
        note(notes, true, "no reading for %.1f s: the energy of the gap is interpolated", m->longest_gap_s);
    if (of->window_s > 0)
        note(notes, false, "the power sensor shows the mean of the last %.1f s: peaks are flattened, and %s",
             of->window_s,
             counted ? "steady power leaves the ramp out" : "the ramp at the start counts too little");
    if (m->failed && !m->lost)
        note(notes, m->failed > m->samples, "%zu of %zu readings failed", m->failed, m->failed + m->samples);
}

static void note_throttle(const meter *m, note_list *notes) {
#define THROTTLE_ROW(code, name, alarm) {name, alarm},
    static const struct {
        const char *name;
        bool alarm;
    } rows[] = {ADEPT_THROTTLE_LIST(THROTTLE_ROW)};
#undef THROTTLE_ROW
    for (int i = 0; i < ADEPT_THROTTLE_COUNT; i++)
        if (rows[i].alarm && m->throttle_counts[i])
            note(notes, true, "clocks were held down (%s) in %.0f %% of the samples: not a steady state",
                 rows[i].name, 100.0 * (double)m->throttle_counts[i] / (double)m->throttle_samples);
}

static void note_run(const meter *m, const sensor *of, double duration_s, note_list *notes) {
    double needed_s = periods_needed * period_s(of);
    if (m->lost)
        note(notes, true, "the device disappeared %.1f s after the start: energy and power are until then",
             m->lost_s - m->begin_s);
    else if (!of->modelled && duration_s < needed_s)
        note(notes, true, "run of %.2f s is shorter than %.0f sensor periods of %.3g s: not to be trusted",
             duration_s, periods_needed, period_s(of));
    if (of->caveat)
        note(notes, false, "%s", of->caveat);
}

static void fill_energy(const meter *m, const sensor *of, adept_measured_device *out) {
    bool counted = use_counter(m) && !(m->counter_energy_J <= 0 && stalled(m));
    out->measured = counted || m->power_reads > 1;
    out->method = counted ? of->counter_method : of->power_method ? of->power_method : of->counter_method;
    if (!out->measured)
        return;
    out->energy_J = counted ? meter_energy_J(m, of) : m->integral_J;
    double last_s = m->power_last_s > m->counter_last_s ? m->power_last_s : m->counter_last_s;
    out->duration_s = last_s - (counted ? m->counter_first_s : m->power_first_s);
    out->average_power_W = out->duration_s > 0 ? out->energy_J / out->duration_s : 0;
    out->steady_power_W = m->steady_s > period_s(of) ? m->steady_J / m->steady_s : 0;
}

static void fill_state(const meter *m, const sensor *of, adept_measured_device *out) {
    out->kind = of->kind;
    out->name = of->name;
    out->id = of->id;
    out->modelled = of->modelled;
    out->power_W = m->power.range;
    out->samples = m->samples;
    out->failed_samples = m->failed;
    out->longest_gap_s = m->longest_gap_s;
    out->refresh_s = of->refresh_s;
    out->window_s = of->window_s;
    out->power_limit_W = of->power_limit_W;
    out->clock_Hz = m->clock.range;
    out->memory_clock_Hz = m->memory_clock.range;
    out->temperature_C = m->temperature.range;
    out->throttle_samples = m->throttle_samples;
    for (int i = 0; i < ADEPT_THROTTLE_COUNT && m->throttle_samples; i++)
        out->throttle_share[i] = (double)m->throttle_counts[i] / (double)m->throttle_samples;
    out->used = m->seen_own ? ADEPT_USE_YES : m->process_list_known ? ADEPT_USE_NO : ADEPT_USE_UNKNOWN;
    /* Processes that are all foreign may be the command's own, seen from another process namespace. */
    if (out->used == ADEPT_USE_NO && m->most_others)
        out->used = ADEPT_USE_UNKNOWN;
    out->other_processes = m->most_others;
}

bool meter_report(const meter *m, const sensor *of, double end_s, adept_arena *arena,
                  adept_measured_device *out) {
    note_list notes = {.arena = arena};
    memset(out, 0, sizeof *out);
    fill_state(m, of, out);
    fill_energy(m, of, out);
    if (!out->measured)
        note(&notes, true, "no energy: %zu good readings", m->samples);
    note_run(m, of, end_s - m->begin_s, &notes);
    note_counter(m, of, &notes);
    note_power(m, of, &notes);
    note_throttle(m, &notes);
    if (m->most_others && m->seen_own)
        note(&notes, true, "up to %zu other processes used this GPU at the same time", m->most_others);
    else if (m->most_others)
        note(&notes, false,
             "%zu processes use this GPU, none known as the command's (they may be, in a container)",
             m->most_others);
    out->trusted = out->measured && !notes.doubtful;
    out->notes = adept_arena_copy(arena, notes.items, notes.count * sizeof notes.items[0]);
    out->note_count = notes.count;
    return !notes.failed && out->notes;
}
