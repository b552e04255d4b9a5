//! Texts in each encoding, as an application uses them.

use hotcell::{ErrorKind, Output};
use letters_hotcell::{Letters, Named};

fn main() -> hotcell::Result<()> {
    let letters = Letters::open()?;

    assert_eq!(letters.wide_length("Größe 🦀")?, 707);
    assert_eq!((letters.latin_length("Größe")?, letters.latin_maybe(None)?), (5, -1));
    assert_eq!(letters.wide_name(0)?.as_deref(), Some("Größe 🦀"));
    assert_eq!(letters.latin_name(0)?.as_deref(), Some("Größe"));
    assert_eq!((letters.wide_name(-1)?, letters.latin_name(-1)?), (None, None));
    // A place is one in the text as it is here.
    let found = letters.wide_find("ö🦀e", 'e' as i32)?;
    assert_eq!(found.at, Some("ö🦀".len()));
    assert_eq!(letters.latin_list(&["ä", "öü"])?, 9);
    assert_eq!(letters.wide_list(&["a", "€"])?, '€' as i32);
    let mut told = Vec::new();
    let answer = letters.wide_tell("世界", |text, latin, list| {
        told.push(format!("{text} {latin} {}", list.join(",")));
        Ok(7)
    })?;
    assert_eq!((answer, told), (7, vec!["世界 é €,€".to_owned()]));
    let swapped = letters.named_swap(&Named { wide: "🦀🦀".into(), latin: Some("é".into()) })?;
    assert_eq!(swapped, Named { wide: "€".into(), latin: Some("ÿ".into()) });

    let error = letters.latin_length("ab€").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadEncoding, "{error}");
    assert!(error.to_string().contains("byte 2 that Latin-1 does not have"), "{error}");
    let error = letters.wide_length("a\0b").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    let error = letters.latin_fail("ö!").unwrap_err();
    assert!(matches!(error.output_of("said"), Some(Output::Text(text)) if text == "ö!"), "{error:?}");

    assert_eq!(letters.key_get(5)?.out, Some(vec![5; 5]));
    assert_eq!(letters.key_get(8)?.out, Some(Vec::new()));

    println!("all is well");
    Ok(())
}
