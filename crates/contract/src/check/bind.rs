//! One function: decided lines, then inference, then the checks that need both.

use hotcell_model::api::{Api, Function};
use hotcell_model::interface::{self, LeftOut, Status};

use crate::check::decide::{self, Site};
use crate::check::{Link, finish, left_out, names};
use crate::contract::Contract;
use crate::diagnostic::Diagnostic;
use crate::infer::{Verdict, infer};

/// The bound function, or why it is left out; `None` when a line about it is wrong.
pub(crate) fn bind(
    contract: &Contract,
    api: &Api,
    link: Link<'_>,
    function: &Function,
    findings: &mut Vec<Diagnostic>,
) -> Option<Result<interface::Function, LeftOut>> {
    let exported = |name: &str| link.exports.is_none_or(|exports| exports.contains(name));
    if !exported(&function.name) && !function.inline {
        let library = link.sonames.first().map_or(contract.library(), String::as_str);
        let reason = format!("{library} does not export it");
        return Some(Err(left_out(function, Status::NotExported, reason, None)));
    }
    let names = names::names(function);
    let site = Site {
        contract,
        api,
        exports: link.exports,
        function,
        names: &names,
    };
    let mut decided = decide::decide(site, findings)?;
    let gaps = match infer(function, &names, &mut decided.draft) {
        Verdict::Unsupported(reason) => {
            return Some(Err(left_out(function, Status::Unsupported, reason, None)));
        }
        Verdict::Open(gaps) => gaps,
    };
    finish::finish(site, decided, gaps, findings)
}
