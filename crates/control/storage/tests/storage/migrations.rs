//! Migrations on real databases: up, down and up again, pinned to what was released, killed half-way, and rolled out.

mod adopted;
mod both_ways;
mod killed;
mod raw;
mod released;
mod rollouts;
mod test_schema;
