//! What is lost, and when that is known.
//!
//! In: acknowledgments, duplicates, time-outs.
//! Out: which segment to send again; the congestion events.
//! Above: `segment_arrives`, `timeouts`. Below: `congestion`.
//! Not here: how much may fly; the sending itself.

mod new_reno;
mod rto;

pub(crate) use new_reno::NewReno;
pub(crate) use rto::Rto;
