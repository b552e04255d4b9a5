//! Where declarations come from: their places, the text of their files, and which files are primary.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use clang::source::{File, SourceLocation, SourceRange};
use clang::{Entity, EntityKind};
use hotcell_model::api::{CONTRACT, Location};
use hotcell_model::spelling::as_line;

use crate::job::{MAIN_FILE, Source};

/// Directories below a root in which the C library and the kernel keep parts of many headers.
const SHARED: &[&str] =
    &["arpa", "asm", "asm-generic", "bits", "gnu", "linux", "net", "netinet", "rpc", "sys"];

/// Knows every file of a translation unit.
pub(crate) struct Origins<'s> {
    source: &'s Source,
    primary: HashSet<PathBuf>,
    texts: RefCell<HashMap<PathBuf, Rc<Vec<u8>>>>,
}

/// An `#include` that was followed.
struct Inclusion {
    from: PathBuf,
    to: PathBuf,
    quoted: bool,
}

impl<'s> Origins<'s> {
    /// Classifies the files that `directives`, in the order of the text, include.
    pub(crate) fn new(directives: &[Entity<'_>], source: &'s Source, roots: &[PathBuf]) -> Self {
        let mut origins = Origins { source, primary: HashSet::new(), texts: RefCell::default() };
        let inclusions: Vec<_> = directives.iter().filter_map(|d| origins.inclusion(d)).collect();
        origins.primary = primary(&inclusions, &origins.asked(directives), roots);
        origins
    }

    /// The place of an entity.
    pub(crate) fn location(&self, entity: &Entity<'_>) -> Location {
        let place = entity.get_location().map(|l| l.get_file_location());
        let file = place.and_then(|place| place.file).map(|file| file.get_path());
        let line = place.map_or(0, |place| place.line);
        match file {
            None => Location { file: "<built-in>".into(), line, primary: false },
            Some(file) if is_main(&file) => match self.source.added_line(line) {
                Some(line) => Location { file: CONTRACT.into(), line, primary: true },
                None => Location { file: "prelude".into(), line, primary: true },
            },
            Some(file) => {
                let primary = self.primary.contains(&file);
                Location { file: as_line(&file.to_string_lossy()), line, primary }
            }
        }
    }

    /// The text of a range, whatever its encoding. Reading the file instead of asking libclang, because
    /// the `clang` crate panics on text that is not UTF-8.
    pub(crate) fn text(&self, range: SourceRange<'_>) -> Option<String> {
        let (start, end) = (range.get_start().get_file_location(), range.get_end().get_file_location());
        let text = self.file(&start.file?);
        let bytes = text.get(start.offset as usize..end.offset as usize)?;
        Some(String::from_utf8_lossy(bytes).into_owned())
    }

    /// The text of the file that a location lies in, and the location's offset in it.
    pub(crate) fn file_at(&self, location: SourceLocation<'_>) -> Option<(Rc<Vec<u8>>, usize)> {
        let place = location.get_file_location();
        Some((self.file(&place.file?), place.offset as usize))
    }

    fn file(&self, file: &File<'_>) -> Rc<Vec<u8>> {
        let path = file.get_path();
        if let Some(text) = self.texts.borrow().get(&path) {
            return Rc::clone(text);
        }
        let text = if is_main(&path) {
            self.source.text.clone().into_bytes()
        } else {
            // A file that has gone since has no comments; what was parsed from it stays right.
            std::fs::read(&path).unwrap_or_default()
        };
        let text = Rc::new(text);
        self.texts.borrow_mut().insert(path, Rc::clone(&text));
        text
    }

    fn inclusion(&self, directive: &Entity<'_>) -> Option<Inclusion> {
        let from = directive.get_location()?.get_file_location().file?.get_path();
        let to = directive.get_file()?.get_path();
        let quoted = directive.get_range().and_then(|range| self.text(range))?.contains('"');
        Some(Inclusion { from, to, quoted })
    }

    /// Files that the generated lines of the main file include.
    fn asked(&self, directives: &[Entity<'_>]) -> Vec<PathBuf> {
        let generated = directives.iter().filter(|directive| {
            let place = directive.get_location().map(|l| l.get_file_location());
            place.is_some_and(|place| {
                place.line > self.source.prelude_lines
                    && self.source.added_line(place.line).is_none()
                    && place.file.is_some_and(|file| is_main(&file.get_path()))
            })
        });
        generated.filter_map(|directive| Some(directive.get_file()?.get_path())).collect()
    }
}

/// Inclusion directives of a translation unit.
pub(crate) fn directives<'tu>(children: &[Entity<'tu>]) -> Vec<Entity<'tu>> {
    children.iter().filter(|e| e.get_kind() == EntityKind::InclusionDirective).copied().collect()
}

/// Whether a path is that of the text that includes the headers.
pub(crate) fn is_main(path: &Path) -> bool {
    path == Path::new(MAIN_FILE)
}

/// The rules of the crate's documentation.
fn primary(inclusions: &[Inclusion], asked: &[PathBuf], roots: &[PathBuf]) -> HashSet<PathBuf> {
    let is_root = |dir: &Path| {
        let is = |dir: &Path| roots.iter().any(|root| root == dir);
        is(dir) || (SHARED.iter().any(|name| dir.ends_with(name)) && dir.parent().is_some_and(is))
    };
    let mut primary: HashSet<PathBuf> = asked.iter().cloned().collect();
    let own_dirs: Vec<PathBuf> = asked
        .iter()
        .flat_map(|header| spellings(header))
        .filter_map(|header| Some(header.parent()?.to_owned()))
        .filter(|dir| !is_root(dir))
        .collect();
    // `tomcrypt_hash.h` of `tomcrypt.h`, `pcap/pcap.h` of `pcap.h`.
    let called_after = |path: &Path| {
        let below =
            |path: &Path| roots.iter().find_map(|root| path.strip_prefix(root).ok()).map(Path::to_owned);
        let Some(name) = below(path) else { return false };
        let mut asked = asked.iter().filter(|header| header.parent().is_some_and(is_root));
        asked.any(|header| {
            let stem = header.file_stem().unwrap_or_default().to_string_lossy();
            let rest = name.to_str().and_then(|name| name.strip_prefix(stem.as_ref()));
            rest.is_some_and(|rest| rest.starts_with(['/', '_', '-']))
        })
    };
    let is_part = |inclusion: &Inclusion| {
        let Some(from_dir) = inclusion.from.parent() else {
            return false;
        };
        let Some(dir) = inclusion.to.parent() else {
            return false;
        };
        spellings(&inclusion.to).iter().any(|to| own_dirs.iter().any(|own| to.starts_with(own)))
            || (inclusion.quoted && dir.starts_with(from_dir))
            || (dir.ends_with("bits") && is_root(dir) && is_root(from_dir))
            || called_after(&inclusion.to)
    };
    loop {
        let more: Vec<_> = inclusions
            .iter()
            .filter(|i| primary.contains(&i.from) && !primary.contains(&i.to) && is_part(i))
            .map(|i| i.to.clone())
            .collect();
        if more.is_empty() {
            return primary;
        }
        primary.extend(more);
    }
}

/// A path as it is named and as it is without links: `/usr/include/png.h` may be a link into a directory
/// of its own.
fn spellings(path: &Path) -> Vec<PathBuf> {
    let mut spellings = vec![path.to_owned()];
    spellings.extend(std::fs::canonicalize(path).ok().filter(|canonical| canonical != path));
    spellings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_called_after_a_header_of_the_system_are_its_parts() {
        let of = |asked: &str, included: &[(&str, &str)]| {
            let inclusions: Vec<Inclusion> = included
                .iter()
                .map(|(from, to)| Inclusion { from: from.into(), to: to.into(), quoted: false })
                .collect();
            let found = primary(&inclusions, &[asked.into()], &["/usr/include".into()]);
            let mut found: Vec<String> = found.iter().map(|path| path.display().to_string()).collect();
            found.sort();
            found
        };
        let root =
            |names: &[&str]| names.iter().map(|name| format!("/usr/include/{name}")).collect::<Vec<_>>();
        let crypt = [
            ("/usr/include/crypt.h", "/usr/include/crypt_hash.h"),
            ("/usr/include/crypt.h", "/usr/include/cryptic.h"),
            ("/usr/include/crypt_hash.h", "/usr/include/crypt/part.h"),
            ("/usr/include/crypt_hash.h", "/usr/include/zlib.h"),
        ];
        assert_eq!(of("/usr/include/crypt.h", &crypt), root(&["crypt.h", "crypt/part.h", "crypt_hash.h"]));
        // Outside of the roots a folder is what belongs together.
        let own = [("/opt/x/crypt.h", "/usr/include/crypt_hash.h")];
        assert_eq!(of("/opt/x/crypt.h", &own), ["/opt/x/crypt.h"]);
    }
}
