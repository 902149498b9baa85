//! How costs grow with the size of a cluster: measured, and drawn.

use std::{fmt::Write, fs, path::PathBuf};

use crate::counting;

/// One thing grows, and all else stays.
struct Series {
    title: &'static str,
    operation: &'static str,
    /// What stays as it is.
    fixed: &'static [&'static str],
    grows: &'static str,
    sizes: &'static [u32],
}

const SERIES: &[Series] = &[
    Series {
        title: "steady round, by services",
        operation: "steady-round",
        fixed: &["nodes=32"],
        grows: "services",
        sizes: &[100, 1_000, 10_000, 100_000],
    },
    Series {
        title: "steady round of 4,000 services, by nodes",
        operation: "steady-round",
        fixed: &["services=4000"],
        grows: "nodes",
        sizes: &[3, 8, 32, 128, 512],
    },
    Series {
        title: "steady round of 10,000 services, by rules of ten",
        operation: "steady-round",
        fixed: &["services=10000", "nodes=32"],
        grows: "rules",
        sizes: &[1, 10, 100, 1_000],
    },
    Series {
        title: "steady round of 10,000 services, by the size of a group that as many are kept apart from",
        operation: "steady-round",
        fixed: &["services=10000", "nodes=32"],
        grows: "group",
        sizes: &[2, 20, 200, 1_000, 5_000],
    },
    Series {
        title: "rules with a group and as many kept apart from it: checked, completed, compiled",
        operation: "rules-evaluate",
        fixed: &["nodes=32"],
        grows: "group",
        sizes: &[2, 20, 200, 2_000, 20_000],
    },
    Series {
        title: "round that recovers services, of 4,000 on 32 nodes, by nodes that failed",
        operation: "recovery-round",
        fixed: &["services=4000", "nodes=32"],
        grows: "failed",
        sizes: &[1, 2, 4, 8, 16],
    },
    Series {
        title: "manager status read, by services",
        operation: "status-read",
        fixed: &["nodes=32"],
        grows: "services",
        sizes: &[100, 1_000, 10_000],
    },
];

/// What was measured of a series: sizes, and instructions.
type Points = Vec<(f64, f64)>;

impl Series {
    fn measure(&self) -> Result<Points, String> {
        let mut points = Vec::new();
        for size in self.sizes {
            let grown = format!("{}={size}", self.grows);
            let scale = [self.fixed, &[grown.as_str()]].concat();
            let instructions = counting::count(self.operation, &scale)?;
            println!("{}, {grown}: {instructions}", self.operation);
            points.push((f64::from(*size), instructions as f64));
        }
        Ok(points)
    }

    fn row(&self, points: &Points) -> String {
        let counts: Vec<String> = points.iter().map(|(size, count)| format!("{size}: {:.2}", count / 1e6)).collect();
        format!("| {} | {} | {:.2} |\n", self.title, counts.join(", "), exponent(points))
    }
}

/// With which power of the size the cost grows, over the upper half of the sizes: below that what is there without any is most of it.
fn exponent(points: &Points) -> f64 {
    let (Some(first), Some(last)) = (points.get(points.len() / 2), points.last()) else { return 0.0 };
    (last.1 / first.1).ln() / (last.0 / first.0).ln()
}

const BEGIN: &str = "<!-- measured: begin -->\n";
const END: &str = "<!-- measured: end -->\n";

/// Measures all series, and puts them into the documentation.
///
/// # Errors
///
/// If an operation can't be counted, or the documentation can't be written.
pub(crate) fn write() -> Result<(), String> {
    let docs = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let page = docs.join("performance.md");
    let text = fs::read_to_string(&page).map_err(|error| format!("cannot read {}: {error}", page.display()))?;
    let (before, rest) = text.split_once(BEGIN).ok_or("the page has lost the line where the figures begin")?;
    let (_, after) = rest.split_once(END).ok_or("the page has lost the line where the figures end")?;
    let measured: Vec<Points> = SERIES.iter().map(Series::measure).collect::<Result<_, _>>()?;
    let mut table =
        String::from("| what, and what grows | size: millions of instructions | exponent |\n|---|---|---|\n");
    SERIES.iter().zip(&measured).for_each(|(series, points)| table.push_str(&series.row(points)));
    let tools = counting::tools()?;
    let page_text = format!("{before}{BEGIN}\n{table}\nCounted by {tools}.\n\n{END}{after}");
    for (path, text) in [(page, page_text), (docs.join("performance.svg"), draw(&measured))] {
        fs::write(&path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    Ok(())
}

const PANEL: (f64, f64) = (420.0, 250.0);
const PLOT: (f64, f64) = (330.0, 150.0);

/// A panel for each series, both axes in powers of ten.
fn draw(measured: &[Points]) -> String {
    let rows = measured.len().div_ceil(2) as f64;
    let (width, height) = (PANEL.0 * 2.0, PANEL.1 * rows);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" \
         font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    for (index, (series, points)) in SERIES.iter().zip(measured).enumerate() {
        let (x, y) = ((index % 2) as f64 * PANEL.0, (index / 2) as f64 * PANEL.1);
        let _ = writeln!(svg, "<g transform=\"translate({x} {y})\">{}</g>", panel(series, points));
    }
    svg.push_str("</svg>\n");
    svg
}

fn panel(series: &Series, points: &Points) -> String {
    let decades = |value: fn(&(f64, f64)) -> f64| {
        let logs = || points.iter().map(value).map(f64::log10);
        (logs().fold(f64::INFINITY, f64::min).floor(), logs().fold(f64::NEG_INFINITY, f64::max).ceil())
    };
    let (across, up) = (decades(|point| point.0), decades(|point| point.1));
    let x = |log: f64| 60.0 + PLOT.0 * (log - across.0) / (across.1 - across.0).max(1.0);
    let y = |log: f64| 190.0 - PLOT.1 * (log - up.0) / (up.1 - up.0).max(1.0);
    let mut svg = String::new();
    let title = wrap(series.title, 62);
    for (line, text) in title.iter().enumerate() {
        let _ = write!(svg, "<text x=\"60\" y=\"{}\">{text}</text>", 16 + line * 13);
    }
    for decade in across.0 as i32..=across.1 as i32 {
        let at = x(f64::from(decade));
        let _ = write!(svg, "<path d=\"M{at:.1} 40V190\" stroke=\"#ddd\"/>");
        let _ = write!(svg, "<text x=\"{at:.1}\" y=\"205\" text-anchor=\"middle\">10^{decade}</text>");
    }
    for decade in up.0 as i32..=up.1 as i32 {
        let at = y(f64::from(decade));
        let _ = write!(svg, "<path d=\"M60 {at:.1}H390\" stroke=\"#ddd\"/>");
        let _ = write!(svg, "<text x=\"55\" y=\"{:.1}\" text-anchor=\"end\">10^{decade}</text>", at + 4.0);
    }
    let line: Vec<String> =
        points.iter().map(|point| format!("{:.1},{:.1}", x(point.0.log10()), y(point.1.log10()))).collect();
    let _ = write!(svg, "<polyline points=\"{}\" fill=\"none\" stroke=\"#06c\" stroke-width=\"2\"/>", line.join(" "));
    let label = format!("{}; instructions; exponent {:.2}", series.grows, exponent(points));
    let _ = write!(svg, "<text x=\"60\" y=\"222\" fill=\"#555\">{label}</text>");
    svg
}

/// A text in lines of about that many characters.
fn wrap(text: &str, longest: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        if let Some(line) = lines.last_mut() {
            if line.len() + word.len() < longest {
                let blank = if line.is_empty() { "" } else { " " };
                line.push_str(blank);
                line.push_str(word);
            } else {
                lines.push(word.to_owned());
            }
        }
    }
    lines
}
