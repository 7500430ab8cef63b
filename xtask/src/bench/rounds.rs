//! Runs the sides of a group in turns, and keeps what they took. A side that goes wrong is left out from then on, and
//! the rest goes on.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::machine::Disturbance;
use super::statistics::Random;
use super::subject::Subject;
use super::table::{Agreement, Group, Side, Stage, Unit};

/// What a side says of itself when it has started.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct About {
    /// Versions of the packages that it is made of.
    #[serde(default)]
    pub(super) packages: std::collections::BTreeMap<String, String>,
}

/// The first line of a side.
#[derive(Deserialize)]
struct Greeting {
    about: About,
}

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) rounds: usize,
    /// How long a side may take to answer.
    pub(super) limit: Duration,
}

/// What the sides of a group took.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct GroupResult {
    pub(super) name: String,
    pub(super) stage: Stage,
    pub(super) what: String,
    pub(super) unit: Unit,
    /// Files that the sides were told to read.
    pub(super) files: usize,
    pub(super) sides: Vec<SideResult>,
}

/// What one side took.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct SideResult {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) threads: usize,
    pub(super) ours: bool,
    pub(super) about: About,
    /// Seconds of what is not timed.
    pub(super) prepared: Option<f64>,
    pub(super) answers: Map<String, Value>,
    /// Why the answers were not compared.
    pub(super) differs: Option<String>,
    pub(super) samples: Vec<Sample>,
    /// Most memory that it had at a time, in bytes.
    pub(super) peak: Option<u64>,
    /// Why it was not measured.
    pub(super) state: State,
}

/// Whether a side was measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    Measured,
    /// What it needs is not on this machine.
    LeftOut(String),
    Failed(String),
}

/// One round of one side.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Sample {
    /// Seconds by the clock, and of processors.
    pub(super) wall: f64,
    pub(super) cpu: f64,
    pub(super) units: f64,
    /// Microseconds of single queries, sorted; of many, a part of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) latencies: Vec<f64>,
    /// Times that a thread of it was taken off its processor, where the system tells.
    pub(super) switches: Option<u64>,
    /// Seconds that another machine had our processors.
    pub(super) stolen: Option<f64>,
}

impl Sample {
    /// Units a second by the clock.
    pub(super) fn rate(&self) -> f64 {
        self.units / self.wall
    }
}

/// As many latencies are kept of a round.
const KEPT: usize = 400;

#[derive(Deserialize)]
struct Prepared {
    prepared_s: f64,
}

#[derive(Deserialize)]
struct Answers {
    answers: Map<String, Value>,
}

#[derive(Deserialize)]
struct Round {
    wall_s: f64,
    cpu_s: f64,
    units: f64,
    latencies_us: Option<Vec<f64>>,
}

#[derive(Deserialize)]
struct Finished {
    peak_rss_bytes: Option<u64>,
}

/// A side while its group is measured; without a process when it has failed or ended.
struct Entry<'a> {
    side: &'a Side,
    subject: Option<Subject<Greeting>>,
    result: SideResult,
}

/// Measures a group. `command` makes the command that starts a side, or tells why there is none.
pub(super) fn measure(
    group: &Group,
    files: usize,
    plan: &Plan,
    command: &mut dyn FnMut(&Side) -> Result<Option<Command>>,
) -> GroupResult {
    let mut entries: Vec<Entry<'_>> = group.sides.iter().map(Entry::new).collect();
    for entry in &mut entries {
        println!("  {}: starting", entry.side.title());
        match command(entry.side) {
            Ok(Some(command)) => entry.attempt(|entry| entry.begin(command, plan)),
            Ok(None) => {
                let needed = entry.side.needs.unwrap_or("what it needs");
                entry.result.state = State::LeftOut(format!("{needed} is not installed"));
            }
            Err(error) => entry.fail(&error),
        }
    }
    compare_answers(group, &mut entries);
    let rounds = group.rounds.unwrap_or(plan.rounds).min(plan.rounds);
    let mut random = Random::new(rounds as u64);
    let mut order: Vec<usize> = (0..entries.len()).collect();
    for round in 0..rounds + usize::from(group.warm_up) {
        let counts = !group.warm_up || round > 0;
        random.shuffle(&mut order);
        for &at in &order {
            if entries[at].subject.is_some() {
                entries[at].attempt(|entry| entry.round(plan, counts));
            }
        }
    }
    compare_units(&mut entries);
    for entry in &mut entries {
        if entry.subject.is_some() {
            entry.attempt(|entry| entry.finish(plan));
        }
    }
    GroupResult {
        name: group.name.clone(),
        stage: group.stage,
        what: group.what.to_owned(),
        unit: group.unit,
        files,
        sides: entries.into_iter().map(|entry| entry.result).collect(),
    }
}

impl<'a> Entry<'a> {
    fn new(side: &'a Side) -> Self {
        let result = SideResult {
            name: side.name.to_owned(),
            label: side.label.to_owned(),
            threads: side.threads,
            ours: side.ours,
            about: About::default(),
            prepared: None,
            answers: Map::new(),
            differs: side.differs.map(str::to_owned),
            samples: Vec::new(),
            peak: None,
            state: State::Measured,
        };
        Self { side, subject: None, result }
    }

    /// Does a step, after which the side is out if it failed.
    fn attempt(&mut self, step: impl FnOnce(&mut Self) -> Result<()>) {
        if let Err(error) = step(self) {
            self.fail(&error);
        }
    }

    fn fail(&mut self, error: &anyhow::Error) {
        let reason = format!("{error:#}");
        println!("  {}: FAILED: {reason}", self.side.title());
        self.result.state = State::Failed(reason);
        self.subject = None;
    }

    fn ask<T: DeserializeOwned>(&mut self, command: &str, plan: &Plan) -> Result<T> {
        let subject = self.subject.as_mut().context("it is not running")?;
        let answer: Value = subject.ask(&json!({ "do": command }), plan.limit)?;
        if let Some(error) = answer.get("error") {
            bail!("{command}: {}", error.as_str().map_or_else(|| error.to_string(), str::to_owned));
        }
        let shown = answer.to_string();
        serde_json::from_value(answer).with_context(|| format!("{command} was answered with {shown:.200}"))
    }

    fn begin(&mut self, command: Command, plan: &Plan) -> Result<()> {
        let subject = Subject::<Greeting>::start(self.side.name, command, plan.limit)?;
        self.result.about = subject.about.about.clone();
        self.subject = Some(subject);
        let prepared: Prepared = self.ask("prepare", plan)?;
        self.result.prepared = Some(prepared.prepared_s);
        let answers: Answers = self.ask("answers", plan)?;
        self.result.answers = answers.answers;
        Ok(())
    }

    fn round(&mut self, plan: &Plan, counts: bool) -> Result<()> {
        let id = self.subject.as_ref().map_or(0, Subject::id);
        let before = Disturbance::of(id);
        let round: Round = self.ask("round", plan)?;
        let (switches, stolen) = Disturbance::of(id).since(&before);
        let positive = |value: f64| value.is_finite() && value > 0.0;
        ensure!(
            positive(round.wall_s) && positive(round.units) && round.cpu_s.is_finite() && round.cpu_s >= 0.0,
            "a round of {} units took {} s by the clock and {} s of processors",
            round.units,
            round.wall_s,
            round.cpu_s
        );
        if counts {
            println!("  {}: {:.3} s, {:.3} s of processors", self.side.title(), round.wall_s, round.cpu_s);
            self.result.samples.push(Sample {
                wall: round.wall_s,
                cpu: round.cpu_s,
                units: round.units,
                latencies: thinned(round.latencies_us.unwrap_or_default()),
                switches,
                stolen,
            });
        }
        Ok(())
    }

    fn finish(&mut self, plan: &Plan) -> Result<()> {
        let finished: Finished = self.ask("finish", plan)?;
        self.result.peak = finished.peak_rss_bytes;
        self.subject = None;
        Ok(())
    }
}

/// The latencies in order; of many, some that are evenly spread over them, the smallest and the largest among them.
fn thinned(mut latencies: Vec<f64>) -> Vec<f64> {
    latencies.sort_by(f64::total_cmp);
    if latencies.len() <= KEPT {
        return latencies;
    }
    let last = latencies.len() - 1;
    (0..KEPT).map(|at| latencies[at * last / (KEPT - 1)]).collect()
}

/// Fails the sides whose answers are not those of ours; ours is the first that answered.
fn compare_answers(group: &Group, entries: &mut [Entry<'_>]) {
    let answered = |entry: &Entry<'_>| entry.subject.is_some() && entry.side.differs.is_none();
    let Some(first) = entries.iter().position(|entry| entry.side.ours && answered(entry)) else { return };
    let reference = entries[first].result.answers.clone();
    for entry in entries.iter_mut().filter(|entry| answered(entry)) {
        entry.attempt(|entry| agree(group.agree, &reference, &entry.result.answers));
    }
}

fn agree(agreed: &[(&str, Agreement)], ours: &Map<String, Value>, theirs: &Map<String, Value>) -> Result<()> {
    for (name, agreement) in agreed {
        let our = ours.get(*name).with_context(|| format!("our side does not tell {name}"))?;
        let their = theirs.get(*name).with_context(|| format!("it does not tell {name}"))?;
        let near = match (*agreement, our.as_f64(), their.as_f64()) {
            (Agreement::Within(share), Some(our), Some(their)) => {
                (our - their).abs() <= share * our.abs().max(their.abs())
            }
            // A number may be written with a point or without.
            (Agreement::Same, Some(our), Some(their)) => our == their,
            _ => our == their,
        };
        ensure!(near, "it has other answers: {name} is {their}, and {our} of ours");
    }
    Ok(())
}

/// Fails the sides that did another amount of work than ours; a ratio of speeds would be of different things.
fn compare_units(entries: &mut [Entry<'_>]) {
    let units = |entry: &Entry<'_>| entry.result.samples.first().map(|sample| sample.units);
    let checked = |entry: &Entry<'_>| entry.subject.is_some() && entry.side.differs.is_none();
    let ours = entries.iter().find(|entry| entry.side.ours && checked(entry));
    let Some(ours) = ours.and_then(units) else { return };
    for entry in entries.iter_mut().filter(|entry| checked(entry)) {
        let Some(theirs) = units(entry) else { continue };
        entry.attempt(|_| {
            ensure!(
                (ours - theirs).abs() <= 0.01 * ours.max(theirs),
                "it counts {theirs} units a round, and ours {ours}"
            );
            Ok(())
        });
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::super::table::Files;
    use super::*;

    /// A program in the language of the shell that answers as told.
    struct Script {
        prepare: &'static str,
        answers: &'static str,
        round: &'static str,
        finish: &'static str,
    }

    const GOOD: Script = Script {
        prepare: r#"{"prepared_s":0.5}"#,
        answers: r#"{"answers":{"files":3,"definitions":1000}}"#,
        round: r#"{"wall_s":2.0,"cpu_s":1.5,"units":100,"latencies_us":[3,1,2]}"#,
        finish: r#"{"peak_rss_bytes":4096}"#,
    };

    impl Script {
        fn command(&self) -> Command {
            let say =
                |line: &str| if line.starts_with('{') { format!("echo '{line}'") } else { line.to_owned() };
            let script = format!(
                r#"echo '{{"about":{{"packages":{{"p":"1"}}}}}}'; while read -r line; do case "$line" in
                *prepare*) {};; *answers*) {};; *round*) {};; *finish*) {}; exit 0;; esac; done"#,
                say(self.prepare),
                say(self.answers),
                say(self.round),
                say(self.finish)
            );
            let mut command = Command::new("sh");
            command.args(["-c", &script]);
            command
        }
    }

    /// Measures our good side beside another.
    fn beside(other: &Script) -> GroupResult {
        let side = |name, ours| Side {
            name,
            host: super::super::table::Host::Node,
            threads: 1,
            ours,
            label: name,
            differs: None,
            needs: None,
            share: None,
        };
        let group = Group {
            name: "g".to_owned(),
            stage: Stage::Parse,
            what: "",
            unit: Unit::Bytes,
            files: Files::All,
            agree: &[("files", Agreement::Same), ("definitions", Agreement::Within(0.01))],
            warm_up: true,
            rounds: None,
            sides: vec![side("ours", true), side("other", false)],
        };
        let plan = Plan { rounds: 3, limit: Duration::from_secs(5) };
        measure(&group, 3, &plan, &mut |side| {
            Ok(Some(if side.ours { GOOD.command() } else { other.command() }))
        })
    }

    /// Why the other side failed; ours is not to be touched by that.
    fn failure(other: &Script) -> String {
        let result = beside(other);
        assert_eq!(result.sides[0].state, State::Measured);
        assert_eq!(result.sides[0].samples.len(), 3);
        match &result.sides[1].state {
            State::Failed(reason) => reason.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn two_sides_take_turns() {
        let result = beside(&Script { answers: r#"{"answers":{"files":3.0,"definitions":1009}}"#, ..GOOD });
        for side in &result.sides {
            assert_eq!(side.state, State::Measured);
            assert_eq!((side.samples.len(), side.peak, side.prepared), (3, Some(4096), Some(0.5)));
            assert_eq!(side.samples[0].latencies, [1.0, 2.0, 3.0]);
            assert_eq!(side.samples[0].rate(), 50.0);
            assert_eq!(side.about.packages["p"], "1");
        }
    }

    #[test]
    fn a_side_that_dies_or_hangs_is_left_out_and_the_rest_goes_on() {
        assert!(failure(&Script { round: "exit 9", ..GOOD }).contains("ended without an answer"));
        assert!(failure(&Script { prepare: "exit 9", ..GOOD }).contains("ended without an answer"));
        assert!(failure(&Script { round: "exec sleep 600", ..GOOD }).contains("no answer in 5 s"));
    }

    #[test]
    fn a_side_that_talks_nonsense_is_left_out() {
        assert!(failure(&Script { round: "echo segfault", ..GOOD }).contains("answered \"segfault\""));
        assert!(failure(&Script { round: r#"{"wall_s":1}"#, ..GOOD }).contains("missing field"));
        let instant = Script { round: r#"{"wall_s":0,"cpu_s":0,"units":1}"#, ..GOOD };
        assert!(failure(&instant).contains("took 0 s"));
        let reason = failure(&Script { prepare: r#"{"error":"no grammar"}"#, ..GOOD });
        assert!(reason.ends_with("prepare: no grammar"), "{reason}");
    }

    #[test]
    fn a_side_with_other_answers_is_left_out() {
        let answers = |answers| Script { answers, ..GOOD };
        let reason = failure(&answers(r#"{"answers":{"files":3,"definitions":989}}"#));
        assert!(reason.contains("definitions is 989, and 1000 of ours"), "{reason}");
        assert!(failure(&answers(r#"{"answers":{"files":4,"definitions":1000}}"#)).contains("files is 4"));
        assert!(failure(&answers(r#"{"answers":{"files":3}}"#)).contains("does not tell definitions"));
        let reason = failure(&Script { round: r#"{"wall_s":1,"cpu_s":1,"units":90}"#, ..GOOD });
        assert!(reason.contains("counts 90 units a round, and ours 100"), "{reason}");
    }

    #[test]
    fn many_latencies_are_thinned_to_some_of_them() {
        let kept = thinned((0..10_000).rev().map(f64::from).collect());
        assert_eq!((kept.len(), kept[0], kept[KEPT - 1]), (KEPT, 0.0, 9999.0));
        assert!((kept[KEPT / 2] - 5000.0).abs() < 30.0);
        assert_eq!(thinned(vec![2.0, 1.0]), [1.0, 2.0]);
    }
}
