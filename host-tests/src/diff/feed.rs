//! One recording for two replays: read once, so that it may come from a pipe, and never held.
//!
//! Whoever reads faster waits for the other, a few chunks ahead: that is also what bounds the
//! decisions that wait for their counterpart.
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Bytes read at a time.
const CHUNK: usize = 256 << 10;
/// Chunks that one reader may be ahead of the other.
const AHEAD: usize = 8;

type Chunk = Result<Arc<[u8]>, io::ErrorKind>;

/// Hands everything it reads to two readers.
pub struct Feed {
    targets: [SyncSender<Chunk>; 2],
}

/// One of them.
pub struct FeedReader {
    chunks: Receiver<Chunk>,
    chunk: Arc<[u8]>,
    /// Bytes of the chunk that were given away.
    used: usize,
}

impl Feed {
    /// A feed and its two readers, which must be read at the same time, on threads of their own.
    pub fn new() -> (Self, [FeedReader; 2]) {
        let [(left, left_chunks), (right, right_chunks)] =
            [sync_channel(AHEAD), sync_channel(AHEAD)];
        let reader = |chunks| FeedReader {
            chunks,
            chunk: Arc::new([]),
            used: 0,
        };
        let feed = Self {
            targets: [left, right],
        };
        (feed, [reader(left_chunks), reader(right_chunks)])
    }
    /// Reads `input` to its end, or until one of the readers is gone: the other then comes to an end as well.
    /// `progress` is told of bytes. What fails is told to both readers.
    pub fn pump(self, mut input: impl Read, progress: impl Fn(u64)) {
        let mut buffer = vec![0; CHUNK];
        loop {
            let chunk: Chunk = match input.read(&mut buffer) {
                Ok(0) => return,
                Ok(read) => Ok(buffer.get(..read).unwrap_or_default().into()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => Err(error.kind()),
            };
            let read = chunk.as_ref().map_or(0, |chunk| chunk.len());
            let is_end = chunk.is_err();
            for target in &self.targets {
                if target.send(chunk.clone()).is_err() {
                    return;
                }
            }
            if is_end {
                return;
            }
            progress(read as u64);
        }
    }
}

impl Read for FeedReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.used >= self.chunk.len() {
            match self.chunks.recv() {
                Ok(chunk) => (self.chunk, self.used) = (chunk?, 0),
                Err(_) => return Ok(0),
            }
        }
        let mut rest = self.chunk.get(self.used..).unwrap_or_default();
        let read = rest.read(out)?;
        self.used += read;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn both_readers_see_everything_however_long_it_is() {
        let input: Vec<u8> = (0..20_u32 * CHUNK as u32 / 4)
            .flat_map(u32::to_le_bytes)
            .collect();
        let (feed, readers) = Feed::new();

        let seen = thread::scope(|scope| {
            let threads = readers.map(|mut reader| {
                scope.spawn(move || {
                    let mut seen = Vec::new();
                    reader.read_to_end(&mut seen).map(|_| seen)
                })
            });
            feed.pump(&*input, |_| ());
            threads.map(|thread| thread.join().unwrap().unwrap())
        });

        assert!(seen[0] == input && seen[1] == input);
    }

    #[test]
    fn a_reader_that_gives_up_ends_the_feed_for_the_other() {
        let (feed, [left, mut right]) = Feed::new();
        drop(left);

        let read = thread::scope(|scope| {
            let other = scope.spawn(move || right.read(&mut [0; 10]));
            feed.pump(io::repeat(b'x'), |_| ());
            other.join().unwrap()
        });

        assert_eq!(read.unwrap(), 0);
    }

    #[test]
    fn what_fails_fails_for_both() {
        struct Fails;
        impl Read for Fails {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::ConnectionReset.into())
            }
        }
        let (feed, readers) = Feed::new();

        feed.pump(Fails, |_| ());

        for mut reader in readers {
            let error = reader.read(&mut [0; 10]).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        }
    }
}
