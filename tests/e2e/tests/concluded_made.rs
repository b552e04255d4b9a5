//! What a library is used by is made without a line: objects that are kept by what is made with them, and by their names released; texts and
//! data that are new; states. Called, with what may not be concluded beside it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hotcell::dynamic::{self, Outcome, Value};
use hotcell::{Error, ErrorKind, Options, Session};
use hotcell_bind::Bound;
use hotcell_e2e::bound::bind;
use hotcell_e2e::cli::Folder;
use hotcell_e2e::process::wait_until;

/// A contract that decides nothing.
const CONTRACT: &str = "hotcell = 1\nlibrary = \"harbor\"\nheaders = [\"harbor.h\"]\nlink = [\"harbor\"]\n";

struct Harbor {
    _folder: Folder,
    bound: Bound,
    session: Session,
}

impl Harbor {
    fn new() -> Harbor {
        let (header, code) = (include_str!("concluded/harbor.h"), include_str!("concluded/harbor.c"));
        let (_folder, bound) = bind("harbor", header, code, CONTRACT);
        let session = bound.open(Options::default()).unwrap();
        Harbor { _folder, bound, session }
    }

    fn try_call(&self, name: &str, args: &[Value]) -> Result<Outcome, Error> {
        let function = self.bound.interface.function(name).unwrap_or_else(|| panic!("{name} is not bound"));
        dynamic::call(&self.session, &self.bound.interface, function, args)
    }

    fn call(&self, name: &str, args: &[Value]) -> Outcome {
        self.try_call(name, args).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn returned(&self, name: &str, args: &[Value]) -> Value {
        self.call(name, args).returned.unwrap()
    }

    /// The only thing that comes out.
    fn out(&self, name: &str, args: &[Value]) -> Value {
        let mut outs = self.call(name, args).outs;
        assert_eq!(outs.len(), 1, "{name}");
        outs.remove(0).1
    }
}

#[test]
fn what_is_made_with_an_object_keeps_it() {
    let harbor = Harbor::new();
    let place = harbor.returned("harbor_create", &[Value::Int(12)]);
    let pilot = harbor.out("harbor_pilot_open", &[place.clone(), Value::Text("Ann".into())]);
    let cursor = harbor.returned("manifest_cursor_new", std::slice::from_ref(&place));
    // Nobody else has the harbor any more, and it is there.
    let refused = harbor.try_call("harbor_delete", std::slice::from_ref(&place)).unwrap_err();
    assert!(
        refused.to_string().contains("cannot go while objects that were made from it are there"),
        "{refused}"
    );
    drop(place);
    assert_eq!(harbor.returned("harbor_count", &[]), Value::Int(1));
    for at in 0..2 {
        assert_eq!(
            harbor.returned("manifest_cursor_next", std::slice::from_ref(&cursor)),
            Value::Int(12 + at)
        );
    }
    assert_eq!(harbor.returned("pilot_depth", std::slice::from_ref(&pilot)), Value::Int(12));
    drop((pilot, cursor));
    wait_until("the harbor is still there", || harbor.returned("harbor_count", &[]) == Value::Int(0));
}

#[test]
fn the_mirror_of_what_makes_an_object_releases_it() {
    let harbor = Harbor::new();
    let release =
        |handle: &str| harbor.bound.interface.handles.get(handle).and_then(|found| found.release.clone());
    assert_eq!(
        ["harbor", "tide", "pilot", "lamp"].map(release),
        [Some("harbor_delete"), Some("tide_destroy"), Some("harbor_pilot_close"), None]
            .map(|name| name.map(str::to_owned))
    );
    let tide = harbor.out("tide_init", &[Value::Int(4)]);
    assert_eq!(harbor.returned("tide_level", std::slice::from_ref(&tide)), Value::Int(5));
    let place = harbor.returned("harbor_create", &[Value::Int(3)]);
    assert_eq!(harbor.returned("harbor_count", &[]), Value::Int(1));
    harbor.call("harbor_delete", &[place]);
    assert_eq!(harbor.returned("harbor_count", &[]), Value::Int(0));
}

#[test]
fn what_nothing_ends_is_lent_until_its_owner_changes() {
    let harbor = Harbor::new();
    let place = harbor.returned("harbor_create", &[Value::Int(5)]);
    let buoy = harbor.returned("harbor_get_buoy", &[place.clone(), Value::Int(2)]);
    assert_eq!(harbor.returned("buoy_mark", std::slice::from_ref(&buoy)), Value::Int(25));
    assert_eq!(harbor.returned("harbor_get_buoy", &[place.clone(), Value::Int(9)]), Value::Null);
    assert_eq!(harbor.returned("harbor_dredge", &[place.clone(), Value::Int(8)]), Value::Int(8));
    let stale = harbor.try_call("buoy_mark", &[buoy]).unwrap_err();
    assert_eq!(stale.kind(), ErrorKind::StaleHandle);
    let again = harbor.returned("harbor_get_buoy", &[place, Value::Int(2)]);
    assert_eq!(harbor.returned("buoy_mark", &[again]), Value::Int(28));
}

#[test]
fn new_texts_and_data_are_freed() {
    /// Each text has so many times four letters.
    const LARGE: i128 = 50_000;
    let harbor = Harbor::new();
    let place = harbor.returned("harbor_create", &[Value::Int(1)]);
    let label = |times| harbor.returned("harbor_spell", &[place.clone(), Value::Int(times)]);
    assert_eq!(label(1), Value::Text("bcde".into()));
    let chart = |width| harbor.returned("harbor_chart", &[Value::Int(width)]);
    assert_eq!(chart(3), Value::Bytes(vec![0, 7, 14, 21, 28, 35]));
    assert_eq!(chart(0), Value::Bytes(Vec::new()));
    let in_use = || match harbor.returned("harbor_in_use", &[]) {
        Value::Int(bytes) => bytes,
        other => panic!("{other:?}"),
    };
    let before = in_use();
    for _ in 0..20 {
        label(LARGE);
        chart(LARGE);
    }
    let more = in_use() - before;
    assert!(more < 2 * LARGE, "{more} bytes more are in use");
}

#[test]
fn a_state_has_a_beginning_and_no_end() {
    let harbor = Harbor::new();
    let sum = |seed: i128, parts: &[&str]| {
        let mut state = harbor.out("harbor_sum_init", &[Value::Struct(Vec::new()), Value::Int(seed)]);
        for part in parts {
            state = harbor.out("harbor_sum_update", &[state, Value::Bytes(part.as_bytes().to_vec())]);
        }
        let finished = harbor.call("harbor_sum_finish", &[state]);
        let total = finished.outs.into_iter().find(|(name, _)| name == "total").unwrap().1;
        (finished.returned, total)
    };
    assert_eq!(sum(1, &["ab", "c"]), (Some(Value::Int(3)), Value::Int(10 + 97 + 98 + 99)));
    assert_eq!(sum(0, &[]), (Some(Value::Int(0)), Value::Int(6)));
}

#[test]
fn what_is_put_into_an_object_is_what_stands_behind_it() {
    let harbor = Harbor::new();
    let place = harbor.returned("harbor_create", &[Value::Int(1)]);
    for expected in [3 + 6, 2 * (3 + 6)] {
        let put = [place.clone(), Value::Text("hay".into()), Value::Bytes(vec![1, 2, 3])];
        assert_eq!(harbor.returned("harbor_put", &put), Value::Int(expected));
    }
}

#[test]
fn what_may_be_otherwise_is_left_out() {
    let harbor = Harbor::new();
    let bound_anyway: Vec<&str> =
        ["harbor_greeting", "harbor_stamp", "harbor_chunk", "lighter_new", "lamp_new"]
            .into_iter()
            .filter(|name| harbor.bound.interface.function(name).is_some())
            .collect();
    assert_eq!(bound_anyway, [""; 0]);
}
