//! The streams of one HTTP/2 connection.
use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::io::BufReader;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::task::JoinSet;

use super::{Reaction, Responder, Served, Service};
use crate::wire::http2::{Assembly, Event, Link, read_frame};
use crate::wire::message::End;
use crate::wire::tape::Tape;

/// A request under way.
struct Stream {
    tape: Tape,
    /// Taken when the request is complete.
    reaction: Option<Reaction>,
}

/// Serves until the connection ends; what is unfinished then is given up.
pub(super) async fn serve(
    mut from: BufReader<OwnedReadHalf>,
    to: OwnedWriteHalf,
    service: Arc<dyn Service>,
) {
    let mut tasks = JoinSet::new();
    let (link, writing) = Link::new(to, &[]);
    tasks.spawn(writing);
    let mut streams = BTreeMap::<u32, Stream>::new();
    let mut assembly = Assembly::default();
    while let Ok(frame) = read_frame(&mut from).await {
        let event = assembly.take(frame);
        link.react(&event);
        let (id, ends) = match event {
            Event::Headers {
                stream: id,
                fields,
                ends,
            } => {
                match streams.get(&id) {
                    Some(stream) => stream.tape.trailers(fields),
                    None => {
                        let Served { tape, reaction, .. } = service.begin(&fields);
                        tape.headers(fields);
                        let reaction = begin(reaction, &tape, &link, id, &mut tasks);
                        streams.insert(id, Stream { tape, reaction });
                    }
                }
                (id, ends)
            }
            Event::Data {
                stream: id,
                bytes,
                ends,
            } => {
                if let Some(stream) = streams.get(&id) {
                    stream.tape.data(&bytes);
                }
                (id, ends)
            }
            Event::Reset { stream: id } => {
                if let Some(stream) = streams.remove(&id) {
                    stream.tape.end(End::Reset);
                }
                continue;
            }
            Event::Broken => break,
            _ => continue,
        };
        if !ends {
            continue;
        }
        // Forgotten: a reset that comes while the answer is under way says nothing about the request.
        if let Some(stream) = streams.remove(&id) {
            stream.tape.end(End::Complete);
            if let Some(reaction) = stream.reaction {
                tasks.spawn(act(reaction, link.clone(), id));
            }
        }
        while tasks.try_join_next().is_some() {} // forget the finished ones
    }
    for stream in streams.values() {
        stream.tape.end(End::Reset);
    }
}

/// A conversation begins with the head; everything else waits for the end.
fn begin(
    reaction: Reaction,
    tape: &Tape,
    link: &Link,
    stream: u32,
    tasks: &mut JoinSet<()>,
) -> Option<Reaction> {
    match reaction {
        Reaction::Converse(talk) => {
            let link = link.clone();
            tasks.spawn(talk(tape.watch(), Responder { link, stream }));
            None
        }
        waits => Some(waits),
    }
}

async fn act(reaction: Reaction, link: Link, stream: u32) {
    match reaction {
        Reaction::Answer(answer) => link.message(stream, &answer).await,
        Reaction::Reset => link.reset(stream),
        Reaction::Hang | Reaction::Converse(_) => {}
    }
}
