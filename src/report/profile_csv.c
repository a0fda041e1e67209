#include "adept/report.h"
#include "fail.h"
#include "number.h"
#include "plain_text.h"
#include "strict_csv.h"

static void put_number(FILE *out, double value) {
    char text[ADEPT_NUMBER_SIZE];
    fprintf(out, ",%s", adept_number_format(text, value));
}

static void put_text(FILE *out, const char *text) {
    fputc(',', out);
    adept_csv_write_field(out, ADEPT_PLAIN(text));
}

static void put_work_names(FILE *out, const char *pass) {
    static const char *const names[] = {"gemm_flop", "conv_flop", "alu_flop", "read_B", "write_B", "kernels"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        fprintf(out, ",%s_%s", pass, names[i]);
}

static void put_work(FILE *out, const adept_work *w) {
    put_number(out, w->gemm_flop);
    put_number(out, w->conv_flop);
    put_number(out, w->alu_flop);
    put_number(out, w->read_B);
    put_number(out, w->write_B);
    put_number(out, w->kernels);
}

static void put_operators(FILE *out, const adept_profile *p) {
    fputs("row,name,op_type,domain,module,known,part_of,repeats", out);
    put_work_names(out, "forward");
    put_work_names(out, "backward");
    fputs(",saved_B,working_set_B\n", out);
    for (size_t i = 0; i < adept_profile_operator_count(p); i++) {
        const adept_operator *op = adept_profile_operator(p, i);
        fprintf(out, "%zu", i);
        put_text(out, op->name);
        put_text(out, op->op_type);
        put_text(out, op->domain);
        put_text(out, op->module);
        fprintf(out, ",%d", op->known);
        if (op->part_of >= 0)
            fprintf(out, ",%d", op->part_of);
        else
            fputc(',', out);
        put_number(out, op->repeats);
        put_work(out, &op->forward);
        put_work(out, &op->backward);
        put_number(out, op->saved_B);
        put_number(out, op->working_set_B);
        fputc('\n', out);
    }
}

static void put_modules(FILE *out, const adept_profile *p) {
    fputs("module,depth,parameters", out);
    put_work_names(out, "forward");
    put_work_names(out, "backward");
    fputc('\n', out);
    for (size_t i = 0; i < adept_profile_module_count(p); i++) {
        const adept_module *m = adept_profile_module(p, i);
        adept_csv_write_field(out, ADEPT_PLAIN(m->path));
        fprintf(out, ",%d", m->depth);
        put_number(out, m->parameters);
        put_work(out, &m->forward);
        put_work(out, &m->backward);
        fputc('\n', out);
    }
}

adept_status adept_report_profile_csv(FILE *out, const adept_profile *profile,
                                      const adept_profile_report *options, adept_error *err) {
    if (options->by_module)
        put_modules(out, profile);
    else
        put_operators(out, profile);
    if (fflush(out) != 0 || ferror(out))
        return adept_fail(err, ADEPT_IO, "the output could not be written completely");
    return ADEPT_OK;
}
