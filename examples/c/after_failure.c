/*
 * Reads the configuration and the manager status of a cluster from a folder, checks it, and says where each service would
 * go if a node died.
 *
 *   after_failure FOLDER [NODE ...]
 *
 * Without nodes: for each node in turn.
 */
#include <ha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ends the program with what an error says. */
static void fail(const char *what, ha_error *error)
{
    fprintf(stderr, "%s: %s\n", what, error ? ha_error_message(error) : "failed");
    ha_error_free(error);
    exit(1);
}

/* Reads a file; NULL if there is none. The length is in *length. */
static char *read_file(const char *folder, const char *name, size_t *length)
{
    char path[4096];
    FILE *file;
    char *text = NULL;
    size_t size = 0, room = 0, got;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "rb");
    if (!file)
        return NULL;
    do {
        if (room - size < 4096) {
            room = room * 2 + 8192;
            text = realloc(text, room);
            if (!text)
                abort();
        }
        got = fread(text + size, 1, room - size, file);
        size += got;
    } while (got > 0);
    fclose(file);
    *length = size;
    return text;
}

/* Reads one file of the configuration, if it is there, and tells its problems. */
static void read_part(ha_configuration *configuration, int32_t part, const char *folder, const char *name)
{
    ha_error *error = NULL, *problem = NULL;
    size_t length, count, i;
    char *text = read_file(folder, name, &length);

    if (!text)
        return;
    if (ha_configuration_read(configuration, part, text, length, &error) != HA_OK ||
        ha_configuration_problem_count(configuration, part, &count, &error) != HA_OK)
        fail(name, error);
    free(text);
    for (i = 0; i < count; i++) {
        if (ha_configuration_problem(configuration, part, i, &problem, &error) != HA_OK)
            fail(name, error);
        printf("%s: %s\n", name, ha_error_message(problem));
        ha_error_free(problem);
    }
}

/* Rules that cannot hold take no part; whoever wrote them should know. */
static void tell_dropped_rules(const ha_configuration *configuration, const ha_manager_status *status)
{
    ha_error *error = NULL, *finding = NULL;
    ha_rules *rules = NULL;
    struct ha_str nodes[64];
    size_t count, i;

    if (ha_manager_status_node_count(status, &count, &error) != HA_OK)
        fail("nodes", error);
    if (count > 64)
        count = 64;
    for (i = 0; i < count; i++)
        ha_manager_status_node(status, i, &nodes[i], NULL, NULL);
    if (ha_rules_new(configuration, nodes, count, &rules, &error) != HA_OK ||
        ha_rules_dropped_count(rules, &count, &error) != HA_OK)
        fail("rules", error);
    for (i = 0; i < count; i++) {
        ha_rules_dropped(rules, i, &finding, NULL);
        printf("left out: %s\n", ha_error_message(finding));
        ha_error_free(finding);
    }
    ha_rules_free(rules);
}

/* Says where the services of a node would go. */
static void tell_failure(const ha_situation *situation, struct ha_str node)
{
    ha_error *error = NULL;
    ha_recoveries *recoveries = NULL;
    struct ha_recovery recovery;
    size_t count, i;

    if (ha_situation_after_failure(situation, &node, 1, &recoveries, &error) != HA_OK ||
        ha_recoveries_count(recoveries, &count, &error) != HA_OK)
        fail("after failure", error);
    printf("if %.*s died:\n", (int)node.length, node.data);
    for (i = 0; i < count; i++) {
        ha_recoveries_get(recoveries, i, &recovery, NULL);
        printf("  %.*s -> %.*s (%s)\n", (int)recovery.sid.length, recovery.sid.data,
               recovery.to.data ? (int)recovery.to.length : 7, recovery.to.data ? recovery.to.data : "nowhere",
               ha_decider_name(recovery.decided_by));
    }
    if (count == 0)
        printf("  nothing would move\n");
    ha_recoveries_free(recoveries);
}

int main(int argc, char **argv)
{
    static const struct { int32_t part; const char *name; } parts[] = {
        {HA_FILE_RESOURCES, "resources.cfg"}, {HA_FILE_GROUPS, "groups.cfg"}, {HA_FILE_RULES, "rules.cfg"},
        {HA_FILE_DATACENTER, "datacenter.cfg"}, {HA_FILE_FENCE, "fence.cfg"},
    };
    ha_error *error = NULL;
    ha_configuration *configuration = NULL;
    ha_manager_status *status = NULL;
    ha_situation *situation = NULL;
    struct ha_str node;
    size_t length, count, i;
    char *text;

    if (argc < 2) {
        fprintf(stderr, "usage: %s FOLDER [NODE ...]\n", argv[0]);
        return 2;
    }
    if (ha_abi_version() < HA_ABI_VERSION) {
        fprintf(stderr, "libha is older than the header that this was built with\n");
        return 1;
    }
    if (ha_configuration_new(&configuration, &error) != HA_OK)
        fail("configuration", error);
    for (i = 0; i < sizeof parts / sizeof parts[0]; i++)
        read_part(configuration, parts[i].part, argv[1], parts[i].name);

    text = read_file(argv[1], "manager_status", &length);
    if (!text || ha_manager_status_from_json(text, length, &status, &error) != HA_OK)
        fail("manager_status", error);
    free(text);
    tell_dropped_rules(configuration, status);

    if (ha_situation_new(status, configuration, NULL, 0, &situation, &error) != HA_OK)
        fail("situation", error);
    if (argc > 2) {
        for (i = 2; i < (size_t)argc; i++) {
            node.data = argv[i];
            node.length = strlen(argv[i]);
            tell_failure(situation, node);
        }
    } else {
        ha_manager_status_node_count(status, &count, NULL);
        for (i = 0; i < count; i++) {
            ha_manager_status_node(status, i, &node, NULL, NULL);
            tell_failure(situation, node);
        }
    }
    ha_situation_free(situation);
    ha_manager_status_free(status);
    ha_configuration_free(configuration);
    return ha_live_handles() == 0 && ha_live_texts() == 0 ? 0 : 1;
}
