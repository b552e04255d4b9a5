//! The template files, and the one way they are rendered.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde::Serialize;

use crate::Error;

/// Every template: its name and its text.
const TEMPLATES: &[(&str, &str)] = &[
    ("shim.c", include_str!("../templates/shim/shim.c.j2")),
    ("numbers.c", include_str!("../templates/shim/numbers.c.j2")),
    ("memory.c", include_str!("../templates/shim/memory.c.j2")),
    ("objects.c", include_str!("../templates/shim/objects.c.j2")),
    ("images.c", include_str!("../templates/shim/images.c.j2")),
    ("arrays.c", include_str!("../templates/shim/arrays.c.j2")),
    ("walls.c", include_str!("../templates/shim/walls.c.j2")),
    ("cancels.c", include_str!("../templates/shim/cancels.c.j2")),
    ("callbacks.c", include_str!("../templates/shim/callbacks.c.j2")),
    ("function.c", include_str!("../templates/shim/function.c.j2")),
    ("Cargo.toml", include_str!("../templates/rust/Cargo.toml.j2")),
    ("build.rs", include_str!("../templates/rust/build.rs.j2")),
    ("lib.rs", include_str!("../templates/rust/lib.rs.j2")),
    ("table.rs", include_str!("../templates/rust/table.rs.j2")),
    ("functions.rs", include_str!("../templates/rust/functions.rs.j2")),
    ("object.rs", include_str!("../templates/rust/object.rs.j2")),
    ("resident.rs", include_str!("../templates/rust/resident.rs.j2")),
    ("aio.rs", include_str!("../templates/rust/aio.rs.j2")),
    ("tasks.rs", include_str!("../templates/rust/tasks.rs.j2")),
    ("batch.rs", include_str!("../templates/rust/batch.rs.j2")),
    ("group.rs", include_str!("../templates/rust/group.rs.j2")),
    ("groups.rs", include_str!("../templates/rust/groups.rs.j2")),
    ("method.rs", include_str!("../templates/rust/method.rs.j2")),
    ("outputs.rs", include_str!("../templates/rust/outputs.rs.j2")),
    ("structs.rs", include_str!("../templates/rust/structs.rs.j2")),
    ("record.rs", include_str!("../templates/rust/record.rs.j2")),
    ("union.rs", include_str!("../templates/rust/union.rs.j2")),
    ("life.rs", include_str!("../templates/rust/life.rs.j2")),
    ("image.rs", include_str!("../templates/rust/image.rs.j2")),
    ("enums.rs", include_str!("../templates/rust/enums.rs.j2")),
    ("enum.rs", include_str!("../templates/rust/enum.rs.j2")),
    ("constants.rs", include_str!("../templates/rust/constants.rs.j2")),
    ("go/library.go", include_str!("../templates/go/library.go.j2")),
    ("go/functions.go", include_str!("../templates/go/functions.go.j2")),
    ("go/batch.go", include_str!("../templates/go/batch.go.j2")),
    ("go/object.go", include_str!("../templates/go/object.go.j2")),
    ("go/resident.go", include_str!("../templates/go/resident.go.j2")),
    ("go/record.go", include_str!("../templates/go/record.go.j2")),
    ("go/union.go", include_str!("../templates/go/union.go.j2")),
    ("go/structs.go", include_str!("../templates/go/structs.go.j2")),
    ("go/image.go", include_str!("../templates/go/image.go.j2")),
    ("go/method.go", include_str!("../templates/go/method.go.j2")),
    ("go/enums.go", include_str!("../templates/go/enums.go.j2")),
    ("go/constants.go", include_str!("../templates/go/constants.go.j2")),
    ("go/errors.go", include_str!("../templates/go/errors.go.j2")),
    ("go/table.go", include_str!("../templates/go/table.go.j2")),
    ("go.mod", include_str!("../templates/go/go.mod.j2")),
    ("go/about.txt", include_str!("../templates/go/about.txt.j2")),
    ("pyproject.toml", include_str!("../templates/python/pyproject.toml.j2")),
    ("__init__.py", include_str!("../templates/python/__init__.py.j2")),
    ("__init__.pyi", include_str!("../templates/python/__init__.pyi.j2")),
];

/// Renders one template from its model.
pub(crate) fn render(name: &str, model: impl Serialize) -> Result<String, Error> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let syntax =
        SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build();
    environment.set_syntax(syntax?);
    for (name, text) in TEMPLATES {
        environment.add_template(name, text)?;
    }
    Ok(environment.get_template(name)?.render(Serde(model))?)
}
