/* Fuzz target: any bytes either are a hardware file, which can be written and read again, or give one line.
 */
#include <stdlib.h>

#include "adept/hardware.h"
#include "fuzz_file.h"

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size_B);

static void write_again(const adept_hardware *hardware) {
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    assert(out && adept_hardware_write(hardware, out, NULL) == ADEPT_OK);
    fclose(out);
    free(text);
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size_B) {
    setenv("ADEPT_DATA", ADEPT_SOURCE_DIR "/data", 1); /* what a file may inherit from */
    const char *path = fuzz_file(".json", bytes, size_B);
    adept_hardware *hardware = NULL;
    adept_error error = ADEPT_ERROR_INIT;
    adept_status status = adept_hardware_load(&hardware, path, &error);
    unlink(path);
    assert((status == ADEPT_OK) == (hardware != NULL));
    if (status == ADEPT_OK)
        write_again(hardware);
    else
        assert(error.message[0] && !strchr(error.message, '\n'));
    adept_hardware_free(hardware);
    return 0;
}
