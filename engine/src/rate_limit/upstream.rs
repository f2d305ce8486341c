//! What an upstream says of its own limits, read forgivingly and never made more generous.
//!
//! Each method gives the header to set, or `None` where the upstream's own stays: it is as strict already, or
//! it stands there in a form that cannot be read, and what cannot be compared must not be replaced.
use crate::{
    identity::{Found, find},
    time::Timestamp,
};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::{str::from_utf8, time::Duration};

type Header = Option<(&'static str, String)>;

/// The head of the upstream's response.
pub(super) struct Upstream<I>(I);

/// What stands under one name.
enum Said<'h> {
    Nothing,
    One(&'h str),
    /// Several values, or bytes that are no text.
    Unreadable,
}

impl<'h, I: Iterator<Item = (&'h [u8], &'h [u8])> + Clone> Upstream<I> {
    pub(super) const fn new(headers: I) -> Self {
        Self(headers)
    }

    fn said(&self, name: &str) -> Said<'h> {
        match find(self.0.clone(), name) {
            Found::Nothing => Said::Nothing,
            Found::One(value) => from_utf8(value).map_or(Said::Unreadable, Said::One),
            Found::Several => Said::Unreadable,
        }
    }

    /// The smaller of `count` and what the upstream says.
    pub(super) fn at_most(&self, name: &'static str, count: u32) -> Header {
        let smaller = match self.said(name) {
            Said::Nothing => true,
            Said::One(text) => number(text).is_some_and(|theirs| u64::from(count) < theirs),
            Said::Unreadable => false,
        };
        smaller.then(|| (name, count.to_string()))
    }

    /// The same for a list that begins with the count that holds; `policies` go behind those of the upstream.
    pub(super) fn at_most_with(&self, name: &'static str, count: u32, policies: &str) -> Header {
        match self.said(name) {
            Said::Nothing => Some((name, format!("{count}{policies}"))),
            Said::One(text) => {
                let (first, rest) = text.split_at(text.find(',').unwrap_or(text.len()));
                if rest.contains(|c: char| !(' '..='~').contains(&c)) {
                    return None;
                }
                let least = number(first)?.min(u64::from(count));
                let rest = rest.trim_end();
                Some((name, format!("{least}{rest}{policies}")))
            }
            Said::Unreadable => None,
        }
    }

    /// The later of `wait`, as `written`, and what the upstream says: `6m0s`, `1.5s`, `20ms`, or plain seconds.
    pub(super) fn not_before(
        &self,
        name: &'static str,
        wait: Duration,
        written: impl Fn(Duration) -> String,
    ) -> Header {
        let later = match self.said(name) {
            Said::Nothing => true,
            Said::One(text) => length(text).is_some_and(|theirs| wait > theirs),
            Said::Unreadable => false,
        };
        later.then(|| (name, written(wait)))
    }

    /// The later of `at`, as `written`, and the point in time that the upstream says.
    pub(super) fn not_before_time(
        &self,
        name: &'static str,
        written: String,
        at: Timestamp,
    ) -> Header {
        let later = match self.said(name) {
            Said::Nothing => true,
            Said::One(text) => {
                Timestamp::parse_rfc3339(text.trim()).is_some_and(|theirs| at > theirs)
            }
            Said::Unreadable => false,
        };
        later.then_some((name, written))
    }

    /// The upstream's list (RFC 8941), with those of `items` (name, item) behind it whose names it does not
    /// use itself: a name may stand once.
    pub(super) fn list_with<'a>(
        &self,
        name: &'static str,
        items: impl Iterator<Item = (&'a str, String)>,
    ) -> Header {
        let mut list = String::new();
        let lines = self.0.clone();
        for (_, line) in lines.filter(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes())) {
            if !list.is_empty() {
                list.push_str(", ");
            }
            list.push_str(from_utf8(line).ok()?.trim());
        }
        let taken = names(&list)?;
        let ours: Vec<String> = items
            .filter(|(name, _)| !taken.contains(name))
            .map(|(_, item)| item)
            .collect();
        if ours.is_empty() {
            return None;
        }
        if !list.is_empty() {
            list.push_str(", ");
        }
        list.push_str(&ours.join(", "));
        Some((name, list))
    }
}

/// A whole number, perhaps with parameters or a fraction, which does not count.
fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    let known = rest.is_empty() || rest.starts_with([';', '.', ' ']);
    known.then(|| digits.parse().ok()).flatten()
}

/// A length of time: numbers with the units of Go, or seconds without any.
fn length(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (nanos, tail) = decimal(rest)?;
        let end = tail
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(end)?;
        let part = match unit {
            "d" => nanos.checked_mul(86_400)?,
            "h" => nanos.checked_mul(3_600)?,
            "m" => nanos.checked_mul(60)?,
            "s" | "" => nanos,
            "ms" => nanos / 1_000,
            "us" | "µs" => nanos / 1_000_000,
            "ns" => nanos / 1_000_000_000,
            _ => return None,
        };
        total = total.checked_add(Duration::from_nanos(u64::try_from(part).ok()?))?;
        rest = tail;
    }
    Some(total)
}

/// A decimal number in billionths, which digits behind the ninth are below, and what follows it.
fn decimal(text: &str) -> Option<(u128, &str)> {
    const BILLION: u128 = 1_000_000_000;
    let digits_end = |text: &str| {
        text.find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len())
    };
    let (whole, mut rest) = text.split_at_checked(digits_end(text))?;
    let mut value = u128::from(whole.parse::<u64>().ok()?).checked_mul(BILLION)?;
    if let Some(tail) = rest.strip_prefix('.') {
        let (fraction, tail) = tail.split_at_checked(digits_end(tail))?;
        let mut unit = BILLION;
        for digit in fraction.chars().filter_map(|c| c.to_digit(10)) {
            unit /= 10;
            value = value.checked_add(unit.checked_mul(u128::from(digit))?)?;
        }
        rest = tail;
    }
    Some((value, rest))
}

/// The names of a list of strings and tokens with parameters; `None` for what is none: another draft's form,
/// behind which items would be read as something else.
fn names(list: &str) -> Option<Vec<&str>> {
    let mut names = Vec::new();
    if list.is_empty() {
        return Some(names);
    }
    if list.contains(|c: char| !(' '..='~').contains(&c) && c != '\t') {
        return None;
    }
    let mut rest = list;
    loop {
        rest = rest.trim_start_matches([' ', '\t']);
        let (name, tail) = name(rest)?;
        names.push(name);
        let (parameters, tail) = split_item(tail)?;
        let parameters = parameters.trim_end_matches([' ', '\t']);
        if !parameters.is_empty() && !parameters.starts_with(';') {
            return None;
        }
        match tail {
            Some(tail) => rest = tail,
            None => return Some(names),
        }
    }
}

/// A quoted string without its quotes, or a token, and what follows it.
fn name(item: &str) -> Option<(&str, &str)> {
    if let Some(quoted) = item.strip_prefix('"') {
        let mut escaped = false;
        let end = quoted.find(|c: char| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        })?;
        let (name, tail) = quoted.split_at_checked(end)?;
        return Some((name, tail.strip_prefix('"')?));
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~:/".contains(c);
    let end = item.find(|c: char| !plain(c)).unwrap_or(item.len());
    let begins = item.starts_with(|c: char| c.is_ascii_alphabetic() || c == '*');
    begins.then(|| item.split_at_checked(end)).flatten()
}

/// The parameters of an item, and what follows the comma behind it; `None` for quotes that do not end.
fn split_item(text: &str) -> Option<(&str, Option<&str>)> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            ',' if !quoted => return Some((text.get(..at)?, text.get(at.saturating_add(1)..))),
            '"' if !escaped => quoted = !quoted,
            _ => {}
        }
        escaped = quoted && c == '\\' && !escaped;
    }
    (!quoted).then_some((text, None))
}
