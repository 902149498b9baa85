package main

// #include <ha.h>
import "C"

import (
	"fmt"
	"os"
	"path/filepath"
)

// afterFailure reads the configuration and the manager status of a cluster from a folder, and says where each service would
// go if a node died, for each node in turn.
func afterFailure(folder string) error {
	configuration, err := readConfiguration(folder)
	defer C.ha_configuration_free(configuration)
	if err != nil {
		return err
	}
	status, err := readManagerStatus(folder)
	defer C.ha_manager_status_free(status)
	if err != nil {
		return err
	}
	if err := tellDroppedRules(configuration, status); err != nil {
		return err
	}
	var failed *C.ha_error
	var situation *C.ha_situation
	if err := failure(C.ha_situation_new(status, configuration, nil, 0, &situation, &failed), failed); err != nil {
		return err
	}
	defer C.ha_situation_free(situation)
	for _, node := range nodesOf(status) {
		if err := tellFailure(situation, node); err != nil {
			return err
		}
	}
	return nil
}

// readConfiguration tells what is wrong in the files, which never loses the rest of them. Files that are not there are empty.
func readConfiguration(folder string) (*C.ha_configuration, error) {
	parts := []struct {
		file C.int32_t
		name string
	}{
		{C.HA_FILE_RESOURCES, "resources.cfg"}, {C.HA_FILE_GROUPS, "groups.cfg"}, {C.HA_FILE_RULES, "rules.cfg"},
		{C.HA_FILE_DATACENTER, "datacenter.cfg"}, {C.HA_FILE_NODES, "nodes.cfg"}, {C.HA_FILE_FENCE, "fence.cfg"},
	}
	var failed *C.ha_error
	var configuration *C.ha_configuration
	if err := failure(C.ha_configuration_new(&configuration, &failed), failed); err != nil {
		return nil, err
	}
	for _, part := range parts {
		content, err := os.ReadFile(filepath.Join(folder, part.name))
		if os.IsNotExist(err) {
			continue
		} else if err != nil {
			return configuration, err
		}
		bytes, length := text(string(content))
		status := C.ha_configuration_read(configuration, part.file, bytes, length, &failed)
		if err := failure(status, failed); err != nil {
			return configuration, fmt.Errorf("%s: %w", part.name, err)
		}
		var problem *C.ha_error
		for i := C.size_t(0); C.ha_configuration_problem(configuration, part.file, i, &problem, nil) == C.HA_OK; i++ {
			fmt.Printf("%s: %s\n", part.name, C.GoString(C.ha_error_message(problem)))
			C.ha_error_free(problem)
		}
	}
	return configuration, nil
}

func readManagerStatus(folder string) (*C.ha_manager_status, error) {
	content, err := os.ReadFile(filepath.Join(folder, "manager_status"))
	if err != nil {
		return nil, err
	}
	var failed *C.ha_error
	var status *C.ha_manager_status
	json, length := text(string(content))
	return status, failure(C.ha_manager_status_from_json(json, length, &status, &failed), failed)
}

// nodesOf gives the nodes of a status. Their names belong to it.
func nodesOf(status *C.ha_manager_status) (nodes []C.ha_str) {
	var node C.ha_str
	for i := C.size_t(0); C.ha_manager_status_node(status, i, &node, nil, nil) == C.HA_OK; i++ {
		nodes = append(nodes, node)
	}
	return nodes
}

// tellDroppedRules tells which rules can't hold and take no part; whoever wrote them should know.
func tellDroppedRules(configuration *C.ha_configuration, status *C.ha_manager_status) error {
	var failed, finding *C.ha_error
	var rules *C.ha_rules
	nodes := append(nodesOf(status), C.ha_str{})
	made := C.ha_rules_new(configuration, &nodes[0], C.size_t(len(nodes)-1), &rules, &failed)
	if err := failure(made, failed); err != nil {
		return err
	}
	defer C.ha_rules_free(rules)
	for i := C.size_t(0); C.ha_rules_dropped(rules, i, &finding, nil) == C.HA_OK; i++ {
		fmt.Printf("left out: %s\n", C.GoString(C.ha_error_message(finding)))
		C.ha_error_free(finding)
	}
	return nil
}

func tellFailure(situation *C.ha_situation, node C.ha_str) error {
	var failed *C.ha_error
	var recoveries *C.ha_recoveries
	asked := C.ha_situation_after_failure(situation, &node, 1, &recoveries, &failed)
	if err := failure(asked, failed); err != nil {
		return err
	}
	defer C.ha_recoveries_free(recoveries)
	fmt.Printf("if %s died:\n", lent(node.data, node.length))
	var recovery C.ha_recovery
	i := C.size_t(0)
	for ; C.ha_recoveries_get(recoveries, i, &recovery, nil) == C.HA_OK; i++ {
		to := "nowhere"
		if recovery.to.data != nil {
			to = lent(recovery.to.data, recovery.to.length)
		}
		decider := C.GoString(C.ha_decider_name(recovery.decided_by))
		fmt.Printf("  %s -> %s (%s)\n", lent(recovery.sid.data, recovery.sid.length), to, decider)
	}
	if i == 0 {
		fmt.Println("  nothing would move")
	}
	return nil
}
