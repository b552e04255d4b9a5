//! What a contract says once for many: families of functions, names of parameters, fields of objects, what functions hand out and
//! stand for.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hotcell::dynamic::{self, Outcome, Value};
use hotcell::{ErrorKind, Options, Result, Session};
use hotcell_bind::Bound;
use hotcell_e2e::bound::bind;
use hotcell_e2e::cli::Folder;

const HEADER: &str = "
#ifndef VIEWS_H
#define VIEWS_H
#include <stddef.h>
struct view { int width, height; int red_stride, blue_stride; unsigned char *red, *blue; void *more; };
struct colour { int r, g, b; };
struct note { int at; const char *text; };

struct view *view_new(int width, int height);
void view_free(struct view *v);
/* Rows that are so many bytes apart. */
int view_draw_red(struct view *v, const unsigned char *red, int red_stride);
int view_draw_blue(struct view *v, const unsigned char *blue, int blue_stride);
void view_lock(struct view *v);
int view_set_size(struct view *v, int width, int height);
/* Both are as long as a view. */
int view_mix(const struct view *v, const unsigned char *left, size_t left_size, const unsigned char *right, size_t right_size);

/* Hands out as many colours as the view is wide; 0 and nothing when it is locked. */
int view_palette(const struct view *v, struct colour **palette, int *count);
/* Says how many notes there are. */
int view_notes(const struct view *v, struct note **notes);
void view_corner(const struct view *v, const struct colour **corner);

enum { TAG_WIDTH = 1, TAG_HEIGHT = 2 };
int view_get(const struct view *v, int tag, ...);
int view_default(const struct view *v, int tag, ...);

/* What must end before anything else begins. */
void sum_begin(void);
void sum_add(int n);
int sum_end(void);
#endif
";

const CODE: &str = r#"
#include "views.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct view *view_new(int width, int height)
{
    struct view *v = calloc(1, sizeof *v);
    v->width = width, v->height = height;
    v->red_stride = width + 1, v->blue_stride = width + 2;
    v->red = malloc(v->red_stride * height), v->blue = malloc(v->blue_stride * height);
    memset(v->red, 'r', v->red_stride * height), memset(v->blue, 'b', v->blue_stride * height);
    return v;
}
void view_free(struct view *v) { free(v->red), free(v->blue), free(v); }
static int put(const struct view *v, unsigned char *to, int to_stride, const unsigned char *from, int stride)
{
    int sum = 0;
    for (int y = 0; y < v->height; y++)
        for (int x = 0; x < v->width; x++)
            sum += to[y * to_stride + x] = from[y * stride + x];
    return sum;
}
int view_draw_red(struct view *v, const unsigned char *red, int stride) { return put(v, v->red, v->red_stride, red, stride); }
int view_draw_blue(struct view *v, const unsigned char *blue, int stride) { return put(v, v->blue, v->blue_stride, blue, stride); }
void view_lock(struct view *v) { v->more = v; }
int view_set_size(struct view *v, int width, int height) { return v->width = width, v->height = height, 1; }
int view_mix(const struct view *v, const unsigned char *left, size_t left_size, const unsigned char *right, size_t right_size)
{
    (void)v;
    return (int)(left[left_size - 1] * 256 + right[right_size - 1]);
}
static struct colour colours[3] = {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}};
static struct note notes[2] = {{7, "seven"}, {8, NULL}};
int view_palette(const struct view *v, struct colour **palette, int *count)
{
    if (v->more != NULL) return 0;
    *palette = colours, *count = v->width;
    return 64;
}
int view_notes(const struct view *v, struct note **all) { *all = notes; return v->width < 2 ? v->width : 2; }
void view_corner(const struct view *v, const struct colour **corner) { if (v->more == NULL) *corner = &colours[v->height]; }
static int get(const struct view *v, int tag, va_list more, int by)
{
    if (tag == TAG_WIDTH) *va_arg(more, int *) = v->width * by; else *va_arg(more, int *) = v->height * by;
    return 1;
}
int view_get(const struct view *v, int tag, ...) { va_list more; va_start(more, tag); int did = get(v, tag, more, 1); va_end(more); return did; }
int view_default(const struct view *v, int tag, ...) { va_list more; va_start(more, tag); int did = get(v, tag, more, 100); va_end(more); return did; }
static int open, sum;
void sum_begin(void) { if (open) abort(); open = 1, sum = 0; }
void sum_add(int n) { if (!open) abort(); sum += n; }
int sum_end(void) { if (!open) abort(); open = 0; return sum; }
"#;

const CONTRACT: &str = r#"
hotcell = 1
library = "views"
headers = ["views.h"]
link = ["views"]
prelude = """
#include "views.h"
static inline int sum_of(const int *numbers, int n)
{
    sum_begin();
    for (int at = 0; at < n; at++)
        sum_add(numbers[at]);
    return sum_end();
}
"""
[handle]
view = { release = "view_free", made_by = ["view_new"], taken_by = [], get = ["width", "height", "{red,blue}{,_stride}"], has = ["more"] }
[struct]
note.fields.text = { string = "utf-8", nullable = true }
[function]
view_new.error = { fails = "null" }
"view_draw_{red,blue}".params."$1" = { in = "buffer", length = "$1_stride * (v.height - 1) + v.width" }
"view_get_{red,blue}".result = { out = "buffer", length = "object.$1_stride * object.height" }
view_mix.params."{left,right}" = { in = "buffer", length = "$0_size" }
view_set_size.requires = "v.more"
view_palette = { returns = "palette", result = { out = "structs", length = "count", nullable = true } }
view_notes = { returns = "notes", result = { out = "structs", length = "returned", nullable = true } }
view_corner = { returns = "corner", result = { out = "struct", nullable = true } }
"view_{get,default}_tag_*" = { of = "view_$1", further = "int *number", each.tag = ["TAG_*"], params.number = { out = "value" }, result = { out = "ignored" } }
sum_of = { stands_for = ["sum_*"], params.numbers = { in = "buffer", length = "n" } }
"#;

struct Views {
    _folder: Folder,
    bound: Bound,
    session: Session,
}

impl Views {
    fn new() -> Views {
        let (folder, bound) = bind("views", HEADER, CODE, CONTRACT);
        let session = bound.open(Options::default()).unwrap();
        Views { _folder: folder, bound, session }
    }

    fn call(&self, name: &str, args: &[Value]) -> Result<Outcome> {
        let interface = &self.bound.interface;
        let function = interface
            .function(name)
            .unwrap_or_else(|| panic!("{name} is not bound: {:?}", interface.left_out));
        dynamic::call(&self.session, interface, function, args)
    }

    fn view(&self, width: i128, height: i128) -> Value {
        self.call("view_new", &[Value::Int(width), Value::Int(height)]).unwrap().returned.unwrap()
    }

    fn number(&self, name: &str, args: &[Value]) -> Result<i128> {
        match self.call(name, args)?.returned {
            Some(Value::Int(number)) => Ok(number),
            other => panic!("{name}: {other:?}"),
        }
    }
}

fn data(text: &str) -> Value {
    Value::Bytes(text.as_bytes().to_vec())
}

#[test]
fn what_is_said_once_holds_for_each() {
    let views = Views::new();
    let view = views.view(2, 3);
    // Rows of 3 and of 5: the last is as long as the view is wide.
    let red = views.number("view_draw_red", &[view.clone(), data("ab.cd.ef"), Value::Int(3)]);
    assert_eq!(red.unwrap(), (b'a'..=b'f').map(i128::from).sum::<i128>());
    let blue = views.number("view_draw_blue", &[view.clone(), data("ab...cd...ef"), Value::Int(5)]);
    assert_eq!(blue.unwrap(), (b'a'..=b'f').map(i128::from).sum::<i128>());
    let short = views.call("view_draw_blue", &[view.clone(), data("ab...cd...e"), Value::Int(5)]);
    assert_eq!(short.unwrap_err().kind(), ErrorKind::InvalidArgument);
    let read = |name: &str| views.call(name, std::slice::from_ref(&view)).unwrap().returned;
    assert_eq!(read("view_get_red"), Some(data("abrcdrefr")));
    assert_eq!(read("view_get_blue"), Some(data("abbbcdbbefbb")));
    assert_eq!(views.number("view_mix", &[view.clone(), data("..a"), data("b")]).unwrap(), 97 * 256 + 98);
}

#[test]
fn a_family_of_forms_is_a_function_for_each_choice() {
    let views = Views::new();
    let view = views.view(2, 3);
    for (name, expect) in [
        ("view_get_width", 2),
        ("view_get_tag_width", 2),
        ("view_default_tag_width", 200),
        ("view_get_tag_height", 3),
        ("view_default_tag_height", 300),
    ] {
        let outcome = views.call(name, std::slice::from_ref(&view)).unwrap();
        let number = outcome.returned.or_else(|| Some(outcome.outs.into_iter().next()?.1));
        assert_eq!(number, Some(Value::Int(expect)), "{name}");
    }
}

#[test]
fn fields_of_objects_are_asked_before_the_call() {
    let views = Views::new();
    let view = views.view(2, 3);
    let resize = || views.number("view_set_size", &[view.clone(), Value::Int(1), Value::Int(1)]);
    let error = resize().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.message().contains("v.more"), "{error}");
    views.call("view_lock", std::slice::from_ref(&view)).unwrap();
    assert_eq!(resize().unwrap(), 1);
}

#[test]
fn what_is_handed_out_is_returned() {
    let views = Views::new();
    let view = views.view(2, 1);
    let structure = |fields: &[(&str, Value)]| {
        Value::Struct(fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
    };
    let colour = |r| structure(&[("r", Value::Int(r)), ("g", Value::Int(r + 1)), ("b", Value::Int(r + 2))]);
    let palette = |view: &Value| views.call("view_palette", std::slice::from_ref(view)).unwrap();
    let found = palette(&view);
    assert_eq!(found.returned, Some(Value::List(vec![colour(1), colour(4)])));
    assert_eq!(found.outs, [("count".to_owned(), Value::Int(2)), ("returned".to_owned(), Value::Int(64))]);
    let found = views.call("view_notes", std::slice::from_ref(&view)).unwrap();
    let seven = structure(&[("at", Value::Int(7)), ("text", Value::Text("seven".to_owned()))]);
    let eight = structure(&[("at", Value::Int(8)), ("text", Value::Null)]);
    assert_eq!(
        (found.returned, found.outs),
        (Some(Value::List(vec![seven, eight])), vec![("returned".to_owned(), Value::Int(2))])
    );
    let corner = || views.call("view_corner", std::slice::from_ref(&view)).unwrap();
    assert_eq!((corner().returned, corner().outs), (Some(colour(4)), Vec::new()));
    // A call that writes nothing hands out nothing.
    views.call("view_lock", std::slice::from_ref(&view)).unwrap();
    let found = palette(&view);
    assert_eq!((found.returned, corner().returned), (Some(Value::Null), Some(Value::Null)));
    assert_eq!(found.outs.last(), Some(&("returned".to_owned(), Value::Int(0))));
}

#[test]
fn what_another_stands_for_is_called_by_it_only() {
    let views = Views::new();
    let numbers = Value::List([1, 20, 300].map(Value::Int).to_vec());
    assert_eq!(views.number("sum_of", &[numbers]).unwrap(), 321);
    let interface = &views.bound.interface;
    for name in ["sum_begin", "sum_add", "sum_end"] {
        assert!(interface.function(name).is_none(), "{name} is bound");
        assert!(interface.left_out.iter().all(|out| out.name != name), "{name} is left out");
    }
}
