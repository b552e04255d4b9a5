//! What the crates are licensed under that are linked into the wheel: their own texts, each once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::process::{cargo, output};

/// The packages that the wheel has.
const OURS: [&str; 3] = ["hotcell-python", "hotcell-cli", "hotcell-worker"];

/// How files that say it begin.
const NAMES: [&str; 5] = ["LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE"];

const HEAD: &str = "Software of others in this package\n\nIts native module and its programs are linked with these crates. Under each text stand those that have it.\n";

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    manifest_path: String,
    /// None for those of this workspace.
    source: Option<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    pkg: String,
    dep_kinds: Vec<Kind>,
}

#[derive(Deserialize)]
struct Kind {
    kind: Option<String>,
}

/// All of it.
pub(super) fn text(root: &Path) -> Result<String> {
    let words = ["metadata", "--format-version", "1", "--locked", "--filter-platform"];
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let text = output(cargo(root, words).arg(target))?;
    let metadata: Metadata = serde_json::from_str(&text).context("reading what cargo says of packages")?;
    let linked = linked(&metadata);
    let others = metadata.packages.iter().filter(|it| it.source.is_some() && linked.contains(it.id.as_str()));
    let mut by_text = BTreeMap::<String, Vec<String>>::new();
    for package in others {
        let licence = package.license.as_deref().unwrap_or("a licence of its own");
        let title = format!("{} {} ({licence})", package.name, package.version);
        let folder = Path::new(&package.manifest_path).parent().context("a manifest lies in a folder")?;
        let texts = texts(folder)?;
        // Some say only which licence it is.
        ensure!(!texts.is_empty() || package.license.is_some(), "{title} does not say its licence");
        if texts.is_empty() {
            by_text.entry(String::new()).or_default().push(title.clone());
        }
        for text in texts {
            by_text.entry(text).or_default().push(title.clone());
        }
    }
    Ok(page(&by_text))
}

/// The packages that end up in a binary: not what is only built with, or tests.
fn linked(metadata: &Metadata) -> BTreeSet<&str> {
    let nodes: BTreeMap<&str, &Node> =
        metadata.resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
    let ours = metadata.packages.iter().filter(|it| OURS.contains(&it.name.as_str()));
    let mut waiting: Vec<&str> = ours.map(|it| it.id.as_str()).collect();
    let mut found = BTreeSet::new();
    while let Some(id) = waiting.pop() {
        if !found.insert(id) {
            continue;
        }
        let deps = nodes.get(id).into_iter().flat_map(|node| &node.deps);
        let normal = deps.filter(|it| it.dep_kinds.iter().any(|kind| kind.kind.is_none()));
        waiting.extend(normal.map(|it| it.pkg.as_str()));
    }
    found
}

/// The texts in a package's folder.
fn texts(folder: &Path) -> Result<Vec<String>> {
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
        if path.is_file() && NAMES.iter().any(|begins| name.starts_with(begins)) {
            let text = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
            texts.push(String::from_utf8_lossy(&text).trim().replace("\r\n", "\n"));
        }
    }
    texts.sort();
    Ok(texts)
}

fn page(by_text: &BTreeMap<String, Vec<String>>) -> String {
    let mut page = HEAD.to_owned();
    for (text, titles) in by_text {
        let line = "-".repeat(80);
        page.push_str(&format!("\n{line}\n\n{}\n", titles.join("\n")));
        if !text.is_empty() {
            page.push_str(&format!("\n{text}\n"));
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_linked_is_found_through_others_and_tools_are_not() {
        let text = r#"{"packages": [
            {"id": "cli", "name": "hotcell-cli", "version": "1", "license": null, "manifest_path": "/", "source": null},
            {"id": "a", "name": "a", "version": "1", "license": "MIT", "manifest_path": "/", "source": "r"},
            {"id": "b", "name": "b", "version": "1", "license": "MIT", "manifest_path": "/", "source": "r"},
            {"id": "t", "name": "t", "version": "1", "license": "MIT", "manifest_path": "/", "source": "r"},
            {"id": "alone", "name": "alone", "version": "1", "license": "MIT", "manifest_path": "/", "source": "r"}],
          "resolve": {"nodes": [
            {"id": "cli", "deps": [{"pkg": "a", "dep_kinds": [{"kind": null}]}, {"pkg": "t", "dep_kinds": [{"kind": "build"}]}]},
            {"id": "a", "deps": [{"pkg": "b", "dep_kinds": [{"kind": "dev"}, {"kind": null}]}]},
            {"id": "b", "deps": []}, {"id": "t", "deps": []}, {"id": "alone", "deps": []}]}}"#;
        let metadata: Metadata = serde_json::from_str(text).unwrap();
        assert_eq!(linked(&metadata), BTreeSet::from(["cli", "a", "b"]));
    }

    #[test]
    fn a_text_stands_once_with_all_that_have_it() {
        let texts =
            BTreeMap::from([("MIT text".to_owned(), vec!["a 1 (MIT)".to_owned(), "b 2 (MIT)".to_owned()])]);
        let page = page(&texts);
        assert!(page.starts_with(HEAD), "{page}");
        assert!(page.contains("a 1 (MIT)\nb 2 (MIT)\n\nMIT text\n"), "{page}");
    }
}
