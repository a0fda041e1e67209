#include "scores.h"

#include <math.h>
#include <stdlib.h>

int adept_compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double adept_quantile(const double *sorted, size_t count, double q) {
    if (count == 0)
        return NAN;
    double position = q * (double)(count - 1);
    size_t below = (size_t)position;
    if (below + 1 >= count)
        return sorted[count - 1];
    return sorted[below] + (position - (double)below) * (sorted[below + 1] - sorted[below]);
}

static bool is_known(const adept_pair *pair) {
    return !isnan(pair->predicted) && !isnan(pair->measured);
}

static double absolute_error(const adept_pair *pair) {
    return fabs(pair->predicted / pair->measured - 1);
}

static int by_error(const void *a, const void *b) {
    double x = absolute_error(a), y = absolute_error(b);
    return (x > y) - (x < y);
}

/* The pairs that count in the headline first, sorted by error; returns how many. */
static size_t headline_first(adept_pair *pairs, size_t count) {
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (is_known(&pairs[i]) && pairs[i].weight >= ADEPT_HEADLINE_WEIGHT)
            pairs[kept++] = pairs[i];
    }
    if (kept)
        qsort(pairs, kept, sizeof *pairs, by_error);
    return kept;
}

adept_error_summary adept_summarise(adept_pair *pairs, size_t count) {
    adept_error_summary s = {NAN, NAN, NAN, NAN, 0};
    double weight = 0, weighted = 0, sum = 0, signed_sum = 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_known(&pairs[i]))
            continue;
        weight += pairs[i].weight;
        weighted += pairs[i].weight * absolute_error(&pairs[i]);
    }
    if (weight > 0)
        s.mape_weighted = 100 * weighted / weight;
    s.n = headline_first(pairs, count);
    for (size_t i = 0; i < s.n; i++) {
        sum += absolute_error(&pairs[i]);
        signed_sum += pairs[i].predicted / pairs[i].measured - 1;
    }
    if (s.n == 0)
        return s;
    s.mape = 100 * sum / (double)s.n;
    s.bias = 100 * signed_sum / (double)s.n;
    s.median = 50 * (absolute_error(&pairs[(s.n - 1) / 2]) + absolute_error(&pairs[s.n / 2]));
    return s;
}

double adept_combined(double time, double power, double time_weight, double power_weight) {
    if (isnan(time) || isnan(power))
        return isnan(time) ? power : time;
    return time_weight * time + power_weight * power;
}

static int by_ratio(const void *a, const void *b) {
    const adept_pair *p = a, *q = b;
    double x = p->measured / p->predicted, y = q->measured / q->predicted;
    return (x > y) - (x < y);
}

double adept_best_factor(adept_pair *pairs, size_t count) {
    size_t kept = 0;
    double total = 0, below = 0;
    for (size_t i = 0; i < count; i++) {
        if (is_known(&pairs[i]) && pairs[i].weight > 0) {
            total += pairs[i].weight * pairs[i].predicted / pairs[i].measured;
            pairs[kept++] = pairs[i];
        }
    }
    if (kept == 0)
        return NAN;
    qsort(pairs, kept, sizeof *pairs, by_ratio);
    for (size_t i = 0; i < kept; i++) {
        below += pairs[i].weight * pairs[i].predicted / pairs[i].measured;
        if (2 * below >= total)
            return pairs[i].measured / pairs[i].predicted;
    }
    return pairs[kept - 1].measured / pairs[kept - 1].predicted;
}
