//! A function's part of the shim: its blocks and the statements of its entry.

use hotcell_model::Interface;
use hotcell_model::fingerprint::Fingerprint;
use hotcell_model::interface::{Function, Role};
use hotcell_model::layout::{Block, Carries, Layout, WireField, WireKind};
use hotcell_model::types::Type;
use hotcell_protocol::wire::{MAX_ARGS, MAX_RESULT};
use serde::Serialize;

use crate::Error;
use crate::shim::body::Body;
use crate::shim::expr::{Moment, Scope};
use crate::shim::types::{declare, literal, spell, wire};
use crate::shim::{arguments, callbacks, cancels, checks, jumps, results};

/// What `function.c.j2` prints.
#[derive(Serialize)]
pub(crate) struct FunctionModel {
    index: usize,
    name: String,
    literal: String,
    signature: String,
    args_size: u32,
    result_size: u32,
    fingerprint: Vec<String>,
    checks: Vec<String>,
    blocks: Vec<BlockModel>,
    callbacks: Vec<String>,
    body: Vec<String>,
}

#[derive(Serialize)]
struct BlockModel {
    name: String,
    size: u32,
    padding: u32,
    fields: Vec<FieldModel>,
}

#[derive(Serialize)]
struct FieldModel {
    c_type: &'static str,
    name: String,
    offset: u32,
}

/// The model of one function.
pub(crate) fn model(
    interface: &Interface,
    index: usize,
    function: &Function,
) -> Result<FunctionModel, Error> {
    check(interface, function)?;
    let mut blocks = Vec::new();
    let named = |carries| field_name(function, carries);
    let name = &function.name;
    blocks.extend(block(&function.layout.args, format!("hotcell_args_{name}"), named));
    blocks.extend(block(&function.layout.result, format!("hotcell_result_{name}"), named));
    let scope = Scope { interface, function, moment: Moment::Before, errno: "hc_rp->error_number" };
    for (name, callback) in callbacks::blocks(&scope) {
        blocks.extend(block(&callback.args, name, |carries| match carries {
            Carries::Param { index } => format!("arg_{}", callback.params[index].name),
            other => field_name(function, other),
        }));
    }
    Ok(FunctionModel {
        index,
        name: function.name.clone(),
        literal: literal(&function.name),
        signature: comment(&function.signature),
        args_size: function.layout.args.size,
        result_size: function.layout.result.size,
        fingerprint: bytes(&function.fingerprint),
        checks: checks::of_function(function),
        blocks,
        callbacks: definitions(&scope)?,
        body: entry(scope)?,
    })
}

/// What stands before the entry, for it.
fn definitions(scope: &Scope<'_>) -> Result<Vec<String>, Error> {
    let mut lines = [jumps::definition(scope)?, callbacks::definitions(scope)?].concat();
    let stops = cancels::definition(scope)?;
    if !lines.is_empty() && !stops.is_empty() {
        lines.push(String::new());
    }
    lines.extend(stops);
    Ok(lines)
}

/// A fingerprint as rows of an initialiser.
pub(crate) fn bytes(fingerprint: &Fingerprint) -> Vec<String> {
    let row = |row: &[u8]| row.iter().map(|byte| format!("0x{byte:02x}")).collect::<Vec<_>>().join(", ");
    fingerprint.0.chunks(16).map(row).collect()
}

/// A text that neither ends nor starts a comment, on one line.
fn comment(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace("*/", "* /").replace("/*", "/ *")
}

/// Refuses a function whose layout is not the one its roles demand, or does not fit into a slot.
fn check(interface: &Interface, function: &Function) -> Result<(), Error> {
    let name = || function.name.clone();
    let rule = function.error.as_ref().map(|fact| &fact.value);
    let layout =
        Layout::of(&function.params, &function.result.value, &function.result_type, rule, &interface.target)
            .map_err(|what| Error::Inconsistent { function: name(), what })?;
    if layout != function.layout {
        let what = "its layout is not the one its roles demand".into();
        return Err(Error::Inconsistent { function: name(), what });
    }
    for (size, most, what) in
        [(layout.args.size, MAX_ARGS, "an argument"), (layout.result.size, MAX_RESULT, "a result")]
    {
        if size as usize > most {
            let what = format!("{what} block of {size} bytes, more than the wire's {most},");
            return Err(Error::Unsupported { function: name(), what });
        }
    }
    Ok(())
}

fn block(block: &Block, name: String, named: impl Fn(Carries) -> String) -> Option<BlockModel> {
    let used: u32 = block.fields.iter().map(|field| field.kind.size()).sum();
    let fields = block.fields.iter().map(|field| FieldModel {
        c_type: wire(field.kind),
        name: named(field.carries),
        offset: field.offset,
    });
    (block.size > 0).then(|| BlockModel {
        name,
        size: block.size,
        padding: block.size - used,
        fields: fields.collect(),
    })
}

fn field_name(function: &Function, carries: Carries) -> String {
    match carries {
        Carries::Param { index } => format!("arg_{}", function.params[index].name),
        Carries::Capacity { index } => format!("cap_{}", function.params[index].name),
        Carries::Returned => "returned".into(),
        Carries::Message => "message".into(),
        Carries::Code => "code".into(),
    }
}

fn entry(before: Scope<'_>) -> Result<Vec<String>, Error> {
    let function = before.function;
    let name = &function.name;
    let mut inner = Body::leaving_by(&["return;"]);
    arguments::write(before, &mut inner)?;
    let args: Vec<String> = function.params.iter().map(arguments::in_call).collect();
    let jumps = jumps::of(before.interface, function);
    let call = match jumps.is_empty() {
        true => format!("({name})({})", args.join(", ")),
        false => format!("hotcell_leave_{name}({})", args.join(", ")),
    };
    if before.interface.source.tells {
        inner.line("hotcell_forget();");
    }
    callbacks::enter(&before, &mut inner);
    cancels::begin(&before, &mut inner)?;
    if function.noreturn && jumps.is_empty() {
        inner.line(format!("{call};"));
    } else {
        inner.line("errno = 0;");
        if function.result_type.kind == Type::Void {
            inner.line(format!("{call};"));
        } else {
            let declared = spell(&function.result_type).map(|ty| declare(ty, "hc_result"));
            inner.line(format!("{} = {call};", declared.unwrap_or("__auto_type hc_result".into())));
        }
        inner.line("hc_rp->error_number = errno;");
        cancels::end(&before, &mut inner);
        callbacks::leave(&before, &mut inner);
        let mut after = Body::leaving_by(&["return;"]);
        results::write(Scope { moment: Moment::After, ..before }, &mut after)?;
        if function.result_type.kind != Type::Void && !after.mentions("hc_result") {
            inner.line("(void)hc_result;");
        }
        inner.append(after);
    }
    let mut body = inner.part();
    declarations(function, &inner, &mut body);
    body.append(inner);
    Ok(body.into_lines())
}

/// The entry's own variables, as far as its statements use them.
fn declarations(function: &Function, statements: &Body, body: &mut Body) {
    let name = &function.name;
    for (parameter, used) in [
        ("hc_ctx", statements.mentions("hc_ctx")),
        ("hc_rq", function.layout.args.size > 0 || statements.mentions("hc_rq")),
        ("hc_rp", statements.mentions("hc_rp")),
    ] {
        if !used {
            body.line(format!("(void){parameter};"));
        }
    }
    if statements.mentions("hc_bad") {
        body.line("int hc_bad = 0;");
    }
    if function.layout.args.size > 0 {
        body.line(format!("struct hotcell_args_{name} hc_in;"));
        body.line("__builtin_memcpy(&hc_in, hc_rq->args, sizeof hc_in);");
    }
    if statements.mentions("hc_out") {
        let start = |field: &WireField| {
            let value = match (field.kind, field.carries) {
                (WireKind::Reference, _) => "{HOTCELL_PLACE_NULL, 0}",
                (_, Carries::Param { index }) => match function.params[index].role.value {
                    Role::OffsetOut { .. } => "-1",
                    _ => return None,
                },
                _ => return None,
            };
            Some(format!(".{} = {value}", field_name(function, field.carries)))
        };
        let starts: Vec<String> = function.layout.result.fields.iter().filter_map(start).collect();
        let value = if starts.is_empty() { "0".into() } else { starts.join(", ") };
        body.line(format!("struct hotcell_result_{name} hc_out = {{{value}}};"));
    }
}
