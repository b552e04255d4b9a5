package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

// report is what `hotcell bench` prints.
type report struct {
	Machine struct{ Programs map[string]string }
	Figures []struct {
		ID               string
		Median, Min, Max float64
		Baseline         string
		Bar              *float64
		Ok               *bool
	}
	LeftOut []struct{ ID, Reason string } `json:"left_out"`
}

// bench measures for a moment: whether the programs run is tested, and what calls take is not.
func bench(t *testing.T, words ...string) report {
	t.Helper()
	words = append([]string{"bench", "--lang", "go", "--quick", "--rounds", "1", "--format", "json"}, words...)
	command := exec.Command(os.Getenv("HOTCELL"), words...)
	var complaints strings.Builder
	command.Stderr = &complaints
	text, err := command.Output()
	if err != nil {
		t.Fatalf("%v\n%s%s", err, text, &complaints)
	}
	var found report
	if err := json.Unmarshal(text, &found); err != nil {
		t.Fatal(err)
	}
	return found
}

func TestProgramsOfTheBenchmarkGiveFigures(t *testing.T) {
	found := bench(t)
	if runtime.NumCPU() > 1 && len(found.LeftOut) > 0 {
		t.Errorf("left out: %v", found.LeftOut)
	}
	bars := map[string]float64{}
	have := map[string]bool{}
	for _, figure := range found.Figures {
		have[figure.ID] = true
		if figure.Min <= 0 || figure.Min > figure.Median || figure.Median > figure.Max {
			t.Errorf("%+v", figure)
		}
		if figure.Bar != nil && figure.Ok != nil {
			bars[figure.ID+" by "+figure.Baseline] = *figure.Bar
		}
	}
	wanted := []string{"go.cgo.add", "go.cgo.crc32.1k", "go.cgo.callback"}
	if runtime.NumCPU() > 1 {
		wanted = append(wanted, "raw.spin", "go.contained.add", "go.contained.crc32.1k", "go.contained.callback",
			"go.contained.batch.64.add", "go.contained.batch.64.crc32.1k", "go.contained.rows.64.add")
		if bars["go.contained.add by raw.spin"] != 1.5 || bars["go.contained.batch.64.add by go.cgo.add"] != 1 ||
			bars["go.contained.rows.64.add by go.cgo.add"] != 1 {
			t.Errorf("bars: %v", bars)
		}
	}
	for _, name := range wanted {
		if !have[name] {
			t.Errorf("there is no %s", name)
		}
	}
	if about := found.Machine.Programs["go.cgo"]; !strings.HasPrefix(about, "cgo of go") {
		t.Error(about)
	}
}

func TestWhatTheBenchmarkCannotBuildIsTold(t *testing.T) {
	reason := func(words ...string) string {
		found := bench(t, append(words, "--only", "go.cgo.add")...)
		if len(found.LeftOut) != 1 || len(found.Figures) != 0 {
			t.Fatalf("%+v", found)
		}
		return found.LeftOut[0].Reason
	}
	if got := reason("--runtime", t.TempDir()); !strings.HasSuffix(got, "is not the folder of the runtime for Go") {
		t.Error(got)
	}
	t.Setenv("CC", "/nowhere/cc")
	if got := reason(); !strings.HasPrefix(got, "`go` could not build it: ") || !strings.Contains(got, "/nowhere/cc") {
		t.Error(got)
	}
	t.Setenv("PATH", t.TempDir())
	if got := reason(); got != "there is no `go`" {
		t.Error(got)
	}
}
