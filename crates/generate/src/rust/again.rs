//! Methods that make a call again where its worker ended in it: a second method makes it once.

use hotcell_model::interface::Function;

use crate::rust::arguments::Arguments;
use crate::rust::function::Method;
use crate::rust::names::Scope;
use crate::shape::owner::Owner;

/// Nothing in it is broken as rustfmt would: how long names are is the library's matter.
const AS_IT_IS: &str = "    #[rustfmt::skip]";

/// Whether calls by a method are made again: what it is given must be there for that.
pub(crate) fn is_repeated(function: &Function, owner: Owner<'_>, arguments: &Arguments) -> bool {
    let is_kept = |param: &String| !param.contains("&mut ") && !param.contains("FnMut");
    function.is_repeatable() && owner == Owner::Library && arguments.params.iter().all(is_kept)
}

/// The statements of a method whose calls `once` makes.
pub(crate) fn body(once: &str, constant: &str, params: &[String], mut scope: Scope) -> Vec<String> {
    let args = passed_on(params);
    let [tried, again] = ["tried", "again"].map(|name| scope.take(name.to_owned()));
    vec![
        format!("        let {tried} = self.{once}({args});"),
        format!("        let {again} = |session| Self {{ session }}.{once}({args});"),
        format!("        self.session.retried(table::{constant}, {tried}, {again})"),
    ]
}

/// As [`body`], of a method that is awaited, of a view of the library's type.
pub(crate) fn body_awaited(
    (once, constant): (&str, &str),
    library: &str,
    params: &[String],
    mut scope: Scope,
) -> Vec<String> {
    let args = passed_on(params);
    let [tried, again, of] = ["tried", "again", "of"].map(|name| scope.take(name.to_owned()));
    let view = scope.take("view".into());
    vec![
        format!("        let {view} = self;"),
        format!("        let {tried} = {view}.{once}({args}).await;"),
        format!("        let {again} = move |session| async move {{"),
        format!("            let {of} = {library} {{ session }};"),
        format!("            Aio {{ of: &{of}, call_site: {view}.call_site }}.{once}({args}).await"),
        "        };".into(),
        format!(
            "        {view}.of.session.retried_awaited(table::{constant}, {tried}, {view}.call_site, {again}).await"
        ),
    ]
}

/// The parameters of a method as arguments of another one.
fn passed_on(params: &[String]) -> String {
    let names = params.iter().filter_map(|param| param.split_once(':')).map(|(name, _)| name.trim());
    names.collect::<Vec<_>>().join(", ")
}

impl Method {
    /// The same, with these statements instead of its own, which are those of the method with this opening.
    pub(crate) fn again(self, body: Vec<String>, once: Vec<String>) -> Method {
        let opening = [AS_IT_IS.to_owned()].into_iter().chain(self.opening).collect();
        Method { opening, body, once: Some((once, self.body)), ..self }
    }
}
