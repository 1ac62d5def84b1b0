//! `ww get -v`: the conversation as a ladder, while it goes on.

use std::io::{self, Write};

use craft::First;
use inspect::flow::{Flows, SeenFrame};
use net::Watch;
use render::{Ladder, Style};
use units::{Instant, UnixTime};

use crate::speech::words;

/// Draws each segment on standard error when it leaves or comes; what is no TCP, an ICMP error, as a line of its own.
pub(super) fn watch(style: Style) -> Watch {
    let mut flows = Flows::new();
    let mut ladder = Ladder::new(&style);
    let mut begun: Option<Instant> = None;
    let mut number = 0;
    Box::new(move |at, _, bytes| {
        number += 1;
        // Only the time between segments is told.
        let since = at.since(*begun.get_or_insert(at));
        let frame = SeenFrame { number, view: 0, at: UnixTime::EPOCH + since, bytes, first: First::Ip };
        let mut text = String::new();
        match flows.follow(&frame).map(|flow| (flow.left, flow.right, flow.segments.last())) {
            Some((left, right, Some(segment))) => {
                if number == 1 {
                    text = ladder.head(left, right, words()) + "\n";
                }
                text += &ladder.line(segment, words());
            }
            _ => text = render::line(&inspect::dissect(bytes, First::Ip), &style),
        }
        // Where standard error is gone, the page is fetched all the same.
        let _ = writeln!(io::stderr().lock(), "{text}");
    })
}
