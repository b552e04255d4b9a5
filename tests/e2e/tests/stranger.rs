//! What comments, initial values and families of functions say of a header alone, called: each result is what the library's code
//! says by hand.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hotcell::dynamic::{self, Outcome, Value};
use hotcell::{ErrorKind, Options, Session};
use hotcell_bind::Bound;
use hotcell_e2e::bound::bind;
use hotcell_e2e::cli::Folder;

/// A contract that decides nothing.
const CONTRACT: &str = "hotcell = 1\nlibrary = \"mill\"\nheaders = [\"mill.h\"]\nlink = [\"mill\"]\n";

struct Mill {
    session: Session,
    bound: Bound,
    _folder: Folder,
}

impl Mill {
    fn open() -> Mill {
        let (header, code) = (include_str!("stranger/mill.h"), include_str!("stranger/mill.c"));
        let (folder, bound) = bind("mill", header, code, CONTRACT);
        Mill { session: bound.open(Options::default()).unwrap(), bound, _folder: folder }
    }

    fn try_call(&self, name: &str, args: &[Value]) -> hotcell::Result<Outcome> {
        let function = self.bound.interface.function(name).unwrap_or_else(|| panic!("{name} is not bound"));
        dynamic::call(&self.session, &self.bound.interface, function, args)
    }

    fn call(&self, name: &str, args: &[Value]) -> Outcome {
        self.try_call(name, args).unwrap()
    }

    fn returned(&self, name: &str, args: &[Value]) -> Value {
        self.call(name, args).returned.unwrap_or_else(|| panic!("{name} returns nothing"))
    }

    fn sack(&self) -> Value {
        self.returned("mill_sack_open", &[Value::Text("rye".into())])
    }
}

#[test]
fn a_structure_with_an_initial_value_begins_is_used_and_ends() {
    let mill = Mill::open();
    let flow = |outcome: &Outcome| match outcome.outs.iter().find(|(name, _)| name == "flow") {
        Some((_, Value::Struct(fields))) => fields.iter().find(|(name, _)| name.is_empty()).unwrap().clone(),
        other => panic!("no flow comes out: {other:?}"),
    };
    let begun = mill.call("mill_coarse_begin", &[Value::Struct(Vec::new()), Value::Int(3)]);
    assert_eq!(begun.returned, Some(Value::Int(3)));
    let grain = ("next_in".to_owned(), Value::Bytes(vec![1, 2, 250]));
    let grind = || mill.call("mill_grind", &[Value::Struct(vec![flow(&begun), grain.clone()])]);
    assert_eq!(grind().returned, Some(Value::Int(253 * 3)));
    assert_eq!(grind().returned, Some(Value::Int(253 * 3)));
    // One that is there is not begun again, one that is not is not used, and one that has ended is gone.
    let again = mill.try_call("mill_coarse_begin", &[Value::Struct(vec![flow(&begun)]), Value::Int(4)]);
    assert!(again.is_err());
    assert!(mill.try_call("mill_grind", &[Value::Struct(vec![grain.clone()])]).is_err());
    mill.call("mill_end", &[Value::Struct(vec![flow(&begun)])]);
    let gone = mill.try_call("mill_grind", &[Value::Struct(vec![flow(&begun), grain])]);
    assert_eq!(gone.unwrap_err().kind(), ErrorKind::StaleHandle);
}

#[test]
fn what_get0_lends_is_stale_when_its_owner_may_have_changed() {
    let mill = Mill::open();
    let sack = mill.sack();
    let tag = || mill.returned("mill_sack_get0_tag", std::slice::from_ref(&sack));
    let first = tag();
    let number = |tag: &Value| mill.try_call("mill_tag_number", std::slice::from_ref(tag));
    assert_eq!(number(&first).unwrap().returned, Some(Value::Int(1)));
    mill.call("mill_sack_stamp", &[sack.clone(), Value::Int(7)]);
    assert_eq!(number(&first).unwrap_err().kind(), ErrorKind::StaleHandle);
    assert_eq!(number(&tag()).unwrap().returned, Some(Value::Int(7)));
    mill.call("mill_sack_close", std::slice::from_ref(&sack));
    assert!(mill.try_call("mill_sack_stamp", &[sack, Value::Int(8)]).is_err());
}

#[test]
fn texts_are_copied_and_given_back_as_comments_say() {
    let mill = Mill::open();
    let sack = mill.sack();
    mill.call("mill_sack_set_name", &[sack.clone(), Value::Text("wheat".into())]);
    let text = mill.returned("mill_sack_describe", &[sack, Value::Int(3)]);
    assert_eq!(text, Value::Text("wheat 3".into()));
    // Without an allocator the library counts what was given back: that text.
    assert_eq!(mill.returned("mill_count", &[Value::Int(1)]), Value::Int(1));
    assert_eq!(mill.returned("mill_scale", &[Value::Int(4)]), Value::Int(20));
}

#[test]
fn structures_arrays_and_places_are_as_many_as_is_said() {
    let mill = Mill::open();
    let point = Value::Struct(vec![("x".into(), Value::Float(3.0)), ("y".into(), Value::Float(4.0))]);
    let turned = Value::Struct(vec![("x".into(), Value::Float(-4.0)), ("y".into(), Value::Float(3.0))]);
    assert_eq!(mill.call("mill_point_turn", &[point]).outs, [("point".to_owned(), turned)]);
    assert_eq!(mill.returned("mill_find_seal", &[Value::Int(1)]), Value::Bytes(vec![250, 251, 0, 253]));
    assert_eq!(mill.call("mill_find_seal", &[Value::Int(2)]).returned, Some(Value::Null));
    let read = mill.call("mill_read", &[Value::Bytes(vec![9, 8, 7]), Value::Int(1)]);
    assert_eq!(read.returned, Some(Value::Int(8)));
    assert_eq!(read.outs, [("in_pos".to_owned(), Value::Int(2))]);
    let swapped = mill.call("mill_swap_array", &[Value::List(vec![Value::Int(1), Value::Int(0x0203_0405)])]);
    let expect = Value::List(vec![Value::Int(0x0100_0000), Value::Int(0x0504_0302)]);
    assert_eq!(swapped.outs, [("wp".to_owned(), expect)]);
    // A path has points behind a pointer, and nothing says what it is.
    assert!(mill.bound.interface.function("mill_path_length").is_none());
}
