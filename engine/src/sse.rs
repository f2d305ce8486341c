//! Server-sent events, split anywhere.
