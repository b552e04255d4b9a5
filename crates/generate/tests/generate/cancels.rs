//! Calls that can be stopped: what their entries note, and what stops them.

use hotcell_generate::shim;
use hotcell_model::expr::Expr;
use hotcell_model::interface::{Cancel, Function, Interface, Role};

use crate::objects;
use crate::support::{call, param, refresh};

/// The library of objects, where the first function that is passed one object, and goes on having it, can be stopped.
fn stoppable(change: impl FnOnce(&mut Function)) -> (Interface, String) {
    let mut interface = objects::library();
    let stays = |function: &&mut Function| {
        let role = function.params.first().map(|param| &param.role.value);
        matches!(role, Some(Role::Handle { consumed: false, .. })) && function.params.len() > 1
    };
    let function = interface.functions.iter_mut().find(stays).unwrap();
    function.cancel = Some(Cancel { call: call("stop", vec![param(0)]), text: "stop(it)".into() });
    change(function);
    let name = function.name.clone();
    refresh(&mut interface);
    (interface, name)
}

#[test]
fn only_functions_that_can_be_stopped_note_that_they_are_under_way() {
    let plain = shim::render(&objects::library()).unwrap();
    assert!(!plain.c().contains("hotcell_way") && !plain.c().contains("hotcell_attend"));
    let (interface, name) = stoppable(|_| ());
    let shim = shim::render(&interface).unwrap();
    let c = shim.c();
    assert_eq!(c.matches("hotcell_may_stop(hc_way, ").count(), 1);
    assert_eq!(c.matches("hotcell_has_ended(hc_way, hc_rq->call_id);").count(), 1);
    let entry = c.split_once(&format!("static void hotcell_call_{name}(")).unwrap().1;
    let entry = entry.split_once("\n}\n").unwrap().0;
    let places = ["hc_way->object[0] = ", "hotcell_may_stop(", &format!("({name})("), "hotcell_has_ended("];
    let places = places.map(|text| entry.find(text).unwrap_or_else(|| panic!("{entry}\nlacks: {text}")));
    assert!(places.is_sorted(), "{entry}");
    let stops = c.split_once(&format!("static void hotcell_stop_{name}(")).unwrap().1;
    assert!(stops.split_once("\n}\n").unwrap().0.contains("(void)stop(arg_"), "{stops}");
    assert!(c.contains("void hotcell_attend_1(hotcell_under_way *ways)\n"));
}

#[test]
fn what_another_thread_cannot_be_passed_is_refused() {
    let cancel = |args| Some(Cancel { call: call("stop", args), text: String::new() });
    let (interface, name) = stoppable(|function| function.cancel = cancel(vec![param(1)]));
    let error = shim::render(&interface).unwrap_err().to_string();
    assert!(error.contains("what stops the call over what is no object") && error.contains(&name), "{error}");
    let (interface, _) = stoppable(|function| function.cancel = cancel(vec![Expr::Param { index: 77 }]));
    assert!(shim::render(&interface).is_err());
}
