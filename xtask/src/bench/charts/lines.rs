//! Lines of values that go by another value.

use anyhow::Result;
use plotters::prelude::*;
use plotters::style::FontTransform;
use plotters::style::text_anchor::{HPos, VPos};

use super::super::statistics::Estimate;
use super::scale::{Scale, written};
use super::theme::{Theme, width};

/// Lines, and what they say.
pub(super) struct Lines {
    pub(super) title: String,
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) series: Vec<Series>,
}

/// What an axis counts, and in which unit.
pub(super) struct Axis {
    pub(super) label: String,
    pub(super) log: bool,
    /// Whether there is nothing between whole numbers.
    pub(super) whole: bool,
}

pub(super) struct Series {
    pub(super) label: String,
    pub(super) ours: bool,
    /// In order.
    pub(super) points: Vec<(f64, Estimate)>,
    /// Whether each point was measured by itself, and is to be seen.
    pub(super) marks: bool,
}

/// All in pixels.
const PLOT: (f64, f64) = (560.0, 330.0);
const LEFT: f64 = 84.0;
const ABOVE: f64 = 52.0;
const BELOW: f64 = 62.0;
const EDGE: f64 = 16.0;
/// Between lines of the legend.
const LINE: i32 = 24;

impl Lines {
    /// The drawing in SVG.
    pub(super) fn draw(&self, theme: &Theme) -> Result<String> {
        let names = self.series.iter().map(|series| width(&series.label, 13.0)).fold(0.0, f64::max);
        let right = names + 66.0;
        let size = ((LEFT + PLOT.0 + right) as u32, (ABOVE + PLOT.1 + BELOW) as u32);
        let points = || self.series.iter().flat_map(|series| &series.points);
        let across = Scale::holding(points().map(|point| point.0), self.x.log);
        let up = Scale::holding(points().flat_map(|point| [point.1.low, point.1.high]), self.y.log);

        let mut svg = String::new();
        {
            let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
            root.fill(&theme.background)?;
            let ((left, far), (bottom, top)) = (across.ends(), up.ends());
            let mut chart = ChartBuilder::on(&root)
                .margin_left(LEFT as i32)
                .margin_right(right as i32)
                .margin_top(ABOVE as i32)
                .margin_bottom(BELOW as i32)
                .build_cartesian_2d(left..far, bottom..top)?;
            let text = |text: &str, colour: RGBColor, pixels: f64, at: (HPos, VPos), place: (i32, i32)| {
                root.draw(&Text::new(text.to_owned(), place, theme.letters(pixels, colour, at)))
            };
            text(&self.title, theme.text, 18.0, (HPos::Left, VPos::Center), (EDGE as i32, 26))?;
            let grid = theme.grid.stroke_width(1);
            for tick in across.ticks().into_iter().filter(|tick| !self.x.whole || tick.fract() == 0.0) {
                let x = across.at(tick);
                chart.draw_series([PathElement::new(vec![(x, bottom), (x, top)], grid)])?;
                let (x, y) = chart.backend_coord(&(x, bottom));
                text(&written(tick), theme.faint, 12.0, (HPos::Center, VPos::Top), (x, y + 7))?;
            }
            for tick in up.ticks() {
                let y = up.at(tick);
                chart.draw_series([PathElement::new(vec![(left, y), (far, y)], grid)])?;
                let (x, y) = chart.backend_coord(&(left, y));
                text(&written(tick), theme.faint, 12.0, (HPos::Right, VPos::Center), (x - 8, y))?;
            }
            let (x, y) = chart.backend_coord(&((left + far) / 2.0, bottom));
            text(&self.x.label, theme.faint, 12.0, (HPos::Center, VPos::Top), (x, y + 30))?;
            let (_, y) = chart.backend_coord(&(left, (bottom + top) / 2.0));
            let upright = theme
                .letters(12.0, theme.faint, (HPos::Center, VPos::Center))
                .transform(FontTransform::Rotate270);
            root.draw(&Text::new(self.y.label.clone(), (EDGE as i32 + 6, y), upright))?;

            let mut counted = [0, 0];
            for (at, series) in self.series.iter().enumerate() {
                let count = &mut counted[usize::from(series.ours)];
                let colour = theme.line(series.ours, *count);
                *count += 1;
                let line = series.points.iter().map(|(x, y)| (across.at(*x), up.at(y.median)));
                chart.draw_series([PathElement::new(line.collect::<Vec<_>>(), colour.stroke_width(2))])?;
                let (edge, above) = (chart.backend_coord(&(far, top)).0 + 18, ABOVE as i32 + 8);
                let row = above + at as i32 * LINE;
                root.draw(&PathElement::new(vec![(edge, row), (edge + 26, row)], colour.stroke_width(2)))?;
                text(&series.label, theme.text, 13.0, (HPos::Left, VPos::Center), (edge + 34, row))?;
                if !series.marks {
                    continue;
                }
                mark(&root, (edge + 13, row), at, colour)?;
                for (x, y) in &series.points {
                    let (low, high) = ((across.at(*x), up.at(y.low)), (across.at(*x), up.at(y.high)));
                    chart.draw_series([PathElement::new(vec![low, high], colour.stroke_width(1))])?;
                    mark(&root, chart.backend_coord(&(across.at(*x), up.at(y.median))), at, colour)?;
                }
            }
            root.present()?;
        }
        Ok(svg)
    }
}

/// Draws the shape of a line, so that lines are told apart without their colours.
fn mark(
    root: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    (x, y): (i32, i32),
    shape: usize,
    colour: RGBColor,
) -> Result<()> {
    let style = colour.filled();
    match shape % 4 {
        0 => root.draw(&Circle::new((x, y), 5, style))?,
        1 => root.draw(&Rectangle::new([(x - 4, y - 4), (x + 4, y + 4)], style))?,
        2 => root.draw(&TriangleMarker::new((x, y), 6, style))?,
        _ => root.draw(&Polygon::new(vec![(x, y - 6), (x + 6, y), (x, y + 6), (x - 6, y)], style))?,
    }
    Ok(())
}
