//! Where things stand in a contract: asked for each function of a library, and a library has thousands.

use std::collections::HashMap;
use std::ops::Range;

use crate::contract::{Contract, FunctionLines};
use crate::pattern;

/// What is found by its place or its name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Index {
    /// Where each line of the text but the first begins.
    starts: Vec<usize>,
    /// The tables of functions by their names.
    named: HashMap<String, usize>,
    /// The tables of patterns, in the order of the file.
    patterns: Vec<usize>,
    /// Where each table and line begins, and whether it is about several functions.
    several: Vec<(usize, bool)>,
}

impl Index {
    pub(super) fn of(contract: &Contract) -> Index {
        let starts = contract.text.match_indices('\n').map(|(at, _)| at + 1).collect();
        let mut index = Index { starts, ..Index::default() };
        for (at, table) in contract.functions.iter().enumerate() {
            match table.is_pattern() {
                true => index.patterns.push(at),
                // The first of two, of which reading complains.
                false => _ = index.named.entry(table.name.clone()).or_insert(at),
            }
        }
        let tables = contract.functions.iter().map(|table| (table.span.start, table.is_pattern()));
        let handles = contract.handles.iter().map(|line| (line.span.start, true));
        let structs = contract.structs.iter().map(|lines| (lines.span.start, true));
        let errors = contract.errors.iter().map(|line| (line.span.start, true));
        index.several = tables.chain(handles).chain(structs).chain(errors).collect();
        index.several.sort_unstable();
        index
    }
}

impl Contract {
    /// The lines about a function and no other.
    pub(crate) fn function(&self, name: &str) -> Option<&FunctionLines> {
        self.index.named.get(name).map(|&at| &self.functions[at])
    }

    /// The tables about a function, the strongest last: patterns in the order of the file, then its own.
    pub(crate) fn tables(&self, name: &str) -> Vec<&FunctionLines> {
        let patterns = self.index.patterns.iter().map(|&at| &self.functions[at]);
        let matching = patterns.filter(|table| pattern::matches(&table.name, name));
        matching.chain(self.function(name)).collect()
    }

    /// Whether a place belongs to what is said about several functions: the table of a pattern, or a line of `[handle]`,
    /// `[struct]` or `[error]`. It belongs to the last one that starts before it.
    pub(crate) fn is_about_several(&self, span: &Range<usize>) -> bool {
        let behind = self.index.several.partition_point(|(start, _)| *start <= span.start);
        behind.checked_sub(1).is_some_and(|last| self.index.several[last].1)
    }

    /// 1-based line of a place in the file.
    pub(crate) fn line(&self, span: &Range<usize>) -> u32 {
        let before = self.index.starts.partition_point(|start| *start <= span.start);
        u32::try_from(before + 1).unwrap_or(u32::MAX)
    }
}
