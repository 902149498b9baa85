/*
 * The vectors of tests/vectors from C, and the recorded scenarios.
 *
 *   vectors config|edit|rules|fence|status|history FILE ...   a folder of vectors, file by file
 *   vectors play FOLDER ...                           scenarios
 */
#include "json.h"
#include "test.h"

static const char *current; /* the file */

static int holds(int condition, const char *what)
{
    checks++;
    if (!condition) {
        failures++;
        fprintf(stderr, "%s: %s\n", current, what);
    }
    return condition;
}

static char *read_all(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text;
    long size;

    if (!file)
        return NULL;
    fseek(file, 0, SEEK_END);
    size = ftell(file);
    rewind(file);
    text = malloc((size_t)size + 1);
    if (!text || fread(text, 1, (size_t)size, file) != (size_t)size)
        abort();
    text[size] = '\0';
    fclose(file);
    return text;
}

/* The bytes of a text of the vector, or of one given in hexadecimal digits. */
static char *bytes_of(const struct json *vector, const char *key, const char *hex_key, size_t *length)
{
    const struct json *text = json_get(vector, key), *hex = json_get(vector, hex_key);
    char *bytes;
    size_t i;
    unsigned byte;

    if (text) {
        bytes = malloc(text->length + 1);
        memcpy(bytes, text->text, text->length + 1);
        *length = text->length;
        return bytes;
    }
    *length = hex ? hex->length / 2 : 0;
    bytes = malloc(*length + 1);
    for (i = 0; i < *length; i++) {
        sscanf(hex->text + 2 * i, "%2x", &byte);
        bytes[i] = (char)byte;
    }
    return bytes;
}

static int file_number(const char *name)
{
    static const char *names[] = {"resources.cfg", "groups.cfg", "rules.cfg", "datacenter.cfg", "fence.cfg", "nodes.cfg"};
    int i;

    for (i = 0; i < 6; i++)
        if (name && strcmp(names[i], name) == 0)
            return i + 1;
    return 0;
}

/* Parses an owned text as JSON and frees it. */
static struct json parse(struct ha_text *text)
{
    struct json json;

    json_read(text->data ? text->data : "null", &json);
    ha_text_free(text);
    return json;
}

/* What an error should say. */
static void check_error(ha_error *error, const struct json *expect)
{
    const struct json *says = json_get(expect, "says"), *line = json_get(expect, "line"), *path = json_get(expect, "path");
    size_t i;

    if (!holds(error != NULL, "no error"))
        return;
    for (i = 0; says && i < says->count; i++)
        holds(strstr(ha_error_message(error), says->items[i].text) != NULL, "the message does not say what it should");
    if (path)
        holds(strcmp(ha_error_field(error), path->text) == 0, "another field");
    if (line)
        holds((double)ha_error_line(error) == line->number, "another line");
    ha_error_free(error);
}

static void check_problems(const ha_configuration *configuration, int file, const struct json *expected)
{
    struct json details;
    size_t count, i;

    WELL(ha_configuration_problem_count(configuration, file, &count, NULL));
    if (!expected || !holds(count == expected->count, "another number of problems"))
        return;
    for (i = 0; i < count; i++) {
        const struct json *expect = &expected->items[i];
        const char *section = json_string(expect, "section"), *property = json_string(expect, "property");
        const char *value_code = json_string(expect, "value_code");
        ha_error *problem = NULL;

        WELL(ha_configuration_problem(configuration, file, i, &problem, NULL));
        holds((double)ha_error_line(problem) == json_get(expect, "line")->number, "another line");
        holds(strcmp(ha_error_kind(problem), json_string(expect, "code")) == 0, "another kind of problem");
        holds(strcmp(ha_error_section(problem), section ? section : "") == 0, "another section");
        holds(strcmp(ha_error_field(problem), property ? property : "") == 0, "another property");
        json_read(ha_error_details(problem), &details);
        if (value_code)
            holds(strcmp(json_string(&details, "value_code"), value_code) == 0, "another code of the value");
        json_free(&details);
        ha_error_free(problem);
    }
}

static void check_config(const struct json *vector)
{
    const char *name = json_string(vector, "file"), *digest = json_string(vector, "digest");
    const struct json *types = json_get(vector, "service_types");
    ha_configuration *configuration = NULL;
    ha_error *error = NULL;
    struct ha_text text;
    struct json found;
    size_t length, i;
    char *bytes;
    int file;

    WELL(ha_configuration_new(&configuration, NULL));
    for (i = 0; types && i < types->count; i++)
        WELL(ha_configuration_add_service_type(configuration, S(types->items[i].text), HA_NAMES_ANY, NULL));
    bytes = bytes_of(vector, "input", "input_hex", &length);
    if (strcmp(name, "datacenter.json") == 0) {
        const char *expected = json_string(vector, "error");

        file = HA_FILE_DATACENTER;
        if (ha_configuration_read_datacenter_json(configuration, bytes, length, &error) != HA_OK) {
            holds(expected && strcmp(ha_error_kind(error), expected) == 0, "another error");
            ha_error_free(error);
        } else {
            holds(!expected, "was read");
            WELL(ha_configuration_json(configuration, file, &text, NULL));
            found = parse(&text);
            holds(json_within(json_get(vector, "settings"), json_get(&found, "settings")), "other settings");
            json_free(&found);
        }
    } else {
        file = file_number(name);
        WELL(ha_configuration_read(configuration, file, bytes, length, NULL));
        check_problems(configuration, file, json_get(vector, "problems"));
        WELL(ha_configuration_json(configuration, file, &text, NULL));
        found = parse(&text);
        if (json_get(vector, "sections"))
            holds(json_same(json_get(vector, "sections"), json_get(&found, "sections")), "other sections");
        if (json_get(vector, "settings"))
            holds(json_within(json_get(vector, "settings"), json_get(&found, "settings")), "other settings");
        if (digest)
            holds(strcmp(json_string(&found, "digest"), digest) == 0, "another digest");
        json_free(&found);
        free(bytes);
        bytes = bytes_of(vector, "output", "output_hex", &length);
        WELL(ha_configuration_write(configuration, file, &text, NULL));
        holds(text.length == length && memcmp(text.data, bytes, length) == 0, "other bytes are written");
        WELL(ha_text_free(&text));
    }
    free(bytes);
    WELL(ha_configuration_free(configuration));
}

static int edit_action(const char *call)
{
    static const char *calls[] = {"add_resource", "set_resource", "remove_resource", "add_group", "set_group",
                                  "remove_group", "add_rule",     "set_rule",        "remove_rule", "", "set_node"};
    int i;

    for (i = 0; i < 11; i++)
        if (strcmp(calls[i], call) == 0)
            return i + 1;
    return 0;
}

static void check_edit(const struct json *vector)
{
    static const char *files[] = {"resources.cfg", "groups.cfg", "rules.cfg", "nodes.cfg"};
    static const int numbers[] = {HA_FILE_RESOURCES, HA_FILE_GROUPS, HA_FILE_RULES, HA_FILE_NODES};
    const struct json *edited = json_get(vector, "edit"), *list, *purge = json_get(edited, "purge");
    const struct json *after = json_get(vector, "after"), *faults = json_get(vector, "faults");
    ha_configuration *configuration = NULL;
    ha_edit *edit = NULL;
    ha_error *error = NULL;
    struct ha_text before[4], text;
    struct json details;
    size_t i;

    WELL(ha_configuration_new(&configuration, NULL));
    for (i = 0; i < 4; i++) {
        const struct json *content = json_get(json_get(vector, "before"), files[i]);

        if (content)
            WELL(ha_configuration_read(configuration, numbers[i], content->text, content->length, NULL));
        WELL(ha_configuration_write(configuration, numbers[i], &before[i], NULL));
    }
    WELL(ha_edit_new(edit_action(json_string(edited, "call")), S(json_string(edited, "id")), &edit, NULL));
    list = json_get(edited, "set");
    for (i = 0; list && i < list->count; i++) {
        const struct json *pair = list->items[i].items;

        WELL(ha_edit_set(edit, pair[0].text, pair[0].length, pair[1].text, pair[1].length, NULL));
    }
    list = json_get(edited, "unset");
    for (i = 0; list && i < list->count; i++)
        WELL(ha_edit_unset(edit, S(list->items[i].text), NULL));
    list = json_get(vector, "nodes");
    for (i = 0; list && i < list->count; i++)
        WELL(ha_edit_node(edit, S(list->items[i].text), NULL));
    list = json_get(vector, "in_error");
    for (i = 0; list && i < list->count; i++)
        WELL(ha_edit_in_error(edit, S(list->items[i].text), NULL));
    list = json_get(vector, "guests");
    for (i = 0; list && i < list->count; i++)
        WELL(ha_edit_guest(edit, S(list->keys[i]), S(list->items[i].text), NULL));
    if (json_string(edited, "rule_type"))
        WELL(ha_edit_rule_type(edit, S(json_string(edited, "rule_type")), NULL));
    if (json_string(edited, "seen"))
        WELL(ha_edit_seen(edit, S(json_string(edited, "seen")), NULL));
    if (purge && purge->kind == JSON_FALSE)
        WELL(ha_edit_keep_in_rules(edit, NULL));

    if (ha_configuration_edit(configuration, edit, NULL, &error) == HA_OK) {
        holds(after != NULL, "was done");
    } else {
        const char *expected = json_string(vector, "error");

        if (holds(expected && strcmp(ha_error_kind(error), expected) == 0, "another error") && faults) {
            json_read(ha_error_details(error), &details);
            holds(details.count == faults->count, "another number of faults");
            for (i = 0; i < details.count && i < faults->count; i++)
                holds(json_within(&faults->items[i], &details.items[i]), "another fault");
            json_free(&details);
        }
        ha_error_free(error);
    }
    for (i = 0; i < 4; i++) {
        const struct json *expected = json_get(after, files[i]);
        const char *content = expected ? expected->text : before[i].data;
        size_t length = expected ? expected->length : before[i].length;

        WELL(ha_configuration_write(configuration, numbers[i], &text, NULL));
        holds(text.length == length && memcmp(text.data, content, length) == 0, files[i]);
        ha_text_free(&text);
        ha_text_free(&before[i]);
    }
    WELL(ha_edit_free(edit));
    WELL(ha_configuration_free(configuration));
}

/* Lines joined by an end of line. */
static char *joined(const struct json *lines, const char *end)
{
    size_t size = 1, i;
    char *text;

    for (i = 0; i < lines->count; i++)
        size += lines->items[i].length + 2;
    text = calloc(size, 1);
    for (i = 0; i < lines->count; i++) {
        if (i > 0)
            strcat(text, end);
        strcat(text, lines->items[i].text);
    }
    return text;
}

static struct ha_str *node_list(const struct json *nodes)
{
    struct ha_str *list = calloc(nodes->count + 1, sizeof *list);
    size_t i;

    for (i = 0; i < nodes->count; i++)
        list[i] = str(nodes->items[i].text);
    return list;
}

static void check_rules(const struct json *vector)
{
    const struct json *nodes = json_get(vector, "nodes"), *labels = json_get(vector, "nodes_cfg");
    char *text = joined(json_get(vector, "rules_cfg"), "\n"), *said = labels ? joined(labels, "\n") : NULL;
    struct ha_str *list = node_list(nodes);
    ha_configuration *configuration = NULL;
    ha_rules *rules = NULL;
    struct ha_text json;
    struct json found;

    WELL(ha_configuration_new(&configuration, NULL));
    WELL(ha_configuration_read(configuration, HA_FILE_RULES, S(text), NULL));
    if (said)
        WELL(ha_configuration_read(configuration, HA_FILE_NODES, S(said), NULL));
    WELL(ha_rules_new(configuration, list, nodes->count, &rules, NULL));
    WELL(ha_rules_json(rules, &json, NULL));
    found = parse(&json);
    holds(json_within(json_get(vector, "expect"), &found), "other rules");
    json_free(&found);
    WELL(ha_configuration_free(configuration));
    WELL(ha_rules_free(rules));
    free(list);
    free(text);
    free(said);
}

static void check_fence(const struct json *vector)
{
    static const char *ends[] = {"\n", "\r\n"};
    const struct json *nodes = json_get(vector, "nodes");
    struct ha_str *list = node_list(nodes);
    ha_configuration *configuration = NULL;
    struct ha_text json;
    struct json found;
    size_t i;

    for (i = 0; i < 2; i++) {
        char *text = joined(json_get(vector, "fence_cfg"), ends[i]);

        WELL(ha_configuration_new(&configuration, NULL));
        WELL(ha_configuration_read(configuration, HA_FILE_FENCE, S(text), NULL));
        WELL(ha_configuration_fence_report(configuration, list, nodes->count, &json, NULL));
        found = parse(&json);
        holds(json_same(json_get(vector, "expect"), &found), "another report");
        json_free(&found);
        WELL(ha_configuration_free(configuration));
        free(text);
    }
    free(list);
}

/* JSON text of a value. */
static void unparse(const struct json *json, char **text, size_t *length)
{
    char number[64];
    size_t i;
    const char *plain = number;

    if (json->kind == JSON_NUMBER)
        snprintf(number, sizeof number, "%.17g", json->number);
    else if (json->kind == JSON_LIST || json->kind == JSON_OBJECT)
        plain = json->kind == JSON_LIST ? "[" : "{";
    else
        plain = json->kind == JSON_NULL ? "null" : json->kind == JSON_TRUE ? "true" : json->kind == JSON_FALSE ? "false" : "\"";
    *text = realloc(*text, *length + strlen(plain) + 6 * json->length + 4);
    strcpy(*text + *length, plain);
    *length += strlen(plain);
    if (json->kind == JSON_TEXT) {
        for (i = 0; i < json->length; i++) {
            unsigned char byte = (unsigned char)json->text[i];

            if (byte < 0x20 || byte == '"' || byte == '\\')
                *length += (size_t)sprintf(*text + *length, "\\u%04x", byte);
            else
                (*text)[(*length)++] = (char)byte;
        }
        strcpy(*text + (*length)++, "\"");
    }
    for (i = 0; i < json->count; i++) {
        if (i > 0) {
            *text = realloc(*text, *length + 2);
            strcpy(*text + (*length)++, ",");
        }
        if (json->kind == JSON_OBJECT) {
            struct json key;

            memset(&key, 0, sizeof key);
            key.kind = JSON_TEXT;
            key.text = json->keys[i];
            key.length = strlen(key.text);
            unparse(&key, text, length);
            *text = realloc(*text, *length + 2);
            strcpy(*text + (*length)++, ":");
        }
        unparse(&json->items[i], text, length);
    }
    if (json->kind == JSON_LIST || json->kind == JSON_OBJECT) {
        *text = realloc(*text, *length + 2);
        strcpy(*text + (*length)++, json->kind == JSON_LIST ? "]" : "}");
    }
}

static char *text_of(const struct json *json, size_t *length)
{
    char *text = NULL;

    *length = 0;
    unparse(json, &text, length);
    return text;
}

static ha_manager_status *manager_of(const struct json *json)
{
    ha_manager_status *status = NULL;
    size_t length;
    char *text = text_of(json, &length);

    WELL(ha_manager_status_from_json(text, length, &status, NULL));
    free(text);
    return status;
}

static void check_view(const struct json *vector)
{
    const struct json *input = json_get(vector, "input"), *expect = json_get(vector, "expect");
    const struct json *resources = json_get(input, "resources"), *list;
    ha_manager_status *manager = manager_of(json_get(input, "manager"));
    ha_configuration *configuration = NULL;
    ha_view *view = NULL;
    struct ha_text text;
    struct json found;
    char *lines, *expected, datacenter[64];
    size_t size = 1, length, i;

    WELL(ha_configuration_new(&configuration, NULL));
    lines = calloc(1, 1);
    for (i = 0; i < resources->count; i++) {
        const char *sid = resources->keys[i], *colon = strchr(sid, ':');
        char type[64];

        snprintf(type, sizeof type, "%.*s", (int)(colon - sid), sid);
        WELL(ha_configuration_add_service_type(configuration, S(type), HA_NAMES_ANY, NULL));
        size += strlen(sid) + 64;
        lines = realloc(lines, size);
        sprintf(lines + strlen(lines), "%s: %s\n\tstate %s\n\n", type, colon + 1, resources->items[i].text);
    }
    WELL(ha_configuration_read(configuration, HA_FILE_RESOURCES, S(lines), NULL));
    snprintf(datacenter, sizeof datacenter, "crs: ha=%s\n", json_string(input, "scheduler"));
    WELL(ha_configuration_read(configuration, HA_FILE_DATACENTER, S(datacenter), NULL));
    free(lines);
    WELL(ha_view_new(S(json_string(input, "own_node")), json_get(input, "quorate")->kind == JSON_TRUE,
                     (int64_t)json_get(input, "now")->number, manager, configuration, &view, NULL));
    list = json_get(input, "lrms");
    for (i = 0; list && i < list->count; i++) {
        ha_lrm_status *lrm = NULL;

        if (list->items[i].kind == JSON_OBJECT) {
            char *record = text_of(&list->items[i], &length);

            WELL(ha_lrm_status_from_json(record, length, &lrm, NULL));
            free(record);
        }
        WELL(ha_view_add_lrm(view, S(list->keys[i]), lrm, NULL));
        WELL(ha_lrm_status_free(lrm));
    }
    list = json_get(input, "locations");
    if (list)
        WELL(ha_view_knows_locations(view, NULL));
    for (i = 0; list && i < list->count; i++)
        WELL(ha_view_add_location(view, S(list->keys[i]), S(list->items[i].text), NULL));
    WELL(ha_view_lines(view, &text, NULL));
    expected = joined(json_get(expect, "lines"), "\n");
    holds(text.length == strlen(expected) + 1 && memcmp(text.data, expected, text.length - 1) == 0, "other lines");
    free(expected);
    ha_text_free(&text);
    WELL(ha_view_json(view, &text, NULL));
    found = parse(&text);
    if (json_get(expect, "view"))
        holds(json_same(json_get(expect, "view"), &found), "another view");
    json_free(&found);
    WELL(ha_view_free(view));
    WELL(ha_manager_status_free(manager));
    WELL(ha_configuration_free(configuration));
}

static void check_status_vector(const struct json *vector)
{
    const char *kind = json_string(vector, "kind");
    const struct json *expect = json_get(vector, "expect"), *wrong = json_get(expect, "error");
    const struct json *exact = json_get(expect, "text");
    ha_manager_status *manager = NULL;
    ha_lrm_status *lrm = NULL;
    ha_error *error = NULL;
    struct ha_text text = {NULL, 0};
    struct json found;
    size_t length;
    char *given;
    int is_manager = strcmp(kind, "manager_status") == 0;
    ha_status status;

    if (strcmp(kind, "view") == 0) {
        check_view(vector);
        return;
    }
    if (strcmp(kind, "command") == 0) {
        const struct json *line = json_get(vector, "line");

        if (ha_command_check(line->text, line->length, &text, &error) != HA_OK)
            check_error(error, wrong);
        else
            holds(!wrong && strcmp(text.data, json_string(expect, "line")) == 0, "another command");
        ha_text_free(&text);
        return;
    }
    if (json_get(vector, "text"))
        given = bytes_of(vector, "text", "", &length);
    else
        given = text_of(json_get(vector, "record"), &length);
    status = is_manager ? ha_manager_status_from_json(given, length, &manager, &error)
                        : ha_lrm_status_from_json(given, length, &lrm, &error);
    free(given);
    if (status != HA_OK) {
        if (wrong)
            check_error(error, wrong);
        else
            holds(0, ha_error_message(error));
        return;
    }
    holds(!wrong, "was read");
    WELL(is_manager ? ha_manager_status_to_json(manager, &text, NULL) : ha_lrm_status_to_json(lrm, &text, NULL));
    if (exact) {
        holds(text.length == exact->length && memcmp(text.data, exact->text, text.length) == 0, "another text");
        ha_text_free(&text);
    } else {
        found = parse(&text);
        if (!wrong)
            holds(json_same(json_get(expect, "record"), &found), "another record");
        json_free(&found);
    }
    WELL(ha_manager_status_free(manager));
    WELL(ha_lrm_status_free(lrm));
}

/* The entries as a host gives them: a line each. */
static char *lines_of(const struct json *entries, size_t count)
{
    size_t length = 0, more, i;
    char *lines = malloc(1), *line;

    lines[0] = '\0';
    for (i = 0; i < count; i++) {
        line = text_of(&entries->items[i], &more);
        lines = realloc(lines, length + more + 2);
        memcpy(lines + length, line, more);
        length += more;
        lines[length++] = '\n';
        lines[length] = '\0';
        free(line);
    }
    return lines;
}

static void check_refused_entries(const struct json *entries, const struct json *wrong)
{
    char *lines = lines_of(entries, entries->count), *alone;
    size_t length;
    ha_error *error = NULL;
    struct ha_text text = {NULL, 0};

    holds(ha_history_failovers(NULL, S(lines), &text, &error) == HA_ERROR_CONTENT, "was read");
    check_error(error, wrong);
    error = NULL;
    holds(ha_history_counted("", 0, S(lines), &text, &error) == HA_ERROR_CONTENT, "was counted");
    check_error(error, wrong);
    free(lines);
    error = NULL;
    alone = text_of(&entries->items[(size_t)json_get(wrong, "line")->number - 1], &length);
    holds(ha_history_entry(alone, length, &text, &error) == HA_ERROR_CONTENT, "was made");
    holds(error != NULL && strstr(ha_error_message(error), json_get(wrong, "says")->items[0].text) != NULL,
          "the message does not say what it should");
    ha_error_free(error);
    free(alone);
}

static void given_timings(const struct json *settings, ha_timings **timings)
{
    size_t length;
    char *text = text_of(settings, &length);

    WELL(ha_timings_from_json(text, length, timings, NULL));
    free(text);
}

static void check_history(const struct json *vector)
{
    const struct json *entries = json_get(vector, "entries"), *begun = json_get(vector, "begun");
    ha_timings *timings = NULL;
    struct ha_text text = {NULL, 0}, before = {NULL, 0};
    struct json found;
    char *lines;
    size_t length, i;

    if (json_get(vector, "error")) {
        check_refused_entries(entries, json_get(vector, "error"));
        return;
    }
    for (i = 0; i < begun->count; i++) {
        char *one = text_of(&begun->items[i], &length);

        WELL(ha_history_entry(one, length, &text, NULL));
        free(one);
        found = parse(&text);
        holds(json_same(&entries->items[i], &found), "another entry");
        json_free(&found);
    }
    lines = lines_of(entries, (size_t)json_get(vector, "first")->number);
    WELL(ha_history_counted("", 0, S(lines), &before, NULL));
    free(lines);
    lines = lines_of(entries, entries->count);
    WELL(ha_history_counted(before.data, before.length, S(lines), &text, NULL));
    ha_text_free(&before);
    holds(ha_history_counted(text.data, text.length, S(lines), &before, NULL) == HA_NONE, "it was counted twice");
    found = parse(&text);
    holds(json_same(json_get(vector, "counted"), &found), "counted otherwise");
    json_free(&found);
    given_timings(json_get(vector, "timings"), &timings);
    WELL(ha_history_failovers(timings, S(lines), &text, NULL));
    found = parse(&text);
    holds(json_same(json_get(vector, "failovers"), &found), "other failovers");
    json_free(&found);
    WELL(ha_timings_free(timings));
    free(lines);
}

static void check_scenario(const char *folder)
{
    ha_simulation *simulation = NULL;
    ha_error *error = NULL;
    size_t count, i;

    if (ha_simulation_play_folder(S(folder), &simulation, &error) != HA_OK) {
        holds(0, ha_error_message(error));
        ha_error_free(error);
        return;
    }
    WELL(ha_simulation_failure_count(simulation, &count, NULL));
    holds(count == 0, "did not go as recorded or expected");
    for (i = 0; i < count; i++) {
        WELL(ha_simulation_failure(simulation, i, &error, NULL));
        fprintf(stderr, "  %s %s\n", ha_error_message(error), ha_error_details(error));
        ha_error_free(error);
    }
    WELL(ha_simulation_happening_count(simulation, &count, NULL));
    holds(count > 0, "nothing happened");
    WELL(ha_simulation_free(simulation));
}

int main(int argc, char **argv)
{
    int i;

    if (argc < 3) {
        fprintf(stderr, "usage: %s config|edit|rules|fence|status|history|play FILE ...\n", argv[0]);
        return 2;
    }
    for (i = 2; i < argc; i++) {
        struct json vector;
        char *text;

        current = argv[i];
        if (strcmp(argv[1], "play") == 0) {
            check_scenario(argv[i]);
            continue;
        }
        text = read_all(argv[i]);
        if (!holds(text != NULL, "can't be read"))
            continue;
        json_read(text, &vector);
        if (strcmp(argv[1], "config") == 0)
            check_config(&vector);
        else if (strcmp(argv[1], "edit") == 0)
            check_edit(&vector);
        else if (strcmp(argv[1], "rules") == 0)
            check_rules(&vector);
        else if (strcmp(argv[1], "fence") == 0)
            check_fence(&vector);
        else if (strcmp(argv[1], "history") == 0)
            check_history(&vector);
        else
            check_status_vector(&vector);
        json_free(&vector);
        free(text);
    }
    printf("%s: ", argv[1]);
    return finish("vectors");
}
