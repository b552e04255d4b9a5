package e2e

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"hotcell"
	"hotcell/rt"
)

// add is as a generated method is.
func (s *session) add(ctx context.Context, number int, a, b int32) (int32, error) {
	call := s.Begin(ctx, number)
	defer call.End()
	call.PutInt32(0, a)
	call.PutInt32(4, b)
	reply := call.Finish()
	return reply.Int32(0), reply.Err()
}

func benchmarkAdd(b *testing.B, ctx context.Context) {
	session := measured(b).open(b, hotcell.Options{})
	number := session.library.numbers["measured_add"]
	b.ReportAllocs()
	for b.Loop() {
		if got, err := session.add(ctx, number, 40, 2); got != 42 || err != nil {
			b.Fatal(got, err)
		}
	}
}

// BenchmarkAdd is a call of two numbers, back to back: both sides poll. Its bar is 1.5 times `hotcell bench --only raw.spin`.
func BenchmarkAdd(b *testing.B) { benchmarkAdd(b, background) }

// BenchmarkAddWithDeadline is the same with a context that has a deadline and can be cancelled.
func BenchmarkAddWithDeadline(b *testing.B) {
	ctx, cancel := context.WithTimeout(background, time.Hour)
	defer cancel()
	benchmarkAdd(b, ctx)
}

// BenchmarkCrc32 is the checksum of 1 KiB.
func BenchmarkCrc32(b *testing.B) {
	session := measured(b).open(b, hotcell.Options{})
	data := make([]byte, 1024)
	b.ReportAllocs()
	for b.Loop() {
		call := session.begin(background, "measured_crc32")
		call.PutUint32(16, 0)
		call.PutBytes(0, "data", data)
		if err := call.Finish().Err(); err != nil {
			b.Fatal(err)
		}
		call.End()
	}
}

// BenchmarkInvert is a mebibyte that goes in and out, and BenchmarkInvertInPlace the same in a buffer that is lent, filled and read once.
func BenchmarkInvert(b *testing.B) {
	session := measured(b).open(b, hotcell.Options{})
	data := make([]byte, 1<<20)
	b.ReportAllocs()
	for b.Loop() {
		call := session.begin(background, "measured_invert")
		call.PutBytes(0, "data", data)
		reply := call.Finish()
		if got, err := reply.Bytes(0), reply.Err(); len(got) != len(data) || err != nil {
			b.Fatal(len(got), err)
		}
		call.End()
	}
}

func BenchmarkInvertInPlace(b *testing.B) {
	session := measured(b).open(b, hotcell.Options{})
	data := make([]byte, 1<<20)
	buffer, err := session.AllocShared(len(data))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := buffer.WriteAt(data, 0); err != nil {
			b.Fatal(err)
		}
		if filled, err := session.invert(buffer); filled != len(data) || err != nil {
			b.Fatal(filled, err)
		}
		if _, err := buffer.ReadAt(data, 0); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBatch64 is, for each call, a batch of 64 calls of two numbers that is filled again and again. Its bar is one cgo call.
func BenchmarkBatch64(b *testing.B) { benchmarkBatch64(b, false) }

// BenchmarkBatch64Anew is the same, of batches each of which is made anew.
func BenchmarkBatch64Anew(b *testing.B) { benchmarkBatch64(b, true) }

func benchmarkBatch64(b *testing.B, anew bool) {
	session := measured(b).open(b, hotcell.Options{})
	number := session.library.numbers["measured_add"]
	batch := rt.NewBatch(session.Session)
	var tickets [64]rt.Ticket[int32]
	b.ReportAllocs()
	b.ResetTimer()
	for left := b.N; left > 0; left -= len(tickets) {
		if batch.Reset(); anew {
			batch = rt.NewBatch(session.Session)
		}
		for at := range tickets {
			call, stamp := batch.BeginNumbers(number)
			call.PutInt32(0, int32(at))
			call.PutInt32(4, 2)
			tickets[at] = rt.Added(batch, stamp, func(r rt.Numbers) int32 { return r.Int32(0) })
		}
		if err := batch.Run(background); err != nil {
			b.Fatal(err)
		}
		for at := range tickets {
			if got, err := tickets[at].Result(); got != int32(at)+2 || err != nil {
				b.Fatal(got, err)
			}
		}
	}
}

// BenchmarkPipeline is a call of two numbers of a pipeline, whose result is taken when seven others were sent behind it.
func BenchmarkPipeline(b *testing.B) {
	session := measured(b).open(b, hotcell.Options{})
	number := session.library.numbers["measured_add"]
	pipe := rt.NewPipeline(background, session.Session)
	var tickets [7]rt.Ticket[int32]
	b.ReportAllocs()
	for sent := 0; b.Loop(); sent++ {
		if sent >= len(tickets) {
			if got, err := tickets[sent%len(tickets)].Result(); got != 42 || err != nil {
				b.Fatal(got, err)
			}
		}
		call := pipe.Calls().Begin(number)
		call.PutInt32(0, 40)
		call.PutInt32(4, 2)
		tickets[sent%len(tickets)] = rt.Values(call, func(r rt.Numbers) int32 { return r.Int32(0) })
	}
	pipe.Settle()
}

// BenchmarkCallback is one of a thousand callbacks of a call.
func BenchmarkCallback(b *testing.B) {
	session := measured(b).open(b, hotcell.Options{})
	b.ResetTimer()
	for left := b.N; left > 0; left -= 1000 {
		call := session.begin(background, "measured_each")
		call.PutInt32(8, 1000)
		call.PutCallback(0, 8, func(_ context.Context, in *rt.Invocation) (uint64, error) { return uint64(in.Uint32(0)), nil })
		reply := call.Finish()
		if got, err := reply.Int64(0), reply.Err(); got != 1000*999/2 || err != nil {
			b.Fatal(got, err)
		}
		call.End()
	}
}

// line is a cache line that one side writes.
type line struct {
	word atomic.Uint32
	_    [60]byte
}

// BenchmarkRaw is the least there can be: a line there and a line back between two threads that poll.
func BenchmarkRaw(b *testing.B) {
	lines := make([]line, 4)
	there, back := &lines[1].word, &lines[3].word
	go func() {
		for turn := uint32(1); ; turn++ {
			for there.Load() != turn {
				if there.Load() == 0 {
					return
				}
			}
			back.Store(turn)
		}
	}()
	turn := uint32(0)
	there.Store(1 << 31)
	for b.Loop() {
		turn++
		there.Store(turn)
		for back.Load() != turn {
		}
	}
	there.Store(0)
}
