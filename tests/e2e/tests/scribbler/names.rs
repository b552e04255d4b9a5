//! Calls by name under a scribbler: structures, texts, lists and places of a library that is bound at run time.

use std::sync::{Mutex, OnceLock};

use hotcell::dynamic::{self, KeptFunction, Outcome, Value};
use hotcell::{Options, Result, Session};
use hotcell_bind::Bound;
use hotcell_e2e::bound::bind;
use hotcell_e2e::cli::Folder;

use super::{Driven, PATIENCE, Random};

/// The shelf, with objects of it that are held.
pub(super) struct Names {
    session: Session,
    held: Mutex<Vec<Value>>,
}

impl Names {
    pub(super) fn open(mut options: Options) -> Names {
        options.libraries.extend(bound().libraries.iter().cloned());
        Names { session: Session::open(bound().package, options).unwrap(), held: Mutex::default() }
    }

    fn named(&self, name: &str, args: &[Value]) -> Result<Outcome> {
        let function = bound().interface.function(name).unwrap();
        let mut callback = |_: &str, args: &[(String, Value)]| {
            weigh(&Value::Struct(args.to_vec()));
            Ok(Value::Int(0))
        };
        let outcome = dynamic::call_with(&self.session, &bound().interface, function, args, &mut callback)?;
        outcome.returned.iter().for_each(weigh);
        outcome.outs.iter().for_each(|(_, value)| weigh(value));
        Ok(outcome)
    }

    /// A shelf that is held, or a new one.
    fn shelf(&self, random: &mut Random) -> Result<Value> {
        let held = self.held.lock().unwrap().pop();
        let shelf = match held {
            Some(shelf) if random.below(6) > 0 => shelf,
            _ => out(&self.named("shelf_open", &[text("one")])?, "out"),
        };
        self.held.lock().unwrap().push(shelf.clone());
        Ok(shelf)
    }

    fn filled_box(&self, shelf: &Value) -> Result<Value> {
        let made = self.named("shelf_box_new", &[shelf.clone(), Value::Int(100)])?;
        let made = made.returned.unwrap_or(Value::Null);
        for number in [1, 2] {
            self.named("shelf_box_add", &[made.clone(), Value::Int(number)])?;
        }
        Ok(made)
    }

    fn objects(&self, random: &mut Random) -> Result<()> {
        let shelf = self.shelf(random)?;
        self.named("shelf_name", std::slice::from_ref(&shelf))?;
        let made = self.filled_box(&shelf)?;
        self.named("shelf_box_each", &[made.clone(), Value::Callback])?;
        let label = self.named("shelf_box_label", std::slice::from_ref(&made))?.returned;
        if let Some(label @ Value::Handle(_)) = label {
            self.named("shelf_label_length", &[label])?;
        }
        let watch = KeptFunction::new(|args| {
            weigh(&Value::Struct(args.to_vec()));
            Ok(Value::Int(1))
        });
        self.named("shelf_watch", &[shelf.clone(), Value::Kept(watch)])?;
        self.named("shelf_put", &[shelf.clone(), made])?;
        self.named("shelf_total", std::slice::from_ref(&shelf))?;
        self.named("shelf_measure_of", &[shelf])?;
        Ok(())
    }

    fn stream(&self, random: &mut Random) -> Result<()> {
        let started = self.named("shelf_stream_start", &[structure(&[]), Value::Int(3)])?;
        let mut stream = out(&started, "stream");
        for _ in 0..3 {
            let data = vec![1; random.below(3000) as usize];
            let object = field(&stream, "");
            let fields = [
                ("", object),
                ("next_in", Value::Bytes(data)),
                ("avail_out", Value::Int(random.below(3000).into())),
            ];
            stream = out(&self.named("shelf_stream_run", &[structure(&fields)])?, "stream");
        }
        let visited = self.named(
            "shelf_stream_visit",
            &[structure(&[("", field(&stream, "")), ("next_in", Value::Bytes(vec![1, 2]))]), Value::Callback],
        )?;
        stream = out(&visited, "stream");
        self.named("shelf_stream_end", &[stream]).map(drop)
    }
}

impl Driven for Names {
    fn call(&self, random: &mut Random) -> Result<()> {
        let (number, words) = (Value::Int(random.below(400).into()), text("some words  of a text"));
        let corner = structure(&[("x", Value::Float(3.0)), ("y", Value::Float(4.0))]);
        let measure =
            [("corner", corner.clone()), ("unit", text(["metre", "foot"][random.below(2) as usize]))];
        let called = match random.below(16) {
            0 | 1 => return self.objects(random),
            2 => return self.stream(random),
            3 => self.named("shelf_words", &[words]),
            4 => self.named("shelf_sizes", &[]),
            5 => self.named("shelf_squares", &[number]),
            6 => self.named("shelf_flip", &[Value::List(vec![Value::Bool(true); 700])]),
            7 => self.named("shelf_row", &[number]),
            8 => self.named("shelf_turn", &[words]),
            9 => self.named("shelf_number", &[text("123 apples")]),
            10 => self.named("shelf_join", &[Value::List(vec![text("one"), text("two")])]),
            11 => self.named("shelf_digits", &[text(["1234", "-12x4"][random.below(2) as usize])]),
            12 => self.named("shelf_measure_double", &[structure(&measure)]),
            13 => self.named("shelf_measure_cut", &[structure(&measure)]),
            14 => self.named("shelf_corner_distance", &[corner, Value::Null]),
            _ => {
                let tape =
                    self.named("shelf_tape_start", &[structure(&[]), Value::Int(random.below(2).into())])?;
                let tape = structure(&[("", field(&out(&tape, "tape"), ""))]);
                self.named("shelf_tape_end", &[tape])
            }
        };
        called.map(drop)
    }

    fn check(&self) {
        self.held.lock().unwrap().clear();
        let names = Names { session: self.session.within(PATIENCE), held: Mutex::default() };
        let alive = || names.named("shelf_alive", &[]).unwrap().returned;
        assert_eq!(alive(), Some(Value::Int(0)));
        let shelf = out(&names.named("shelf_open", &[text("last")]).unwrap(), "out");
        let made = names.filled_box(&shelf).unwrap();
        let sum = names.named("shelf_box_sum", std::slice::from_ref(&made)).unwrap().returned;
        assert_eq!(sum, Some(Value::Int(3)));
        names.named("shelf_box_free", &[made]).unwrap();
        names.named("shelf_close", &[shelf]).unwrap();
        assert_eq!(alive(), Some(Value::Int(0)));
        let words = names.named("shelf_words", &[text("two words")]).unwrap();
        assert_eq!(out(&words, "words"), Value::List(vec![text("two"), text("words")]));
        let squares = names.named("shelf_squares", &[Value::Int(4)]).unwrap();
        assert_eq!(out(&squares, "out"), Value::List([0, 1, 4, 9].map(Value::Int).to_vec()));
    }

    fn session(&self) -> &Session {
        &self.session
    }
}

/// The library, bound once for the process.
fn bound() -> &'static Bound {
    static BOUND: OnceLock<(Folder, Bound)> = OnceLock::new();
    let files = (include_str!("../../src/shelf/shelf.h"), include_str!("../../src/shelf/shelf.c"));
    let contract = include_str!("../../src/shelf/bind.toml");
    &BOUND.get_or_init(|| bind("shelf", files.0, files.1, contract)).1
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// What a parameter was filled with.
fn out(outcome: &Outcome, name: &str) -> Value {
    outcome.outs.iter().find(|(key, _)| key == name).map_or(Value::Null, |(_, value)| value.clone())
}

fn structure(fields: &[(&str, Value)]) -> Value {
    Value::Struct(fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
}

/// What a structure has under a name.
fn field(structure: &Value, name: &str) -> Value {
    let Value::Struct(fields) = structure else { return Value::Null };
    fields.iter().find(|(key, _)| key == name).map_or(Value::Null, |(_, value)| value.clone())
}

/// Looks at all there is of a value.
fn weigh(value: &Value) {
    match value {
        Value::Text(text) => assert!(text.chars().count() <= text.len()),
        Value::List(list) => list.iter().for_each(weigh),
        Value::Struct(fields) => fields.iter().for_each(|(_, value)| weigh(value)),
        Value::Handle(handle) => assert!(!handle.type_name().is_empty()),
        _ => {}
    }
}
