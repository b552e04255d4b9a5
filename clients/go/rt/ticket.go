package rt

import "hotcell"

// Ticket stands for the result of an entry of a batch, or of a call of a pipeline.
type Ticket[T any] struct {
	batch *Batch
	// entry is the entry's number; below 0 it is that of what was wrong with it. epoch is that of the batch.
	entry int32
	epoch uint32
	// read finds the result: where it is read when it is taken in the result block, else where it was read to.
	read func(*Reply) T
	// flown is what became of the call, of a pipeline.
	flown *flown
}

// Values adds an entry whose results are numbers, which are read when they are taken.
func Values[T any](c *Call, read func(*Reply) T) Ticket[T] {
	b := c.collects
	return Ticket[T]{entry: b.push(nil), batch: b, epoch: b.epoch, read: read, flown: b.flown}
}

// Read adds an entry whose results are read when the batch has run, or the reply has come.
func Read[T any](c *Call, read func(*Reply) T) Ticket[T] {
	b, value := c.collects, new(T)
	entry := b.push(func(r *Reply) { *value = read(r) })
	return Ticket[T]{entry: entry, batch: b, epoch: b.epoch, read: func(*Reply) T { return *value }, flown: b.flown}
}

// Result is the entry's result, behind [Batch.Run]. Of a pipeline, it waits for the reply where that has not come, and for those to
// the calls in front of it.
func (t Ticket[T]) Result() (result T, err error) {
	if b := t.batch; t.epoch == b.ready && t.entry >= 0 {
		b.reply.block = b.replies[b.resultsAt+int(t.entry)*b.resultsSize:]
		return t.read(&b.reply), nil
	}
	return t.other()
}

// other is the result of an entry that may have failed, or is not as the others.
func (t Ticket[T]) other() (result T, err error) {
	b := t.batch
	if t.flown != nil {
		return taken(t.flown, t.read)
	}
	if err = b.failed(t.entry, t.epoch); err != nil {
		return result, err
	}
	b.reply.block = b.replies[b.resultsAt+b.blockAt(int(t.entry)):]
	return t.read(&b.reply), nil
}

// failed is what is wrong with an entry that was added, or, by a number below 0, with one that was not; nil where nothing is.
func (b *Batch) failed(number int32, epoch uint32) error {
	switch {
	case epoch != b.epoch:
		return b.session.refused(hotcell.ErrInvalidArgument, "", "the batch was made anew behind this ticket", nil)
	case number < 0 && int(-number) <= len(b.refused):
		return b.refused[-number-1]
	case !b.ran:
		return b.session.refused(hotcell.ErrInvalidArgument, "", "the batch has not run", nil)
	}
	return b.errs[int(number)]
}
