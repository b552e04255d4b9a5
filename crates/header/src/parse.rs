//! One job: headers in, API model out.

use std::collections::{BTreeMap, HashMap, HashSet};

use clang::diagnostic::Severity;
use clang::{Entity, EntityKind, Index, TranslationUnit, Unsaved};
use hotcell_model::api::{Api, Constant};
use hotcell_model::types::{Target, Type};

use crate::comments;
use crate::constants::{self, Macros};
use crate::error::{Diagnostic, Error, ErrorKind};
use crate::functions::Declarations;
use crate::job::{Job, MAIN_FILE, Source};
use crate::origin::{self, Origins};
use crate::spelling;
use crate::toolchain::{self, Toolchain};
use crate::types::{Context, Place, Types};

/// Parses the headers of a job.
pub(crate) fn parse(index: &Index<'_>, toolchain: &Toolchain, job: &Job) -> Result<Api, Error> {
    let source = job.source()?;
    let arguments = [toolchain.arguments.clone(), job.arguments()?].concat();
    let unit = index
        .parser(MAIN_FILE)
        .arguments(&arguments)
        .unsaved(&[Unsaved::new(MAIN_FILE, &source.text)])
        .detailed_preprocessing_record(true)
        .parse()
        .map_err(|error| Error::new(ErrorKind::ParserFailed, format!("libclang failed: {error}")))?;
    check(&unit, job, &source)?;

    let children = unit.get_entity().get_children();
    let origins = Origins::new(&origin::directives(&children), &source, &toolchain.roots);
    let macros = Macros::read(&children, &origins);
    let mut api = walk(&children, &origins);
    api.function_macros = macros.functions.clone();
    for (name, constant) in macros.evaluate(index, &arguments, &source)? {
        api.constants.entry(name).or_insert(constant);
    }
    let target = unit.get_target();
    api.target = Target {
        triple: target.triple,
        pointer_bits: target.pointer_width as u16,
        char_signed: toolchain.char_signed,
    };
    Ok(api)
}

/// Everything but macros and the target.
fn walk<'tu>(children: &[Entity<'tu>], origins: &Origins<'_>) -> Api {
    let mut types = Types {
        origins,
        records: BTreeMap::new(),
        enums: BTreeMap::new(),
        keys: HashMap::new(),
        tags: HashSet::new(),
        unnamed: BTreeMap::new(),
    };
    let mut constants = BTreeMap::new();
    let mut functions = Declarations::default();
    collect_tags(children, &mut types.tags);
    // Typedefs name what has no name, so functions come after all of them.
    for child in children {
        match child.get_kind() {
            EntityKind::FunctionDecl => functions.add(*child),
            EntityKind::TypedefDecl => typedef(*child, &mut types),
            _ => declaration(*child, &mut types, &mut constants),
        }
    }
    let functions = functions.convert(&mut types);
    let Types { records, enums, .. } = types;
    let nowhere = Target {
        triple: String::new(),
        pointer_bits: 0,
        char_signed: false,
    };
    Api {
        target: nowhere,
        functions,
        records,
        enums,
        constants,
        function_macros: BTreeMap::new(),
    }
}

fn collect_tags(entities: &[Entity<'_>], tags: &mut HashSet<String>) {
    for entity in entities {
        if is_tagged(entity) {
            let ty = entity
                .get_type()
                .map(|ty| ty.get_display_name())
                .unwrap_or_default();
            tags.extend(spelling::tag(&ty).map(str::to_owned));
            collect_tags(&entity.get_children(), tags);
        }
    }
}

fn is_tagged(entity: &Entity<'_>) -> bool {
    matches!(
        entity.get_kind(),
        EntityKind::StructDecl | EntityKind::UnionDecl | EntityKind::EnumDecl
    )
}

/// Records and enumerations, and those declared inside of records.
fn declaration<'tu>(
    entity: Entity<'tu>,
    types: &mut Types<'tu, '_>,
    constants: &mut BTreeMap<String, Constant>,
) {
    if !is_tagged(&entity) {
        return;
    }
    // What has no name gets it from the typedef or the member that follows.
    let named = entity
        .get_type()
        .is_some_and(|ty| spelling::unnamed_place(&ty.get_canonical_type().get_display_name()).is_none());
    let context = Context::of(None);
    if entity.get_kind() == EntityKind::EnumDecl {
        constants::add_enumerators(constants, &entity, types.origins);
        if named {
            types.enumeration(entity, &context);
        }
        return;
    }
    if named {
        types.record(entity, &context);
    }
    for child in entity.get_children() {
        declaration(child, types, constants);
    }
}

fn typedef<'tu>(entity: Entity<'tu>, types: &mut Types<'tu, '_>) {
    let Some((name, ty)) = entity.get_name().zip(entity.get_typedef_underlying_type()) else {
        return;
    };
    let place = Place {
        key: format!("{name}.target"),
        expression: Some(format!("*({name} *)0")),
        anonymous: false,
    };
    let converted = types.convert(
        ty,
        &Context {
            declaration: Some(entity),
            place: Some(place),
        },
    );
    // `typedef struct foo foo_t;` may carry the comment that the structure lacks.
    let doc = comments::doc(&entity, types.origins);
    match &converted.kind {
        Type::Record { name: key } => {
            let Some(record) = types.records.get_mut(key) else {
                return;
            };
            record.doc = record.doc.take().or(doc);
            // An attribute behind the typedef's name aligns the typedef, not the structure.
            let align = entity.get_type().and_then(|ty| ty.get_alignof().ok());
            if let (Some(layout), Some(align)) = (&mut record.layout, align)
                && record.c_name == name
            {
                layout.align = align as u64;
            }
        }
        Type::Enum { name: key, .. } => {
            if let Some(value) = types.enums.get_mut(key) {
                value.doc = value.doc.take().or(doc);
            }
        }
        _ => {}
    }
}

/// Fails when libclang reported an error: what it returns then has wrong layouts.
fn check(unit: &TranslationUnit<'_>, job: &Job, source: &Source) -> Result<(), Error> {
    let diagnostics: Vec<Diagnostic> = unit
        .get_diagnostics()
        .into_iter()
        .filter(|diagnostic| diagnostic.get_severity() >= Severity::Error)
        .map(|diagnostic| {
            let place = diagnostic.get_location().get_file_location();
            let file = place.file.map(|file| file.get_path());
            let message = diagnostic.get_text();
            match file {
                Some(file) if origin::is_main(&file) && job.header_of_line(place.line, source).is_some() => {
                    Diagnostic {
                        file: None,
                        line: 0,
                        message,
                    }
                }
                Some(file) if origin::is_main(&file) => Diagnostic {
                    file: Some("prelude".into()),
                    line: place.line,
                    message,
                },
                Some(file) => {
                    let file = Some(file.to_string_lossy().into_owned());
                    Diagnostic {
                        file,
                        line: place.line,
                        message,
                    }
                }
                None => Diagnostic {
                    file: None,
                    line: 0,
                    message,
                },
            }
        })
        .collect();
    if diagnostics.is_empty() {
        Ok(())
    } else {
        Err(explain(diagnostics, job))
    }
}

fn explain(diagnostics: Vec<Diagnostic>, job: &Job) -> Error {
    const BUILTIN: &[&str] = &[
        "stddef.h",
        "stdarg.h",
        "stdbool.h",
        "float.h",
        "limits.h",
        "stdint.h",
    ];
    const LIBRARY: &[&str] = &["stdlib.h", "stdio.h", "string.h", "errno.h", "math.h", "unistd.h"];
    let missing = diagnostics.iter().find_map(|diagnostic| {
        let name = diagnostic
            .message
            .strip_suffix("' file not found")?
            .strip_prefix('\'')?;
        Some((name.to_owned(), diagnostic.file.is_none()))
    });
    let Some((name, asked)) = missing else {
        let count = diagnostics.len();
        let what = format!(
            "{} {} compile: {count} error{}",
            quoted(&job.headers),
            if job.headers.len() == 1 {
                "does not"
            } else {
                "do not"
            },
            if count == 1 { "" } else { "s" }
        );
        return Error::new(ErrorKind::HeaderInvalid, what).at(diagnostics).help(
            "a header must compile by itself as C: define what it expects, include first what it needs, or\n\
             add the C text it needs as the prelude",
        );
    };
    if BUILTIN.contains(&name.as_str()) {
        return toolchain::builtin_missing().at(diagnostics);
    }
    let help = if LIBRARY.contains(&name.as_str()) {
        "install the C library's headers (Debian and Ubuntu: `apt install libc6-dev`)".to_owned()
    } else if job.include_dirs.is_empty() {
        format!(
            "install the package that has `{name}`, or name the directory it is in as an include directory"
        )
    } else {
        let dirs: Vec<_> = job
            .include_dirs
            .iter()
            .map(|dir| dir.display().to_string())
            .collect();
        format!("searched {} and the compiler's own directories", quoted(&dirs))
    };
    let what = if asked {
        format!("header `{name}` was not found")
    } else {
        format!("`{name}`, which {} needs, was not found", quoted(&job.headers))
    };
    let places = diagnostics
        .into_iter()
        .filter(|diagnostic| diagnostic.file.is_some())
        .collect();
    Error::new(ErrorKind::HeaderNotFound, what).at(places).help(help)
}

fn quoted(names: &[String]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_headers_are_told_apart() {
        for (name, kind, part) in [
            (
                "stddef.h",
                ErrorKind::BuiltinHeadersMissing,
                "libclang-common-19-dev",
            ),
            ("stdio.h", ErrorKind::HeaderNotFound, "libc6-dev"),
            (
                "foo/bar.h",
                ErrorKind::HeaderNotFound,
                "the package that has `foo/bar.h`",
            ),
        ] {
            let place = Some("/usr/include/a.h".into());
            let diagnostic = Diagnostic {
                file: place,
                line: 3,
                message: format!("'{name}' file not found"),
            };
            let error = explain(vec![diagnostic], &Job::new(["a.h"]));
            assert_eq!(error.kind, kind);
            assert!(error.help.as_ref().unwrap().contains(part), "{error}");
            assert_eq!(error.diagnostics.len(), 1);
        }
    }
}
