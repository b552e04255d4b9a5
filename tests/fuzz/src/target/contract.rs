//! Contracts: whatever a file says, it is read or refused with its place, and what is bound can be generated.

use std::path::PathBuf;
use std::sync::OnceLock;

use hotcell_contract::{Contract, Diagnostic, Link, Selection, check, render};
use hotcell_header::Job;
use hotcell_model::api::Api;

use super::generated;
use crate::Target;

pub(crate) const TARGET: Target = Target {
    name: "contract",
    about: "any text as a contract for the headers of the tests: read or refused, checked or refused, each with a place in the text; what is bound is generated, and the shim is C",
    longest: 8192,
    short: 800,
    run,
};

/// Headers of libraries for tests, all in one.
const HEADERS: [&str; 9] = [
    "basin/basin.h",
    "clan/clan.h",
    "crew/crew.h",
    "grove/grove.h",
    "pulse/pulse.h",
    "shelf/shelf.h",
    "ticker/ticker.h",
    "../../../lab/differential/tests/records/records.h",
    "../../fuzz/src/yard/yard.h",
];

fn headers() -> Vec<String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../e2e/src");
    HEADERS.iter().map(|name| folder.join(name).display().to_string()).collect()
}

fn api() -> &'static Api {
    static API: OnceLock<Api> = OnceLock::new();
    API.get_or_init(|| hotcell_header::parse(&Job::new(headers())).expect("the headers of the tests are C"))
}

fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let contract = match Contract::parse(text, "bind.toml") {
        Ok(contract) => contract,
        Err(diagnostics) => return placed(&diagnostics, text),
    };
    let sonames = ["libfuzzed.so".to_owned()];
    let link = Link { sonames: &sonames, exports: None, shadowed: None, code: &[] };
    let checked = match check(&contract, api(), link, Selection::Contract) {
        Ok(checked) => checked,
        Err(diagnostics) => return placed(&diagnostics, text),
    };
    if !checked.warnings.is_empty() {
        placed(&checked.warnings, text);
    }
    let mut interface = checked.interface;
    // A contract may name other headers; these are the ones whose declarations it was checked with.
    interface.source.headers = headers();
    let source = generated::check(&interface);
    let whole = interface.source.prelude.is_none() && interface.source.defines.is_empty();
    // Parsing takes longer than all the rest.
    if let Some(source) = source.filter(|_| whole && generated::sum(input).is_multiple_of(16)) {
        generated::check_shim(&source, &[]);
    }
}

/// What is wrong can be shown, at a place that is in the text.
fn placed(diagnostics: &[Diagnostic], text: &str) {
    assert!(!diagnostics.is_empty(), "a contract was refused without a word");
    for diagnostic in diagnostics {
        if let Some(span) = &diagnostic.span {
            assert!(text.get(span.clone()).is_some(), "{span:?} is no place in the text: {diagnostic:?}");
        }
    }
    assert!(!render(diagnostics, text, false).is_empty());
}
