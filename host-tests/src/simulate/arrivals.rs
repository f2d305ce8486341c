//! When exchanges come and how large they are: recorded arrivals, or a Poisson process.
use super::SourceError;
use super::random::{ARRIVALS, Random};
use super::scenario::{Body, Rate, Scenario};
use std::fs;
use std::path::{Path, PathBuf};
use weir_engine::time::Timestamp;

const NANOS_PER_SECOND: f64 = 1e9;
const BYTES_PER_TOKEN: usize = 4;

/// One exchange to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    pub(crate) time: Timestamp,
    /// Wanted size of the request's body.
    pub(crate) body_bytes: usize,
    /// Tokens that the answer has.
    pub(crate) output_tokens: u32,
}

/// An endless stream of arrivals, sorted by time.
pub(super) struct Arrivals {
    start: u64,
    random: Random,
    body: Body,
    source: Source,
}

enum Source {
    Recorded {
        rows: Vec<Row>,
        next: usize,
        cycle: u64,
        period: u64,
    },
    Poisson {
        rate: Rate,
        elapsed: f64,
    },
}

/// One recorded arrival, nanoseconds after the first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    time: u64,
    context: u32,
    generated: u32,
}

impl Arrivals {
    pub(super) fn load(
        scenario: &Scenario,
        files: &[PathBuf],
        seed: u64,
    ) -> Result<Self, SourceError> {
        let mut rows = Vec::new();
        for file in files {
            rows.extend(read(file)?);
        }
        rows.sort_unstable();
        let source = match (rows.first().copied(), rows.last().copied()) {
            (Some(first), Some(last)) => {
                rows.iter_mut().for_each(|row| row.time -= first.time);
                let span = last.time - first.time;
                // The recording repeats after one more mean gap.
                Source::Recorded {
                    period: (span + span / rows.len().max(2) as u64).max(1),
                    rows,
                    next: 0,
                    cycle: 0,
                }
            }
            _ => Source::Poisson {
                rate: scenario.rate.clone(),
                elapsed: 0.0,
            },
        };
        Ok(Self {
            start: scenario.start_time().as_unix_nanos(),
            random: Random::new(seed, ARRIVALS),
            body: scenario.body.clone(),
            source,
        })
    }
    pub(super) fn next(&mut self) -> Arrival {
        match &mut self.source {
            Source::Recorded {
                rows,
                next,
                cycle,
                period,
            } => {
                let row = rows.get(*next).copied().unwrap_or(Row {
                    time: 0,
                    context: 0,
                    generated: 0,
                });
                let time = self
                    .start
                    .saturating_add(cycle.saturating_mul(*period))
                    .saturating_add(row.time);
                *next += 1;
                if *next >= rows.len() {
                    (*next, *cycle) = (0, *cycle + 1);
                }
                Arrival {
                    time: Timestamp::from_unix_nanos(time),
                    body_bytes: (row.context as usize)
                        .saturating_mul(BYTES_PER_TOKEN)
                        .min(self.body.max_bytes),
                    output_tokens: row.generated,
                }
            }
            Source::Poisson { rate, elapsed } => {
                // Thinning: candidates at the highest rate, kept by how high the rate is just then.
                let highest = rate.per_second * (1.0 + rate.diurnal);
                loop {
                    *elapsed += self.random.exponential(1.0 / highest);
                    let day = (self.start as f64 / NANOS_PER_SECOND + *elapsed) / 86_400.0;
                    let now = rate.per_second
                        * (1.0 - rate.diurnal * (std::f64::consts::TAU * (day - 3.0 / 24.0)).cos()); // lowest at 03:00
                    if self.random.chance(now / highest) {
                        break;
                    }
                }
                let time = self
                    .start
                    .saturating_add((*elapsed * NANOS_PER_SECOND) as u64);
                let bytes = self.random.log_normal(self.body.median_bytes as f64, 1.0) as usize;
                let output_tokens = self.random.log_normal(120.0, 0.9) as u32;
                Arrival {
                    time: Timestamp::from_unix_nanos(time),
                    body_bytes: bytes.min(self.body.max_bytes),
                    output_tokens: output_tokens.max(1),
                }
            }
        }
    }
}

fn read(path: &Path) -> Result<Vec<Row>, SourceError> {
    let text = fs::read_to_string(path).map_err(|source| SourceError::Read {
        path: path.to_owned(),
        source,
    })?;
    let failed = |line, what| SourceError::Form {
        path: path.to_owned(),
        line,
        what,
    };
    let mut lines = text.lines();
    let names: Vec<_> = lines
        .next()
        .unwrap_or_default()
        .trim_start_matches('\u{feff}')
        .split(',')
        .map(str::trim)
        .collect();
    let column = |name: &str| {
        names.iter().position(|given| given.eq_ignore_ascii_case(name)).ok_or_else(|| failed(1, "the first line must name the columns TIMESTAMP, ContextTokens and GeneratedTokens"))
    };
    let (time, context, generated) = (
        column("TIMESTAMP")?,
        column("ContextTokens")?,
        column("GeneratedTokens")?,
    );
    let mut rows = Vec::new();
    for (index, line) in lines
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        let cells: Vec<_> = line.split(',').map(str::trim).collect();
        let cell = |column: usize| cells.get(column).copied().unwrap_or_default();
        let row = timestamp(cell(time))
            .zip(cell(context).parse().ok())
            .zip(cell(generated).parse().ok());
        let ((time, context), generated) = row
            .ok_or_else(|| failed(index + 2, "expected a time and two whole numbers of tokens"))?;
        rows.push(Row {
            time: time.as_unix_nanos(),
            context,
            generated,
        });
    }
    if rows.is_empty() {
        Err(failed(2, "there are no arrivals"))
    } else {
        Ok(rows)
    }
}

/// A time as recordings of arrivals have it: RFC 3339, or UTC with a space and without an offset.
fn timestamp(text: &str) -> Option<Timestamp> {
    Timestamp::parse_rfc3339(text)
        .or_else(|| Timestamp::parse_rfc3339(&format!("{}Z", text.replacen(' ', "T", 1))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded(texts: &[&str]) -> Result<Arrivals, SourceError> {
        let folder = tempfile::tempdir().unwrap();
        let files = texts.iter().enumerate().map(|(index, text)| {
            let file = folder.path().join(index.to_string());
            fs::write(&file, text).unwrap();
            file
        });
        Arrivals::load(
            &Scenario::shipped("mixed").unwrap(),
            &files.collect::<Vec<_>>(),
            1,
        )
    }

    #[test]
    fn recordings_are_merged_by_time_and_repeat_in_order() {
        let mut arrivals = recorded(&["TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 00:00:00,1,10\n2023-11-16 00:00:02,3,30\n", "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 00:00:01.5,2,20\r\n"]).unwrap();
        let start = Scenario::shipped("mixed").unwrap().start_time();

        let drawn: Vec<_> = (0..6).map(|_| arrivals.next()).collect();

        assert_eq!(
            drawn
                .iter()
                .map(|arrival| arrival.output_tokens)
                .collect::<Vec<_>>(),
            [10, 20, 30, 10, 20, 30]
        );
        assert_eq!(drawn[0].time, start);
        assert_eq!(drawn[1].time.saturating_since(start).as_millis(), 1_500);
        assert!(drawn.is_sorted_by_key(|arrival| arrival.time));
    }

    #[test]
    fn a_bad_row_is_told_with_its_line() {
        let error = recorded(&[
            "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 00:00:00,1,10\nnoon,1,10\n",
        ])
        .map(|_| ())
        .unwrap_err();

        assert!(
            error
                .to_string()
                .ends_with("0:3: expected a time and two whole numbers of tokens"),
            "{error}"
        );
        assert!(
            recorded(&["a,b\n"]).is_err()
                && recorded(&["TIMESTAMP,ContextTokens,GeneratedTokens\n"]).is_err()
        );
    }

    #[test]
    fn the_made_rate_is_the_scenarios_over_whole_days() {
        let mut scenario = Scenario::shipped("mixed").unwrap();
        scenario.rate = Rate {
            per_second: 0.5,
            diurnal: 0.8,
        };
        let mut arrivals = Arrivals::load(&scenario, &[], 1).unwrap();
        let start = scenario.start_time();

        let in_two_days = std::iter::repeat_with(|| arrivals.next())
            .take_while(|arrival| arrival.time.saturating_since(start).as_secs() < 2 * 86_400)
            .count();

        assert!((84_500..88_300).contains(&in_two_days), "{in_two_days}"); // 86,400 +- 6 sigma
    }
}
