//! The did-you-mean, against a list of words that people type.

use wirewright_craft::{Code, parse};

const MISSPELT: &str = include_str!("misspelt.txt");

/// Of all misspelt words at least this share gets the right suggestion, in percent.
const RIGHT_MIN: usize = 95;

fn cases() -> impl Iterator<Item = (String, String)> {
    let rows = MISSPELT.lines().filter(|line| !line.starts_with('#'));
    rows.map(|row| {
        let columns: Vec<&str> = row.split('\t').collect();
        let [before, wrong, right] = columns[..] else { panic!("three columns: {row}") };
        let line = |word: &str| format!("{before} {word}").trim_start().to_string();
        (line(wrong), line(right))
    })
}

#[test]
fn misspelt_words_are_refused_and_the_right_ones_suggested() {
    let (mut all, mut right) = (0, 0);
    let mut missed = String::new();
    for (wrong, meant) in cases() {
        all += 1;
        parse(&meant).unwrap_or_else(|error| panic!("the list itself is wrong: {meant}\n{error}"));
        let Err(error) = parse(&wrong) else { panic!("accepted as something else: {wrong}") };
        match error.correction.as_deref() {
            Some(line) if line == meant => right += 1,
            other => missed += &format!("  {wrong}\n      meant     {meant}\n      suggested {other:?}\n"),
        }
    }
    println!("{right} of {all} right\n{missed}");
    assert!(all >= 300, "{all} words are too few");
    assert!(right * 100 >= all * RIGHT_MIN, "only {right} of {all}:\n{missed}");
}

#[test]
fn what_is_suggested_can_be_read() {
    for (wrong, _) in cases() {
        if let Some(line) = parse(&wrong).err().and_then(|error| error.correction) {
            let reads = parse(&line);
            let missing =
                matches!(&reads, Err(error) if matches!(error.code, Code::PortMissing | Code::AddressMissing));
            assert!(reads.is_ok() || missing, "{wrong}\n{line}");
        }
    }
}
