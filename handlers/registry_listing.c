#include "registry_listing.h"

#include <stdint.h>
#include <string.h>

#include "handler.h"

static const char *domain_title(const char *domain) {
    return domain[0] ? domain : "ai.onnx";
}

static const char *autocast_name(adept_autocast class) {
    static const char *const names[] = {"widest", "16 bits", "FP32", "keep"};
    return names[class];
}

static void print_inputs(FILE *out, const adept_handler *row) {
    if (row->inputs.max < 0)
        fprintf(out, "%d or more", (int)row->inputs.min);
    else if (row->inputs.max == row->inputs.min)
        fprintf(out, "%d", (int)row->inputs.min);
    else
        fprintf(out, "%d to %d", (int)row->inputs.min, (int)row->inputs.max);
}

/* Inputs whose values decide the output's shape, by number. */
static void print_shape_inputs(FILE *out, uint32_t mask) {
    const char *separator = "";
    for (int i = 0; i < 32; i++) {
        if (!(mask >> i & 1))
            continue;
        fprintf(out, "%s%d", separator, i);
        separator = ", ";
    }
}

static void print_head(FILE *out, const char *domain, size_t operators) {
    fprintf(out, "\n## %s\n\n%zu operators.\n\n", domain_title(domain), operators);
    fputs("| operator | since | inputs | values decide shape | ALU FLOP forward | backward | autocast | note "
          "|\n"
          "|---|---|---|---|---|---|---|---|\n",
          out);
}

static void print_row(FILE *out, const adept_handler *row) {
    fprintf(out, "| %s | %d | ", row->op_type, (int)row->since);
    print_inputs(out, row);
    fputs(" | ", out);
    print_shape_inputs(out, row->shape_inputs);
    fprintf(out, " | %g | %g | %s | %s |\n", row->alu.forward, row->alu.backward,
            autocast_name(row->autocast), row->note ? row->note : "");
}

/* Distinct operators of the domain that starts at `first`. */
static size_t operators_of(const adept_handler *rows, size_t count, size_t first) {
    size_t operators = 0;
    for (size_t i = first; i < count && strcmp(rows[i].domain, rows[first].domain) == 0; i++)
        operators += i == first || strcmp(rows[i].op_type, rows[i - 1].op_type) != 0;
    return operators;
}

static const char head[] =
    "# Operators\n\n"
    "Printed from the table in `handlers/registry.c`; a test keeps this page current (`ADEPT_RENEW=1` renews "
    "it).\nHow work is counted: [work.md](work.md).\n\n"
    "- **since**: first opset the row is right for. **values decide shape**: inputs whose numbers the "
    "output's\n"
    "  shape depends on.\n"
    "- **ALU FLOP**: on general cores, per element of the output (reductions: of the input). Estimates: an\n"
    "  addition, product or comparison is 1, a special function (reciprocal, square root, 2^x, log2, sine,\n"
    "  cosine) is 4, because a GPU has a quarter as many units for it (CUDA C++ Programming Guide, "
    "arithmetic\n"
    "  instructions: 16 against 64 results per clock and SM).\n"
    "- **autocast**: type under `--precision fp16-amp` and `bf16-amp`: 16 bits, FP32, the widest input, or "
    "the\n"
    "  type that comes in (PyTorch's documented lists for CUDA).\n";

void adept_operators_markdown(FILE *out) {
    size_t count;
    const adept_handler *rows = adept_handler_table(&count);
    fputs(head, out);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || strcmp(rows[i].domain, rows[i - 1].domain) != 0)
            print_head(out, rows[i].domain, operators_of(rows, count, i));
        print_row(out, &rows[i]);
    }
}
