//! What is read of a process, and stacks of this very one.

use std::sync::{Condvar, Mutex, mpsc};
use std::time::Duration;

use super::walk::{Link, link};
use super::*;

#[test]
fn where_a_thread_sleeps_is_read() {
    assert_eq!(of_syscall("35 0x7ffe 0x0 0x1 0x2 0x3 0x4 0x7ffd10 0x7f12\n"), Some((0x7ffd10, 0x7f12)));
    assert_eq!(of_syscall("-1 0x7ffd10 0x7f12\n"), Some((0x7ffd10, 0x7f12)), "stopped in no call");
    for none in ["running\n", "", "0x1", "1 2 3"] {
        assert_eq!(of_syscall(none), None, "{none}");
    }
}

#[test]
fn modules_are_what_maps_of_one_file_hold_together() {
    let maps = "\
1000-2000 r--p 00000000 fe:00 7                          /usr/lib/a b.so
2000-3000 r-xp 00001000 fe:00 7                          /usr/lib/a b.so
3000-4000 rw-p 00000000 00:00 0
4000-5000 rw-p 00002000 fe:00 7                          /usr/lib/a b.so
5000-6000 r-xp 00001000 fe:00 8                          /usr/lib/no-beginning.so
6000-7000 r--p 00000000 fe:00 7                          /usr/lib/a b.so
7000-8000 r-xp 00000000 00:00 0                          [vdso]
8000-9000 r--p 00000000 00:01 9                          /memfd:hotcell-copy (deleted)
nonsense
";
    let modules = modules::of_maps(maps);
    let told: Vec<_> = modules.iter().map(|it| (&*it.name, it.range.clone())).collect();
    let expected = [
        ("/usr/lib/a b.so", 0x1000..0x5000),
        ("/usr/lib/a b.so", 0x6000..0x7000),
        ("/memfd:hotcell-copy (deleted)", 0x8000..0x9000),
    ];
    assert_eq!(told, expected);
    let place = |address| modules::place(&modules, address, false);
    assert_eq!(
        place(0x2010),
        FrameSeen { module: "/usr/lib/a b.so".into(), offset: 0x1010, is_first: false }
    );
    assert_eq!(place(0x6010).offset, 0x10);
    assert_eq!(place(0x7010), FrameSeen { module: String::new(), offset: 0x7010, is_first: false });
    assert_eq!(place(0x10).offset, 0x10);
}

#[test]
fn what_maps_have_without_end_is_taken_to_a_bound() {
    // A file that is mapped again and again, so that every other page is code, and one all of whose pages are.
    let line = |at: u64, rights: &str, offset: u64, name: &str| {
        let (from, to) = (at << 12, (at + 1) << 12);
        format!("{from:x}-{to:x} {rights} {:08x} fe:00 {} /{name}\n", offset << 12, name.len())
    };
    let torn = (0..20_000).map(|page| line(page, if page % 2 == 1 { "r-xp" } else { "r--p" }, page, "torn"));
    let whole = (0..20_000).map(|page| line(30_000 + page, "r-xp", page, "wholly"));
    let maps: String = torn.chain(whole).collect();
    let modules = modules::of_maps(&maps);
    let is_code = |page: u64| modules::is_code(&modules, page << 12);
    assert_eq!(modules.iter().map(|it| &*it.name).collect::<Vec<_>>(), ["/torn", "/wholly"]);
    assert_eq!((0..20_000).filter(|&page| is_code(page)).count(), 64);
    assert!((30_000..50_000).all(is_code) && is_code(1) && !is_code(2));
    // One that ends in the middle of a name has that line no more.
    let cut = modules::of_maps(maps.trim_end_matches("ly\n"));
    assert_eq!(cut.last().unwrap().range.end, (30_000 + 19_999) << 12);
    assert!(modules::of_maps("1000-2000 r-xp 00000000 fe:00 7 /usr/lib/libcut").is_empty());
}

#[test]
fn maps_of_a_process_are_read_to_their_bound() {
    let folder = tempfile::tempdir().unwrap();
    let with = |between: usize| {
        let line =
            |at: u64, offset, name: &str| format!("{at}000-{at}fff r-xp {offset:08} fe:00 {at} /{name}\n");
        // Names as long as they can be, of files that do not begin here.
        let between = line(2, 1000, &"n".repeat(4000)).repeat(between);
        let maps = [line(1, 0, "first"), between, line(3, 0, "last")].concat();
        fs::write(folder.path().join("maps"), maps).unwrap();
        let process = Process::open(folder.path().to_str().unwrap());
        process.modules.into_iter().map(|module| module.name).collect::<Vec<_>>()
    };
    assert_eq!(with(1000), ["/first", "/last"]);
    assert_eq!(with(2000), ["/first"], "twice as much as is read");
}

#[test]
fn a_frame_is_found_by_what_links_it_to_the_next() {
    // Local words, a pointer into the stack without code behind it, and the link.
    let words = [7, 0x5028, 9, 0x5040, 0xc0de, 0, 0, 0, 0, 0];
    let is_code = |address| address == 0xc0de;
    let found = link(&words, 0x5000, 0x5000, is_code);
    assert_eq!(found, Some(Link { next: 0x5040, back: 0xc0de, above: 0x5028 }));
    assert_eq!(link(&words, 0x5000, 0x5020, is_code), None, "nothing below is one");
    assert_eq!(link(&words, 0x5000, 0x4000, is_code), None);
    // One that leads down, or out of the stack.
    for next in [0x5008, 0x5050, 0x5041] {
        assert_eq!(link(&[0, 0, next, 0xc0de, 0, 0, 0, 0, 0, 0], 0x5000, 0x5000, is_code), None, "{next:#x}");
    }
}

/// Not inlined, so that it has a frame.
#[inline(never)]
fn sleeps(lock: &(Mutex<bool>, Condvar)) {
    let mut over = lock.0.lock().unwrap();
    while !*over {
        over = lock.1.wait(over).unwrap();
    }
    std::hint::black_box(&over);
}

/// Of this process, as of any other one.
#[test]
fn a_stack_is_walked_to_its_end() {
    let lock = (Mutex::new(false), Condvar::new());
    let stacks = std::thread::scope(|scope| {
        for _ in 0..3 {
            std::thread::Builder::new().name("alike".into()).spawn_scoped(scope, || sleeps(&lock)).unwrap();
        }
        let patience = std::time::Instant::now() + std::time::Duration::from_secs(60);
        let seen = loop {
            let stacks = Process::open("/proc/self").stacks();
            let alike: Vec<_> = stacks.into_iter().filter(|stack| stack.name == "alike").collect();
            if alike.len() == 1 && alike[0].threads == 3 && !alike[0].frames.is_empty() {
                break alike;
            }
            assert!(std::time::Instant::now() < patience, "{alike:#?}");
        };
        *lock.0.lock().unwrap() = true;
        lock.1.notify_all();
        seen
    });
    let frames = &stacks[0].frames;
    let own = std::env::current_exe().unwrap().display().to_string();
    // From the C library, where it sleeps, through this program, to where the C library starts threads.
    assert!(frames[0].module.contains("/libc.so"), "{frames:#x?}");
    assert!(frames.iter().filter(|frame| frame.module == own).count() > 3, "{frames:#x?}");
    assert!(frames.last().unwrap().module.contains("/libc.so"), "{frames:#x?}");
    let here = (sleeps as fn(&(Mutex<bool>, Condvar)) as usize) as u64;
    let here = modules::place(&Process::open("/proc/self").modules, here, false).offset;
    assert!(frames.iter().any(|frame| (here..here + 4096).contains(&frame.offset)), "{here:#x} {frames:#x?}");
}

#[test]
fn what_is_no_module_has_no_tables() {
    let memory = File::open("/proc/self/mem").unwrap();
    let bytes = vec![0x7fu8; 4096];
    let tables =
        |start, most| modules::tables(&Image::Loaded(&memory, start), most).map(|it| (it.frames, it.index));
    for start in [bytes.as_ptr().addr() as u64, 0, u64::MAX - 3] {
        assert!(tables(start, 1 << 20).is_none());
    }
    assert!(modules::tables(&Image::Bytes(&bytes), 1 << 20).is_none());
    let process = Process::open("/proc/self");
    let start = process.modules[0].range.start;
    assert!(tables(start, 16).is_none(), "more than may be read");
    // Its file says the same.
    let file = File::open(std::env::current_exe().unwrap()).unwrap();
    let of_file = modules::tables(&Image::File(&file), 64 << 20).map(|it| (it.frames, it.index));
    assert!(of_file.is_some() && tables(start, 64 << 20) == of_file);
}

/// The frames of a stack of which the fuzz target has this memory, and whether what its module says of where the thread is can be used.
fn of_seed(name: &str) -> (usize, bool) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/corpus/stacks");
    let seed = fs::read(folder.join(name)).unwrap();
    let number = |at: usize| u64::from_le_bytes(seed[at..at + 8].try_into().unwrap());
    let (sp, pc, memory) = (number(0), number(8), seed[16..].to_vec());
    let are_short = modules::tables(&Image::Bytes(&memory), 1 << 20).unwrap().are_short(pc);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("memory");
    fs::write(&file, &memory).unwrap();
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let file = File::open(file).unwrap();
        tell.send(walk(file, "0-1000 r-xp 00000000 00:01 7 /module\n", sp, pc).len())
    });
    (told.recv_timeout(Duration::from_secs(20)).expect("the walk comes to an end"), are_short)
}

#[test]
fn programs_in_tables_are_not_run_but_the_linkers_own() {
    if cfg!(target_arch = "x86_64") {
        assert_eq!(of_seed("linkers"), (3, true));
    }
    assert_eq!(of_seed("endless"), (1, false), "it jumps back for ever");
    assert_eq!(of_seed("ever-deeper"), (1, false), "it takes memory for ever");
}
