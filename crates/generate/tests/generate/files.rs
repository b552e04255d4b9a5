//! Writing files: all or none, and only what differs.

use std::fs;
use std::path::{Path, PathBuf};

use hotcell_generate::{Error, write};

fn files(texts: &[(&str, &str)]) -> Vec<(PathBuf, String)> {
    texts.iter().map(|(path, text)| (PathBuf::from(path), (*text).to_owned())).collect()
}

fn names(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn only_what_differs_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("new");
    write(&dir, &files(&[("a", "1"), ("src/b", "2")]), false).unwrap();
    let kept = fs::metadata(dir.join("a")).unwrap().modified().unwrap();
    write(&dir, &files(&[("a", "1"), ("src/b", "3")]), false).unwrap();
    assert_eq!(fs::metadata(dir.join("a")).unwrap().modified().unwrap(), kept);
    assert_eq!(fs::read_to_string(dir.join("src/b")).unwrap(), "3");
    assert_eq!(names(&dir), ["a", "src"]);
    assert_eq!(names(&dir.join("src")), ["b"]);
}

#[test]
fn a_check_names_what_is_stale_and_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &files(&[("a", "1"), ("b", "2")]), false).unwrap();
    write(dir.path(), &files(&[("a", "1")]), true).unwrap();
    let error = write(dir.path(), &files(&[("a", "1"), ("b", "3"), ("c", "4")]), true).unwrap_err();
    assert_eq!(error.to_string(), "generated files are stale:\n  b\n  c");
    assert_eq!(names(dir.path()), ["a", "b"]);
    assert_eq!(fs::read_to_string(dir.path().join("b")).unwrap(), "2");
}

#[test]
fn what_cannot_be_written_leaves_everything_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &files(&[("a", "1"), ("file", "x")]), false).unwrap();
    fs::create_dir(dir.path().join("directory")).unwrap();
    for bad in ["file/b", "directory"] {
        let error = write(dir.path(), &files(&[("a", "2"), (bad, "3")]), false).unwrap_err();
        assert!(matches!(error, Error::Io { .. }), "{error}");
        assert_eq!(fs::read_to_string(dir.path().join("a")).unwrap(), "1");
        assert_eq!(names(dir.path()), ["a", "directory", "file"]);
    }
}
