//! Horizontal bars under headings, each with its interval.

use anyhow::Result;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::super::statistics::Estimate;
use super::scale::{Scale, written};
use super::theme::{Theme, Tone, width};

/// Bars, and what they say.
pub(super) struct Bars {
    pub(super) title: String,
    /// What the axis counts, and in which unit.
    pub(super) axis: String,
    pub(super) log: bool,
    /// Where bars begin, if not at the end of the axis.
    pub(super) from: Option<f64>,
    /// Headings, and the bars under each.
    pub(super) groups: Vec<(String, Vec<Bar>)>,
    pub(super) legend: Vec<(Tone, &'static str)>,
}

pub(super) struct Bar {
    pub(super) label: String,
    pub(super) value: Estimate,
    pub(super) tone: Tone,
    /// A value that it has to reach.
    pub(super) mark: Option<f64>,
    /// What is written behind it.
    pub(super) text: String,
}

/// Values that differ by more than this are shown on a logarithmic axis.
const WIDE: f64 = 20.0;
/// All in pixels.
const PLOT: f64 = 470.0;
const BAR: f64 = 24.0;
const HEADING: f64 = 32.0;
const ABOVE: f64 = 78.0;
const BELOW: f64 = 56.0;
const EDGE: f64 = 16.0;
const LETTERS: f64 = 13.0;

impl Bars {
    /// Makes the axis logarithmic if the small bars would not be seen on another.
    pub(super) fn with_log_if_wide(mut self) -> Self {
        let values = || self.bars().map(|bar| bar.value.median);
        let (least, most) = (values().fold(f64::INFINITY, f64::min), values().fold(0.0, f64::max));
        if least > 0.0 && most / least > WIDE {
            self.log = true;
            self.axis += " (logarithmic)";
        }
        self
    }

    fn bars(&self) -> impl Iterator<Item = &Bar> {
        self.groups.iter().flat_map(|(_, bars)| bars)
    }

    /// The drawing in SVG.
    pub(super) fn draw(&self, theme: &Theme) -> Result<String> {
        let texts =
            |pick: fn(&Bar) -> &str| self.bars().map(|bar| width(pick(bar), LETTERS)).fold(0.0, f64::max);
        let (left, right) = (texts(|bar| &bar.label) + EDGE + 8.0, texts(|bar| &bar.text) + EDGE + 12.0);
        let rows = self.bars().count() as f64 * BAR + self.groups.len() as f64 * HEADING;
        let size = ((left + PLOT + right) as u32, (ABOVE + rows + BELOW) as u32);
        let ends = self.bars().flat_map(|bar| {
            [Some(bar.value.low), Some(bar.value.high), bar.mark, self.from].into_iter().flatten()
        });
        let scale = Scale::holding(ends, self.log);

        let mut svg = String::new();
        {
            let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
            root.fill(&theme.background)?;
            let (low, high) = scale.ends();
            let mut chart = ChartBuilder::on(&root)
                .margin_left(left as i32)
                .margin_right(right as i32)
                .margin_top(ABOVE as i32)
                .margin_bottom(BELOW as i32)
                .build_cartesian_2d(low..high, 0.0..rows)?;
            let text = |text: &str, pixels: f64, colour: RGBColor, at: (HPos, VPos), place: (i32, i32)| {
                root.draw(&Text::new(text.to_owned(), place, theme.letters(pixels, colour, at)))
            };
            let (from_left, middle) = ((HPos::Left, VPos::Center), (HPos::Center, VPos::Top));
            text(&self.title, 18.0, theme.text, from_left, (EDGE as i32, 26))?;
            let mut x = EDGE;
            for &(tone, name) in &self.legend {
                let used =
                    self.bars().any(|bar| bar.tone == tone || tone == Tone::Mark && bar.mark.is_some());
                if !used {
                    continue;
                }
                let (from, to) = if tone == Tone::Mark { (x + 5.0, x + 8.0) } else { (x, x + 13.0) };
                let corners = [(from as i32, 47), (to as i32, 60)];
                root.draw(&Rectangle::new(corners, theme.tone(tone).filled()))?;
                text(name, 12.0, theme.faint, from_left, ((x + 19.0) as i32, 54))?;
                x += 19.0 + width(name, 12.0) + 18.0;
            }

            for tick in scale.ticks() {
                let line = vec![(scale.at(tick), 0.0), (scale.at(tick), rows)];
                chart.draw_series([PathElement::new(line, theme.grid.stroke_width(1))])?;
                let (x, y) = chart.backend_coord(&(scale.at(tick), 0.0));
                text(&written(tick), 12.0, theme.faint, middle, (x, y + 7))?;
            }
            let (x, y) = chart.backend_coord(&((low + high) / 2.0, 0.0));
            text(&self.axis, 12.0, theme.faint, middle, (x, y + 28))?;

            let start = scale.at(self.from.unwrap_or(scale.low()));
            let mut y = rows;
            for (heading, bars) in &self.groups {
                y -= HEADING;
                let (_, row) = chart.backend_coord(&(low, y + 10.0));
                text(heading, 14.0, theme.text, from_left, (EDGE as i32, row))?;
                for bar in bars {
                    y -= BAR;
                    let (bottom, top, centre) = (y + 4.0, y + BAR - 4.0, y + BAR / 2.0);
                    let at = |value: f64| scale.at(value);
                    let corners = [(start, bottom), (at(bar.value.median), top)];
                    let colour = theme.tone(bar.tone);
                    chart.draw_series([Rectangle::new(corners, colour.filled())])?;
                    let (from, to) = (at(bar.value.low), at(bar.value.high));
                    if to > from {
                        let cap = |x: f64| vec![(x, centre - 4.0), (x, centre + 4.0)];
                        let lines = [vec![(from, centre), (to, centre)], cap(from), cap(to)];
                        let style = theme.text.stroke_width(1);
                        chart.draw_series(lines.into_iter().map(|line| PathElement::new(line, style)))?;
                    }
                    let end = to.max(start).max(at(bar.value.median));
                    if let Some(mark) = bar.mark {
                        let line = vec![(at(mark), y + 1.0), (at(mark), y + BAR - 1.0)];
                        let style = theme.tone(Tone::Mark).stroke_width(3);
                        chart.draw_series([PathElement::new(line, style)])?;
                    }
                    let (edge, row) = chart.backend_coord(&(end, centre));
                    // The mark may stand just where the text would begin.
                    let mark = bar.mark.map_or(i32::MIN, |mark| chart.backend_coord(&(at(mark), centre)).0);
                    let words = width(&bar.text, LETTERS) as i32 + 8;
                    let place = if (edge..edge + words).contains(&mark) { mark } else { edge };
                    text(&bar.text, LETTERS, theme.text, from_left, (place + 6, row))?;
                    let (axis, _) = chart.backend_coord(&(low, centre));
                    text(&bar.label, LETTERS, theme.text, (HPos::Right, VPos::Center), (axis - 8, row))?;
                }
            }
            root.present()?;
        }
        Ok(svg)
    }
}
