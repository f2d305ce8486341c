//! Builds values and places from the parser's events, without recursion and within the limits.
use super::place::{Inside, Place};
use super::scalar::scalar;
use super::{MAX_DEPTH, MAX_NODES, Position, YamlError, YamlProblem, position, shown};
use saphyr_parser::{Event, Marker, ScalarStyle};
use serde_json::{Map, Value};
use std::collections::HashMap;

/// Text that weighs as much as a value, so that aliases of long texts have an end too.
const WEIGHT_BYTES: usize = 256;

/// A value with its place; shared by aliases through cloning, which is counted.
#[derive(Clone, Debug)]
struct Node {
    at: Position,
    data: Data,
    /// What it costs to copy: values in here and every [`WEIGHT_BYTES`] of their text.
    weight: usize,
    /// Levels of nesting in here, 0 for a scalar.
    height: usize,
}

#[derive(Clone, Debug)]
enum Data {
    Scalar(Value),
    List(Vec<Node>),
    Mapping(Vec<(String, Position, Node)>),
}

impl Node {
    /// Splits what a value says from where it stands.
    fn into_parts(self) -> (Value, Place) {
        let at = self.at;
        match self.data {
            Data::Scalar(value) => (
                value,
                Place {
                    at,
                    inside: Inside::Scalar,
                },
            ),
            Data::List(items) => {
                let (values, places) = items.into_iter().map(Self::into_parts).unzip();
                (
                    Value::Array(values),
                    Place {
                        at,
                        inside: Inside::List(places),
                    },
                )
            }
            Data::Mapping(members) => {
                let mut map = Map::with_capacity(members.len());
                let mut places = Vec::with_capacity(members.len());
                for (key, at, node) in members {
                    let (value, place) = node.into_parts();
                    places.push((key.clone(), at, place));
                    map.insert(key, value);
                }
                (
                    Value::Object(map),
                    Place {
                        at,
                        inside: Inside::Mapping(places),
                    },
                )
            }
        }
    }
}

/// A list or mapping whose end has not come yet.
struct Open {
    at: Position,
    anchor: usize,
    data: OpenData,
    weight: usize,
    height: usize,
}

enum OpenData {
    List(Vec<Node>),
    /// Members, lines of their keys, and the key whose value comes next.
    Mapping {
        members: Vec<(String, Position, Node)>,
        lines: HashMap<String, usize>,
        key: Option<(String, Position)>,
    },
}

/// Builds the tree from the parser's events; a stack, so that depth costs no recursion.
#[derive(Default)]
pub(super) struct Builder {
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    documents: usize,
    weight: usize,
    root: Option<Node>,
}

impl Builder {
    /// The document's value and places; `None` where there was no value.
    pub(super) fn finish(self) -> Option<(Value, Place)> {
        self.root.map(Node::into_parts)
    }
    /// Takes the parser's next event.
    pub(super) fn take(&mut self, event: Event<'_>, mark: Marker) -> Result<(), YamlError> {
        let at = position(mark);
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(YamlError::new(at, YamlProblem::SecondDocument));
                }
            }
            Event::Alias(anchor) => {
                let mut node = self
                    .anchors
                    .get(&anchor)
                    .cloned()
                    .ok_or(YamlError::new(at, YamlProblem::Recursive))?;
                node.at = at;
                self.place(node, 0)?;
            }
            Event::Scalar(text, style, anchor, tag) => {
                if let Some(tag) = tag {
                    return Err(YamlError::new(
                        at,
                        YamlProblem::Tag {
                            tag: shown(&tag.to_string()),
                        },
                    ));
                }
                if self.wants_key() {
                    return self.key(&text, style, at);
                }
                let weight = 1 + text.len() / WEIGHT_BYTES;
                let value = scalar(&text, style).map_err(|problem| YamlError::new(at, problem))?;
                self.place(
                    Node {
                        at,
                        data: Data::Scalar(value),
                        weight,
                        height: 0,
                    },
                    anchor,
                )?;
            }
            Event::SequenceStart(anchor, tag) => self.start(
                at,
                anchor,
                tag.map(|tag| tag.to_string()),
                OpenData::List(Vec::new()),
            )?,
            Event::MappingStart(anchor, tag) => self.start(
                at,
                anchor,
                tag.map(|tag| tag.to_string()),
                OpenData::Mapping {
                    members: Vec::new(),
                    lines: HashMap::new(),
                    key: None,
                },
            )?,
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(open) = self.open.pop() {
                    let data = match open.data {
                        OpenData::List(items) => Data::List(items),
                        OpenData::Mapping { members, .. } => Data::Mapping(members),
                    };
                    self.place_counted(
                        Node {
                            at: open.at,
                            data,
                            weight: open.weight,
                            height: open.height,
                        },
                        open.anchor,
                    )?;
                }
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }
    fn wants_key(&self) -> bool {
        matches!(
            self.open.last(),
            Some(Open {
                data: OpenData::Mapping { key: None, .. },
                ..
            })
        )
    }
    fn key(&mut self, text: &str, style: ScalarStyle, at: Position) -> Result<(), YamlError> {
        let failed = |problem| YamlError::new(at, problem);
        if style == ScalarStyle::Plain && text == "<<" {
            return Err(failed(YamlProblem::MergeKey));
        }
        let Ok(Value::String(text)) = scalar(text, style) else {
            return Err(failed(YamlProblem::KeyNotString));
        };
        let key_weight = text.len() / WEIGHT_BYTES;
        self.count(key_weight, at)?;
        if let Some(Open {
            data: OpenData::Mapping { lines, key, .. },
            weight,
            ..
        }) = self.open.last_mut()
        {
            *weight += key_weight;
            if let Some(&first) = lines.get(&text) {
                return Err(failed(YamlProblem::Duplicate {
                    key: shown(&text),
                    first,
                }));
            }
            lines.insert(text.clone(), at.line);
            *key = Some((text, at));
        }
        Ok(())
    }
    fn start(
        &mut self,
        at: Position,
        anchor: usize,
        tag: Option<String>,
        data: OpenData,
    ) -> Result<(), YamlError> {
        if let Some(tag) = tag {
            let tag = shown(&tag);
            return Err(YamlError::new(at, YamlProblem::Tag { tag }));
        }
        if self.wants_key() {
            return Err(YamlError::new(at, YamlProblem::KeyNotString));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(YamlError::new(
                at,
                YamlProblem::TooDeep { limit: MAX_DEPTH },
            ));
        }
        self.count(1, at)?;
        self.open.push(Open {
            at,
            anchor,
            data,
            weight: 1,
            height: 1,
        });
        Ok(())
    }
    fn count(&mut self, weight: usize, at: Position) -> Result<(), YamlError> {
        self.weight = self.weight.saturating_add(weight);
        if self.weight > MAX_NODES {
            Err(YamlError::new(
                at,
                YamlProblem::TooMany { limit: MAX_NODES },
            ))
        } else {
            Ok(())
        }
    }
    /// Puts a scalar or a resolved alias where it belongs.
    fn place(&mut self, node: Node, anchor: usize) -> Result<(), YamlError> {
        self.count(node.weight, node.at)?;
        self.place_counted(node, anchor)
    }
    fn place_counted(&mut self, node: Node, anchor: usize) -> Result<(), YamlError> {
        if self.open.len() + node.height > MAX_DEPTH {
            return Err(YamlError::new(
                node.at,
                YamlProblem::TooDeep { limit: MAX_DEPTH },
            ));
        }
        if anchor > 0 {
            // The kept copy costs what the value costs, so many anchors around one another are counted too.
            self.count(node.weight, node.at)?;
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        open.weight += node.weight;
        open.height = open.height.max(node.height + 1);
        match &mut open.data {
            OpenData::List(items) => items.push(node),
            OpenData::Mapping { members, key, .. } => match key.take() {
                Some((key, at)) => members.push((key, at, node)),
                // An alias or collection where a key belongs.
                None => {
                    return Err(YamlError::new(node.at, YamlProblem::KeyNotString));
                }
            },
        }
        Ok(())
    }
}
