package shm

import (
	"math/bits"

	"hotcell/internal/wire"
)

// Arena is the data memory of one lane: request memory that this process fills, and the reply windows that it grants. It starts
// without any and grows by whole segments, each at least twice as big as the one before. None is given back before the worker
// ends.
type Arena struct {
	request segment
	// outgrown are request segments that were outgrown during a call: its references still point there.
	outgrown []segment
	used     int
	// windows are reply segments. The first granted of them belong to the call in progress, the announced one first of all.
	windows   []segment
	announced bool
	// first is the first window that is not one of an outer call's: not 0 only in nested calls.
	first, inForce int
}

// segment is one that the worker has mapped, too.
type segment struct {
	id      uint16
	mapping *Mapping
}

// Outer is where a lane's data memory stood when a call was nested in another.
type Outer struct {
	request        uint16
	used           int
	first, granted int
}

// Window is reply memory that a call was granted.
type Window struct {
	Place  Place
	Length uint64
	// Announce tells whether it is the largest from now on, and to be announced.
	Announce bool
}

// smallest is the smallest segment that is added.
const smallest = 1 << 20

// mostWindows is how many times what a call may return all windows of a lane may have together, and leastWindows what they
// may have in any case.
const (
	mostWindows  = 4
	leastWindows = 64 << 20
)

// Reset forgets the data of the call before.
func (a *Arena) Reset() {
	a.used, a.first, a.inForce = 0, 0, 0
	if a.announced {
		a.inForce = 1
	}
	if len(a.outgrown) > 0 {
		a.unmapOutgrown()
	}
}

func (a *Arena) unmapOutgrown() {
	for _, segment := range a.outgrown {
		segment.mapping.Unmap()
	}
	a.outgrown = a.outgrown[:0]
}

// Descend begins the data of a call that is nested in the one in progress: behind that one's, and without a window.
func (a *Arena) Descend() Outer {
	outer := Outer{a.request.id, a.used, a.first, a.inForce}
	a.first = a.inForce
	return outer
}

// Ascend forgets the data of a nested call.
func (a *Arena) Ascend(outer Outer) {
	a.used = 0
	if a.request.id == outer.request {
		a.used = outer.used
	}
	a.first, a.inForce = outer.first, outer.granted
}

// CopyIn copies data, and tail zero bytes, behind the call's earlier data. False where there is no room: then a segment of
// [Arena.Wanted] bytes is to be added.
func (a *Arena) CopyIn(data []byte, tail int) (Place, bool) {
	mapping := a.request.mapping
	if mapping == nil || len(data)+tail > mapping.Length()-a.used {
		return Null, false
	}
	mapping.copyIn(a.used, data)
	mapping.zero(a.used+len(data), tail)
	return a.take(len(data) + tail), true
}

// CopyPartsIn is as CopyIn, of data that lie in three parts, and have so many bytes.
func (a *Arena) CopyPartsIn(parts *[3][]byte, bytes int) (Place, bool) {
	mapping := a.request.mapping
	if mapping == nil || bytes > mapping.Length()-a.used {
		return Null, false
	}
	at := a.used
	for _, part := range parts {
		mapping.copyIn(at, part)
		at += len(part)
	}
	return a.take(bytes), true
}

// mostExpected is how many bytes are asked for ahead: no more than come before they are needed.
const mostExpected = 32 * wire.Line

// ExpectData says that another call will have about as many data as this one: it asks for the lines that they will be stored into,
// which the worker has, while something else is done.
func (a *Arena) ExpectData() {
	if a.used > 0 && a.request.mapping != nil {
		a.expectLines()
	}
}

func (a *Arena) expectLines() {
	for line := 0; line < min(a.used, mostExpected); line += wire.Line {
		claim(&a.request.mapping.memory[line])
	}
}

// CopyTextIn is as CopyIn, of a string with a NUL behind it.
func (a *Arena) CopyTextIn(text string) (Place, bool) {
	mapping := a.request.mapping
	if mapping == nil || len(text)+1 > mapping.Length()-a.used {
		return Null, false
	}
	mapping.copyText(a.used, text)
	mapping.zero(a.used+len(text), 1)
	return a.take(len(text) + 1), true
}

func (a *Arena) take(bytes int) Place {
	place := PlaceOf(a.request.id, a.used)
	a.used = min((a.used+bytes+wire.BufferAlign-1)/wire.BufferAlign*wire.BufferAlign, a.request.mapping.Length())
	return place
}

// Put is data that the call has copied in; nil where it has not.
func (a *Arena) Put(place Place, bytes uint64) []byte {
	offset := place.Offset()
	for _, segment := range append(a.outgrown[:len(a.outgrown):len(a.outgrown)], a.request) {
		if segment.mapping != nil && segment.id == place.Segment() && segment.mapping.holds(offset, bytes) {
			return segment.mapping.memory[offset : offset+bytes]
		}
	}
	return nil
}

// Lend is as CopyIn, of what the worker reads before its next message: what comes behind it may lie in its place.
func (a *Arena) Lend(data []byte) (Place, bool) {
	used := a.used
	place, fits := a.CopyIn(data, 0)
	a.used = used
	return place, fits
}

// Wanted is how many bytes the next request segment should have, to hold so many.
func (a *Arena) Wanted(needed int) int {
	current := 0
	if a.request.mapping != nil {
		current = a.request.mapping.Length()
	}
	return grown(current, needed)
}

// AddRequest puts a new request segment in use.
func (a *Arena) AddRequest(id uint16, mapping *Mapping) {
	if a.request.mapping != nil {
		a.outgrown = append(a.outgrown, a.request)
	}
	a.request, a.used = segment{id, mapping}, 0
}

// Regrant grants a window that an earlier call left behind, if one is big enough.
func (a *Arena) Regrant(needed int, nested bool) (Window, bool) {
	for index := a.inForce; index < len(a.windows); index++ {
		if a.windows[index].mapping.Length() >= needed {
			return a.grant(index, nested), true
		}
	}
	return Window{}, false
}

// NextWindow is how many bytes the next window should have, to hold so many, where a call may be granted limit. False where all
// windows together would have too much: a worker that asks for ever more, over any number of calls, gets no more.
func (a *Arena) NextWindow(needed, limit int) (int, bool) {
	have, largest := 0, 0
	for _, window := range a.windows {
		have += window.mapping.Length()
		largest = max(largest, window.mapping.Length())
	}
	for _, current := range []int{largest, 0} {
		wanted := max(min(grown(current, needed), limit), needed)
		if have+wanted <= max(limit*mostWindows, leastWindows) {
			return wanted, true
		}
	}
	return 0, false
}

// AddWindow grants a new reply window to the call in progress. Earlier ones stay granted until it ends, for C may hold
// pointers into them.
func (a *Arena) AddWindow(id uint16, mapping *Mapping, nested bool) Window {
	a.windows = append(a.windows, segment{id, mapping})
	return a.grant(len(a.windows)-1, nested)
}

func (a *Arena) grant(index int, nested bool) Window {
	window := a.windows[index]
	length := window.mapping.Length()
	announce := !nested && (!a.announced || a.windows[0].mapping.Length() < length)
	at := a.inForce
	if announce {
		at, a.announced = 0, true
	}
	a.inForce++
	copy(a.windows[at+1:index+1], a.windows[at:index])
	a.windows[at] = window
	return Window{PlaceOf(window.id, 0), uint64(length), announce}
}

// granted finds bytes that were granted to the call in progress.
func (a *Arena) granted(place Place, length uint64) (Located, bool) {
	for _, window := range a.windows[a.first:a.inForce] {
		if window.id == place.Segment() && window.mapping.holds(place.Offset(), length) {
			return Located{window.mapping, int(place.Offset()), int(length)}, true
		}
	}
	return Located{}, false
}

// Close unmaps every segment. The lane has no call any more.
func (a *Arena) Close() {
	a.Reset()
	if a.request.mapping != nil {
		a.request.mapping.Unmap()
	}
	for _, window := range a.windows {
		window.mapping.Unmap()
	}
	*a = Arena{}
}

// grown is how many bytes the segment behind one of current bytes has, when it is to hold needed.
func grown(current, needed int) int {
	wanted := max(needed+wire.BufferAlign, 2*current, smallest)
	return 1 << bits.Len(uint(wanted-1))
}
