//! The library with one thing changed, byte by byte: what a wrong build, upgrade or download of it is.
#![allow(clippy::ptr_arg, reason = "changes are of one type, and some of them shorten it")]

/// A change that the words of a direct run name.
///
/// # Panics
///
/// When there is no such change, or the library has nothing to change: then there is no row.
pub(crate) fn by_name(name: &str, bytes: &mut Vec<u8>) {
    match name {
        "version-2" => version_2(bytes),
        "newer-system" => newer_system(bytes),
        "without-add" => without_add(bytes),
        "missing-dependency" => missing_dependency(bytes),
        "truncated" => truncated(bytes),
        "other-machine" => other_machine(bytes),
        "executable-data" => executable_data(bytes),
        "text" => text(bytes),
        other => panic!("no row changes a library by `{other}`"),
    }
}

/// Another version of it.
pub(crate) fn version_2(bytes: &mut Vec<u8>) {
    let mark = b"faulty library, version\0";
    let at = find(bytes, mark) + mark.len();
    bytes[at] = 2;
}

/// One that was built for a newer C library.
pub(crate) fn newer_system(bytes: &mut Vec<u8>) {
    // The newest version that it asks for is the one that every machine with a library this old lacks.
    let at = find_last_version(bytes);
    bytes[at..at + 5].copy_from_slice(b"9.99\0");
}

/// One that lacks a function which its header declares.
pub(crate) fn without_add(bytes: &mut Vec<u8>) {
    replace(bytes, b"\0faulty_add\0", b"\0faulty_a0d\0");
}

/// One that needs a library which is not there.
pub(crate) fn missing_dependency(bytes: &mut Vec<u8>) {
    replace(bytes, b"\0libc.so.6\0", b"\0lib0.so.6\0");
}

/// One that was downloaded in part.
pub(crate) fn truncated(bytes: &mut Vec<u8>) {
    bytes.truncate(bytes.len() / 2);
}

/// One for another processor: `e_machine` of its header.
pub(crate) fn other_machine(bytes: &mut Vec<u8>) {
    const MACHINE: usize = 18;
    const RISC_V: u16 = 243;
    bytes[MACHINE..MACHINE + 2].copy_from_slice(&RISC_V.to_le_bytes());
}

/// One whose data can be executed: what is to be written of it.
pub(crate) fn executable_data(bytes: &mut Vec<u8>) {
    /// Kind and rights of a segment.
    const LOADED: u32 = 1;
    make_executable(bytes, |kind, rights| kind == LOADED && rights & WRITABLE != 0);
}

/// One that wants an executable stack, as assembly without a word about it, and functions in functions have it.
pub(crate) fn executable_stack(bytes: &mut Vec<u8>) {
    /// `PT_GNU_STACK`.
    const STACK: u32 = 0x6474_e551;
    make_executable(bytes, |kind, _| kind == STACK);
}

/// `PF_X` and `PF_W` of a segment's rights.
const EXECUTABLE: u32 = 1;
const WRITABLE: u32 = 2;

/// Changes the rights of the first such segment, by kind and rights: those are where its header begins.
fn make_executable(bytes: &mut [u8], is_it: impl Fn(u32, u32) -> bool) {
    /// Where the file's header says how many segments there are, and the bytes of each header behind it.
    const PLACES: [usize; 3] = [56, 64, 56];
    let [count, first, size] = PLACES;
    let number = |bytes: &[u8], at: usize| {
        u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
    };
    let headers = (0..usize::from(bytes[count])).map(|index| first + size * index);
    let found = headers.into_iter().find(|&at| is_it(number(bytes, at), number(bytes, at + 4)));
    let at = found.unwrap_or_else(|| panic!("the library has no such segment")) + 4;
    let rights = number(bytes, at) | EXECUTABLE;
    bytes[at..at + 4].copy_from_slice(&rights.to_le_bytes());
}

/// A file that is something else.
pub(crate) fn text(bytes: &mut Vec<u8>) {
    *bytes = b"this is no library\n".to_vec();
}

fn replace(bytes: &mut [u8], old: &[u8], new: &[u8]) {
    let at = find(bytes, old);
    bytes[at..at + new.len()].copy_from_slice(new);
}

fn find(bytes: &[u8], what: &[u8]) -> usize {
    let at = bytes.windows(what.len()).position(|window| window == what);
    at.unwrap_or_else(|| panic!("the library has no {:?}", String::from_utf8_lossy(what)))
}

/// Where the number of a version of the C library begins that has room for another: `GLIBC_2.34`.
fn find_last_version(bytes: &[u8]) -> usize {
    let name = b"\0GLIBC_2.";
    let has_two_digits = |at: &usize| {
        let rest = &bytes[at + name.len()..];
        rest[0].is_ascii_digit() && rest[1].is_ascii_digit() && rest[2] == 0
    };
    let places = (0..bytes.len() - name.len() - 3).filter(|&at| bytes[at..].starts_with(name));
    let at = places.rev().find(has_two_digits);
    at.unwrap_or_else(|| panic!("the library asks for no version of the C library")) + name.len() - 2
}
