//! What was built beside what left: each field that somebody else changed.

use alloc::vec::Vec;

use wirewright_craft::{Built, Span};

use crate::plan::{Plan, Who};

/// A part of a packet that is not on the wire as it was built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The index of its span in [`Built::spans`].
    pub span: usize,
    /// The values, where the part is a field.
    pub values: Option<Values>,
    /// Who changed it.
    pub who: Who,
}

/// A field's two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Values {
    /// As built.
    pub built: u128,
    /// As it left.
    pub wire: u128,
}

/// All that differs between a built packet and its copy from the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The parts, in wire order.
    pub parts: Vec<Change>,
    /// The number of bytes that left, when it is not the number built.
    pub length: Option<usize>,
}

impl Changes {
    /// It left as built.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty() && self.length.is_none()
    }
}

/// Compares a built packet with `wire`, which begins at the same header. `plan` says which changes were foretold.
#[must_use]
pub fn changes(built: &Built, wire: &[u8], plan: &Plan) -> Changes {
    let mut changes = Changes { parts: Vec::new(), length: (wire.len() != built.bytes.len()).then_some(wire.len()) };
    if wire == built.bytes {
        return changes;
    }
    for (index, span) in built.spans.iter().enumerate() {
        if !differs(span, &built.bytes, wire) {
            continue;
        }
        let values =
            span.field().and_then(|_| Some(Values { built: value(span, &built.bytes)?, wire: value(span, wire)? }));
        changes.parts.push(Change { span: index, values, who: who(span, plan) });
    }
    changes
}

/// A span is changed when one of its bits is; bits behind the end of the shorter one do not count.
fn differs(span: &Span, built: &[u8], wire: &[u8]) -> bool {
    span.bytes.clone().any(|at| {
        let (Some(a), Some(b)) = (built.get(at), wire.get(at)) else { return false };
        (a ^ b) & mask(span, at) != 0
    })
}

/// The bits of the byte at `at` that belong to a span.
fn mask(span: &Span, at: usize) -> u8 {
    let from = span.bits.start.saturating_sub(at * 8).min(8);
    let to = span.bits.end.saturating_sub(at * 8).min(8);
    let ones = |bits: usize| u8::try_from(0xff00_u32 >> bits & 0xff).unwrap_or(0xff);
    ones(to) & !ones(from)
}

/// The value of a field; `None` when it has more than 128 bits or the bytes end before it.
fn value(span: &Span, bytes: &[u8]) -> Option<u128> {
    if span.bits.len() > 128 {
        return None;
    }
    let mut value = 0_u128;
    for bit in span.bits.clone() {
        let byte = bytes.get(bit / 8)?;
        value = value << 1 | u128::from(byte >> (7 - bit % 8) & 1);
    }
    Some(value)
}

/// The kernel, where the plan foretold it.
fn who(span: &Span, plan: &Plan) -> Who {
    let foretold = |field| plan.touches.iter().any(|touch| core::ptr::eq(touch.field, field));
    match span.field() {
        // The touches are of the outermost IP header; a second one has the same rows and is never touched.
        Some(field) if foretold(field) => Who::Kernel,
        _ => Who::Unforetold,
    }
}
