//! What is odd about a single packet, in sentences.

use serde_json::{Value, json};
use wirewright_inspect::{Finding, FindingKind};

use crate::catalogue::Catalogue;

/// A finding as a sentence.
#[must_use]
pub fn finding(it: &Finding, words: &Catalogue) -> String {
    let key = format!("finding.{}", it.kind.code());
    match it.kind {
        FindingKind::EcnMark { tos } => {
            let mark = ["", "ECT(1)", "ECT(0)", "CE"][usize::from(tos & 3)];
            let (value, dscp) = (format!("{tos:#04x}"), tos >> 2);
            words.say(&key, &[("value", &value), ("mark", &mark), ("dscp", &dscp)])
        }
        FindingKind::DscpUnshifted { tos, meant } => {
            words.say(&key, &[("value", &tos), ("meant", &format!("{meant:#04x}"))])
        }
        FindingKind::ProtocolWithoutHeader { promised, need, have } => {
            let title = wirewright_inspect::wire::layer(promised).map_or(promised, |desc| desc.title);
            words.say(&key, &[("promised", &title), ("need", &need), ("have", &have)])
        }
        _ => words.say(&key, &[]),
    }
}

/// A finding as JSON.
#[must_use]
pub fn finding_json(it: &Finding) -> Value {
    json!({"code": it.kind.code(), "layer": it.layer, "byte": it.offset})
}
