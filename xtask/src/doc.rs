//! The documentation, with warnings as errors.

use crate::shell::{cargo, must};

/// Builds it for every package of the workspace.
pub(crate) fn run() -> Result<(), String> {
    must(cargo().args(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))
}
