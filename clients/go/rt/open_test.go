package rt

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hotcell"
)

func TestWhatCannotBeOpenedSaysWhichOptionIsWrong(t *testing.T) {
	nowhere := filepath.Join(t.TempDir(), "nobody")
	for want, options := range map[string]hotcell.Options{
		"Options.Deadline is -1ns":                                   {Deadline: -1},
		"Options.StartDeadline is -1s":                               {StartDeadline: -time.Second},
		nowhere + ", which Options.Socket or $HOTCELL_SERVE names: ": {Socket: nowhere},
	} {
		_, err := Open(context.Background(), &Package{Runtime: Version, Library: "fake", Shim: []byte("shim")}, options)
		var failed *hotcell.Error
		if !errors.As(err, &failed) || !strings.Contains(failed.Message, want) {
			t.Errorf("%v does not say %q", err, want)
		}
		if options.Socket == "" && !errors.Is(err, hotcell.ErrInvalidArgument) {
			t.Error(err)
		}
	}
}
