//! A library that calls back at a steady rate (`pulse/pulse.c`), behind a session.

use hotcell::dynamic::{self, Callback, Value};
use hotcell::{Options, Result, Session};
use hotcell_bind::Bound;

use crate::bound;
use crate::cli::Folder;

/// The library behind a session.
#[derive(Debug)]
pub struct Pulse {
    session: Session,
    bound: Bound,
    _folder: Folder,
}

impl Pulse {
    /// Opens a session.
    ///
    /// # Errors
    ///
    /// Faults of the start.
    pub fn open(options: Options) -> Result<Pulse> {
        let (header, code) = (include_str!("pulse/pulse.h"), include_str!("pulse/pulse.c"));
        let (folder, bound) = bound::bind("pulse", header, code, include_str!("pulse/bind.toml"));
        Ok(Pulse { session: bound.open(options)?, bound, _folder: folder })
    }

    /// Has the worker interrupted every so many microseconds, whether it works or waits.
    ///
    /// # Errors
    ///
    /// Faults, and that of the library.
    pub fn profile(&self, microseconds: i32) -> Result<()> {
        self.call("pulse_profile", &[microseconds.into()], &mut |_, _| Err("it has none".into())).map(drop)
    }

    /// How often it was.
    ///
    /// # Errors
    ///
    /// Faults.
    pub fn signals(&self) -> Result<i128> {
        self.call("pulse_signals", &[], &mut |_, _| Err("it has none".into()))
    }

    /// Has `beat` called with 1 to `count`, at this period in microseconds. How many answers were not three times the
    /// number, as the library sees it.
    ///
    /// # Errors
    ///
    /// Faults.
    pub fn beat(&self, count: i32, period: i32, mut beat: impl FnMut(i128) -> i128) -> Result<i128> {
        let mut run = |_: &str, args: &[(String, Value)]| match args {
            [(_, Value::Int(number))] => Ok(Value::Int(beat(*number))),
            other => Err(format!("{other:?}")),
        };
        self.call("pulse_beat", &[count.into(), period.into()], &mut run)
    }

    fn call(&self, name: &str, args: &[i128], callback: &mut Callback<'_>) -> Result<i128> {
        let interface = &self.bound.interface;
        let function = interface.function(name).expect("it is bound");
        let mut values: Vec<Value> = args.iter().copied().map(Value::Int).collect();
        if name == "pulse_beat" {
            values.push(Value::Callback);
        }
        match dynamic::call_with(&self.session, interface, function, &values, callback)?.returned {
            Some(Value::Int(number)) => Ok(number),
            _ => Ok(0),
        }
    }
}
