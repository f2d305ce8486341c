//! Makes the calls of one visit and logs each with what came of it.
use std::fmt::Write;
use std::rc::Rc;

use serde_json::Value;

use crate::abi::{self, Cells};
use crate::bytes;
use crate::calls::{self, Out, Parameter, Register};
use crate::report;
use crate::special;
use crate::vm;

/// One visit of a callback.
pub(crate) struct Interpreter {
    nonce: Rc<str>,
    who: Rc<str>,
    /// The context that the callback is about.
    context: u32,
    /// The one that hostcalls are about, to know whose callouts are made.
    effective: u32,
}

/// A call in the making: what goes to the host and what its log line says.
struct Prepared {
    line: String,
    words: Vec<Word>,
    /// Keeps arguments alive until the host has read them.
    memory: Vec<Vec<u8>>,
    cells: Cells,
    outs: Vec<(Out, usize)>,
}

/// A raw argument.
pub(crate) enum Word {
    /// As it is.
    Plain(u64),
    /// The address of a place in the cells, which move while they grow.
    Cell(usize),
}

impl Interpreter {
    /// For a callback about `context`, whose lines are `who`'s.
    pub(crate) fn new(who: Rc<str>, context: u32) -> Self {
        Self {
            nonce: vm::nonce(),
            who,
            context,
            effective: context,
        }
    }
    /// Logs a line.
    pub(crate) fn say(&self, text: &str) {
        report::line(&self.nonce, &self.who, text);
    }
    /// Makes calls in order.
    pub(crate) fn run(&mut self, calls: &[Value]) {
        for call in calls {
            let single = call.as_object().filter(|call| call.len() == 1);
            let single = single.and_then(|call| call.iter().next());
            let Some((name, arguments)) = single else {
                self.say("bad call: no map of one name");
                continue;
            };
            let arguments = arguments.as_array().map(Vec::as_slice);
            let made = arguments.and_then(|arguments| self.call(name, arguments));
            match made {
                Some(line) => self.say(&line),
                None => self.say(&format!("bad call {name}")),
            }
        }
    }
    /// Makes a call; its line, or `None` when the script makes no sense.
    fn call(&mut self, name: &str, arguments: &[Value]) -> Option<String> {
        let Some(parameters) = calls::parameters(name) else {
            return special::call(self, name, arguments);
        };
        let mut call = self.prepare(name, parameters, arguments)?;
        let words = resolved(&call.words, &mut call.cells);
        let status = abi::call(&format!("proxy_{name}"), &words)?;
        let mut line = call.line;
        // Writing to a string cannot fail.
        let _ = write!(line, " -> {status}");
        if status == 0 {
            for (out, place) in call.outs {
                line.push(' ');
                line += &self.taken(out, &mut call.cells, place);
            }
            if name == "set_effective_context" {
                self.effective = words.first().map_or(self.context, |word| *word as u32);
            }
        }
        Some(line)
    }
    fn prepare(
        &self,
        name: &str,
        parameters: &[Parameter],
        arguments: &[Value],
    ) -> Option<Prepared> {
        let mut call = Prepared {
            line: name.to_owned(),
            words: Vec::new(),
            memory: Vec::new(),
            cells: Cells::new(),
            outs: Vec::new(),
        };
        let mut arguments = arguments.iter();
        for parameter in parameters {
            match parameter {
                Parameter::Number => {
                    let (number, text) = self.number(arguments.next()?)?;
                    call.line += &format!(" {text}");
                    call.words.push(Word::Plain(number));
                }
                Parameter::Bytes => {
                    let bytes = bytes::bytes(arguments.next()?)?;
                    call.line += &format!(" {}", report::quoted(bytes.as_deref()));
                    call.pass(bytes);
                }
                Parameter::Pairs => {
                    let bytes = match arguments.next()? {
                        list if list.is_array() || list.get("count").is_some() => {
                            Some(bytes::serialized(&bytes::pairs(list)?))
                        }
                        other => bytes::bytes(other)?,
                    };
                    call.line += &format!(" {}", report::map(bytes.as_deref()));
                    call.pass(bytes);
                }
                Parameter::Out(out) => {
                    let place = call.cells.push(0);
                    call.words.push(Word::Cell(place));
                    if matches!(out, Out::Bytes | Out::Pairs) {
                        let size = call.cells.push(0);
                        call.words.push(Word::Cell(size));
                    }
                    call.outs.push((*out, place));
                }
            }
        }
        arguments.next().is_none().then_some(call)
    }
    /// A number or a reference to one, and how it is printed.
    pub(crate) fn number(&self, value: &Value) -> Option<(u64, String)> {
        let number = match value {
            Value::Number(number) => match number.as_u64() {
                Some(number) => number,
                None => {
                    let number = number.as_i64()?;
                    return Some((number as u64, number.to_string()));
                }
            },
            Value::String(reference) => match reference.as_str() {
                "$cas" => vm::register(Register::Cas),
                "$metric" => vm::register(Register::Metric),
                "$queue" => vm::register(Register::Queue),
                "$token" => vm::register(Register::Token),
                "$value" => vm::register(Register::Value),
                "$context" => self.context.into(),
                _ => return None,
            },
            _ => return None,
        };
        Some((number, number.to_string()))
    }
    /// An out value as it is printed, after it was kept.
    fn taken(&self, out: Out, cells: &mut Cells, place: usize) -> String {
        let keep = |register, value| {
            vm::set_register(register, value);
            if register == Register::Token {
                vm::called_out(value as u32, self.effective);
            }
        };
        match out {
            Out::Number(register) => {
                let number = cells.number(place);
                if let Some(register) = register {
                    keep(register, number.into());
                }
                number.to_string()
            }
            Out::Long(register) => {
                let number = cells.long(place);
                keep(register, number);
                number.to_string()
            }
            Out::Time => "time".into(),
            Out::Bytes => report::quoted(cells.take(place).as_deref()),
            Out::Pairs => report::map(cells.take(place).as_deref()),
        }
    }
}

impl Prepared {
    fn pass(&mut self, bytes: Option<Vec<u8>>) {
        let (at, size) = match &bytes {
            Some(bytes) => (abi::address(bytes), bytes.len() as u64),
            None => (0, 0),
        };
        self.words.extend([Word::Plain(at), Word::Plain(size)]);
        // Moving the vector does not move its bytes.
        self.memory.extend(bytes);
    }
}

/// Arguments with the addresses that cells have now.
pub(crate) fn resolved(words: &[Word], cells: &mut Cells) -> Vec<u64> {
    words
        .iter()
        .map(|word| match word {
            Word::Plain(word) => *word,
            Word::Cell(place) => cells.address(*place),
        })
        .collect()
}
