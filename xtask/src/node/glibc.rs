//! The oldest glibc that a library runs with.

use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

/// The oldest one that the package promises to run with. Its README says so.
pub(super) const OLDEST: Version = Version { major: 2, minor: 34 };

/// A version of glibc.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version {
    major: u32,
    minor: u32,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// Refuses a library that needs a newer one than the package promises to run with.
pub(super) fn check(library: &Path) -> Result<()> {
    let bytes = fs::read(library).with_context(|| format!("failed to read {}", library.display()))?;
    match needed(&bytes) {
        None => bail!("{} says of no version of glibc that it needs it", library.display()),
        Some(version) if version > OLDEST => bail!(
            "{} needs glibc {version}, and the package promises to run with {OLDEST}; build it on an older system",
            library.display()
        ),
        Some(_) => Ok(()),
    }
}

/// The newest version that is named among the names of versions. Those are texts between NULs, in a section of texts.
fn needed(library: &[u8]) -> Option<Version> {
    let texts = library.split(|byte| *byte == 0);
    let versions = texts.filter_map(|text| {
        let (major, rest) = std::str::from_utf8(text).ok()?.strip_prefix("GLIBC_")?.split_once('.')?;
        // Some have a third part, which never was what mattered.
        let minor = rest.split('.').next()?;
        Some(Version { major: major.parse().ok()?, minor: minor.parse().ok()? })
    });
    versions.max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_is_what_is_needed() {
        let needs = |names: &[u8]| needed(names).map(|version| version.to_string());
        assert_eq!(
            needs(b"\x7fELF\0log\0GLIBC_2.2.5\0GLIBC_2.34\0GLIBC_2.9\0GLIBC_PRIVATE\0"),
            Some("2.34".into())
        );
        assert_eq!(needs(b"\0not GLIBC_2.40\0GLIBC_2.x\0"), None);
        let file = std::env::temp_dir().join(format!("ast-core-glibc-{}", std::process::id()));
        fs::write(&file, b"\0GLIBC_2.99\0").unwrap();
        let refused = check(&file).unwrap_err().to_string();
        fs::remove_file(&file).unwrap();
        assert!(refused.contains("needs glibc 2.99"), "{refused}");
    }

    #[test]
    fn the_readme_says_what_is_promised() {
        let readme = fs::read_to_string(crate::workspace::root().join("bindings/node/README.md")).unwrap();
        assert!(readme.contains(&format!("it takes glibc {OLDEST}")));
    }
}
