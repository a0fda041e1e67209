/*
 * One node under inference, written as text.
 *
 *   infer("Conv", 11, "float32[1,3,8,8]; float32[4,3,3,3]", "pads=[1,1,1,1]")  ->  "float32[1,4,8,8]"
 *
 * Inputs and outputs are separated by "; ". An input is TYPE[dims], TYPE[dims]={numbers} with known numbers,
 * TYPE? of unknown rank, or - left out. An attribute is name=1, name=1.5, name=text, name=[1,2] or
 * name=[1.5,2.0]. An output is written likewise; * stands before what is a bound, ! before what is assumed.
 * Known numbers follow, "?" where one is not known. An error is its message after "node 'n' (Op): ".
 */
#ifndef ADEPT_INFER_FIXTURE_H
#define ADEPT_INFER_FIXTURE_H

#include <stdint.h>

/* op: "Name" or "domain:Name". outputs: how many the node has. The text lives until the next call. */
const char *infer_outputs(const char *op, int32_t opset, const char *inputs, const char *attributes,
                          int32_t outputs);
const char *infer(const char *op, int32_t opset, const char *inputs, const char *attributes);

typedef struct infer_case {
    const char *op;
    int32_t opset;
    const char *inputs, *attributes;
    const char *expected; /* the whole text; of an error a part of it */
} infer_case;

/* Fails with the case's text unless every case gives what is expected. */
void check_outputs(const infer_case *cases, int count);
void check_errors(const infer_case *cases, int count);
#define CHECK_OUTPUTS(cases) check_outputs(cases, (int)(sizeof(cases) / sizeof(cases)[0]))
#define CHECK_ERRORS(cases) check_errors(cases, (int)(sizeof(cases) / sizeof(cases)[0]))

#endif
