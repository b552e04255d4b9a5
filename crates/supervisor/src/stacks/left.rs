//! The stack that a worker has left of the thread that ended it, walked when somebody asks: by the files of its modules, for its memory has gone.

use std::fmt;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::sync::{Arc, Weak};

use hotcell_shm::StackRecord;

use super::aside::{Aside, PATIENCE};
use super::modules::{self, Image, Module};
use super::rows::Rows;
use super::walk::{Start, Walker};
use super::{FrameSeen, open_plain};
use crate::libraries::Libraries;
use crate::spec::Spec;

/// Files that are read for it.
static FILES: Aside = Aside::new();

/// What a worker had loaded when it came up.
#[derive(Debug)]
pub(crate) struct Loaded {
    modules: Vec<Module>,
    /// Files that are open, and perhaps have no name. An error that is kept longer than its session keeps none of them open.
    libraries: Weak<Libraries>,
    shim: &'static [u8],
}

impl Loaded {
    /// Of the maps of a process that has loaded what it was told.
    pub(crate) fn of(maps: &[u8], spec: &Spec) -> Loaded {
        let modules = modules::of_maps(&String::from_utf8_lossy(maps));
        Loaded { modules, libraries: Arc::downgrade(&spec.libraries), shim: spec.shim }
    }

    /// The tables of a module, by its file as it is now.
    fn tables(&self, module: &Module, most: usize) -> Option<Rows> {
        if !module.name.starts_with("/memfd:") {
            return modules::tables(&Image::File(&open_plain(module.name.as_ref()).ok()?), most);
        }
        let is_it = |file: &&File| file.metadata().is_ok_and(|it| it.ino() == module.inode);
        let libraries = self.libraries.upgrade();
        match libraries.iter().flat_map(|libraries| libraries.files()).find(is_it) {
            Some(file) => modules::tables(&Image::File(file), most),
            // It came as a copy, by this name.
            None if module.name.starts_with("/memfd:hotcell-shim ") => {
                modules::tables(&Image::Bytes(self.shim), most)
            }
            None => None,
        }
    }
}

/// A stack that a worker has left, by its own word.
#[derive(Clone)]
pub struct StackLeft {
    record: Arc<StackRecord>,
    loaded: Arc<Loaded>,
}

impl StackLeft {
    pub(crate) fn new(record: StackRecord, loaded: Arc<Loaded>) -> StackLeft {
        StackLeft { record: Arc::new(record), loaded }
    }

    /// Where the thread was, and where each function returns to. Files are read for it: none where the kernel holds that up.
    pub fn frames(&self) -> Vec<FrameSeen> {
        let own = self.clone();
        FILES.within(PATIENCE, move || own.walked()).unwrap_or_default()
    }

    fn walked(&self) -> Vec<FrameSeen> {
        let StackRecord { pc, sp, link, back, from, bytes } = &*self.record;
        let start = Start { pc: *pc, sp: *sp, link: *link, back: *back };
        let tables = |module: &Module, most| self.loaded.tables(module, most);
        Walker::new(&self.loaded.modules, tables).walk(&start, *from, bytes)
    }
}

impl fmt::Debug for StackLeft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StackLeft").field("bytes", &self.record.bytes.len()).finish_non_exhaustive()
    }
}
