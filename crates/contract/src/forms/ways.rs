//! Parameters that travel otherwise than the library takes them: how the C of an added function makes one of the other.

use hotcell_model::api::{Api, Function};
use hotcell_model::interface::Direction;
use hotcell_model::types::{CType, Type};

use crate::contract::{Stream, StreamLine, after_of, read_of, size_of};
use crate::diagnostic::Diagnostic;
use crate::forms::c::pointed;
use crate::forms::with;
use crate::suggest::did_you_mean;

/// What becomes of a parameter in C.
pub(super) struct Way {
    /// The parameter.
    pub(super) param: String,
    /// The parameters that stand in its place.
    pub(super) declared: String,
    /// A parameter that is not there any more, and what the function gets for it.
    pub(super) other: Option<(String, String)>,
    /// Statements before the call.
    pub(super) before: String,
    /// Statements between two calls, where the function is called twice.
    pub(super) between: String,
    /// What the function gets.
    pub(super) arg: String,
    /// Statements behind the call.
    pub(super) after: String,
}

/// How a line has a parameter of a function travel, whose parameters have these names.
pub(super) fn of(
    api: &Api,
    function: &Function,
    own: &[String],
    line: &StreamLine,
) -> Result<Way, Box<Diagnostic>> {
    let name = line.param.value.as_str();
    let ty = &function.params[position(function, own, &line.param)?].ty;
    let wrong = |why: &str| {
        let message = format!("`{name}` is `{}`: {why}", ty.written);
        Box::new(Diagnostic::error(message).at(line.param.span.clone()))
    };
    if let Some(why) = unfit(ty, line.stream) {
        return Err(wrong(why));
    }
    let size = size_of(name);
    let local = format!("hotcell_{name}");
    let way = |declared: String, before: String, arg: String, after: String| Way {
        param: name.to_owned(),
        declared,
        other: None,
        before,
        between: String::new(),
        arg,
        after,
    };
    let data = match line.direction {
        Direction::In => format!("const unsigned char *{name}, size_t {size}"),
        _ => format!("unsigned char **{name}, size_t *{size}"),
    };
    let inner = ty.pointee().map_or(ty, |(inner, _)| inner);
    let found = match (line.stream, line.direction) {
        (Stream::File, direction) => {
            let how = if direction == Direction::In { "of" } else { "to" };
            let before = format!("FILE *{local} = hotcell_file_{how}({name}, {size}); ");
            let after = format!("hotcell_file_end({local}); ");
            way(data, before, local, after)
        }
        (Stream::Descriptor, Direction::In) if line.kept => {
            if function.result.pointee().is_none() {
                let message = format!("`{}` returns no object that could keep a descriptor", function.name);
                return Err(Box::new(Diagnostic::error(message).at(line.param.span.clone())));
            }
            let id = format!("hotcell_id_of_{name}");
            let before = format!(
                "int {local} = hotcell_descriptor_of({name}, {size}); struct hotcell_file_id {id} = hotcell_descriptor_id({local}); "
            );
            let after = format!("if (hotcell_returned == NULL) hotcell_descriptor_back({local}, {id}); ");
            way(data, before, local, after)
        }
        (Stream::Descriptor, Direction::In) => {
            let before = format!("int {local} = hotcell_descriptor_of({name}, {size}); ");
            let after = format!("hotcell_descriptor_end({local}); ");
            way(data, before, local, after)
        }
        (Stream::Descriptor, _) => {
            let before = format!("int {local} = hotcell_descriptor_to({name}, {size}); ");
            let after = format!("hotcell_descriptor_read({local}, {name}, {size}); ");
            way(data, before, local, after)
        }
        (Stream::Address, _) => {
            way(pointed(&inner.written, name), String::new(), format!("&{name}"), String::new())
        }
        (Stream::Part, _) => {
            let (pointer, field) = with::part(api, ty, line)?;
            way(pointed(&pointer, name), String::new(), format!("&{name}->{field}"), String::new())
        }
        (Stream::Fields, _) => {
            let help = format!("add `with.{name} = \"…\"`, the fields that callers pass, as C declares them");
            let message = format!("nothing says which fields `{name}` is made of");
            return Err(Box::new(Diagnostic::error(message).at(line.param.span.clone()).help(help)));
        }
        (Stream::Text, _) => {
            let declared =
                format!("const {}, {}", pointed(&ty.written, name), pointed("char **", &after_of(name)));
            let before = format!(
                "{} = ({})hotcell_text_of((const char *){name}); ",
                pointed(&ty.written, &local),
                ty.written
            );
            let after =
                format!("*{} = hotcell_text_after((const char *){name}, (char *){local}); ", after_of(name));
            way(declared, before, local, after)
        }
        (Stream::Range, _) => {
            let (end, end_type) = other(function, own, line)?;
            if end_type.canonical != ty.canonical {
                return Err(wrong(&format!("`{end}`, its end, is `{}`", end_type.written)));
            }
            let declared = format!("{}, size_t {size}", pointed(&ty.written, name));
            let found = way(declared, String::new(), name.to_owned(), String::new());
            Way { other: Some((end, format!("{name} + {size}"))), ..found }
        }
        (Stream::Measured, _) => {
            let (length, counted) = other(function, own, line)?;
            let Some((integer, false)) = counted.pointee().filter(|(integer, _)| integer.is_integer()) else {
                return Err(wrong(&format!("`{length}`, its length, is `{}`", counted.written)));
            };
            let (left, most) = (format!("hotcell_{length}"), format!("hotcell_most_{name}"));
            let integer = &integer.written;
            let element = if line.in_bytes || inner.kind == Type::Void {
                "1".into()
            } else {
                format!("sizeof *{local}")
            };
            let before = format!("{} = NULL; {integer} {left} = 0; ", pointed(&ty.written, &local));
            let between = format!(
                "size_t {most} = {left} > 0 ? (size_t){left} : 0; {local} = ({})hotcell_measured(&{most}, {element}); {left} = ({integer}){most}; ",
                ty.written
            );
            // What it says behind a failure may be more than there is.
            let after =
                format!("*{name} = {local}; *{size} = (size_t){left} <= {most} ? (ptrdiff_t){left} : -1; ");
            let declared = format!("{}, ptrdiff_t *{size}", pointed(&format!("{} *", ty.written), name));
            let found = way(declared, before, local, after);
            Way { other: Some((length, format!("&{left}"))), between, ..found }
        }
        (Stream::Cursor, direction) => {
            let (length, counted) = other(function, own, line)?;
            let behind = counted.pointee().map(|(integer, _)| integer);
            let integer = behind.unwrap_or(&counted);
            let read_only = counted.pointee().is_some_and(|(_, constant)| constant);
            if !integer.is_integer() || read_only || (behind.is_none() && direction == Direction::Out) {
                return Err(wrong(&format!("`{length}`, its length, is `{}`", counted.written)));
            }
            let left = format!("hotcell_{length}");
            let start = format!("{} = {name}; ", pointed(&inner.written, &local));
            let moved = format!("(const char *){local} - (const char *){name}");
            let integer = &integer.written;
            let (declared, given, after) = match direction {
                Direction::In => {
                    let read = read_of(name);
                    let declared =
                        format!("{}, {integer} {size}, size_t *{read}", pointed(&inner.written, name));
                    let after = format!("*{read} = hotcell_moved({moved}, (size_t){size}); ");
                    (declared, size, after)
                }
                _ => {
                    let declared = format!("{}, {integer} *{size}", pointed(&inner.written, name));
                    let after = format!("*{size} = ({integer})hotcell_moved({moved}, (size_t)*{size}); ");
                    (declared, format!("*{size}"), after)
                }
            };
            let (before, passed) = match behind {
                Some(_) => (format!("{start}{integer} {left} = {given}; "), format!("&{left}")),
                None => (start, given),
            };
            let found = way(declared, before, format!("&{local}"), after);
            Way { other: Some((length, passed)), ..found }
        }
    };
    Ok(found)
}

pub(super) fn position(
    function: &Function,
    own: &[String],
    name: &crate::document::Text,
) -> Result<usize, Box<Diagnostic>> {
    own.iter().position(|param| *param == name.value).ok_or_else(|| {
        let message = format!("`{}` has no parameter `{}`", function.name, name.value);
        let help = did_you_mean(&name.value, own.iter().map(String::as_str));
        Box::new(Diagnostic::error(message).at(name.span.clone()).help(help))
    })
}

/// The parameter that belongs to this one, and its type.
fn other(function: &Function, own: &[String], line: &StreamLine) -> Result<(String, CType), Box<Diagnostic>> {
    let name = line.other.as_ref().unwrap_or(&line.param);
    let index = position(function, own, name)?;
    Ok((name.value.clone(), function.params[index].ty.clone()))
}

/// Why a parameter of this type does not travel so.
fn unfit(ty: &CType, stream: Stream) -> Option<&'static str> {
    let pointed = ty.pointee().map(|(pointee, _)| pointee);
    let inner = pointed.and_then(CType::pointee).map(|(inner, _)| inner);
    let changed = ty.pointee().is_some_and(|(letter, constant)| !constant && is_letter(letter));
    let (fits, why) = match stream {
        Stream::File => (is_file(ty), "a file is a `FILE *`"),
        Stream::Descriptor => (ty.canonical == "int", "a descriptor is an `int`"),
        Stream::Address => (inner.is_some(), "what has the address of a variable is a pointer to a pointer"),
        Stream::Fields => (pointed.is_some(), "what is made of fields is a structure that is pointed to"),
        Stream::Part => (pointed.is_some(), "a part of an object is a structure that is pointed to"),
        Stream::Cursor => {
            let why = "what moves is a pointer to bytes, and this has the address of none";
            (inner.is_some_and(CType::is_byte), why)
        }
        Stream::Measured => {
            let filled =
                ty.pointee().is_some_and(|(pointee, constant)| !constant && pointee.element_size().is_some());
            (filled, "memory that is filled is a pointer to numbers or bytes that are not `const`")
        }
        Stream::Range => {
            let numbers = pointed.is_some_and(|pointee| pointee.scalar_size().is_some());
            (numbers, "a range begins at a pointer to numbers or characters")
        }
        Stream::Text => (changed, "a text that is changed is a pointer to characters that are not `const`"),
    };
    (!fits).then_some(why)
}

/// Whether a type is that of C's streams.
pub(crate) fn is_file(ty: &CType) -> bool {
    ty.pointee().and_then(|(pointee, _)| pointee.record()) == Some("_IO_FILE")
}

fn is_letter(ty: &CType) -> bool {
    ty.is_byte() && ty.kind != Type::Void
}

/// What such parameters need, in C, each once.
pub(super) fn needs(streams: impl Iterator<Item = Stream>) -> impl Iterator<Item = &'static str> {
    let mut found: Vec<&'static [&'static str]> = Vec::new();
    for stream in streams {
        let lines = match stream {
            Stream::File | Stream::Descriptor => STREAMS,
            Stream::Cursor => CURSORS,
            Stream::Text => TEXTS,
            Stream::Range => SIZES,
            Stream::Measured => MEASURED,
            Stream::Address | Stream::Fields | Stream::Part => &[],
        };
        if !found.contains(&lines) {
            found.push(lines);
        }
    }
    found.into_iter().flatten().copied()
}

/// How much data there is.
const SIZES: &[&str] = &["#include <stddef.h>"];

/// Memory of a size that the function has said. Where there is none of that size it gets none, and says what becomes of that.
const MEASURED: &[&str] = &[
    "#include <errno.h>",
    "#include <stddef.h>",
    "#include <stdio.h>",
    "#include <stdlib.h>",
    "static __attribute__((unused)) void *hotcell_measured(size_t *count, size_t size) { void *memory = calloc(*count == 0 ? 1 : *count, size); if (memory == NULL) { *count = 0; memory = calloc(1, size); } if (memory == NULL) { fputs(\"hotcell: no memory at all\\n\", stderr); abort(); } return memory; }",
];

/// Where a pointer that was moved on may be.
const CURSORS: &[&str] = &[
    "#include <stddef.h>",
    "#include <stdio.h>",
    "#include <stdlib.h>",
    "static __attribute__((unused)) size_t hotcell_moved(ptrdiff_t by, size_t most) { if (by < 0 || (size_t)by > most) { fputs(\"hotcell: a pointer was moved out of its data\\n\", stderr); abort(); } return (size_t)by; }",
];

/// Texts that are changed where they are: the function has a copy.
const TEXTS: &[&str] = &[
    "#include <stdio.h>",
    "#include <stdlib.h>",
    "#include <string.h>",
    "static __attribute__((unused)) char *hotcell_text_of(const char *text) { if (text == NULL) return NULL; size_t size = strlen(text) + 1; char *copy = (char *)malloc(size); if (copy == NULL) { fputs(\"hotcell: no memory for a text\\n\", stderr); abort(); } memcpy(copy, text, size); return copy; }",
    "static __attribute__((unused)) char *hotcell_text_after(const char *text, char *copy) { if (text == NULL) return NULL; if (memchr(copy, 0, strlen(text) + 1) == NULL) { fputs(\"hotcell: a text became longer in place\\n\", stderr); abort(); } return copy; }",
];

/// What streams need, in C: files of data in memory.
const STREAMS: &[&str] = &[
    "#include <errno.h>",
    "#include <stdint.h>",
    "#include <stdio.h>",
    "#include <stdlib.h>",
    "#include <sys/stat.h>",
    "#include <unistd.h>",
    "extern int memfd_create(const char *, unsigned int);",
    "static __attribute__((unused, noreturn)) void hotcell_no_stream(void) { perror(\"hotcell: a stream in memory\"); abort(); }",
    "static __attribute__((unused)) FILE *hotcell_file_of(const void *data, size_t size) { FILE *file = fmemopen((void *)(uintptr_t)data, size, \"r\"); if (file == NULL) hotcell_no_stream(); return file; }",
    "static __attribute__((unused)) FILE *hotcell_file_to(unsigned char **data, size_t *size) { FILE *file = open_memstream((char **)data, size); if (file == NULL) hotcell_no_stream(); return file; }",
    "static __attribute__((unused)) void hotcell_file_end(FILE *file) { int number = errno; if (fclose(file) != 0) hotcell_no_stream(); errno = number; }",
    "static __attribute__((unused)) int hotcell_descriptor_to(unsigned char **data, size_t *size) { int file = memfd_create(\"hotcell\", 1u); if (file < 0) hotcell_no_stream(); *data = NULL; *size = 0; return file; }",
    "static __attribute__((unused)) int hotcell_descriptor_of(const void *data, size_t size) { int file = memfd_create(\"hotcell\", 1u); if (file < 0) hotcell_no_stream(); for (size_t at = 0; at < size;) { ssize_t more = write(file, (const char *)data + at, size - at); if (more < 0) hotcell_no_stream(); at += (size_t)more; } if (lseek(file, 0, SEEK_SET) != 0) hotcell_no_stream(); return file; }",
    "struct hotcell_file_id { int there; dev_t device; ino_t number; };",
    "static __attribute__((unused)) struct hotcell_file_id hotcell_descriptor_id(int file) { struct stat seen; struct hotcell_file_id none = {0, 0, 0}; if (fstat(file, &seen) != 0) return none; struct hotcell_file_id id = {1, seen.st_dev, seen.st_ino}; return id; }",
    "static __attribute__((unused)) void hotcell_descriptor_back(int file, struct hotcell_file_id id) { int number = errno; struct hotcell_file_id now = hotcell_descriptor_id(file); if (now.there && id.there && now.device == id.device && now.number == id.number) close(file); errno = number; }",
    "static __attribute__((unused)) void hotcell_descriptor_end(int file) { int number = errno; close(file); errno = number; }",
    "static __attribute__((unused)) void hotcell_descriptor_read(int file, unsigned char **data, size_t *size) { int number = errno; off_t end = lseek(file, 0, SEEK_END); if (end < 0 || lseek(file, 0, SEEK_SET) != 0) hotcell_no_stream(); *data = (unsigned char *)malloc((size_t)end + 1); if (*data == NULL) hotcell_no_stream(); for (*size = 0; *size < (size_t)end;) { ssize_t more = read(file, *data + *size, (size_t)end - *size); if (more <= 0) hotcell_no_stream(); *size += (size_t)more; } close(file); errno = number; }",
];

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::STREAMS;

    /// The roots of two file systems have one number there.
    const PROGRAM: &str = r#"
#define _GNU_SOURCE
#include <fcntl.h>
LINES
static int is_open(int file) { return fcntl(file, F_GETFD) >= 0; }
int main(void)
{
    int own = open("/proc", O_RDONLY), other = open("/sys", O_RDONLY), again = dup(own);
    struct hotcell_file_id id = hotcell_descriptor_id(own), another = hotcell_descriptor_id(other);
    if (!id.there || !another.there || id.number != another.number || id.device == another.device) {
        return 2;
    }
    /* The library has closed the descriptor, and has a file of its own by its number. */
    if (dup2(other, own) != own) {
        return 3;
    }
    hotcell_descriptor_back(own, id);
    if (!is_open(own)) {
        return 1;
    }
    if (dup2(again, own) != own) {
        return 3;
    }
    hotcell_descriptor_back(own, id);
    return is_open(own) ? 4 : 0;
}
"#;

    #[test]
    fn a_file_of_the_librarys_own_stays_open_whatever_number_it_has() {
        let folder = std::env::temp_dir().join(format!("hotcell-ways-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("there is room for a folder");
        let (source, program) = (folder.join("main.c"), folder.join("main"));
        std::fs::write(&source, PROGRAM.replace("LINES", &STREAMS.join("\n"))).expect("the folder is ours");
        let cc = Command::new("cc").arg("-o").arg(&program).arg(&source).status();
        assert!(cc.expect("there is a C compiler").success());
        let status = Command::new(&program).status().expect("it was just compiled");
        std::fs::remove_dir_all(&folder).expect("the folder is ours");
        assert_eq!(status.code(), Some(0));
    }
}
