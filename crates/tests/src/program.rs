//! A program run to its end, with a limit, and everything it said.

use std::{
    ffi::OsStr,
    fmt,
    io::{Read, Write},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
};

use crate::{Limit, wait_for};

/// What every program may take before it is ended, unless its scenario says otherwise.
const LIMIT: Limit = Limit::seconds(60);

/// A command line to be run.
#[derive(Debug)]
pub struct Program {
    command: Command,
    input: Vec<u8>,
    limit: Limit,
}

/// What a program left: its exit code and both streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// The exit code, or 128 plus the signal's number.
    pub code: i32,
    /// Standard output, byte for byte.
    pub stdout: Vec<u8>,
    /// Standard error as text.
    pub stderr: String,
    /// The command line, for messages.
    pub command: String,
}

impl Program {
    /// `name` without arguments, with nothing to read and its output caught, in English whatever whoever tests speaks.
    pub fn new(name: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(name);
        command.env("LC_ALL", "C.UTF-8");
        Self { command, input: Vec::new(), limit: LIMIT }
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.command.args(arguments);
        self
    }

    /// Sets a variable of its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Sets its working folder.
    #[must_use]
    pub fn folder(mut self, path: &Path) -> Self {
        self.command.current_dir(path);
        self
    }

    /// Gives it bytes on standard input.
    #[must_use]
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = bytes.into();
        self
    }

    /// Ends it after `limit`.
    #[must_use]
    pub fn limit(mut self, limit: Limit) -> Self {
        self.limit = limit;
        self
    }

    /// Starts it and does not wait: the caller has the child, with both outputs piped.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub fn start(mut self) -> Result<Child, String> {
        self.command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        self.command.spawn().map_err(|error| format!("{:?}: {error}", self.command))
    }

    /// Starts it with standard input piped too, for what is typed later.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub fn start_typed(mut self) -> Result<Child, String> {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        self.command.spawn().map_err(|error| format!("{:?}: {error}", self.command))
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// Where it cannot be started, or does not end within the limit (it is then killed).
    pub fn run(mut self) -> Result<Output, String> {
        let command = shown(&self.command);
        let input = if self.input.is_empty() { Stdio::null() } else { Stdio::piped() };
        self.command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().map_err(|error| format!("{command}: {error}"))?;
        let writer = child.stdin.take().map(|mut stdin| {
            let bytes = self.input;
            thread::spawn(move || stdin.write_all(&bytes))
        });
        let stdout = drain(child.stdout.take().expect("standard output was piped"));
        let stderr = drain(child.stderr.take().expect("standard error was piped"));
        let status = wait_for(&command, self.limit, || child.try_wait().ok().flatten());
        if status.is_err() {
            let _ = child.kill();
            let _ = child.wait();
        }
        // A child that reads only a part of its input ends the writer with a broken pipe: its business.
        let _ = writer.map(thread::JoinHandle::join);
        let stdout = stdout.join().expect("the reader of a pipe does not panic");
        let stderr = stderr.join().expect("the reader of a pipe does not panic");
        let stderr = String::from_utf8_lossy(&stderr).into_owned();
        let status = status.map_err(|late| format!("{late}\n{stderr}"))?;
        Ok(Output { code: code_of(status), stdout, stderr, command })
    }
}

impl Output {
    /// Standard output as text; bytes that are no text are replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// The JSON objects that stand on the lines of standard output.
    ///
    /// # Errors
    /// A line that is no JSON.
    pub fn objects(&self) -> Result<Vec<serde_json::Value>, String> {
        self.text().lines().map(|line| serde_json::from_str(line).map_err(|error| format!("{error}: {line}"))).collect()
    }

    /// This output, if the program ended well.
    ///
    /// # Errors
    /// With everything it said, if not.
    pub fn success(self) -> Result<Self, String> {
        self.expect_code(0)
    }

    /// This output, if the program ended with `code`.
    ///
    /// # Errors
    /// With everything it said, if not.
    pub fn expect_code(self, code: i32) -> Result<Self, String> {
        if self.code == code { Ok(self) } else { Err(format!("expected exit code {code}\n{self}")) }
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "$ {}\nexit code {}\n--- out\n{}--- err\n{}", self.command, self.code, self.text(), self.stderr)
    }
}

fn drain(mut from: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read before an error still stands in `bytes`.
        let _ = from.read_to_end(&mut bytes);
        bytes
    })
}

/// The exit code as a shell gives it.
fn code_of(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn both_streams_and_the_code_come_back() {
        let output = Program::new("sh").args(["-c", "cat; echo no >&2; exit 3"]).input("yes").run().unwrap();
        assert_eq!((output.code, output.text(), output.stderr.as_str()), (3, "yes".to_owned(), "no\n"));
    }

    #[test]
    fn a_program_that_does_not_end_is_ended() {
        let late = Program::new("sleep").arg("60").limit(Limit(Duration::from_millis(20))).run();
        assert!(late.unwrap_err().contains("sleep 60 did not happen within"));
    }

    #[test]
    fn a_signal_is_told_as_shells_tell_it() {
        let output = Program::new("sh").args(["-c", "kill -9 $$"]).run().unwrap();
        assert_eq!(output.code, 128 + 9);
    }
}
