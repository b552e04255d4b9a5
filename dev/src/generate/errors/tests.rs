//! What errors.toml may say.

use super::*;

const GOOD: &str = r#"
[[error]]
name = "Crashed"
code = 1
exit = 101
fault = true
retry = "idempotent"
grpc = "INTERNAL"
http = 502
summary = "it crashed"
advice = "Look at it."
cause = "the signal"
reasons = ["by_itself", "pushed"]
"#;

fn refused(table: &str, words: &[&str]) {
    let error = match Errors::parse(table) {
        Ok(_) => panic!("this passed:\n{table}"),
        Err(error) => format!("{error:#}"),
    };
    for word in words {
        assert!(error.contains(word), "{word:?} is not in {error:?}");
    }
}

#[test]
fn a_good_table_passes_and_each_bad_line_is_refused() {
    assert_eq!(Errors::parse(GOOD).unwrap().errors.len(), 1);
    for (line, bad, word) in [
        ("name = \"Crashed\"", "name = \"crashed\"", "CamelCase"),
        ("code = 1", "code = 0", "code 0"),
        ("exit = 101", "exit = 1", "exit status 1 is not in"),
        ("exit = 101", "exit = 126", "exit status 126 is not in"),
        ("retry = \"idempotent\"", "retry = \"always\"", "always"),
        ("grpc = \"INTERNAL\"", "grpc = \"INTERN\"", "`INTERN` is no gRPC code"),
        ("http = 502", "http = 200", "HTTP status 200"),
        ("summary = \"it crashed\"", "summary = \" \"", "`summary` is empty"),
        ("cause = \"the signal\"", "cause = \"\"", "`cause` is empty"),
        ("\"pushed\"", "\"by_itself\"", "reason `by_itself` is there twice"),
        ("\"pushed\"", "\"Pushed\"", "snake_case"),
        ("fault = true", "fault = true\nseverity = 3", "severity"),
        ("advice = \"Look at it.\"\n", "", "advice"),
    ] {
        assert!(GOOD.contains(line), "{line}");
        refused(&GOOD.replace(line, bad), &[word]);
    }
}

#[test]
fn no_two_errors_share_a_name_a_code_or_an_exit_status() {
    let second = |name, code, exit| {
        let other = GOOD.replace("Crashed", name).replace("code = 1", code).replace("exit = 101", exit);
        format!("{GOOD}{other}")
    };
    assert!(Errors::parse(&second("Hung", "code = 2", "exit = 102")).is_ok());
    refused(&second("Crashed", "code = 2", "exit = 102"), &["error `Crashed` is there twice"]);
    refused(&second("Hung", "code = 1", "exit = 102"), &["error `Hung`", "code 1 belongs to `Crashed`"]);
    refused(
        &second("Hung", "code = 2", "exit = 101"),
        &["error `Hung`", "exit status 101 belongs to `Crashed`"],
    );
}

#[test]
fn reasons_become_an_enum() {
    let text = rust::render(&Errors::parse(GOOD).unwrap());
    assert!(text.contains("pub enum CrashedReason"), "{text}");
    assert!(text.contains("Self::ByItself => \"by_itself\""), "{text}");
}
