/* Fuzz target: any bytes either parse, and the tree can be walked and written, or give one line. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "strict_json.h"

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size_B);

static size_t walk(const adept_json_value *value) {
    adept_json_kind kind = adept_json_kind_of(value);
    size_t values = 1 + strlen(adept_json_key(value));
    if (kind == ADEPT_JSON_STRING)
        values += strlen(adept_json_text(value));
    if (kind == ADEPT_JSON_ARRAY || kind == ADEPT_JSON_OBJECT)
        for (const adept_json_value *v = adept_json_first(value); v; v = adept_json_next(v))
            values += walk(v);
    return values;
}

static void assert_written_parses_again(const adept_json *json) {
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    adept_json_writer writer = adept_json_writer_to(out, 1);
    adept_json_put_value(&writer, NULL, adept_json_root(json));
    assert(adept_json_finish(&writer, NULL) == ADEPT_OK);
    fclose(out);
    adept_json *again = NULL;
    assert(adept_json_parse(&again, "again", text, length, NULL) == ADEPT_OK);
    adept_json_free(again);
    free(text);
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size_B) {
    adept_json *json = NULL;
    adept_error error = ADEPT_ERROR_INIT;
    adept_status status = adept_json_parse(&json, "fuzz", (const char *)bytes, size_B, &error);
    assert((status == ADEPT_OK) == (json != NULL));
    if (status == ADEPT_OK) {
        (void)walk(adept_json_root(json));
        assert_written_parses_again(json);
    } else {
        assert(error.message[0] && !strchr(error.message, '\n'));
    }
    adept_json_free(json);
    return 0;
}
