//! Arguments of a method: their types, and the statements that write them.

use hotcell_model::interface::{
    Callback, CallbackScope, CallbackThreads, Capacity, Direction, Encoding, Function, Param, Role,
};
use hotcell_model::layout::Carries;

use crate::Error;
use crate::rust::callbacks::{self, Closure};
use crate::rust::context::Context;
use crate::rust::format;
use crate::rust::function::element;
use crate::rust::names::{self, Scope};
use crate::rust::results::{SHARED, is_lendable};
use crate::rust::{texts, types};
use crate::shape::owner::Owner;
use crate::shape::{changes, offset, unsupported};

/// The arguments of a method.
#[derive(Default)]
pub(crate) struct Arguments {
    /// As in the signature, `self` first.
    pub(crate) params: Vec<String>,
    /// Statements that write them.
    pub(crate) puts: Vec<String>,
    /// Statements in front of the functions of the application, where those come before the arguments.
    pub(crate) before: Vec<String>,
    /// Remarks for the documentation.
    pub(crate) notes: Vec<String>,
    /// Functions of the application, in the order of their numbers.
    pub(crate) closures: Vec<Closure>,
    /// Statements for structures that the reply changes, whether the call failed or not.
    pub(crate) always: Vec<String>,
    /// Statements for those that it changes only where the call did not fail.
    pub(crate) updates: Vec<String>,
    /// What the method's own object goes by.
    own: &'static str,
    /// Whether buffers are lent to the library where that can be.
    lends: bool,
    /// How far the statements that write them are indented.
    indent: usize,
    /// What each parameter of the C function goes by, where it is an argument.
    pub(crate) locals: Vec<Option<String>>,
    /// Functions of the application that the library keeps.
    kept: Vec<Kept>,
}

/// A function of the application that the library keeps.
struct Kept {
    closure: Closure,
    /// The parameter it is passed in.
    local: String,
    nullable: bool,
    /// Position of the object that ends it.
    until: usize,
    threads: CallbackThreads,
    /// The arguments of `put_kept` in front of the closure.
    place: [String; 3],
}

/// What a method's own object goes by as a rule.
const SELF: &str = "self";

/// Writes one argument.
struct Put<'a> {
    function: &'a Function,
    param: &'a Param,
    index: usize,
    local: String,
    /// In the argument block.
    offset: u32,
    /// Whether it is `self`.
    own: bool,
}

impl Arguments {
    /// The arguments of a function.
    pub(crate) fn of<'a>(
        context: &Context<'a>,
        function: &'a Function,
        owner: Owner<'a>,
        scope: &mut Scope,
    ) -> Result<Arguments, Error> {
        Self::indented(context, function, (owner, SELF, 8), scope)
    }

    /// As [`Arguments::of`], with buffers lent to the library where that can be.
    pub(crate) fn lending<'a>(
        context: &Context<'a>,
        function: &'a Function,
        owner: Owner<'a>,
        scope: &mut Scope,
    ) -> Result<Arguments, Error> {
        let arguments = Arguments { lends: true, indent: 8, own: SELF, ..Arguments::default() };
        arguments.filled(context, function, owner, scope)
    }

    /// As [`Arguments::of`], where the method's own object goes by that name, for statements that are indented so far.
    pub(crate) fn indented<'a>(
        context: &Context<'a>,
        function: &'a Function,
        (owner, own, indent): (Owner<'a>, &'static str, usize),
        scope: &mut Scope,
    ) -> Result<Arguments, Error> {
        let arguments = Arguments { indent, own, ..Arguments::default() };
        arguments.filled(context, function, owner, scope)
    }

    fn filled<'a>(
        self,
        context: &Context<'a>,
        function: &'a Function,
        owner: Owner<'a>,
        scope: &mut Scope,
    ) -> Result<Arguments, Error> {
        let (own_name, lends) = (self.own, self.lends);
        let mut arguments = Arguments { locals: vec![None; function.params.len()], ..self };
        if owner == Owner::Library {
            arguments.params.push("&self".into());
        }
        let visible = function.params.iter().enumerate().filter(|(_, param)| param.role.value.is_argument());
        for (index, param) in visible {
            let own = matches!(owner, Owner::Object { param, .. } if param == index);
            let (local, carries) = match &param.role.value {
                _ if own => (own_name.to_owned(), Carries::Param { index }),
                Role::BufferOut { .. } if lends && is_lendable(context, param) => {
                    (scope.take(names::snake(&param.name)), Carries::Capacity { index })
                }
                Role::BufferOut { .. } => {
                    let local = scope.take(format!("{}_capacity", names::snake(&param.name)));
                    (local, Carries::Capacity { index })
                }
                Role::Callback { .. } if names::is_made_up(&param.name, index) => {
                    (scope.take("callback".into()), Carries::Param { index })
                }
                _ => (scope.take(names::snake(&param.name)), Carries::Param { index }),
            };
            arguments.locals[index] = Some(local.clone());
            let offset = offset(function, &function.layout.args, carries)?;
            let put = Put { function, param, index, local, offset, own };
            let ty = arguments.put(context, &put, scope)?;
            match ty.as_str() {
                "" => arguments.params.insert(0, own_form(context, param)),
                ty if ty.starts_with("mut ") => {
                    arguments.params.push(format!("mut {}: {}", put.local, &ty["mut ".len()..]));
                }
                ty => arguments.params.push(format!("{}: {ty}", put.local)),
            }
        }
        arguments.keep(function)?;
        Ok(arguments)
    }

    /// Adds the statements for one argument; its Rust type, with `mut` in front where the variable is, or nothing
    /// for `self`.
    fn put(&mut self, context: &Context<'_>, put: &Put<'_>, scope: &mut Scope) -> Result<String, Error> {
        let Put { function, param, local, offset, .. } = put;
        let indent = self.indent;
        let number =
            |method: &str, value: String| format::call(indent, method, &[offset.to_string(), value], ";");
        match &param.role.value {
            Role::Value | Role::ValueInOut { .. } => {
                let ty = match &param.role.value {
                    Role::Value => Some(&param.ty),
                    _ => param.ty.pointee().map(|(pointee, _)| pointee),
                };
                let ty = ty.and_then(|ty| context.number(ty)).ok_or_else(|| unsupported(function, param))?;
                let method = format!("call.put_{}", types::primitive(ty.kind));
                self.puts.extend(number(&method, ty.encode(local)));
                Ok(ty.name)
            }
            Role::BufferOut { .. } | Role::BufferInOut { .. }
                if self.lends && is_lendable(context, param) =>
            {
                let method = match &param.role.value {
                    Role::BufferInOut { .. } => "call.lend_data",
                    _ => "call.lend_room",
                };
                let args = [offset.to_string(), format!("{:?}", param.name), local.clone()];
                self.puts.extend(format::call(indent, method, &args, "?;"));
                Ok(format!("&mut {SHARED}"))
            }
            Role::BufferOut { capacity: Capacity::Caller, .. } => {
                self.puts.extend(number("call.put_room", format!("{local} as u64")));
                self.notes.push(format!("`{local}` is the room for `{}`, in elements.", param.name));
                Ok("usize".into())
            }
            Role::Text { encoding, nullable } => {
                let ty = format!("&{}", texts::lent(*encoding));
                Ok(self.data(put, &texts::put(*encoding), &ty, *nullable))
            }
            Role::Texts { encoding, nullable, .. } => Ok(self.texts(put, *encoding, *nullable)),
            Role::BufferIn { nullable, .. } | Role::BufferInOut { nullable, .. }
                if param.structures().is_some() =>
            {
                self.structures(context, put, *nullable)
            }
            Role::BufferIn { nullable, .. } | Role::BufferInOut { nullable, .. } => {
                let element = element(context, param);
                let method = if element == "u8" { "put_buffer" } else { "put_elements" };
                Ok(self.data(put, method, &format!("&[{element}]"), *nullable))
            }
            Role::Struct { record, direction, nullable, .. } => {
                self.structure(context, put, record, *direction, *nullable)
            }
            Role::Resident { record, consumed, starts } => {
                self.resident(context, put, record, (*consumed, starts.is_some()))
            }
            Role::Handle { handle, consumed, on_success, nullable, invalidates } => {
                if *invalidates {
                    self.notes.push(format!("What was borrowed from `{local}` is stale afterwards."));
                }
                let method = match (consumed, on_success) {
                    (true, true) => "call.put_consumed_on_success",
                    (true, false) => "call.put_consumed",
                    (false, _) => "call.put_handle",
                };
                self.handle(context, put, handle, (*consumed, *nullable, method))
            }
            Role::Handles { handle, nullable } => {
                let name = context.object(&function.name, handle)?;
                let list = format!("list_{}", local.trim_end_matches('_'));
                let list = scope.take(list);
                let collect = |from: &str| {
                    format!("let {list}: Vec<&rt::Handle> = {from}.iter().map(|object| &object.0).collect();")
                };
                let args = [
                    offset.to_string(),
                    format!("{:?}", param.name),
                    format!("&{list}"),
                    format!("{name}::TYPE"),
                ];
                if !nullable {
                    self.line(0, &collect(local));
                    self.puts.extend(format::call(indent, "call.put_handles", &args, "?;"));
                    return Ok(format!("&[&{name}]"));
                }
                self.puts.extend(format::if_some(indent, local));
                self.line(4, &collect(local));
                self.puts.extend(format::call(indent + 4, "call.put_handles", &args, "?;"));
                self.line(0, "} else {");
                self.line(4, &format!("call.put_null({offset});"));
                self.line(0, "}");
                Ok(format!("Option<&[&{name}]>"))
            }
            Role::Callback { callback, nullable } => {
                self.callback(context, put, (callback, *nullable), scope)
            }
            _ => Err(unsupported(function, param)),
        }
    }

    fn callback(
        &mut self,
        context: &Context<'_>,
        put: &Put<'_>,
        (callback, nullable): (&Callback, bool),
        scope: &mut Scope,
    ) -> Result<String, Error> {
        let Put { function, param, local, offset, .. } = put;
        let closure = callbacks::closure(context, function, callback, (local, nullable, self.indent), scope)?;
        self.notes.extend(closure.note.clone());
        let ty = closure.ty.clone();
        if let CallbackScope::Handle { param: until } = callback.scope {
            let place = [offset.to_string(), format!("{:?}", param.name), callback.args.size.to_string()];
            let threads = callback.threads;
            self.kept.push(Kept { closure, local: local.clone(), nullable, until, threads, place });
            return Ok(ty);
        }
        let number = self.closures.len() + 1;
        let place = format!("{offset}, {number}, {}", callback.args.size);
        if nullable {
            let mut passes = format!("{local}.is_some()");
            if self.own != SELF {
                // It is lent to what runs it by then.
                let known = scope.take(format!("passes_{}", local.trim_end_matches('_')));
                self.before.push(format!("        let {known} = {passes};"));
                passes = known;
            }
            self.line(0, &format!("if {passes} {{"));
            self.line(4, &format!("call.put_callback({place});"));
            self.line(0, "} else {");
            self.line(4, &format!("call.put_no_callback({offset});"));
            self.line(0, "}");
        } else {
            self.line(0, &format!("call.put_callback({place});"));
        }
        self.closures.push(closure);
        Ok(ty)
    }

    /// Adds the statements for the functions that the library keeps, when what ends them is known by name.
    fn keep(&mut self, function: &Function) -> Result<(), Error> {
        let mut keeps: Vec<((String, CallbackThreads), Vec<String>)> = Vec::new();
        for Kept { closure, local, nullable, until, threads, place } in std::mem::take(&mut self.kept) {
            let object = self.locals.get(until).and_then(Option::as_ref);
            let role = function.params.get(until).map(|param| &param.role.value);
            let (Some(object), Some(Role::Handle { nullable: false, .. })) = (object, role) else {
                let what = format!("a callback (`{local}`) that is kept until what may be no object goes");
                return Err(Error::Unsupported { function: function.name.clone(), what });
            };
            let named = format!("`{local}`");
            let keeper = (object.clone(), threads);
            match keeps.iter_mut().find(|it| it.0 == keeper) {
                Some((_, names)) => names.push(named),
                None => keeps.push((keeper, vec![named])),
            }
            let method = match threads {
                CallbackThreads::Calls => "call.put_kept",
                CallbackThreads::Any => "call.put_kept_by_threads",
            };
            let boxed = format!("Some(Box::new({}))", closure.name);
            let args = [&place[..], &[boxed, format!("&{object}.0")]].concat();
            if !nullable {
                self.puts.extend(closure.lines);
                self.puts.extend(format::call(self.indent, method, &args, "?;"));
                continue;
            }
            self.line(0, &format!("if let Some(mut function) = {local} {{"));
            self.puts.extend(closure.lines);
            self.puts.extend(format::call(self.indent + 4, method, &args, "?;"));
            self.line(0, "} else {");
            self.line(4, &format!("call.put_no_callback({});", place[0]));
            self.line(0, "}");
        }
        for ((object, threads), names) in keeps {
            let it = if names.len() > 1 { "them" } else { "it" };
            let otherwise = match threads {
                CallbackThreads::Calls => String::new(),
                CallbackThreads::Any => format!(
                    " Where the library calls {it} on a thread of its own, that runs on the dispatcher thread of the session, \
                     and a failure comes out of the session's next call."
                ),
            };
            self.notes.push(format!(
                "The library keeps {} until `{object}` goes: any call of the session may run {it}, on the thread that \
                 makes that call.{otherwise}",
                names.join(", ")
            ));
        }
        Ok(())
    }

    /// Adds a line of a statement, indented so much deeper.
    fn line(&mut self, deeper: usize, text: &str) {
        self.puts.push(format!("{}{text}", " ".repeat(self.indent + deeper)));
    }

    /// A text or a buffer.
    fn data(&mut self, put: &Put<'_>, method: &str, ty: &str, nullable: bool) -> String {
        let args = [put.offset.to_string(), format!("{:?}", put.param.name), put.local.clone()];
        let head = format!("call.{method}");
        if !nullable {
            self.puts.extend(format::call(self.indent, &head, &args, "?;"));
            return ty.to_owned();
        }
        self.puts.extend(format::if_some(self.indent, &put.local));
        self.puts.extend(format::call(self.indent + 4, &head, &args, "?;"));
        self.line(0, "} else {");
        self.line(4, &format!("call.put_null({});", put.offset));
        self.line(0, "}");
        format!("Option<{ty}>")
    }

    fn texts(&mut self, put: &Put<'_>, encoding: Encoding, nullable: bool) -> String {
        let (method, element) = (texts::put_list(encoding), texts::lent(encoding));
        if nullable {
            // With `impl` behind `Option`, `None` would be of no known type.
            return self.data(put, &method, &format!("&[&{element}]"), true);
        }
        if encoding == Encoding::Utf8 {
            // The runtime takes bytes, too; nothing but `str` shall get there.
            let local = &put.local;
            self.puts.extend(format::collect(self.indent, &format!("{local}: Vec<&str>"), local));
            let args = [put.offset.to_string(), format!("{:?}", put.param.name), format!("&{local}")];
            self.puts.extend(format::call(self.indent, "call.put_texts", &args, "?;"));
            return "&[impl AsRef<str>]".into();
        }
        self.data(put, &method, &format!("&[impl AsRef<{element}>]"), false)
    }

    /// Several structures.
    fn structures(&mut self, context: &Context<'_>, put: &Put<'_>, nullable: bool) -> Result<String, Error> {
        let Put { function, param, local, offset, .. } = put;
        let record = param.structures().ok_or_else(|| unsupported(function, param))?;
        let name = context.structure(&function.name, record, |deeds| deeds.put_list = true)?;
        let head = format!("{name}::put_images");
        let args = ["&mut call".to_owned(), offset.to_string(), format!("{:?}", param.name), local.clone()];
        if !nullable {
            self.puts.extend(format::call(self.indent, &head, &args, "?;"));
            return Ok(format!("&[{name}]"));
        }
        self.puts.extend(format::if_some(self.indent, local));
        self.puts.extend(format::call(self.indent + 4, &head, &args, "?;"));
        self.line(0, "} else {");
        self.line(4, &format!("call.put_null({offset});"));
        self.line(0, "}");
        Ok(format!("Option<&[{name}]>"))
    }

    fn structure(
        &mut self,
        context: &Context<'_>,
        put: &Put<'_>,
        record: &str,
        direction: Direction,
        nullable: bool,
    ) -> Result<String, Error> {
        let back = direction.goes_out();
        let name = context.structure(&put.function.name, record, |deeds| {
            deeds.put = true;
            deeds.update |= back;
        })?;
        let Put { local, offset, .. } = put;
        let args = ["&mut call".to_owned(), offset.to_string(), format!("{:?}", put.param.name)];
        let reference = if back { "&mut " } else { "&" };
        if !nullable {
            self.puts.extend(format::call(self.indent, &format!("{local}.put_image"), &args, "?;"));
            if back {
                self.update(put, local)?;
            }
            return Ok(format!("{reference}{name}"));
        }
        if back {
            self.line(0, &format!("if let Some({local}) = &{local} {{"));
        } else {
            self.puts.extend(format::if_some(self.indent, local));
        }
        self.puts.extend(format::call(self.indent + 4, &format!("{local}.put_image"), &args, "?;"));
        self.line(0, "} else {");
        self.line(4, &format!("call.put_null({offset});"));
        self.line(0, "}");
        if back {
            let mut lines = format::if_some(8, local);
            let update = self.update_of(put, local)?;
            lines.extend(update.into_iter().map(|line| format!("    {line}")));
            lines.push("        }".into());
            self.updates_of(put).extend(lines);
        }
        Ok(format!("Option<{reference}{name}>"))
    }

    fn resident(
        &mut self,
        context: &Context<'_>,
        put: &Put<'_>,
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
            (true, _) => "end_image",
            (false, true) => "begin_image",
            (false, false) => "put_image",
        };
        let args = ["&mut call".to_owned(), put.offset.to_string(), format!("{:?}", put.param.name)];
        self.puts.extend(format::call(self.indent, &format!("{}.{method}", put.local), &args, "?;"));
        if changes {
            self.update(put, &put.local)?;
        }
        Ok(match (put.own, consumed) {
            (true, _) => String::new(),
            (false, true) => name,
            (false, false) if changes => format!("&mut {name}"),
            (false, false) => format!("&{name}"),
        })
    }

    /// Adds the statement that brings a structure up to date.
    fn update(&mut self, put: &Put<'_>, local: &str) -> Result<(), Error> {
        let lines = self.update_of(put, local)?;
        self.updates_of(put).extend(lines);
        Ok(())
    }

    fn update_of(&self, put: &Put<'_>, local: &str) -> Result<Vec<String>, Error> {
        let place = offset(put.function, &put.function.layout.result, Carries::Param { index: put.index })?;
        let args = ["&mut reply".to_owned(), place.to_string()];
        Ok(format::call(8, &format!("{local}.update_from"), &args, "?;"))
    }

    /// Where the statement for a structure belongs.
    fn updates_of(&mut self, put: &Put<'_>) -> &mut Vec<String> {
        match put.param.role.value.stays_after_failure() {
            true => &mut self.always,
            false => &mut self.updates,
        }
    }

    fn handle(
        &mut self,
        context: &Context<'_>,
        put: &Put<'_>,
        key: &str,
        (consumed, nullable, method): (bool, bool, &str),
    ) -> Result<String, Error> {
        let name = context.object(&put.function.name, key)?;
        if context.interface.structs.contains_key(key) {
            return Err(unsupported(put.function, put.param));
        }
        let Put { local, offset, .. } = put;
        let kind =
            if put.own && self.own == SELF { "Self::TYPE".to_owned() } else { format!("{name}::TYPE") };
        let mut args = [offset.to_string(), format!("{:?}", put.param.name), format!("&{local}.0"), kind];
        if put.own {
            self.puts.extend(format::call(self.indent, method, &args, "?;"));
            return Ok(String::new());
        }
        if consumed {
            let when = if method.ends_with("on_success") {
                "where the call succeeds; where it fails, it is dropped here"
            } else {
                "by the call"
            };
            self.notes.push(format!("`{local}` is taken over {when}."));
        }
        let ty = if consumed { name } else { format!("&{name}") };
        if !nullable {
            self.puts.extend(format::call(self.indent, method, &args, "?;"));
            return Ok(ty);
        }
        if !consumed {
            args[2] = format!("{local}.map(|object| &object.0)");
            self.puts.extend(format::call(self.indent, "call.put_opt_handle", &args, "?;"));
            return Ok(format!("Option<{ty}>"));
        }
        self.line(0, &format!("if let Some({local}) = &{local} {{"));
        self.puts.extend(format::call(self.indent + 4, method, &args, "?;"));
        self.line(0, "} else {");
        self.line(4, &format!("call.put_u64({offset}, 0);"));
        self.line(0, "}");
        Ok(format!("Option<{ty}>"))
    }

    /// Where there are rules for threads, a variable with the objects of a call, which is begun with them: its name, and the
    /// statement that makes it. A call that `waits` is begun with those objects, too, that may have to be made anew.
    pub(crate) fn objects(
        &self,
        context: &Context<'_>,
        function: &Function,
        scope: &mut Scope,
        waits: bool,
    ) -> Option<(String, Vec<String>)> {
        let (interface, rules) = (context.interface, context.interface.has_thread_rules());
        let (mut objects, mut lists) = (Vec::new(), Vec::new());
        for (param, local) in function.params.iter().zip(&self.locals) {
            let wanted = rules || waits && interface.is_restorable(param);
            let Some(local) = local.as_ref().filter(|_| wanted) else { continue };
            match &param.role.value {
                Role::Resident { .. } => objects.push(format!("{local}.object.as_ref()")),
                Role::Handle { nullable: true, consumed, .. } if *local != self.own => {
                    let reference = if *consumed { ".as_ref()" } else { "" };
                    objects.push(format!("{local}{reference}.map(|object| &object.0)"));
                }
                Role::Handle { .. } => objects.push(format!("Some(&{local}.0)")),
                Role::Handles { nullable, .. } => {
                    let all = if *nullable { "into_iter().flatten()" } else { "iter()" };
                    lists.push(format!("{local}.{all}.map(|object| Some(&object.0))"));
                }
                Role::Value
                | Role::Fixed { .. }
                | Role::Text { .. }
                | Role::BufferIn { .. }
                | Role::BufferInOut { .. }
                | Role::BufferOut { .. }
                | Role::LengthOf { .. }
                | Role::CapacityOf { .. }
                | Role::LengthPointerOf { .. }
                | Role::ValueOut { .. }
                | Role::ValueInOut { .. }
                | Role::Texts { .. }
                | Role::TextOut { .. }
                | Role::TextsOut { .. }
                | Role::DataOut { .. }
                | Role::OffsetOut { .. }
                | Role::Struct { .. }
                | Role::HandleOut { .. }
                | Role::Callback { .. }
                | Role::UserData { .. } => {}
            }
        }
        if objects.is_empty() && lists.is_empty() {
            return None;
        }
        let name = scope.take("objects".into());
        if lists.is_empty() {
            return Some((name.clone(), format::array(8, &format!("let {name}"), &objects)));
        }
        let mut lines =
            format::array(8, &format!("let mut {name}: Vec<Option<&rt::Handle>> = vec!"), &objects);
        lines.extend(lists.iter().map(|list| format!("        {name}.extend({list});")));
        Some((name, lines))
    }

    /// The method of a reply that measures a place in the text or buffer in a parameter, with its argument.
    pub(crate) fn place(
        &self,
        context: &Context<'_>,
        function: &Function,
        index: usize,
    ) -> Result<(&'static str, String), Error> {
        let local = self.locals.get(index).and_then(Option::as_ref);
        let role = function.params.get(index).map(|param| &param.role.value);
        match (local, role) {
            (Some(local), Some(Role::Text { encoding, .. })) if encoding.is_converted() => {
                Ok((texts::place(*encoding), local.clone()))
            }
            _ => Ok(("reply.offset", self.length(context, function, index)?)),
        }
    }

    /// The elements of the text or buffer in a parameter, as an expression.
    fn length(&self, context: &Context<'_>, function: &Function, index: usize) -> Result<String, Error> {
        let local = self.locals.get(index).and_then(Option::as_ref);
        let found =
            local.zip(function.params.get(index)).and_then(|(local, param)| match &param.role.value {
                Role::Text { encoding: Encoding::Utf8, nullable } => {
                    Some((local, *nullable, "str".to_owned()))
                }
                Role::Text { encoding, .. } if encoding.is_converted() => None,
                Role::Text { nullable, .. } => Some((local, *nullable, "<[u8]>".into())),
                Role::BufferInOut { .. } if self.lends && is_lendable(context, param) => {
                    Some((local, false, String::new()))
                }
                Role::BufferIn { nullable, .. } | Role::BufferInOut { nullable, .. } => {
                    Some((local, *nullable, format!("<[{}]>", element(context, param))))
                }
                _ => None,
            });
        let Some((local, nullable, ty)) = found else {
            let what = format!("parameter {index} has a place in it, and is no text or buffer that goes in");
            return Err(Error::Inconsistent { function: function.name.clone(), what });
        };
        Ok(if nullable { format!("{local}.map_or(0, {ty}::len)") } else { format!("{local}.len()") })
    }

    /// The handle in a parameter as an `Option<&rt::Handle>`, for a child of its: an expression, and what it is made
    /// of when it needs a variable.
    pub(crate) fn parent(
        &self,
        function: &Function,
        index: usize,
    ) -> Result<(String, Option<String>), Error> {
        let local = self.locals.get(index).and_then(Option::as_ref);
        let role = function.params.get(index).map(|param| &param.role.value);
        match (local, role) {
            (Some(local), Some(Role::Handle { nullable: true, consumed, .. })) if local != self.own => {
                let reference = if *consumed { ".as_ref()" } else { "" };
                Ok(("parent".into(), Some(format!("{local}{reference}.map(|parent| &parent.0)"))))
            }
            (Some(local), Some(Role::Handle { .. })) => Ok((format!("Some(&{local}.0)"), None)),
            (Some(local), Some(Role::Resident { .. })) => Ok((format!("{local}.object.as_ref()"), None)),
            _ => {
                let what =
                    format!("parameter {index} is the parent of an object, and no handle that goes in");
                Err(Error::Inconsistent { function: function.name.clone(), what })
            }
        }
    }
}

/// How a method takes its object.
fn own_form(context: &Context<'_>, param: &Param) -> String {
    match &param.role.value {
        Role::Handle { consumed: true, .. } | Role::Resident { consumed: true, .. } => "self".into(),
        Role::Resident { .. } if changes(context.interface, param) => "&mut self".into(),
        _ => "&self".into(),
    }
}
