//! A library that several threads may be inside of at once (`crew/crew.c`), behind a session, called by name.

use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use hotcell::dynamic::{self, KeptFunction, Value};
use hotcell::rt::Handle;
use hotcell::{Options, Result, Session};
use hotcell_bind::Bound;

use crate::bound::{Shared, bind};
use crate::cli::Folder;

/// The library behind a session.
#[derive(Debug, Clone)]
pub struct Crew {
    /// The session.
    pub session: Session,
    library: Arc<(Folder, Bound)>,
}

/// The compiled library: the one that is there, or a new one.
pub fn library() -> Arc<(Folder, Bound)> {
    static SHARED: Shared<(Folder, Bound)> = Shared::new();
    let (header, code) = (include_str!("crew/crew.h"), include_str!("crew/crew.c"));
    SHARED.get(|| bind("crew", header, code, include_str!("crew/bind.toml")))
}

impl Crew {
    /// Opens a session that makes so many calls at a time.
    ///
    /// # Panics
    ///
    /// Where no worker can be started.
    pub fn of(callers: u32) -> Crew {
        Crew::with(Options { callers, ..Options::default() })
    }

    /// Opens a session.
    ///
    /// # Panics
    ///
    /// Where no worker can be started.
    pub fn with(options: Options) -> Crew {
        let library = library();
        let session = library.1.open(options).unwrap_or_else(|error| panic!("{error}"));
        Crew { session, library }
    }

    /// The same session, with this deadline for every call.
    #[must_use]
    pub fn within(&self, deadline: Duration) -> Crew {
        Crew { session: self.session.within(deadline), library: Arc::clone(&self.library) }
    }

    /// Calls a function by name; what it returns.
    ///
    /// # Errors
    ///
    /// Faults.
    #[track_caller]
    pub fn call(&self, name: &str, args: &[Value]) -> Result<Value> {
        let interface = &self.library.1.interface;
        let function = interface.function(name).expect("it is bound");
        Ok(dynamic::call(&self.session, interface, function, args)?.returned.unwrap_or(Value::Null))
    }

    /// As [`Crew::call`], awaited.
    pub fn awaited(&self, name: &str, args: &[Value]) -> impl Future<Output = Result<Value>> + Send + use<> {
        let (crew, name, args) = (self.clone(), name.to_owned(), args.to_vec());
        let call_site = Location::caller();
        async move {
            let interface = &crew.library.1.interface;
            let function = interface.function(&name).expect("it is bound");
            let outcome = dynamic::call_awaited(&crew.session, interface, function, &args, call_site).await?;
            Ok(outcome.returned.unwrap_or(Value::Null))
        }
    }

    /// The number of a function.
    ///
    /// # Panics
    ///
    /// If there is none of this name.
    pub fn index(&self, name: &str) -> u16 {
        self.library.1.interface.function(name).expect("it is bound").0
    }

    /// Calls a function that takes and returns numbers.
    ///
    /// # Errors
    ///
    /// Faults.
    #[track_caller]
    pub fn int(&self, name: &str, args: &[i128]) -> Result<i128> {
        number(self.call(name, &args.iter().copied().map(Value::Int).collect::<Vec<_>>())?)
    }

    /// A member.
    ///
    /// # Errors
    ///
    /// Faults.
    pub fn hire(&self, number: i128) -> Result<Handle> {
        match self.call("crew_hire", &[Value::Int(number)])? {
            Value::Handle(member) => Ok(member),
            other => panic!("a member, not {other:?}"),
        }
    }

    /// Calls a function that takes a member and perhaps numbers.
    ///
    /// # Errors
    ///
    /// Faults.
    #[track_caller]
    pub fn of_member(&self, name: &str, member: &Handle, numbers: &[i128]) -> Result<i128> {
        let numbers = numbers.iter().copied().map(Value::Int);
        let args: Vec<Value> = [member.clone().into()].into_iter().chain(numbers).collect();
        number(self.call(name, &args)?)
    }

    /// Calls back for each number; the sum of what comes back.
    ///
    /// # Errors
    ///
    /// Faults.
    #[track_caller]
    pub fn each(
        &self,
        count: i128,
        work: impl FnMut(i128) -> std::result::Result<i128, String>,
    ) -> Result<i128> {
        self.each_of("crew_each", count, work)
    }

    /// The same by a function of this name.
    ///
    /// # Errors
    ///
    /// Faults.
    #[track_caller]
    pub fn each_of(
        &self,
        name: &str,
        count: i128,
        mut work: impl FnMut(i128) -> std::result::Result<i128, String>,
    ) -> Result<i128> {
        let interface = &self.library.1.interface;
        let function = interface.function(name).expect("it is bound");
        let mut back = |_: &str, args: &[(String, Value)]| match args {
            [(_, Value::Int(number))] => Ok(Value::Int(work(*number)?)),
            other => Err(format!("{other:?}")),
        };
        let args = [Value::Int(count), Value::Callback];
        let outcome = dynamic::call_with(&self.session, interface, function, &args, &mut back)?;
        number(outcome.returned.unwrap_or(Value::Null))
    }

    /// What calls of functions of one number come to, by one batch.
    ///
    /// # Errors
    ///
    /// Those of the batch as a whole.
    pub fn ints_of_batch(&self, calls: &[(&str, i32)]) -> Result<Vec<Result<i32>>> {
        let mut batch = self.session.batch();
        let mut tickets = Vec::new();
        for (name, number) in calls {
            let (index, function) = self.library.1.interface.function(name).expect("it is bound");
            let mut entry = batch.entry(index)?;
            if let Some(field) = function.layout.args.fields.first() {
                entry.put_i32(field.offset as usize, *number);
            }
            tickets.push(entry.values(|values| values.get_i32(0)));
        }
        let mut done = batch.run()?;
        Ok(tickets.into_iter().map(|ticket| done.take(ticket)).collect())
    }

    /// The sums of several data, by one batch.
    ///
    /// # Errors
    ///
    /// Faults.
    pub fn sums(&self, list: &[Vec<u8>]) -> Result<Vec<u64>> {
        let (index, function) = self.library.1.interface.function("crew_sum").expect("it is bound");
        let offset = function.layout.args.fields[0].offset as usize;
        let mut batch = self.session.batch();
        let mut tickets = Vec::new();
        for data in list {
            let mut entry = batch.entry(index)?;
            entry.put_buffer(offset, "data", data)?;
            tickets.push(entry.values(|values| values.get_u64(0)));
        }
        let mut done = batch.run()?;
        tickets.into_iter().map(|ticket| done.take(ticket)).collect()
    }

    /// Has a function called by `crew_ask`.
    ///
    /// # Errors
    ///
    /// Faults.
    pub fn on_ask(
        &self,
        member: &Handle,
        mut asked: impl FnMut(i128) -> std::result::Result<i128, String> + Send + 'static,
    ) -> Result<()> {
        let function = KeptFunction::new(move |args| match args {
            [(_, Value::Int(number))] => Ok(Value::Int(asked(*number)?)),
            other => Err(format!("{other:?}")),
        });
        self.call("crew_on_ask", &[member.clone().into(), Value::Kept(function)]).map(drop)
    }
}

fn number(value: Value) -> Result<i128> {
    match value {
        Value::Int(number) => Ok(number),
        Value::Null => Ok(0),
        other => panic!("a number, not {other:?}"),
    }
}
