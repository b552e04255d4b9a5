package rt

import "hotcell"

// Ticket stands for the result of an entry.
type Ticket[T any] struct {
	batch *Batch
	// entry is the entry's number; below 0 it is that of what was wrong with it.
	entry int
	// read finds the result in the result block, where it is read when it is taken; else value is where it was read to.
	read  func(*Reply) T
	value *T
}

// Values adds an entry whose results are numbers, which are read when they are taken.
func Values[T any](c *Call, read func(*Reply) T) Ticket[T] {
	return Ticket[T]{batch: c.batch, entry: c.batch.push(0), read: read}
}

// Read adds an entry whose results are read when the batch has run.
func Read[T any](c *Call, read func(*Reply) T) Ticket[T] {
	b, value := c.batch, new(T)
	if c.err == nil {
		b.readers = append(b.readers, func(r *Reply) { *value = read(r) })
	}
	return Ticket[T]{batch: b, entry: b.push(uint32(len(b.readers))), value: value}
}

// Result is the entry's result, behind [Batch.Run].
func (t Ticket[T]) Result() (result T, err error) {
	b := t.batch
	if !b.returned || t.entry < 0 {
		if err = b.failed(t.entry); err != nil {
			return result, err
		}
	}
	if t.value != nil {
		return *t.value, nil
	}
	return t.read(b.at(t.entry)), nil
}

// failed is what is wrong with an entry that was added, or, by a number below 0, with one that was not; nil where nothing is.
func (b *Batch) failed(number int) error {
	switch {
	case number < 0 && -number <= len(b.refused):
		return b.refused[-number-1]
	case !b.ran:
		return b.session.refused(hotcell.ErrInvalidArgument, "", "the batch has not run", nil)
	}
	return b.errs[number]
}

// at is the reply, turned to an entry that has returned.
func (b *Batch) at(number int) *Reply {
	b.reply.block = b.replies[b.results+int(b.entries[number].block):]
	return &b.reply
}
