//! tshark, the second opinion on every frame, with checksum validation on.

use std::{collections::BTreeMap, path::Path};

use serde_json::Value;

use crate::Program;

/// Wireshark leaves checksums alone by default, because offloading makes them look bad; here they are the point.
const CHECKED: [&str; 10] = [
    "-o",
    "ip.check_checksum:TRUE",
    "-o",
    "tcp.check_checksum:TRUE",
    "-o",
    "udp.check_checksum:TRUE",
    "-o",
    "tcp.relative_sequence_numbers:FALSE",
    "-o",
    "ip.defragment:FALSE",
];

/// A question to tshark about one capture.
#[derive(Debug)]
pub struct Tshark {
    arguments: Vec<String>,
}

/// One frame as tshark dissected it.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame(Value);

impl Tshark {
    /// Reads the capture `path`, without looking up any name.
    #[must_use]
    pub fn read(path: &Path) -> Self {
        let mut arguments = vec!["-n".to_owned(), "-r".to_owned(), path.display().to_string()];
        arguments.extend(CHECKED.map(str::to_owned));
        Self { arguments }
    }

    /// Keeps only frames that a display filter takes.
    #[must_use]
    pub fn only(mut self, filter: &str) -> Self {
        self.arguments.extend(["-Y".to_owned(), filter.to_owned()]);
        self
    }

    /// Sets a preference, such as `tcp.desegment_tcp_streams:FALSE`.
    #[must_use]
    pub fn preference(mut self, preference: &str) -> Self {
        self.arguments.extend(["-o".to_owned(), preference.to_owned()]);
        self
    }

    /// Every frame with every field.
    ///
    /// # Errors
    /// Where tshark cannot read the file, with its words.
    pub fn frames(self) -> Result<Vec<Frame>, String> {
        let output = Program::new("tshark").args(self.arguments).args(["-T", "json"]).run()?.success()?;
        let frames: Vec<Value> = serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
        Ok(frames.into_iter().map(Frame).collect())
    }

    /// Chosen fields of every frame, one row a frame; a field that occurs more than once is joined by commas.
    ///
    /// # Errors
    /// Where tshark cannot read the file or does not know a field, with its words.
    pub fn fields(self, names: &[&str]) -> Result<Vec<Vec<String>>, String> {
        let chosen = names.iter().flat_map(|name| ["-e", name]);
        let output = Program::new("tshark")
            .args(self.arguments)
            .args(["-T", "fields", "-E", "separator=/t", "-E", "occurrence=a"])
            .args(chosen)
            .run()?
            .success()?;
        Ok(output.text().lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect())
    }
}

impl Tshark {
    /// Every field that tshark knows, with its type (`FT_UINT16`, `FT_BYTES`…).
    ///
    /// # Errors
    /// Where tshark does not start.
    pub fn field_types() -> Result<BTreeMap<String, String>, String> {
        let output = Program::new("tshark").args(["-G", "fields"]).run()?.success()?;
        let text = output.text();
        let rows = text.lines().filter_map(|line| {
            let mut columns = line.split('\t');
            (columns.next() == Some("F")).then_some(())?;
            Some((columns.nth(1)?.to_owned(), columns.next()?.to_owned()))
        });
        Ok(rows.collect())
    }
}

impl Frame {
    /// All values of a field, wherever in the tree it stands, in order.
    #[must_use]
    pub fn values(&self, field: &str) -> Vec<String> {
        let mut found = Vec::new();
        collect(&self.0, field, &mut found);
        found
    }

    /// The first value of a field.
    #[must_use]
    pub fn value(&self, field: &str) -> Option<String> {
        self.values(field).into_iter().next()
    }
}

fn collect(value: &Value, field: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                match member {
                    Value::String(text) if key == field => found.push(text.clone()),
                    Value::Array(items) if key == field => {
                        found.extend(items.iter().filter_map(Value::as_str).map(str::to_owned));
                    }
                    _ => collect(member, field, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, field, found)),
        _ => {}
    }
}
