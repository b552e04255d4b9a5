package rt

import "hotcell"

// Ticket stands for the result of an entry of a batch, or of a call of a pipeline.
type Ticket[T any] struct {
	batch *Batch
	// stamp is the entry's number, or with refused that of what was wrong with it; in the upper half is the epoch of the batch.
	stamp uint64
	// read finds the result: where it is read when it is taken in the result block, else where it was read to.
	read func(Numbers) T
	// flown is what became of the call, of a pipeline.
	flown *flown
}

// nobody is what has no library.
var nobody = &Session{pack: new(Package)}

// refused is in the stamp of an entry that was not added.
const refused = 1 << 63

// Values adds an entry whose results are numbers, which are read when they are taken.
func Values[T any](c *Call, read func(Numbers) T) Ticket[T] {
	b := c.collects
	// In a statement of its own, for it is what sets flown.
	stamp := b.push(nil)
	return Ticket[T]{stamp: stamp, batch: b, read: read, flown: b.flown}
}

// Added is as Values, of an entry that was begun by [Batch.BeginNumbers], with what comes from there.
func Added[T any](b *Batch, stamp uint64, read func(Numbers) T) Ticket[T] {
	if stamp == toAdd {
		stamp = b.push(nil)
	}
	return Ticket[T]{stamp: stamp, batch: b, read: read, flown: b.flown}
}

// Read adds an entry whose results are read when the batch has run, or the reply has come.
func Read[T any](c *Call, read func(*Reply) T) Ticket[T] {
	b, value := c.collects, new(T)
	stamp := b.push(func(r *Reply) { *value = read(r) })
	return Ticket[T]{stamp: stamp, batch: b, read: func(Numbers) T { return *value }, flown: b.flown}
}

// Result is the entry's result, behind [Batch.Run]. Of a pipeline, it waits for the reply where that has not come, and for those to
// the calls in front of it.
func (t Ticket[T]) Result() (result T, err error) {
	if b := t.batch; b != nil && t.stamp>>32 == b.ready {
		return t.read(Numbers{numbers{b.values[int(uint32(t.stamp))*b.resultsSize:]}}), nil
	}
	return t.other()
}

// other is the result of an entry that may have failed, or is not as the others.
func (t Ticket[T]) other() (result T, err error) {
	b := t.batch
	if b == nil {
		return result, nobody.refused(hotcell.ErrInvalidArgument, "", "the ticket is of no call: methods of batches and pipelines give tickets", nil)
	}
	if t.flown != nil {
		return taken(t.flown, t.read)
	}
	if err = b.failed(t.stamp); err != nil {
		return result, err
	}
	return t.read(Numbers{numbers{b.values[b.blockAt(int(uint32(t.stamp))):]}}), nil
}

// failed is what is wrong with an entry that was added, or with one that was not; nil where nothing is.
func (b *Batch) failed(stamp uint64) error {
	number := int(uint32(stamp))
	switch {
	case stamp&^refused>>32 != b.epoch>>32:
		return b.session.refused(hotcell.ErrInvalidArgument, "", "the batch was made anew behind this ticket", nil)
	case stamp&refused != 0:
		return b.refused[number]
	case !b.ran:
		return b.session.refused(hotcell.ErrInvalidArgument, "", "the batch has not run", nil)
	}
	return b.errs[number]
}
