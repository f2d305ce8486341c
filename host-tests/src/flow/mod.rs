//! How a stream moves past the filter: Envoy's filter manager with our filter and the router behind it.
//!
//! Callbacks are made by [`deliver`], their answers read by [`verdict`], what the guest asked for during
//! a call is done after it by [`deferred`], callouts are answered by [`answers`], and [`lifecycle`] opens and closes streams.
mod answers;
mod deferred;
mod deliver;
pub(crate) mod lifecycle;
mod pass;
mod verdict;

/// One of the two ways through a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Request,
    Response,
}
