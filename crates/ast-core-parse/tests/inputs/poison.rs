//! Files that are made to be hard on a parser.

/// A file that is hard on a parser.
pub struct Poison {
    /// What is in it.
    pub name: String,
    /// The languages it is meant for; all if empty.
    pub languages: &'static [&'static str],
    /// The file.
    pub bytes: Vec<u8>,
}

const C_LIKE: &[&str] = &["c", "cpp", "csharp", "java", "javascript", "php", "tsx", "typescript"];
const CURLY: &[&str] = &[
    "c",
    "cpp",
    "csharp",
    "go",
    "java",
    "javascript",
    "kotlin",
    "php",
    "rust",
    "scala",
    "swift",
    "tsx",
    "typescript",
];
const SCRIPTS: &[&str] = &["javascript", "tsx", "typescript"];
const HASH_COMMENTS: &[&str] = &["bash", "python", "ruby"];
const ALL: &[&str] = &[];

/// What is repeated, in lines of some 80 bytes, until the file is full.
const REPEATED: &[(&str, &[&str], &str)] = &[
    ("open round brackets", ALL, "("),
    ("open square brackets", ALL, "["),
    ("open curly brackets", ALL, "{"),
    ("open angle brackets", ALL, "<"),
    ("closing brackets", ALL, ")]}>"),
    ("quotes of all kinds", ALL, "\"'`"),
    ("signs of all kinds", ALL, "=+-*/%&|^~!?:;,.<>@#$\\"),
    ("names", ALL, "a "),
    ("numbers", ALL, "1, "),
    ("semicolons", ALL, ";"),
    ("questions", ALL, "a?"),
    ("less than", ALL, "a<"),
    ("less than and arguments", ALL, "a<b>(c)"),
    ("conditions", ALL, "if(a)"),
    ("alternatives", ALL, "if (a) { b; } else "),
    ("comments that are not closed", ALL, "/*"),
    ("comments of ML that are not closed", &["scala", "swift"], "(*"),
    ("member accesses", ALL, "a."),
    ("calls in arguments", ALL, "f("),
    ("chained calls", CURLY, "a.f()."),
    ("calls of what calls return", CURLY, "()"),
    ("signs of negation", ALL, "!-~"),
    ("assignments", ALL, "a="),
    ("arrows", ALL, "a=>"),
    ("thin arrows", ALL, "a->"),
    ("logical operations", ALL, "a && b || "),
    ("sums", ALL, "a + "),
    ("functions inside of functions", &["rust"], "fn f() {"),
    ("functions inside of functions in scripts", SCRIPTS, "function f() {"),
    ("classes inside of classes", CURLY, "class A {"),
    ("conditions inside of conditions", CURLY, "if (a) {"),
    ("lambdas inside of lambdas", &["python"], "lambda: "),
    ("lambdas of C++", &["cpp"], "[](){"),
    ("templates", &["cpp"], "template<class T> "),
    ("namespaces", &["cpp", "csharp", "php"], "namespace a {"),
    ("pointers", &["c", "cpp"], "*"),
    ("attributes", &["rust"], "#[a]"),
    ("annotations", &["java", "kotlin", "python", "typescript"], "@a "),
    ("heredocs", &["bash", "php", "ruby"], "<<A "),
    ("interpolations", &["javascript", "kotlin", "scala", "swift", "typescript"], "`${\"${"),
    ("elements of JSX", &["javascript", "tsx"], "<a>"),
    ("empty lines", ALL, "\n"),
    ("blanks", ALL, "  \t"),
    ("characters of two bytes", ALL, "é"),
    ("functions on lines of their own", &["rust"], "fn f() { g(1); }\n"),
    ("functions of C", &["c", "cpp"], "int f(int a) { return g(a); }\n"),
    ("functions of Go", &["go"], "func f(a int) int { return g(a) }\n"),
    ("functions of scripts", SCRIPTS, "function f(a) { return g(a); }\n"),
    ("functions of Python", &["python"], "def f(a): return g(a)\n"),
    ("functions of Bash", &["bash"], "f() { g; }\n"),
    ("functions of Ruby", &["ruby"], "def f(a) = g(a)\n"),
    ("classes", CURLY, "class A { int a; }\n"),
    ("declarations", C_LIKE, "int a;\n"),
    ("calls", ALL, "f();\n"),
    ("comments on lines of their own", ALL, "// a\n"),
    ("comments of scripts", HASH_COMMENTS, "# a\n"),
    ("rows of a table", ALL, "{0x1, \"a\", 2.5},\n"),
    ("tuples", &["python", "rust"], "(1, 'a', None),\n"),
    ("imports", &["java", "python", "scala"], "import a.b.c\n"),
    ("carriage returns", ALL, "f();\r"),
];

/// What begins, what is repeated, with a line break after some 80 bytes, and what ends a file. The part that is
/// repeated takes up what is left.
const FRAMED: &[(&str, &[&str], &str, &str, &str)] = &[
    ("a comment", ALL, "/*", " text", "*/"),
    ("a string of lines", &["python"], "x = \"\"\"", "text ", "\"\"\"\n"),
    ("a template", SCRIPTS, "x = `", "text ", "`;\n"),
    ("a raw string", &["cpp", "rust"], "r#\"", "text ", "\"#;\n"),
    ("an array", CURLY, "int a[] = {", "1, ", "};\n"),
    ("a list", &["javascript", "python", "ruby"], "a = [", "1, ", "1]\n"),
    ("declarators", C_LIKE, "int a", ", a", ";\n"),
    ("declarators of scripts", SCRIPTS, "let a = 1", ", a = 1", ";\n"),
    ("arguments", ALL, "f(", "1, ", "1);\n"),
    ("parameters", C_LIKE, "int f(", "int a, ", "int a) {}\n"),
    ("parameters of Rust", &["rust"], "fn f(", "a: u8, ", ") {}\n"),
    ("cases", C_LIKE, "void f() { switch (a) {", "case 1: b(); ", "} }\n"),
    ("arms", &["rust"], "fn f() { match a {", "1 => b(), ", "} }\n"),
    ("values of an enumeration", C_LIKE, "enum A {", "B, ", "C }\n"),
    ("what is inherited", &["cpp", "csharp"], "class A : ", "B<C>, ", "D {};\n"),
    ("what is inherited in arguments", &["cpp", "typescript"], "class A extends ", "B<", "C {}\n"),
    ("modifiers", &["java", "csharp"], "class A { ", "static ", "int a; }\n"),
    ("members of a class", CURLY, "class A {", "int a; ", "}\n"),
    ("bounds", &["rust"], "fn f<T: ", "A + ", "B>() {}\n"),
    ("imports of many", &["rust"], "use a::{", "b, ", "c};\n"),
    ("a path", &["rust"], "fn f() { ", "a::", "b() }\n"),
    ("a chain of calls", CURLY, "x = a", ".f()", ";\n"),
    ("a chain of calls in a function", &["rust"], "fn f() { a", ".f()", "; }\n"),
    ("a call of a call's result", &["cpp", "javascript", "php", "rust", "swift"], "x = f", "()", ";\n"),
    ("a logical chain in a function", C_LIKE, "void f() { x = a", " && a", "; }\n"),
    ("pointers of a declaration", &["c", "cpp"], "int ", "*", "f() {}\n"),
    ("comments before a function", CURLY, "", "// a\n", "class A { }\n"),
    ("comments before a function of a script", HASH_COMMENTS, "", "# a\n", "def a; end\n"),
    ("attributes before a function", &["rust"], "", "#[a]\n", "fn f() {}\n"),
    ("arguments of annotations", &["java", "kotlin"], "@A(", "@B(c = 1), ", ") class A {}\n"),
    ("decorators of a class", &["python", "tsx", "typescript"], "", "@a.b(c)\n", "class A: pass\n"),
    ("an import of many", &["python", "scala"], "from a.b import ", "c, ", "d\n"),
    ("an import of many from a long path", &["python"], "from a", ".a", " import b, c\n"),
    ("an import of many in braces", SCRIPTS, "import { ", "a as b, ", "c } from 'd';\n"),
    ("exports of many", SCRIPTS, "let a; export { ", "a as b, ", "a };\n"),
    ("a pattern", SCRIPTS, "const { ", "a: { b }, ", "c } = d;\n"),
    ("patterns inside of patterns", SCRIPTS, "const ", "{ a: ", "b = c;\n"),
    ("imports inside of imports", &["rust"], "use ", "a::{b, ", "c;\n"),
    ("classes and conditions", CURLY, "", "class A { void f() { if (a) {", "\n"),
    ("conditions of a shell", &["bash"], "f() { if a; then ", "if b; then c; fi; ", "fi; }\n"),
    ("conditions of a script", &["ruby"], "def f\n", "if a then b end; ", "\nend\n"),
    ("alternatives of Python", &["python"], "def f():\n  if a: b\n", "  elif a: b\n", "\n"),
    ("types inside of types", &["cpp", "csharp", "java", "rust", "typescript"], "type A = ", "B<C, ", "D;\n"),
    ("functions as types", &["kotlin", "scala", "typescript"], "class A : ", "(B) -> ", "C {}\n"),
    ("unions of types", &["python", "typescript"], "type A = B", " | C", ";\n"),
    ("parents of a class", &["python"], "class A(", "b.B, ", "C): pass\n"),
    ("interfaces of a class", &["java", "php", "tsx", "typescript"], "class A implements ", "B, ", "C {}\n"),
    ("parents of a trait", &["scala", "swift", "kotlin"], "class A : ", "B, ", "C {}\n"),
    ("parents with more of Scala", &["scala"], "class A extends B", " with C", " {}\n"),
    ("a chain that begins with brackets", CURLY, "x = ((((a", ".f())", ";\n"),
    ("calls in brackets", CURLY, "x = f", ")()", ";\n"),
    ("assignments to members", SCRIPTS, "A.prototype.a = ", "A.prototype.b = ", "function () {};\n"),
    ("lists of lists of parameters", &["scala"], "def f", "(a: A)", " = 1\n"),
    (
        "type parameters",
        &["cpp", "csharp", "java", "rust", "scala", "swift", "typescript"],
        "class A<",
        "B, ",
        "C> {}\n",
    ),
    ("names of Go", &["go"], "package a\nvar ", "a, ", "b int\n"),
    ("fields of Go", &["go"], "package a\ntype A struct { ", "a, ", "b int }\n"),
    ("constants of PHP", &["php"], "<?php class A { const ", "B = 1, ", "C = 1; }\n"),
    ("properties of PHP", &["php"], "<?php class A { public ", "$a, ", "$b; }\n"),
    ("functions of PHP", &["php"], "<?php\n", "function f($a) { return g($a); }\n", ""),
    ("conditions inside of conditions of PHP", &["php"], "<?php function f() {", "if ($a) {", "\n"),
    ("targets", &["python", "ruby"], "a", ", a", " = b\n"),
    ("targets of targets", &["python", "ruby"], "a", " = a", " = b\n"),
    ("attributes of Ruby", &["ruby"], "class A; attr_reader ", ":a, ", ":b; end\n"),
    ("values of Swift", &["swift"], "class A { var a = 1", ", a = 1", " }\n"),
    ("cases of Swift", &["swift"], "enum A { case a", ", b(c: Int)", " }\n"),
    ("values of Kotlin", &["kotlin"], "enum class A { ", "B, ", "C }\n"),
    ("values of Scala", &["scala"], "enum A { case ", "B, ", "C }\n"),
    ("names of Scala", &["scala"], "val ", "a, ", "b = 1\n"),
    ("lambdas of Java", &["java", "kotlin"], "class A { Object a = ", "b -> ", "c; }\n"),
    ("arguments of a shell", &["bash"], "export ", "a=1 ", "\n"),
    ("functions inside of functions of Python", &["python"], "x = ", "lambda a=1: ", "a\n"),
    ("namespaces of C#", &["csharp"], "using A", ".A", ";\n"),
    ("attributes of C#", &["csharp"], "", "[A(b)]\n", "class A { int a, b, c; }\n"),
    ("attributes of C++", &["cpp"], "", "[[a]]\n", "int a, b, c;\n"),
    ("conditions of the preprocessor", &["c", "cpp", "csharp"], "", "#if A\nint a;\n", "\n"),
    ("alternatives of the preprocessor", &["c", "cpp"], "#if A\n", "#elif B\nint a;\n", "#endif\n"),
    ("macros", &["c", "cpp"], "", "#define A(a, b) a##b\n", "\n"),
    ("names that are macros", &["c", "cpp"], "", "A B C int a;\n", "\n"),
];

/// Every file, each of at most `size` bytes.
pub fn files(size: usize) -> Vec<Poison> {
    let mut files = Vec::new();
    let mut add = |name: &str, languages: &'static [&'static str], mut bytes: Vec<u8>| {
        bytes.truncate(size);
        files.push(Poison { name: name.to_owned(), languages, bytes });
    };
    for &(name, languages, unit) in REPEATED {
        add(name, languages, lines(unit, size));
    }
    for &(name, languages, begin, unit, end) in FRAMED {
        let middle = lines(unit, size - begin.len() - end.len());
        add(name, languages, [begin.as_bytes(), &middle, end.as_bytes()].concat());
    }
    for (open, close) in ["()", "[]", "{}", "<>"].map(|pair| pair.split_at(1)) {
        let name = format!("closed brackets {open}{close}");
        add(&name, ALL, [lines(open, size / 2), lines(close, size / 2)].concat());
    }
    add("blocks by indentation", &["python"], indented("if a:", size));
    add("mappings by indentation", &["scala"], indented("class A:", size));
    for (head, languages) in [("int ", C_LIKE), ("let ", SCRIPTS)] {
        let doc = [b"/**".to_vec(), lines(" text", size / 2), b"*/\n".to_vec()].concat();
        let declarators = lines("a, ", size / 2 - head.len() - 16);
        let name = format!("a long comment before many declarators of {head}");
        add(&name, languages, [doc, head.into(), declarators, b"b;\n".to_vec()].concat());
    }
    for (head, arm, languages) in [
        ("fn f() { match a {\n", "1 => b(),\n", &["rust"][..]),
        ("void f() { switch (a) {\n", "case 1: b();\n", C_LIKE),
    ] {
        let parts = [
            head.into(),
            lines("// a\n", size / 2 - head.len()),
            lines(arm, size / 2 - 8),
            b"} }\n".to_vec(),
        ];
        add(&format!("comments before {arm}"), languages, parts.concat());
    }
    let line = "/*a*/int a; ".repeat(size / 2 / 12);
    add("a long line among many", C_LIKE, [line.into_bytes(), b"\n".repeat(size / 2)].concat());
    add(
        "a line of one string",
        ALL,
        format!("x = \"{}\";\n", "a".repeat(size.saturating_sub(9))).into_bytes(),
    );
    add("a line of many tokens", ALL, "a ".repeat(size / 2).into_bytes());
    add("minified functions", SCRIPTS, "function a(b){return b+1};".repeat(size / 26).into_bytes());
    add(
        "printable characters at random",
        ALL,
        random(size, |byte| match byte % 96 {
            95 => b'\n',
            printable => b' ' + printable,
        }),
    );
    add("bytes at random", ALL, random(size, |byte| byte.max(1)));
    add("bytes that are no text", ALL, vec![0xFF; size]);
    // A text that is larger in UTF-8 than its file would exceed the limit.
    add(
        "code units of UTF-16 at random",
        ALL,
        [vec![0xFF, 0xFE], random(size * 5 / 8, |byte| byte)].concat(),
    );
    add(
        "surrogates without partner",
        ALL,
        [vec![0xFE, 0xFF], [0xD8, 0x00, 0x00, b'\n'].repeat(size / 4 - 1)].concat(),
    );
    add(
        "code of UTF-16",
        CURLY,
        [0xFF, 0xFE].into_iter().chain(utf16(&lines("f(); ", size / 2 - 1))).collect(),
    );
    add("overlong forms of UTF-8", ALL, lines_of(b"\xC0\xAF\xE0\x80\xAF", size));
    files
}

/// As many units as fit, with a line break after each 80 bytes or so, for else the file is taken for minified.
fn lines(unit: &str, size: usize) -> Vec<u8> {
    lines_of(unit.as_bytes(), size)
}

fn lines_of(unit: &[u8], size: usize) -> Vec<u8> {
    let mut line = unit.repeat((80 / unit.len()).max(1));
    if !unit.ends_with(b"\n") && !unit.ends_with(b"\r") {
        line.push(b'\n');
    }
    line.repeat(size / line.len())
}

/// A head on each line, one blank deeper than the one before.
fn indented(head: &str, size: usize) -> Vec<u8> {
    let mut text = String::new();
    for depth in 0.. {
        if text.len() + depth + head.len() + 1 > size {
            break;
        }
        text.extend(std::iter::repeat_n(' ', depth));
        text.push_str(head);
        text.push('\n');
    }
    text.into_bytes()
}

/// The same bytes every time: xorshift, Marsaglia, "Xorshift RNGs", 2003.
fn random(size: usize, byte: impl Fn(u8) -> u8) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        byte((state >> 32) as u8)
    };
    (0..size).map(next).collect()
}

fn utf16(text: &[u8]) -> impl Iterator<Item = u8> {
    text.iter().flat_map(|&byte| [byte, 0])
}
