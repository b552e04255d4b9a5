//! Structures that stay and of which nothing travels, as several operands of one call; a library that must be set up first.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/library.rs"]
mod library;

use library::{compared, compile, job};

const HEADER: &str = r"
typedef struct cell { int *value; } cell;
int cell_unit(int unit);
void cell_init(cell *c, int value);
void cell_add(cell *to, const cell *a, const cell *b);
int cell_get(const cell *c);
int cell_pour(cell *into, cell *gone);
void cell_clear(cell *c);
";

const SOURCE: &str = r#"
#include <stdlib.h>
#include "cells.h"
static int unit;
int cell_unit(int wanted) { return unit = wanted; }
void cell_init(cell *c, int value) { c->value = malloc(sizeof(int)); *c->value = value; }
void cell_add(cell *to, const cell *a, const cell *b) { *to->value = *a->value + *b->value; }
int cell_get(const cell *c) { return *c->value * unit; }
int cell_pour(cell *into, cell *gone) { int sum = *into->value += *gone->value; free(gone->value); return sum; }
void cell_clear(cell *c) { free(c->value); }
"#;

const CONTRACT: &str = r#"
hotcell = 1
library = "cells"
headers = ["cells.h"]
init = ["cell_unit(10) == 10"]
struct.cell = { resident = true, started_by = { cell_init = "cell_clear" }, fields.value = { own = true } }
function.cell_pour.params.gone = { in = "consumed" }
"#;

const RECIPES: &str = r#"
[object.seven]
type = "cell"
steps = ["cell_init($seven{}, 7)"]

[object.one]
type = "cell"
steps = ["cell_init($one{}, 1)"]

[values]
value = ["3", "-5"]
unit = ["1", "2"]

[observe]
cell = ["cell_get(${})"]

[scenario]
"a cell is all operands" = ["cell_init($c{}, 3)", "cell_add($c{}, $c{}, $c{})", "cell_add($c{}, $c{}, $c{})", "cell_get($c{})"]
"what is taken over is no other operand" = ["cell_init($c{}, 3)", "cell_pour($c{}, $c{})", "cell_get($c{})"]
"#;

#[test]
fn a_structure_of_which_nothing_travels_is_several_operands() {
    let folder = tempfile::tempdir().unwrap();
    compile(folder.path(), "cells", HEADER, SOURCE);
    let report = compared(folder.path(), &job(folder.path(), CONTRACT, RECIPES));
    assert!(report.passed(), "{report}");
    assert_eq!(report.groups.len(), 8, "{report}");
}
