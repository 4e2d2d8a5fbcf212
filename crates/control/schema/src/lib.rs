//! Database entities and migrations of the system and tenant databases.
