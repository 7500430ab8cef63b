//! How the index stands to its tree, as every answer says.

use crate::keeper::Keeping;
use crate::workspace::Workspace;
use ast_core_engine::Engine;
use serde::Serialize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long an answer waits for a look at the tree. One that takes longer is for the next answer.
const PATIENCE: Duration = Duration::from_millis(250);

/// How long a look at the tree is believed at least.
const FRESH_FOR: Duration = Duration::from_secs(1);

/// A look takes no more than this share of the time.
const SHARE: u32 = 10;

/// What an answer says of the index that it is from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct IndexNote {
    /// The generation of the index.
    pub(crate) generation: u64,
    /// `current`, `updating`, `stale`, `incomplete` or `unknown`.
    pub(crate) state: &'static str,
    /// Files that are not in the index as they are on disk, if that was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stale_files: Option<usize>,
    /// What that means for the answer, and what to do; nothing if the index is current.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
}

impl IndexNote {
    /// The line that stands before an answer; empty if the index is current.
    pub(crate) fn line(&self) -> String {
        match &self.note {
            Some(note) => format!("index {}: {note}\n", self.state),
            None => String::new(),
        }
    }
}

/// What was seen when the tree was last looked at.
#[derive(Debug, Clone, Copy)]
struct Look {
    at: Instant,
    took: Duration,
    /// `None` if it could not be looked at.
    stale: Option<usize>,
}

/// Looks at the tree, where nobody follows its changes.
#[derive(Debug, Default)]
pub(crate) struct Looks {
    last: Mutex<Option<Look>>,
    turn: tokio::sync::Mutex<()>,
}

impl Looks {
    fn last(&self) -> Option<Look> {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody else has looked just now.
    pub(crate) fn saw(&self, took: Duration, stale: Option<usize>) {
        let look = Look { at: Instant::now(), took, stale };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(look);
    }

    /// What is known is of no use any more.
    pub(crate) fn forget(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// How many files differ from the index, as of a short while ago.
    async fn stale(self: &Arc<Self>, engine: &Arc<Engine>) -> Option<usize> {
        let is_fresh = |look: Look| look.at.elapsed() < FRESH_FOR.max(look.took * SHARE);
        if !self.last().is_some_and(is_fresh) {
            let (looks, engine) = (self.clone(), engine.clone());
            // It goes on if the answer does not wait for it.
            let looking = tokio::spawn(async move {
                let Ok(_turn) = looks.turn.try_lock() else { return };
                let begin = Instant::now();
                let stale = engine.stale().await.ok().flatten().map(|stale| stale.len());
                looks.saw(begin.elapsed(), stale);
            });
            let _ = tokio::time::timeout(PATIENCE, looking).await;
        }
        self.last()?.stale
    }
}

impl Workspace {
    /// What an answer of this generation says of the index.
    pub(crate) async fn note(&self, engine: &Arc<Engine>, generation: u64, complete: bool) -> IndexNote {
        let of =
            |state, stale_files, note: Option<String>| IndexNote { generation, state, stale_files, note };
        let keeping = self.keeper.state();
        let is_updating = keeping == Keeping::Starting;
        match (complete, is_updating) {
            (false, true) => {
                return of("updating", None, Some("it is being brought up, and files are missing".into()));
            }
            (false, false) => {
                let note = "its last run did not come to its end, so files are missing; call index_workspace";
                return of("incomplete", None, Some(note.into()));
            }
            _ => {}
        }
        let why = match keeping {
            Keeping::Following => return of("current", Some(0), None),
            Keeping::Starting => String::new(),
            Keeping::Not(reason) => format!(" (it does not follow the tree: {reason})"),
        };
        match self.looks.stale(engine).await {
            Some(0) => of("current", Some(0), None),
            Some(stale) => {
                let files =
                    if stale == 1 { "1 file differs".into() } else { format!("{stale} files differ") };
                match is_updating {
                    true => of(
                        "updating",
                        Some(stale),
                        Some(format!("{files} from it, and are being brought in")),
                    ),
                    false => {
                        of("stale", Some(stale), Some(format!("{files} from it; call index_workspace{why}")))
                    }
                }
            }
            None => of("unknown", None, Some(format!("whether the tree differs from it is not known{why}"))),
        }
    }
}
