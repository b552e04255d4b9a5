//! What the parser says about types, compared with what the C compiler says about the same headers.
//!
//! A program is written from the API model, compiled with `cc` and run: sizes, alignments, offsets, bits
//! of bit-fields and values of constants are printed by the compiler's code; signatures are compared
//! while compiling.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use hotcell_header::Job;
use hotcell_model::api::{Api, ConstantValue, Field, Function, Record};
use hotcell_model::types::{CType, Type};

/// Lines the program has to print, and the statements that print them.
#[derive(Default)]
struct Program {
    body: String,
    expected: String,
    checks: usize,
}

impl Program {
    fn print(&mut self, what: &str, expression: &str, expected: u64) {
        self.checks += 1;
        writeln!(self.body, "printf(\"{what} %llu\\n\", (unsigned long long)({expression}));").unwrap();
        writeln!(self.expected, "{what} {expected}").unwrap();
    }

    fn assert(&mut self, condition: &str, what: &str) {
        self.checks += 1;
        writeln!(self.body, "_Static_assert({condition}, \"{what}\");").unwrap();
    }

    fn record(&mut self, key: &str, record: &Record, api: &Api) {
        let (Some(layout), c_name) = (&record.layout, &record.c_name) else {
            return;
        };
        if c_name.is_empty() {
            return; // An anonymous member; its fields are checked with what it is a member of.
        }
        self.print(&format!("{key} size"), &format!("sizeof({c_name})"), layout.size);
        self.print(&format!("{key} align"), &format!("_Alignof({c_name})"), layout.align);
        for (path, field, offset) in fields(record, 0, api) {
            // glibc hides some members behind macros of their own names: `si_fd`.
            writeln!(self.body, "#undef {path}").unwrap();
            let what = format!("{key}.{path}");
            if let Some(width) = field.bit_width {
                let all = if field.ty.kind == Type::Bool { "1" } else { "-1" };
                writeln!(
                    self.body,
                    "{{ union {{ {c_name} r; unsigned char b[sizeof({c_name}) + 1]; }} u; \
                     memset(&u, 0, sizeof u); u.r.{path} = {all}; bits(\"{what}\", u.b, sizeof u.r); }}"
                )
                .unwrap();
                writeln!(self.expected, "{what} {offset} {width}").unwrap();
                self.checks += 1;
                continue;
            }
            self.print(&what, &format!("8 * offsetof({c_name}, {path})"), offset);
            let value = format!("(({c_name} *)0)->{path}");
            if let Some(size) = field.ty.scalar_size() {
                self.print(&format!("{what} size"), &format!("sizeof({value})"), size.into());
            }
            if let Some(signed) = signed(&field.ty) {
                let expression = format!("(__typeof__({value}))-1 < (__typeof__({value}))1");
                self.print(&format!("{what} signed"), &expression, signed.into());
            }
            if let Type::Array { length: Some(length), element } = &field.ty.kind {
                let count = format!("sizeof({value}) / sizeof({})", element.written);
                self.print(&format!("{what} length"), &count, *length);
            }
        }
    }

    fn function(&mut self, function: &Function) {
        let name = &function.name;
        for written in [true, false] {
            let text =
                |ty: &CType| format!("__typeof__({})", if written { &ty.written } else { &ty.canonical });
            let mut params: Vec<String> = function.params.iter().map(|param| text(&param.ty)).collect();
            if function.variadic {
                params.push("...".into());
            } else if params.is_empty() && function.prototyped {
                params.push("void".into());
            }
            let ty = format!("{} ({})", text(&function.result), params.join(", "));
            self.assert(&format!("__builtin_types_compatible_p(__typeof__({name}), {ty})"), name);
        }
    }

    fn constant(&mut self, name: &str, value: &ConstantValue) {
        match value {
            ConstantValue::Int(value) => {
                self.print(name, &format!("({name}) < 0"), u64::from(*value < 0));
                self.print(name, name, *value as u64);
            }
            ConstantValue::Uint(value) => self.print(name, name, *value),
            ConstantValue::Float(value) => {
                self.checks += 1;
                writeln!(self.body, "{{ double d = {name}; printf(\"{name} \"); bytes(&d, sizeof d); }}")
                    .unwrap();
                writeln!(self.expected, "{name} {}", hex(&value.to_ne_bytes())).unwrap();
            }
            ConstantValue::Text(text) => {
                self.checks += 1;
                writeln!(self.body, "printf(\"{name} \"); bytes({name}, sizeof({name}) - 1);").unwrap();
                writeln!(self.expected, "{name} {}", hex(text.as_bytes())).unwrap();
            }
        }
    }

    /// Compiles, runs and compares; the number of checks made.
    fn run(self, headers: &[String]) -> usize {
        let includes: String = headers
            .iter()
            .map(|h| {
                if h.contains('/') && Path::new(h).exists() {
                    format!("#include \"{h}\"\n")
                } else {
                    format!("#include <{h}>\n")
                }
            })
            .collect();
        let source = format!(
            "{includes}#include <stddef.h>\n#include <stdio.h>\n#include <string.h>\n\
             static void bits(const char *what, const unsigned char *b, size_t n) {{\n\
               long first = -1, count = 0;\n\
               for (size_t i = 0; i < 8 * n; i++) if (b[i / 8] >> i % 8 & 1) {{ if (first < 0) first = i; count++; }}\n\
               printf(\"%s %ld %ld\\n\", what, first, count); }}\n\
             static void bytes(const void *p, size_t n) {{\n\
               for (size_t i = 0; i < n; i++) printf(\"%02x\", ((const unsigned char *)p)[i]); puts(\"\"); }}\n\
             int main(void) {{ (void)bits; (void)bytes;\n{}return 0; }}\n",
            self.body
        );
        let dir = tempfile::tempdir().unwrap();
        let (file, binary) = (dir.path().join("check.c"), dir.path().join("check"));
        std::fs::write(&file, &source).unwrap();
        let output = Command::new("cc")
            .args(["-std=gnu17", "-w", "-D_Nonnull="])
            .args([file.as_path(), Path::new("-o"), &binary])
            .output()
            .expect("cc can be started");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "the compiler disagrees:\n{errors}");
        let output = Command::new(&binary).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let printed = String::from_utf8(output.stdout).unwrap();
        let differences: Vec<_> =
            self.expected.lines().zip(printed.lines()).filter(|(ours, theirs)| ours != theirs).collect();
        assert!(differences.is_empty(), "(parser, compiler): {differences:#?}");
        assert_eq!(self.expected.lines().count(), printed.lines().count());
        self.checks
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Fields by the path C reaches them with, those of anonymous members included.
fn fields<'a>(record: &'a Record, base: u64, api: &'a Api) -> Vec<(String, &'a Field, u64)> {
    let fields = record.layout.iter().flat_map(|layout| &layout.fields);
    fields
        .flat_map(|field| match (&field.name, &field.ty.kind) {
            (Some(name), _) => vec![(name.clone(), field, base + field.offset_bits)],
            (None, Type::Record { name }) => self::fields(&api.records[name], base + field.offset_bits, api),
            (None, kind) => panic!("an anonymous member that is no record: {kind:?}"),
        })
        .collect()
}

fn signed(ty: &CType) -> Option<bool> {
    match ty.kind {
        Type::Int { signed, .. } | Type::Enum { signed, .. } => Some(signed),
        _ => None,
    }
}

/// Compares everything these headers declare; the number of checks and the model.
fn compare(headers: &[&str], skip: &[&str]) -> (usize, Api) {
    let headers: Vec<String> = headers.iter().map(|header| header.to_string()).collect();
    let api = hotcell_header::parse(&Job::new(headers.clone())).unwrap_or_else(|error| panic!("{error}"));
    let skip: BTreeSet<&str> = skip.iter().copied().collect();
    let mut program = Program::default();
    for (key, record) in api.records.iter().filter(|(key, _)| !skip.contains(key.as_str())) {
        program.record(key, record, &api);
    }
    for function in api.functions.iter().filter(|function| !skip.contains(function.name.as_str())) {
        program.function(function);
    }
    // Names with two underscores are the compilers' own, and they differ.
    for (name, constant) in api.constants.iter().filter(|(name, _)| !name.starts_with("__")) {
        program.constant(name, &constant.value);
    }
    (program.run(&headers), api)
}

fn fixture(name: &str) -> String {
    format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_zoo_agrees() {
    let (checks, api) = compare(&[&fixture("zoo.h")], COMPILERS);
    assert!(checks > 300, "{checks}");
    assert!(api.records.len() >= 25, "{:?}", api.records.keys());
}

#[test]
fn zlib_agrees() {
    let (checks, _) = compare(&["zlib.h"], COMPILERS);
    assert!(checks > 800, "{checks}");
}

#[test]
fn system_headers_agree() {
    let headers = [
        "stdio.h",
        "stdlib.h",
        "string.h",
        "time.h",
        "math.h",
        "signal.h",
        "sys/stat.h",
        "pthread.h",
        "netdb.h",
    ];
    let (checks, _) = compare(&headers, COMPILERS);
    assert!(checks > 2000, "{checks}");
}

/// What compilers define differently, each for itself.
const COMPILERS: &[&str] = &["max_align_t", "__sigsetjmp"];
