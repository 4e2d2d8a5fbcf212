//! The only way to data: databases, pools, transactions, and the models of the system and of one opened tenant.
