//! Memory that the host reads and writes: addresses of arguments, places for answers.

/// The address of bytes as the ABI passes it.
pub(crate) fn address(bytes: &[u8]) -> u64 {
    bytes.as_ptr().expose_provenance() as u64
}

/// Places for a call's out values, 8 bytes each.
pub(crate) struct Cells(Vec<u64>);

impl Cells {
    /// No places yet; all addresses are taken after the last [`Cells::push`].
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }
    /// Adds a place that holds `preset`; returns its number.
    pub(crate) fn push(&mut self, preset: u64) -> usize {
        self.0.push(preset);
        self.0.len() - 1
    }
    /// Where a place is.
    pub(crate) fn address(&mut self, place: usize) -> u64 {
        let base = self.0.as_mut_ptr().expose_provenance();
        (base + place * size_of::<u64>()) as u64
    }
    /// All 8 bytes of a place.
    pub(crate) fn long(&self, place: usize) -> u64 {
        self.0.get(place).copied().unwrap_or_default()
    }
    /// The first 4 bytes of a place, as pointers and most numbers have them.
    pub(crate) fn number(&self, place: usize) -> u32 {
        self.long(place) as u32
    }
    /// The bytes that the host put into memory it asked for: pointer in `place`, size in the next one.
    /// `None` is a null pointer. Takes them over; call it once, after a call that succeeded.
    pub(crate) fn take(&mut self, place: usize) -> Option<Vec<u8>> {
        let (at, size) = (self.number(place) as usize, self.number(place + 1) as usize);
        if let Some(pointer) = self.0.get_mut(place) {
            *pointer = 0;
        }
        if at == 0 {
            return None;
        }
        if size == 0 {
            return Some(Vec::new());
        }
        // SAFETY: the host got `at` from `proxy_on_memory_allocate(size)`, which leaks a boxed slice of
        // exactly `size` bytes with alignment 1, and hands it over once; the place is empty from now on.
        Some(unsafe { Vec::from_raw_parts(std::ptr::with_exposed_provenance_mut(at), size, size) })
    }
}
