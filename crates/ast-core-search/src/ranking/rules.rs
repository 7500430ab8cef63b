//! The rules of ranking, and what each counts for.

use crate::QueryKind;

/// A rule that moves a candidate up or down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// It defines the name that is the query.
    DefinesQuery,
    /// It defines a name that is written in the query as code.
    DefinesName,
    /// Its file is named as what is looked for.
    FileNamed,
    /// Words of the query are in the name of its file, or of the folders that it is in.
    PathWords,
    /// Its file has more of what is looked for.
    Coherence,
    /// Its file as a whole is about what is looked for.
    FileMeaning,
    /// It is in a test, and tests were not asked for.
    Test,
    /// It is in an example or a benchmark, and these were not asked for.
    Example,
    /// It is code of somebody else.
    Vendored,
    /// A program has written it.
    Generated,
    /// It declares without code.
    Stub,
    /// It is in a file that hands names on.
    Index,
    /// It is in a header, and what that declares is defined in a file of the same name that was found, too.
    Header,
    /// Its file is in the list already.
    SameFile,
}

/// How a rule changes a score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Adds the weight, times how far the rule applies from 0 to 1. The best candidate without rules has 1.
    Add,
    /// Multiplies the score by the weight.
    Multiply,
}

impl Rule {
    /// All of them, with their names, effects and weights.
    const TABLE: [(Self, &'static str, Effect, f64); 14] = [
        (Self::DefinesQuery, "defines_query", Effect::Add, 3.0),
        (Self::DefinesName, "defines_name", Effect::Add, 0.5),
        (Self::FileNamed, "file_named", Effect::Add, 0.5),
        (Self::PathWords, "path_words", Effect::Add, 0.3),
        (Self::Coherence, "coherence", Effect::Add, 0.6),
        (Self::FileMeaning, "file_meaning", Effect::Add, 1.0),
        (Self::Test, "test", Effect::Multiply, 0.2),
        (Self::Example, "example", Effect::Multiply, 0.5),
        (Self::Vendored, "vendored", Effect::Multiply, 0.5),
        (Self::Generated, "generated", Effect::Multiply, 0.6),
        (Self::Stub, "stub", Effect::Multiply, 0.7),
        (Self::Index, "index", Effect::Multiply, 0.8),
        (Self::Header, "header", Effect::Multiply, 0.7),
        (Self::SameFile, "same_file", Effect::Multiply, 0.8),
    ];

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::TABLE.iter().map(|row| row.0)
    }

    /// A short name that does not change.
    pub fn as_str(self) -> &'static str {
        Self::TABLE[self as usize].1
    }

    pub(crate) fn effect(self) -> Effect {
        Self::TABLE[self as usize].2
    }
}

/// What each rule counts for, and the meaning of a query against its words. The defaults are what was measured best.
#[derive(Debug, Clone, PartialEq)]
pub struct RankingWeights {
    rules: [f64; Rule::TABLE.len()],
    meaning: [f64; QueryKind::ALL.len()],
}

/// What the meaning of a query counts for, by its kind; what is left to 1 is the words'.
const MEANING: [(QueryKind, f64); QueryKind::ALL.len()] = [
    (QueryKind::Name, 0.3),
    (QueryKind::Path, 0.2),
    (QueryKind::Words, 0.5),
    (QueryKind::Sentence, 0.4),
    (QueryKind::Code, 0.6),
];

impl Default for RankingWeights {
    fn default() -> Self {
        Self { rules: Rule::TABLE.map(|row| row.3), meaning: MEANING.map(|row| row.1) }
    }
}

impl RankingWeights {
    /// What a rule counts for: what it adds, or what the score is multiplied by.
    pub fn get(&self, rule: Rule) -> f64 {
        self.rules[rule as usize]
    }

    /// With another weight of a rule.
    #[must_use]
    pub fn with(mut self, rule: Rule, weight: f64) -> Self {
        self.rules[rule as usize] = weight;
        self
    }

    /// Without a rule.
    #[must_use]
    pub fn without(self, rule: Rule) -> Self {
        let nothing = if rule.effect() == Effect::Add { 0.0 } else { 1.0 };
        self.with(rule, nothing)
    }

    /// What the meaning of a query of this kind counts for, from 0 to 1; its words count for the rest.
    pub fn meaning(&self, kind: QueryKind) -> f64 {
        self.meaning[kind as usize]
    }

    /// With another weight of the meaning of a query of this kind; what is not from 0 to 1 is brought there.
    #[must_use]
    pub fn with_meaning(mut self, kind: QueryKind, weight: f64) -> Self {
        self.meaning[kind as usize] = weight.clamp(0.0, 1.0);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_in_order() {
        for (at, rule) in Rule::all().enumerate() {
            assert_eq!(rule as usize, at);
        }
        for (at, (kind, _)) in MEANING.iter().enumerate() {
            assert_eq!((*kind as usize, QueryKind::ALL[at]), (at, *kind));
        }
        let weights = RankingWeights::default().with(Rule::Test, 0.9);
        assert_eq!(weights.get(Rule::Test), 0.9);
        assert_eq!(weights.clone().without(Rule::Test).get(Rule::Test), 1.0);
        assert_eq!(weights.without(Rule::Coherence).get(Rule::Coherence), 0.0);
    }
}
