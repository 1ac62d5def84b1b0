//! A program on a pseudo-terminal: what a person at a keyboard sees.

use std::{ffi::OsStr, fmt::Write as _};

use crate::{Limit, Output, Program};

/// The program that holds the terminal's other end.
const HOLDER: &str = include_str!("terminal.py");

/// Something a person does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Wait until this text stands on the screen (after what earlier steps saw).
    See(String),
    /// Type these characters.
    Type(String),
    /// Close the terminal's other end, as a window does.
    HangUp,
    /// Make the window this many columns wide.
    Resize(u16),
}

/// A terminal of a given size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// Width in characters.
    pub columns: u16,
    /// Height in lines.
    pub rows: u16,
    /// How long one [`Step::See`], and the end of the program, may take.
    pub limit: Limit,
}

impl Default for Terminal {
    fn default() -> Self {
        Self { columns: 80, rows: 24, limit: Limit::seconds(10) }
    }
}

impl Terminal {
    /// Runs `program` on the terminal while the steps are done; what was shown is the standard output.
    ///
    /// # Errors
    /// When a text does not appear, or the program does not end within the limit: with the screen so far.
    pub fn run<S: AsRef<OsStr>>(&self, program: &[S], steps: &[Step]) -> Result<Output, String> {
        let script = steps.iter().fold(String::new(), |mut script, step| {
            let (verb, value) = match step {
                Step::See(text) => ("see", text.clone()),
                Step::Type(text) => ("type", text.clone()),
                Step::HangUp => ("hangup", String::new()),
                Step::Resize(columns) => ("resize", columns.to_string()),
            };
            let hex = value.bytes().fold(String::new(), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            });
            let _ = writeln!(script, "{verb} {hex}");
            script
        });
        let seconds = self.limit.0.as_secs_f32().to_string();
        let each = u64::try_from(steps.len()).expect("a script fits into memory") + 2;
        let output = Program::new("python3")
            .args(["-c", HOLDER, &seconds, &self.columns.to_string(), &self.rows.to_string()])
            .args(program)
            .env("TERM", "xterm-256color")
            .env("LC_ALL", "C.UTF-8")
            .input(format!("{script}end\n"))
            .limit(Limit(self.limit.0.saturating_mul(u32::try_from(each).unwrap_or(u32::MAX))))
            .run()?;
        if output.stderr.is_empty() { Ok(output) } else { Err(output.to_string()) }
    }
}
