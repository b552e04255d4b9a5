//! Lines laid out as rustfmt lays them out, so that the package is formatted as it is made.

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
    let params = params.iter().map(|param| format!("{pad}    {param},"));
    let first = format!("{pad}{head}(");
    std::iter::once(first).chain(params).chain([format!("{pad}) -> {result} {{")]).collect()
}

/// `head(args)tail`, with a line for each argument when they are long.
pub(crate) fn call(indent: usize, head: &str, args: &[String], tail: &str) -> Vec<String> {
    let pad = " ".repeat(indent);
    let joined = args.join(", ");
    let line = format!("{pad}{head}({joined}){tail}");
    if width(&joined) <= SHORT && width(&line) <= WIDTH {
        return vec![line];
    }
    let args = args.iter().map(|arg| format!("{pad}    {arg},"));
    std::iter::once(format!("{pad}{head}(")).chain(args).chain([format!("{pad}){tail}")]).collect()
}

/// `let variable = head(args)tail`; where the call fits a line of its own only, it gets one.
pub(crate) fn binding(indent: usize, variable: &str, head: &str, args: &[String], tail: &str) -> Vec<String> {
    let lines = call(indent, &format!("let {variable} = {head}"), args, tail);
    let alone = call(indent + 4, head, args, tail);
    if lines.len() > 1 && alone.len() == 1 {
        return [format!("{}let {variable} =", " ".repeat(indent))].into_iter().chain(alone).collect();
    }
    lines
}

/// `let variable = self.session.call(…)?;`
pub(crate) fn start(indent: usize, variable: &str, function: &str) -> Vec<String> {
    let pad = " ".repeat(indent);
    let chain = format!("self.session.call({function})?");
    if chain.chars().count() <= SHORT {
        return vec![format!("{pad}let {variable} = {chain};")];
    }
    let lines = [format!("let {variable} = self"), "    .session".into(), format!("    .call({function})?;")];
    lines.map(|line| format!("{pad}{line}")).into()
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
    let line = format!("{head}::{{{}}};", names.join(", "));
    if width(&line) <= WIDTH {
        return vec![line];
    }
    let mut lines = vec![format!("{head}::{{")];
    let mut row = String::from("   ");
    for name in names {
        if width(&row) + width(&name) + 2 > WIDTH {
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
