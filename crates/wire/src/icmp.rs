//! What both versions of ICMP have alike, written once: a message is read, and its body, beside the tables of a version.

use crate::Name;

/// Words for the codes of an extended echo reply (RFC 8335 §3).
pub(crate) static EXTENDED_REPLY_CODES: &[Name] = &[
    Name::new(0, "noerror", "no error").also(&["no_error", "success"]),
    Name::new(1, "malformed", "malformed query").also(&["malformed_query"]),
    Name::new(2, "nointerface", "no such interface").also(&["no_such_interface"]),
    Name::new(3, "noentry", "no such table entry").also(&["no_such_table_entry"]),
    Name::new(4, "multiple", "several interfaces satisfy the query").also(&["multiple_interfaces"]),
];

/// Words for the states of a neighbour in an extended echo reply (RFC 8335 §3).
pub(crate) static NEIGHBOR_STATES: &[Name] = &[
    Name::new(1, "incomplete", "being resolved"),
    Name::new(2, "reachable", "reachable"),
    Name::new(3, "stale", "not confirmed lately"),
    Name::new(4, "delay", "about to be probed"),
    Name::new(5, "probe", "being probed"),
    Name::new(6, "failed", "not resolved"),
];

/// The message of a version, and what reads it. It stands where `header!` has made `View` and `LEN`.
macro_rules! icmp_message {
    ($layer:ident) => {
        /// A message.
        #[derive(Clone, Copy, Debug)]
        pub struct Message<'a> {
            /// Type, code and checksum.
            pub header: View<'a>,
            /// All behind these four bytes.
            pub rest: &'a [u8],
        }

        impl<'a> Message<'a> {
            /// The body that the type chooses.
            ///
            /// # Errors
            /// When the bytes end before the body does.
            pub fn body(&self) -> Result<Body<'a>, ParseError> {
                Body::parse(self.header.message_type(), self.rest)
            }

            /// The packet that an error quotes, from its IP header; `None` when the message is no error, or cut off before
            /// it.
            #[must_use]
            pub fn quote(&self) -> Option<&'a [u8]> {
                let variant = DESC.variant_for(u128::from(self.header.message_type()))?;
                if variant.quotes { self.rest.get(variant.body.len..) } else { None }
            }
        }

        /// Reads the four bytes that all messages have.
        ///
        /// # Errors
        /// When there are fewer than 4 bytes. Type, code and checksum are not judged here.
        pub const fn parse(bytes: &[u8]) -> Result<Message<'_>, ParseError> {
            match View::split(bytes) {
                Some((header, rest)) => Ok(Message { header, rest }),
                None => Err(too_short(LEN, bytes.len())),
            }
        }

        /// `need` and `have` count from the type.
        const fn too_short(need: usize, have: usize) -> ParseError {
            let offset = if have < LEN { 0 } else { LEN };
            ParseError { layer: Layer::$layer, offset, need, have, limited_by: LimitedBy::LowerLength }
        }
    };
}

/// `Body::parse` of a version: which type has which body, by the module that holds its table.
macro_rules! icmp_bodies {
    ($($($message_type:ident)|+ => $variant:ident($($module:ident)::+)),+ $(,)?) => {
        impl<'a> Body<'a> {
            /// The body of a message of this type; `rest` are the bytes behind the checksum.
            ///
            /// # Errors
            /// When the bytes end before the body does.
            pub fn parse(message_type: u8, rest: &'a [u8]) -> Result<Self, ParseError> {
                let short = |len: usize| super::too_short(super::LEN + len, super::LEN + rest.len());
                match message_type {
                    $($(types::$message_type)|+ => {
                        let (view, behind) =
                            $($module::)+View::split(rest).ok_or_else(|| short($($module::)+LEN))?;
                        Ok(Self::$variant(view, behind))
                    })+
                    _ => Ok(Self::Other(rest)),
                }
            }
        }
    };
}
