//! What is written once for a family: in a table `$1` is what the first braces of its name stand for, `$2` the second, and in the
//! line of a parameter or field `$0` is its name.
//!
//! Both are filled in before a contract is read: what is written once is read as if it were written for each.

use std::borrow::Cow;
use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::Diagnostic;
use crate::document::{Entry, Reader};
use crate::pattern;

/// More would be a mistake.
const MOST_MEMBERS: usize = 1000;

/// The tables that are families, by where their names begin: the table of each member.
#[derive(Debug, Default)]
pub(crate) struct Families<'a>(BTreeMap<usize, Vec<Member<'a>>>);

/// The table of one.
#[derive(Debug)]
struct Member<'a> {
    name: String,
    table: DeValue<'a>,
}

impl<'a> Families<'a> {
    /// The families among the tables of functions, of which braces are mentioned, and among those of types, which have braces.
    pub(crate) fn of(document: &DeTable<'a>, wrong: &mut Vec<Diagnostic>) -> Families<'a> {
        let mut families = Families::default();
        let of = |section| tables(document, section).map(move |entry| (section, entry));
        for (section, (name, table)) in ["function", "handle", "struct"].into_iter().flat_map(of) {
            let wanted = match section {
                "function" => mentioned(table.get_ref()),
                // A type is one: its braces all stand for something.
                _ => numbers(pattern::groups(name.get_ref()).len(), mentioned(table.get_ref())),
            };
            if wanted.is_empty() {
                continue;
            }
            match members(name, table.get_ref(), &wanted) {
                Ok(members) => _ = families.0.insert(name.span().start, members),
                Err(diagnostic) => wrong.push(*diagnostic),
            }
        }
        families
    }

    /// Reads each table of a section, and those of a family each, with the name of that; what is wrong with a line of one is said
    /// once.
    pub(crate) fn read<T>(
        &'a self,
        reader: &mut Reader<'a>,
        section: &Entry<'a>,
        mut one: impl FnMut(&mut Reader<'a>, &Entry<'a>, Option<&'a str>) -> T,
    ) -> Vec<T> {
        let mut found = Vec::new();
        for table in reader.table(section).unwrap_or_default() {
            let Some(members) = self.0.get(&table.key_span.start) else {
                found.push(one(reader, &table, None));
                continue;
            };
            let before = reader.diagnostics.len();
            for Member { name, table: value } in members {
                found.push(one(reader, &Entry { key: name, value, ..table.clone() }, Some(table.key)));
            }
            once(&mut reader.diagnostics, before);
        }
        found
    }
}

/// Leaves one of those that are about the same place, of those from here on.
fn once(diagnostics: &mut Vec<Diagnostic>, from: usize) {
    let mut seen = Vec::new();
    for diagnostic in diagnostics.split_off(from) {
        if diagnostic.span.is_none() || !seen.contains(&diagnostic.span) {
            seen.push(diagnostic.span.clone());
            diagnostics.push(diagnostic);
        }
    }
}

/// The numbers of so many braces, and those that are mentioned besides.
fn numbers(braces: usize, mentioned: Vec<usize>) -> Vec<usize> {
    (1..=braces).chain(mentioned.into_iter().filter(|number| *number > braces)).collect()
}

/// The tables in a section of a document.
fn tables<'t, 'a>(
    document: &'t DeTable<'a>,
    section: &str,
) -> impl Iterator<Item = (&'t Spanned<Cow<'a, str>>, &'t Spanned<DeValue<'a>>)> {
    let found = document.iter().find(|(key, _)| key.get_ref() == section).map(|(_, value)| value.get_ref());
    let table = match found {
        Some(DeValue::Table(table)) => Some(table),
        _ => None,
    };
    table.into_iter().flat_map(|table| table.iter())
}

/// The tables of a family: one for each choice of the braces that are mentioned. Other braces stay.
fn members<'a>(
    name: &Spanned<Cow<'a, str>>,
    table: &DeValue<'a>,
    wanted: &[usize],
) -> Result<Vec<Member<'a>>, Box<Diagnostic>> {
    let pattern = name.get_ref();
    let groups = pattern::groups(pattern);
    let wrong = |message: String, help: &str| {
        Box::new(Diagnostic::error(message).at(name.span()).help(help.to_owned()))
    };
    if let Some(missing) = wanted.iter().find(|&&number| number > groups.len()) {
        let message = format!("`${missing}` stands for nothing: `{pattern}` has {} braces", groups.len());
        return Err(wrong(message, "`$1` is what the first braces of the table's name stand for"));
    }
    let chosen = |number: usize| &groups[number - 1];
    let several = wanted.iter().flat_map(|&number| &chosen(number).1).find(|choice| choice.contains('*'));
    if let Some(several) = several {
        let message = format!("`{several}` in these braces stands for several names, and is mentioned");
        return Err(wrong(message, "write each of them"));
    }
    if wanted.iter().map(|&number| chosen(number).1.len()).product::<usize>() > MOST_MEMBERS {
        return Err(wrong(format!("`{pattern}` is more than {MOST_MEMBERS} tables"), "write fewer braces"));
    }
    let mut choices: Vec<BTreeMap<usize, &str>> = vec![BTreeMap::new()];
    for &number in wanted {
        let mut more = Vec::new();
        for (of, choice) in choices.iter().flat_map(|of| chosen(number).1.iter().map(move |it| (of, *it))) {
            let mut with = of.clone();
            with.insert(number, choice);
            more.push(with);
        }
        choices = more;
    }
    let member = |choice: BTreeMap<usize, &str>| Member {
        name: pattern::choose(pattern, &groups, &choice),
        table: filled(table, &|number| choice.get(&number).copied()),
    };
    Ok(choices.into_iter().map(member).collect())
}

/// The document with every `$0` filled in: a line about several parameters or fields becomes one about each.
pub(crate) fn named<'a>(document: &DeTable<'a>, wrong: &mut Vec<Diagnostic>) -> DeTable<'a> {
    let mut document = document.clone();
    for (section, lines) in [("function", "params"), ("struct", "fields")] {
        for (key, value) in document.iter_mut() {
            let DeValue::Table(tables) = value.get_mut() else { continue };
            if key.get_ref() != section {
                continue;
            }
            for (_, table) in tables.iter_mut() {
                if let DeValue::Table(table) = table.get_mut() {
                    name_lines(table, lines, wrong);
                }
            }
        }
    }
    document
}

/// Fills `$0` in where this key of a table has lines, the innermost first: parameters of a callback have lines of their own.
fn name_lines(table: &mut DeTable<'_>, key: &str, wrong: &mut Vec<Diagnostic>) {
    let found = table.iter_mut().find(|(own, _)| own.get_ref() == key).map(|(_, value)| value.get_mut());
    let Some(DeValue::Table(lines)) = found else { return };
    for (_, line) in lines.iter_mut() {
        if let DeValue::Table(item) = line.get_mut() {
            name_lines(item, "params", wrong);
        }
    }
    if lines.iter().any(|(_, line)| mentions_name(line.get_ref())) {
        *lines = by_name(lines, wrong);
    }
}

/// Lines, each about one name where it mentions that. One that was written for a name alone stands before.
fn by_name<'a>(lines: &DeTable<'a>, wrong: &mut Vec<Diagnostic>) -> DeTable<'a> {
    let (about_names, others): (Vec<_>, Vec<_>) =
        lines.iter().partition(|(_, line)| mentions_name(line.get_ref()));
    let mut found = DeTable::new();
    for (key, line) in others {
        found.insert(key.clone(), line.clone());
    }
    for (key, line) in about_names {
        let Some(names) = names(key.get_ref()) else {
            let message =
                format!("`$0` is the name of what a line is about, and `{}` names nothing", key.get_ref());
            let help = "write the names, `\"{a,b}\"`: braces, without a star and without a type".to_owned();
            wrong.push(Diagnostic::error(message).at(key.span()).help(help));
            continue;
        };
        for name in names {
            if lines.iter().any(|(own, _)| *own.get_ref() == name && own.span() != key.span()) {
                continue;
            }
            let filled = filled(line.get_ref(), &|number| (number == 0).then_some(name.as_str()));
            let key = Spanned::new(key.span(), Cow::Owned(name.clone()));
            found.insert(key, Spanned::new(line.span(), filled));
        }
    }
    found
}

/// The names that a pattern without a star is.
fn names(pattern: &str) -> Option<Vec<String>> {
    if pattern.contains(['*', '(']) {
        return None;
    }
    let groups = pattern::groups(pattern);
    if groups.iter().map(|(_, choices)| choices.len()).product::<usize>() > MOST_MEMBERS {
        return None;
    }
    let mut found = vec![pattern.to_owned()];
    for _ in &groups {
        found = found.iter().flat_map(|pattern| pattern::first_chosen(pattern)).collect();
    }
    Some(found)
}

/// The numbers behind `$` in a table, from 1.
fn mentioned(value: &DeValue<'_>) -> Vec<usize> {
    let mut found = Vec::new();
    texts(value, &mut |text| found.extend(references(text).map(|(_, number)| number)));
    found.retain(|number| *number > 0);
    found.sort_unstable();
    found.dedup();
    found
}

fn mentions_name(value: &DeValue<'_>) -> bool {
    let mut found = false;
    texts(value, &mut |text| found = found || references(text).any(|(_, number)| number == 0));
    found
}

/// Where a text says `$` and a digit.
fn references(text: &str) -> impl Iterator<Item = (usize, usize)> {
    text.match_indices('$').filter_map(|(at, _)| {
        let digit = text[at + 1..].chars().next()?.to_digit(10)?;
        Some((at, digit as usize))
    })
}

/// Every text of a value, names of keys too.
fn texts(value: &DeValue<'_>, see: &mut dyn FnMut(&str)) {
    match value {
        DeValue::String(text) => see(text),
        DeValue::Array(items) => items.iter().for_each(|item| texts(item.get_ref(), see)),
        DeValue::Table(table) => table.iter().for_each(|(key, value)| {
            see(key.get_ref());
            texts(value.get_ref(), see);
        }),
        _ => {}
    }
}

/// A value whose texts have what these numbers stand for.
fn filled<'a, 'p>(value: &DeValue<'a>, part: &dyn Fn(usize) -> Option<&'p str>) -> DeValue<'a> {
    match value {
        DeValue::String(text) => DeValue::String(fill(text, part)),
        DeValue::Array(items) => {
            let mut items = items.clone();
            for item in items.iter_mut() {
                *item.get_mut() = filled(item.get_ref(), part);
            }
            DeValue::Array(items)
        }
        DeValue::Table(table) => {
            let mut found = DeTable::new();
            for (key, value) in table {
                let key = Spanned::new(key.span(), fill(key.get_ref(), part));
                found.insert(key, Spanned::new(value.span(), filled(value.get_ref(), part)));
            }
            DeValue::Table(found)
        }
        other => other.clone(),
    }
}

fn fill<'a, 'p>(text: &Cow<'a, str>, part: &dyn Fn(usize) -> Option<&'p str>) -> Cow<'a, str> {
    let parts: Vec<(usize, &str)> =
        references(text).filter_map(|(at, number)| Some((at, part(number)?))).collect();
    if parts.is_empty() {
        return text.clone();
    }
    let (mut found, mut behind) = (String::new(), 0);
    for (at, part) in parts {
        found.push_str(&text[behind..at]);
        found.push_str(part);
        behind = at + 2;
    }
    found.push_str(&text[behind..]);
    Cow::Owned(found)
}

#[cfg(test)]
mod tests {
    use crate::contract::Contract;
    use crate::diagnostic::render;

    fn read(lines: &str) -> Result<Contract, String> {
        let text = format!("hotcell = 1\nlibrary = \"z\"\nheaders = [\"zlib.h\"]\n{lines}\n");
        Contract::parse(&text, "bind.toml").map_err(|found| render(&found, &text, false))
    }

    /// The tables of functions, each with whether it is a pattern and what its lines say.
    fn tables(lines: &str) -> Vec<String> {
        let contract = read(lines).unwrap_or_else(|found| panic!("{found}"));
        let table = |lines: &crate::contract::FunctionLines| {
            let params = lines.params.iter().map(|line| {
                let length = line.item.length.as_ref().map(|length| format!(" {length}"));
                format!(" {}{}{}", line.name, line.item.c, length.unwrap_or_default())
            });
            let of = lines.form.of.as_ref().map(|of| format!(" of {}", of.value));
            let of = of.unwrap_or_default();
            let star = if lines.is_pattern() { "*" } else { "" };
            format!("{}{star}{of}{}", lines.name, params.collect::<String>())
        };
        contract.functions.iter().map(table).collect()
    }

    #[test]
    fn a_table_that_mentions_its_braces_is_one_for_each_choice() {
        for (lines, expect) in [
            ("[function.\"a_{b,c}\"]\nparams.x = { fixed = \"N$1\" }", vec!["a_b* xNb", "a_c* xNc"]),
            // Braces that are not mentioned, and stars, stay.
            (
                "[function.\"{a,b}_{,c}*\"]\nparams.x = { fixed = \"N$2\" }",
                vec!["{a,b}_** xN", "{a,b}_c** xNc"],
            ),
            ("[function.\"a_{b,c}\"]\nparams.x = { fixed = \"N\" }", vec!["a_{b,c}* xN"]),
            (
                "[function.\"{a,b}_{c,d}\"]\nparams.\"$2\" = { in = \"buffer\", length = \"$1 * $2\" }",
                vec!["a_c* c a * c", "a_d* d a * d", "b_c* c b * c", "b_d* d b * d"],
            ),
            // With `of` each is a function of its own.
            ("[function.\"{a,b}_x\"]\nof = \"$1\"\nfurther = \"int n\"", vec!["a_x of a", "b_x of b"]),
        ] {
            let mut found = tables(lines);
            found.sort();
            assert_eq!(found, expect, "{lines}");
        }
    }

    #[test]
    fn types_are_families_too() {
        let contract = read(
            "[handle]\n\"{C,D}Ctx\" = { release = \"free$1Ctx\", made_by = [\"create$1*\"] }\n\
             [struct]\n\"s{a,b}\".fields.x = { zero = true }",
        )
        .unwrap();
        let release =
            |line: &crate::contract::HandleLine| (line.name.clone(), line.release.clone().unwrap().value);
        let releases: Vec<_> = contract.handles.iter().map(release).collect();
        let expect = [("CCtx", "freeCCtx"), ("DCtx", "freeDCtx")];
        assert_eq!(releases, expect.map(|(name, release)| (name.to_owned(), release.to_owned())));
        let names: Vec<_> = contract.structs.iter().map(|lines| lines.name.as_str()).collect();
        assert_eq!(names, ["sa", "sb"]);
        let found = read("[handle]\nCtx = { release = \"free$1\" }").unwrap_err();
        assert!(found.contains("`$1` stands for nothing: `Ctx` has 0 braces"), "{found}");
        let found = read("[handle]\n\"{a,b}\" = { relase = \"f\" }").unwrap_err();
        assert_eq!(found.matches("has no key `relase`").count(), 1, "{found}");
    }

    #[test]
    fn a_line_that_mentions_its_name_is_one_for_each() {
        for (lines, expect) in [
            (
                "[function.f]\nparams.\"{a,b}\" = { in = \"buffer\", length = \"$0_size\" }",
                "f a a_size b b_size",
            ),
            // What is said of one alone stands before.
            (
                "[function.f]\nparams.\"{a,b}\" = { in = \"buffer\", length = \"$0_n\" }\nparams.b = { fixed = \"0\" }",
                "f a a_n b0",
            ),
            ("[function.f]\nparams.a = { fixed = \"$0\" }", "f aa"),
        ] {
            assert_eq!(tables(lines), [expect], "{lines}");
        }
        let fields = "[struct.s]\nfields.\"{a,b}\" = { out = \"data\", length = \"$0_n\" }";
        let contract = read(fields).unwrap();
        let lengths =
            contract.structs[0].fields.iter().map(|line| line.item.length.as_ref().unwrap().to_string());
        assert_eq!(lengths.collect::<Vec<_>>(), ["a_n", "b_n"]);
        let callback = "[function.f]\nparams.\"{c,d}\" = { callback = \"call\", user_data = \"$0_user\", params.\"{a,b}\" = { in = \"buffer\", length = \"$0_n\" } }";
        let contract = read(callback).unwrap();
        let of = |at: usize| {
            let item = &contract.functions[0].params[at].item;
            let lengths = item.params.iter().map(|line| line.item.length.as_ref().unwrap().to_string());
            (item.user_data.as_ref().unwrap().value.clone(), lengths.collect::<Vec<_>>())
        };
        let lengths = vec!["a_n".to_owned(), "b_n".to_owned()];
        assert_eq!((of(0), of(1)), (("c_user".to_owned(), lengths.clone()), ("d_user".to_owned(), lengths)));
    }

    #[test]
    fn what_stands_for_nothing_is_an_error() {
        for (lines, expect) in [
            ("[function.f]\nparams.x = { fixed = \"$1\" }", "`$1` stands for nothing: `f` has 0 braces"),
            (
                "[function.\"a_{b,c}\"]\nparams.x = { fixed = \"$2\" }",
                "`$2` stands for nothing: `a_{b,c}` has 1 braces",
            ),
            (
                "[function.\"a_{b*,c}\"]\nparams.x = { fixed = \"$1\" }",
                "`b*` in these braces stands for several names, and is mentioned",
            ),
            (
                "[function.f]\nparams.\"a*\" = { in = \"buffer\", length = \"$0\" }",
                "`$0` is the name of what a line is about, and `a*` names nothing",
            ),
            (
                "[function.f]\nparams.\"(int *)\" = { in = \"buffer\", length = \"$0\" }",
                "`$0` is the name of what a line is about, and `(int *)` names nothing",
            ),
        ] {
            let found = read(lines).expect_err(lines);
            assert!(found.contains(expect), "{lines}: {found}");
        }
        // What is wrong with each is said once.
        let found =
            read("[function.\"a_{b,c}\"]\nparams.x = { in = \"buffer\", length = \"$1 +\" }").unwrap_err();
        assert_eq!(found.matches("the expression ends too early").count(), 1, "{found}");
        let many = "{a,b,c,d,e,f,g,h,i,j}".repeat(4);
        let found =
            read(&format!("[function.\"{many}\"]\nparams.x = {{ fixed = \"$1$2$3$4\" }}")).unwrap_err();
        assert!(found.contains("is more than 1000 tables"), "{found}");
    }
}
