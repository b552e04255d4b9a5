//! What the program that calls has once, and no library may change.

use std::env;
use std::path::PathBuf;
use std::sync::Arc;

use rustix::fs::Mode;
use rustix::process::umask;
use serde_json::json;

use crate::failure::{Failure, Why};
use crate::row::Stop;
use crate::via::driver::Driver;

/// The mask that is set for the time of a look: there is no other way to ask for it.
const MEANWHILE: Mode = Mode::from_bits_truncate(0o022);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProgramState {
    pub(crate) directory: PathBuf,
    /// Of new files, before this was asked for.
    pub(crate) mask: u32,
    environment: String,
}

impl ProgramState {
    /// Of this program.
    pub(crate) fn here(mask: Option<u32>) -> Result<ProgramState, Stop> {
        let before = umask(MEANWHILE);
        umask(mask.map_or(before, Mode::from_bits_truncate));
        let variables = env::vars_os().map(|(name, value)| format!("{name:?}={value:?}\n"));
        let directory = env::current_dir().map_err(Stop::lacks("a working directory"))?;
        Ok(ProgramState { directory, mask: before.bits(), environment: variables.collect() })
    }

    /// Of a driver.
    pub(crate) fn there(driver: &Arc<Driver>, mask: Option<u32>) -> Result<ProgramState, Failure> {
        let said = driver.ask(json!({ "do": "state", "mask": mask }))?;
        let number = said["mask"].as_u64().and_then(|mask| u32::try_from(mask).ok());
        match (said["directory"].as_str(), number, said["environment"].as_str()) {
            (Some(directory), Some(mask), Some(environment)) => {
                Ok(ProgramState { directory: directory.into(), mask, environment: environment.to_owned() })
            }
            _ => Err(Failure::new(Why::Lost, format!("the driver says {said}"))),
        }
    }
}
