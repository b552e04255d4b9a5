"""The program beside this folder without Hotcell: SQLite in this process, by cffi in its API mode."""

from __future__ import annotations

import importlib
import sys
import tempfile
from collections.abc import Callable
from typing import Any

from cffi import FFI

PARTS = [
    ("bolt M6", 1_200, 0.08, None),
    ("nut M6", 1_150, 0.05, None),
    ("bearing 6204", 16, 4.9, "shelf 3"),
    ("Wälzlager 6304", 4, 7.25, "shelf 3"),
]

builder = FFI()
# Copied from sqlite3.h by hand, for cffi reads no header. Its compiler compares.
builder.cdef("""
    typedef struct sqlite3 sqlite3;
    typedef struct sqlite3_stmt sqlite3_stmt;
    typedef struct sqlite3_context sqlite3_context;
    typedef struct sqlite3_value sqlite3_value;
    static const int SQLITE_OK, SQLITE_ROW, SQLITE_DONE, SQLITE_UTF8;
    int sqlite3_open(const char *, sqlite3 **);
    int sqlite3_close(sqlite3 *);
    const char *sqlite3_errmsg(sqlite3 *);
    int sqlite3_exec(sqlite3 *, const char *, void *, void *, char **);
    int sqlite3_prepare_v2(sqlite3 *, const char *, int, sqlite3_stmt **, const char **);
    int sqlite3_bind_null(sqlite3_stmt *, int);
    int sqlite3_bind_int64(sqlite3_stmt *, int, int64_t);
    int sqlite3_bind_double(sqlite3_stmt *, int, double);
    int bind_text(sqlite3_stmt *, int, const char *, int);
    int sqlite3_step(sqlite3_stmt *);
    int sqlite3_reset(sqlite3_stmt *);
    int sqlite3_finalize(sqlite3_stmt *);
    const unsigned char *sqlite3_column_text(sqlite3_stmt *, int);
    double sqlite3_column_double(sqlite3_stmt *, int);
    double sqlite3_value_double(sqlite3_value *);
    void sqlite3_result_double(sqlite3_context *, double);
    void sqlite3_result_error(sqlite3_context *, const char *, int);
    void *sqlite3_user_data(sqlite3_context *);
    int create_function(sqlite3 *, const char *, int, void *);
    extern "Python" void called(sqlite3_context *, int, sqlite3_value **);
""")
builder.set_source(
    "_stock",
    """
    #include <sqlite3.h>
    static void called(sqlite3_context *, int, sqlite3_value **);
    static int bind_text(sqlite3_stmt *statement, int at, const char *text, int length)
    {
        return sqlite3_bind_text(statement, at, text, length, SQLITE_TRANSIENT);
    }
    static int create_function(sqlite3 *db, const char *name, int count, void *user)
    {
        return sqlite3_create_function(db, name, count, SQLITE_UTF8, user, called, NULL, NULL);
    }
    """,
    libraries=["sqlite3"],
)

# A package would do this when it is built.
folder = tempfile.TemporaryDirectory()
builder.compile(tmpdir=folder.name)
sys.path.insert(0, folder.name)
ffi, lib = (lambda built: (built.ffi, built.lib))(importlib.import_module("_stock"))


class Failed(Exception):
    pass


class Database:
    def __init__(self, path: str) -> None:
        out = ffi.new("sqlite3 **")
        code = lib.sqlite3_open(path.encode(), out)
        # It has to be closed even where it could not be opened; and not before its statements are finalized.
        self.own = ffi.gc(out[0], lib.sqlite3_close)
        self.functions: list[Any] = []
        self.checked("sqlite3_open", code)

    def checked(self, function: str, code: int) -> int:
        if code not in (lib.SQLITE_OK, lib.SQLITE_ROW, lib.SQLITE_DONE):
            text = ffi.string(lib.sqlite3_errmsg(self.own)).decode()
            name = {19: "SQLITE_CONSTRAINT"}.get(code, "?")
            raise Failed(f"sqlite3: {function}: LibraryError: {name}: {text} (code {code})")
        return code

    def exec(self, sql: str) -> None:
        self.checked("sqlite3_exec", lib.sqlite3_exec(self.own, sql.encode(), ffi.NULL, ffi.NULL, ffi.NULL))

    def prepare(self, sql: str) -> Statement:
        out = ffi.new("sqlite3_stmt **")
        self.checked("sqlite3_prepare_v2", lib.sqlite3_prepare_v2(self.own, sql.encode(), -1, out, ffi.NULL))
        return Statement(self, ffi.gc(out[0], lib.sqlite3_finalize))

    def create_function(self, name: str, count: int, function: Callable[[Any, list[Any]], None]) -> None:
        handle = ffi.new_handle(function)
        # SQLite keeps its address, and Python must not collect it.
        self.functions.append(handle)
        self.checked("sqlite3_create_function", lib.create_function(self.own, name.encode(), count, handle))


class Statement:
    def __init__(self, database: Database, own: Any) -> None:
        # The database is closed behind its statements: whoever has one keeps it.
        self.database, self.own = database, own

    def bind(self, at: int, value: str | int | float | None) -> None:
        if value is None:
            code = lib.sqlite3_bind_null(self.own, at)
        elif isinstance(value, str):
            data = value.encode()
            code = lib.bind_text(self.own, at, data, len(data))
        elif isinstance(value, int):
            code = lib.sqlite3_bind_int64(self.own, at, value)
        else:
            code = lib.sqlite3_bind_double(self.own, at, value)
        self.database.checked("sqlite3_bind", code)

    def step(self) -> bool:
        return self.database.checked("sqlite3_step", lib.sqlite3_step(self.own)) == lib.SQLITE_ROW

    def reset(self) -> None:
        self.database.checked("sqlite3_reset", lib.sqlite3_reset(self.own))

    def text(self, column: int) -> str | None:
        found = lib.sqlite3_column_text(self.own, column)
        # It is SQLite's, and gone with the next step.
        return None if found == ffi.NULL else ffi.string(found).decode()

    def double(self, column: int) -> float:
        return float(lib.sqlite3_column_double(self.own, column))


@ffi.def_extern()  # type: ignore[untyped-decorator]
def called(context: Any, count: int, values: Any) -> None:
    # What is raised here is printed, and nobody is told, unless it is handed on by hand.
    try:
        ffi.from_handle(lib.sqlite3_user_data(context))(context, [values[at] for at in range(count)])
    except Exception as error:
        lib.sqlite3_result_error(context, str(error).encode(), -1)


def gross(context: Any, values: list[Any]) -> None:
    lib.sqlite3_result_double(context, lib.sqlite3_value_double(values[0]) * 1.25)


def main() -> None:
    database = Database(":memory:")
    database.exec("CREATE TABLE part (name TEXT PRIMARY KEY, stock INT, price REAL, place TEXT)")
    database.exec("BEGIN")
    insert = database.prepare("INSERT INTO part VALUES (?, ?, ?, ?)")
    for part in PARTS:
        for at, value in enumerate(part, start=1):
            insert.bind(at, value)
        insert.step()
        insert.reset()
    database.exec("COMMIT")

    database.create_function("gross", 1, gross)
    select = database.prepare("SELECT name, gross(stock * price), place FROM part WHERE price > ? ORDER BY 2")
    select.bind(1, 1.0)
    while select.step():
        print(f"{select.text(0)}: {select.double(1):.2f} in {select.text(2) or 'the yard'}")

    insert.bind(1, "nut M6")
    try:
        insert.step()
        print("a second nut")
    except Failed as error:
        print(error)


if __name__ == "__main__":
    main()
