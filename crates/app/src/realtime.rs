//! `/ws`: live channels.
