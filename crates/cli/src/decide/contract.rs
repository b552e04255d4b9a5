//! The text of a contract with one decision more: what it says already, and how it says it, stays.

use toml_edit::{Array, DocumentMut, Item, Table, TableLike, Value};

/// The contract with these lines, which are a contract's text themselves. What is new stands behind what is there, under
/// a note; a key that has a value already gets the new one.
pub(super) fn with(text: &str, lines: &str, note: Option<&str>) -> Result<String, String> {
    let mut contract = parse(text)?;
    merge(contract.as_table_mut(), entries(parse(lines)?.as_table_mut()), note)?;
    Ok(contract.to_string())
}

/// The contract without a function: its name stands in `exclude`.
pub(super) fn excluding(text: &str, function: &str) -> Result<String, String> {
    let mut contract = parse(text)?;
    let list = contract.entry("exclude").or_insert_with(|| Item::Value(Value::Array(Array::new())));
    let list = list.as_array_mut().ok_or("`exclude` is no list")?;
    list.push(function);
    Ok(contract.to_string())
}

/// The contract without what its draft says about a type or a function that is decided now: the paragraph of
/// comments with this line behind a `#`. What is no line of a draft stays.
pub(super) fn without_draft_of(text: &str, line: &str, signature: Option<&str>) -> String {
    let commented = |it: &&str| it.strip_prefix('#').is_some_and(|rest| rest.trim() == line);
    let paragraphs = text.split("\n\n");
    let mut kept = Vec::new();
    for paragraph in paragraphs {
        let of_draft = paragraph.lines().any(|it| commented(&it))
            && paragraph.lines().all(|it| it.is_empty() || it.starts_with('#'));
        if !of_draft {
            kept.push(paragraph.to_owned());
            continue;
        }
        let own: Vec<&str> = paragraph.lines().filter(|it| !drafted(it, line, signature)).collect();
        if !own.is_empty() {
            kept.push(own.join("\n"));
        }
    }
    let mut text = kept.join("\n\n");
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// Whether a line of comment is one that a draft writes about what is decided by `line`.
fn drafted(comment: &str, line: &str, signature: Option<&str>) -> bool {
    let said = comment.trim_start_matches('#').trim();
    let name = line.trim_start_matches("[function.").trim_start_matches("handle.");
    let name = name.split([']', ' ']).next().unwrap_or(name);
    let about = said.strip_prefix(name).is_some_and(|rest| rest.starts_with([':', ',']));
    let fixed = ["An object, which callers", "Or a structure, whose", "A structure, whose"];
    let fixed = fixed.iter().chain(&["A start, to be completed", "What these lines leave open"]);
    let key = ["params.", "result", "error", "fields.", "[function.", "[struct.", "handle.", "resident"];
    said == line
        || about
        || signature == Some(said)
        || fixed.into_iter().any(|text| said.starts_with(text))
        || key.iter().any(|key| said.starts_with(key))
}

fn parse(text: &str) -> Result<DocumentMut, String> {
    text.parse().map_err(|error: toml_edit::TomlError| error.message().trim().to_owned())
}

fn entries(table: &mut Table) -> Vec<(String, Item)> {
    std::mem::take(table).into_iter().map(|(key, item)| (key.to_string(), item)).collect()
}

fn merge(into: &mut dyn TableLike, new: Vec<(String, Item)>, note: Option<&str>) -> Result<(), String> {
    for (key, mut item) in new {
        match (into.get_mut(&key), &mut item) {
            (Some(there), Item::Table(table)) => {
                let there = there.as_table_like_mut().ok_or_else(|| format!("`{key}` is no table"))?;
                merge(there, entries(table), note)?;
            }
            (Some(_), _) => {
                into.insert(&key, item);
            }
            (None, _) => {
                place_behind(&mut item, note);
                into.insert(&key, item);
            }
        }
    }
    Ok(())
}

/// Lets a new table stand behind its neighbours, wherever it stood in the text it comes from.
fn place_behind(item: &mut Item, note: Option<&str>) {
    let Item::Table(table) = item else { return };
    table.set_position(None);
    if !table.is_implicit() && !table.is_dotted() {
        let note = note.map(|note| format!("# {note}\n")).unwrap_or_default();
        table.decor_mut().set_prefix(format!("\n{note}"));
    }
    for (_, inner) in table.iter_mut() {
        place_behind(inner, note);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "# Of moon.\nhotcell = 1\nlibrary = \"moon\" # ours\n";

    #[test]
    fn lines_about_a_function_stand_behind_the_others() {
        let lines = "[function.f]\nparams.a = { out = \"value\" }\nresult = { out = \"status\" }\n";
        let alone = with(HEAD, lines, Some("int f(int *a)")).unwrap();
        assert_eq!(alone, format!("{HEAD}\n# int f(int *a)\n{lines}"));
        let other = "\n# First.\n[function.e]\nidempotent = true\n\n[error]\nT = { fails = \"nonzero\" }\n\n# g: open\n#[function.g]\n";
        let text = with(&format!("{HEAD}{other}"), lines, None).unwrap();
        let expect = other.replace("\n[error]", &format!("\n{lines}\n[error]"));
        assert_eq!(text, format!("{HEAD}{expect}"));
    }

    #[test]
    fn what_is_decided_already_stays_and_is_replaced_by_what_is_new() {
        let there =
            format!("{HEAD}\n[function.f] # of Ann\nparams.a = {{ in = \"value\" }}\ndeadline = \"1s\"\n");
        let text =
            with(&there, "[function.f]\nparams.a = { out = \"value\" }\nparams.b = { fixed = 0 }\n", None);
        let expect = there.replace("in = \"value\" }", "out = \"value\" }\nparams.b = { fixed = 0 }");
        assert_eq!(text.unwrap(), expect);
        let error = with("function = 1\n", "[function.f]\nparams.a = { fixed = 0 }\n", None).unwrap_err();
        assert_eq!(error, "`function` is no table");
    }

    #[test]
    fn a_line_about_a_type_stands_with_the_others_or_above_all_tables() {
        let line = "handle.T = { release = \"free_t\" }\n";
        let text =
            with(&format!("{HEAD}\n[handle]\nS = {{}}\n\n[function.f]\nidempotent = true\n"), line, None);
        let expect = "\n[handle]\nS = {}\nT = { release = \"free_t\" }\n\n[function.f]\nidempotent = true\n";
        assert_eq!(text.unwrap(), format!("{HEAD}{expect}"));
        let text = with(&format!("{HEAD}\n[function.f]\nidempotent = true\n"), line, None).unwrap();
        assert_eq!(text, format!("{HEAD}{line}\n[function.f]\nidempotent = true\n"));
    }

    #[test]
    fn an_excluded_function_stands_in_the_list() {
        assert_eq!(excluding(HEAD, "f").unwrap(), format!("{HEAD}exclude = [\"f\"]\n"));
        let there = format!("{HEAD}exclude = [\n    \"e\", # why\n]\n");
        let text = excluding(&there, "f").unwrap();
        assert!(text.contains("\"e\"") && text.contains("# why") && text.contains("\"f\""), "{text}");
        assert_eq!(excluding("exclude = 1\n", "f").unwrap_err(), "`exclude` is no list");
    }

    #[test]
    fn what_a_draft_says_goes_and_what_others_say_stays() {
        let before = "hotcell = 1\n\n# e: why\n#[function.e]\n#params.a = { fixed = 0 }\n\n";
        let block =
            "# f: why, and more\n# int f(int *a)\n#[function.f]\n#params.a = { out = \"value\" } # or\n";
        let after = "\n# No line would make these callable:\n#   g: why\n";
        let text = format!("{before}{block}{after}");
        let left = without_draft_of(&text, "[function.f]", Some("int f(int *a)"));
        assert_eq!(left, format!("{before}{}", after.trim_start()));
        let noted = text.replace("#[function.f]", "# Ask Ann.\n#[function.f]");
        let left = without_draft_of(&noted, "[function.f]", Some("int f(int *a)"));
        assert_eq!(left, format!("{before}# Ask Ann.\n{after}"));
        let left = without_draft_of(&text, "[function.h]", None);
        assert_eq!(left, text);
        let decided = text.replace("#[function.f]", "[function.f]");
        assert_eq!(without_draft_of(&decided, "[function.f]", None), decided);
    }
}
