//! What scenarios are written with: grounds to stand on, our own command, other people's tools, conditions with limits.
//!
//! In: scenarios, the built `ww`, tshark, shells, a terminal, the practice network.
//! Out: a test binary that runs under `cargo test` and `cargo nextest`, and failures that say what the machine saw.
//! Above: `tests/scenarios`. Below: the whole workspace.
//! Not here: any scenario; those are in `tests/scenarios`, a module per topic.
//!
//! # Grounds
//!
//! A scenario stands on one [`Ground`]: `Plain` (this machine as it is, no packet leaves), `Lab` (the practice network,
//! entered while the process has one thread), or `Root` (real root: TUN, XDP, other users). Where the machine lacks what
//! a scenario needs, it prints `skipped: why`; with `CI=true` that counts as a failure, so that nothing is skipped unseen.
#![forbid(unsafe_code)]

mod folder;
mod machine;
mod need;
mod program;
mod recording;
mod runner;
mod scenario;
mod terminal;
mod tshark;
mod wait;
mod ww;

pub use folder::Folder;
pub use machine::{Machine, Mark};
pub use need::Need;
pub use program::{Output, Program};
pub use runner::main;
pub use scenario::{Ground, Outcome, Scenario, World};
pub use terminal::{Step, Terminal};
pub use tshark::{Frame, Tshark};
pub use wait::{Limit, wait_for};
pub use ww::{binary, workspace_root, ww, ww_lab};

/// Fails a scenario with a text built like `format!`.
#[macro_export]
macro_rules! fail {
    ($($text:tt)*) => { return Err(format!($($text)*).into()) };
}

/// Fails a scenario unless the condition holds; the text says what was expected and what came.
#[macro_export]
macro_rules! ensure {
    ($condition:expr, $($text:tt)*) => { if !$condition { return Err(format!($($text)*).into()); } };
}
