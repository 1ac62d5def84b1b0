//! A line as it stands in a shell: quotes and escapes taken away, and put back.

/// The words of a line, and the last one, which is not finished; `None` inside quotes, where words are anybody's text.
pub(super) fn line(line: &str) -> Option<(Vec<String>, String)> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' | '"' => {
                let inside = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        end if end == c => break,
                        '\\' if c == '"' => inside.extend(chars.next()),
                        other => inside.push(other),
                    }
                }
            }
            '\\' => word.get_or_insert_default().extend(chars.next()),
            c if c.is_whitespace() => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    Some((words, word.unwrap_or_default()))
}

/// One word as a shell shows it; `None` where a quote is not closed.
pub(super) fn word(word: &str) -> Option<String> {
    let (before, last) = line(word)?;
    Some(before.into_iter().chain([last]).collect::<Vec<_>>().join(" "))
}

/// A word as it is typed: a backslash before each sign that a shell would take for its own.
pub(super) fn escaped(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "./:=,+@%^-_~".contains(c);
    word.chars().fold(String::new(), |mut text, c| {
        if !plain(c) {
            text.push('\\');
        }
        text.push(c);
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_divided_as_a_shell_divides_it() {
        let read = |text| line(text).map(|(words, last)| (words.join("|"), last));
        assert_eq!(read("ww ask tcp se"), Some(("ww|ask|tcp".into(), "se".into())));
        assert_eq!(read("ww ask "), Some(("ww|ask".into(), String::new())));
        assert_eq!(read("ww 'a b' c\\ d \"e'\" f"), Some(("ww|a b|c d|e'".into(), "f".into())));
        assert_eq!(read("ww data='hello wo"), None);
    }

    #[test]
    fn what_is_escaped_reads_back() {
        for text in ["plain", "with space", "a'b\"c", "$HOME;x", "~/file"] {
            assert_eq!(word(&escaped(text)).as_deref(), Some(text));
        }
    }
}
