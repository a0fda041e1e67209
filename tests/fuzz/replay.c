/* Runs a fuzz target over the files of its corpus: fuzzing's finds as an ordinary test. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size_B);

static int replay_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        return 1;
    }
    long size_B = ftell(file);
    rewind(file);
    unsigned char *bytes = malloc(size_B > 0 ? (size_t)size_B : 1); /* exact: a checker sees reads beyond */
    size_t got_B = bytes ? fread(bytes, 1, (size_t)size_B, file) : 0;
    fclose(file);
    int failed = !bytes || got_B != (size_t)size_B || LLVMFuzzerTestOneInput(bytes, got_B) != 0;
    free(bytes);
    if (failed)
        fprintf(stderr, "%s: failed\n", path);
    return failed;
}

int main(int count, char **arguments) {
    if (count != 2) {
        fprintf(stderr, "usage: %s FOLDER\n", arguments[0]);
        return 2;
    }
    DIR *folder = opendir(arguments[1]);
    if (!folder) {
        perror(arguments[1]);
        return 1;
    }
    int files = 0, failed = 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char path[4096];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", arguments[1], entry->d_name);
        failed += replay_file(path);
        files++;
    }
    closedir(folder);
    printf("%d files replayed, %d failed\n", files, failed);
    return failed || files == 0;
}
