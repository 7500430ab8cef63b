//! Tests of the rules, on texts that samples were made of.

use super::super::engine::Symbol;
use super::*;

/// The rule for a tag of the name on the last line of the text.
fn rule(language: Language, kind: &str, name: &str, scope: &str, text: &str) -> Option<&'static str> {
    rule_beside(language, kind, name, scope, text, &[])
}

fn rule_beside(
    language: Language,
    kind: &str,
    name: &str,
    scope: &str,
    text: &str,
    symbols: &[Located],
) -> Option<&'static str> {
    let own = |text: &str| text.to_owned();
    let line = text.lines().count() as u32;
    let tag = Tag { name: own(name), kind: own(kind), scope: own(scope), line, ..Tag::default() };
    applying(language, &tag, &Source::new(text.as_bytes().to_vec()), symbols)
}

fn ours(kind: &str, line: u32) -> Located {
    let symbol = Symbol { kind: kind.to_owned(), start_line: line, ..Symbol::default() };
    Located { symbol, lines: vec![line] }
}

#[test]
fn names_are_unique() {
    for (index, rule) in RULES.iter().enumerate() {
        assert!(RULES[..index].iter().all(|other| other.name != rule.name), "{}", rule.name);
    }
}

#[test]
fn an_impl_counts_only_if_we_have_one_on_the_line() {
    let text = "impl Eq for (A, B) {}";
    let with = |symbols: &[Located]| rule_beside(Rust, "implementation", "B", "", text, symbols);
    assert_eq!(with(&[ours("impl", 1)]), Some("impl-named-otherwise"));
    assert_eq!(with(&[ours("impl", 2), ours("struct", 1)]), None);
}

#[test]
fn a_static_is_no_lifetime() {
    assert_eq!(rule(Rust, "variable", "str", "", "const A: &'static str = \"\";"), Some("static-lifetime"));
    assert_eq!(rule(Rust, "variable", "A", "", "static A: &'static str = \"\";"), None);
}

#[test]
fn values_of_a_module_are_declared_at_the_beginning_of_a_line() {
    let kept = |text| rule(TypeScript, "constant", "a", "", text).is_none();
    assert!(kept("const a = 1;"));
    assert!(kept("export const a: { b: number } = 1;"));
    assert!(kept("export declare let a;"));
    assert!(kept("const { b, a } = c;"));
    assert!(!kept("  const a = 1;"));
    assert!(!kept("const b = 1, c: a = 2;"));
    assert!(!kept("export const b: a.C = 1;"));
    assert!(!kept("b = a;"));
}

#[test]
fn aliases_and_properties_of_typescript() {
    let alias = |text| rule(TypeScript, "alias", "A", "", text);
    assert_eq!(alias("export type A = B;"), None);
    assert_eq!(alias("type A<"), None);
    assert_eq!(alias("import { type A } from 'b';"), Some("no-alias"));
    assert_eq!(alias("if (type instanceof A) {"), Some("no-alias"));

    let property = |text| rule(TypeScript, "property", "a", "", text);
    assert_eq!(property("  private readonly a?: B;"), None);
    assert_eq!(property("interface I { b: C; a: D }"), None);
    assert_eq!(property("  #a = 1;"), None);
    assert_eq!(property("  b: (c: D, a: E) => F;"), Some("no-property"));
    assert_eq!(property("  b: C extends a ? D : E;"), Some("no-property"));
}

#[test]
fn classes_and_functions_of_javascript() {
    let class = |name, text| rule(JavaScript, "class", name, "", text);
    assert_eq!(class("A", "B.C = class A extends D {"), None);
    assert_eq!(class("a", "  a: {"), Some("no-class"));
    assert_eq!(class("a", &format!("class a {{{}", " ".repeat(1000))), Some("minified"));

    let function = |name, text| rule(JavaScript, "function", name, "", text);
    assert_eq!(function("a", "return function a() {"), None);
    assert_eq!(function("a", "var a = (function () {"), Some("called-at-once"));
    assert_eq!(function("a", "var a = ( /** @type {B} */ function () {"), Some("called-at-once"));
    assert_eq!(function("a", "const a = new Function(b);"), Some("called-at-once"));
    assert_eq!(function("a", "a[1] = function () {"), Some("owner-as-function"));
    let exports = "module.exports = function () {";
    assert_eq!(function("exports", exports), None);
    let beside = rule_beside(JavaScript, "function", "exports", "", exports, &[ours("function", 1)]);
    assert_eq!(beside, Some("exports-as-name"));

    let method = |text| rule(JavaScript, "method", "a", "B", text);
    assert_eq!(method("B.prototype.a = c;"), None);
    assert_eq!(method("B.prototype.a = 'c';"), Some("no-method"));

    let field = |text| rule(JavaScript, "field", "a", "B", text);
    assert_eq!(field("  static a = 1;"), None);
    assert_eq!(field("  #a;"), None);
    assert_eq!(field("  a,"), Some("no-field"));
    assert_eq!(field("  b[a] = 1;"), Some("no-field"));
}

#[test]
fn a_declaration_has_a_type_or_the_name_of_its_class() {
    let cpp = |name, scope, text| rule(Cpp, "prototype", name, scope, text);
    assert_eq!(cpp("f", "", "int\nf();"), None);
    assert_eq!(cpp("f", "", "std::vector<int>* f();"), None);
    assert_eq!(cpp("A", "n::A", "public:\n  A();"), None);
    assert_eq!(cpp("~A", "A<T>", "{\n  ~A();"), None);
    assert_eq!(cpp("operator ==", "A", ";\n  operator==(A);"), None);
    assert_eq!(cpp("f", "", "int A<T>::f();"), None);
    assert_eq!(cpp("CHECK", "", "{\n  CHECK(a == b);"), Some("call"));
    assert_eq!(cpp("CHECK", "", "int f() {}\n// int\n#endif\nCHECK(a);"), Some("call"));
    assert_eq!(cpp("f", "A", "CHECK(A::f() == 1);"), Some("call"));
    assert_eq!(cpp("f", "", "  return f(1);"), Some("call"));
    assert_eq!(cpp("f", "", "a.f();"), Some("call"));

    let java = |name, scope, text| rule(Java, "method", name, scope, text);
    assert_eq!(java("f", "A", "public <T> List<T> f();"), None);
    assert_eq!(java("A", "B.A", "public A() {"), None);
    assert_eq!(java("A", "B", "x = new A<C>() {"), Some("call"));
    assert_eq!(java("try", "", "try (A a = b()) {"), Some("keyword"));
}

#[test]
fn constants_and_fields_of_java() {
    let constant = |name, text| rule(Java, "enumConstant", name, "E", text);
    assert_eq!(constant("B", "  A(1), B(2);"), None);
    assert_eq!(constant("C.d", "  A(C.d(), 1),"), Some("no-enum-constant"));
    assert_eq!(constant("Deprecated", "  @Deprecated A"), Some("no-enum-constant"));

    let field = |name, text| rule(Java, "field", name, "A", text);
    assert_eq!(field("a", "int a = 1;"), None);
    assert_eq!(field("B.class", "Class<?> a() default B.class;"), Some("no-java-field"));
    assert_eq!(field("sum", "f(1, Integer::sum);"), Some("no-java-field"));
}

#[test]
fn an_include_guard_is_the_first_thing_in_a_file() {
    let guard = |text| rule(Cpp, "macro", "A_H", "", text);
    assert_eq!(
        guard("// c\n/* d\n e */\n#pragma once\n\n#ifndef A_H\n#define A_H // f"),
        Some("include-guard")
    );
    assert_eq!(guard("#if !defined(A_H)\n#  define A_H"), Some("include-guard"));
    assert_eq!(guard("#ifndef A_H\n#define A_H 1"), None);
    assert_eq!(guard("#ifndef B_H\n#define B_H\n#ifndef A_H\n#define A_H"), None);
    assert_eq!(guard("int x;\n#ifndef A_H\n#define A_H"), None);
    assert_eq!(guard("#define A_H"), None);
}

#[test]
fn variables_of_cpp() {
    let variable = |scope, text| rule(Cpp, "variable", "a", scope, text);
    assert_eq!(variable("", "int a;"), None);
    assert_eq!(variable("n", "    int a;"), None);
    assert_eq!(variable("", "    for (auto a : b)"), None);
    assert_eq!(variable("n", "TEST(A, b) {\n  int a;"), Some("local-variable"));
    let deep =
        "TEST_CASE(\"b\")\n{\n    SECTION(\"c\")\n    {\n#if 1\n        for (;;) {\n            int a;";
    assert_eq!(variable("", deep), Some("local-variable"));
    assert_eq!(variable("", "TEST(A, b) {\n  int b;\n}\nint\n  a;"), None);
    assert_eq!(variable("", "namespace n\n{\n  int a;"), None);
    assert_eq!(variable("n", "template class a<int>;"), Some("explicit-instantiation"));
    assert_eq!(variable("n", "template <class T> T a;"), None);
}
