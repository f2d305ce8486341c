//! Where every value of a document stands, found by path.
use super::Position;

/// A value's place and those of the values inside.
#[derive(Clone, Debug)]
pub(crate) struct Place<At = Position> {
    pub(crate) at: At,
    pub(crate) inside: Inside<At>,
}

/// What a value holds.
#[derive(Clone, Debug)]
pub(crate) enum Inside<At = Position> {
    Scalar,
    List(Vec<Place<At>>),
    /// Keys, where they stand, and their values.
    Mapping(Vec<(String, At, Place<At>)>),
}

impl<At: Copy> Place<At> {
    /// Where `path` leads, and what of it leads nowhere. Of a mapping's member the key's place.
    pub(crate) fn find<'p>(&self, path: &'p str) -> (At, &'p str) {
        let (mut here, mut at, mut rest) = (self, self.at, path);
        while let Some((next, next_at, next_rest)) = here.step(rest) {
            (here, at, rest) = (next, next_at, next_rest);
        }
        (at, rest)
    }
    /// One step along `path`; a key may itself hold dots, so the longest that fits is taken.
    fn step<'p>(&self, path: &'p str) -> Option<(&Self, At, &'p str)> {
        match &self.inside {
            Inside::Scalar => None,
            Inside::List(items) => {
                let (index, rest) = path.strip_prefix('[')?.split_once(']')?;
                let item = items.get(index.parse::<usize>().ok()?)?;
                Some((item, item.at, rest))
            }
            Inside::Mapping(members) => {
                let path = path.strip_prefix('.').unwrap_or(path);
                let fits = members.iter().filter_map(|(key, at, place)| {
                    let rest = path.strip_prefix(key.as_str())?;
                    let ends = rest.is_empty() || rest.starts_with(['.', '[']);
                    (ends && !path.is_empty()).then_some((place, *at, rest))
                });
                fits.min_by_key(|(_, _, rest)| rest.len())
            }
        }
    }
}
