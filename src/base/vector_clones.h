/*
 * ADEPT_VECTOR_CLONES before a function: it is compiled for the x86-64 baseline, for AVX2 and for AVX-512,
 * and the program takes the best one the processor has, at load time. Elsewhere: nothing, portable C.
 * Left out under sanitizers, whose runtime is not up yet when the choice is made, and with clang, which
 * (14) gives such functions a name that other files do not find.
 */
#ifndef ADEPT_VECTOR_CLONES_H
#define ADEPT_VECTOR_CLONES_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ADEPT_UNDER_SANITIZER 1
#endif

#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__) &&             \
    !defined(ADEPT_UNDER_SANITIZER)
#define ADEPT_VECTOR_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define ADEPT_VECTOR_CLONES
#endif

#endif
