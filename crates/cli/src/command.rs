//! The command line: verbs and options as data, and the options that mean the same on every verb.

use std::ffi::OsString;
use std::net::IpAddr;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command};
use link::Rung;

use crate::amounts::{amount, duration};
use crate::failure::Failure;
use crate::faults;
use crate::replay::Replay;
use crate::speech::say;

/// A verb: its name, how it is called, and which options it takes. What it does is the catalogue's `verb.NAME`.
pub(crate) struct Verb {
    /// The word on the command line.
    pub name: &'static str,
    /// What stands behind it.
    pub usage: &'static str,
    /// Ids of the options it takes, from [`OPTIONS`].
    pub options: &'static [&'static str],
    /// Examples for `ww help VERB`, each one of them run by a test.
    pub examples: &'static [&'static str],
}

/// Options of output, on every verb.
macro_rules! with_output {
    ($($id:literal),* $(,)?) => { &[$($id,)* "json", "quiet", "verbose", "color", "ascii", "lang"] };
}

/// The verbs, in the order of the overview.
pub(crate) const VERBS: &[Verb] = &[
    Verb {
        name: "ask",
        usage: "PACKET [+ PACKET]…",
        options: with_output!(
            "iface", "to", "write", "count", "every", "rate", "frag", "zip", "yes", "wait", "ipv4", "ipv6", "numeric",
            "seed", "dry-run", "expect", "why", "leave", "guard", "source"
        ),
        examples: &[
            "ww lab ask tcp server:80 S",
            "ww lab ask icmp server",
            "ww lab ask icmp server zero=4000 --frag 1500",
            "ww lab ask tcp server:1..100 S",
            "ww lab ask udp server:9999 data=hello --expect 'icmp unreach'",
        ],
    },
    Verb {
        name: "send",
        usage: "PACKET [+ PACKET]… | FILE",
        options: with_output!(
            "iface", "to", "write", "count", "every", "rate", "frag", "zip", "speed", "gap-max", "frames", "only",
            "seen-by", "relink", "rewrite", "skip", "yes", "ipv4", "ipv6", "numeric", "seed", "dry-run", "why"
        ),
        examples: &[
            "ww lab send udp server:9 data='hello world'",
            "ww lab -w talk.pcapng ask icmp server",
            "ww lab send --seen-by client --only 'icmp type=8' talk.pcapng",
        ],
    },
    Verb {
        name: "ping",
        usage: "HOST | PACKET",
        options: with_output!(
            "iface", "to", "write", "count", "every", "yes", "wait", "ipv4", "ipv6", "numeric", "seed", "expect",
            "why", "guard", "source"
        ),
        examples: &[
            "ww lab ping server",
            "ww lab ping -6 -c 2 --every 100ms server",
            "ww lab ping -c 2 tcp server:80 S",
        ],
    },
    Verb {
        name: "trace",
        usage: "HOST | PACKET",
        options: with_output!(
            "iface", "to", "write", "hops", "probes", "paths", "live", "count", "classic", "every", "yes", "wait",
            "ipv4", "ipv6", "numeric", "seed", "why", "guard", "source"
        ),
        examples: &[
            "ww lab --routers 3 trace server",
            "ww lab --routers 3 trace tcp server:80",
            "ww lab --split trace --paths udp server",
            "ww lab --routers 3 trace -c 3 --every 50ms server",
            "ww lab --routers 3 --rewrite 'tcp mss=1380' trace tcp server:80 S mss=1460",
        ],
    },
    Verb {
        name: "probe",
        usage: "HOST PORTS | PACKET",
        options: with_output!(
            "iface", "to", "write", "probes", "every", "yes", "wait", "ipv4", "ipv6", "numeric", "seed", "expect",
            "why", "guard", "source"
        ),
        examples: &["ww lab probe server 1..100", "ww lab probe udp server:7,9,5353"],
    },
    Verb {
        name: "hand",
        usage: "HOST:PORT | --listen [ADDR]:PORT | --peer WORD",
        options: with_output!(
            "listen", "peer", "guard", "source", "iface", "write", "wait", "ipv4", "ipv6", "numeric", "seed"
        ),
        examples: &["ww lab hand server:80", "ww lab hand --guard own-address server:80", "ww hand --peer bad-ack"],
    },
    Verb {
        name: "build",
        usage: "PACKET [+ PACKET]…",
        options: with_output!("as", "layer", "write", "count", "frag", "zip", "ipv4", "ipv6", "numeric", "seed"),
        examples: &[
            "ww build --as draw ip 192.0.2.2 proto=6 / tcp :80 S",
            "ww build --as hex udp 192.0.2.2:53 data=hi",
            "ww build --as line tcp 192.0.2.0/30:22,80 S",
            "ww build --as python tcp 192.0.2.2:80 S",
        ],
    },
    Verb {
        name: "plan",
        usage: "PACKET [+ PACKET]… | FILE",
        options: with_output!(
            "iface", "to", "frag", "speed", "gap-max", "frames", "only", "seen-by", "relink", "rewrite", "skip",
            "ipv4", "ipv6", "numeric", "seed"
        ),
        examples: &["ww lab plan ip server id=0 proto=tcp", "ww lab plan tcp server:80 S ip.sum=0xdead"],
    },
    Verb {
        name: "guard",
        usage: "ADDR:PORT… [-- COMMAND …]",
        options: with_output!("guard", "udp", "ipv4", "ipv6", "numeric"),
        examples: &["ww lab guard client:40000 -- ss -tln", "ww lab guard --udp :5353 -- ss -uln"],
    },
    Verb {
        name: "show",
        usage: "FILE | - | HEX",
        options: with_output!("as", "layer"),
        examples: &["ww show 450100140000400040060000c0000201c0000202"],
    },
    Verb {
        name: "flow",
        usage: "FILE [N]",
        options: with_output!("iface", "layer"),
        examples: &["ww lab -w talk.pcapng ask tcp server:80 S", "ww flow talk.pcapng"],
    },
    Verb {
        name: "sum",
        usage: "FILE | - | HEX",
        options: with_output!("layer"),
        examples: &["ww sum 45010000d4310000ff060c64c0a80167c0a80101"],
    },
    Verb {
        name: "get",
        usage: "http://HOST[:PORT]/PATH",
        options: &[
            "output", "guard", "source", "wait", "ipv4", "ipv6", "numeric", "quiet", "verbose", "color", "ascii",
            "lang",
        ],
        examples: &["ww lab get http://server/hello", "ww lab get -6 -v http://server/"],
    },
    Verb { name: "fields", usage: "[LAYER]", options: with_output!(), examples: &["ww fields tcp"] },
    Verb {
        name: "lab",
        usage: "[VERB … | -- COMMAND …]",
        options: &[
            "write",
            "routers",
            "split",
            "offload",
            "loss",
            "delay",
            "jitter",
            "reorder",
            "reorder-by",
            "dup",
            "corrupt",
            "rate",
            "queue",
            "rewrite",
            "seed",
            "quiet",
            "verbose",
            "color",
            "ascii",
            "lang",
        ],
        examples: &[
            "ww lab ask tcp server:80 S",
            "ww lab -- ss -tln",
            "ww lab --loss 2% --reorder 5% --dup 1% --seed 7 get http://server/bytes/100000",
            "ww lab --routers 3 ask udp server:9 ttl=2",
            "ww lab --rewrite 'tcp mss=1380' ask tcp server:80 S mss=1460",
        ],
    },
    Verb {
        name: "completions",
        usage: "SHELL",
        options: &["color", "ascii", "lang"],
        examples: &["ww completions bash", "ww completions zsh", "ww completions fish"],
    },
    Verb { name: "demo", usage: "", options: &["path", "color", "ascii", "write", "lang"], examples: &["ww demo"] },
    Verb {
        name: "help",
        usage: "[VERB | TOPIC | CODE]",
        options: &["color", "ascii", "lang"],
        examples: &["ww help language"],
    },
];

/// The verb with this name.
pub(crate) fn verb(name: &str) -> Option<&'static Verb> {
    VERBS.iter().find(|verb| verb.name == name)
}

/// An option: id, short letter, what its value is called (empty: none). What it does is the catalogue's `option.ID`.
pub(crate) struct Opt {
    /// The id in [`Verb::options`], which is also the long name.
    pub id: &'static str,
    /// The letter, if it has one.
    pub short: Option<char>,
    /// The name of its value, or empty.
    pub value: &'static str,
}

const fn opt(id: &'static str, short: Option<char>, value: &'static str) -> Opt {
    Opt { id, short, value }
}

/// Every option; it means the same on every verb that takes it.
pub(crate) const OPTIONS: &[Opt] = &[
    opt("iface", Some('i'), "NAME"),
    opt("to", None, "ADDR"),
    opt("write", Some('w'), "FILE"),
    opt("output", Some('o'), "FILE"),
    opt("wait", None, "TIME"),
    opt("count", Some('c'), "N"),
    opt("every", None, "TIME"),
    opt("hops", None, "N"),
    opt("probes", None, "N"),
    opt("paths", None, ""),
    opt("live", None, ""),
    opt("classic", None, ""),
    opt("frag", None, "N"),
    opt("zip", None, ""),
    opt("speed", None, "N"),
    opt("gap-max", None, "TIME"),
    opt("frames", None, "A..B"),
    opt("only", None, "FIELDS"),
    opt("seen-by", None, "VIEW"),
    opt("relink", None, ""),
    opt("skip", None, ""),
    opt("yes", None, ""),
    opt("ipv4", Some('4'), ""),
    opt("ipv6", Some('6'), ""),
    opt("numeric", Some('n'), ""),
    opt("seed", None, "N"),
    opt("dry-run", None, ""),
    opt("expect", None, "ANSWER"),
    opt("why", None, ""),
    opt("leave", None, ""),
    opt("listen", None, "[ADDR]:PORT"),
    opt("guard", None, "RUNG"),
    opt("source", None, "ADDR"),
    opt("peer", None, "WORD"),
    opt("udp", None, ""),
    opt("as", None, "FORM"),
    opt("path", None, "PATH"),
    opt("layer", None, "LAYER"),
    opt("routers", None, "N"),
    opt("split", None, ""),
    opt("offload", None, ""),
    opt("loss", None, "PERCENT"),
    opt("delay", None, "TIME"),
    opt("jitter", None, "TIME"),
    opt("reorder", None, "PERCENT"),
    opt("reorder-by", None, "TIME"),
    opt("dup", None, "PERCENT"),
    opt("corrupt", None, "PERCENT"),
    opt("rate", None, "RATE"),
    opt("queue", None, "N"),
    opt("rewrite", None, "FIELDS"),
    opt("json", None, ""),
    opt("quiet", Some('q'), ""),
    opt("verbose", Some('v'), ""),
    opt("color", None, "WHEN"),
    opt("ascii", None, ""),
    opt("lang", None, "LANG"),
];

fn option(id: &str) -> &'static Opt {
    OPTIONS.iter().find(|opt| opt.id == id).expect("a verb names only options of the table")
}

/// The options of a verb.
pub(crate) fn options_of(verb: &Verb) -> impl Iterator<Item = &'static Opt> {
    verb.options.iter().map(|id| option(id))
}

/// The option of `verb` that `arg` is, alone or with its value behind `=`.
pub(crate) fn option_of(verb: &Verb, arg: &str) -> Option<&'static Opt> {
    let name = arg.split_once('=').map_or(arg, |(name, _)| name);
    options_of(verb).find(|opt| match (name.strip_prefix("--"), name.strip_prefix('-')) {
        (Some(long), _) => long == opt.id,
        (None, short) => short.is_some_and(|short| opt.short.is_some_and(|letter| short == letter.to_string())),
    })
}

/// Whether the next argument is the value of `arg`, an option of `verb`.
pub(crate) fn wants_value(verb: &Verb, arg: &str) -> bool {
    !arg.contains('=') && option_of(verb, arg).is_some_and(|opt| !opt.value.is_empty())
}

/// The words that an option takes, where they are a closed list.
pub(crate) fn values_of(id: &str) -> Vec<&'static str> {
    match id {
        "as" => crate::verbs::build::FORMS.to_vec(),
        "color" => vec!["auto", "always", "never"],
        "expect" => hand::Expect::WORDS.to_vec(),
        "guard" => Rung::LADDER.map(Rung::code).to_vec(),
        "lang" => render::Lang::ALL.iter().map(|lang| lang.code()).collect(),
        "speed" => vec![crate::replay::AT_ONCE],
        "peer" => net::hand::Erring::ALL.iter().map(|peer| peer.word()).collect(),
        _ => Vec::new(),
    }
}

/// The parser of one verb, made from the tables.
fn parser(verb: &Verb) -> Command {
    let mut command = Command::new(verb.name).no_binary_name(true).disable_help_flag(true).disable_version_flag(true);
    for id in verb.options {
        let opt = option(id);
        let mut arg = Arg::new(opt.id).long(opt.id);
        if let Some(short) = opt.short {
            arg = arg.short(short);
        }
        arg = if opt.value.is_empty() {
            arg.action(ArgAction::SetTrue)
        } else {
            let action = if matches!(opt.id, "rewrite" | "only") { ArgAction::Append } else { ArgAction::Set };
            arg.action(action).value_parser(clap::value_parser!(OsString))
        };
        command = command.arg(arg);
    }
    command = command.arg(Arg::new("help").long("help").short('h').action(ArgAction::SetTrue));
    command.arg(Arg::new("words").num_args(0..).action(ArgAction::Append).value_parser(clap::value_parser!(OsString)))
}

/// The least that `--frag` takes: an IPv4 header and 8 bytes.
const FRAG_MIN: usize = 28;
/// The most: the largest IP packet.
const FRAG_MAX: usize = 65_535;

/// The most packets a second that may be asked for: one a nanosecond, which no machine sends.
const RATE_MAX: u64 = 1_000_000_000;

/// The key of an option's sentence. A rate is of a wire in the lab, of packets elsewhere; what is rewritten passes that wire, or
/// stands in a capture.
pub(crate) fn sentence_of(verb: &Verb, opt: &Opt) -> String {
    let of = match opt.id {
        "rate" if verb.options.contains(&"every") => ".packets",
        "rewrite" if verb.options.contains(&"speed") => ".capture",
        _ => "",
    };
    format!("option.{}{of}", opt.id)
}

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Color {
    /// When standard output is a terminal and `NO_COLOR` is not set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The options of one call, read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// `-i`.
    pub iface: Option<String>,
    /// `--to`.
    pub to: Option<String>,
    /// `-w`.
    pub write: Option<OsString>,
    /// `-o`.
    pub output: Option<OsString>,
    /// `--wait`.
    pub wait: Option<Duration>,
    /// `-c`.
    pub count: Option<u64>,
    /// `--every`.
    pub every: Option<Duration>,
    /// `--rate` of packets, a second.
    pub rate: Option<u64>,
    /// `--frag`: the largest IP packet.
    pub frag: Option<usize>,
    /// `--hops`.
    pub hops: Option<u8>,
    /// `--probes`.
    pub probes: Option<u8>,
    /// `--paths`.
    pub paths: bool,
    /// `--live`.
    pub live: bool,
    /// `--classic`.
    pub classic: bool,
    /// `--yes`.
    pub yes: bool,
    /// `--zip`.
    pub zip: bool,
    /// `-4`.
    pub ipv4: bool,
    /// `-6`.
    pub ipv6: bool,
    /// `-n`.
    pub numeric: bool,
    /// `--seed`.
    pub seed: Option<u64>,
    /// `--dry-run`.
    pub dry_run: bool,
    /// `--expect`.
    pub expect: Option<String>,
    /// `--why`.
    pub why: bool,
    /// `--leave`.
    pub leave: bool,
    /// `--listen`.
    pub listen: Option<String>,
    /// `--guard`.
    pub rung: Option<Rung>,
    /// `--source`.
    pub source: Option<IpAddr>,
    /// `--peer`.
    pub peer: Option<String>,
    /// `--udp`.
    pub udp: bool,
    /// `--as`.
    pub form: Option<String>,
    /// `--path`.
    pub path: Option<String>,
    /// `--layer`.
    pub layer: Option<String>,
    /// `--offload`.
    pub offload: bool,
    /// `--routers` and `--split`.
    pub shape: lab::Shape,
    /// `--rewrite`, each time.
    pub rewrites: Vec<craft::Rewrite>,
    /// What is asked of the frames of a capture.
    pub replay: Replay,
    /// `--loss` and its like: what a wire of the lab does.
    pub faults: Option<sim::Faults>,
    /// `--json`.
    pub json: bool,
    /// `-q`.
    pub quiet: bool,
    /// `-v`.
    pub verbose: bool,
    /// `--color`.
    pub color: Color,
    /// `--ascii`.
    pub ascii: bool,
    /// `-h`.
    pub help: bool,
    /// All that is not an option: the packet's words, a file, a topic.
    pub words: Vec<OsString>,
    /// What stands behind `--`, on a verb that runs a command.
    pub command: Vec<OsString>,
}

impl Options {
    /// Reads the arguments behind a verb.
    ///
    /// # Errors
    /// An option that the verb does not have, or a value that it cannot take.
    pub(crate) fn read(verb: &Verb, args: &[OsString]) -> Result<Self, Failure> {
        let (args, command) = divide(verb, args)?;
        let matches = parser(verb).try_get_matches_from(args).map_err(|error| refused(verb, &error))?;
        let flag = |id: &str| has(verb, id) && matches.get_flag(id);
        let mut options = Self {
            iface: text(verb, &matches, "iface")?,
            to: text(verb, &matches, "to")?,
            write: has(verb, "write").then(|| matches.get_one::<OsString>("write").cloned()).flatten(),
            output: has(verb, "output").then(|| matches.get_one::<OsString>("output").cloned()).flatten(),
            zip: flag("zip"),
            hops: small_number("hops", text(verb, &matches, "hops")?)?,
            probes: small_number("probes", text(verb, &matches, "probes")?)?,
            paths: flag("paths"),
            live: flag("live"),
            classic: flag("classic"),
            yes: flag("yes"),
            ipv4: flag("ipv4"),
            ipv6: flag("ipv6"),
            numeric: flag("numeric"),
            dry_run: flag("dry-run"),
            expect: text(verb, &matches, "expect")?,
            why: flag("why"),
            leave: flag("leave"),
            listen: text(verb, &matches, "listen")?,
            rung: rung(text(verb, &matches, "guard")?)?,
            source: source(text(verb, &matches, "source")?)?,
            peer: text(verb, &matches, "peer")?,
            udp: flag("udp"),
            form: text(verb, &matches, "as")?,
            path: text(verb, &matches, "path")?,
            layer: text(verb, &matches, "layer")?,
            offload: flag("offload"),
            // `--rate` is of a wire here, of packets on other verbs.
            faults: if has(verb, "loss") { faults::read(|id| text(verb, &matches, id))? } else { None },
            shape: crate::relay::shape(text(verb, &matches, "routers")?.as_deref(), flag("split"))?,
            rewrites: crate::rules::rewrites(verb.name, &texts(verb, &matches, "rewrite")?)?,
            json: flag("json"),
            quiet: flag("quiet"),
            verbose: flag("verbose"),
            ascii: flag("ascii"),
            help: matches.get_flag("help"),
            words: matches.get_many::<OsString>("words").map(|w| w.cloned().collect()).unwrap_or_default(),
            command: command.to_vec(),
            ..Self::default()
        };
        if let Some(wait) = text(verb, &matches, "wait")? {
            options.wait = Some(duration(&wait).ok_or_else(|| bad_value("wait", &wait, "1s, 250ms, 2m"))?);
        }
        options.read_numbers(|id| text(verb, &matches, id))?;
        let only = crate::rules::only(verb.name, &texts(verb, &matches, "only")?)?;
        options.replay = Replay::read(flag, only, |id| text(verb, &matches, id))?;
        options.read_pace(|id| if has(verb, "every") { text(verb, &matches, id) } else { Ok(None) })?;
        text(verb, &matches, "lang")?.map_or(Ok(()), |lang| crate::speech::check(&lang))?;
        if let Some(color) = text(verb, &matches, "color")? {
            options.color = match color.as_str() {
                "auto" => Color::Auto,
                "always" => Color::Always,
                "never" => Color::Never,
                _ => return Err(bad_value("color", &color, &say("hint.color", &[]))),
            };
        }
        if options.ipv4 && options.ipv6 {
            return Err(Failure::usage("option-conflict", say("error.option-conflict", &[]))
                .row("or", say("hint.one-version", &[])));
        }
        Ok(options)
    }

    /// Reads how far apart packets are, or how many a second.
    fn read_pace(&mut self, value: impl Fn(&'static str) -> Result<Option<String>, Failure>) -> Result<(), Failure> {
        if let Some(every) = value("every")? {
            self.every = Some(duration(&every).ok_or_else(|| bad_value("every", &every, "1s, 10ms, 2m"))?);
        }
        if let Some(rate) = value("rate")? {
            let packets = amount(&rate).filter(|packets| (1..=RATE_MAX).contains(packets));
            self.rate = Some(packets.ok_or_else(|| bad_value("rate", &rate, &say("hint.packet-rate", &[])))?);
        }
        if self.replay.speed.is_some() && (self.rate.is_some() || self.every.is_some()) {
            return Err(Failure::usage("option-conflict", say("error.option-conflict.speed", &[]))
                .row("or", say("hint.one-pace", &[])));
        }
        if self.rate.is_some() && self.every.is_some() {
            return Err(Failure::usage("option-conflict", say("error.option-conflict.rate", &[]))
                .row("or", say("hint.one-pace", &[])));
        }
        Ok(())
    }

    /// Reads how many packets, how large, and what random values are drawn from.
    fn read_numbers(&mut self, value: impl Fn(&'static str) -> Result<Option<String>, Failure>) -> Result<(), Failure> {
        if let Some(count) = value("count")? {
            let number = count.parse().ok().filter(|count| *count > 0);
            self.count = Some(number.ok_or_else(|| bad_value("count", &count, &say("hint.number-64-from-1", &[])))?);
        }
        if let Some(frag) = value("frag")? {
            let largest = amount(&frag).and_then(|largest| usize::try_from(largest).ok());
            let largest = largest.filter(|largest| (FRAG_MIN..=FRAG_MAX).contains(largest));
            let can = || say("hint.frag-size", &[("min", &FRAG_MIN), ("max", &FRAG_MAX)]);
            self.frag = Some(largest.ok_or_else(|| bad_value("frag", &frag, &can()))?);
        }
        self.hops = small_number("hops", value("hops")?)?;
        self.probes = small_number("probes", value("probes")?)?;
        if let Some(seed) = value("seed")? {
            self.seed = Some(seed.parse().map_err(|_| bad_value("seed", &seed, &say("hint.number-64", &[])))?);
        }
        Ok(())
    }

    /// How this machine's kernel is to be kept quiet.
    pub(crate) fn guard_wish(&self) -> net::GuardWish {
        net::GuardWish { rung: self.rung, source: self.source }
    }

    /// The words as text.
    ///
    /// # Errors
    /// A word that is not UTF-8.
    pub(crate) fn text_words(&self) -> Result<Vec<String>, Failure> {
        self.words
            .iter()
            .enumerate()
            .map(|(i, word)| {
                word.to_str().map(str::to_owned).ok_or_else(|| {
                    let values: [(&str, &dyn std::fmt::Display); 2] =
                        [("number", &(i + 1)), ("text", &word.to_string_lossy())];
                    Failure::usage("not-utf8", say("error.not-utf8", &values)).row("or", say("hint.hex-for-bytes", &[]))
                })
            })
            .collect()
    }
}

/// Divides the verb's own arguments from the command that it is to run, where it runs one.
///
/// # Errors
/// Nothing stands behind `--`.
fn divide<'a>(verb: &Verb, args: &'a [OsString]) -> Result<(&'a [OsString], &'a [OsString]), Failure> {
    let runs_commands = verb.usage.contains("-- COMMAND");
    let Some(at) = args.iter().position(|arg| arg == "--").filter(|_| runs_commands) else { return Ok((args, &[])) };
    let (own, command) = (&args[..at], &args[at + 1..]);
    if command.is_empty() {
        return Err(Failure::usage("command-missing", say("error.command-missing", &[("verb", &verb.name)]))
            .row("see", format!("ww help {}", verb.name)));
    }
    Ok((own, command))
}

/// The rung of `--guard`.
fn rung(text: Option<String>) -> Result<Option<Rung>, Failure> {
    let Some(text) = text else { return Ok(None) };
    let rungs = || Rung::LADDER.map(Rung::code).join(", ");
    Rung::with_code(&text).map(Some).ok_or_else(|| bad_value("guard", &text, &rungs()))
}

/// A number from 1 to 255.
fn small_number(id: &str, text: Option<String>) -> Result<Option<u8>, Failure> {
    let Some(text) = text else { return Ok(None) };
    let number = text.parse().ok().filter(|number| *number > 0);
    number.map(Some).ok_or_else(|| bad_value(id, &text, "1..255"))
}

/// The address of `--source`.
fn source(text: Option<String>) -> Result<Option<IpAddr>, Failure> {
    let Some(text) = text else { return Ok(None) };
    text.parse().map(Some).map_err(|_| bad_value("source", &text, &say("hint.source-address", &[])))
}

fn has(verb: &Verb, id: &str) -> bool {
    verb.options.contains(&id)
}

fn text(verb: &Verb, matches: &ArgMatches, id: &str) -> Result<Option<String>, Failure> {
    if !has(verb, id) {
        return Ok(None);
    }
    match matches.get_one::<OsString>(id) {
        None => Ok(None),
        Some(value) => match value.to_str() {
            Some(text) => Ok(Some(text.to_owned())),
            None => Err(bad_value(id, &value.to_string_lossy(), &say("hint.utf8", &[]))),
        },
    }
}

/// The values of an option that may be given several times.
fn texts(verb: &Verb, matches: &ArgMatches, id: &str) -> Result<Vec<String>, Failure> {
    let values = has(verb, id).then(|| matches.get_many::<OsString>(id)).flatten();
    let refused = |value: &OsString| bad_value(id, &value.to_string_lossy(), &say("hint.utf8", &[]));
    values.into_iter().flatten().map(|value| value.to_str().map(str::to_owned).ok_or_else(|| refused(value))).collect()
}

/// An option's value that it cannot take, and what it takes.
pub(crate) fn bad_value(id: &str, value: &str, can: &str) -> Failure {
    Failure::usage("option-value", say("error.option-value", &[("option", &id), ("value", &value)]))
        .row("it takes", can)
}

/// What clap refused, in our form.
fn refused(verb: &Verb, error: &clap::Error) -> Failure {
    use clap::error::{ContextKind, ContextValue, ErrorKind};
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => render::escape(text).into_owned(),
        Some(ContextValue::Strings(texts)) => render::escape(&texts.join(", ")).into_owned(),
        _ => String::new(),
    };
    let option = context(ContextKind::InvalidArg);
    let failure = match error.kind() {
        ErrorKind::UnknownArgument => {
            let name = option.trim_start_matches('-');
            let failure = Failure::usage(
                "option-unknown",
                say("error.option-unknown", &[("verb", &verb.name), ("option", &option)]),
            );
            match crate::suggest::nearest(name, verb.options.iter().copied()) {
                Some(near) => failure.row("did you mean", crate::explain::again_with(&option, &format!("--{near}"))),
                None if OPTIONS.iter().any(|opt| opt.id == name) => {
                    let takes: Vec<_> = VERBS.iter().filter(|v| v.options.contains(&name)).map(|v| v.name).collect();
                    failure.row("it is for", takes.join(", "))
                }
                None => failure,
            }
        }
        ErrorKind::ArgumentConflict => {
            Failure::usage("option-twice", say("error.option-twice", &[("option", &option)]))
        }
        _ => Failure::usage("option-value", say("error.option-value.missing", &[("option", &option)])),
    };
    failure.row("see", format!("ww help {}", verb.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, args: &[&str]) -> Result<Options, Failure> {
        let args: Vec<OsString> = args.iter().map(OsString::from).collect();
        Options::read(verb(name).unwrap(), &args)
    }

    #[test]
    fn options_stand_before_or_after_the_words() {
        let a = read("ask", &["--wait", "250ms", "tcp", "192.0.2.2:80", "S"]).unwrap();
        let b = read("ask", &["tcp", "192.0.2.2:80", "S", "--wait=250ms"]).unwrap();
        assert_eq!(a.words, b.words);
        assert_eq!((a.wait, b.wait), (Some(Duration::from_millis(250)), Some(Duration::from_millis(250))));
    }

    #[test]
    fn an_option_of_another_verb_is_refused_with_its_verbs() {
        let failure = read("build", &["--wait", "1s"]).unwrap_err();
        assert_eq!(failure.exit, crate::failure::Exit::Usage);
        assert!(failure.to_string().contains("it is for"), "{failure}");
    }

    #[test]
    fn a_command_stands_behind_two_dashes_with_options_of_its_own() {
        let options = read("guard", &["--udp", ":80", "--", "nc", "-q", "0", "--", "x"]).unwrap();
        assert!(options.udp && !options.quiet);
        assert_eq!((options.words.len(), options.command.len()), (1, 5));
        assert_eq!(read("guard", &[":80", "--"]).unwrap_err().code, "command-missing");
        assert_eq!(read("build", &["--", "tcp"]).unwrap().words, ["tcp"]);
    }

    #[test]
    fn every_option_of_a_verb_is_in_the_table() {
        for verb in VERBS {
            for id in verb.options {
                assert_eq!(option(id).id, *id);
            }
        }
    }
}
