//! Structures that stay and of which nothing travels, as several operands of one call; a library that must be set up first.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hotcell::dynamic::{self, Outcome, Value};
use hotcell::{ErrorKind, Options};

#[path = "support/library.rs"]
mod library;

use library::{compared, compile, job};

const HEADER: &str = r"
typedef struct cell { int *value; } cell;
int cell_unit(int unit);
void cell_init(cell *c, int value);
void cell_add(cell *to, const cell *a, const cell *b);
int cell_get(const cell *c);
int cell_pour(cell *into, cell *gone);
void cell_clear(cell *c);
";

const SOURCE: &str = r#"
#include <stdlib.h>
#include "cells.h"
static int unit;
int cell_unit(int wanted) { return unit = wanted; }
void cell_init(cell *c, int value) { c->value = malloc(sizeof(int)); *c->value = value; }
void cell_add(cell *to, const cell *a, const cell *b) { *to->value = *a->value + *b->value; }
int cell_get(const cell *c) { return *c->value * unit; }
int cell_pour(cell *into, cell *gone) { int sum = *into->value += *gone->value; free(gone->value); return sum; }
void cell_clear(cell *c) { free(c->value); }
"#;

const CONTRACT: &str = r#"
hotcell = 1
library = "cells"
headers = ["cells.h"]
init = ["cell_unit(10) == 10"]
struct.cell = { resident = true, started_by = { cell_init = "cell_clear" }, fields.value = { own = true } }
function.cell_pour.params.gone = { in = "consumed" }
"#;

/// Its size travels, and says how much there is of it.
const PICTURES: &str = r"
typedef struct pic { int width, height; int drawn; } pic;
void pic_init(pic *p, unsigned char *first);
void pic_draw(pic *p, unsigned char *out);
int pic_sum(pic *p, const unsigned char *pixels);
void pic_end(pic *p);
";

const DRAWN: &str = r#"
#include "pics.h"
static void draw(pic *p, unsigned char *out)
{
    p->drawn++;
    for (int i = 0; i < p->width * p->height; i++) out[i] = (unsigned char)(i + p->drawn);
}
void pic_init(pic *p, unsigned char *first) { draw(p, first); }
void pic_draw(pic *p, unsigned char *out) { draw(p, out); }
int pic_sum(pic *p, const unsigned char *pixels)
{
    int sum = 0;
    for (int i = 0; i < p->width * p->height; i++) sum = 3 * sum + pixels[i];
    return sum;
}
void pic_end(pic *p) { p->width = 0; }
"#;

const SIZED: &str = r#"
hotcell = 1
library = "pics"
headers = ["pics.h"]
struct.pic = { resident = true, started_by = { pic_init = "pic_end" }, fields.drawn = { own = true }, get = ["width", "height", "drawn"] }
function.pic_init.params.first = { out = "buffer", capacity = "p.width * p.height" }
function.pic_draw = { params.out = { out = "buffer", capacity = "p.width * p.height" }, requires = "p.width <= 100 && p.drawn > 0" }
function.pic_sum.params.pixels = { in = "buffer", length = "p.width * p.height" }
"#;

const RECIPES: &str = r#"
[object.seven]
type = "cell"
steps = ["cell_init($seven{}, 7)"]

[object.one]
type = "cell"
steps = ["cell_init($one{}, 1)"]

[values]
value = ["3", "-5"]
unit = ["1", "2"]

[observe]
cell = ["cell_get(${})"]

[scenario]
"a cell is all operands" = ["cell_init($c{}, 3)", "cell_add($c{}, $c{}, $c{})", "cell_add($c{}, $c{}, $c{})", "cell_get($c{})"]
"what is taken over is no other operand" = ["cell_init($c{}, 3)", "cell_pour($c{}, $c{})", "cell_get($c{})"]
"#;

#[test]
fn sizes_are_fields_of_a_structure_that_stays_as_they_are_when_it_is_called() {
    let folder = tempfile::tempdir().unwrap();
    compile(folder.path(), "pics", PICTURES, DRAWN);
    let bound = hotcell_bind::bind(&job(folder.path(), SIZED, "")).unwrap();
    let session = bound.open(Options::default()).unwrap();
    let call = |name: &str, args: &[Value]| {
        let function =
            bound.interface.function(name).unwrap_or_else(|| panic!("{:?}", bound.interface.left_out));
        dynamic::call(&session, &bound.interface, function, args)
    };
    let out = |outcome: &Outcome, name: &str| {
        outcome.outs.iter().find(|(own, _)| own == name).unwrap_or_else(|| panic!("{outcome:?}")).1.clone()
    };
    // As large as the caller says, although there is none yet.
    let size = |pic: &Value, width: i128, height: i128| {
        let Value::Struct(fields) = pic else { panic!("{pic:?}") };
        let object = fields.iter().filter(|(name, _)| !["width", "height"].contains(&name.as_str())).cloned();
        let more = [("width".to_owned(), Value::Int(width)), ("height".to_owned(), Value::Int(height))];
        Value::Struct(object.chain(more).collect())
    };
    let begun = call("pic_init", &[size(&Value::Struct(vec![]), 3, 2)]).unwrap();
    assert_eq!(out(&begun, "first"), Value::Bytes(vec![1, 2, 3, 4, 5, 6]));
    let pic = out(&begun, "p");
    // As large as the caller says from now on: more than there was, in memory of that size.
    let drawn = call("pic_draw", &[size(&pic, 100, 100)]).unwrap();
    let Value::Bytes(bytes) = out(&drawn, "out") else { panic!("{drawn:?}") };
    assert_eq!((bytes.len(), &bytes[..3], bytes[9999]), (10_000, &[2, 3, 4][..], (9999 + 2) as u8));
    let sum =
        |width: i128, bytes: &[u8]| call("pic_sum", &[size(&pic, width, 1), Value::Bytes(bytes.to_vec())]);
    assert_eq!(sum(3, &[1, 2, 3]).unwrap().returned, Some(Value::Int(18)));
    // What must hold, and how long data must be, is about the same fields.
    for error in [sum(4, &[1, 2, 3]).unwrap_err(), call("pic_draw", &[size(&pic, 101, 1)]).unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    }
}

#[test]
fn a_structure_of_which_nothing_travels_is_several_operands() {
    let folder = tempfile::tempdir().unwrap();
    compile(folder.path(), "cells", HEADER, SOURCE);
    let report = compared(folder.path(), &job(folder.path(), CONTRACT, RECIPES));
    assert!(report.passed(), "{report}");
    assert_eq!(report.groups.len(), 8, "{report}");
}
