// SQLite at work: a stock of parts in a database, filled in a transaction and asked with parameters.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"hotcell"
	sqlite3 "sqlite3-hotcell"
)

// part is one of the stock; where it lies is not known of all.
type part struct {
	name  string
	stock int64
	price float64
	place *string
}

var parts = []part{
	{"bolt M6", 1_200, 0.08, nil},
	{"nut M6", 1_150, 0.05, nil},
	{"bearing 6204", 16, 4.9, some("shelf 3")},
	{"Wälzlager 6304", 4, 7.25, some("shelf 3")},
}

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	lib, err := sqlite3.Open(ctx, hotcell.Options{})
	if err != nil {
		return err
	}
	defer lib.Close()
	database, err := lib.Open(ctx, ":memory:")
	if err != nil {
		return err
	}
	defer database.Close()
	create := "CREATE TABLE part (name TEXT PRIMARY KEY, stock INT, price REAL, place TEXT)"
	if err := database.Exec(ctx, create, nil); err != nil {
		return err
	}
	insert, err := fill(ctx, database)
	if err != nil {
		return err
	}
	defer insert.Close()
	if err := query(ctx, database); err != nil {
		return err
	}

	// A rule of the database that is broken: the error has SQLite's own words, its code and the code's name.
	if err := insert.BindText(ctx, 1, some("nut M6")); err != nil {
		return err
	}
	switch _, err := insert.Step(ctx); {
	case err == nil:
		fmt.Println("a second nut")
	case errors.Is(err, sqlite3.ErrConstraint):
		fmt.Println(err)
	default:
		return err
	}
	return nil
}

// fill puts the parts into the database. The statement is prepared once.
func fill(ctx context.Context, database *sqlite3.Sqlite3) (*sqlite3.Stmt, error) {
	if err := database.Exec(ctx, "BEGIN", nil); err != nil {
		return nil, err
	}
	insert, _, err := database.PrepareV2(ctx, "INSERT INTO part VALUES (?, ?, ?, ?)")
	if err != nil {
		return nil, err
	}
	for _, part := range parts {
		err := errors.Join(
			insert.BindText(ctx, 1, &part.name),
			insert.BindInt64(ctx, 2, part.stock),
			insert.BindDouble(ctx, 3, part.price),
			insert.BindText(ctx, 4, part.place),
		)
		if err != nil {
			return nil, err
		}
		if _, err := insert.Step(ctx); err != nil {
			return nil, err
		}
		if err := insert.Reset(ctx); err != nil {
			return nil, err
		}
	}
	return insert, database.Exec(ctx, "COMMIT", nil)
}

// query has SQLite call a function of this program, here, for every row. What fails in it is the error of the query.
func query(ctx context.Context, database *sqlite3.Sqlite3) error {
	gross := func(ctx context.Context, result *sqlite3.Context, values []*sqlite3.Value) error {
		net, err := values[0].Double(ctx)
		if err != nil {
			return err
		}
		return result.ResultDouble(ctx, net*1.25)
	}
	if err := database.CreateFunction(ctx, "gross", 1, gross); err != nil {
		return err
	}
	sql := "SELECT name, gross(stock * price), place FROM part WHERE price > ? ORDER BY 2"
	rows, _, err := database.PrepareV2(ctx, sql)
	if err != nil {
		return err
	}
	defer rows.Close()
	if err := rows.BindDouble(ctx, 1, 1.0); err != nil {
		return err
	}
	for {
		switch status, err := rows.Step(ctx); {
		case err != nil:
			return err
		case status != sqlite3.Row:
			return nil
		}
		name, err := rows.ColumnText(ctx, 0)
		if err != nil {
			return err
		}
		value, err := rows.ColumnDouble(ctx, 1)
		if err != nil {
			return err
		}
		place, err := rows.ColumnText(ctx, 2)
		if err != nil {
			return err
		}
		if place == nil {
			place = some("the yard")
		}
		fmt.Printf("%s: %.2f in %s\n", *name, value, *place)
	}
}

// some is a text where there may be none.
func some(text string) *string { return &text }
