//! Colours and letters. Colours are those of Okabe and Ito, Color Universal Design (2008), which people with any of the
//! common kinds of colour blindness tell apart.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// The colours of a page.
pub(super) struct Theme {
    pub(super) background: RGBColor,
    pub(super) text: RGBColor,
    pub(super) faint: RGBColor,
    pub(super) grid: RGBColor,
    ours: RGBColor,
    plain: RGBColor,
}

pub(super) const LIGHT: Theme = Theme {
    background: RGBColor(255, 255, 255),
    text: RGBColor(31, 35, 40),
    faint: RGBColor(89, 99, 110),
    grid: RGBColor(217, 222, 227),
    ours: RGBColor(0, 114, 178),
    plain: RGBColor(150, 155, 160),
};

pub(super) const DARK: Theme = Theme {
    background: RGBColor(13, 17, 23),
    text: RGBColor(230, 237, 243),
    faint: RGBColor(145, 152, 161),
    grid: RGBColor(48, 54, 61),
    ours: RGBColor(86, 180, 233),
    plain: RGBColor(125, 133, 144),
};

const ORANGE: RGBColor = RGBColor(230, 159, 0);
const GREEN: RGBColor = RGBColor(0, 158, 115);
const VERMILION: RGBColor = RGBColor(213, 94, 0);
const PURPLE: RGBColor = RGBColor(204, 121, 167);

/// What a colour says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Ours,
    Theirs,
    /// Ours, and not enough.
    Short,
    Plain,
    /// A line that something has to reach.
    Mark,
}

impl Theme {
    pub(super) fn tone(&self, tone: Tone) -> RGBColor {
        match tone {
            Tone::Ours => self.ours,
            Tone::Theirs => ORANGE,
            Tone::Short => VERMILION,
            Tone::Plain => self.plain,
            Tone::Mark => self.text,
        }
    }

    /// The colour of a line: of ours, or of the others, each counted by itself.
    pub(super) fn line(&self, ours: bool, at: usize) -> RGBColor {
        let colours = if ours { [self.ours, GREEN, PURPLE] } else { [ORANGE, VERMILION, PURPLE] };
        colours.get(at).copied().unwrap_or(self.plain)
    }

    /// Letters of so many pixels.
    pub(super) fn letters(&self, pixels: f64, colour: RGBColor, at: (HPos, VPos)) -> TextStyle<'static> {
        // plotters divides sizes by this for SVG, as it takes them for heights of lines.
        let size = pixels * 1.24;
        ("sans-serif", size).into_font().color(&colour).pos(Pos::new(at.0, at.1))
    }
}

/// Pixels that a text takes at most, for letters of so many.
pub(super) fn width(text: &str, pixels: f64) -> f64 {
    text.chars().count() as f64 * pixels * 0.56
}
