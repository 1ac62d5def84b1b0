//! What other tools call things, and what fingers make of our words: the names that a word inside a layer is compared with.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::Range;

use wirewright_wire::{Auto, FieldDesc, HeaderDesc, Kind};

use super::names;
use super::suggest::{Ranked, normal};
use crate::layers;
use crate::options;
use crate::value;

/// Other words for mistakes of checksums, and ours.
pub(super) const MISTAKES: &[(&str, &str)] = &[
    ("wrong", "bad"),
    ("broken", "bad"),
    ("invalid", "bad"),
    ("random", "bad"),
    ("incorrect", "bad"),
    ("swapped", "swap"),
    ("bytes_swapped", "swap"),
    ("byteswap", "swap"),
    ("no_pseudo", "nopseudo"),
    ("no_pseudo_header", "nopseudo"),
    ("odd_byte", "odd"),
    ("none", "zero"),
    ("null", "zero"),
    ("off", "zero"),
    ("pseudo_source", "nosource"),
    ("payload_left_out", "nopayload"),
    ("not_complemented", "nocomp"),
    ("not_zeroed", "notzeroed"),
    ("carry_not_folded", "nofold"),
    ("carry", "nofold"),
    ("stale_field", "stale"),
    ("offload_partial", "partial"),
    ("offload", "partial"),
];

/// Other tools' words for the payload, and ours.
const PAYLOADS: &[(&str, &str)] = &[
    ("data", "data"),
    ("load", "data"),
    ("raw", "data"),
    ("payload", "data"),
    ("data_string", "data"),
    ("string", "data"),
    ("text", "data"),
    ("msg", "data"),
    ("message", "data"),
    ("body", "data"),
    ("content", "data"),
    ("ascii", "data"),
    ("hex", "hex"),
    ("hexdata", "hex"),
    ("bytes", "hex"),
    ("hexdump", "hex"),
    ("file", "file"),
    ("path", "file"),
    ("data_file", "file"),
    ("zero", "zero"),
    ("zeros", "zero"),
    ("zeroes", "zero"),
    ("size", "zero"),
    ("padding", "zero"),
    ("rand", "rand"),
    ("random", "rand"),
    ("data_length", "rand"),
    ("data_len", "rand"),
    ("datalen", "rand"),
];

/// What a known name becomes.
#[derive(Clone, Copy)]
enum Make<'a> {
    /// `KEY=value`
    Key(&'a str),
    /// `LAYER.KEY=value`
    Below(&'a str, &'a str),
    /// `:value`
    Port,
}

/// A word taken apart: the key that was meant, the value if one stands there, and the words it takes.
struct Read<'w> {
    key: String,
    text: Option<&'w str>,
    words: Range<usize>,
    penalty: u32,
}

/// Guesses what the word at `at` in a layer was meant to be.
pub(super) fn guess(
    words: &[&str],
    at: usize,
    desc: &'static HeaderDesc,
    below: &[&'static HeaderDesc],
    ranked: &mut Ranked,
) {
    let word = words[at];
    let one = at..at + 1;
    for read in readings(words, at) {
        guess_keys(&read, desc, below, ranked);
        let flag = read.key.strip_prefix("tcp_flags_").or(read.key.strip_prefix("flags_"));
        if let Some(letters) = flag.and_then(flag_letters).filter(|_| desc.key == "tcp") {
            ranked.push(0, read.words.clone(), [letters].into());
        }
        if let Some(text) = read.text {
            for (name, ours) in PAYLOADS {
                let with = || [format!("{ours}={text}")].into();
                let penalty = read.penalty + 3 - u32::from(name == ours);
                ranked.offer(&read.key, (name, name != ours), penalty, read.words.clone(), with);
            }
        }
    }
    guess_bare(word, desc, &one, ranked);
    guess_below_bare(word, desc, below, &one, ranked);
    if matches!(desc.key, "tcp" | "udp") && !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit()) {
        ranked.push(1, one.clone(), [format!(":{word}")].into());
    }
    guess_host(word, &one, ranked);
    // A layer's word inside another: the divider was forgotten.
    let plain = normal(word);
    ranked.offer(&plain, ("stdin", false), 2, one.clone(), || ["stdin".to_string()].into());
    for layer in wirewright_wire::LAYERS.iter().filter(|_| !word.contains('=')) {
        for (name, penalty) in core::iter::once((layer.key, 2)).chain(layer.also.iter().map(|also| (*also, 4))) {
            ranked.offer(&plain, (name, penalty > 2), penalty, one.clone(), || {
                ["/".to_string(), layer.key.to_string()].into()
            });
        }
    }
    // Text that the shell took apart: `data=hello world`.
    if at > 0 && words[at - 1].starts_with("data=") {
        ranked.push(8, at - 1..at + 1, [format!("{} {word}", words[at - 1])].into());
    }
    if word == "-" {
        ranked.push(2, one, ["stdin".to_string()].into());
    }
}

/// Guesses a payload word where nothing else may stand.
pub(super) fn guess_payload(word: &str, words: &Range<usize>, ranked: &mut Ranked) {
    let (key, text) = word.split_once('=').unwrap_or((word, ""));
    for (name, ours) in PAYLOADS {
        ranked.offer(&normal(key), (name, name != ours), 1, words.clone(), || [format!("{ours}={text}")].into());
    }
}

/// The ways in which a word may be a key with a value: `ttl=3`, `ttl:3`, `ttl3`, `ttl 3`, `--ttl 3`, `mss` alone.
fn readings<'w>(words: &[&'w str], at: usize) -> Vec<Read<'w>> {
    let word = words[at];
    let one = at..at + 1;
    let read = |key: &str, text, words, penalty| Read { key: normal(key), text, words, penalty };
    if let Some((key, text)) = word.split_once('=') {
        let mut readings: Vec<Read<'w>> = [read(key, Some(text), one.clone(), 0)].into();
        // Wireshark's filters: `ip.ttl==3`.
        if let Some(text) = text.strip_prefix('=') {
            readings.push(read(key, Some(text), one, 0));
        }
        return readings;
    }
    let mut readings = Vec::new();
    if let Some((key, text)) = word.split_once(':') {
        readings.push(read(key, Some(text), one.clone(), 1));
    }
    let letters = word.trim_end_matches(|c: char| c.is_ascii_digit());
    if letters.len() < word.len() && !letters.is_empty() {
        readings.push(read(letters, Some(&word[letters.len()..]), one.clone(), 2));
    }
    let next = words.get(at + 1).filter(|next| !next.contains('=') && !super::reader::is_divider(next));
    if let Some(next) = next {
        readings.push(read(word, Some(next), at..at + 2, 1));
    }
    readings.push(read(word, None, one, 0));
    readings
}

/// Compares with the keys of this layer, the words that reach the IP layer, and the keys of the layers below.
fn guess_keys(read: &Read<'_>, desc: &'static HeaderDesc, below: &[&'static HeaderDesc], ranked: &mut Ranked) {
    let bodies = desc.variants.iter().map(|variant| variant.body);
    for own in core::iter::once(desc).chain(bodies) {
        for field in own.fields {
            let make = if field.key == "dport" { Make::Port } else { Make::Key(field.key) };
            offer_field(read, own, field, make, 0, ranked);
        }
        for option in own.options.iter().flat_map(|table| table.kinds) {
            let with = || match read.text {
                Some(text) if !options::is_bare(option) => format!("{}={text}", option.key),
                _ => option.key.to_string(),
            };
            let names = option.also.iter().copied().chain([option.shark, option.title]).map(|also| (also, 1));
            let fields = option.fields.iter().flat_map(|field| field.also.iter().copied().chain([field.shark]));
            let all = core::iter::once((option.key, 0)).chain(names).chain(fields.map(|also| (also, 2)));
            for (name, penalty) in all {
                if read.text.is_some() || options::is_bare(option) {
                    ranked.offer(&read.key, (name, penalty > 0), penalty + read.penalty, read.words.clone(), || {
                        [with()].into()
                    });
                }
            }
        }
    }
    if !layers::is_link(desc) && !matches!(desc.key, "arp" | "ip" | "ip6") {
        for network in [layers::ip(), layers::ip6()] {
            for field in network.fields {
                let reaching = match field.key {
                    "hlim" => Some("ttl"),
                    "tc" => Some("tos"),
                    key => super::layer::REACHING.iter().copied().find(|reaching| *reaching == key),
                };
                let make = reaching.map_or(Make::Below(network.key, field.key), Make::Key);
                let penalty = if reaching.is_some() { 2 } else { 3 };
                offer_field(read, network, field, make, penalty + u32::from(network.key == "ip6"), ranked);
            }
        }
    }
    for layer in below.iter().copied().chain([layers::eth()]) {
        if layer.key == desc.key {
            continue;
        }
        for field in layer.fields {
            offer_field(read, layer, field, Make::Below(layer.key, field.key), 4, ranked);
        }
    }
}

fn offer_field(
    read: &Read<'_>,
    layer: &'static HeaderDesc,
    field: &'static FieldDesc,
    make: Make<'_>,
    penalty: u32,
    ranked: &mut Ranked,
) {
    // A port is never meant where one letter merely looks like it.
    let dotted = format!("{}_{}", layer.key, field.key);
    let own = [(field.key, 0), (field.name, 1), (dotted.as_str(), 1), (field.shark, 1)];
    let names = own.into_iter().chain(field.also.iter().map(|also| (*also, 1)));
    let with = || match (make, read.text) {
        (Make::Port, Some(text)) => [format!(":{text}")].into(),
        (Make::Key(_), None) if field.bare => [field.key.to_string()].into(),
        (Make::Key(key), Some(text)) if field.kind == Kind::Flags => {
            [flag_letters(text).unwrap_or_else(|| format!("{key}={text}"))].into()
        }
        (Make::Key(key), Some(text)) => [format!("{key}={text}")].into(),
        (Make::Below(layer, key), Some(text)) => [format!("{layer}.{key}={text}")].into(),
        (Make::Key(key), None) if matches!(field.auto, Auto::Checksum(_)) => [format!("{key}=bad")].into(),
        (Make::Below(layer, key), None) if matches!(field.auto, Auto::Checksum(_)) => {
            [format!("{layer}.{key}=bad")].into()
        }
        _ => Vec::new(),
    };
    let made: Vec<String> = with();
    if made.is_empty() {
        return;
    }
    for (name, alias) in names {
        let cost = penalty + alias + read.penalty;
        // `eth.destination`: another tool's word behind our word for the layer.
        if let Some(key) = read.key.strip_prefix(layer.key).and_then(|key| key.strip_prefix('_')) {
            ranked.offer(key, (name, alias > 0), cost, read.words.clone(), || made.clone());
        }
        ranked.offer(&read.key, (name, alias > 0), cost, read.words.clone(), || made.clone());
    }
}

/// Compares with the bare words of the layer and with flags.
fn guess_bare(word: &str, desc: &'static HeaderDesc, one: &Range<usize>, ranked: &mut Ranked) {
    let plain = normal(word);
    let spoken = matches!(desc.key, "icmp" | "icmp6" | "igmp" | "arp" | "dhcp6");
    for field in desc.fields.iter().filter(|field| spoken && matches!(field.key, "type" | "op")) {
        for named in field.names {
            let aliases = named.also.iter().copied().chain([named.title]).map(|also| (also, 1));
            for (name, penalty) in core::iter::once((named.word, 0)).chain(aliases) {
                ranked.offer(&plain, (name, penalty > 0), penalty, one.clone(), || [named.word.to_string()].into());
            }
        }
    }
    let options = desc.options.into_iter().flat_map(|table| table.kinds.iter().map(move |option| (table, option)));
    let said = options.filter(|(table, option)| options::is_spoken(table, option));
    for named in said.flat_map(|(_, option)| option.fields).flat_map(|field| field.names) {
        let aliases = named.also.iter().copied().map(|also| (also, 1));
        for (name, penalty) in core::iter::once((named.word, 0)).chain(aliases) {
            ranked.offer(&plain, (name, penalty > 0), penalty, one.clone(), || [named.word.to_string()].into());
        }
    }
    for code in desc.variants.iter().flat_map(|variant| variant.codes) {
        let aliases = code.also.iter().copied().map(|also| (also, 4));
        for (name, penalty) in core::iter::once((code.word, 3)).chain(aliases) {
            ranked.offer(&plain, (name, penalty > 3), penalty, one.clone(), || [format!("code={}", code.word)].into());
        }
    }
    if desc.key == "tcp" {
        if let Some(letters) = flag_letters(word) {
            ranked.push(1, one.clone(), [letters].into());
        }
        ranked.offer(&plain, ("none", false), 1, one.clone(), || ["none".to_string()].into());
    }
}

/// `badsum-ip` and the bits of the IP layer, said in a layer above it.
fn guess_below_bare(
    word: &str,
    desc: &'static HeaderDesc,
    below: &[&'static HeaderDesc],
    one: &Range<usize>,
    ranked: &mut Ranked,
) {
    let reaches = matches!(desc.key, "tcp" | "udp" | "icmp") || below.iter().any(|layer| layer.key == "ip");
    if desc.key == "ip" || !reaches {
        return;
    }
    let plain = normal(word);
    for field in layers::ip().fields.iter().filter(|field| field.bare) {
        for (name, penalty) in core::iter::once((field.key, 2)).chain(field.also.iter().map(|also| (*also, 3))) {
            ranked.offer(&plain, (name, penalty > 2), penalty, one.clone(), || [format!("ip.{}=1", field.key)].into());
        }
    }
}

/// An address of the web, or of a tool that takes `tcp://HOST:PORT`.
pub(super) fn url(word: &str) -> Option<Vec<String>> {
    let (scheme, rest) = word.split_once("://")?;
    let host = rest.split('/').next()?;
    if let Some(layer) = layers::known(scheme) {
        return Some([layer.key.to_string(), host.to_string()].into());
    }
    let port = if host.contains(':') { String::new() } else { format!(":{scheme}") };
    Some(["tcp".to_string(), format!("{host}{port}")].into())
}

/// Addresses with a port divided in another way: `192.0.2.2/80`, `192.0.2.2,80`, `2001:db8::2.80`.
fn guess_host(word: &str, one: &Range<usize>, ranked: &mut Ranked) {
    for divider in ['/', ',', ';', '#', '.', ':'] {
        let Some((host, port)) = word.rsplit_once(divider) else { continue };
        if port.is_empty() || !port.bytes().all(|b| b.is_ascii_digit()) {
            continue;
        }
        if value::ipv4(host).is_some() {
            ranked.push(3, one.clone(), [format!("{host}:{port}")].into());
        } else if let Some((address, None)) = names::address(host) {
            ranked.push(3, one.clone(), [address.to_string(), format!(":{port}")].into());
        }
    }
}

/// The letters of flags that a text says in another way: `syn`, `SYN-ACK`, `synack`, `sa`, `S|A`, `0x02` not.
pub(super) fn flag_letters(text: &str) -> Option<String> {
    let field = layers::tcp().fields.iter().find(|field| field.kind == Kind::Flags)?;
    let lower = text.trim_start_matches('-').to_ascii_lowercase();
    let parts: Vec<&str> = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty()).collect();
    let mut bits = 0;
    for part in &parts {
        bits |= flags_in(field, part)?;
    }
    if parts.is_empty() {
        return None;
    }
    let mut letters = String::new();
    value::write_flags(&mut letters, field, bits).ok()?;
    Some(letters)
}

/// The bits of one part: names joined without a divider, or letters of any case.
fn flags_in(field: &'static FieldDesc, part: &str) -> Option<u128> {
    let mut rest = part;
    let mut bits = 0;
    while !rest.is_empty() {
        let named = field.names.iter().find_map(|name| {
            let long = name.also.iter().filter(|also| also.len() > 1).find_map(|also| rest.strip_prefix(also))?;
            Some((name.value, long))
        });
        let Some((value, behind)) = named else { break };
        bits |= u128::from(value);
        rest = behind;
    }
    if rest.is_empty() {
        return Some(bits);
    }
    let letters = part.chars().try_fold(0, |all, letter| {
        let is = |name: &&wirewright_wire::Name| name.word.eq_ignore_ascii_case(letter.encode_utf8(&mut [0; 4]));
        let name = field.names.iter().find(is)?;
        Some(all | u128::from(name.value))
    });
    letters.or_else(|| misspelt_flag(field, part))
}

fn misspelt_flag(field: &'static FieldDesc, part: &str) -> Option<u128> {
    let near = field.names.iter().filter(|name| name.title.len() > 2);
    let near = near.filter_map(|name| Some((super::suggest::nearness(part, name.title)?, name.value)));
    near.min_by_key(|(cost, _)| *cost).map(|(_, value)| value.into())
}
