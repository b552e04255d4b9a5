//! Fingerprints: whether two sides mean the same function and the same interface.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::interface::{Function, Interface};

/// SHA-256 over a normalised description.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// Over a function: everything that decides what its call means, nothing that only describes it
    /// (documentation, evidence, lines). What it names (handle types, structures) belongs to the interface.
    pub fn of_function(function: &Function) -> Self {
        let mut hash = Sha256::new();
        feed(&mut hash, &function.name);
        feed(&mut hash, &function.result_type.canonical);
        feed(&mut hash, &function.result.value);
        for param in &function.params {
            feed(&mut hash, &param.ty.canonical);
            feed(&mut hash, &param.role.value);
        }
        feed(&mut hash, &function.error.as_ref().map(|rule| &rule.value));
        feed(&mut hash, &function.layout);
        if let Some(requires) = &function.requires {
            feed(&mut hash, requires);
        }
        for keeps in &function.keeps {
            feed(&mut hash, keeps);
        }
        if let Some(cancel) = &function.cancel {
            feed(&mut hash, cancel);
        }
        Fingerprint(hash.finalize().into())
    }

    /// Over an interface: its target, how its headers are included (fixed arguments mean what these say), its
    /// functions in order, its life calls, handles, structures, records, enumerations and constants.
    pub fn of_interface(interface: &Interface) -> Self {
        let mut hash = Sha256::new();
        feed(&mut hash, &interface.format);
        feed(&mut hash, &interface.library);
        feed(&mut hash, &interface.target);
        feed(&mut hash, &interface.threads);
        feed(&mut hash, &interface.source);
        for function in &interface.functions {
            hash.update(function.fingerprint.0);
        }
        feed(&mut hash, &interface.init);
        feed(&mut hash, &interface.shutdown);
        if !interface.abi.is_empty() {
            feed(&mut hash, &("abi", &interface.abi));
        }
        if interface.any_layout {
            feed(&mut hash, &"any layout");
        }
        if !interface.health.is_empty() {
            feed(&mut hash, &("health", &interface.health));
        }
        for (name, handle) in &interface.handles {
            feed(&mut hash, name);
            feed(&mut hash, &(&handle.c_type, &handle.release, &handle.parent, handle.thread_affine));
            handle.jumps.iter().for_each(|jumps| feed(&mut hash, jumps));
        }
        for (name, item) in &interface.structs {
            feed(&mut hash, name);
            feed(&mut hash, &(&item.c_name, item.resident, item.size));
            if item.union {
                feed(&mut hash, &item.union);
            }
            for field in &item.fields {
                feed(&mut hash, &(&field.name, &field.ty.canonical, &field.role.value, field.offset));
            }
        }
        feed(&mut hash, &interface.symbols);
        for (name, record) in &interface.records {
            feed(&mut hash, name);
            feed(&mut hash, &record.layout);
        }
        for (name, enumeration) in &interface.enums {
            feed(&mut hash, name);
            feed(&mut hash, &enumeration.enumerators);
        }
        for (name, constant) in &interface.constants {
            feed(&mut hash, name);
            feed(&mut hash, &constant.value);
        }
        Fingerprint(hash.finalize().into())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.as_bytes();
        let mut bytes = [0; 32];
        if digits.len() != 64 {
            return Err(serde::de::Error::custom("a fingerprint has 64 hexadecimal digits"));
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(serde::de::Error::custom)?;
            *byte = u8::from_str_radix(pair, 16).map_err(serde::de::Error::custom)?;
        }
        Ok(Fingerprint(bytes))
    }
}

/// Adds a value's JSON and a separator, so that neighbouring values cannot run together.
fn feed(hash: &mut Sha256, value: &impl Serialize) {
    hash.update(serde_json::to_vec(value).expect("plain data with string keys serialises"));
    hash.update([0]);
}
