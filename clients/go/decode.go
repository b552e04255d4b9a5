package hotcell

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// UnmarshalJSON reads an error in the form in which hotcell writes errors as JSON.
func (e *Error) UnmarshalJSON(data []byte) error {
	var form struct {
		Kind     string         `json:"kind"`
		Message  string         `json:"message"`
		Library  string         `json:"library"`
		Function string         `json:"function"`
		Executed Executed       `json:"executed"`
		Output   string         `json:"output"`
		Cause    map[string]any `json:"cause"`
	}
	if err := json.Unmarshal(data, &form); err != nil {
		return err
	}
	kind := KindOf(form.Kind)
	if kind == 0 {
		// A supervisor of a later version may have kinds that this one has not.
		kind, form.Message = ErrWorkerLost, form.Kind+": "+form.Message
	}
	// Also where loading failed by what was denied.
	if remedy, there := form.Cause["remedy"]; there {
		note, _ := form.Cause["remedy_note"].(string)
		form.Message += allowedBy(remedy) + note
	}
	*e = Error{
		Kind: kind, Message: form.Message, Library: form.Library, Function: form.Function, Executed: form.Executed,
		Output: form.Output, Time: time.Now(), Cause: cause(kind, form.Cause),
	}
	return nil
}

// allowedBy says what lets a system call pass that was denied, as an option has it; false is nothing.
func allowedBy(remedy any) string {
	table, ok := remedy.(map[string]any)
	if !ok {
		if remedy == false {
			return "; no profile allows that"
		}
		return ""
	}
	fields := []string{fmt.Sprintf("%q: %q", "profile", table["profile"])}
	for _, key := range []string{"read", "write", "connect", "bind", "allow", "refuse", "load", "write_xor_execute", "require"} {
		switch value := table[key].(type) {
		case string:
			fields = append(fields, fmt.Sprintf("%q: %q", key, value))
		case bool:
			fields = append(fields, fmt.Sprintf("%q: %t", key, value))
		case []any:
			of, unknown, items := "string", "PATH", []string{}
			if key == "connect" || key == "bind" {
				of, unknown = "int", "PORT"
			}
			for _, item := range value {
				switch item := item.(type) {
				case nil:
					items = append(items, unknown)
				case string:
					items = append(items, strconv.Quote(item))
				default:
					items = append(items, fmt.Sprint(item))
				}
			}
			fields = append(fields, fmt.Sprintf("%q: []%s{%s}", key, of, strings.Join(items, ", ")))
		}
	}
	return fmt.Sprintf("; Options{SandboxRules: map[string]any{%s}} would allow it", strings.Join(fields, ", "))
}

// cause is the typed form of what the supervisor says.
func cause(kind Kind, fields map[string]any) error {
	if len(fields) == 0 {
		return nil
	}
	text := func(name string) string { text, _ := fields[name].(string); return text }
	number := func(name string) float64 { number, _ := fields[name].(float64); return number }
	truth := func(name string) bool { truth, _ := fields[name].(bool); return truth }
	has := func(name string) bool { _, there := fields[name]; return there }
	switch {
	case has("signal"):
		address, err := strconv.ParseUint(strings.TrimPrefix(text("address"), "0x"), 16, 64)
		return &CrashError{
			Signal: int(number("number")), Name: text("signal"), Address: address, HasAddress: err == nil,
			StackOverflow: truth("stack_overflow"), External: truth("external"),
		}
	case has("status"):
		return &ExitError{Status: int(number("status"))}
	case has("deadline_ms"):
		return &DeadlineError{After: time.Duration(number("deadline_ms") * float64(time.Millisecond))}
	case has("suspect"):
		return &SuspectError{Function: text("suspect"), CallID: uint64(number("call_id"))}
	case has("limit"):
		return &LimitError{Limit: Reason(text("limit")), Value: uint64(number("value"))}
	case has("reason") && kind == ErrUnavailable:
		return &UnavailableError{Reason: Reason(text("reason"))}
	case has("argument"):
		return &ArgumentError{Name: text("argument")}
	}
	return &DetailError{Fields: fields}
}
