#include "adept/report.h"
#include "fail.h"
#include "profile_members.h"
#include "strict_json.h"

static void put_work(adept_json_writer *w, const char *key, const adept_work *work) {
    adept_json_begin_object(w, key);
    adept_json_put_number(w, "gemm_flop", work->gemm_flop);
    adept_json_put_number(w, "conv_flop", work->conv_flop);
    adept_json_put_number(w, "alu_flop", work->alu_flop);
    adept_json_put_number(w, "read_B", work->read_B);
    adept_json_put_number(w, "write_B", work->write_B);
    adept_json_put_number(w, "kernels", work->kernels);
    adept_json_end(w);
}

static void put_optimizer(adept_json_writer *w, const adept_work *work) {
    adept_json_begin_object(w, "optimizer");
    adept_json_put_number(w, "alu_flop", work->alu_flop);
    adept_json_put_number(w, "read_B", work->read_B);
    adept_json_put_number(w, "write_B", work->write_B);
    adept_json_put_number(w, "kernels", work->kernels);
    adept_json_end(w);
}

static void put_structure(adept_json_writer *w, const adept_structure *s) {
    adept_json_begin_object(w, "structure");
    adept_json_begin_object(w, "gemm");
    adept_json_put_number(w, "batch", s->gemm.batch);
    adept_json_put_number(w, "m", s->gemm.m);
    adept_json_put_number(w, "n", s->gemm.n);
    adept_json_put_number(w, "k", s->gemm.k);
    adept_json_end(w);
    adept_json_begin_object(w, "conv");
    adept_json_put_number(w, "c_in", s->conv.c_in);
    adept_json_put_number(w, "c_out", s->conv.c_out);
    adept_json_put_number(w, "pixels", s->conv.pixels);
    adept_json_put_number(w, "kernel", s->conv.kernel);
    adept_json_end(w);
    adept_json_put_number(w, "elements", s->elements);
    adept_json_put_number(w, "working_set_B", s->working_set_B);
    adept_json_end(w);
}

static void put_run(adept_json_writer *w, const adept_profile *p) {
    const adept_run *run = adept_profile_run(p);
    adept_json_begin_object(w, "run");
    adept_json_put_number(w, "batch", adept_profile_workload(p)->samples);
    adept_json_put_string(w, "mode", adept_mode_name(run->mode));
    adept_json_put_string(w, "precision", adept_precision_name(run->precision));
    adept_json_put_string(w, "optimizer", adept_optimizer_name(run->optimizer));
    adept_json_put_string(w, "optimizer_impl", adept_optimizer_impl_name(run->optimizer_impl));
    adept_json_put_integer(w, "gpus", run->gpus);
    adept_json_put_integer(w, "grad_accum", run->grad_accum);
    adept_json_put_string(w, "attention", adept_attention_name(run->attention));
    adept_json_put_string(w, "fusion", adept_fusion_name(run->fusion));
    adept_json_put_string(w, "layout", adept_layout_name(run->layout));
    adept_json_put_string(w, "amp_level", adept_amp_level_name(run->amp_level));
    adept_json_put_string(w, "batchnorm", adept_batchnorm_name(run->batchnorm));
    if (run->dropout < 0)
        adept_json_put_string(w, "dropout", "auto");
    else
        adept_json_put_number(w, "dropout", run->dropout);
    adept_json_put_string(w, "framework", run->framework);
    adept_json_begin_array(w, "dims");
    for (size_t i = 0; i < adept_profile_dim_count(p); i++) {
        const adept_bound_dim *dim = adept_profile_dim(p, i);
        adept_json_begin_object(w, NULL);
        adept_json_put_string(w, "name", dim->name);
        adept_json_put_integer(w, "value", dim->value);
        adept_json_put_string(w, "origin",
                              dim->given         ? "given"
                              : dim->upper_bound ? "bound"
                              : dim->reason      ? "assumed"
                                                 : "default");
        if (dim->reason)
            adept_json_put_string(w, "reason", dim->reason);
        adept_json_end(w);
    }
    adept_json_end(w);
    adept_json_begin_array(w, "freeze");
    for (size_t i = 0; i < run->freeze_count; i++)
        adept_json_put_string(w, NULL, run->freeze[i]);
    adept_json_end(w);
    adept_json_end(w);
}

static void put_memory(adept_json_writer *w, const adept_memory *m) {
    adept_json_begin_object(w, "memory");
    adept_json_put_number(w, "parameters_B", m->parameters_B);
    adept_json_put_number(w, "gradients_B", m->gradients_B);
    adept_json_put_number(w, "optimizer_B", m->optimizer_B);
    adept_json_put_number(w, "saved_activations_B", m->saved_activations_B);
    adept_json_put_number(w, "workspace_B", m->workspace_B);
    adept_json_put_number(w, "peak_B", m->peak_B);
    adept_json_end(w);
}

static void put_coverage(adept_json_writer *w, const adept_profile *p) {
    adept_coverage c = adept_profile_coverage(p);
    adept_json_begin_object(w, "coverage");
    adept_json_put_integer(w, "nodes_supported", (int64_t)c.nodes_supported);
    adept_json_put_integer(w, "nodes_total", (int64_t)c.nodes_total);
    adept_json_begin_array(w, "unsupported");
    for (size_t i = 0; i < c.unsupported_count; i++) {
        size_t count = 0;
        const char *type = adept_profile_unsupported(p, i, &count);
        adept_json_begin_object(w, NULL);
        adept_json_put_string(w, "op_type", type);
        adept_json_put_integer(w, "count", (int64_t)count);
        adept_json_end(w);
    }
    adept_json_end(w);
    adept_json_end(w);
}

static void put_operator(adept_json_writer *w, const adept_operator *op) {
    adept_json_begin_object(w, NULL);
    adept_json_put_string(w, "name", op->name);
    adept_json_put_string(w, "op_type", op->op_type);
    if (op->domain[0])
        adept_json_put_string(w, "domain", op->domain);
    adept_json_put_string(w, "module", op->module);
    adept_json_put_bool(w, "known", op->known);
    if (op->composite)
        adept_json_put_bool(w, "composite", true);
    if (op->part_of >= 0)
        adept_json_put_integer(w, "part_of", op->part_of);
    adept_json_put_number(w, "repeats", op->repeats);
    adept_json_begin_array(w, "outputs");
    for (int32_t i = 0; i < op->output_count; i++) {
        const adept_tensor_view *t = &op->outputs[i];
        adept_json_begin_object(w, NULL);
        adept_json_put_string(w, "name", t->name);
        adept_json_put_string(w, "dtype", adept_dtype_name(t->dtype));
        if (t->rank < 0) {
            adept_json_put_null(w, "shape");
        } else {
            adept_json_begin_array(w, "shape");
            for (int32_t d = 0; d < t->rank; d++)
                adept_json_put_integer(w, NULL, t->dims[d]);
            adept_json_end(w);
        }
        if (!t->exact)
            adept_json_put_bool(w, "exact", false);
        adept_json_end(w);
    }
    adept_json_end(w);
    put_work(w, "forward", &op->forward);
    put_work(w, "backward", &op->backward);
    put_structure(w, &op->structure);
    adept_json_put_number(w, "saved_B", op->saved_B);
    adept_json_end(w);
}

static void put_modules(adept_json_writer *w, const adept_profile *p) {
    adept_json_begin_array(w, "modules");
    for (size_t i = 0; i < adept_profile_module_count(p); i++) {
        const adept_module *m = adept_profile_module(p, i);
        adept_json_begin_object(w, NULL);
        adept_json_put_string(w, "path", m->path);
        adept_json_put_number(w, "parameters", m->parameters);
        put_work(w, "forward", &m->forward);
        put_work(w, "backward", &m->backward);
        adept_json_end(w);
    }
    adept_json_end(w);
}

void adept_report_profile_members(adept_json_writer *w, const adept_graph *graph, const adept_profile *p,
                                  const adept_profile_report *options) {
    const adept_workload *load = adept_profile_workload(p);
    adept_json_begin_object(w, "model");
    adept_json_put_string(w, "path", adept_graph_path(graph));
    adept_json_put_integer(w, "nodes", (int64_t)adept_profile_node_count(p));
    adept_json_put_number(w, "parameters", load->parameters);
    adept_json_put_number(w, "trainable_parameters", load->trainable_parameters);
    adept_json_put_number(w, "weight_sharing", load->weight_sharing);
    adept_json_put_string(w, "producer", adept_graph_producer(graph));
    adept_json_end(w);
    put_run(w, p);
    adept_json_begin_object(w, "totals");
    put_work(w, "forward", &load->forward);
    put_work(w, "backward", &load->backward);
    put_optimizer(w, &load->optimizer_work);
    adept_json_end(w);
    put_structure(w, &load->structure);
    put_memory(w, &load->memory);
    put_coverage(w, p);
    adept_json_begin_array(w, "notes");
    for (size_t i = 0; i < adept_profile_note_count(p); i++)
        adept_json_put_string(w, NULL, adept_profile_note(p, i));
    adept_json_end(w);
    if (options->by_module)
        put_modules(w, p);
    if (options->per_op) {
        adept_json_begin_array(w, "operators");
        for (size_t i = 0; i < adept_profile_operator_count(p); i++)
            put_operator(w, adept_profile_operator(p, i));
        adept_json_end(w);
    }
}

adept_status adept_report_profile_json(FILE *out, const adept_graph *graph, const adept_profile *profile,
                                       const adept_profile_report *options, adept_error *err) {
    adept_json_writer w = adept_json_writer_to(out, 2);
    adept_json_begin_object(&w, NULL);
    adept_report_profile_members(&w, graph, profile, options);
    adept_json_end(&w);
    return adept_json_finish(&w, err);
}
