//! The contained side: the same calls through a session.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;

use hotcell::dynamic::{self, KeptFunction, Value};
use hotcell::rt::Handle;
use hotcell::{Cause, Error, ErrorKind, Options, Profile, Quarantine, Restart, Sandbox, Session};
use hotcell_bind::Bound;
use hotcell_model::Interface;
use hotcell_model::interface::{Callback, CallbackRole, CallbackScope, FieldRole, Function, Param, Role};
use hotcell_model::types::{CType, Type};

use crate::plan::{Answer, Case, FILLED, Input, Plan, Step};
use crate::seen::{Outcome, Seen};

mod batched;

/// How a group is called.
pub(crate) struct How {
    /// How long a call may take.
    pub(crate) patience: Duration,
    /// Whether calls go in batches, as far as they can.
    pub(crate) batch: bool,
    /// Where the library works.
    pub(crate) directory: PathBuf,
}

/// What comes of each step of the first `count` cases of a group, and how many calls were entries of batches.
pub(crate) fn run(
    bound: &Bound,
    plan: &Plan,
    group: usize,
    count: usize,
    how: &How,
) -> Result<(Vec<Vec<Outcome>>, usize), String> {
    // The files of the cases lie there. Modes and owners that cannot be set show in `errno`, which is compared: SQLite gives
    // the files that it makes those of the database.
    let write = vec![std::env::temp_dir()];
    let own = bound.interface.sandbox.allow.iter().cloned();
    let allow = ["fchmod", "fchown"].map(str::to_owned).into_iter().chain(own).collect();
    let read = bound.interface.sandbox.read.iter().map(PathBuf::from).collect();
    let sandbox = Sandbox { read, write, allow, ..Sandbox::of(Profile::Custom) };
    // Cases may end one worker after the other.
    // Each call is compared, whatever became of the same call before.
    let (restart, quarantine) = (Restart::ALWAYS, Quarantine::off());
    let directory = how.directory.clone();
    let options = Options { sandbox: Some(sandbox), restart, quarantine, directory, ..Options::default() };
    let session = bound.open(options).map_err(|error| format!("{error:#}"))?.within(how.patience);
    let interface = Arc::new(bound.interface.clone());
    let mut entries = 0;
    let run = |case: &Case| {
        let running = || Running::new(&interface, &session, case);
        let batched = if how.batch { running().run_batched(case) } else { None };
        let Some((outcomes, put)) = batched else { return running().run(case) };
        entries += put;
        outcomes
    };
    let outcomes = plan.groups[group].cases[..count].iter().map(run).collect();
    Ok((outcomes, entries))
}

/// A case as it goes on. Callbacks that the library keeps take part in it as long as it is there.
struct Running {
    interface: Arc<Interface>,
    session: Session,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    objects: Vec<Object>,
    /// What callbacks were told during each call in progress, the innermost last.
    calls: Vec<Vec<Vec<Seen>>>,
}

/// What is known of an object by its number.
#[derive(Debug, Clone, Default)]
struct Object {
    handle: Option<Handle>,
    /// The numbers in a resident structure, as they were seen last.
    fields: Vec<(String, Value)>,
}

impl Running {
    fn new(interface: &Arc<Interface>, session: &Session, case: &Case) -> Arc<Running> {
        let state = State { objects: vec![Object::default(); case.objects], calls: Vec::new() };
        Arc::new(Running {
            interface: Arc::clone(interface),
            session: session.clone(),
            state: Mutex::new(state),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics who has it")
    }

    fn run(self: &Arc<Self>, case: &Case) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for step in &case.steps {
            let outcome = self.step(step);
            let over = outcome.ends_process();
            outcomes.push(outcome);
            if over {
                break;
            }
        }
        outcomes
    }

    fn step(self: &Arc<Self>, step: &Step) -> Outcome {
        let function = &self.interface.functions[usize::from(step.function)];
        let params: Vec<&Param> = function.params.iter().filter(|it| it.role.value.is_argument()).collect();
        let mut args = Vec::new();
        for (param, input) in params.iter().zip(&step.args) {
            match self.value(param, input) {
                Some(value) => args.push(value),
                None => return Outcome::Absent,
            }
        }
        self.state().calls.push(Vec::new());
        let mut callback = |name: &str, told: &[(String, Value)]| {
            let position = params.iter().position(|param| param.name == name);
            match position.map(|at| (params[at], &step.args[at])) {
                Some((param, Input::Callback(answer))) => Ok(self.called(param, answer, told)),
                _ => Err("a call of a function that was not passed".into()),
            }
        };
        let called = (step.function, function);
        let came_back = dynamic::call_with(&self.session, &self.interface, called, &args, &mut callback);
        let calls = self.state().calls.pop().unwrap_or_default();
        let outcome = match came_back {
            Ok(outcome) => self.returned(step, function, outcome),
            Err(error) => self.failed(step, function, &error),
        };
        match calls.is_empty() {
            true => outcome,
            false => Outcome::Called { calls, then: Box::new(outcome) },
        }
    }

    /// What a function of the application does: it notes what it is told, makes its calls, and answers.
    fn called(self: &Arc<Self>, param: &Param, answer: &Answer, told: &[(String, Value)]) -> Value {
        let Role::Callback { callback, .. } = &param.role.value else { return Value::Null };
        let mut noted = Vec::new();
        for (name, value) in told {
            let position = callback.params.iter().position(|it| it.name == *name);
            let numbers = position.map_or(&[][..], |at| answer.lent(at));
            let element = position.and_then(|at| callback.params[at].ty.pointee());
            noted.push(match (value, numbers) {
                (Value::Handle(handle), [number, ..]) => self.state().meet(handle, *number),
                (Value::Null, [number, ..]) => {
                    self.state().objects[*number].handle = None;
                    Seen::Null
                }
                (Value::List(list), [_, ..]) => {
                    let mut state = self.state();
                    for (position, number) in numbers.iter().enumerate() {
                        state.objects[*number].handle = None;
                        if let Some(Value::Handle(handle)) = list.get(position) {
                            state.meet(handle, *number);
                        }
                    }
                    Seen::Int(list.len() as i128)
                }
                (value, _) => seen(value, element.map(|(element, _)| element)),
            });
        }
        if !answer.steps.is_empty() {
            let name = |step: &Step| self.interface.functions[usize::from(step.function)].name.clone();
            noted.push(Seen::Did(answer.steps.iter().map(|it| (name(it), self.step(it))).collect()));
        }
        if let Some(calls) = self.state().calls.last_mut() {
            calls.push(noted);
        }
        filled(callback, answer, told).unwrap_or(Value::Int(i128::from(answer.returns)))
    }

    /// A function for the library to keep.
    fn kept(self: &Arc<Self>, param: &Param, answer: &Answer) -> KeptFunction {
        let (param, answer, running) = (param.clone(), answer.clone(), Arc::downgrade(self));
        KeptFunction::new(move |told| match Weak::upgrade(&running) {
            Some(running) => Ok(running.called(&param, &answer, told)),
            None => Err("the case that registered it is over".into()),
        })
    }

    /// The value to pass; none when it is an object that never came to be.
    fn value(self: &Arc<Self>, param: &Param, input: &Input) -> Option<Value> {
        Some(match (input, &param.role.value) {
            (Input::Object(number), _) => Value::Handle(self.state().objects[*number].handle.clone()?),
            (Input::Callback(answer), Role::Callback { callback, .. }) => match callback.scope {
                CallbackScope::Call => Value::Callback,
                CallbackScope::Handle { .. } => Value::Kept(self.kept(param, answer)),
            },
            (Input::Resident(number, given), Role::Resident { starts, .. }) => {
                let object = &self.state().objects[*number];
                if object.handle.is_none() && starts.is_none() {
                    return None;
                }
                let handle = object.handle.clone().map(|it| (String::new(), Value::Handle(it)));
                let kept = object.fields.iter().filter(|(name, _)| !given.iter().any(|it| it.0 == *name));
                let given = given.iter().map(|(name, input)| (name.clone(), plain(input)));
                Value::Struct(handle.into_iter().chain(kept.cloned()).chain(given).collect())
            }
            (Input::List(list), Role::Handles { .. }) => {
                let state = self.state();
                let object = |it: &Input| match it {
                    Input::Object(number) => state.objects[*number].handle.clone().map(Value::Handle),
                    _ => None,
                };
                Value::List(list.iter().map(object).collect::<Option<_>>()?)
            }
            _ => plain(input),
        })
    }

    fn returned(&self, step: &Step, function: &Function, outcome: dynamic::Outcome) -> Outcome {
        let mut returned = Seen::Null;
        if let Some(value) = outcome.returned {
            let number = step.gives.iter().find(|it| it.0.is_none()).map(|it| it.1);
            returned = self.see(&value, &function.result_type, number);
        }
        let outs = self.outs(step, function, outcome.outs);
        Outcome::Returned { returned, outs }
    }

    fn failed(&self, step: &Step, function: &Function, error: &Error) -> Outcome {
        let outs = error.outputs().iter().map(|(name, value)| (name.clone(), value.clone().into()));
        let left = self.outs(step, function, outs.collect());
        match failed(error) {
            Outcome::Failed { code, symbol, message, errno, .. } => {
                Outcome::Failed { code, symbol, message, errno, outs: left }
            }
            other => other,
        }
    }

    /// What parameters were filled with.
    fn outs(&self, step: &Step, function: &Function, values: Vec<(String, Value)>) -> Vec<(String, Seen)> {
        let mut outs = Vec::new();
        for (name, value) in values {
            let index = function.params.iter().position(|param| param.name == name);
            let number = step.gives.iter().find(|it| it.0.is_some() && it.0 == index).map(|it| it.1);
            let seen = match index.map(|index| &function.params[index]) {
                Some(param) => {
                    self.keep_fields(step, function, param, &value);
                    let ty = match param.role.value {
                        // One pointer more than what is handed out.
                        Role::DataOut { .. } => param.ty.pointee().map_or(&param.ty, |(ty, _)| ty),
                        _ => &param.ty,
                    };
                    self.see(&value, ty, number)
                }
                None => seen(&value, None),
            };
            outs.push((name, seen));
        }
        outs
    }

    /// A value that came back; an object gets its number.
    fn see(&self, value: &Value, ty: &CType, number: Option<usize>) -> Seen {
        match (value, number) {
            (Value::Handle(handle), Some(number)) => self.state().meet(handle, number),
            (Value::Struct(fields), _) => {
                let record = match (&ty.kind, ty.pointee().map(|(ty, _)| &ty.kind)) {
                    (Type::Record { name }, _) | (_, Some(Type::Record { name })) => name.as_str(),
                    _ => "",
                };
                structure(&self.interface, record, fields)
            }
            (Value::List(list), _) => {
                let element = ty.pointee().map(|(element, _)| element);
                match element.and_then(CType::record) {
                    Some(record) => structures(&self.interface, record, list),
                    None => seen(value, element),
                }
            }
            (value, _) => seen(value, ty.pointee().map(|(element, _)| element)),
        }
    }

    /// Keeps what came back of a resident structure for the next call.
    fn keep_fields(&self, step: &Step, function: &Function, param: &Param, value: &Value) {
        let (Role::Resident { record, .. }, Value::Struct(fields)) = (&param.role.value, value) else {
            return;
        };
        let params = function.params.iter().filter(|it| it.role.value.is_argument());
        let input = params.zip(&step.args).find(|(it, _)| it.name == param.name).map(|(_, input)| input);
        let Some(Input::Resident(number, _)) = input else { return };
        let mut state = self.state();
        let object = &mut state.objects[*number];
        if let Some((_, Value::Handle(handle))) = fields.iter().find(|(name, _)| name.is_empty()) {
            object.handle = Some(handle.clone());
        }
        // What did not begin is as if it had not been.
        if object.handle.is_none() {
            return;
        }
        let Some(structure) = self.interface.structs.get(record) else { return };
        let stays = |name: &str| {
            let role = structure.fields.iter().find(|it| it.name == name).map(|it| &it.role.value);
            matches!(
                role,
                Some(
                    FieldRole::Value
                        | FieldRole::Bits { .. }
                        | FieldRole::Array { .. }
                        | FieldRole::Struct { .. }
                        | FieldRole::Structs { .. }
                )
            )
        };
        object.fields = fields.iter().filter(|(name, _)| stays(name)).cloned().collect();
    }
}

impl State {
    /// An object gets its number. One that was there already is known by the first number it had.
    fn meet(&mut self, handle: &Handle, number: usize) -> Seen {
        let known = self.objects.iter().position(|it| it.handle.as_ref() == Some(handle));
        self.objects[number].handle = Some(handle.clone());
        Seen::Object(known.unwrap_or(number))
    }
}

fn plain(input: &Input) -> Value {
    match input {
        Input::Null | Input::Object(_) | Input::Resident(..) => Value::Null,
        Input::Int(number) | Input::Constant { value: number, .. } => Value::Int(*number),
        Input::Float(number) => Value::Float(*number),
        Input::Text(bytes) | Input::Data(bytes) => Value::Bytes(bytes.to_vec()),
        Input::List(texts) => Value::List(texts.iter().map(plain).collect()),
        Input::Struct(fields) => {
            Value::Struct(fields.iter().map(|(name, input)| (name.clone(), plain(input))).collect())
        }
        Input::Callback(_) => Value::Callback,
    }
}

fn structure(interface: &Interface, record: &str, fields: &[(String, Value)]) -> Seen {
    let definition = interface.structs.get(record);
    let fields = fields.iter().filter(|(name, _)| !name.is_empty()).map(|(name, value)| {
        let field = definition.and_then(|it| it.fields.iter().find(|field| field.name == *name));
        let seen = match (value, field.map(|it| (&it.role.value, &it.ty))) {
            (
                Value::Struct(inner),
                Some((FieldRole::Struct { record } | FieldRole::Union { record, .. }, _)),
            ) => structure(interface, record, inner),
            (Value::List(list), Some((FieldRole::Structs { record, .. }, _))) => {
                structures(interface, record, list)
            }
            (Value::List(list), Some((FieldRole::Data { record: Some(record), .. }, _))) => {
                structures(interface, record, list)
            }
            // It did not come back.
            (_, Some((FieldRole::Pointer { direction, .. }, _))) if !direction.goes_out() => Seen::Null,
            (Value::Struct(inner), Some((FieldRole::Pointer { record, .. }, _))) => {
                structure(interface, record, inner)
            }
            (value, Some((_, ty))) => {
                let array = ty.array().map(|(element, _)| element);
                seen(value, array.or_else(|| ty.pointee().map(|(element, _)| element)))
            }
            (value, None) => seen(value, None),
        };
        (name.clone(), seen)
    });
    Seen::Struct(fields.collect())
}

/// Structures one behind the other.
fn structures(interface: &Interface, record: &str, list: &[Value]) -> Seen {
    let one = |value: &Value| match value {
        Value::Struct(fields) => structure(interface, record, fields),
        other => seen(other, None),
    };
    Seen::List(list.iter().map(one).collect())
}

fn seen(value: &Value, element: Option<&CType>) -> Seen {
    match value {
        Value::Null => Seen::Null,
        Value::Bool(truth) => Seen::Int(i128::from(*truth)),
        Value::Int(number) => Seen::Int(*number),
        Value::Float(number) => Seen::float(*number),
        Value::Text(text) => Seen::data(text.as_bytes()),
        Value::Bytes(bytes) => Seen::data(bytes),
        Value::List(values) if element.is_some_and(|it| it.pointee().is_some()) => {
            Seen::List(values.iter().map(|it| seen(it, None)).collect())
        }
        Value::List(values) => {
            Seen::data(&values.iter().flat_map(|it| bytes(it, element)).collect::<Vec<u8>>())
        }
        other => Seen::Other(format!("{other:?}")),
    }
}

/// An element as it lies in C's memory.
fn bytes(value: &Value, element: Option<&CType>) -> Vec<u8> {
    let size = element.and_then(CType::element_size).unwrap_or(8) as usize;
    match (value, element.map(|element| &element.kind)) {
        (Value::Float(number), Some(Type::Float { bits: 32 })) => (*number as f32).to_le_bytes().to_vec(),
        (Value::Float(number), _) => number.to_le_bytes().to_vec(),
        (Value::Int(number), _) => number.to_le_bytes()[..size].to_vec(),
        (Value::Bool(truth), _) => vec![u8::from(*truth)],
        _ => Vec::new(),
    }
}

fn failed(error: &Error) -> Outcome {
    match (error.kind(), error.cause()) {
        (ErrorKind::LibraryError, Cause::Library { code, symbol, message, errno }) => Outcome::Failed {
            code: *code,
            symbol: symbol.map(str::to_owned),
            message: message.clone(),
            errno: i64::from(*errno),
            outs: Vec::new(),
        },
        (ErrorKind::Crashed, Cause::Signal { number, .. }) => Outcome::Signal(*number),
        (ErrorKind::Exited, Cause::Exit { status }) => Outcome::Exited(*status),
        (ErrorKind::Hung, _) => Outcome::Hung,
        (ErrorKind::InvalidArgument, _) => Outcome::Refused,
        (ErrorKind::StaleHandle, _) => Outcome::Stale,
        (ErrorKind::BadEncoding, _) => Outcome::BadEncoding,
        (ErrorKind::InvalidReply, _) => Outcome::Lied,
        _ => Outcome::Other(error.to_string()),
    }
}

/// What a function of the application fills memory with: as much as it returns, where that is told, or all of it.
fn filled(callback: &Callback, answer: &Answer, told: &[(String, Value)]) -> Option<Value> {
    let room = callback.params.iter().find(|param| matches!(param.role, CallbackRole::Room { .. }))?;
    let CallbackRole::Room { returned, .. } = room.role else { return None };
    let there = told.iter().find_map(|(name, value)| match value {
        Value::Int(there) if *name == room.name => Some(*there),
        _ => None,
    })?;
    let count = if returned { i128::from(answer.returns) } else { there };
    let count = usize::try_from(count).ok().filter(|_| count <= there)?;
    let (element, _) = room.ty.pointee()?;
    Some(match element.is_byte() {
        true => Value::Bytes(vec![FILLED; count]),
        false => Value::List(vec![Value::Int(FILLED.into()); count]),
    })
}
