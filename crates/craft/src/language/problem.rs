//! What can be wrong with words, a row each.

use alloc::boxed::Box;
use alloc::string::String;
use core::net::IpAddr;

use crate::problem::problems;

problems! {
    /// What is wrong with words, as a sentence with its values.
    Problem:
    /// Nothing was written.
    NoWords {} "no-words" "there are no words: a packet begins with a layer"
    /// More words or bytes than are read.
    TooManyWords { words: usize, words_max: usize, bytes_max: usize } "too-many-words"
        "{words} words are too many or too long: at most {words_max} words and {bytes_max} bytes"
    /// The first word divides layers.
    BeginsWithDivider { word: String } "begins-with-divider" "a packet begins with a layer, not with `{word}`"
    /// Nothing follows a divider.
    LayerShouldFollow { word: String } "layer-should-follow" "a layer should follow `{word}`"
    /// More layers than a packet has.
    TooManyLayers { max: usize } "too-many-layers" "more than {max} layers"
    /// The first word is no layer.
    NoLayerFirst { word: String } "no-layer-first" "a packet begins with a layer; `{word}` is none"
    /// A word behind a divider is no layer.
    NoLayer { word: String } "no-layer" "`{word}` is no layer; one follows each `/`"
    /// A layer above a bare payload.
    NothingAboveRaw {} "nothing-above-raw" "no layer can follow `raw`: it has no header that could say so"
    /// A bare payload with another word.
    OnlyPayloadInRaw { word: String } "only-payload-in-raw" "`raw` has a payload and nothing else, not `{word}`"
    /// TCP or UDP without a port.
    PortNeeded { layer: &'static str } "port-needed"
        "{layer} needs a destination port: no packet is sent to port 0 unless :0 says so"
    /// A layer without a destination.
    AddressNeeded { word: String } "address-needed" "`{word}` needs an address to go to"
    /// A field that must be set.
    FieldNeeded { layer: &'static str, field: &'static str } "field-needed"
        "this {layer} needs {field}=, which does not fill itself"
    /// Options beyond the largest header.
    OptionsTooLong { layer: &'static str, len: usize, max: usize } "options-too-long"
        "the options of {layer} take {len} bytes, {max} fit"
    /// A field set again.
    SetTwice { field: String, before: String } "set-twice" "{field} is set twice: `{before}` says it already"
    /// The destination set again.
    DestinationTwice { before: String } "destination-twice" "the destination is set twice: `{before}` says it already"
    /// The payload set again.
    PayloadTwice { before: String } "payload-twice" "the payload is set twice: `{before}` says it already"
    /// The trailer set again.
    TrailerTwice { before: String } "trailer-twice" "the trailer is set twice: `{before}` says it already"
    /// Text that its room does not hold.
    TextTooLong { field: String, len: usize, max: usize } "text-too-long" "{field}= has {len} bytes; at most {max} fit"
    /// Nearly an IPv4 address.
    NoIpv4Address { word: String } "no-ipv4-address"
        "`{word}` is no IPv4 address: that is four plain decimal parts up to 255"
    /// A key without its value.
    ValueNeeded { layer: &'static str, word: String } "value-needed" "{layer} knows `{word}`, but it needs a value: {word}=…"
    /// A word with dashes.
    LikeAnOption { word: String } "like-an-option" "`{word}` looks like an option; the words of a packet have no dashes"
    /// No word of this layer.
    NoSuchWord { layer: &'static str, word: String } "no-such-word" "{layer} has no word `{word}`"
    /// No key of this layer.
    NoSuchKey { layer: &'static str, key: String } "no-such-key" "{layer} has no `{key}`"
    /// No key of this type of message.
    NotOfThisType { layer: &'static str, kind: &'static str, key: String } "not-of-this-type"
        "{layer} {kind} has no `{key}`; other types have"
    /// No key of this type of message, which has no name.
    NotOfUnnamedType { layer: &'static str, key: String } "not-of-unnamed-type"
        "{layer} of this type has no `{key}`; other types have"
    /// A port where there are none.
    NoPorts { layer: &'static str } "no-ports" "{layer} has no ports; tcp and udp have"
    /// An IP address where there are none.
    NoIpAddresses { layer: &'static str } "no-ip-addresses" "{layer} has no IP address"
    /// `dport=`.
    PortIsWritten { port: String } "port-is-written" "the destination port is written :{port}"
    /// `opt=` in another form.
    AnyOption {} "any-option" "an option of any kind is written opt=KIND:HEX, KIND a number up to 255"
    /// A backslash with something else behind it.
    Escapes {} "escapes" "the escapes of text are \\r \\n \\t \\0 \\xHH and \\\\"
    /// `file=` alone.
    PathNeeded {} "path-needed" "file= needs a path"
    /// A payload beyond the largest.
    PayloadTooLong { len: usize, max: usize } "payload-too-long" "a payload of {len} bytes; at most {max}"
    /// A payload to be made beyond the largest.
    MakesAtMost { key: String, max: usize } "makes-at-most" "{key}= makes at most {max} bytes"
    /// A payload to be made of what is no number.
    NumberOfBytes { key: String } "number-of-bytes" "{key}= takes a number of bytes"
    /// An odd number of digits.
    HalfByte { key: String } "half-byte" "{key}= takes pairs of hexadecimal digits; the last one stands alone"
    /// A character that is no digit.
    NoHexDigit { key: String, char: String } "no-hex-digit" "{key}= takes hexadecimal digits, no `{char}`"
    /// Many types of messages whose forms differ.
    ManyForms { word: String, what: String } "many-forms"
        "`{word}` stands for types of messages of different forms, and `{what}` belongs to one of them"
    /// Many packets where one is wanted.
    ManyPackets { word: String } "many-packets"
        "`{word}` makes many packets, and one is wanted here: write one value"
    /// A further packet where one is wanted.
    NextPacket {} "next-packet" "`+` begins another packet, and one is wanted here"
    /// Many values that no word of this layer takes.
    NoGenerator { layer: &'static str, word: String } "no-generator" "no word of {layer} takes the many values `{word}`"
    /// More questions and records than a message is read with.
    TooManyEntries { max: usize } "too-many-entries" "more than {max} questions and records"
    /// A type without the name that it is asked for.
    QuestionNeeded { kind: String } "question-needed" "{kind} of which name? The name stands before the type"
    /// A question or record with too few parts.
    EntryForm { key: String, form: String } "entry-form" "{key}= takes {form}"
    /// No name of DNS.
    NoDnsName { key: String, name: String } "no-dns-name"
        "{key}=: `{name}` is no name: labels of 1 to 63 bytes, at most 255 in all; `.` is the root, `www@12` goes on at byte 12"
    /// No record type or class.
    NoDnsType { key: String, kind: String } "no-dns-type"
        "{key}=: `{kind}` is no type: A, AAAA, MX/CH, TYPE65400"
    /// No number of a record.
    EntryNumber { key: String, text: String } "entry-number" "{key}=: `{text}` is no number that fits"
    /// Data of another form than their type's.
    EntryData { key: String, form: String } "entry-data" "{key}=: the data of this type are written {form}, or 0xHEX"
    /// An option with fewer or more values than it has.
    OptionCount { key: String, want: String, have: usize } "option-count" "{key}= takes {want}; {have} values stand there"
    /// An option in another form than its own.
    OptionForm { key: String, form: String } "option-form" "{key}= takes {form}"
    /// An option with a value that it cannot have.
    OptionValue { key: String, text: String, why: Box<Problem> } "option-value" "{key}={text}: {why}"
    /// An option whose end is no digits.
    OptionName { key: String, text: String } "option-name" "{key}= takes domain names as example.com, not {text}"
    OptionHex { key: String } "option-hex" "{key}= ends in hexadecimal digits, two for each byte"
    /// An option of a length that it cannot have.
    OptionLength { key: String } "option-length" "{key}= has a value of a length that the option cannot have"
    /// An address of the other version.
    WrongVersion { word: String, address: IpAddr, version: &'static str } "wrong-version"
        "`{word}` cannot go to {address}: that is an {version} address"
    /// An address of another version than the layer below.
    WrongVersionBelow { word: String, address: IpAddr, below: &'static str } "wrong-version-below"
        "`{word}` cannot go to {address}: the layer below is {below}"
    /// Nothing below has IP addresses.
    NoIpBelow { layer: &'static str } "no-ip-below" "there is no IP layer below this {layer}"
    /// A prefix that names the layer itself.
    OwnPrefix { layer: &'static str } "own-prefix"
        "`{layer}.` reaches a {layer} layer below; this layer's own fields have no prefix"
    /// A prefix of a layer that is not there.
    NotBelow { below: String, layer: &'static str } "not-below" "there is no {below} layer below this {layer}"
    /// A quote without its end.
    OpenQuote {} "open-quote" "the single quote is not closed"
    /// A double quote.
    DoubleQuote {} "double-quote" "`\"` is no quote here: text stands in single quotes, data='…'"
    /// A packet file written in another version.
    VersionUnknown { version: String, known: u32 } "version-unknown"
        "this file is written in version {version} of the packet language; this program reads version {known}"
    /// `ww` at the start of a packet file, and no version.
    VersionForm {} "version-form" "a packet file begins with `ww 1`, the version of the language; commands have no place in it"
    /// The version somewhere else than in the first line.
    VersionNotFirst {} "version-not-first" "the version of the language stands in the first line of a file"
    /// A variable that nobody defines.
    VariableUnknown { name: String } "variable-unknown" "nothing in this file says what `${name}` is"
    /// A variable defined again.
    VariableTwice { name: String, line: usize } "variable-twice" "`{name}` is set twice: line {line} says it already"
    /// A variable that names itself.
    VariableCircle { circle: String } "variable-circle" "a variable cannot stand for itself: {circle}"
    /// Variables that name variables, too many in a row.
    VariableDeep { max: usize } "variable-deep" "more than {max} variables stand for one another"
    /// A definition in another form.
    VariableForm {} "variable-form"
        "a variable is written NAME = WORDS, its name in letters, digits and `_`, the first no digit"
    /// A variable of several words where a part of a word is wanted.
    VariableWords { name: String, count: usize } "variable-words"
        "`${name}` stands for {count} words; as a part of a word it must be one"
    /// Variables that make a line longer than a packet is.
    VariableLong { words_max: usize, bytes_max: usize } "variable-long"
        "with what its variables stand for this line is longer than {words_max} words or {bytes_max} bytes"
    /// A `$` without a name.
    Dollar {} "dollar" "`$` begins the name of a variable; text with a `$` in it stands in single quotes"
    /// A packet file without packets.
    NoPackets {} "no-packets" "there is no packet in this file"
    /// A packet file with more lines than are read.
    TooManyLines { max: usize } "too-many-lines" "more than {max} packets and variables are in this file"
    /// Neither number nor name.
    NoNumberNoName { text: String, field: String } "no-number-no-name" "`{text}` is neither a number nor a name of {field}"
    /// A value that the field cannot have.
    Value { text: String, why: Box<Problem> } "value" "`{text}`: {why}"
    /// No value.
    Empty { field: String } "value.empty" "{field} needs a value"
    /// A prefix with more bits than an address has.
    PrefixAtMost { max: u32 } "value.prefix-long" "a prefix has at most {max} bits"
    /// A number as some languages write octal.
    LeadingZero {} "value.leading-zero" "a decimal number has no leading zero (hexadecimal is 0x…)"
    /// No number.
    NoNumber { field: String } "value.no-number" "{field} takes a number: 80, 0x50, 0b101, 1_000, 64k, 1Mi"
    /// A number beyond all.
    TooLarge {} "value.too-large" "the number is too large"
    /// A number beyond the field's largest.
    AtMost { field: String, max: u128 } "value.at-most" "{field} is at most {max}"
    /// No Ethernet address.
    NoMac { field: String } "value.no-mac" "{field} takes an Ethernet address, 02:00:00:00:00:01"
    /// No IPv4 address.
    NoIpv4 { field: String } "value.no-ipv4" "{field} takes an IPv4 address: four plain decimal parts up to 255"
    /// No IPv6 address.
    NoIpv6 { field: String } "value.no-ipv6" "{field} takes an IPv6 address"
    /// Relative to nothing.
    NotRelative { field: String } "value.not-relative" "{field} does not fill itself: +N and -N have nothing to count from"
    /// Many values in an option.
    NotOne {} "value.not-one" "one value is wanted, not many"
    /// A range from high to low.
    Backwards {} "value.backwards" "the range ends before it begins"
    /// An end or a value that is not there.
    OpenRange {} "value.open-range" "a range has two ends, and a list a value on each side of a comma"
    /// A list beyond the longest.
    ListTooLong { max: usize } "value.list-too-long" "a list has at most {max} values"
    /// `rand:` with something else.
    RandForm {} "value.rand-form" "random values are written rand, rand:LOW..HIGH or rand:ADDR/LEN"
    /// `inc:` with something else.
    IncForm {} "value.inc-form" "values that grow are written inc:START:STEP"
    /// No flags.
    NoFlags { field: String, letters: String } "value.no-flags" "{field} takes letters out of {letters}, or a number"
    /// No mistake that has a name.
    NoMistake { word: String } "value.no-mistake" "`{word}` is no mistake that a checksum is made with"
    /// No port.
    PortEmpty {} "value.port-empty" "a port needs a value"
    /// A port beyond the largest.
    PortAtMost { max: u128 } "value.port-at-most" "a port is at most {max}"
    /// A port relative to nothing.
    PortNotRelative {} "value.port-not-relative" "a port does not fill itself: +N and -N have nothing to count from"
}

impl Problem {
    /// The problem inside this one, which its sentence has as `{why}`.
    #[must_use]
    pub fn why(&self) -> Option<&Self> {
        match self {
            Self::OptionValue { why, .. } | Self::Value { why, .. } => Some(why),
            _ => None,
        }
    }
}
