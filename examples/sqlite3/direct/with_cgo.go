// The program beside this folder without Hotcell: SQLite in this process, by cgo.
package main

/*
#cgo LDFLAGS: -lsqlite3
#include <sqlite3.h>
#include <stdint.h>
#include <stdlib.h>

extern void called(sqlite3_context *context, int count, sqlite3_value **values);

// cgo knows neither SQLITE_TRANSIENT, a number that is cast to a function, nor the address of what Go exports.
static int bind_text(sqlite3_stmt *statement, int at, const char *text, int length)
{
	return sqlite3_bind_text(statement, at, text, length, SQLITE_TRANSIENT);
}

static int create_function(sqlite3 *db, const char *name, int count, uintptr_t user)
{
	return sqlite3_create_function(db, name, count, SQLITE_UTF8, (void *)user, called, NULL, NULL);
}
*/
import "C"

import (
	"errors"
	"fmt"
	"os"
	"runtime/cgo"
	"unsafe"
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
	{"bearing 6204", 16, 4.9, new("shelf 3")},
	{"Wälzlager 6304", 4, 7.25, new("shelf 3")},
}

type failure struct {
	function, text string
	code           C.int
}

func (f *failure) Error() string {
	names := map[C.int]string{C.SQLITE_CONSTRAINT: "SQLITE_CONSTRAINT"}
	return fmt.Sprintf("sqlite3: %s: LibraryError: %s: %s (code %d)", f.function, names[f.code], f.text, f.code)
}

type database struct {
	own       *C.sqlite3
	functions []cgo.Handle
}

func openDatabase(path string) (*database, error) {
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	db := &database{}
	code := C.sqlite3_open(name, &db.own)
	// It has to be closed even where it could not be opened.
	if err := db.checked("sqlite3_open", code); err != nil {
		db.close()
		return nil, err
	}
	return db, nil
}

// close has to come behind the last statement, or the database stays open.
func (db *database) close() {
	C.sqlite3_close(db.own)
	for _, handle := range db.functions {
		handle.Delete()
	}
}

func (db *database) checked(function string, code C.int) error {
	switch code {
	case C.SQLITE_OK, C.SQLITE_ROW, C.SQLITE_DONE:
		return nil
	}
	return &failure{function, C.GoString(C.sqlite3_errmsg(db.own)), code}
}

func (db *database) exec(sql string) error {
	text := C.CString(sql)
	defer C.free(unsafe.Pointer(text))
	return db.checked("sqlite3_exec", C.sqlite3_exec(db.own, text, nil, nil, nil))
}

type statement struct {
	db  *database
	own *C.sqlite3_stmt
}

func (db *database) prepare(sql string) (*statement, error) {
	text := C.CString(sql)
	defer C.free(unsafe.Pointer(text))
	statement := &statement{db: db}
	code := C.sqlite3_prepare_v2(db.own, text, -1, &statement.own, nil)
	return statement, db.checked("sqlite3_prepare_v2", code)
}

func (s *statement) close() {
	C.sqlite3_finalize(s.own)
}

func (s *statement) bindText(at int, text *string) error {
	if text == nil {
		return s.db.checked("sqlite3_bind_null", C.sqlite3_bind_null(s.own, C.int(at)))
	}
	// A copy for C, which makes another one of it.
	c := C.CString(*text)
	defer C.free(unsafe.Pointer(c))
	return s.db.checked("sqlite3_bind_text", C.bind_text(s.own, C.int(at), c, C.int(len(*text))))
}

func (s *statement) step() (bool, error) {
	code := C.sqlite3_step(s.own)
	return code == C.SQLITE_ROW, s.db.checked("sqlite3_step", code)
}

// text is SQLite's, and gone with the next step.
func (s *statement) text(column int) *string {
	found := C.sqlite3_column_text(s.own, C.int(column))
	if found == nil {
		return nil
	}
	return new(C.GoString((*C.char)(unsafe.Pointer(found))))
}

type function func(context *C.sqlite3_context, values []*C.sqlite3_value) error

func (db *database) createFunction(name string, count int, f function) error {
	c := C.CString(name)
	defer C.free(unsafe.Pointer(c))
	// C must not keep a pointer of Go: it keeps a number, which is freed by hand.
	handle := cgo.NewHandle(f)
	db.functions = append(db.functions, handle)
	code := C.create_function(db.own, c, C.int(count), C.uintptr_t(handle))
	return db.checked("sqlite3_create_function", code)
}

// A panic in here ends the program: there are frames of C between it and whoever could recover.
//
//export called
func called(context *C.sqlite3_context, count C.int, values **C.sqlite3_value) {
	f := cgo.Handle(uintptr(C.sqlite3_user_data(context))).Value().(function)
	if err := f(context, unsafe.Slice(values, count)); err != nil {
		text := C.CString(err.Error())
		defer C.free(unsafe.Pointer(text))
		C.sqlite3_result_error(context, text, -1)
	}
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	db, err := openDatabase(":memory:")
	if err != nil {
		return err
	}
	defer db.close()
	if err := db.exec("CREATE TABLE part (name TEXT PRIMARY KEY, stock INT, price REAL, place TEXT)"); err != nil {
		return err
	}
	insert, err := fill(db)
	if err != nil {
		return err
	}
	defer insert.close()
	if err := query(db); err != nil {
		return err
	}

	if err := insert.bindText(1, new("nut M6")); err != nil {
		return err
	}
	var refused *failure
	switch _, err := insert.step(); {
	case err == nil:
		fmt.Println("a second nut")
	case errors.As(err, &refused) && refused.code == C.SQLITE_CONSTRAINT:
		fmt.Println(err)
	default:
		return err
	}
	return nil
}

// fill puts the parts into the database.
func fill(db *database) (*statement, error) {
	if err := db.exec("BEGIN"); err != nil {
		return nil, err
	}
	insert, err := db.prepare("INSERT INTO part VALUES (?, ?, ?, ?)")
	if err != nil {
		return nil, err
	}
	for _, part := range parts {
		err := errors.Join(
			insert.bindText(1, &part.name),
			db.checked("sqlite3_bind_int64", C.sqlite3_bind_int64(insert.own, 2, C.sqlite3_int64(part.stock))),
			db.checked("sqlite3_bind_double", C.sqlite3_bind_double(insert.own, 3, C.double(part.price))),
			insert.bindText(4, part.place),
		)
		if err != nil {
			return nil, err
		}
		if _, err := insert.step(); err != nil {
			return nil, err
		}
		if err := db.checked("sqlite3_reset", C.sqlite3_reset(insert.own)); err != nil {
			return nil, err
		}
	}
	return insert, db.exec("COMMIT")
}

// query has SQLite call a function of this program for every row.
func query(db *database) error {
	gross := function(func(context *C.sqlite3_context, values []*C.sqlite3_value) error {
		C.sqlite3_result_double(context, C.sqlite3_value_double(values[0])*1.25)
		return nil
	})
	if err := db.createFunction("gross", 1, gross); err != nil {
		return err
	}
	rows, err := db.prepare("SELECT name, gross(stock * price), place FROM part WHERE price > ? ORDER BY 2")
	if err != nil {
		return err
	}
	defer rows.close()
	if err := db.checked("sqlite3_bind_double", C.sqlite3_bind_double(rows.own, 1, 1.0)); err != nil {
		return err
	}
	for {
		switch row, err := rows.step(); {
		case err != nil:
			return err
		case !row:
			return nil
		}
		place := rows.text(2)
		if place == nil {
			place = new("the yard")
		}
		fmt.Printf("%s: %.2f in %s\n", *rows.text(0), float64(C.sqlite3_column_double(rows.own, 1)), *place)
	}
}
