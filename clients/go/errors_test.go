package hotcell

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"
)

func TestEveryKindHasItsNameAndIsAnError(t *testing.T) {
	seen := 0
	for kind := range Kind(len(kinds)) {
		if kind.String() == "" {
			continue
		}
		seen++
		err := fmt.Errorf("wrapped: %w", &Error{Kind: kind})
		if !errors.Is(err, kind) || errors.Is(err, kind+1) || KindOf(kind.String()) != kind {
			t.Errorf("%d is %v", kind, kind)
		}
		if kind.Advice() == "" || !strings.HasPrefix(kind.Error(), "hotcell: ") {
			t.Errorf("%v says nothing", kind)
		}
	}
	if seen != 26 || Kind(0).String() != "" || Kind(9999).String() != "" {
		t.Errorf("%d kinds", seen)
	}
}

func TestAnErrorReadsWhatTheSupervisorSays(t *testing.T) {
	var crash *CrashError
	for text, is := range map[string]func(error) bool{
		`{"kind":"Crashed","message":"m","cause":{"signal":"SIGSEGV","number":11,"address":"0x10","stack_overflow":true}}`: func(err error) bool {
			return errors.As(err, &crash) && crash.Signal == 11 && crash.Address == 16 && crash.HasAddress && crash.StackOverflow
		},
		`{"kind":"Crashed","cause":{"signal":"SIGABRT","number":6,"address":null}}`: func(err error) bool {
			return errors.As(err, &crash) && crash.Name == "SIGABRT" && !crash.HasAddress
		},
		`{"kind":"Unavailable","cause":{"reason":"breaker_open"}}`: func(err error) bool {
			var unavailable *UnavailableError
			return errors.As(err, &unavailable) && unavailable.Reason == UnavailableBreakerOpen
		},
		`{"kind":"LoadFailed","cause":{"missing":["network"]}}`: func(err error) bool {
			var detail *DetailError
			return errors.As(err, &detail) && detail.Fields["missing"] != nil
		},
		`{"kind":"FromTheFuture","message":"m"}`: func(err error) bool { return errors.Is(err, ErrWorkerLost) },
		`{"kind":"Crashed","cause":null}`:        func(err error) bool { return errors.Unwrap(err) == nil },
	} {
		read := new(Error)
		if err := json.Unmarshal([]byte(text), read); err != nil || !is(read) {
			t.Errorf("%s: %v, %v", text, read, err)
		}
	}
	if err := json.Unmarshal([]byte(`{"kind":7}`), new(Error)); err == nil {
		t.Error("a kind that is no text")
	}
}

func TestADeniedCallSaysWhatWouldAllowIt(t *testing.T) {
	for remedy, want := range map[string]string{
		`{"profile":"files","read":["/etc/\"a\""],"require":"strict"}`:        `; Options{SandboxRules: map[string]any{"profile": "files", "read": []string{"/etc/\"a\""}, "require": "strict"}} would allow it`,
		`{"profile":"network","connect":[443,null],"write_xor_execute":true}`: `; Options{SandboxRules: map[string]any{"profile": "network", "connect": []int{443, PORT}, "write_xor_execute": true}} would allow it`,
		`{"profile":"files","write":[null]}`:                                  `; Options{SandboxRules: map[string]any{"profile": "files", "write": []string{PATH}}} would allow it`,
		`false`:                                                               "; no profile allows that",
		`null`:                                                                "",
	} {
		for _, kind := range []string{"SandboxDenied", "LoadFailed"} {
			read := new(Error)
			text := `{"kind":"` + kind + `","message":"denied","cause":{"syscall":"openat","remedy":` + remedy + `,"remedy_note":null}}`
			if err := json.Unmarshal([]byte(text), read); err != nil || read.Message != "denied"+want {
				t.Errorf("%s: %s: %v, %v", kind, remedy, read.Message, err)
			}
		}
	}
	read := new(Error)
	text := `{"kind":"SandboxDenied","message":"denied","cause":{"remedy":{"profile":"files"},"remedy_note":", or so"}}`
	if err := json.Unmarshal([]byte(text), read); err != nil || !strings.HasSuffix(read.Message, " would allow it, or so") {
		t.Error(read.Message, err)
	}
}

func TestALineOfAnErrorCannotBeForged(t *testing.T) {
	err := &Error{Kind: ErrLibraryError, Library: "zlib", Function: "inflate", Message: "bad\x1b[2J\nforged", Tries: 3}
	if got := err.Error(); got != `zlib: inflate: LibraryError: bad\u{1b}[2J\u{a}forged (tried 3 times)` {
		t.Error(got)
	}
}

func TestALibraryErrorIsItsErrnoAndItsCode(t *testing.T) {
	err := error(&Error{Kind: ErrLibraryError, Cause: &LibraryError{Library: "l", Code: 5, Symbol: "L_BUSY", Errno: syscall.ENOENT}})
	for _, target := range []error{syscall.ENOENT, fs.ErrNotExist, ErrLibraryError, Code{Library: "l", Value: 5}} {
		if target == (Code{Library: "l", Value: 5}) {
			target = Code{"l", 5, "L_BUSY"}
		}
		if !errors.Is(err, target) {
			t.Errorf("it is no %v", target)
		}
	}
	for _, target := range []error{syscall.EAGAIN, Code{"m", 5, ""}, Code{"l", 6, ""}, context.Canceled} {
		if errors.Is(err, target) {
			t.Errorf("it is %v", target)
		}
	}
	if !errors.Is(&Error{Kind: ErrHung}, context.DeadlineExceeded) || !errors.Is(&Error{Kind: ErrCancelled}, context.Canceled) {
		t.Error("contexts say it otherwise")
	}
}

func TestAnErrorSaysWhatIsKnownOfItsCall(t *testing.T) {
	for want, err := range map[string]*Error{
		"z: f: InvalidArgument: m":    {Kind: ErrInvalidArgument, Library: "z", Function: "f", Message: "m"},
		"z: InvalidArgument: m":       {Kind: ErrInvalidArgument, Library: "z", Message: "m"},
		"InvalidArgument: the object": {Kind: ErrInvalidArgument, Message: "the object"},
	} {
		if got := err.Error(); got != want {
			t.Errorf("%q instead of %q", got, want)
		}
	}
}
