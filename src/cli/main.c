#include <string.h>

#include "cli.h"

typedef struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} command;

static const command commands[] = {
#define COMMAND_ROW(name, help) {#name, adept_cmd_##name, help},
    CLI_COMMANDS(COMMAND_ROW)
#undef COMMAND_ROW
};

static void print_help(FILE *out) {
    fputs("adept: what a deep-learning job costs in time, power and energy, before it runs\n\n", out);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        fprintf(out, "  adept %s\n", commands[i].help);
    fputs("\nadept COMMAND --help explains a command. Results go to stdout, messages to stderr.\n"
          "Exit code: 0 done, 1 failed, 2 wrong usage, 3 refused by --strict.\n",
          out);
}

int main(int argc, char **argv) {
    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return EXIT_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("adept " ADEPT_VERSION);
        return EXIT_DONE;
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    }
    fprintf(stderr, "adept: no command '%s'; adept --help lists them\n", argv[1]);
    return EXIT_USAGE;
}
