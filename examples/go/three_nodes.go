package main

// #include <ha.h>
import "C"

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
)

const (
	second          = uint64(1_000_000_000)
	lockLifetime    = 120 * second
	watchdogTimeout = 60 * second
	never           = uint64(math.MaxUint64)
)

// cluster is what the nodes share, in memory, and a clock.
type cluster struct {
	now       uint64
	nodes     []*node
	locks     map[string]lease
	records   map[string]string
	resources string
	guests    map[string]string
	commands  []string
}

type lease struct {
	holder string
	ends   uint64
}

type node struct {
	name    string
	up      bool
	running map[string]bool
	crm     *C.ha_crm
	lrm     *C.ha_lrm
	sides   []*side
	agent   *C.ha_host // for the jobs
}

// side is what a daemon of a node has to do with it.
type side struct {
	cluster  *cluster
	node     *node
	daemon   string
	host     *C.ha_host
	next     uint64 // when it wants to be called
	watchdog uint64 // when its watchdog resets the node
}

func (cluster *cluster) tell(format string, about ...any) {
	fmt.Printf("%4d  %s\n", cluster.now/second, fmt.Sprintf(format, about...))
}

func (cluster *cluster) nodesThatRun(sid string) (names []string) {
	for _, node := range cluster.nodes {
		if node.running[sid] {
			names = append(names, node.name)
		}
	}
	return names
}

func (side *side) isQuorate() bool {
	up := 0
	for _, node := range side.cluster.nodes {
		if node.up {
			up++
		}
	}
	return side.node.up && 2*up > len(side.cluster.nodes)
}

func (side *side) write(name, record string) error {
	if !side.isQuorate() {
		return errors.New("no quorum")
	}
	side.cluster.records[name] = record
	return nil
}

func (cluster *cluster) powerOn(node *node) (err error) {
	node.up, node.running = true, map[string]bool{}
	node.sides = []*side{{cluster: cluster, node: node, daemon: "crm"}, {cluster: cluster, node: node, daemon: "lrm"}}
	for _, side := range node.sides {
		side.next, side.watchdog = cluster.now, never
		if side.host, err = newHost(side); err != nil {
			return err
		}
	}
	if node.agent, err = newHost(node.sides[1]); err != nil {
		return err
	}
	var failed *C.ha_error
	name, length := text(node.name)
	made := C.ha_crm_new(name, length, nil, node.sides[0].host, &node.crm, &failed)
	if err := failure(made, failed); err != nil {
		return err
	}
	made = C.ha_lrm_new(name, length, nil, node.sides[1].host, &node.lrm, &failed)
	return failure(made, failed)
}

// powerOff lets everything of a node be gone at once, without a word to anybody.
func (cluster *cluster) powerOff(node *node) {
	C.ha_crm_free(node.crm)
	C.ha_lrm_free(node.lrm)
	C.ha_host_free(node.agent)
	for _, side := range node.sides {
		C.ha_host_free(side.host)
	}
	node.up, node.running, node.sides, node.crm, node.lrm, node.agent = false, nil, nil, nil, nil, nil
}

// call lets a daemon do what is due. All callbacks of a call come back on the thread that makes it. A real host has a
// goroutine for each daemon, which sleeps until next, and reads CLOCK_BOOTTIME before it calls.
func (side *side) call() {
	var failed *C.ha_error
	var next C.uint64_t
	var wait C.int32_t
	var status C.ha_status
	now, wall := C.uint64_t(side.cluster.now), C.int64_t(1_700_000_000+side.cluster.now/second)
	if side.daemon == "crm" {
		status = C.ha_crm_tick(side.node.crm, side.host, now, wall, &next, &wait, &failed)
	} else {
		status = C.ha_lrm_tick(side.node.lrm, side.host, now, wall, &next, &wait, &failed)
	}
	side.next = uint64(next)
	if err := failure(status, failed); err != nil {
		// After a bug nothing is fed any more: the watchdog resets the node.
		fmt.Fprintf(os.Stderr, "%s: %v\n", side.node.name, err)
		side.next = never
	}
}

// runUntil lets everything happen that is due until a moment.
func (cluster *cluster) runUntil(end uint64) {
	for {
		var due *side
		at, expired := end, false
		for _, node := range cluster.nodes {
			for _, side := range node.sides {
				next := side.next
				if side.watchdog < next {
					next = side.watchdog
				}
				if next <= end && (due == nil || next < at) {
					due, at, expired = side, next, side.watchdog < side.next
				}
			}
		}
		if due == nil {
			break
		}
		if at > cluster.now {
			cluster.now = at
		}
		if expired {
			cluster.tell("the watchdog resets %s", due.node.name)
			cluster.powerOff(due.node)
		} else {
			due.call()
		}
	}
	cluster.now = end
}

func (cluster *cluster) tellGuests() {
	for _, sid := range []string{"vm:100", "vm:101"} {
		cluster.tell("%s runs on %s", sid, strings.Join(cluster.nodesThatRun(sid), " "))
	}
}

// threeNodes lets a node lose its power, come back, and get a guest by a command.
func threeNodes() error {
	cluster := &cluster{
		nodes:     []*node{{name: "alpha"}, {name: "beta"}, {name: "gamma"}},
		locks:     map[string]lease{},
		records:   map[string]string{},
		resources: "vm: 100\n\tcomment mail\n\nvm: 101\n\tcomment web\n\n",
		guests:    map[string]string{"vm:100": "gamma", "vm:101": "beta"},
	}
	for _, node := range cluster.nodes {
		defer cluster.powerOff(node)
		if err := cluster.powerOn(node); err != nil {
			return err
		}
	}
	gamma := cluster.nodes[2]
	cluster.runUntil(60 * second)
	cluster.tellGuests()
	cluster.tell("somebody pulls the plug of gamma")
	cluster.powerOff(gamma)
	cluster.runUntil(300 * second)
	cluster.tellGuests()
	cluster.tell("gamma is back; vm:101 is to go there")
	if err := cluster.powerOn(gamma); err != nil {
		return err
	}
	cluster.commands = []string{"migrate vm:101 gamma"}
	cluster.runUntil(360 * second)
	cluster.tellGuests()
	return nil
}
