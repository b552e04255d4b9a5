//! Shared libraries as ELF files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use hotcell_elf::Facts;
use object::Endianness;
use object::elf;
use object::read::elf::{ElfFile64, Sym};

use crate::error::{Error, ErrorKind};
use crate::library::Library;

type File<'data> = ElfFile64<'data, Endianness>;

/// Reads the library in `data`, the content of `path`.
pub(crate) fn inspect(path: &Path, data: &[u8]) -> Result<Library, Error> {
    let facts = hotcell_elf::check(path, data).map_err(Error::of_file)?;
    let damaged = |error: object::read::Error| {
        let what = format!("{} is damaged: {error}", path.display());
        Error::new(ErrorKind::Damaged, what).help("it may have been copied or downloaded in part")
    };
    let file = File::parse(data).map_err(damaged)?;
    read(path, &file, facts).map_err(damaged)?.check_kind(path, &file)
}

/// What was read, before it is known whether it is a shared library.
struct Read {
    library: Library,
    /// Whether the file calls itself a position-independent program.
    program: bool,
}

impl Read {
    fn check_kind(self, path: &Path, file: &File<'_>) -> Result<Library, Error> {
        let path = path.display();
        if self.program {
            return Err(Error::new(
                ErrorKind::Executable,
                format!("{path} is a program, not a shared library"),
            ));
        }
        if file.elf_section_table().is_empty() {
            return Err(Error::new(ErrorKind::NotShared, format!("{path} has no list of sections"))
                .help("it was stripped of more than symbols; use the library as its makers ship it"));
        }
        Ok(self.library)
    }
}

fn read(path: &Path, file: &File<'_>, facts: Facts) -> object::read::Result<Read> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let file_name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut library = Library {
        path: path.to_owned(),
        soname: file_name.into_owned(),
        build_id: facts.build_id,
        needed: Vec::new(),
        glibc: None,
        machine: facts.machine.to_owned(),
        exports: BTreeSet::new(),
        data_exports: BTreeSet::new(),
        versions: BTreeMap::new(),
    };
    let mut program = false;
    let dynamic = file.elf_dynamic_table()?;
    for entry in &dynamic {
        match entry.tag {
            elf::DT_SONAME => library.soname = text(dynamic.string(entry)?),
            elf::DT_NEEDED => library.needed.push(text(dynamic.string(entry)?)),
            elf::DT_FLAGS_1 => program = elf::DynamicFlags1(entry.val).contains(elf::DF_1_PIE),
            _ => {}
        }
    }
    symbols(file, &mut library)?;
    Ok(Read { library, program })
}

fn symbols(file: &File<'_>, library: &mut Library) -> object::read::Result<()> {
    let endian = file.endian();
    let versions = file.elf_section_table().versions(endian, file.data())?;
    let table = file.elf_dynamic_symbol_table();
    for (index, symbol) in table.enumerate() {
        // Absolute symbols are the names of versions.
        if let (true, Some(versions)) = (symbol.is_undefined(endian), &versions)
            && let Some(version) = versions.version(versions.version_index(endian, index).index())?
        {
            let version = String::from_utf8_lossy(version.name()).into_owned();
            let newer = version.strip_prefix("GLIBC_").filter(|it| is_newer(it, library.glibc.as_deref()));
            library.glibc = newer.map(str::to_owned).or(library.glibc.take());
        }
        let defined = !symbol.is_undefined(endian) && symbol.st_shndx(endian) != elf::SHN_ABS;
        let visible = matches!(symbol.st_visibility(), elf::STV_DEFAULT | elf::STV_PROTECTED);
        if !defined || symbol.is_local() || !visible {
            continue;
        }
        let name = String::from_utf8_lossy(table.symbol_name(endian, symbol)?).into_owned();
        if let Some(versions) = &versions {
            let version = versions.version_index(endian, index);
            // Kept for programs that were linked long ago; new ones cannot be linked with it.
            if version.is_hidden() {
                continue;
            }
            if let Some(version) = versions.version(version.index())? {
                let version = String::from_utf8_lossy(version.name()).into_owned();
                library.versions.insert(name.clone(), version);
            }
        }
        match symbol.st_type() {
            elf::STT_FUNC | elf::STT_GNU_IFUNC | elf::STT_NOTYPE => library.exports.insert(name),
            elf::STT_OBJECT | elf::STT_COMMON | elf::STT_TLS => library.data_exports.insert(name),
            _ => false,
        };
    }
    Ok(())
}

/// Whether a version such as `2.34` is newer than another one; what is no version, such as `PRIVATE`, is not.
fn is_newer(version: &str, than: Option<&str>) -> bool {
    let numbers = |text: &str| text.split('.').map(|part| part.parse().ok()).collect::<Option<Vec<u32>>>();
    match (numbers(version), than.and_then(numbers)) {
        (Some(version), Some(than)) => version > than,
        (version, None) => version.is_some(),
        (None, Some(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        for (version, than, expect) in [
            ("2.34", Some("2.4"), true),
            ("2.4", Some("2.34"), false),
            ("2.2.5", Some("2.2"), true),
            ("2.17", Some("2.17"), false),
            ("2.17", None, true),
            ("PRIVATE", None, false),
            ("PRIVATE", Some("2.17"), false),
        ] {
            assert_eq!(is_newer(version, than), expect, "{version} {than:?}");
        }
    }
}
