/* calibrate and validate as a user runs them: what they write, and what they leave alone. */
#include "program.h"

#include <dirent.h>

static const char rows[] = "graph,batch,precision,mode,step_time_s,average_power_W,gpu\n"
                           "resnet50.onnx,32,fp32,inference,0.06,100,a10\n"
                           "resnet50.onnx,16,fp32,inference,0.03,,a10\n"
                           "resnet50.onnx,8,fp32,inference,,80,a10\n";

static char folder[64], trace[128], plot[128];

static void write_text(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static char *read_text(const char *path) {
    size_t size;
    int file = open(path, O_RDONLY);
    assert_true(file >= 0);
    return program_slurp(file, &size);
}

static void assert_file_holds(const char *path, const char *text) {
    char *found = read_text(path);
    assert_string_equal(found, text);
    free(found);
}

static int make_folder(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/adept-calibration-XXXXXX");
    if (!mkdtemp(folder))
        return 1;
    snprintf(trace, sizeof trace, "%s/t.csv", folder);
    snprintf(plot, sizeof plot, "%s/p.svg", folder);
    write_text(trace, rows);
    return 0;
}

/* Files in the folder, which are removed if asked for. */
static int files(bool remove_them) {
    int count = 0;
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        char name[512];
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        snprintf(name, sizeof name, "%s/%s", folder, e->d_name);
        count++;
        if (remove_them)
            remove(name);
    }
    closedir(d);
    return count;
}

static int remove_folder(void **state) {
    (void)state;
    files(true);
    return rmdir(folder);
}

#define GRAPHS ADEPT_SOURCE_DIR "/data/graphs"

static program_result validate(const char *plot_path) {
    return program_run((const char *[]){"validate", trace, "--graphs", GRAPHS, "--plot", plot_path, NULL});
}

static int occurrences(const char *text, const char *word) {
    int count = 0;
    for (const char *at = text; (at = strstr(at, word)); at += strlen(word))
        count++;
    return count;
}

static void a_plot_has_one_mark_for_each_measured_quantity_of_a_row(void **state) {
    (void)state;
    program_result r = validate(plot);
    assert_int_equal(r.code, 0);
    char *svg = read_text(plot);
    assert_int_equal(strncmp(svg, "<svg ", 5), 0);
    assert_string_equal(svg + strlen(svg) - strlen("</svg>\n"), "</svg>\n");
    assert_int_equal(occurrences(svg, "<title>"), 2 + 2); /* times and powers */
    assert_int_equal(files(false), 2);                    /* nothing beside it */
    free(svg);
    program_free(&r);
}

static void a_plot_never_replaces_the_measurements(void **state) {
    (void)state;
    program_result r = validate(trace);
    assert_int_equal(r.code, 2);
    assert_int_equal(program_lines(r.err), 1);
    assert_non_null(strstr(r.err, "holds the measurements"));
    assert_file_holds(trace, rows);
    program_free(&r);
}

static void a_full_disk_is_said_in_one_line_with_its_reason(void **state) {
    (void)state;
    if (access("/dev/full", W_OK) != 0) {
        print_message("skipped: no /dev/full\n");
        skip();
    }
    program_result r = validate("/dev/full");
    assert_int_equal(r.code, 1);
    assert_int_equal(program_lines(r.err), 1);
    assert_non_null(strstr(r.err, "/dev/full: cannot write: No space left on device"));
    program_free(&r);
}

/* A file-size limit of one block stands for a disk that fills up in the middle of the file. */
static void a_plot_that_does_not_fit_leaves_the_old_one_whole(void **state) {
    (void)state;
    char line[1024];
    write_text(plot, "the plot of yesterday\n");
    snprintf(line, sizeof line, "ulimit -f 1; exec '%s' validate '%s' --graphs '%s' --plot '%s' >/dev/null",
             PROGRAM, trace, GRAPHS, plot);
    program_result r = program_run_limited((const char *[]){"/bin/sh", "-c", line, NULL}, 0);
    assert_int_equal(r.code, 1);
    assert_int_equal(program_lines(r.err), 1);
    assert_non_null(strstr(r.err, plot));
    assert_file_holds(plot, "the plot of yesterday\n");
    assert_int_equal(files(false), 2);
    program_free(&r);
}

static double predicted_s(const char *hardware) {
    program_result r = program_run((const char *[]){"predict", GRAPHS "/resnet50.onnx", "--hw", hardware,
                                                    "--batch", "32", "--mode", "inference", "--json", NULL});
    assert_int_equal(r.code, 0);
    const char *at = strstr(r.out, "\"step_time_s\":");
    assert_non_null(at);
    double value = strtod(at + strlen("\"step_time_s\":"), NULL);
    program_free(&r);
    return value;
}

/* Else a user's fit would not show in the predictions made with it. */
static void the_variant_that_is_fitted_is_the_one_that_predicts(void **state) {
    (void)state;
    char fitted[128];
    snprintf(fitted, sizeof fitted, "%s/a10.json", folder);
    program_result r =
        program_run((const char *[]){"calibrate", trace, "--graphs", GRAPHS, "-o", fitted, NULL});
    assert_int_equal(r.code, 0);
    assert_int_equal(strncmp(r.out, "variant operator,", strlen("variant operator,")), 0);
    program_free(&r);
    const double measured_s = 0.06;
    assert_true(fabs(predicted_s(fitted) - measured_s) < 0.9 * fabs(predicted_s("a10") - measured_s));
}

static void experiments_of_the_thesis_are_about_its_variant(void **state) {
    (void)state;
    program_result r = program_run((const char *[]){"calibrate", trace, "--graphs", GRAPHS, "--stages",
                                                    "--generations", "2", "--polish", "1", NULL});
    assert_int_equal(r.code, 0);
    assert_non_null(strstr(r.out, "variant thesis,"));
    program_free(&r);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        TEST(a_plot_has_one_mark_for_each_measured_quantity_of_a_row),
        TEST(a_plot_never_replaces_the_measurements),
        TEST(a_full_disk_is_said_in_one_line_with_its_reason),
        TEST(a_plot_that_does_not_fit_leaves_the_old_one_whole),
        TEST(the_variant_that_is_fitted_is_the_one_that_predicts),
        TEST(experiments_of_the_thesis_are_about_its_variant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
