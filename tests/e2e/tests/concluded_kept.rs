//! Objects that the header calls `const` and the library goes on using, called: nothing is bound that would let one go too early, and the
//! lines that are proposed keep it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hotcell::dynamic::{self, Outcome, Value};
use hotcell::rt::Handle;
use hotcell::{ErrorKind, Options, Result, Session};
use hotcell_bind::Bound;
use hotcell_e2e::bound::bind;
use hotcell_e2e::cli::Folder;

const CONTRACT: &str = "hotcell = 1\nlibrary = \"dial\"\nheaders = [\"dial.h\"]\nlink = [\"dial\"]\n";

/// An `int` that a function returns of its only object may say no more than that it went well.
const RING: &str = "[function.dial_ring]\nparams.d = { in = \"handle\" }\n";

struct Dials {
    session: Session,
    bound: Bound,
    _folder: Folder,
}

impl Dials {
    fn with(lines: &str) -> Dials {
        let (header, code) = (include_str!("concluded/dial.h"), include_str!("concluded/dial.c"));
        let (folder, bound) = bind("dial", header, code, &format!("{CONTRACT}{lines}{RING}"));
        Dials { session: bound.open(Options::default()).unwrap(), bound, _folder: folder }
    }

    /// The lines that are proposed for these functions, which nothing has been said of.
    fn proposed(&self, names: &[&str]) -> String {
        let help = |name: &&str| {
            let out = self.bound.interface.left_out.iter().find(|out| out.name == **name);
            out.and_then(|out| out.help.clone()).unwrap_or_else(|| panic!("nothing is proposed for {name}"))
        };
        names.iter().map(|name| format!("{}\n", help(name))).collect()
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

    fn object(&self, name: &str, args: &[Value]) -> Handle {
        match self.call(name, args).unwrap().returned {
            Some(Value::Handle(object)) => object,
            other => panic!("{name} returned {other:?}"),
        }
    }

    fn tone(&self, pitch: i128) -> Value {
        Value::Handle(self.object("tone_new", &[Value::Int(pitch)]))
    }

    /// What a dial rings with after others have been where a tone was that has gone.
    fn rings(&self, dial: &Value) -> i128 {
        for pitch in 0..8 {
            self.tone(pitch);
        }
        self.int("dial_ring", std::slice::from_ref(dial))
    }
}

#[test]
fn an_object_that_may_be_kept_is_asked_for_and_is_there_with_the_line_that_is_proposed() {
    let asked = ["dial_set_tone", "dial_new_with", "dial_install"];
    let bare = Dials::with("");
    for name in asked {
        assert!(bare.bound.interface.function(name).is_none(), "{name} is bound");
    }
    let dials = Dials::with(&bare.proposed(&asked));
    let dial = Value::Handle(dials.object("dial_new", &[]));
    let tone = dials.tone(440);
    assert_eq!(dials.int("dial_set_tone", &[dial.clone(), tone.clone()]), 0);
    let refused = dials.call("tone_free", std::slice::from_ref(&tone)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidArgument, "{refused}");
    drop(tone);
    assert_eq!(dials.rings(&dial), 440, "the tone is there as long as the dial");
    let made = Value::Handle(dials.object("dial_new_with", &[dials.tone(330)]));
    assert_eq!(dials.rings(&made), 330);
    dials.int("dial_install", &[dials.tone(220)]);
    let plain = Value::Handle(dials.object("dial_new", &[]));
    assert_eq!(dials.rings(&plain), 220);
    // What the function is done with goes with whoever has it.
    let other = dials.tone(450);
    assert_eq!(dials.int("dial_compare_with", &[dial, other.clone()]), 10);
    dials.call("tone_free", &[other]).unwrap();
}

#[test]
fn an_object_that_is_not_const_is_there_with_the_line_that_says_that_it_is_kept() {
    let bare = Dials::with("");
    let (follow, attach) = (bare.proposed(&["dial_follow"]), bare.proposed(&["dial_attach"]));
    let kept = "{ in = \"handle\", until = \"d\" }";
    assert!(follow.contains(&format!("params.t = {kept} # or")), "{follow}");
    assert!(attach.contains(&format!("params.t = {kept} # or {{ in = \"consumed\" }} when")), "{attach}");
    let dials = Dials::with(&format!("{follow}{attach}"));
    for function in ["dial_follow", "dial_attach"] {
        let dial = Value::Handle(dials.object("dial_new", &[]));
        let tone = dials.tone(440);
        dials.int(function, &[dial.clone(), tone.clone()]);
        let refused = dials.call("tone_free", std::slice::from_ref(&tone)).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidArgument, "{refused}");
        drop(tone);
        assert_eq!(dials.rings(&dial), 440, "{function}: the tone is there as long as the dial");
    }
}

#[test]
fn a_text_of_an_object_that_may_be_null_is_asked_for() {
    let label = |text: &str| Value::Text(text.into());
    let dials = Dials::with("");
    let dial = Value::Handle(dials.object("dial_new", &[]));
    dials.int("dial_set_label", &[dial.clone(), label("kitchen")]);
    let refused = dials.call("dial_set_label", &[Value::Null, label("all")]).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidArgument, "{refused}");
    // Nothing would end the copy that is of no dial.
    let nullable = "nullable = [\"dial_set_label.d\"]\n";
    let open = Dials::with(nullable);
    assert!(open.bound.interface.function("dial_set_label").is_none());
    let dials = Dials::with(&format!("{nullable}{}", open.proposed(&["dial_set_label"])));
    dials.int("dial_set_label", &[Value::Null, label("all of them")]);
    let dial = Value::Handle(dials.object("dial_new", &[]));
    for _ in 0..4 {
        let other = Value::Handle(dials.object("dial_new", &[]));
        dials.int("dial_set_label", &[other, label(&"x".repeat(300))]);
    }
    let said = dials.call("dial_label", &[dial]).unwrap().returned;
    assert!(matches!(&said, Some(Value::Text(text)) if **text == *"all of them"), "{said:?}");
}
