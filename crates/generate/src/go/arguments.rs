//! Arguments of a method: their types, and the statements that write them.

use hotcell_model::interface::{CallbackStream, CallbackThreads, Capacity, Encoding, Function, Param, Role};
use hotcell_model::layout::Carries;

use crate::Error;
use crate::go::callbacks::{self, Passed};
use crate::go::context::Context;
use crate::go::function::element;
use crate::go::names::{self, Scope};
use crate::go::results::is_lendable;
use crate::go::texts;
use crate::go::values::text;
use crate::shape::owner::Owner;
use crate::shape::{changes, inconsistent, offset, unsupported};

/// The arguments of a method.
#[derive(Default)]
pub(crate) struct Arguments {
    /// Name and type of each, without the context and the object that the method belongs to.
    pub(crate) params: Vec<(String, String)>,
    /// Statements that write them.
    pub(crate) puts: Vec<String>,
    /// Remarks for the documentation.
    pub(crate) notes: Vec<String>,
    /// What may be nil, which is NULL to the library.
    nils: Vec<String>,
    /// Statements for structures that the reply changes.
    pub(crate) updates: Vec<String>,
    /// Whether some of these are changed though the call failed.
    pub(crate) settles: bool,
    /// Whether buffers are lent to the library where that can be.
    pub(crate) lends: bool,
    /// What each parameter of the C function goes by, where it is an argument.
    pub(crate) locals: Vec<Option<String>>,
}

/// Writes one argument.
struct Put<'a> {
    function: &'a Function,
    param: &'a Param,
    local: String,
    /// Offset and name, as arguments.
    place: String,
    offset: u32,
    /// Whether it is what the method belongs to.
    own: bool,
}

impl Arguments {
    /// The arguments of a function, whose object goes by `receiver`.
    pub(crate) fn of<'a>(
        context: &Context<'a>,
        function: &'a Function,
        own: (Owner<'a>, &str),
        scope: &mut Scope,
    ) -> Result<Arguments, Error> {
        Arguments::passed(context, function, own, false, scope)
    }

    /// As [`Arguments::of`], where buffers may be lent to the library.
    pub(crate) fn passed<'a>(
        context: &Context<'a>,
        function: &'a Function,
        (owner, receiver): (Owner<'a>, &str),
        lends: bool,
        scope: &mut Scope,
    ) -> Result<Arguments, Error> {
        let locals = vec![None; function.params.len()];
        let mut arguments = Arguments { locals, lends, ..Arguments::default() };
        let mut kept = Vec::new();
        let visible = function.params.iter().enumerate().filter(|(_, param)| param.role.value.is_argument());
        for (index, param) in visible {
            let own = matches!(owner, Owner::Object { param, .. } if param == index);
            let name = names::lower(&param.name);
            let (local, carries) = match &param.role.value {
                _ if own => (receiver.to_owned(), Carries::Param { index }),
                Role::BufferOut { .. } if lends && is_lendable(context, param) => {
                    (scope.take(name), Carries::Capacity { index })
                }
                Role::BufferOut { .. } => {
                    (scope.take(format!("{name}Capacity")), Carries::Capacity { index })
                }
                Role::Callback { .. } if names::is_made_up(&param.name, index) => {
                    (scope.take("callback".into()), Carries::Param { index })
                }
                _ => (scope.take(name), Carries::Param { index }),
            };
            arguments.locals[index] = Some(local.clone());
            let offset = offset(function, &function.layout.args, carries)?;
            let place = format!("{offset}, {}", text(&param.name));
            let put = Put { function, param, local, place, offset, own };
            let ty = match &param.role.value {
                Role::Callback { callback, nullable } => {
                    let passed = callbacks::passed(context, function, callback, (&put.local, *nullable))?;
                    if *nullable {
                        arguments.note_nil(&put.local);
                    }
                    let ty = passed.ty.clone();
                    match passed.until {
                        // What ends it may be known by name behind it.
                        Some(until) => kept.push((until, put, passed)),
                        None => arguments.callback(&put, &passed, None),
                    }
                    arguments.params.push((arguments.locals[index].clone().unwrap_or_default(), ty));
                    continue;
                }
                _ => arguments.put(context, index, &put)?,
            };
            if !own {
                arguments.params.push((put.local, ty));
            }
        }
        for (until, put, passed) in kept {
            let object = arguments.parent(function, until)?;
            let until = function.params.get(until).map(|param| &param.role.value);
            if !matches!(until, Some(Role::Handle { nullable: false, .. })) {
                let what =
                    format!("a callback (`{}`) that is kept until what may be no object goes", put.local);
                return Err(Error::Unsupported { function: function.name.clone(), what });
            }
            arguments.callback(&put, &passed, Some(&object));
        }
        match arguments.nils.as_slice() {
            [] => {}
            [one] => arguments.notes.push(format!("Where {one} is nil, the library gets NULL.")),
            [others @ .., last] => {
                let all = format!("{} or {last}", others.join(", "));
                arguments.notes.push(format!("Where {all} is nil, the library gets NULL for it."));
            }
        }
        Ok(arguments)
    }

    /// Adds the statements for one argument; its Go type.
    fn put(&mut self, context: &Context<'_>, index: usize, put: &Put<'_>) -> Result<String, Error> {
        let Put { function, param, local, place, offset, .. } = put;
        let at = offset.to_string();
        match &param.role.value {
            Role::BufferOut { .. } | Role::BufferInOut { .. }
                if self.lends && is_lendable(context, param) =>
            {
                let what = match &param.role.value {
                    Role::BufferInOut { .. } => "Data",
                    _ => "Room",
                };
                self.line(&format!("call.Lend{what}({place}, {local})"));
                Ok("*hotcell.SharedBuffer".into())
            }
            Role::Value | Role::ValueInOut { .. } => {
                let ty = match &param.role.value {
                    Role::Value => Some(&param.ty),
                    _ => param.ty.pointee().map(|(pointee, _)| pointee),
                };
                let number =
                    ty.and_then(|ty| context.number(ty)).ok_or_else(|| unsupported(function, param))?;
                self.line(&number.put("call", &at, local));
                Ok(number.name)
            }
            Role::BufferOut { capacity: Capacity::Caller, .. } => {
                self.line(&format!("call.PutRoom({place}, {local})"));
                self.notes.push(format!("{local} is the room for {}, in elements.", param.name));
                Ok("int".into())
            }
            Role::Text { encoding, nullable } => {
                self.line(&texts::put("call", *encoding, *nullable, place, local));
                if *nullable {
                    self.note_nil(local);
                    return Ok(texts::optional(*encoding).into());
                }
                Ok(texts::ty(*encoding).into())
            }
            Role::Texts { encoding, nullable, .. } => {
                self.line(&texts::put_list(*encoding, *nullable, place, local));
                if *nullable {
                    self.note_nil(local);
                }
                Ok(texts::list(*encoding, true).into())
            }
            Role::BufferIn { nullable, .. } | Role::BufferInOut { nullable, .. } => {
                self.data(context, put, *nullable)
            }
            Role::Struct { record, direction, nullable, .. } => {
                let back = direction.goes_out();
                let name = context.structure(&function.name, record, |deeds| {
                    deeds.put = true;
                    deeds.update |= back;
                })?;
                let opt = if *nullable { "Opt" } else { "" };
                self.line(&format!("call.Put{opt}Image({place}, {local}.image(call))"));
                if back {
                    self.update(function, index, local)?;
                }
                if *nullable {
                    self.note_nil(local);
                }
                Ok(if back || *nullable { format!("*{name}") } else { name })
            }
            Role::Resident { record, consumed, starts } => {
                self.resident(context, (index, put), record, (*consumed, starts.is_some()))
            }
            Role::Handle { handle, consumed, on_success, nullable, invalidates } => {
                if *invalidates {
                    self.notes.push(format!("What was borrowed from {local} is stale afterwards."));
                }
                self.handle(context, put, handle, (*consumed, *on_success, *nullable))
            }
            Role::Handles { handle, nullable } => {
                let (name, kind) = context.object(&function.name, handle)?;
                context.lists_objects.set(true);
                let statement = format!("call.PutHandles({place}, handles_Of({local}), {kind})");
                self.unless_nil(*nullable, local, &statement, &format!("call.PutNull({at})"));
                Ok(format!("[]*{name}"))
            }
            _ => Err(unsupported(function, param)),
        }
    }

    /// Data: numbers, bytes or structures.
    fn data(&mut self, context: &Context<'_>, put: &Put<'_>, nullable: bool) -> Result<String, Error> {
        let Put { function, param, local, place, offset, .. } = put;
        if nullable {
            self.note_nil(local);
        }
        if let Some(record) = param.structures() {
            let name = context.structure(&function.name, record, |deeds| deeds.put_list = true)?;
            let statement = format!("putList_{name}(call, {place}, {local})");
            self.unless_nil(nullable, local, &statement, &format!("call.PutNull({offset})"));
            return Ok(format!("[]{name}"));
        }
        let opt = if nullable { "Opt" } else { "" };
        match element(context, param) {
            "byte" => self.line(&format!("call.Put{opt}Bytes({place}, {local})")),
            _ => self.line(&format!("rt.Put{opt}Elements(call, {place}, {local})")),
        }
        Ok(format!("[]{}", element(context, param)))
    }

    fn resident(
        &mut self,
        context: &Context<'_>,
        (index, put): (usize, &Put<'_>),
        record: &str,
        (consumed, starts): (bool, bool),
    ) -> Result<String, Error> {
        context.object(&put.function.name, record)?;
        let changes = !consumed && changes(context.interface, put.param);
        let name = context.structure(&put.function.name, record, |deeds| {
            deeds.put |= !consumed && !starts;
            deeds.begin |= starts;
            deeds.end |= consumed;
            deeds.update |= changes;
        })?;
        let method = match (consumed, starts) {
            (true, _) => "end",
            (false, true) => "begin",
            (false, false) => "put",
        };
        self.line(&format!("{}.{method}(call, {})", put.local, put.place));
        if changes {
            self.update(put.function, index, &put.local)?;
        }
        Ok(format!("*{name}"))
    }

    fn handle(
        &mut self,
        context: &Context<'_>,
        put: &Put<'_>,
        key: &str,
        (consumed, on_success, nullable): (bool, bool, bool),
    ) -> Result<String, Error> {
        let (name, kind) = context.object(&put.function.name, key)?;
        if context.interface.structs.contains_key(key) {
            return Err(unsupported(put.function, put.param));
        }
        let Put { local, place, offset, .. } = put;
        let method = match (consumed, on_success) {
            (true, true) => "PutConsumedOnSuccess",
            (true, false) => "PutConsumed",
            (false, _) => "PutHandle",
        };
        let statement = |method: &str| format!("call.{method}({place}, {local}.h(), {kind})");
        if consumed {
            let when = if on_success { "where the call succeeds" } else { "by the call" };
            self.notes.push(format!("{local} is taken over {when}."));
        }
        match (consumed, nullable && !put.own) {
            (_, false) => self.line(&statement(method)),
            (false, true) => self.line(&statement("PutOptHandle")),
            (true, true) => {
                self.unless_nil(true, local, &statement(method), &format!("call.PutUint64({offset}, 0)"));
            }
        }
        if nullable && !put.own {
            self.note_nil(local);
        }
        Ok(format!("*{name}"))
    }

    /// Adds the statements for a function of the application.
    fn callback(&mut self, put: &Put<'_>, passed: &Passed, until: Option<&str>) {
        let Put { local, offset, place, .. } = put;
        let (head, tail) = match until {
            None => (format!("call.PutCallback({offset}, {}", passed.size), String::new()),
            Some(until) => {
                let method = match passed.threads {
                    CallbackThreads::Calls => "PutKept",
                    CallbackThreads::Any => "PutKeptByThreads",
                };
                (format!("call.{method}({place}, {}", passed.size), format!(", {until}"))
            }
        };
        self.line(&format!("if {local} == nil {{"));
        match passed.nullable {
            true => self.line(&format!("\t{head}, nil{tail})")),
            false => self.line(&format!("\tcall.Refuse({}, \"is nil\")", text(&put.param.name))),
        }
        self.line("} else {");
        self.line(&format!("\t{head}, func(ctx context.Context, in *rt.Invocation) (uint64, error) {{"));
        passed.body.iter().for_each(|line| self.line(&format!("\t\t{line}")));
        self.line(&format!("\t}}{tail})"));
        self.line("}");
        match passed.stream {
            Some(CallbackStream::Read) => self.notes.push(format!(
                "The library reads {local} to its end, io.EOF, or as far as it wants; another error comes out of the call."
            )),
            Some(CallbackStream::Write) => {
                self.notes.push(format!("The library writes to {local}, whose error comes out of the call."));
            }
            None => {}
        }
        if let Some(until) = until {
            let until = until.trim_end_matches(".h()");
            self.notes.push(match passed.threads {
                CallbackThreads::Calls => format!(
                    "The library keeps {local} until {until} goes, and what it holds as long: any call of the session may run it, on the goroutine that makes that call."
                ),
                CallbackThreads::Any => format!(
                    "The library keeps {local} until {until} goes, and what it holds as long: any call of the session may run it, and threads of the library at any time, one at a time on a goroutine of the session. What it fails with then, the session's next call fails with, unless TakeCallbackFailure is asked before."
                ),
            });
        }
    }

    /// Adds the statement that brings a structure up to date.
    fn update(&mut self, function: &Function, index: usize, local: &str) -> Result<(), Error> {
        let place = offset(function, &function.layout.result, Carries::Param { index })?;
        self.settles |= function.params[index].role.value.stays_after_failure();
        self.updates.push(format!("\t{local}.update(reply, {place})"));
        Ok(())
    }

    /// Adds a line of a statement.
    fn line(&mut self, text: &str) {
        self.puts.push(format!("\t{text}"));
    }

    /// Adds a statement, and what stands in its place where something is nil and may be.
    fn unless_nil(&mut self, nullable: bool, local: &str, statement: &str, otherwise: &str) {
        if !nullable {
            return self.line(statement);
        }
        self.line(&format!("if {local} == nil {{"));
        self.line(&format!("\t{otherwise}"));
        self.line("} else {");
        self.line(&format!("\t{statement}"));
        self.line("}");
    }

    fn note_nil(&mut self, local: &str) {
        self.nils.push(local.to_owned());
    }

    /// The expression of a place in the text or buffer in a parameter, of which the library gives how far it came.
    pub(crate) fn place(
        &self,
        context: &Context<'_>,
        function: &Function,
        (index, offset): (usize, u32),
    ) -> Result<String, Error> {
        let local = self.locals.get(index).and_then(Option::as_ref);
        let found = local.zip(function.params.get(index).map(|param| &param.role.value));
        match found {
            Some((local, Role::Text { encoding, nullable })) if *encoding != Encoding::Bytes => {
                let text = if *nullable { format!("rt.TextOf({local})") } else { local.clone() };
                Ok(match encoding.is_converted() {
                    true => format!("reply.OffsetAs({offset}, {}, {text})", texts::name(*encoding)),
                    false => format!("reply.Offset({offset}, len({text}))"),
                })
            }
            Some((local, Role::Text { .. } | Role::BufferIn { .. } | Role::BufferInOut { .. })) => {
                let of_structures = function.params[index].structures().is_some();
                match of_structures {
                    true => Err(unsupported(function, &function.params[index])),
                    false => Ok(format!("reply.Offset({offset}, len({local}))")),
                }
            }
            _ => {
                let _ = context;
                let what =
                    format!("parameter {index} has a place in it, and is no text or buffer that goes in");
                Err(inconsistent(function, what))
            }
        }
    }

    /// The objects that may have to be made anew before a call that is passed them, as the last arguments of what begins it; `None` where
    /// there are none.
    pub(crate) fn restorable(&self, context: &Context<'_>, function: &Function) -> Option<String> {
        let (mut objects, mut lists) = (Vec::new(), Vec::new());
        for (param, local) in function.params.iter().zip(&self.locals) {
            let Some(local) = local.as_ref().filter(|_| context.interface.is_restorable(param)) else {
                continue;
            };
            match &param.role.value {
                Role::Handles { .. } => lists.push(format!("handles_Of({local})...")),
                _ => objects.push(format!("{local}.h()")),
            }
        }
        let named = objects.join(", ");
        match lists.split_first() {
            None => (!objects.is_empty()).then_some(named),
            Some((only, [])) if objects.is_empty() => Some(only.clone()),
            _ => {
                let first = format!("[]*rt.Handle{{{named}}}");
                Some(lists.iter().fold(first, |all, list| format!("append({all}, {list})")) + "...")
            }
        }
    }

    /// The handle in a parameter, which may be nil: an expression.
    pub(crate) fn parent(&self, function: &Function, index: usize) -> Result<String, Error> {
        let local = self.locals.get(index).and_then(Option::as_ref);
        let role = function.params.get(index).map(|param| &param.role.value);
        match (local, role) {
            (Some(local), Some(Role::Handle { .. } | Role::Resident { .. })) => Ok(format!("{local}.h()")),
            _ => {
                let what =
                    format!("parameter {index} is the parent of an object, and no handle that goes in");
                Err(inconsistent(function, what))
            }
        }
    }
}
