//! What a host knows of a request beyond its head: what other filters left, facts of the connection.
use alloc::{string::String, vec::Vec};
use core::cell::RefCell;

/// Attributes of the request that is being read. Each question may cost a call into the host.
pub trait Properties {
    /// The bytes of the attribute at `path`, whose segments are separated by zero bytes; `None` where there is none.
    fn property(&self, path: &str) -> Option<Vec<u8>>;
}

/// Of a request of which nothing but its head is known, such as a recorded one.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProperties;

impl Properties for NoProperties {
    fn property(&self, _path: &str) -> Option<Vec<u8>> {
        None
    }
}

/// Asks the host once for each path, also for one at which there is nothing: two policies may name the same.
pub(crate) struct Remembered<'p> {
    properties: &'p dyn Properties,
    answers: RefCell<Vec<(String, Option<Vec<u8>>)>>,
}

impl<'p> Remembered<'p> {
    pub(crate) fn new(properties: &'p dyn Properties) -> Self {
        Self {
            properties,
            answers: RefCell::default(),
        }
    }
}

impl Properties for Remembered<'_> {
    fn property(&self, path: &str) -> Option<Vec<u8>> {
        let known = self.answers.try_borrow().ok().and_then(|answers| {
            let mut answers = answers.iter();
            answers.find(|(known, _)| known == path).cloned()
        });
        if let Some((_, answer)) = known {
            return answer;
        }
        let answer = self.properties.property(path);
        if let Ok(mut answers) = self.answers.try_borrow_mut() {
            answers.push((String::from(path), answer.clone()));
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::cell::Cell;

    struct Counting(Cell<u32>);

    impl Properties for Counting {
        fn property(&self, path: &str) -> Option<Vec<u8>> {
            self.0.set(self.0.get() + 1);
            (path == "a").then(|| b"1".to_vec())
        }
    }

    #[test]
    fn two_policies_ask_the_host_once_for_each_path() {
        let host = Counting(Cell::new(0));
        let remembered = Remembered::new(&host);

        for _ in 0..2 {
            assert_eq!(remembered.property("a"), Some(b"1".to_vec()));
            assert_eq!(remembered.property("b"), None);
        }
        assert_eq!(host.0.get(), 2);
    }
}
