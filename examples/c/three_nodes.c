/*
 * A complete host in one file: a store in files, and the CRM and LRM of three nodes in one process, through a failover.
 *
 *   three_nodes FOLDER
 *
 * FOLDER must be empty; everything that nodes share is written there, so that it can be looked at afterwards. Time is
 * virtual: it jumps to whatever is due next. A real host runs one node a process, sleeps until the next call, and has a
 * store, locks and a watchdog that hold what struct ha_callbacks says. The rest is as here.
 */
#include <ha.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND UINT64_C(1000000000)
#define LOCK_LIFETIME (120 * SECOND)
#define WATCHDOG_TIMEOUT (60 * SECOND)
#define NODES 3
#define GUESTS 2
#define NEVER UINT64_MAX

enum daemon { CRM, LRM };

/* What the two daemons of a node have to do with it. */
struct side {
    struct node *node;
    enum daemon daemon;
    ha_host *host;
    uint64_t next;     /* when it wants to be called */
    uint64_t watchdog; /* when its watchdog resets the node */
};

struct node {
    const char *name;
    int up;
    ha_crm *crm;
    ha_lrm *lrm;
    struct side side[2];
    ha_host *agent; /* for the jobs */
    int running[GUESTS];
};

static struct node nodes[NODES];
static const char *guests[GUESTS] = {"vm:100", "vm:101"};
static const char *folder;
static uint64_t now_ns;

/* --- the store in files --- */

static void path_of(char *path, size_t size, const char *name)
{
    snprintf(path, size, "%s/%s", folder, name);
}

/* Writes a file whole or not at all. */
static int store(const char *name, const char *text, size_t length)
{
    char path[4096], part[4104];
    FILE *file;
    int well;

    path_of(path, sizeof path, name);
    snprintf(part, sizeof part, "%s.part", path);
    file = fopen(part, "wb");
    if (!file)
        return 0;
    well = fwrite(text, 1, length, file) == length;
    well = fclose(file) == 0 && well;
    return well && rename(part, path) == 0;
}

/* Reads a file; NULL if there is none. It ends with a NUL. */
static char *load(const char *name, size_t *length)
{
    char path[4096];
    FILE *file;
    char *text;
    long size;

    path_of(path, sizeof path, name);
    file = fopen(path, "rb");
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
    *length = (size_t)size;
    return text;
}

static void name_with(char *name, size_t size, const char *prefix, const char *rest, size_t length)
{
    snprintf(name, size, "%s%.*s", prefix, (int)length, rest);
}

/* --- the cluster --- */

static int quorate(const struct node *node)
{
    int up = 0, i;

    for (i = 0; i < NODES; i++)
        up += nodes[i].up;
    return node->up && up * 2 > NODES;
}

static int32_t refuse(ha_reply *reply, const char *why)
{
    ha_reply_error(reply, why, strlen(why));
    return HA_ANSWER_FAILED;
}

static int32_t refresh(void *context, ha_reply *reply)
{
    (void)context;
    (void)reply;
    return HA_ANSWER_OK;
}

static int32_t is_quorate(void *context, ha_reply *reply)
{
    struct side *side = context;

    (void)reply;
    return quorate(side->node) ? HA_ANSWER_YES : HA_ANSWER_NO;
}

static int32_t members(void *context, ha_reply *reply)
{
    struct side *side = context;
    int i;

    for (i = 0; i < NODES; i++)
        ha_reply_member(reply, nodes[i].name, strlen(nodes[i].name), quorate(side->node) && nodes[i].up);
    return HA_ANSWER_OK;
}

/* A lock is a file with its holder and when its lease ends. */
static int32_t take_lock(void *context, const char *lock, size_t length, ha_reply *reply)
{
    struct side *side = context;
    char name[256], holder[64] = "", text[128];
    uint64_t ends = 0;
    size_t size;
    char *found;
    int32_t answer;

    if (!quorate(side->node))
        return HA_ANSWER_REFUSED;
    name_with(name, sizeof name, "", lock, length);
    found = load(name, &size);
    if (found) {
        sscanf(found, "%63s %" SCNu64, holder, &ends);
        free(found);
    }
    if (strcmp(holder, side->node->name) == 0 && ends > now_ns)
        answer = HA_ANSWER_RENEWED;
    else if (ends <= now_ns)
        answer = HA_ANSWER_ACQUIRED;
    else
        return HA_ANSWER_REFUSED;
    snprintf(text, sizeof text, "%s %" PRIu64 "\n", side->node->name, now_ns + LOCK_LIFETIME);
    return store(name, text, strlen(text)) ? answer : refuse(reply, "the lock can't be written");
}

static int32_t release_lock(void *context, const char *lock, size_t length, ha_reply *reply)
{
    struct side *side = context;
    char name[256], holder[64] = "";
    size_t size;
    char *found;

    name_with(name, sizeof name, "", lock, length);
    found = load(name, &size);
    if (found) {
        sscanf(found, "%63s", holder);
        free(found);
    }
    if (strcmp(holder, side->node->name) == 0 && !store(name, "", 0))
        return refuse(reply, "the lock can't be written");
    return HA_ANSWER_OK;
}

/* A real host reads its clock here once more, right before it touches the device. */
static int32_t feed_watchdog(void *context, uint64_t not_after, ha_reply *reply)
{
    struct side *side = context;

    (void)reply;
    if (now_ns > not_after)
        return HA_ANSWER_TOO_LATE;
    side->watchdog = now_ns + WATCHDOG_TIMEOUT;
    return HA_ANSWER_FED;
}

static int32_t close_watchdog(void *context, ha_reply *reply)
{
    struct side *side = context;

    (void)reply;
    side->watchdog = NEVER;
    return HA_ANSWER_OK;
}

/* --- records --- */

static int32_t read_record(const char *name, ha_reply *reply)
{
    size_t length;
    char *json = load(name, &length);

    if (!json)
        return HA_ANSWER_NONE;
    ha_reply_json(reply, json, length);
    free(json);
    return HA_ANSWER_OK;
}

static int32_t read_manager_status(void *context, ha_reply *reply)
{
    (void)context;
    return read_record("manager_status", reply);
}

static int32_t write_manager_status(void *context, const ha_manager_status *status, ha_reply *reply)
{
    struct side *side = context;
    struct ha_text json;
    int well;

    if (!quorate(side->node))
        return refuse(reply, "no quorum");
    if (ha_manager_status_to_json(status, &json, NULL) != HA_OK)
        return HA_ANSWER_FAILED;
    well = store("manager_status", json.data, json.length);
    ha_text_free(&json);
    return well ? HA_ANSWER_OK : refuse(reply, "the manager status can't be written");
}

static int32_t read_lrm_status(void *context, const char *node, size_t length, ha_reply *reply)
{
    char name[256];

    (void)context;
    name_with(name, sizeof name, "lrm_status_", node, length);
    return read_record(name, reply);
}

static int32_t write_lrm_status(void *context, const ha_lrm_status *status, ha_reply *reply)
{
    struct side *side = context;
    struct ha_text json;
    char name[256];
    int well;

    if (ha_lrm_status_to_json(status, &json, NULL) != HA_OK)
        return HA_ANSWER_FAILED;
    name_with(name, sizeof name, "lrm_status_", side->node->name, strlen(side->node->name));
    well = store(name, json.data, json.length);
    ha_text_free(&json);
    return well ? HA_ANSWER_OK : refuse(reply, "the LRM status can't be written");
}

/* The configuration is made again for each question. What did not change has the same digest, and costs the daemons nothing. */
static int32_t read_configuration(void *context, ha_reply *reply)
{
    ha_configuration *configuration = NULL;
    char name[256];
    size_t length;
    char *text;
    int i;

    (void)context;
    if (ha_configuration_new(&configuration, NULL) != HA_OK)
        return HA_ANSWER_FAILED;
    text = load("resources.cfg", &length);
    if (text)
        ha_configuration_read(configuration, HA_FILE_RESOURCES, text, length, NULL);
    free(text);
    for (i = 0; i < GUESTS; i++) {
        name_with(name, sizeof name, "guest-", guests[i], strlen(guests[i]));
        text = load(name, &length);
        if (text)
            ha_configuration_set_guest(configuration, guests[i], strlen(guests[i]), text, length, NULL);
        free(text);
    }
    ha_reply_configuration(reply, configuration);
    ha_configuration_free(configuration);
    return HA_ANSWER_OK;
}

static int32_t commands_waiting(void *context, ha_reply *reply)
{
    size_t length = 0;
    char *text = load("commands", &length);

    (void)context;
    (void)reply;
    free(text);
    return length > 0 ? HA_ANSWER_YES : HA_ANSWER_NO;
}

static int32_t take_commands(void *context, ha_reply *reply)
{
    size_t length;
    char *text = load("commands", &length), *line;

    (void)context;
    if (!text)
        return HA_ANSWER_OK;
    for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        ha_reply_text(reply, line, strlen(line));
    free(text);
    return store("commands", "", 0) ? HA_ANSWER_OK : refuse(reply, "the queue can't be emptied");
}

/* --- guests --- */

static int32_t move_configuration(void *context, const char *sid, size_t sid_length, const char *from, size_t from_length,
                                  const char *to, size_t to_length, ha_reply *reply)
{
    char name[256];

    (void)context;
    (void)from;
    (void)from_length;
    name_with(name, sizeof name, "guest-", sid, sid_length);
    return store(name, to, to_length) ? HA_ANSWER_OK : refuse(reply, "the guest can't be moved");
}

static int32_t no_leftover_locks(void *context, const char *sid, size_t sid_length, const char *node, size_t node_length,
                                 ha_reply *reply)
{
    (void)context;
    (void)sid;
    (void)sid_length;
    (void)node;
    (void)node_length;
    (void)reply;
    return HA_ANSWER_NONE;
}

static int32_t unmanaged_services(void *context, ha_reply *reply)
{
    (void)context;
    (void)reply;
    return HA_ANSWER_OK;
}

static int32_t random_bytes(void *context, ha_reply *reply)
{
    char bytes[16];
    FILE *file = fopen("/dev/urandom", "rb");
    int well;

    (void)context;
    if (!file)
        return refuse(reply, "no randomness");
    well = fread(bytes, 1, sizeof bytes, file) == sizeof bytes;
    fclose(file);
    if (!well)
        return refuse(reply, "no randomness");
    ha_reply_bytes(reply, bytes, sizeof bytes);
    return HA_ANSWER_OK;
}

/* Jobs are carried out at once. A host whose agents take their time answers HA_ANSWER_RUNNING, and tells the end later. */
static int32_t start_job(void *context, const ha_job *job, ha_reply *reply)
{
    struct side *side = context;
    int32_t exit_code;

    if (ha_job_run(job, side->node->name, strlen(side->node->name), side->node->agent, &exit_code, NULL) != HA_OK)
        return HA_ANSWER_FAILED;
    ha_reply_exit_code(reply, exit_code == HA_EXIT_SUCCESS ? HA_ANSWER_YES : HA_ANSWER_NO, exit_code);
    return HA_ANSWER_FINISHED;
}

static int32_t finished_jobs(void *context, ha_reply *reply)
{
    (void)context;
    (void)reply;
    return HA_ANSWER_OK;
}

static int guest_index(const char *sid, size_t length)
{
    int i;

    for (i = 0; i < GUESTS; i++)
        if (strlen(guests[i]) == length && memcmp(guests[i], sid, length) == 0)
            return i;
    return -1;
}

static int32_t knows_type(void *context, const char *type, size_t length, ha_reply *reply)
{
    (void)context;
    (void)reply;
    return length == 2 && memcmp(type, "vm", 2) == 0 ? HA_ANSWER_YES : HA_ANSWER_NO;
}

static int32_t guest_node(void *context, const char *sid, size_t length, ha_reply *reply)
{
    char name[256];
    size_t size;
    char *node;

    (void)context;
    name_with(name, sizeof name, "guest-", sid, length);
    node = load(name, &size);
    if (!node)
        return HA_ANSWER_NONE;
    ha_reply_text(reply, node, size);
    free(node);
    return HA_ANSWER_OK;
}

static int32_t is_running(void *context, const char *sid, size_t length, ha_reply *reply)
{
    struct side *side = context;
    int guest = guest_index(sid, length);

    (void)reply;
    return guest >= 0 && side->node->running[guest] ? HA_ANSWER_YES : HA_ANSWER_NO;
}

static int32_t start(void *context, const char *sid, size_t length, ha_reply *reply)
{
    struct side *side = context;
    int guest = guest_index(sid, length), i;

    for (i = 0; i < NODES; i++)
        if (nodes[i].running[guest])
            return refuse(reply, "it runs elsewhere");
    side->node->running[guest] = 1;
    return HA_ANSWER_OK;
}

static int32_t stop(void *context, const char *sid, size_t length, int64_t timeout, ha_reply *reply)
{
    struct side *side = context;

    (void)timeout;
    (void)reply;
    side->node->running[guest_index(sid, length)] = 0;
    return HA_ANSWER_OK;
}

static int32_t move_to(void *context, const char *sid, size_t length, const char *target, size_t target_length,
                       int32_t motion, ha_reply *reply)
{
    struct side *side = context;
    int guest = guest_index(sid, length), i;
    char name[256];

    name_with(name, sizeof name, "guest-", sid, length);
    for (i = 0; i < NODES; i++)
        if (motion == HA_MOTION_MIGRATE && strlen(nodes[i].name) == target_length &&
            memcmp(nodes[i].name, target, target_length) == 0)
            nodes[i].running[guest] = side->node->running[guest];
    side->node->running[guest] = 0;
    return store(name, target, target_length) ? HA_ANSWER_OK : refuse(reply, "the guest can't be moved");
}

/* --- what happens --- */

static void event(void *context, const ha_event *event)
{
    struct side *side = context;
    struct ha_text sentence;

    if (ha_event_sentence(event, &sentence, NULL) != HA_OK)
        return;
    printf("%4" PRIu64 "  %s/%s  %s\n", now_ns / SECOND, side->node->name, side->daemon == CRM ? "crm" : "lrm",
           sentence.data);
    ha_text_free(&sentence);
}

static void die(const char *what, ha_error *error)
{
    fprintf(stderr, "%s: %s\n", what, error ? ha_error_message(error) : "failed");
    ha_error_free(error);
    exit(1);
}

static ha_host *new_host(struct side *side)
{
    struct ha_callbacks callbacks;
    ha_error *error = NULL;
    ha_host *host = NULL;

    memset(&callbacks, 0, sizeof callbacks);
    callbacks.size = sizeof callbacks;
    callbacks.context = side;
    callbacks.event = event;
    callbacks.refresh = refresh;
    callbacks.is_quorate = is_quorate;
    callbacks.members = members;
    callbacks.take_lock = take_lock;
    callbacks.release_lock = release_lock;
    callbacks.open_watchdog = feed_watchdog;
    callbacks.feed_watchdog = feed_watchdog;
    callbacks.close_watchdog = close_watchdog;
    callbacks.read_manager_status = read_manager_status;
    callbacks.write_manager_status = write_manager_status;
    callbacks.read_lrm_status = read_lrm_status;
    callbacks.write_lrm_status = write_lrm_status;
    callbacks.read_configuration = read_configuration;
    callbacks.commands_waiting = commands_waiting;
    callbacks.take_commands = take_commands;
    callbacks.move_configuration = move_configuration;
    callbacks.remove_leftover_locks = no_leftover_locks;
    callbacks.unmanaged_services = unmanaged_services;
    callbacks.random_bytes = random_bytes;
    callbacks.start_job = start_job;
    callbacks.finished_jobs = finished_jobs;
    callbacks.knows_type = knows_type;
    callbacks.guest_node = guest_node;
    callbacks.is_running = is_running;
    callbacks.start = start;
    callbacks.stop = stop;
    callbacks.move_to = move_to;
    if (ha_host_new(&callbacks, &host, &error) != HA_OK)
        die("host", error);
    return host;
}

static void power_on(struct node *node, const char *name)
{
    ha_error *error = NULL;
    int daemon;

    memset(node, 0, sizeof *node);
    node->name = name;
    node->up = 1;
    for (daemon = CRM; daemon <= LRM; daemon++) {
        node->side[daemon].node = node;
        node->side[daemon].daemon = (enum daemon)daemon;
        node->side[daemon].watchdog = NEVER;
        node->side[daemon].next = now_ns;
        node->side[daemon].host = new_host(&node->side[daemon]);
    }
    node->agent = new_host(&node->side[LRM]);
    if (ha_crm_new(name, strlen(name), NULL, node->side[CRM].host, &node->crm, &error) != HA_OK)
        die("CRM", error);
    if (ha_lrm_new(name, strlen(name), NULL, node->side[LRM].host, &node->lrm, &error) != HA_OK)
        die("LRM", error);
}

/* Everything of the node is gone at once, without a word to anybody. */
static void power_off(struct node *node)
{
    int daemon;

    node->up = 0;
    memset(node->running, 0, sizeof node->running);
    ha_crm_free(node->crm);
    ha_lrm_free(node->lrm);
    ha_host_free(node->agent);
    node->crm = NULL;
    node->lrm = NULL;
    node->agent = NULL;
    for (daemon = CRM; daemon <= LRM; daemon++) {
        ha_host_free(node->side[daemon].host);
        node->side[daemon].host = NULL;
        node->side[daemon].next = NEVER;
        node->side[daemon].watchdog = NEVER;
    }
}

static void call_daemon(struct side *side)
{
    struct node *node = side->node;
    ha_error *error = NULL;
    int64_t wall = 1700000000 + (int64_t)(now_ns / SECOND);
    ha_status status;
    int32_t wait;

    if (side->daemon == CRM)
        status = ha_crm_tick(node->crm, side->host, now_ns, wall, &side->next, &wait, &error);
    else
        status = ha_lrm_tick(node->lrm, side->host, now_ns, wall, &side->next, &wait, &error);
    if (status != HA_OK) {
        /* After a bug nothing is fed any more: the watchdog resets the node. */
        fprintf(stderr, "%s: %s\n", node->name, ha_error_message(error));
        ha_error_free(error);
        side->next = NEVER;
    }
}

/* Lets everything happen that is due until a moment. */
static void run_until(uint64_t end)
{
    for (;;) {
        struct side *due = NULL;
        uint64_t at = end;
        int i, daemon, expired = 0;

        for (i = 0; i < NODES; i++)
            for (daemon = CRM; daemon <= LRM; daemon++) {
                struct side *side = &nodes[i].side[daemon];
                uint64_t next = side->next < side->watchdog ? side->next : side->watchdog;

                if (nodes[i].up && next <= end && (!due || next < at)) {
                    due = side;
                    at = next;
                    expired = side->watchdog < side->next;
                }
            }
        if (!due)
            break;
        now_ns = at > now_ns ? at : now_ns;
        if (expired) {
            printf("%4" PRIu64 "  the watchdog resets %s\n", now_ns / SECOND, due->node->name);
            power_off(due->node);
        } else {
            call_daemon(due);
        }
    }
    now_ns = end;
}

static void tell_guests(void)
{
    int guest, i;

    for (guest = 0; guest < GUESTS; guest++) {
        printf("%4" PRIu64 "  %s runs on", now_ns / SECOND, guests[guest]);
        for (i = 0; i < NODES; i++)
            if (nodes[i].running[guest])
                printf(" %s", nodes[i].name);
        printf("\n");
    }
}

int main(int argc, char **argv)
{
    static const char *names[NODES] = {"alpha", "beta", "gamma"};
    static const char resources[] = "vm: 100\n\tcomment mail\n\nvm: 101\n\tcomment web\n\n";
    int i;

    if (argc != 2) {
        fprintf(stderr, "usage: %s EMPTY-FOLDER\n", argv[0]);
        return 2;
    }
    folder = argv[1];
    if (!store("resources.cfg", resources, sizeof resources - 1) || !store("guest-vm:100", "gamma", 5) ||
        !store("guest-vm:101", "beta", 4)) {
        fprintf(stderr, "%s can't be written to\n", folder);
        return 1;
    }
    for (i = 0; i < NODES; i++)
        power_on(&nodes[i], names[i]);
    run_until(60 * SECOND);
    tell_guests();
    printf("%4d  somebody pulls the plug of gamma\n", 60);
    power_off(&nodes[2]);
    run_until(300 * SECOND);
    tell_guests();
    printf("%4d  gamma is back; vm:101 is to go there\n", 300);
    power_on(&nodes[2], names[2]);
    store("commands", "migrate vm:101 gamma\n", 21);
    run_until(360 * SECOND);
    tell_guests();
    for (i = 0; i < NODES; i++)
        power_off(&nodes[i]);
    return ha_live_handles() == 0 && ha_live_texts() == 0 ? 0 : 1;
}
