#include <math.h>
#include <string.h>

#include "adept/hardware.h"
#include "adept/prediction.h"
#include "adept/report.h"
#include "fail.h"
#include "plain_text.h"
#include "units.h"

static adept_status finish(FILE *out, adept_error *err) {
    if (fflush(out) != 0 || ferror(out))
        return adept_fail(err, ADEPT_IO, "cannot write the report: disk full or pipe closed?");
    return ADEPT_OK;
}

/* The symbol that a key's last part stands for. */
static const char *symbol_of(const char *path) {
    static const struct {
        const char *end, *symbol;
    } symbols[] = {
        {"_B_per_s",   "B/s"  },
        {"_bit_per_s", "bit/s"},
        {"_Hz",        "Hz"   },
        {"_W",         "W"    },
        {"_nm",        "nm"   },
        {"_bits",      "bit"  },
        {"_s",         "s"    },
        {"_B",         "B"    },
        {"_B_per_sm",  "B"    },
    };
    size_t length = strlen(path);
    if (strstr(path, "flop_per_s."))
        return "FLOP/s";
    for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
        size_t end = strlen(symbols[i].end);
        if (length > end && strcmp(path + length - end, symbols[i].end) == 0)
            return symbols[i].symbol;
    }
    return "";
}

/* Memory as it is sold, counts as they are, the rest with an SI prefix. */
static const char *value_of(char text[ADEPT_UNITS_SIZE], const char *path, double value) {
    const char *symbol = symbol_of(path);
    if (strcmp(symbol, "B") == 0 && value >= 1024)
        return adept_units_memory(text, value);
    if (*symbol && strcmp(symbol, "nm") != 0 && strcmp(symbol, "bit") != 0 && strcmp(symbol, "W") != 0)
        return adept_units_si(text, value, symbol);
    if (!*symbol && value >= 1e6)
        return adept_units_si(text, value, "");
    snprintf(text, ADEPT_UNITS_SIZE, "%.10g%s%s", value, *symbol ? " " : "", symbol);
    return text;
}

/* ---- list ---- */

static void print_aliases(FILE *out, const adept_hardware *hardware) {
    for (size_t i = 0; i < adept_hardware_alias_count(hardware); i++)
        fprintf(out, "%s%s", i ? ", " : "", ADEPT_PLAIN(adept_hardware_alias(hardware, i)));
}

static int longest_name(const adept_hardware_list *list) {
    size_t longest = 4;
    for (size_t i = 0; i < adept_hardware_list_count(list); i++) {
        size_t length = strlen(adept_hardware_name(adept_hardware_list_at(list, i)));
        longest = length > longest ? length : longest;
    }
    return longest < 60 ? (int)longest : 60;
}

adept_status adept_report_hardware_list_text(FILE *out, const adept_hardware_list *list, adept_error *err) {
    int width = longest_name(list);
    fprintf(out, "%-18s %-*s %4s %9s %10s %6s %14s %14s  %s\n", "id", width, "name", "SMs", "memory",
            "bandwidth", "TDP", "FP32 matrix", "16-bit matrix", "aliases");
    for (size_t i = 0; i < adept_hardware_list_count(list); i++) {
        const adept_hardware *hardware = adept_hardware_list_at(list, i);
        const adept_hardware_spec *spec = adept_hardware_spec_of(hardware);
        char memory[ADEPT_UNITS_SIZE], bandwidth[ADEPT_UNITS_SIZE], fp32[ADEPT_UNITS_SIZE],
            half[ADEPT_UNITS_SIZE];
        fprintf(out, "%-18s %-*.*s %4.0f %9s %10s %4.0f W %14s %14s%s", adept_hardware_id(hardware), width,
                width, adept_hardware_name(hardware), spec->sm_count,
                adept_units_memory(memory, spec->memory_B),
                adept_units_si(bandwidth, spec->memory_bandwidth_B_per_s, "B/s"), spec->tdp_W,
                adept_units_si(fp32, adept_peak_for_matrix(spec, ADEPT_MATH_FP32).flop_per_s, "FLOP/s"),
                adept_units_si(half, adept_peak_for_matrix(spec, ADEPT_MATH_FP16).flop_per_s, "FLOP/s"),
                adept_hardware_alias_count(hardware) ? "  " : "");
        print_aliases(out, hardware);
        fputc('\n', out);
    }
    return finish(out, err);
}

/* ---- show ---- */

static void print_field(FILE *out, const adept_hardware *hardware, size_t index, bool sources) {
    const adept_hardware_field *field = adept_hardware_field_at(index);
    const char *source = adept_hardware_source(hardware, field->path);
    adept_hardware_origin origin;
    double value;
    char text[ADEPT_UNITS_SIZE];
    adept_hardware_get(hardware, field->path, &value, &origin, NULL);
    if (origin == ADEPT_ORIGIN_UNKNOWN)
        return;
    fprintf(out, "  %-34s %16s  %s", field->path, value_of(text, field->path, value), field->meaning);
    if (origin == ADEPT_ORIGIN_DERIVED)
        fprintf(out, " (not known; taken as %s)", adept_hardware_field_default(index));
    if (origin == ADEPT_ORIGIN_SET)
        fputs(" (set)", out);
    fputc('\n', out);
    if (sources && origin == ADEPT_ORIGIN_FILE && source)
        fprintf(out, "      source: %s\n", ADEPT_PLAIN(source));
}

static void print_unknown(FILE *out, const adept_hardware *hardware) {
    bool any = false;
    for (size_t i = 0; i < adept_hardware_field_count(); i++) {
        const char *path = adept_hardware_field_at(i)->path;
        adept_hardware_origin origin;
        double value;
        adept_hardware_get(hardware, path, &value, &origin, NULL);
        if (origin != ADEPT_ORIGIN_UNKNOWN || strncmp(path, "measured.", 9) == 0 ||
            strncmp(path, "host.", 5) == 0)
            continue;
        fprintf(out, "%s%s", any ? ", " : "\nnot known, or no such unit: ", path);
        any = true;
    }
    fputs(any ? "\n" : "", out);
}

static const adept_hardware_parameter *carried(const adept_hardware *hardware, adept_variant variant,
                                               const char *name) {
    for (size_t i = 0; i < adept_hardware_parameter_count(hardware, variant); i++) {
        const adept_hardware_parameter *parameter = adept_hardware_parameter_at(hardware, variant, i);
        if (strcmp(parameter->name, name) == 0)
            return parameter;
    }
    return NULL;
}

static void print_theta(FILE *out, const adept_hardware *hardware, adept_variant variant) {
    if (adept_parameter_count(variant) == 0)
        return;
    fprintf(out, "\nparameters of variant %s%s%s\n", adept_variant_name(variant),
            *adept_hardware_fit(hardware, variant) ? ": " : "", adept_hardware_fit(hardware, variant));
    for (size_t i = 0; i < adept_parameter_count(variant); i++) {
        const adept_parameter *row = adept_parameter_at(variant, i);
        const adept_hardware_parameter *value = carried(hardware, variant, row->name);
        fprintf(out, "  %-20s %12.6g %-20s %s%s%s\n", row->name, value ? value->value : row->initial,
                strcmp(row->unit, "1") == 0 ? "" : row->unit,
                adept_provenance_name(value ? value->provenance : ADEPT_PROVENANCE_DEFAULT),
                value && *value->detail ? ": " : "", value ? value->detail : "");
    }
}

adept_status adept_report_hardware_text(FILE *out, const adept_hardware *hardware,
                                        const adept_hardware_report *options, adept_error *err) {
    const adept_hardware_spec *spec = adept_hardware_spec_of(hardware);
    fprintf(out, "%s: %s", ADEPT_PLAIN(adept_hardware_id(hardware)),
            ADEPT_PLAIN(adept_hardware_name(hardware)));
    if (adept_hardware_alias_count(hardware)) {
        fputs(", alias ", out);
        print_aliases(out, hardware);
    }
    fprintf(out, "\n%s, family %s, memory %s, links %s%s%s\nfile %s\n\n",
            adept_hardware_architecture(hardware), adept_gpu_family_name(spec->family),
            adept_memory_type_name(spec->memory_type), adept_hardware_link(hardware),
            *adept_hardware_link(hardware) ? ", " : "", adept_link_topology_name(spec->link_topology),
            ADEPT_PLAIN(adept_hardware_file(hardware)));
    for (size_t i = 0; i < adept_hardware_field_count(); i++)
        print_field(out, hardware, i, options->sources);
    print_unknown(out, hardware);
    for (size_t i = 0; i < adept_hardware_note_count(hardware); i++)
        fprintf(out, "%snote: %s\n", i ? "" : "\n", ADEPT_PLAIN(adept_hardware_note(hardware, i)));
    for (int v = 0; v < ADEPT_VARIANT_COUNT; v++)
        print_theta(out, hardware, (adept_variant)v);
    return finish(out, err);
}
