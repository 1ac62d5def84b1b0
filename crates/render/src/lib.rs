//! Packets drawn for people: lines, trees, hexdumps, the RFC's drawing, checksum sums, and all sentences.
//!
//! In: what inspect says of a frame and hand of plans and answers; codes of findings and errors; a [`Style`].
//! Out: text for a terminal (nothing but printable characters and our own colours), JSON values, sentences.
//! Above: cli. Below: inspect, hand, units.
//! Not here: any judgement of packets, printing, terminal detection.
//!
//! ```
//! use wirewright_inspect::{First, dissect};
//! use wirewright_render::{Style, line};
//!
//! let echo = [
//!     0x45, 0, 0, 28, 0, 1, 0x40, 0, 64, 1, 0xb6, 0xdc, 192, 0, 2, 1, 192, 0, 2, 2, 8, 0, 0xf7, 0xfd, 0, 1, 0, 1,
//! ];
//! let drawn = line(&dissect(&echo, First::Ip), &Style::PLAIN);
//! assert_eq!(drawn, "192.0.2.1 to 192.0.2.2 ip ttl=64 icmp echo id=1 seq=1");
//! ```
#![forbid(unsafe_code)]

mod answer;
mod beside;
mod catalogue;
mod changes;
mod draw;
mod fields;
mod finding;
mod hex;
mod json;
mod ladder;
mod line;
mod paths;
mod plan;
mod program;
mod rounds;
mod segment_line;
mod style;
mod sum;
mod talk;
mod text;
mod times;
mod trace;
mod tree;
mod value;

pub use answer::{answer, answer_json, answer_kind, answer_meaning, duration};
pub use beside::{beside, total};
pub use catalogue::{Catalogue, Lang};
pub use changes::{changes, changes_json};
pub use draw::{draw, draw_frame};
pub use fields::{fields, fields_json, layers};
pub use finding::{finding, finding_json};
pub use hex::{digits, hex};
pub use json::{dissection as dissection_json, sums as sums_json};
pub use ladder::{Ladder, ladder, ladder_json};
pub use line::{dns_answer, line};
pub use paths::{stage, stage_json, ways, ways_json};
pub use plan::{note as plan_note, objection, plan, plan_json, refused, touch, touch_json};
pub use program::{Language, program};
pub use rounds::{hop_table, hop_times_json};
pub use segment_line::{SegmentLine, segment_line};
pub use style::{Ink, Style};
pub use sum::{Detail, sum};
pub use talk::{choices, silence, silence_json, step, step_json};
pub use text::{columns, escape, escape_bytes, pad, shell_word, wrap};
pub use times::{Times, milliseconds};
pub use trace::{hop, hop_json, rewritten, rewritten_json};
pub use tree::{complaint, tree};
pub use value::{field_value, value};
