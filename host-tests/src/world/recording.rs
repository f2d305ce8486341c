//! A world as a trace: every turn as a line, from the first day to the last.
use super::{Corpora, Renderer, Sampling, World, WorldScenario};
use std::io::{self, Read};

/// Unrolls a world line by line. Nobody is refused anything while it is recorded.
pub struct Recording {
    world: World,
    renderer: Renderer,
    /// Names, in the order of [`Person::campaign`](super::Person::campaign).
    campaigns: Vec<String>,
    sampling: Sampling,
}

impl Recording {
    /// The world of this scenario and seed; texts come from `corpora` where they are given.
    pub fn new(scenario: &WorldScenario, seed: u64, corpora: Corpora) -> Self {
        let world = World::new(scenario, seed);
        let campaigns = world.campaigns().map(|campaign| campaign.name).collect();
        Self {
            world,
            renderer: Renderer::new(seed, corpora),
            campaigns,
            sampling: Sampling::ALL,
        }
    }

    /// Only the turns of a sample.
    #[must_use]
    pub fn sampled(self, sampling: Sampling) -> Self {
        Self { sampling, ..self }
    }

    /// The lines as a stream.
    pub const fn into_reader(self) -> RecordingReader {
        RecordingReader {
            recording: self,
            line: Vec::new(),
            read: 0,
        }
    }

    /// About how many lines there will be.
    pub fn expected(&self) -> u64 {
        self.world.exchanges_expected()
    }

    /// Appends the next line, its end included; false when the world's last day is over.
    pub fn write_next(&mut self, out: &mut Vec<u8>) -> bool {
        let (world, sampling) = (&mut self.world, self.sampling);
        let turn = loop {
            match world.next() {
                Some(turn) if sampling.takes(&turn, world.person(turn.account)) => break turn,
                Some(_) => {}
                None => return false,
            }
        };
        let person = self.world.person(turn.account);
        let campaign = person
            .campaign
            .and_then(|number| self.campaigns.get(usize::from(number)));
        let program = self.world.program(turn.program);
        let campaign = campaign.map(String::as_str);
        self.renderer.write(&turn, person, program, campaign, out);
        true
    }
}

/// A recording that is written while it is read: one line of it is in memory.
pub struct RecordingReader {
    recording: Recording,
    line: Vec<u8>,
    read: usize,
}

impl Read for RecordingReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read == self.line.len() {
            self.line.clear();
            self.read = 0;
            if !self.recording.write_next(&mut self.line) {
                return Ok(0);
            }
        }
        let mut rest = self.line.get(self.read..).unwrap_or_default();
        let count = rest.read(buffer)?;
        self.read += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::{Batch, TraceReader};
    use serde_json::Value;
    use std::io::Cursor;

    fn lines(seed: u64, count: usize) -> Vec<u8> {
        let scenario = WorldScenario::load("village").unwrap();
        let mut recording = Recording::new(&scenario, seed, Corpora::default());
        let mut out = Vec::new();
        (0..count).for_each(|_| assert!(recording.write_next(&mut out)));
        out
    }

    #[test]
    fn a_world_reads_back_as_a_sorted_trace() {
        let mut reader = TraceReader::new(Cursor::new(lines(1, 2_000))).unwrap();
        let (mut batch, mut last, mut count) = (Batch::new(), Default::default(), 0);

        while reader.next_batch(&mut batch).unwrap() {
            for record in batch.records() {
                let line = record.parse().unwrap();
                serde_json::from_slice::<Value>(&line.body).unwrap();
                assert!(line.time >= last);
                (last, count) = (line.time, count + 1);
            }
        }

        assert_eq!(count, 2_000);
    }

    #[test]
    fn a_recording_reads_as_it_is_written() {
        let scenario = WorldScenario::load("village").unwrap();
        let recording = Recording::new(&scenario, 1, Corpora::default());
        let written = lines(1, 50);
        let mut read = vec![0; written.len()];

        recording.into_reader().read_exact(&mut read).unwrap();

        assert_eq!(read, written);
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes_and_another_seed_gives_others() {
        assert_eq!(lines(3, 300), lines(3, 300));
        assert_ne!(lines(3, 300), lines(4, 300));
    }
}
