//! What the library's machine code shows where names do not, called: each result is what the library's code says by hand, and what the code
//! does not show is left out.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hotcell::dynamic::{self, Outcome, Value};
use hotcell::{Options, Session};
use hotcell_bind::Bound;
use hotcell_e2e::bound::bind;
use hotcell_e2e::cli::Folder;
use hotcell_e2e::process::wait_until;

/// A contract that decides nothing.
const CONTRACT: &str =
    "hotcell = 1\nlibrary = \"sextant\"\nheaders = [\"sextant.h\"]\nlink = [\"sextant\"]\n";

fn sextants() -> (Folder, Bound) {
    let (header, code) = (include_str!("concluded/sextant.h"), include_str!("concluded/sextant.c"));
    bind("sextant", header, code, CONTRACT)
}

fn outs(outcome: &Outcome) -> Vec<(&str, &Value)> {
    outcome.outs.iter().map(|(name, value)| (name.as_str(), value)).collect()
}

fn fix(latitude: f64, longitude: f64) -> Value {
    let fields = [("latitude", latitude), ("longitude", longitude)];
    Value::Struct(fields.into_iter().map(|(name, value)| (name.to_owned(), Value::Float(value))).collect())
}

#[test]
fn what_the_code_shows_is_called_and_right() {
    let (_folder, bound) = sextants();
    let session: Session = bound.open(Options::default()).unwrap();
    let call = |name: &str, args: &[Value]| {
        let function = bound.interface.function(name).unwrap_or_else(|| panic!("{name} is not bound"));
        dynamic::call(&session, &bound.interface, function, args).unwrap()
    };
    let solve = |sight| {
        call("sextant_solve", &[Value::Float(sight), Value::Float(7.5), Value::Float(8.5), Value::Int(9)])
    };
    let solved = |sine, cosine, quadrant| {
        [("sine", Value::Float(sine)), ("cosine", Value::Float(cosine)), ("quadrant", Value::Int(quadrant))]
    };
    let there = |outcome: &Outcome, expected: [(&str, Value); 3]| {
        assert_eq!(outs(outcome), expected.each_ref().map(|(name, value)| (*name, value)));
    };
    there(&solve(100.0), solved(50.0, 130.0, 2));
    // What is not written each time stays as the caller has it.
    there(&solve(-1.0), solved(7.5, 8.5, 9));
    let turned = call("sextant_turn", &[Value::Int(350), Value::Int(20)]);
    assert_eq!(
        (turned.returned.as_ref(), outs(&turned)),
        (Some(&Value::Int(350)), vec![("heading", &Value::Int(10))])
    );
    let located = call("sextant_locate", &[Value::Float(54.5), Value::Float(10.25)]);
    assert_eq!(outs(&located), [("where", &fix(54.5, 10.25))]);
    let mirrored = call("sextant_mirror", &[fix(54.5, 10.25)]);
    assert_eq!(outs(&mirrored), [("here", &fix(-54.5, 10.25))]);

    let sextant = call("sextant_new", &[]).returned.unwrap();
    let almanac = call("almanac_new", &[Value::Int(26)]).returned.unwrap();
    for day in [329, 330] {
        let observed = call("sextant_observe", &[sextant.clone(), almanac.clone(), Value::Int(day)]);
        assert_eq!(observed.returned, Some(Value::Int(26_000 + day)));
    }
    let arcs = Value::List([1.5, 2.5, 4.0].map(Value::Float).to_vec());
    let swung = call("sextant_swing", &[sextant.clone(), arcs, Value::Int(3)]);
    assert_eq!(swung.returned, Some(Value::Int(8)));
    assert_eq!(call("sextant_last", &[sextant]).returned, Some(Value::Int(8)));

    // Of more than one, callers say how many there are.
    let legs = Value::List([2.0, 3.0, 0.0].map(Value::Float).to_vec());
    let solved = call("sextant_solve_three", &[legs]);
    assert_eq!(outs(&solved), [("legs", &Value::List([2.0, 3.0, 5.0].map(Value::Float).to_vec()))]);
    let course = Value::List(vec![fix(1.0, 2.0), fix(3.0, 4.0)]);
    let moved = call("sextant_locate_many", &[course, Value::Int(2)]);
    assert_eq!(outs(&moved), [("course", &Value::List(vec![fix(2.0, 2.0), fix(4.0, 4.0)]))]);
}

#[test]
fn what_the_code_shows_to_free_an_object_releases_it() {
    let (_folder, bound) = sextants();
    let release = |handle: &str| bound.interface.handles.get(handle).and_then(|found| found.release.clone());
    // Of the others one frees what the object has, and one is not to be called.
    assert_eq!(
        [release("chart"), release("buoy"), release("tide")],
        [Some("chart_free".to_owned()), None, None]
    );
    for maker in ["buoy_new", "tide_new"] {
        assert!(bound.interface.function(maker).is_none(), "{maker} makes what nothing releases");
    }
    let session: Session = bound.open(Options::default()).unwrap();
    let call = |name: &str, args: &[Value]| {
        let function = bound.interface.function(name).unwrap_or_else(|| panic!("{name} is not bound"));
        dynamic::call(&session, &bound.interface, function, args).unwrap().returned.unwrap()
    };
    let (first, second) = (call("chart_new", &[Value::Float(5.0)]), call("chart_new", &[Value::Float(7.0)]));
    assert_eq!(call("chart_scale", std::slice::from_ref(&first)), Value::Int(52));
    drop(first);
    // It is released in the worker.
    wait_until("the chart is still there", || {
        call("chart_scale", std::slice::from_ref(&second)) == Value::Int(71)
    });
}

#[test]
fn an_object_that_the_code_shows_to_be_new_is_the_callers() {
    let (_folder, bound) = sextants();
    let session: Session = bound.open(Options::default()).unwrap();
    let call = |name: &str, args: &[Value]| {
        let function = bound.interface.function(name).unwrap_or_else(|| panic!("{name} is not bound"));
        dynamic::call(&session, &bound.interface, function, args).unwrap()
    };
    let year = |almanac: &Value| call("almanac_year", std::slice::from_ref(almanac)).returned;
    let count = || call("almanac_count", &[]).returned;
    let [first, second] = [26, 27].map(|year| call("almanac_new", &[Value::Int(year)]).returned.unwrap());
    assert_eq!(
        (year(&first), year(&second), count()),
        (Some(Value::Int(26)), Some(Value::Int(27)), Some(Value::Int(2)))
    );
    drop(first);
    wait_until("the first is not released", || count() == Some(Value::Int(1)));
    assert_eq!(year(&second), Some(Value::Int(27)));
    drop(second);
    wait_until("the second is not released", || count() == Some(Value::Int(0)));
}

#[test]
fn what_the_code_does_not_show_is_left_out() {
    let (_folder, bound) = sextants();
    let bound_anyway: Vec<&str> = [
        "sextant_solve_kept",
        "sextant_locate_kept",
        "sextant_observe_noted",
        "sextant_observe_kept",
        "sextant_observe_late",
        "sextant_swing_kept",
        "sextant_unseen",
        "almanac_found",
        "almanac_said",
        "almanac_row",
        "almanac_years",
        "almanac_empty",
        "almanac_this",
        "almanac_listed",
        "almanac_bound",
    ]
    .into_iter()
    .filter(|name| bound.interface.function(name).is_some())
    .collect();
    assert_eq!(bound_anyway, [""; 0]);
}
