//! What is concluded of a header alone, called: each result is what the library's code says by hand.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hotcell::dynamic::{self, Outcome, Value};
use hotcell::rt::Handle;
use hotcell::{ErrorKind, Options, Session};
use hotcell_bind::Bound;
use hotcell_e2e::bound::bind;
use hotcell_e2e::cli::Folder;

/// A contract that decides nothing.
const CONTRACT: &str = "hotcell = 1\nlibrary = \"pump\"\nheaders = [\"pump.h\"]\nlink = [\"pump\"]\n";

struct Pumps {
    session: Session,
    bound: Bound,
    _folder: Folder,
}

impl Pumps {
    fn open() -> Pumps {
        Pumps::with(CONTRACT)
    }

    fn with(contract: &str) -> Pumps {
        let (header, code) = (include_str!("concluded/pump.h"), include_str!("concluded/pump.c"));
        let (folder, bound) = bind("pump", header, code, contract);
        Pumps { session: bound.open(Options::default()).unwrap(), bound, _folder: folder }
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

    fn pump(&self, rate: i128) -> Value {
        Value::Handle(self.object("pump_new_of", &[Value::Int(rate), Value::Int(0)]))
    }
}

fn outs(outcome: &Outcome) -> Vec<(&str, &Value)> {
    outcome.outs.iter().map(|(name, value)| (name.as_str(), value)).collect()
}

#[test]
fn numbers_that_an_object_is_asked_for_go_in_and_come_out() {
    let pumps = Pumps::open();
    let pump = pumps.pump(-12);
    let rate = |dir| pumps.call("pump_get_rate", &[pump.clone(), Value::Int(0), Value::Int(dir)]);
    let twelve = i128::from(-12_i32 as u32);
    assert_eq!(outs(&rate(0)), [("val", &Value::Int(twelve)), ("dir", &Value::Int(-1))]);
    let thousands = i128::from(-12_000_i32 as u32);
    assert_eq!(outs(&rate(7)), [("val", &Value::Int(thousands)), ("dir", &Value::Int(-1))]);
    let place = pumps.call("pump_get_place", &[pump.clone(), Value::Float(0.0), Value::Float(0.0)]);
    assert_eq!(outs(&place), [("x", &Value::Float(-11.5)), ("y", &Value::Float(-12.5))]);
    // More than one number comes out of these: callers say how many there may be.
    for (name, out) in [("pump_get_rates", "rates"), ("pump_get_rows", "row")] {
        let got = pumps.call(name, &[pump.clone(), Value::List(vec![Value::Int(0); 2])]);
        assert_eq!(outs(&got), [(out, &Value::List(vec![Value::Int(twelve); 2]))]);
    }
}

#[test]
fn an_object_stays_where_a_property_or_a_part_is_called_like_its_end() {
    let pumps = Pumps::open();
    let pump = pumps.pump(3);
    pumps.call("pump_set_stop_level", &[pump.clone(), Value::Int(10)]);
    assert_eq!(pumps.int("pump_get_stop_level", std::slice::from_ref(&pump)), 10);
    let level = pumps.call("pump_get_level", &[pump.clone(), Value::Float(0.0)]);
    assert_eq!(outs(&level), [("value", &Value::Float(2.5))]);
    let remove = || pumps.int("pump_remove", &[pump.clone(), Value::Text("filter".into())]);
    assert_eq!((remove(), remove()), (1, 0));
    // What is added may be kept: the library has a copy, as long as the pump is there.
    let add = |name: &str| pumps.int("pump_add_named", &[pump.clone(), Value::Text(name.into())]);
    assert_eq!((add("filter"), add("")), (0, 1));
    assert_eq!(pumps.int("pump_get_stop_level", &[pump]), 10);
}

#[test]
fn what_was_borrowed_is_stale_when_a_part_has_been_removed() {
    let lends = "[function.pump_part_of]\nresult = { out = \"borrowed\", nullable = true }\n";
    let pumps = Pumps::with(&format!("{CONTRACT}{lends}"));
    let pump = pumps.pump(1);
    let part = Value::Handle(pumps.object("pump_part_of", std::slice::from_ref(&pump)));
    assert_eq!(pumps.int("pump_part_length", std::slice::from_ref(&part)), 6);
    assert_eq!(pumps.int("pump_remove", &[pump, Value::Text("filter".into())]), 1);
    let function = pumps.bound.interface.function("pump_part_length").unwrap();
    let stale = dynamic::call(&pumps.session, &pumps.bound.interface, function, &[part]).unwrap_err();
    assert_eq!(stale.kind(), ErrorKind::StaleHandle);
}

#[test]
fn objects_behind_another_and_those_that_are_looked_at_are_used() {
    let pumps = Pumps::open();
    let pump = pumps.pump(3);
    let valve = Value::Handle(pumps.object("pump_valve_new", &[Value::Int(3), Value::Int(0)]));
    let turn = |degrees| pumps.int("pump_valve_turn", &[pump.clone(), valve.clone(), Value::Int(degrees)]);
    assert_eq!((turn(30), turn(15)), (90, 135));
    assert_eq!(pumps.int("pump_check", &[pump.clone(), valve.clone()]), 1);
    assert_eq!(pumps.int("pump_check", &[pumps.pump(4), valve]), 0);
}

#[test]
fn what_was_made_is_freed_although_something_closes_it() {
    let pumps = Pumps::open();
    let pump = pumps.object("pump_new_of", &[Value::Int(1), Value::Int(0)]);
    let other = pumps.object("pump_new_of", &[Value::Int(2), Value::Int(0)]);
    assert_eq!(pumps.int("pump_living", &[]), 2);
    drop(pump);
    assert_eq!(pumps.int("pump_living", &[]), 1);
    drop(other);
    assert_eq!(pumps.int("pump_living", &[]), 0);
    // Nothing says whether a pump can be used when it is closed.
    assert!(pumps.bound.interface.function("pump_close").is_none());
}
