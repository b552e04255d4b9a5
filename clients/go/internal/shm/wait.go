package shm

import (
	"context"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"hotcell/internal/sys"
	"hotcell/internal/wire"
)

// Outcome is how a wait ended.
type Outcome int

const (
	// Replied: there is a reply to the call that was waited for.
	Replied Outcome = iota
	// Ended: the worker has ended and had not replied.
	Ended
	// TimedOut: the time came first.
	TimedOut
	// Stopped: the wait was to be given up.
	Stopped
	// Broken: the worker broke a rule, and must be killed.
	Broken
)

// seldom is how many messages are between two looks at which CPU this is.
const seldom = 256

// falseAlarms is how often a worker may ring without a message, until that is a violation: each costs this process a wake-up.
const falseAlarms = 64

// longestSleep is how long a caller sleeps at most, and firstSleep the first time, before it looks whether the library has
// written over what wakes it.
const (
	firstSleep   = 100 * time.Millisecond
	longestSleep = 3 * time.Second
)

// Patience is how a caller waits.
type Patience struct {
	// Spin is how long it polls before it sleeps.
	Spin time.Duration
	// Left is how long it waits before it gives up, and Deadline when that is: it is reckoned when it is needed.
	Left     time.Duration
	Deadline time.Time
	// Endless tells that it waits until the worker ends, and wakes up for nothing else.
	Endless bool
	// Context gives the wait up when it is over. It may be nil.
	Context context.Context
}

// Begin has it be that of a call that may wait so long, and polls for no time yet.
func (p *Patience) Begin(left time.Duration) {
	p.Spin, p.Left, p.Endless = 0, left, false
	// What is nothing already is not written: a store of a pointer costs more.
	if p.Context != nil {
		p.Context = nil
	}
	if !p.Deadline.IsZero() {
		p.Deadline = time.Time{}
	}
}

// Reckon sees to it that there is a deadline.
func (p *Patience) Reckon() {
	if p.Deadline.IsZero() {
		p.Deadline = time.Now().Add(p.Left)
	}
}

// next is until when it sleeps at most: it looks now and then whether the library has written over what wakes it, unless it waits
// without end.
func (p *Patience) next(now time.Time, sleep time.Duration) time.Time {
	switch until := now.Add(sleep); {
	case p.Endless:
		return time.Time{}
	case p.Deadline.Before(until):
		return p.Deadline
	default:
		return until
	}
}

// over tells whether the wait is to be given up, and how that is told: a context whose deadline has passed is one that has.
func (p *Patience) over() (Outcome, bool) {
	if p.Context == nil || p.Context.Err() == nil {
		return 0, false
	}
	if p.Context.Err() == context.DeadlineExceeded {
		return TimedOut, true
	}
	return Stopped, true
}

// Over tells whether the wait is to be given up, as over does, or its time has come.
func (p *Patience) Over() (Outcome, bool) {
	if outcome, over := p.over(); over {
		return outcome, true
	}
	return TimedOut, !p.Endless && time.Until(p.Deadline) <= 0
}

// Await waits for the worker's next message in this slot: it polls while that may be on another CPU, then sleeps, without
// holding a thread. The rule that was broken comes as a text.
func (l *Lane) Await(callID uint64, patience *Patience) (ReplyHead, Outcome, string) {
	if patience.Spin > 0 && !l.woke && l.poll() {
		if head, outcome, rule, come := l.look(callID); come {
			return head, outcome, rule
		}
	}
	return l.awaitLonger(callID, patience)
}

// poll looks for a while whether the commit word changes.
func (l *Lane) poll() bool {
	commit, before := l.channel.reply.word(slotAt(l.index, l.slot)+wire.ReplyHeadCommit), l.replies[l.slot]
	// Partner: as in look, which judges it.
	return changes(commit, before, polls)
}

// awaitLonger is the rest of a wait that was not over in a moment.
func (l *Lane) awaitLonger(callID uint64, patience *Patience) (ReplyHead, Outcome, string) {
	begun := time.Now()
	patience.Reckon()
	polling := patience.Spin > 0 && !(l.woke && l.sharesCPU())
	for alarms, sleep := 0, firstSleep; ; sleep = min(2*sleep, longestSleep) {
		if polling {
			l.poll()
		}
		if head, outcome, rule, come := l.look(callID); come {
			return head, outcome, rule
		}
		if outcome, over := patience.over(); over {
			return ReplyHead{}, outcome, ""
		}
		now := time.Now()
		if !patience.Endless && !now.Before(patience.Deadline) {
			return ReplyHead{}, TimedOut, ""
		}
		if polling = polling && now.Sub(begun) < patience.Spin && !l.sharesCPU(); polling {
			if l.alone {
				runtime.Gosched()
			}
			continue
		}
		if alarms > falseAlarms {
			return ReplyHead{}, Broken, "a worker rings without end and says nothing"
		}
		l.sayCPU()
		alarms += l.sleep(patience, patience.next(now, sleep))
	}
}

// sleep parks this goroutine until there is a message, the worker has ended, the time has come, or the wait is to be given up.
// How often it was woken for nothing comes back.
func (l *Lane) sleep(patience *Patience, until time.Time) (alarms int) {
	before := l.replies[l.slot]
	commit := l.channel.reply.word(slotAt(l.index, l.slot) + wire.ReplyHeadCommit)
	park := l.channel.request.word(laneAt(l.index) + wire.LaneHostPark)
	if patience.Context != nil {
		defer context.AfterFunc(patience.Context, l.bell.Wake)()
	}
	looks := 0
	l.bell.Sleep(until, func() bool {
		looks++
		// Partner: the fence of the worker between its commit word and its look at the park word. A store of sync/atomic is
		// a fence: either the worker sees that this side sleeps, or this side sees the message.
		atomic.StoreUint32(park, uint32(wire.ParkEventfd))
		_, over := patience.over()
		return over || atomic.LoadUint32(commit) != before || l.channel.dead.Load() || looks > falseAlarms
	})
	atomic.StoreUint32(park, uint32(wire.ParkAwake))
	// The first look was none that somebody woke it for; and one that found a message was not for nothing.
	return max(looks-2, 0) + alarmIf(looks > 1 && atomic.LoadUint32(commit) == before && !l.channel.dead.Load())
}

func alarmIf(alarm bool) int {
	if alarm {
		return 1
	}
	return 0
}

// look is the worker's next message, or that there will be none.
func (l *Lane) look(callID uint64) (head ReplyHead, outcome Outcome, rule string, come bool) {
	commit := l.channel.reply.word(slotAt(l.index, l.slot) + wire.ReplyHeadCommit)
	before := l.replies[l.slot]
	// Partner: the release store of the commit word in the worker.
	seen := atomic.LoadUint32(commit)
	if seen == before {
		if !l.channel.dead.Load() || atomic.LoadUint32(commit) != seen {
			return ReplyHead{}, 0, "", false
		}
		// It had not replied between the look above and its end.
		return ReplyHead{}, Ended, "", true
	}
	if seen != before+1 {
		return ReplyHead{}, Broken, "the commit word of a reply was neither the last nor the next", true
	}
	l.replies[l.slot] = seen
	l.expectCall()
	if head, rule = l.judge(callID); rule != "" {
		return ReplyHead{}, Broken, rule, true
	}
	return head, Replied, "", true
}

// ring wakes the worker if it sleeps. It comes behind the store of a commit word, which is a fence.
func (l *Lane) ring() {
	if l.rung++; l.rung%seldom == 0 {
		l.sayCPU()
		l.alone = runtime.GOMAXPROCS(0) == 1
	}
	request, reply := l.channel.request, l.channel.reply
	// Partner: the fence of the worker between its park word and its last look for a message.
	l.woke = reply.load32(l.parkAt) != uint32(wire.ParkAwake)
	if l.woke {
		bell := request.word(l.doorbellAt)
		atomic.AddUint32(bell, 1)
		const futexWake = 1
		_, _, _ = syscall.RawSyscall6(syscall.SYS_FUTEX, uintptr(unsafe.Pointer(bell)), futexWake, 1<<30, 0, 0, 0)
	}
}

// sharesCPU tells whether the worker says that it is on the CPU of this thread. A lie costs patience, and nothing else.
func (l *Lane) sharesCPU() bool { return l.sayCPU() == l.channel.reply.load32(l.cpuAt) }

// sayCPU says on which CPU this thread is. It may be on another one the next moment: it is a hint.
func (l *Lane) sayCPU() uint32 {
	var cpu uint32
	if _, _, errno := syscall.RawSyscall(sys.SYS_GETCPU, uintptr(unsafe.Pointer(&cpu)), 0, 0); errno != 0 {
		return wire.CpuUnknown
	}
	if l.cpu != cpu {
		l.cpu = cpu
		l.channel.request.store32(laneAt(l.index)+wire.LaneHostCpu, cpu)
	}
	return cpu
}
