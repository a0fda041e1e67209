#include <stdlib.h>

#include "calibration_options.h"

static void print_help(void) {
    puts("adept validate TRACES.csv .. [--hw ID|FILE.json] [--graphs DIR] [--cv BY] [--plot FILE.svg] "
         "[--json]\n"
         "\nHow far predictions are from measurements: by GPU, network, precision and batch, with naive "
         "baselines\n"
         "beside them. Without --cv the parameters are those of the hardware files, which may have been "
         "fitted to\n"
         "these very rows; with --cv, parameters are also fitted without the rows they are judged by.\n");
    calibration_help();
}

static int run_validate(calibration_options *o) {
    adept_error err = ADEPT_ERROR_INIT;
    calibration_data data;
    adept_validation *in_sample = NULL, *held_out = NULL;
    adept_status status = calibration_open(&data, o, &err);
    if (status == ADEPT_OK)
        status = adept_validation_of_hardware(&in_sample, data.dataset, o->fit.variant, o->fit.threads, &err);
    if (status == ADEPT_OK && o->cv) {
        calibration_watch_begin(o);
        status = adept_validation_cross(&held_out, data.dataset, o->cv, &o->fit, &err);
        calibration_watch_end();
    }
    if (status == ADEPT_OK) {
        adept_validation_report report = {.in_sample = in_sample,
                                          .held_out = held_out,
                                          .every_row = o->rows,
                                          .in_sample_title = "with the parameters of the hardware files"};
        status = calibration_print(o, &report, &err);
    }
    if (status == ADEPT_OK)
        status = calibration_plot(o, held_out ? held_out : in_sample, &err);
    int code = status != ADEPT_OK          ? cli_failed("validate", &err)
               : calibration_interrupted() ? EXIT_FAILED
                                           : EXIT_DONE;
    adept_validation_free(in_sample);
    adept_validation_free(held_out);
    calibration_close(&data);
    return code;
}

int adept_cmd_validate(int argc, char **argv) {
    calibration_options options = {.command = "validate", .fit = ADEPT_FIT_OPTIONS_INIT};
    int code = calibration_parse(&options, false, argc, argv);
    if (code == 0 && options.help)
        print_help();
    else if (code == 0)
        code = run_validate(&options);
    return code;
}
