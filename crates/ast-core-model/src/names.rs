//! Enums whose values have names.

macro_rules! names {
    ($(#[$doc:meta])* $type:ident { $($(#[$item_doc:meta])* $item:ident = $name:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $type {
            $($(#[$item_doc])* $item,)*
        }

        impl $type {
            /// Every value, in order.
            pub const ALL: &[$type] = &[$($type::$item),*];

            /// The name in output and filters.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $($type::$item => $name,)*
                }
            }

            fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some($type::$item),)*
                    _ => None,
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

pub(crate) use names;
