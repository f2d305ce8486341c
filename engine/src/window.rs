//! Sliding windows out of sub-windows: never more than the limit in any window of its length.
