// Command example uses the library from Go, by cgo.
//
//	example after-failure FOLDER    # where services would go if a node died
//	example three-nodes             # a whole host: three nodes through a failover, in virtual time
//
// It is built where pkg-config finds libha: see README.md.
package main

import (
	"fmt"
	"os"
)

func run(arguments []string) error {
	if err := checkVersion(); err != nil {
		return err
	}
	switch {
	case len(arguments) == 2 && arguments[0] == "after-failure":
		return afterFailure(arguments[1])
	case len(arguments) == 1 && arguments[0] == "three-nodes":
		return threeNodes()
	}
	return fmt.Errorf("usage: example after-failure FOLDER | three-nodes")
}

func main() {
	err := run(os.Args[1:])
	if err == nil {
		err = checkLeaks()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "example:", err)
		os.Exit(1)
	}
}
