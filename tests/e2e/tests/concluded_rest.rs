//! What is concluded of structures whose insides are the library's alone, of what takes parts out of an object, and what contracts say
//! of functions without a prototype.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hotcell::dynamic::{self, Outcome, Value};
use hotcell::{ErrorKind, Options, Result, Session};
use hotcell_bind::Bound;
use hotcell_e2e::bound::bind;
use hotcell_e2e::cli::Folder;

const CONTRACT: &str = "hotcell = 1\nlibrary = \"tally\"\nheaders = [\"tally.h\"]\nlink = [\"tally\"]\nfunction.tally_add.params.\"{a,b}\" = { inout = \"struct\" }\n";

struct Tallies {
    session: Session,
    bound: Bound,
    _folder: Folder,
}

impl Tallies {
    fn with(lines: &str) -> Tallies {
        let (header, code) = (include_str!("concluded/tally.h"), include_str!("concluded/tally.c"));
        // The definitions of old functions have a prototype that the header does not show.
        let code = code.replace("#include \"tally.h\"", "#define old_version hidden_version\n#define old_scaled hidden_scaled\n#include \"tally.h\"\n#undef old_version\n#undef old_scaled");
        let (folder, bound) = bind("tally", header, &code, &format!("{CONTRACT}{lines}"));
        Tallies { session: bound.open(Options::default()).unwrap(), bound, _folder: folder }
    }

    fn call(&self, name: &str, args: &[Value]) -> Result<Outcome> {
        let function = self.bound.interface.function(name).unwrap_or_else(|| panic!("{name} is not bound"));
        dynamic::call(&self.session, &self.bound.interface, function, args)
    }

    fn int(&self, name: &str, args: &[Value]) -> i128 {
        match self.call(name, args).unwrap().returned {
            Some(Value::Int(number)) => number,
            other => panic!("{name} returned {other:?}"),
        }
    }

    /// The only thing that a call hands out.
    fn out(&self, name: &str, args: &[Value]) -> Value {
        self.call(name, args).unwrap().outs.into_iter().next().unwrap().1
    }
}

#[test]
fn structures_of_which_functions_do_everything_stay_in_the_worker() {
    let tallies = Tallies::with("");
    let begin = || tallies.out("tally_init", &[Value::Struct(Vec::new())]);
    let (a, b, c) = (begin(), begin(), begin());
    for (tally, numbers) in [(&a, [1, 2, 3]), (&b, [10, -20, 30])] {
        for number in numbers {
            tallies.int("tally_push", &[tally.clone(), Value::Int(number)]);
        }
    }
    assert_eq!(tallies.int("tally_add", &[a.clone(), b.clone(), c.clone()]), 3);
    assert_eq!(tallies.int("tally_sum", std::slice::from_ref(&c)), 26);
    assert_eq!(tallies.int("tally_max", std::slice::from_ref(&c)), 33);
    tallies.int("tally_reverse", std::slice::from_ref(&c));
    assert_eq!(tallies.int("tally_at", &[c.clone(), Value::Int(0)]), 33);
    tallies.call("tally_clear", std::slice::from_ref(&c)).unwrap();
    let gone = tallies.call("tally_sum", &[c]).unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::StaleHandle);
    assert_eq!(tallies.int("tally_size", &[a]), 3);
}

#[test]
fn numbers_that_are_made_and_released_are_held_by_their_pointer() {
    let tallies = Tallies::with("");
    let made = |kind| tallies.call("bead_new", &[Value::Int(kind), Value::Int(0)]).unwrap().returned.unwrap();
    let (bead, other) = (made(4), made(5));
    assert_eq!(tallies.int("bead_kind", std::slice::from_ref(&other)), 5);
    assert_eq!(tallies.int("bead_grow", &[bead.clone(), Value::Int(7)]), 1);
    assert_eq!(tallies.int("bead_grow", &[bead.clone(), Value::Int(8)]), 2);
    assert_eq!(tallies.int("bead_weight", std::slice::from_ref(&bead)), 15);
    assert_eq!(tallies.int("bead_compare", &[bead, other]), 15);
    assert_eq!(tallies.int("bead_living", &[]), 0);
}

#[test]
fn what_takes_a_part_out_makes_what_was_borrowed_stale() {
    let tallies = Tallies::with("[function.shelf_section]\nresult = { out = \"borrowed\" }\n");
    let shelf = tallies.out("shelf_malloc", &[]);
    let section = tallies.call("shelf_section", &[shelf.clone(), Value::Int(1)]).unwrap().returned.unwrap();
    assert_eq!(tallies.int("shelf_width", std::slice::from_ref(&section)), 4);
    assert_eq!(tallies.int("shelf_rmsec", &[shelf.clone(), Value::Int(1)]), 0);
    let stale = tallies.call("shelf_width", &[section]).unwrap_err();
    assert_eq!(stale.kind(), ErrorKind::StaleHandle);
    assert_eq!(tallies.int("shelf_width", &[shelf]), 10);
}

#[test]
fn what_has_no_prototype_takes_what_the_contract_says() {
    let bare = Tallies::with("");
    assert!(bare.bound.interface.function("old_version").is_none());
    let tallies = Tallies::with(
        "[function.old_version]\nfurther = \"\"\n[function.old_scaled]\nfurther = \"float by, short n\"\n",
    );
    assert_eq!(tallies.int("old_version", &[]), 12);
    // Without what the contract says C would pass a `double` here.
    let scaled = tallies.call("old_scaled", &[Value::Float(2.5), Value::Int(-3)]).unwrap().returned;
    assert_eq!(scaled, Some(Value::Float(-7.5)));
}
