//! The text of a contract with one decision more: what it says already, and how it says it, stays.

use toml_edit::{Array, DocumentMut, Item, Table, TableLike, Value};

/// The contract with these lines, which are a contract's text themselves. What is new stands behind what is there, under
/// a note; a key that has a value already gets the new one.
pub(super) fn with(text: &str, lines: &str, note: Option<&str>) -> Result<String, String> {
    let mut contract = parse(text)?;
    merge(contract.as_table_mut(), "", entries(parse(lines)?.as_table_mut()), note)?;
    Ok(contract.to_string())
}

/// The contract without a function: its name stands in `exclude`, with the reason above it.
pub(super) fn excluding(text: &str, function: &str, reason: &str) -> Result<String, String> {
    let mut contract = parse(text)?;
    let list = contract.entry("exclude").or_insert_with(|| Item::Value(Value::Array(Array::new())));
    let list = list.as_array_mut().ok_or("`exclude` is no list")?;
    // What stands behind the last entry, perhaps a comment, stays behind it.
    let mut behind = list.trailing().as_str().unwrap_or_default().to_owned();
    if let Some(last) = list.iter_mut().last().filter(|_| behind.is_empty() || !behind.contains('#')) {
        let suffix = last.decor().suffix().and_then(|it| it.as_str()).unwrap_or_default().to_owned();
        last.decor_mut().set_suffix("");
        behind = suffix + &behind;
    }
    if let Some(first) = list.iter_mut().next() {
        let before = first.decor().prefix().and_then(|it| it.as_str()).unwrap_or_default();
        if before.trim_matches(' ').is_empty() {
            first.decor_mut().set_prefix("\n    ");
        }
    }
    let reason: String = reason.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut entry = Value::from(function);
    entry.decor_mut().set_prefix(format!("{}\n    # {reason}\n    ", behind.trim_end()));
    list.push_formatted(entry);
    list.set_trailing_comma(true);
    list.set_trailing("\n");
    Ok(contract.to_string())
}

fn parse(text: &str) -> Result<DocumentMut, String> {
    text.parse().map_err(|error: toml_edit::TomlError| error.message().trim().to_owned())
}

fn entries(table: &mut Table) -> Vec<(String, Item)> {
    std::mem::take(table).into_iter().map(|(key, item)| (key.to_string(), item)).collect()
}

fn merge(
    into: &mut dyn TableLike,
    path: &str,
    new: Vec<(String, Item)>,
    note: Option<&str>,
) -> Result<(), String> {
    for (key, mut item) in new {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match (into.get_mut(&key), &mut item) {
            (Some(there), Item::Table(table)) => {
                let single = there.as_inline_table().is_some_and(|it| !it.to_string().contains('\n'));
                let inner = there.as_table_like_mut().ok_or_else(|| format!("`{path}` is no table"))?;
                merge(inner, &path, entries(table), note)?;
                if let Some(inline) = there.as_inline_table_mut().filter(|_| single) {
                    inline.fmt();
                }
            }
            (Some(there), Item::Value(value)) => replace(there, &path, value)?,
            (Some(_), _) => return Err(format!("`{path}` is there already; edit the file to change it")),
            (None, _) => {
                place_behind(&mut item, note);
                into.insert(&key, item);
            }
        }
    }
    Ok(())
}

/// Ways that data may go, of which a parameter has one.
const WAYS: [&str; 3] = ["in", "out", "inout"];

/// Puts a value in the place of another; what stands around it stays. What it says besides must not be lost.
fn replace(there: &mut Item, path: &str, new: &Value) -> Result<(), String> {
    let keys = new.as_inline_table();
    let lost = |key: &str| {
        let way = WAYS.contains(&key) && keys.is_some_and(|new| WAYS.iter().any(|way| new.contains_key(way)));
        !way && !keys.is_some_and(|new| new.contains_key(key))
    };
    let loses = there.as_table_like().is_some_and(|table| table.iter().any(|(key, _)| lost(key)));
    match there {
        Item::Value(old) if !loses && !old.to_string().trim().contains('\n') => {
            let decor = old.decor().clone();
            *old = new.clone();
            *old.decor_mut() = decor;
            Ok(())
        }
        Item::Value(old) => {
            old.decor_mut().clear();
            Err(format!("`{path} = {old}` is there already; edit the file to change it"))
        }
        _ => Err(format!("`[{path}]` is there already; edit the file to change it")),
    }
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
    fn what_stands_around_a_value_stays_around_it() {
        let there = format!(
            "{HEAD}# Ann says so.\nhandle.T = {{ release = \"a\" }} # of Ann\n\n[function.f]\n# Why.\nerror = \"never\" # sure\n"
        );
        let text = with(&there, "handle.T = { release = \"b\", parent = \"P\" }\n", None).unwrap();
        assert_eq!(text, there.replace("\"a\" }", "\"b\", parent = \"P\" }"));
        let text = with(&there, "[function.f]\nerror = { fails = \"null\" }\n", None).unwrap();
        assert_eq!(text, there.replace("\"never\"", "{ fails = \"null\" }"));
        let error = with(&there, "handle.T = {}\n", None).unwrap_err();
        assert_eq!(error, "`handle.T = { release = \"a\" }` is there already; edit the file to change it");
        let error =
            with("handle.T = { parent = \"P\" }\n", "handle.T = { release = \"b\" }\n", None).unwrap_err();
        assert!(error.starts_with("`handle.T = { parent = \"P\" }` is there already"), "{error}");
        let error = with("[handle.T]\n# Why.\nrelease = \"a\"\n", "handle.T = { release = \"b\" }\n", None);
        assert_eq!(error.unwrap_err(), "`[handle.T]` is there already; edit the file to change it");
        let several = "handle.T = {\n  # Why.\n  release = \"a\",\n}\n";
        let error = with(several, "handle.T = { release = \"b\" }\n", None).unwrap_err();
        assert!(error.contains("# Why.") && error.ends_with("edit the file to change it"), "{error}");
    }

    #[test]
    fn a_function_that_stands_on_one_line_gets_more_there() {
        let there = "function.f = { deadline = \"2s\" } # ours\n";
        let text = with(there, "[function.f]\nresult = { out = \"status\" }\n", None).unwrap();
        assert_eq!(text, "function.f = { deadline = \"2s\", result = { out = \"status\" } } # ours\n");
    }

    #[test]
    fn an_excluded_function_stands_on_a_line_of_its_own_below_its_reason() {
        let entry = "    # It waits.\n    \"f\",\n]\n";
        let check = |there: &str, expect: &str| {
            let text = excluding(&format!("{HEAD}{there}"), "f", "It waits.").unwrap();
            assert_eq!(text, format!("{HEAD}{expect}{entry}"));
        };
        check("", "exclude = [\n");
        check("exclude = []\n", "exclude = [\n");
        check("exclude = [\n]\n", "exclude = [\n");
        check("exclude = [\"d\", \"e\"]\n", "exclude = [\n    \"d\", \"e\",\n");
        check("exclude = [ \"e\" ]\n", "exclude = [\n    \"e\",\n");
        for there in ["    \"e\", # why\n", "    # why\n    \"e\",\n", "    \"e\",\n    # more\n"] {
            check(&format!("exclude = [\n{there}]\n"), &format!("exclude = [\n{there}"));
        }
        check("exclude = [\n    \"e\" # why\n]\n", "exclude = [\n    \"e\", # why\n");
        let text = excluding("exclude = [\"e\"] # ours\n", "f", "It\twaits.\u{7}").unwrap();
        assert_eq!(text, "exclude = [\n    \"e\",\n    # It waits. \n    \"f\",\n] # ours\n");
        assert_eq!(excluding("exclude = 1\n", "f", "It waits.").unwrap_err(), "`exclude` is no list");
    }
}
