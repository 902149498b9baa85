/* A small reader of JSON, to read the vectors with and to compare answers. Numbers are compared as doubles. */
#ifndef JSON_H
#define JSON_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum json_kind { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_TEXT, JSON_LIST, JSON_OBJECT };

struct json {
    enum json_kind kind;
    double number;
    char *text; /* of a text; ends with a NUL */
    size_t length;
    size_t count;
    char **keys; /* of an object */
    struct json *items;
};

static void json_free(struct json *json)
{
    size_t i;

    for (i = 0; i < json->count; i++) {
        json_free(&json->items[i]);
        if (json->keys)
            free(json->keys[i]);
    }
    free(json->items);
    free(json->keys);
    free(json->text);
    memset(json, 0, sizeof *json);
}

static const char *json_skip(const char *at)
{
    return at + strspn(at, " \t\r\n");
}

static size_t json_utf8(char *to, unsigned code)
{
    if (code < 0x80) {
        to[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        to[0] = (char)(0xc0 | (code >> 6));
        to[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        to[0] = (char)(0xe0 | (code >> 12));
        to[1] = (char)(0x80 | ((code >> 6) & 0x3f));
        to[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    to[0] = (char)(0xf0 | (code >> 18));
    to[1] = (char)(0x80 | ((code >> 12) & 0x3f));
    to[2] = (char)(0x80 | ((code >> 6) & 0x3f));
    to[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

static unsigned json_hex(const char *at)
{
    char digits[5];

    memcpy(digits, at, 4);
    digits[4] = '\0';
    return (unsigned)strtoul(digits, NULL, 16);
}

static const char *json_text(const char *at, char **text, size_t *length)
{
    const char *end = at;
    char *to;

    while (*end && *end != '"')
        end += *end == '\\' && end[1] ? 2 : 1;
    to = *text = malloc((size_t)(end - at) + 1);
    if (!to)
        abort();
    while (at < end) {
        if (*at != '\\') {
            *to++ = *at++;
            continue;
        }
        at++;
        if (*at == 'u') {
            unsigned code = json_hex(at + 1);

            at += 5;
            if (code >= 0xd800 && code < 0xdc00 && at[0] == '\\' && at[1] == 'u') {
                code = 0x10000 + ((code - 0xd800) << 10) + (json_hex(at + 2) - 0xdc00);
                at += 6;
            }
            to += json_utf8(to, code);
            continue;
        }
        *to++ = *at == 'n' ? '\n' : *at == 't' ? '\t' : *at == 'r' ? '\r' : *at == 'b' ? '\b' : *at == 'f' ? '\f' : *at;
        at++;
    }
    *to = '\0';
    *length = (size_t)(to - *text);
    return *end ? end + 1 : end;
}

static const char *json_read(const char *at, struct json *json)
{
    char close;

    memset(json, 0, sizeof *json);
    at = json_skip(at);
    switch (*at) {
    case 'n': return at + 4;
    case 't': json->kind = JSON_TRUE; return at + 4;
    case 'f': json->kind = JSON_FALSE; return at + 5;
    case '"': json->kind = JSON_TEXT; return json_text(at + 1, &json->text, &json->length);
    case '[': json->kind = JSON_LIST; close = ']'; break;
    case '{': json->kind = JSON_OBJECT; close = '}'; break;
    default: {
        char *end;

        json->kind = JSON_NUMBER;
        json->number = strtod(at, &end);
        return end > at ? end : at + strlen(at);
    }
    }
    at = json_skip(at + 1);
    while (*at && *at != close) {
        size_t length, n = json->count;

        json->items = realloc(json->items, (n + 1) * sizeof *json->items);
        if (json->kind == JSON_OBJECT) {
            json->keys = realloc(json->keys, (n + 1) * sizeof *json->keys);
            at = json_skip(json_text(at + 1, &json->keys[n], &length)) + 1;
        }
        at = json_skip(json_read(at, &json->items[n]));
        json->count = n + 1;
        if (*at == ',')
            at = json_skip(at + 1);
    }
    return *at ? at + 1 : at;
}

/* A value of an object; NULL if it has none of that name. */
static const struct json *json_get(const struct json *object, const char *key)
{
    size_t i;

    if (object && object->kind == JSON_OBJECT)
        for (i = 0; i < object->count; i++)
            if (strcmp(object->keys[i], key) == 0)
                return &object->items[i];
    return NULL;
}

static const char *json_string(const struct json *object, const char *key)
{
    const struct json *found = json_get(object, key);

    return found && found->kind == JSON_TEXT ? found->text : NULL;
}

static int json_same(const struct json *one, const struct json *other)
{
    size_t i;

    if (!one || !other)
        return one == other;
    if (one->kind != other->kind || one->count != other->count)
        return 0;
    switch (one->kind) {
    case JSON_NUMBER: return one->number == other->number;
    case JSON_TEXT: return one->length == other->length && memcmp(one->text, other->text, one->length) == 0;
    case JSON_LIST:
        for (i = 0; i < one->count; i++)
            if (!json_same(&one->items[i], &other->items[i]))
                return 0;
        return 1;
    case JSON_OBJECT:
        for (i = 0; i < one->count; i++)
            if (!json_same(&one->items[i], json_get(other, one->keys[i])))
                return 0;
        return 1;
    case JSON_NULL:
    case JSON_FALSE:
    case JSON_TRUE: return 1;
    }
    return 0;
}

/* Whether all that one object has, the other has too: for what is given beside defaults. */
static int json_within(const struct json *part, const struct json *whole)
{
    size_t i;

    if (!part || !whole || part->kind != JSON_OBJECT)
        return json_same(part, whole);
    for (i = 0; i < part->count; i++)
        if (!json_within(&part->items[i], json_get(whole, part->keys[i])))
            return 0;
    return 1;
}

#endif
