package rt

import (
	"errors"
	"strings"
	"testing"

	"hotcell"
)

// entryOf is a call that needs no worker: an entry of a batch.
func entryOf(options hotcell.Options) *Call {
	pack := &Package{Library: "l", Functions: []Function{{Name: "f", Args: 64}}, Handles: []HandleType{{Name: "thing"}, {Name: "other"}}}
	return NewBatch(&Session{pack: pack, options: options.WithDefaults()}).Begin(0)
}

func TestTextsAreConvertedAndComeBack(t *testing.T) {
	for _, encoding := range []Encoding{UTF8, UTF16, UTF32, Latin1} {
		for _, text := range []string{"", "plain", "Größe", "ÿ\u0080\x01"} {
			data, at := encoding.encode(text)
			if back, wrong := encoding.decode(data); at >= 0 || wrong >= 0 || back != text {
				t.Errorf("%v: %q came back as %q (%d, %d)", encoding, text, back, at, wrong)
			}
		}
	}
	if data, at := UTF16.encode("🦀"); at >= 0 || len(data) != 4 {
		t.Error(data, at)
	}
	for _, wrong := range []struct {
		encoding Encoding
		text     string
		at       int
	}{{Latin1, "ab€", 2}, {UTF16, "a\xff", 1}, {UTF8, "ab\xc3", 2}} {
		if _, at := wrong.encoding.encode(wrong.text); at != wrong.at {
			t.Errorf("%v of %q: %d", wrong.encoding, wrong.text, at)
		}
	}
	for _, wrong := range []struct {
		encoding Encoding
		data     []byte
		at       int
	}{
		{UTF8, []byte("a\xff"), 1}, {UTF16, []byte{65, 0, 66}, 2}, {UTF16, []byte{65, 0, 0, 0xD8}, 2}, {UTF16, []byte{0, 0xDC, 65, 0}, 0},
		{UTF32, []byte{65, 0, 0, 0, 0, 0xD8, 0, 0}, 4}, {UTF32, []byte{0, 0, 0x11, 0}, 0}, {UTF32, []byte{65, 0, 0, 0, 66}, 4},
		{UTF32, []byte{0, 0, 0, 0xFF}, 0},
	} {
		if text, at := wrong.encoding.decode(wrong.data); at != wrong.at {
			t.Errorf("%v of %v: %q, %d", wrong.encoding, wrong.data, text, at)
		}
	}
}

// Each names its argument, is told before anything is sent, and nothing that is put behind it changes it.
func TestArgumentsThatCannotBePassed(t *testing.T) {
	for name, test := range map[string]struct {
		put  func(*Call)
		kind hotcell.Kind
	}{
		"a NUL":                {func(c *Call) { c.PutText(0, "x", "a\x00b") }, hotcell.ErrInvalidArgument},
		"a NUL in bytes":       {func(c *Call) { c.PutTextBytes(0, "x", []byte{0}) }, hotcell.ErrInvalidArgument},
		"a NUL in one of many": {func(c *Call) { c.PutTexts(0, "x", UTF8, []string{"a", "b\x00"}) }, hotcell.ErrInvalidArgument},
		"no UTF-8":             {func(c *Call) { c.PutText(0, "x", "\xff") }, hotcell.ErrBadEncoding},
		"no Latin-1":           {func(c *Call) { c.PutTextAs(0, "x", Latin1, "€") }, hotcell.ErrBadEncoding},
		"too many bits":        {func(c *Call) { c.CheckBits("x", 8, 3, false) }, hotcell.ErrInvalidArgument},
		"a sign":               {func(c *Call) { c.CheckBits("x", -5, 3, true) }, hotcell.ErrInvalidArgument},
		"a room below nothing": {func(c *Call) { c.PutRoom(0, "x", -1) }, hotcell.ErrInvalidArgument},
		"no structure":         {func(c *Call) { c.PutImage(0, "x", nil) }, hotcell.ErrInvalidArgument},
		"no object":            {func(c *Call) { c.PutHandle(0, "x", nil, 1) }, hotcell.ErrInvalidArgument},
		"what a package says":  {func(c *Call) { c.Refuse("x", "is %d", 7) }, hotcell.ErrInvalidArgument},
		"a text for its array": {func(c *Call) { NewImage(8).PutTextArray(c, 0, "x", "12345678", 8) }, hotcell.ErrInvalidArgument},
		"a NUL in an array":    {func(c *Call) { NewImage(8).PutTextArray(c, 0, "x", "1\x00", 8) }, hotcell.ErrInvalidArgument},
		"too much data":        {func(c *Call) { c.PutBytes(0, "x", make([]byte, 600)); c.PutBytes(16, "x", make([]byte, 600)) }, hotcell.ErrLimitExceeded},
	} {
		call := entryOf(hotcell.Options{MaxInput: 1000})
		test.put(call)
		var failed *hotcell.Error
		if !errors.Is(call.err, test.kind) || !errors.As(call.err, &failed) || failed.Executed != hotcell.ExecutedNo || failed.Function != "f" {
			t.Errorf("%s: %v", name, call.err)
		}
		var wrong *hotcell.ArgumentError
		if errors.As(call.err, &wrong) && (wrong.Name != "x" || !strings.Contains(call.err.Error(), "`x`")) {
			t.Errorf("%s does not name it: %v", name, call.err)
		}
		before := call.err
		call.PutText(0, "y", "\x00")
		call.PutUint32(0, 7)
		if call.err != before {
			t.Errorf("%s: another error took its place", name)
		}
		if _, err := Values(call, func(r Numbers) int { return 0 }).Result(); !errors.Is(err, test.kind) {
			t.Errorf("%s: the entry says %v", name, err)
		}
	}
}

func TestWhatFitsIsPassed(t *testing.T) {
	call := entryOf(hotcell.Options{})
	call.CheckBits("x", 7, 3, false)
	call.CheckBits("x", -4, 3, true)
	call.CheckBits("x", 3, 3, true)
	call.PutOptText(0, "x", nil)
	call.PutOptBytes(16, "x", nil)
	call.PutOptHandle(32, "x", nil, 1)
	PutElements(call, 40, "x", []float64{1, 2})
	image := NewImage(8)
	image.PutTextArray(call, 0, "x", "1234567", 8)
	PutArray(image, 0, []uint16{1, 2})
	if got := Array[uint16](image, 0, 2); got[0] != 1 || got[1] != 2 {
		t.Error(got)
	}
	if call.err != nil {
		t.Error(call.err)
	}
}
