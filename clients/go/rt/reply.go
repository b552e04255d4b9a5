package rt

import (
	"syscall"

	"hotcell"
)

// Reply is the results of a call. They are there until the call's End; what was read stays.
type Reply struct {
	reader
	// readable tells whether the function has returned, failure that it reports one itself.
	readable bool
	failure  error
	// entries is how many entries there are, where it is that of a batch.
	entries int
	// taken are the owned objects that were taken out, one bit each.
	taken uint64
	// made are objects that were taken out and are the caller's, if nothing else goes wrong.
	made []*Handle
}

func (r *Reply) begin() {
	r.block, r.copied = zeros[:], 0
	if r.pool.data != nil {
		r.pool = pool{}
	}
	r.readable, r.failure, r.entries, r.taken = false, nil, 0, 0
}

// Err is the first thing that went wrong with the call.
func (r *Reply) Err() error {
	if r.call.err == nil {
		return r.failure
	}
	return r.call.err
}

// Offset is how far the library came in an argument of most elements; -1 where it gave NULL.
func (r *Reply) Offset(offset, most int) int {
	distance := r.Int64(offset)
	if distance == -1 || r.call.err != nil {
		return -1
	}
	return r.within(uint64(distance), most)
}

// within is a number of elements that cannot be more than most.
func (r *reader) within(count uint64, most int) int {
	if count > uint64(most) {
		r.call.lie("the library claims to have come further than its argument goes")
		return 0
	}
	return int(count)
}

// libraryError is the library's own failure.
func (c *Call) libraryError(errno int32) error {
	cause := &hotcell.LibraryError{Library: c.session.pack.Library, Errno: syscall.Errno(max(errno, 0))}
	if fails := c.fn.Fails; fails != nil {
		if fails.Code.Kind != 0 {
			cause.Code = fails.Code.Kind.code(c.reply.block[fails.Code.Offset:])
			cause.Symbol = symbolOf(fails.Symbols, cause.Code)
		}
		if fails.Message != None {
			cause.Message = lossy(c.reply.Bytes(fails.Message))
		}
		for _, output := range fails.Outputs {
			if cause.Outputs == nil {
				cause.Outputs = make(map[string]any, len(fails.Outputs))
			}
			cause.Outputs[output.Name] = c.reply.output(output)
		}
	}
	if c.err != nil {
		return nil
	}
	return c.wrong(hotcell.ErrLibraryError, hotcell.ExecutedYes, cause, cause.Error())
}
