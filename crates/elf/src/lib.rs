//! What kind of file a shared library is, from its headers: whether it is whole and for this machine, and its build identity.
#![forbid(unsafe_code)]

mod code;
mod debug;
mod layouts;
#[cfg(test)]
mod made;
mod names;
mod places;
mod table;

use std::fmt;
use std::path::Path;

use object::elf::{self, FileHeader64, ProgramHeader64};
use object::read::elf::{FileHeader, NoteIterator, ProgramHeader};
use object::{Endianness, ReadRef};

pub use layouts::{Differs, Layout, differing};
pub use names::{is_nameless, without_needs};
pub use places::{Place, place, places};

/// Of a file that can be loaded here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Machine it is for, such as `x86_64`.
    pub machine: &'static str,
    /// Hexadecimal digits of the build's identity.
    pub build_id: Option<String>,
    /// What of it needs memory that is both written and executed, if anything does.
    pub writes_code: Option<&'static str>,
}

/// What is wrong with a file, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WrongKind {
    /// Not an ELF file.
    NotElf,
    /// An ELF file that ends too early or contradicts itself.
    Damaged,
    /// A 32-bit library.
    Not64Bit,
    /// A library for other machines than this one.
    WrongArchitecture,
    /// A static library (`.a`).
    StaticLibrary,
    /// A program.
    Executable,
    /// An ELF file that is neither a shared library nor a program: an object file, a core dump.
    NotShared,
}

/// Why a file cannot be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// For programs.
    pub kind: WrongKind,
    /// In one sentence, with the file's path.
    pub message: String,
    /// What to do.
    pub help: Option<&'static str>,
}

/// What to do about a library of another machine.
const FOR_HERE: &str = match () {
    () if cfg!(target_arch = "x86_64") => "use the build of the library for x86_64",
    () if cfg!(target_arch = "aarch64") => "use the build of the library for aarch64",
    () => "use the build of the library for this machine",
};

impl Wrong {
    fn new(kind: WrongKind, message: String) -> Wrong {
        Wrong { kind, message, help: None }
    }

    fn help(self, help: &'static str) -> Wrong {
        Wrong { help: Some(help), ..self }
    }

    fn damaged(path: &Path, why: &dyn fmt::Display) -> Wrong {
        Wrong::new(WrongKind::Damaged, format!("{} is damaged: {why}", path.display()))
            .help("it may have been copied or downloaded in part")
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.help.iter().try_for_each(|help| write!(f, ": {help}"))
    }
}

impl std::error::Error for Wrong {}

/// Looks at the content of `path`.
///
/// # Errors
///
/// Why it cannot be loaded here.
pub fn check<'data, R: ReadRef<'data>>(path: &Path, data: R) -> Result<Facts, Wrong> {
    let machine = machine(path, data)?;
    let header = FileHeader64::<Endianness>::parse(data).map_err(|error| Wrong::damaged(path, &error))?;
    let endian = header.endian().map_err(|error| Wrong::damaged(path, &error))?;
    let segments = whole(header, endian, data).map_err(|why| Wrong::damaged(path, &why))?;
    is_shared(path, header.e_type(endian))?;
    let writes_code = code::written(segments, endian, data);
    Ok(Facts { machine, build_id: build_id(segments, endian, data), writes_code })
}

/// What the first bytes say: that it is an ELF file, and one for this machine.
fn machine<'data, R: ReadRef<'data>>(path: &Path, data: R) -> Result<&'static str, Wrong> {
    /// As much as is looked at.
    const FIRST: u64 = 512;
    let path = path.display();
    let length = data.len().unwrap_or(0).min(FIRST);
    let first = data.read_bytes_at(0, length).unwrap_or_default();
    if first.starts_with(b"!<arch>\n") || first.starts_with(b"!<thin>\n") {
        return Err(Wrong::new(WrongKind::StaticLibrary, format!("{path} is a static library (.a)"))
            .help("use the shared library (.so); static ones cannot be loaded into a worker"));
    }
    if !first.starts_with(b"\x7fELF") {
        let what = if first.is_empty() {
            "it is empty"
        } else if first.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace()) {
            "it is text"
        } else {
            "it does not begin like one"
        };
        return Err(Wrong::new(WrongKind::NotElf, format!("{path} is not an ELF file: {what}")));
    }
    let Some(header) = first.get(..20) else {
        return Err(Wrong::new(WrongKind::Damaged, format!("{path} is damaged: it ends in its header")));
    };
    let little = header[5] == 1;
    let number = [header[18], header[19]];
    let number = elf::Machine(if little { u16::from_le_bytes(number) } else { u16::from_be_bytes(number) });
    let machine = machine_name(number);
    if header[4] == 1 {
        let what = format!("{path} is a 32-bit library ({machine})");
        return Err(Wrong::new(WrongKind::Not64Bit, what).help("use the 64-bit build of the library"));
    }
    let here = std::env::consts::ARCH;
    if machine != here || little != cfg!(target_endian = "little") {
        let what = format!("{path} is for {machine}, and this machine is {here}");
        return Err(Wrong::new(WrongKind::WrongArchitecture, what).help(FOR_HERE));
    }
    Ok(machine)
}

/// The segments of a file that is as long as they say. A cut file may still have a readable beginning. Section headers, which
/// lie last, are not needed: no loader reads them.
fn whole<'data, R: ReadRef<'data>>(
    header: &FileHeader64<Endianness>,
    endian: Endianness,
    data: R,
) -> Result<&'data [ProgramHeader64<Endianness>], String> {
    let have = data.len().map_err(|()| "its length cannot be read".to_owned())?;
    // As loaders do: 16 bits are the whole number.
    let (offset, count) = (header.e_phoff(endian), header.e_phnum(endian));
    let size = header.e_phentsize(endian);
    let mut needed = offset.saturating_add(u64::from(size) * u64::from(count));
    let mut segments: &[ProgramHeader64<Endianness>] = &[];
    if needed <= have && count > 0 {
        if usize::from(size) != size_of::<ProgramHeader64<Endianness>>() {
            return Err(format!("its program headers have {size} bytes"));
        }
        segments = data
            .read_slice_at(offset, usize::from(count))
            .map_err(|()| "its program headers cannot be read".to_owned())?;
        let loaded = segments.iter().filter(|it| it.p_type(endian) == elf::PT_LOAD);
        let ends = loaded.map(|it| it.p_offset(endian).saturating_add(it.p_filesz(endian)));
        needed = needed.max(ends.max().unwrap_or(0));
    }
    if needed > have {
        return Err(format!("it has {have} bytes and needs {needed}"));
    }
    Ok(segments)
}

fn is_shared(path: &Path, kind: elf::FileType) -> Result<(), Wrong> {
    let path = path.display();
    let wrong = |kind, what: &str| Err(Wrong::new(kind, format!("{path} is {what}, not a shared library")));
    match kind {
        elf::ET_DYN => Ok(()),
        elf::ET_EXEC => wrong(WrongKind::Executable, "a program"),
        elf::ET_REL => wrong(WrongKind::NotShared, "an object file (.o)").map_err(|it| {
            it.help("link it: cc -shared -o libNAME.so FILE.o, from sources compiled with -fPIC")
        }),
        elf::ET_CORE => wrong(WrongKind::NotShared, "a core dump"),
        _ => Err(Wrong::new(WrongKind::NotShared, format!("{path} is not a shared library"))),
    }
}

/// From the notes of the segments: those of sections can be stripped. What cannot be read, or lies behind more notes than any
/// linker makes, is none.
fn build_id<'data, R: ReadRef<'data>>(
    segments: &[ProgramHeader64<Endianness>],
    endian: Endianness,
    data: R,
) -> Option<String> {
    /// Segments and bytes of notes that are looked at.
    const MOST: (usize, u64) = (16, 64 * 1024);
    let mut left = MOST.1;
    for segment in segments.iter().filter(|it| it.p_type(endian) == elf::PT_NOTE).take(MOST.0) {
        let size = segment.p_filesz(endian).min(left);
        left -= size;
        let Ok(bytes) = data.read_bytes_at(segment.p_offset(endian), size) else { continue };
        let align = if segment.p_align(endian) == 8 { 8 } else { 4 };
        let Ok(mut notes) = NoteIterator::<FileHeader64<Endianness>>::new(endian, align, bytes) else {
            continue;
        };
        while let Ok(Some(note)) = notes.next() {
            if note.name() == elf::ELF_NOTE_GNU && note.n_type(endian) == elf::NT_GNU_BUILD_ID {
                return Some(note.desc().iter().map(|byte| format!("{byte:02x}")).collect());
            }
        }
    }
    None
}

/// A machine's name as Rust and `uname -m` have it.
pub fn machine_name(machine: elf::Machine) -> &'static str {
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
mod tests;
