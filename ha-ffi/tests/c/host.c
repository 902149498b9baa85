/*
 * A host of one node in memory, whose callbacks fail in turn: by saying so, by accident (0), with answers that are none of
 * theirs, with nothing or garbage handed back. And calls from inside of callbacks, and what is kept for longer than it is lent.
 */
#include "world.h"

#include <pthread.h>

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
            /* For these, what is not a yes is a no; for a fence device, WRONG_KIND is an answer. */
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
    GIVES(HA_ERROR_ARGUMENT, ha_lrm_set_writer(lrm, S("machine"), NULL, 4, NULL));
    WELL(ha_lrm_set_writer(lrm, S("machine"), S("boot"), NULL));
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
    struct ha_str node, command = str("migrate vm:999 n1");
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
    GIVES(HA_ERROR_ARGUMENT, ha_manager_rehearse(manager, input, 0, NULL, 0, 12 * SECOND, 0, &text, NULL));
    GIVES(HA_ERROR_ARGUMENT, ha_manager_rehearse(manager, input, HA_ANSWER_NO, NULL, 1, 12 * SECOND, 0, &text, NULL));
    WELL(ha_manager_rehearse(manager, input, HA_ANSWER_NO, &command, 1, 12 * SECOND, 0, &text, NULL));
    CHECK(strstr(text.data, "command_rejected") != NULL || strstr(text.data, "command_ignored") != NULL);
    WELL(ha_text_free(&text));
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

static int32_t sizes_alone(void *context, int32_t dynamic, ha_reply *reply)
{
    CHECK(dynamic == 0);
    return usage(context, reply);
}

/* A host that has both is asked with the mode. */
static void figures(void)
{
    struct ha_callbacks callbacks;
    struct world world;
    uint64_t now, next;
    ha_host *host = NULL;
    ha_crm *crm = NULL;
    int32_t wait;

    begin(&world, FENCING);
    callbacks = table(&world);
    callbacks.destroy = NULL;
    callbacks.usage = NULL;
    callbacks.usage_by_mode = sizes_alone;
    WELL(ha_host_new(&callbacks, &host, NULL));
    WELL(ha_crm_new(S("n1"), NULL, host, &crm, NULL));
    for (now = SECOND; now < 30 * SECOND; now += SECOND)
        WELL(ha_crm_tick(crm, host, now, 1700000000, &next, &wait, NULL));
    CHECK(world.called[24] > 0 && strcmp(names[24], "usage") == 0);
    WELL(ha_host_free(host));
    end(&world, crm, NULL);
}

/* What is lent is not the callback's to free. */
static void frees_event(void *context, const ha_event *event)
{
    struct world *world = context;

    GIVES(HA_ERROR_HANDLE, ha_event_free((ha_event *)(uintptr_t)event));
    CHECK(ha_event_get_kind(event) > 0);
    world->reported++;
}

static int32_t frees_status(void *context, const ha_manager_status *status, ha_reply *reply)
{
    struct world *world = context;
    size_t count = 0;

    GIVES(HA_ERROR_HANDLE, ha_manager_status_free((ha_manager_status *)(uintptr_t)status));
    WELL(ha_manager_status_node_count(status, &count, NULL));
    CHECK(count > 0);
    (void)reply;
    world->fed++;
    return HA_ANSWER_OK;
}

static void lent(void)
{
    struct ha_callbacks callbacks;
    struct world world;
    ha_host *host = NULL;
    ha_crm *crm = NULL;
    uint64_t next;
    int32_t wait = 0, state = 0;

    begin(&world, FENCING);
    callbacks = table(&world);
    callbacks.event = frees_event;
    callbacks.write_manager_status = frees_status;
    callbacks.destroy = NULL;
    WELL(ha_host_new(&callbacks, &host, NULL));
    WELL(ha_crm_new(S("n1"), NULL, host, &crm, NULL));
    WELL(ha_crm_tick(crm, host, SECOND, 0, &next, &wait, NULL));
    WELL(ha_crm_tick(crm, host, 20 * SECOND, 0, &next, &wait, NULL));
    CHECK(world.reported > 0 && world.fed > 0);
    WELL(ha_crm_state(crm, &state, NULL));
    WELL(ha_host_free(host));
    end(&world, crm, NULL);
}

/* A stop that is asked for from inside of a tick takes effect when that ends. */
static int32_t asks_to_stop(void *context, ha_reply *reply)
{
    struct world *world = context;

    (void)reply;
    WELL(ha_crm_request_stop(world->crm, world->host, NULL));
    WELL(ha_lrm_request_stop(world->stopping, HA_STOP_RESTART, world->host, 2 * SECOND, 0, NULL));
    return HA_ANSWER_OK;
}

static void stops_from_inside(void)
{
    struct ha_callbacks callbacks;
    struct world world;
    ha_host *first;
    ha_lrm *lrm = NULL;
    uint64_t next;
    int32_t wait = 0, state = 0, mode = 0;
    int i;

    begin(&world, FENCING);
    first = world.host;
    callbacks = table(&world);
    callbacks.refresh = asks_to_stop;
    callbacks.destroy = NULL;
    WELL(ha_host_new(&callbacks, &world.host, NULL));
    WELL(ha_crm_new(S("n1"), NULL, world.host, &world.crm, NULL));
    WELL(ha_lrm_new(S("n1"), NULL, world.host, &lrm, NULL));
    world.stopping = lrm;
    GIVES(HA_ERROR_ARGUMENT, ha_crm_request_stop(world.crm, NULL, NULL));
    for (i = 1; i < 30; i++) {
        WELL(ha_crm_tick(world.crm, world.host, (uint64_t)i * SECOND, 0, &next, &wait, NULL));
        WELL(ha_lrm_tick(lrm, world.host, (uint64_t)i * SECOND, 0, &next, &state, NULL));
    }
    CHECK(wait == HA_WAIT_EXIT);
    WELL(ha_lrm_get_state(lrm, &state, &mode, NULL));
    CHECK(mode == HA_LRM_MODE_RESTART);
    WELL(ha_host_free(world.host));
    world.host = first;
    end(&world, world.crm, lrm);
}

/* A callback has failed if it ignores that what it handed back was refused. */
static int32_t garbled_members(void *context, ha_reply *reply)
{
    (void)context;
    WELL(ha_reply_member(reply, S("n1"), 1));
    GIVES(HA_ERROR_ARGUMENT, ha_reply_member(reply, S("n2"), HA_ANSWER_YES));
    return HA_ANSWER_OK;
}

static int32_t contradicts(void *context, ha_reply *reply)
{
    (void)context;
    WELL(ha_reply_json(reply, S("{}")));
    return HA_ANSWER_NONE;
}

static void garbled(void)
{
    struct ha_callbacks callbacks;
    struct world world;
    ha_host *host = NULL;
    ha_crm *crm = NULL;
    uint64_t next;
    int32_t wait = 0;
    int way;

    for (way = 0; way < 2; way++) {
        begin(&world, FENCING);
        callbacks = table(&world);
        callbacks.destroy = NULL;
        if (way == 0)
            callbacks.members = garbled_members;
        else
            callbacks.read_manager_status = contradicts;
        WELL(ha_host_new(&callbacks, &host, NULL));
        WELL(ha_crm_new(S("n1"), NULL, host, &crm, NULL));
        WELL(ha_crm_tick(crm, host, SECOND, 0, &next, &wait, NULL));
        WELL(ha_crm_tick(crm, host, 20 * SECOND, 0, &next, &wait, NULL));
        CHECK(world.reported > 0);
        WELL(ha_host_free(host));
        end(&world, crm, NULL);
    }
}

/* A NULL where a part of the table needs a callback is found when the host is made, and named. */
static void holes(void)
{
    static const struct { const char *name; size_t at; } needed[] = {
#define NEEDED(name) {#name, offsetof(struct ha_callbacks, name)}
        NEEDED(refresh), NEEDED(is_quorate), NEEDED(members), NEEDED(take_lock), NEEDED(release_lock), NEEDED(open_watchdog),
        NEEDED(feed_watchdog), NEEDED(close_watchdog), NEEDED(read_manager_status), NEEDED(read_configuration),
        NEEDED(write_manager_status), NEEDED(read_lrm_status), NEEDED(write_lrm_status), NEEDED(move_configuration),
        NEEDED(remove_groups), NEEDED(forget_fence_attempts),
        NEEDED(random_bytes), NEEDED(start_job), NEEDED(finished_jobs), NEEDED(knows_type),
        NEEDED(guest_node), NEEDED(is_running), NEEDED(start), NEEDED(stop), NEEDED(move_to),
    };
    struct ha_callbacks callbacks;
    struct world world;
    ha_host *host = NULL;
    ha_error *error = NULL;
    size_t i;

    begin(&world, FENCING);
    for (i = 0; i < sizeof needed / sizeof *needed; i++) {
        callbacks = table(&world);
        memset((char *)&callbacks + needed[i].at, 0, sizeof(void *));
        GIVES(HA_ERROR_ARGUMENT, ha_host_new(&callbacks, &host, &error));
        CHECK(host == NULL && error != NULL);
        if (!strstr(ha_error_message(error), needed[i].name))
            fprintf(stderr, "%s is not named: %s\n", needed[i].name, ha_error_message(error));
        CHECK(strstr(ha_error_message(error), needed[i].name) != NULL);
        ha_error_free(error);
        error = NULL;
    }
    CHECK(world.destroyed == 0);
    end(&world, NULL, NULL);
}

/* Several threads read through the same handles. */
struct shared {
    ha_configuration *configuration;
    ha_manager_status *status;
    ha_situation *situation;
    ha_event *event;
    ha_timings *timings;
};

static void *reads(void *argument)
{
    struct shared *shared = argument;
    struct ha_text text;
    struct ha_str kind;
    size_t count = 0;
    ha_manager_status *copy = NULL;
    ha_situation *own = NULL;
    ha_explanation *explanation = NULL;
    int i;

    for (i = 0; i < 200; i++) {
        WELL(ha_configuration_write(shared->configuration, HA_FILE_RESOURCES, &text, NULL));
        WELL(ha_text_free(&text));
        WELL(ha_manager_status_node_count(shared->status, &count, NULL));
        WELL(ha_manager_status_copy(shared->status, &copy, NULL));
        WELL(ha_manager_status_free(copy));
        WELL(ha_situation_new(shared->status, shared->configuration, NULL, 0, &own, NULL));
        WELL(ha_situation_free(own));
        WELL(ha_situation_explain(shared->situation, S("vm:100"), HA_PREFER_NONE, &explanation, NULL));
        WELL(ha_explanation_free(explanation));
        WELL(ha_event_text(shared->event, S("node"), &kind, NULL));
        CHECK(same(kind, "n1"));
        WELL(ha_timings_to_json(shared->timings, &text, NULL));
        WELL(ha_text_free(&text));
    }
    return NULL;
}

static void threads(void)
{
    struct shared shared;
    struct world world;
    pthread_t readers[4];
    size_t i;

    begin(&world, FENCING);
    shared.configuration = world.configuration;
    shared.status = world.manager;
    WELL(ha_situation_new(world.manager, world.configuration, NULL, 0, &shared.situation, NULL));
    WELL(ha_event_from_json(S("{\"event\":\"node_state\",\"node\":\"n1\",\"from\":\"online\",\"to\":\"unknown\"}"), &shared.event,
                            NULL));
    WELL(ha_timings_new(HA_TIMINGS_FAST, &shared.timings, NULL));
    for (i = 0; i < sizeof readers / sizeof *readers; i++)
        CHECK(pthread_create(&readers[i], NULL, reads, &shared) == 0);
    for (i = 0; i < sizeof readers / sizeof *readers; i++)
        CHECK(pthread_join(readers[i], NULL) == 0);
    WELL(ha_situation_free(shared.situation));
    WELL(ha_event_free(shared.event));
    WELL(ha_timings_free(shared.timings));
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
    figures();
    lent();
    stops_from_inside();
    garbled();
    holes();
    threads();
    return finish("host");
}
