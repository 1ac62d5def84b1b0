//! `header!` and `tlv!`: a field is written down once, and everything else follows from its row.

/// Sums the first `count` widths; the compiler counts offsets with it.
#[must_use]
pub(crate) const fn offset_of(bits: &[usize], count: usize) -> usize {
    let mut sum = 0;
    let mut i = 0;
    while i < count {
        sum += bits[i];
        i += 1;
    }
    sum
}

/// The kind that ends a list of options: the one called `eol` or `end`.
#[must_use]
pub(crate) const fn end_of(kinds: &[(u16, &str)]) -> Option<u16> {
    let mut i = 0;
    while i < kinds.len() {
        if matches!(kinds[i].1.as_bytes(), b"eol" | b"end") {
            return Some(kinds[i].0);
        }
        i += 1;
    }
    None
}

/// Declares the header of the module it stands in.
///
/// ```text
/// header! {
///     "ip" 20 bytes "Internet Protocol, version 4" "RFC 791 §3.1";
///     /// The version of the header: 4.
///     version: u8 = 4 bits "ver" .default(4).shark("ip.version");
///     …
/// }
/// ```
///
/// Makes `LEN`, `FIELDS`, `DESC`, `View`, `ViewMut` and `Header`. Rows are in wire order; a table that does not fill its
/// header does not compile. What follows the key is a chain of [`FieldDesc`](crate::FieldDesc) methods, what follows `=>`
/// in the head one of [`HeaderDesc`](crate::HeaderDesc) methods.
macro_rules! header {
    (
        $layer:literal $len:literal bytes $title:literal $rfc:literal $(=> $ext:ident ( $($extarg:tt)* ))* ;
        $( $(#[doc = $doc:literal])* $name:ident : $ty:ty = $bits:literal bits $key:literal $( . $attr:ident ( $($arg:tt)* ) )* ; )+
    ) => {
        /// Length of the fixed header in bytes.
        pub const LEN: usize = $len;

        const BITS: &[usize] = &[$($bits),+];
        const _: () = assert!(
            $crate::table::offset_of(BITS, BITS.len()) == LEN * 8,
            concat!("the fields of `", $layer, "` do not fill its header")
        );

        #[allow(non_camel_case_types, reason = "the rows' own identifiers, as indices")]
        enum Row { $($name),+ }

        /// The fields, in wire order.
        pub static FIELDS: &[$crate::FieldDesc] = &[$(
            $crate::FieldDesc::new(
                stringify!($name),
                $key,
                concat!($layer, ".", $key),
                $crate::table::offset_of(BITS, Row::$name as usize),
                $bits,
                <$ty as $crate::Field>::KIND,
            ) $( . $attr ( $($arg)* ) )*
        ),+];

        /// The header as data.
        pub static DESC: $crate::HeaderDesc =
            $crate::HeaderDesc::new($layer, $title, $rfc, $len, FIELDS) $(. $ext ( $($extarg)* ))*;

        #[doc = concat!("A header read in place (", $title, ", ", $rfc, ").")]
        #[derive(Clone, Copy, Debug)]
        pub struct View<'a>(&'a [u8; LEN]);

        impl<'a> View<'a> {
            /// A view over exactly one fixed header.
            #[inline]
            #[must_use]
            pub const fn new(header: &'a [u8; LEN]) -> Self {
                Self(header)
            }

            /// A view over the first bytes of a slice, and what follows them; `None` when the slice is shorter.
            #[inline]
            #[must_use]
            pub const fn split(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
                match bytes.split_first_chunk::<LEN>() {
                    Some((header, rest)) => Some((Self(header), rest)),
                    None => None,
                }
            }

            /// The bytes beneath.
            #[inline]
            #[must_use]
            pub const fn bytes(&self) -> &'a [u8; LEN] {
                self.0
            }

            $(
                $(#[doc = $doc])*
                #[inline]
                #[must_use]
                pub fn $name(&self) -> $ty {
                    <$ty as $crate::Field>::load(self.0, const { $crate::table::offset_of(BITS, Row::$name as usize) }, $bits)
                }
            )+
        }

        #[doc = concat!("A header written in place (", $title, "). Setters are named after their fields.")]
        #[derive(Debug)]
        pub struct ViewMut<'a>(&'a mut [u8; LEN]);

        impl<'a> ViewMut<'a> {
            /// A view over exactly one fixed header.
            #[inline]
            #[must_use]
            pub const fn new(header: &'a mut [u8; LEN]) -> Self {
                Self(header)
            }

            /// A view over the first bytes of a slice, and what follows them; `None` when the slice is shorter.
            #[inline]
            #[must_use]
            pub const fn split(bytes: &'a mut [u8]) -> Option<(Self, &'a mut [u8])> {
                match bytes.split_first_chunk_mut::<LEN>() {
                    Some((header, rest)) => Some((Self(header), rest)),
                    None => None,
                }
            }

            /// The same header, to be read.
            #[inline]
            #[must_use]
            pub const fn as_view(&self) -> View<'_> {
                View(self.0)
            }

            $(
                $(#[doc = $doc])*
                #[inline]
                pub fn $name(&mut self, value: $ty) -> &mut Self {
                    <$ty as $crate::Field>::store(
                        value,
                        self.0,
                        const { $crate::table::offset_of(BITS, Row::$name as usize) },
                        $bits,
                    );
                    self
                }
            )+
        }

        #[doc = concat!("A header as a value (", $title, ", ", $rfc, ").")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct Header {
            $( $(#[doc = $doc])* pub $name: $ty, )+
        }

        impl Header {
            /// Every field of a header.
            #[inline]
            #[must_use]
            pub fn parse(header: &[u8; LEN]) -> Self {
                let view = View(header);
                Self { $( $name: view.$name(), )+ }
            }

            /// Writes every field.
            #[inline]
            pub fn emit(&self, header: &mut [u8; LEN]) {
                let mut view = ViewMut(header);
                $( view.$name(self.$name); )+
            }

            /// The header's bytes.
            #[inline]
            #[must_use]
            pub fn to_bytes(&self) -> [u8; LEN] {
                let mut header = [0; LEN];
                self.emit(&mut header);
                header
            }
        }

        impl Default for Header {
            /// Each field's default from the table; what fills itself is zero.
            fn default() -> Self {
                let mut header = [0; LEN];
                for field in FIELDS {
                    let _ = field.write(&mut header, field.default);
                }
                Self::parse(&header)
            }
        }

        #[cfg(test)]
        mod rows {
            use super::*;
            use $crate::Field;
            use $crate::sample;

            #[test]
            fn view_value_and_description_agree_on_every_field() {
                for background in [[0x00; LEN], [0xff; LEN], sample::bytes()] {
                    $( for value in sample::values(usize::min($bits, 128)) {
                        // Text is no number: its own test is in `field`.
                        if $bits > 128 {
                            break;
                        }
                        let field = &FIELDS[Row::$name as usize];
                        let mut described = background;
                        assert!(field.write(&mut described, value), "{} is in the header", field.key);
                        assert_eq!(field.read(&described), Some(value), "{}", field.key);

                        let mut set = background;
                        ViewMut::new(&mut set).$name(<$ty>::load(&value.to_be_bytes(), 128_usize.saturating_sub($bits), $bits));
                        assert_eq!(set, described, "the setter of {}", field.key);

                        let mut got = [0; 16];
                        View::new(&described).$name().store(&mut got, 128_usize.saturating_sub($bits), $bits);
                        assert_eq!(u128::from_be_bytes(got), value, "the getter of {}", field.key);

                        let header = Header::parse(&described);
                        assert_eq!(header.$name, View::new(&described).$name());
                        assert_eq!(header.to_bytes(), described, "the value with {}", field.key);
                    } )+
                }
            }
        }
    };
}

/// Declares the options of a header: kinds, lengths, and the fields of their values.
///
/// ```text
/// tlv! {
///     OPTIONS "TCP options" WholeBytes align 4 max 40 "RFC 9293 §3.2";
///     0 "eol" "End of option list" Single "tcp.options.eol" "RFC 9293 §3.2" {}
///     2 "mss" "Maximum segment size" Value(2) "tcp.options.mss" "RFC 9293 §3.2" { mss: u16 = 16 bits "mss"; }
///     3 "wscale" "Window scale" Value(1) "tcp.options.wscale" "RFC 7323 §2.2" also ["ws"] { … }
///     25 "rdnss" "Recursive DNS server" Variable "icmpv6.opt.rdnss" "RFC 8106 §5.1" then ADDRESSES { … }
///     30 "dss" "Data sequence signal" Parts "tcp.options.mptcp" "RFC 8684 §3.3" when DSS parts DSS_PARTS { … }
/// }
/// ```
///
/// `then` names the entries of a list that follows, `when` what tells rows of one kind apart, `parts` the fields that may be absent.
macro_rules! tlv {
    (
        $(#[doc = $tdoc:literal])*
        $static:ident $title:literal $length:ident align $align:literal max $max:literal $rfc:literal $layer:literal;
        $(
            $kind:literal $key:literal $otitle:literal $variant:ident $(($size:literal))? $shark:literal $orfc:literal $(also $also:tt)? $(then $then:ident)? $(when $when:ident)? $(parts $parts:ident)? {
                $( $name:ident : $ty:ty = $bits:literal bits $fkey:literal $( . $attr:ident ( $($arg:tt)* ) )* ; )*
            }
        )+
    ) => {
        /// The keys of the options as words for their kinds, for a field that names some of them.
        #[allow(dead_code, reason = "few lists name their own kinds")]
        const KIND_NAMES: &[$crate::Name] = &[$($crate::Name::new($kind, $key, $otitle)),+];

        $(#[doc = $tdoc])*
        pub static $static: $crate::TlvDesc = $crate::TlvDesc {
            title: $title,
            kinds: &[$(
                $crate::OptionDesc {
                    kind: $kind,
                    key: $key,
                    title: $otitle,
                    len: $crate::OptionLen::$variant $(($size))?,
                    fields: {
                        #[allow(dead_code, reason = "an option without fields asks for no offset")]
                        const BITS: &[usize] = &[$($bits),*];
                        #[allow(non_camel_case_types, dead_code, reason = "the rows' own identifiers, as indices")]
                        enum Row { $($name,)* End }
                        const { tlv!(@check $variant $(($size))? BITS, $key) };
                        const { &[$(
                            $crate::FieldDesc::new(
                                stringify!($name),
                                $fkey,
                                concat!($layer, ".", $key, ".", $fkey),
                                $crate::table::offset_of(BITS, Row::$name as usize),
                                $bits,
                                <$ty as $crate::Field>::KIND,
                            ) $( . $attr ( $($arg)* ) )*
                        ),*] }
                    },
                    entries: tlv!(@then $($then)?),
                    parts: tlv!(@then $($parts)?),
                    when: tlv!(@when $($when)?),
                    rfc: $orfc,
                    shark: $shark,
                    also: tlv!(@also $($also)?),
                }
            ),+],
            length: $crate::TlvLength::$length,
            end: $crate::table::end_of(&[$(($kind, $key)),+]),
            align: $align,
            max: $max,
            rfc: $rfc,
        };
    };
    (@also) => { &[] };
    (@also $also:tt) => { &$also };
    (@then) => { &[] };
    (@then $then:ident) => { $then };
    (@when) => { $crate::When::ALWAYS };
    (@when $when:ident) => { $when };
    (@check Single $bits:ident, $key:literal) => { assert!($bits.is_empty(), concat!("`", $key, "` has no value")) };
    (@check Variable $bits:ident, $key:literal) => { () };
    (@check Counted $bits:ident, $key:literal) => { () };
    (@check Text $bits:ident, $key:literal) => { () };
    (@check Parts $bits:ident, $key:literal) => { () };
    (@check Names($unit:literal) $bits:ident, $key:literal) => { () };
    (@check $variant:ident($size:literal) $bits:ident, $key:literal) => {
        assert!(
            $crate::table::offset_of($bits, $bits.len()) == $size * 8,
            concat!("the fields of option `", $key, "` do not fill it")
        )
    };
}
