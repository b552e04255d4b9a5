//! `cargo dev demo`: libraries that work, a library that fails, and a host that goes on.
#![forbid(unsafe_code)]

mod database;
mod faults;
mod functions;
mod json;
mod screen;
mod stream;
mod work;

use std::process::ExitCode;

use screen::Screen;

fn main() -> ExitCode {
    let screen = Screen::new();
    let parts = [work::show, database::show, functions::show, json::show, stream::show, faults::show];
    let worked = parts.iter().try_for_each(|show| show(&screen));
    match worked {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            screen.failed(&text);
            ExitCode::FAILURE
        }
    }
}
