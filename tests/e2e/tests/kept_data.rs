//! Data and texts that a library keeps when the call has returned.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hotcell::dynamic::{self, Value};
use hotcell::rt::Handle;
use hotcell::{ErrorKind, Options, Result, Session};
use hotcell_bind::Bound;
use hotcell_e2e::bound::bind;
use hotcell_e2e::cli::Folder;
use hotcell_e2e::process::resident;

const HEADER: &str = "
#include <stddef.h>
#include <stdint.h>
typedef struct book book;
typedef struct page page;

/* A book whose text stays where it is; NULL when there is none. */
book *book_open(const uint8_t *data, size_t length);
/* The same; a status other than 0 when it begins with a NUL. */
int book_load(const uint16_t *text, size_t count, book **loaded);
/* The sum of what it points to. */
uint64_t book_sum(book *b);
void book_close(book *b);
/* What book_close found last. */
uint64_t book_closed(void);
/* Keeps a title; fails for one that begins with `?`, and keeps that, too. */
int book_entitle(book *b, const char *title);
const char *book_title(book *b);
page *book_page(book *b, int number);
void page_note(page *p, const char *note);
const char *page_noted(page *p);
void library_name(const char *name);
const char *library_named(void);
/* Calls back while the book is being closed. */
void book_close_slowly(book *b, int (*asks)(uint64_t sum, void *user), void *user);
";

const CODE: &str = r#"
#include "books.h"
#include <stdlib.h>
struct page { book *of; const char *note; };
struct book { const uint8_t *data; size_t length; const char *title; page pages[4]; };
static uint64_t closed;
static const char *name = "";
static book *make(const void *data, size_t length)
{
    book *b = calloc(1, sizeof *b);
    b->data = data;
    b->length = length;
    return b;
}
book *book_open(const uint8_t *data, size_t length) { return data == NULL ? NULL : make(data, length); }
int book_load(const uint16_t *text, size_t count, book **loaded)
{
    if (count == 0 || text[0] == 0) {
        return 7;
    }
    *loaded = make(text, count * 2);
    return 0;
}
uint64_t book_sum(book *b)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < b->length; i++) {
        sum += b->data[i];
    }
    return sum;
}
void book_close(book *b)
{
    closed = book_sum(b);
    free(b);
}
void book_close_slowly(book *b, int (*asks)(uint64_t, void *), void *user)
{
    asks(book_sum(b), user);
    book_close(b);
}
uint64_t book_closed(void) { return closed; }
int book_entitle(book *b, const char *title)
{
    b->title = title;
    return title != NULL && title[0] == '?' ? 3 : 0;
}
const char *book_title(book *b) { return b->title; }
page *book_page(book *b, int number) { b->pages[number].of = b; return &b->pages[number]; }
void page_note(page *p, const char *note) { p->note = note; }
const char *page_noted(page *p) { return p->note; }
void library_name(const char *is) { name = is; }
const char *library_named(void) { return name; }
"#;

const CONTRACT: &str = r#"
hotcell = 1
library = "books"
headers = ["books.h"]
link = ["books"]
handle.book = { release = "book_close", taken_by = ["book_close_slowly"] }
handle.page = { parent = "book", taken_by = [] }
function.book_open = { params.data = { in = "buffer", length = "length", nullable = true, until = "result" }, result = { out = "owned", nullable = true } }
function.book_load = { params = { text = { in = "buffer", length = "count", unit = "elements", until = "loaded" }, loaded = { out = "owned" } }, error = { fails = "nonzero" } }
function.book_entitle = { params.title = { string = "utf-8", nullable = true, until = "b" }, error = { fails = "nonzero" } }
function.book_title.result = { string = "utf-8", nullable = true }
function.book_page.result = { out = "borrowed" }
function.book_close_slowly.params.asks = { callback = "call", user_data = "user", on_failure = 0 }
function.page_note.params.note = { string = "utf-8", until = "p" }
function.page_noted.result = { string = "utf-8", nullable = true }
function.library_name.params.name = { string = "utf-8", until = "none" }
function.library_named.result = { string = "utf-8" }
"#;

struct Books {
    session: Session,
    bound: Bound,
    _folder: Folder,
}

impl Books {
    fn open() -> Books {
        let (folder, bound) = bind("books", HEADER, CODE, CONTRACT);
        Books { session: bound.open(Options::default()).unwrap(), bound, _folder: folder }
    }

    #[track_caller]
    fn call(&self, name: &str, args: &[Value]) -> Result<Value> {
        self.call_with(name, args, &mut |_, _| Err("it calls back".into()))
    }

    #[track_caller]
    fn call_with(&self, name: &str, args: &[Value], back: &mut dynamic::Callback<'_>) -> Result<Value> {
        let interface = &self.bound.interface;
        let function = interface.function(name).expect("it is bound");
        let outcome = dynamic::call_with(&self.session, interface, function, args, back)?;
        Ok(match outcome.returned {
            Some(returned) => returned,
            None => outcome.outs.into_iter().next().map_or(Value::Null, |(_, value)| value),
        })
    }

    fn book(&self, data: &[u8]) -> Handle {
        handle(self.call("book_open", &[Value::Bytes(data.to_vec())]).unwrap())
    }

    fn sum(&self, book: &Handle) -> Value {
        self.call("book_sum", &[book.clone().into()]).unwrap()
    }
}

fn handle(value: Value) -> Handle {
    match value {
        Value::Handle(handle) => handle,
        other => panic!("an object, not {other:?}"),
    }
}

fn text(of: &str) -> Value {
    Value::Text(of.to_owned())
}

fn sum_of(data: &[u8]) -> Value {
    Value::Int(data.iter().map(|&byte| i128::from(byte)).sum())
}

/// Overwrites what calls leave in shared memory.
fn stir(books: &Books) {
    for size in [40, 900, 5000, 300_000] {
        let other = books.book(&vec![0xee; size]);
        books.call("library_named", &[]).unwrap();
        drop(other);
    }
}

#[test]
fn data_are_there_until_the_object_goes_that_the_call_makes() {
    let books = Books::open();
    for size in [1, 50, 1000, 70_000, 3_000_000] {
        let data: Vec<u8> = (0..size).map(|at| (at * 7 + size) as u8).collect();
        let book = books.book(&data);
        stir(&books);
        assert_eq!(books.sum(&book), sum_of(&data), "{size}");
        // Even while it is released.
        books.call("book_close", &[book.into()]).unwrap();
        assert_eq!(books.call("book_closed", &[]).unwrap(), sum_of(&data), "{size}");
    }
    let empty = books.book(&[]);
    assert_eq!(books.sum(&empty), Value::Int(0));
    assert_eq!(books.call("book_open", &[Value::Null]).unwrap(), Value::Null);
}

#[test]
fn so_are_numbers_and_what_comes_out_through_a_pointer() {
    let books = Books::open();
    let numbers: Vec<Value> = (1..2000).map(Value::Int).collect();
    let bytes: Vec<u8> = (1..2000u16).flat_map(u16::to_le_bytes).collect();
    let book = handle(books.call("book_load", &[Value::List(numbers)]).unwrap());
    stir(&books);
    assert_eq!(books.sum(&book), sum_of(&bytes));
    let error = books.call("book_load", &[Value::List(vec![Value::Int(0)])]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LibraryError, "{error}");
}

#[test]
fn texts_are_there_until_the_object_goes_whatever_became_of_the_call() {
    let books = Books::open();
    let book = books.book(b"text");
    let entitle = |title: Value| books.call("book_entitle", &[book.clone().into(), title]);
    let title = || books.call("book_title", &[book.clone().into()]).unwrap();
    for name in ["a", "", "Überschrift", &"long ".repeat(2000)] {
        entitle(text(name)).unwrap();
        stir(&books);
        assert_eq!(title(), text(name));
    }
    // The call has failed, and the library has it all the same.
    entitle(text("? why")).unwrap_err();
    stir(&books);
    assert_eq!(title(), text("? why"));
    entitle(Value::Null).unwrap();
    assert_eq!(title(), Value::Null);
}

#[test]
fn what_a_lent_object_keeps_goes_with_its_owner_and_what_nothing_ends_stays() {
    let books = Books::open();
    books.call("library_name", &[text("first")]).unwrap();
    let book = books.book(b"text");
    let page = handle(books.call("book_page", &[book.clone().into(), Value::Int(2)]).unwrap());
    books.call("page_note", &[page.clone().into(), text("see elsewhere")]).unwrap();
    stir(&books);
    assert_eq!(books.call("page_noted", &[page.clone().into()]).unwrap(), text("see elsewhere"));
    drop((page, book));
    stir(&books);
    assert_eq!(books.call("library_named", &[]).unwrap(), text("first"));
}

#[test]
fn an_object_that_goes_in_a_callback_takes_its_own_data_only() {
    let books = Books::open();
    let (outer, inner) = (books.book(&[5; 4000]), books.book(&[9; 100]));
    let mut inner = Some(inner);
    let mut back = |_: &str, args: &[(String, Value)]| {
        assert_eq!(args[0].1, Value::Int(20_000));
        let said = |error: hotcell::Error| error.to_string();
        books.call("book_close", &[inner.take().ok_or("once")?.into()]).map_err(said)?;
        assert_eq!(books.call("book_closed", &[]).map_err(said)?, Value::Int(900));
        Ok(Value::Int(1))
    };
    books.call_with("book_close_slowly", &[outer.into(), Value::Callback], &mut back).unwrap();
    assert_eq!(books.call("book_closed", &[]).unwrap(), Value::Int(20_000));
}

#[test]
fn copies_go_with_their_objects() {
    let books = Books::open();
    let pid = books.session.worker_pid().unwrap();
    let data = vec![1; 4 << 20];
    let fill = |count| {
        for _ in 0..count {
            drop(books.book(&data));
            books.call("book_open", &[Value::Null]).unwrap();
            // No object is made.
            let numbers = [vec![Value::Int(0)], vec![Value::Int(1); 200_000]].concat();
            books.call("book_load", &[Value::List(numbers)]).unwrap_err();
        }
    };
    fill(3);
    let before = resident(pid);
    fill(40);
    let after = resident(pid);
    assert!(after < before + 20_000, "{before} KiB became {after}: 160 MiB of copies stayed");
    assert_eq!(books.session.worker_pid(), Some(pid));
}
