//! Calls as this process would make them: what they point to is its own memory.

use std::ffi::CString;
use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::os::fd::AsRawFd;
use std::path::PathBuf;

use super::*;

fn judge(serves: bool) -> Judge {
    let refused = vec!["/proc/stat".into(), "/sys/devices/system/cpu/*".into()];
    let temporary = ["/own-temporary", "/really/own-temporary"].map(PathBuf::from);
    let view = crate::view::of_load(&Sandbox::default(), &[]);
    Judge { serves, ..Judge::new(view, refused, temporary) }
}

/// A call of this process.
fn told(judge: &Judge, name: &str, arguments: [u64; 6]) -> Judgement {
    let syscall = Syscall::named(name).unwrap();
    judge.of(&Call { syscall, arguments }, &Process(std::process::id()))
}

/// `openat` of a path with these flags.
fn opened(judge: &Judge, path: &str, flags: i32) -> Judgement {
    let path = CString::new(path).unwrap();
    told(judge, "openat", [AT_CWD, path.as_ptr().addr() as u64, flags as u64, 0, 0, 0])
}

const AT_CWD: u64 = libc::AT_FDCWD as u64;

fn uses(judgement: &Judgement) -> Vec<&Seen> {
    assert_eq!(judgement.answer, Answer::GoOn, "{judgement:?}");
    judgement.seen.iter().filter(|seen| !matches!(seen, Seen::Call { .. })).collect()
}

#[test]
fn opening_is_reading_or_changing_what_is_there() {
    let (judge, folder) = (judge(true), std::env::temp_dir().canonicalize().unwrap());
    let own = folder.join(format!("hotcell-judge-{}", std::process::id()));
    fs::write(&own, "").unwrap();
    let text = own.to_str().unwrap();
    for (flags, expect) in [
        (libc::O_RDONLY, Some(Seen::Read(own.clone()))),
        (libc::O_RDONLY | libc::O_CREAT, Some(Seen::Read(own.clone()))),
        (libc::O_RDWR, Some(Seen::Write(own.clone()))),
        (libc::O_PATH, None),
    ] {
        assert_eq!(uses(&opened(&judge, text, flags)), expect.iter().collect::<Vec<_>>(), "{flags:x}");
    }
    fs::remove_file(&own).unwrap();
    assert_eq!(uses(&opened(&judge, text, libc::O_RDONLY)), [&Seen::Temporary; 0], "it is not there");
    assert_eq!(uses(&opened(&judge, text, libc::O_WRONLY | libc::O_CREAT)), [&Seen::Write(folder)]);
}

#[test]
fn what_the_worker_answers_itself_is_answered_here() {
    let judge = judge(true);
    let refused = |judgement: &Judgement| match (&judgement.answer, &judgement.seen[..]) {
        (Answer::Fail(errno), [Seen::Refused(_)]) => *errno,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(&opened(&judge, "/proc/stat", 0)), libc::EACCES);
    assert_eq!(refused(&opened(&judge, "/sys/devices/system/cpu/online", 0)), libc::EACCES);
    // Every profile with files refuses it.
    assert_eq!(refused(&opened(&judge, "/etc/hosts", libc::O_RDONLY | libc::O_TRUNC)), libc::EACCES);
    let older = Judgement { answer: Answer::Fail(libc::ENOSYS), seen: Vec::new() };
    assert_eq!(told(&judge, "openat2", [AT_CWD, c"/etc/hosts".as_ptr().addr() as u64, 0, 24, 0, 0]), older);
    // TCGETS is allowed; another request is none of a terminal's.
    assert_eq!(refused(&told(&judge, "ioctl", [0, 0x5302, 0, 0, 0, 0])), libc::ENOTTY);
    let nothing = Judgement { answer: Answer::GoOn, seen: Vec::new() };
    assert_eq!(opened(&judge, "/dev/null", libc::O_RDWR), nothing);
    let empty = c"".as_ptr().addr() as u64;
    assert_eq!(told(&judge, "newfstatat", [0, empty, 0, EMPTY_PATH, 0, 0]), nothing);
    let older = told(&judge, "statx", [0, empty, EMPTY_PATH, 0, 0, 0]);
    assert_eq!(older, Judgement { answer: Answer::Fail(libc::ENOSYS), seen: Vec::new() });
    assert_eq!(uses(&opened(&judge, "/own-temporary/x", libc::O_RDONLY)), [&Seen::Temporary; 0]);
    for path in ["/own-temporary/x", "/really/own-temporary/x"] {
        let makes = opened(&judge, path, libc::O_WRONLY | libc::O_CREAT);
        assert_eq!(uses(&makes), [&Seen::Temporary], "{path}");
    }
}

/// A name of `/proc` for what is open already is where that leads.
#[test]
fn descriptors_are_the_files_behind_them() {
    let file = fs::File::open("/etc/passwd").unwrap();
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    assert_eq!(uses(&opened(&judge(true), &path, libc::O_RDONLY)), [&Seen::Read("/etc/passwd".into())]);
    assert_eq!(uses(&opened(&judge(false), &path, libc::O_RDONLY)), [&Seen::Temporary; 0]);
}

/// `/dev/stdin` and its like are what the process has there, by whichever name: not what the host has.
#[test]
fn what_is_open_by_any_name_is_the_file_behind_it() {
    let file = fs::File::open("/etc/passwd").unwrap();
    let (own, number) = (std::process::id(), file.as_raw_fd());
    for path in [
        format!("/dev/fd/{number}"),
        format!("/proc/{own}/fd/{number}"),
        format!("/proc/thread-self/fd/{number}"),
        format!("/proc/self/../{own}/fd/{number}"),
    ] {
        assert_eq!(uses(&opened(&judge(true), &path, libc::O_RDONLY)), [&Seen::Read("/etc/passwd".into())]);
        assert_eq!(uses(&opened(&judge(false), &path, libc::O_RDONLY)), [&Seen::Temporary; 0], "{path}");
    }
    // A pipe has no name, and needs none: no rule of paths holds for it.
    let (reads, _writes) = rustix::pipe::pipe().unwrap();
    let path = format!("/dev/fd/{}", reads.as_raw_fd());
    assert_eq!(uses(&opened(&judge(true), &path, libc::O_RDONLY)), [&Seen::Temporary; 0]);
    // What nobody has open is not made in `/dev`.
    let made = opened(&judge(true), "/dev/fd/100000", libc::O_WRONLY | libc::O_CREAT);
    assert!(!uses(&made).contains(&&Seen::Write("/dev".into())), "{made:?}");
}

/// Behind links `..` leads elsewhere, and a link to nothing is made where it leads.
#[test]
fn paths_are_where_the_kernel_finds_them() {
    let (judge, folder) = (judge(true), std::env::temp_dir().canonicalize().unwrap());
    let folder = folder.join(format!("hotcell-paths-{}", std::process::id()));
    for directory in ["a/inner", "b"] {
        fs::create_dir_all(folder.join(directory)).unwrap();
    }
    std::os::unix::fs::symlink(folder.join("a/inner"), folder.join("b/link")).unwrap();
    std::os::unix::fs::symlink("../a/new", folder.join("b/dangling")).unwrap();
    let at = |name: &str| folder.join(name);
    let makes = |name: &str| {
        let seen = opened(&judge, at(name).to_str().unwrap(), libc::O_WRONLY | libc::O_CREAT).seen;
        seen.into_iter().find(|seen| matches!(seen, Seen::Write(_)))
    };
    assert_eq!(makes("b/link/../new"), Some(Seen::Write(at("a"))), "it is not there yet");
    assert_eq!(makes("b/dangling"), Some(Seen::Write(at("a"))));
    assert_eq!(makes("b/./new"), Some(Seen::Write(at("b"))));
    fs::write(at("a/there"), "").unwrap();
    assert_eq!(makes("b/link/../there"), Some(Seen::Write(at("a/there"))));
    // The name goes, and not what it leads to.
    let path = CString::new(at("b/../b/link").to_str().unwrap()).unwrap();
    let gone = told(&judge, "unlinkat", [AT_CWD, path.as_ptr().addr() as u64, 0, 0, 0, 0]);
    assert_eq!(uses(&gone), [&Seen::Write(at("b"))]);
    fs::remove_dir_all(&folder).unwrap();
}

/// Where this program may not look at its worker, that is told: nothing of such a call is named.
#[test]
fn what_cannot_be_read_is_told() {
    let judge = judge(true);
    // Nobody has this number.
    let nobody = Process(i32::MAX as u32);
    let call = |name| Call { syscall: Syscall::named(name).unwrap(), arguments: [3, 0x1000, 16, 0, 0, 0] };
    for name in ["openat", "connect"] {
        let seen = judge.of(&call(name), &nobody).seen;
        assert!(seen.contains(&Seen::Hidden(name)), "{seen:?}");
    }
    // An address that is none is another thing: the call fails.
    let seen = told(&judge, "openat", [AT_CWD, 0x10, 0, 0, 0, 0]).seen;
    assert!(seen.iter().all(|seen| matches!(seen, Seen::Call { .. })), "{seen:?}");
}

#[test]
fn while_it_loads_only_what_a_loader_does_not_see_counts() {
    let judge = judge(false);
    let nothing = Judgement { answer: Answer::GoOn, seen: Vec::new() };
    for path in ["/proc/self/maps", "/usr/share", "/proc/cpuinfo"] {
        assert_eq!(opened(&judge, path, libc::O_RDONLY), nothing, "{path}");
    }
    assert_eq!(opened(&judge, "/etc/passwd", libc::O_RDONLY).seen, [Seen::Load("/etc/passwd".into())]);
    assert_eq!(opened(&judge, "/etc/passwd", libc::O_RDWR).seen, [Seen::Write("/etc/passwd".into())]);
    let socket = [libc::AF_INET as u64, libc::SOCK_DGRAM as u64, 0, 0, 0, 0];
    assert_eq!(told(&judge, "socket", socket).seen, [Seen::Call { name: "socket", arguments: socket }]);
}

#[test]
fn ports_are_those_of_tcp() {
    let judge = judge(true);
    let mut address = [0u8; 16];
    address[..2].copy_from_slice(&(libc::AF_INET as u16).to_ne_bytes());
    address[2..4].copy_from_slice(&443u16.to_be_bytes());
    let at = address.as_ptr().addr() as u64;
    let (tcp, udp) = (TcpListener::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
    let with = |name, socket: i32| {
        uses(&told(&judge, name, [socket as u64, at, 16, 0, 0, 0])).into_iter().cloned().collect::<Vec<_>>()
    };
    assert_eq!(with("connect", tcp.as_raw_fd()), [Seen::Connect(443)]);
    assert_eq!(with("bind", tcp.as_raw_fd()), [Seen::Bind(443)]);
    assert_eq!(with("connect", udp.as_raw_fd()), []);
}

/// What fails whatever is allowed needs nothing: a folder that is there already is made by habit.
#[test]
fn what_is_made_is_not_there_yet_and_what_goes_is() {
    let judge = judge(true);
    let one = |name: &str, path: &std::ffi::CStr| {
        let seen = told(&judge, name, [AT_CWD, path.as_ptr().addr() as u64, 0, 0, 0, 0]).seen;
        seen.into_iter().filter(|seen| matches!(seen, Seen::Write(_))).collect::<Vec<_>>()
    };
    let etc = [Seen::Write("/etc".into())];
    assert_eq!(one("mkdirat", c"/usr/lib"), []);
    assert_eq!(one("mkdirat", c"/etc/hotcell-nowhere"), etc);
    assert_eq!(one("unlinkat", c"/etc/hotcell-nowhere"), []);
    assert_eq!(one("unlinkat", c"/etc/passwd"), etc);
    let two = |name: &str, paths: [&std::ffi::CStr; 2]| {
        let [from, to] = paths.map(|path| path.as_ptr().addr() as u64);
        let seen = told(&judge, name, [AT_CWD, from, AT_CWD, to, 0, 0]).seen;
        seen.into_iter().filter(|seen| matches!(seen, Seen::Write(_))).count()
    };
    assert_eq!(two("linkat", [c"/etc/passwd", c"/var/tmp/hotcell-nowhere"]), 2);
    assert_eq!(two("linkat", [c"/etc/passwd", c"/etc/hosts"]), 0);
    assert_eq!(two("renameat2", [c"/etc/passwd", c"/var/tmp/hotcell-nowhere"]), 2);
    assert_eq!(two("renameat2", [c"/etc/passwd", c"/etc/hosts"]), 2);
    assert_eq!(two("renameat2", [c"/etc/hotcell-nowhere", c"/etc/hosts"]), 0);
}

#[test]
fn what_cannot_be_named_is_told() {
    let judge = judge(true);
    let climbs = opened(&judge, "/usr/../proc/1/environ", libc::O_RDONLY);
    let seen = uses(&climbs);
    assert!(matches!(seen[..], [Seen::Unnamed(_)]), "{seen:?}");
    let renamed = [c"/etc/hosts", c"/hotcell-nowhere"].map(|path| path.as_ptr().addr() as u64);
    let renamed = told(&judge, "renameat2", [AT_CWD, renamed[0], AT_CWD, renamed[1], 0, 0]);
    let unnamed = Unnamed { name: "renameat2", path: "/".into() };
    assert_eq!(uses(&renamed), [&Seen::Write("/etc".into()), &Seen::Unnamed(unnamed)]);
}

/// However many addresses and descriptors a call is made with, it is noted once.
#[test]
fn only_arguments_that_say_what_a_call_does_are_noted() {
    let judge = judge(true);
    let call = |name: &str, arguments| match &told(&judge, name, arguments).seen[..] {
        [Seen::Call { arguments, .. }] | [Seen::Refused(Refused { arguments, .. })] => *arguments,
        other => panic!("{other:?}"),
    };
    assert_eq!(call("memfd_create", [0x7f00, 0x1_0000_0003, 9, 9, 9, 9]), [0, 3, 0, 0, 0, 0]);
    assert_eq!(call("ioctl", [7, 0x5302, 0x7f00, 0, 0, 0]), [0, 0x5302, 0, 0, 0, 0]);
    assert_eq!(call("utimensat", [5, 0x7f00, 0, 0, 0, 0])[1], 1, "by a path, or of what is open");
    assert_eq!(call("utimensat", [5, 0, 0, 0, 0, 0])[1], 0);
}

/// To look at a descriptor gives up no lock that this process has of the file behind it.
#[test]
fn locks_of_the_host_outlast_a_look() {
    use std::os::unix::fs::MetadataExt;
    let path = std::env::temp_dir().join(format!("hotcell-locked-{}", std::process::id()));
    let file = fs::File::create(&path).unwrap();
    rustix::fs::fcntl_lock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive).unwrap();
    let inode = format!(":{} ", file.metadata().unwrap().ino());
    let is_locked = || {
        let locks = fs::read_to_string("/proc/locks").unwrap();
        locks.lines().any(|line| line.contains("POSIX") && line.contains(&inode))
    };
    assert!(is_locked());
    let address = (libc::AF_INET as u16).to_ne_bytes();
    let address = [address[0], address[1], 1, 187];
    let connects = [file.as_raw_fd() as u64, address.as_ptr().addr() as u64, 16, 0, 0, 0];
    told(&judge(true), "connect", connects);
    let stays = is_locked();
    fs::remove_file(&path).unwrap();
    assert!(stays);
}
