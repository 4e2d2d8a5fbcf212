//! Migrations go up, down and up again, and end where they began.
