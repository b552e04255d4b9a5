//! Memory of which nobody says how much there is: callers do, and behind it is a wall.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hotcell::dynamic::{self, Outcome, Value};
use hotcell::{ErrorKind, Options, Result, Session};
use hotcell_bind::{Bound, Job, Source};
use hotcell_e2e::bound::bind;
use hotcell_e2e::cli::Folder;

const CONTRACT: &str = "hotcell = 1\nlibrary = \"walled\"\nheaders = [\"walled.h\"]\nlink = [\"walled\"]\n";

struct Walled {
    session: Session,
    bound: Bound,
    _folder: Folder,
}

impl Walled {
    fn new() -> Walled {
        let (header, code) = (include_str!("concluded/walled.h"), include_str!("concluded/walled.c"));
        let (folder, bound) = bind("walled", header, code, CONTRACT);
        Walled { session: bound.open(Options::default()).unwrap(), bound, _folder: folder }
    }

    /// The rows of limbs of GMP, of which nothing is decided.
    fn gmp() -> Walled {
        let folder = Folder::new();
        folder.write(
            "bind.toml",
            "hotcell = 1\nlibrary = \"gmp\"\nheaders = [\"stdlib.h\", \"gmp.h\"]\nlink = [\"gmp\"]\ninclude = [\"__gmpn_*\"]\n",
        );
        let bound = hotcell_bind::bind(&Job {
            source: Source::Contract(folder.path().join("bind.toml")),
            only: None,
            include_dirs: Vec::new(),
            defines: Vec::new(),
            library_dirs: Vec::new(),
        });
        let bound = bound.unwrap();
        Walled { session: bound.open(Options::default()).unwrap(), bound, _folder: folder }
    }

    fn call(&self, name: &str, args: &[Value]) -> Result<Outcome> {
        let function = self.bound.interface.function(name).unwrap_or_else(|| panic!("{name} is not bound"));
        dynamic::call(&self.session, &self.bound.interface, function, args)
    }

    fn returned(&self, name: &str, args: &[Value]) -> Value {
        self.call(name, args).unwrap().returned.unwrap()
    }

    /// That the worker ended by the signal, and the next call works.
    fn ends(&self, name: &str, args: &[Value], signal: &str) {
        let error = self.call(name, args).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Crashed, "{error}");
        assert!(format!("{error}").contains(signal), "{error}");
        assert_eq!(
            self.returned("walled_dot", &[floats(&[2.0]), floats(&[3.0]), Value::Int(1)]),
            Value::Float(6.0)
        );
    }
}

fn floats(numbers: &[f64]) -> Value {
    Value::List(numbers.iter().map(|number| Value::Float(*number)).collect())
}

fn ints(numbers: &[i128]) -> Value {
    Value::List(numbers.iter().map(|number| Value::Int(*number)).collect())
}

fn spot(x: f64, y: f64) -> Value {
    Value::Struct(vec![("x".into(), Value::Float(x)), ("y".into(), Value::Float(y))])
}

#[test]
fn memory_that_is_called_like_a_result_has_as_much_as_callers_say() {
    let walled = Walled::new();
    let from = |room: &[f64]| [Value::Int(1), Value::Int(3), Value::Float(2.0), floats(room)];
    let outcome = walled.call("walled_powers_array", &from(&[0.0; 3])).unwrap();
    assert_eq!(outcome.returned, Some(Value::Int(3)));
    let filled = outcome.outs.into_iter().next().unwrap().1;
    assert_eq!(filled, floats(&[2.0, 4.0, 8.0]));
    walled.ends("walled_powers_array", &from(&[0.0; 2]), "SIGSEGV");
}

#[test]
fn functions_have_as_much_as_callers_say() {
    let walled = Walled::new();
    let args = [floats(&[1.0, 2.0, 3.0]), floats(&[4.0, 5.0, 6.0]), Value::Int(3)];
    assert_eq!(walled.returned("walled_dot", &args), Value::Float(32.0));
    let table = walled
        .call("walled_table_fill", &[ints(&[5, 6, 7, 8, 9, 10, 11]), Value::Int(2), Value::Int(3)])
        .unwrap();
    assert_eq!(table.returned, Some(Value::Int(45)));
    // What the function has not touched comes back as it was.
    assert_eq!(table.outs[0].1, ints(&[1, 2, 3, 2, 4, 6, 11]));
    let block: Vec<u8> = (0..16).collect();
    let masked = walled.call("walled_get_encrypted", &[Value::Bytes(block), Value::Int(255)]).unwrap();
    assert_eq!(masked.outs[0].1, Value::Bytes((0..16).map(|byte: u8| 255 - byte).collect()));
    let halves =
        walled.call("walled_get_halves", &[Value::Float(2.5), floats(&[0.0]), floats(&[0.0])]).unwrap();
    let outs: Vec<Value> = halves.outs.into_iter().map(|(_, value)| value).collect();
    assert_eq!(outs, [floats(&[2.0]), floats(&[0.5])]);
    assert_eq!(walled.returned("walled_dot", &[floats(&[]), floats(&[]), Value::Int(0)]), Value::Float(0.0));
}

#[test]
fn structures_may_be_one_or_several() {
    let walled = Walled::new();
    let way = Value::List(vec![spot(0.0, 0.0), spot(3.0, 4.0), spot(3.0, 5.0)]);
    assert_eq!(walled.returned("walled_way_sum", &[way, Value::Int(3)]), Value::Float(26.0));
    let spots = Value::List(vec![spot(1.0, 2.0), spot(3.0, 4.0)]);
    let turned = walled.call("walled_reverse", &[spots, Value::Int(2)]).unwrap();
    assert_eq!(turned.outs[0].1, Value::List(vec![spot(-2.0, 1.0), spot(-4.0, 3.0)]));
    walled.ends("walled_reverse", &[Value::List(vec![spot(1.0, 2.0)]), Value::Int(2)], "SIGSEGV");
}

#[test]
fn who_wants_more_than_there_is_ends_the_worker() {
    let walled = Walled::new();
    walled.ends("walled_dot", &[floats(&[1.0, 2.0]), floats(&[1.0]), Value::Int(2)], "SIGSEGV");
    walled.ends("walled_table_fill", &[ints(&[0; 5]), Value::Int(2), Value::Int(3)], "SIGSEGV");
    walled.ends("walled_get_encrypted", &[Value::Bytes(vec![0; 15]), Value::Int(1)], "SIGSEGV");
    walled.ends("walled_dot", &[floats(&[]), floats(&[1.0]), Value::Int(1)], "SIGSEGV");
    // A row of a big table is behind the first page of the wall.
    walled.ends("walled_table_fill", &[ints(&[0; 8]), Value::Int(1), Value::Int(16_000)], "SIGSEGV");
}

#[test]
fn who_writes_before_it_ends_the_worker() {
    let walled = Walled::new();
    assert_eq!(
        walled.returned("walled_fill_before", &[ints(&[7, 8]), Value::Int(-1), Value::Int(5)]),
        Value::Int(7)
    );
    walled.ends("walled_fill_before", &[ints(&[7]), Value::Int(1), Value::Int(5)], "SIGABRT");
    walled.ends("walled_fill_before", &[ints(&[7]), Value::Int(4096), Value::Int(5)], "SIGSEGV");
    // What is there is nobody's: nothing of another call is seen.
    assert_eq!(walled.returned("walled_peek", &[ints(&[7]), Value::Int(3)]), Value::Int(0));
}

#[test]
fn walls_of_many_calls_are_given_back() {
    let walled = Walled::new();
    let maps = |pid: u32| std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap().lines().count();
    let call = |times: usize| {
        for _ in 0..times {
            walled.returned("walled_dot", &[floats(&[1.0, 2.0]), floats(&[3.0, 4.0]), Value::Int(2)]);
        }
    };
    call(200);
    let pid = walled.session.worker_pid().unwrap();
    let before = maps(pid);
    call(2000);
    assert!(maps(pid) <= before + 8, "{before} and {}", maps(pid));
}

#[test]
fn what_is_kept_or_a_place_is_asked_for() {
    let walled = Walled::new();
    for name in
        ["walled_alignment", "walled_between", "walled_watch", "walled_set_table", "curve_append_points"]
    {
        assert!(walled.bound.interface.function(name).is_none(), "{name}");
    }
}

/// A new curve; the other one has heights.
fn curve(walled: &Walled, name: &str, args: &[Value]) -> Value {
    let made = walled.returned(name, args);
    assert!(matches!(made, Value::Handle(_)), "{made:?}");
    made
}

#[test]
fn what_an_object_reads_on_is_there_until_it_goes() {
    let walled = Walled::new();
    let curve = curve(&walled, "curve_new", &[]);
    let heights = self::curve(&walled, "curve_new_of", &[floats(&[0.5, 1.5]), Value::Int(2)]);
    walled.call("curve_set_points", &[curve.clone(), floats(&[1.0, 2.0, 3.0]), Value::Int(3)]).unwrap();
    walled.call("curve_use_data", &[curve.clone(), Value::Bytes(vec![7; 5000])]).unwrap();
    let moment = Value::Struct(vec![("hour".into(), Value::Int(2)), ("minute".into(), Value::Int(5))]);
    walled.call("curve_set_moment", &[curve.clone(), Value::List(vec![moment])]).unwrap();
    // What other calls are given lies elsewhere, and walls of copies that are over go.
    for _ in 0..300 {
        walled.returned("walled_dot", &[floats(&[9.0; 700]), floats(&[9.0; 700]), Value::Int(700)]);
    }
    assert_eq!(walled.returned("curve_sum", std::slice::from_ref(&curve)), Value::Float(6.0));
    assert_eq!(walled.returned("curve_last", std::slice::from_ref(&curve)), Value::Int(7));
    assert_eq!(walled.returned("curve_minutes", std::slice::from_ref(&curve)), Value::Int(125));
    assert_eq!(walled.returned("curve_sum", &[heights]), Value::Float(2.0));
}

#[test]
fn a_later_call_that_reads_on_behind_what_an_object_was_given_ends_the_worker() {
    let walled = Walled::new();
    let curve = curve(&walled, "curve_new", &[]);
    walled.call("curve_set_points", &[curve.clone(), floats(&[1.0, 2.0]), Value::Int(3)]).unwrap();
    walled.ends("curve_sum", &[curve], "SIGSEGV");
}

#[test]
fn what_objects_were_given_goes_with_them() {
    let walled = Walled::new();
    let maps = |pid: u32| std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap().lines().count();
    let round = |times: usize| {
        for _ in 0..times {
            let curve = curve(&walled, "curve_new", &[]);
            let args = [curve.clone(), floats(&[1.0; 10]), Value::Int(10)];
            walled.call("curve_set_points", &args).unwrap();
            walled.call("curve_free", &[curve]).unwrap();
        }
    };
    round(100);
    let pid = walled.session.worker_pid().unwrap();
    let before = maps(pid);
    round(1000);
    assert!(maps(pid) <= before + 8, "{before} and {}", maps(pid));
}

#[test]
fn a_copy_for_which_there_is_no_memory_is_refused_as_that() {
    let walled = Walled::new();
    let curve = curve(&walled, "curve_new", &[]);
    let most: usize = std::fs::read_to_string("/proc/sys/vm/max_map_count").unwrap().trim().parse().unwrap();
    let args = [curve.clone(), floats(&[1.0]), Value::Int(1)];
    let refused = (0..most).find_map(|_| walled.call("curve_set_points", &args).err()).unwrap();
    assert_eq!(refused.kind(), ErrorKind::LimitExceeded, "{refused}");
    assert!(format!("{refused}").contains("no memory for `points`"), "{refused}");
    assert_eq!(walled.returned("curve_sum", &[curve]), Value::Float(1.0), "the worker goes on");
}

/// A number of 128 bits as two limbs.
fn limbs(number: u128) -> Value {
    ints(&[number & u128::from(u64::MAX), number >> 64].map(|limb| i128::try_from(limb).unwrap()))
}

#[test]
fn rows_of_a_library_are_what_arithmetic_says() {
    let gmp = Walled::gmp();
    let numbers = [0, 1, u128::MAX, 1 << 64, u128::from(u64::MAX), 0x0123_4567_89ab_cdef_0f1e_2d3c_4b5a_6978];
    let zero = || limbs(0);
    for (a, b) in numbers.iter().flat_map(|a| numbers.iter().map(move |b| (*a, *b))) {
        let row = |name: &str, args: &[Value]| {
            let call = gmp.call(name, args).unwrap();
            (call.outs[0].1.clone(), call.returned.unwrap())
        };
        let (sum, carry) = a.overflowing_add(b);
        let args = [zero(), limbs(a), limbs(b), Value::Int(2)];
        assert_eq!(row("__gmpn_add_n", &args), (limbs(sum), Value::Int(carry.into())), "{a} + {b}");
        let (rest, borrow) = a.overflowing_sub(b);
        assert_eq!(row("__gmpn_sub_n", &args), (limbs(rest), Value::Int(borrow.into())), "{a} - {b}");
        let args = [zero(), limbs(a), Value::Int(2), Value::Int(3)];
        let shifted = (limbs(a << 3), Value::Int(i128::try_from(a >> 125).unwrap()));
        assert_eq!(row("__gmpn_lshift", &args), shifted, "{a} << 3");
        let one = |number: u128| ints(&[i128::try_from(number & u128::from(u64::MAX)).unwrap()]);
        let (left, right) = (a & u128::from(u64::MAX), b & u128::from(u64::MAX));
        let product = gmp.call("__gmpn_mul_n", &[zero(), one(left), one(right), Value::Int(1)]).unwrap();
        assert_eq!(product.outs[0].1, limbs(left * right), "{left} * {right}");
    }
    // Limbs that are not there are counted up to the wall.
    let found = gmp.call("__gmpn_popcount", &[limbs(1 << 77), Value::Int(2)]).unwrap();
    assert_eq!(found.returned, Some(Value::Int(1)));
    let ended = gmp.call("__gmpn_popcount", &[limbs(0), Value::Int(3)]).unwrap_err();
    assert_eq!(ended.kind(), ErrorKind::Crashed, "{ended}");
}
