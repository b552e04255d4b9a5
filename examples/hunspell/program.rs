//! Hunspell at work: a text is checked word by word, with what could be meant, and the dictionary learns a word.
//! `cargo dev examples hunspell`
#![forbid(unsafe_code)]

use std::fs;
use std::path::Path;

use hotcell::{Options, Profile, Sandbox};
use hunspell_hotcell::{Hunhandle, Hunspell};

const RULES: &str = include_str!("files/words.aff");
const WORDS: &str = include_str!("files/words.dic");

const TEXT: &str = "The quick brown foxs jumped over the lazy dog, and recieved unhappy berries and a cafe";

fn main() -> hotcell::Result<()> {
    let folder = std::env::temp_dir().join(format!("hunspell-example-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a temporary folder can be made");
    fs::write(folder.join("words.aff"), RULES).expect("a file can be written there");
    fs::write(folder.join("words.dic"), WORDS).expect("a file can be written there");
    let done = check(&folder);
    let _ = fs::remove_dir_all(&folder);
    done
}

fn check(folder: &Path) -> hotcell::Result<()> {
    // Hunspell may read this folder, and nothing else.
    let sandbox = Sandbox { read: vec![folder.to_owned()], ..Sandbox::of(Profile::Files) };
    let hunspell = Hunspell::open_with(Options { sandbox: Some(sandbox), ..Options::default() })?;
    let file = |name: &str| folder.join(name).display().to_string();
    let Some(words) = hunspell.create(file("words.aff").as_bytes(), file("words.dic").as_bytes())? else {
        println!("no memory for a dictionary");
        return Ok(());
    };
    println!("a dictionary in {}", words.get_dic_encoding()?);
    for word in TEXT.split(|letter: char| !letter.is_alphabetic()).filter(|word| !word.is_empty()) {
        if words.spell(word.as_bytes())? == 0 {
            println!("{word}: {}", list(&words.suggest(word.as_bytes())?.slst));
        }
    }
    println!("stems of berries: {}", list(&words.stem("berries".as_bytes())?.slst));
    println!("carry, like jumped: {}", list(&words.generate(b"carry", b"jumped")?.slst));
    learn(&words)
}

/// Adds a word that is declined like another.
fn learn(words: &Hunhandle) -> hotcell::Result<()> {
    let known = |word: &str| words.spell(word.as_bytes()).map(|found| found != 0);
    let before = known("hotcells")?;
    words.add_with_affix(b"hotcell", b"dog")?;
    println!("hotcells: {before}, then {}", known("hotcells")?);
    // What holds a NUL is no word: it does not get as far as C.
    match words.spell(b"fox\0es") {
        Ok(_) => println!("taken for a word"),
        Err(error) => println!("{error}"),
    }
    Ok(())
}

fn list(texts: &Option<Vec<Option<Vec<u8>>>>) -> String {
    let texts = texts.iter().flatten().flatten().map(|text| String::from_utf8_lossy(text).into_owned());
    texts.collect::<Vec<_>>().join(", ")
}
