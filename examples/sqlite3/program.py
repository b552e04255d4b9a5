"""SQLite at work: a stock of parts in a database, filled in a transaction and asked with parameters."""

from sqlite3_hotcell import ROW, LibraryError, Sqlite3, Stmt, open

PARTS = [
    ("bolt M6", 1_200, 0.08, None),
    ("nut M6", 1_150, 0.05, None),
    ("bearing 6204", 16, 4.9, "shelf 3"),
    ("Wälzlager 6304", 4, 7.25, "shelf 3"),
]


def main() -> None:
    sqlite = open()
    database = sqlite.sqlite3_open(":memory:")
    database.exec("CREATE TABLE part (name TEXT PRIMARY KEY, stock INT, price REAL, place TEXT)", None)

    # A statement is prepared once. It lives in its connection, and both are released when nobody has them any more.
    database.exec("BEGIN", None)
    insert = prepare(database, "INSERT INTO part VALUES (?, ?, ?, ?)")
    for name, stock, price, place in PARTS:
        insert.bind_text(1, name)
        insert.bind_int64(2, stock)
        insert.bind_double(3, price)
        insert.bind_text(4, place)
        insert.step()
        insert.reset()
    database.exec("COMMIT", None)

    # SQLite calls a function of this program, here, for every row. What it raises is the error of the query.
    database.create_function("gross", 1, lambda context, values: context.result_double(values[0].double() * 1.25))
    sql = "SELECT name, gross(stock * price), place FROM part WHERE price > ? ORDER BY 2"
    select = prepare(database, sql)
    select.bind_double(1, 1.0)
    while select.step() == ROW:
        where = select.column_text(2) or "the yard"
        print(f"{select.column_text(0)}: {select.column_double(1):.2f} in {where}")

    # A rule of the database that is broken: the error has SQLite's own words, its code and the code's name.
    insert.bind_text(1, "nut M6")
    try:
        insert.step()
        print("a second nut")
    except LibraryError as error:
        print(error)


def prepare(database: Sqlite3, sql: str) -> Stmt:
    statement, _ = database.prepare_v2(sql)
    assert statement is not None, "SQLite gives none for an empty text only"
    return statement


if __name__ == "__main__":
    main()
