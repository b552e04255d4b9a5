//! `differential.toml`: what only somebody who knows the library can say about calling it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use toml::{Table, Value};

pub(crate) mod call;

use call::{Call, Word};

/// A library's recipes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recipes {
    /// Ways to make objects, by name.
    pub(crate) objects: Vec<Recipe>,
    /// Values for parameters: patterns of function and parameter, and what fits there.
    values: Vec<(String, String, Vec<Word>)>,
    /// Calls that show what became of an object, by its type, or by the function that was called with it; `$` is the
    /// object.
    observe: BTreeMap<String, Vec<Call>>,
    /// Functions that are not called by themselves, and why.
    skip: Vec<(String, String)>,
    /// Functions that order two things: of what they return the sign alone is said, and by whom. How large it is depends on where things lie.
    sign: Vec<(String, String)>,
    /// Sequences of steps, by name.
    pub(crate) scenarios: Vec<(String, Vec<Call>)>,
}

/// A way to make an object.
#[derive(Debug, Clone)]
pub(crate) struct Recipe {
    /// What the object is called in steps.
    pub(crate) name: String,
    /// Its handle type.
    pub(crate) ty: String,
    /// Recipes whose objects the steps use.
    pub(crate) needs: Vec<String>,
    /// They make the object.
    pub(crate) steps: Vec<Call>,
}

impl Recipe {
    /// Whether its object is only there while a callback runs, in which a case's call belongs then.
    pub(crate) fn is_lent(&self) -> bool {
        self.steps.iter().any(Call::holds_another)
    }
}

impl Recipes {
    /// Reads a file. `{scratch}` in it becomes the folder that both sides use for files.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words.
    pub(crate) fn read(path: &Path, scratch: &Path) -> Result<Recipes, String> {
        let text =
            fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let text = text.replace("{scratch}", &scratch.display().to_string());
        Recipes::parse(&text).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words.
    pub(crate) fn parse(text: &str) -> Result<Recipes, String> {
        let table: Table = text.parse().map_err(|error: toml::de::Error| error.to_string())?;
        let mut recipes = Recipes::default();
        for (key, value) in &table {
            let section = value.as_table().ok_or_else(|| format!("`{key}` must be a table"))?;
            for (name, value) in section {
                let wrong = |error| format!("{key}.{name}: {error}");
                recipes.entry(key, name, value).map_err(wrong)?;
            }
        }
        Ok(recipes)
    }

    fn entry(&mut self, section: &str, name: &str, value: &Value) -> Result<(), String> {
        match section {
            "object" => {
                let table = value.as_table().ok_or("a table with `type` and `steps` is expected")?;
                if let Some(unknown) =
                    table.keys().find(|key| !["type", "needs", "steps"].contains(&key.as_str()))
                {
                    return Err(format!("`{unknown}` is no key of an object"));
                }
                let ty = table.get("type").and_then(Value::as_str).ok_or("`type` is missing")?;
                let needs = table.get("needs").map_or(Ok(Vec::new()), texts)?;
                let steps = table.get("steps").map_or(Ok(Vec::new()), calls)?;
                self.objects.push(Recipe { name: name.to_owned(), ty: ty.to_owned(), needs, steps });
            }
            "values" => {
                let (function, param) = name.split_once('.').unwrap_or(("*", name));
                let words = texts(value)?.iter().map(|text| call::word(text)).collect::<Result<_, _>>()?;
                self.values.push((function.to_owned(), param.to_owned(), words));
            }
            "observe" => {
                self.observe.insert(name.to_owned(), calls(value)?);
            }
            "skip" => {
                let reason = value.as_str().ok_or("the reason is expected, as a text")?;
                self.skip.push((name.to_owned(), reason.to_owned()));
            }
            "sign" => {
                let source = value.as_str().ok_or("who says so is expected, as a text")?;
                self.sign.push((name.to_owned(), source.to_owned()));
            }
            "scenario" => self.scenarios.push((name.to_owned(), calls(value)?)),
            _ => return Err(format!("`{section}` is none of object, values, observe, skip, sign, scenario")),
        }
        Ok(())
    }

    /// Values for a parameter, from the entry that says most about it.
    pub(crate) fn values(&self, function: &str, param: &str) -> Option<&[Word]> {
        let fitting = self.values.iter().filter(|it| fits(&it.0, function) && fits(&it.1, param));
        // Letters that are not `*` say what they say.
        let said = |text: &str| text.chars().filter(|c| *c != '*').count();
        fitting.max_by_key(|it| said(&it.0) + said(&it.1)).map(|it| it.2.as_slice())
    }

    /// What shows the state of an object of this type.
    pub(crate) fn observing(&self, ty: &str) -> &[Call] {
        self.observe.get(ty).map_or(&[], Vec::as_slice)
    }

    /// What shows the effect of a function.
    pub(crate) fn behind<'a>(&'a self, function: &'a str) -> impl Iterator<Item = &'a Call> {
        self.observe.iter().filter(|it| fits(it.0, function)).flat_map(|it| it.1)
    }

    /// Why a function is not called.
    pub(crate) fn skipped(&self, function: &str) -> Option<&str> {
        self.skip.iter().find(|it| fits(&it.0, function)).map(|it| it.1.as_str())
    }

    /// Whether of what a function returns only the sign is said.
    pub(crate) fn is_sign(&self, function: &str) -> bool {
        self.sign.iter().any(|(pattern, _)| fits(pattern, function))
    }

    /// Patterns and names that no function has.
    pub(crate) fn unused<'a>(&self, functions: impl Iterator<Item = &'a str> + Clone) -> Vec<String> {
        let known = |pattern: &str| functions.clone().any(|name| fits(pattern, name));
        let reasons = self.skip.iter().chain(&self.sign);
        let patterns = reasons.map(|it| &it.0).chain(self.values.iter().map(|it| &it.0));
        patterns.filter(|pattern| !known(pattern)).cloned().collect()
    }
}

/// Whether a name fits a pattern, in which `*` stands for any letters.
fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

fn texts(value: &Value) -> Result<Vec<String>, String> {
    let list = value.as_array().ok_or("a list of texts is expected")?;
    let text =
        |value: &Value| value.as_str().map(str::to_owned).ok_or("a list of texts is expected".to_owned());
    list.iter().map(text).collect()
}

fn calls(value: &Value) -> Result<Vec<Call>, String> {
    texts(value)?.iter().map(|text| call::call(text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entry_that_says_most_wins() {
        let text = "[values]\nn = ['1']\n'open*.n' = ['2']\n'open_v2.n' = ['3']\n[skip]\n'sleep*' = 'time'";
        let recipes = Recipes::parse(text).unwrap();
        let check = |function, expect| {
            assert_eq!(recipes.values(function, "n"), Some(&[Word::Int(expect)][..]), "{function}");
        };
        check("close", 1);
        check("open", 2);
        check("open_v2", 3);
        assert_eq!(recipes.values("close", "m"), None);
        assert_eq!(recipes.skipped("sleep_ms"), Some("time"));
        assert_eq!(recipes.unused(["open_v2", "sleep"].into_iter()), Vec::<String>::new());
        assert_eq!(recipes.unused(["close"].into_iter()), ["sleep*", "open*", "open_v2"]);
    }

    #[test]
    fn names_fit_patterns() {
        for (pattern, name, expect) in [
            ("*", "", true),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*c", "abc", true),
            ("a*b*c", "aXbYc", true),
            ("a*c", "ab", false),
            ("abc", "abc", true),
            ("abc", "abcd", false),
            ("a*a", "a", false),
        ] {
            assert_eq!(fits(pattern, name), expect, "{pattern} {name}");
        }
    }

    #[test]
    fn mistakes_are_told() {
        for (text, expect) in [
            ("[objects.a]\n", "`objects` is none of"),
            ("[object.a]\nsteps = []", "object.a: `type` is missing"),
            ("[object.a]\ntype = 'T'\nstep = []", "`step` is no key"),
            ("[skip]\nf = 1", "skip.f: the reason is expected"),
            ("[scenario]\ns = ['f(']", "scenario.s: `f(`: a value expected"),
        ] {
            let error = Recipes::parse(text).unwrap_err();
            assert!(error.contains(expect), "{error}");
        }
    }
}
