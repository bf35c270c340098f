//! Text for a terminal: tables and descriptions, widths and colours. No input and output here.

pub(crate) mod describe;
pub(crate) mod table;
pub(crate) mod terminal;
pub(crate) mod text;
