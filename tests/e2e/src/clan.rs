//! A library whose objects one thread at a time may use (`clan/clan.c`), and which aborts when two do, behind a session, called
//! by name.

use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use hotcell::dynamic::{self, KeptFunction, Value};
use hotcell::rt::Handle;
use hotcell::{
    Batch, Cause, Error, ErrorKind, Executed, Options, Result, Session, Ticket, UnavailableReason,
};
use hotcell_bind::Bound;
use hotcell_model::layout::Carries;

use crate::bound::{Shared, bind};
use crate::cli::Folder;

/// More than any test takes, unless something is wrong.
pub const LONG: i128 = 20_000;

/// The library behind a session.
#[derive(Debug, Clone)]
pub struct Clan {
    /// The session.
    pub session: Session,
    library: Arc<(Folder, Bound)>,
}

/// The compiled library: the one that is there, or a new one.
fn library() -> Arc<(Folder, Bound)> {
    static SHARED: Shared<(Folder, Bound)> = Shared::new();
    let (header, code) = (include_str!("clan/clan.h"), include_str!("clan/clan.c"));
    SHARED.get(|| bind("clan", header, code, include_str!("clan/bind.toml")))
}

impl Clan {
    /// Opens a session that makes so many calls at a time.
    ///
    /// # Panics
    ///
    /// Where no worker can be started.
    pub fn of(callers: u32) -> Clan {
        let library = library();
        let options = Options { callers, ..Options::default() };
        let session = library.1.open(options).unwrap_or_else(|error| panic!("{error}"));
        Clan { session, library }
    }

    /// The same session, with this deadline for every call.
    #[must_use]
    pub fn within(&self, deadline: Duration) -> Clan {
        Clan { session: self.session.within(deadline), library: Arc::clone(&self.library) }
    }

    /// Calls a function with these objects and then these numbers; the number that it returns.
    ///
    /// # Errors
    ///
    /// Faults.
    #[track_caller]
    pub fn int(&self, name: &str, objects: &[&Handle], numbers: &[i128]) -> Result<i128> {
        number(self.call(name, objects, numbers)?)
    }

    /// The same of a function that returns an object.
    ///
    /// # Errors
    ///
    /// Faults.
    #[track_caller]
    pub fn object(&self, name: &str, objects: &[&Handle], numbers: &[i128]) -> Result<Handle> {
        match self.call(name, objects, numbers)? {
            Value::Handle(object) => Ok(object),
            other => panic!("an object, not {other:?}"),
        }
    }

    #[track_caller]
    fn call(&self, name: &str, objects: &[&Handle], numbers: &[i128]) -> Result<Value> {
        let interface = &self.library.1.interface;
        let function = interface.function(name).expect("it is bound");
        let args = values(objects, numbers);
        Ok(dynamic::call(&self.session, interface, function, &args)?.returned.unwrap_or(Value::Null))
    }

    /// As [`Clan::int`], awaited.
    pub fn awaited(
        &self,
        name: &str,
        objects: &[&Handle],
        numbers: &[i128],
    ) -> impl Future<Output = Result<i128>> + Send + use<> {
        let (clan, name, args) = (self.clone(), name.to_owned(), values(objects, numbers));
        let call_site = Location::caller();
        async move {
            let interface = &clan.library.1.interface;
            let function = interface.function(&name).expect("it is bound");
            let outcome = dynamic::call_awaited(&clan.session, interface, function, &args, call_site).await?;
            number(outcome.returned.unwrap_or(Value::Null))
        }
    }

    /// Has a function of a clan call back, with numbers or an object; what comes of it.
    ///
    /// # Errors
    ///
    /// Faults.
    #[track_caller]
    pub fn calls_back(
        &self,
        name: &str,
        of: &Handle,
        numbers: &[i128],
        mut work: impl FnMut(&Value) -> std::result::Result<i128, String>,
    ) -> Result<i128> {
        let interface = &self.library.1.interface;
        let function = interface.function(name).expect("it is bound");
        let mut back = |_: &str, args: &[(String, Value)]| Ok(Value::Int(work(&args[0].1)?));
        let mut args = values(&[of], numbers);
        args.push(Value::Callback);
        let outcome = dynamic::call_with(&self.session, interface, function, &args, &mut back)?;
        number(outcome.returned.unwrap_or(Value::Null))
    }

    /// As [`Clan::calls_back`], awaited.
    ///
    /// # Errors
    ///
    /// Faults.
    pub async fn calls_back_awaited(
        &self,
        name: &str,
        of: &Handle,
        numbers: &[i128],
        mut work: impl FnMut(&Value) -> std::result::Result<i128, String> + Send,
    ) -> Result<i128> {
        let interface = &self.library.1.interface;
        let function = interface.function(name).expect("it is bound");
        let mut back = |_: &str, args: &[(String, Value)]| Ok(Value::Int(work(&args[0].1)?));
        let mut args = values(&[of], numbers);
        args.push(Value::Callback);
        let called = dynamic::call_with_awaited(
            &self.session,
            interface,
            function,
            &args,
            &mut back,
            Location::caller(),
        );
        number(called.await?.returned.unwrap_or(Value::Null))
    }

    /// Has the library keep a function, until this clan goes.
    ///
    /// # Errors
    ///
    /// Faults.
    pub fn keep(
        &self,
        of: &Handle,
        mut work: impl FnMut(&Value) -> std::result::Result<i128, String> + Send + 'static,
    ) -> Result<()> {
        let interface = &self.library.1.interface;
        let function = interface.function("clan_keep").expect("it is bound");
        let kept = KeptFunction::new(move |args| Ok(Value::Int(work(&args[0].1)?)));
        let args = [of.clone().into(), Value::Kept(kept)];
        dynamic::call(&self.session, interface, function, &args).map(drop)
    }

    /// What calls of a function that takes an object and numbers come to, each with one of these, in one batch.
    ///
    /// # Errors
    ///
    /// Those of the batch as a whole.
    pub fn batch(&self, name: &str, objects: &[&Handle], numbers: &[i32]) -> Result<Vec<Result<i32>>> {
        let (batch, tickets) = self.entries(name, objects, numbers)?;
        let mut done = batch.run()?;
        Ok(tickets.into_iter().map(|ticket| done.take(ticket)).collect())
    }

    /// As [`Clan::batch`], awaited.
    pub fn batch_awaited(
        &self,
        name: &str,
        objects: &[&Handle],
        numbers: &[i32],
    ) -> impl Future<Output = Result<Vec<Result<i32>>>> + Send + use<> {
        let entries = self.entries(name, objects, numbers);
        async move {
            let (batch, tickets) = entries?;
            let mut done = batch.run_awaited().await?;
            Ok(tickets.into_iter().map(|ticket| done.take(ticket)).collect())
        }
    }

    /// A batch of calls of a function, and what each is to return.
    fn entries(&self, name: &str, objects: &[&Handle], numbers: &[i32]) -> Result<(Batch, Vec<Ticket<i32>>)> {
        let interface = &self.library.1.interface;
        let (index, function) = interface.function(name).expect("it is bound");
        let place = |index| function.layout.args.field(Carries::Param { index }).expect("it goes in").offset;
        let mut batch = self.session.batch();
        let mut tickets = Vec::new();
        for object in objects {
            let kind = interface.handle_number(object.type_name()).expect("it is one of the library's");
            let mut entry = batch.entry(index)?;
            entry.put_handle(place(0) as usize, "object", object, kind)?;
            for (at, number) in numbers.iter().enumerate() {
                entry.put_i32(place(at + 1) as usize, *number);
            }
            tickets.push(entry.values(|values| values.get_i32(0)));
        }
        Ok((batch, tickets))
    }

    /// The number of a function, to call it without naming its objects.
    ///
    /// # Panics
    ///
    /// If there is none of this name.
    pub fn index(&self, name: &str) -> u16 {
        self.library.1.interface.function(name).expect("it is bound").0
    }

    /// How many stay somewhere.
    ///
    /// # Panics
    ///
    /// If the worker has ended.
    pub fn staying(&self) -> i128 {
        self.int("clan_staying", &[], &[]).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Calls off so many that stay.
    ///
    /// # Panics
    ///
    /// If the worker has ended.
    pub fn call_off(&self, count: i128) {
        self.int("clan_call_off", &[], &[count]).unwrap_or_else(|error| panic!("{error}"));
    }
}

/// So many clans.
///
/// # Panics
///
/// Where there can be none.
pub fn clans<const N: usize>(clan: &Clan) -> [Handle; N] {
    std::array::from_fn(|_| clan.object("clan_new", &[], &[]).unwrap_or_else(|error| panic!("{error}")))
}

/// Asserts that a call did not come to its objects, for this reason.
///
/// # Panics
///
/// Where it did, or for another.
#[track_caller]
pub fn held_up(error: &Error, text: &str) {
    assert_eq!((error.kind(), error.executed()), (ErrorKind::Unavailable, Executed::No), "{error}");
    assert_eq!(*error.cause(), Cause::Unavailable { reason: UnavailableReason::PoolExhausted });
    assert!(error.message().contains(text), "{error}");
}

fn values(objects: &[&Handle], numbers: &[i128]) -> Vec<Value> {
    let objects = objects.iter().map(|&object| object.clone().into());
    objects.chain(numbers.iter().copied().map(Value::Int)).collect()
}

fn number(value: Value) -> Result<i128> {
    match value {
        Value::Int(number) => Ok(number),
        Value::Null => Ok(0),
        other => panic!("a number, not {other:?}"),
    }
}
