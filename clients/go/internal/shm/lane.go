package shm

import (
	"encoding/binary"
	"sync/atomic"
	"unsafe"

	"hotcell/internal/wire"
)

// Lane is the caller's side of a lane, for one call at a time and those nested in it. Its counters are private: the worker
// can neither read nor move them.
//
//	next              calls of depth 0 published; the low bits choose the ring slot
//	depth             calls it is inside of: while one of them calls back, it may make another
//	behind            calls that were published behind the one that is waited for
//	calls, resumes    last commit word it wrote, by slot
//	replies           last commit word it accepted, by slot
type Lane struct {
	channel *Channel
	index   int
	bell    *Bell
	// Where the worker's thread of this lane says that it sleeps, and on which CPU it is, and what wakes it.
	parkAt, cpuAt, doorbellAt int

	next    uint32
	behind  uint32
	depth   int
	slot    int
	calls   [slots]uint32
	resumes [slots]uint32
	replies [slots]uint32
	// cpu is what the lane has said last.
	cpu uint32
	// alone tells whether Go runs one goroutine at a time, as far as was seen when that was looked at last.
	alone bool
	// rung is how many messages were sent, round and round.
	rung uint32
	// woke tells whether the worker slept when it was rung last.
	woke bool
}

// CallHead is what a call says besides its arguments.
type CallHead struct {
	// Function is its index.
	Function uint16
	// CallID is unique in this process, and not 0.
	CallID uint64
	// Time is how many nanoseconds it has; 0 without end.
	Time uint64
}

// ReplyHead is a reply's head, copied and judged.
type ReplyHead struct {
	// State is what the reply says.
	State wire.ReplyState
	// Errno is as it was right behind the library's function.
	Errno int32
	// ResultLength is how many bytes the result block has.
	ResultLength uint32
	// Value is by state; see the wire's reference.
	Value uint64
}

// Channel is the lane's channel.
func (l *Lane) Channel() *Channel { return l.channel }

// Index is the lane's number.
func (l *Lane) Index() int { return l.index }

// Open chooses the slot of the next call. A call that is not published leaves no trace: the next takes the same slot.
func (l *Lane) Open() {
	l.slot = slotOf(l.depth, l.next)
	claim(&l.channel.request.memory[slotAt(l.index, l.slot)+wire.CallOffset])
}

// expectCall says that another call may follow, when the reply has been read.
func (l *Lane) expectCall() {
	claim(&l.channel.request.memory[slotAt(l.index, slotOf(l.depth, l.next))+wire.CallOffset])
}

// inFirstLine is how many bytes of an argument block lie in the first line of a call.
const inFirstLine = wire.Line - wire.ArgsOffset%wire.Line

// ExpectData is as expectCall, of a call whose argument block will have about so many bytes.
func (l *Lane) ExpectData(bytes int) {
	if bytes > inFirstLine {
		l.expectLines(bytes)
	}
}

func (l *Lane) expectLines(bytes int) {
	next := slotAt(l.index, slotOf(l.depth, l.next)) + wire.ArgsOffset
	end := next + min(bytes, wire.MaxArgs)
	for line := (next + wire.Line - 1) / wire.Line * wire.Line; line < end; line += wire.Line {
		claim(&l.channel.request.memory[line])
	}
}

// ExpectAnswer says that an answer will follow, when something else has been done.
func (l *Lane) ExpectAnswer() {
	claim(&l.channel.request.memory[slotAt(l.index, l.slot)])
}

// Descend goes into the callback that the call under way waits for: calls from now on are nested in it. False where it is
// nested as deep as calls may be.
func (l *Lane) Descend() bool {
	if l.depth == wire.StackSlots {
		return false
	}
	l.depth++
	return true
}

// Ascend comes back to the call that was left by Descend.
func (l *Lane) Ascend() {
	l.depth--
	l.slot = slotOf(l.depth, l.next-1-l.behind)
}

// ArgsPlace is the place of an offset of the argument block.
func (l *Lane) ArgsPlace(offset int) Place {
	return PlaceOf(wire.SegmentRequest, slotAt(l.index, l.slot)+wire.ArgsOffset+offset)
}

// Announce tells calls from now on which reply window they have.
func (l *Lane) Announce(place Place, length uint64) {
	line := laneAt(l.index)
	l.channel.request.store64(line+wire.LaneHostWindowPlace, uint64(place))
	l.channel.request.store64(line+wire.LaneHostWindowLength, length)
}

// Publish sends the call with its argument block: from here on the worker may have executed it.
//
// The worker polls the first line of a call: so the block is written first, and the word with the commit word last, at once.
func (l *Lane) Publish(head CallHead, block []byte) {
	at := slotAt(l.index, l.slot) + wire.CallOffset
	if l.depth == 0 {
		l.next++
		l.behind = 0
	}
	turn := l.calls[l.slot] + 1
	l.calls[l.slot] = turn
	line := l.channel.request.memory[at : at+wire.CallHeadSize+len(block)]
	binary.NativeEndian.PutUint64(line[wire.CallHeadFlags:], uint64(l.depth)<<8|uint64(len(block))<<16)
	binary.NativeEndian.PutUint64(line[wire.CallHeadCallId:], head.CallID)
	binary.NativeEndian.PutUint64(line[wire.CallHeadTime:], head.Time)
	copy(line[wire.CallHeadSize:], block)
	first := uint64(turn) | uint64(head.Function)<<32 | uint64(l.channel.epoch)<<48
	// Partner: the acquire load of the commit word in the worker, which reads its half of this word. A store of sync/atomic is
	// also a fence: the look at the park word in ring comes behind it.
	atomic.StoreUint64((*uint64)(unsafe.Pointer(&line[0])), first)
	l.ring()
}

// Resume answers NeedSpace: with the window that now has the space, or with NotGranted and Null.
func (l *Lane) Resume(kind wire.Resume, place Place, length, value uint64) {
	at := slotAt(l.index, l.slot)
	turn := l.resumes[l.slot] + 1
	l.resumes[l.slot] = turn
	line := l.channel.request.memory[at : at+wire.ResumeLineSize]
	binary.NativeEndian.PutUint64(line[wire.ResumeLinePlace:], uint64(place))
	binary.NativeEndian.PutUint64(line[wire.ResumeLineLength:], length)
	binary.NativeEndian.PutUint64(line[wire.ResumeLineValue:], value)
	// Partner: the acquire load of the commit word in the worker, which waits for it. As in Publish it is a fence.
	atomic.StoreUint64((*uint64)(unsafe.Pointer(&line[0])), uint64(turn)|uint64(kind)<<32)
	l.ring()
}

// CopyResult copies the fixed part of the result block into private memory.
func (l *Lane) CopyResult(into []byte) {
	l.channel.reply.copyOut(into, slotAt(l.index, l.slot)+wire.ResultOffset)
}

// SmallResult is how many bytes are copied at once, without a loop.
const SmallResult = 16

// CopySmallResult is as CopyResult, of a fixed part that is no longer; what lies behind it comes, too.
func (l *Lane) CopySmallResult(into *[SmallResult]byte) {
	at := slotAt(l.index, l.slot) + wire.ResultOffset
	copy(into[:], l.channel.reply.memory[at:at+SmallResult])
}

// Locate finds result data: where they lie, if that is memory which was granted to this very call: its reply slot behind
// fixed bytes of results, or a window.
func (l *Lane) Locate(arena *Arena, fixed int, place Place, length uint64) (Located, bool) {
	if place.Segment() != wire.SegmentReply {
		return arena.granted(place, length)
	}
	start := uint64(slotAt(l.index, l.slot) + wire.ResultOffset + fixed)
	end := uint64(slotAt(l.index, l.slot) + wire.SlotStride)
	offset := place.Offset()
	if offset < start || offset > end || length > end-offset {
		return Located{}, false
	}
	return Located{l.channel.reply, int(offset), int(length)}, true
}

// Located is result data that lie where they may.
type Located struct {
	mapping *Mapping
	offset  int
	bytes   int
}

// Len is how many bytes there are.
func (l Located) Len() int { return l.bytes }

// CopyTo copies the data, once. There is room for them.
func (l Located) CopyTo(into []byte) { l.mapping.copyOut(into[:l.bytes], l.offset) }

// judge copies a reply's head and checks it. A rule that it breaks comes as a text.
func (l *Lane) judge(callID uint64) (ReplyHead, string) {
	at := slotAt(l.index, l.slot)
	// Each is read once: a read in Go sees one value, whatever is written there meanwhile.
	head := l.channel.reply.memory[at : at+wire.ReplyHeadSize]
	of := binary.NativeEndian.Uint64(head[wire.ReplyHeadCallId:])
	reply := ReplyHead{
		State:        wire.ReplyState(binary.NativeEndian.Uint16(head[wire.ReplyHeadState:])),
		Errno:        int32(binary.NativeEndian.Uint32(head[wire.ReplyHeadErrno:])),
		ResultLength: binary.NativeEndian.Uint32(head[wire.ReplyHeadResultLength:]),
		Value:        binary.NativeEndian.Uint64(head[wire.ReplyHeadValue:]),
	}
	switch {
	case reply.State < wire.ReplyStateReturned || reply.State > wire.ReplyStateRefused:
		return ReplyHead{}, "a reply has no such state"
	case of != callID:
		return ReplyHead{}, "a reply names another call"
	case reply.ResultLength > wire.MaxResult:
		return ReplyHead{}, "a result block is longer than its slot"
	}
	return reply, ""
}

// CopyFirst copies the first of the data, once: as many as there is room for.
func (l Located) CopyFirst(into []byte) { l.mapping.copyOut(into[:min(len(into), l.bytes)], l.offset) }
