package main

/*
#cgo pkg-config: ha
#include <ha.h>
*/
import "C"

import (
	"errors"
	"unsafe"
)

// Handles stay in the types that C gives them, such as *C.ha_crm: they are numbers, which Go would take for memory in an
// unsafe.Pointer.

// failure makes an error of what a call says; it is nil where that went well.
func failure(status C.ha_status, failed *C.ha_error) error {
	if status == C.HA_OK {
		return nil
	}
	defer C.ha_error_free(failed)
	if message := C.ha_error_message(failed); message != nil {
		return errors.New(C.GoString(message))
	}
	return errors.New("failed")
}

// text hands a text to C, which keeps nothing of it beyond the call.
func text(content string) (*C.char, C.size_t) {
	bytes := append([]byte(content), 0)
	return (*C.char)(unsafe.Pointer(&bytes[0])), C.size_t(len(content))
}

// lent copies a text that belongs to C.
func lent(data *C.char, length C.size_t) string {
	return C.GoStringN(data, C.int(length))
}

// owned copies a text that C has given away, and frees it.
func owned(content *C.ha_text) string {
	defer C.ha_text_free(content)
	return lent(content.data, content.length)
}

// checkVersion says whether the library is what this was built for: newer ones are, until their soname changes.
func checkVersion() error {
	if C.ha_abi_version() < C.HA_ABI_VERSION {
		return errors.New("libha is older than the header that this was built with")
	}
	return nil
}

// checkLeaks says whether something was not freed.
func checkLeaks() error {
	if C.ha_live_handles() != 0 || C.ha_live_texts() != 0 {
		return errors.New("something was not freed")
	}
	return nil
}
