/* Numbers out of constants, in every way TensorProto may hold them. */
#include <sys/stat.h>
#include <unistd.h>

#include "model_graph.h"
#include "number_format.h"
#include "onnx_writer.h"
#include "payload.h"
#include "test_support.h"

typedef struct reading {
    adept_arena *arena;
    const int64_t *ints;
    const double *reals;
    adept_error error;
} reading;

static adept_status read_constant(reading *r, adept_dtype dtype, int32_t field, int64_t elements,
                                  const void *bytes, size_t length_B) {
    adept_graph graph = {0};
    adept_constant constant = {.dtype = dtype, .rank = 1, .dims = &elements, .elements = elements};
    constant.payload = ADEPT_PAYLOAD_INLINE;
    constant.field = field;
    constant.bytes = bytes;
    constant.length_B = length_B;
    r->arena = adept_arena_new(0);
    return adept_constant_read(&graph, &constant, r->arena, &r->ints, &r->reals, &r->error);
}

/* Expected integers of a constant; frees what was read. */
static void expect_ints(adept_dtype dtype, int32_t field, const void *bytes, size_t length_B,
                        const int64_t *expected, size_t count) {
    reading r = {.error = ADEPT_ERROR_INIT};
    assert_ok(read_constant(&r, dtype, field, (int64_t)count, bytes, length_B), r.error);
    assert_null(r.reals);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(r.ints[i], expected[i]);
    adept_arena_free(r.arena);
}

static void raw_integers_of_every_width_are_little_endian(void **state) {
    (void)state;
    const unsigned char bytes[] = {0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    expect_ints(ADEPT_DTYPE_INT64, 9, bytes, 8, (int64_t[]){-2}, 1);
    expect_ints(ADEPT_DTYPE_INT32, 9, bytes, 8, (int64_t[]){-2, -1}, 2);
    expect_ints(ADEPT_DTYPE_UINT32, 9, bytes, 4, (int64_t[]){4294967294}, 1);
    expect_ints(ADEPT_DTYPE_INT16, 9, bytes, 4, (int64_t[]){-2, -1}, 2);
    expect_ints(ADEPT_DTYPE_UINT16, 9, bytes, 2, (int64_t[]){65534}, 1);
    expect_ints(ADEPT_DTYPE_INT8, 9, bytes, 2, (int64_t[]){-2, -1}, 2);
    expect_ints(ADEPT_DTYPE_UINT8, 9, bytes, 2, (int64_t[]){254, 255}, 2);
    expect_ints(ADEPT_DTYPE_BOOL, 9, "\0\1\2", 3, (int64_t[]){0, 1, 1}, 3);
}

/* 0x5e: low nibble first, 0xe = -2 or 14, then 5. The third element comes from the next byte. */
static void elements_below_a_byte_start_with_the_low_bits(void **state) {
    (void)state;
    expect_ints(ADEPT_DTYPE_INT4, 9, "\x5e\x07", 2, (int64_t[]){-2, 5, 7}, 3);
    expect_ints(ADEPT_DTYPE_UINT4, 9, "\x5e\x07", 2, (int64_t[]){14, 5, 7}, 3);
    expect_ints(ADEPT_DTYPE_UINT2, 9, "\x1b", 1, (int64_t[]){3, 2, 1, 0}, 4);
    expect_ints(ADEPT_DTYPE_INT2, 9, "\x1b", 1, (int64_t[]){-1, -2, 1, 0}, 4);
}

static void uint64_beyond_int64_reads_as_the_largest_number(void **state) {
    (void)state;
    const unsigned char bytes[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    expect_ints(ADEPT_DTYPE_UINT64, 9, bytes, 8, (int64_t[]){INT64_MAX}, 1);
}

/* Packed, one by one, and both, with the tensor's name between. */
static void typed_fields_read_packed_and_one_by_one(void **state) {
    (void)state;
    onnx_writer w = {0};
    onnx_put_int(&w, 7, -5);
    onnx_put_text(&w, 8, "name");
    onnx_begin(&w, 7);
    onnx_put_varint(&w, 300);
    onnx_put_varint(&w, (uint64_t)-7);
    onnx_end(&w);
    onnx_put_int(&w, 7, 9);
    expect_ints(ADEPT_DTYPE_INT64, 7, w.bytes, w.size_B, (int64_t[]){-5, 300, -7, 9}, 4);
    onnx_writer_free(&w);
}

/* int32_data holds small integers sign-extended, and 4-bit elements two to an entry. */
static void int32_data_holds_narrow_types(void **state) {
    (void)state;
    onnx_writer w = {0};
    onnx_put_int(&w, 5, -3);
    onnx_put_int(&w, 5, 0x5e);
    expect_ints(ADEPT_DTYPE_INT8, 5, w.bytes, w.size_B, (int64_t[]){-3, 0x5e}, 2);
    expect_ints(ADEPT_DTYPE_INT4, 5, w.bytes, w.size_B, (int64_t[]){-3, -1, -2, 5}, 4);
    onnx_writer_free(&w);
}

static void float_data_and_half_precision_read_as_doubles(void **state) {
    (void)state;
    onnx_writer w = {0};
    onnx_put_float(&w, 4, 1.5F);
    onnx_put_float(&w, 4, -0.25F);
    reading r = {.error = ADEPT_ERROR_INIT};
    assert_ok(read_constant(&r, ADEPT_DTYPE_FLOAT, 4, 2, w.bytes, w.size_B), r.error);
    assert_true(r.reals[0] == 1.5 && r.reals[1] == -0.25);
    adept_arena_free(r.arena);
    onnx_writer_free(&w);
    onnx_put_int(&w, 5, 0x3c00);
    assert_ok(read_constant(&r, ADEPT_DTYPE_FLOAT16, 5, 1, w.bytes, w.size_B), r.error);
    assert_true(r.reals[0] == 1.0);
    adept_arena_free(r.arena);
    onnx_writer_free(&w);
}

/* Extreme values as the format specifications tabulate them. */
static void small_float_formats_have_their_documented_extremes(void **state) {
    (void)state;
    const struct {
        adept_dtype dtype;
        uint64_t bits;
        double value;
    } cases[] = {
        {ADEPT_DTYPE_FLOAT16,        0x7bff, 65504.0   },
        {ADEPT_DTYPE_FLOAT16,        0x0001, 0x1p-24   },
        {ADEPT_DTYPE_FLOAT16,        0xc000, -2.0      },
        {ADEPT_DTYPE_BFLOAT16,       0x3f80, 1.0       },
        {ADEPT_DTYPE_BFLOAT16,       0x7f7f, 0x1.fep127},
        {ADEPT_DTYPE_FLOAT8E4M3FN,   0x7e,   448.0     },
        {ADEPT_DTYPE_FLOAT8E4M3FN,   0x01,   0x1p-9    },
        {ADEPT_DTYPE_FLOAT8E4M3FNUZ, 0x7f,   240.0     },
        {ADEPT_DTYPE_FLOAT8E4M3FNUZ, 0x01,   0x1p-10   },
        {ADEPT_DTYPE_FLOAT8E5M2,     0x7b,   57344.0   },
        {ADEPT_DTYPE_FLOAT8E5M2,     0x01,   0x1p-16   },
        {ADEPT_DTYPE_FLOAT8E5M2FNUZ, 0x7f,   57344.0   },
        {ADEPT_DTYPE_FLOAT8E5M2FNUZ, 0x01,   0x1p-17   },
        {ADEPT_DTYPE_FLOAT4E2M1,     0x7,    6.0       },
        {ADEPT_DTYPE_FLOAT4E2M1,     0x9,    -0.5      },
        {ADEPT_DTYPE_FLOAT8E8M0,     0x7f,   1.0       },
        {ADEPT_DTYPE_FLOAT8E8M0,     0x00,   0x1p-127  },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_true(adept_float_from_bits(cases[i].dtype, cases[i].bits) == cases[i].value);
    assert_true(isnan(adept_float_from_bits(ADEPT_DTYPE_FLOAT8E4M3FN, 0x7f)));
    assert_true(isnan(adept_float_from_bits(ADEPT_DTYPE_FLOAT8E4M3FNUZ, 0x80)));
    assert_true(isnan(adept_float_from_bits(ADEPT_DTYPE_FLOAT8E5M2FNUZ, 0x80)));
    assert_true(isnan(adept_float_from_bits(ADEPT_DTYPE_FLOAT8E8M0, 0xff)));
    assert_true(isinf(adept_float_from_bits(ADEPT_DTYPE_FLOAT8E5M2, 0x7c)));
}

static void constants_with_too_few_bytes_are_refused(void **state) {
    (void)state;
    reading r = {.error = ADEPT_ERROR_INIT};
    assert_int_equal(read_constant(&r, ADEPT_DTYPE_INT64, 9, 2, "12345678", 8), ADEPT_FORMAT);
    adept_arena_free(r.arena);
    onnx_writer w = {0};
    onnx_put_int(&w, 7, 1);
    assert_int_equal(read_constant(&r, ADEPT_DTYPE_INT64, 7, 2, w.bytes, w.size_B), ADEPT_FORMAT);
    adept_arena_free(r.arena);
    onnx_writer_free(&w);
}

static void constants_larger_than_the_limit_are_not_read(void **state) {
    (void)state;
    reading r = {.error = ADEPT_ERROR_INIT};
    assert_int_equal(read_constant(&r, ADEPT_DTYPE_INT64, 9, ADEPT_CONSTANT_LIMIT + 1, "", 0), ADEPT_LIMIT);
    adept_arena_free(r.arena);
}

static void an_empty_constant_reads_as_no_numbers(void **state) {
    (void)state;
    reading r = {.error = ADEPT_ERROR_INIT};
    assert_ok(read_constant(&r, ADEPT_DTYPE_INT64, 9, 0, NULL, 0), r.error);
    assert_non_null(r.ints);
    adept_arena_free(r.arena);
}

static void strings_read_with_their_bytes(void **state) {
    (void)state;
    onnx_writer w = {0};
    onnx_put_text(&w, 6, "one");
    onnx_put_text(&w, 6, "");
    adept_graph graph = {0};
    adept_constant constant = {.dtype = ADEPT_DTYPE_STRING, .elements = 2, .field = 6};
    constant.payload = ADEPT_PAYLOAD_INLINE;
    constant.bytes = w.bytes;
    constant.length_B = w.size_B;
    adept_arena *arena = adept_arena_new(0);
    adept_error error = ADEPT_ERROR_INIT;
    const char *const *texts;
    assert_ok(adept_constant_read_strings(&graph, &constant, arena, &texts, &error), error);
    assert_string_equal(texts[0], "one");
    assert_string_equal(texts[1], "");
    constant.elements = 3;
    assert_int_equal(adept_constant_read_strings(&graph, &constant, arena, &texts, &error), ADEPT_FORMAT);
    adept_arena_free(arena);
    onnx_writer_free(&w);
}

/* --- external data: a folder with a file, a link that leaves it, and a file outside --- */

typedef struct folder {
    char path[64], inside[80], outside[80], link[100];
} folder;

static void write_file(const char *path, const void *bytes, size_t size_B) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size_B, file), size_B);
    fclose(file);
}

static int make_folder(void **state) {
    static folder f;
    const int64_t numbers[] = {10, 20, 30};
    snprintf(f.path, sizeof f.path, "/tmp/adept_test_XXXXXX");
    if (!mkdtemp(f.path))
        return -1;
    snprintf(f.inside, sizeof f.inside, "%s/m", f.path);
    snprintf(f.outside, sizeof f.outside, "%s/w.bin", f.path);
    mkdir(f.inside, 0700);
    write_file(f.outside, numbers, sizeof numbers);
    snprintf(f.link, sizeof f.link, "%s/w.bin", f.inside);
    write_file(f.link, numbers, sizeof numbers);
    snprintf(f.link, sizeof f.link, "%s/link.bin", f.inside);
    *state = &f;
    return symlink(f.outside, f.link);
}

static int drop_folder(void **state) {
    folder *f = *state;
    char path[100];
    unlink(f->link);
    snprintf(path, sizeof path, "%s/w.bin", f->inside);
    unlink(path);
    rmdir(f->inside);
    unlink(f->outside);
    return rmdir(f->path);
}

static adept_status read_external(const folder *f, const char *location, uint64_t offset_B, int64_t *first,
                                  adept_error *error) {
    adept_graph graph = {.folder = f->inside};
    int64_t dim = 2;
    adept_constant constant = {.dtype = ADEPT_DTYPE_INT64, .rank = 1, .dims = &dim, .elements = dim};
    constant.payload = ADEPT_PAYLOAD_EXTERNAL;
    constant.location = location;
    constant.offset_B = offset_B;
    adept_arena *arena = adept_arena_new(0);
    const int64_t *ints;
    const double *reals;
    adept_status status = adept_constant_read(&graph, &constant, arena, &ints, &reals, error);
    *first = status == ADEPT_OK ? ints[0] : -1;
    adept_arena_free(arena);
    return status;
}

static void external_numbers_are_read_at_their_offset(void **state) {
    adept_error error = ADEPT_ERROR_INIT;
    int64_t first;
    assert_ok(read_external(*state, "w.bin", 8, &first, &error), error);
    assert_int_equal(first, 20);
}

static void external_files_that_are_missing_short_or_elsewhere_are_errors(void **state) {
    adept_error error = ADEPT_ERROR_INIT;
    int64_t first;
    assert_int_equal(read_external(*state, "none.bin", 0, &first, &error), ADEPT_IO);
    assert_int_equal(read_external(*state, "w.bin", 16, &first, &error), ADEPT_IO);
    assert_int_equal(read_external(*state, "w.bin", UINT64_MAX, &first, &error), ADEPT_IO);
    assert_int_equal(read_external(*state, ".", 0, &first, &error), ADEPT_IO);
    assert_int_equal(read_external(*state, "link.bin", 0, &first, &error), ADEPT_IO);
    assert_non_null(strstr(error.message, "out of the model's folder"));
    assert_int_equal(read_external(*state, "../w.bin", 0, &first, &error), ADEPT_FORMAT);
    assert_int_equal(read_external(*state, "/dev/zero", 0, &first, &error), ADEPT_FORMAT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(raw_integers_of_every_width_are_little_endian),
        cmocka_unit_test(elements_below_a_byte_start_with_the_low_bits),
        cmocka_unit_test(uint64_beyond_int64_reads_as_the_largest_number),
        cmocka_unit_test(typed_fields_read_packed_and_one_by_one),
        cmocka_unit_test(int32_data_holds_narrow_types),
        cmocka_unit_test(float_data_and_half_precision_read_as_doubles),
        cmocka_unit_test(small_float_formats_have_their_documented_extremes),
        cmocka_unit_test(constants_with_too_few_bytes_are_refused),
        cmocka_unit_test(constants_larger_than_the_limit_are_not_read),
        cmocka_unit_test(an_empty_constant_reads_as_no_numbers),
        cmocka_unit_test(strings_read_with_their_bytes),
        cmocka_unit_test_setup_teardown(external_numbers_are_read_at_their_offset, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(external_files_that_are_missing_short_or_elsewhere_are_errors,
                                        make_folder, drop_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
