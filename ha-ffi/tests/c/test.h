/* What the C tests have in common: checks, texts, files, and JSON. */
#ifndef TEST_H
#define TEST_H

#include <ha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define S(text) (text), strlen(text)

static int checks, failures;

#define CHECK(condition) check((condition) ? 1 : 0, #condition, __FILE__, __LINE__)
#define WELL(call) check_status((call), HA_OK, #call, __FILE__, __LINE__)
#define GIVES(expected, call) check_status((call), (expected), #call, __FILE__, __LINE__)

static int check(int holds, const char *text, const char *file, int line)
{
    checks++;
    if (!holds) {
        failures++;
        fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, text);
    }
    return holds;
}

static int check_status(int32_t found, int32_t expected, const char *text, const char *file, int line)
{
    checks++;
    if (found != expected) {
        failures++;
        fprintf(stderr, "%s:%d: gives %d, expected %d: %s\n", file, line, (int)found, (int)expected, text);
    }
    return found == expected;
}

static int finish(const char *name)
{
    CHECK(ha_live_handles() == 0);
    CHECK(ha_live_texts() == 0);
    printf("%s: %d checks, %d failed\n", name, checks, failures);
    return failures ? 1 : 0;
}

static inline int same(struct ha_str text, const char *expected)
{
    return text.data && text.length == strlen(expected) && memcmp(text.data, expected, text.length) == 0;
}

static inline struct ha_str str(const char *text)
{
    struct ha_str found;

    found.data = text;
    found.length = text ? strlen(text) : 0;
    return found;
}

#endif
