//! Files that are what they were, and files that are not.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::time::{Duration, SystemTime};

use super::*;

/// A copy of this program's C library.
fn library(folder: &Path) -> PathBuf {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let c = of_maps(maps.as_bytes(), Path::new(""))
        .into_iter()
        .find(|path| path.to_string_lossy().contains("libc.so"))
        .unwrap();
    let copy = folder.join("liblibrary.so");
    fs::copy(c, &copy).unwrap();
    copy
}

#[test]
fn maps_are_read() {
    let maps = "55d0-55d1 r-xp 00000000 fe:00 10 /usr/bin/worker\n\
                7f00-7f01 r--p 00000000 fe:00 11 /usr/lib/a b.so\n\
                7f01-7f02 r-xp 00001000 fe:00 11 /usr/lib/a b.so\n\
                7f02-7f03 r-xp 00001000 fe:00 11 /usr/lib/a b.so\n\
                7f03-7f04 r--p 00000000 fe:00 12 /usr/share/data\n\
                7f04-7f05 r-xp 00000000 00:01 13 /memfd:hotcell-copy (deleted)\n\
                7f05-7f06 r-xp 00000000 fe:00 14 /usr/lib/gone.so (deleted)\n\
                7f06-7f07 r-xp 00000000 00:00 0 \n\
                7f07-7f08 r-xp 00000000 fe:00 15 /usr/lib/a\\012b.so\n\
                7f08-7f09 r-xs 00000000 00:01 16 /dev/zero (deleted)\n\
                7ffe-7fff r-xp 00000000 00:00 0 [vdso]\n\
                7fff-8000 r-xp 00000000 fe:00 17 /usr/lib/cut";
    let found = of_maps(maps.as_bytes(), Path::new("/usr/bin/worker"));
    assert_eq!(
        found,
        ["/usr/lib/a b.so", "/usr/lib/gone.so (deleted)", "/usr/lib/a\nb.so"].map(PathBuf::from)
    );
    let many: String =
        (0..10_000).map(|i| format!("7f00-7f01 r-xp 00000000 fe:00 {i} /tmp/{i}.so\n")).collect();
    assert_eq!(of_maps(many.as_bytes(), Path::new("")).len(), MOST_FILES);
    assert!(
        of_process(std::process::id(), &super::maps(std::process::id()))
            .iter()
            .any(|path| path.to_string_lossy().contains("libc.so"))
    );
}

#[test]
fn a_file_is_the_same_by_what_is_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = library(folder.path());
    let libraries = Libraries::open(std::slice::from_ref(&path)).unwrap();
    libraries.take_in(vec![fs::canonicalize(&path).unwrap()]).unwrap();
    let told = libraries.loaded();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].is_own && told[0].build_id.is_some());
    assert_eq!(told[0].sha256.as_ref().map(String::len), Some(64));
    // Touched, and brought anew: nothing of it matters.
    let file = File::options().append(true).open(&path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(1000)).unwrap();
    libraries.are_unchanged().unwrap();
    let again = folder.path().join("again");
    fs::copy(&path, &again).unwrap();
    fs::rename(&again, &path).unwrap();
    libraries.are_unchanged().unwrap();
    // Another one under its name.
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&again, &bytes).unwrap();
    fs::rename(&again, &path).unwrap();
    let replaced = libraries.are_unchanged().unwrap_err();
    assert_eq!(replaced.path, path);
    assert!(replaced.to_string().contains("it has another content. Reload the session"), "{replaced}");
    fs::remove_file(&path).unwrap();
    assert!(libraries.are_unchanged().unwrap_err().to_string().contains("No such file"));
}

/// A needed file that has gone may not be needed any more. Another one that the loader finds instead must be the same.
#[test]
fn what_is_found_in_the_place_of_a_file_is_compared() {
    let folder = tempfile::tempdir().unwrap();
    let path = library(folder.path());
    let elsewhere = folder.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let other = elsewhere.join(path.file_name().unwrap());
    let libraries = Libraries::default();
    libraries.take_in(vec![path.clone()]).unwrap();
    assert!(libraries.loaded()[0].sha256.is_some(), "it was read");
    fs::rename(&path, &other).unwrap();
    libraries.are_unchanged().unwrap();
    libraries.take_in(vec![other.clone()]).unwrap();
    // With another content.
    let libraries = Libraries::default();
    libraries.take_in(vec![other.clone()]).unwrap();
    assert!(libraries.loaded()[0].sha256.is_some(), "it was read");
    let mut bytes = fs::read(&other).unwrap();
    fs::remove_file(&other).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&path, bytes).unwrap();
    let replaced = libraries.take_in(vec![path.clone()]).unwrap_err();
    assert_eq!(replaced.path, path);
    assert!(replaced.to_string().contains("it was found in the place of"), "{replaced}");
}

/// Whoever has not read a file in time does not know what it was: that is no reason to take another for it.
#[test]
fn what_was_never_read_is_not_taken_for_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = library(folder.path());
    let libraries = Libraries::open(std::slice::from_ref(&path)).unwrap();
    let file = File::options().append(true).open(&path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(1000)).unwrap();
    assert!(libraries.are_unchanged().unwrap_err().to_string().contains("it was changed"));
}

#[test]
fn what_cannot_be_loaded_is_told_before_a_worker_is_started() {
    let folder = tempfile::tempdir().unwrap();
    let path = library(folder.path());
    let whole = fs::read(&path).unwrap();
    let wrong = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        Libraries::open(std::slice::from_ref(&path)).unwrap_err().to_string()
    };
    let with = |at: usize, value: u8| {
        let mut bytes = whole.clone();
        bytes[at] = value;
        bytes
    };
    for (bytes, expect) in [
        (Vec::new(), "is not an ELF file: it is empty"),
        (b"INPUT(-lz)\n".to_vec(), "is not an ELF file: it is text"),
        (whole[..10].to_vec(), "ends in its header"),
        (whole[..whole.len() / 2].to_vec(), "is damaged: it has"),
        (with(4, 1), "is a 32-bit library"),
        (with(18, 0xf3), "is for riscv64"),
        (with(16, 1), "is an object file"),
        (with(16, 2), "is a program"),
        (with(16, 4), "is a core dump"),
    ] {
        let told = wrong(&bytes);
        assert!(told.contains(expect), "{told}");
    }
    let told = Libraries::open(&[folder.path().to_owned()]).unwrap_err().to_string();
    assert!(told.contains("this is not a file"), "{told}");
}

/// A hostile library can map what it likes: none of it is waited for.
#[test]
fn what_has_no_end_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let (sparse, pipe) = (folder.path().join("sparse.so"), folder.path().join("pipe.so"));
    File::create(&sparse).unwrap().set_len(1 << 40).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, Mode::RUSR, 0).unwrap();
    let path = library(folder.path());
    let libraries = Libraries::default();
    libraries.take_in(vec![sparse.clone(), pipe.clone(), "/dev/zero".into(), path.clone()]).unwrap();
    let told = libraries.loaded().into_iter().map(|file| (file.path, file.sha256.is_some()));
    assert_eq!(told.collect::<Vec<_>>(), [(path.clone(), true), (sparse.clone(), false)]);
    File::options().write(true).open(&sparse).unwrap().set_len(1 << 41).unwrap();
    assert_eq!(libraries.are_unchanged().unwrap_err().path, sparse);
    fs::remove_file(&sparse).unwrap();
    // It comes to lie in the place of what was read.
    fs::rename(&pipe, &path).unwrap();
    assert!(libraries.are_unchanged().unwrap_err().to_string().contains("it is not a file any more"));
    let identity = Identity::of(&fs::metadata(&path).unwrap());
    assert!(Content::of(&path, None, identity, None).is_none());
}

/// A start that may read no longer takes no file for the same.
#[test]
fn what_takes_too_long_to_compare_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = library(folder.path());
    let libraries = Libraries::open(std::slice::from_ref(&path)).unwrap();
    assert!(libraries.loaded()[0].sha256.is_some());
    let file = File::options().append(true).open(&path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(1000)).unwrap();
    let past = Instant::now().checked_sub(Duration::from_secs(1)).unwrap();
    let told = libraries.are_unchanged_until(past).unwrap_err().to_string();
    assert!(told.contains("takes too long to read"), "{told}");
    libraries.are_unchanged().unwrap();
}

#[test]
fn what_was_removed_while_it_was_loaded_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = library(folder.path());
    let gone = PathBuf::from(format!("{} (deleted)", path.display()));
    let told = Libraries::default().take_in(vec![gone.clone()]).unwrap_err();
    assert_eq!(told.path, path);
    assert!(told.to_string().contains("while a worker loaded it"), "{told}");
    let told = Libraries::default().take_in(vec!["/nowhere/libgone.so".into()]).unwrap_err();
    assert!(told.to_string().contains("No such file"), "{told}");
    // One that was opened for all workers is what they load, whatever its name is now.
    let libraries = Libraries::open(std::slice::from_ref(&path)).unwrap();
    assert!(libraries.loaded()[0].sha256.is_some());
    let again = folder.path().join("again");
    fs::copy(&path, &again).unwrap();
    fs::rename(&again, &path).unwrap();
    libraries.take_in(vec![gone]).unwrap();
    assert_eq!(libraries.loaded().len(), 1);
}

/// The loader prefers another directory now: the file that it found before is still there.
#[test]
fn another_file_of_the_same_name_is_compared() {
    let folder = tempfile::tempdir().unwrap();
    let path = library(folder.path());
    let elsewhere = folder.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let other = elsewhere.join(path.file_name().unwrap());
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&other, bytes).unwrap();
    let libraries = Libraries::default();
    libraries.take_in(vec![path.clone()]).unwrap();
    assert!(libraries.loaded()[0].sha256.is_some());
    assert_eq!(libraries.take_in(vec![other.clone()]).unwrap_err().path, other);
    // Both are another matter, and so is the same file.
    libraries.take_in(vec![path.clone(), other]).unwrap();
    let same = folder.path().join("same");
    fs::create_dir(&same).unwrap();
    let same = same.join(path.file_name().unwrap());
    fs::copy(&path, &same).unwrap();
    libraries.take_in(vec![same]).unwrap();
}

#[test]
fn starts_leave_neither_threads_nor_files_that_have_gone() {
    let folder = tempfile::tempdir().unwrap();
    let libraries = Libraries::default();
    for number in 0..2 * MANY_FILES {
        let path = folder.path().join(format!("{number}.so"));
        fs::write(&path, number.to_string()).unwrap();
        libraries.take_in(vec![path.clone()]).unwrap();
        while !libraries.readers.lock().iter().all(JoinHandle::is_finished) {
            std::thread::yield_now();
        }
        fs::remove_file(path).unwrap();
    }
    assert_eq!(libraries.readers.lock().len(), 1);
    assert!(libraries.known.lock().len() <= MANY_FILES);
}

#[test]
fn a_relative_path_is_the_same_file_in_every_directory() {
    let folder = tempfile::tempdir().unwrap();
    let path = library(folder.path());
    let up = std::env::current_dir().unwrap().components().skip(1).map(|_| "..").collect::<PathBuf>();
    let libraries = Libraries::open(&[up.join(path.strip_prefix("/").unwrap())]).unwrap();
    let told = &libraries.loaded()[0].path;
    assert!(told.is_absolute() && fs::canonicalize(told).unwrap() == fs::canonicalize(path).unwrap());
}

/// The names of files that a shared object needs.
fn needed(object: &[u8]) -> Vec<String> {
    use object::read::elf::ElfFile64;
    let file = ElfFile64::<object::Endianness>::parse(object).unwrap();
    let table = file.elf_dynamic_table().unwrap();
    let needed = table.iter().filter(|entry| entry.tag == object::elf::DT_NEEDED);
    needed.map(|entry| String::from_utf8(table.string(entry).unwrap().to_vec()).unwrap()).collect()
}

#[test]
fn a_shim_does_without_what_has_no_name() {
    let folder = tempfile::tempdir().unwrap();
    let compile = |out: &str, source: &str, more: &[&str]| {
        let path = folder.path().join(format!("{out}.c"));
        fs::write(&path, source).unwrap();
        let mut cc = std::process::Command::new("cc");
        cc.current_dir(folder.path()).args(["-shared", "-fPIC", "-nostdlib", "-o", out]).arg(path).args(more);
        assert!(cc.status().unwrap().success(), "{cc:?}");
        folder.path().join(out)
    };
    fs::write(folder.path().join("versions"), "MOON_1 { global: *; };").unwrap();
    let moon = compile("libmoon.so", "int moon(void) { return 1; }", &[]);
    let named = compile("libsun.so", "int sun(void) { return 2; }", &["-Wl,-soname,libsun.so"]);
    let versioned = compile("libmars.so", "int mars(void) { return 3; }", &["-Wl,--version-script=versions"]);
    let source = "int moon(void), sun(void), mars(void); int all(void) { return moon() + sun() + mars(); }";
    let whole = moon.to_str().unwrap();
    let by_name = ["-L.", "-l:libmoon.so", "-l:libsun.so", "-l:libmars.so"];
    for (links, name) in [(by_name, "libmoon.so"), (["-L.", whole, "-l:libsun.so", "-l:libmars.so"], whole)] {
        let shim = fs::read(compile("shim.so", source, &links)).unwrap();
        assert_eq!(needed(&shim), [name, "libsun.so", "libmars.so"]);
        let loaded = [moon.clone(), named.clone(), versioned.clone()];
        let libraries = Libraries::open(&loaded).unwrap();
        let without = libraries.shim(&shim);
        // Versions are looked for in the file of that name.
        assert_eq!(needed(&without), ["libsun.so", "libmars.so"]);
        assert_eq!(without.iter().zip(&shim).filter(|(one, other)| one != other).count(), 2);
        // What is not loaded before it is still needed.
        let libraries = Libraries::open(std::slice::from_ref(&named)).unwrap();
        assert!(matches!(libraries.shim(&shim), Cow::Borrowed(_)));
    }
}
