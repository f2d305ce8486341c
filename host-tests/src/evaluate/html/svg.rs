//! Charts as inline SVG: axes, lines, bands, bars. No scripts, no references to anything outside.
//!
//! Lines differ in dash as well as colour, so that they can be told apart on paper; colours are
//! classes that the page's style sets for light and dark. A chart has a title and a description.
use crate::page::{escape, push};

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 26.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 44.0;
/// Height of a line of the legend.
const LEGEND: f64 = 18.0;

/// How values become places.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scale {
    /// Evenly.
    Linear,
    /// By logarithm; values at or below the lower end lie on it.
    Log,
}

/// One axis.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    pub(super) label: &'static str,
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) scale: Scale,
    /// Values are shares, shown in percent.
    pub(super) percent: bool,
}

impl Axis {
    pub(super) fn linear(label: &'static str, from: f64, to: f64) -> Self {
        let to = if to > from { to } else { from + 1.0 };
        Self {
            label,
            from,
            to,
            scale: Scale::Linear,
            percent: false,
        }
    }
    /// From a positive value.
    pub(super) fn log(label: &'static str, from: f64, to: f64) -> Self {
        Self {
            scale: Scale::Log,
            ..Self::linear(label, from, to.max(from * 10.0))
        }
    }
    pub(super) fn percent(self) -> Self {
        Self {
            percent: true,
            ..self
        }
    }
    /// 0 to 1 along the axis.
    fn place(&self, value: f64) -> f64 {
        let along = match self.scale {
            Scale::Linear => (value - self.from) / (self.to - self.from),
            Scale::Log => (value.max(self.from) / self.from).ln() / (self.to / self.from).ln(),
        };
        along.clamp(0.0, 1.0)
    }
    fn ticks(&self) -> Vec<f64> {
        match self.scale {
            Scale::Log => {
                let first = self.from.log10().ceil() as i32;
                let last = self.to.log10().floor() as i32;
                let step = ((last - first) / 6 + 1).max(1) as usize;
                (first..=last)
                    .step_by(step)
                    .map(|exponent| 10_f64.powi(exponent))
                    .collect()
            }
            Scale::Linear => {
                let raw = (self.to - self.from) / 5.0;
                let base = 10_f64.powf(raw.log10().floor());
                let step = [1.0, 2.0, 5.0, 10.0]
                    .into_iter()
                    .map(|factor| factor * base)
                    .find(|step| *step >= raw * 0.999)
                    .unwrap_or(raw);
                let first = (self.from / step).ceil() as i64;
                (first..first + 12)
                    .map(|index| index as f64 * step)
                    .take_while(|tick| *tick <= self.to + step * 1e-6)
                    .collect()
            }
        }
    }
    fn tell(&self, value: f64) -> String {
        if self.percent {
            return format!("{} %", short(value * 100.0));
        }
        match value.abs() {
            0.0..1e4 => short(value),
            1e4..1e6 => format!("{}k", short(value / 1e3)),
            1e6..1e9 => format!("{}M", short(value / 1e6)),
            _ => format!("{}G", short(value / 1e9)),
        }
    }
}

/// A number without needless zeros.
fn short(value: f64) -> String {
    let text = format!("{value:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text.is_empty() || text == "-0" {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}

/// What is drawn; `style` picks colour and dash, 0 to 7.
#[derive(Clone, Debug)]
pub(super) enum Mark {
    /// A line through points.
    Line {
        label: String,
        style: usize,
        points: Vec<(f64, f64)>,
    },
    /// The area between two values: (x, low, high).
    Band {
        style: usize,
        points: Vec<(f64, f64, f64)>,
    },
    /// Bars from the lower end: (from, to, value).
    Bars {
        label: String,
        style: usize,
        bars: Vec<(f64, f64, f64)>,
    },
    /// Dots with an interval: (x, value, low, high).
    Dots {
        label: String,
        style: usize,
        dots: Vec<(f64, f64, f64, f64)>,
    },
    /// A level across.
    Level { label: String, value: f64 },
}

/// A chart.
#[derive(Clone, Debug)]
pub(super) struct Chart {
    /// Unique in the page.
    pub(super) id: String,
    pub(super) title: String,
    /// What a reader who cannot see it should know.
    pub(super) description: String,
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) marks: Vec<Mark>,
    /// Names at places of the x axis instead of numbers.
    pub(super) names: Vec<(f64, String)>,
}

impl Chart {
    fn x(&self, value: f64) -> f64 {
        LEFT + self.x.place(value) * (WIDTH - LEFT - RIGHT)
    }
    fn y(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - self.y.place(value) * (HEIGHT - TOP - BOTTOM)
    }

    /// The chart as a figure.
    pub(super) fn draw(&self) -> String {
        let mut out = String::new();
        let legend = self.legend();
        let height = HEIGHT + legend.len().div_ceil(2) as f64 * LEGEND;
        push(
            &mut out,
            format_args!(
                "<figure><figcaption>{}</figcaption><svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\"><title id=\"{id}-t\">{}</title><desc id=\"{id}-d\">{}</desc>",
                escape(&self.title),
                escape(&self.title),
                escape(&self.description),
                id = self.id
            ),
        );
        self.axes(&mut out);
        for mark in &self.marks {
            self.mark(mark, &mut out);
        }
        for (index, (label, style, kind)) in legend.iter().enumerate() {
            let x = LEFT + (index % 2) as f64 * (WIDTH - LEFT) / 2.0;
            let y = HEIGHT + (index / 2) as f64 * LEGEND + 4.0;
            let swatch = match kind {
                Kind::Area => format!(
                    "<rect class=\"a{style}\" x=\"{x}\" y=\"{}\" width=\"26\" height=\"10\"/>",
                    y - 5.0
                ),
                Kind::Line => {
                    format!("<path class=\"s{style}\" d=\"M{x} {y}h26\"/>")
                }
                Kind::Dot => format!(
                    "<circle class=\"d{style}\" cx=\"{}\" cy=\"{y}\" r=\"4\"/>",
                    x + 13.0
                ),
                Kind::Level => format!("<path class=\"level\" d=\"M{x} {y}h26\"/>"),
            };
            push(
                &mut out,
                format_args!(
                    "{swatch}<text x=\"{}\" y=\"{}\">{}</text>",
                    x + 32.0,
                    y + 4.0,
                    escape(label)
                ),
            );
        }
        out.push_str("</svg></figure>\n");
        out
    }

    fn legend(&self) -> Vec<(&str, usize, Kind)> {
        self.marks
            .iter()
            .filter_map(|mark| match mark {
                Mark::Line { label, style, .. } => Some((label.as_str(), *style, Kind::Line)),
                Mark::Bars { label, style, .. } => Some((label.as_str(), *style, Kind::Area)),
                Mark::Dots { label, style, .. } => Some((label.as_str(), *style, Kind::Dot)),
                Mark::Level { label, .. } => Some((label.as_str(), 0, Kind::Level)),
                Mark::Band { .. } => None,
            })
            .filter(|(label, ..)| !label.is_empty())
            .collect()
    }

    fn axes(&self, out: &mut String) {
        let (bottom, right) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
        for tick in self.y.ticks() {
            let y = self.y(tick);
            push(
                out,
                format_args!(
                    "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{right}\"/><text class=\"tick\" text-anchor=\"end\" x=\"{}\" y=\"{:.1}\">{}</text>",
                    LEFT - 6.0,
                    y + 4.0,
                    self.y.tell(tick)
                ),
            );
        }
        let named: Vec<(f64, String)> = if self.names.is_empty() {
            self.x
                .ticks()
                .into_iter()
                .map(|tick| (tick, self.x.tell(tick)))
                .collect()
        } else {
            self.names.clone()
        };
        for (at, name) in named {
            let x = self.x(at);
            push(
                out,
                format_args!(
                    "<path class=\"grid\" d=\"M{x:.1} {bottom}v4\"/><text class=\"tick\" text-anchor=\"middle\" x=\"{x:.1}\" y=\"{}\">{}</text>",
                    bottom + 17.0,
                    escape(&name)
                ),
            );
        }
        push(
            out,
            format_args!(
                "<path class=\"axis\" d=\"M{LEFT} {TOP}V{bottom}H{right}\"/><text text-anchor=\"middle\" x=\"{}\" y=\"{}\">{}</text><text text-anchor=\"middle\" transform=\"translate(14 {}) rotate(-90)\">{}</text>",
                (LEFT + right) / 2.0,
                HEIGHT - 8.0,
                escape(self.x.label),
                (TOP + bottom) / 2.0,
                escape(self.y.label)
            ),
        );
    }

    fn mark(&self, mark: &Mark, out: &mut String) {
        match mark {
            Mark::Line { style, points, .. } => {
                let path: String = points
                    .iter()
                    .enumerate()
                    .map(|(index, (x, y))| {
                        let letter = if index == 0 { 'M' } else { 'L' };
                        format!("{letter}{:.1} {:.1}", self.x(*x), self.y(*y))
                    })
                    .collect();
                if !path.is_empty() {
                    push(out, format_args!("<path class=\"s{style}\" d=\"{path}\"/>"));
                }
            }
            Mark::Band { style, points } => {
                let upper = points
                    .iter()
                    .map(|(x, _, high)| format!("{:.1},{:.1}", self.x(*x), self.y(*high)));
                let lower = points
                    .iter()
                    .rev()
                    .map(|(x, low, _)| format!("{:.1},{:.1}", self.x(*x), self.y(*low)));
                let all: Vec<String> = upper.chain(lower).collect();
                if !all.is_empty() {
                    push(
                        out,
                        format_args!("<polygon class=\"a{style}\" points=\"{}\"/>", all.join(" ")),
                    );
                }
            }
            Mark::Bars { style, bars, .. } => {
                let bottom = HEIGHT - BOTTOM;
                for (from, to, value) in bars.iter().filter(|(_, _, value)| *value > 0.0) {
                    let (x, y) = (self.x(*from), self.y(*value));
                    push(
                        out,
                        format_args!(
                            "<rect class=\"a{style}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>",
                            (self.x(*to) - x - 1.0).max(0.5),
                            (bottom - y).max(0.0)
                        ),
                    );
                }
            }
            Mark::Dots { style, dots, .. } => {
                for (x, value, low, high) in dots {
                    let at = self.x(*x);
                    push(
                        out,
                        format_args!(
                            "<path class=\"whisker\" d=\"M{at:.1} {:.1}V{:.1}\"/><circle class=\"d{style}\" cx=\"{at:.1}\" cy=\"{:.1}\" r=\"4\"/>",
                            self.y(*low),
                            self.y(*high),
                            self.y(*value)
                        ),
                    );
                }
            }
            Mark::Level { value, .. } => push(
                out,
                format_args!(
                    "<path class=\"level\" d=\"M{LEFT} {:.1}H{}\"/>",
                    self.y(*value),
                    WIDTH - RIGHT
                ),
            ),
        }
    }
}

enum Kind {
    Line,
    Dot,
    Area,
    Level,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        assert_eq!(
            Axis::linear("", 0.0, 45.0).ticks(),
            [0.0, 10.0, 20.0, 30.0, 40.0]
        );
        assert_eq!(Axis::log("", 1e-5, 1.0).ticks().len(), 6);
        assert_eq!(Axis::linear("", 3.0, 3.0).to, 4.0);
        assert_eq!(Axis::linear("", 0.0, 1.0).percent().tell(0.001), "0.1 %");
        assert_eq!(Axis::linear("", 0.0, 1e7).tell(2.5e6), "2.5M");
    }

    #[test]
    fn values_outside_of_an_axis_are_drawn_on_its_edge() {
        let log = Axis::log("", 1e-5, 1.0);

        assert_eq!((log.place(0.0), log.place(5.0)), (0.0, 1.0));
        assert!((log.place(10_f64.powf(-2.5)) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn names_cannot_break_out_of_the_page() {
        assert_eq!(
            escape("<b a=\"1\">&'\u{7}"),
            "&lt;b a=&quot;1&quot;&gt;&amp;&#39;"
        );
    }
}
