//! Why a packet cannot become bytes, and what its maker should know although it did.

use alloc::string::String;
use core::fmt;
use core::net::IpAddr;

/// Why a packet cannot become bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildError {
    /// A name still stands for an address.
    NameUnresolved {
        /// The name.
        name: String,
    },
    /// A text given for an address is neither an address nor a name.
    AddressUnreadable {
        /// The text.
        text: String,
    },
    /// A name has an address of a family that cannot stand there.
    WrongFamily {
        /// The name.
        name: String,
        /// What it resolved to.
        address: IpAddr,
    },
    /// A text given for a question or record of DNS is none.
    EntryUnreadable {
        /// The text.
        text: String,
    },
    /// The payload is a file or standard input that nobody has read yet.
    PayloadNotRead,
    /// Two parts of a packet that were put together both carry a payload.
    PayloadTwice,
    /// A field that cannot fill itself is not set.
    FieldMissing {
        /// The layer's word.
        layer: &'static str,
        /// The field's key.
        key: &'static str,
    },
    /// The right value of a field does not fit into its bits.
    ValueTooLarge {
        /// The layer's word.
        layer: &'static str,
        /// The field's key.
        key: &'static str,
        /// The right value.
        value: u128,
        /// The largest that fits.
        max: u128,
    },
    /// A mistake of checksums was set for a field that is none.
    NotAChecksum {
        /// The layer's word.
        layer: &'static str,
        /// The field's key.
        key: &'static str,
    },
    /// More layers than [`MAX_LAYERS`](crate::MAX_LAYERS).
    LayersTooMany,
    /// More payload than [`MAX_PAYLOAD_BYTES`](crate::MAX_PAYLOAD_BYTES).
    PayloadTooLong {
        /// How many bytes.
        len: usize,
    },
}

impl BuildError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NameUnresolved { .. } => "name-unresolved",
            Self::AddressUnreadable { .. } => "address-unreadable",
            Self::WrongFamily { .. } => "wrong-family",
            Self::EntryUnreadable { .. } => "entry-unreadable",
            Self::PayloadNotRead => "payload-not-read",
            Self::PayloadTwice => "payload-twice",
            Self::FieldMissing { .. } => "field-missing",
            Self::ValueTooLarge { .. } => "value-too-large",
            Self::NotAChecksum { .. } => "not-a-checksum",
            Self::LayersTooMany => "layers-too-many",
            Self::PayloadTooLong { .. } => "payload-too-long",
        }
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NameUnresolved { name } => write!(f, "the name `{}` has no address yet", name.escape_debug()),
            Self::AddressUnreadable { text } => write!(f, "`{}` is not an address", text.escape_debug()),
            Self::WrongFamily { name, address } => {
                write!(f, "`{}` is {address}, which is of the wrong family for this layer", name.escape_debug())
            }
            Self::EntryUnreadable { text } => write!(f, "`{}` is no question or record of DNS", text.escape_debug()),
            Self::PayloadNotRead => f.write_str("the payload (file= or stdin) has not been read"),
            Self::PayloadTwice => f.write_str("a packet has one payload; two of its parts carry one"),
            Self::FieldMissing { layer, key } => write!(f, "{layer}.{key} does not fill itself and is not set"),
            Self::ValueTooLarge { layer, key, value, max } => write!(
                f,
                "{layer}.{key} would have to be {value}, at most {max} fits; make the packet smaller or set {layer}.{key}"
            ),
            Self::NotAChecksum { layer, key } => {
                write!(f, "{layer}.{key} is not a checksum, it cannot be wrong like one")
            }
            Self::LayersTooMany => write!(f, "more than {} layers", crate::MAX_LAYERS),
            Self::PayloadTooLong { len } => {
                write!(f, "a payload of {len} bytes; at most {} are carried", crate::MAX_PAYLOAD_BYTES)
            }
        }
    }
}

impl core::error::Error for BuildError {}

/// What the maker of a packet should know although it could be built.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// No route gave a source: it is 0.0.0.0, `::` or 00:00:00:00:00:00.
    SourceUnknown {
        /// Index of the layer.
        layer: usize,
        /// The field, as `layer.key`.
        field: &'static str,
    },
    /// No neighbour table gave the next hop's MAC: it is 00:00:00:00:00:00.
    NextHopUnknown {
        /// Index of the layer.
        layer: usize,
        /// The field, as `layer.key`.
        field: &'static str,
    },
    /// There is no IP layer below: the checksum was made without a pseudo-header.
    PseudoHeaderMissing {
        /// Index of the layer.
        layer: usize,
    },
    /// A mistake that was asked for changes nothing here (`odd` on an even number of bytes): the checksum is right.
    MistakeWithoutEffect {
        /// Index of the layer.
        layer: usize,
    },
}

impl Note {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::SourceUnknown { .. } => "source-unknown",
            Self::NextHopUnknown { .. } => "next-hop-unknown",
            Self::PseudoHeaderMissing { .. } => "pseudo-header-missing",
            Self::MistakeWithoutEffect { .. } => "mistake-without-effect",
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SourceUnknown { field, .. } => write!(f, "no route gave a source: {field} is all zero"),
            Self::NextHopUnknown { field, .. } => write!(f, "no neighbour is known on the way: {field} is all zero"),
            Self::PseudoHeaderMissing { .. } => {
                f.write_str("there is no IP layer below: the checksum is made without a pseudo-header")
            }
            Self::MistakeWithoutEffect { .. } => {
                f.write_str("the checksum is right: the mistake asked for changes nothing in these bytes")
            }
        }
    }
}
