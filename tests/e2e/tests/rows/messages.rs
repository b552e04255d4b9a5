//! Floods and escapes in what a library says: where it is printed it is short, and steers nothing.

use hotcell::dynamic::Value;
use hotcell::{Cause, ErrorKind, Options};

use crate::rows::Rows;

#[test]
fn a_librarys_message_is_bounded_and_steers_nothing() {
    let rows = Rows::new();
    let session = rows.open(Options::default());
    for length in [0, 40, 4000, 1_000_000] {
        let error = rows.call(&session, "rows_fail", &[Value::Int(length)]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LibraryError, "{error}");
        for printed in [error.to_string(), format!("{error:#}"), format!("{error:?}")] {
            let steers = |character: char| character.is_control() && character != '\n';
            assert!(!printed.contains(steers), "{printed:?}");
            assert!(!printed.lines().any(|line| line.starts_with("ERROR")), "{printed}");
        }
        assert!(error.to_string().len() < 40_000 && error.message().len() < 20_000, "{length}");
        assert!(!error.to_string().contains('\n'));
        // Whoever wants all of it has it, as it came.
        let Cause::Library { message: Some(message), .. } = error.cause() else { panic!("{error:?}") };
        assert_eq!(message.is_empty(), length == 0);
        assert!(message.len() + 2 >= length as usize, "{length}: {}", message.len());
    }
    rows.serves(&session);
    assert_eq!(session.generation(), 1);
}
