//! Linker scripts in place of libraries: `libm.so` may be a text that names the real ones.

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind};

/// Scripts are a few lines; what is longer is none.
const LONGEST: u64 = 64 << 10;

/// The file itself or, for a linker script, the first shared library that it names.
pub(crate) fn resolve(path: &Path, dirs: &[PathBuf]) -> Result<PathBuf, Error> {
    let Some(script) = script_in(path) else {
        return Ok(path.to_owned());
    };
    let names = inputs(&script);
    let own = path.parent().map(Path::to_owned);
    let found = names.iter().find_map(|name| {
        let file = match name.strip_prefix("-l") {
            Some(library) => format!("lib{library}.so"),
            None => name.clone(),
        };
        // Joining an absolute path gives that path.
        let paths = own.iter().chain(dirs).map(|dir| dir.join(&file));
        paths.filter(|path| script_in(path).is_none()).find(|path| is_shared(&file) && path.is_file())
    });
    found.ok_or_else(|| {
        let what = format!("{} is a linker script, and no shared library it names exists", path.display());
        Error::new(ErrorKind::LibraryNotFound, what).help(format!("it names {}", names.join(", ")))
    })
}

fn is_shared(file: &str) -> bool {
    file.ends_with(".so") || file.contains(".so.")
}

/// The text of a file that is a linker script.
fn script_in(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    std::fs::File::open(path).ok()?.take(LONGEST).read_to_end(&mut bytes).ok()?;
    if bytes.starts_with(b"\x7fELF") || bytes.contains(&0) {
        return None;
    }
    let text = without_comments(&String::from_utf8(bytes).ok()?);
    ["GROUP", "INPUT"].iter().any(|word| text.contains(word)).then_some(text)
}

fn without_comments(text: &str) -> String {
    let mut parts = text.split("/*");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push(' ');
        out.push_str(part.split_once("*/").map_or("", |(_, after)| after));
    }
    out
}

/// What `GROUP ( … )` and `INPUT ( … )` name, in order.
fn inputs(script: &str) -> Vec<String> {
    let spaced = script.replace('(', " ( ").replace(')', " ) ").replace(',', " ");
    let mut names = Vec::new();
    let mut words = spaced.split_whitespace();
    while let Some(word) = words.next() {
        if word != "GROUP" && word != "INPUT" {
            continue;
        }
        let mut depth = 0;
        for word in words.by_ref() {
            match word {
                "(" => depth += 1,
                ")" => depth -= 1,
                "AS_NEEDED" => {}
                name => names.push(name.trim_matches('"').to_owned()),
            }
            if depth == 0 {
                break;
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_order() {
        let script = "/* GNU ld script, INPUT ( no ) */\nOUTPUT_FORMAT(elf64-x86-64)\n\
                      GROUP ( /lib/libm.so.6  AS_NEEDED ( /lib/libmvec.so.1 ) )";
        assert_eq!(inputs(&without_comments(script)), ["/lib/libm.so.6", "/lib/libmvec.so.1"]);
        assert_eq!(inputs("INPUT(libncurses.so.6 -ltinfo)"), ["libncurses.so.6", "-ltinfo"]);
        assert_eq!(inputs("SEARCH_DIR(/lib)"), Vec::<String>::new());
    }
}
