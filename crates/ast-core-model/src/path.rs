//! Paths inside the indexed root.

use crate::ModelError;
use std::fmt;

/// A path relative to the indexed root: `/`-separated, UTF-8, no empty, `.` or `..` component, no NUL.
///
/// Ordering is by bytes, so it is the same on every platform.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepoPath(Box<str>);

impl RepoPath {
    /// Checks and takes a relative, `/`-separated path.
    ///
    /// # Errors
    /// [`ModelError::InvalidPath`] if it is empty, absolute, or has an empty, `.` or `..` component or a NUL.
    pub fn new(path: impl Into<Box<str>>) -> Result<Self, ModelError> {
        let path = path.into();
        let reason = if path.is_empty() {
            "is empty"
        } else if path.starts_with('/') {
            "is absolute"
        } else if path.contains('\0') {
            "holds a NUL character"
        } else if path.split('/').any(|part| part.is_empty()) {
            "has an empty component"
        } else if path.split('/').any(|part| part == "." || part == "..") {
            "has a . or .. component"
        } else {
            return Ok(Self(path));
        };
        Err(ModelError::InvalidPath { path: path.into(), reason })
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last component: `server.test.ts` of `src/http/server.test.ts`.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The last component without its last extension: `server.test` of `src/http/server.test.ts`. A name that
    /// begins with its only dot is all stem.
    pub fn file_stem(&self) -> &str {
        let name = self.file_name();
        match name.rfind('.') {
            Some(dot) if dot > 0 => &name[..dot],
            _ => name,
        }
    }

    /// What follows the last dot of the last component, or `""`.
    pub fn extension(&self) -> &str {
        let name = self.file_name();
        match name.rfind('.') {
            Some(dot) if dot > 0 => &name[dot + 1..],
            _ => "",
        }
    }

    /// Everything before the last component, without the slash; `""` at the root.
    pub fn parent(&self) -> &str {
        self.0.rfind('/').map_or("", |slash| &self.0[..slash])
    }
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl AsRef<str> for RepoPath {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_path() {
        let parts = |p: &str| {
            let p = RepoPath::new(p).unwrap();
            (p.parent().to_owned(), p.file_stem().to_owned(), p.extension().to_owned())
        };
        assert_eq!(parts("src/http/server.test.ts"), ("src/http".into(), "server.test".into(), "ts".into()));
        assert_eq!(parts("Makefile"), (String::new(), "Makefile".into(), String::new()));
        assert_eq!(parts("a/.bashrc"), ("a".into(), ".bashrc".into(), String::new()));
    }

    #[test]
    fn paths_that_could_leave_the_root_are_refused() {
        for path in ["", "/etc/passwd", "../x", "a/../b", "a//b", "a/", "./a", "a/.", "a\0b"] {
            let error = RepoPath::new(path).unwrap_err().to_string();
            assert!(error.contains(&format!("{path:?}")), "{error}");
        }
        assert!(RepoPath::new("a/..b/c...rs").is_ok());
    }
}
