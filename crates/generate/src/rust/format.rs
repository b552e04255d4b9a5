//! Lines laid out as rustfmt lays them out, so that the package is formatted as it is made.

/// rustfmt's `max_width`.
const WIDTH: usize = 100;
/// rustfmt's `chain_width` and `fn_call_width`.
const SHORT: usize = 60;

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
    if joined.chars().count() <= SHORT {
        return vec![format!("{pad}{head}({joined}){tail}")];
    }
    let args = args.iter().map(|arg| format!("{pad}    {arg},"));
    std::iter::once(format!("{pad}{head}(")).chain(args).chain([format!("{pad}){tail}")]).collect()
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

/// An array of structure literals: `head[`, each with its fields, `];`. One alone shares the bracket's line.
pub(crate) fn structures(head: &str, ty: &str, items: &[Vec<String>]) -> Vec<String> {
    if let [fields] = items {
        let fields = fields.iter().map(|field| format!("    {field}"));
        let first = format!("{head}[{ty} {{");
        return std::iter::once(first).chain(fields).chain(["}];".into()]).collect();
    }
    let mut lines = vec![format!("{head}[")];
    for fields in items {
        lines.push(format!("    {ty} {{"));
        lines.extend(fields.iter().map(|field| format!("        {field}")));
        lines.push("    },".into());
    }
    lines.push("];".into());
    lines
}
