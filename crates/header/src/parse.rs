//! One job: headers in, API model out.

use std::collections::{BTreeMap, HashMap, HashSet};

use clang::{Entity, EntityKind, Index, Unsaved};
use hotcell_model::api::{Api, Constant};
use hotcell_model::types::{Target, Type};

use crate::comments;
use crate::constants::{self, Macros};
use crate::diagnose;
use crate::error::{Error, ErrorKind};
use crate::functions::Declarations;
use crate::job::{Job, MAIN_FILE, Source};
use crate::origin::{self, Origins};
use crate::spelling;
use crate::sugar::Sugars;
use crate::toolchain::Toolchain;
use crate::types::{Context, Place, Types};
use crate::variables;

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
    diagnose::check(&unit, job, &source)
        .map_err(|error| of_prelude(index, &arguments, job).unwrap_or(error))?;

    let children = unit.get_entity().get_children();
    let origins = Origins::new(&origin::directives(&children), &source, &toolchain.roots);
    let macros = Macros::read(&children, &origins);
    let mut api = walk(&children, &origins)?;
    api.function_macros = macros.functions.clone();
    api.initializers = macros.initializers.clone();
    for (name, constant) in macros.evaluate(index, &arguments, &source)? {
        api.constants.entry(name).or_insert(constant);
    }
    let target = unit.get_target();
    api.target = Target {
        triple: target.triple,
        pointer_bits: target.pointer_width as u16,
        char_signed: toolchain.char_signed,
    };
    api.leave_out_flaws();
    Ok(api)
}

/// What is wrong with the prelude alone, if something is.
fn of_prelude(index: &Index<'_>, arguments: &[String], job: &Job) -> Option<Error> {
    let job = Job { headers: Vec::new(), added: Vec::new(), ..job.clone() };
    let text = format!("{}\n", job.prelude.as_ref()?);
    let source = Source { prelude_lines: text.lines().count() as u32, headers: 0, text };
    let mut parser = index.parser(MAIN_FILE);
    parser.arguments(arguments).unsaved(&[Unsaved::new(MAIN_FILE, &source.text)]);
    diagnose::check(&parser.parse().ok()?, &job, &source).err()
}

/// Everything but macros and the target.
fn walk<'tu>(children: &[Entity<'tu>], origins: &Origins<'_>) -> Result<Api, Error> {
    let mut types = Types {
        origins,
        records: BTreeMap::new(),
        enums: BTreeMap::new(),
        keys: HashMap::new(),
        tags: HashSet::new(),
        unnamed: BTreeMap::new(),
        sugars: Sugars::default(),
        parts: HashMap::new(),
        too_many: None,
    };
    let mut constants = BTreeMap::new();
    let mut functions = Declarations::default();
    let mut variables = Vec::new();
    collect_tags(children, &mut types.tags);
    // Typedefs name what has no name, so functions come after all of them.
    for child in children {
        match child.get_kind() {
            EntityKind::FunctionDecl => functions.add(*child),
            EntityKind::VarDecl => variables.push(*child),
            EntityKind::TypedefDecl => typedef(*child, &mut types),
            _ => declaration(*child, &mut types, &mut constants),
        }
    }
    let functions = functions.convert(&mut types);
    let variables = variables::convert(&variables, &mut types);
    let Types { records, enums, too_many, .. } = types;
    if let Some(error) = too_many {
        return Err(error);
    }
    let nowhere = Target { triple: String::new(), pointer_bits: 0, char_signed: false };
    let (function_macros, initializers) = (BTreeMap::new(), BTreeMap::new());
    Ok(Api {
        target: nowhere,
        functions,
        records,
        enums,
        constants,
        function_macros,
        initializers,
        variables,
        left_out: Vec::new(),
    })
}

fn collect_tags(entities: &[Entity<'_>], tags: &mut HashSet<String>) {
    for entity in entities {
        if is_tagged(entity) {
            let ty = entity.get_type().map(|ty| ty.get_display_name()).unwrap_or_default();
            tags.extend(spelling::tag(&ty).map(str::to_owned));
            collect_tags(&entity.get_children(), tags);
        }
    }
}

fn is_tagged(entity: &Entity<'_>) -> bool {
    matches!(entity.get_kind(), EntityKind::StructDecl | EntityKind::UnionDecl | EntityKind::EnumDecl)
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
    let place =
        Place { key: format!("{name}.target"), expression: Some(format!("*({name} *)0")), anonymous: false };
    let converted = types.convert(ty, &Context { declaration: Some(entity), place: Some(place), depth: 0 });
    // `typedef struct foo foo_t;` may carry the comment that the structure lacks.
    let doc = comments::doc_of_type(&entity, types.origins);
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
