#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adept/whatif.h"
#include "arena.h"
#include "fail.h"
#include "number.h"
#include "strict_csv.h"

struct adept_economics {
    adept_arena *arena;
    adept_csv *carbon_csv, *prices_csv;
    adept_carbon_region *regions;
    size_t region_count;
    const char *prices_name;
};

/* $ADEPT_DATA, then what was installed, then the tree this was built from: the order of hardware files. */
static bool find_file(char *path, size_t size, const char *name) {
    const char *const folders[] = {getenv("ADEPT_DATA"), ADEPT_INSTALLED_DATA, ADEPT_SOURCE_DATA};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        if (!folders[i] || !*folders[i])
            continue;
        int length = snprintf(path, size, "%s/economics/%s", folders[i], name);
        if (length > 0 && (size_t)length < size && access(path, R_OK) == 0)
            return true;
    }
    return false;
}

static adept_status load_csv(adept_csv **out, const char *name, adept_error *err) {
    char path[4096];
    if (!find_file(path, sizeof path, name))
        return adept_fail(err, ADEPT_IO, "data/economics/%s is not found; set ADEPT_DATA to the data folder",
                          name);
    return adept_csv_load(out, path, err);
}

static adept_status read_regions(adept_economics *e, adept_error *err) {
    const adept_csv *csv = e->carbon_csv;
    const char *const names[] = {"region", "name", "year", "g_per_kWh", "source"};
    ptrdiff_t at[5];
    for (int i = 0; i < 5; i++) {
        at[i] = adept_csv_column(csv, names[i]);
        if (at[i] < 0)
            return adept_fail(err, ADEPT_FORMAT, "carbon.csv: no column '%s'", names[i]);
    }
    e->region_count = adept_csv_rows(csv);
    e->regions = adept_arena_array(e->arena, e->region_count, sizeof *e->regions);
    if (!e->regions)
        return adept_fail_memory(err);
    for (size_t row = 0; row < e->region_count; row++) {
        adept_carbon_region *r = &e->regions[row];
        int64_t year;
        adept_status status = adept_csv_double(csv, row, at[3], "g/kWh", &r->g_per_kWh, err);
        if (status == ADEPT_OK)
            status = adept_csv_i64(csv, row, at[2], 0, &year, err);
        if (status != ADEPT_OK)
            return adept_fail_at(err, status, "carbon.csv");
        r->year = (int)year;
        r->region = adept_csv_field(csv, row, at[0]);
        r->name = adept_csv_field(csv, row, at[1]);
        r->source = adept_csv_field(csv, row, at[4]);
    }
    return ADEPT_OK;
}

/* Line of a row of the same item further up; 0: there is none. */
static size_t given_before(const adept_csv *csv, size_t row, ptrdiff_t item) {
    for (size_t i = 0; i < row; i++) {
        if (strcmp(adept_csv_field(csv, i, item), adept_csv_field(csv, row, item)) == 0)
            return adept_csv_row_line(csv, i);
    }
    return 0;
}

static adept_status check_price(const adept_csv *csv, const char *name, size_t row, adept_error *err) {
    ptrdiff_t item = adept_csv_column(csv, "item"), currency = adept_csv_column(csv, "currency");
    const char *what = adept_csv_field(csv, row, item);
    const char *unit = adept_csv_field(csv, row, adept_csv_column(csv, "unit"));
    const char *expected = strcmp(what, "electricity") == 0 ? "per kWh" : "per GPU-hour";
    const char *money = adept_csv_field(csv, row, currency), *first = adept_csv_field(csv, 0, currency);
    size_t line = adept_csv_row_line(csv, row), before = given_before(csv, row, item);
    double price;
    adept_status status = adept_csv_double(csv, row, adept_csv_column(csv, "price"), "", &price, err);
    if (status != ADEPT_OK)
        return status;
    if (!*what)
        return adept_fail(err, ADEPT_FORMAT, "%s, line %zu: no item: the id of a GPU, or electricity", name,
                          line);
    if (!(price >= 0))
        return adept_fail(err, ADEPT_FORMAT, "%s, line %zu: '%s' has no price of at least 0", name, line,
                          what);
    if (before)
        return adept_fail(err, ADEPT_FORMAT, "%s, line %zu: '%s' has a price already, in line %zu", name,
                          line, what, before);
    if (*unit && strcmp(unit, expected) != 0)
        return adept_fail(err, ADEPT_FORMAT, "%s, line %zu: '%s' is priced '%s'; give its price '%s'", name,
                          line, what, unit, expected);
    if (strcmp(money, first) != 0)
        return adept_fail(err, ADEPT_FORMAT,
                          "%s, line %zu: '%s' is priced in '%s', the first item in '%s'; one "
                          "currency for all, they are added up",
                          name, line, what, money, first);
    return ADEPT_OK;
}

static adept_status check_prices(const adept_csv *csv, const char *name, adept_error *err) {
    adept_status status = ADEPT_OK;
    if (adept_csv_column(csv, "item") < 0 || adept_csv_column(csv, "price") < 0)
        return adept_fail(err, ADEPT_FORMAT, "%s: needs the columns item, price (and unit, currency, source)",
                          name);
    for (size_t row = 0; row < adept_csv_rows(csv) && status == ADEPT_OK; row++)
        status = check_price(csv, name, row, err);
    return status;
}

adept_status adept_economics_load(adept_economics **out, const char *prices_file, adept_error *err) {
    *out = NULL;
    adept_arena *arena = adept_arena_new(0);
    adept_economics *e = arena ? adept_arena_alloc(arena, sizeof *e) : NULL;
    if (!e) {
        adept_arena_free(arena);
        return adept_fail_memory(err);
    }
    e->arena = arena;
    adept_status status = load_csv(&e->carbon_csv, "carbon.csv", err);
    if (status == ADEPT_OK)
        status = read_regions(e, err);
    if (status == ADEPT_OK)
        status = prices_file ? adept_csv_load(&e->prices_csv, prices_file, err)
                             : load_csv(&e->prices_csv, "prices.csv", err);
    if (status == ADEPT_OK)
        status = check_prices(e->prices_csv, prices_file ? prices_file : "prices.csv", err);
    if (status != ADEPT_OK)
        adept_economics_free(e);
    else
        *out = e;
    return status;
}

void adept_economics_free(adept_economics *e) {
    if (!e)
        return;
    adept_csv_free(e->carbon_csv);
    adept_csv_free(e->prices_csv);
    adept_arena_free(e->arena);
}

size_t adept_economics_region_count(const adept_economics *e) {
    return e->region_count;
}

adept_carbon_region adept_economics_region(const adept_economics *e, size_t index) {
    return e->regions[index];
}

adept_status adept_economics_carbon(const adept_economics *e, const char *region, adept_carbon_region *out,
                                    adept_error *err) {
    const char *names[512];
    size_t count = 0;
    for (size_t i = 0; i < e->region_count; i++) {
        if (strcmp(e->regions[i].region, region) == 0 || strcmp(e->regions[i].name, region) == 0) {
            *out = e->regions[i];
            return ADEPT_OK;
        }
        if (count < 512)
            names[count++] = e->regions[i].region;
    }
    const char *near = adept_nearest_name(region, names, count);
    return adept_fail(
        err, ADEPT_ARGUMENT,
        "region '%s' is not known%s%s%s; data/economics/carbon.csv lists them, or give --carbon", region,
        near ? "; did you mean '" : "", near ? near : "", near ? "'" : "");
}

static bool names_hardware(const char *item, const adept_hardware *hardware) {
    bool same = strcmp(item, adept_hardware_id(hardware)) == 0;
    for (size_t i = 0; !same && i < adept_hardware_alias_count(hardware); i++)
        same = strcmp(item, adept_hardware_alias(hardware, i)) == 0;
    return same;
}

/* Rows: a GPU's id or alias (price of an hour), or "electricity" (price of a kWh). */
adept_price adept_economics_price(const adept_economics *e, const adept_hardware *hardware) {
    adept_price price = {.gpu_hour = NAN, .kWh = NAN, .pue = 1};
    const adept_csv *csv = e->prices_csv;
    ptrdiff_t item = adept_csv_column(csv, "item"), value = adept_csv_column(csv, "price");
    ptrdiff_t currency = adept_csv_column(csv, "currency");
    for (size_t row = 0; row < adept_csv_rows(csv); row++) {
        const char *name = adept_csv_field(csv, row, item);
        bool electricity = strcmp(name, "electricity") == 0;
        double number;
        if (!electricity && !names_hardware(name, hardware))
            continue;
        if (adept_csv_double(csv, row, value, "", &number, NULL) != ADEPT_OK)
            continue;
        *(electricity ? &price.kWh : &price.gpu_hour) = number;
        snprintf(price.currency, sizeof price.currency, "%.7s", adept_csv_field(csv, row, currency));
    }
    return price;
}

adept_total adept_total_of(const adept_prediction *p, const adept_workload *w,
                           const adept_hardware_spec *spec, const adept_total_options *o) {
    adept_total total = {.steps = o->steps > 0 ? o->steps : 1, .carbon_g = NAN, .money = NAN};
    adept_node_power node;
    double of_step = w->samples * w->grad_accum * w->gpus;
    if (o->samples > 0)
        total.steps = ceil(o->samples / of_step);
    double seconds = total.steps * p->step_time_s, pue = o->price.pue >= 1 ? o->price.pue : 1;
    double power_W = w->gpus * p->average_power_W;
    total.node_scope = adept_node_power_of(&node, spec, w->gpus, p->average_power_W);
    if (total.node_scope)
        power_W = node.total_W;
    total.hours = seconds / 3600;
    total.energy_kWh = power_W * seconds / 3.6e6 * pue;
    if (!isnan(o->carbon_g_per_kWh))
        total.carbon_g = total.energy_kWh * o->carbon_g_per_kWh;
    if (!isnan(o->price.gpu_hour) || !isnan(o->price.kWh))
        total.money = (isnan(o->price.gpu_hour) ? 0 : o->price.gpu_hour * w->gpus * total.hours) +
                      (isnan(o->price.kWh) ? 0 : o->price.kWh * total.energy_kWh);
    return total;
}
