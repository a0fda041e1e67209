#include "count_fixture.h"

#include "test_support.h"

fixture *fixture_new(const char *domain, const char *op_type, int32_t opset) {
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    adept_run run = ADEPT_RUN_INIT;
    f->run = run;
    f->arena = adept_arena_new(0);
    f->graph.tensors = f->tensors;
    f->shapes.tensors = f->all_shapes;
    f->shapes.graph = &f->graph;
    f->node = (adept_node){.name = "node",
                           .op_type = op_type,
                           .domain = domain,
                           .module = "",
                           .opset = opset,
                           .inputs = f->inputs,
                           .outputs = f->outputs,
                           .attributes = f->attributes};
    f->op = (adept_op){.node = &f->node,
                       .handler = adept_handler_find(domain, op_type, opset),
                       .node_index = 0,
                       .part_of = -1};
    assert_non_null(f->op.handler);
    return f;
}

void fixture_free(fixture *f) {
    adept_arena_free(f->arena);
    free(f);
}

static int32_t parse_dims(const char *text, int64_t dims[FIXTURE_RANK]) {
    int32_t rank = 0;
    if (text[0] == '?')
        return -1;
    for (char *end; rank < FIXTURE_RANK && *text; text = end, rank++) {
        dims[rank] = strtoll(text, &end, 10);
        if (end == text)
            break;
    }
    return rank;
}

static adept_tensor_id add(fixture *f, adept_dtype dtype, const char *dims, int facts) {
    int32_t id = f->graph.tensor_count++;
    assert_true(id < FIXTURE_TENSORS);
    bool constant = (facts & (WEIGHT | CONSTANT)) != 0;
    f->tensors[id] = (adept_tensor){.name = "t", .producer = -1, .constant = constant ? &f->constant : NULL};
    f->all_shapes[id] = (adept_shape){.kind = ADEPT_TYPE_TENSOR,
                                      .dtype = dtype,
                                      .rank = parse_dims(dims, f->dims[id]),
                                      .dims = f->dims[id]};
    f->needs_grad[id] = (facts & GRAD) != 0;
    f->is_parameter[id] = (facts & WEIGHT) != 0;
    f->is_constant[id] = constant;
    return id;
}

adept_tensor_id fixture_in(fixture *f, adept_dtype dtype, const char *dims, int facts) {
    return f->inputs[f->node.input_count++] = add(f, dtype, dims, facts);
}

void fixture_in_missing(fixture *f) {
    f->inputs[f->node.input_count++] = ADEPT_NO_TENSOR;
}

adept_tensor_id fixture_out(fixture *f, adept_dtype dtype, const char *dims) {
    return f->outputs[f->node.output_count++] = add(f, dtype, dims, PLAIN);
}

static adept_attribute *add_attribute(fixture *f, const char *name, adept_attribute_type type) {
    assert_true(f->node.attribute_count < FIXTURE_ATTRIBUTES);
    adept_attribute *attribute = &f->attributes[f->node.attribute_count++];
    *attribute = (adept_attribute){.name = name, .type = type};
    return attribute;
}

void fixture_int(fixture *f, const char *name, int64_t value) {
    add_attribute(f, name, ADEPT_ATTRIBUTE_INT)->i = value;
}

void fixture_float(fixture *f, const char *name, double value) {
    add_attribute(f, name, ADEPT_ATTRIBUTE_FLOAT)->f = value;
}

void fixture_string(fixture *f, const char *name, const char *value) {
    add_attribute(f, name, ADEPT_ATTRIBUTE_STRING)->s = value;
}

void fixture_ints(fixture *f, const char *name, const int64_t *values, int32_t count) {
    adept_attribute *attribute = add_attribute(f, name, ADEPT_ATTRIBUTE_INTS);
    attribute->ints = values;
    attribute->count = count;
}

adept_status fixture_try(fixture *f) {
    adept_ops ops = {1, &f->op};
    adept_status status = adept_precision_assign(f->storage, &ops, &f->graph, &f->shapes, &f->run, &f->err);
    adept_facts facts = {.graph = &f->graph,
                         .shapes = &f->shapes,
                         .run = &f->run,
                         .storage = f->storage,
                         .needs_grad = f->needs_grad,
                         .is_parameter = f->is_parameter,
                         .is_constant = f->is_constant,
                         .is_operand = f->is_operand};
    return status == ADEPT_OK ? adept_count_operator(&f->counted, &f->op, &facts, f->arena, &f->err) : status;
}

void fixture_count(fixture *f) {
    assert_ok(fixture_try(f), f->err);
}

adept_work fixture_work(const fixture *f, adept_pass pass) {
    adept_work sum = {0};
    for (int32_t i = 0; i < f->counted.kernel_count; i++) {
        const adept_kernel *kernel = &f->counted.kernels[i];
        if (kernel->pass != pass)
            continue;
        sum.gemm_flop += kernel->gemm_flop;
        sum.conv_flop += kernel->conv_flop;
        sum.alu_flop += kernel->alu_flop;
        sum.read_B += kernel->read_B;
        sum.write_B += kernel->write_B;
        sum.kernels += kernel->launches;
    }
    return sum;
}

int fixture_kernels(const fixture *f, adept_pass pass, adept_kernel_kind kind) {
    int count = 0;
    for (int32_t i = 0; i < f->counted.kernel_count; i++)
        count += f->counted.kernels[i].pass == pass && f->counted.kernels[i].kind == kind;
    return count;
}

const adept_kernel *fixture_kernel(const fixture *f, adept_pass pass, adept_kernel_kind kind, int n) {
    for (int32_t i = 0; i < f->counted.kernel_count; i++)
        if (f->counted.kernels[i].pass == pass && f->counted.kernels[i].kind == kind && n-- == 0)
            return &f->counted.kernels[i];
    fail_msg("no kernel of kind %s in pass %d", adept_kernel_kind_name(kind), (int)pass);
    return NULL;
}
