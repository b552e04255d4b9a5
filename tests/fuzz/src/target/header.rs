//! Headers: whatever a file says, it is read or refused, and what is made of it is whole.

use std::fs;

use hotcell_contract::{Contract, Head, Link, Selection, check, draft, render};
use hotcell_header::Job;
use hotcell_model::api::Api;

use super::generated;
use crate::Target;

pub(crate) const TARGET: Target = Target {
    name: "header",
    about: "any text as a header: read or refused; bound without a contract, the shim is C and keeps its assertions about the header; a draft of its contract is a contract",
    longest: 8192,
    short: 120,
    run,
};

fn run(input: &[u8]) {
    let folder = generated::folder().join(format!("header-{:?}", std::thread::current().id()));
    let path = folder.join("fuzzed.h");
    fs::create_dir_all(&folder).expect("the folder is ours");
    fs::write(&path, input).expect("the folder is ours");
    let header = path.display().to_string();
    // Another file of this machine would be read, which is not the same on others.
    if input.windows(6).any(|word| matches!(word, b"nclude" | b"import")) {
        return;
    }
    let Ok(api) = hotcell_header::parse(&Job::new([header.clone()])) else { return };
    assert_eq!(api.flaw(), None, "an API of a header is refused where another process has read it");
    let again = serde_json::to_string(&api).expect("an API is data");
    let again: Api = serde_json::from_str(&again).expect("what was written can be read");
    assert_eq!(format!("{again:?}"), format!("{api:?}"), "an API is the same when it was written and read");
    let sonames = ["libfuzzed.so".to_owned()];
    let link = Link { sonames: &sonames, exports: None, shadowed: None, code: &[] };
    let head = Head {
        library: "fuzzed".into(),
        headers: vec![header.clone()],
        link: sonames.to_vec(),
        include_dirs: Vec::new(),
        defines: Vec::new(),
        prelude: None,
        include: Vec::new(),
    };
    let drafted =
        draft(&head, &api, link).unwrap_or_else(|wrong| panic!("{}", render(&wrong, &head.text(), false)));
    let contracts = [
        Contract::bare(&[header], "libfuzzed.so").taking_null(),
        Contract::parse(&drafted, "draft")
            .unwrap_or_else(|wrong| panic!("{}", render(&wrong, &drafted, false))),
    ];
    for (turn, contract) in (0..).zip(contracts) {
        let checked = check(&contract, &api, link, Selection::Contract)
            .unwrap_or_else(|wrong| panic!("{}", render(&wrong, &drafted, false)));
        // Parsing takes longer than all the rest.
        let source = generated::check(&checked.interface);
        if let Some(source) = source.filter(|_| generated::sum(input) % 4 == turn) {
            generated::check_shim(&source, std::slice::from_ref(&folder));
        }
    }
}
