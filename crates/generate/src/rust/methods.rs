//! The methods of one type: in one file, or in several where there are many.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::Error;
use crate::rust::batch;
use crate::rust::context::Context;
use crate::rust::format;
use crate::rust::function::{self, Method};
use crate::rust::names::{self, BATCH, MODULES, Names, Scope};

/// Methods that share a file.
const MANY: usize = 24;
/// Methods with the same first word that get a file of their own where there are many.
const ENOUGH: usize = 6;

/// Makes the methods of a function.
pub(crate) type Make = fn(&mut Context<'_>, usize) -> Result<Vec<Method>, Error>;

/// Methods of one type.
#[derive(Serialize, Default)]
pub(crate) struct Methods {
    /// Those in the type's own file.
    pub(crate) own: Part,
    /// The others.
    pub(crate) groups: Vec<Part>,
    /// What the type's own file exports of them.
    exports: Vec<String>,
}

/// Methods in one file.
#[derive(Serialize, Default)]
pub(crate) struct Part {
    /// The module below the type's; empty for the type's own.
    pub(crate) module: String,
    /// What the names of its methods start with.
    word: String,
    methods: Vec<Method>,
    /// Types they mention, by name.
    #[serde(skip)]
    pub(crate) mentioned: Vec<String>,
    /// Imports, where it is a file.
    uses: Vec<String>,
    /// Whether they name types of the runtime.
    pub(crate) runtime: bool,
}

impl Methods {
    /// The methods of these functions, which belong to the type `owner`.
    pub(crate) fn of(context: &mut Context<'_>, owner: &str, functions: &[usize]) -> Result<Methods, Error> {
        Self::made(context, owner, functions, (|names| &names.methods, function::methods))
    }

    /// The methods of a batch for these functions.
    pub(crate) fn of_batch(context: &mut Context<'_>, functions: &[usize]) -> Result<Methods, Error> {
        Self::made(context, BATCH, functions, (|names| &names.batch, batch::methods))
    }

    fn made(
        context: &mut Context<'_>,
        owner: &str,
        functions: &[usize],
        (names, make): (fn(&Names) -> &[String], Make),
    ) -> Result<Methods, Error> {
        let mut by_word = BTreeMap::<&str, Vec<usize>>::new();
        for &index in functions {
            let name = names(&context.names)[index].as_str();
            by_word.entry(name.split('_').next().unwrap_or(name)).or_default().push(index);
        }
        by_word.retain(|_, indices| functions.len() > MANY && indices.len() >= ENOUGH);
        let grouped: Vec<(String, Vec<usize>)> =
            by_word.into_iter().map(|(word, indices)| (word.to_owned(), indices)).collect();
        let own: Vec<usize> = functions
            .iter()
            .copied()
            .filter(|index| grouped.iter().all(|(_, indices)| !indices.contains(index)))
            .collect();

        let mut modules = Scope::with(MODULES);
        let own = Part::of(context, ("", String::new()), owner, (&own, make))?;
        let mut groups = Vec::new();
        for (word, indices) in grouped {
            let module = modules.take(names::snake(&word));
            groups.push(Part::of(context, (&word, module), owner, (&indices, make))?);
        }
        groups.sort_by(|a, b| format::order(&a.module, &b.module));
        let exported = groups.iter().filter(|part| !part.outputs().is_empty());
        let exports =
            exported.flat_map(|part| format::uses(&format!("pub use {}", part.module), &part.outputs()));
        Ok(Methods { exports: exports.collect(), own, groups })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.own.methods.is_empty() && self.groups.is_empty()
    }

    /// The types of what the methods give back, where those have a type of their own.
    pub(crate) fn outputs(&self) -> Vec<String> {
        std::iter::once(&self.own).chain(&self.groups).flat_map(Part::outputs).collect()
    }

    /// Mentions again, for the file in progress, what the type's own methods do.
    pub(crate) fn mention(&self, context: &Context<'_>) {
        self.own.mentioned.iter().for_each(|name| context.mention(name));
    }
}

impl Part {
    pub(crate) fn of(
        context: &mut Context<'_>,
        (word, module): (&str, String),
        owner: &str,
        (functions, make): (&[usize], Make),
    ) -> Result<Part, Error> {
        context.take_mentioned();
        let methods = functions.iter().map(|&index| make(context, index));
        let methods: Vec<Method> = methods.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
        let mut mentioned = context.take_mentioned();
        if !methods.is_empty() {
            mentioned.insert("table".into());
        }
        let mentioned: Vec<String> = mentioned.into_iter().collect();
        let mut used = mentioned.clone();
        if !used.iter().any(|name| name == owner) {
            used.push(owner.to_owned());
        }
        let runtime = methods.iter().any(Method::names_runtime);
        Ok(Part { module, word: word.to_owned(), uses: super::imports(&used), methods, mentioned, runtime })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.methods.is_empty()
    }

    fn outputs(&self) -> Vec<String> {
        self.methods.iter().filter_map(|method| Some(method.output.as_ref()?.name.clone())).collect()
    }
}
