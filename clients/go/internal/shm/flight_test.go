package shm

import "testing"

// window is reply memory of so many bytes.
func window(bytes int) *Mapping { return &Mapping{make([]byte, bytes)} }

func (a *Arena) has(segment uint16) bool {
	_, found := a.granted(PlaceOf(segment, 0), 1)
	return found
}

// A call in flight has windows of its own, and none is announced meanwhile; behind it the largest is, again.
func TestWindowsOfCallsInFlight(t *testing.T) {
	var arena Arena
	arena.Reset()
	if !arena.AddWindow(2, window(4096), false).Announce {
		t.Error("a call by itself has it announced")
	}
	if !arena.BeginFlight() || arena.has(2) {
		t.Error("it is to be taken back")
	}
	if arena.BeginFlight() {
		t.Error("it was")
	}
	for range 3 {
		if found, some := arena.Regrant(4096, true); !some || found.Announce || found.Place != PlaceOf(2, 0) || !arena.has(2) {
			t.Error(found, some)
		}
		if arena.AddWindow(3, window(8192), true).Announce || !arena.has(2) || !arena.has(3) {
			t.Error("both are granted, and neither is announced")
		}
		if arena.EndOfCall(); arena.has(2) || arena.has(3) {
			t.Error("its results were copied")
		}
		arena.windows = arena.windows[:2]
	}
	if largest, some := arena.EndFlight(); !some || largest != (Window{PlaceOf(3, 0), 8192, true}) {
		t.Error(largest, some)
	}
	if arena.Reset(); !arena.has(3) || arena.has(2) {
		t.Error("a call by itself has it from its start")
	}
	var none Arena
	if _, some := none.EndFlight(); some || none.BeginFlight() {
		t.Error("there is none")
	}
}

// Arguments lie one behind the other, and the segment is used again when enough calls have used half of it.
func TestArgumentsOfCallsInFlight(t *testing.T) {
	var arena Arena
	if arena.IsCrowded(1000) {
		t.Error("there is nothing yet")
	}
	arena.AddRequest(2, window(1<<20))
	end, sent := uint64(0), 0
	for ; !arena.IsCrowded(sent); sent++ {
		place, fits := arena.CopyIn(make([]byte, 5000), 1)
		if !fits || place.Offset() < end {
			t.Fatal(place, fits)
		}
		end = place.Offset() + 5001
	}
	if end <= 1<<19 || sent <= enough {
		t.Error(end, sent)
	}
	if arena.BeginFlight(); arena.IsCrowded(sent) {
		t.Error("it is free again")
	}
	parts := [3][]byte{{1, 2}, nil, {3}}
	place, fits := arena.CopyPartsIn(&parts, 3)
	if found := arena.Put(place, 3); !fits || place != PlaceOf(2, 0) || string(found) != "\x01\x02\x03" {
		t.Error(place, fits, found)
	}
	if _, fits := arena.CopyPartsIn(&[3][]byte{make([]byte, 1<<20)}, 1<<20); fits {
		t.Error("there is no room")
	}
	if arena.CopyIn(make([]byte, 600_000), 0); arena.IsCrowded(1) {
		t.Error("few and large calls get a larger one")
	}
	if !arena.IsCrowded(enough) {
		t.Error("many do not")
	}
}

// Who turns to a call in flight comes back to its slot behind a callback.
func TestSlotsOfCallsInFlight(t *testing.T) {
	lane := &Lane{next: 13}
	for number := uint32(5); number < 13; number++ {
		lane.TurnTo(number)
		lane.Descend()
		if lane.Ascend(); lane.slot != int(number%8) {
			t.Error(number, lane.slot)
		}
	}
}
