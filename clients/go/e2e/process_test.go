package e2e

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// children are the processes that this one has started, with this word among their arguments.
func children(word string) (pids []int) {
	tasks, _ := filepath.Glob("/proc/self/task/*/children")
	for _, task := range tasks {
		text, _ := os.ReadFile(task)
		for _, field := range strings.Fields(string(text)) {
			line, _ := os.ReadFile("/proc/" + field + "/cmdline")
			if pid, err := strconv.Atoi(field); err == nil && strings.Contains(string(line), "\x00"+word+"\x00") {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// endSupervisors kills the servers that this process has started.
func endSupervisors(t *testing.T) {
	t.Helper()
	pids := children("serve")
	if len(pids) == 0 {
		t.Fatal("no server runs")
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
}

// threads is how many threads this process has, descriptors how many files it has open.
func threads() int { return entries("/proc/self/task") }

func descriptors() int { return entries("/proc/self/fd") }

func entries(folder string) int {
	list, _ := os.ReadDir(folder)
	return len(list)
}

// lines is how many lines a file has.
func lines(path string) int {
	text, _ := os.ReadFile(path)
	return strings.Count(string(text), "\n")
}
