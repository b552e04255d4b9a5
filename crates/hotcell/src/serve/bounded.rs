//! Errors that a packet has room for.

use serde_json::{Value, json};

/// Bytes of an error: what else a packet has is much less than the rest.
const ROOM: usize = 48 << 10;

/// Bytes of each other text of an error that is too long yet.
const OTHERS: usize = 256;

/// Entries of each list of such an error.
const ENTRIES: usize = 16;

/// An error that a packet has room for: of what the library printed the last is worth the most, of a message the first.
pub(super) fn bounded(mut error: Value) -> Value {
    let over = |error: &Value| error.to_string().len().saturating_sub(ROOM);
    for name in ["output", "message"] {
        let (over, text) = (over(&error), error[name].as_str().unwrap_or_default());
        if over == 0 || text.is_empty() {
            continue;
        }
        // What is left out takes as many bytes in JSON, or more.
        let most = text.len().saturating_sub(over);
        error[name] = json!(if name == "output" { last(text, most) } else { first(text, most) });
    }
    if over(&error) > 0 {
        shorten(&mut error);
    }
    // It has more members than anybody has foreseen: those that say what it is stay.
    if over(&error) > 0 {
        error
            .as_object_mut()
            .into_iter()
            .for_each(|members| members.retain(|_, it| !it.is_object() && !it.is_array()));
    }
    error
}

fn shorten(value: &mut Value) {
    match value {
        Value::String(text) => *text = first(text, OTHERS).to_owned(),
        Value::Array(entries) => {
            entries.truncate(ENTRIES);
            entries.iter_mut().for_each(shorten);
        }
        Value::Object(members) => members.values_mut().for_each(shorten),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn first(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

fn last(text: &str, most: usize) -> &str {
    &text[text.ceil_char_boundary(text.len().saturating_sub(most))..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_short_stays_as_it_is() {
        let error =
            json!({ "kind": "Hung", "message": "no reply", "output": "so far", "outputs": [{ "x": 1 }] });
        assert_eq!(bounded(error.clone()), error);
    }

    #[test]
    fn of_the_output_the_last_stays_and_of_a_message_the_first() {
        let long = |letter: &str| format!("begin{}end", letter.repeat(60 << 10));
        let short = bounded(json!({ "kind": "Hung", "message": "no reply", "output": long("o") }));
        let output = short["output"].as_str().unwrap();
        assert!(output.ends_with("end") && (47 << 10..48 << 10).contains(&output.len()), "{}", output.len());
        assert_eq!(short["message"], "no reply");
        let both = bounded(json!({ "kind": "Hung", "message": long("\u{e9}"), "output": long("o") }));
        let message = both["message"].as_str().unwrap();
        assert!(message.starts_with("begin") && message.len() > 47 << 10, "{}", message.len());
        let escaped = bounded(json!({ "kind": "Hung", "message": "", "output": "\u{1}".repeat(60 << 10) }));
        assert!(escaped.to_string().len() <= ROOM);
    }

    #[test]
    fn whatever_is_long_the_kind_is_said() {
        let long = "x".repeat(60 << 10);
        for error in [
            json!({ "kind": "Hung", "cause": { "message": long } }),
            json!({ "kind": "Hung", "function": long, "outputs": vec![json!({ "name": long }); 20] }),
            json!({ "kind": "Hung", "outputs": { "deep": vec![vec![vec![vec!["x"; 20]; 20]; 20]; 20] } }),
        ] {
            let short = bounded(error);
            assert_eq!(short["kind"], "Hung");
            assert!(short.to_string().len() <= ROOM, "{}", short.to_string().len());
        }
    }
}
