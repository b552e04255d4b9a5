// Package serve is the client's half of what is not a call: it starts or finds the program hotcell, opens sessions there, and
// learns of workers and of their ends. docs/internals/clients.md says how both talk.
package serve

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// name is the program's.
const name = "hotcell"

// find is the program: the one that is asked for, $HOTCELL, beside the running program, on $PATH.
func find(wanted string) (string, error) {
	if wanted != "" {
		return wanted, nil
	}
	if named := os.Getenv("HOTCELL"); named != "" {
		return named, nil
	}
	if own, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(own), name)
		if info, err := os.Stat(beside); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0 {
			return beside, nil
		}
	}
	path, err := exec.LookPath(name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, exec.ErrNotFound) {
		return "", fmt.Errorf("there is no program %s: set Options.Program or $HOTCELL, or put it beside this program or on $PATH", name)
	}
	return path, err
}
