/* Every part of the interface used well, and used wrongly where that can be found out. */
#include "test.h"

static const char RESOURCES[] = "vm: 100\n\tmax_restart 2\n\nct: 101\n\tcolour blue\n\nvm: 102\n\n";
static const char RULES[] = "resource-affinity: apart\n\tresources vm:100,vm:102\n\taffinity negative\n\n"
                            "resource-affinity: alone\n\tresources vm:100\n\taffinity positive\n\n";

static ha_configuration *configuration(void)
{
    ha_configuration *made = NULL;

    WELL(ha_configuration_new(&made, NULL));
    WELL(ha_configuration_read(made, HA_FILE_RESOURCES, S(RESOURCES), NULL));
    WELL(ha_configuration_read(made, HA_FILE_RULES, S(RULES), NULL));
    WELL(ha_configuration_set_guest(made, S("vm:100"), S("n1"), NULL));
    WELL(ha_configuration_set_guest(made, S("vm:102"), S("n2"), NULL));
    return made;
}

static void put_service(ha_manager_status *status, const char *sid, const char *node, int32_t state, const char *target)
{
    struct ha_service service;

    memset(&service, 0, sizeof service);
    service.sid = str(sid);
    service.node = str(node);
    service.target = str(target);
    service.uid = str("u1");
    service.state = state;
    service.running = state == HA_SERVICE_STARTED;
    service.timeout = -1;
    WELL(ha_manager_status_set_service(status, &service, NULL));
}

static ha_manager_status *manager_status(void)
{
    ha_manager_status *made = NULL;

    WELL(ha_manager_status_new(&made, NULL));
    WELL(ha_manager_status_set_node(made, S("n1"), HA_NODE_ONLINE, NULL));
    WELL(ha_manager_status_set_node(made, S("n2"), HA_NODE_ONLINE, NULL));
    WELL(ha_manager_status_set_node(made, S("n3"), HA_NODE_ONLINE, NULL));
    put_service(made, "vm:100", "n1", HA_SERVICE_STARTED, NULL);
    put_service(made, "vm:102", "n2", HA_SERVICE_STARTED, NULL);
    return made;
}

static void library(void)
{
    int32_t order = 0;

    CHECK(ha_abi_version() == HA_ABI_VERSION);
    CHECK(strlen(ha_version()) > 0);
    CHECK(ha_live_handles() == 0 && ha_live_texts() == 0);
    WELL(ha_compare_versions(S("9.0.0~16"), S("9.0.0"), &order, NULL));
    CHECK(order == -1);
    WELL(ha_decide_lock(S("node1"), S("node1"), HA_HAND_OWN, 1, 10, 10, 0, &order, NULL));
    CHECK(order == HA_LOCK_RENEWED);
    WELL(ha_decide_lock(S("node1"), S("node1"), HA_HAND_ANOTHER, 0, 10, 10, 9, &order, NULL));
    CHECK(order == HA_LOCK_REFUSED && strcmp(ha_lock_decision_name(order), "refused") == 0);
    WELL(ha_decide_lock(S("node1"), S("node1"), HA_HAND_ANOTHER, 1, 10, 10, 9, &order, NULL));
    CHECK(order == HA_LOCK_TWIN && ha_lock_decision_name(0) == NULL);
    WELL(ha_decide_lock(S("node1"), S(""), HA_HAND_ANOTHER, 0, 10, 10, 0, &order, NULL));
    CHECK(order == HA_LOCK_ACQUIRED);
    WELL(ha_decide_lock(S("node1"), S(""), 0, 0, 10, 10, 9, &order, NULL));
    CHECK(order == HA_LOCK_REFUSED && strcmp(ha_hand_name(HA_HAND_PREDECESSOR), "predecessor") == 0);
    CHECK(ha_decide_lock(S("node1"), S("node1"), 4, 0, 10, 10, 9, &order, NULL) == HA_ERROR_ARGUMENT);
    CHECK(strcmp(ha_node_state_name(HA_NODE_FENCE), "fence") == 0);
    CHECK(ha_node_state_name(0) == NULL && ha_node_state_name(99) == NULL);
    CHECK(strcmp(ha_service_state_name(HA_SERVICE_STARTED), "started") == 0);
    CHECK(strcmp(ha_lrm_state_name(HA_LRM_ACTIVE), "active") == 0);
    CHECK(strcmp(ha_lrm_mode_name(HA_LRM_MODE_DISARM), "disarm") == 0);
    CHECK(strcmp(ha_daemon_state_name(HA_DAEMON_MASTER), "master") == 0);
    CHECK(strcmp(ha_requested_state_name(HA_REQUESTED_IGNORED), "ignored") == 0);
    CHECK(strcmp(ha_motion_name(HA_MOTION_RELOCATE), "relocate") == 0);
    CHECK(strcmp(ha_preference_name(HA_PREFER_NEXT), "try_next") == 0);
    CHECK(strcmp(ha_decider_name(HA_DECIDED_BY_STAY), "stay") == 0);
    CHECK(strcmp(ha_disarm_mode_name(HA_DISARM_IGNORE), "ignore") == 0);
    CHECK(strcmp(ha_severity_name(HA_SEVERITY_WARNING), "warning") == 0);
    CHECK(strcmp(ha_stop_request_name(HA_STOP_NODE_REBOOT), "node_reboot") == 0);
}

static void texts(void)
{
    ha_configuration *made = configuration();
    struct ha_text text = {NULL, 0}, copy;
    char own[] = "not ours";

    WELL(ha_configuration_digest(made, HA_FILE_RESOURCES, &text, NULL));
    CHECK(text.length == 40 && text.data[40] == '\0');
    copy = text;
    WELL(ha_text_free(&text));
    CHECK(text.data == NULL);
    WELL(ha_text_free(&text));
    WELL(ha_text_free(NULL));
    GIVES(HA_ERROR_ARGUMENT, ha_text_free(&copy));
    text.data = own;
    GIVES(HA_ERROR_ARGUMENT, ha_text_free(&text));
    WELL(ha_configuration_free(made));
}

static void errors(void)
{
    ha_configuration *made = configuration();
    ha_error *error = NULL;

    GIVES(HA_ERROR_NAME, ha_configuration_set_guest(made, S("no sid"), S("n1"), &error));
    CHECK(ha_error_status(error) == HA_ERROR_NAME);
    CHECK(strstr(ha_error_message(error), "no sid") != NULL);
    CHECK(ha_error_line(error) == 0 && *ha_error_section(error) == '\0' && *ha_error_field(error) == '\0');
    CHECK(*ha_error_kind(error) == '\0' && *ha_error_details(error) == '\0');
    WELL(ha_error_free(error));
    GIVES(HA_ERROR_HANDLE, ha_error_free(error));
    CHECK(ha_error_status(error) == HA_ERROR_HANDLE && *ha_error_message(error) == '\0' && ha_error_line(error) == 0);
    WELL(ha_error_free(NULL));
    /* It may be left out. */
    GIVES(HA_ERROR_NAME, ha_configuration_set_guest(made, S("no sid"), S("n1"), NULL));
    GIVES(HA_ERROR_ARGUMENT, ha_configuration_set_guest(made, "\xff\xfe", 2, S("n1"), NULL));
    GIVES(HA_ERROR_ARGUMENT, ha_configuration_set_guest(made, NULL, 3, S("n1"), NULL));
    GIVES(HA_ERROR_ARGUMENT, ha_configuration_set_guest(made, "x", SIZE_MAX, S("n1"), NULL));
    WELL(ha_configuration_free(made));
}

static void configurations(void)
{
    ha_configuration *made = configuration(), *copy = NULL;
    ha_error *error = NULL;
    ha_edit *edit = NULL;
    struct ha_text text, id = {NULL, 0};
    struct ha_str type, name, node = str("n1");
    size_t count = 0;

    WELL(ha_configuration_problem_count(made, HA_FILE_RESOURCES, &count, NULL));
    CHECK(count == 1);
    WELL(ha_configuration_problem(made, HA_FILE_RESOURCES, 0, &error, NULL));
    CHECK(ha_error_line(error) == 5 && strcmp(ha_error_kind(error), "unknown_property") == 0);
    CHECK(strcmp(ha_error_section(error), "ct: 101") == 0 && strcmp(ha_error_field(error), "colour") == 0);
    WELL(ha_error_free(error));
    GIVES(HA_ERROR_NOT_FOUND, ha_configuration_problem(made, HA_FILE_RESOURCES, 1, &error, NULL));
    WELL(ha_configuration_section_count(made, HA_FILE_RESOURCES, &count, NULL));
    CHECK(count == 3);
    WELL(ha_configuration_section(made, HA_FILE_RESOURCES, 1, &type, &name, NULL));
    CHECK(same(type, "ct") && same(name, "101"));
    GIVES(HA_ERROR_NOT_FOUND, ha_configuration_section(made, HA_FILE_RESOURCES, 3, &type, &name, NULL));
    WELL(ha_configuration_property(made, HA_FILE_RESOURCES, S("vm:100"), S("max_restart"), &text, NULL));
    CHECK(strcmp(text.data, "2") == 0);
    WELL(ha_text_free(&text));
    GIVES(HA_NONE, ha_configuration_property(made, HA_FILE_RESOURCES, S("vm:100"), S("comment"), &text, NULL));
    CHECK(text.data == NULL);
    GIVES(HA_ERROR_NOT_FOUND, ha_configuration_property(made, HA_FILE_RULES, S("none"), S("nodes"), &text, NULL));
    WELL(ha_configuration_property(made, HA_FILE_DATACENTER, NULL, 0, S("scheduler.mode"), &text, NULL));
    CHECK(strcmp(text.data, "basic") == 0);
    WELL(ha_text_free(&text));
    GIVES(HA_ERROR_NOT_FOUND, ha_configuration_property(made, HA_FILE_DATACENTER, NULL, 0, S("x"), &text, NULL));
    GIVES(HA_ERROR_ARGUMENT, ha_configuration_read(made, 0, S(""), NULL));
    GIVES(HA_ERROR_ARGUMENT, ha_configuration_read(made, 99, S(""), NULL));
    GIVES(HA_ERROR_ARGUMENT, ha_configuration_write(made, HA_FILE_FENCE, &text, NULL));
    GIVES(HA_NONE, ha_configuration_digest(made, HA_FILE_FENCE, &text, NULL));
    GIVES(HA_NONE, ha_configuration_fence_report(made, &node, 1, &text, NULL));
    WELL(ha_configuration_read(made, HA_FILE_FENCE, S("device d fence_x\nconnect d node=n1\n"), NULL));
    WELL(ha_configuration_fence_report(made, &node, 1, &text, NULL));
    CHECK(strstr(text.data, "fence_x") != NULL);
    WELL(ha_text_free(&text));
    WELL(ha_configuration_shadowed_groups(made, &text, NULL));
    CHECK(strcmp(text.data, "[]") == 0);
    WELL(ha_text_free(&text));
    GIVES(HA_ERROR_CONTENT, ha_configuration_read_datacenter_json(made, S("{"), NULL));
    GIVES(HA_ERROR_ARGUMENT, ha_configuration_add_service_type(made, S("proc"), 0, NULL));
    GIVES(HA_ERROR_NAME, ha_configuration_add_service_type(made, S("Proc x"), HA_NAMES_ANY, NULL));
    WELL(ha_configuration_add_service_type(made, S("fa"), HA_NAMES_DIGITS, NULL));
    WELL(ha_configuration_copy(made, &copy, NULL));

    WELL(ha_edit_new(HA_EDIT_ADD_RESOURCE, S("200"), &edit, NULL));
    WELL(ha_edit_guest(edit, S("200"), S("vm"), NULL));
    WELL(ha_edit_set(edit, S("comment"), S("new"), NULL));
    WELL(ha_configuration_edit(made, edit, &id, NULL));
    CHECK(strcmp(id.data, "vm:200") == 0);
    WELL(ha_text_free(&id));
    GIVES(HA_ERROR_EDIT, ha_configuration_edit(made, edit, NULL, &error));
    CHECK(strcmp(ha_error_kind(error), "already_exists") == 0);
    WELL(ha_error_free(error));
    WELL(ha_edit_free(edit));
    WELL(ha_edit_new(HA_EDIT_DATACENTER, NULL, 0, &edit, NULL));
    WELL(ha_edit_set(edit, S("max_workers"), S("7"), NULL));
    WELL(ha_configuration_edit(made, edit, NULL, NULL));
    WELL(ha_edit_set(edit, S("crs.ha"), S("fancy"), NULL));
    GIVES(HA_ERROR_EDIT, ha_configuration_edit(made, edit, NULL, &error));
    CHECK(strcmp(ha_error_field(error), "crs.ha") == 0);
    WELL(ha_error_free(error));
    WELL(ha_edit_seen(edit, S("0000000000000000000000000000000000000000"), NULL));
    GIVES(HA_ERROR_EDIT, ha_configuration_edit(made, edit, NULL, &error));
    CHECK(strcmp(ha_error_kind(error), "digest_mismatch") == 0);
    WELL(ha_error_free(error));
    GIVES(HA_ERROR_ARGUMENT, ha_edit_seen(edit, S("0"), NULL));
    WELL(ha_configuration_write(made, HA_FILE_DATACENTER, &text, NULL));
    CHECK(strcmp(text.data, "max_workers: 7\n") == 0);
    WELL(ha_text_free(&text));
    GIVES(HA_ERROR_ARGUMENT, ha_edit_new(0, S("x"), &edit, NULL));
    /* The copy is as it was, and outlives what it was made from. */
    WELL(ha_configuration_free(made));
    WELL(ha_configuration_section_count(copy, HA_FILE_RESOURCES, &count, NULL));
    CHECK(count == 3);
    WELL(ha_configuration_guest_count(copy, &count, NULL));
    CHECK(count == 2);
    WELL(ha_configuration_guest(copy, 1, &name, &node, NULL));
    CHECK(same(name, "vm:102") && same(node, "n2"));
    GIVES(HA_ERROR_NOT_FOUND, ha_configuration_guest(copy, 2, &name, &node, NULL));
    WELL(ha_configuration_guest_node(copy, S("vm:100"), &node, NULL));
    CHECK(same(node, "n1"));
    GIVES(HA_NONE, ha_configuration_guest_node(copy, S("vm:101"), &node, NULL));
    CHECK(node.data == NULL);
    GIVES(HA_ERROR_NAME, ha_configuration_guest_node(copy, S("no sid"), &node, NULL));
    WELL(ha_configuration_clear_guests(copy, NULL));
    WELL(ha_configuration_guest_count(copy, &count, NULL));
    CHECK(count == 0);
    WELL(ha_configuration_free(copy));
    WELL(ha_edit_free(edit));
}

static void rules(void)
{
    ha_configuration *made = configuration();
    ha_rules *found = NULL;
    ha_error *finding = NULL;
    struct ha_str nodes[2];
    struct ha_text text;
    size_t count = 0;

    nodes[0] = str("n1");
    nodes[1] = str("n2");
    WELL(ha_rules_new(made, nodes, 2, &found, NULL));
    WELL(ha_configuration_free(made));
    WELL(ha_rules_dropped_count(found, &count, NULL));
    CHECK(count == 1);
    WELL(ha_rules_dropped(found, 0, &finding, NULL));
    CHECK(strcmp(ha_error_section(finding), "alone") == 0);
    CHECK(strcmp(ha_error_kind(finding), "fewer_than_two_resources") == 0);
    WELL(ha_error_free(finding));
    GIVES(HA_ERROR_NOT_FOUND, ha_rules_dropped(found, 1, &finding, NULL));
    WELL(ha_rules_why_apart(found, S("vm:100"), S("vm:102"), &text, NULL));
    CHECK(strcmp(text.data, "[\"apart\"]") == 0);
    WELL(ha_text_free(&text));
    WELL(ha_rules_why_together(found, S("vm:100"), S("vm:102"), &text, NULL));
    CHECK(strcmp(text.data, "[]") == 0);
    WELL(ha_text_free(&text));
    nodes[1] = str("no node!");
    GIVES(HA_ERROR_HANDLE, ha_rules_new(made, nodes, 1, &found, NULL));
    GIVES(HA_ERROR_NAME, ha_rules_new(made, nodes, 2, &found, NULL));
    GIVES(HA_ERROR_ARGUMENT, ha_rules_new(made, NULL, 2, &found, NULL));
    WELL(ha_rules_free(found));
}

static void placement(void)
{
    ha_configuration *made = configuration();
    ha_manager_status *status = manager_status();
    ha_situation *situation = NULL;
    ha_explanation *explanation = NULL;
    ha_recoveries *recoveries = NULL;
    ha_usage *usage = NULL;
    struct ha_node_explanation node;
    struct ha_recovery recovery;
    struct ha_str failed = str("n1"), nobody = str("n9"), chosen;
    struct ha_text text;
    char answer[16];
    size_t length = 0, count = 0;
    int32_t by = 0;

    WELL(ha_situation_new(status, made, NULL, 0, &situation, NULL));
    WELL(ha_configuration_free(made));
    WELL(ha_manager_status_free(status));
    WELL(ha_situation_select(situation, S("vm:100"), HA_PREFER_NONE, answer, sizeof answer, &length, NULL));
    CHECK(length == 2 && strcmp(answer, "n1") == 0);
    WELL(ha_situation_select(situation, S("vm:100"), HA_PREFER_BEST, answer, sizeof answer, &length, NULL));
    CHECK(strcmp(answer, "n3") == 0);
    WELL(ha_situation_select(situation, S("vm:100"), HA_PREFER_BEST, answer, 2, &length, NULL));
    GIVES(HA_ERROR_ARGUMENT, ha_situation_select(situation, S("vm:100"), HA_PREFER_BEST, answer, 1, &length, NULL));
    GIVES(HA_ERROR_ARGUMENT, ha_situation_select(situation, S("vm:100"), 0, answer, 16, &length, NULL));
    GIVES(HA_ERROR_NOT_FOUND, ha_situation_select(situation, S("vm:999"), HA_PREFER_BEST, answer, 16, &length, NULL));
    WELL(ha_situation_add_unmanaged(situation, S("vm:900"), S("n3"), 1, NULL));
    WELL(ha_usage_new(&usage, NULL));
    WELL(ha_usage_set_node(usage, S("n1"), 16, 1u << 30, 1.5, 1u << 20, NULL));
    WELL(ha_usage_set_service(usage, S("vm:100"), 2, 1u << 20, 0.5, 1u << 10, NULL));
    WELL(ha_situation_set_usage(situation, usage, NULL));
    WELL(ha_situation_set_usage(situation, NULL, NULL));
    WELL(ha_usage_free(usage));
    WELL(ha_situation_explain(situation, S("vm:100"), HA_PREFER_BEST, &explanation, NULL));
    WELL(ha_explanation_answer(explanation, &chosen, &by, NULL));
    CHECK(same(chosen, "n1") && by == HA_DECIDED_BY_LOWEST_LOAD);
    WELL(ha_explanation_node_count(explanation, &count, NULL));
    CHECK(count == 3);
    WELL(ha_explanation_node(explanation, 1, &node, NULL));
    CHECK(same(node.node, "n2") && node.fate == HA_FATE_KEPT_APART && node.rank == 0 && node.score == -1);
    GIVES(HA_ERROR_NOT_FOUND, ha_explanation_node(explanation, 3, &node, NULL));
    WELL(ha_explanation_json(explanation, &text, NULL));
    CHECK(strstr(text.data, "kept_apart") != NULL);
    WELL(ha_text_free(&text));
    WELL(ha_explanation_words(explanation, &text, NULL));
    CHECK(text.length > 0);
    WELL(ha_text_free(&text));
    WELL(ha_explanation_free(explanation));
    WELL(ha_situation_explain_with(situation, S("vm:100"), HA_PREFER_NONE, S("[{\"change\":\"ask_for_best\"}]"),
                                   &explanation, NULL));
    WELL(ha_explanation_free(explanation));
    GIVES(HA_ERROR_CONTENT,
          ha_situation_explain_with(situation, S("vm:100"), HA_PREFER_NONE, S("[1]"), &explanation, NULL));
    WELL(ha_situation_counterfactual(situation, S("vm:100"), HA_PREFER_BEST, S("n2"), &text, NULL));
    CHECK(strstr(text.data, "\"leave\"") != NULL);
    WELL(ha_text_free(&text));
    GIVES(HA_ERROR_NOT_FOUND,
          ha_situation_counterfactual(situation, S("vm:100"), HA_PREFER_BEST, S("n9"), &text, NULL));
    WELL(ha_situation_balance(situation, NULL, 3, &text, NULL));
    CHECK(strstr(text.data, "\"off\"") != NULL);
    WELL(ha_text_free(&text));
    WELL(ha_situation_findings(situation, &text, NULL));
    CHECK(text.data[0] == '[');
    WELL(ha_text_free(&text));
    GIVES(HA_ERROR_NOT_FOUND, ha_situation_after_failure(situation, &nobody, 1, &recoveries, NULL));
    WELL(ha_situation_after_failure(situation, &failed, 1, &recoveries, NULL));
    WELL(ha_situation_free(situation));
    WELL(ha_recoveries_count(recoveries, &count, NULL));
    CHECK(count == 1);
    WELL(ha_recoveries_get(recoveries, 0, &recovery, NULL));
    CHECK(same(recovery.sid, "vm:100") && same(recovery.from, "n1") && same(recovery.to, "n3"));
    GIVES(HA_ERROR_NOT_FOUND, ha_recoveries_get(recoveries, 1, &recovery, NULL));
    WELL(ha_recoveries_free(recoveries));
}

static void records(void)
{
    ha_manager_status *status = manager_status(), *copy = NULL;
    ha_lrm_status *lrm = NULL, *lrm_copy = NULL;
    ha_error *error = NULL;
    struct ha_service service;
    struct ha_result result;
    struct ha_str node;
    struct ha_text text;
    size_t count = 0;
    int64_t timestamp = 1;
    int32_t state = 0, mode = 0;

    GIVES(HA_NONE, ha_manager_status_master(status, &node, &timestamp, NULL));
    WELL(ha_manager_status_node_count(status, &count, NULL));
    CHECK(count == 3);
    WELL(ha_manager_status_node(status, 2, &node, &state, NULL));
    CHECK(same(node, "n3") && state == HA_NODE_ONLINE);
    GIVES(HA_ERROR_NOT_FOUND, ha_manager_status_node(status, 3, &node, &state, NULL));
    WELL(ha_manager_status_node_state(status, S("n9"), &state, NULL));
    CHECK(state == HA_NODE_UNKNOWN);
    GIVES(HA_ERROR_ARGUMENT, ha_manager_status_set_node(status, S("n1"), 77, NULL));
    WELL(ha_manager_status_copy(status, &copy, NULL));
    WELL(ha_manager_status_set_node(status, S("n3"), 0, NULL));
    WELL(ha_manager_status_node_count(copy, &count, NULL));
    CHECK(count == 3);
    WELL(ha_manager_status_service_count(status, &count, NULL));
    CHECK(count == 2);
    WELL(ha_manager_status_service(status, 0, &service, NULL));
    CHECK(same(service.sid, "vm:100") && same(service.node, "n1") && !service.target.data && same(service.uid, "u1"));
    CHECK(service.state == HA_SERVICE_STARTED && service.running == 1 && service.timeout == -1);
    put_service(status, "vm:100", "n1", HA_SERVICE_MIGRATE, "n2");
    WELL(ha_manager_status_find(status, S("vm:100"), &service, NULL));
    CHECK(same(service.target, "n2") && service.state == HA_SERVICE_MIGRATE);
    service.target = str(NULL);
    GIVES(HA_ERROR_ARGUMENT, ha_manager_status_set_service(status, &service, NULL));
    service.state = HA_SERVICE_REQUEST_STOP;
    service.timeout = -7;
    GIVES(HA_ERROR_ARGUMENT, ha_manager_status_set_service(status, &service, NULL));
    GIVES(HA_ERROR_ARGUMENT, ha_manager_status_set_service(status, NULL, NULL));
    GIVES(HA_NONE, ha_manager_status_find(status, S("vm:999"), &service, NULL));
    WELL(ha_manager_status_failed_node(status, S("vm:100"), 0, NULL, &count, NULL));
    CHECK(count == 0);
    GIVES(HA_ERROR_NOT_FOUND, ha_manager_status_failed_node(status, S("vm:100"), 0, &node, &count, NULL));
    WELL(ha_manager_status_remove_service(status, S("vm:100"), NULL));
    GIVES(HA_NONE, ha_manager_status_remove_service(status, S("vm:100"), NULL));
    GIVES(HA_ERROR_CONTENT,
          ha_manager_status_from_json(S("{\"node_status\":{\"n1\":\"on\"}}"), &status, &error));
    CHECK(ha_error_line(error) == 1 && strstr(ha_error_field(error), "node_status.n1") != NULL);
    WELL(ha_error_free(error));
    WELL(ha_manager_status_free(copy));
    WELL(ha_manager_status_free(status));

    WELL(ha_lrm_status_new(&lrm, NULL));
    WELL(ha_lrm_status_set(lrm, HA_LRM_ACTIVE, HA_LRM_MODE_MAINTENANCE, 42, NULL));
    GIVES(HA_ERROR_ARGUMENT, ha_lrm_status_set(lrm, 0, HA_LRM_MODE_ACTIVE, 42, NULL));
    result.uid = str("u7");
    result.sid = str("vm:100");
    result.state = str("started");
    result.exit_code = HA_EXIT_ERROR;
    WELL(ha_lrm_status_add_result(lrm, &result, NULL));
    ha_str machine, boot;
    GIVES(HA_NONE, ha_lrm_status_writer(lrm, &machine, &boot, NULL));
    WELL(ha_lrm_status_set_writer(lrm, S("m"), S("b"), NULL));
    WELL(ha_lrm_status_writer(lrm, &machine, &boot, NULL));
    CHECK(machine.length == 1 && memcmp(machine.data, "m", 1) == 0 && boot.length == 1 && memcmp(boot.data, "b", 1) == 0);
    WELL(ha_lrm_status_set_writer(lrm, NULL, 0, NULL, 0, NULL));
    GIVES(HA_NONE, ha_lrm_status_writer(lrm, NULL, NULL, NULL));
    WELL(ha_lrm_status_copy(lrm, &lrm_copy, NULL));
    WELL(ha_lrm_status_free(lrm));
    WELL(ha_lrm_status_get(lrm_copy, &state, &mode, &timestamp, &count, NULL));
    CHECK(state == HA_LRM_ACTIVE && mode == HA_LRM_MODE_MAINTENANCE && timestamp == 42 && count == 1);
    WELL(ha_lrm_status_get(lrm_copy, NULL, NULL, NULL, NULL, NULL));
    WELL(ha_lrm_status_result(lrm_copy, 0, &result, NULL));
    CHECK(same(result.uid, "u7") && result.exit_code == 1);
    GIVES(HA_ERROR_NOT_FOUND, ha_lrm_status_result(lrm_copy, 1, &result, NULL));
    WELL(ha_lrm_status_find(lrm_copy, S("u7"), &result, NULL));
    GIVES(HA_NONE, ha_lrm_status_find(lrm_copy, S("u8"), &result, NULL));
    WELL(ha_lrm_status_to_json(lrm_copy, &text, NULL));
    CHECK(strstr(text.data, "\"u7\"") != NULL);
    WELL(ha_text_free(&text));
    WELL(ha_lrm_status_free(lrm_copy));
}

static void timings(void)
{
    ha_timings *made = NULL;
    ha_error *error = NULL;
    struct ha_timing_facts facts;
    struct ha_text text;
    uint64_t left = 0;
    double value = 0;

    WELL(ha_timings_new(HA_TIMINGS_FAST, &made, NULL));
    WELL(ha_timings_check(made, &facts, NULL));
    CHECK(facts.lock_lifetime == UINT64_C(6600000000) && facts.longest_recovery < UINT64_C(10000000000));
    WELL(ha_timings_check(made, NULL, NULL));
    WELL(ha_timings_watchdog_timeout_left(made, 0, &left, NULL));
    CHECK(left == facts.watchdog_timeout);
    GIVES(HA_NONE, ha_timings_watchdog_timeout_left(made, UINT64_C(6600000000), &left, NULL));
    WELL(ha_timings_set(made, S("lock_lifetime_s"), 2.5, NULL));
    WELL(ha_timings_set(made, S("lrm_idle_rounds"), 5, NULL));
    GIVES(HA_ERROR_ARGUMENT, ha_timings_set(made, S("lrm_idle_rounds"), 0.5, NULL));
    GIVES(HA_ERROR_ARGUMENT, ha_timings_set(made, S("lock_lifetime_s"), -1, NULL));
    GIVES(HA_ERROR_NOT_FOUND, ha_timings_set(made, S("colour"), 1, NULL));
    WELL(ha_timings_get(made, S("lock_lifetime_s"), &value, NULL));
    CHECK(value == 2.5);
    GIVES(HA_ERROR_NOT_FOUND, ha_timings_get(made, S("colour"), &value, NULL));
    GIVES(HA_ERROR_TIMINGS, ha_timings_check(made, &facts, &error));
    CHECK(*ha_error_field(error) != '\0' && strstr(ha_error_details(error), "inequality") != NULL);
    WELL(ha_error_free(error));
    WELL(ha_timings_to_json(made, &text, NULL));
    WELL(ha_timings_free(made));
    WELL(ha_timings_from_json(text.data, text.length, &made, NULL));
    WELL(ha_text_free(&text));
    WELL(ha_timings_free(made));
    GIVES(HA_ERROR_CONTENT, ha_timings_from_json(S("{\"colour\":1}"), &made, NULL));
    GIVES(HA_ERROR_ARGUMENT, ha_timings_new(0, &made, NULL));
}

static void events(void)
{
    ha_event *event = NULL, *copy = NULL;
    struct ha_str text;
    struct ha_text owned;
    double number = 0;
    int32_t severity = 0;

    WELL(ha_event_from_json(S("{\"event\":\"service_state\",\"sid\":\"vm:100\",\"from\":\"started\",\"to\":\"request_stop\","
                              "\"timeout\":60}"),
                            &event, NULL));
    CHECK(ha_event_get_kind(event) == HA_EVENT_SERVICE_STATE);
    WELL(ha_event_copy(event, &copy, NULL));
    WELL(ha_event_free(event));
    WELL(ha_event_text(copy, S("sid"), &text, NULL));
    CHECK(same(text, "vm:100"));
    GIVES(HA_NONE, ha_event_text(copy, S("node"), &text, NULL));
    GIVES(HA_ERROR_ARGUMENT, ha_event_text(copy, S("timeout"), &text, NULL));
    WELL(ha_event_number(copy, S("timeout"), &number, NULL));
    CHECK(number == 60);
    GIVES(HA_NONE, ha_event_number(copy, S("node"), &number, NULL));
    GIVES(HA_ERROR_ARGUMENT, ha_event_number(copy, S("sid"), &number, NULL));
    WELL(ha_event_get_severity(copy, &severity, NULL));
    CHECK(severity == HA_SEVERITY_INFO);
    WELL(ha_event_sentence(copy, &owned, NULL));
    CHECK(strstr(owned.data, "vm:100") != NULL);
    WELL(ha_text_free(&owned));
    WELL(ha_event_to_json(copy, &owned, NULL));
    WELL(ha_text_free(&owned));
    WELL(ha_event_free(copy));
    CHECK(ha_event_get_kind(copy) == HA_ERROR_HANDLE);
    WELL(ha_event_from_json(S("{\"event\":\"all_nodes_tried\",\"sid\":\"vm:1\",\"failed_nodes\":[\"n1\",\"n2\"]}"), &event,
                            NULL));
    WELL(ha_event_item(event, S("failed_nodes"), 1, &text, NULL));
    CHECK(same(text, "n2"));
    GIVES(HA_NONE, ha_event_item(event, S("failed_nodes"), 2, &text, NULL));
    WELL(ha_event_free(event));
    GIVES(HA_ERROR_CONTENT, ha_event_from_json(S("{\"event\":\"x\"}"), &event, NULL));
}

static void views(void)
{
    ha_configuration *made = configuration();
    ha_manager_status *status = manager_status();
    ha_view *view = NULL;
    struct ha_text text;

    WELL(ha_view_new(S("n1"), 1, 1000, status, made, &view, NULL));
    WELL(ha_view_add_lrm(view, S("n1"), NULL, NULL));
    WELL(ha_view_knows_locations(view, NULL));
    WELL(ha_view_add_location(view, S("vm:100"), S("n1"), NULL));
    WELL(ha_view_json(view, &text, NULL));
    WELL(ha_text_free(&text));
    WELL(ha_view_lines(view, &text, NULL));
    CHECK(strncmp(text.data, "quorum OK\n", 10) == 0);
    WELL(ha_text_free(&text));
    WELL(ha_view_free(view));
    WELL(ha_manager_status_free(status));
    WELL(ha_configuration_free(made));
}

static void simulations(void)
{
    static const char SCENARIO[] = "# A node dies.\nnodes n1 n2 n3\nguest vm:100 on n3\nat 1m power off n3\n"
                                   "until 5m\nexpect vm:100 running on n1\nexpect vm:100 running on n2\n";
    struct ha_str name = str("resources.cfg"), content = str("vm: 100\n"), source;
    ha_simulation *simulation = NULL;
    ha_manager_status *status = NULL;
    ha_event *event = NULL;
    ha_error *error = NULL;
    struct ha_text text;
    size_t count = 0, i, events = 0;
    uint64_t at = 0;
    int32_t recorded = 0;

    WELL(ha_simulation_play_text(S(SCENARIO), &name, &content, 1, &simulation, NULL));
    WELL(ha_simulation_failure_count(simulation, &count, NULL));
    CHECK(count == 1);
    WELL(ha_simulation_failure(simulation, 0, &error, NULL));
    CHECK(ha_error_line(error) == 7 && strcmp(ha_error_kind(error), "not_as_expected") == 0);
    WELL(ha_error_free(error));
    GIVES(HA_ERROR_NOT_FOUND, ha_simulation_failure(simulation, 1, &error, NULL));
    WELL(ha_simulation_happening_count(simulation, &count, NULL));
    for (i = 0; i < count; i++) {
        WELL(ha_simulation_happening(simulation, i, &at, &source, &recorded, NULL));
        CHECK(source.length > 0);
        if (ha_simulation_event(simulation, i, &event, NULL) == HA_OK) {
            events++;
            CHECK(ha_event_get_kind(event) > HA_EVENT_OTHER);
            WELL(ha_event_free(event));
        }
    }
    CHECK(events > 10 && at > UINT64_C(60000000000));
    GIVES(HA_ERROR_NOT_FOUND, ha_simulation_happening(simulation, count, &at, &source, &recorded, NULL));
    WELL(ha_simulation_happening_json(simulation, 0, &text, NULL));
    CHECK(strstr(text.data, "\"src\"") != NULL);
    WELL(ha_text_free(&text));
    WELL(ha_simulation_places(simulation, S("vm:100"), &text, NULL));
    CHECK(strcmp(text.data, "[\"n1\"]") == 0);
    WELL(ha_text_free(&text));
    WELL(ha_simulation_view(simulation, S("n1"), &text, NULL));
    CHECK(strstr(text.data, "vm:100") != NULL);
    WELL(ha_text_free(&text));
    WELL(ha_simulation_manager_status(simulation, &status, NULL));
    WELL(ha_simulation_free(simulation));
    WELL(ha_manager_status_service_count(status, &count, NULL));
    CHECK(count == 1);
    WELL(ha_manager_status_free(status));
    GIVES(HA_ERROR_READ, ha_simulation_play_folder(S("/no/such/folder"), &simulation, NULL));
    GIVES(HA_ERROR_CONTENT, ha_simulation_play_text(S("nodez n1\n"), NULL, NULL, 0, &simulation, &error));
    CHECK(ha_error_line(error) == 1);
    WELL(ha_error_free(error));
}

static void history(void)
{
    static const char entry[] = "{\"id\": \"n1.1.1\", \"position\": 1, \"time_ms\": 5, \"node\": \"n1\", \"source\": \"crm\", "
                                "\"severity\": \"info\", \"what\": {\"event\": \"agent_started\", \"sid\": \"vm:100\"}}";
    struct ha_text text = {NULL, 0};
    ha_timings *times = NULL;
    ha_error *error = NULL;

    WELL(ha_history_entry(S(entry), &text, NULL));
    WELL(ha_text_free(&text));
    GIVES(HA_ERROR_CONTENT, ha_history_entry(S("[]"), &text, &error));
    CHECK(strcmp(ha_error_kind(error), "entry") == 0);
    WELL(ha_error_free(error));
    GIVES(HA_ERROR_ARGUMENT, ha_history_entry(S(entry), NULL, NULL));
    /* What was counted and is damaged is not taken for the beginning: counters would fall. */
    error = NULL;
    GIVES(HA_ERROR_CONTENT, ha_history_counted(S("{\"end\": 7"), S(entry), &text, &error));
    CHECK(strcmp(ha_error_kind(error), "counted") == 0 && ha_error_line(error) == 1);
    WELL(ha_error_free(error));
    GIVES(HA_NONE, ha_history_counted("", 0, "", 0, &text, NULL));
    CHECK(text.data == NULL);
    WELL(ha_timings_new(HA_TIMINGS_FAST, &times, NULL));
    WELL(ha_history_failovers(times, "", 0, &text, NULL));
    CHECK(text.length == 2 && memcmp(text.data, "[]", 2) == 0);
    WELL(ha_text_free(&text));
    WELL(ha_timings_set(times, S("lock_lifetime_s"), 1, NULL));
    GIVES(HA_ERROR_TIMINGS, ha_history_failovers(times, "", 0, &text, NULL));
    WELL(ha_timings_free(times));
}

/* A bug leaves a handle of any type so that it can only be freed. */
static void after_a_bug(void)
{
    ha_manager_status *status = manager_status();
    ha_configuration *made = configuration();
    ha_timings *times = NULL;
    ha_error *error = NULL;
    size_t count = 0;
    int i;

    WELL(ha_timings_new(HA_TIMINGS_FAST, &times, NULL));
    GIVES(HA_ERROR_PANIC, ha_test_panic(status, &error));
    CHECK(strstr(ha_error_message(error), "watchdog") != NULL);
    WELL(ha_error_free(error));
    GIVES(HA_ERROR_PANIC, ha_test_panic(made, NULL));
    GIVES(HA_ERROR_PANIC, ha_test_panic(times, NULL));
    for (i = 0; i < 2; i++) {
        GIVES(HA_ERROR_PANIC, ha_manager_status_node_count(status, &count, NULL));
        GIVES(HA_ERROR_PANIC, ha_manager_status_set_node(status, S("n1"), HA_NODE_ONLINE, NULL));
        GIVES(HA_ERROR_PANIC, ha_configuration_section_count(made, HA_FILE_RULES, &count, NULL));
        GIVES(HA_ERROR_PANIC, ha_timings_check(times, NULL, NULL));
    }
    WELL(ha_timings_free(times));
    WELL(ha_manager_status_free(status));
    WELL(ha_configuration_free(made));
    GIVES(HA_ERROR_HANDLE, ha_manager_status_free(status));
    GIVES(HA_ERROR_HANDLE, ha_test_panic(status, NULL));
    GIVES(HA_ERROR_ARGUMENT, ha_test_panic(NULL, NULL));
}

/* A handle of one type in place of another one. */
static void wrong_types(void)
{
    ha_configuration *made = configuration();
    size_t count = 0;

    GIVES(HA_ERROR_HANDLE, ha_manager_status_node_count((ha_manager_status *)(void *)made, &count, NULL));
    GIVES(HA_ERROR_HANDLE, ha_manager_status_free((ha_manager_status *)(void *)made));
    GIVES(HA_ERROR_HANDLE, ha_manager_status_node_count((ha_manager_status *)(void *)&count, &count, NULL));
    WELL(ha_configuration_free(made));
    GIVES(HA_ERROR_HANDLE, ha_configuration_free(made));
}

int main(void)
{
    library();
    texts();
    errors();
    configurations();
    rules();
    placement();
    records();
    timings();
    events();
    views();
    history();
    simulations();
    after_a_bug();
    wrong_types();
    return finish("use");
}
