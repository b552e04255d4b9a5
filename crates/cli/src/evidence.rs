//! How often each inference rule fires over `examples/`, and what the contracts there say about the same: the table of
//! docs/reference/support.md. `HOTCELL_UPDATE_GOLDEN=1` writes it anew.

mod compare;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use hotcell_bind::Checked;
use hotcell_contract::rules::{self, RULES};
use hotcell_model::evidence::Evidence;
use hotcell_model::interface::{Function, Interface, ResultRole, Role};

use crate::coverage::{bare, checked, examples, stale};
use crate::evidence::compare::Agreement;

const BEGIN: &str = "<!-- Written by `cargo dev evidence --update`; a test fails when it is stale. -->";
const END: &str = "<!-- End of what is written. -->";

/// What is known of a rule.
#[derive(Debug, Default)]
struct Record {
    /// Functions about which it concludes something.
    functions: BTreeSet<String>,
    /// The libraries that they are of.
    libraries: BTreeSet<String>,
    /// Conclusions that a line of a contract says too, or says more exactly.
    same: usize,
    more_exact: usize,
    /// Conclusions that a contract leaves to the rule; its functions are compared with direct calls.
    left: usize,
    /// Function and place.
    contradictions: Vec<String>,
}

/// All of the examples together.
#[derive(Debug, Default)]
struct Ledger {
    rules: BTreeMap<String, Record>,
    /// Functions that are bound without a line and left out by the contract, with their library.
    left_out: BTreeMap<String, Vec<String>>,
}

impl Ledger {
    fn add(&mut self, library: &str, bare: &Checked, full: &Checked) {
        let (concluded, said) = (&bare.interface, &full.interface);
        for function in &concluded.functions {
            for rule in rules(concluded, function) {
                let record = self.rules.entry(rule.to_owned()).or_default();
                record.functions.insert(format!("{library} {}", function.name));
                record.libraries.insert(library.to_owned());
            }
            match said.functions.iter().find(|other| other.name == function.name) {
                Some(other) => self.compare((concluded, function), (said, other)),
                None => self.left_out.entry(library.to_owned()).or_default().push(function.name.clone()),
            }
        }
    }

    fn compare(&mut self, bare: (&Interface, &Function), full: (&Interface, &Function)) {
        let ((concluded, function), (said, other)) = (bare, full);
        for index in 0..function.params.len() {
            let place = format!("`{}` of `{}`", function.params[index].name, function.name);
            let agreement = compare::param(function, other, index);
            let param = (&function.params[index].role.evidence, &other.params[index].role.evidence);
            self.note(param, agreement, &place);
            let types = (
                handle_of(concluded, &function.params[index].role.value),
                handle_of(said, &other.params[index].role.value),
            );
            // Another release than that of the rule: what the rule's would do is not known.
            if let (Some(own), Some(decided)) = types
                && own.release.is_some()
                && decided.release.is_some()
            {
                let agreement = match own.release == decided.release {
                    true => Agreement::Same,
                    false => Agreement::Contradiction,
                };
                self.note((&own.evidence, &decided.evidence), agreement, &place);
            }
        }
        let place = format!("the result of `{}`", function.name);
        let agreement = compare::result(&function.result.value, &other.result.value);
        self.note((&function.result.evidence, &other.result.evidence), agreement, &place);
    }

    /// What is concluded without the contract, and what stands there with it.
    fn note(&mut self, (bare, full): (&Evidence, &Evidence), agreement: Agreement, place: &str) {
        let Evidence::Inferred { rule } = bare else { return };
        let record = self.rules.entry(rule.clone()).or_default();
        match (agreement, matches!(full, Evidence::Decided { .. })) {
            (Agreement::Contradiction, _) => record.contradictions.push(place.to_owned()),
            (_, false) => record.left += 1,
            (Agreement::Same, true) => record.same += 1,
            (Agreement::MoreExact, true) => record.more_exact += 1,
        }
    }

    /// The table, in the order of the rules, and what the contracts leave out.
    fn text(&self) -> String {
        let mut text =
            "\n| rule | functions | libraries | a line says the same | says more | none is needed | contradicts |\n\
                        |---|--:|--:|--:|--:|--:|--:|\n"
                .to_owned();
        for (rule, _) in RULES {
            let none = Record::default();
            let record = self.rules.get(*rule).unwrap_or(&none);
            text.push_str(&format!(
                "| [{rule}]({}#{rule}) | {} | {} | {} | {} | {} | {} |\n",
                rules::page(rule),
                record.functions.len(),
                record.libraries.len(),
                record.same,
                record.more_exact,
                record.left,
                record.contradictions.len()
            ));
        }
        text.push_str(
            "\nBound without a line, and left out by the contract, which says why in docs/coverage.md:\n\n",
        );
        for (library, functions) in &self.left_out {
            let names: Vec<String> = functions.iter().map(|name| format!("`{name}`")).collect();
            text.push_str(&format!("- {library}: {}\n", names.join(", ")));
        }
        text.push('\n');
        text
    }
}

/// The rules behind the facts of a function and the handle types it needs.
fn rules<'a>(interface: &'a Interface, function: &'a Function) -> BTreeSet<&'a str> {
    let types = function.params.iter().filter_map(|param| handle_of(interface, &param.role.value));
    let returned = match &function.result.value {
        ResultRole::Handle { handle, .. } => interface.handles.get(handle),
        _ => None,
    };
    let facts = function.params.iter().map(|param| &param.role.evidence).chain([&function.result.evidence]);
    let all = facts.chain(types.chain(returned).map(|handle| &handle.evidence));
    all.filter_map(|evidence| match evidence {
        Evidence::Inferred { rule } => Some(rule.as_str()),
        _ => None,
    })
    .collect()
}

/// The type of an object that goes in or comes out.
fn handle_of<'a>(interface: &'a Interface, role: &Role) -> Option<&'a hotcell_model::interface::Handle> {
    match role {
        Role::Handle { handle, .. } | Role::HandleOut { handle, .. } => interface.handles.get(handle),
        Role::Resident { record, .. } => interface.handles.get(record),
        _ => None,
    }
}

/// The page with this between its marks.
fn page(old: &str, table: &str) -> String {
    let (before, rest) = old.split_once(BEGIN).expect("the page has the mark before the table");
    let (_, behind) = rest.split_once(END).expect("the page has the mark behind the table");
    format!("{before}{BEGIN}\n{table}{END}{behind}")
}

#[test]
fn evidence_of_the_rules_is_what_is_committed_and_no_contract_contradicts_one() {
    let mut ledger = Ledger::default();
    for folder in examples() {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let contract = folder.join("bind.toml");
        let text = fs::read_to_string(&contract).unwrap();
        ledger.add(&name, &bare(&text), &checked(&contract));
    }
    let against: Vec<String> = (ledger.rules.iter())
        .flat_map(|(rule, record)| record.contradictions.iter().map(move |place| format!("{rule}: {place}")))
        .collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/support.md");
    let old = fs::read_to_string(&path).unwrap();
    let stale = stale(&path, &page(&old, &ledger.text()));
    assert!(against.is_empty(), "contradicted by a contract:\n{}", against.join("\n"));
    assert!(stale.is_none(), "stale: {stale:?}; run `cargo dev evidence --update`");
}
