//! A borrowing, bounded JSON reader: one pass, no tree.
