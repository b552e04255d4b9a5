//! The functions of the headers, with what their names say: read once, for rules that look for one function beside another.
//!
//! A rule that concludes something of one function from all others would otherwise take the names of all of them apart each time, which
//! takes ten thousand times as long for a header of a hundred times as many functions.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use hotcell_model::api::{Api, Function};

use crate::infer::endings::{Ending, ending};
use crate::infer::names::{function_words, words};

/// What the name of a function says.
#[derive(Debug, Clone)]
pub(crate) struct Name {
    /// Its words.
    pub(super) words: Vec<String>,
    /// The same, and the words behind an acronym.
    pub(super) all_words: Vec<String>,
    /// The strongest ending that it says.
    pub(super) ending: Option<Ending>,
    /// The words that say no ending.
    pub(super) rest: Vec<String>,
}

impl Name {
    pub(super) fn of(name: &str) -> Name {
        let (ending, rest) = ending(name).map_or((None, Vec::new()), |(ending, rest)| (Some(ending), rest));
        Name { words: words(name), all_words: function_words(name), ending, rest }
    }

    /// Whether any of its words is one of these.
    pub(super) fn has(&self, list: &[&str]) -> bool {
        self.words.iter().any(|word| list.contains(&word.as_str()))
    }

    /// The same, or a word behind an acronym.
    pub(super) fn says(&self, list: &[&str]) -> bool {
        self.all_words.iter().any(|word| list.contains(&word.as_str()))
    }

    /// Whether its last word is one of these.
    pub(super) fn ends_with(&self, list: &[&str]) -> bool {
        self.words.last().is_some_and(|word| list.contains(&word.as_str()))
    }

    /// Whether it is called like what ends an object, or what the object does.
    pub(super) fn closes(&self) -> bool {
        self.ending.is_some_and(|ending| ending >= Ending::Closes)
    }

    /// Whether it is called like a release.
    pub(super) fn releases(&self) -> bool {
        self.ending == Some(Ending::Releases)
    }
}

/// A function with what its name says.
#[derive(Debug, Clone)]
pub(crate) struct Named<'a> {
    pub(super) function: &'a Function,
    pub(super) name: Name,
}

/// All functions of the headers, in their order.
#[derive(Debug, Clone)]
pub struct Functions<'a> {
    all: Vec<Named<'a>>,
    /// Positions of those that have a word in their names.
    by_word: HashMap<String, Vec<usize>>,
    /// The position of the first that is called so.
    by_name: BTreeMap<&'a str, usize>,
    /// All names in lower case.
    lower: BTreeSet<String>,
}

impl<'a> Functions<'a> {
    pub(crate) fn of(api: &'a Api) -> Functions<'a> {
        let named = |function: &'a Function| Named { function, name: Name::of(&function.name) };
        let all: Vec<Named<'_>> = api.functions.iter().map(named).collect();
        let mut by_word: HashMap<String, Vec<usize>> = HashMap::new();
        let mut by_name = BTreeMap::new();
        for (position, named) in all.iter().enumerate() {
            by_name.entry(named.function.name.as_str()).or_insert(position);
            for word in &named.name.words {
                let positions = by_word.entry(word.clone()).or_default();
                if positions.last() != Some(&position) {
                    positions.push(position);
                }
            }
        }
        let lower = all.iter().map(|named| named.function.name.to_lowercase()).collect();
        Functions { all, by_word, by_name, lower }
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Named<'a>> {
        self.all.iter()
    }

    /// The first of this name.
    pub(super) fn get(&self, name: &str) -> Option<&Named<'a>> {
        self.by_name.get(name).map(|&position| &self.all[position])
    }

    /// Where the first of this name stands among all.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// Those whose names begin so, in the order of their names; of several of one name the first.
    pub(super) fn beginning<'s>(&'s self, start: &'s str) -> impl Iterator<Item = &'s Named<'a>> {
        let behind = self.by_name.range(start..).take_while(move |(name, _)| name.starts_with(start));
        behind.map(|(_, &position)| &self.all[position])
    }

    /// Whether the name of one begins so in lower case.
    pub(super) fn any_begins(&self, start: &str) -> bool {
        self.lower.range(start.to_owned()..).next().is_some_and(|name| name.starts_with(start))
    }

    /// Those that have a word in their names, in order.
    pub(super) fn with_word(&self, word: &str) -> impl Iterator<Item = &Named<'a>> {
        self.positions(word).iter().map(|&position| &self.all[position])
    }

    /// Those that have one of several words in their names, each once, in order.
    pub(super) fn with_any(&self, list: &[&str]) -> impl Iterator<Item = &Named<'a>> {
        let mut positions: Vec<usize> = list.iter().flat_map(|word| self.positions(word)).copied().collect();
        positions.sort_unstable();
        positions.dedup();
        positions.into_iter().map(|position| &self.all[position])
    }

    /// Those that have each of these words in their names, in order.
    pub(super) fn with_all<'s>(&'s self, words: &'s [String]) -> impl Iterator<Item = &'s Named<'a>> {
        // Of all words the fewest functions have the rarest.
        let rarest = words.iter().map(|word| self.positions(word)).min_by_key(|found| found.len());
        let all = rarest.is_none().then_some(&self.all).into_iter().flatten();
        let found = rarest.into_iter().flatten().map(|&position| &self.all[position]).chain(all);
        found.filter(move |named| words.iter().all(|word| named.name.words.contains(word)))
    }

    fn positions(&self, word: &str) -> &[usize] {
        self.by_word.get(word).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::Functions;
    use crate::infer::tests::prototype;

    #[test]
    fn functions_are_found_by_their_words_and_names() {
        let declared = [
            "int box_set_size(struct box *b, int n)",
            "int box_size(struct box *b)",
            "void BOX_close(struct box *b)",
            "int box_set_set(struct box *b)",
        ]
        .map(prototype::parse);
        let api = prototype::api(&declared.iter().collect::<Vec<_>>());
        let functions = Functions::of(&api);
        let names = |found: Vec<&super::Named<'_>>| -> Vec<String> {
            found.into_iter().map(|named| named.function.name.clone()).collect()
        };
        let words = |all: &[&str]| -> Vec<String> { all.iter().map(|word| (*word).to_owned()).collect() };
        assert_eq!(names(functions.with_word("set").collect()), ["box_set_size", "box_set_set"]);
        assert_eq!(
            names(functions.with_any(&["size", "set"]).collect()),
            ["box_set_size", "box_size", "box_set_set"]
        );
        assert_eq!(
            names(functions.with_all(&words(&["box", "size"])).collect()),
            ["box_set_size", "box_size"]
        );
        assert_eq!(functions.with_all(&words(&["box", "lid"])).count(), 0);
        assert_eq!(functions.with_all(&[]).count(), 4, "nothing is asked of any");
        assert_eq!(
            names(functions.beginning("box_s").collect()),
            ["box_set_set", "box_set_size", "box_size"]
        );
        assert!(functions.any_begins("box_cl") && !functions.any_begins("box_d"));
        assert_eq!(functions.position("BOX_close"), Some(2));
        assert!(functions.get("box_close").is_none());
    }
}
