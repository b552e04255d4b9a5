//! Which objects of a case others keep: those are released before them.

use std::collections::BTreeMap;

use hotcell_model::interface::{Function, Until};

use crate::plan::{Case, Input};

/// What is lent by what, and kept by what, by number.
#[derive(Debug, Default)]
pub(crate) struct Keeping {
    lent_by: BTreeMap<usize, usize>,
    kept_by: Vec<(usize, usize)>,
}

impl Keeping {
    /// Notes the last call of a case, and what it hands out.
    pub(crate) fn note(&mut self, function: &Function, case: &Case, gives: &[(Option<usize>, usize)]) {
        let Some(step) = case.steps.last() else { return };
        let positions = (0..function.params.len()).filter(|&at| function.params[at].role.value.is_argument());
        let objects: BTreeMap<usize, usize> = { positions.zip(&step.args) }
            .filter_map(|(at, input)| match input {
                Input::Object(object) | Input::Resident(object, _) => Some((at, *object)),
                _ => None,
            })
            .collect();
        let given = |place: Option<usize>| gives.iter().find(|give| give.0 == place).map(|give| give.1);
        for (_, object) in gives {
            if let Some(lender) = objects.values().next() {
                self.lent_by.entry(*object).or_insert(*lender);
            }
        }
        for keeps in function.keeps.iter().filter(|keeps| function.keeps_object(keeps)) {
            let keeper = match keeps.until {
                Until::Param { param } => objects.get(&param).copied().or_else(|| given(Some(param))),
                Until::Result => given(None),
                Until::Worker => None,
            };
            if let (Some(kept), Some(keeper)) = (objects.get(&keeps.param), keeper) {
                self.kept_by.push((*kept, keeper));
            }
        }
    }

    /// What is to be released, in this order but for what is kept by something behind it.
    pub(crate) fn in_order(&self, mut rest: Vec<(String, usize)>) -> Vec<(String, usize)> {
        let mut sorted = Vec::new();
        while !rest.is_empty() {
            let waits = |object: usize| {
                let of = |other: usize| self.is_or_is_lent_by(other, object);
                let keepers = self.kept_by.iter().filter(|(kept, keeper)| of(*kept) && !of(*keeper));
                { keepers }.any(|(_, keeper)| rest.iter().any(|(_, it)| self.is_or_is_lent_by(*keeper, *it)))
            };
            let next = rest.iter().position(|(_, object)| !waits(*object)).unwrap_or(0);
            sorted.push(rest.remove(next));
        }
        sorted
    }

    /// Whether an object is this one, or what it was lent by is.
    fn is_or_is_lent_by(&self, object: usize, owner: usize) -> bool {
        let mut at = Some(object);
        while let Some(object) = at {
            if object == owner {
                return true;
            }
            at = self.lent_by.get(&object).copied().filter(|lender| *lender < object);
        }
        false
    }
}

#[test]
fn what_is_kept_is_released_behind_its_keeper() {
    let keeping = Keeping { lent_by: [(3, 0)].into(), kept_by: vec![(1, 2), (3, 1), (2, 2)] };
    let rest = [0, 1, 2].map(|object| ("free".to_owned(), object)).to_vec();
    let order: Vec<usize> = keeping.in_order(rest).into_iter().map(|(_, object)| object).collect();
    assert_eq!(order, [2, 1, 0]);
}
