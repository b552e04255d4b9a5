//! Files that a library may have named, to hold its host up.

use std::fs;
use std::os::unix::fs::{FileExt, symlink};

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::super::{Process, modules};
use super::*;

/// A watchdog, not an expectation.
const PATIENCE: Duration = Duration::from_secs(20);

/// This program, and where in it this function is.
fn own() -> (String, u64) {
    let here = (own as fn() -> (String, u64) as usize) as u64;
    let offset = modules::place(&Process::open("/proc/self").modules, here, false).offset;
    (std::env::current_exe().unwrap().display().to_string(), offset)
}

fn located(module: &Path) -> Option<Place> {
    let began = Instant::now();
    let place = locate(&[(module.to_str().unwrap(), 0x1000)]).pop().unwrap();
    assert!(began.elapsed() < PATIENCE, "{:?} for {}", began.elapsed(), module.display());
    place
}

#[test]
fn what_is_no_plain_file_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let (pipe, link) = (folder.path().join("pipe"), folder.path().join("link"));
    mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR, 0).unwrap();
    symlink(std::env::current_exe().unwrap(), &link).unwrap();
    for named in [pipe.as_path(), &link, Path::new("/dev/zero"), Path::new("/proc/self/mem"), folder.path()] {
        assert_eq!(located(named), None, "{}", named.display());
    }
    assert!(open_plain(&pipe).is_err() && open_plain(&link).is_err());
}

#[test]
fn what_has_no_end_is_read_to_its_bound() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("huge.so");
    let (own, offset) = own();
    fs::copy(&own, &file).unwrap();
    let place = |file: &str| locate(&[(file, offset)]).pop().unwrap().and_then(|place| place.function);
    assert!(place(&own).is_some_and(|function| function.contains("own")));
    let named = file.to_str().unwrap();
    assert_eq!(place(named), place(&own));
    // The table of its sections lies behind a hole of a terabyte now.
    let mut header = fs::read(&own).unwrap();
    header.truncate(64);
    header[40..48].copy_from_slice(&((1_u64 << 40) - 4096).to_le_bytes());
    let opened = File::options().write(true).open(&file).unwrap();
    opened.set_len(1 << 40).unwrap();
    opened.write_all_at(&header, 0).unwrap();
    assert_eq!(place(named), None);
}

#[test]
fn one_module_that_says_nothing_costs_others_nothing() {
    let (own, offset) = own();
    let own = own.as_str();
    let shim = "/memfd:hotcell-shim (deleted)";
    let sought = [("/nowhere.so", 0x1000), (own, offset), ("", 0), (shim, 7), (own, offset + 1)];
    let places = locate(&sought);
    assert_eq!(places.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true, false, false, true]);
    assert_eq!(places[1], places[4]);
    // None of them has time.
    assert_eq!(locate_within(&sought, ONE, Duration::ZERO), vec![None; sought.len()]);
}

#[test]
fn no_file_is_waited_for_longer_than_all_have() {
    // Each comes back by its own time, or is held up: whichever comes first, all of them have two seconds.
    for held_up in 0..8 {
        let mut left = ALL;
        for file in 0..8 {
            let Share { own, waited } = Share::of(left, ONE);
            assert!(own <= ONE && own < waited && waited <= left, "{left:?}: {own:?}, {waited:?}");
            left -= if file == held_up { waited } else { own };
            if left.is_zero() {
                break;
            }
        }
    }
    assert_eq!(Share::of(ALL, ONE).own, ONE, "one file has all of its time");
    assert!(Share::of(Duration::ZERO, ONE).waited.is_zero());
}
