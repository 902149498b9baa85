/* Jobs: their steps, what workers hand back, and guests that are locked or hang. */
#include "world.h"

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

/* What a worker hands back reaches the record of the LRM, and a 0 alone is no success. */
static void workers(void)
{
    static const struct { int32_t worked, exit_code, recorded; } ends[] = {
        {HA_ANSWER_YES, HA_EXIT_SUCCESS, HA_EXIT_SUCCESS}, {HA_ANSWER_NO, HA_EXIT_WRONG_NODE, HA_EXIT_WRONG_NODE},
        {HA_ANSWER_YES, HA_EXIT_WRONG_NODE, HA_EXIT_WRONG_NODE}, {0, 0, HA_EXIT_ERROR}, {HA_ANSWER_NO, 0, HA_EXIT_ERROR},
        {1, 0, HA_EXIT_ERROR}, {HA_ANSWER_NO, HA_EXIT_KILLED, HA_EXIT_KILLED},
    };
    struct ha_result result;
    struct world world;
    uint64_t now, next;
    ha_lrm *lrm = NULL;
    int32_t wait;
    size_t i;

    for (i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        begin(&world, FENCING);
        world.worker.works = 1;
        world.worker.worked = ends[i].worked;
        world.worker.exit_code = ends[i].exit_code;
        WELL(ha_lrm_new(S("n1"), NULL, world.host, &lrm, NULL));
        for (now = SECOND; now < 60 * SECOND; now += SECOND)
            WELL(ha_lrm_tick(lrm, world.host, now, 1700000000, &next, &wait, NULL));
        if (WELL(ha_lrm_status_find(world.lrm, S("a"), &result, NULL)))
            CHECK(result.exit_code == ends[i].recorded);
        ha_job_free(world.worker.job);
        end(&world, NULL, lrm);
    }
}

static int32_t is_locked(void *context, const char *sid, size_t length, ha_reply *reply)
{
    (void)context;
    (void)sid;
    (void)length;
    WELL(ha_reply_text(reply, S("backup")));
    return HA_ANSWER_LOCKED;
}

static int32_t locked_by(void *context, const char *sid, size_t length, ha_reply *reply)
{
    CHECK(is_locked(context, sid, length, reply) == HA_ANSWER_LOCKED);
    return HA_ANSWER_OK;
}

static int32_t half_a_minute(void *context, const ha_job *job, ha_reply *reply)
{
    (void)context;
    CHECK(job != NULL);
    CHECK(ha_reply_seconds(reply, 30) == HA_OK);
    return HA_ANSWER_OK;
}

static int32_t ends_job(void *context, uint64_t id, ha_reply *reply)
{
    struct world *world = context;

    (void)reply;
    CHECK(id > 0);
    world->reported++;
    return HA_ANSWER_OK;
}

static int32_t only_held(void *context, const char *lock, size_t length, ha_reply *reply)
{
    (void)context;
    (void)lock;
    (void)length;
    (void)reply;
    return HA_ANSWER_HELD;
}

/* A lock of a guest is no failure, the record names it; a job has the time that the host says, then the host must end it. */
static void patience(void)
{
    struct ha_callbacks callbacks;
    struct ha_job_fields fields = {0};
    struct ha_result result;
    struct world world;
    uint64_t now, next;
    ha_host *agent = NULL, *host = NULL;
    ha_job *job = NULL;
    ha_lrm *lrm = NULL;
    ha_text json = {0};
    int32_t exit_code = 0, wait, answer = 0, looks = 1;

    begin(&world, FENCING);
    callbacks = table(&world);
    callbacks.destroy = NULL;
    callbacks.start = is_locked;
    WELL(ha_host_new(&callbacks, &agent, NULL));
    fields.id = 1;
    fields.sid.data = "vm:100";
    fields.sid.length = 6;
    fields.command = HA_SERVICE_STARTED;
    fields.timeout = -1;
    WELL(ha_job_new(&fields, &job, NULL));
    WELL(ha_job_only_looks(job, &looks, NULL));
    CHECK(looks == 0);
    WELL(ha_job_run(job, S("n1"), agent, &exit_code, NULL));
    CHECK(exit_code == HA_EXIT_TRY_AGAIN);
    WELL(ha_job_free(job));

    callbacks.guest_lock = locked_by;
    callbacks.take_lock = only_held;
    callbacks.job_time_limit = half_a_minute;
    callbacks.end_job = ends_job;
    WELL(ha_host_new(&callbacks, &host, NULL));
    WELL(ha_lrm_new(S("n1"), NULL, host, &lrm, NULL));
    ha_host_free(world.agent);
    world.agent = agent;
    for (now = SECOND; now < 40 * SECOND; now += SECOND)
        WELL(ha_lrm_tick(lrm, host, now, 1700000000, &next, &wait, NULL));
    CHECK(ha_lrm_status_find(world.lrm, S("a"), &result, NULL) == HA_NONE);
    WELL(ha_lrm_status_to_json(world.lrm, &json, NULL));
    CHECK(strstr(json.data, "\"lock\":\"backup\"") != NULL);
    ha_text_free(&json);

    world.worker.works = 1;
    world.reported = 0;
    for (; now < 150 * SECOND; now += SECOND) {
        if (world.worker.job) {
            ha_job_free(world.worker.job);
            world.worker.job = NULL;
        }
        WELL(ha_lrm_tick(lrm, host, now, 1700000000, &next, &wait, NULL));
    }
    CHECK(world.reported > 0);
    WELL(ha_lock_answer_by_writer(1, S("w"), S("w"), &answer, NULL));
    CHECK(answer == HA_ANSWER_RENEWED);
    WELL(ha_lock_answer_by_writer(1, NULL, 0, S("w"), &answer, NULL));
    CHECK(answer == HA_ANSWER_ACQUIRED);
    WELL(ha_lock_answer_by_writer(0, S("w"), S("w"), &answer, NULL));
    CHECK(answer == HA_ANSWER_REFUSED);
    GIVES(HA_ERROR_ARGUMENT, ha_lock_answer_by_writer(1, S("w"), NULL, 0, &answer, NULL));
    WELL(ha_host_free(host));
    end(&world, NULL, lrm);
}

int main(void)
{
    jobs();
    workers();
    patience();
    return finish("jobs");
}
