//! What happens in each callback: whose turn it is, where its script comes from, what it returns.
use crate::abi::{self, Cells};
use crate::interpreter::Interpreter;
use crate::report;
use crate::script::Script;
use crate::vm::{self, Turn};

const REQUEST_HEADERS: u64 = 0;
const VM_CONFIGURATION: u64 = 6;
const PLUGIN_CONFIGURATION: u64 = 7;

/// `_initialize`: only the log and WASI may be used in here.
pub(crate) fn initialize() {
    let text = std::env::var("PROBE").unwrap_or_default();
    let script = parsed("r0", text.as_bytes());
    vm::set_initial(script.clone());
    let turn = Turn {
        who: "r0".into(),
        visit: script.visit("initialize", 0),
    };
    take(turn, "initialize", 0, &[]);
}

/// A context begins.
pub(crate) fn context_create(context: u32, parent: u32) {
    vm::create(context, parent);
    plain("context_create", context, &[context, parent]);
}

/// The VM's configuration brings the script of this one callback.
pub(crate) fn vm_start(root: u32, size: u32) -> u32 {
    let who = vm::who(root);
    let script = parsed(&who, &buffer(VM_CONFIGURATION, size));
    let turn = Turn {
        visit: script.visit("vm_start", 0),
        who,
    };
    take(turn, "vm_start", root, &[size]).unwrap_or(1)
}

/// The plugin's configuration brings the root's script.
pub(crate) fn configure(root: u32, size: u32) -> u32 {
    let script = parsed(&vm::who(root), &buffer(PLUGIN_CONFIGURATION, size));
    vm::set_script(root, script);
    plain("configure", root, &[size]).unwrap_or(1)
}

/// The first callback of most streams: their headers bring their name and script.
pub(crate) fn request_headers(context: u32, headers: u32, end: u32) -> u32 {
    if let Some(id) = header("x-id") {
        vm::set_who(context, format!("s{}", String::from_utf8_lossy(&id)));
    }
    if let Some(text) = header("x-script") {
        vm::set_script(context, parsed(&vm::who(context), &text));
    }
    plain("request_headers", context, &[headers, end]).unwrap_or(0)
}

/// An answer to a callout, in the name of whoever asked.
pub(crate) fn callout(callback: &'static str, root: u32, token: u32, arguments: &[u32]) {
    let last = matches!(callback, "http_call_response" | "grpc_close");
    let Some(caller) = vm::caller(token, last).filter(|caller| caller.context != root) else {
        plain(callback, root, arguments);
        return;
    };
    // Where the stream is gone, the host refuses this and there is nothing to do.
    let _ = abi::call("proxy_set_effective_context", &[caller.context.into()]);
    let turn = vm::turn(caller.context, callback).unwrap_or(Turn {
        who: caller.who,
        visit: Default::default(),
    });
    take(turn, callback, caller.context, arguments);
}

/// A context ends.
pub(crate) fn delete(context: u32) {
    plain("delete", context, &[]);
    vm::delete(context);
}

/// Any callback; what its script returns.
pub(crate) fn plain(callback: &'static str, context: u32, arguments: &[u32]) -> Option<u32> {
    let turn = vm::turn(context, callback).unwrap_or_else(|| Turn {
        who: vm::who(context),
        visit: Default::default(),
    });
    take(turn, callback, context, arguments)
}

fn take(turn: Turn, callback: &str, context: u32, arguments: &[u32]) -> Option<u32> {
    name_this_vm();
    let mut interpreter = Interpreter::new(turn.who, context);
    let mut line = format!("> {callback}");
    for argument in arguments {
        line += &format!(" {argument}");
    }
    interpreter.say(&line);
    interpreter.run(&turn.visit.calls);
    turn.visit.answer
}

/// Draws the number of this VM at the first use.
fn name_this_vm() {
    if !vm::nonce().is_empty() {
        return;
    }
    let mut random = Cells::new();
    let place = random.push(0);
    // Without randomness all VMs are number 0, which is still a number.
    let _ = abi::call("random_get", &[random.address(place), 4]);
    vm::set_nonce(format!("{:08x}", random.number(place)));
}

fn parsed(who: &str, text: &[u8]) -> Script {
    Script::parse(text).unwrap_or_else(|error| {
        name_this_vm();
        report::line(&vm::nonce(), who, &format!("bad script: {error}"));
        Script::default()
    })
}

fn buffer(buffer: u64, size: u32) -> Vec<u8> {
    answer(|to| {
        let arguments = [buffer, 0, size.into(), to[0], to[1]];
        abi::call("proxy_get_buffer_bytes", &arguments)
    })
    .unwrap_or_default()
}

fn header(name: &str) -> Option<Vec<u8>> {
    answer(|to| {
        let (at, size) = (abi::address(name.as_bytes()), name.len() as u64);
        let arguments = [REQUEST_HEADERS, at, size, to[0], to[1]];
        abi::call("proxy_get_header_map_value", &arguments)
    })
}

fn answer(call: impl FnOnce([u64; 2]) -> Option<u32>) -> Option<Vec<u8>> {
    let mut cells = Cells::new();
    let (data, size) = (cells.push(0), cells.push(0));
    let status = call([cells.address(data), cells.address(size)])?;
    (status == 0).then(|| cells.take(data).unwrap_or_default())
}
