//! The statements of a C function, one line each, indented.

use crate::shim::types::literal;

/// Collects lines.
pub(crate) struct Body {
    lines: Vec<(usize, String)>,
    depth: usize,
    leave: Vec<String>,
}

impl Body {
    /// Without lines; these statements leave the function.
    pub(crate) fn leaving_by(leave: &[&str]) -> Self {
        let leave = leave.iter().map(|line| (*line).to_owned()).collect();
        Body { lines: Vec::new(), depth: 0, leave }
    }

    /// Without lines; left as this one is.
    pub(crate) fn part(&self) -> Self {
        Body { lines: Vec::new(), depth: 0, leave: self.leave.clone() }
    }

    /// From here on, whoever leaves does this first.
    pub(crate) fn before_leaving(&mut self, text: String) {
        self.leave.insert(0, text);
    }

    pub(crate) fn line(&mut self, text: impl Into<String>) {
        self.lines.push((self.depth, text.into()));
    }

    /// `if (condition) { … }`
    pub(crate) fn when(&mut self, condition: &str, inner: impl FnOnce(&mut Self)) {
        self.block(&format!("if ({condition})"), inner);
    }

    /// `head { … }`
    pub(crate) fn block(&mut self, head: &str, inner: impl FnOnce(&mut Self)) {
        self.line(format!("{head} {{").trim_start());
        self.depth += 1;
        inner(self);
        self.depth -= 1;
        self.line("}");
    }

    /// What is done before leaving, without leaving.
    pub(crate) fn undo(&mut self) {
        let mut undo = self.leave.clone();
        undo.pop(); // the statement that leaves
        undo.into_iter().for_each(|line| self.line(line));
    }

    /// Leaves the function.
    pub(crate) fn leave(&mut self) {
        self.leave.clone().into_iter().for_each(|line| self.line(line));
    }

    /// Leaves with a refusal. `about` is the parameter's name.
    pub(crate) fn refuse(&mut self, refusal: &str, about: &str) {
        self.line(format!("hc_ctx->refuse(hc_ctx, HOTCELL_REFUSAL_{refusal}, {});", literal(about)));
        self.leave();
    }

    /// Leaves with a refusal when the condition holds.
    pub(crate) fn refuse_when(&mut self, condition: &str, refusal: &str, about: &str) {
        self.when(condition, |body| body.refuse(refusal, about));
    }

    /// Leaves when something before has already refused.
    pub(crate) fn leave_when(&mut self, condition: &str) {
        self.when(condition, Body::leave);
    }

    pub(crate) fn append(&mut self, other: Body) {
        self.lines.extend(other.lines.into_iter().map(|(depth, line)| (self.depth + depth, line)));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub(crate) fn mentions(&self, name: &str) -> bool {
        self.lines.iter().any(|(_, line)| line.contains(name))
    }

    pub(crate) fn into_lines(self) -> Vec<String> {
        let indented = |(depth, line): (usize, String)| format!("{}{line}", "    ".repeat(depth + 1));
        self.lines.into_iter().map(indented).collect()
    }
}
