//! How involved a function's body is.

use crate::syntax::Node;

/// How involved a function's body is. What is inside of a function defined in it that has a name counts for that one
/// only; what is inside of one without a name counts for the function round it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Complexity {
    /// The number of ways through the body that are independent: one more than its decisions. McCabe, "A Complexity
    /// Measure", IEEE Transactions on Software Engineering, 1976; each `&&`, `||` and their like is a decision.
    pub cyclomatic: u32,
    /// How hard it is to follow: breaks in the flow, the more the deeper they are nested. Campbell, "Cognitive
    /// Complexity: A new way of measuring understandability", SonarSource, 2018.
    pub cognitive: u32,
    /// The depth of the deepest `if`, loop, `switch` or `catch` inside of others; 0 if there is none.
    pub max_nesting: u32,
}

impl Default for Complexity {
    /// That of an empty body.
    fn default() -> Self {
        Self { cyclomatic: 1, cognitive: 0, max_nesting: 0 }
    }
}

/// What a node is to the two measures.
#[cfg_attr(
    not(feature = "all-languages"),
    allow(dead_code, clippy::allow_attributes, reason = "a build of few languages needs less of it")
)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Branch {
    /// An `if`; one that follows an `else` is told by where it stands.
    If,
    /// The branch of an `if` that is taken when nothing else is, or the `else` before it, unless it is just another
    /// `if`.
    Else,
    /// A further condition of an `if`, such as Python's `elif`.
    ElseIf,
    /// A condition that is an expression, `a ? b : c`.
    Ternary,
    Loop,
    /// A loop without condition: no decision, but nested.
    Endless,
    /// What holds the cases.
    Switch,
    /// A case, unless it is the default.
    Case,
    /// A case, unless it is the first: one of them is taken for sure.
    Arm,
    Catch,
    /// The sign of `&&` or `||`.
    Logical,
    /// A decision that does not make the text harder to follow, such as the `if` of a comprehension.
    Decision,
    /// A word that is a decision where there is no node for it: in a guard, or in the arguments of a macro.
    Word,
    /// What is a decision only if it has an alternative, such as Rust's `let ... else`.
    WithAlternative,
    /// What is a decision only if it has a value, such as a parameter with a default.
    WithValue,
    /// A function without a name.
    Lambda,
    /// A `goto`, `break` or `continue`, which breaks the flow if it says where to.
    Jump,
}

/// A construct that is open, for its depth.
struct Open {
    /// The row after its last node.
    end: u32,
    /// How many of the constructs that are open, up to this one, nest what is inside: all but functions.
    nesting: u32,
}

/// Measures the functions of one file, as their nodes come by.
#[derive(Default)]
pub(crate) struct Measure {
    open: Vec<Open>,
    /// What holds the arms that are counted: its row, and the row after its last node.
    matches: Vec<(u32, u32)>,
}

impl Measure {
    pub(crate) fn clear(&mut self) {
        self.open.clear();
        self.matches.clear();
    }

    /// How many constructs are open at the row: where a function that begins here begins to count.
    pub(crate) fn depth(&mut self, row: u32) -> usize {
        while self.open.last().is_some_and(|open| open.end <= row) {
            self.open.pop();
        }
        self.open.len()
    }

    /// Counts a node for the function whose constructs are those from `base`.
    pub(crate) fn count(&mut self, branch: Branch, node: Node<'_>, base: usize, complexity: &mut Complexity) {
        let depth = self.depth(node.row()).saturating_sub(base) as u32;
        let opens = match branch {
            Branch::If if follows_else(node) => {
                complexity.cyclomatic += 1;
                complexity.cognitive += 1;
                return;
            }
            Branch::If | Branch::Loop | Branch::Catch => {
                complexity.cyclomatic += 1;
                complexity.cognitive += 1 + depth;
                true
            }
            Branch::Ternary => {
                complexity.cyclomatic += 1;
                complexity.cognitive += 1 + depth;
                false
            }
            Branch::Switch | Branch::Endless => {
                complexity.cognitive += 1 + depth;
                true
            }
            Branch::ElseIf => {
                complexity.cyclomatic += 1;
                complexity.cognitive += 1;
                return;
            }
            // That of Swift's `guard` is all there is of it.
            Branch::Else if node.parent_kind().starts_with("guard") => return,
            Branch::Else => {
                // The branch is inside of the node, or follows the word.
                let taken = node.named_children().next().or_else(|| node.next_sibling());
                let is_else_if = |taken: Node<'_>| taken.kind().starts_with("if") && follows_else(taken);
                // The last case of Ruby's `case` and Kotlin's `when` begins with the word, too.
                let is_case = ["case", "when"].iter().any(|kind| node.parent_kind().starts_with(kind));
                if !is_case && !taken.is_some_and(is_else_if) {
                    complexity.cognitive += 1;
                }
                return;
            }
            Branch::Case
            | Branch::Arm
            | Branch::Decision
            | Branch::Word
            | Branch::WithAlternative
            | Branch::WithValue => {
                let counts = match branch {
                    Branch::Case => !is_default(node),
                    Branch::Arm => !self.is_first_arm(node),
                    Branch::Word => matches!(node.parent_kind(), "match_pattern" | "token_tree"),
                    Branch::WithAlternative => node.field("alternative").is_some(),
                    Branch::WithValue => node.field("value").is_some(),
                    _ => true,
                };
                complexity.cyclomatic += u32::from(counts);
                return;
            }
            Branch::Logical if is_no_operation(node) => return,
            // Where operators are names, there are others.
            Branch::Logical if node.is_named() && !matches!(node.text(), "&&" | "||") => return,
            Branch::Logical => {
                complexity.cyclomatic += 1;
                complexity.cognitive += u32::from(!continues_sequence(node));
                return;
            }
            Branch::Jump => {
                // Behind the keyword.
                complexity.cognitive += u32::from(node.children().nth(1).is_some());
                return;
            }
            Branch::Lambda => {
                let nesting = self.nesting(self.open.len());
                self.open.push(Open { end: node.next_row(), nesting });
                return;
            }
        };
        let nesting = 1 + self.nesting(self.open.len());
        if opens {
            complexity.max_nesting = complexity.max_nesting.max(nesting.saturating_sub(self.nesting(base)));
        }
        self.open.push(Open { end: node.next_row(), nesting });
    }

    /// How many of the first constructs that are open nest what is inside.
    fn nesting(&self, open: usize) -> u32 {
        let last = open.min(self.open.len()).checked_sub(1);
        last.map_or(0, |last| self.open[last].nesting)
    }

    /// Whether it is the first that comes by of the arms of what it is in.
    fn is_first_arm(&mut self, arm: Node<'_>) -> bool {
        while self.matches.last().is_some_and(|&(_, end)| end <= arm.row()) {
            self.matches.pop();
        }
        let Some(round) = arm.parent() else { return true };
        let is_first = self.matches.last().is_none_or(|&(row, _)| row != round.row());
        if is_first {
            self.matches.push((round.row(), round.next_row()));
        }
        is_first
    }
}

/// Whether a case is the one that is taken when no other is.
fn is_default(case: Node<'_>) -> bool {
    matches!(case.first_child().unwrap_or(case).text(), "default" | "else" | "*")
        || case.text().trim_start_matches("@unknown").trim_start().starts_with("default")
}

/// Whether an `if` is the one of `else if`.
fn follows_else(node: Node<'_>) -> bool {
    node.field_name() == "alternative"
        || node.parent().is_some_and(|parent| {
            if parent.kind_id() == node.kind_id() {
                // Without a field, the word before it says so.
                let before = node.previous_sibling();
                return before.is_some_and(|before| before.kind() == "else");
            }
            parent.kind() == "else_clause" && parent.named_children().next() == Some(node)
        })
}

/// Whether `&&` is the sign of a reference in C++, or the name of an operator.
fn is_no_operation(sign: Node<'_>) -> bool {
    let parent = sign.parent_kind();
    parent.ends_with("declarator") || matches!(parent, "operator_name" | "ref_qualifier")
}

/// Whether the sign of a logical operation only goes on with the same operation round it: `a && b && c` is one
/// sequence.
fn continues_sequence(sign: Node<'_>) -> bool {
    let Some(operation) = sign.parent() else { return false };
    let outer = std::iter::successors(operation.parent(), |node| {
        node.kind().starts_with("parenthesized").then(|| node.parent()).flatten()
    })
    .find(|node| !node.kind().starts_with("parenthesized"));
    outer.is_some_and(|outer| {
        let is_sign = |child: Node<'_>| child.kind_id() == sign.kind_id() && child.text() == sign.text();
        outer.kind() == operation.kind() && outer.children().any(is_sign)
    })
}
