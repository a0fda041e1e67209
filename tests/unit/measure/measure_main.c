/* The measure command alone, so that its tests need no other part of the program. */
#include "cli.h"

int adept_cmd_measure(int argc, char **argv);

int main(int argc, char **argv) {
    return adept_cmd_measure(argc, argv);
}
