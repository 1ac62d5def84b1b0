//! The RFC's drawing: 32 bits a row, with names and values in it.

use std::ops::Range;

use wirewright_inspect::Dissection;
use wirewright_inspect::dissect::{Field, Layer, OptionField, OptionKind};
use wirewright_inspect::wire::{Kind, OptionLen};

use crate::catalogue::Catalogue;
use crate::hex::digits;
use crate::style::{Ink, Style};
use crate::sum::verdict_ink;
use crate::text::{centre, columns, escape_bytes, pad, push};
use crate::value::{field_value_in, text, value_in};

/// Bits a row where there is room for them: 65 columns.
const ROW_BITS: usize = 32;

/// How many rows of a box that is larger are drawn below its first: enough for an IPv6 address to be true to scale.
const ROWS_INSIDE_MAX: usize = 3;

/// How many bytes of a payload the drawing shows.
const PAYLOAD_SHOWN: usize = 24;

/// The whole frame: each layer with its title, then payload and trailer. Ends with a line break.
#[must_use]
pub fn draw_frame(frame: &Dissection<'_>, style: &Style, words: &Catalogue) -> String {
    let mut out = String::new();
    for (index, layer) in frame.layers.iter().enumerate() {
        let title = format!("{} ({})", layer.desc.title, style.section(layer.desc.rfc));
        let title = if layer.quoted { format!("{} {title}", words.say("draw.quoted", &[])) } else { title };
        push(&mut out, format_args!(" {}\n", style.paint(Ink::Title, &title)));
        out.push_str(&draw(frame, index, style));
    }
    for (key, range) in [("draw.payload", &frame.payload), ("draw.trailer", &frame.trailer)] {
        if let Some(bytes) = frame.bytes.get(range.clone()).filter(|bytes| !bytes.is_empty()) {
            let shown = &bytes[..bytes.len().min(PAYLOAD_SHOWN)];
            let dots = if shown.len() < bytes.len() { ".." } else { "" };
            let title = style.paint(Ink::Title, &words.say(key, &[]));
            push(&mut out, format_args!(" {title} {} B '{}'{dots}\n", bytes.len(), escape_bytes(shown)));
        }
    }
    out
}

/// One layer of a frame, options included: bit numbers, then a box for each field with its key above its value; where a
/// box is too narrow for its key, the key stands below the drawing. At most 66 columns, 34 where there are fewer than
/// that. Ends with a line break; empty for an index beyond the layers.
#[must_use]
pub fn draw(frame: &Dissection<'_>, index: usize, style: &Style) -> String {
    let Some(layer) = frame.layers.get(index) else { return String::new() };
    // A space, then two columns a bit and the last side.
    let row_bits = if style.width >= ROW_BITS * 2 + 2 { ROW_BITS } else { ROW_BITS / 2 };
    let cells = cells(frame, layer);
    let mut grid = Grid { cells: &cells, owners: owners(&cells), row_bits, style, notes: Vec::new() };
    let mut out = bit_numbers(row_bits);
    let rows = cells.last().map_or(0, |cell| cell.bits.end.div_ceil(row_bits));
    for row in 0..rows {
        match grid.rows_inside(row) {
            0 => {
                grid.border(row, &mut out);
                grid.row(row, &mut out);
            }
            1..=ROWS_INSIDE_MAX => grid.inner_row(&mut out),
            _ => {}
        }
    }
    grid.border(rows, &mut out);
    if !grid.notes.is_empty() {
        push(&mut out, format_args!(" {}\n", style.paint(Ink::Dim, &grid.notes.join("  "))));
    }
    out
}

/// A box of the drawing.
struct Cell {
    /// Its bits, from the first of the layer.
    bits: Range<usize>,
    name: String,
    value: String,
    ink: Ink,
}

fn cells(frame: &Dissection<'_>, layer: &Layer) -> Vec<Cell> {
    let start = layer.header.start * 8;
    let mut cells = Vec::new();
    for field in &layer.fields {
        let sum = frame.checksums.iter().find(|sum| field.bit == sum.at * 8);
        let ink = sum.map_or(Ink::Field(cells.len()), verdict_ink);
        field_cells(frame.bytes, field, start, ink, &mut cells);
    }
    for option in &layer.options {
        option_cells(frame.bytes, option, start, &mut cells);
    }
    for value in layer.records.iter().flat_map(|record| &record.values) {
        let bits = value.bytes.start * 8 - start..value.bytes.end * 8 - start;
        let ink = Ink::Field(cells.len());
        cells.push(Cell { bits, name: value.key.to_owned(), value: value.text.clone(), ink });
    }
    if !layer.rest.is_empty() {
        let bits = layer.rest.start * 8 - start..layer.rest.end * 8 - start;
        let value = digits(&frame.bytes[layer.rest.clone()]);
        cells.push(Cell { bits, name: "data".to_owned(), value, ink: Ink::Note });
    }
    cells
}

/// One box, or for flags one a bit.
fn field_cells(bytes: &[u8], field: &Field, start: usize, ink: Ink, cells: &mut Vec<Cell>) {
    let first = field.bit - start;
    let desc = field.desc;
    if desc.kind != Kind::Flags {
        let bits = first..first + desc.bits;
        let (full, short) = (field_value_in(bytes, field), value_in(bytes, field));
        let value = if columns(&full) < desc.bits.min(ROW_BITS) * 2 { full } else { short };
        cells.push(Cell { bits, name: desc.key.to_owned(), value, ink });
        return;
    }
    for bit in 0..desc.bits {
        let mask = 1_u128 << (desc.bits - 1 - bit);
        let name = desc.names.iter().find(|name| u128::from(name.value) == mask);
        cells.push(Cell {
            bits: first + bit..first + bit + 1,
            name: name.map_or_else(String::new, |name| name.word.to_owned()),
            value: u8::from(field.value & mask != 0).to_string(),
            ink,
        });
    }
}

fn option_cells(bytes: &[u8], option: &OptionField, start: usize, cells: &mut Vec<Cell>) {
    let ink = Ink::Field(cells.len());
    let mut add = |range: Range<usize>, name: &str, value: String, ink| {
        if !range.is_empty() {
            let bits = range.start * 8 - start..range.end * 8 - start;
            cells.push(Cell { bits, name: name.to_owned(), value, ink });
        }
    };
    let at = option.range.start;
    if option.desc.is_some_and(|desc| matches!(desc.len, OptionLen::Entry(_) | OptionLen::Counted)) {
        option.fields.iter().for_each(|field| field_cells(bytes, field, start, Ink::Field(cells.len()), cells));
        if !option.rest.is_empty() {
            let bits = option.rest.start * 8 - start..option.rest.end * 8 - start;
            cells.push(Cell { bits, name: "data".to_owned(), value: digits(&bytes[option.rest.clone()]), ink });
        }
        return;
    }
    let is_single = option.desc.is_some_and(|desc| desc.len == OptionLen::Single);
    match option.what {
        OptionKind::Padding => return add(option.range.clone(), "pad", digits(&bytes[option.range.clone()]), Ink::Dim),
        OptionKind::Malformed => return add(option.range.clone(), "?", digits(&bytes[option.range.clone()]), Ink::Bad),
        OptionKind::Kind(kind) => {
            let end = at + if is_single { 1 } else { option.head / 2 };
            add(at..end, option.desc.map_or("kind", |desc| desc.key), kind.to_string(), ink);
        }
    }
    if is_single {
        return;
    }
    let length = at + option.head / 2..at + option.head;
    let stated = bytes[length.clone()].iter().fold(0, |stated, &byte| stated << 8 | u32::from(byte));
    add(length, "len", stated.to_string(), ink);
    for field in &option.fields {
        field_cells(bytes, field, start, Ink::Field(cells.len()), cells);
    }
    let mut add = |range: Range<usize>, name: &str, value: String| {
        if !range.is_empty() {
            let bits = range.start * 8 - start..range.end * 8 - start;
            cells.push(Cell { bits, name: name.to_owned(), value, ink });
        }
    };
    let named = option.fields.last().map_or(option.rest.start, |field| field.bytes().end);
    if !option.names.is_empty() {
        add(named..option.rest.start, "names", option.names.join(" "));
    }
    let rest = &bytes[option.rest.clone()];
    let is_text = option.desc.is_some_and(|desc| desc.len == OptionLen::Text);
    let (name, value) = if is_text { ("text", text(rest)) } else { ("data", digits(rest)) };
    add(option.rest.clone(), name, value);
}

/// The box of every bit; `None` for bits that no box has.
fn owners(cells: &[Cell]) -> Vec<Option<usize>> {
    let mut owners = vec![None; cells.last().map_or(0, |cell| cell.bits.end)];
    for (index, cell) in cells.iter().enumerate() {
        if let Some(bits) = owners.get_mut(cell.bits.clone()) {
            bits.fill(Some(index));
        }
    }
    owners
}

/// The two lines of tens and ones above the drawing.
fn bit_numbers(row_bits: usize) -> String {
    let line = |text: fn(usize) -> char| (0..row_bits).map(text).flat_map(|char| [' ', char]).collect::<String>();
    let tens = line(|bit| if bit.is_multiple_of(10) { digit(bit / 10) } else { ' ' });
    let ones = line(|bit| digit(bit % 10));
    format!(" {}\n {ones}\n", tens.trim_end())
}

fn digit(number: usize) -> char {
    char::from(b'0' + (number % 10) as u8)
}

struct Grid<'a> {
    cells: &'a [Cell],
    /// The box of every bit.
    owners: Vec<Option<usize>>,
    row_bits: usize,
    style: &'a Style,
    /// Keys that did not fit into their boxes, behind what stands for them.
    notes: Vec<String>,
}

/// What meets at a corner of boxes.
#[derive(Clone, Copy)]
struct Corner {
    up: bool,
    down: bool,
    left: bool,
    right: bool,
}

impl Corner {
    const fn unicode(self) -> char {
        match (self.up, self.down, self.left, self.right) {
            (false, false, false, false) => ' ',
            (_, _, false, false) => '│',
            (false, false, _, _) => '─',
            (false, true, false, true) => '┌',
            (false, true, true, false) => '┐',
            (true, false, false, true) => '└',
            (true, false, true, false) => '┘',
            (true, true, false, true) => '├',
            (true, true, true, false) => '┤',
            (false, true, true, true) => '┬',
            (true, false, true, true) => '┴',
            (true, true, true, true) => '┼',
        }
    }

    const fn ascii(self) -> char {
        match (self.up || self.down, self.left || self.right) {
            (false, false) => ' ',
            (true, false) => '|',
            (_, true) => '+',
        }
    }
}

impl Grid<'_> {
    /// The box that a bit of a row belongs to; `None` outside the drawing.
    fn cell_at(&self, row: Option<usize>, bit: usize) -> Option<usize> {
        self.owners.get(row? * self.row_bits + bit).copied().flatten()
    }

    /// Whether a line stands left of this bit (or, for the last, right of the row).
    fn has_side(&self, row: Option<usize>, bit: usize) -> bool {
        let right = if bit < self.row_bits { self.cell_at(row, bit) } else { None };
        let left = if bit > 0 { self.cell_at(row, bit - 1) } else { None };
        left != right
    }

    /// How many rows up to this one lie wholly inside a box that fills the row before them too.
    fn rows_inside(&self, row: usize) -> usize {
        let Some(index) = self.cell_at(Some(row), 0) else { return 0 };
        let bits = &self.cells[index].bits;
        if bits.end < (row + 1) * self.row_bits {
            return 0;
        }
        row - bits.start.div_ceil(self.row_bits).min(row)
    }

    /// A row that lies wholly inside a box.
    fn inner_row(&self, out: &mut String) {
        let (side, text) = if self.style.unicode { ('│', "…") } else { ('|', "") };
        push(out, format_args!(" {side}{}{side}\n", centre(text, self.row_bits * 2 - 1)));
    }

    /// The line above a row.
    fn border(&self, row: usize, out: &mut String) {
        let (above, below) = (row.checked_sub(1), Some(row));
        let has_line = |bit: usize| {
            let (up, down) = (self.cell_at(above, bit), self.cell_at(below, bit));
            bit < self.row_bits && up != down
        };
        let mut line = String::new();
        for bit in 0..=self.row_bits {
            let corner = Corner {
                up: self.has_side(above, bit),
                down: self.has_side(below, bit),
                left: bit > 0 && has_line(bit - 1),
                right: has_line(bit),
            };
            line.push(if self.style.unicode { corner.unicode() } else { corner.ascii() });
            if bit < self.row_bits {
                line.push(match (has_line(bit), self.style.unicode) {
                    (false, _) => ' ',
                    (true, true) => '─',
                    (true, false) => '-',
                });
            }
        }
        push(out, format_args!(" {}\n", line.trim_end()));
    }

    /// The two lines of a row: keys, then values.
    fn row(&mut self, row: usize, out: &mut String) {
        let (mut names, mut values) = (String::from(" "), String::from(" "));
        let side = if self.style.unicode { '│' } else { '|' };
        let mut bit = 0;
        while let Some(index) = (bit < self.row_bits).then(|| self.cell_at(Some(row), bit)).flatten() {
            let cell = &self.cells[index];
            let at = row * self.row_bits + bit;
            let bits = (cell.bits.end - at).min(self.row_bits - bit);
            let width = bits * 2 - 1;
            let (name, value) = if at == self.main_part(cell) {
                let value =
                    if columns(&cell.value) <= width { cell.value.clone() } else { shortened(&cell.value, width) };
                (self.name(index, width), value)
            } else {
                (if self.style.unicode && width > 1 { "…" } else { "" }.to_owned(), String::new())
            };
            let ink = self.cells[index].ink;
            push(&mut names, format_args!("{side}{}", self.style.paint(Ink::Dim, &centre(&name, width))));
            push(&mut values, format_args!("{side}{}", self.style.paint(ink, &centre(&value, width))));
            bit += bits;
        }
        push(out, format_args!("{names}{side}\n{values}{side}\n"));
    }

    /// The first bit of the part of a box in which key and value stand: the widest, the first of equals.
    fn main_part(&self, cell: &Cell) -> usize {
        let first_end = (cell.bits.start / self.row_bits + 1) * self.row_bits;
        let first = first_end.min(cell.bits.end) - cell.bits.start;
        let second = cell.bits.end.saturating_sub(first_end).min(self.row_bits);
        if second > first { first_end } else { cell.bits.start }
    }

    /// A box's key, or a capital that stands for it below.
    fn name(&mut self, index: usize, width: usize) -> String {
        let name = &self.cells[index].name;
        if columns(name) <= width {
            return name.clone();
        }
        let short: String = name.chars().take(width).collect::<String>().to_uppercase();
        let note = format!("{short} {name}");
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
        short
    }
}

/// The beginning of a value that does not fit.
fn shortened(value: &str, width: usize) -> String {
    let kept = crate::text::clip(value, width.saturating_sub(2));
    pad(&format!("{kept}.."), width)
}
