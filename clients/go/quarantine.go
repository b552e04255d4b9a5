package hotcell

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// QuarantineRule is when an input is refused. Zero fields have the defaults.
type QuarantineRule struct {
	// Crashes is how many workers it has ended by then. 2; negative: none is ever refused.
	Crashes int
	// Within is the longest time between two of these. An hour.
	Within time.Duration
	// Lasts is how long it is refused. An hour.
	Lasts time.Duration
	// Most is how many inputs are refused at a time, and how many are known besides that have not ended enough workers. 1000.
	Most int
}

// Quarantine is inputs that have ended workers: who has done so often enough is refused for a while, so that one bad file does not
// cost a worker each time. Sessions that are opened with the same one in their [Options] share it.
//
// An input is what goes into a call of a function: numbers, texts, data and structures, not objects. Calls without data have none,
// nor have those in batches, nor those that lend a [SharedBuffer] with data: the worker may have changed them when it ends. Room that is
// lent is room.
type Quarantine struct {
	rule QuarantineRule
	// seed makes numbers of inputs: nobody else can make another input with the same.
	seed maphash.Seed
	// refusing is how many inputs are refused, as far as was looked.
	refusing atomic.Int32

	mutex  sync.Mutex
	inputs map[Input]*suspect
}

// Input is what an input goes by in its list. Another list has another number for it.
type Input uint64

// String is the number in hexadecimal.
func (i Input) String() string { return fmt.Sprintf("%016x", uint64(i)) }

// ParseInput is the input that goes by this text.
func ParseInput(text string) (Input, error) {
	number, err := strconv.ParseUint(text, 16, 64)
	return Input(number), err
}

// Quarantined is an input that is refused.
type Quarantined struct {
	// Input is what it goes by.
	Input Input
	// Library and Function are what it went into.
	Library, Function string
	// Crashes is how many workers it has ended, the last of them at Last.
	Crashes int
	Last    time.Time
	// Until is when it is refused no longer.
	Until time.Time
	// Refused is how many calls were refused for it.
	Refused uint64
}

// suspect is what is known of an input. Until is zero where it is not refused.
type suspect struct{ Quarantined }

// NewQuarantine is an empty list.
func NewQuarantine(rule QuarantineRule) *Quarantine {
	fill(&rule.Crashes, 2)
	fill(&rule.Within, time.Hour)
	fill(&rule.Lasts, time.Hour)
	fill(&rule.Most, 1000)
	return &Quarantine{rule: rule, seed: maphash.MakeSeed(), inputs: make(map[Input]*suspect)}
}

// Inputs is the inputs that are refused now, those first that go last.
func (q *Quarantine) Inputs() (all []Quarantined) {
	if q == nil {
		return nil
	}
	q.mutex.Lock()
	defer q.mutex.Unlock()
	q.expire(time.Now())
	for _, known := range q.inputs {
		if !known.Until.IsZero() {
			all = append(all, known.Quarantined)
		}
	}
	slices.SortFunc(all, func(one, other Quarantined) int {
		return cmp.Or(other.Until.Compare(one.Until), cmp.Compare(one.Input, other.Input))
	})
	return all
}

// Release lets an input go, and forgets what it has done. False where it is not refused.
func (q *Quarantine) Release(input Input) bool {
	if q == nil {
		return false
	}
	q.mutex.Lock()
	defer q.mutex.Unlock()
	q.expire(time.Now())
	known := q.inputs[input]
	if known == nil || known.Until.IsZero() {
		return false
	}
	delete(q.inputs, input)
	q.refusing.Add(-1)
	return true
}

// ReleaseAll lets all inputs go, and forgets what they have done: when the library was mended, for instance.
func (q *Quarantine) ReleaseAll() {
	if q == nil {
		return
	}
	q.mutex.Lock()
	defer q.mutex.Unlock()
	clear(q.inputs)
	q.refusing.Store(0)
}

// IsOn tells whether it ever refuses an input. It is for the runtime of packages, as are all below.
func (q *Quarantine) IsOn() bool { return q != nil && q.rule.Crashes > 0 && q.rule.Most > 0 }

// IsRefusing tells whether an input may be refused.
func (q *Quarantine) IsRefusing() bool { return q != nil && q.refusing.Load() > 0 }

// HasOf tells whether an input of this function is refused.
func (q *Quarantine) HasOf(library, function string) bool {
	if q == nil {
		return false
	}
	q.mutex.Lock()
	defer q.mutex.Unlock()
	q.expire(time.Now())
	for _, known := range q.inputs {
		if !known.Until.IsZero() && known.Function == function && known.Library == library {
			return true
		}
	}
	return false
}

// IsMade tells whether NewQuarantine has made it.
func (q *Quarantine) IsMade() bool { return q != nil && q.inputs != nil }

// Seed is that of what makes numbers of inputs, of a list that IsMade.
func (q *Quarantine) Seed() maphash.Seed {
	if q == nil {
		return maphash.Seed{}
	}
	return q.seed
}

// Refuses tells until when an input is refused, and counts that. The zero time where it is not.
func (q *Quarantine) Refuses(input Input) (until time.Time) {
	if q == nil {
		return time.Time{}
	}
	q.mutex.Lock()
	defer q.mutex.Unlock()
	q.expire(time.Now())
	known := q.inputs[input]
	if known == nil || known.Until.IsZero() {
		return time.Time{}
	}
	known.Refused++
	return known.Until
}

// Note notes that an input of a function has ended a worker. What nobody has made notes nothing.
func (q *Quarantine) Note(input Input, library, function string) {
	if q.IsMade() {
		q.note(input, library, function, time.Now())
	}
}

func (q *Quarantine) note(input Input, library, function string, now time.Time) {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	q.expire(now)
	known := q.inputs[input]
	if known == nil {
		q.makeRoom(q.rule.Most-1, false)
		known = &suspect{Quarantined{Input: input, Library: library, Function: function, Last: now}}
		q.inputs[input] = known
	}
	if now.Sub(known.Last) > q.rule.Within {
		known.Crashes = 0
	}
	known.Crashes++
	known.Last = now
	if known.Crashes >= q.rule.Crashes {
		if known.Until.IsZero() {
			q.refusing.Add(1)
		}
		known.Until = now.Add(q.rule.Lasts)
		q.makeRoom(q.rule.Most, true)
	}
}

// expire forgets the inputs whose time is over.
func (q *Quarantine) expire(now time.Time) {
	if q.refusing.Load() == 0 {
		return
	}
	for input, known := range q.inputs {
		if !known.Until.IsZero() && !now.Before(known.Until) {
			delete(q.inputs, input)
			q.refusing.Add(-1)
		}
	}
}

// makeRoom forgets those that are refused, or those that are not, until there are no more than most: what is refused no longer
// the soonest, or has ended a worker the longest ago.
func (q *Quarantine) makeRoom(most int, refused bool) {
	for {
		var least *suspect
		count := 0
		for _, known := range q.inputs {
			if known.Until.IsZero() == refused {
				continue
			}
			count++
			if least == nil || cmp.Or(known.Until.Compare(least.Until), known.Last.Compare(least.Last)) < 0 {
				least = known
			}
		}
		if count <= most {
			return
		}
		delete(q.inputs, least.Input)
		if refused {
			q.refusing.Add(-1)
		}
	}
}
