package hotcell

import (
	"testing"
	"time"
)

func TestAnInputThatEndsWorkersIsRefusedForAWhile(t *testing.T) {
	list := NewQuarantine(QuarantineRule{Within: time.Minute, Lasts: time.Hour})
	start := time.Now()
	list.note(1, "lib", "f", start)
	if !list.Refuses(1).IsZero() || list.IsRefusing() {
		t.Fatal("it has ended one worker only")
	}
	// Too long ago.
	list.note(1, "lib", "f", start.Add(2*time.Minute))
	if list.IsRefusing() {
		t.Fatal("two within a minute")
	}
	list.note(1, "lib", "f", start.Add(150*time.Second))
	if until := list.Refuses(1); !until.Equal(start.Add(150*time.Second + time.Hour)) {
		t.Fatal(until)
	}
	if !list.HasOf("lib", "f") || list.HasOf("lib", "g") || list.HasOf("other", "f") || !list.Refuses(2).IsZero() {
		t.Fatal("of another function")
	}
	all := list.Inputs()
	if len(all) != 1 || all[0].Refused != 1 || all[0].Crashes != 2 || all[0].Function != "f" {
		t.Fatalf("%+v", all)
	}
	input, err := ParseInput(all[0].Input.String())
	if err != nil || !list.Release(input) || list.Release(input) || list.IsRefusing() {
		t.Fatal(err)
	}
	// What is released has done nothing.
	list.note(1, "lib", "f", start)
	if list.IsRefusing() {
		t.Fatal("one more is enough")
	}
}

func TestWhatIsOverIsForgotten(t *testing.T) {
	list := NewQuarantine(QuarantineRule{Crashes: 1, Lasts: time.Nanosecond, Most: 2})
	list.Note(1, "lib", "f")
	time.Sleep(time.Microsecond)
	if !list.Refuses(1).IsZero() || list.IsRefusing() || len(list.inputs) != 0 {
		t.Fatal("it is over")
	}
	list = NewQuarantine(QuarantineRule{Crashes: 1, Most: 2})
	start := time.Now()
	for input := range Input(3) {
		list.note(input, "lib", "f", start.Add(time.Duration(input)*time.Second))
	}
	if all := list.Inputs(); len(all) != 2 || all[0].Input != 2 || all[1].Input != 1 || list.refusing.Load() != 2 {
		t.Fatalf("%+v", all)
	}
	list.ReleaseAll()
	if list.IsRefusing() || len(list.Inputs()) != 0 {
		t.Fatal("all were released")
	}
	// Those that have not ended enough workers have a bound of their own.
	list = NewQuarantine(QuarantineRule{Most: 2})
	for input := range Input(5) {
		list.note(input, "lib", "f", start.Add(time.Duration(input)*time.Second))
	}
	if len(list.inputs) != 2 || list.inputs[4] == nil {
		t.Fatalf("%+v", list.inputs)
	}
	if NewQuarantine(QuarantineRule{Crashes: -1}).IsOn() {
		t.Fatal("it is off")
	}
}
