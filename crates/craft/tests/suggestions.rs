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

/// A slip of the finger, as typists make them (Damerau, 1964): two letters exchanged, one left out, one twice, or the key
/// beside the right one.
#[derive(Clone, Copy, Debug)]
enum Slip {
    Exchanged,
    LeftOut,
    Doubled,
    Neighbour,
}

const SLIPS: [Slip; 4] = [Slip::Exchanged, Slip::LeftOut, Slip::Doubled, Slip::Neighbour];

/// The rows of a keyboard, on which a finger lands one key to the left or right.
const KEYBOARD: [&str; 4] = ["1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm"];

impl Slip {
    /// The word with this slip in each place where it can happen.
    fn all(self, word: &str) -> Vec<String> {
        let letters: Vec<char> = word.chars().collect();
        let mut slipped = Vec::new();
        for at in 0..letters.len() {
            let (before, after) = (&letters[..at], &letters[at + 1..]);
            let mut put = |middle: &[char], rest: &[char]| {
                slipped.push(before.iter().chain(middle).chain(rest).collect::<String>());
            };
            match (self, after) {
                (Self::Exchanged, [next, rest @ ..]) => put(&[*next, letters[at]], rest),
                (Self::Exchanged, []) => {}
                (Self::LeftOut, _) => put(&[], after),
                (Self::Doubled, _) => put(&[letters[at], letters[at]], after),
                (Self::Neighbour, _) => {
                    for beside in neighbours(letters[at]) {
                        put(&[beside], after);
                    }
                }
            }
        }
        slipped
    }
}

fn neighbours(letter: char) -> Vec<char> {
    let Some(row) = KEYBOARD.iter().find(|row| row.contains(letter)) else { return Vec::new() };
    let row: Vec<char> = row.chars().collect();
    row.windows(2)
        .filter_map(|pair| match pair {
            [left, right] if *left == letter => Some(*right),
            [left, right] if *right == letter => Some(*left),
            _ => None,
        })
        .collect()
}

/// Every slip in every key of three letters and more: nobody chose these words, so nothing was fitted to them.
#[test]
fn slips_of_the_finger_are_refused_and_the_right_word_suggested() {
    let mut meant: Vec<(String, String, String)> = Vec::new();
    for row in MISSPELT.lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<&str> = row.split('\t').collect();
        let (key, value) = columns[2].split_once('=').map_or((columns[2], None), |(key, value)| (key, Some(value)));
        let is_key = key.len() >= 3 && key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        let value = value.map(|value| format!("={value}")).unwrap_or_default();
        let row = (columns[0].to_string(), key.to_string(), value);
        if is_key && !columns[0].is_empty() && !meant.contains(&row) {
            meant.push(row);
        }
    }
    let (mut all, mut right) = (0, 0);
    let mut missed = String::new();
    for (before, key, value) in &meant {
        let line = |word: &str| format!("{before} {word}{value}");
        for slip in SLIPS {
            for wrong in slip.all(key).iter().filter(|wrong| *wrong != key) {
                all += 1;
                let wrong = line(wrong);
                let Err(error) = parse(&wrong) else { panic!("accepted as something else: {wrong}") };
                match error.correction.as_deref() {
                    Some(given) if given == line(key) => right += 1,
                    other => missed += &format!("  {slip:?} {wrong} -> {other:?}\n"),
                }
            }
        }
    }
    println!("{right} of {all} right\n{missed}");
    assert!(all >= 1_000, "{all} words are too few");
    assert!(right * 100 >= all * RIGHT_MIN, "only {right} of {all}:\n{missed}");
}
