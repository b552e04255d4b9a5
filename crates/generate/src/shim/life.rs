//! What workers call before they serve and before they end: the contract's `abi`, `init`, `health` and `shutdown`.

use hotcell_model::Interface;
use hotcell_model::evidence::Fact;
use hotcell_model::expr::Expr;
use hotcell_model::fingerprint::Fingerprint;
use hotcell_model::interface::{Fails, Function, LifeCall, ResultRole};
use hotcell_model::layout::Layout;
use hotcell_model::types::{CType, Type};

use crate::Error;
use crate::shim::body::Body;
use crate::shim::expr::{Moment, Scope};
use crate::shim::results::failure;
use crate::shim::types::{declare, literal, spell};

/// The statements of `hotcell_init`: it returns the text of the call that failed. None without calls.
pub(crate) fn init(interface: &Interface) -> Result<Vec<String>, Error> {
    heeded(interface, &interface.init)
}

/// The statements of `hotcell_health_1`, which returns the same. None without calls.
pub(crate) fn health(interface: &Interface) -> Result<Vec<String>, Error> {
    heeded(interface, &interface.health)
}

/// The statements of `hotcell_abi_1`, which returns the same. None without calls.
pub(crate) fn abi(interface: &Interface) -> Result<Vec<String>, Error> {
    heeded(interface, &interface.abi)
}

fn heeded(interface: &Interface, calls: &[LifeCall]) -> Result<Vec<String>, Error> {
    let mut body = Body::leaving_by(&[]);
    for call in calls {
        Life::of(interface, call)?.write(true, &mut body)?;
    }
    if !calls.is_empty() {
        body.line("return NULL;");
    }
    Ok(body.into_lines())
}

/// The statements of `hotcell_shutdown`. Nobody is left to hear of failures. None without calls.
pub(crate) fn shutdown(interface: &Interface) -> Result<Vec<String>, Error> {
    let mut body = Body::leaving_by(&[]);
    for call in &interface.shutdown {
        Life::of(interface, call)?.write(false, &mut body)?;
    }
    Ok(body.into_lines())
}

struct Life<'a> {
    interface: &'a Interface,
    call: &'a LifeCall,
    /// The called function; a stand-in without types when the interface does not bind it.
    function: Function,
    bound: bool,
    args: &'a [Expr],
}

impl<'a> Life<'a> {
    fn of(interface: &'a Interface, call: &'a LifeCall) -> Result<Self, Error> {
        let Expr::Call { function: name, args } = &call.call else {
            let what = "a worker's life has calls only".into();
            return Err(Error::Inconsistent { function: call.text.clone(), what });
        };
        let bound = interface.function(name).map(|(_, function)| function.clone());
        Ok(Life {
            interface,
            call,
            bound: bound.is_some(),
            function: bound.unwrap_or_else(|| unbound(name)),
            args,
        })
    }

    fn write(&self, heeded: bool, body: &mut Body) -> Result<(), Error> {
        let (interface, function) = (self.interface, &self.function);
        let scope = Scope { interface, function, moment: Moment::After, errno: "hc_errno" };
        let call = scope.native(&self.call.call)?;
        let rule = self.function.error.as_ref().map(|rule| &rule.value);
        let fails = self.call.fails.as_ref().or(rule.map(|rule| &rule.fails)).filter(|_| heeded);
        let Some(fails) = fails else {
            body.line(format!("(void){call};"));
            return Ok(());
        };
        let message = rule.and_then(|rule| rule.message.as_ref()).map(|expr| self.filled_in(expr));
        let message = message.map(|expr| scope.native(&expr)).transpose()?;
        let condition = self.condition(&scope, fails)?;
        let mut inner = body.part();
        inner.line("errno = 0;");
        if self.function.result_type.kind == Type::Void {
            inner.line(format!("{call};"));
        } else {
            let declared = spell(&self.function.result_type).filter(|_| self.bound);
            let declared = declared.map(|ty| declare(ty, "hc_result"));
            inner.line(format!("{} = {call};", declared.unwrap_or("__auto_type hc_result".into())));
        }
        inner.line("int hc_errno = errno;");
        inner.line("int hc_bad = 0;");
        inner.line(format!("int hc_failed = {condition};"));
        inner.line("(void)hc_errno;");
        inner.when("hc_failed || hc_bad", |inner| {
            let message = message.unwrap_or("NULL".into());
            inner.line(format!("return hotcell_life_failed({}, {message});", literal(&self.call.text)));
        });
        body.block("", |body| body.append(inner));
        Ok(())
    }

    fn condition(&self, scope: &Scope<'_>, fails: &Fails) -> Result<String, Error> {
        match fails {
            Fails::When { condition } => scope.truth(&self.filled_in(condition)),
            // The compiler knows the type.
            Fails::Nonzero if !self.bound => Ok("hc_result != 0".into()),
            Fails::Zero if !self.bound => Ok("hc_result == 0".into()),
            Fails::Null if !self.bound => Ok("hc_result == NULL".into()),
            _ => failure(scope, fails),
        }
    }

    /// An expression of the function's own rule, with this call's arguments for its parameters.
    fn filled_in(&self, expr: &Expr) -> Expr {
        match expr {
            Expr::Param { index } => self.args.get(*index).unwrap_or(expr).clone(),
            Expr::Call { function, args } => Expr::Call {
                function: function.clone(),
                args: args.iter().map(|arg| self.filled_in(arg)).collect(),
            },
            Expr::Binary { op, left, right } => Expr::Binary {
                op: *op,
                left: Box::new(self.filled_in(left)),
                right: Box::new(self.filled_in(right)),
            },
            _ => expr.clone(),
        }
    }
}

/// A function of which only the name is known.
fn unbound(name: &str) -> Function {
    let reason = "the interface does not bind it".into();
    let result_type =
        CType { written: String::new(), canonical: String::new(), kind: Type::Unsupported { reason } };
    Function {
        name: name.into(),
        doc: None,
        signature: String::new(),
        params: Vec::new(),
        result: Fact::proven(ResultRole::Value),
        result_type,
        error: None,
        deadline_ms: None,
        idempotent: false,
        noreturn: false,
        inline: false,
        requires: None,
        cancel: None,
        keeps: Vec::new(),
        layout: Layout::default(),
        fingerprint: Fingerprint::default(),
    }
}
