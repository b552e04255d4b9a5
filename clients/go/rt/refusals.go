package rt

import (
	"errors"
	"fmt"
	"strings"

	"hotcell"
	"hotcell/internal/shm"
	"hotcell/internal/wire"
)

// refusals is what a shim says of an argument when it refuses a call.
var refusals = map[wire.Refusal]struct {
	kind hotcell.Kind
	text string
	// objects: only a call that objects went into can be refused so.
	objects bool
}{
	wire.RefusalNullArgument:    {hotcell.ErrInvalidArgument, "must not be NULL", false},
	wire.RefusalShortBuffer:     {hotcell.ErrInvalidArgument, "is shorter than the function will read", false},
	wire.RefusalSizeOverflow:    {hotcell.ErrInvalidArgument, "needs a size that there is not", false},
	wire.RefusalBadReference:    {hotcell.ErrInvalidArgument, "has no whole number of elements, no truth values, or is there already", false},
	wire.RefusalUnmet:           {hotcell.ErrInvalidArgument, "must hold before the call, and does not", false},
	wire.RefusalNotOwned:        {hotcell.ErrInvalidArgument, "is only lent: it belongs to the library", true},
	wire.RefusalHasChildren:     {hotcell.ErrInvalidArgument, "cannot go while objects that were made from it are there", true},
	wire.RefusalKept:            {hotcell.ErrInvalidArgument, "is kept by another object, and cannot go before that", true},
	wire.RefusalKeptInCircle:    {hotcell.ErrInvalidArgument, "would be kept by what must not go before it", true},
	wire.RefusalInUse:           {hotcell.ErrInvalidArgument, "is in use by another call", true},
	wire.RefusalUnknownHandle:   {hotcell.ErrUnknownHandle, "is no handle of this worker", true},
	wire.RefusalStaleHandle:     {hotcell.ErrStaleHandle, "was released, or went with what it belonged to", true},
	wire.RefusalWrongHandleType: {hotcell.ErrWrongHandleType, "is a handle of another type", true},
	wire.RefusalAlreadyOwned:    {hotcell.ErrUnsupported, "is one that this session owns already, and its contract says that it is new", false},
	wire.RefusalTooManyHandles:  {hotcell.ErrLimitExceeded, "the worker holds as many objects as it may", false},
	wire.RefusalNoMemory:        {hotcell.ErrLimitExceeded, "the worker has no memory for", false},
	wire.RefusalNoSpace:         {hotcell.ErrLimitExceeded, "the results need more than a call may return", false},
}

// refusedBy notes that the shim refused the call.
func (c *Call) refusedBy(head shm.ReplyHead) {
	name := make([]byte, head.ResultLength)
	c.seat.lane.CopyResult(name)
	refusal := wire.Refusal(min(head.Value, 1<<16))
	if why := c.refusal(refusal, string(name), len(c.passed) > 0); why != nil {
		c.setErr(why)
	}
}

// refusal is the error of a refusal of this argument; nil where it was a violation, which is noted.
func (c *Call) refusal(refusal wire.Refusal, name string, objects bool) *hotcell.Error {
	row, known := refusals[refusal]
	if !known || row.objects && !objects || refusal == wire.RefusalTooManyHandles && len(c.session.pack.Handles) == 0 {
		c.violation("a call was refused for a reason that it cannot be refused for")
		return nil
	}
	name = strings.ToValidUTF8(name, "\uFFFD")
	message, cause := "`"+name+"` "+row.text, error(&hotcell.ArgumentError{Name: name})
	switch refusal {
	case wire.RefusalNoSpace:
		message, cause = row.text, &hotcell.LimitError{Limit: hotcell.LimitExceededOutput, Value: c.session.options.MaxOutput}
		if c.noSpace != nil {
			message = "there is no room for the results: " + c.noSpace.Error()
			if limit := (*hotcell.LimitError)(nil); errors.As(c.noSpace, &limit) {
				cause = limit
			}
		}
	case wire.RefusalNoMemory:
		message, cause = row.text+" `"+name+"`", &hotcell.LimitError{Limit: hotcell.LimitExceededMemory}
	case wire.RefusalTooManyHandles:
		most := uint64(c.session.options.MaxObjects)
		message, cause = row.text, &hotcell.LimitError{Limit: hotcell.LimitExceededHandles, Value: most}
		if most > 0 {
			message = fmt.Sprintf("the worker holds %d objects already", most)
		}
	}
	return c.wrong(row.kind, hotcell.ExecutedMaybe, cause, message)
}
