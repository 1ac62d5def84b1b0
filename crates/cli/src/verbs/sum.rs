//! `ww sum`: the right checksum of whatever is pasted, and what made a wrong one.

use render::Detail;

use crate::command::Options;
use crate::failure::{Exit, Failure};
use crate::input;
use crate::output::Output;
use crate::speech::{say, words};

pub(crate) fn run(options: &Options, out: &Output) -> Result<Exit, Failure> {
    if options.words.is_empty() {
        return Err(Failure::usage("input-missing", say("error.input-missing.sum", &[]))
            .row("try", "ww sum 45010000d4310000ff060c64c0a80167c0a80101")
            .row("or", "ww build tcp 192.0.2.2:80 S sum=swap | ww sum -"));
    }
    let layer = input::layer_of(options)?;
    let detail = if out.verbose { Detail::Steps } else { Detail::Brief };
    let mut wrong = false;
    input::each(&options.words, layer, &mut |item| {
        let frame = inspect::dissect(&item.bytes, item.first);
        wrong |= frame.checksums.iter().any(|sum| sum.verdict.is_wrong());
        if out.json {
            return out.json_line(&render::sums_json(&frame));
        }
        if frame.checksums.is_empty() {
            let values: [(&str, &dyn std::fmt::Display); 2] =
                [("bytes", &item.bytes.len()), ("layer", &item.first.key())];
            out.tell(&say("remark.no-checksum", &values));
        }
        out.result(&render::sum(&frame, detail, &out.style, words()))
    })?;
    Ok(if wrong { Exit::Unexpected } else { Exit::Answered })
}
