package e2e

import (
	"context"
	"errors"
	"slices"
	"testing"

	"hotcell"
	"hotcell/rt"
)

// rows calls a function of ints by columns, as a generated method does.
func (s *session) rows(ctx context.Context, name string, columns ...[]int32) ([]int32, error) {
	said := make([]rt.Column, len(columns))
	for at, column := range columns {
		said[at] = rt.Column{Name: string(rune('a' + at)), Rows: len(column)}
	}
	return rt.CallRows(ctx, s.Session, s.library.numbers[name], said, func(rows rt.RowArguments) {
		for row := range rows.Count {
			call := rows.At(row)
			for at, column := range columns {
				call.PutInt32(4*at, column[rows.First+row])
			}
		}
	}, func(rows rt.RowResults, all []int32) {
		for row := range all {
			all[row] = rows.At(row).Int32(0)
		}
	})
}

// columns are two of so many rows.
func columns(rows int) (a, b []int32) {
	a, b = make([]int32, rows), make([]int32, rows)
	for row := range rows {
		a[row], b[row] = int32(row), int32(row*row+1)
	}
	return a, b
}

func TestColumnsGoInAndAColumnComesOut(t *testing.T) {
	session := measured(t).open(t, hotcell.Options{})
	for _, rows := range []int{0, 1, 2, 3, 64, 65, 1023, 1024, 1025, 70_001, 7} {
		a, b := columns(rows)
		got, err := session.rows(background, "measured_add", a, b)
		if err != nil || len(got) != rows {
			t.Fatal(len(got), err)
		}
		for row := range rows {
			if got[row] != a[row]+b[row] {
				t.Fatalf("row %d of %d: %d", row, rows, got[row])
			}
		}
	}
}

func TestColumnsOfOtherLengthsAreRefused(t *testing.T) {
	session := measured(t).open(t, hotcell.Options{})
	got, err := session.rows(background, "measured_add", make([]int32, 3), make([]int32, 4))
	var argument *hotcell.ArgumentError
	if len(got) != 0 || !errors.Is(err, hotcell.ErrInvalidArgument) || !errors.As(err, &argument) || argument.Name != "b" {
		t.Fatal(got, err)
	}
}

// A row that fails is told by its number, and the rows in front of it have their results, but where the worker has ended.
func TestARowThatFailsIsTold(t *testing.T) {
	session := faulty(t).open(t, hotcell.Options{})
	for _, test := range []struct {
		name string
		// All rows are good and good, but for one, which is bad and good, or good and bad.
		good, bad   int32
		row, column int
		results     int
		kind        hotcell.Kind
	}{
		{"faulty_need", 0, -1, 2500, 0, 2500, hotcell.ErrLibraryError},
		{"faulty_need", 0, -1, 0, 0, 0, hotcell.ErrLibraryError},
		{"faulty_divide", 1, 0, 1700, 1, 1024, hotcell.ErrCrashed},
	} {
		columns := [][]int32{slices.Repeat([]int32{test.good}, 3000), slices.Repeat([]int32{test.good}, 3000)}
		columns[test.column][test.row] = test.bad
		got, err := session.rows(background, test.name, columns...)
		var row *hotcell.RowError
		var failed *hotcell.Error
		if !errors.As(err, &row) || row.Row != test.row || !errors.Is(err, test.kind) || !errors.As(err, &failed) {
			t.Errorf("%s, row %d: %v", test.name, test.row, err)
		}
		if len(got) != test.results {
			t.Errorf("%s: %d results", test.name, len(got))
		}
	}
	a, b := columns(3000)
	if got, err := session.rows(background, "faulty_add", a, b); err != nil || got[2999] != a[2999]+b[2999] {
		t.Error(err)
	}
}

// A call whose context is over is none of a row.
func TestACallByColumnsThatIsCancelledIsNoRows(t *testing.T) {
	session := measured(t).open(t, hotcell.Options{})
	ctx, cancel := context.WithCancel(background)
	cancel()
	a, b := columns(10)
	got, err := session.rows(ctx, "measured_add", a, b)
	var row *hotcell.RowError
	if len(got) != 0 || !errors.Is(err, context.Canceled) || errors.As(err, &row) {
		t.Fatal(got, err)
	}
}

// BenchmarkRows64 is, for each call, one by columns of 64 rows.
func BenchmarkRows64(b *testing.B) {
	session := measured(b).open(b, hotcell.Options{})
	one, other := columns(64)
	b.ReportAllocs()
	b.ResetTimer()
	for left := b.N; left > 0; left -= 64 {
		if got, err := session.rows(background, "measured_add", one, other); err != nil || got[63] != one[63]+other[63] {
			b.Fatal(err)
		}
	}
}
