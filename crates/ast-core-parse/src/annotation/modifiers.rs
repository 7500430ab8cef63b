//! The words that modify a definition.

use std::fmt;

macro_rules! modifiers {
    ($($(#[$doc:meta])* $item:ident = $word:literal,)*) => {
        /// A word that modifies a definition, besides those of its visibility.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Modifier {
            $($(#[$doc])* $item,)*
        }

        impl Modifier {
            /// Every modifier, in order.
            pub const ALL: &[Modifier] = &[$(Modifier::$item),*];

            /// The word, in lower case.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Modifier::$item => $word,)*
                }
            }

            /// The modifier that a keyword of some language stands for.
            pub(crate) fn of_word(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Modifier::$item),)*
                    "__inline" | "__inline__" => Some(Modifier::Inline),
                    "__thread" | "_Thread_local" => Some(Modifier::ThreadLocal),
                    _ => None,
                }
            }
        }
    };
}

modifiers! {
    /// To be completed by what derives from it.
    Abstract = "abstract",
    /// Returns before its work is done.
    Async = "async",
    /// Evaluated by the compiler, or not to be changed.
    Const = "const",
    /// Evaluated by the compiler, in C++.
    Constexpr = "constexpr",
    /// Of a data class, in Kotlin.
    Data = "data",
    /// Described here and made elsewhere.
    Declare = "declare",
    /// The default of a module's exports, or of an interface's method.
    Default = "default",
    /// Takes part in no implicit conversion.
    Explicit = "explicit",
    /// Part of what its module offers.
    Export = "export",
    /// Made elsewhere.
    Extern = "extern",
    /// Not to be derived from, overridden or changed.
    Final = "final",
    /// A friend of the class it is in.
    Friend = "friend",
    /// Inlined where it is called.
    Inline = "inline",
    /// Made when it is first used.
    Lazy = "lazy",
    /// Without body here, made in another language.
    Native = "native",
    /// Never throws.
    Noexcept = "noexcept",
    /// To be derived from or overridden.
    Open = "open",
    /// Called by an operator's sign.
    Operator = "operator",
    /// Takes the place of what it is derived from.
    Override = "override",
    /// Given in parts.
    Partial = "partial",
    /// Set once.
    Readonly = "readonly",
    /// Passed on from another module.
    Reexport = "reexport",
    /// Derived from by what is listed only.
    Sealed = "sealed",
    /// Of the type and not of its values, or of the file only.
    Static = "static",
    /// Suspends the thread it runs on, in Kotlin.
    Suspend = "suspend",
    /// One thread at a time.
    Synchronized = "synchronized",
    /// One for each thread.
    ThreadLocal = "thread_local",
    /// Left out when its value is written.
    Transient = "transient",
    /// With duties that the compiler does not check.
    Unsafe = "unsafe",
    /// Overridden at run time.
    Virtual = "virtual",
    /// Changed from outside of the program.
    Volatile = "volatile",
}

/// A set of modifiers.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Modifiers(u64);

impl Modifiers {
    /// Adds a modifier.
    pub fn insert(&mut self, modifier: Modifier) {
        self.0 |= 1 << modifier as u64;
    }

    /// Whether the modifier is in the set.
    pub fn contains(self, modifier: Modifier) -> bool {
        self.0 & 1 << modifier as u64 != 0
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The modifiers, in order of their words.
    pub fn iter(self) -> impl Iterator<Item = Modifier> {
        Modifier::ALL.iter().copied().filter(move |modifier| self.contains(*modifier))
    }
}

impl Extend<Modifier> for Modifiers {
    fn extend<T: IntoIterator<Item = Modifier>>(&mut self, modifiers: T) {
        modifiers.into_iter().for_each(|modifier| self.insert(modifier));
    }
}

impl fmt::Debug for Modifiers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Modifier::as_str)).finish()
    }
}

impl fmt::Display for Modifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
