//! `cargo dev demo`: a library that works, a library that fails, and a host that goes on.
#![forbid(unsafe_code)]

mod faults;
mod screen;
mod work;

use std::process::ExitCode;

use screen::Screen;

fn main() -> ExitCode {
    let screen = Screen::new();
    let worked = work::show(&screen).and_then(|()| faults::show(&screen));
    match worked {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            screen.failed(&text);
            ExitCode::FAILURE
        }
    }
}
