#include "synthetic.h"

#include "hosts.h"

#include <unistd.h>

/* Parameters that the grid determines, planted away from their initial values. */
static const struct {
    const char *name;
    double value;
} planted[] = {
    {"beta_gemm",   0.55},
    {"C_mem",       1.7 },
    {"C_opt",       2.1 },
    {"t_kern",      4e-6},
    {"P_static",    0.3 },
    {"C_P",         0.7 },
    {"u_mem",       0.4 },
    {"S_gemm_bf16", 1.6 },
    {"BW_eff",      0.4 },
};
enum { PLANTED = sizeof planted / sizeof planted[0] };

static adept_theta planted_theta(void) {
    adept_theta theta;
    adept_error err = ADEPT_ERROR_INIT;
    assert_ok(adept_theta_init(&theta, ADEPT_VARIANT_THESIS, NULL, &err), err);
    for (size_t i = 0; i < PLANTED; i++)
        plant(&theta, planted[i].name, planted[i].value);
    return theta;
}

static adept_fit_options options_for_planted(const char **names) {
    static adept_theta start; /* the table's values, whatever is shipped for the GPU */
    adept_error err = ADEPT_ERROR_INIT;
    adept_fit_options o = ADEPT_FIT_OPTIONS_INIT;
    assert_ok(adept_theta_init(&start, ADEPT_VARIANT_THESIS, NULL, &err), err);
    o.start = &start;
    for (size_t i = 0; i < PLANTED; i++)
        names[i] = planted[i].name;
    o.free = names;
    o.free_count = PLANTED;
    o.threads = 2;
    o.tol = 1e-4;
    return o;
}

static void planted_parameters_are_recovered(void **state) {
    (void)state;
    const char *names[PLANTED];
    adept_theta theta = planted_theta();
    adept_error err = ADEPT_ERROR_INIT;
    adept_fit_options o = options_for_planted(names);
    synthetic s;
    adept_fit *fit;
    synthetic_load(&s, "a100", &theta, 0);
    assert_ok(adept_fit_run(&fit, s.dataset, NULL, &o, &err), err);
    const adept_fit_part *part = adept_fit_part_at(fit, 0);
    assert_int_equal(part->free_count, PLANTED);
    assert_true(part->loss_start > 5);
    assert_true(part->loss < 0.05);
    for (size_t i = 0; i < PLANTED; i++)
        assert_close(value_of(adept_fit_theta(fit, 0), planted[i].name), planted[i].value, 0.02);
    adept_fit_free(fit);
    synthetic_free(&s);
}

static void threads_do_not_change_the_result(void **state) {
    (void)state;
    const char *names[PLANTED];
    adept_theta theta = planted_theta();
    adept_error err = ADEPT_ERROR_INIT;
    adept_fit_options o = options_for_planted(names);
    synthetic s;
    adept_fit *one, *two;
    synthetic_load(&s, "a100", &theta, 0.05);
    o.generations = 40;
    o.polish = 3;
    o.threads = 1;
    assert_ok(adept_fit_run(&one, s.dataset, NULL, &o, &err), err);
    o.threads = 2;
    assert_ok(adept_fit_run(&two, s.dataset, NULL, &o, &err), err);
    for (size_t i = 0; i < theta.count; i++)
        assert_true(adept_fit_theta(one, 0)->value[i] == adept_fit_theta(two, 0)->value[i]);
    adept_fit_free(one);
    adept_fit_free(two);
    synthetic_free(&s);
}

static void evidence_names_what_the_rows_do_not_determine(void **state) {
    (void)state;
    static const char *const names[] = {"t_kern", "P_static", "beta_gemm", "C_gemm"};
    adept_theta theta = planted_theta();
    adept_error err = ADEPT_ERROR_INIT;
    adept_fit_options o = ADEPT_FIT_OPTIONS_INIT;
    adept_identifiability id;
    synthetic s;
    adept_fit *fit;
    synthetic_load(&s, "a100", &theta, 0.02);
    o.free = names; /* beta_gemm and C_gemm: only their ratio shows */
    o.free_count = 4;
    assert_ok(adept_fit_run(&fit, s.dataset, NULL, &o, &err), err);
    assert_ok(adept_identify(&id, fit, 0, 0, &err), err);
    assert_int_equal(id.parameters, 4);
    assert_int_equal(id.rank, 3);
    for (size_t i = 0; i < 4; i++) {
        const char *name = adept_parameter_at(ADEPT_VARIANT_THESIS, id.evidence[i].parameter)->name;
        bool twin = strcmp(name, "beta_gemm") == 0 || strcmp(name, "C_gemm") == 0;
        assert_int_equal(id.evidence[i].determined, !twin);
        if (twin)
            assert_close(id.evidence[i].correlation, 1, 1e-3);
    }
    adept_fit_free(fit);
    synthetic_free(&s);
}

static void parameters_without_rows_keep_their_value(void **state) {
    (void)state;
    adept_error err = ADEPT_ERROR_INIT;
    adept_fit_options o = ADEPT_FIT_OPTIONS_INIT;
    synthetic s;
    adept_fit *fit;
    o.generations = 3;
    o.polish = 0;
    assert_ok(synthetic_load_text(&s, "bert-base.onnx,8,128,fp32,inference,none,1,,0.02,150,gpu,v100,1\n",
                                  NULL, &err),
              err);
    assert_ok(adept_fit_run(&fit, s.dataset, NULL, &o, &err), err);
    adept_theta before;
    assert_ok(adept_theta_init(&before, ADEPT_VARIANT_THESIS, adept_dataset_gpu(s.dataset, 0), &err), err);
    static const char *const idle[] = {"beta_conv",   "C_opt",        "BW_eff",
                                       "S_gemm_bf16", "S_mem_shared", "u_comm"};
    for (size_t i = 0; i < 6; i++) {
        size_t p = (size_t)adept_parameter_index(ADEPT_VARIANT_THESIS, idle[i]);
        assert_true(adept_fit_is_dropped(fit, 0, p));
        assert_false(adept_fit_is_free(fit, 0, p));
        assert_true(adept_fit_theta(fit, 0)->value[p] == before.value[p]);
    }
    adept_fit_free(fit);
    synthetic_free(&s);
}

static bool stop_at_once(void *user, const adept_fit_progress *progress) {
    (void)progress;
    (*(int *)user)++;
    return false;
}

static void an_interrupted_fit_returns_the_best_so_far_and_resumes(void **state) {
    (void)state;
    const char *names[PLANTED];
    char path[] = "/tmp/adept-checkpoint-XXXXXX";
    adept_theta theta = planted_theta();
    adept_error err = ADEPT_ERROR_INIT;
    adept_fit_options o = options_for_planted(names);
    synthetic s;
    adept_fit *cut, *whole, *resumed;
    int calls = 0;
    close(mkstemp(path));
    remove(path);
    synthetic_load(&s, "a100", &theta, 0.05);
    o.generations = 60;
    o.polish = 0;
    assert_ok(adept_fit_run(&whole, s.dataset, NULL, &o, &err), err);
    o.checkpoint = path;
    o.watch = stop_at_once;
    o.watch_period_s = 0;
    o.watch_user = &calls;
    assert_ok(adept_fit_run(&cut, s.dataset, NULL, &o, &err), err);
    assert_true(calls > 0 && adept_fit_stopped(cut) && adept_fit_part_at(cut, 0)->stopped);
    assert_true(adept_fit_part_at(cut, 0)->loss <= adept_fit_part_at(cut, 0)->loss_start * (1 + 1e-9));
    o.watch = NULL;
    assert_ok(adept_fit_run(&resumed, s.dataset, NULL, &o, &err), err);
    for (size_t i = 0; i < theta.count; i++)
        assert_true(adept_fit_theta(resumed, 0)->value[i] == adept_fit_theta(whole, 0)->value[i]);
    adept_fit_free(cut);
    adept_fit_free(whole);
    adept_fit_free(resumed);
    o.huber = 0.1; /* another problem: the state does not fit */
    assert_int_equal(adept_fit_run(&cut, s.dataset, NULL, &o, &err), ADEPT_ARGUMENT);
    remove(path);
    synthetic_free(&s);
}

/* Lets the search pass and stops the polish, whose generation no longer grows: no generation asks so often.
 */
typedef struct polish_stop {
    uint64_t generation;
    int calls; /* at this generation */
} polish_stop;

static bool stop_in_polish(void *user, const adept_fit_progress *progress) {
    polish_stop *s = user;
    s->calls = progress->generation == s->generation ? s->calls + 1 : 0;
    s->generation = progress->generation;
    return progress->generation < 2 || s->calls < 5;
}

static void a_fit_interrupted_in_its_polish_resumes_behind_the_search(void **state) {
    (void)state;
    static const char *const names[] = {"e_core", "e_tensor", "kernel", "bw_hbm"};
    char path[] = "/tmp/adept-checkpoint-XXXXXX";
    adept_theta theta = planted_theta();
    adept_error err = ADEPT_ERROR_INIT;
    adept_fit_options o = ADEPT_FIT_OPTIONS_INIT;
    polish_stop stop = {0, 0};
    synthetic s;
    adept_fit *cut, *whole, *resumed;
    close(mkstemp(path));
    remove(path);
    synthetic_load(&s, "a100", &theta, 0.05);
    o.variant = ADEPT_VARIANT_OPERATOR;
    o.free = names;
    o.free_count = 4;
    o.members_per_parameter = 2;
    o.generations = 2;
    o.polish = 100000;
    o.tol = 0;
    o.checkpoint = path;
    o.watch = stop_in_polish;
    o.watch_period_s = 0;
    o.watch_user = &stop;
    assert_ok(adept_fit_run(&cut, s.dataset, NULL, &o, &err), err);
    assert_true(adept_fit_stopped(cut));
    assert_int_equal(adept_fit_part_at(cut, 0)->generations, 2);
    assert_int_equal(access(path, R_OK), 0);
    o.watch = NULL;
    o.polish = 2;
    assert_ok(adept_fit_run(&resumed, s.dataset, NULL, &o, &err), err);
    remove(path);
    assert_ok(adept_fit_run(&whole, s.dataset, NULL, &o, &err), err);
    assert_int_not_equal(access(path, R_OK), 0); /* a fit that ends leaves no state */
    for (size_t i = 0; i < adept_fit_theta(whole, 0)->count; i++)
        assert_true(adept_fit_theta(resumed, 0)->value[i] == adept_fit_theta(whole, 0)->value[i]);
    adept_fit_free(cut);
    adept_fit_free(whole);
    adept_fit_free(resumed);
    synthetic_free(&s);
}

static void stages_never_make_the_loss_worse(void **state) {
    (void)state;
    adept_theta theta = planted_theta();
    adept_error err = ADEPT_ERROR_INIT;
    adept_fit_options o = ADEPT_FIT_OPTIONS_INIT;
    adept_stage stages[ADEPT_STAGE_COUNT];
    synthetic s;
    adept_fit *fit;
    synthetic_load(&s, "a100", &theta, 0.02);
    o.generations = 60;
    o.polish = 5;
    assert_ok(adept_fit_stages(stages, &fit, s.dataset, &o, &err), err);
    for (size_t i = 1; i < ADEPT_STAGE_COUNT; i++)
        assert_true(stages[i].loss <= stages[i - 1].loss * (1 + 1e-12));
    assert_true(stages[1].free_count == stages[0].free_count + 1);
    adept_fit_free(fit);
    synthetic_free(&s);
}

/* One image at a time is launch bound: the time says what a launch costs on each host. */
static void launch_costs_of_hosts_are_recovered(void **state) {
    (void)state;
    static const char *const hosts[] = {"slow", "fast"};
    static const double launch_s[] = {6e-5, 2e-5};
    static const char *const names[] = {"g"};
    adept_error err = ADEPT_ERROR_INIT;
    adept_fit_options o = ADEPT_FIT_OPTIONS_INIT;
    adept_theta theta;
    char rows[2048] = "";
    synthetic s;
    adept_fit *fit;
    o.variant = ADEPT_VARIANT_OPERATOR;
    o.local = o.hosts = true;
    o.polish = 40;
    o.free = names;
    o.free_count = 1;
    assert_ok(adept_theta_init(&theta, ADEPT_VARIANT_OPERATOR, NULL, &err), err);
    double step_s[2] = {1, 1};
    for (int pass = 0; pass < 2; pass++) { /* first to get at the workloads, then with their times */
        rows[0] = '\0';
        for (int h = 0; h < 2; h++)
            snprintf(rows + strlen(rows), sizeof rows - strlen(rows),
                     "gpt2-small.onnx,1,16,bf16,inference,none,1,,%.17g,,,a100,1,%s\n", step_s[h], hosts[h]);
        assert_ok(synthetic_load_text(&s, rows, NULL, &err), err);
        assert_int_equal(adept_dataset_host_count(s.dataset), 2);
        for (size_t h = 0; h < 2 && pass == 0; h++) {
            const adept_dataset_row *row = adept_dataset_at(s.dataset, h);
            adept_run run = row->trace->run;
            adept_prediction p;
            run.launch_s = launch_s[h];
            assert_ok(adept_predict_with(&p, NULL, row->workload, adept_hardware_spec_of(row->hardware),
                                         &theta, &run, &err),
                      err);
            step_s[h] = p.step_time_s;
        }
        if (pass == 0)
            synthetic_free(&s);
    }
    assert_ok(adept_fit_run(&fit, s.dataset, NULL, &o, &err), err);
    for (size_t h = 0; h < 2; h++) {
        assert_close(adept_fit_theta(fit, 0)->value[theta.count + h], launch_s[h], 0.01);
        assert_string_equal(adept_fit_name(fit, theta.count + h), hosts[h]);
    }
    assert_true(adept_fit_part_at(fit, 0)->loss < 1);
    adept_fit_free(fit);

    /* What is written is what --hosts reads. */
    char folder[] = "/tmp/adept-hosts-XXXXXX", path[64];
    adept_fit_record record = {.command = "adept calibrate", .version = "test"};
    adept_hosts *written;
    double read_s;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/hosts.json", folder);
    o.shared = true;
    assert_ok(adept_fit_run(&fit, s.dataset, NULL, &o, &err), err);
    assert_ok(adept_fit_write(fit, folder, &record, &err), err);
    assert_ok(adept_hosts_load(&written, path, &err), err);
    for (size_t h = 0; h < 2; h++) {
        assert_ok(adept_hosts_launch_s(written, hosts[h], &read_s, &err), err);
        assert_close(read_s, adept_fit_theta(fit, 0)->value[theta.count + h], 1e-12);
    }
    adept_hosts_free(written);
    static const char *const files[] = {"hosts", "shared", "a100-sxm4-80gb"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s.json", folder, files[i]);
        assert_int_equal(remove(path), 0);
    }
    assert_int_equal(remove(folder), 0);
    adept_fit_free(fit);
    synthetic_free(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planted_parameters_are_recovered),
        cmocka_unit_test(threads_do_not_change_the_result),
        cmocka_unit_test(evidence_names_what_the_rows_do_not_determine),
        cmocka_unit_test(parameters_without_rows_keep_their_value),
        cmocka_unit_test(an_interrupted_fit_returns_the_best_so_far_and_resumes),
        cmocka_unit_test(a_fit_interrupted_in_its_polish_resumes_behind_the_search),
        cmocka_unit_test(stages_never_make_the_loss_worse),
        cmocka_unit_test(launch_costs_of_hosts_are_recovered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
