package main

/*
#include <ha.h>
#include <stdlib.h>

void fill_callbacks(struct ha_callbacks *callbacks);
*/
import "C"

import (
	"crypto/rand"
	"errors"
	"fmt"
	"runtime/cgo"
	"unsafe"
)

// newHost makes a host whose callbacks get a side. Its context is a cell of C's memory that holds a cgo.Handle: C may keep
// no pointer of Go's. The callback destroy frees both.
func newHost(side *side) (*C.ha_host, error) {
	cell := C.malloc(C.size_t(unsafe.Sizeof(cgo.Handle(0))))
	*(*cgo.Handle)(cell) = cgo.NewHandle(side)
	callbacks := C.ha_callbacks{context: cell}
	C.fill_callbacks(&callbacks)
	var failed *C.ha_error
	var host *C.ha_host
	err := failure(C.ha_host_new(&callbacks, &host, &failed), failed)
	if err != nil {
		onDestroy(cell)
	}
	return host, err
}

//export onDestroy
func onDestroy(context unsafe.Pointer) {
	(*(*cgo.Handle)(context)).Delete()
	C.free(context)
}

func sideOf(context unsafe.Pointer) *side {
	return (*(*cgo.Handle)(context)).Value().(*side)
}

// answer makes a call, and an answer of what it gives. A panic must not go through C, where it would leave handles in use for
// ever: it is a call that has failed.
func answer(context unsafe.Pointer, reply *C.ha_reply, call func(*side) (C.int32_t, error)) (answer C.int32_t) {
	refuse := func(why string) C.int32_t {
		message, length := text(why)
		C.ha_reply_error(reply, message, length)
		return C.HA_ANSWER_FAILED
	}
	defer func() {
		if struck := recover(); struck != nil {
			answer = refuse(fmt.Sprint("panic: ", struck))
		}
	}()
	answer, err := call(sideOf(context))
	if err != nil {
		return refuse(err.Error())
	}
	return answer
}

// done is for calls that have nothing to answer but that they succeeded.
func done(context unsafe.Pointer, reply *C.ha_reply, call func(*side) error) C.int32_t {
	return answer(context, reply, func(side *side) (C.int32_t, error) { return C.HA_ANSWER_OK, call(side) })
}

func yesOrNo(yes bool) C.int32_t {
	if yes {
		return C.HA_ANSWER_YES
	}
	return C.HA_ANSWER_NO
}

// --- what happens ---

//export onEvent
func onEvent(context unsafe.Pointer, event *C.ha_event) {
	var sentence C.ha_text
	if C.ha_event_sentence(event, &sentence, nil) == C.HA_OK {
		side := sideOf(context)
		side.cluster.tell("%s/%s  %s", side.node.name, side.daemon, owned(&sentence))
	}
}

// --- members, locks and the watchdog ---

//export onRefresh
func onRefresh(context unsafe.Pointer, reply *C.ha_reply) C.int32_t {
	return C.HA_ANSWER_OK
}

//export onIsQuorate
func onIsQuorate(context unsafe.Pointer, reply *C.ha_reply) C.int32_t {
	return answer(context, reply, func(side *side) (C.int32_t, error) { return yesOrNo(side.isQuorate()), nil })
}

//export onMembers
func onMembers(context unsafe.Pointer, reply *C.ha_reply) C.int32_t {
	return done(context, reply, func(side *side) error {
		for _, node := range side.cluster.nodes {
			online := C.int32_t(0)
			if side.isQuorate() && node.up {
				online = 1
			}
			name, length := text(node.name)
			C.ha_reply_member(reply, name, length, online)
		}
		return nil
	})
}

//export onTakeLock
func onTakeLock(context unsafe.Pointer, lock *C.char, length C.size_t, reply *C.ha_reply) C.int32_t {
	return answer(context, reply, func(side *side) (C.int32_t, error) {
		cluster, name := side.cluster, lent(lock, length)
		held, is := cluster.locks[name]
		is = is && held.ends > cluster.now
		if !side.isQuorate() || is && held.holder != side.node.name {
			return C.HA_ANSWER_REFUSED, nil
		}
		cluster.locks[name] = lease{side.node.name, cluster.now + lockLifetime}
		if is {
			return C.HA_ANSWER_RENEWED, nil
		}
		return C.HA_ANSWER_ACQUIRED, nil
	})
}

//export onReleaseLock
func onReleaseLock(context unsafe.Pointer, lock *C.char, length C.size_t, reply *C.ha_reply) C.int32_t {
	return done(context, reply, func(side *side) error {
		if name := lent(lock, length); side.cluster.locks[name].holder == side.node.name {
			delete(side.cluster.locks, name)
		}
		return nil
	})
}

// A real host reads its clock here once more, right before it touches the device.
//
//export onFeedWatchdog
func onFeedWatchdog(context unsafe.Pointer, notAfter C.uint64_t, reply *C.ha_reply) C.int32_t {
	return answer(context, reply, func(side *side) (C.int32_t, error) {
		if side.cluster.now > uint64(notAfter) {
			return C.HA_ANSWER_TOO_LATE, nil
		}
		side.watchdog = side.cluster.now + watchdogTimeout
		return C.HA_ANSWER_FED, nil
	})
}

//export onCloseWatchdog
func onCloseWatchdog(context unsafe.Pointer, reply *C.ha_reply) C.int32_t {
	return done(context, reply, func(side *side) error { side.watchdog = never; return nil })
}

// --- records and configuration ---

// record hands a record back. It has one of its own for "there certainly is none".
func record(reply *C.ha_reply, json string, is bool) (C.int32_t, error) {
	if !is {
		return C.HA_ANSWER_NONE, nil
	}
	data, length := text(json)
	C.ha_reply_json(reply, data, length)
	return C.HA_ANSWER_OK, nil
}

//export onReadManagerStatus
func onReadManagerStatus(context unsafe.Pointer, reply *C.ha_reply) C.int32_t {
	return answer(context, reply, func(side *side) (C.int32_t, error) {
		json, is := side.cluster.records["manager_status"]
		return record(reply, json, is)
	})
}

//export onWriteManagerStatus
func onWriteManagerStatus(context unsafe.Pointer, status *C.ha_manager_status, reply *C.ha_reply) C.int32_t {
	return done(context, reply, func(side *side) error {
		var json C.ha_text
		var failed *C.ha_error
		if err := failure(C.ha_manager_status_to_json(status, &json, &failed), failed); err != nil {
			return err
		}
		return side.write("manager_status", owned(&json))
	})
}

//export onReadLrmStatus
func onReadLrmStatus(context unsafe.Pointer, node *C.char, length C.size_t, reply *C.ha_reply) C.int32_t {
	return answer(context, reply, func(side *side) (C.int32_t, error) {
		json, is := side.cluster.records["lrm_status "+lent(node, length)]
		return record(reply, json, is)
	})
}

//export onWriteLrmStatus
func onWriteLrmStatus(context unsafe.Pointer, status *C.ha_lrm_status, reply *C.ha_reply) C.int32_t {
	return done(context, reply, func(side *side) error {
		var json C.ha_text
		var failed *C.ha_error
		if err := failure(C.ha_lrm_status_to_json(status, &json, &failed), failed); err != nil {
			return err
		}
		return side.write("lrm_status "+side.node.name, owned(&json))
	})
}

// The configuration is made again for each question. What did not change has the same digest, and costs the daemons nothing.
//
//export onReadConfiguration
func onReadConfiguration(context unsafe.Pointer, reply *C.ha_reply) C.int32_t {
	return done(context, reply, func(side *side) error {
		var failed *C.ha_error
		var configuration *C.ha_configuration
		if err := failure(C.ha_configuration_new(&configuration, &failed), failed); err != nil {
			return err
		}
		defer C.ha_configuration_free(configuration)
		content, length := text(side.cluster.resources)
		read := C.ha_configuration_read(configuration, C.HA_FILE_RESOURCES, content, length, &failed)
		if err := failure(read, failed); err != nil {
			return err
		}
		for sid, node := range side.cluster.guests {
			sid, sidLength := text(sid)
			node, nodeLength := text(node)
			set := C.ha_configuration_set_guest(configuration, sid, sidLength, node, nodeLength, &failed)
			if err := failure(set, failed); err != nil {
				return err
			}
		}
		C.ha_reply_configuration(reply, configuration)
		return nil
	})
}

//export onCommandsWaiting
func onCommandsWaiting(context unsafe.Pointer, reply *C.ha_reply) C.int32_t {
	return answer(context, reply, func(side *side) (C.int32_t, error) { return yesOrNo(len(side.cluster.commands) > 0), nil })
}

//export onTakeCommands
func onTakeCommands(context unsafe.Pointer, reply *C.ha_reply) C.int32_t {
	return done(context, reply, func(side *side) error {
		for _, line := range side.cluster.commands {
			data, length := text(line)
			C.ha_reply_text(reply, data, length)
		}
		side.cluster.commands = nil
		return nil
	})
}

//export onMoveConfiguration
func onMoveConfiguration(context unsafe.Pointer, sid *C.char, sidLength C.size_t, from *C.char, fromLength C.size_t,
	to *C.char, toLength C.size_t, reply *C.ha_reply) C.int32_t {
	return done(context, reply, func(side *side) error {
		sid, from, to := lent(sid, sidLength), lent(from, fromLength), lent(to, toLength)
		if at := side.cluster.guests[sid]; at != from && at != to {
			return fmt.Errorf("%s is not on %s, but on %s", sid, from, at)
		}
		side.cluster.guests[sid] = to
		return nil
	})
}

//export onRemoveLeftoverLocks
func onRemoveLeftoverLocks(context unsafe.Pointer, sid *C.char, sidLength C.size_t, node *C.char, nodeLength C.size_t,
	reply *C.ha_reply) C.int32_t {
	return C.HA_ANSWER_NONE
}

//export onUnmanagedServices
func onUnmanagedServices(context unsafe.Pointer, reply *C.ha_reply) C.int32_t {
	return C.HA_ANSWER_OK
}

//export onRandomBytes
func onRandomBytes(context unsafe.Pointer, reply *C.ha_reply) C.int32_t {
	return done(context, reply, func(*side) error {
		var bytes [16]byte
		if _, err := rand.Read(bytes[:]); err != nil {
			return err
		}
		data, length := text(string(bytes[:]))
		C.ha_reply_bytes(reply, data, length)
		return nil
	})
}

// --- jobs and guests ---

// Jobs are carried out at once, by a host of their own: that of the LRM is in use. A host whose agents take their time copies the
// job, lets a goroutine carry it out, answers HA_ANSWER_RUNNING, and tells the end later.
//
//export onStartJob
func onStartJob(context unsafe.Pointer, job *C.ha_job, reply *C.ha_reply) C.int32_t {
	return answer(context, reply, func(side *side) (C.int32_t, error) {
		var failed *C.ha_error
		var code C.int32_t
		name, length := text(side.node.name)
		ran := C.ha_job_run(job, name, length, side.node.agent, &code, &failed)
		if err := failure(ran, failed); err != nil {
			return 0, err
		}
		C.ha_reply_exit_code(reply, yesOrNo(code == C.HA_EXIT_SUCCESS), code)
		return C.HA_ANSWER_FINISHED, nil
	})
}

//export onFinishedJobs
func onFinishedJobs(context unsafe.Pointer, reply *C.ha_reply) C.int32_t {
	return C.HA_ANSWER_OK
}

//export onKnowsType
func onKnowsType(context unsafe.Pointer, kind *C.char, length C.size_t, reply *C.ha_reply) C.int32_t {
	return yesOrNo(lent(kind, length) == "vm")
}

//export onGuestNode
func onGuestNode(context unsafe.Pointer, sid *C.char, length C.size_t, reply *C.ha_reply) C.int32_t {
	return answer(context, reply, func(side *side) (C.int32_t, error) {
		node, is := side.cluster.guests[lent(sid, length)]
		if !is {
			return C.HA_ANSWER_NONE, nil
		}
		name, nameLength := text(node)
		C.ha_reply_text(reply, name, nameLength)
		return C.HA_ANSWER_OK, nil
	})
}

//export onIsRunning
func onIsRunning(context unsafe.Pointer, sid *C.char, length C.size_t, reply *C.ha_reply) C.int32_t {
	return answer(context, reply, func(side *side) (C.int32_t, error) {
		return yesOrNo(side.node.running[lent(sid, length)]), nil
	})
}

//export onStart
func onStart(context unsafe.Pointer, sid *C.char, length C.size_t, reply *C.ha_reply) C.int32_t {
	return done(context, reply, func(side *side) error {
		sid := lent(sid, length)
		if len(side.cluster.nodesThatRun(sid)) > 0 {
			return errors.New("it runs elsewhere")
		}
		side.node.running[sid] = true
		return nil
	})
}

//export onStop
func onStop(context unsafe.Pointer, sid *C.char, length C.size_t, timeout C.int64_t, reply *C.ha_reply) C.int32_t {
	return done(context, reply, func(side *side) error { delete(side.node.running, lent(sid, length)); return nil })
}

//export onMoveTo
func onMoveTo(context unsafe.Pointer, sid *C.char, length C.size_t, target *C.char, targetLength C.size_t, motion C.int32_t,
	reply *C.ha_reply) C.int32_t {
	return done(context, reply, func(side *side) error {
		sid, target := lent(sid, length), lent(target, targetLength)
		ran := side.node.running[sid]
		delete(side.node.running, sid)
		side.cluster.guests[sid] = target
		for _, node := range side.cluster.nodes {
			if node.name == target && ran && motion == C.HA_MOTION_MIGRATE {
				node.running[sid] = true
			}
		}
		return nil
	})
}
