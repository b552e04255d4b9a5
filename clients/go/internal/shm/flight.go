package shm

// Several calls in flight on a lane: each is published before the replies to those in front of it were taken. A call has the slot of
// its number, and the worker executes them in that order. Who waits turns to one of them, the first that has no reply yet.
//
//	next - in flight … next - 1   calls whose final reply was not taken: at most as many as the ring has slots
//	next                          the call that is published next, in a slot that none of those has

// PublishBehind sends the call behind others that are in flight, and gives its number.
func (l *Lane) PublishBehind(head CallHead, block []byte, inFlight int) (number uint32) {
	woke := l.woke && inFlight > 0
	number = l.next
	l.Publish(head, block)
	// Who was woken for the one before need not have come there yet.
	l.woke = l.woke || woke
	return number
}

// TurnTo turns to the call in flight of this number: it is waited for, continued and read from now on.
func (l *Lane) TurnTo(number uint32) {
	l.behind = l.next - 1 - number
	l.slot = slotOf(0, number)
}

// Awake says that the worker has come to a call: it need not be waited for as one that was woken.
func (l *Lane) Awake() { l.woke = false }

// enough is how many calls are to have been sent before others wait for the start of the segment: fewer are worth a larger one.
const enough = 16

// large is how many bytes a segment has that is large enough, however few calls it holds.
const large = 8 << 20

// BeginFlight begins anew, for calls that will be in flight together; none is. No window is in force from the start of a call from
// now on. It tells whether one was announced, which is to be taken back before the first call is sent.
func (a *Arena) BeginFlight() (announced bool) {
	a.Reset()
	a.inForce = 0
	announced, a.announced = a.announced, false
	return announced
}

// EndOfCall takes back the windows of the call that was waited for: its results were copied.
func (a *Arena) EndOfCall() { a.first, a.inForce = 0, 0 }

// EndFlight says that none is in flight any more. The largest window is in force from the start of a call again, and is to be
// announced; false where there is none.
func (a *Arena) EndFlight() (Window, bool) {
	a.EndOfCall()
	largest := -1
	for index, window := range a.windows {
		if largest < 0 || window.mapping.Length() > a.windows[largest].mapping.Length() {
			largest = index
		}
	}
	if largest < 0 {
		return Window{}, false
	}
	return a.grant(largest, false), true
}

// IsCrowded tells whether the next call should wait until none is in flight, and the segment is free again. So many calls have used
// it since it was.
func (a *Arena) IsCrowded(sent int) bool {
	if a.request.mapping == nil {
		return false
	}
	length := a.request.mapping.Length()
	return a.used > length/2 && (sent >= enough || length >= large)
}
