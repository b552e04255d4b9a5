package rt

import (
	"context"
	"errors"
	"fmt"

	"hotcell"
	"hotcell/internal/wire"
)

// Column is what a call by columns is passed for one parameter: its name, and how many rows it has.
type Column struct {
	Name string
	Rows int
}

// RowArguments is the argument blocks of rows that are sent together: so many, of which the first is that row of the columns.
type RowArguments struct {
	First, Count int
	blocks       []byte
	size         int
}

// At is the argument block of a row, counted from the first of these.
func (r RowArguments) At(row int) Arguments {
	return r.blocks[row*r.size : (row+1)*r.size]
}

// RowResults is the results of such rows.
type RowResults struct {
	blocks []byte
	size   int
}

// At is those of a row, counted from the first of these.
func (r RowResults) At(row int) Numbers {
	return Numbers{numbers{r.blocks[row*r.size : (row+1)*r.size]}}
}

// rowsTogether is how many rows are sent at once: what a batch costs by itself is shared by enough of them then, and what they are
// kept in stays in a core's cache.
const rowsTogether = 1 << 10

// CallRows calls a function that is passed and has numbers alone for each row of its columns, which are equally long: put writes the
// arguments of some rows, take reads the results of as many as there is room for. Behind a row that has failed none is sent but those
// that are together with it; results in front of it come with the error.
func CallRows[T any](ctx context.Context, s *Session, function int, columns []Column, put func(RowArguments), take func(RowResults, []T)) ([]T, error) {
	if s.none != nil {
		return nil, s.none
	}
	rows := 0
	for at, column := range columns {
		if at == 0 {
			rows = column.Rows
		} else if column.Rows != rows {
			return nil, s.uneven(function, columns[0], column)
		}
	}
	results := make([]T, rows)
	batch := s.rows.Swap(nil)
	if batch == nil {
		batch = NewBatch(s)
	}
	for first := 0; first < rows; first += rowsTogether {
		together := results[first:min(first+rowsTogether, rows)]
		good, err := batch.callRows(ctx, function, RowArguments{First: first, Count: len(together)}, put)
		if good > 0 {
			take(RowResults{batch.values, batch.resultsSize}, together[:good])
		}
		if err != nil {
			return results[:first+good], err
		}
	}
	batch.Reset()
	s.rows.Store(batch)
	return results, nil
}

// uneven is the error of a call whose columns are not equally long.
func (s *Session) uneven(function int, one, other Column) error {
	text := fmt.Sprintf("`%s` has %d rows, and `%s` has %d", other.Name, other.Rows, one.Name, one.Rows)
	return s.refused(hotcell.ErrInvalidArgument, s.pack.Functions[function].Name, text, &hotcell.ArgumentError{Name: other.Name})
}

// callRows has the batch be these rows, and runs it. The first ones that are good come with what went wrong behind them.
func (b *Batch) callRows(ctx context.Context, function int, rows RowArguments, put func(RowArguments)) (good int, err error) {
	b.Reset()
	if c := b.beginOther(function); c.err != nil {
		err = c.err
		b.giveUp()
		return 0, err
	}
	if end := rows.Count * b.argsSize; end > len(b.args) || rows.Count > len(b.heads)/wire.BatchEntrySize {
		b.grow(end, rows.Count)
	}
	rows.size = b.argsSize
	rows.blocks = b.args[:rows.Count*rows.size]
	put(rows)
	b.count, b.open = rows.Count, false
	err = b.Run(ctx)
	good, failed := b.firstFailed()
	if err == nil && good < rows.Count {
		err = &hotcell.RowError{Row: rows.First + failed, Err: b.errs[failed]}
	}
	// Else it is what became of the rows as a whole, or what a callback has failed with that the library keeps: rows have their results
	// all the same, but for those that failed besides.
	return good, err
}

// firstFailed is the first entry that has failed, and the first that did so by itself: where the worker has ended in one, it was lost
// to all others.
func (b *Batch) firstFailed() (first, blamed int) {
	first, blamed = b.count, b.count
	for number, err := range b.errs {
		if first = min(first, number); !errors.Is(err, hotcell.ErrWorkerLost) {
			blamed = min(blamed, number)
		}
	}
	if blamed == b.count {
		blamed = first
	}
	return first, blamed
}
