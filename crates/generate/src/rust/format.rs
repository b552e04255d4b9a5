//! Lines laid out as rustfmt lays them out, so that the package is formatted as it is made.

/// What rustfmt leaves out of account in front of a function type: `impl `.
const IMPL: usize = 5;

/// rustfmt's `max_width`.
const WIDTH: usize = 100;
/// rustfmt's `chain_width` and `fn_call_width`.
const SHORT: usize = 60;
/// rustfmt's `struct_lit_width`.
const LITERAL: usize = 18;

/// The opening of a function, with its indentation: on one line or with a line for each parameter.
pub(crate) fn signature(indent: usize, head: &str, params: &[String], result: &str) -> Vec<String> {
    let pad = " ".repeat(indent);
    let line = format!("{pad}{head}({}) -> {result} {{", params.join(", "));
    if line.chars().count() <= WIDTH {
        return vec![line];
    }
    let params = params.iter().flat_map(|param| parameter(indent + 4, param, ","));
    let first = format!("{pad}{head}(");
    std::iter::once(first).chain(params).chain([format!("{pad}) -> {result} {{")]).collect()
}

/// A parameter or a type; one that is a function has a line for each of its parameters when it is long.
fn parameter(indent: usize, text: &str, tail: &str) -> Vec<String> {
    let pad = " ".repeat(indent);
    let line = format!("{pad}{text}{tail}");
    for bounds in [&["Send", "'static"][..], &["Send"]] {
        let end = format!(" + {}", bounds.join(" + "));
        if let Some(text) = text.strip_suffix(&end).filter(|text| text.contains("impl FnMut(")) {
            return bound(indent, text, bounds, tail);
        }
    }
    if text.contains("Option<Box<dyn FnMut(") && width(&line) > WIDTH {
        return boxed(indent, text, tail);
    }
    let more = if text.contains("impl FnMut(") { IMPL } else { 0 };
    if width(&line) <= WIDTH + more {
        return vec![line];
    }
    if let Some((before, inner)) = text.strip_suffix('>').and_then(|text| text.split_once(": Option<")) {
        let inner = parameter(indent + 4, inner, ",");
        let first = format!("{pad}{before}: Option<");
        return std::iter::once(first).chain(inner).chain([format!("{pad}>{tail}")]).collect();
    }
    let Some((before, (params, result))) = function(text).filter(|(_, (params, _))| !params.is_empty())
    else {
        return vec![line];
    };
    broken(indent, 4, before, params, &format!("){result}{tail}"))
}

/// A parameter that is a function with bounds: on one line, or with a line for each bound.
fn bound(indent: usize, text: &str, bounds: &[&str], tail: &str) -> Vec<String> {
    let pad = " ".repeat(indent);
    let line = format!("{pad}{text} + {}{tail}", bounds.join(" + "));
    if width(&line) <= WIDTH + IMPL {
        return vec![line];
    }
    let Some((before, (params, result))) = function(text) else { return vec![line] };
    let mut lines = if width(&pad) + width(text) < WIDTH + IMPL || params.is_empty() {
        vec![format!("{pad}{text}")]
    } else {
        broken(indent, 4, before, params, &format!("){result}"))
    };
    lines.extend(bounds.iter().map(|bound| format!("{pad}+ {bound}")));
    if let Some(last) = lines.last_mut() {
        last.push_str(tail);
    }
    lines
}

/// A parameter that is a function in a box, or none, and longer than a line.
fn boxed(indent: usize, text: &str, tail: &str) -> Vec<String> {
    let pad = |more: usize| " ".repeat(indent + more);
    let parts = text.strip_suffix(" + Send>>").and_then(|text| text.split_once(": Option<Box<"));
    let Some((name, inner)) = parts else { return vec![format!("{}{text}{tail}", pad(0))] };
    let mut lines = vec![format!("{}{name}: Option<", pad(0))];
    let short = format!("{}Box<{inner} + Send>,", pad(4));
    if width(&short) <= WIDTH {
        lines.push(short);
    } else {
        lines.push(format!("{}Box<", pad(4)));
        let line = format!("{}{inner} + Send,", pad(8));
        let alone = format!("{}{inner}", pad(8));
        match function(inner).filter(|_| width(&line) > WIDTH) {
            Some((before, (params, result))) if width(&alone) > WIDTH && !params.is_empty() => {
                let mut broken = broken(indent + 8, 8, before, params, &format!("    ){result}"));
                broken.push(format!("{}+ Send,", pad(12)));
                lines.extend(broken);
            }
            Some(_) => lines.extend([alone, format!("{}+ Send,", pad(12))]),
            None => lines.push(line),
        }
        lines.push(format!("{}>,", pad(4)));
    }
    lines.push(format!("{}>{tail}", pad(0)));
    lines
}

/// A function type: what stands before its parameters, they, and what stands behind them.
fn function(text: &str) -> Option<(&str, (&str, &str))> {
    let (before, rest) = text.split_once("FnMut(")?;
    let (params, _) = rest.rsplit_once(") -> ")?;
    Some((before, (params, &rest[params.len() + 1..])))
}

/// A function type with a line for each of its parameters.
fn broken(indent: usize, deeper: usize, before: &str, params: &str, end: &str) -> Vec<String> {
    let (pad, inner) = (" ".repeat(indent), " ".repeat(indent + deeper));
    let params = params.split(", ").map(|param| format!("{inner}{param},"));
    let first = format!("{pad}{before}FnMut(");
    std::iter::once(first).chain(params).chain([format!("{pad}{end}")]).collect()
}

/// `head(args)tail`, with a line for each argument when they are long.
pub(crate) fn call(indent: usize, head: &str, args: &[String], tail: &str) -> Vec<String> {
    let pad = " ".repeat(indent);
    let joined = args.join(", ");
    let line = format!("{pad}{head}({joined}){tail}");
    // rustfmt counts what stands behind a call twice when a `?` is in it, unless the receiver is very short.
    let more = if tail.starts_with('?') && !head.starts_with("call.") { 2 } else { 0 };
    if width(&joined) <= SHORT && width(&line) + more <= WIDTH {
        return vec![line];
    }
    let args = args.iter().map(|arg| format!("{pad}    {arg},"));
    std::iter::once(format!("{pad}{head}(")).chain(args).chain([format!("{pad}){tail}")]).collect()
}

/// `left = head(args)tail`; where the call fits a line of its own only, it gets one.
pub(crate) fn assign(indent: usize, left: &str, head: &str, args: &[String], tail: &str) -> Vec<String> {
    let lines = call(indent, &format!("{left} = {head}"), args, tail);
    let alone = call(indent + 4, head, args, tail);
    if lines.len() > 1 && alone.len() == 1 {
        return [format!("{}{left} =", " ".repeat(indent))].into_iter().chain(alone).collect();
    }
    lines
}

/// `left = [elements];`, or with a macro at the end of what is left of the bracket, with a line for each element when they are long.
pub(crate) fn array(indent: usize, left: &str, elements: &[String]) -> Vec<String> {
    let (pad, joined) = (" ".repeat(indent), elements.join(", "));
    let left = if left.ends_with('!') { left.to_owned() } else { format!("{left} = ") };
    let line = format!("{pad}{left}[{joined}];");
    if width(&joined) <= SHORT && width(&line) <= WIDTH {
        return vec![line];
    }
    let elements = elements.iter().map(|element| format!("{pad}    {element},"));
    std::iter::once(format!("{pad}{left}[")).chain(elements).chain([format!("{pad}];")]).collect()
}

/// `self.field.method(args)tail`
pub(crate) fn field_call(indent: usize, field: &str, method: &str, args: &str, tail: &str) -> Vec<String> {
    let pad = " ".repeat(indent);
    let line = format!("self.{field}.{method}({args}){tail}");
    let behind = if tail.starts_with('?') { 0 } else { tail.len() };
    if width(&line) - behind <= SHORT {
        return vec![format!("{pad}{line}")];
    }
    vec![format!("{pad}self.{field}"), format!("{pad}    .{method}({args}){tail}")]
}

/// `let variable = self.field.method(…)?;`
pub(crate) fn start(
    indent: usize,
    variable: &str,
    (field, method): (&str, &str),
    function: &str,
) -> Vec<String> {
    let pad = " ".repeat(indent);
    let chain = format!("self.{field}.{method}({function})?;");
    if width(&chain) <= SHORT {
        return vec![format!("{pad}let {variable} = {chain}")];
    }
    let lines =
        [format!("let {variable} = self"), format!("    .{field}"), format!("    .{method}({function})?;")];
    lines.map(|line| format!("{pad}{line}")).into()
}

/// `left = receiver.method(args).await?;`, or without `left`.
pub(crate) fn awaited(
    indent: usize,
    left: &str,
    (receiver, method): (&str, &str),
    args: &[String],
) -> Vec<String> {
    let pad = " ".repeat(indent);
    let assigns = if left.is_empty() { String::new() } else { format!("{left} = ") };
    let chain = format!("{receiver}.{method}({}).await?", args.join(", "));
    let line = format!("{pad}{assigns}{chain};");
    // The semicolon counts.
    if width(&chain) < SHORT && width(&line) <= WIDTH {
        return vec![line];
    }
    // A receiver no longer than an indentation stays in front where the statement begins with it.
    let mut lines = match left.is_empty() && receiver.len() <= 4 {
        true => call(indent, &format!("{receiver}.{method}"), args, ""),
        false => {
            let mut lines = vec![format!("{pad}{assigns}{receiver}")];
            lines.extend(call(indent + 4, &format!(".{method}"), args, ""));
            lines
        }
    };
    lines.push(format!("{pad}    .await?;"));
    lines
}

/// `let variable = list.iter().map(AsRef::as_ref).collect();`
pub(crate) fn collect(indent: usize, variable: &str, list: &str) -> Vec<String> {
    let pad = " ".repeat(indent);
    let chain = format!("{list}.iter().map(AsRef::as_ref).collect()");
    let line = format!("{pad}let {variable} = {chain};");
    if width(&chain) <= SHORT && width(&line) <= WIDTH {
        return vec![line];
    }
    if width(&chain) <= SHORT {
        return vec![format!("{pad}let {variable} ="), format!("{pad}    {chain};")];
    }
    let mut lines = vec![format!("{pad}let {variable} = {list}")];
    lines.extend([".iter()", ".map(AsRef::as_ref)", ".collect();"].map(|part| format!("{pad}    {part}")));
    lines
}

/// `head { fields }tail`, on one line when it is very short.
pub(crate) fn literal(indent: usize, head: &str, fields: &[String], tail: &str) -> Vec<String> {
    let pad = " ".repeat(indent);
    let joined = fields.join(", ");
    if width(&joined) <= LITERAL {
        return vec![format!("{pad}{head} {{ {joined} }}{tail}")];
    }
    let fields = fields.iter().map(|field| format!("{pad}    {field},"));
    std::iter::once(format!("{pad}{head} {{")).chain(fields).chain([format!("{pad}}}{tail}")]).collect()
}

/// `pub use module::{Names};`, in the order of rustfmt.
pub(crate) fn uses(head: &str, names: &[String]) -> Vec<String> {
    let mut names = names.to_vec();
    names.sort_by(|a, b| order(a, b));
    if let [name] = names.as_slice() {
        return vec![format!("{head}::{name};")];
    }
    // It leaves room for two characters more on one line, and for one more in rows, unless there is but one.
    let line = format!("{head}::{{{}}};", names.join(", "));
    if width(&line) + 2 <= WIDTH {
        return vec![line];
    }
    let mut lines = vec![format!("{head}::{{")];
    let mut row = String::from("   ");
    let last = names.len() - 1;
    for (position, name) in names.into_iter().enumerate() {
        let more = if position == last && lines.len() == 1 { 2 } else { 3 };
        if width(&row) + width(&name) + more > WIDTH {
            lines.push(std::mem::replace(&mut row, String::from("   ")));
        }
        row.push_str(&format!(" {name},"));
    }
    lines.extend([row, "};".into()]);
    lines
}

/// How rustfmt sorts: numbers in names by their value, `_` before everything.
pub(crate) fn order(a: &str, b: &str) -> std::cmp::Ordering {
    let parts = |name: &str| {
        let (mut parts, mut rest) = (Vec::new(), name);
        while let Some(first) = rest.chars().next() {
            let digit = first.is_ascii_digit();
            let end = rest.find(|letter: char| letter.is_ascii_digit() != digit).unwrap_or(rest.len());
            let (part, after) = rest.split_at(end);
            let number = part.parse::<u128>().ok().filter(|_| digit);
            parts.push((number, part.replace('_', " ")));
            rest = after;
        }
        parts
    };
    for (a, b) in parts(a).iter().zip(&parts(b)) {
        let order = match (a, b) {
            ((Some(a), _), (Some(b), _)) => a.cmp(b),
            ((_, a), (_, b)) => a.cmp(b),
        };
        if order.is_ne() {
            return order;
        }
    }
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

fn width(text: &str) -> usize {
    text.chars().count()
}

/// `if let Some(name) = name {`
pub(crate) fn if_some(indent: usize, name: &str) -> Vec<String> {
    let pad = " ".repeat(indent);
    let line = format!("{pad}if let Some({name}) = {name} {{");
    if line.chars().count() <= WIDTH {
        return vec![line];
    }
    [format!("if let Some({name}) ="), format!("    {name}"), "{".into()]
        .map(|line| format!("{pad}{line}"))
        .into()
}

/// A constant, broken behind the `=` when that helps.
pub(crate) fn constant(indent: usize, head: &str, value: &str) -> Vec<String> {
    let pad = " ".repeat(indent);
    let (line, next) = (format!("{pad}{head} = {value};"), format!("{pad}    {value};"));
    if line.chars().count() <= WIDTH || next.chars().count() > WIDTH {
        return vec![line];
    }
    vec![format!("{pad}{head} ="), next]
}

/// Bytes as the rows of an array.
pub(crate) fn rows(indent: usize, bytes: &[u8]) -> Vec<String> {
    let pad = " ".repeat(indent);
    let per_row = (WIDTH - indent + 1) / "0x00, ".len();
    let row = |row: &[u8]| {
        let bytes: Vec<String> = row.iter().map(|byte| format!("0x{byte:02x},")).collect();
        format!("{pad}{}", bytes.join(" "))
    };
    bytes.chunks(per_row).map(row).collect()
}
