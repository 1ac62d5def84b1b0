//! The options of a bad wire, read and printed.

use sim::Faults;

use crate::amounts::{chance, chance_word, duration, duration_word, rate, rate_word};
use crate::command::bad_value;
use crate::failure::Failure;
use crate::speech::say;

/// Frames that may wait for the wire at most. More would be a delay of minutes, and the relay itself keeps no more.
const QUEUE_MAX: usize = 30_000;

/// Reads the options; `None` where none is given. `value` gives the text of an option.
///
/// # Errors
/// A value that an option cannot take, or an option without the one that it belongs to.
pub(crate) fn read(
    mut value: impl FnMut(&'static str) -> Result<Option<String>, Failure>,
) -> Result<Option<Faults>, Failure> {
    const CHANCE: &str = "hint.chance";
    const TIME: &str = "hint.time";
    let mut faults = Faults::NONE;
    let mut given = Vec::new();
    let mut set = |id: &'static str, can: &str, take: &mut dyn FnMut(&str) -> Option<()>| -> Result<(), Failure> {
        let Some(text) = value(id)? else { return Ok(()) };
        given.push(id);
        take(&text).ok_or_else(|| bad_value(id, &text, &can_be(can)))
    };
    set("loss", CHANCE, &mut |text| chance(text).map(|it| faults.loss = it))?;
    set("delay", TIME, &mut |text| duration(text).map(|it| faults.delay = it))?;
    set("jitter", TIME, &mut |text| duration(text).map(|it| faults.jitter = it))?;
    set("reorder", CHANCE, &mut |text| chance(text).map(|it| faults.reorder = it))?;
    set("reorder-by", TIME, &mut |text| duration(text).map(|it| faults.reorder_by = it))?;
    set("dup", CHANCE, &mut |text| chance(text).map(|it| faults.duplicate = it))?;
    set("corrupt", CHANCE, &mut |text| chance(text).map(|it| faults.corrupt = it))?;
    set("rate", "hint.rate", &mut |text| rate(text).map(|it| faults.rate = Some(it)))?;
    set("queue", "hint.queue", &mut |text| {
        let frames = text.parse().ok().filter(|frames| *frames <= QUEUE_MAX)?;
        faults.queue_frames_max = frames;
        Some(())
    })?;
    for (id, needed, why) in [("queue", "rate", "fault.queue"), ("reorder-by", "reorder", "fault.reorder-by")] {
        if given.contains(&id) && !given.contains(&needed) {
            return Err(needs(id, needed, why));
        }
    }
    Ok((!given.is_empty()).then_some(faults))
}

/// An option that does nothing without another one.
pub(crate) fn needs(id: &str, needed: &str, why: &str) -> Failure {
    let values: [(&str, &dyn std::fmt::Display); 3] = [("option", &id), ("needed", &needed), ("why", &say(why, &[]))];
    Failure::usage("option-alone", say("error.option-alone", &values)).row("see", "ww help lab")
}

/// The options of these faults, as they are typed: those that differ from a perfect wire.
pub(crate) fn words(faults: &Faults) -> String {
    let none = Faults::NONE;
    let mut words = Vec::new();
    let mut word = |differs: bool, id: &str, value: String| {
        if differs {
            words.push(format!("--{id} {value}"));
        }
    };
    word(faults.loss != none.loss, "loss", chance_word(faults.loss));
    word(faults.delay != none.delay, "delay", duration_word(faults.delay));
    word(faults.jitter != none.jitter, "jitter", duration_word(faults.jitter));
    word(faults.reorder != none.reorder, "reorder", chance_word(faults.reorder));
    word(faults.reorder_by != none.reorder_by, "reorder-by", duration_word(faults.reorder_by));
    word(faults.duplicate != none.duplicate, "dup", chance_word(faults.duplicate));
    word(faults.corrupt != none.corrupt, "corrupt", chance_word(faults.corrupt));
    word(faults.rate.is_some(), "rate", faults.rate.map(rate_word).unwrap_or_default());
    word(faults.queue_frames_max != none.queue_frames_max, "queue", faults.queue_frames_max.to_string());
    if words.is_empty() { "--loss 0%".to_owned() } else { words.join(" ") }
}

/// What an option takes, by its sentence.
fn can_be(key: &str) -> String {
    let values: &[(&str, &dyn std::fmt::Display)] = if key == "hint.queue" { &[("max", &QUEUE_MAX)] } else { &[] };
    say(key, values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Result<Option<Faults>, Failure> {
        let words: Vec<&str> = line.split_whitespace().collect();
        read(|id| {
            let at = words.iter().position(|word| word.strip_prefix("--") == Some(id));
            Ok(at.map(|at| words[at + 1].to_owned()))
        })
    }

    #[test]
    fn options_are_printed_as_they_are_typed() {
        let all = "--loss 1% --delay 10ms --jitter 2ms --reorder 5% --reorder-by 30ms --dup 1% --corrupt 0.1% --rate 10M --queue 50";
        for line in [all, "--loss 0.5%", "--loss 0%", "--rate 64k", "--delay 1s --dup 100%"] {
            assert_eq!(words(&of(line).unwrap().unwrap()), line);
        }
        assert_eq!(of("").unwrap(), None);
    }

    #[test]
    fn bad_values_are_refused_with_what_is_taken() {
        for line in
            ["--loss 1", "--delay 10", "--dup 101%", "--rate 10", "--rate 10M --queue -1", "--rate 1M --queue 30001"]
        {
            assert_eq!(of(line).unwrap_err().code, "option-value", "{line}");
        }
        for line in ["--queue 5", "--reorder-by 5ms --loss 1%"] {
            assert_eq!(of(line).unwrap_err().code, "option-alone", "{line}");
        }
    }
}
