//! A translated page keeps in step with the English one: the same headings, code blocks and tables, the same figures, the same code.

use std::fs;

use super::Complaints;
use crate::shell::root;

/// English pages and their translations.
const PAGES: [(&str, &str); 1] = [("README.md", "README.ko.md")];

/// A part of a page that every translation has.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    /// A heading, by its level.
    Heading(usize),
    /// A block of code, by its language; Rust with all its text, which no translation changes but in comments.
    Code(String, Vec<String>),
    /// A row of a table, by the figures in it.
    Row(Vec<String>),
}

pub(super) fn check(complaints: &mut Complaints) {
    for (english, translated) in PAGES {
        let read = |path| fs::read_to_string(root().join(path)).unwrap_or_default();
        let (theirs, ours) = (read(english), read(translated));
        for (page, other) in [(&theirs, translated), (&ours, english)] {
            if !page.lines().take(4).any(|line| line.contains(&format!("]({other})"))) {
                complaints.add(
                    if other == english { translated } else { english },
                    1,
                    &format!("a link to {other} first"),
                );
            }
        }
        let (theirs, ours) = (parts(&theirs), parts(&ours));
        let differs = ours.iter().zip(&theirs).find(|((_, ours), (_, theirs))| ours != theirs);
        if let Some(((line, ours), (_, theirs))) = differs {
            complaints.add(translated, *line, &format!("{ours:?}, but {english} has {theirs:?}"));
        } else if ours.len() != theirs.len() {
            let what = format!("{} headings, blocks and rows, but {english} has {}", ours.len(), theirs.len());
            complaints.add(translated, 1, &what);
        }
    }
}

/// The parts of a page with their lines.
fn parts(page: &str) -> Vec<(usize, Part)> {
    let mut parts = Vec::new();
    let mut code: Option<(usize, String, Vec<String>)> = None;
    for (index, line) in page.lines().enumerate() {
        match (&mut code, line.strip_prefix("```")) {
            (None, Some(language)) => code = Some((index + 1, language.to_owned(), Vec::new())),
            (Some(_), Some(_)) => {
                let (at, language, lines) = code.take().unwrap_or_default();
                parts.push((at, Part::Code(language, lines)));
            }
            (Some((_, language, lines)), None) if language.starts_with("rust") => {
                lines.push(line.split("//").next().unwrap_or_default().trim_end().to_owned());
            }
            (Some(_), None) => {}
            (None, None) if line.starts_with('#') => {
                parts.push((index + 1, Part::Heading(line.chars().take_while(|char| *char == '#').count())));
            }
            (None, None) if line.starts_with('|') => parts.push((index + 1, Part::Row(figures(line)))),
            (None, None) => {}
        }
    }
    parts
}

/// The numbers of a line, sorted: another language may say them in another order.
fn figures(line: &str) -> Vec<String> {
    let mut figures: Vec<String> = line
        .split(|char: char| !char.is_ascii_digit() && char != '.')
        .map(|word| word.trim_matches('.').to_owned())
        .filter(|word| !word.is_empty())
        .collect();
    figures.sort();
    figures
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_known_by_what_no_translation_changes() {
        let page = "# A\n\ntext\n\n```text\nww help   all verbs\n```\n\n| a | 1.9 ms (100 runs) |\n```rust\nlet a = 1; // one\n```\n";
        let translated = "# 가\n\n글\n\n```text\nww help   모든 동사\n```\n\n| 가 | 100번, 1.9 ms |\n```rust\nlet a = 1; // 하나\n```\n";
        let bare = |page: &str| parts(page).into_iter().map(|(_, part)| part).collect::<Vec<_>>();
        assert_eq!(bare(page), bare(translated));
        assert_ne!(bare(page), bare(&translated.replace("1.9", "2.9")));
        assert_ne!(bare(page), bare(&translated.replace("let a", "let b")));
        assert_ne!(bare(page), bare(&translated.replace("# ", "## ")));
    }
}
