//! The C text of added functions, and how the C of a contract is read.

use hotcell_model::interface::Direction;
use hotcell_model::types::CType;

use crate::contract::{Stream, StreamLine, size_of};

/// The head of a function.
pub(super) struct Written {
    pub(super) result: String,
    pub(super) params: Vec<Param>,
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
    Ok(Written { result, params })
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
    streams: &[StreamLine],
    doc: &str,
) -> String {
    let address =
        |name: &str| streams.iter().any(|line| line.param.value == name && line.stream == Stream::Address);
    let streams: Vec<&StreamLine> = streams.iter().filter(|line| line.stream != Stream::Address).collect();
    let stream = |name: &str| streams.iter().find(|line| line.param.value == name);
    let params = written.params.iter().map(|param| match stream(&param.name) {
        Some(StreamLine { direction: Direction::In, .. }) => {
            format!("const unsigned char *{0}, size_t {1}", param.name, size_of(&param.name))
        }
        Some(_) => format!("unsigned char **{0}, size_t *{1}", param.name, size_of(&param.name)),
        None => param.text.clone(),
    });
    let params: Vec<String> = params.collect();
    let params = if params.is_empty() { "void".to_owned() } else { params.join(", ") };
    // In parentheses a name is not that of a macro.
    let head = format!(
        "{} static inline {}",
        comment(doc),
        pointed(&written.result, &format!("({name})({params})"))
    );
    let args: Vec<String> = args
        .iter()
        .map(|arg| match stream(arg) {
            Some(_) => format!("hotcell_{arg}"),
            None if address(arg) => format!("&{arg}"),
            None => arg.clone(),
        })
        .collect();
    let callee = if called == name { called.to_owned() } else { format!("({called})") };
    let call = format!("{callee}({})", args.join(", "));
    let returns = written.result.trim() != "void";
    if streams.is_empty() {
        return format!("{head} {{ {}{call}; }}", if returns { "return " } else { "" });
    }
    let mut body = String::new();
    for line in &streams {
        let name = &line.param.value;
        let (ty, kind) = match line.stream {
            Stream::Descriptor => ("int ", "descriptor"),
            _ => ("FILE *", "file"),
        };
        let way = if line.direction == Direction::In { "of" } else { "to" };
        body.push_str(&format!("{ty}hotcell_{name} = hotcell_{kind}_{way}({name}, {}); ", size_of(name)));
    }
    match returns {
        true => body.push_str(&format!("{} = {call}; ", pointed(&written.result, "hotcell_returned"))),
        false => body.push_str(&format!("{call}; ")),
    }
    for line in &streams {
        let name = &line.param.value;
        body.push_str(&match (line.stream, line.direction) {
            (Stream::File | Stream::Address, _) => format!("hotcell_file_end(hotcell_{name}); "),
            (Stream::Descriptor, Direction::In) => format!("hotcell_descriptor_end(hotcell_{name}); "),
            (Stream::Descriptor, _) => {
                format!("hotcell_descriptor_read(hotcell_{name}, {name}, {}); ", size_of(name))
            }
        });
    }
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

/// Why a parameter of this type is no such stream.
pub(super) fn no_stream(ty: &CType, stream: Stream) -> Option<&'static str> {
    let pointer = |ty: &CType| ty.pointee().is_some();
    match stream {
        Stream::File => (!ty.canonical.contains("_IO_FILE")).then_some("a file is a `FILE *`"),
        Stream::Descriptor => (ty.canonical != "int").then_some("a descriptor is an `int`"),
        Stream::Address => (!ty.pointee().is_some_and(|(object, _)| pointer(object)))
            .then_some("what has the address of a variable is a pointer to a pointer"),
    }
}

/// What streams need, in C: files of data in memory.
pub(super) const STREAMS: &[&str] = &[
    "#include <errno.h>",
    "#include <stdint.h>",
    "#include <stdio.h>",
    "#include <stdlib.h>",
    "#include <unistd.h>",
    "extern int memfd_create(const char *, unsigned int);",
    "static __attribute__((unused, noreturn)) void hotcell_no_stream(void) { perror(\"hotcell: a stream in memory\"); abort(); }",
    "static __attribute__((unused)) FILE *hotcell_file_of(const void *data, size_t size) { FILE *file = fmemopen((void *)(uintptr_t)data, size, \"r\"); if (file == NULL) hotcell_no_stream(); return file; }",
    "static __attribute__((unused)) FILE *hotcell_file_to(unsigned char **data, size_t *size) { FILE *file = open_memstream((char **)data, size); if (file == NULL) hotcell_no_stream(); return file; }",
    "static __attribute__((unused)) void hotcell_file_end(FILE *file) { int number = errno; if (fclose(file) != 0) hotcell_no_stream(); errno = number; }",
    "static __attribute__((unused)) int hotcell_descriptor_to(unsigned char **data, size_t *size) { int file = memfd_create(\"hotcell\", 1u); if (file < 0) hotcell_no_stream(); *data = NULL; *size = 0; return file; }",
    "static __attribute__((unused)) int hotcell_descriptor_of(const void *data, size_t size) { int file = memfd_create(\"hotcell\", 1u); if (file < 0) hotcell_no_stream(); for (size_t at = 0; at < size;) { ssize_t more = write(file, (const char *)data + at, size - at); if (more < 0) hotcell_no_stream(); at += (size_t)more; } if (lseek(file, 0, SEEK_SET) != 0) hotcell_no_stream(); return file; }",
    "static __attribute__((unused)) void hotcell_descriptor_end(int file) { int number = errno; close(file); errno = number; }",
    "static __attribute__((unused)) void hotcell_descriptor_read(int file, unsigned char **data, size_t *size) { int number = errno; off_t end = lseek(file, 0, SEEK_END); if (end < 0 || lseek(file, 0, SEEK_SET) != 0) hotcell_no_stream(); *data = (unsigned char *)malloc((size_t)end + 1); if (*data == NULL) hotcell_no_stream(); for (*size = 0; *size < (size_t)end;) { ssize_t more = read(file, *data + *size, (size_t)end - *size); if (more <= 0) hotcell_no_stream(); *size += (size_t)more; } close(file); errno = number; }",
];
