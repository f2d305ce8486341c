//! What a host knows of a request beyond its head: what other filters left, facts of the connection.
use alloc::vec::Vec;

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
