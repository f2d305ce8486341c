//! Calls as lines that read like strace's: one for each hostcall, callbacks as frames around them.
use std::collections::BTreeMap;
use std::fmt::{self, Write};

use super::{Argument, CallEvent, CallOutcome, Moment, VmName};
use crate::status::Status;

/// Bytes of one value that are printed; the rest is only counted.
const SHOWN_BYTES: usize = 96;
/// Pairs of one map that are printed.
const SHOWN_PAIRS: usize = 32;

/// Turns events into lines. VMs may mix: each keeps frames of its own.
#[derive(Default)]
pub struct CallPrinter {
    open: BTreeMap<VmName, Vec<OpenFrame>>,
}

struct OpenFrame {
    text: String,
    /// Whether the frame's first line was printed, since something happens inside.
    printed: bool,
}

impl CallPrinter {
    /// Appends the lines that `event` completes to `out`, each with its line end. A callback without
    /// hostcalls takes one line, one with hostcalls an opening and a closing one.
    pub fn print(&mut self, event: &CallEvent<'_>, out: &mut String) {
        let frames = self.open.entry(event.vm).or_default();
        match event.moment {
            Moment::Begins { arguments } => {
                Self::open_all(frames, event, out);
                let mut text = format!("{}(", event.call);
                callback_arguments(&mut text, event.call, arguments);
                text.push(')');
                frames.push(OpenFrame {
                    text,
                    printed: false,
                });
            }
            Moment::Ends {
                answer, trapped, ..
            } => {
                let Some(frame) = frames.pop() else { return };
                begin(event, frames.len(), out);
                out.push_str(&frame.text);
                if trapped {
                    out.push_str(" = trap");
                } else if let Some(answer) = answer {
                    let _ = write!(out, " = {}", Decision(event.call, answer)); // a String takes everything
                }
                out.push('\n');
            }
            Moment::Hostcall { arguments, outcome } => {
                Self::open_all(frames, event, out);
                begin(event, frames.len(), out);
                out.push_str(event.call);
                out.push('(');
                list(out, arguments);
                out.push(')');
                outcome_to(out, outcome);
                out.push('\n');
            }
        }
    }
    fn open_all(frames: &mut [OpenFrame], event: &CallEvent<'_>, out: &mut String) {
        for (depth, frame) in frames.iter_mut().enumerate() {
            if !frame.printed {
                frame.printed = true;
                begin(event, depth, out);
                out.push_str(&frame.text);
                out.push_str(" {\n");
                frame.text = "}".to_owned();
            }
        }
    }
}

fn begin(event: &CallEvent<'_>, depth: usize, out: &mut String) {
    let _ = write!(out, "[{} ctx {}] ", event.vm, event.context); // a String takes everything
    for _ in 0..depth {
        out.push_str("  ");
    }
}

/// The last argument of headers and body callbacks is a flag.
fn callback_arguments(out: &mut String, call: &str, arguments: &[u32]) {
    let flagged = call.ends_with("_headers") || call.ends_with("_body");
    for (at, argument) in arguments.iter().enumerate() {
        if at != 0 {
            out.push_str(", ");
        }
        let _ = match argument {
            0 if flagged && at == 2 => out.write_str("more"),
            1 if flagged && at == 2 => out.write_str("end"),
            number => write!(out, "{number}"),
        }; // a String takes everything
    }
}

/// A callback's answer in the words of the ABI.
struct Decision<'a>(&'a str, u32);

impl fmt::Display for Decision<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(call, answer) = *self;
        let names: &[&str] = match call {
            "proxy_on_vm_start" | "proxy_on_configure" | "proxy_on_done" => &["false", "true"],
            "proxy_on_request_headers" | "proxy_on_response_headers" => &[
                "Continue",
                "StopIteration",
                "ContinueAndEndStream",
                "StopAllIterationAndBuffer",
                "StopAllIterationAndWatermark",
            ],
            "proxy_on_request_body" | "proxy_on_response_body" => &[
                "Continue",
                "StopIterationAndBuffer",
                "StopIterationAndWatermark",
                "StopIterationNoBuffer",
            ],
            "proxy_on_request_trailers" | "proxy_on_response_trailers" => {
                &["Continue", "StopIteration"]
            }
            _ => &[],
        };
        match names.get(answer as usize) {
            Some(name) => f.write_str(name),
            None => write!(f, "{answer}"),
        }
    }
}

fn outcome_to(out: &mut String, outcome: &CallOutcome) {
    let _ = match outcome {
        CallOutcome::Status(status, values) => {
            out.push_str(" = ");
            out.push_str(status.abi_name());
            if *status == Status::Ok && !values.is_empty() {
                out.push(' ');
                list(out, values);
            }
            Ok(())
        }
        CallOutcome::Number(number) => write!(out, " = {number}"),
        CallOutcome::Nothing => Ok(()),
        CallOutcome::Trap(reason) => write!(out, " = trap: {reason}"),
    }; // a String takes everything
}

fn list(out: &mut String, values: &[Argument]) {
    for (at, value) in values.iter().enumerate() {
        if at != 0 {
            out.push_str(", ");
        }
        argument(out, value);
    }
}

fn argument(out: &mut String, value: &Argument) {
    let _ = match value {
        Argument::Number(number) => write!(out, "{number}"),
        Argument::Constant(name) => out.write_str(name),
        Argument::Unreadable { at, len } => write!(out, "{len} bytes at {at:#x}, out of bounds"),
        Argument::Bytes(bytes) => {
            quoted(out, bytes);
            Ok(())
        }
        Argument::Pairs(pairs) => {
            out.push('[');
            for (at, (name, value)) in pairs.iter().take(SHOWN_PAIRS).enumerate() {
                if at != 0 {
                    out.push_str(", ");
                }
                quoted(out, name);
                out.push_str(": ");
                quoted(out, value);
            }
            match pairs.len().checked_sub(SHOWN_PAIRS) {
                None | Some(0) => out.write_str("]"),
                Some(more) => write!(out, ", {more} more]"),
            }
        }
    }; // a String takes everything
}

/// Printable ASCII as it is, everything else as `\xNN`; clipped, with the whole length after it.
fn quoted(out: &mut String, bytes: &[u8]) {
    out.push('"');
    for byte in bytes.iter().take(SHOWN_BYTES) {
        match byte {
            b'"' | b'\\' => {
                out.push('\\');
                out.push(char::from(*byte));
            }
            b' '..=b'~' => out.push(char::from(*byte)),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            other => {
                let _ = write!(out, "\\x{other:02x}"); // a String takes everything
            }
        }
    }
    out.push('"');
    if bytes.len() > SHOWN_BYTES {
        let _ = write!(out, "... ({} bytes)", bytes.len()); // a String takes everything
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_escaped_and_clipped() {
        let mut out = String::new();

        quoted(&mut out, b"a\"\\\n\x00\xff");
        quoted(&mut out, &[b'x'; 97]);

        let clipped = "x".repeat(96);
        assert_eq!(
            out,
            format!("\"a\\\"\\\\\\n\\x00\\xff\"\"{clipped}\"... (97 bytes)")
        );
    }
}
