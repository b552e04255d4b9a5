//! What of a process's memory is code of which file, and the tables by which its stacks are walked.

use std::fs::File;
use std::ops::Range;

use super::rows::Rows;
use super::{FrameSeen, escape, up_to};

/// Modules of a process, at most. A hostile library can map files as often as it likes.
const MOST: usize = 1024;

/// Ranges of a module that are executed, at most: what follows on the one before is the same one, and linkers make one or two.
const MOST_CODE: usize = 64;

/// Program headers of a module, at most.
const MOST_HEADERS: usize = 128;

/// A file as it lies in memory.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Module {
    /// Its name, escaped.
    pub(super) name: String,
    /// From its first byte on.
    pub(super) range: Range<u64>,
    /// What of that is executed.
    code: Vec<Range<u64>>,
    /// The number of the file.
    pub(super) inode: u64,
}

/// Of a text of `/proc/PID/maps`: addresses, rights, offset, device, number, name, by address. A file's first byte begins a module.
pub(super) fn of_maps(maps: &str) -> Vec<Module> {
    let mut modules: Vec<Module> = Vec::new();
    let mut last = None;
    // A line that is not whole may have a name that is not.
    for line in maps.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
        let Some(Map { range, is_code, offset, file, name }) = of_line(line) else { continue };
        let is_full = modules.len() == MOST;
        match modules.last_mut().filter(|_| offset != 0 && last == Some(file)) {
            Some(module) => module.range.end = range.end,
            None if offset == 0 && !is_full => {
                let (name, inode) = (escape(name), file.1.parse().unwrap_or_default());
                modules.push(Module { name, range: range.clone(), code: Vec::new(), inode });
            }
            None => {
                last = None;
                continue;
            }
        }
        last = Some(file);
        if let Some(module) = modules.last_mut().filter(|_| is_code) {
            module.add_code(range);
        }
    }
    modules
}

impl Module {
    fn add_code(&mut self, range: Range<u64>) {
        let is_full = self.code.len() == MOST_CODE;
        match self.code.last_mut().filter(|last| last.end == range.start) {
            Some(last) => last.end = range.end,
            None if !is_full => self.code.push(range),
            None => {}
        }
    }
}

/// A map of a file.
struct Map<'a> {
    range: Range<u64>,
    is_code: bool,
    offset: u64,
    /// Device and number.
    file: (&'a str, &'a str),
    name: &'a str,
}

fn of_line(line: &str) -> Option<Map<'_>> {
    let hexadecimal = |text| u64::from_str_radix(text, 16).ok();
    let mut rest = line;
    let mut field = || {
        let (field, behind) = rest.trim_start_matches(' ').split_once(' ')?;
        rest = behind;
        Some(field)
    };
    let (range, rights, offset, device, number) = (field()?, field()?, field()?, field()?, field()?);
    let (start, end) = range.split_once('-')?;
    let name = rest.trim_start_matches(' ');
    let (range, offset) = (hexadecimal(start)?..hexadecimal(end)?, hexadecimal(offset)?);
    let map = Map { range, is_code: rights.contains('x'), offset, file: (device, number), name };
    (number != "0" && !name.is_empty()).then_some(map)
}

/// Whether an address is one of code.
pub(super) fn is_code(modules: &[Module], address: u64) -> bool {
    index(modules, address)
        .is_some_and(|index| modules[index].code.iter().any(|code| code.contains(&address)))
}

/// Which module an address is in.
pub(super) fn index(modules: &[Module], address: u64) -> Option<usize> {
    let behind = modules.partition_point(|module| module.range.start <= address);
    behind.checked_sub(1).filter(|&index| modules[index].range.contains(&address))
}

/// An address as a place in a module.
pub(super) fn place(modules: &[Module], address: u64, is_first: bool) -> FrameSeen {
    match index(modules, address) {
        Some(index) => {
            let Module { name, range, .. } = &modules[index];
            FrameSeen { module: name.clone(), offset: address - range.start, is_first }
        }
        None => FrameSeen { module: String::new(), offset: address, is_first },
    }
}

/// A module's bytes.
pub(super) enum Image<'a> {
    /// In a process, from this address on.
    Loaded(&'a File, u64),
    /// In its file.
    File(&'a File),
    /// In memory of this process, as in its file.
    Bytes(&'a [u8]),
}

/// What of a module is loaded: addresses of its own counting, and where in its file.
struct Segment {
    addresses: Range<u64>,
    offset: u64,
}

impl Image<'_> {
    /// Of what lies first in both.
    fn first(&self, offset: u64, length: usize) -> Option<Vec<u8>> {
        match self {
            Image::Loaded(memory, start) => Some(up_to(memory, start.checked_add(offset)?, length)),
            Image::File(file) => Some(up_to(file, offset, length)),
            Image::Bytes(bytes) => {
                let bytes = bytes.get(usize::try_from(offset).ok()?..)?;
                Some(bytes[..bytes.len().min(length)].to_vec())
            }
        }
    }

    /// All bytes at an address of its own counting.
    fn read(&self, segments: &[Segment], address: u64, length: u64, most: usize) -> Option<Vec<u8>> {
        let length = usize::try_from(length).ok().filter(|&length| length <= most)?;
        let offset = match self {
            Image::Loaded(..) => address.wrapping_sub(segments.first()?.addresses.start & !0xfff),
            Image::File(_) | Image::Bytes(_) => {
                let segment = segments.iter().find(|segment| segment.addresses.contains(&address))?;
                segment.offset.checked_add(address - segment.addresses.start)?
            }
        };
        self.first(offset, length).filter(|bytes| bytes.len() == length)
    }
}

/// The tables of a module; `None` where it has none, or more than that. All numbers are the word of the worker, or of the file.
pub(super) fn tables(image: &Image<'_>, most: usize) -> Option<Rows> {
    const LOAD: u64 = 1;
    const EH_FRAME: u64 = 0x6474_e550;
    let head = image.first(0, 64)?;
    let is_elf = head.starts_with(b"\x7fELF\x02\x01") && number(&head, 54, 2)? == 56;
    let count =
        usize::try_from(number(&head, 56, 2)?).ok().filter(|&count| is_elf && count <= MOST_HEADERS)?;
    let headers = image.first(number(&head, 32, 8)?, count * 56)?;
    let headers: Vec<&[u8]> = headers.chunks_exact(56).collect();
    let of_kind = |kind| headers.iter().filter(move |header| number(header, 0, 4) == Some(kind));
    let segment = |header: &&[u8]| {
        let (offset, from, length) = (number(header, 8, 8)?, number(header, 16, 8)?, number(header, 32, 8)?);
        Some(Segment { addresses: from..from.checked_add(length)?, offset })
    };
    let segments: Vec<Segment> = of_kind(LOAD).filter_map(segment).collect();
    let base = segments.first()?.addresses.start & !0xfff;
    let Segment { addresses: Range { start: header, end: header_end }, .. } =
        segment(of_kind(EH_FRAME).next()?)?;
    let header_bytes = image.read(&segments, header, header_end - header, most)?;
    // Version 1, a distance of four bytes from where that stands, a number of four, and pairs of distances, as all linkers write it.
    if !header_bytes.starts_with(&[1, 0x1b, 3, 0x3b]) {
        return None;
    }
    let distance = number(&header_bytes, 4, 4)? as u32 as i32;
    let frames = header.wrapping_add(4).wrapping_add_signed(distance.into());
    // No header says how long they are: no longer than what holds them.
    let end = segments.iter().find(|segment| segment.addresses.contains(&frames))?.addresses.end;
    let frames_bytes = image.read(&segments, frames, end - frames, most - header_bytes.len())?;
    // Who reads them counts on it that they lead into what is there.
    let pairs = usize::try_from(number(&header_bytes, 8, 4)?).ok()?.checked_mul(8)?;
    let pairs = header_bytes.get(12..)?.get(..pairs)?.chunks_exact(8);
    let leads = |pair: &[u8]| {
        let distance = number(pair, 4, 4).unwrap_or_default() as u32 as i32;
        (frames..end).contains(&header.wrapping_add_signed(distance.into()))
    };
    if !pairs.into_iter().all(leads) {
        return None;
    }
    Some(Rows {
        frames: frames_bytes.into(),
        frames_at: frames..end,
        index: header_bytes.into(),
        index_at: header..header_end,
        base,
    })
}

/// A number of so many bytes, as both machines write them.
fn number(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    let bytes = bytes.get(at..at + length)?;
    Some(bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte)))
}
