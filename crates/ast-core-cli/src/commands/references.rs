//! `ast-core refs`, `callers` and `callees`: who mentions a name, who calls it, what it calls.

use super::{block_on, existing_index, warn_if_incomplete};
use crate::args::{Format, Global, NameArguments, RefsArguments};
use crate::failure::{Exit, Failed};
use crate::json;
use crate::output::{DIM, NAME, Output, PATH, WARNING, shown};
use ast_core_engine::{
    Callee, CalleeReply, Definition, Engine, EngineConfig, Evidence, Mention, ReferenceKind, ReferenceQuery,
    ReferenceReply,
};
use std::io::Write;

pub(crate) fn refs(arguments: &RefsArguments, global: &Global, output: &Output) -> Result<Exit, Failed> {
    mentions(&arguments.name, &arguments.kind, global, output)
}

pub(crate) fn callers(arguments: &NameArguments, global: &Global, output: &Output) -> Result<Exit, Failed> {
    mentions(arguments, &[ReferenceKind::Call], global, output)
}

pub(crate) fn callees(arguments: &NameArguments, global: &Global, output: &Output) -> Result<Exit, Failed> {
    let (config, query) = index_and_query(arguments, &[], global)?;
    let reply = block_on(async {
        let engine = Engine::open(config).await?;
        let reply = engine.callees(&query).await;
        engine.close().await;
        Ok(reply?)
    })?;
    warn_if_incomplete(reply.complete, output);
    match output.format {
        Format::Human => show_callees(&reply, output)?,
        Format::Json => output.json(&json::Callees::new(&query.name, &reply))?,
        Format::Jsonl => {
            reply.callees.iter().try_for_each(|callee| output.json(&json::Callee::of(&reply, callee)))?;
        }
    }
    if reply.definitions.is_empty() {
        output.note(format_args!("{} is not defined in this index", query.name));
    }
    if reply.more {
        output.note(format_args!("there are more than {}; see them with --limit", query.limit));
    }
    note_definitions(reply.more_definitions, reply.definitions.len(), output);
    Ok(if reply.callees.is_empty() { Exit::NothingFound } else { Exit::Done })
}

fn index_and_query(
    arguments: &NameArguments,
    kinds: &[ReferenceKind],
    global: &Global,
) -> Result<(EngineConfig, ReferenceQuery), Failed> {
    let config = existing_index(global)?;
    let set = global.settings.of_index(&config.database)?.values.refs_limit;
    let query = ReferenceQuery {
        kinds: kinds.to_vec(),
        languages: arguments.lang.clone(),
        paths: arguments.path.clone(),
        limit: arguments.limit.unwrap_or(set),
        ..ReferenceQuery::new(&arguments.name)
    };
    Ok((config, query))
}

fn mentions(
    arguments: &NameArguments,
    kinds: &[ReferenceKind],
    global: &Global,
    output: &Output,
) -> Result<Exit, Failed> {
    let (config, query) = index_and_query(arguments, kinds, global)?;
    let reply = block_on(async {
        let engine = Engine::open(config).await?;
        let reply = engine.references(&query).await;
        engine.close().await;
        Ok(reply?)
    })?;
    warn_if_incomplete(reply.complete, output);
    match output.format {
        Format::Human => show_mentions(&reply, output)?,
        Format::Json => output.json(&json::Mentions::new(&query.name, &reply))?,
        Format::Jsonl => {
            reply.mentions.iter().try_for_each(|mention| output.json(&json::Mention::from(mention)))?;
        }
    }
    if reply.mentions.is_empty() {
        output.note("nothing found");
    }
    if reply.unread_files > 0 {
        output.note(format_args!(
            "{} more files may mention it; see them with --limit, or narrow with --path and --lang",
            reply.unread_files
        ));
    }
    note_definitions(reply.more_definitions, reply.definitions.len(), output);
    Ok(if reply.mentions.is_empty() { Exit::NothingFound } else { Exit::Done })
}

fn note_definitions(more: bool, known: usize, output: &Output) {
    if more {
        output
            .note(format_args!("there are more than {known} definitions of the name; no more were compared"));
    }
}

/// Definitions that are shown to people; a name with more says little.
const SHOWN_DEFINITIONS: usize = 10;

fn show_definitions(out: &mut impl Write, definitions: &[Definition]) -> Result<(), Failed> {
    for definition in definitions.iter().take(SHOWN_DEFINITIONS) {
        let (path, lines) = (shown(definition.path.as_str()), definition.lines);
        write!(out, "{PATH}{path}{PATH:#}:{}-{}  ", lines.start, lines.end)?;
        writeln!(out, "{}  {DIM}definition{DIM:#}", full_name(definition))?;
    }
    if definitions.len() > SHOWN_DEFINITIONS {
        let more = definitions.len() - SHOWN_DEFINITIONS;
        writeln!(out, "{DIM}and {more} more definitions{DIM:#}")?;
    }
    Ok(())
}

fn full_name(definition: &Definition) -> String {
    let Definition { kind, name, scope, .. } = definition;
    let scope: String = scope.iter().flat_map(|scope| [scope.as_str(), "."]).collect();
    format!("{kind} {}{NAME}{}{NAME:#}", shown(&scope), shown(name))
}

fn words(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::SameFile => "same file",
        Evidence::Import => "import",
        Evidence::Name => "name only",
    }
}

fn show_mentions(reply: &ReferenceReply, output: &Output) -> Result<(), Failed> {
    let mut out = output.stdout();
    show_definitions(&mut out, &reply.definitions)?;
    for mention in &reply.mentions {
        let Mention { path, line, kind, evidence, within, text, changed, .. } = mention;
        let path = shown(path.as_str());
        write!(out, "{PATH}{path}{PATH:#}:{line}  {kind}  {DIM}{}{DIM:#}", words(*evidence))?;
        if let Some(within) = within {
            write!(out, "  {DIM}in{DIM:#} {}", full_name(within))?;
        }
        if *changed == Some(true) {
            write!(out, "  {WARNING}changed since it was indexed{WARNING:#}")?;
        }
        writeln!(out, "\n    {}", shown(text))?;
    }
    Ok(())
}

fn show_callees(reply: &CalleeReply, output: &Output) -> Result<(), Failed> {
    let mut out = output.stdout();
    for (at, definition) in reply.definitions.iter().enumerate() {
        let mut callees = reply.callees.iter().filter(|callee| callee.caller == at).peekable();
        if callees.peek().is_none() {
            continue;
        }
        let (path, lines) = (shown(definition.path.as_str()), definition.lines);
        writeln!(out, "{PATH}{path}{PATH:#}:{}-{}  {}", lines.start, lines.end, full_name(definition))?;
        callees.try_for_each(|callee| show_callee(&mut out, callee))?;
    }
    Ok(())
}

fn show_callee(out: &mut impl Write, callee: &Callee) -> Result<(), Failed> {
    let lines: Vec<String> = callee.lines.iter().map(ToString::to_string).collect();
    let qualifier =
        callee.qualifier.as_deref().map(|qualifier| format!(" {DIM}of {}{DIM:#}", shown(qualifier)));
    write!(
        out,
        "  {NAME}{}{NAME:#}{}  {DIM}line {}{DIM:#}",
        shown(&callee.name),
        qualifier.unwrap_or_default(),
        lines.join(", ")
    )?;
    match (&callee.targets[..], callee.target_count) {
        ([], _) => writeln!(out, "  {DIM}not defined here{DIM:#}")?,
        ([target], 1) => {
            let (path, lines) = (shown(target.path.as_str()), target.lines);
            writeln!(out, "  {DIM}{}{DIM:#}  {PATH}{path}{PATH:#}:{}", words(callee.evidence), lines.start)?;
        }
        ([first, ..], count) => {
            let (path, lines) = (shown(first.path.as_str()), first.lines);
            let more = count - 1;
            writeln!(
                out,
                "  {DIM}{}{DIM:#}  {PATH}{path}{PATH:#}:{} {DIM}and {more} more{DIM:#}",
                words(callee.evidence),
                lines.start
            )?;
        }
    }
    Ok(())
}
