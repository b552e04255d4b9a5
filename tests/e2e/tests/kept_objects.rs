//! Objects that the library goes on using for others.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hotcell::dynamic::{self, Value};
use hotcell::rt::Handle;
use hotcell::{ErrorKind, Options, Result, Session};
use hotcell_bind::Bound;
use hotcell_e2e::bound::bind;
use hotcell_e2e::cli::Folder;

const HEADER: &str = "
typedef struct dict dict;
typedef struct part part;
typedef struct ctx ctx;
typedef struct reader reader;
typedef struct box box;
struct cursor { int at; const dict *of; };

dict *dict_new(int number);
void dict_free(dict *d);
/* How many there are. */
int dict_living(void);
part *dict_part(dict *d);
/* Its parts are gone. */
void dict_clear(dict *d);

ctx *ctx_new(void);
/* Notes the sum of what it has. */
void ctx_free(ctx *c);
long ctx_freed(void);
/* Has one, or none, in place of the one before; a status other than 0 for a negative number, and has it all the same. */
int ctx_use(ctx *c, dict *d);
/* Has one more. */
void ctx_add(ctx *c, dict *d);
void ctx_add_part(ctx *c, part *p);
void ctx_add_for_ever(dict *d);
long ctx_sum(ctx *c);
/* The other way round. */
void dict_watch(dict *d, ctx *by);

reader *reader_new(dict *d);
int reader_open(dict *d, reader **made);
int reader_next(reader *r);
void reader_free(reader *r);

box *box_new(void);
void box_free(box *b);
void box_put(box *b, ctx *c);
ctx *box_take(box *b);
long box_sum(box *b);

void cursor_start(struct cursor *c, dict *d);
int cursor_next(struct cursor *c);
void cursor_end(struct cursor *c);
";

/// What is freed is still there, with a number that spoils every sum.
const CODE: &str = r#"
#include "dicts.h"
#include <stdlib.h>
enum { GONE = -1000000, MOST = 16 };
struct part { dict *of; };
struct dict { int number; part part; const ctx *watched; };
struct ctx { const dict *used; const dict *more[MOST]; int count; };
struct reader { const dict *of; };
struct box { ctx *inside; };
static int living;
static long freed;
dict *dict_new(int number)
{
    dict *d = calloc(1, sizeof *d);
    d->number = number;
    d->part.of = d;
    living++;
    return d;
}
void dict_free(dict *d) { d->number = GONE; living--; }
int dict_living(void) { return living; }
part *dict_part(dict *d) { return &d->part; }
void dict_clear(dict *d) { d->number = GONE; }
ctx *ctx_new(void) { return calloc(1, sizeof(ctx)); }
void ctx_free(ctx *c) { freed = ctx_sum(c); free(c); }
long ctx_freed(void) { return freed; }
int ctx_use(ctx *c, dict *d) { c->used = d; return d != NULL && d->number < 0 ? 5 : 0; }
void ctx_add(ctx *c, dict *d) { c->more[c->count++ % MOST] = d; }
void ctx_add_part(ctx *c, part *p) { ctx_add(c, p->of); }
static const dict *always;
void ctx_add_for_ever(dict *d) { always = d; }
long ctx_sum(ctx *c)
{
    long sum = c->used == NULL ? 0 : c->used->number;
    for (int i = 0; i < c->count && i < MOST; i++) {
        sum += c->more[i]->number;
    }
    return sum + (always == NULL ? 0 : always->number);
}
void dict_watch(dict *d, ctx *by) { d->watched = by; }
reader *reader_new(dict *d) { reader *r = calloc(1, sizeof *r); r->of = d; return r; }
int reader_open(dict *d, reader **made)
{
    if (d->number == 0) {
        return 2;
    }
    *made = reader_new(d);
    return 0;
}
int reader_next(reader *r) { return r->of->number; }
void reader_free(reader *r) { free(r); }
box *box_new(void) { return calloc(1, sizeof(box)); }
void box_free(box *b)
{
    if (b->inside != NULL) {
        ctx_free(b->inside);
    }
    free(b);
}
void box_put(box *b, ctx *c) { b->inside = c; }
ctx *box_take(box *b) { ctx *c = b->inside; b->inside = NULL; return c; }
long box_sum(box *b) { return ctx_sum(b->inside); }
void cursor_start(struct cursor *c, dict *d) { c->at = 1; c->of = d; }
int cursor_next(struct cursor *c) { return c->of->number * c->at++; }
void cursor_end(struct cursor *c) { c->of = NULL; }
"#;

const CONTRACT: &str = r#"
hotcell = 1
library = "dicts"
headers = ["dicts.h"]
link = ["dicts"]
handle.dict = { release = "dict_free", taken_by = [], lends_until = ["dict_clear"] }
handle.part = { taken_by = [] }
handle.ctx = { release = "ctx_free", made_by = ["ctx_new", "box_take"], taken_by = ["box_put"] }
handle.reader = { release = "reader_free" }
handle.box = { release = "box_free", taken_by = [] }
struct.cursor = { resident = true, started_by = { cursor_start = "cursor_end" }, fields.of = { own = true } }
function."{dict,ctx,box,reader}_new".result = { out = "owned" }
function.dict_part.result = { out = "borrowed" }
function.ctx_use = { params.d = { in = "handle", nullable = true, until = "c", replaced = true }, error = { fails = "nonzero" } }
function.ctx_add.params.d = { in = "handle", until = "ctx" }
function.ctx_add_part.params.p = { in = "handle", until = "c" }
function.ctx_add_for_ever.params.d = { in = "handle", until = "none" }
function.dict_watch.params.by = { in = "handle", until = "d" }
function.reader_new.params.d = { in = "handle", until = "result" }
function.reader_open = { params = { d = { in = "handle", until = "made" }, made = { out = "owned" } }, error = { fails = "nonzero" } }
function."box_{put,take,sum}".params.b = { in = "handle" }
function.box_take.result = { out = "owned", nullable = true }
function.cursor_start.params.d = { in = "handle", until = "c" }
"#;

struct Dicts {
    session: Session,
    bound: Bound,
    _folder: Folder,
}

impl Dicts {
    fn open() -> Dicts {
        let (folder, bound) = bind("dicts", HEADER, CODE, CONTRACT);
        Dicts { session: bound.open(Options::default()).unwrap(), bound, _folder: folder }
    }

    #[track_caller]
    fn call(&self, name: &str, args: &[Value]) -> Result<Value> {
        let interface = &self.bound.interface;
        let function = interface.function(name).expect("it is bound");
        let outcome = dynamic::call(&self.session, interface, function, args)?;
        Ok(match outcome.returned {
            Some(returned) => returned,
            None => outcome.outs.into_iter().next().map_or(Value::Null, |(_, value)| value),
        })
    }

    #[track_caller]
    fn does(&self, name: &str, args: &[&Handle]) {
        self.call(name, &args.iter().map(|arg| (*arg).clone().into()).collect::<Vec<_>>()).unwrap();
    }

    #[track_caller]
    fn number(&self, name: &str, args: &[&Handle]) -> i128 {
        match self.call(name, &args.iter().map(|arg| (*arg).clone().into()).collect::<Vec<_>>()).unwrap() {
            Value::Int(number) => number,
            other => panic!("a number, not {other:?}"),
        }
    }

    fn make(&self, name: &str) -> Handle {
        handle(self.call(name, &[]).unwrap())
    }

    fn dict(&self, number: i128) -> Handle {
        handle(self.call("dict_new", &[Value::Int(number)]).unwrap())
    }

    fn living(&self) -> i128 {
        self.number("dict_living", &[])
    }
}

fn handle(value: Value) -> Handle {
    match value {
        Value::Handle(handle) => handle,
        other => panic!("an object, not {other:?}"),
    }
}

#[test]
fn what_is_kept_is_released_behind_its_keeper() {
    let dicts = Dicts::open();
    let ctx = dicts.make("ctx_new");
    for number in [1, 20, 300] {
        dicts.does("ctx_add", &[&ctx, &dicts.dict(number)]);
    }
    assert_eq!((dicts.living(), dicts.number("ctx_sum", &[&ctx])), (3, 321));
    let dict = dicts.dict(4000);
    dicts.does("ctx_add", &[&ctx, &dict]);
    let error = dicts.call("dict_free", &[dict.clone().into()]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    assert!(error.to_string().contains("`d` is kept by another object"), "{error}");
    assert_eq!(dicts.number("ctx_sum", &[&ctx]), 4321, "it is there, and can be used");
    drop(dict);
    dicts.does("ctx_free", &[&ctx]);
    assert_eq!(dicts.number("ctx_freed", &[]), 4321, "all were there while it was released");
    assert_eq!(dicts.living(), 0, "and go now");
    assert_eq!(dicts.session.generation(), 1);
}

#[test]
fn one_that_takes_the_place_of_another_lets_that_go() {
    let dicts = Dicts::open();
    let ctx = dicts.make("ctx_new");
    let using = |dict: Value| dicts.call("ctx_use", &[ctx.clone().into(), dict]);
    for number in 1..50 {
        using(dicts.dict(number).into()).unwrap();
        assert_eq!(dicts.number("ctx_sum", &[&ctx]), number);
        assert!(dicts.living() <= 2, "the one before goes, behind the next call at the latest");
    }
    // A call that failed may have gone wrong before that, or behind it.
    using(dicts.dict(-7).into()).unwrap_err();
    assert_eq!((dicts.number("ctx_sum", &[&ctx]), dicts.living()), (-7, 2));
    using(Value::Null).unwrap();
    assert_eq!((dicts.number("ctx_sum", &[&ctx]), dicts.living()), (0, 0));
    // What is given twice is kept as long as it is there once.
    let dict = dicts.dict(8);
    dicts.does("ctx_add", &[&ctx, &dict]);
    using(dict.into()).unwrap();
    using(Value::Null).unwrap();
    assert_eq!((dicts.number("ctx_sum", &[&ctx]), dicts.living()), (8, 1));
}

#[test]
fn what_comes_out_keeps_what_it_was_made_of() {
    let dicts = Dicts::open();
    let first = handle(dicts.call("reader_new", &[dicts.dict(11).into()]).unwrap());
    let second = handle(dicts.call("reader_open", &[dicts.dict(12).into()]).unwrap());
    // None is made, and nothing is kept.
    dicts.call("reader_open", &[dicts.dict(0).into()]).unwrap_err();
    assert_eq!((dicts.number("reader_next", &[&first]), dicts.number("reader_next", &[&second])), (11, 12));
    assert_eq!(dicts.living(), 2);
    drop((first, second));
    assert_eq!(dicts.living(), 0);
}

#[test]
fn a_structure_that_stays_keeps_too() {
    let dicts = Dicts::open();
    let started = dicts.call("cursor_start", &[Value::Struct(Vec::new()), dicts.dict(6).into()]).unwrap();
    assert_eq!(dicts.living(), 1, "{started:?}");
    let next = |cursor: &Value| {
        let interface = &dicts.bound.interface;
        let function = interface.function("cursor_next").unwrap();
        dynamic::call(&dicts.session, interface, function, std::slice::from_ref(cursor)).unwrap().returned
    };
    assert_eq!(next(&started), Some(Value::Int(6)));
    dicts.call("cursor_end", &[started]).unwrap();
    assert_eq!(dicts.living(), 0);
}

#[test]
fn what_is_a_part_of_another_is_not_made_stale_while_it_is_kept() {
    let dicts = Dicts::open();
    let (ctx, dict) = (dicts.make("ctx_new"), dicts.dict(9));
    let part = handle(dicts.call("dict_part", &[dict.clone().into()]).unwrap());
    dicts.does("ctx_add_part", &[&ctx, &part]);
    let error = dicts.call("dict_clear", &[dict.clone().into()]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    drop((part, dict));
    assert_eq!((dicts.number("ctx_sum", &[&ctx]), dicts.living()), (9, 1));
    drop(ctx);
    assert_eq!(dicts.living(), 0);
}

#[test]
fn circles_are_refused_before_the_library_hears_of_them() {
    let dicts = Dicts::open();
    let (ctx, dict) = (dicts.make("ctx_new"), dicts.dict(9));
    dicts.does("ctx_add", &[&ctx, &dict]);
    let error = dicts.call("dict_watch", &[dict.clone().into(), ctx.clone().into()]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    assert!(error.to_string().contains("`by` would be kept by what must not go before it"), "{error}");
    drop((dict, ctx));
    assert_eq!(dicts.living(), 0, "both go");
}

#[test]
fn a_keeper_that_is_taken_over_keeps_on() {
    let dicts = Dicts::open();
    let (ctx, first) = (dicts.make("ctx_new"), dicts.make("box_new"));
    dicts.does("ctx_add", &[&ctx, &dicts.dict(70)]);
    dicts.does("box_put", &[&first, &ctx]);
    assert_eq!((dicts.number("box_sum", &[&first]), dicts.living()), (70, 1));
    let ctx = handle(dicts.call("box_take", &[first.clone().into()]).unwrap());
    drop(first);
    assert_eq!((dicts.number("ctx_sum", &[&ctx]), dicts.living()), (70, 1));
    drop(ctx);
    assert_eq!(dicts.living(), 0);
    // With the box it goes as well.
    let (ctx, second) = (dicts.make("ctx_new"), dicts.make("box_new"));
    dicts.does("ctx_add", &[&ctx, &dicts.dict(80)]);
    dicts.does("box_put", &[&second, &ctx]);
    drop(second);
    assert_eq!((dicts.number("ctx_freed", &[]), dicts.living()), (80, 0));
}

#[test]
fn what_nothing_lets_go_stays_until_the_worker_ends() {
    let dicts = Dicts::open();
    let ctx = dicts.make("ctx_new");
    dicts.does("ctx_add_for_ever", &[&dicts.dict(5)]);
    assert_eq!((dicts.number("ctx_sum", &[&ctx]), dicts.living()), (5, 1));
    drop(ctx);
    assert_eq!((dicts.number("ctx_freed", &[]), dicts.living()), (5, 1));
}
