//! Tables: rows and columns as text.
//!
//! On a terminal a table fits the width: first ids are shortened, then shrinkable columns are
//! shrunk, then columns that are useless when cut are hidden, from the right. Only a reason in the
//! last column is wrapped. Without a width nothing is cut or hidden.

use std::borrow::Cow;

use comfy_table::{ContentArrangement, Table, presets};

use super::terminal::{Layout, paint, state};
use super::text::{clean, cut, fold, width};

/// Spaces between two columns.
const GAP: usize = 2;
/// Characters of a shortened id; commands accept as many.
const SHORT_ID: usize = 8;
/// Tables with more rows are written directly. comfy-table needs 2.2 ms for 1,000 rows and 25 ms for
/// 10,000, against 0.13 and 1.3 ms (columns of `app list`, optimised); with it, a list of 1,000 apps
/// would take a third longer.
const LARGE: usize = 200;

/// What happens to a column when there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fit {
    /// Never cut; hidden last, and the first column never.
    Fixed,
    /// Cut, to this minimum width.
    Shrink(usize),
    /// Hidden: half an address is useless.
    Drop,
    /// The same; and silently hidden on a terminal if no row has a value.
    Rare,
    /// An id, shortened to its first [`SHORT_ID`] characters.
    Id,
    /// Wrapped at blanks, to this minimum width; only for the last column.
    Wrap(usize),
}

/// The head of a column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    name: &'static str,
    fit: Fit,
}

impl Head {
    pub(crate) fn fixed(name: &'static str) -> Self {
        Self { name, fit: Fit::Fixed }
    }

    /// The heads of these columns; those without a fit are fixed.
    pub(crate) fn each(names: &[&'static str], fit: &[Fit]) -> Vec<Self> {
        let fit = fit.iter().copied().chain(std::iter::repeat(Fit::Fixed));
        names.iter().zip(fit).map(|(name, fit)| Self { name, fit }).collect()
    }
}

/// A cell as it is shown, and its width.
struct Cell<'a> {
    text: Cow<'a, str>,
    width: usize,
}

impl<'a> Cell<'a> {
    fn new(text: Cow<'a, str>) -> Self {
        Self { width: width(&text), text }
    }

    fn fit(&mut self, room: usize, how: Fit) {
        if self.width <= room {
            return;
        }
        *self = match how {
            Fit::Wrap(_) => return,
            Fit::Id => Self::new(self.text.chars().take(room).collect::<String>().into()),
            Fit::Fixed | Fit::Shrink(_) | Fit::Drop | Fit::Rare => {
                Self::new(cut(&self.text, room).into_owned().into())
            }
        };
    }
}

/// Rows of cells, the heads first, with one cell per column.
struct Grid<'a> {
    columns: usize,
    cells: Vec<Cell<'a>>,
}

impl<'a> Grid<'a> {
    fn new(heads: &[Head], rows: impl ExactSizeIterator<Item = Vec<Cow<'a, str>>>) -> Self {
        let columns = heads.len();
        let mut cells = Vec::with_capacity(columns * (rows.len() + 1));
        cells.extend(heads.iter().map(|head| Cell::new(head.name.into())));
        for row in rows {
            let absent = std::iter::repeat_with(Cow::default);
            cells.extend(row.into_iter().chain(absent).take(columns).map(|text| {
                Cell::new(match text {
                    Cow::Borrowed(text) => clean(text),
                    Cow::Owned(text) => {
                        let changed = match clean(&text) {
                            Cow::Owned(changed) => Some(changed),
                            Cow::Borrowed(_) => None,
                        };
                        changed.unwrap_or(text).into()
                    }
                })
            }));
        }
        Self { columns, cells }
    }

    fn rows(&self) -> impl Iterator<Item = &[Cell<'a>]> {
        self.cells.chunks_exact(self.columns)
    }

    /// Whether a row has anything in this column.
    fn has_any(&self, column: usize) -> bool {
        self.rows().skip(1).any(|row| row[column].width > 0)
    }

    /// The width of each column.
    fn widths(&self) -> Vec<usize> {
        let mut widths = vec![0; self.columns];
        for row in self.rows() {
            for (widest, cell) in widths.iter_mut().zip(row) {
                *widest = cell.width.max(*widest);
            }
        }
        widths
    }

    /// Cuts cells to their room, and removes columns without room.
    fn fit(&mut self, heads: &[Head], rooms: &[Option<usize>]) {
        let mut at = 0;
        self.cells.retain_mut(|cell| {
            let column = at % rooms.len();
            at += 1;
            rooms[column].map(|room| cell.fit(room, heads[column].fit)).is_some()
        });
        self.columns = rooms.iter().flatten().count();
    }

    /// Folds the cells of the last column that are wider than `room`.
    fn wrap_last(&mut self, room: usize) {
        for cell in self.cells.iter_mut().skip(self.columns - 1).step_by(self.columns) {
            if cell.width > room {
                // Blanks at the ends would become empty lines.
                let lines = fold(cell.text.trim(), room);
                let lines: Vec<_> = lines.iter().map(|line| cut(line, room)).collect();
                *cell = Cell { text: lines.join("\n").into(), width: room };
            }
        }
    }

    /// The lines, made by comfy-table.
    fn laid_out(&self) -> String {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        let mut rows = self.rows().map(|row| row.iter().map(|cell| &*cell.text));
        table.set_header(rows.next().into_iter().flatten());
        for row in rows {
            table.add_row(row);
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, u16::try_from(GAP).unwrap_or(2)));
        }
        table.trim_fmt() + "\n"
    }

    /// The same lines, written directly, which is much faster.
    fn written(&self, widths: &[usize]) -> String {
        let line = widths.iter().map(|width| width + GAP).sum::<usize>();
        let before = line - widths.last().map_or(0, |last| last + GAP);
        let mut out = String::with_capacity(line * (self.cells.len() / self.columns));
        for row in self.rows() {
            let start = out.len();
            for (cell, width) in row.iter().zip(widths) {
                if cell.text.contains('\n') {
                    out.push_str(&cell.text.replace('\n', &format!("\n{}", " ".repeat(before))));
                } else {
                    out.push_str(&cell.text);
                    out.extend(std::iter::repeat_n(' ', width + GAP - cell.width));
                }
            }
            out.truncate(start + out[start..].trim_end().len());
            out.push('\n');
        }
        out
    }
}

/// A table without lines.
pub(crate) fn table(heads: &[Head], rows: &[Vec<String>], layout: Layout) -> String {
    let rows = rows.iter().map(|row| row.iter().map(|cell| cell.as_str().into()).collect());
    table_of(heads, rows, layout).0
}

/// The table, and how many columns had no room.
pub(crate) fn table_of<'a>(
    heads: &[Head],
    rows: impl ExactSizeIterator<Item = Vec<Cow<'a, str>>>,
    layout: Layout,
) -> (String, usize) {
    let is_large = rows.len() > LARGE;
    let mut grid = Grid::new(heads, rows);
    let natural = grid.widths().into_iter().enumerate().map(|(at, width)| {
        let is_rare = layout.columns.is_some() && heads[at].fit == Fit::Rare;
        (!is_rare || grid.has_any(at)).then_some(width)
    });
    let natural: Vec<Option<usize>> = natural.collect();
    let rare = natural.iter().filter(|width| width.is_none()).count();
    let rooms = fit(heads, natural, layout.columns);
    grid.fit(heads, &rooms);
    let wraps = heads.last().is_some_and(|head| matches!(head.fit, Fit::Wrap(_)));
    if let Some(room) = rooms.last().copied().flatten().filter(|_| wraps) {
        grid.wrap_last(room);
    }
    // A column in which wide characters were cut may be narrower than the room it had.
    let widths = grid.widths();
    let text = if is_large { grid.written(&widths) } else { grid.laid_out() };
    let hidden = rooms.iter().filter(|room| room.is_none()).count() - rare;
    let state_at = heads.iter().position(|head| head.name == "STATE");
    let Some(at) = state_at.filter(|at| layout.color && rooms[*at].is_some()) else {
        return (text, hidden);
    };
    // Painted last, because colour codes have no width.
    let before = rooms[..at].iter().flatten().count();
    let before: usize = widths[..before].iter().map(|width| width + GAP).sum();
    let text =
        text.lines().fold(String::new(), |out, line| out + &paint_state(line, before) + "\n");
    (text, hidden)
}

/// A line of a table with the state at this column painted.
fn paint_state(line: &str, column: usize) -> String {
    let start = line.char_indices().map(|(at, _)| at).find(|at| width(&line[..*at]) >= column);
    let Some(start) = start else { return line.to_owned() };
    let end = line[start..].find(' ').map_or(line.len(), |length| start + length);
    match state(&line[start..end]) {
        Some(how) => {
            format!("{}{}{}", &line[..start], paint(how, &line[start..end], true), &line[end..])
        }
        None => line.to_owned(),
    }
}

/// The widths of columns that fit; none for a column that is left out.
fn fit(heads: &[Head], natural: Vec<Option<usize>>, room: Option<usize>) -> Vec<Option<usize>> {
    let mut widths = natural;
    let Some(room) = room else { return widths };
    let shown = widths.iter().flatten().count();
    let total = widths.iter().flatten().sum::<usize>() + GAP * shown.saturating_sub(1);
    if total > room {
        let ids = heads.iter().zip(&mut widths).filter(|(head, _)| head.fit == Fit::Id);
        ids.for_each(|(_, width)| *width = width.map(|width| width.min(SHORT_ID)));
    }
    loop {
        let shown = widths.iter().flatten().count();
        let total: usize = widths.iter().flatten().sum::<usize>() + GAP * shown.saturating_sub(1);
        let mut over = total.saturating_sub(room);
        let mut shrunk = widths.clone();
        while over > 0 {
            // One column at a time, the widest first, so that they end at the same width.
            let widest = (0..heads.len())
                .filter(|at| matches!((heads[*at].fit, shrunk[*at]), (Fit::Shrink(least) | Fit::Wrap(least), Some(now)) if now > least))
                .max_by_key(|at| shrunk[*at]);
            let Some(width) = widest.and_then(|at| shrunk[at].as_mut()) else { break };
            *width -= 1;
            over -= 1;
        }
        if over == 0 {
            return shrunk;
        }
        let last = |fit: &dyn Fn(Fit) -> bool| {
            (1..heads.len()).rev().find(|at| widths[*at].is_some() && fit(heads[*at].fit))
        };
        match last(&|fit| matches!(fit, Fit::Drop | Fit::Rare)).or_else(|| last(&|_| true)) {
            Some(at) => widths[at] = None,
            None => return shrunk,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEADS: [Head; 4] = [
        Head { name: "ID", fit: Fit::Id },
        Head { name: "NAME", fit: Fit::Shrink(6) },
        Head { name: "STATE", fit: Fit::Fixed },
        Head { name: "URL", fit: Fit::Drop },
    ];

    fn shown(columns: Option<usize>, color: bool) -> String {
        let row = |cells: [&str; 4]| cells.map(str::to_owned).to_vec();
        let rows = [
            row(["0123456789", "a-name-of-some-length", "RUNNING", "http://long.example"]),
            row(["1123456789", "日本語日本語", "FAILED", "http://long.example"]),
        ];
        table(&HEADS, &rows, Layout { columns, color, ..Layout::PLAIN })
    }

    #[test]
    fn tables_are_not_cut_in_a_pipe() {
        assert_eq!(
            shown(None, false),
            "ID          NAME                   STATE    URL\n\
             0123456789  a-name-of-some-length  RUNNING  http://long.example\n\
             1123456789  日本語日本語           FAILED   http://long.example\n"
        );
    }

    #[test]
    fn ids_are_shortened_then_names_shrunk_then_columns_left_out() {
        assert_eq!(
            shown(Some(61), false),
            "ID        NAME                   STATE    URL\n\
             01234567  a-name-of-some-length  RUNNING  http://long.example\n\
             11234567  日本語日本語           FAILED   http://long.example\n"
        );
        assert_eq!(
            shown(Some(48), false),
            "ID        NAME      STATE    URL\n\
             01234567  a-name-…  RUNNING  http://long.example\n\
             11234567  日本語…   FAILED   http://long.example\n"
        );
        assert_eq!(
            shown(Some(28), true),
            "ID        NAME       STATE\n\
             01234567  a-name-o…  \x1b[32mRUNNING\x1b[0m\n\
             11234567  日本語日…  \x1b[1;31mFAILED\x1b[0m\n"
        );
        assert_eq!(shown(Some(4), false), "ID\n01234567\n11234567\n");
    }

    #[test]
    fn a_reason_is_wrapped_below_itself() {
        let heads = [Head::fixed("TOKEN"), Head { name: "BECAUSE", fit: Fit::Wrap(10) }];
        let rows = [
            ["a", "the token has no label selector"].map(str::to_owned).to_vec(),
            ["b", "a-word-that-is-too-long"].map(str::to_owned).to_vec(),
        ];
        assert_eq!(
            table(&heads, &rows, Layout { columns: Some(22), ..Layout::PLAIN }),
            "TOKEN  BECAUSE\n\
             a      the token has\n\
             \x20      no label\n\
             \x20      selector\n\
             b      a-word-that-is…\n"
        );
        assert_eq!(table(&heads, &rows, Layout::PLAIN).lines().count(), 3, "whole in a pipe");
    }

    #[test]
    fn blanks_at_the_ends_of_a_reason_make_no_lines() {
        let heads = [Head::fixed("A"), Head { name: "B", fit: Fit::Wrap(4) }];
        let rows = [["x", "  one two  "].map(str::to_owned).to_vec()];
        let layout = Layout { columns: Some(7), ..Layout::PLAIN };
        assert_eq!(table(&heads, &rows, layout), "A  B\nx  one\n   two\n");
    }

    #[test]
    fn the_state_is_painted_where_wide_characters_were_cut() {
        let row = ["01234567", "日本語日本語日本語", "RUNNING", ""].map(str::to_owned).to_vec();
        let painted = |columns| {
            let layout = Layout { columns: Some(columns), color: true, ..Layout::PLAIN };
            table(&HEADS, std::slice::from_ref(&row), layout)
        };
        assert!(painted(28).ends_with("日本語日…  \x1b[32mRUNNING\x1b[0m\n"), "{:?}", painted(28));
        assert!(painted(27).ends_with("日本語…  \x1b[32mRUNNING\x1b[0m\n"), "{:?}", painted(27));
    }

    proptest! {
        #[test]
        fn large_tables_look_like_small_ones(
            rows in prop::collection::vec(
                prop::collection::vec("[ -~]{0,12}|\\PC{0,12}|\u{3000}?|RUNNING", 4),
                0..8,
            ),
            columns in prop::option::of(4usize..60),
            color: bool,
            wraps: bool,
        ) {
            let mut heads = HEADS;
            if wraps {
                heads[3].fit = Fit::Wrap(4);
            }
            let layout = Layout { columns, color, ..Layout::PLAIN };
            let small = table(&heads, &rows, layout);
            // The same rows repeated, which leaves the widths unchanged.
            let times = LARGE / rows.len().max(1) + 1;
            let many: Vec<_> = std::iter::repeat_n(&rows, times).flatten().cloned().collect();
            let large = table(&heads, &many, layout);
            let (head, body) = small.split_once('\n').expect("a head");
            prop_assert_eq!(large, format!("{head}\n{}", body.repeat(times)));
        }

        #[test]
        fn lines_fit_and_ids_can_be_used(columns in 8usize..200, name in "\\PC{0,50}", url in "[a-z]{0,90}") {
            let id = "caa6077e-2b0d-4e65-8e33-423b3a9d2498";
            let rows = [vec![id.to_owned(), name, "RUNNING".into(), url]];
            let text = table(&HEADS, &rows, Layout { columns: Some(columns), ..Layout::PLAIN });
            prop_assert_eq!(text.lines().count(), 2);
            for line in text.lines() {
                prop_assert!(width(line) <= columns, "{:?}", line);
            }
            prop_assert!(text.contains(&id[..SHORT_ID]));
        }
    }
}
