//! Header maps: ordered pairs of bytes in one flat buffer, with Envoy's rules.
//!
//! Names are kept in lower case and `host` is `:authority`. Nothing is validated, as in Envoy.
//! Space of removed pairs is given back only by `clear`: a map lives as long as its stream.
use std::fmt;
use std::ops::Range;

use crate::inline_headers::Kind;

/// Headers or trailers in order; a name may occur several times.
#[derive(Clone, Default)]
pub struct HeaderMap {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

#[derive(Clone, Copy)]
struct Entry {
    start: usize,
    name_len: usize,
    value_len: usize,
}

impl Entry {
    fn name(self) -> Range<usize> {
        self.start..self.start + self.name_len
    }
    fn value(self) -> Range<usize> {
        let start = self.start + self.name_len;
        start..start + self.value_len
    }
}

impl HeaderMap {
    /// An empty map.
    pub const fn new() -> Self {
        Self {
            bytes: Vec::new(),
            entries: Vec::new(),
        }
    }
    /// Number of pairs.
    pub fn len(&self) -> usize {
        self.entries.len()
    }
    /// Whether there is no pair.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
    /// Sum of the lengths of all names and values, in bytes.
    pub fn byte_size(&self) -> usize {
        self.entries
            .iter()
            .map(|entry| entry.name_len + entry.value_len)
            .sum()
    }
    /// Removes every pair and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
    }
    /// The first value under `name`, whose case does not matter. O(pairs).
    pub fn get(&self, name: impl AsRef<[u8]>) -> Option<&[u8]> {
        self.find(name.as_ref())
            .and_then(|range| self.bytes.get(range))
    }
    /// Adds a pair at the end, a pseudo header behind the last of its kind, whatever is there already.
    pub fn append(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        let (name, value) = (canonical(name.as_ref()), value.as_ref());
        let start = self.bytes.len();
        self.bytes.extend(name.iter().map(u8::to_ascii_lowercase));
        self.bytes.extend_from_slice(value);
        let entry = Entry {
            start,
            name_len: name.len(),
            value_len: value.len(),
        };
        match name.first() {
            Some(b':') => self.entries.insert(self.pseudo_headers(), entry),
            _ => self.entries.push(entry),
        }
    }
    /// Makes `value` the only one under `name`, placed as [`HeaderMap::append`] places it.
    pub fn set(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        self.remove(&name);
        self.append(name, value);
    }
    /// [`HeaderMap::set`] that leaves a pair in its place, as Envoy itself changes headers that it keeps once.
    pub(crate) fn set_in_place(&mut self, name: &str, value: impl AsRef<[u8]>) {
        let place = self.position(name.as_bytes());
        self.set(name, value);
        if let Some(place) = place
            && !name.starts_with(':')
            && let Some(entry) = self.entries.pop()
        {
            self.entries.insert(place.min(self.entries.len()), entry);
        }
    }
    /// Adds a value as Envoy does: to the one that is there where its kind of map keeps the header once.
    pub(crate) fn add(&mut self, kind: Kind, name: &[u8], value: &[u8]) {
        match self.get(name).filter(|_| kind.keeps_once(name)) {
            None => self.append(name, value),
            Some(first) => {
                let joined = [first, b",", value].concat();
                let place = self.position(name);
                self.set(name, joined);
                if let Some(place) = place
                    && let Some(at) = self.position(name)
                {
                    let entry = self.entries.remove(at);
                    self.entries.insert(place.min(self.entries.len()), entry);
                }
            }
        }
    }
    fn pseudo_headers(&self) -> usize {
        let bytes = &self.bytes;
        let is_pseudo =
            |entry: &&Entry| bytes.get(entry.start) == Some(&b':') && entry.name_len > 0;
        self.entries.iter().take_while(is_pseudo).count()
    }
    /// Removes every pair under `name`.
    pub fn remove(&mut self, name: impl AsRef<[u8]>) {
        let name = canonical(name.as_ref());
        let bytes = &self.bytes;
        self.entries.retain(|entry| {
            !bytes
                .get(entry.name())
                .is_some_and(|own| own.eq_ignore_ascii_case(name))
        });
    }
    /// The pairs in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], &[u8])> + '_ {
        self.entries.iter().map(|entry| {
            (
                self.bytes.get(entry.name()).unwrap_or_default(),
                self.bytes.get(entry.value()).unwrap_or_default(),
            )
        })
    }
    fn position(&self, name: &[u8]) -> Option<usize> {
        let name = canonical(name);
        self.entries.iter().position(|entry| {
            entry.name_len == name.len()
                && self
                    .bytes
                    .get(entry.name())
                    .is_some_and(|own| own.eq_ignore_ascii_case(name))
        })
    }
    /// Where the first value under `name` lies; [`HeaderMap::slice`] reads it.
    pub(crate) fn find(&self, name: &[u8]) -> Option<Range<usize>> {
        self.position(name)
            .and_then(|at| self.entries.get(at))
            .map(|entry| entry.value())
    }
    pub(crate) fn slice(&self, range: Range<usize>) -> Option<&[u8]> {
        self.bytes.get(range)
    }
}

/// Envoy knows `host` only as `:authority`.
fn canonical(name: &[u8]) -> &[u8] {
    if name.eq_ignore_ascii_case(b"host") {
        b":authority"
    } else {
        name
    }
}

impl PartialEq for HeaderMap {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}
impl Eq for HeaderMap {}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> Extend<(N, V)> for HeaderMap {
    fn extend<T: IntoIterator<Item = (N, V)>>(&mut self, pairs: T) {
        for (name, value) in pairs {
            self.append(name, value);
        }
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> FromIterator<(N, V)> for HeaderMap {
    fn from_iter<T: IntoIterator<Item = (N, V)>>(pairs: T) -> Self {
        let mut map = Self::new();
        map.extend(pairs);
        map
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>, const PAIRS: usize> From<[(N, V); PAIRS]> for HeaderMap {
    fn from(pairs: [(N, V); PAIRS]) -> Self {
        pairs.into_iter().collect()
    }
}

impl fmt::Debug for HeaderMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.iter().map(|(name, value)| {
                (
                    String::from_utf8_lossy(name),
                    String::from_utf8_lossy(value),
                )
            }))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_leaves_one_value_and_puts_it_last_of_its_kind() {
        let mut map = HeaderMap::from([
            (":path", "/a"),
            ("x", "1"),
            ("X", "2"),
            ("y", "3"),
            (":method", "GET"),
        ]);

        map.set("X", "9");
        map.set(":path", "/b");

        assert_eq!(
            map,
            HeaderMap::from([(":method", "GET"), (":path", "/b"), ("y", "3"), ("x", "9")])
        );
    }

    #[test]
    fn a_header_that_is_kept_once_is_joined_in_its_place() {
        let mut map = HeaderMap::from([("accept", "a"), ("x", "1")]);

        map.add(Kind::Request, b"Accept", b"b");
        map.add(Kind::Request, b"x", b"2");
        map.add(Kind::Response, b"accept", b"c");

        assert_eq!(
            map,
            HeaderMap::from([("accept", "a,b"), ("x", "1"), ("x", "2"), ("accept", "c")])
        );
    }

    #[test]
    fn envoy_changes_its_own_headers_in_place() {
        let mut map = HeaderMap::from([("a", "1"), ("content-length", "9"), ("b", "2")]);

        map.set_in_place("content-length", "4");

        assert_eq!(
            map,
            HeaderMap::from([("a", "1"), ("content-length", "4"), ("b", "2")])
        );
    }

    #[test]
    fn host_is_the_authority() {
        let map = HeaderMap::from([("Host", "a.example")]);

        assert_eq!(map.get("host"), Some(&b"a.example"[..]));
        assert_eq!(map.get(":Authority"), Some(&b"a.example"[..]));
        assert_eq!(map.byte_size(), ":authority".len() + "a.example".len());
    }

    #[test]
    fn get_returns_the_first_of_several_values() {
        let map = HeaderMap::from([("a", "1"), ("b", ""), ("A", "2")]);

        assert_eq!(map.get("A"), Some(&b"1"[..]));
        assert_eq!(map.get("b"), Some(&b""[..]));
        assert_eq!(map.get("c"), None);
    }
}
