package hotcell

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Frame is where the thread was in C that ended the worker, or where a function there returns to.
type Frame struct {
	// Module is the file that the code is from, and Offset where in it.
	Module string
	Offset uint64
	// Function, File and Line are what the module's file says of it; empty and 0 where it says nothing.
	Function, File string
	Line           int
}

// String is `function at file:line (module+0x12)`, with `??` for a function that is not known.
func (f Frame) String() string {
	text := f.Function
	if text == "" {
		text = "??"
	}
	if f.File != "" {
		text += " at " + f.File
		if f.Line > 0 {
			text += ":" + strconv.Itoa(f.Line)
		}
	}
	return fmt.Sprintf("%s (%s+%#x)", text, f.Module, f.Offset)
}

// UnmarshalJSON reads a frame in the form in which hotcell writes frames as JSON.
func (f *Frame) UnmarshalJSON(data []byte) error {
	var form struct {
		Module   string `json:"module"`
		Offset   string `json:"offset"`
		Function string `json:"function"`
		File     string `json:"file"`
		Line     int    `json:"line"`
	}
	if err := json.Unmarshal(data, &form); err != nil {
		return err
	}
	offset, err := strconv.ParseUint(strings.TrimPrefix(form.Offset, "0x"), 16, 64)
	*f = Frame{Module: form.Module, Offset: offset, Function: form.Function, File: form.File, Line: form.Line}
	return err
}

// Frames are where the thread was in C that ended the worker, the innermost first: of a call that crashed, or had to be ended because it
// hung. There are none of other errors, nor where the worker left no stack.
//
// The supervisor keeps the stacks of the last workers of each session that is open, and walks them when it is asked: the files of the libraries are
// read then, for functions, files and lines.
func (e *Error) Frames(ctx context.Context) ([]Frame, error) {
	switch {
	case e == nil || e.Stack == nil:
		return nil, nil
	case ctx == nil:
		return nil, NilContext()
	}
	return e.Stack(ctx)
}
