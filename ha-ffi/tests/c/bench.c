/*
 * What decisions and rounds cost through C, for the cluster that examples/native_timing.rs has written. Prints a name and
 * nanoseconds a line, as that does.
 */
#include "test.h"
#include <time.h>

#define REPEATS 15
#define ROUNDS 200
#define FAILOVERS 40
#define SECOND UINT64_C(1000000000)

static uint64_t clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

static char *load(const char *folder, const char *name, size_t *length)
{
    char path[4096];
    FILE *file;
    char *text;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "rb");
    if (!file) {
        perror(path);
        exit(1);
    }
    fseek(file, 0, SEEK_END);
    *length = (size_t)ftell(file);
    rewind(file);
    text = malloc(*length + 1);
    if (!text || fread(text, 1, *length, file) != *length)
        abort();
    fclose(file);
    return text;
}

static unsigned long long events;
static int with_json;

static void event(void *context, const ha_event *event)
{
    (void)context;
    events += (unsigned long long)ha_event_get_kind(event);
}

static int32_t take_lock(void *context, const char *lock, size_t length, ha_reply *reply)
{
    (void)context, (void)lock, (void)length, (void)reply;
    return HA_ANSWER_ACQUIRED;
}

static int32_t release_lock(void *context, const char *lock, size_t length, ha_reply *reply)
{
    (void)context, (void)lock, (void)length, (void)reply;
    return HA_ANSWER_OK;
}

static int32_t write_manager_status(void *context, const ha_manager_status *status, ha_reply *reply)
{
    struct ha_text json;
    size_t count;

    (void)context, (void)reply;
    if (!with_json)
        return ha_manager_status_service_count(status, &count, NULL);
    ha_manager_status_to_json(status, &json, NULL);
    ha_text_free(&json);
    return HA_ANSWER_OK;
}

static int32_t take_commands(void *context, ha_reply *reply)
{
    (void)context, (void)reply;
    return HA_ANSWER_OK;
}

static int32_t move_configuration(void *context, const char *sid, size_t sid_length, const char *from, size_t from_length,
                                  const char *to, size_t to_length, ha_reply *reply)
{
    (void)context, (void)sid, (void)sid_length, (void)from, (void)from_length, (void)to, (void)to_length, (void)reply;
    return HA_ANSWER_OK;
}

static int32_t remove_leftover_locks(void *context, const char *sid, size_t sid_length, const char *node, size_t length,
                                     ha_reply *reply)
{
    (void)context, (void)sid, (void)sid_length, (void)node, (void)length, (void)reply;
    return HA_ANSWER_NONE;
}

static ha_configuration *configuration;
static ha_manager_status *recorded;
static ha_host *host;

/* Hands every LRM's answers over, which say that each request of its services was carried out. */
static void answer_all(ha_manager *manager, ha_round_input *input)
{
    ha_manager_status *status = NULL;
    ha_lrm_status *lrms[64] = {NULL};
    struct ha_service service;
    struct ha_result result;
    size_t count, nodes, i;
    char name[16];

    WELL(ha_manager_get_status(manager, &status, NULL));
    ha_manager_status_service_count(status, &count, NULL);
    ha_manager_status_node_count(status, &nodes, NULL);
    for (i = 0; i < count; i++) {
        int node;

        ha_manager_status_service(status, i, &service, NULL);
        if (!service.uid.data)
            continue;
        node = atoi(service.node.data + 4);
        if (!lrms[node])
            WELL(ha_lrm_status_new(&lrms[node], NULL));
        result.uid = service.uid;
        result.sid = service.sid;
        result.state = str("started");
        result.exit_code = HA_EXIT_SUCCESS;
        ha_lrm_status_add_result(lrms[node], &result, NULL);
    }
    for (i = 0; i < nodes; i++) {
        snprintf(name, sizeof name, "node%03u", (unsigned)i);
        WELL(ha_round_input_set_lrm(input, S(name), lrms[i], NULL));
        ha_lrm_status_free(lrms[i]);
    }
    ha_manager_status_free(status);
}

static void begin(ha_manager **manager, ha_round_input **input)
{
    struct ha_str node;
    size_t count, i;

    WELL(ha_manager_new(S("node000"), NULL, recorded, configuration, "\7\7\7\7\7\7\7\7\7\7\7\7\7\7\7\7", 16, host, manager, NULL));
    WELL(ha_round_input_new(input, NULL));
    ha_manager_status_node_count(recorded, &count, NULL);
    for (i = 0; i < count; i++) {
        ha_manager_status_node(recorded, i, &node, NULL, NULL);
        WELL(ha_round_input_set_member(*input, node.data, node.length, 1, NULL));
    }
    WELL(ha_round_input_set_configuration(*input, configuration, NULL));
    WELL(ha_manager_round(*manager, *input, host, 0, 0, NULL));
    answer_all(*manager, *input);
    WELL(ha_manager_round(*manager, *input, host, 0, 0, NULL));
}

int main(int argc, char **argv)
{
    static const struct { const char *name; int32_t preference; } questions[] = {
        {"select_stay", HA_PREFER_NONE}, {"select_best", HA_PREFER_BEST}};
    struct ha_callbacks callbacks;
    ha_situation *situation = NULL;
    ha_manager *manager = NULL;
    ha_manager_status *read = NULL;
    ha_round_input *input = NULL;
    struct ha_service service;
    uint64_t best, from, time;
    size_t length, count, i, n;
    char *text, *status_text, answer[64];

    if (argc != 2)
        return 2;
    WELL(ha_configuration_new(&configuration, NULL));
    text = load(argv[1], "resources.cfg", &length);
    WELL(ha_configuration_read(configuration, HA_FILE_RESOURCES, text, length, NULL));
    free(text);
    text = load(argv[1], "rules.cfg", &length);
    WELL(ha_configuration_read(configuration, HA_FILE_RULES, text, length, NULL));
    free(text);
    status_text = load(argv[1], "manager_status", &length);
    WELL(ha_manager_status_from_json(status_text, length, &recorded, NULL));
    ha_manager_status_service_count(recorded, &count, NULL);
    for (i = 0; i < count; i++) {
        ha_manager_status_service(recorded, i, &service, NULL);
        WELL(ha_configuration_set_guest(configuration, service.sid.data, service.sid.length, service.node.data,
                                        service.node.length, NULL));
    }
    WELL(ha_situation_new(recorded, configuration, NULL, 0, &situation, NULL));
    for (n = 0; n < 2; n++) {
        size_t got, calls = 20000, repeat;

        for (best = UINT64_MAX, repeat = 0; repeat < REPEATS; repeat++) {
            from = clock_ns();
            for (i = 0; i < calls; i++)
                if (ha_situation_select(situation, "vm:777", 6, questions[n].preference, answer, sizeof answer, &got, NULL) !=
                    HA_OK)
                    return 1;
            time = (clock_ns() - from) / calls;
            best = time < best ? time : best;
        }
        printf("%s %llu\n", questions[n].name, (unsigned long long)best);
    }
    WELL(ha_situation_free(situation));

    memset(&callbacks, 0, sizeof callbacks);
    callbacks.size = sizeof callbacks;
    callbacks.event = event;
    callbacks.take_lock = take_lock;
    callbacks.release_lock = release_lock;
    callbacks.write_manager_status = write_manager_status;
    callbacks.take_commands = take_commands;
    callbacks.move_configuration = move_configuration;
    callbacks.remove_leftover_locks = remove_leftover_locks;
    WELL(ha_host_new(&callbacks, &host, NULL));
    for (with_json = 0; with_json < 2; with_json++) {
        begin(&manager, &input);
        for (best = UINT64_MAX, i = 0; i < ROUNDS; i++) {
            from = clock_ns();
            if (with_json) {
                /* The record comes as JSON too, as a daemon reads it in each of its rounds. */
                ha_manager_status_from_json(status_text, length, &read, NULL);
                ha_manager_status_free(read);
            }
            WELL(ha_manager_round(manager, input, host, 0, 0, NULL));
            time = clock_ns() - from;
            best = time < best ? time : best;
        }
        printf("round_settled%s %llu\n", with_json ? "_json" : "", (unsigned long long)best);
        ha_manager_free(manager);
        ha_round_input_free(input);
        for (best = UINT64_MAX, i = 0; i < FAILOVERS; i++) {
            begin(&manager, &input);
            WELL(ha_round_input_set_member(input, S("node031"), 0, NULL));
            WELL(ha_manager_round(manager, input, host, 0, 0, NULL));
            from = clock_ns();
            if (with_json) {
                ha_manager_status_from_json(status_text, length, &read, NULL);
                ha_manager_status_free(read);
            }
            WELL(ha_manager_round(manager, input, host, 1000 * SECOND, 0, NULL));
            time = clock_ns() - from;
            best = time < best ? time : best;
            ha_manager_free(manager);
            ha_round_input_free(input);
        }
        printf("round_failover%s %llu\n", with_json ? "_json" : "", (unsigned long long)best);
    }
    free(status_text);
    ha_host_free(host);
    ha_manager_status_free(recorded);
    ha_configuration_free(configuration);
    fprintf(stderr, "%llu\n", events);
    return ha_live_handles() == 0 && failures == 0 ? 0 : 1;
}
