//! What the path of a file says of its content.

/// What a file is there for, as its path tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PathRole {
    /// Tests, and what they need.
    pub is_test: bool,
    /// Examples, benchmarks and demonstrations.
    pub is_example: bool,
    /// Code of somebody else.
    pub is_vendored: bool,
    /// Code that a program has written: bundles, minified files, code of parsers and protocols.
    pub is_generated: bool,
    /// Declarations without code.
    pub is_stub: bool,
    /// A header of C or C++.
    pub is_header: bool,
    /// Where names are handed on: `__init__.py`, `index.ts`, `mod.rs`.
    pub is_index: bool,
}

const TESTS: &[&str] = &[
    "__mocks__",
    "__tests__",
    "__testfixtures__",
    "e2e",
    "fixture",
    "fixtures",
    "fuzz",
    "fuzzing",
    "mock",
    "mocks",
    "spec",
    "specs",
    "test",
    "testdata",
    "testfixtures",
    "testing",
    "testkit",
    "tests",
    "testsuite",
    "testutil",
    "testutils",
];
const EXAMPLES: &[&str] = &[
    "bench",
    "benches",
    "benchmark",
    "benchmarks",
    "demo",
    "demos",
    "example",
    "examples",
    "sample",
    "samples",
];
const VENDORED: &[&str] = &[
    "bower_components",
    "contrib",
    "deps",
    "extern",
    "external",
    "externals",
    "node_modules",
    "third-party",
    "third_party",
    "thirdparty",
    "vendor",
    "vendored",
    "vendors",
];
const GENERATED: &[&str] =
    &["__generated__", "autogen", "build", "bundle", "dist", "gen", "generated", "out"];
const HEADERS: &[&str] = &[".h", ".hh", ".hpp", ".hxx"];
const INDEXES: &[&str] = &["__init__.py", "__init__.pyi", "lib.rs", "mod.rs", "package-info.java"];

impl PathRole {
    /// What a path, with `/` between its parts, says.
    pub fn of(path: &str) -> Self {
        let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
        let lower = name.to_ascii_lowercase();
        let stem = lower.split_once('.').map_or(lower.as_str(), |(stem, _)| stem);
        let stem_as_written = name.split_once('.').map_or(name, |(stem, _)| stem);
        let in_folder = |names: &[&str]| {
            folders.split('/').any(|folder| names.contains(&folder.to_ascii_lowercase().as_str()))
        };
        let middle = |part: &str| lower.split('.').skip(1).any(|found| found == part);
        let is_named_test = stem == "conftest"
            || ["test_", "test-"].iter().any(|beginning| stem.starts_with(beginning))
            || ["_test", "-test", "_tests", "-tests", "_spec", "-spec", "_unittest"]
                .iter()
                .any(|end| stem.ends_with(end))
            || ["Test", "Tests", "TestCase", "Spec", "IT"].iter().any(|end| {
                stem_as_written
                    .strip_suffix(end)
                    .is_some_and(|rest| rest.ends_with(|c: char| c.is_lowercase()))
            })
            || matches!(stem, "test" | "tests")
            || middle("test")
            || middle("spec");
        Self {
            is_test: is_named_test || in_folder(TESTS),
            is_example: in_folder(EXAMPLES) || stem.ends_with("_bench") || middle("bench"),
            is_vendored: in_folder(VENDORED),
            is_generated: in_folder(GENERATED)
                || ["min", "bundle", "generated", "g", "pb"].iter().any(|part| middle(part))
                || stem.ends_with("_pb2")
                || stem.ends_with("_generated"),
            is_stub: lower.ends_with(".d.ts")
                || lower.ends_with(".d.mts")
                || lower.ends_with(".d.cts")
                || lower.ends_with(".pyi"),
            is_header: HEADERS.iter().any(|end| lower.ends_with(end)),
            is_index: INDEXES.contains(&lower.as_str()) || stem == "index",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(set: impl FnOnce(&mut PathRole)) -> PathRole {
        let mut role = PathRole::default();
        set(&mut role);
        role
    }

    #[test]
    fn ordinary_code_has_no_role() {
        for path in [
            "src/testament.rs",
            "lib/contest.py",
            "Attest.java",
            "src/latest.ts",
            "src/inspector.js",
            "EXIT.java",
        ] {
            assert_eq!(PathRole::of(path), PathRole::default(), "{path}");
        }
    }

    #[test]
    fn tests_are_known_by_folder_and_by_name() {
        let paths = [
            "tests/it.rs",
            "src/foo/__tests__/a.js",
            "pkg/test_views.py",
            "pkg/conftest.py",
            "core/QueueTest.java",
            "util/coding_test.cc",
            "src/app.spec.ts",
            "src/app.test.tsx",
            "server_test.go",
            "testdata/x.c",
            "spec/models/user_spec.rb",
        ];
        for path in paths {
            assert_eq!(PathRole::of(path), role(|role| role.is_test = true), "{path}");
        }
    }

    #[test]
    fn other_roles_are_known() {
        assert_eq!(PathRole::of("examples/chat.rs"), role(|role| role.is_example = true));
        assert_eq!(PathRole::of("third_party/zlib/inflate.c"), role(|role| role.is_vendored = true));
        assert_eq!(PathRole::of("lib/jquery.min.js"), role(|role| role.is_generated = true));
        assert_eq!(PathRole::of("proto/user_pb2.py"), role(|role| role.is_generated = true));
        assert_eq!(PathRole::of("types/node.d.ts"), role(|role| role.is_stub = true));
        assert_eq!(PathRole::of("db/version.h"), role(|role| role.is_header = true));
        assert_eq!(PathRole::of("src/http/index.ts"), role(|role| role.is_index = true));
        assert_eq!(PathRole::of("pkg/__init__.py"), role(|role| role.is_index = true));
    }
}
