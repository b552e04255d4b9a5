package rt

import (
	"context"
	"time"

	"hotcell"
)

// usualTries is how often a call of an idempotent function is made at most where nobody says.
const usualTries = 2

// Retried makes a call of an idempotent function, and makes it again behind a fault, as often as the session's options say, or its
// contract.
func Retried[T any](ctx context.Context, s *Session, once func(ctx context.Context) (T, error)) (T, error) {
	most := s.tries()
	for tries := 1; ; tries++ {
		value, err := once(ctx)
		if err == nil || tries >= most {
			return value, tried(err, tries)
		}
		again, later := mayRepeat(ctx, err)
		if !again {
			return value, tried(err, tries)
		}
		if later {
			pause(ctx, tries)
		}
	}
}

// tries is how often such a call is made at most, the first time included.
func (s *Session) tries() int {
	if s == nil {
		// Of an object that is not there.
		return 1
	}
	switch given := s.options.Retries; {
	case given < 0:
		return 1
	case given > 0:
		return 1 + given
	}
	if said := s.said.Load(); said > 0 {
		return int(said)
	}
	return usualTries
}

// mayRepeat tells whether a call may be made again behind an error of it, and whether only later.
func mayRepeat(ctx context.Context, err error) (again, later bool) {
	failed, ok := err.(*hotcell.Error)
	if !ok || ctx == nil || failed.Once || ctx.Err() != nil {
		return false, false
	}
	if unavailable, ok := failed.Cause.(*hotcell.UnavailableError); ok && unavailable.Reason == hotcell.UnavailableBreakerOpen {
		// It would be open the next time.
		return false, false
	}
	idempotent, later := failed.Kind.MayRetry()
	later = later && failed.Executed == hotcell.ExecutedNo
	return idempotent || later, later
}

// tried notes how often a call was made.
func tried(err error, tries int) error {
	if failed, ok := err.(*hotcell.Error); ok {
		failed.Tries = tries
	}
	return err
}

// pause lets a while pass before the next try, longer with each.
func pause(ctx context.Context, tries int) {
	timer := time.NewTimer(time.Millisecond << min(tries, 8))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
