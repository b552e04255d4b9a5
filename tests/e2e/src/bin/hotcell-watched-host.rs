//! A program that uses the faulty library, for tests that look at it: it makes the calls that its standard input says.
//!
//! Words: where to put the library's file; `off`, `look`, `reload` or `environment`; `session` or `pool`.

use std::io::{BufRead, stdin};
use std::thread;
use std::time::Duration;

use hotcell::dynamic::{self, Value};
use hotcell::rt::Package;
use hotcell::watch::Watch;
use hotcell::{Library, Options, Pool, PoolOptions, Result, Session};
use hotcell_faulty::{LIBRARY, carried};

/// The library as a pool has it.
struct Held(Session);

impl Library for Held {
    fn package() -> &'static Package {
        carried().package
    }

    fn open_with(options: Options) -> Result<Held> {
        Session::open(carried().package, options).map(Held)
    }

    fn session(&self) -> &Session {
        &self.0
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [file, watch, kind] = words.as_slice() else { panic!("hotcell-watched-host FILE WATCH KIND") };
    std::fs::write(file, LIBRARY).expect("the library is written");
    let watch = match watch.as_str() {
        "off" => Some(Watch::Off),
        "look" => Some(Watch::Look),
        "reload" => Some(Watch::Reload),
        _ => None,
    };
    let options = Options { libraries: vec![file.into()], watch, ..Options::default() };
    if kind == "pool" {
        let pool = PoolOptions { min: 2, max: 2, options, ..PoolOptions::default() };
        let pool = Pool::<Held>::open(pool).expect("the library is opened");
        println!("ready");
        obey(|line| told(pool.get().and_then(|lease| call(&lease.0, line))));
    } else {
        let held = Held::open_with(options).expect("the library is opened");
        println!("ready");
        obey(|line| match line.strip_prefix("later ") {
            None if line == "fork" => fork(),
            None if line.starts_with("become ") => become_user(&line["become ".len()..]),
            None => told(call(&held.0, line)),
            Some(line) => {
                let (session, line) = (held.0.within(Duration::from_secs(100)), line.to_owned());
                thread::spawn(move || call(&session, &line));
                "begun".to_owned()
            }
        });
    }
}

/// Has a child that does nothing for a while, whatever becomes of this process: its number.
fn fork() -> String {
    // SAFETY: the child makes system calls only, and ends by one.
    match unsafe { libc::fork() } {
        0 => {
            let _ = rustix::thread::nanosleep(&rustix::time::Timespec { tv_sec: 60, tv_nsec: 0 });
            // SAFETY: ends the child without the exit handlers of the program.
            unsafe { libc::_exit(0) }
        }
        child => child.to_string(),
    }
}

/// Has the rights of this user from now on, and may take its own back.
fn become_user(user: &str) -> String {
    // SAFETY: changes numbers of this process.
    unsafe { libc::seteuid(user.parse().expect("a user is a number")) }.to_string()
}

fn obey(answer: impl Fn(&str) -> String) {
    stdin().lock().lines().map_while(std::result::Result::ok).for_each(|line| println!("{}", answer(&line)));
}

fn told(result: Result<i128>) -> String {
    result.map_or_else(|error| error.kind().name().to_owned(), |number| number.to_string())
}

/// `add 1 2`.
fn call(session: &Session, line: &str) -> Result<i128> {
    let mut words = line.split(' ');
    let name = format!("faulty_{}", words.next().unwrap_or_default());
    let interface = &carried().interface;
    let function = interface.function(&name).unwrap_or_else(|| panic!("there is no {name}"));
    let arguments: Vec<Value> =
        words.map(|word| Value::Int(word.parse().expect("arguments are integers"))).collect();
    match dynamic::call(session, interface, function, &arguments)?.returned {
        Some(Value::Int(number)) => Ok(number),
        _ => Ok(0),
    }
}
