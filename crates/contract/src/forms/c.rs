//! The C text of added functions, and how the C of a contract is read.

use hotcell_model::api::Function;

use crate::forms::ways::Way;

/// The head of a function.
pub(super) struct Written {
    pub(super) result: String,
    pub(super) params: Vec<Param>,
    /// Where it returns what the function hands out by a parameter: how.
    pub(super) handed: Option<Handed>,
}

/// What is returned in place of what the function returns.
pub(super) struct Handed {
    /// The variable that it is in.
    pub(super) local: String,
    /// What the function itself returns, and the parameter that it goes to; none where it returns nothing.
    pub(super) own: Option<(String, &'static str)>,
}

/// A parameter.
pub(super) struct Param {
    pub(super) name: String,
    /// Its declaration.
    pub(super) text: String,
}

impl Written {
    pub(super) fn names(&self) -> Vec<String> {
        self.params.iter().map(|param| param.name.clone()).collect()
    }
}

impl Param {
    /// A parameter of a type that is spelled without a name.
    pub(super) fn of(ty: &str, name: &str) -> Param {
        Param { name: name.to_owned(), text: pointed(ty, name) }
    }
}

/// A declaration of what is called `name`, of a type that is spelled without it.
pub(super) fn pointed(ty: &str, name: &str) -> String {
    match ty.find("(*") {
        Some(at) => format!("{}{name}{}", &ty[..at + 2], &ty[at + 2..]),
        None if ty.ends_with('*') => format!("{ty}{name}"),
        None => format!("{ty} {name}"),
    }
}

/// What is called in C: the function by its name, or, where that is declared without a prototype, as what takes these parameters.
/// Without the cast numbers would be passed as they are to a function of which nothing is known.
pub(super) fn callee(function: &Function, written: &Written) -> String {
    if function.prototyped {
        return function.name.clone();
    }
    let params: Vec<&str> = written.params.iter().map(|param| param.text.as_str()).collect();
    let params = if params.is_empty() { "void".to_owned() } else { params.join(", ") };
    format!("({}){}", pointed(&function.result.written, &format!("(*)({params})")), function.name)
}

/// Reads `RESULT NAME(PARAMETERS)`.
pub(super) fn prototype(text: &str, name: &str) -> Result<Written, String> {
    let text = text.trim().trim_end_matches(';').trim_end();
    let starts = text.match_indices(name).map(|(at, _)| at);
    let is_word = |at: &usize| {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let behind = text[at + name.len()..].trim_start();
        !text[..*at].ends_with(word) && behind.starts_with('(')
    };
    let at = { starts }.find(is_word).ok_or_else(|| format!("it does not declare `{name}(…)`"))?;
    let result = text[..at].trim().to_owned();
    if result.is_empty() {
        return Err("it does not say what it returns".to_owned());
    }
    let inner = text[at + name.len()..].trim_start();
    let inner = inner.strip_prefix('(').and_then(|inner| inner.strip_suffix(')'));
    let inner = inner.ok_or("it does not end behind its parameters")?;
    plain(&result)?;
    let params = if inner.trim() == "void" { Vec::new() } else { params(inner)? };
    Ok(Written { result, params, handed: None })
}

/// Reads parameters, separated by commas.
pub(super) fn params(text: &str) -> Result<Vec<Param>, String> {
    plain(text)?;
    let (mut depth, mut start, mut parts) = (0_u32, 0, Vec::new());
    for (at, letter) in text.char_indices() {
        match letter {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.checked_sub(1).ok_or("a bracket is not opened")?,
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    if depth > 0 {
        return Err("a bracket is not closed".to_owned());
    }
    parts.push(&text[start..]);
    let parts: Vec<&str> = parts.into_iter().map(str::trim).collect();
    if parts == [""] {
        return Ok(Vec::new());
    }
    let param = |part: &str| match name_of(part) {
        Some(name) => Ok(Param { name: name.to_owned(), text: part.to_owned() }),
        None if part == "..." => Err("`...` does not say which arguments there are".to_owned()),
        None => Err(format!("`{part}` has no name")),
    };
    parts.into_iter().map(param).collect()
}

/// Text that cannot be anything but types and names.
fn plain(text: &str) -> Result<(), String> {
    let known = |c: char| c.is_ascii_alphanumeric() || "_*()[], .".contains(c);
    match text.chars().find(|c| !known(*c)) {
        Some(letter) => Err(format!("it has {letter:?} in it")),
        None => Ok(()),
    }
}

/// The name in a declaration of a parameter.
fn name_of(part: &str) -> Option<&str> {
    const TYPES: &[&str] = &[
        "int", "char", "short", "long", "unsigned", "signed", "float", "double", "void", "const", "_Bool",
        "bool", "struct", "union", "enum", "volatile",
    ];
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let declared = match part.find("(*") {
        Some(at) => {
            let inner = part[at + 2..].trim_start();
            &inner[..inner.find(|c| !word(c))?]
        }
        None => {
            let before = part.split('[').next().unwrap_or(part).trim_end();
            let start = before.rfind(|c| !word(c))? + 1;
            &before[start..]
        }
    };
    let named = !declared.is_empty()
        && !declared.starts_with(|c: char| c.is_ascii_digit())
        && !TYPES.contains(&declared);
    named.then_some(declared)
}

/// The definition of a function that calls another one, on one line.
pub(super) fn function(
    name: &str,
    written: &Written,
    called: &str,
    args: &[String],
    ways: &[Way],
    doc: &str,
) -> String {
    let way = |name: &str| ways.iter().find(|way| way.param == name);
    let passed =
        |name: &str| ways.iter().find_map(|way| way.other.as_ref().filter(|(other, _)| other == name));
    let params = written.params.iter().filter(|param| passed(&param.name).is_none());
    let params = params.map(|param| way(&param.name).map_or(&param.text, |way| &way.declared).clone());
    let more = written.handed.as_ref().and_then(|handed| handed.own.as_ref());
    let more = more.map(|(ty, name)| pointed(&format!("{ty} *"), name));
    let params: Vec<String> = params.chain(more).filter(|text| !text.is_empty()).collect();
    let params = if params.is_empty() { "void".to_owned() } else { params.join(", ") };
    let comment = if doc.is_empty() { String::new() } else { format!("{} ", comment(doc)) };
    // In parentheses a name is not that of a macro.
    let head = format!("{comment}static inline {}", pointed(&written.result, &format!("({name})({params})")));
    let arg = |arg: &String| match (way(arg), passed(arg)) {
        (Some(way), _) => way.arg.clone(),
        (None, Some((_, other))) => other.clone(),
        (None, None) => arg.clone(),
    };
    let args: Vec<String> = args.iter().map(arg).collect();
    let callee = if called == name { called.to_owned() } else { format!("({called})") };
    let call = format!("{callee}({})", args.join(", "));
    let returns = written.result.trim() != "void";
    if ways.iter().all(|way| way.before.is_empty() && way.after.is_empty()) {
        return format!("{head} {{ {}{call}; }}", if returns { "return " } else { "" });
    }
    let mut body: String = ways.iter().map(|way| way.before.as_str()).collect();
    let between: String = ways.iter().map(|way| way.between.as_str()).collect();
    if !between.is_empty() {
        // What the first call leaves in `errno` says nothing about the second.
        body.push_str(&format!("(void){call}; {between}errno = 0; "));
    }
    match &written.handed {
        Some(Handed { own: Some((ty, name)), local }) => {
            body.push_str(&format!(
                "{} = {call}; if ({name} != 0) *{name} = hotcell_own; ",
                pointed(ty, "hotcell_own")
            ));
            body.push_str(&format!("{} = {local}; ", pointed(&written.result, "hotcell_returned")));
        }
        Some(Handed { own: None, local }) => {
            body.push_str(&format!("{call}; {} = {local}; ", pointed(&written.result, "hotcell_returned")));
        }
        None if returns => {
            body.push_str(&format!("{} = {call}; ", pointed(&written.result, "hotcell_returned")))
        }
        None => body.push_str(&format!("{call}; ")),
    }
    ways.iter().for_each(|way| body.push_str(&way.after));
    if returns {
        body.push_str("return hotcell_returned; ");
    }
    format!("{head} {{ {body}}}")
}

/// A comment about the function behind it, on one line.
pub(super) fn comment(doc: &str) -> String {
    let text: Vec<&str> = doc.split_whitespace().collect();
    format!("/** {} */", text.join(" ").replace("*/", "* /").replace("/*", "/ *"))
}
