/*
 * A host of one node in memory, whose callbacks fail in turn: by saying so, by accident (0), with answers that are none of
 * theirs, with nothing or garbage handed back. And calls from inside of callbacks, and what is kept for longer than lent.
 */
#include "test.h"

#define SECOND UINT64_C(1000000000)

enum fault { FINE, FAILED, ZERO, ODD, WRONG_KIND, EMPTY, GARBAGE, FAULTS };

/* In the order of the struct, from refresh on. */
static const char *names[] = {
    "refresh", "is_quorate", "members", "take_lock", "release_lock", "open_watchdog", "feed_watchdog", "close_watchdog",
    "read_manager_status", "read_configuration", "write_manager_status", "read_lrm_status", "commands_waiting",
    "take_commands", "write_lrm_status", "move_configuration", "remove_leftover_locks", "set_requested_state",
    "write_group_migration", "remove_groups", "software_version", "run_fence_device", "unmanaged_services", "usage",
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
    ha_host *host;
    const ha_event *kept_event;
    ha_reply *kept_reply;
    const ha_manager_status *kept_status;
    int free_inside;
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
        ha_reply_job(reply, 999, HA_EXIT_SUCCESS);
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
        GIVES(HA_ERROR_BUSY, ha_crm_request_stop(world->crm, world->host, NULL));
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

static int32_t run_fence_device(void *context, const char *node, size_t length, uint32_t attempt,
                                const ha_fence_commands *commands, ha_reply *reply)
{
    size_t count = 0;
    struct ha_str word;

    BEGIN("run_fence_device");
    (void)node;
    (void)length;
    (void)attempt;
    WELL(ha_fence_commands_count(commands, &count, NULL));
    CHECK(count == 1);
    WELL(ha_fence_commands_word(commands, 0, 0, &word, NULL));
    CHECK(same(word, "fence_x"));
    GIVES(HA_NONE, ha_fence_commands_word(commands, 0, 9, &word, NULL));
    GIVES(HA_ERROR_NOT_FOUND, ha_fence_commands_word(commands, 1, 0, &word, NULL));
    return HA_ANSWER_FENCED;
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
    WELL(ha_job_run(job, S("n1"), world->agent, &exit_code, NULL));
    WELL(ha_reply_exit_code(reply, exit_code));
    return HA_ANSWER_FINISHED;
}

static int32_t finished_jobs(void *context, ha_reply *reply)
{
    BEGIN("finished_jobs");
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
    /* In an order that is not that of their making. */
    ha_host_free(world->host);
    ha_configuration_free(world->configuration);
    ha_crm_free(crm);
    ha_manager_status_free(world->manager);
    ha_host_free(world->agent);
    ha_lrm_status_free(world->lrm);
    ha_lrm_free(lrm);
    CHECK(world->destroyed == 2);
}

/* Lets both daemons work for some time. Whatever the callbacks do, each call ends well. */
static void run(struct world *world, ha_crm *crm, ha_lrm *lrm, uint64_t from, uint64_t until)
{
    uint64_t now, crm_next = from, lrm_next = from;
    int32_t wait;

    for (now = from; now <= until; now += SECOND) {
        if (crm_next <= now)
            WELL(ha_crm_tick(crm, world->host, now, 1700000000, &crm_next, &wait, NULL));
        if (lrm_next <= now)
            WELL(ha_lrm_tick(lrm, world->host, now, 1700000000, &lrm_next, &wait, NULL));
    }
}

/* The whole life of both daemons, with one callback broken in one way after they have begun well, and mended at the end. */
static void live(enum story story, const char *name, enum fault fault, unsigned called[CALLBACKS])
{
    struct world world;
    ha_crm *crm = NULL;
    ha_lrm *lrm = NULL;
    unsigned reported;
    size_t i;

    begin(&world, story);
    WELL(ha_crm_new(S("n1"), NULL, world.host, &crm, NULL));
    WELL(ha_lrm_new(S("n1"), NULL, world.host, &lrm, NULL));
    world.broken = name;
    world.fault = fault;
    run(&world, crm, lrm, SECOND, 60 * SECOND);
    world.command = story == MOVING ? "migrate vm:100 n2" : "stop vm:100 0";
    run(&world, crm, lrm, 61 * SECOND, 90 * SECOND);
    world.command = "enable-node-maintenance n2";
    run(&world, crm, lrm, 91 * SECOND, 110 * SECOND);
    WELL(ha_lrm_request_stop(lrm, HA_STOP_NODE_SHUTDOWN, world.host, 111 * SECOND, 1700000000, NULL));
    run(&world, crm, lrm, 112 * SECOND, 130 * SECOND);
    WELL(ha_crm_request_stop(crm, world.host, NULL));
    run(&world, crm, lrm, 131 * SECOND, 150 * SECOND);
    for (i = 0; i < CALLBACKS; i++) {
        called[i] += world.called[i];
        if (name && strcmp(names[i], name) == 0 && world.called[i] > 0) {
            /* What is no yes is no, for these; for a fence device, WRONG_KIND is an answer. */
            int is_no_call = strcmp(name, "is_quorate") == 0 || strcmp(name, "knows_type") == 0;
            int is_answer = (fault == EMPTY && world.reported == 0) || fault == GARBAGE ||
                            (fault == WRONG_KIND && strcmp(name, "run_fence_device") == 0);

            reported = world.reported;
            if (!is_no_call && !is_answer && reported == 0)
                fprintf(stderr, "%s, fault %d: called %u times, not reported\n", name, (int)fault, world.called[i]);
            CHECK(is_no_call || is_answer || reported > 0);
        }
    }
    /* A watchdog that can't be fed is never counted as fed. */
    if (name && (strcmp(name, "feed_watchdog") == 0 || strcmp(name, "open_watchdog") == 0) && fault != FINE)
        CHECK(world.reported > 0);
    end(&world, crm, lrm);
}

static void every_callback_in_turn(void)
{
    unsigned called[CALLBACKS], broken_called[CALLBACKS];
    size_t i;
    int fault, story;

    memset(called, 0, sizeof called);
    memset(broken_called, 0, sizeof broken_called);
    for (story = FENCING; story < STORIES; story++) {
        live((enum story)story, NULL, FINE, called);
        for (i = 0; i < CALLBACKS; i++)
            for (fault = FAILED; fault < FAULTS; fault++)
                live((enum story)story, names[i], (enum fault)fault, broken_called);
    }
    for (i = 0; i < CALLBACKS; i++) {
        if (broken_called[i] == 0)
            fprintf(stderr, "%s was never called\n", names[i]);
        CHECK(broken_called[i] > 0);
    }
}

static void from_inside(void)
{
    struct world world;
    uint64_t next;
    int32_t wait, state;
    ha_crm *crm = NULL;
    size_t count;

    begin(&world, FENCING);
    WELL(ha_crm_new(S("n1"), NULL, world.host, &crm, NULL));
    world.crm = crm;
    WELL(ha_crm_tick(crm, world.host, SECOND, 0, &next, &wait, NULL));
    WELL(ha_crm_tick(crm, world.host, 20 * SECOND, 0, &next, &wait, NULL));
    /* What was lent is gone. */
    CHECK(ha_event_get_kind(world.kept_event) == HA_ERROR_HANDLE);
    GIVES(HA_ERROR_HANDLE, ha_reply_text(world.kept_reply, S("late")));
    CHECK(world.kept_status != NULL);
    GIVES(HA_ERROR_HANDLE, ha_manager_status_node_count(world.kept_status, &count, NULL));
    /* Freed from inside: the running call still ends well, and the destructor comes after it. */
    world.free_inside = 1;
    WELL(ha_crm_tick(crm, world.host, 40 * SECOND, 0, &next, &wait, NULL));
    CHECK(world.destroyed == 1);
    GIVES(HA_ERROR_HANDLE, ha_crm_state(crm, &state, NULL));
    world.crm = NULL;
    GIVES(HA_ERROR_HANDLE, ha_crm_free(crm));
    GIVES(HA_ERROR_HANDLE, ha_host_free(world.host));
    end(&world, NULL, NULL);
}

static void after_a_bug(void)
{
    struct world world;
    ha_crm *crm = NULL;
    ha_lrm *lrm = NULL;
    uint64_t next = 7;
    int32_t wait = 7;
    unsigned fed;

    begin(&world, FENCING);
    WELL(ha_crm_new(S("n1"), NULL, world.host, &crm, NULL));
    WELL(ha_lrm_new(S("n1"), NULL, world.host, &lrm, NULL));
    run(&world, crm, lrm, SECOND, 30 * SECOND);
    fed = world.fed;
    CHECK(fed > 0);
    GIVES(HA_ERROR_PANIC, ha_test_panic(crm, NULL));
    GIVES(HA_ERROR_PANIC, ha_crm_tick(crm, world.host, 31 * SECOND, 0, &next, &wait, NULL));
    GIVES(HA_ERROR_PANIC, ha_crm_request_stop(crm, world.host, NULL));
    CHECK(next == 7 && wait == 7 && world.fed == fed);
    /* The other daemon is not touched by it, until its host is. */
    WELL(ha_lrm_tick(lrm, world.host, 31 * SECOND, 0, &next, &wait, NULL));
    GIVES(HA_ERROR_PANIC, ha_test_panic(world.host, NULL));
    fed = world.fed;
    GIVES(HA_ERROR_PANIC, ha_lrm_tick(lrm, world.host, 60 * SECOND, 0, &next, &wait, NULL));
    CHECK(world.fed == fed);
    end(&world, crm, lrm);
}

static void daemons(void)
{
    struct world world;
    ha_timings *timings = NULL;
    ha_manager_status *status = NULL;
    ha_crm *crm = NULL;
    ha_lrm *lrm = NULL;
    uint64_t next = 0;
    int32_t wait = 0, state = 0, mode = 0;

    begin(&world, FENCING);
    WELL(ha_timings_new(HA_TIMINGS_FAST, &timings, NULL));
    WELL(ha_crm_new(S("n1"), timings, world.host, &crm, NULL));
    WELL(ha_lrm_new(S("n1"), timings, world.host, &lrm, NULL));
    GIVES(HA_NONE, ha_crm_manager_status(crm, &status, NULL));
    WELL(ha_crm_tick(crm, world.host, SECOND, 0, &next, &wait, NULL));
    CHECK(wait == HA_WAIT_NEXT_ITERATION && next == SECOND + SECOND / 2);
    WELL(ha_crm_state(crm, &state, NULL));
    CHECK(state == HA_DAEMON_MASTER);
    WELL(ha_crm_manager_status(crm, &status, NULL));
    WELL(ha_manager_status_free(status));
    WELL(ha_lrm_get_state(lrm, &state, &mode, NULL));
    CHECK(state == HA_LRM_WAIT_FOR_AGENT_LOCK && mode == HA_LRM_MODE_ACTIVE);
    GIVES(HA_ERROR_ARGUMENT, ha_crm_tick(crm, world.host, SECOND, 0, &next, NULL, NULL));
    GIVES(HA_ERROR_ARGUMENT, ha_lrm_tick(lrm, NULL, SECOND, 0, &next, &wait, NULL));
    GIVES(HA_ERROR_ARGUMENT, ha_lrm_request_stop(lrm, 0, world.host, 0, 0, NULL));
    WELL(ha_crm_request_stop(crm, world.host, NULL));
    WELL(ha_crm_tick(crm, world.host, 2 * SECOND, 0, &next, &wait, NULL));
    CHECK(wait == HA_WAIT_EXIT && next == UINT64_MAX);
    WELL(ha_timings_set(timings, S("lock_lifetime_s"), 1, NULL));
    GIVES(HA_ERROR_TIMINGS, ha_crm_new(S("n1"), timings, world.host, &crm, NULL));
    GIVES(HA_ERROR_NAME, ha_crm_new(S("no node!"), NULL, world.host, &crm, NULL));
    GIVES(HA_ERROR_ARGUMENT, ha_crm_new(S("n1"), NULL, world.host, NULL, NULL));
    WELL(ha_timings_free(timings));
    end(&world, crm, lrm);
}

/* Tables of other sizes: from an older program, a newer one, and nonsense. */
static void tables(void)
{
    struct { struct ha_callbacks known; void *newer[4]; } larger;
    struct ha_callbacks callbacks;
    struct world world;
    ha_host *host = NULL;
    ha_crm *crm = NULL;
    uint64_t next;
    int32_t wait;

    begin(&world, FENCING);
    memset(&larger, 0, sizeof larger);
    larger.known = table(&world);
    larger.known.size = sizeof larger;
    WELL(ha_host_new(&larger.known, &host, NULL));
    WELL(ha_host_free(host));
    callbacks = table(&world);
    callbacks.size = offsetof(struct ha_callbacks, members);
    WELL(ha_host_new(&callbacks, &host, NULL));
    WELL(ha_crm_new(S("n1"), NULL, host, &crm, NULL));
    WELL(ha_crm_tick(crm, host, SECOND, 0, &next, &wait, NULL));
    CHECK(world.reported > 0);
    WELL(ha_host_free(host));
    callbacks.size = 0;
    GIVES(HA_ERROR_ARGUMENT, ha_host_new(&callbacks, &host, NULL));
    callbacks.size = sizeof callbacks - 1;
    GIVES(HA_ERROR_ARGUMENT, ha_host_new(&callbacks, &host, NULL));
    callbacks.size = SIZE_MAX - 7;
    GIVES(HA_ERROR_ARGUMENT, ha_host_new(&callbacks, &host, NULL));
    GIVES(HA_ERROR_ARGUMENT, ha_host_new(NULL, &host, NULL));
    GIVES(HA_ERROR_ARGUMENT, ha_host_new(&callbacks, NULL, NULL));
    CHECK(world.destroyed == 2);
    world.destroyed = 0;
    /* A host with nothing at all. */
    memset(&callbacks, 0, sizeof callbacks);
    callbacks.size = sizeof callbacks;
    WELL(ha_host_new(&callbacks, &host, NULL));
    WELL(ha_crm_tick(crm, host, 2 * SECOND, 0, &next, &wait, NULL));
    WELL(ha_host_free(host));
    end(&world, crm, NULL);
}

static void rounds(void)
{
    struct world world;
    ha_manager *manager = NULL;
    ha_round_input *input = NULL;
    ha_manager_status *status = NULL;
    ha_situation *situation = NULL;
    struct ha_service service;
    struct ha_text text;
    struct ha_str node;
    int32_t state = 0;
    ha_usage *used = NULL;

    begin(&world, FENCING);
    WELL(ha_round_input_new(&input, NULL));
    WELL(ha_round_input_set_member(input, S("n1"), 1, NULL));
    WELL(ha_round_input_set_member(input, S("n2"), 0, NULL));
    WELL(ha_round_input_set_member(input, S("n3"), 1, NULL));
    WELL(ha_round_input_set_member(input, S("n3"), -1, NULL));
    GIVES(HA_ERROR_ARGUMENT, ha_round_input_set_member(input, S("n3"), 7, NULL));
    WELL(ha_round_input_set_configuration(input, world.configuration, NULL));
    WELL(ha_lrm_status_new(&world.lrm, NULL));
    WELL(ha_round_input_set_lrm(input, S("n1"), world.lrm, NULL));
    WELL(ha_round_input_set_lrm(input, S("n2"), NULL, NULL));
    WELL(ha_round_input_add_unmanaged(input, S("vm:900"), S("n1"), 1, NULL));
    WELL(ha_round_input_clear_unmanaged(input, NULL));
    WELL(ha_usage_new(&used, NULL));
    WELL(ha_round_input_set_usage(input, used, NULL));
    WELL(ha_round_input_set_usage(input, NULL, NULL));
    WELL(ha_usage_free(used));
    GIVES(HA_ERROR_ARGUMENT, ha_manager_new(S("n1"), NULL, world.manager, world.configuration, S("short"), world.host,
                                            &manager, NULL));
    WELL(ha_manager_new(S("n1"), NULL, world.manager, world.configuration, "0123456789abcdef", 16, world.host, &manager,
                        NULL));
    WELL(ha_manager_round(manager, input, world.host, SECOND, 1700000000, NULL));
    WELL(ha_manager_round(manager, input, world.host, 11 * SECOND, 1700000010, NULL));
    WELL(ha_manager_get_status(manager, &status, NULL));
    WELL(ha_manager_status_find(status, S("vm:101"), &service, NULL));
    CHECK(same(service.node, "n1"));
    WELL(ha_manager_service_node(manager, S("vm:101"), &node, &state, NULL));
    CHECK(same(node, "n1") && state == service.state);
    GIVES(HA_NONE, ha_manager_service_node(manager, S("vm:999"), &node, &state, NULL));
    WELL(ha_situation_new(status, world.configuration, NULL, 0, &situation, NULL));
    WELL(ha_situation_balance(situation, manager, 1, &text, NULL));
    WELL(ha_text_free(&text));
    WELL(ha_situation_free(situation));
    WELL(ha_manager_resume(manager, status, NULL));
    WELL(ha_manager_status_free(status));
    GIVES(HA_ERROR_PANIC, ha_test_panic(manager, NULL));
    GIVES(HA_ERROR_PANIC, ha_manager_round(manager, input, world.host, 21 * SECOND, 0, NULL));
    WELL(ha_manager_free(manager));
    WELL(ha_round_input_free(input));
    end(&world, NULL, NULL);
}

static void jobs(void)
{
    struct world world;
    struct ha_job_fields fields;
    struct ha_job_step_fields step;
    ha_job *job = NULL, *copy = NULL;
    ha_job_steps *steps = NULL;
    int32_t exit_code = 0;

    begin(&world, FENCING);
    memset(&fields, 0, sizeof fields);
    fields.id = 9;
    fields.sid = str("vm:100");
    fields.uid = str("u");
    fields.command = HA_SERVICE_MIGRATE;
    fields.target = str("n2");
    fields.timeout = -1;
    WELL(ha_job_new(&fields, &job, NULL));
    WELL(ha_job_copy(job, &copy, NULL));
    WELL(ha_job_free(job));
    memset(&fields, 0, sizeof fields);
    WELL(ha_job_get(copy, &fields, NULL));
    CHECK(fields.id == 9 && same(fields.target, "n2") && fields.command == HA_SERVICE_MIGRATE && fields.timeout == -1);
    WELL(ha_job_steps_new(copy, S("n1"), &steps, NULL));
    WELL(ha_job_steps_next(steps, &step, NULL));
    CHECK(step.step == HA_STEP_KNOWS_TYPE);
    WELL(ha_job_steps_answer(steps, HA_ANSWER_YES, NULL, 0, world.host, NULL));
    WELL(ha_job_steps_next(steps, &step, NULL));
    CHECK(step.step == HA_STEP_LOCATE);
    WELL(ha_job_steps_answer(steps, HA_ANSWER_OK, S("n1"), world.host, NULL));
    WELL(ha_job_steps_next(steps, &step, NULL));
    CHECK(step.step == HA_STEP_MOVE && same(step.target, "n2") && step.motion == HA_MOTION_MIGRATE);
    WELL(ha_job_steps_answer(steps, HA_ANSWER_OK, NULL, 0, world.host, NULL));
    WELL(ha_job_steps_answer(steps, HA_ANSWER_OK, S("n2"), world.host, NULL));
    WELL(ha_job_steps_next(steps, &step, NULL));
    CHECK(step.step == HA_STEP_DONE && step.exit_code == HA_EXIT_SUCCESS);
    GIVES(HA_ERROR_STATE, ha_job_steps_answer(steps, HA_ANSWER_OK, NULL, 0, world.host, NULL));
    WELL(ha_job_steps_free(steps));
    WELL(ha_job_steps_new(copy, S("n1"), &steps, NULL));
    WELL(ha_job_steps_answer(steps, 0, NULL, 0, world.host, NULL));
    WELL(ha_job_steps_next(steps, &step, NULL));
    CHECK(step.step == HA_STEP_DONE && step.exit_code == HA_EXIT_UNKNOWN_SERVICE_TYPE);
    WELL(ha_job_steps_free(steps));
    WELL(ha_job_run(copy, S("n1"), world.host, &exit_code, NULL));
    CHECK(exit_code == HA_EXIT_SUCCESS && strcmp(world.guest_node, "n2") == 0);
    WELL(ha_job_run(copy, S("n1"), world.host, &exit_code, NULL));
    CHECK(exit_code == HA_EXIT_WRONG_NODE);
    fields.command = 0;
    GIVES(HA_ERROR_ARGUMENT, ha_job_new(&fields, &job, NULL));
    GIVES(HA_ERROR_ARGUMENT, ha_job_new(NULL, &job, NULL));
    WELL(ha_job_free(copy));
    end(&world, NULL, NULL);
}

int main(void)
{
    every_callback_in_turn();
    from_inside();
    after_a_bug();
    daemons();
    tables();
    rounds();
    jobs();
    return finish("host");
}
