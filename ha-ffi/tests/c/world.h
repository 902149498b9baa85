/* A host of one node in memory, whose callbacks can be broken, and the daemons' time. */
#ifndef WORLD_H
#define WORLD_H

#include "test.h"

#define SECOND UINT64_C(1000000000)

enum fault { FINE, FAILED, ZERO, ODD, WRONG_KIND, EMPTY, GARBAGE, FAULTS };

/* In the order of the struct, from refresh on. */
static const char *names[] = {
    "refresh", "is_quorate", "members", "take_lock", "release_lock", "open_watchdog", "feed_watchdog", "close_watchdog",
    "read_manager_status", "read_configuration", "write_manager_status", "read_lrm_status", "commands_waiting",
    "take_commands", "write_lrm_status", "move_configuration", "remove_leftover_locks", "set_requested_state",
    "write_group_migration", "remove_groups", "software_version", "run_fence_device", "forget_fence_attempts", "unmanaged_services", "usage",
    "random_bytes", "start_job", "finished_jobs", "knows_type", "guest_node", "is_running", "start", "stop", "move_to",
};
#define CALLBACKS (sizeof names / sizeof names[0])

/* What there is to do: a node to be fenced and its service to be recovered; a service to be moved, and groups to be turned into
 * rules; nothing at all. */
enum story { FENCING, MOVING, NOTHING, STORIES };

struct world {
    enum story story;
    const char *broken; /* the callback that is broken now */
    enum fault fault;
    unsigned called[CALLBACKS];
    unsigned reported; /* failed calls that were reported */
    unsigned destroyed;
    unsigned fed;
    int running;
    char guest_node[16];
    ha_manager_status *manager;
    ha_lrm_status *lrm;
    ha_configuration *configuration;
    ha_host *agent;
    const char *command; /* that waits in the queue */
    ha_crm *crm;         /* to be called from inside of a callback */
    ha_lrm *stopping;    /* the same */
    ha_host *host;
    const ha_event *kept_event;
    ha_reply *kept_reply;
    const ha_manager_status *kept_status;
    int free_inside;
    struct { /* that carries jobs out beside the daemon, and what it says of their end */
        int works;
        int32_t worked, exit_code;
        ha_job *job;
    } worker;
};

/* What a broken callback answers; FINE if it is not broken now. */
static int32_t broken(struct world *world, const char *name, ha_reply *reply)
{
    size_t i;

    for (i = 0; i < CALLBACKS; i++)
        if (strcmp(names[i], name) == 0)
            world->called[i]++;
    world->kept_reply = reply;
    if (!world->broken || strcmp(world->broken, name) != 0)
        return 0;
    switch (world->fault) {
    case FAILED:
        ha_reply_error(reply, S("on purpose \xff"));
        return HA_ANSWER_FAILED;
    case ZERO: return -1000; /* the caller makes 0 of it */
    case ODD: return 4711;
    case WRONG_KIND: return HA_ANSWER_FENCED;
    case EMPTY: return HA_ANSWER_OK;
    case GARBAGE:
        ha_reply_text(reply, S("not a node name !"));
        ha_reply_json(reply, S("{\"service_status\": 7"));
        ha_reply_bytes(reply, S("short"));
        ha_reply_member(reply, S("no node!"), 1);
        ha_reply_unmanaged(reply, S("no sid"), S("n1"), 1);
        ha_reply_job(reply, 999, HA_ANSWER_YES, HA_EXIT_SUCCESS);
        return HA_ANSWER_OK;
    case FINE:
    case FAULTS: break;
    }
    return 0;
}

#define BEGIN(name)                                                                                                    \
    struct world *world = context;                                                                                     \
    int32_t fault = broken(world, name, reply);                                                                        \
    if (fault)                                                                                                         \
        return fault == -1000 ? 0 : fault

static int32_t refresh(void *context, ha_reply *reply)
{
    BEGIN("refresh");
    if (world->crm) {
        /* The daemon and its host are in use by the call that this is inside of. */
        uint64_t next;
        int32_t wait, state;

        GIVES(HA_ERROR_BUSY, ha_crm_tick(world->crm, world->host, 0, 0, &next, &wait, NULL));
        GIVES(HA_ERROR_BUSY, ha_crm_state(world->crm, &state, NULL));
        if (world->free_inside) {
            WELL(ha_crm_free(world->crm));
            WELL(ha_host_free(world->host));
            CHECK(world->destroyed == 0);
        }
    }
    return HA_ANSWER_OK;
}

static int32_t is_quorate(void *context, ha_reply *reply)
{
    BEGIN("is_quorate");
    return HA_ANSWER_YES;
}

static int32_t members(void *context, ha_reply *reply)
{
    BEGIN("members");
    ha_reply_member(reply, S("n1"), 1);
    ha_reply_member(reply, S("n2"), world->story == MOVING);
    return HA_ANSWER_OK;
}

static int32_t take_lock(void *context, const char *lock, size_t length, ha_reply *reply)
{
    BEGIN("take_lock");
    (void)lock;
    CHECK(length > 0);
    return HA_ANSWER_RENEWED;
}

static int32_t release_lock(void *context, const char *lock, size_t length, ha_reply *reply)
{
    BEGIN("release_lock");
    (void)lock;
    (void)length;
    return HA_ANSWER_OK;
}

static int32_t open_watchdog(void *context, uint64_t not_after, ha_reply *reply)
{
    BEGIN("open_watchdog");
    CHECK(not_after > 0);
    world->fed++;
    return HA_ANSWER_FED;
}

static int32_t feed_watchdog(void *context, uint64_t not_after, ha_reply *reply)
{
    BEGIN("feed_watchdog");
    CHECK(not_after > 0);
    world->fed++;
    return HA_ANSWER_FED;
}

static int32_t close_watchdog(void *context, ha_reply *reply)
{
    BEGIN("close_watchdog");
    return HA_ANSWER_OK;
}

static int32_t read_manager_status(void *context, ha_reply *reply)
{
    BEGIN("read_manager_status");
    if (!world->manager)
        return HA_ANSWER_NONE;
    WELL(ha_reply_manager_status(reply, world->manager));
    return HA_ANSWER_OK;
}

static int32_t read_configuration(void *context, ha_reply *reply)
{
    BEGIN("read_configuration");
    WELL(ha_reply_configuration(reply, world->configuration));
    return HA_ANSWER_OK;
}

static int32_t write_manager_status(void *context, const ha_manager_status *status, ha_reply *reply)
{
    BEGIN("write_manager_status");
    world->kept_status = status;
    /* A lent record can be read and copied, not changed, and not freed for good. */
    GIVES(HA_ERROR_STATE, ha_manager_status_set_node((ha_manager_status *)(size_t)status, S("n1"), HA_NODE_ONLINE, NULL));
    ha_manager_status_free(world->manager);
    WELL(ha_manager_status_copy(status, &world->manager, NULL));
    return HA_ANSWER_OK;
}

static int32_t read_lrm_status(void *context, const char *node, size_t length, ha_reply *reply)
{
    BEGIN("read_lrm_status");
    if (!world->lrm || length != 2 || (memcmp(node, "n1", 2) != 0 && world->story != MOVING))
        return HA_ANSWER_NONE;
    WELL(ha_reply_lrm_status(reply, world->lrm));
    return HA_ANSWER_OK;
}

static int32_t commands_waiting(void *context, ha_reply *reply)
{
    BEGIN("commands_waiting");
    return world->command ? HA_ANSWER_YES : HA_ANSWER_NO;
}

static int32_t take_commands(void *context, ha_reply *reply)
{
    BEGIN("take_commands");
    if (world->command)
        ha_reply_text(reply, S(world->command));
    world->command = NULL;
    return HA_ANSWER_OK;
}

static int32_t write_lrm_status(void *context, const ha_lrm_status *status, ha_reply *reply)
{
    BEGIN("write_lrm_status");
    ha_lrm_status_free(world->lrm);
    WELL(ha_lrm_status_copy(status, &world->lrm, NULL));
    return HA_ANSWER_OK;
}

static int32_t move_configuration(void *context, const char *sid, size_t sid_length, const char *from, size_t from_length,
                                  const char *to, size_t to_length, ha_reply *reply)
{
    BEGIN("move_configuration");
    (void)sid;
    (void)sid_length;
    (void)from;
    (void)from_length;
    snprintf(world->guest_node, sizeof world->guest_node, "%.*s", (int)to_length, to);
    return HA_ANSWER_OK;
}

static int32_t remove_leftover_locks(void *context, const char *sid, size_t sid_length, const char *node, size_t length,
                                     ha_reply *reply)
{
    BEGIN("remove_leftover_locks");
    (void)sid;
    (void)sid_length;
    (void)node;
    (void)length;
    ha_reply_text(reply, S("backup"));
    return HA_ANSWER_OK;
}

static int32_t set_requested_state(void *context, const char *sid, size_t length, int32_t state, ha_reply *reply)
{
    BEGIN("set_requested_state");
    (void)sid;
    (void)length;
    CHECK(ha_requested_state_name(state) != NULL);
    return HA_ANSWER_OK;
}

static int32_t write_group_migration(void *context, const char *rules, size_t rules_length, const char *rules_digest,
                                     const char *resources, size_t resources_length, const char *resources_digest,
                                     ha_reply *reply)
{
    BEGIN("write_group_migration");
    CHECK(strlen(rules_digest) == 40 && strlen(resources_digest) == 40);
    WELL(ha_configuration_read(world->configuration, HA_FILE_RULES, rules, rules_length, NULL));
    WELL(ha_configuration_read(world->configuration, HA_FILE_RESOURCES, resources, resources_length, NULL));
    return HA_ANSWER_OK;
}

static int32_t remove_groups(void *context, const char *digest, ha_reply *reply)
{
    BEGIN("remove_groups");
    CHECK(strlen(digest) == 40);
    WELL(ha_configuration_read(world->configuration, HA_FILE_GROUPS, "", 0, NULL));
    return HA_ANSWER_OK;
}

static int32_t software_version(void *context, const char *node, size_t length, ha_reply *reply)
{
    BEGIN("software_version");
    (void)node;
    (void)length;
    ha_reply_text(reply, S("9.1.0"));
    return HA_ANSWER_OK;
}

static int32_t run_fence_device(void *context, const char *node, size_t length, const char *incident,
                                size_t incident_length, uint32_t number, uint32_t device,
                                const ha_fence_commands *commands, ha_reply *reply)
{
    size_t count = 0;
    struct ha_str word;

    BEGIN("run_fence_device");
    (void)node;
    (void)length;
    CHECK(incident && incident_length > 0);
    (void)number;
    CHECK(device == 0);
    WELL(ha_fence_commands_count(commands, &count, NULL));
    CHECK(count == 1);
    WELL(ha_fence_commands_word(commands, 0, 0, &word, NULL));
    CHECK(same(word, "fence_x"));
    GIVES(HA_NONE, ha_fence_commands_word(commands, 0, 9, &word, NULL));
    GIVES(HA_NONE, ha_fence_commands_argument(commands, 0, 0, &word, NULL));
    WELL(ha_fence_commands_input(commands, 0, &word, NULL));
    GIVES(HA_ERROR_NOT_FOUND, ha_fence_commands_input(commands, 1, &word, NULL));
    GIVES(HA_ERROR_NOT_FOUND, ha_fence_commands_word(commands, 1, 0, &word, NULL));
    return HA_ANSWER_FENCED;
}

static int32_t forget_fence_attempts(void *context, const char *incidents, size_t length, ha_reply *reply)
{
    BEGIN("forget_fence_attempts");
    CHECK(incidents || length == 0);
    return HA_ANSWER_OK;
}

static int32_t unmanaged_services(void *context, ha_reply *reply)
{
    BEGIN("unmanaged_services");
    WELL(ha_reply_unmanaged(reply, S("vm:900"), S("n1"), 1));
    return HA_ANSWER_OK;
}

static int32_t usage(void *context, ha_reply *reply)
{
    ha_usage *made = NULL;

    BEGIN("usage");
    WELL(ha_usage_new(&made, NULL));
    WELL(ha_usage_set_node(made, S("n1"), 8, 1u << 30, 1, 1u << 20, NULL));
    WELL(ha_usage_set_service(made, S("vm:100"), 1, 1u << 20, 1, 1u << 20, NULL));
    WELL(ha_usage_set_service(made, S("vm:900"), 1, 1u << 20, 1, 1u << 20, NULL));
    WELL(ha_reply_usage(reply, made));
    WELL(ha_usage_free(made));
    return HA_ANSWER_OK;
}

static int32_t random_bytes(void *context, ha_reply *reply)
{
    BEGIN("random_bytes");
    WELL(ha_reply_bytes(reply, "0123456789abcdef", 16));
    return HA_ANSWER_OK;
}

static int32_t start_job(void *context, const ha_job *job, ha_reply *reply)
{
    int32_t exit_code = 0;

    BEGIN("start_job");
    if (world->worker.works) {
        if (!world->worker.job)
            WELL(ha_job_copy(job, &world->worker.job, NULL));
        return HA_ANSWER_RUNNING;
    }
    WELL(ha_job_run(job, S("n1"), world->agent, &exit_code, NULL));
    WELL(ha_reply_exit_code(reply, exit_code == HA_EXIT_SUCCESS ? HA_ANSWER_YES : HA_ANSWER_NO, exit_code));
    return HA_ANSWER_FINISHED;
}

static int32_t finished_jobs(void *context, ha_reply *reply)
{
    struct ha_job_fields fields;

    BEGIN("finished_jobs");
    if (world->worker.job) {
        WELL(ha_job_get(world->worker.job, &fields, NULL));
        WELL(ha_reply_job(reply, fields.id, world->worker.worked, world->worker.exit_code));
        WELL(ha_job_free(world->worker.job));
        world->worker.job = NULL;
    }
    return HA_ANSWER_OK;
}

static int32_t knows_type(void *context, const char *type, size_t length, ha_reply *reply)
{
    BEGIN("knows_type");
    return length == 2 && memcmp(type, "vm", 2) == 0 ? HA_ANSWER_YES : HA_ANSWER_NO;
}

static int32_t guest_node(void *context, const char *sid, size_t length, ha_reply *reply)
{
    BEGIN("guest_node");
    (void)sid;
    (void)length;
    ha_reply_text(reply, S(world->guest_node));
    return HA_ANSWER_OK;
}

static int32_t is_running(void *context, const char *sid, size_t length, ha_reply *reply)
{
    BEGIN("is_running");
    (void)sid;
    (void)length;
    return world->running ? HA_ANSWER_YES : HA_ANSWER_NO;
}

static int32_t start(void *context, const char *sid, size_t length, ha_reply *reply)
{
    BEGIN("start");
    (void)sid;
    (void)length;
    world->running = 1;
    return HA_ANSWER_OK;
}

static int32_t stop(void *context, const char *sid, size_t length, int64_t timeout, ha_reply *reply)
{
    BEGIN("stop");
    (void)sid;
    (void)length;
    CHECK(timeout >= -1);
    world->running = 0;
    return HA_ANSWER_OK;
}

static int32_t move_to(void *context, const char *sid, size_t length, const char *target, size_t target_length,
                       int32_t motion, ha_reply *reply)
{
    BEGIN("move_to");
    (void)sid;
    (void)length;
    CHECK(ha_motion_name(motion) != NULL);
    snprintf(world->guest_node, sizeof world->guest_node, "%.*s", (int)target_length, target);
    return HA_ANSWER_OK;
}

static void event(void *context, const ha_event *event)
{
    struct world *world = context;
    struct ha_str operation;

    world->kept_event = event;
    if (ha_event_get_kind(event) == HA_EVENT_HOST_CALL_FAILED) {
        WELL(ha_event_text(event, S("operation"), &operation, NULL));
        world->reported++;
    }
}

static void destroy(void *context)
{
    struct world *world = context;

    world->destroyed++;
}

static struct ha_callbacks table(struct world *world)
{
    struct ha_callbacks callbacks;

    memset(&callbacks, 0, sizeof callbacks);
    callbacks.size = sizeof callbacks;
    callbacks.context = world;
    callbacks.destroy = destroy;
    callbacks.event = event;
    callbacks.refresh = refresh;
    callbacks.is_quorate = is_quorate;
    callbacks.members = members;
    callbacks.take_lock = take_lock;
    callbacks.release_lock = release_lock;
    callbacks.open_watchdog = open_watchdog;
    callbacks.feed_watchdog = feed_watchdog;
    callbacks.close_watchdog = close_watchdog;
    callbacks.read_manager_status = read_manager_status;
    callbacks.read_configuration = read_configuration;
    callbacks.write_manager_status = write_manager_status;
    callbacks.read_lrm_status = read_lrm_status;
    callbacks.commands_waiting = commands_waiting;
    callbacks.take_commands = take_commands;
    callbacks.write_lrm_status = write_lrm_status;
    callbacks.move_configuration = move_configuration;
    callbacks.remove_leftover_locks = remove_leftover_locks;
    callbacks.set_requested_state = set_requested_state;
    callbacks.write_group_migration = write_group_migration;
    callbacks.remove_groups = remove_groups;
    callbacks.software_version = software_version;
    callbacks.run_fence_device = run_fence_device;
    callbacks.forget_fence_attempts = forget_fence_attempts;
    callbacks.unmanaged_services = unmanaged_services;
    callbacks.usage = usage;
    callbacks.random_bytes = random_bytes;
    callbacks.start_job = start_job;
    callbacks.finished_jobs = finished_jobs;
    callbacks.knows_type = knows_type;
    callbacks.guest_node = guest_node;
    callbacks.is_running = is_running;
    callbacks.start = start;
    callbacks.stop = stop;
    callbacks.move_to = move_to;
    return callbacks;
}

static ha_host *new_host(struct world *world)
{
    struct ha_callbacks callbacks = table(world);
    ha_host *host = NULL;

    WELL(ha_host_new(&callbacks, &host, NULL));
    return host;
}

static void begin(struct world *world, enum story story)
{
    static const char *statuses[STORIES] = {
        "{\"node_status\":{\"n1\":\"online\",\"n2\":\"fence\"},\"service_status\":{"
        "\"vm:100\":{\"state\":\"started\",\"node\":\"n1\",\"uid\":\"a\"},"
        "\"vm:101\":{\"state\":\"fence\",\"node\":\"n2\",\"uid\":\"b\"}}}",
        "{\"node_status\":{\"n1\":\"online\",\"n2\":\"online\"},\"service_status\":{"
        "\"vm:100\":{\"state\":\"started\",\"node\":\"n1\",\"uid\":\"a\",\"running\":1}}}",
        "{}",
    };
    static const char *resources[STORIES] = {"vm: 100\n\tgroup here\n\nvm: 101\n\n", "vm: 100\n\tgroup here\n\n", ""};

    memset(world, 0, sizeof *world);
    world->story = story;
    strcpy(world->guest_node, "n1");
    WELL(ha_configuration_new(&world->configuration, NULL));
    WELL(ha_configuration_read(world->configuration, HA_FILE_RESOURCES, S(resources[story]), NULL));
    WELL(ha_configuration_read(world->configuration, HA_FILE_GROUPS, S("group: here\n\tnodes n1,n2\n\n"), NULL));
    WELL(ha_configuration_read(world->configuration, HA_FILE_DATACENTER, S("crs: ha=static\nfencing: hardware\n"), NULL));
    WELL(ha_configuration_read(world->configuration, HA_FILE_FENCE, S("device d fence_x\nconnect d node=n2\n"), NULL));
    WELL(ha_configuration_set_guest(world->configuration, S("vm:100"), S("n1"), NULL));
    WELL(ha_configuration_set_guest(world->configuration, S("vm:101"), S("n2"), NULL));
    WELL(ha_manager_status_from_json(S(statuses[story]), &world->manager, NULL));
    world->agent = new_host(world);
    world->host = new_host(world);
}

static void end(struct world *world, ha_crm *crm, ha_lrm *lrm)
{
    /* In another order than the one in which they were made. */
    ha_host_free(world->host);
    ha_configuration_free(world->configuration);
    ha_crm_free(crm);
    ha_manager_status_free(world->manager);
    ha_host_free(world->agent);
    ha_lrm_status_free(world->lrm);
    ha_lrm_free(lrm);
    CHECK(world->destroyed == 2);
}

#endif
