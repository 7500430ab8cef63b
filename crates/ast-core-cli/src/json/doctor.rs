//! What the doctor found.

use super::{SCHEMA, milliseconds};
use ast_core_engine::DoctorReport;
use serde::Serialize;

/// Something that is wrong with an index.
#[derive(Serialize)]
pub(crate) struct Finding<'a> {
    part: &'static str,
    path: Option<&'a str>,
    found: &'a str,
    expected: &'a str,
    remedy: &'static str,
    mended: bool,
}

impl<'a> Finding<'a> {
    pub(crate) fn of(finding: &'a ast_core_engine::Finding, report: &DoctorReport) -> Self {
        Self {
            part: finding.part.as_str(),
            path: finding.path.as_ref().map(|path| path.as_str()),
            found: &finding.found,
            expected: &finding.expected,
            remedy: finding.remedy.as_str(),
            mended: !report.remaining.contains(finding),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Doctor<'a> {
    schema: u32,
    sound: bool,
    findings: Vec<Finding<'a>>,
    set_aside: Option<String>,
    needs_index: bool,
    files: u64,
    chunks: u64,
    pages: u64,
    elapsed_ms: u64,
}

impl<'a> From<&'a DoctorReport> for Doctor<'a> {
    fn from(report: &'a DoctorReport) -> Self {
        Self {
            schema: SCHEMA,
            sound: report.is_sound(),
            findings: report.findings.iter().map(|finding| Finding::of(finding, report)).collect(),
            set_aside: report.set_aside.as_ref().map(|path| path.display().to_string()),
            needs_index: report.needs_index,
            files: report.files,
            chunks: report.chunks,
            pages: report.pages,
            elapsed_ms: milliseconds(report.elapsed),
        }
    }
}
