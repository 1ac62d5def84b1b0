//! The did-you-mean: what a word was probably meant to be, and the line mended with it.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use wirewright_wire::{FieldDesc, HeaderDesc, Kind, Name, OptionDesc, OptionLen};

use super::error::{Code, Fault, Fix};
use super::layer::{REACHING, port_problem, value_problem};
use super::problem::Problem;
use super::reader::{Written, is_divider};
use super::{foreign, mended};
use crate::dns::is_dns;
use crate::generator;
use crate::layers;
use crate::options;
use crate::packet::Wrong;
use crate::print::UNENDED;
use crate::template::Template;
use crate::text::shown;
use crate::value::{self, ValueFault};

/// Mistakes mended in one line before it is given up.
const MENDS_MAX: usize = 3;
/// Changes tried for one mistake.
const TRIES_MAX: usize = 24;
/// Longer lines are not guessed about: each try reads the whole line.
const GUESSED_BYTES_MAX: usize = 1 << 14;

/// How a changed line is read to see whether it can be.
pub(super) type Read = fn(&[&str]) -> Result<(Template, Vec<Written>), Fault>;

/// The line as it was probably meant; `None` when nothing near it can be read.
pub(super) fn correction(words: &[&str], fault: &Fault, read: Read) -> Option<String> {
    if words.iter().map(|word| word.len()).sum::<usize>() > GUESSED_BYTES_MAX {
        return None;
    }
    let mended = mend(words, fault, read, MENDS_MAX)?;
    Some(mended.iter().map(|word| shown(word)).collect::<Vec<_>>().join(" "))
}

/// The words after the best change, and further changes if others are needed.
fn mend(words: &[&str], fault: &Fault, read: Read, mends: usize) -> Option<Vec<String>> {
    let mut fixes = fault.fixes.clone();
    if !fault.final_word {
        fixes.extend(guesses(words, fault.word));
    }
    let mut better = None;
    for fix in fixes.iter().take(TRIES_MAX) {
        let mended = mended(words, fix);
        let again: Vec<&str> = mended.iter().map(String::as_str).collect();
        match read(&again) {
            Ok(_) => return Some(mended),
            // The mended place is behind us: what is left is another mistake.
            Err(next) if better.is_none() && is_progress(fix, fault, &next) => better = Some((mended, next)),
            Err(_) => {}
        }
    }
    let (mended, next) = better?;
    if mends > 1 {
        let again: Vec<&str> = mended.iter().map(String::as_str).collect();
        if let Some(whole) = mend(&again, &next, read, mends - 1) {
            return Some(whole);
        }
    }
    Some(mended)
}

fn is_progress(fix: &Fix, fault: &Fault, next: &Fault) -> bool {
    let behind = fix.words.start + fix.with.len();
    let missing = matches!(next.code, Code::PortMissing | Code::AddressMissing | Code::FieldMissing);
    next.word >= behind || (missing && next.code != fault.code)
}

/// Further changes for a mistake whose cause may be a word that was read as a name.
pub(super) fn at_words(mut fault: Fault, words: &[&str], suspects: [Option<usize>; 2]) -> Fault {
    let mut fixes: Vec<Fix> = suspects.into_iter().flatten().flat_map(|at| guesses(words, at)).collect();
    fixes.append(&mut fault.fixes);
    fault.fixes = fixes;
    fault
}

/// Changes of the word at `at`, best first.
fn guesses(words: &[&str], at: usize) -> Vec<Fix> {
    let Some(word) = words.get(at) else { return Vec::new() };
    let start = (0..at).rev().find(|&i| is_divider(words[i])).map_or(0, |i| i + 1);
    let mut ranked = Ranked::default();
    if at == start {
        guess_layer(words, at, &mut ranked);
    } else if let Some(desc) = layers::known(words[start]) {
        let below: Vec<&'static HeaderDesc> = layers_below(words, start);
        foreign::guess(words, at, desc, &below, &mut ranked);
    } else if words[start] == "raw" {
        foreign::guess_payload(word, &(at..at + 1), &mut ranked);
    }
    ranked.in_order()
}

fn layers_below(words: &[&str], start: usize) -> Vec<&'static HeaderDesc> {
    let firsts = (0..start).filter(|&i| i == 0 || is_divider(words[i - 1]));
    firsts.filter_map(|i| layers::known(words[i])).collect()
}

fn guess_layer(words: &[&str], at: usize, ranked: &mut Ranked) {
    let word = words[at];
    let plain = normal(word);
    for desc in wirewright_wire::LAYERS {
        let aliases = desc.also.iter().copied().chain([desc.shark, desc.title]).map(|also| (also, 1));
        for (name, penalty) in core::iter::once((desc.key, 0)).chain(aliases) {
            ranked.offer(&plain, (name, penalty > 0), penalty, at..at + 1, || [desc.key.to_string()].into());
        }
    }
    ranked.offer(&plain, ("raw", false), 0, at..at + 1, || ["raw".to_string()].into());
    // A verb or another word too many in front of the layer.
    if words.get(at + 1).is_some_and(|next| layers::known(next).is_some()) {
        ranked.push(9, at..at + 1, Vec::new());
    }
    // What belongs to the layer before: `tcp 192.0.2.2:80 / data=hi`.
    if at > 0 && word.contains('=') {
        ranked.push(3, at - 1..at, Vec::new());
    }
    if let Some(with) = foreign::url(word) {
        ranked.push(1, at..at + 1, with);
    }
    // The layer was forgotten: `192.0.2.2:80 S`.
    if word.contains(['.', ':', '=']) {
        let layer = if word.contains(':') && super::names::address(word).is_none_or(|(_, port)| port.is_some()) {
            "tcp"
        } else {
            "ip"
        };
        ranked.push(6, at..at, [layer.to_string()].into());
        ranked.push(7, at..at, ["udp".to_string()].into());
        ranked.push(8, at..at, ["icmp".to_string()].into());
        ranked.push(9, at..at, ["ip6".to_string()].into());
    }
    if value::flags(tcp_flags(), word).is_some() {
        ranked.push(6, at..at, ["tcp".to_string()].into());
    }
}

fn tcp_flags() -> &'static FieldDesc {
    let fields = layers::tcp().fields;
    fields.iter().find(|field| field.kind == Kind::Flags).unwrap_or(&fields[0])
}

/// Changes with their costs.
#[derive(Default)]
pub(super) struct Ranked(Vec<(u32, Fix)>);

impl Ranked {
    pub(super) fn push(&mut self, cost: u32, words: core::ops::Range<usize>, with: Vec<String>) {
        let fix = Fix { words, with };
        match self.0.iter_mut().find(|(_, known)| *known == fix) {
            Some((known, _)) => *known = cost.min(*known),
            None => self.0.push((cost, fix)),
        }
    }

    /// Adds a change when `word` is near `name`, which is our word or another tool's (`alias`).
    pub(super) fn offer(
        &mut self,
        word: &str,
        (name, alias): (&str, bool),
        penalty: u32,
        words: core::ops::Range<usize>,
        with: impl FnOnce() -> Vec<String>,
    ) {
        // A short word of another tool counts only when it is written right: too much else is near it.
        let Some(cost) = nearness(word, name).filter(|&cost| cost == 0 || !alias || name.len() > 3) else { return };
        self.push(cost + penalty, words, with());
    }

    fn in_order(mut self) -> Vec<Fix> {
        self.0.sort_by_key(|(cost, _)| *cost);
        self.0.into_iter().map(|(_, fix)| fix).collect()
    }
}

/// A word as it is compared: lower case, without leading dashes, `-` and `.` as `_`.
pub(super) fn normal(word: &str) -> String {
    let bare = word.trim_start_matches('-');
    bare.chars().map(|c| if c == '-' || c == '.' || c == ' ' { '_' } else { c.to_ascii_lowercase() }).collect()
}

/// The name that a word was probably meant to be.
pub(crate) fn nearest<'n>(word: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let word = normal(word);
    names.filter_map(|name| Some((nearness(&word, name)?, name))).min().map(|(_, name)| name)
}

/// How far `word` is from `name`: 0 equal; 4 for each slip of the fingers, and a little more where the first letter differs;
/// 5 for an abbreviation. `None`: too far.
pub(super) fn nearness(word: &str, name: &str) -> Option<u32> {
    if word.is_empty() || name.is_empty() {
        return None;
    }
    // Most names are far away: neither as long nor begun alike.
    let alike = word.as_bytes()[0].eq_ignore_ascii_case(&name.as_bytes()[0]);
    if !alike && name.len().abs_diff(word.len()) > 3 {
        return None;
    }
    let name = normal(name);
    if word == name {
        return Some(0);
    }
    let allowed = match word.len() {
        0..=1 => 0,
        2..=4 => 1,
        5..=8 => 2,
        _ => 3,
    };
    let first = u32::from(word.as_bytes()[0] != name.as_bytes()[0]);
    // Two letters of three or fewer must stay: `id` is not near `op`.
    let distance = distance(word, &name).filter(|&d| d <= allowed && (d as usize) < name.len().max(2));
    let abbreviated = word.len() >= 3 && (name.starts_with(word) || (name.len() >= 3 && word.starts_with(&name)));
    match distance {
        Some(slips) => Some(4 * slips + first),
        None if is_anagram(word, &name) => Some(6 + first),
        None if abbreviated => Some(7),
        None => None,
    }
}

/// Whether three or more letters merely stand in another order.
fn is_anagram(word: &str, name: &str) -> bool {
    let count = |text: &str, letter: u8| text.bytes().filter(|&b| b == letter).count();
    word.len() >= 3 && word.len() == name.len() && word.bytes().all(|b| count(word, b) == count(name, b))
}

/// The longest words compared.
const COMPARED_MAX: usize = 32;

/// Insertions, deletions, replacements and exchanges of neighbours that make one word of the other.
fn distance(a: &str, b: &str) -> Option<u32> {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() > COMPARED_MAX || b.len() > COMPARED_MAX {
        return None;
    }
    let mut rows = [[0u32; COMPARED_MAX + 1]; 3];
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j as u32;
    }
    for i in 1..=a.len() {
        let (now, last, before) = (i % 3, (i + 2) % 3, (i + 1) % 3);
        rows[now][0] = i as u32;
        for j in 1..=b.len() {
            let same = u32::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[last][j] + 1).min(rows[now][j - 1] + 1).min(rows[last][j - 1] + same);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[before][j - 2] + 1);
            }
            rows[now][j] = best;
        }
    }
    Some(rows[a.len() % 3][b.len()])
}

/// A value that a field cannot have, with the values that were probably meant.
pub(super) fn value_fault(
    layer: &str,
    field: &'static FieldDesc,
    codes: &[Name],
    (word, offset): (&str, usize),
    fault: &ValueFault,
    at: usize,
) -> Fault {
    let (before, text) = word.split_at(offset.min(word.len()));
    let is_port = field.key == "dport";
    let why = if is_port { port_problem(fault) } else { value_problem(fault, &format!("{}=", field.key)) };
    let code = if matches!(fault, ValueFault::TooLarge(_)) { Code::ValueTooLarge } else { Code::BadValue };
    let problem = match fault {
        ValueFault::NotANumber if !field.names.is_empty() || !codes.is_empty() => {
            Problem::NoNumberNoName { text: shown(text), field: format!("{layer}.{}", field.key) }
        }
        ValueFault::Empty => why,
        _ => Problem::Value { text: shown(text), why: Box::new(why) },
    };
    let written = |value: &str| format!("{before}{value}");
    let mut ranked = Ranked::default();
    let plain = normal(text);
    for named in field.names.iter().chain(codes) {
        let aliases = named.also.iter().copied().chain([named.title]).map(|also| (also, 1));
        for (word, penalty) in core::iter::once((named.word, 0)).chain(aliases) {
            ranked.offer(&plain, (word, penalty > 0), penalty, at..at + 1, || [written(named.word)].into());
        }
    }
    guess_number(field, text, at, &written, &mut ranked);
    if let Some(ranges) = generator::from_dashes(field, text) {
        return Fault::new(code, at, problem).no_guess().fix([written(&ranges)]);
    }
    if value::is_generator(text)
        && let Some(mended) = generator::mended(field, text, fault)
    {
        return Fault::new(code, at, problem).no_guess().fix([written(&mended)]);
    }
    if let ValueFault::TooLarge(max) = fault
        && *max < u128::MAX
        && text.bytes().all(|byte| byte.is_ascii_digit())
    {
        // The nearest that fits.
        ranked.push(9, at..at + 1, [written(&max.to_string())].into());
    }
    let mut found = Fault::new(code, at, problem).no_guess();
    found.fixes = ranked.in_order();
    if matches!(fault, ValueFault::NotAMistake(_)) {
        found = found.expected(Wrong::WORDS.iter().map(|(word, _)| *word));
    } else if code == Code::BadValue {
        found = found.expected(field.names.iter().chain(codes).take(12).map(|name| name.word));
    }
    found
}

/// Numbers and mistakes that a text nearly is.
fn guess_number(
    field: &'static FieldDesc,
    text: &str,
    at: usize,
    written: &impl Fn(&str) -> String,
    ranked: &mut Ranked,
) {
    let whole = at..at + 1;
    // Wireshark's filters: `ttl==3`.
    if let Some(value) = text.strip_prefix('=').filter(|value| !value.is_empty()) {
        ranked.push(0, whole.clone(), [written(value)].into());
    }
    let bare = text.trim_start_matches('0');
    if bare.bytes().all(|b| b.is_ascii_digit()) && bare.len() < text.len() {
        ranked.push(1, whole.clone(), [written(if bare.is_empty() { "0" } else { bare })].into());
    }
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit()) && field.kind != Kind::Flags {
        ranked.push(5, whole.clone(), [written(&format!("0x{text}"))].into());
    }
    let hex = text.strip_prefix(['$', '#', 'x', 'h']).or(text.strip_suffix(['h', 'H']));
    if let Some(hex) = hex.filter(|hex| !hex.is_empty() && hex.bytes().all(|b| b.is_ascii_hexdigit())) {
        ranked.push(2, whole.clone(), [written(&format!("0x{hex}"))].into());
    }
    let tail = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[tail.len()..] {
        "K" | "kb" | "KB" => "k",
        "m" | "MB" | "mb" => "M",
        "g" | "GB" | "gb" => "G",
        "KiB" | "ki" | "KI" => "Ki",
        "MiB" | "mi" | "MI" => "Mi",
        _ => "",
    };
    if !unit.is_empty() && !tail.is_empty() {
        ranked.push(2, whole.clone(), [written(&format!("{tail}{unit}"))].into());
    }
    if let Some(mended) = super::names::mended_ipv4(text).filter(|_| field.kind == Kind::Ipv4) {
        ranked.push(1, whole.clone(), [written(&mended)].into());
    }
    if let Some(letters) = foreign::flag_letters(text).filter(|_| field.kind == Kind::Flags) {
        ranked.push(1, whole.clone(), [letters].into());
    }
    if matches!(field.auto, wirewright_wire::Auto::Checksum(_)) {
        guess_mistakes(text, whole, written, ranked);
    }
}

fn guess_mistakes(text: &str, whole: core::ops::Range<usize>, written: &impl Fn(&str) -> String, ranked: &mut Ranked) {
    let mut joined = Vec::new();
    for part in text.split(['+', ',', '|', '&']) {
        let part = normal(part);
        let words = Wrong::WORDS.iter().map(|(word, _)| (*word, *word));
        let near = words.chain(foreign::MISTAKES.iter().copied());
        let best = near.filter_map(|(name, word)| Some((nearness(&part, name)?, word))).min_by_key(|(cost, _)| *cost);
        let Some((_, word)) = best else { return };
        joined.push(word);
    }
    ranked.push(3, whole, [written(&joined.join("+"))].into());
}

/// What may stand in a layer: its words, its keys, its options, the payload.
pub(super) fn expected_in(desc: &'static HeaderDesc) -> Vec<String> {
    let mut expected: Vec<String> = Vec::new();
    let leading: &[&str] = match desc.key {
        "tcp" => &["ADDR:PORT", ":PORT", "flags as S SA PA . none"],
        "udp" => &["ADDR:PORT", ":PORT"],
        "eth" => &["MAC"],
        _ if layers::is_link(desc) || is_dns(desc) => &[],
        _ => &["ADDR"],
    };
    if is_dns(desc) {
        expected.extend(super::dns::expected());
    }
    expected.extend(leading.iter().map(ToString::to_string));
    let shown = |field: &&FieldDesc| !field.reserved && field.key != "dport" && field.kind != Kind::Flags;
    expected.extend(desc.fields.iter().filter(shown).map(form));
    if let Some(table) = desc.options {
        let spoken = table.kinds.iter().filter(|option| options::is_spoken(table, option));
        expected.extend(spoken.flat_map(|option| option.fields[0].names).map(|name| name.word.to_string()));
        expected.extend(table.closing().map(|_| UNENDED.to_string()));
        // The many forms of one kind (Multipath TCP) would bury the others: completion and `ww fields` have them.
        let listed = table.kinds.iter().filter(|option| option.when.is_always());
        expected.extend(listed.map(|option| match options::is_bare(option) {
            true => option.key.to_string(),
            false => format!("{}=", option.key),
        }));
    }
    if !layers::is_link(desc) && !matches!(desc.key, "arp" | "ip" | "ip6") {
        expected.extend(REACHING.iter().map(|key| format!("{key}=")));
    }
    expected.push("data=".to_string());
    expected.push("hex=".to_string());
    expected
}

/// Whether a word is a key of this layer, its bodies or its options.
pub(super) fn is_key(desc: &'static HeaderDesc, word: &str) -> bool {
    let in_table = |desc: &HeaderDesc| {
        let option = desc.options.is_some_and(|table| options::for_word(table, word, true).is_some());
        option || desc.field(word).is_some_and(|field| field.key != "dport")
    };
    let entry = is_dns(desc) && super::dns::is_key(word);
    entry || in_table(desc) || desc.variants.iter().any(|variant| in_table(variant.body))
}

/// How a field is written.
pub(super) fn form(field: &FieldDesc) -> String {
    if field.bare { field.key.to_string() } else { format!("{}=", field.key) }
}

/// How the value of an option is written.
pub(super) fn option_form(option: &'static OptionDesc) -> String {
    let fields = option.given().map(|field| field.key.to_ascii_uppercase());
    let mut form = fields.collect::<Vec<_>>().join(":");
    match option.len {
        OptionLen::Variable | OptionLen::Counted if !option.entries.is_empty() => {
            let entry: Vec<_> = option
                .entries
                .iter()
                .filter(|field| !field.reserved)
                .map(|field| field.key.to_ascii_uppercase())
                .collect();
            let entry = entry.join(":");
            form = if form.is_empty() { format!("{entry}[,{entry}…]") } else { format!("{form}[,{entry}…]") };
        }
        OptionLen::Names(_) if form.is_empty() => form = "NAME[,NAME…]".to_string(),
        OptionLen::Names(_) => form = format!("{form}[,NAME…]"),
        OptionLen::Parts => {
            option.parts.iter().for_each(|part| form = format!("{form}[:{}]", part.field.key.to_ascii_uppercase()));
        }
        OptionLen::Repeats(_) => form = format!("{form}[:{form}…]"),
        OptionLen::Text => form = format!("{form}{}TEXT", if form.is_empty() { "" } else { ":" }),
        OptionLen::Variable => form = format!("{form}{}HEX", if form.is_empty() { "" } else { ":" }),
        _ => {}
    }
    form
}

/// The key in `desc` of the field that another layer calls `key`.
pub(super) fn same_field(desc: &'static HeaderDesc, key: &str) -> Option<&'static str> {
    let plain = normal(key);
    let is = |field: &&FieldDesc| field.key == key || field.also.contains(&plain.as_str());
    desc.fields.iter().find(is).map(|field| field.key)
}
