//! Every call into the host, `Result`-typed.
//!
//! The SDK's own wrappers panic on ordinary statuses (a header map that is not there *now*), and a
//! panic kills a VM shared by many streams. This is the only file with unsafe code.
#![expect(unsafe_code, reason = "the Proxy-Wasm ABI is raw pointers")]

use std::num::NonZeroU32;

/// The host refused a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// Proxy-Wasm status code.
    pub(crate) status: u32,
}

const OK: u32 = 0;
const NOT_FOUND: u32 = 1;
const BAD_ARGUMENT: u32 = 2;
const CAS_MISMATCH: u32 = 8;

/// Severity of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Level {
    /// Information.
    Info = 2,
    /// Something that an operator should look at.
    Warn = 3,
    /// Something that an operator must mend.
    Error = 4,
}

/// Which buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Buffer {
    /// Body of the request.
    RequestBody = 0,
    /// Body of the response.
    ResponseBody = 1,
    /// Configuration of the plugin.
    PluginConfiguration = 7,
}

/// Which headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum HeaderMap {
    /// Those of the request.
    Request = 0,
    /// Those of the response.
    Response = 2,
}

/// Kind of metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum MetricKind {
    /// Only grows.
    Counter = 0,
    /// Shows the last value.
    Gauge = 1,
    /// Takes values.
    Histogram = 2,
}

mod abi {
    #[cfg_attr(target_arch = "wasm32", link(wasm_import_module = "env"))]
    unsafe extern "C" {
        pub(super) fn proxy_log(level: u32, message: *const u8, size: usize) -> u32;
        pub(super) fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32;
        pub(super) fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
        pub(super) fn proxy_get_header_map_pairs(
            map: u32,
            data: *mut *mut u8,
            size: *mut usize,
        ) -> u32;
        pub(super) fn proxy_replace_header_map_value(
            map: u32,
            name: *const u8,
            name_size: usize,
            value: *const u8,
            value_size: usize,
        ) -> u32;
        pub(super) fn proxy_set_header_map_pairs(map: u32, data: *const u8, size: usize) -> u32;
        pub(super) fn proxy_remove_header_map_value(
            map: u32,
            name: *const u8,
            name_size: usize,
        ) -> u32;
        pub(super) fn proxy_get_header_map_value(
            map: u32,
            name: *const u8,
            name_size: usize,
            data: *mut *mut u8,
            size: *mut usize,
        ) -> u32;
        pub(super) fn proxy_get_buffer_bytes(
            buffer: u32,
            start: usize,
            length: usize,
            data: *mut *mut u8,
            size: *mut usize,
        ) -> u32;
        pub(super) fn proxy_set_buffer_bytes(
            buffer: u32,
            start: usize,
            length: usize,
            data: *const u8,
            size: usize,
        ) -> u32;
        pub(super) fn proxy_get_shared_data(
            key: *const u8,
            key_size: usize,
            data: *mut *mut u8,
            size: *mut usize,
            cas: *mut u32,
        ) -> u32;
        pub(super) fn proxy_set_shared_data(
            key: *const u8,
            key_size: usize,
            value: *const u8,
            value_size: usize,
            cas: u32,
        ) -> u32;
        pub(super) fn proxy_get_property(
            path: *const u8,
            path_size: usize,
            data: *mut *mut u8,
            size: *mut usize,
        ) -> u32;
        pub(super) fn proxy_set_property(
            path: *const u8,
            path_size: usize,
            value: *const u8,
            value_size: usize,
        ) -> u32;
        pub(super) fn proxy_continue_stream(stream: u32) -> u32;
        pub(super) fn proxy_set_effective_context(context: u32) -> u32;
        pub(super) fn proxy_send_local_response(
            status: u32,
            details: *const u8,
            details_size: usize,
            body: *const u8,
            body_size: usize,
            headers: *const u8,
            headers_size: usize,
            grpc_status: i32,
        ) -> u32;
        pub(super) fn proxy_define_metric(
            kind: u32,
            name: *const u8,
            name_size: usize,
            metric: *mut u32,
        ) -> u32;
        pub(super) fn proxy_increment_metric(metric: u32, offset: i64) -> u32;
        pub(super) fn proxy_record_metric(metric: u32, value: u64) -> u32;
    }

    #[cfg_attr(
        target_arch = "wasm32",
        link(wasm_import_module = "wasi_snapshot_preview1")
    )]
    unsafe extern "C" {
        pub(super) fn random_get(buffer: *mut u8, size: usize) -> u16;
    }
}

fn check(status: u32) -> Result<(), Refused> {
    if status == OK {
        Ok(())
    } else {
        Err(Refused { status })
    }
}

/// Takes ownership of bytes that the host placed in memory which it asked this VM to allocate.
fn take(data: *mut u8, size: usize) -> Vec<u8> {
    if data.is_null() || size == 0 {
        return Vec::new();
    }
    // SAFETY: the host got `data` from `proxy_on_memory_allocate(size)`, which leaks a boxed slice of
    // exactly `size` bytes with alignment 1, and hands it over once.
    unsafe { Vec::from_raw_parts(data, size, size) }
}

/// Writes a line to the host's log.
pub(crate) fn log(level: Level, message: &str) {
    // SAFETY: pointer and length are of a live string. A refused log line has nowhere to be reported.
    let _ = unsafe { abi::proxy_log(level as u32, message.as_ptr(), message.len()) };
}

/// Nanoseconds since the Unix epoch; 0 if the host has no clock.
pub(crate) fn now_unix_nanos() -> u64 {
    let mut time = 0;
    // SAFETY: `time` is a live, aligned u64.
    let _ = unsafe { abi::proxy_get_current_time_nanoseconds(&raw mut time) };
    time
}

/// Fills `bytes` with random bytes of the host.
pub(crate) fn random(bytes: &mut [u8]) -> Result<(), Refused> {
    // SAFETY: pointer and length are of a live, writable slice.
    check(u32::from(unsafe {
        abi::random_get(bytes.as_mut_ptr(), bytes.len())
    }))
}

/// Asks for a tick of the calling root context every `period_ms` milliseconds.
pub(crate) fn set_tick_period_ms(period_ms: u32) -> Result<(), Refused> {
    // SAFETY: no pointers.
    check(unsafe { abi::proxy_set_tick_period_milliseconds(period_ms) })
}

/// Headers as the ABI serializes them; `Pairs` reads them. Empty where they are not there now.
pub(crate) fn headers(map: HeaderMap) -> Result<Vec<u8>, Refused> {
    let (mut data, mut size) = (std::ptr::null_mut(), 0);
    // SAFETY: both out pointers are live and aligned.
    check(unsafe { abi::proxy_get_header_map_pairs(map as u32, &raw mut data, &raw mut size) })?;
    Ok(take(data, size))
}

/// Sets a header to one value, whatever was there; refused where the headers have gone on.
pub(crate) fn replace_header(map: HeaderMap, name: &str, value: &str) -> Result<(), Refused> {
    // SAFETY: pointers and lengths are of live strings.
    check(unsafe {
        abi::proxy_replace_header_map_value(
            map as u32,
            name.as_ptr(),
            name.len(),
            value.as_ptr(),
            value.len(),
        )
    })
}

/// Replaces all headers of a map. Refused without a call where they are more than the host takes at once: it would
/// take them for none.
pub(crate) fn replace_headers<'a>(
    map: HeaderMap,
    pairs: impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone,
) -> Result<(), Refused> {
    const MAX_PAIRS: usize = 1024;
    const MAX_BYTES: usize = 1 << 20;
    let count = pairs.clone().count();
    let bytes = serialize(pairs);
    if count > MAX_PAIRS || bytes.len() > MAX_BYTES {
        return Err(Refused {
            status: BAD_ARGUMENT,
        });
    }
    // SAFETY: pointer and length are of a live slice.
    check(unsafe { abi::proxy_set_header_map_pairs(map as u32, bytes.as_ptr(), bytes.len()) })
}

/// Removes a header, if it is there; refused where the headers have gone on.
pub(crate) fn remove_header(map: HeaderMap, name: &str) -> Result<(), Refused> {
    // SAFETY: pointer and length are of a live string.
    check(unsafe { abi::proxy_remove_header_map_value(map as u32, name.as_ptr(), name.len()) })
}

/// The status of the response, if there was one; readable in `on_log`.
pub(crate) fn response_status() -> Option<u16> {
    let (mut data, mut size) = (std::ptr::null_mut(), 0);
    let name = ":status";
    // SAFETY: the name is live, both out pointers are live and aligned.
    check(unsafe {
        abi::proxy_get_header_map_value(
            HeaderMap::Response as u32,
            name.as_ptr(),
            name.len(),
            &raw mut data,
            &raw mut size,
        )
    })
    .ok()?;
    std::str::from_utf8(&take(data, size)).ok()?.parse().ok()
}

/// The first `length` bytes of a buffer, or fewer if it is shorter.
pub(crate) fn buffer(buffer: Buffer, length: usize) -> Result<Vec<u8>, Refused> {
    let (mut data, mut size) = (std::ptr::null_mut(), 0);
    // SAFETY: both out pointers are live and aligned.
    check(unsafe {
        abi::proxy_get_buffer_bytes(buffer as u32, 0, length, &raw mut data, &raw mut size)
    })?;
    Ok(take(data, size))
}

/// Replaces the first `length` bytes of a buffer.
pub(crate) fn replace_buffer(buffer: Buffer, length: usize, bytes: &[u8]) -> Result<(), Refused> {
    // SAFETY: pointer and length are of a live slice.
    check(unsafe {
        abi::proxy_set_buffer_bytes(buffer as u32, 0, length, bytes.as_ptr(), bytes.len())
    })
}

/// A shared value and its version; `None` when the key was never written.
pub(crate) fn shared_data(key: &[u8]) -> Result<Option<(Vec<u8>, u32)>, Refused> {
    let (mut data, mut size, mut cas) = (std::ptr::null_mut(), 0, 0);
    // SAFETY: the key is live, the out pointers are live and aligned.
    let status = unsafe {
        abi::proxy_get_shared_data(
            key.as_ptr(),
            key.len(),
            &raw mut data,
            &raw mut size,
            &raw mut cas,
        )
    };
    if status == NOT_FOUND {
        return Ok(None);
    }
    check(status)?;
    Ok(Some((take(data, size), cas)))
}

/// Writes a shared value if its version is still `cas`; false when it is not.
pub(crate) fn set_shared_data(key: &[u8], value: &[u8], cas: NonZeroU32) -> Result<bool, Refused> {
    // SAFETY: pointers and lengths are of live slices.
    let status = unsafe {
        abi::proxy_set_shared_data(
            key.as_ptr(),
            key.len(),
            value.as_ptr(),
            value.len(),
            cas.get(),
        )
    };
    if status == CAS_MISMATCH {
        return Ok(false);
    }
    check(status).map(|()| true)
}

/// The bytes of an attribute of the current stream, its path's segments separated by zero bytes; `None` where there is
/// none now.
pub(crate) fn property(path: &str) -> Result<Option<Vec<u8>>, Refused> {
    let (mut data, mut size) = (std::ptr::null_mut(), 0);
    // SAFETY: the path is live, both out pointers are live and aligned.
    let status =
        unsafe { abi::proxy_get_property(path.as_ptr(), path.len(), &raw mut data, &raw mut size) };
    if status == NOT_FOUND {
        return Ok(None);
    }
    check(status)?;
    Ok(Some(take(data, size)))
}

/// Sets the filter state `wasm.NAME` of the current stream.
pub(crate) fn set_filter_state(name: &str, value: &str) -> Result<(), Refused> {
    // SAFETY: pointers and lengths are of live strings.
    check(unsafe {
        abi::proxy_set_property(name.as_ptr(), name.len(), value.as_ptr(), value.len())
    })
}

/// Lets a paused request of the effective context go on, once this callback has returned.
pub(crate) fn continue_request() -> Result<(), Refused> {
    // SAFETY: no pointers.
    check(unsafe { abi::proxy_continue_stream(0) })
}

/// Makes the following calls of this callback speak of stream `context`.
pub(crate) fn set_effective_context(context: u32) -> Result<(), Refused> {
    // SAFETY: no pointers.
    check(unsafe { abi::proxy_set_effective_context(context) })
}

/// Answers the current stream, once this callback has returned.
pub(crate) fn send_local_response(
    status: u16,
    headers: &[(&str, String)],
    body: &str,
    details: &str,
) -> Result<(), Refused> {
    let headers = serialize(as_bytes(headers));
    // SAFETY: pointers and lengths are of live slices.
    check(unsafe {
        abi::proxy_send_local_response(
            u32::from(status),
            details.as_ptr(),
            details.len(),
            body.as_ptr(),
            body.len(),
            headers.as_ptr(),
            headers.len(),
            -1, // no gRPC status
        )
    })
}

/// Defines a metric; the same name gives the same metric of the process, under a new id.
pub(crate) fn define_metric(kind: MetricKind, name: &str) -> Result<u32, Refused> {
    let mut metric = 0;
    // SAFETY: the name is live, the out pointer is live and aligned.
    check(unsafe {
        abi::proxy_define_metric(kind as u32, name.as_ptr(), name.len(), &raw mut metric)
    })?;
    Ok(metric)
}

/// Adds to a counter.
pub(crate) fn increment_metric(metric: u32, by: u64) -> Result<(), Refused> {
    let by = i64::try_from(by).unwrap_or(i64::MAX);
    // SAFETY: no pointers.
    check(unsafe { abi::proxy_increment_metric(metric, by) })
}

/// Gives a value to a histogram.
pub(crate) fn record_metric(metric: u32, value: u64) -> Result<(), Refused> {
    // SAFETY: no pointers.
    check(unsafe { abi::proxy_record_metric(metric, value) })
}

/// Header pairs as the ABI wants them: count, sizes, then each name and value with a zero byte behind.
fn serialize<'a>(pairs: impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone) -> Vec<u8> {
    let mut bytes = Vec::new();
    let size = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
    bytes.extend_from_slice(&size(pairs.clone().count()));
    for (name, value) in pairs.clone() {
        bytes.extend_from_slice(&size(name.len()));
        bytes.extend_from_slice(&size(value.len()));
    }
    for text in pairs.flat_map(|(name, value)| [name, value]) {
        bytes.extend_from_slice(text);
        bytes.push(0);
    }
    bytes
}

/// Texts as header pairs.
fn as_bytes<'a>(
    headers: &'a [(&str, String)],
) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone {
    let headers = headers.iter();
    headers.map(|(name, value)| (name.as_bytes(), value.as_bytes()))
}

/// Reads the header pairs that the host serialized; stops at the first inconsistency.
#[derive(Clone, Debug)]
pub(crate) struct Pairs<'a> {
    sizes: &'a [u8],
    data: &'a [u8],
}

impl<'a> Pairs<'a> {
    /// An iterator over the pairs in `bytes`; empty when they are inconsistent.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self::split(bytes).unwrap_or(Self {
            sizes: &[],
            data: &[],
        })
    }

    fn split(bytes: &'a [u8]) -> Option<Self> {
        let (count, rest) = bytes.split_first_chunk::<4>()?;
        let sizes = usize::try_from(u32::from_le_bytes(*count))
            .ok()?
            .checked_mul(8)?;
        let (sizes, data) = rest.split_at_checked(sizes)?;
        Some(Self { sizes, data })
    }

    fn piece(&mut self) -> Option<&'a [u8]> {
        let (size, sizes) = self.sizes.split_first_chunk::<4>()?;
        let size = usize::try_from(u32::from_le_bytes(*size)).ok()?;
        let (piece, rest) = self.data.split_at_checked(size)?;
        let (_zero, data) = rest.split_first()?;
        (self.sizes, self.data) = (sizes, data);
        Some(piece)
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        Some((self.piece()?, self.piece()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_read_what_serialize_writes() {
        let pairs = [
            ("a", String::new()),
            ("content-type", "text/plain".to_string()),
        ];

        let bytes = serialize(as_bytes(&pairs));

        let read: Vec<_> = Pairs::new(&bytes).collect();
        assert_eq!(
            read,
            [(&b"a"[..], &b""[..]), (b"content-type", b"text/plain")]
        );
    }

    #[test]
    fn inconsistent_pairs_end_early_instead_of_reading_beyond() {
        let bytes = serialize(as_bytes(&[("name", "value".to_string())]));

        for length in 0..bytes.len() {
            assert_eq!(Pairs::new(&bytes[..length]).count(), 0, "cut at {length}");
        }
        assert_eq!(Pairs::new(&[0xff; 64]).count(), 0);
    }
}
