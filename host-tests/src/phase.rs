//! Which imports a guest may call at the moment.
//!
//! In `_initialize`, `main` and `_start`, and while the host has the guest allocate memory for a
//! result, Envoy restricts them. A call that is not allowed traps with `restricted_callback`.

/// What the guest is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// A callback.
    Free,
    /// `_initialize`, `main` or `_start`.
    Starting,
    /// `malloc` or `proxy_on_memory_allocate`, inside a hostcall.
    Allocating,
}

/// Beside calls of the proxy, all that is refused during start-up.
const NOT_WHILE_STARTING: &[&str] = &[
    "fd_close",
    "fd_read",
    "fd_seek",
    "path_open",
    "proc_exit",
    "sched_yield",
    "pthread_equal",
];

impl Phase {
    /// Whether the import of this name may be called.
    pub(crate) fn allows(self, import: &str) -> bool {
        let always = matches!(import, "proxy_log" | "fd_write" | "clock_time_get");
        match self {
            Self::Free => true,
            Self::Starting => {
                always || !(import.starts_with("proxy_") || NOT_WHILE_STARTING.contains(&import))
            }
            Self::Allocating => always,
        }
    }
    /// The trap of a call that is not allowed.
    pub(crate) fn check(self, import: &str) -> wasmtime::Result<()> {
        if self.allows(import) {
            return Ok(());
        }
        Err(wasmtime::format_err!(
            "restricted_callback: {import} is not allowed {}",
            match self {
                Self::Allocating => "while the host has memory allocated",
                _ => "during start-up",
            }
        ))
    }
}
