/* Fuzz target: any bytes either are a table, whose fields can all be read, or give one line. */
#include <assert.h>
#include <string.h>

#include "strict_csv.h"

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size_B);

static void read_all(const adept_csv *csv) {
    for (size_t row = 0; row < adept_csv_rows(csv); row++) {
        assert(adept_csv_row_line(csv, row) >= 2);
        for (size_t column = 0; column < adept_csv_columns(csv); column++) {
            double number;
            int64_t integer;
            assert(adept_csv_field(csv, row, (ptrdiff_t)column));
            (void)adept_csv_double(csv, row, (ptrdiff_t)column, "seconds", &number, NULL);
            (void)adept_csv_i64(csv, row, (ptrdiff_t)column, -1, &integer, NULL);
        }
    }
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size_B) {
    adept_csv *csv = NULL;
    adept_error error = ADEPT_ERROR_INIT;
    adept_status status = adept_csv_parse(&csv, "fuzz", (const char *)bytes, size_B, &error);
    assert((status == ADEPT_OK) == (csv != NULL));
    if (status == ADEPT_OK)
        read_all(csv);
    else
        assert(error.message[0] && !strchr(error.message, '\n'));
    adept_csv_free(csv);
    return 0;
}
