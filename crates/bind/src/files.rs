//! What a check goes by: headers, which another process reads, and library files.

use std::cell::RefCell;
use std::path::PathBuf;

use hotcell_header::{Error as HeaderError, Job, Reader};
use hotcell_model::api::Api;

use crate::error::Error;
use crate::libraries::Libraries;

/// Headers and libraries.
pub(crate) struct Files<'a> {
    pub(crate) reader: &'a Reader,
    /// What has been read; none where everything is read anew.
    seen: Option<RefCell<Seen>>,
}

#[derive(Default)]
struct Seen {
    headers: Vec<(Job, Api)>,
    libraries: Vec<(Vec<String>, Vec<PathBuf>, Libraries)>,
}

impl<'a> Files<'a> {
    /// As they are whenever they are asked for.
    pub(crate) fn anew(reader: &'a Reader) -> Files<'a> {
        Files { reader, seen: None }
    }

    /// As they were when they were first asked for, so that several checks of one draft read each once. What the machine code of libraries
    /// shows is kept with them.
    pub(crate) fn once(reader: &'a Reader) -> Files<'a> {
        Files { reader, seen: Some(RefCell::default()) }
    }

    pub(crate) fn headers(&self, job: &Job) -> Result<Api, HeaderError> {
        let seen = self.seen.as_ref();
        let known = seen.and_then(|seen| {
            seen.borrow().headers.iter().find(|(known, _)| known == job).map(|(_, api)| api.clone())
        });
        if let Some(api) = known {
            return Ok(api);
        }
        let api = self.reader.parse(job)?;
        if let Some(seen) = seen {
            seen.borrow_mut().headers.push((job.clone(), api.clone()));
        }
        Ok(api)
    }

    pub(crate) fn libraries(&self, names: &[String], dirs: &[PathBuf]) -> Result<Libraries, Error> {
        let seen = self.seen.as_ref();
        let known = seen.and_then(|seen| {
            let seen = seen.borrow();
            let is_it = |known: &&(Vec<String>, Vec<PathBuf>, Libraries)| known.0 == names && known.1 == dirs;
            seen.libraries.iter().find(is_it).map(|(.., libraries)| libraries.clone())
        });
        if let Some(libraries) = known {
            return Ok(libraries);
        }
        let libraries = Libraries::find(names, dirs)?;
        if let Some(seen) = seen {
            seen.borrow_mut().libraries.push((names.to_vec(), dirs.to_vec(), libraries.clone()));
        }
        Ok(libraries)
    }
}
