//! `ww show`: take packets apart.

use std::ffi::OsStr;

use render::Style;
use units::UnixTime;

use super::build::{Form, print};
use crate::command::Options;
use crate::failure::{Exit, Failure};
use crate::input::{self, Item, Source};
use crate::output::Output;
use crate::record::{Recording, Seen};
use crate::said;
use crate::speech::say;

pub(crate) fn run(options: &Options, out: &Output) -> Result<Exit, Failure> {
    if options.words.is_empty() {
        return Err(Failure::usage("input-missing", say("error.input-missing.show", &[]))
            .row("or", "ww show FILE.pcapng")
            .row("or", "ww show 450000280000400040060000c0000201c0000202")
            .row("or", "tcpdump -x … | ww show -"));
    }
    let layer = input::layer_of(options)?;
    let form = options.form.as_ref().map(|_| Form::of(options, Form::Tree)).transpose()?;
    let mut pcap = if form == Some(Form::Pcap) { Some(Recording::begin(OsStr::new("-"))?) } else { None };
    let mut origin: Option<UnixTime> = None;
    let mut findings = false;
    input::each(&options.words, layer, &mut |item| {
        findings |= !inspect::dissect(&item.bytes, item.first).is_clean();
        if let Some(recording) = &mut pcap {
            return recording.add(&again(&item));
        }
        let default = match item.source {
            Source::Captured { .. } if !out.verbose => Form::Line,
            _ => Form::Tree,
        };
        show(&item, Form::of(options, default)?, &mut origin, out)
    })?;
    Ok(if findings { Exit::Unexpected } else { Exit::Answered })
}

/// A packet that was read, to be recorded again.
fn again(item: &Item) -> Seen<'_> {
    let (interface, wall, direction) = match &item.source {
        Source::Captured { frame, interface } => (interface.as_str(), frame.wall, frame.direction),
        _ => ("", UnixTime::EPOCH, None),
    };
    Seen { interface, first: item.first, bytes: &item.bytes, wall, direction, comments: &[] }
}

fn show(item: &Item, form: Form, origin: &mut Option<UnixTime>, out: &Output) -> Result<(), Failure> {
    match (&item.source, form) {
        (Source::Captured { frame, interface }, Form::Line) => {
            let start = *origin.get_or_insert(frame.wall);
            let seconds = frame.wall.since(start).as_secs_f64();
            let dissection = inspect::dissect(&item.bytes, item.first);
            let style = Style { width: out.style.width.saturating_sub(20), ..out.style };
            let line = render::line(&dissection, &style);
            let interface =
                if interface.is_empty() { String::new() } else { format!(" {}", render::escape(interface)) };
            return out.result(&format!("{:>5} {seconds:>11.6}{interface}  {line}", frame.number));
        }
        (Source::Captured { frame, interface }, Form::Tree | Form::Draw) => {
            out.result(say("show.frame", &[("number", &frame.number), ("interface", interface)]).trim_end())?;
            for comment in &frame.comments {
                out.result(&format!("  # {}", render::escape(comment)))?;
            }
        }
        (Source::Pasted(format), Form::Tree | Form::Draw) => {
            let values: [(&str, &dyn std::fmt::Display); 2] =
                [("format", &said::format(*format)), ("layer", &item.first.key())];
            out.tell(&say("remark.read-as", &values));
        }
        _ => {}
    }
    print(&item.bytes, item.first, form, out)
}
