//! `--rewrite` and `--only`: rules in words of the packet language, and what is said of words that are none.

use craft::{Only, Rewrite, RewriteError};

use crate::failure::Failure;
use crate::said;
use crate::speech::say;

/// The rules of `--rewrite`.
///
/// # Errors
/// Words that are no rule.
pub(crate) fn rewrites(verb: &str, texts: &[String]) -> Result<Vec<Rewrite>, Failure> {
    let read = |text: &String| Rewrite::parse(text).map_err(|error| no_rule((verb, "rewrite"), text, &error));
    texts.iter().map(read).collect()
}

/// The packets of `--only`.
///
/// # Errors
/// Words that say of no packet whether it is meant.
pub(crate) fn only(verb: &str, texts: &[String]) -> Result<Vec<Only>, Failure> {
    let read = |text: &String| Only::parse(text).map_err(|error| no_rule((verb, "only"), text, &error));
    texts.iter().map(read).collect()
}

fn no_rule((verb, option): (&str, &str), text: &str, error: &RewriteError) -> Failure {
    let key = match error {
        RewriteError::Language(error) => {
            let typed = |line: &str| match verb {
                "lab" => format!("ww lab --{option} {}", render::shell_word(line)),
                _ => crate::explain::again_with(text, line),
            };
            return said::language(error, typed, &format!("ww help {verb}"));
        }
        RewriteError::NoField => "error.rewrite.no-field",
        RewriteError::LayerMissing => "error.rewrite.layer-missing",
        RewriteError::ManyLayers => "error.rewrite.many-layers",
        RewriteError::Payload => "error.rewrite.payload",
        RewriteError::Name { .. } => "error.rewrite.name",
        RewriteError::NoValue { .. } => "error.rewrite.no-value",
        _ => "error.rewrite.layer",
    };
    let subject = match error {
        RewriteError::Name { name } => render::escape(name).into_owned(),
        RewriteError::Layer { layer } => (*layer).to_owned(),
        RewriteError::NoValue { field } => (*field).to_owned(),
        _ => render::escape(text).into_owned(),
    };
    let values: [(&str, &dyn std::fmt::Display); 2] = [("option", &option), ("subject", &subject)];
    Failure::usage("rewrite", say(key, &values)).row("it takes", say("hint.rewrite", &[]))
}
