//! The wire form of header maps: a count, the lengths of all names and values, then the bytes, each
//! followed by a zero byte. All numbers are 32 bits, little endian.
use crate::header_map::HeaderMap;

const MAX_BYTES: usize = 1 << 20;
const MAX_PAIRS: usize = 1024;

/// Bytes that [`write()`] needs.
pub(super) fn size(map: &HeaderMap) -> usize {
    4 + map.len() * 10 + map.byte_size()
}

/// Writes `map` into `out`, which has [`size`] bytes; `None` if it has not.
pub(super) fn write(map: &HeaderMap, out: &mut [u8]) -> Option<()> {
    if out.len() != size(map) {
        return None;
    }
    let (count, rest) = out.split_at_mut_checked(4)?;
    count.copy_from_slice(&(map.len() as u32).to_le_bytes());
    let (mut lengths, mut bytes) = rest.split_at_mut_checked(map.len() * 8)?;
    for (name, value) in map.iter() {
        for part in [name, value] {
            let (length, later) = std::mem::take(&mut lengths).split_at_mut_checked(4)?;
            length.copy_from_slice(&(part.len() as u32).to_le_bytes());
            lengths = later;
            let (place, later) = std::mem::take(&mut bytes).split_at_mut_checked(part.len() + 1)?;
            let (end, text) = place.split_last_mut()?;
            text.copy_from_slice(part);
            *end = 0;
            bytes = later;
        }
    }
    Some(())
}

/// Reads what a guest wrote. As in Envoy, anything too large or inconsistent is an empty map, not an error.
pub(super) fn read(bytes: &[u8]) -> HeaderMap {
    parse(bytes).unwrap_or_default()
}

fn parse(bytes: &[u8]) -> Option<HeaderMap> {
    if bytes.len() > MAX_BYTES {
        return None;
    }
    let count = number(bytes, 0)?;
    if count > MAX_PAIRS {
        return None;
    }
    let mut map = HeaderMap::new();
    let mut at = 4 + count * 8;
    for pair in 0..count {
        let (name, value) = (number(bytes, 4 + pair * 8)?, number(bytes, 8 + pair * 8)?);
        let name = text(bytes, &mut at, name)?;
        let value = text(bytes, &mut at, value)?;
        map.append(name, value);
    }
    (at == bytes.len()).then_some(map)
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(at..at + 4)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?) as usize)
}

/// The bytes at `at`, which have to be followed by a zero byte.
fn text<'a>(bytes: &'a [u8], at: &mut usize, len: usize) -> Option<&'a [u8]> {
    let text = bytes.get(*at..at.checked_add(len)?)?;
    *at += len;
    if bytes.get(*at) != Some(&0) {
        return None;
    }
    *at += 1;
    Some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_reads_back(pairs in prop::collection::vec((prop::collection::vec(b'a'..=b'y', 0..9), any::<[u8; 5]>()), 0..20)) {
            let map: HeaderMap = pairs.into_iter().collect();
            let mut wire = vec![0xff; size(&map)];
            write(&map, &mut wire).unwrap();

            prop_assert_eq!(read(&wire), map);
        }

        #[test]
        fn any_bytes_read_without_a_panic(bytes in prop::collection::vec(0_u8..4, 0..80)) {
            read(&bytes);
        }
    }

    #[test]
    fn inconsistent_or_oversized_pairs_are_an_empty_map() {
        let map = HeaderMap::from([("a", "b")]);
        let mut wire = vec![0; size(&map)];
        write(&map, &mut wire).unwrap();

        assert!(read(&wire[..wire.len() - 1]).is_empty());
        assert!(read(&[1, 0, 0, 0, 255, 255, 255, 255, 1, 0, 0, 0]).is_empty());
        assert!(read(&vec![0; MAX_BYTES + 1]).is_empty());
        let many: HeaderMap = (0..=MAX_PAIRS).map(|_| ("a", "")).collect();
        let mut wire = vec![0; size(&many)];
        write(&many, &mut wire).unwrap();
        assert!(read(&wire).is_empty());
    }
}
