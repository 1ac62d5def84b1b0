//! What left otherwise than it was built, and who changed it.

use serde_json::{Value, json};
use wirewright_hand::{Built, Change, Changes, What, Who};

use crate::style::Style;
use crate::value::value;

/// Each part that somebody else changed, one behind the other: `id 0→61363 kernel`; empty when it left as built.
#[must_use]
pub fn changes(built: &Built, changes: &Changes, style: &Style) -> String {
    let arrow = if style.unicode { "→" } else { " to " };
    let mut parts: Vec<String> = Vec::new();
    for change in &changes.parts {
        let (name, values) = of(built, change);
        parts.push(match values {
            Some((before, after)) => format!("{name} {before}{arrow}{after} {}", change.who.word()),
            None => format!("{name} {}", change.who.word()),
        });
    }
    if let Some(length) = changes.length {
        parts.push(format!("{}{arrow}{length} bytes {}", built.bytes.len(), Who::Unforetold.word()));
    }
    parts.join(style.dot())
}

/// The same as JSON: `[{"field","built","wire","who"}]`.
#[must_use]
pub fn changes_json(built: &Built, changes: &Changes) -> Value {
    let part = |change: &Change| {
        let (name, values) = of(built, change);
        let (before, after) = values.unzip();
        json!({"field": name, "built": before, "wire": after, "who": change.who.word()})
    };
    let mut all: Vec<Value> = changes.parts.iter().map(part).collect();
    all.extend(changes.length.map(
        |length| json!({"field": "bytes", "built": built.bytes.len(), "wire": length, "who": Who::Unforetold.word()}),
    ));
    Value::Array(all)
}

/// The name of a changed part, and its values where it is a field.
fn of(built: &Built, change: &Change) -> (String, Option<(String, String)>) {
    let Some(span) = built.spans.get(change.span) else { return (String::from("bytes"), None) };
    match (span.field(), &change.values) {
        (Some(field), Some(values)) => {
            (field.key.to_owned(), Some((value(field, values.built), value(field, values.wire))))
        }
        (Some(field), None) => (field.key.to_owned(), None),
        _ => {
            let name = match span.what {
                What::Option(_) => "option",
                What::Padding => "padding",
                What::Trailer => "trailer",
                _ => "payload",
            };
            (format!("{name} at byte {}", span.bytes.start), None)
        }
    }
}
