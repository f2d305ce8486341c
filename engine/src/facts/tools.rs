//! Tools that a request offers.
use super::text::{self, TextSink};
use super::values::enter_object;
use crate::json::{Fault, Kind, Reader};

/// Adds the tools of an array to `items` as [`count_items`](super::values::count_items) does, and hands out their
/// names, which stand in the tool or in its `function`.
pub(super) fn tools(
    reader: &mut Reader<'_>,
    items: &mut u32,
    sink: &mut dyn TextSink,
) -> Result<(), Fault> {
    if reader.kind()? != Kind::Array {
        return reader.skip();
    }
    reader.enter()?;
    while reader.item()? {
        *items = items.saturating_add(1);
        if !enter_object(reader)? {
            continue;
        }
        while let Some(key) = reader.field()? {
            match key.as_ref() {
                b"name" => tool_name(reader, sink)?,
                b"function" => {
                    if enter_object(reader)? {
                        while let Some(key) = reader.field()? {
                            match key.as_ref() {
                                b"name" => tool_name(reader, sink)?,
                                _ => reader.skip()?,
                            }
                        }
                    }
                }
                _ => reader.skip()?,
            }
        }
    }
    Ok(())
}

pub(super) fn tool_name(reader: &mut Reader<'_>, sink: &mut dyn TextSink) -> Result<(), Fault> {
    if reader.kind()? != Kind::String {
        return reader.skip();
    }
    text::hand_out_name(reader.string()?, sink);
    Ok(())
}
