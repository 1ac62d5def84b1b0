//! What a DHCP message says of itself: its kind, and from it who sends it.

use wirewright_wire::dhcp::{MESSAGE_TYPE, is_answer as is_answer_kind};

use crate::options::{OptionItem, Options};
use crate::packet::Layer;

/// Whether a server sends the message: by the kind that its options tell.
pub(crate) fn is_answer(layer: &Layer) -> bool {
    let Some(table) = layer.desc.options else { return false };
    let says = |item: OptionItem| matches!(item, OptionItem::Known { desc } if desc.kind == MESSAGE_TYPE);
    let kind = Options::new(table, &layer.options).find(|option| says(option.item)).map(|option| option.value());
    kind.and_then(|value| layer.options.get(value)?.first()).is_some_and(|&kind| is_answer_kind(kind))
}
