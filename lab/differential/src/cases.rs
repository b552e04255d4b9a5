//! From lists of values to calls: every value at least once, then random combinations.

use hotcell_model::Interface;
use hotcell_model::interface::{Function, Param};

use crate::inputs::{self, LARGE};
use crate::plan::{Case, Group, Input, Step};
use crate::random::Random;

/// Cases of a function, at most, beyond those that show every value once.
const COMBINED: usize = 24;

/// The cases of a function that needs no object. `Err` says why it cannot be called.
pub(crate) fn of_function(
    interface: &Interface,
    index: u16,
    function: &Function,
    seed: u64,
) -> Result<Group, String> {
    let mut random = Random::new(seed, &function.name);
    let params: Vec<&Param> = function.params.iter().filter(|it| it.role.value.is_argument()).collect();
    let lists = params.iter().map(|param| inputs::of_param(interface, param, &mut random));
    let lists = lists.collect::<Result<Vec<_>, _>>()?;
    let cases = combine(&lists, &mut random);
    let cases = cases.into_iter().map(|args| Case { steps: vec![Step { function: index, args }] });
    Ok(Group { name: function.name.clone(), cases: cases.collect() })
}

/// Combinations in which every value of every list is seen.
pub(crate) fn combine(lists: &[Vec<Input>], random: &mut Random) -> Vec<Vec<Input>> {
    let longest = lists.iter().map(Vec::len).max().unwrap_or(1);
    let row = |at: usize| lists.iter().map(move |list| list[at % list.len()].clone()).collect();
    let mut rows: Vec<Vec<Input>> = (0..longest).map(row).collect();
    let product = lists.iter().fold(1usize, |all, list| all.saturating_mul(list.len()));
    if lists.len() > 1 {
        for _ in 0..COMBINED.min(product) {
            let row: Vec<Input> = lists.iter().map(|list| pick(list, random)).collect();
            if !rows.contains(&row) {
                rows.push(row);
            }
        }
    }
    rows
}

/// Any value but a large one.
fn pick(list: &[Input], random: &mut Random) -> Input {
    let input = &list[random.below(list.len())];
    let large = input.bytes().is_some_and(|bytes| bytes.len() >= LARGE);
    if large { list[0].clone() } else { input.clone() }
}
