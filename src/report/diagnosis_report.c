#include "adept/calibration_report.h"
#include "fail.h"
#include "strict_json.h"

adept_status adept_report_diagnosis_text(FILE *out, const adept_diagnosis *diagnosis, const char *path,
                                         adept_error *err) {
    size_t counts[ADEPT_FINDING_COUNT] = {0}, count = adept_diagnosis_count(diagnosis);
    for (size_t i = 0; i < count; i++) {
        const adept_finding *f = adept_diagnosis_at(diagnosis, i);
        counts[f->kind]++;
        fprintf(out, "%s:%zu: %s: %s\n", path, f->line, adept_finding_name(f->kind), f->message);
    }
    for (int k = 0; k < ADEPT_FINDING_COUNT; k++) {
        if (counts[k])
            fprintf(out, "%6zu  %s: %s\n", counts[k], adept_finding_name((adept_finding_kind)k),
                    adept_finding_text((adept_finding_kind)k));
    }
    if (count == 0)
        fprintf(out, "%s: nothing odd\n", path);
    return fflush(out) == 0 && !ferror(out) ? ADEPT_OK : adept_fail(err, ADEPT_IO, "cannot write the report");
}

adept_status adept_report_diagnosis_json(FILE *out, const adept_diagnosis *diagnosis, adept_error *err) {
    adept_json_writer w = adept_json_writer_to(out, 2);
    adept_json_begin_object(&w, NULL);
    adept_json_begin_array(&w, "findings");
    for (size_t i = 0; i < adept_diagnosis_count(diagnosis); i++) {
        const adept_finding *f = adept_diagnosis_at(diagnosis, i);
        adept_json_begin_object(&w, NULL);
        adept_json_put_integer(&w, "line", (int64_t)f->line);
        adept_json_put_string(&w, "kind", adept_finding_name(f->kind));
        adept_json_put_string(&w, "message", f->message);
        adept_json_end(&w);
    }
    adept_json_end(&w);
    adept_json_end(&w);
    return adept_json_finish(&w, err);
}
