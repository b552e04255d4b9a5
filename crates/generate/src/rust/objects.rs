//! Types of objects: handles, and structures that live in the worker.

use hotcell_model::interface::{Function, Handle, Role};
use serde::Serialize;

use crate::Error;
use crate::rust::context::Context;
use crate::rust::docs;
use crate::rust::methods::Methods;
use crate::rust::structs::Record;

/// What `object.rs.j2` prints.
#[derive(Serialize)]
pub(crate) struct Object {
    pub(crate) name: String,
    pub(crate) module: String,
    docs: Vec<String>,
    c_type: String,
    /// Its number on the wire.
    number: u16,
    pub(crate) methods: Methods,
    /// Whether objects are made anew when their worker has ended.
    restores: bool,
    /// The fields, when it is a structure that lives in the worker.
    record: Option<Record>,
    library: String,
    /// How an object of a structure begins, behind "it is not there yet:".
    beginnings: String,
    uses: Vec<String>,
}

impl Object {
    /// Whether it is a structure.
    pub(crate) fn is_resident(&self) -> bool {
        self.record.is_some()
    }
}

/// The type of the object `key`; `methods` are its functions.
pub(crate) fn object(
    context: &Context<'_>,
    key: &str,
    methods: Methods,
    record: Option<Record>,
) -> Result<Object, Error> {
    let interface = context.interface;
    let (Some(handle), Some(number)) = (interface.handles.get(key), interface.handle_number(key)) else {
        let what = format!("there is no handle type `{key}`");
        return Err(Error::Inconsistent { function: key.to_owned(), what });
    };
    if record.is_some() {
        context.mention(&context.names.library);
    }
    let name = context.names.objects[key].clone();
    methods.mention(context);
    let mut mentioned = context.take_mentioned();
    mentioned.remove(&name);
    let uses: Vec<String> = mentioned.into_iter().collect();
    Ok(Object {
        module: context.names.modules[key].clone(),
        docs: documentation(context, key, handle, record.is_some()),
        c_type: handle.c_type.clone(),
        restores: handle.restore.is_some(),
        number,
        methods,
        record,
        library: context.names.library.clone(),
        beginnings: beginnings(context, key),
        uses: super::imports(&uses),
        name,
    })
}

/// The methods with which an object begins, as advice.
fn beginnings(context: &Context<'_>, key: &str) -> String {
    let begins = |function: &Function| {
        function.params.iter().any(|param| {
            matches!(&param.role.value, Role::Resident { record, starts: Some(_), .. } if record == key)
        })
    };
    let functions = context.interface.functions.iter().zip(&context.names.methods);
    let methods = functions.filter(|(function, _)| begins(function)).map(|(_, name)| format!("`{name}`"));
    match methods.collect::<Vec<_>>().join(" or ").as_str() {
        "" => "no function of the contract begins one".into(),
        methods => format!("call {methods} first"),
    }
}

fn documentation(context: &Context<'_>, key: &str, handle: &Handle, resident: bool) -> Vec<String> {
    let doc = match context.interface.structs.get(key) {
        Some(record) => record.doc.as_deref().or(handle.doc.as_deref()),
        None => handle.doc.as_deref(),
    };
    let mut lines = doc.map(docs::from_header).unwrap_or_default();
    if !lines.is_empty() {
        lines.push(String::new());
    }
    lines.push(format!("C: `{}`", handle.c_type));
    lines.push(String::new());
    let release = match &handle.release {
        Some(release) => {
            format!(" When the last is dropped, `{release}` releases an object that is the caller's.")
        }
        None => String::new(),
    };
    let parent = handle.parent.as_ref().and_then(|parent| context.names.objects.get(parent));
    if resident {
        lines.push(
            "The object lives in the worker; its fields are here, and go there and back with each call."
                .into(),
        );
        if let Some(release) = &handle.release {
            lines.push(format!("When it is dropped, `{release}` releases it."));
        }
    } else {
        lines.push(format!("Clones stand for the same object.{release}"));
    }
    if let Some(restore) = &handle.restore {
        let calls = restore.by.join("`, `");
        let also =
            if restore.configure.is_empty() { "" } else { ", and behind it those that have configured it" };
        lines.push(String::new());
        lines.push(format!("When its worker has ended, the next call that waits makes it anew: the call that made it (`{calls}`) is made"));
        lines.push(format!("again{also}. Everything else that the library knew of it is lost; [`Self::restored`] counts that."));
    }
    if let Some(parent) = parent {
        lines.push(format!("It keeps the [`{parent}`](crate::{parent}) it belongs to."));
    }
    lines
}
