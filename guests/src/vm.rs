//! What the probe remembers in its VM: contexts, scripts, callouts and the latest out values.
//!
//! No borrow outlives a function of this file, so no hostcall happens while one is held.
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::calls::Register;
use crate::script::{Script, Visit};

/// A root or a stream.
#[derive(Clone, Debug, Default)]
struct Context {
    /// 0 in roots.
    parent: u32,
    /// How its log lines name it.
    who: Rc<str>,
    /// Its own script; streams without one follow their root's.
    script: Option<Script>,
    visits: BTreeMap<&'static str, usize>,
}

/// Who made a callout.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// Its context.
    pub(crate) context: u32,
    /// How log lines name it.
    pub(crate) who: Rc<str>,
}

#[derive(Default)]
struct Vm {
    nonce: Rc<str>,
    initial: Script,
    contexts: BTreeMap<u32, Context>,
    callouts: BTreeMap<u32, Caller>,
    cas: u64,
    metric: u64,
    queue: u64,
    token: u64,
    value: u64,
}

thread_local! {
    static VM: RefCell<Vm> = RefCell::default();
}

/// What a callback is told about its context.
pub(crate) struct Turn {
    /// How its log lines name it.
    pub(crate) who: Rc<str>,
    /// What to do.
    pub(crate) visit: Visit,
}

/// The number of this VM; empty before [`set_nonce`].
pub(crate) fn nonce() -> Rc<str> {
    VM.with_borrow(|vm| vm.nonce.clone())
}

/// Sets the number of this VM.
pub(crate) fn set_nonce(nonce: String) {
    VM.with_borrow_mut(|vm| vm.nonce = nonce.into());
}

/// Sets what `initialize` does and `context_create` of roots.
pub(crate) fn set_initial(script: Script) {
    VM.with_borrow_mut(|vm| vm.initial = script);
}

/// Enters a new context.
pub(crate) fn create(context: u32, parent: u32) {
    let who = match parent {
        0 => format!("r{context}"),
        _ => format!("c{context}"),
    };
    VM.with_borrow_mut(|vm| {
        let new = Context {
            parent,
            who: who.into(),
            ..Context::default()
        };
        vm.contexts.insert(context, new);
    });
}

/// Gives a context a script of its own.
pub(crate) fn set_script(context: u32, script: Script) {
    VM.with_borrow_mut(|vm| {
        if let Some(context) = vm.contexts.get_mut(&context) {
            context.script = Some(script);
        }
    });
}

/// Gives a context another name in log lines.
pub(crate) fn set_who(context: u32, who: String) {
    VM.with_borrow_mut(|vm| {
        if let Some(context) = vm.contexts.get_mut(&context) {
            context.who = who.into();
        }
    });
}

/// Forgets a context.
pub(crate) fn delete(context: u32) {
    VM.with_borrow_mut(|vm| vm.contexts.remove(&context));
}

/// Begins a visit of a callback; `None` when the context is not there.
pub(crate) fn turn(context: u32, callback: &'static str) -> Option<Turn> {
    VM.with_borrow_mut(|vm| {
        let own = vm.contexts.get(&context)?;
        let script = match (&own.script, own.parent) {
            (Some(script), _) => script.clone(),
            (None, 0) => vm.initial.clone(),
            (None, parent) => {
                let root = vm.contexts.get(&parent);
                root.and_then(|root| root.script.clone())
                    .unwrap_or_default()
            }
        };
        let own = vm.contexts.get_mut(&context)?;
        let visits = own.visits.entry(callback).or_default();
        let visit = script.visit(callback, *visits);
        *visits = visits.saturating_add(1);
        Some(Turn {
            who: own.who.clone(),
            visit,
        })
    })
}

/// How a context's log lines name it.
pub(crate) fn who(context: u32) -> Rc<str> {
    let known = VM.with_borrow(|vm| vm.contexts.get(&context).map(|known| known.who.clone()));
    known.unwrap_or_else(|| format!("c{context}").into())
}

/// Remembers who made a callout.
pub(crate) fn called_out(token: u32, context: u32) {
    let who = who(context);
    VM.with_borrow_mut(|vm| vm.callouts.insert(token, Caller { context, who }));
}

/// Who made a callout; with `last` it is forgotten.
pub(crate) fn caller(token: u32, last: bool) -> Option<Caller> {
    VM.with_borrow_mut(|vm| match last {
        true => vm.callouts.remove(&token),
        false => vm.callouts.get(&token).cloned(),
    })
}

/// The latest out value.
pub(crate) fn register(register: Register) -> u64 {
    VM.with_borrow_mut(|vm| *place(vm, register))
}

/// Keeps an out value.
pub(crate) fn set_register(register: Register, value: u64) {
    VM.with_borrow_mut(|vm| *place(vm, register) = value);
}

fn place(vm: &mut Vm, register: Register) -> &mut u64 {
    match register {
        Register::Cas => &mut vm.cas,
        Register::Metric => &mut vm.metric,
        Register::Queue => &mut vm.queue,
        Register::Token => &mut vm.token,
        Register::Value => &mut vm.value,
    }
}
