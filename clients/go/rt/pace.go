package rt

import "time"

// pace bounds how many messages a second are answered: what comes faster waits, in the worker.
type pace struct {
	// most is how many there may be in a while, count how many there were in the one that began at since.
	most, count uint64
	since       time.Time
}

// while is short, for what waits behind it waits no longer.
const while = 10 * time.Millisecond

// newPace is a pace of so many messages a second.
func newPace(rate uint64) pace {
	const whiles = uint64(time.Second / while)
	return pace{most: max((max(rate, 1)-1)/whiles+1, 1)}
}

// wait counts a message that came now, and says how long it has to wait for its answer.
func (p *pace) wait(now time.Time) time.Duration {
	until := p.since.Add(while)
	if !now.Before(until) {
		p.since, p.count = now, 0
	}
	if p.count++; p.count <= p.most {
		return 0
	}
	p.since, p.count = until, 1
	return until.Sub(now)
}

// keep counts a message, and waits where there were too many.
func (p *pace) keep() {
	if left := p.wait(time.Now()); left > 0 {
		time.Sleep(left)
	}
}
