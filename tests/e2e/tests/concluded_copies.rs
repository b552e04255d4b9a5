//! Texts and data of which no header says who has them, called: copies are there as long as anything may look at them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hotcell::dynamic::{self, Outcome, Value};
use hotcell::rt::Handle;
use hotcell::{Options, Session};
use hotcell_bind::Bound;
use hotcell_e2e::bound::bind;
use hotcell_e2e::cli::Folder;

/// A contract that decides nothing.
const CONTRACT: &str = "hotcell = 1\nlibrary = \"shelf\"\nheaders = [\"shelf.h\"]\nlink = [\"shelf\"]\n";

struct Shelves {
    session: Session,
    bound: Bound,
    _folder: Folder,
}

impl Shelves {
    fn open() -> Shelves {
        let (header, code) = (include_str!("concluded/shelf.h"), include_str!("concluded/shelf.c"));
        let (folder, bound) = bind("shelf", header, code, CONTRACT);
        Shelves { session: bound.open(Options::default()).unwrap(), bound, _folder: folder }
    }

    fn call(&self, name: &str, args: &[Value]) -> Outcome {
        let function = self.bound.interface.function(name).unwrap_or_else(|| panic!("{name} is not bound"));
        dynamic::call(&self.session, &self.bound.interface, function, args).unwrap()
    }

    fn int(&self, name: &str, args: &[Value]) -> i128 {
        match self.call(name, args).returned {
            Some(Value::Int(number)) => number,
            other => panic!("{name} returned {other:?}"),
        }
    }

    fn object(&self, name: &str, args: &[Value]) -> Handle {
        match self.call(name, args).returned {
            Some(Value::Handle(object)) => object,
            other => panic!("{name} returned {other:?}"),
        }
    }

    fn text(&self, name: &str, args: &[Value]) -> String {
        match self.call(name, args).returned {
            Some(Value::Text(text)) => text.to_string(),
            other => panic!("{name} returned {other:?}"),
        }
    }

    /// What a shelf has at this place, after other calls have passed other texts.
    fn label(&self, shelf: &Handle, index: i128) -> String {
        let other = self.object("shelf_new", &[]);
        for _ in 0..4 {
            let noise = Value::Text("x".repeat(300));
            self.int("shelf_add", &[Value::Handle(other.clone()), noise]);
        }
        drop(other);
        self.text("shelf_label", &[Value::Handle(shelf.clone()), Value::Int(index)])
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

#[test]
fn a_text_that_an_object_keeps_is_there_as_long_as_it() {
    let shelves = Shelves::open();
    let shelf = shelves.object("shelf_new", &[]);
    for label in ["oats", "rye"] {
        assert_eq!(shelves.int("shelf_add", &[Value::Handle(shelf.clone()), text(label)]), 1);
    }
    assert_eq!((shelves.label(&shelf, 0), shelves.label(&shelf, 1)), ("oats".into(), "rye".into()));
    let parsed = shelves.object("shelf_parse", &[text("barley and wheat")]);
    assert_eq!(shelves.label(&parsed, 0), "barley and wheat");
}

#[test]
fn a_text_goes_on_with_what_comes_out_of_its_object() {
    let shelves = Shelves::open();
    let shelf = shelves.object("shelf_new", &[]);
    let long = "a label of more letters than what is allocated last ".repeat(4);
    shelves.int("shelf_add", &[Value::Handle(shelf.clone()), text(&long)]);
    let copy = shelves.object("shelf_copy", &[Value::Handle(shelf.clone())]);
    drop(shelf);
    for _ in 0..8 {
        assert_eq!(
            shelves.label(&copy, 0),
            long,
            "the first shelf has gone, and its labels are in the second"
        );
    }
}

#[test]
fn data_goes_with_the_object_that_comes_out() {
    let shelves = Shelves::open();
    let numbers = Value::List((0..5).map(|n| Value::Int(n * 100)).collect());
    let shelf = shelves.object("shelf_new_numbered", &[numbers]);
    shelves.object("shelf_new_numbered", &[Value::List(vec![Value::Int(7); 5])]);
    let third = shelves.int("shelf_number", &[Value::Handle(shelf), Value::Int(3)]);
    assert_eq!(third, 300);
}

#[test]
fn a_text_that_comes_out_is_copied_whoever_owns_it() {
    let shelves = Shelves::open();
    let shelf = Value::Handle(shelves.object("shelf_parse", &[text("oats")]));
    // Either is released wrongly by whoever releases it by mistake: twice, or not at its beginning.
    for _ in 0..100 {
        assert_eq!(shelves.text("shelf_title", std::slice::from_ref(&shelf)), "1 labels");
        assert_eq!(shelves.text("shelf_description", std::slice::from_ref(&shelf)), "a shelf of 1");
    }
}
