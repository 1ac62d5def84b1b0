//! The did-you-mean for verbs, options and layers; the packet language has its own.

/// The candidate that is nearest to a word, if it is near: one change in three letters, transpositions count as one.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (word.chars().count() / 3).max(1);
    let distance = |candidate: &'a str| (strsim::osa_distance(word, candidate), candidate);
    candidates.into_iter().map(distance).filter(|(d, _)| *d <= allowed).min_by_key(|(d, _)| *d).map(|(_, c)| c)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        let verbs = ["ask", "send", "build", "fields"];
        assert_eq!(nearest("biuld", verbs), Some("build"));
        assert_eq!(nearest("sned", verbs), Some("send"));
        assert_eq!(nearest("feilds", verbs), Some("fields"));
        assert_eq!(nearest("xyz", verbs), None);
    }
}
