//! Functions that stand between a guest and the host's own, tell the sink, and are linked only for one.
use std::sync::Arc;

use wasmtime::{ExternType, Func, Linker, Module, Store, Val, format_err};

use super::{CallEvent, CallOutcome, CallSink, Moment, decode, signature};
use crate::memory::Guest;
use crate::state::VmState;
use crate::status::Status;

/// `plain` with every function that `module` imports behind one that tells `sink`.
pub(crate) fn linker(
    plain: &Linker<VmState>,
    module: &Module,
    sink: &CallSink,
) -> wasmtime::Result<Linker<VmState>> {
    let mut linker = plain.clone();
    linker.allow_shadowing(true);
    for (index, import) in module.imports().enumerate() {
        let ExternType::Func(types) = import.ty() else {
            continue;
        };
        let (name, sink): (Arc<str>, _) = (import.name().into(), Arc::clone(sink));
        linker.func_new(
            import.module(),
            import.name(),
            types,
            move |guest, arguments, results| {
                through(guest, index, &name, &sink, arguments, results)
            },
        )?;
    }
    Ok(linker)
}

/// The host's own functions in the order of the module's imports, for a store that was linked by [`linker`].
pub(crate) fn originals(
    plain: &Linker<VmState>,
    module: &Module,
    store: &mut Store<VmState>,
) -> Arc<[Option<Func>]> {
    module
        .imports()
        .map(|import| {
            plain
                .get(&mut *store, import.module(), import.name())
                .ok()?
                .into_func()
        })
        .collect()
}

fn through(
    mut guest: Guest<'_>,
    index: usize,
    name: &str,
    sink: &CallSink,
    raw: &[Val],
    results: &mut [Val],
) -> wasmtime::Result<()> {
    let original = guest
        .data()
        .originals
        .get(index)
        .copied()
        .flatten()
        .ok_or_else(|| format_err!("{name} has no function behind it"))?;
    let raw_numbers: Vec<i64> = raw.iter().map(number).collect();
    let signature = signature::of(name);
    let arguments = decode::arguments(signature, &raw_numbers, memory(&guest));
    let (vm, context) = (guest.data().name, guest.data().context());

    let called = original.call(&mut guest, raw, results);

    let outcome = match (&called, results.first()) {
        (Err(error), _) => CallOutcome::Trap(error.root_cause().to_string()),
        (Ok(()), None) => CallOutcome::Nothing,
        (Ok(()), Some(answer)) => {
            let answer = number(answer) as u32;
            match Status::from_code(answer).filter(|_| name.starts_with("proxy_")) {
                None => CallOutcome::Number(answer),
                Some(Status::Ok) => CallOutcome::Status(
                    Status::Ok,
                    decode::results(signature, &raw_numbers, memory(&guest)),
                ),
                Some(other) => CallOutcome::Status(other, Vec::new()),
            }
        }
    };
    sink(&CallEvent {
        vm,
        context,
        call: name,
        moment: Moment::Hostcall {
            arguments: &arguments,
            outcome: &outcome,
        },
    });
    called
}

fn memory<'a>(guest: &'a Guest<'_>) -> &'a [u8] {
    guest.data().memory.map_or(&[], |memory| memory.data(guest))
}

fn number(value: &Val) -> i64 {
    match value {
        Val::I32(number) => (*number).into(),
        Val::I64(number) => *number,
        _ => 0, // the ABI has no other types
    }
}
