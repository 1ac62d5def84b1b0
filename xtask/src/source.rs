//! Rust source as tidy reads it: tracked files, text without comments and literals, functions with their sizes.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::shell::{output_of, root};

/// One tracked file.
pub(crate) struct Source {
    /// Its path below the root of the workspace, with `/`.
    pub(crate) path: String,
    /// As it stands on the disk.
    pub(crate) text: String,
    /// The same lines with comments, strings and characters blanked out.
    pub(crate) code: String,
}

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    /// The line of `fn`, from 1.
    pub(crate) line: usize,
    /// From the line of `fn` to that of the closing brace, both counted.
    pub(crate) lines: usize,
}

impl Source {
    pub(crate) fn new(path: &str, text: String) -> Self {
        let code = without_comments_and_literals(&text);
        Self { path: path.to_owned(), text, code }
    }

    /// How many lines stand above the tests.
    pub(crate) fn lines_above_tests(&self) -> usize {
        let lines: Vec<&str> = self.code.lines().map(str::trim).collect();
        let is_test_module = |pair: &[&str]| pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod ");
        lines.windows(2).position(is_test_module).unwrap_or(lines.len())
    }

    /// Lines (from 1) in which `word` stands as a word of the code.
    pub(crate) fn lines_with(&self, word: &str) -> Vec<usize> {
        let hits = self.code.lines().enumerate().filter(|(_, line)| has_word(line, word));
        hits.map(|(index, _)| index + 1).collect()
    }
}

/// All files that git tracks or would track, below the root of the workspace.
pub(crate) fn tracked_files() -> Result<Vec<PathBuf>, String> {
    let mut git = Command::new("git");
    git.current_dir(root()).args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"]);
    let names = output_of(&mut git)?;
    let mut files: Vec<PathBuf> = names.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from).collect();
    files.retain(|file| root().join(file).is_file());
    files.sort();
    files.dedup();
    Ok(files)
}

/// Those of `files` that are Rust.
pub(crate) fn rust_sources(files: &[PathBuf]) -> Result<Vec<Source>, String> {
    let rust = files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "rs"));
    rust.map(|file| read(file)).collect()
}

fn read(file: &Path) -> Result<Source, String> {
    let text = fs::read_to_string(root().join(file)).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(Source::new(&file.to_string_lossy(), text))
}

/// Whether `word` stands in `line` with no letter, digit or `_` beside it. A word may hold `::`, `!` or `#[`.
pub(crate) fn has_word(line: &str, word: &str) -> bool {
    let part_of_name = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(start, found)| {
        let before = line[..start].chars().next_back().is_some_and(part_of_name);
        let after = line[start + found.len()..].chars().next().is_some_and(part_of_name);
        let open_end = !word.ends_with(part_of_name);
        !before && (open_end || !after)
    })
}

/// Blanks comments, strings and character literals; every line keeps its number.
fn without_comments_and_literals(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let blank = blank_length(rest, code.chars().next_back());
        if blank == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            let (blanked, after) = rest.split_at(blank);
            code.extend(blanked.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = after;
        }
    }
    code
}

/// How many bytes at the start of `text` are a comment or a literal; 0 where code stands.
fn blank_length(text: &str, before: Option<char>) -> usize {
    let in_name = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if text.starts_with("//") {
        return text.find('\n').unwrap_or(text.len());
    }
    if text.starts_with("/*") {
        return block_comment_length(text);
    }
    if text.starts_with('"') {
        return quoted_length(text, '"');
    }
    if text.starts_with('\'') {
        return character_length(text);
    }
    if in_name {
        return 0;
    }
    let prefix = text.find(|c| !matches!(c, 'b' | 'c' | 'r')).unwrap_or(0);
    if prefix > 2 { 0 } else { raw_string_length(text, prefix) }
}

fn block_comment_length(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        let here = &text.as_bytes()[at..];
        if here.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    text.len()
}

/// A literal from its opening quote to its closing one.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// A character literal; a lifetime or a label is code.
fn character_length(text: &str) -> usize {
    let mut characters = text.char_indices().skip(1);
    let second = characters.next().map(|(_, c)| c);
    let third = characters.next();
    match (second, third) {
        (Some('\\'), _) => quoted_length(text, '\''),
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 0,
    }
}

/// `r"…"`, `r#"…"#`, `br"…"`: nothing is escaped in them.
fn raw_string_length(text: &str, prefix: usize) -> usize {
    if !text[..prefix].contains('r') {
        return 0;
    }
    let hashes = text[prefix..].bytes().take_while(|byte| *byte == b'#').count();
    let open = prefix + hashes;
    if !text[open..].starts_with('"') {
        return 0;
    }
    let close = format!("\"{}", "#".repeat(hashes));
    text[open + 1..].find(&close).map_or(text.len(), |end| open + 1 + end + close.len())
}

/// The functions of blanked code, in order.
pub(crate) fn functions(code: &str) -> Vec<Function> {
    let mut found = Vec::new();
    for (start, _) in code.match_indices("fn ") {
        let stands_alone = !code[..start].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let name: String = code[start + 3..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if !stands_alone || name.is_empty() {
            continue;
        }
        if let Some(end) = end_of_body(&code[start..]) {
            let line = code[..start].matches('\n').count() + 1;
            let lines = code[start..start + end].matches('\n').count() + 1;
            found.push(Function { name, line, lines });
        }
    }
    found
}

/// Where the body that follows a signature ends; None where there is a `;` instead of a body.
fn end_of_body(code: &str) -> Option<usize> {
    let mut brackets = 0_i32;
    let mut braces = 0_i32;
    for (at, c) in code.char_indices() {
        match c {
            '(' | '[' if braces == 0 => brackets += 1,
            ')' | ']' if braces == 0 => brackets -= 1,
            ';' if braces == 0 && brackets == 0 => return None,
            '{' if brackets == 0 => braces += 1,
            '}' if brackets == 0 => {
                braces -= 1;
                if braces == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blanked_and_lines_kept() {
        let text = "let a = \"unsafe \\\" {\"; // unsafe\n/* unsafe /* deep */ { */ let b = '{'; let c: &'static str = r#\"\"un\"#;";
        let code = without_comments_and_literals(text);
        assert_eq!(code.lines().count(), 2);
        assert!(!code.contains("un") && !code.contains('{') && code.contains("'static"), "{code}");
    }

    #[test]
    fn a_function_is_counted_from_fn_to_brace() {
        let code = "trait T { fn none(&self) -> [u8; 4]; }\nfn one(a: [u8; 2])\n{\n    if a { b }\n}\nfn two() {}\n";
        let expected = [("one", 2, 4), ("two", 6, 1)];
        let found: Vec<_> = functions(code).into_iter().map(|f| (f.name, f.line, f.lines)).collect();
        assert_eq!(found, expected.map(|(name, line, lines)| (name.to_owned(), line, lines)));
    }

    #[test]
    fn words_have_ends() {
        assert!(has_word("unsafe { x }", "unsafe") && has_word("#[ignore = \"x\"]", "#[ignore"));
        assert!(!has_word("#![forbid(unsafe_code)]", "unsafe") && !has_word("my_todo!()", "todo!"));
    }

    #[test]
    fn the_tests_below_are_not_counted() {
        let source = Source::new("a.rs", "fn a() {}\n\n#[cfg(test)]\nmod tests {\n}\n".to_owned());
        assert_eq!(source.lines_above_tests(), 2);
    }
}
