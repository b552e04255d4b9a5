//! The statements of an entry, one line each, indented.

use crate::shim::types::literal;

/// Collects lines.
#[derive(Default)]
pub(crate) struct Body {
    lines: Vec<String>,
    depth: usize,
}

impl Body {
    pub(crate) fn line(&mut self, text: impl AsRef<str>) {
        self.lines.push(format!("{}{}", "    ".repeat(self.depth + 1), text.as_ref()));
    }

    /// `if (condition) { … }`
    pub(crate) fn when(&mut self, condition: &str, inner: impl FnOnce(&mut Self)) {
        self.line(format!("if ({condition}) {{"));
        self.depth += 1;
        inner(self);
        self.depth -= 1;
        self.line("}");
    }

    /// Ends the entry with a refusal when the condition holds. `about` is the parameter's name.
    pub(crate) fn refuse_when(&mut self, condition: &str, refusal: &str, about: &str) {
        self.when(condition, |body| {
            body.line(format!("hc_ctx->refuse(hc_ctx, HOTCELL_REFUSAL_{refusal}, {});", literal(about)));
            body.line("return;");
        });
    }

    /// Ends the entry when something before has already refused.
    pub(crate) fn return_when(&mut self, condition: &str) {
        self.when(condition, |body| body.line("return;"));
    }

    pub(crate) fn append(&mut self, other: Body) {
        self.lines.extend(other.lines);
    }

    pub(crate) fn mentions(&self, name: &str) -> bool {
        self.lines.iter().any(|line| line.contains(name))
    }

    pub(crate) fn into_lines(self) -> Vec<String> {
        self.lines
    }
}
