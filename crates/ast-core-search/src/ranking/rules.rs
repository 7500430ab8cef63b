//! The rules of ranking, and what each counts for.

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
    const TABLE: [(Self, &'static str, Effect, f64); 12] = [
        (Self::DefinesQuery, "defines_query", Effect::Add, 3.0),
        (Self::DefinesName, "defines_name", Effect::Add, 0.5),
        (Self::FileNamed, "file_named", Effect::Add, 0.5),
        (Self::PathWords, "path_words", Effect::Add, 0.4),
        (Self::Coherence, "coherence", Effect::Add, 0.3),
        (Self::Test, "test", Effect::Multiply, 0.4),
        (Self::Example, "example", Effect::Multiply, 0.5),
        (Self::Vendored, "vendored", Effect::Multiply, 0.5),
        (Self::Generated, "generated", Effect::Multiply, 0.6),
        (Self::Stub, "stub", Effect::Multiply, 0.7),
        (Self::Index, "index", Effect::Multiply, 0.8),
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

/// What each rule counts for. The defaults are what was measured best.
#[derive(Debug, Clone, PartialEq)]
pub struct RankingWeights {
    weights: [f64; Rule::TABLE.len()],
}

impl Default for RankingWeights {
    fn default() -> Self {
        Self { weights: Rule::TABLE.map(|row| row.3) }
    }
}

impl RankingWeights {
    /// What a rule counts for: what it adds, or what the score is multiplied by.
    pub fn get(&self, rule: Rule) -> f64 {
        self.weights[rule as usize]
    }

    /// With another weight of a rule.
    #[must_use]
    pub fn with(mut self, rule: Rule, weight: f64) -> Self {
        self.weights[rule as usize] = weight;
        self
    }

    /// Without a rule.
    #[must_use]
    pub fn without(self, rule: Rule) -> Self {
        let nothing = if rule.effect() == Effect::Add { 0.0 } else { 1.0 };
        self.with(rule, nothing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_rules() {
        for (at, rule) in Rule::all().enumerate() {
            assert_eq!(rule as usize, at);
        }
        let weights = RankingWeights::default().with(Rule::Test, 0.9);
        assert_eq!(weights.get(Rule::Test), 0.9);
        assert_eq!(weights.clone().without(Rule::Test).get(Rule::Test), 1.0);
        assert_eq!(weights.without(Rule::Coherence).get(Rule::Coherence), 0.0);
    }
}
