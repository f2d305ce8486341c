//! Calls of scripts that are no plain hostcalls: WASI, raw arguments, and ways to die.
use std::fmt::Write;

use serde_json::Value;

use crate::abi::{self, Cells};
use crate::bytes;
use crate::interpreter::{Interpreter, Word, resolved};
use crate::report;

/// What raw out values hold before the call.
const PRESET: u64 = 777;

/// Makes a special call; its line, or `None` when the script makes no sense. Lines of calls that do not
/// come back are logged before.
pub(crate) fn call(on: &Interpreter, name: &str, arguments: &[Value]) -> Option<String> {
    let number = |at: usize| arguments.get(at).and_then(Value::as_u64);
    match name {
        "trap" => {
            on.say("trap");
            trap()
        }
        "loop" => {
            on.say("loop");
            loop {
                std::hint::black_box(());
            }
        }
        "recurse" => {
            on.say("recurse");
            let depth = recurse(std::hint::black_box(1));
            Some(format!("recurse -> {depth}"))
        }
        "grow" => {
            let pages = usize::try_from(number(0)?).ok()?;
            let before = grow(pages);
            Some(match before == usize::MAX {
                true => format!("grow {pages} -> -1"),
                false => format!("grow {pages} -> {before}"),
            })
        }
        "allocate" => {
            let size = usize::try_from(number(0)?).ok()?;
            on.say(&format!("allocate {size}"));
            // It is never given back, so that several add up.
            std::hint::black_box(Vec::<u8>::with_capacity(size).leak().as_ptr());
            Some(format!("allocate {size} -> 0"))
        }
        "raw" => raw(on, arguments),
        "wasi" => wasi(on, arguments),
        _ => None,
    }
}

/// A hostcall with arguments as they are.
fn raw(on: &Interpreter, arguments: &[Value]) -> Option<String> {
    let (name, arguments) = arguments.split_first()?;
    let name = name.as_str()?;
    let mut line = format!("raw {name}");
    let (mut words, mut cells, mut memory) = (Vec::new(), Cells::new(), Vec::new());
    for argument in arguments {
        if argument.as_str() == Some("out") {
            words.push(Word::Cell(cells.push(PRESET)));
            line += " out";
        } else if let Some((number, text)) = on.number(argument) {
            words.push(Word::Plain(number));
            line += &format!(" {text}");
        } else {
            let bytes = bytes::bytes(argument)?.unwrap_or_default();
            words.push(Word::Plain(abi::address(&bytes)));
            words.push(Word::Plain(bytes.len() as u64));
            line += &format!(" {}", report::quoted(Some(&bytes)));
            memory.push(bytes);
        }
    }
    let status = abi::call(name, &resolved(&words, &mut cells))?;
    let _ = write!(line, " -> {status}");
    for word in &words {
        if let Word::Cell(place) = word {
            let _ = write!(line, " {}", cells.long(*place));
        }
    }
    Some(line)
}

/// A WASI function with arguments that people can write.
fn wasi(on: &Interpreter, arguments: &[Value]) -> Option<String> {
    let (name, arguments) = arguments.split_first()?;
    let name = name.as_str()?;
    let numbers: Option<Vec<(u64, String)>> = arguments
        .iter()
        .filter(|argument| !argument.is_string())
        .map(|argument| on.number(argument))
        .collect();
    let numbers = numbers?;
    let number = |at: usize| numbers.get(at).map(|(number, _)| *number);
    let text = arguments.iter().find_map(Value::as_str).unwrap_or_default();
    let mut line = format!("wasi {name}");
    for argument in arguments {
        match argument.as_str() {
            Some(text) => line += &format!(" {}", report::quoted(Some(text.as_bytes()))),
            None => line += &format!(" {}", on.number(argument)?.1),
        }
    }
    let mut cells = Cells::new();
    let (first, second) = (cells.push(0), cells.push(0));
    let (to, to_other) = (cells.address(first), cells.address(second));
    // A buffer of one vector: address and size.
    let vector = |memory: &[u8]| {
        let mut vector = Cells::new();
        vector.push(abi::address(memory) | (memory.len() as u64) << 32);
        vector
    };
    let (status, answer) = match name {
        "args_sizes_get" | "environ_sizes_get" => {
            let status = abi::call(name, &[to, to_other])?;
            (
                status,
                format!("{} {}", cells.number(first), cells.number(second)),
            )
        }
        "environ_get" => environ()?,
        "clock_time_get" => {
            let status = abi::call(name, &[number(0)?, 1, to])?;
            (status, "time".into())
        }
        "random_get" => {
            let bytes = vec![0_u8; usize::try_from(number(0)?).ok()?];
            let status = abi::call(name, &[abi::address(&bytes), bytes.len() as u64])?;
            (
                status,
                format!("{} bytes", std::hint::black_box(bytes).len()),
            )
        }
        "fd_write" | "fd_read" => {
            let memory = match name {
                "fd_write" => text.as_bytes().to_vec(),
                _ => vec![0; 16],
            };
            let mut vector = vector(&memory);
            let status = abi::call(name, &[number(0)?, vector.address(0), 1, to])?;
            std::hint::black_box(memory);
            (status, cells.number(first).to_string())
        }
        "fd_close" => (abi::call(name, &[number(0)?])?, String::new()),
        "fd_seek" => {
            let status = abi::call(name, &[number(0)?, number(1)?, number(2)?, to])?;
            (status, cells.long(first).to_string())
        }
        "fd_fdstat_get" => {
            let mut stat = Cells::new();
            (0..3).for_each(|_| {
                stat.push(0);
            });
            let status = abi::call(name, &[number(0)?, stat.address(0)])?;
            let words = [stat.long(0), stat.long(1), stat.long(2)];
            (status, words.map(|word| word.to_string()).join(" "))
        }
        "path_open" => {
            let (at, size) = (abi::address(text.as_bytes()), text.len() as u64);
            let status = abi::call(name, &[3, 0, at, size, 0, 0, 0, 0, to])?;
            (status, cells.number(first).to_string())
        }
        "poll_oneoff" => {
            let memory = vec![0_u8; 48]; // one subscription to a clock
            let events = vec![0_u8; 32];
            let places = [abi::address(&memory), abi::address(&events), 1, to];
            let status = abi::call(name, &places)?;
            std::hint::black_box((memory, events));
            (status, cells.number(first).to_string())
        }
        "sched_yield" => (abi::call(name, &[])?, String::new()),
        "proc_exit" => {
            let code = number(0)? as u32;
            on.say(&line);
            abi::exit(code);
            return Some(format!("{line} -> returned"));
        }
        _ => return None,
    };
    let _ = write!(line, " -> {status}");
    if status == 0 && !answer.is_empty() {
        let _ = write!(line, " {answer}");
    }
    Some(line)
}

/// The environment's variables, each in quotes.
fn environ() -> Option<(u32, String)> {
    let mut sizes = Cells::new();
    let (count, size) = (sizes.push(0), sizes.push(0));
    let status = abi::call(
        "environ_sizes_get",
        &[sizes.address(count), sizes.address(size)],
    )?;
    if status != 0 {
        return Some((status, String::new()));
    }
    let (count, size) = (sizes.number(count), sizes.number(size));
    let mut pointers = Cells::new();
    (0..=count).for_each(|_| {
        pointers.push(0); // twice the room that 4-byte pointers need
    });
    let text = vec![0_u8; size as usize];
    let status = abi::call("environ_get", &[pointers.address(0), abi::address(&text)])?;
    let text = std::hint::black_box(text);
    let variables = text.split(|byte| *byte == 0).filter(|one| !one.is_empty());
    let variables: Vec<String> = variables.map(|one| report::quoted(Some(one))).collect();
    Some((status, variables.join(" ")))
}

/// Calls itself until no stack is left; not a loop in disguise, as every level needs the next one's result.
fn recurse(depth: u64) -> u64 {
    if depth == 0 {
        return 0;
    }
    recurse(depth.wrapping_add(1)).rotate_left(1) ^ depth
}

#[cfg(target_arch = "wasm32")]
fn trap() -> ! {
    std::arch::wasm32::unreachable()
}

#[cfg(not(target_arch = "wasm32"))]
fn trap() -> ! {
    std::process::abort()
}

#[cfg(target_arch = "wasm32")]
fn grow(pages: usize) -> usize {
    std::arch::wasm32::memory_grow::<0>(pages)
}

#[cfg(not(target_arch = "wasm32"))]
fn grow(_pages: usize) -> usize {
    usize::MAX
}
