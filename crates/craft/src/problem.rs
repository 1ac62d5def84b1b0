//! Sentences about mistakes, written down once: a row is the mistake, its values, its stable code, and the sentence in English.

/// Makes an enum of mistakes out of rows `Variant { value: type } "code" "sentence with {value}"`. `Display` gives the
/// sentence; other languages make theirs of `code` and `values`, which never change their meaning.
macro_rules! problems {
    ($(#[$about:meta])* $name:ident: $(
        $(#[$doc:meta])* $variant:ident { $($value:ident: $type:ty),* } $code:literal $english:literal
    )*) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum $name {
            $(
                $(#[$doc])*
                #[doc = concat!("In English: ", $english)]
                $variant { $(#[doc = concat!("What stands for `", stringify!($value), "` in the sentence.")] $value: $type),* },
            )*
        }

        impl $name {
            /// Every mistake: its stable code, and the sentence with `{value}` where values stand.
            pub const ENGLISH: &'static [(&'static str, &'static str)] = &[$(($code, $english)),*];

            /// The stable code.
            #[must_use]
            pub const fn code(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $code,)*
                }
            }

            /// The values of the sentence, by name.
            #[must_use]
            pub fn values(&self) -> ::alloc::vec::Vec<(&'static str, ::alloc::string::String)> {
                match self {
                    $(Self::$variant { $($value),* } => {
                        ::alloc::vec![$((stringify!($value), ::alloc::string::ToString::to_string($value))),*]
                    })*
                }
            }
        }

        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                match self {
                    $(Self::$variant { $($value),* } => write!(f, $english, $($value = $value),*),)*
                }
            }
        }
    };
}

pub(crate) use problems;
