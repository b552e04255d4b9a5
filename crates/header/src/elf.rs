//! Shared libraries as ELF files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use object::elf;
use object::read::elf::{ElfFile64, FileHeader, Sym};
use object::{Endianness, Object};

use crate::error::{Error, ErrorKind};
use crate::library::Library;

type File<'data> = ElfFile64<'data, Endianness>;

/// Reads the library in `data`, the content of `path`.
pub(crate) fn inspect(path: &Path, data: &[u8]) -> Result<Library, Error> {
    check_identity(path, data)?;
    let damaged = |why: &dyn std::fmt::Display| {
        let what = format!("{} is damaged: {why}", path.display());
        Error::new(ErrorKind::Damaged, what).help("it may have been copied or downloaded in part")
    };
    check_complete(data).map_err(|why| damaged(&why))?;
    let file = File::parse(data).map_err(|error| damaged(&error))?;
    read(path, &file).map_err(|error| damaged(&error))?.check_kind(path, &file)
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
        let header = file.elf_header();
        match header.e_type(file.endian()) {
            elf::ET_DYN if !self.program && !file.elf_section_table().is_empty() => Ok(self.library),
            elf::ET_DYN if !self.program => {
                Err(Error::new(ErrorKind::NotShared, format!("{path} has no list of sections"))
                    .help("it was stripped of more than symbols; use the library as its makers ship it"))
            }
            elf::ET_DYN | elf::ET_EXEC => {
                Err(Error::new(ErrorKind::Executable, format!("{path} is a program, not a shared library")))
            }
            elf::ET_REL => Err(Error::new(
                ErrorKind::NotShared,
                format!("{path} is an object file (.o), not a shared library"),
            )
            .help("link it: cc -shared -o libNAME.so FILE.o, from sources compiled with -fPIC")),
            elf::ET_CORE => {
                Err(Error::new(ErrorKind::NotShared, format!("{path} is a core dump, not a shared library")))
            }
            _ => Err(Error::new(ErrorKind::NotShared, format!("{path} is not a shared library"))),
        }
    }
}

/// What the first bytes say: that it is an ELF file, and one for this machine.
fn check_identity(path: &Path, data: &[u8]) -> Result<(), Error> {
    let path = path.display();
    if data.starts_with(b"!<arch>\n") || data.starts_with(b"!<thin>\n") {
        return Err(Error::new(ErrorKind::StaticLibrary, format!("{path} is a static library (.a)"))
            .help("use the shared library (.so); static ones cannot be loaded into a worker"));
    }
    if !data.starts_with(b"\x7fELF") {
        let what = if data.is_empty() {
            "it is empty"
        } else if data.iter().take(512).all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace()) {
            "it is text"
        } else {
            "it does not begin like one"
        };
        return Err(Error::new(ErrorKind::NotElf, format!("{path} is not an ELF file: {what}")));
    }
    let Some(header) = data.get(..20) else {
        return Err(Error::new(ErrorKind::Damaged, format!("{path} is damaged: it ends in its header")));
    };
    let little = header[5] == 1;
    let machine = [header[18], header[19]];
    let machine =
        elf::Machine(if little { u16::from_le_bytes(machine) } else { u16::from_be_bytes(machine) });
    if header[4] == 1 {
        let what = format!("{path} is a 32-bit library ({})", machine_name(machine));
        return Err(Error::new(ErrorKind::Not64Bit, what).help("use the 64-bit build of the library"));
    }
    let here = std::env::consts::ARCH;
    if machine_name(machine) != here || little != cfg!(target_endian = "little") {
        let what = format!("{path} is for {}, and this machine is {here}", machine_name(machine));
        return Err(Error::new(ErrorKind::WrongArchitecture, what)
            .help(format!("use the build of the library for {here}")));
    }
    Ok(())
}

/// Whether the file is as long as its header says. A cut file may still have a readable beginning.
fn check_complete(data: &[u8]) -> Result<(), String> {
    let header = elf::FileHeader64::<Endianness>::parse(data).map_err(|error| error.to_string())?;
    let endian = header.endian().map_err(|error| error.to_string())?;
    let have = data.len() as u64;
    let table =
        |offset: u64, size: u16, count: u16| offset.saturating_add(u64::from(size) * u64::from(count));
    let mut needed = table(header.e_phoff(endian), header.e_phentsize(endian), header.e_phnum(endian));
    needed = needed.max(table(header.e_shoff(endian), header.e_shentsize(endian), header.e_shnum(endian)));
    if needed <= have {
        use object::read::elf::ProgramHeader;
        let segments = header.program_headers(endian, data).map_err(|error| error.to_string())?;
        let ends = segments.iter().map(|s| s.p_offset(endian).saturating_add(s.p_filesz(endian)));
        needed = needed.max(ends.max().unwrap_or(0));
    }
    if needed > have {
        return Err(format!("it has {have} bytes and needs {needed}"));
    }
    Ok(())
}

fn read(path: &Path, file: &File<'_>) -> object::read::Result<Read> {
    let endian = file.endian();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let file_name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut library = Library {
        path: path.to_owned(),
        soname: file_name.into_owned(),
        build_id: file.build_id()?.map(|id| id.iter().map(|byte| format!("{byte:02x}")).collect()),
        needed: Vec::new(),
        glibc: None,
        machine: machine_name(file.elf_header().e_machine(endian)).to_owned(),
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

/// A machine's name as Rust and `uname -m` have it.
fn machine_name(machine: elf::Machine) -> &'static str {
    match machine {
        elf::EM_X86_64 => "x86_64",
        elf::EM_AARCH64 => "aarch64",
        elf::EM_386 => "i386",
        elf::EM_ARM => "arm",
        elf::EM_RISCV => "riscv64",
        elf::EM_PPC64 => "powerpc64",
        elf::EM_S390 => "s390x",
        elf::EM_LOONGARCH => "loongarch64",
        elf::EM_MIPS => "mips",
        _ => "another machine",
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
